"""Where more time passes than a bench's clock shows, noted in its trace: it stands still for a person, or is behind since it works.

Knows no checker: what comes of it for verdicts is `harness.checkers.standstill`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext

from harness.clock import Clock, LiveClock, wall_seconds
from harness.trace import STOOD, Trace

NOTICED = 0.05  # seconds by which a bench may be behind and nobody need know
AN_INSTANT = 1e-6  # seconds: who was behind was so for a while, and who stood still did so at one instant


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
            _note(trace, at, at, wall_seconds() - begun)

    return standing_still


def _note(trace: Trace, start: float, end: float, seconds: float) -> list[float]:
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
        end = max(now, start + AN_INSTANT)
        if self._noted and start <= self._noted[1] and self._trace.header.about[STOOD][-1] is self._noted:
            self._noted[1:] = [end, max(self._noted[2], round(behind, 3))]
        else:
            self._noted = _note(self._trace, start, end, behind)
