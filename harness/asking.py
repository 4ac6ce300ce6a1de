"""From an adapter's prompt to the operator of a run, and the answer into the trace: time stands still meanwhile.

What else is done by hand, by a command or a class of the laboratory's, is kept beside it. Knows no terminal: whoever answers is
handed to the bench.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from harness.actors.prompt import Prompt, nobody
from harness.bench_time import aside
from harness.clock import Clock, wall_seconds, wall_utc
from harness.errors import Inconclusive
from harness.trace import ASKED_OF_OPERATOR, Trace


@dataclass(frozen=True)
class Answer:
    """What a person said: `by` names who, `when` is the real UTC time, `took` the seconds until then."""

    text: str
    by: str
    when: datetime
    took: float = 0.0


class Operator(Protocol):
    """Whoever answers prompts."""

    def ask(self, prompt: Prompt, scenario: str) -> Answer:
        """The answer of a person. Raises Inconclusive, naming the prompt, where none comes within its limit."""


def noting(clock: Clock, trace: Trace) -> Callable[..., dict[str, Any]]:
    """What keeps in the trace's header what is done by hand, also where that does not end well."""

    def note(**said: Any) -> dict[str, Any]:
        record = {"at": clock.now(), "when": wall_utc().isoformat(timespec="milliseconds"), **said}
        trace.header.about.setdefault(ASKED_OF_OPERATOR, []).append(record)
        return record

    return note


def asked_of(operator: Operator | None, clock: Clock, trace: Trace) -> Callable[[Prompt], str]:
    """What puts an adapter's prompts to the operator of this run; without one nobody is there to be asked."""
    if operator is None:
        return nobody
    note, waiting = noting(clock, trace), aside(clock, trace)

    def ask(prompt: Prompt) -> str:
        begun, asked = wall_seconds(), note(actor=prompt.actor, verb=prompt.verb, asked=prompt.text, limit=prompt.limit)
        try:
            with waiting():
                answer = operator.ask(prompt, trace.header.scenario)
        except Inconclusive:
            asked |= {"took": round(wall_seconds() - begun, 3)}
            raise
        asked |= {"answer": answer.text, "by": answer.by, "when": answer.when.isoformat(), "took": round(answer.took, 3)}
        return answer.text

    return ask
