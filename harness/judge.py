"""Judging: run the checks of clauses on a trace. Knows clauses and traces as values; nothing of cases, benches or encodings."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from harness.trace import Trace
from harness.usecase import Actor, Check, Clause
from harness.verdict import Finding, Verdict, worst


@dataclass(frozen=True)
class Judgement:
    """The verdict on one clause for one actor. `not_applicable` is empty, or the reason why the clause was not judged."""

    clause: str
    actor: Actor
    verdict: Verdict
    findings: tuple[Finding, ...] = ()
    not_applicable: str = ""

    @property
    def id(self) -> str:
        """The clause and the actor, as reports name them."""
        return f"{self.clause}@{self.actor}"


def judge(trace: Trace, clauses: Iterable[Clause]) -> list[Judgement]:
    """Every clause for every actor it is about (and that is under test), in the order given."""
    return [
        _judge_one(trace, clause, actor, checks)
        for clause in clauses
        for actor, checks in clause.checks.items()
        if not trace.header.dut or actor in trace.header.dut
    ]


def _judge_one(trace: Trace, clause: Clause, actor: Actor, checks: tuple[Check, ...]) -> Judgement:
    unseen = [point for point in clause.needs if point not in trace.observed()]
    if unseen:
        reason = f"needs the observation point {', '.join(unseen)}, which this bench does not have"
        return Judgement(clause.id, actor, Verdict.NONE, not_applicable=reason)
    if clause.pics is not None:
        claimed = trace.header.pics.get(clause.pics)
        if claimed is None:
            unset = Finding(Verdict.INCONC, f"PICS item {clause.pics} is unset", expected="yes or no", observed="unset")
            return Judgement(clause.id, actor, Verdict.INCONC, (unset,))
        if not claimed:
            return Judgement(clause.id, actor, Verdict.NONE, not_applicable=f"PICS item {clause.pics} is no")
    findings: list[Finding] = []
    for check in checks:
        try:
            findings.extend(check(trace))
        except Exception as fault:  # a checker that raises is our fault: an error verdict, never a pass, never the device's
            findings.append(Finding(Verdict.ERROR, f"the checker {check.__name__} raised {type(fault).__name__}: {fault}"))
    return Judgement(clause.id, actor, worst(finding.verdict for finding in findings if not finding.note), tuple(findings))
