"""Where more time passes than a bench's clock shows, noted in its trace: it stands still for a person, or is behind since it works.

Knows no checker: what comes of it for verdicts is `harness.checkers.standstill`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext

from harness.clock import Clock, LiveClock, wall_seconds
from harness.trace import BEHIND, STOOD, Trace

NOTICED = 0.05  # seconds by which a bench may be behind and nobody need know


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
            if STOOD in trace.header.about:
                trace.header.about[STOOD].append([at, at, round(wall_seconds() - begun, 3)])

    return standing_still


def begin(clock: LiveClock, trace: Trace) -> None:
    """Building has taken a while, most of it for opening radios: what is due at once would be done in a burst. UTC went on."""
    trace.header.about[STOOD].append([0.0, 0.0, round(clock.begin(), 3)])


class Meanwhile:
    """Notes what a bench in real time heard while its clock stood still, or was behind because it worked: from when to when it may bear
    too early an instant."""

    def __init__(self, clock: Clock, trace: Trace) -> None:
        self._clock, self._trace = clock, trace
        self._looked = 0.0
        self._behind: list[float] = []  # the note that may yet be continued
        self._open: list[list[float]] = []  # notes whose end is not known yet
        self._stood = 0  # how many standstills have been seen to

    def look(self, now: float) -> None:
        """The bench is about to take what it heard until `now`."""
        start, self._looked = self._looked, now
        about = self._trace.header.about
        if STOOD not in about or not isinstance(self._clock, LiveClock):
            return
        self._open += about[STOOD][self._stood:]
        self._stood = len(about[STOOD])
        behind = round(self._clock.at(wall_seconds()) - now, 3)
        if behind < NOTICED:
            return
        if self._behind and start <= self._behind[1]:
            self._behind[1:] = [max(now, self._behind[1]), max(self._behind[2], behind)]
        else:
            self._behind = [start, now, behind]
            about.setdefault(BEHIND, []).append(self._behind)
        self._open.append(self._behind)

    def took(self, is_all: bool) -> None:
        """What was heard meanwhile is in the trace, one after the other from that instant on; `is_all`: nothing more of it comes."""
        heard = self._trace.exchanges[-1].time if self._open and self._trace.exchanges else 0.0
        for noted in self._open:
            noted[1] = max(noted[1], heard)
        if is_all:
            self._open.clear()
