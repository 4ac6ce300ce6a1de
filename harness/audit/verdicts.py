"""Judging the joins of a capture by the clauses of steps 5 to 9, as values and as JSON. Knows clauses as values, and no output.

Beside a run's judging: what this capture cannot show is inconclusive, where a bench would call it not applicable; and of a clause whose
question nothing puts no verdict is given, but it is listed.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from harness.audit.intake import Intake
from harness.audit.joins import Join
from harness.audit.known import NOTHING, Known
from harness.audit.traces import PACKET, Traces
from harness.checkers.capture_health import Gap
from harness.judge import Judgement, judge
from harness.trace import MISSING
from harness.usecase import Clause
from harness.values import Eui64
from harness.verdict import Finding, Verdict, inconclusive, worst

SCHEMA = "hanproof.audit/1"
STEPS = range(5, 10)


@dataclass(frozen=True)
class Audited:
    """One join with its judgements by step, and nothing more of its frames than the packets of `numbers`, by exchange.

    `packets` are the first and the last of the file that are the device's; `missing` are the gaps, the longest first; `claimant` is
    the name of who the device is said to be, empty where nothing is said of it.
    """

    device: str
    network: Mapping[str, Any]
    begins: bool
    packets: tuple[int, int]
    steps: Mapping[int, tuple[Judgement, ...]]
    missing: tuple[Gap, ...]
    numbers: Mapping[int, int]
    claimant: str = ""

    @property
    def judgements(self) -> list[Judgement]:
        """Those of all steps, in the order of the clause table."""
        return [judgement for step in STEPS for judgement in self.steps[step]]

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
        return [each.id for each in self.steps[step] if each.verdict is Verdict.NONE and not each.not_applicable]

    def not_applicable(self, step: int) -> list[dict[str, str]]:
        """The clauses about what the device does not claim."""
        return [{"clause": each.id, "reason": each.not_applicable} for each in self.steps[step] if each.not_applicable]

    def packet(self, number: int) -> int:
        """The packet of the file that an exchange came in, of those that a finding rests on."""
        return self.numbers[number]


def audit(intake: Intake, clauses: Iterable[Clause], known: Known = NOTHING) -> list[Audited]:
    """Every join of a capture, in the order of their first packets, judged by the clauses of steps 5 to 9."""
    intake.end()
    traces = Traces(intake, known)
    return in_order(judged(traces, join, clauses) for join in traces.sorting.joins)


def in_order(joins: Iterable[Audited]) -> list[Audited]:
    """Joins as every report has them: by their first packets."""
    return sorted(joins, key=lambda join: (join.packets, join.device))


def judged(traces: Traces, join: Join, clauses: Iterable[Clause]) -> Audited:
    """One join, judged."""
    trace, network = traces.trace(join), traces.sorting.networks[join.network]
    asked = [clause for clause in clauses if clause.step.isdecimal() and int(clause.step) in STEPS]
    unclaimed = {clause.id for clause in asked if clause.pics is not None and trace.header.pics.get(clause.pics) is False}
    judgements = [each if each.clause in unclaimed else _decided(each) for each in judge(trace, asked)]
    own = [traces.intake.taken[place].packet for place in (*join.scan, *join.frames)]
    told = {
        "medium": network.address[0], "pan": f"{network.address[1]:04x}",
        "extended_pan": None if network.extended is None else str(network.extended),
        "coordinator": None if network.coordinator is None else str(network.coordinator),
    }
    evidence = {number for judgement in judgements for finding in judgement.findings for number in finding.evidence}
    claimant = traces.known.claimants.get(join.device)
    return Audited(
        str(join.device), told, join.begins, (min(own), max(own)),
        {step: tuple(each for each in judgements if int(each.clause.split("-")[1]) == step) for step in STEPS},
        tuple(sorted((Gap(*each) for each in trace.header.about[MISSING]), key=lambda gap: gap.start - gap.end)),
        {number: int(trace[number].about[PACKET]) for number in sorted(evidence)}, "" if claimant is None else claimant.name,
    )


def _decided(judgement: Judgement) -> Judgement:
    """What the bench of a run would not see is not applicable there; a capture only does not show it."""
    if not judgement.not_applicable:
        return judgement
    reason: Finding = inconclusive(f"a capture of the air does not show it: {judgement.not_applicable}")
    return replace(judgement, verdict=Verdict.INCONC, findings=(reason,), not_applicable="")


def overall(joins: Iterable[Audited]) -> Verdict:
    """The worst verdict of all joins."""
    return worst(join.verdict(step) for join in joins for step in STEPS)


def without_join(known: Known, joins: Iterable[Audited]) -> list[Eui64]:
    """The devices that somebody answers for and that no capture shows joining."""
    met = {join.device for join in joins}
    return [device for device in known.claimants if str(device) not in met]


def as_json(intake: Intake, joins: Sequence[Audited], known: Known = NOTHING) -> dict[str, Any]:
    """The audit as `docs/audit.md` describes it."""
    return {
        "schema": SCHEMA,
        "verdict": str(overall(joins)),
        "health": {**health(intake), "without_join": [str(device) for device in without_join(known, joins)]},
        "joins": [join_as_json(join) for join in joins],
    }


def join_as_json(join: Audited) -> dict[str, Any]:
    """One join as the audit holds it."""
    return {
        "device": join.device, "network": dict(join.network), "claimant": join.claimant or None, "begins": join.begins,
        "packets": list(join.packets),
        "steps": {
            str(step): {
                "verdict": str(join.verdict(step)), "findings": join.findings(step), "unasked": join.unasked(step),
                "not_applicable": join.not_applicable(step),
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
        "keys": {"given": len(intake.keys), "opened_nothing": len(intake.useless)},
    }


def _finite(seconds: float) -> float | None:
    return seconds if abs(seconds) != float("inf") else None
