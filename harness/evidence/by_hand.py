"""What was done by hand in a scenario, in words: each prompt to a person with its answer, each command with how it ended.

Read from the header of the trace; knows no report and gives no verdict.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from harness.actors.prompt import NOT_DONE
from harness.evidence.header import read_about
from harness.trace import ASKED_OF_OPERATOR


@dataclass(frozen=True)
class Deed:
    """One of them. `at` is the bench's instant, seconds; `what` who was to do what, `how` the question, the command or the class;
    `outcome` what came of it, `well` whether that is what was wanted; `output` the last that a command said; `took` and `limit`
    seconds of real time, None where they are not known; `when` the real UTC time: of an answer, or
    else when it began."""

    at: float
    what: str
    how: str
    outcome: str
    well: bool
    output: str = ""
    took: float | None = None
    limit: float | None = None
    when: str = ""

    @property
    def time(self) -> str:
        """How long it took, and had."""
        took = "" if self.took is None else f"{self.took:.1f} s"
        return f"{took} of {self.limit:g} s" if took and self.limit is not None else took

    @property
    def text(self) -> str:
        """On one line."""
        return f"{self.what}: {self.how}: {self.outcome}" + (f" ({self.time})" if self.time else "")


def deeds(about: Mapping[str, Any]) -> list[Deed]:
    """Those of a header's `about`, in their order. Raises KeyError, TypeError or ValueError for what is none."""
    return [_deed(each) for each in about.get(ASKED_OF_OPERATOR, ())]


def deeds_in(folder: Path) -> list[Deed]:
    """Those of a scenario's folder. Raises InputError naming the file."""
    return read_about(folder, deeds)


def _deed(said: Mapping[str, Any]) -> Deed:
    verb = str(said["verb"])
    what = f"{said['actor']}.{verb}" if said["actor"] else verb
    took, limit = said.get("took"), said.get("limit")
    how, outcome, well = _of_a_person(said) if "asked" in said else _of_a_command(said) if "command" in said else _of_a_class(said)
    return Deed(
        float(said["at"]), what, how, outcome, well, str(said.get("output", "")), None if took is None else float(took),
        None if limit is None else float(limit), str(said.get("when", "")),
    )


def _of_a_person(said: Mapping[str, Any]) -> tuple[str, str, bool]:
    answer = said.get("answer")
    outcome = "no answer" if answer is None else f"{answer}, by {said.get('by', 'somebody')}"
    return f"asked \"{said['asked']}\"", outcome, answer not in (None, NOT_DONE)


def _of_a_command(said: Mapping[str, Any]) -> tuple[str, str, bool]:
    code = said.get("exit_code")
    return f"command `{said['command']}`", "it did not end, or could not be run" if code is None else f"exit code {code}", code == 0


def _of_a_class(said: Mapping[str, Any]) -> tuple[str, str, bool]:
    answer = said.get("answer")
    return f"class {said['adapter']}", "it failed" if answer is None else str(answer), answer is not None
