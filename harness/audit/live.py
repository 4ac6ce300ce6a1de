"""Joins judged while they are captured: told as soon as they are over, at a cost that does not grow. Knows no source and no output.

A join may be told when the capture has gone on for a while after its key was established, or, without one, after its last frame. Its
device then still reads prices and obeys events, so that it is judged once more, and for the last time, some minutes later; told again
only where verdicts changed. After that nothing is kept of it but the verdicts, and its frames go.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterable

from harness.audit.intake import Intake
from harness.audit.joins import SCAN_SPAN, Join, Sorting
from harness.audit.known import NOTHING, Known
from harness.audit.traces import AROUND, Traces
from harness.audit.verdicts import Audited, in_order, judged
from harness.usecase import Clause

SETTLED = 60.0  # seconds: what belongs to the steps after a key establishment is begun by then
AFTERWARDS = 900.0  # seconds after its key was established, or it began, in which a join is still added to
LONGEST = 3600.0  # seconds that a join lasts at most, however often its device establishes a key
PAUSE = 5.0  # seconds of capture between two looks for joins that are over
LATE = 1.0  # seconds that a frame may come after others of later times: so long it is waited for before it is sorted
FORGETTING = 60.0  # seconds of capture between two times of forgetting
BEFORE = SCAN_SPAN + AROUND  # seconds of frames that a join is judged with before its own


class Live:
    """Tells the joins that are over; the clock is that of the capture."""

    def __init__(self, intake: Intake, clauses: Iterable[Clause], known: Known = NOTHING) -> None:
        self._intake, self._clauses, self._known = intake, tuple(clauses), known
        self._sorting = Sorting(intake.taken)
        self._waiting: list[tuple[float, int]] = []  # time and place of frames that are not sorted yet
        self._next = 0  # the place of the next frame that comes
        self._told: dict[Join, Audited] = {}  # those that are not over
        self._over: list[Audited] = []
        self._looked = self._forgot = 0.0

    def look(self) -> list[Audited]:
        """The joins that can be told by now, and those whose last verdicts differ from what was told of them."""
        now = self._intake.now
        self._sort(now - LATE)
        if abs(now - self._looked) < PAUSE:  # a clock may be set back
            return []
        self._looked = now
        traces, told = Traces(self._intake, self._known, self._sorting), []
        for join in self._open():
            last = self._intake.taken[join.frames[-1]].time
            rests_since = last if join.established is None else join.established
            since = join.opened if join.established is None else join.established
            over = now - since >= AFTERWARDS or now - join.opened >= LONGEST
            before = self._told.get(join)
            if over or (before is None and now - rests_since >= SETTLED):
                found = self._told[join] = judged(traces, join, self._clauses)
                if before is None or _verdicts(before) != _verdicts(found):
                    told.append(found)
            if over:
                self._over.append(self._told.pop(join))
                join.over = True
        if abs(now - self._forgot) >= FORGETTING:
            self._forget(now)
        return told

    def end(self) -> list[Audited]:
        """Every join, in the order of their first packets; those that are not over are judged as far as they go."""
        self._intake.end()
        self._sort(float("inf"))
        traces = Traces(self._intake, self._known, self._sorting)
        return in_order((*self._over, *(judged(traces, join, self._clauses) for join in self._open())))

    def _open(self) -> list[Join]:
        return [join for join in self._sorting.joins if not join.over]

    def _sort(self, until: float) -> None:
        come = self._intake.counts["frames"]
        for place in range(self._next, come):
            heapq.heappush(self._waiting, (self._intake.taken[place].time, place))
        self._next = come
        while self._waiting and self._waiting[0][0] <= until:
            self._sorting.sort(heapq.heappop(self._waiting)[1])

    def _forget(self, now: float) -> None:
        self._forgot = now
        before = min((now, *(join.opened for join in self._open()), *(time for time, _ in self._waiting))) - BEFORE
        self._sorting.forget(before)
        self._intake.forget(before)


def _verdicts(join: Audited) -> list[object]:
    return [each.verdict for each in join.judgements]


def followed(live: Live, tell: Callable[[Audited], None]) -> None:
    """Tell what is over, where it is time to look."""
    for each in live.look():
        tell(each)
