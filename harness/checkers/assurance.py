"""What keeps a verdict from saying more than the evidence does: no pass for who is no longer there, no fail where frames are missing.

Every check of the table is made through it, once. A pass of an actor that did not answer the sanity exchange is inconclusive, or a
fail where the clause demands that it goes on; a fail that frames which are missing could explain is inconclusive. Knows no clause.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from harness.checkers.capture_health import gaps
from harness.checkers.liveness import SILENCE, signs_of_death
from harness.checkers.reading import marks
from harness.checkers.standstill import too_short_to_tell
from harness.errors import Inconclusive
from harness.inquiry import SANITY
from harness.trace import Trace
from harness.usecase import Actor, Check, Clause, Point
from harness.verdict import Finding, Verdict, inconclusive

ON_AIR = (Actor.ESI, Actor.HAN_DEVICE)
BEFORE = 30.0  # seconds: a frame that is missing so long before what was seen can belong to it
AFTER = 60.0  # seconds: longer than any answer is waited for; what is missing after that says nothing of it


def assured(clause: Clause) -> Clause:
    """The clause with checks that neither pass a dead actor nor fail one for what is missing from the evidence of the air."""
    return replace(clause, checks={
        actor: (*(_assured(check, actor, clause) for check in checks), *((_put(checks),) if _reads_air(clause) else ()))
        for actor, checks in clause.checks.items()
    })


def _reads_air(clause: Clause) -> bool:
    """Whether the clause rests on frames: it needs them, or takes whatever point there is."""
    return Point.MAC in clause.needs or not clause.needs


def _assured(check: Check, actor: Actor, clause: Clause) -> Check:
    def checked(trace: Trace) -> Iterator[Finding]:
        passes = False
        for finding in check(trace):
            passes = passes or finding.verdict is Verdict.PASS
            yield _softened(trace, finding, clause) if finding.verdict is Verdict.FAIL else finding
        survives = clause.survives and len(marks(trace, SANITY, actor)) > 1  # it was there before the stimulus
        for death in signs_of_death(trace, actor) if actor in ON_AIR and (passes or survives) else ():
            yield replace(death, verdict=Verdict.FAIL) if death.observed == SILENCE and clause.survives else death

    checked.__name__ = getattr(check, "__name__", repr(check))
    return checked


def _put(checks: tuple[Check, ...]) -> Check:
    """Where frames are missing, a question that nothing puts may have been put: that it was not is not known."""

    def finds(check: Check, trace: Trace) -> bool:
        try:
            return any(True for _ in check(trace))
        except Inconclusive:  # which the check says itself
            return True

    def question_is_put(trace: Trace) -> Iterator[Finding]:
        missing = gaps(trace)
        if missing and not any(finds(check, trace) for check in checks):
            yield inconclusive(f"what puts the question is not in the evidence, from which frames are missing: {missing[0].cause}")

    return question_is_put


def _softened(trace: Trace, finding: Finding, clause: Clause) -> Finding:
    """A fail as it is, or inconclusive where something is missing from the time that it speaks of, or time itself is."""
    if why := too_short_to_tell(trace, finding, clause.timed):
        return _inconclusive(finding, why)
    missing = gaps(trace) if _reads_air(clause) else ()
    if not missing:
        return finding
    times = [trace[number].time for number in finding.evidence]
    start, end = (min(times) - BEFORE, max(times) + AFTER) if times else (float("-inf"), float("inf"))
    gap = next((each for each in missing if each.start <= end and each.end >= start), None)
    return finding if gap is None else _inconclusive(finding, f"frames are missing from the evidence: {gap.cause}")


def _inconclusive(finding: Finding, why: str) -> Finding:
    return replace(
        finding, verdict=Verdict.INCONC, hint=None,
        message=f"{finding.message}; but {why}",
    )
