"""A contract test of an adapter as a value: what is promised, what its keeping proves, and the question that tests it.

Knows no adapter, no promise in particular, and not how a question is put.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass
from typing import Any

PASS, FAIL, INCONC, ERROR, NOT_APPLICABLE = "pass", "fail", "inconc", "error", "not applicable"

Asked = Generator[str, None, Any]  # what a question returns in the end is handed to whoever asked
Question = Callable[[Any], Iterator[str] | Asked]
"""Yields what is wrong; nothing where the promise is kept. Is given a `Laboratory`, a `Stage` or a `Recorded`, as its table says."""


class NotApplicable(Exception):
    """The question cannot be put to this adapter; the text says why."""


@dataclass(frozen=True)
class Promise:
    """One contract test. `asks` yields what is wrong; the first promise of a table is what all others rest on.

    `peer` says that a second radio has to hear, or to be heard.
    """

    id: str
    text: str
    proves: str
    asks: Question
    peer: bool = False


@dataclass(frozen=True)
class Outcome:
    """What became of one promise of one subject: one of the five words, and why where it is not a pass, or what it told."""

    subject: str
    promise: Promise
    verdict: str
    reason: str = ""

    def as_dict(self) -> dict[str, str]:
        """As `--json` prints it."""
        return {
            "subject": self.subject, "test": self.promise.id, "verdict": self.verdict, "reason": self.reason,
            "promise": self.promise.text, "proves": self.promise.proves,
        }

    def __str__(self) -> str:
        return f"{self.verdict:<14} {self.promise.id:<24} {self.subject}: {self.reason or self.promise.text}"
