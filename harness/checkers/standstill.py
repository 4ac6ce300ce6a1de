"""Where more time passed than a trace's time stamps show: the bench's clock stood still for a person or a command, or was behind.

What was heard meanwhile bears too early an instant, so that pauses seem shorter than they were; and whoever has a clock of his own is
ahead of the bench's from then on. Knows what the bench noted of it; judges no clause.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from math import inf

from harness.checkers.reading import air
from harness.trace import BEHIND, STOOD, Trace
from harness.usecase import Timed
from harness.verdict import Finding, Verdict

SHARE = 0.05  # of what a finding speaks of: a pause that is right within so much is not taken for another
SURELY = 1.0  # seconds that are always too many: clocks are compared to the second


def stood_within(trace: Trace, start: float, end: float) -> float:
    """Seconds that passed and are not in the time stamps between two instants, at most. A bench that was behind makes up for it, so that
    only the most that it was counts."""
    stood, behind = (
        [seconds for begun, over, seconds in trace.header.about.get(name, ()) if begun <= end and over >= start] for name in (STOOD, BEHIND)
    )
    return float(sum(stood) + max(behind, default=0.0))


def stopped_within(trace: Trace, start: float, end: float) -> float:
    """The same of standstills alone, by which the clocks of others are ahead afterwards."""
    return float(sum(seconds for begun, _, seconds in trace.header.about.get(STOOD, ()) if start <= begun <= end))


def too_short_to_tell(trace: Trace, finding: Finding, timed: Timed | None) -> str:
    """Why a finding of a clause that is timed may come of the bench's clock alone; empty where it does not."""
    if timed is None or not {STOOD, BEHIND} & trace.header.about.keys():
        return ""
    times = [trace[number].time for number in finding.evidence]
    start, end = (min(times), max(times)) if times else (-inf, inf)
    if timed is Timed.CLOCK:
        stood, enough = stopped_within(trace, _inside_since(trace), end), SURELY
    else:
        stood, enough = stood_within(trace, start, end) if times else 0.0, min(SURELY, SHARE * (end - start))
    if not stood or stood < enough:
        return ""
    return f"the bench's clock stood still or was behind, for {stood:.1f} s of the time that this speaks of"


def surest(trace: Trace, fails: Iterable[Finding]) -> Iterator[Finding]:
    """Of one fail that is seen again and again, in pauses that are too short: the first that does not come of the bench's clock, or else
    the first of all."""
    doubtful: Finding | None = None
    for fail in fails:
        if not too_short_to_tell(trace, fail, Timed.PACE):
            yield fail
            return
        doubtful = doubtful or fail
    if doubtful is not None:
        yield doubtful


def by_a_clock_of_its_own(ahead: float, missing: float, tolerance: float) -> Verdict:
    """Of a clock that is so many seconds ahead of the bench's, which did not count `missing` of those that passed, at most. It may be
    right by either; what lies in between cannot be told, and what lies outside is wrong whatever happened."""
    if not -tolerance <= ahead <= missing + tolerance:
        return Verdict.FAIL
    return Verdict.INCONC if tolerance < ahead < missing - tolerance else Verdict.PASS


def _inside_since(trace: Trace) -> float:
    """When a device was first inside the network: clocks are set there."""
    heard = air(trace)
    return next((each.time for each in heard if each.frame.security.nwk == "ok" and not heard.from_coordinator(each)), inf)
