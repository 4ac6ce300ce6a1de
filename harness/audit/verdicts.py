"""Judging the joins of a capture by the clauses of steps 5 to 9, as values and as JSON. Knows clauses as values, and no output.

Beside a run's judging: what this capture cannot show is inconclusive, where a bench would call it not applicable; and of a clause whose
question nothing puts no verdict is given, but it is listed.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from harness.audit.intake import Intake
from harness.audit.joins import Join
from harness.audit.traces import PACKET, Traces
from harness.checkers.capture_health import Gap
from harness.judge import Judgement, judge
from harness.trace import MISSING, Trace
from harness.usecase import Clause
from harness.verdict import Finding, Verdict, inconclusive, worst

SCHEMA = "hanproof.audit/1"
STEPS = range(5, 10)


@dataclass(frozen=True)
class Audited:
    """One join with its judgements by step. `packets` are the first and the last of the file that are the device's."""

    device: str
    network: Mapping[str, Any]
    begins: bool
    packets: tuple[int, int]
    steps: Mapping[int, tuple[Judgement, ...]]
    trace: Trace

    def verdict(self, step: int) -> Verdict:
        """The worst verdict of a step; none where nothing put a question of it."""
        return worst(each.verdict for each in self.steps[step])

    def findings(self, step: int) -> list[dict[str, Any]]:
        """What was found, worst first; `packets` in the place of exchanges."""
        found = [
            {"clause": judgement.id, **finding.as_dict()} | {"packets": [self.packet(number) for number in finding.evidence]}
            for judgement in sorted(self.steps[step], key=lambda each: -each.verdict) for finding in judgement.findings
        ]
        return [{name: value for name, value in each.items() if name != "evidence"} for each in found]

    def unasked(self, step: int) -> list[str]:
        """The clauses whose question nothing in the capture puts."""
        return [each.id for each in self.steps[step] if each.verdict is Verdict.NONE]

    @property
    def missing(self) -> list[Gap]:
        """What is missing from its evidence, the longest first."""
        found = (Gap(*each) for each in self.trace.header.about[MISSING])
        return sorted(found, key=lambda gap: gap.start - gap.end)

    def packet(self, number: int) -> int:
        """The packet of the file that an exchange came in."""
        return int(self.trace[number].about[PACKET])


def audit(intake: Intake, clauses: Iterable[Clause], authority: Mapping[str, str] | None = None) -> list[Audited]:
    """Every join of a capture, in the order of their first frames, judged by the clauses of steps 5 to 9."""
    traces = Traces(intake, authority)
    return [judged(traces, join, clauses) for join in traces.sorting.joins]


def judged(traces: Traces, join: Join, clauses: Iterable[Clause]) -> Audited:
    """One join, judged."""
    trace, network = traces.trace(join), traces.sorting.networks[join.network]
    asked = [clause for clause in clauses if clause.step.isdecimal() and int(clause.step) in STEPS]
    judgements = [_decided(each) for each in judge(trace, asked)]
    own = [traces.intake.taken[place].packet for place in (*join.scan, *join.frames)]
    told = {
        "medium": network.address[0], "pan": f"{network.address[1]:04x}",
        "extended_pan": None if network.extended is None else str(network.extended),
        "coordinator": None if network.coordinator is None else str(network.coordinator),
    }
    steps = {step: tuple(each for each in judgements if int(each.clause.split("-")[1]) == step) for step in STEPS}
    return Audited(str(join.device), told, join.begins, (min(own), max(own)), steps, trace)


def _decided(judgement: Judgement) -> Judgement:
    """Not applicable means that the device does not have it; a capture only does not show it."""
    if not judgement.not_applicable:
        return judgement
    reason: Finding = inconclusive(f"a capture of the air does not show it: {judgement.not_applicable}")
    return replace(judgement, verdict=Verdict.INCONC, findings=(reason,), not_applicable="")


def overall(joins: Iterable[Audited]) -> Verdict:
    """The worst verdict of all joins."""
    return worst(join.verdict(step) for join in joins for step in STEPS)


def as_json(intake: Intake, joins: Iterable[Audited]) -> dict[str, Any]:
    """The audit as `docs/audit.md` describes it."""
    return {
        "schema": SCHEMA,
        "health": health(intake),
        "joins": [join_as_json(join) for join in joins],
    }


def join_as_json(join: Audited) -> dict[str, Any]:
    """One join as the audit holds it."""
    return {
        "device": join.device, "network": dict(join.network), "begins": join.begins, "packets": list(join.packets),
        "steps": {
            str(step): {
                "verdict": str(join.verdict(step)), "findings": join.findings(step), "unasked": join.unasked(step),
            } for step in STEPS
        },
        "missing": [
            {"start": _finite(gap.start), "end": _finite(gap.end), "cause": gap.cause} for gap in join.missing
        ],
    }


def health(intake: Intake) -> dict[str, Any]:
    """What can be said of the capture as a whole: what was counted, from when to when which medium was heard, where it broke off."""
    return {
        "start": intake.epoch, "duration": round(intake.duration, 6), "ended": intake.ended or None,
        "counts": {name: count for name, count in intake.counts.items() if count},
        "media": {medium: {"first": first, "last": last} for medium, (first, last) in intake.media().items()},
        "flaws": [flaw.cause for flaw in intake.missing()],
    }


def _finite(seconds: float) -> float | None:
    return seconds if abs(seconds) != float("inf") else None
