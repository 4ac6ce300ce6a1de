"""Judging: run the checks of clauses on a trace. Knows clauses and traces as values; nothing of cases, benches or encodings."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from harness.composite import hidden
from harness.errors import Inconclusive
from harness.trace import Trace
from harness.usecase import Actor, Check, Clause
from harness.verdict import Finding, Verdict, inconclusive, worst


@dataclass(frozen=True)
class Judgement:
    """The verdict on one clause for one actor. `not_applicable` is empty, or the reason why the clause was not judged; `text` is
    what the clause says."""

    clause: str
    actor: Actor
    verdict: Verdict
    findings: tuple[Finding, ...] = ()
    not_applicable: str = ""
    text: str = ""

    @property
    def id(self) -> str:
        """The clause and the actor, as reports name them."""
        return f"{self.clause}@{self.actor}"


def judge(trace: Trace, clauses: Iterable[Clause]) -> list[Judgement]:
    """Every clause for every actor it is about, in the order given; not applicable for an actor that is not under test."""
    header = trace.header
    return [
        _by_claims(clause, actor, header.dut, header.pics) or _judge_one(trace, clause, actor, checks)
        for clause in clauses
        for actor, checks in clause.checks.items()
    ]


def judged_unplayed(
    clauses: Iterable[Clause], dut: tuple[Actor, ...], pics: Mapping[str, bool | None],
) -> list[Judgement] | None:
    """A judgement on every clause where DUT and PICS alone decide all of them; None where at least one must be played."""
    decided = [_by_claims(clause, actor, dut, pics) for clause in clauses for actor in clause.checks]
    known = [judgement for judgement in decided if judgement is not None]
    return known if len(known) == len(decided) else None


def merged(judgements: Iterable[Judgement]) -> list[Judgement]:
    """One judgement for each clause and actor: the worst verdict, everything found, not applicable only where it always was."""
    together: dict[str, Judgement] = {}
    for judgement in judgements:
        known = together.get(judgement.id)
        if known is None:
            together[judgement.id] = judgement
        else:
            together[judgement.id] = replace(
                known,
                verdict=max(known.verdict, judgement.verdict),
                findings=known.findings + judgement.findings,
                not_applicable=known.not_applicable and judgement.not_applicable,
            )
    return list(together.values())


def concluded(judgements: Iterable[Judgement]) -> tuple[Verdict, str]:
    """The verdict of a case on its merged judgements, and why; the verdict is none where no clause of it is applicable.

    A case one of whose own clauses stayed at none did not ask what it says, and a case without judgements verified nothing:
    both are inconc, never a pass.
    """
    everything = list(judgements)
    if not everything:
        return Verdict.INCONC, "the case verified nothing"
    asked = [judgement for judgement in everything if not judgement.not_applicable]
    if not asked:
        return Verdict.NONE, "; ".join(dict.fromkeys(f"{each.id}: {each.not_applicable}" for each in everything))
    verdict = worst(judgement.verdict for judgement in asked)
    unasked = [judgement.id for judgement in asked if judgement.verdict is Verdict.NONE]
    if unasked and verdict < Verdict.INCONC:
        return Verdict.INCONC, f"did not ask what it says: nothing in the trace puts the question of {', '.join(unasked)}"
    return verdict, "; ".join(
        f"{judgement.id}: {finding.message}"
        for judgement in asked if judgement.verdict is verdict and verdict > Verdict.PASS
        for finding in judgement.findings if finding.verdict is verdict and not finding.note
    )


def narrowed(clause: Clause, actor: Actor) -> Clause:
    """The clause for one of its actors only. Raises KeyError where it is not about that actor."""
    return replace(clause, checks={actor: clause.checks[actor]})


def _by_claims(clause: Clause, actor: Actor, dut: tuple[Actor, ...], pics: Mapping[str, bool | None]) -> Judgement | None:
    if dut and actor not in dut:
        reason = f"is about the {actor}; under test: {', '.join(dut)}"
        return Judgement(clause.id, actor, Verdict.NONE, not_applicable=reason)
    inside = hidden(clause, actor, dut)
    if inside:
        return Judgement(clause.id, actor, Verdict.NONE, not_applicable=inside)
    if clause.pics is None:
        return None
    claimed = pics.get(clause.pics)
    if claimed is None:
        unset = inconclusive(f"PICS item {clause.pics} is unset", expected="yes or no", observed="unset")
        return Judgement(clause.id, actor, Verdict.INCONC, (unset,), text=clause.text)
    if not claimed:
        return Judgement(clause.id, actor, Verdict.NONE, not_applicable=f"PICS item {clause.pics} is no")
    return None


def _judge_one(trace: Trace, clause: Clause, actor: Actor, checks: tuple[Check, ...]) -> Judgement:
    unseen = [point for point in clause.needs if point not in trace.observed()]
    if unseen:
        reason = f"needs the observation point {', '.join(unseen)}, which this bench does not have"
        return Judgement(clause.id, actor, Verdict.NONE, not_applicable=reason)
    findings: list[Finding] = []
    for check in checks:
        try:
            findings.extend(check(trace))
        except Inconclusive as fault:  # the evidence cannot be read by us: nobody's fail, and no pass
            findings.append(inconclusive(str(fault)))
        except Exception as fault:  # a checker that raises is our fault: an error verdict, never a pass, never the device's
            name = getattr(check, "__name__", repr(check))
            findings.append(Finding(Verdict.ERROR, f"the checker {name} raised {type(fault).__name__}: {fault}"))
    verdict = worst(finding.verdict for finding in findings if not finding.note)
    return Judgement(clause.id, actor, verdict, tuple(findings), text=clause.text)
