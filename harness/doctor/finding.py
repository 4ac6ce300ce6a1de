"""One finding about a bench: what it is about, how bad it is, and what to do. Knows nothing of what is examined."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from enum import IntEnum


class Grade(IntEnum):
    """How bad; the worst of a bench decides the exit code."""

    FINE = 0
    NOTE = 1  # worth knowing
    DOUBT = 2  # a run may come out inconclusive
    PROBLEM = 3  # a run would be an error


@dataclass(frozen=True)
class Finding:
    """`says` is one sentence without a secret; `todo` is what to do about it, empty where nothing is to be done."""

    grade: Grade
    about: str
    says: str
    todo: str = ""

    def as_dict(self) -> dict[str, str]:
        """The same for JSON."""
        return {**asdict(self), "grade": self.grade.name.lower()}

    def lines(self) -> tuple[str, ...]:
        """What people read: one line of what is so, one of what to do."""
        said = f"{self.grade.name.lower():<8} {self.about}: {self.says}"
        return (said, f"         {self.todo}") if self.todo else (said,)
