"""Joins judged while they are captured: which are over, told once each. Knows no source and no output.

A join is over when the capture has gone on for a while after its key was established, or, without one, after its last frame.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping

from harness.audit.intake import Intake
from harness.audit.joins import Address, Join
from harness.audit.traces import Traces
from harness.audit.verdicts import Audited, judged
from harness.usecase import Clause

SETTLED = 60.0  # seconds: what belongs to the steps after a key establishment is begun by then
PAUSE = 5.0  # seconds of capture between two looks for joins that are over
SHARE = 0.02  # of the capture's duration, so that a long one is not looked through too often


class Live:
    """Tells each join once, when it is over; `now` is when the last packet came, by the clock of the capture."""

    def __init__(self, intake: Intake, clauses: Iterable[Clause], authority: Mapping[str, str] | None = None) -> None:
        self._intake, self._clauses, self._authority = intake, tuple(clauses), authority
        self._told: set[tuple[Address, int, int]] = set()
        self._looked = 0.0

    def due(self) -> bool:
        """Whether it is worth looking again."""
        return self._intake.duration - self._looked >= max(PAUSE, SHARE * self._intake.duration)

    def over(self) -> Iterator[Audited]:
        """The joins that are over and were not told yet."""
        self._looked = self._intake.duration
        traces = Traces(self._intake, self._authority)
        for join in traces.sorting.joins:
            name = (join.network, int(join.device), join.frames[0])
            if name not in self._told and self._intake.duration - self._rests_since(join) >= SETTLED:
                self._told.add(name)
                yield judged(traces, join, self._clauses)

    def _rests_since(self, join: Join) -> float:
        last = join.frames[-1] if join.established is None else join.established
        return self._intake.taken[last].time


def followed(live: Live, tell: Callable[[Audited], None]) -> None:
    """Tell what is over, where it is time to look."""
    if live.due():
        for each in live.over():
            tell(each)
