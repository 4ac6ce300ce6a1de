"""A finished run judged again from its disk: the same clauses on the traces it left, compared with the verdicts it gave.

No case is executed. What broke a case off is taken from its record; everything else is found anew.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from harness.declarations import Device
from harness.errors import InputError
from harness.evidence.results import CaseResult, Results, found
from harness.evidence.scenario import WITHHELD, read_scenario
from harness.judge import Judgement, concluded, judge, merged
from harness.trace import LEG_CODEC, OWN_LEG_CODEC, Trace
from harness.usecase import Clause
from harness.verdict import Verdict, worst


@dataclass(frozen=True)
class Rejudged:
    """A case as it was recorded and as it is judged now. `lacking` says in words what it had to be judged without."""

    recorded: CaseResult
    now: CaseResult
    lacking: str = ""

    @property
    def same(self) -> bool:
        """Whether verdict and findings are what they were."""
        return self.recorded.verdict is self.now.verdict and self.recorded.findings == self.now.findings

    def differences(self) -> Iterator[str]:
        """What is not as it was, a line each."""
        if self.recorded.verdict is not self.now.verdict:
            yield f"verdict was {self.recorded.outcome}, is {self.now.outcome}"
        for finding in self.recorded.findings:
            if finding not in self.now.findings:
                yield f"no longer found: {_line(finding)}"
        for finding in self.now.findings:
            if finding not in self.recorded.findings:
                yield f"newly found: {_line(finding)}"


def rejudge(
    run: Path, results: Results, clause: Callable[[str], Clause], devices: Mapping[str, Device] | None = None,
    leg_codecs: Mapping[str, Any] | None = None,
) -> Iterator[Rejudged]:
    """Every case of a run in its order. `clause` finds a clause by `id@actor`; `devices` (by name) bring withheld keys back,
    `leg_codecs` (by name) read legs that speak somebody else's codec.

    Raises InputError for evidence that is missing or unreadable, and LookupError for a clause that is not in the table.
    """
    traces: dict[str, Trace] = {}
    last_use = {path: place for place, case in enumerate(results.cases) for path in case.evidence}
    for place, case in enumerate(results.cases):
        for path in case.evidence:
            if path not in traces:
                folder = run / path
                if not folder.resolve().is_relative_to(run.resolve()):
                    raise InputError(f"{run}: evidence {path!r} of {case.id} lies outside the run")
                traces[path] = read_scenario(folder, (devices or {}).get(case.device), leg_codecs)
        yield _case(case, traces, [clause(each) for each in case.clauses], case.device in (devices or {}))
        for path in case.evidence:
            if last_use[path] == place:
                del traces[path]


def _case(case: CaseResult, traces: Mapping[str, Trace], clauses: list[Clause], given: bool) -> Rejudged:
    judged = [path for path in case.evidence if path not in case.unjudged]
    if not judged:
        return Rejudged(case, replace(case, verdict=_without_evidence(case)))
    judgements: list[Judgement] = []
    findings: list[Mapping[str, Any]] = []
    for path in judged:
        on_this = judge(traces[path], clauses)
        judgements += on_this
        findings += found(on_this, path.rpartition("/")[2])
    broken = [finding for finding in case.findings if not finding["clause"]]
    verdict, reason = concluded(merged(judgements))
    for finding in broken:
        if Verdict.parse(finding["verdict"]) >= verdict:
            verdict, reason = Verdict.parse(finding["verdict"]), finding["message"]
    lacking = next(filter(None, (_lacking(case, traces[path], given) for path in judged)), "")
    now = replace(case, verdict=verdict, reason=reason, findings=tuple(_in_order(case.findings, [*findings, *broken])))
    return Rejudged(case, now, lacking)


def _lacking(case: CaseResult, trace: Trace, given: bool) -> str:
    if not given and WITHHELD in trace.header.about:
        return f"the key of {case.device} was withheld; give --device-file"
    codec = trace.header.about.get(LEG_CODEC, OWN_LEG_CODEC)
    at_hand = codec == OWN_LEG_CODEC or trace.leg_codec is not None
    return "" if at_hand else f"the legs speak the codec {codec!r}; give it by --leg-codec"


def _without_evidence(case: CaseResult) -> Verdict:
    """The verdict of a case that judged no trace: what broke it off or kept it from being played; never a pass."""
    if case.findings:
        return worst(Verdict.parse(finding["verdict"]) for finding in case.findings)
    return Verdict.NONE if case.verdict is Verdict.NONE else Verdict.INCONC


def _in_order(recorded: Iterable[Mapping[str, Any]], findings: list[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """The findings in the recorded order, for broken-off ends stand between those of traces; new ones last."""
    left = list(findings)
    ordered = []
    for finding in recorded:
        if finding in left:
            left.remove(finding)
            ordered.append(finding)
    return [*ordered, *left]


def _line(finding: Mapping[str, Any]) -> str:
    return f"{finding['clause']} {finding['verdict']}: {finding['message']} ({finding['scenario']})"
