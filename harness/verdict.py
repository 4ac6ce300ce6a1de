"""Verdicts that only ever get worse, and the finding a checker yields; knows nothing of clauses, traces or reports."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import IntEnum
from typing import Any


class Verdict(IntEnum):
    """ISO/IEC 9646 and TTCN-3: none < pass < inconc < fail < error; only the harness sets error."""

    NONE = 0
    PASS = 1
    INCONC = 2
    FAIL = 3
    ERROR = 4

    def __str__(self) -> str:
        return self.name.lower()

    @classmethod
    def parse(cls, text: str) -> Verdict:
        """The verdict of that name. Raises ValueError for an unknown one."""
        try:
            return cls[text.upper()]
        except KeyError:
            raise ValueError(f"{text!r} is no verdict; there are none, pass, inconc, fail, error") from None


def worst(verdicts: Iterable[Verdict]) -> Verdict:
    """The worst of several verdicts; none when there are none."""
    return max(verdicts, default=Verdict.NONE)


@dataclass(frozen=True)
class Finding:
    """What a checker says: a verdict, one sentence, what the clause expects, what was seen, and in which exchanges.

    A finding whose `note` is true is a deviation without a verdict: it is shown and never counted.
    `hint` is the id of a known cause ("cofactor-left-out"), None where none is known.
    """

    verdict: Verdict
    message: str
    expected: str = ""
    observed: str = ""
    evidence: tuple[int, ...] = ()
    note: bool = False
    hint: str | None = None

    def as_dict(self) -> dict[str, Any]:
        """The finding as `verdicts.json` carries it."""
        return {
            "verdict": str(self.verdict),
            "message": self.message,
            "expected": self.expected,
            "observed": self.observed,
            "evidence": list(self.evidence),
            **({"note": True} if self.note else {}),
            **({"hint": self.hint} if self.hint else {}),
        }


def passed(message: str, *evidence: int, observed: str = "") -> Finding:
    """The question was put and the answer is right."""
    return Finding(Verdict.PASS, message, observed=observed, evidence=evidence)


def failed(message: str, *evidence: int, expected: str, observed: str, hint: str | None = None) -> Finding:
    """The question was put and the answer is wrong."""
    return Finding(Verdict.FAIL, message, expected, observed, evidence, hint=hint)


def inconclusive(message: str, *evidence: int, expected: str = "", observed: str = "", hint: str | None = None) -> Finding:
    """The question was put, or should have been, and the evidence does not decide."""
    return Finding(Verdict.INCONC, message, expected, observed, evidence, hint=hint)


def noted(message: str, *evidence: int, expected: str = "", observed: str = "") -> Finding:
    """A deviation without a verdict."""
    return Finding(Verdict.NONE, message, expected, observed, evidence, note=True)
