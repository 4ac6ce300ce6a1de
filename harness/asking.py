"""From an adapter's prompt to the operator of a run, and the answer into the trace: time stands still meanwhile.

Knows no terminal: whoever answers is handed to the bench.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from harness.actors.prompt import Prompt, nobody
from harness.clock import Clock, LiveClock
from harness.trace import Trace

ASKED_OF_OPERATOR = "operator"  # the field of a trace's header with every prompt and its answer


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


def aside(clock: Clock) -> Callable[[], AbstractContextManager[None]]:
    """The context in which this clock stands still; one that passes only where it is waited for does so anyhow."""
    return clock.standing_still if isinstance(clock, LiveClock) else nullcontext


def asked_of(operator: Operator | None, clock: Clock, trace: Trace) -> Callable[[Prompt], str]:
    """What puts an adapter's prompts to the operator of this run; without one nobody is there to be asked."""
    if operator is None:
        return nobody

    def ask(prompt: Prompt) -> str:
        asked = {"at": clock.now(), "actor": prompt.actor, "verb": prompt.verb, "asked": prompt.text}
        trace.header.about.setdefault(ASKED_OF_OPERATOR, []).append(asked)  # also where no answer comes
        with aside(clock)():
            answer = operator.ask(prompt, trace.header.scenario)
        asked |= {"answer": answer.text, "by": answer.by, "when": answer.when.isoformat(), "took": round(answer.took, 3)}
        return answer.text

    return ask
