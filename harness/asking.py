"""From an adapter's prompt to the operator of a run, and the answer into the trace: time stands still meanwhile.

What else is done by hand, by a command or a class of the laboratory's, is kept beside it. Knows no terminal: whoever answers is
handed to the bench.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from harness.actors.prompt import Prompt, nobody
from harness.clock import Clock, LiveClock, wall_seconds, wall_utc
from harness.errors import Inconclusive
from harness.trace import ASKED_OF_OPERATOR, STOOD, Trace

NOTICED = 0.05  # seconds by which a bench may be behind and nobody need know


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


def aside(clock: Clock, trace: Trace) -> Callable[[], AbstractContextManager[None]]:
    """The context in which this clock stands still, for how long is noted in the trace; one that passes only where it is waited
    for does so anyhow."""
    if not isinstance(clock, LiveClock):
        return nullcontext

    @contextmanager
    def standing_still() -> Iterator[None]:
        begun, at = wall_seconds(), clock.now()
        try:
            with clock.standing_still():
                yield
        finally:
            stood(trace, at, at, wall_seconds() - begun)

    return standing_still


def stood(trace: Trace, start: float, end: float, seconds: float) -> list[float]:
    """Note that so many seconds more passed between two instants than the bench's clock shows, where that is of account."""
    noted = [start, end, round(seconds, 3)]
    trace.header.about.get(STOOD, []).append(noted)
    return noted


class Lag:
    """Notes where a bench in real time, which stands still while it works, was behind: what it heard meanwhile it may have heard as of
    too early an instant. What touches is one."""

    def __init__(self, clock: Clock, trace: Trace) -> None:
        self._clock, self._trace = clock, trace
        self._looked = 0.0
        self._noted: list[float] = []

    def look(self, now: float) -> None:
        """The bench is about to take what it heard until `now`."""
        start, self._looked = self._looked, now
        if STOOD not in self._trace.header.about or not isinstance(self._clock, LiveClock):
            return
        behind = self._clock.at(wall_seconds()) - now
        if behind < NOTICED:
            return
        if self._noted and start <= self._noted[1] and self._trace.header.about[STOOD][-1] is self._noted:
            self._noted[1:] = [now, max(self._noted[2], round(behind, 3))]
        else:
            self._noted = stood(self._trace, start, now, behind)


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
