"""One case on one device: what its fixtures give it, what its `verify` finds, and the verdict that follows.

The same class serves pytest and the proof of defects (`run_case`), which plants a defect and needs no pytest session. Nothing
here knows what a bench does, how a trace is encoded, or where evidence is kept.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any

from hypothesis import currently_in_test_context

from harness.declarations import Device
from harness.errors import HanproofError, Inconclusive, NonConformance, Unsupported
from harness.evidence.results import found, told
from harness.judge import Judgement, concluded, judge, judged_unplayed, merged
from harness.plugin.campaign import Bench, Campaign, close, seed_of, sound_out
from harness.plugin.examples import KILLING, prepare, watched
from harness.trace import Trace
from harness.usecase import Clause
from harness.verdict import Finding, Verdict, worst

FIXTURES = ("provisioned", "bench", "benches", "verify", "device")


@dataclass(frozen=True)
class Verified:
    """A trace as it was when it was judged, with the judgements, or with what broke the case off before it could ask.

    `example` is what Hypothesis drew for it, by argument.
    """

    scenario: str
    trace: Trace | None
    judgements: tuple[Judgement, ...] = ()
    broken: Finding | None = None
    example: Mapping[str, str] = field(default_factory=dict, hash=False)


@dataclass(frozen=True)
class Conclusion:
    """What came of a case. `reason` says why it is no pass, or why nothing was applicable (the verdict is then none)."""

    verdict: Verdict
    reason: str = ""
    judgements: tuple[Judgement, ...] = ()
    evidence: tuple[Verified, ...] = ()


class CaseRun:
    """One run of one case function on one device."""

    def __init__(self, name: str, clauses: Sequence[Clause], campaign: Campaign, device: Device, defect: Any = None) -> None:
        self.name = name
        self.clauses = tuple(clauses)
        self.device = device
        self._campaign = campaign
        self._defect = defect
        self._open: list[Bench] = []
        self._latest: Trace | None = None  # the trace handed out last: the evidence when the case breaks off
        self._verified: list[Verified] = []
        self._example: dict[str, str] = {}

    def decided_unplayed(self) -> Conclusion | None:
        """The conclusion where DUT and PICS leave no clause to ask, so that nothing needs to be played; else None."""
        claims = self._campaign.bench.claims(self.device)
        judgements = judged_unplayed(self.clauses, self._campaign.bench.dut, claims)
        return None if judgements is None else Conclusion(*concluded(judgements), tuple(judgements))

    @property
    def provisioned(self) -> Trace:
        """The undisturbed provisioning of this device. Raises what ended it early, if anything did."""
        recording = self._campaign.provisioned(self.device, self._defect)
        self._latest = recording.trace
        if recording.fault is not None or recording.trace is None:
            raise recording.fault or Inconclusive("the undisturbed provisioning left no trace")
        return recording.trace

    def benches(self, **changes: Any) -> Bench:
        """A fresh bench; what the case asks for is the bench's to understand."""
        suffix = f"-bench{len(self._open) + 1}" if self._open else ""
        bench = self._campaign.fresh(self.device, f"{self.name}-{self.device.name}{suffix}", self._defect, **changes)
        self._open.append(bench)
        self._latest = bench.trace
        return bench

    def verify(self, trace: Trace) -> None:
        """Judge the case's clauses on the trace. Raises NonConformance on a fail; any other verdict waits for the end."""
        __tracebackhide__ = True
        for bench in self._open:
            if bench.trace is trace:  # a case of its own ends with a sanity exchange, so that nobody passes who is no longer there
                sound_out(bench)
        judgements = tuple(judge(trace, self.clauses))
        self._add(trace, judgements)
        if worst(judgement.verdict for judgement in judgements) is Verdict.FAIL:
            raise NonConformance(told(found(judgements, trace.header.scenario)))

    def fixture(self, name: str) -> Any:
        """What a case gets for an argument of that name. Raises LookupError for one that is not among `FIXTURES`."""
        if name not in FIXTURES:
            raise LookupError(f"a case has no fixture {name!r}; there are {', '.join(FIXTURES)}")
        return self.benches() if name == "bench" else getattr(self, name)

    @contextmanager
    def example(self, drawn: Mapping[str, Any]) -> Iterator[None]:
        """One example of Hypothesis: an inconclusive end is recorded, or it would be shrunk as if it were a failure."""
        self.close()
        shown = {name: repr(value) for name, value in drawn.items()}
        self._example = {name: text for name, text in shown.items() if " at 0x" not in text}  # an address says nothing
        try:
            yield
        except Inconclusive as fault:
            self._add(self._latest, broken=_blamed(fault))

    def close(self) -> None:
        """Close every bench the case opened. Raises what the last of them raises."""
        while self._open:
            close(self._open.pop())

    def conclude(self, fault: BaseException | None = None) -> Conclusion:
        """The verdict, once the case has ended, by `fault` if it did not return. What the bench cannot do asks nobody anything."""
        failed = any(judgement.verdict is Verdict.FAIL for verified in self._verified for judgement in verified.judgements)
        if isinstance(fault, Unsupported) and not self._verified:
            return self._unasked(str(fault))
        if fault is not None and not (failed and isinstance(fault, NonConformance)):
            self._add(self._latest, broken=_blamed(fault))
        judgements = merged(judgement for verified in self._verified for judgement in verified.judgements)
        verdict, reason = concluded(judgements)
        for verified in self._verified:
            if verified.broken is not None and verified.broken.verdict >= verdict:
                verdict, reason = verified.broken.verdict, verified.broken.message
        return Conclusion(verdict, reason, tuple(judgements), tuple(_named_apart(self._verified)))

    def _unasked(self, reason: str) -> Conclusion:
        judgements = tuple(
            Judgement(clause.id, actor, Verdict.NONE, not_applicable=reason, text=clause.text)
            for clause in self.clauses for actor in clause.checks
        )
        self._add(self._latest)  # evidence, and nothing to judge by it
        return Conclusion(*concluded(judgements), judgements, tuple(self._verified))

    def _add(self, trace: Trace | None, judgements: tuple[Judgement, ...] = (), broken: Finding | None = None) -> None:
        scenario = (trace.header.scenario if trace is not None else "") or f"{self.name}-{self.device.name}"
        self._verified.append(Verified(scenario, _as_it_is(trace), judgements, broken, self._example))
        if currently_in_test_context():
            self._verified = deciding(self._verified)


def run_case(
    function: Callable[..., Any], campaign: Campaign, device: Device, defect: Any = None,
    clauses: Sequence[Clause] | None = None, examples: int = 3,
) -> Conclusion:
    """Run a case function as pytest would, with a defect planted, and judge it by `clauses` (default: the case's own)."""
    asked = clauses if clauses is not None else clauses_of(function)
    run = CaseRun(case_name(function), asked, campaign, device, defect)
    prepare(function, examples, seed_of(campaign.seed, run.name), KILLING)
    fault: Exception | None = None
    try:
        with watched(function, run.example, until_failed=True):
            function(**{name: run.fixture(name) for name in inspect.signature(function).parameters})
        run.close()
    except Exception as raised:  # whatever it is, the conclusion says whose fault it was
        fault = raised
    return run.conclude(fault)


def broken_off(fault: BaseException) -> Conclusion:
    """The conclusion of a case that an exception ended before it could be set up."""
    broken = _blamed(fault)
    return Conclusion(broken.verdict, broken.message, evidence=(Verified("", None, broken=broken),))


def case_name(function: Callable[..., Any]) -> str:
    """The case's name as its evidence carries it: module and function, without what every test is called."""
    return f"{function.__module__.rpartition('.')[2]}-{function.__name__.removeprefix('test_')}"


def clauses_of(function: Callable[..., Any]) -> tuple[Clause, ...]:
    """The clauses a case function is marked with."""
    marks = getattr(function, "pytestmark", [])
    return tuple(clause for mark in marks if mark.name == "clause" for clause in mark.args)


def deciding(verified: Sequence[Verified]) -> list[Verified]:
    """Of many examples the few that decide: for every clause and actor the last one with its worst verdict."""
    kept: dict[str, tuple[int, Verified]] = {}
    for each in verified:
        weights = {judgement.id: -1 if judgement.not_applicable else int(judgement.verdict) for judgement in each.judgements}
        if each.broken is not None:
            weights[""] = int(each.broken.verdict)
        for identity, weight in weights.items():
            if identity not in kept or weight >= kept[identity][0]:
                kept[identity] = (weight, each)
    chosen = {id(each) for _, each in kept.values()}
    return [each for each in verified if id(each) in chosen]


def _as_it_is(trace: Trace | None) -> Trace | None:
    """The trace as it stands now: what it grows by later is not what was judged."""
    if trace is None:
        return None
    seen = Trace(trace.header)
    seen.leg_codec = trace.leg_codec
    seen.exchanges, seen.attestations, seen.keys = list(trace.exchanges), list(trace.attestations), list(trace.keys)
    return seen


def _named_apart(verified: Iterable[Verified]) -> Iterator[Verified]:
    """The same with a scenario name of its own for each trace; a trace judged twice as it was keeps one name."""
    known: dict[str, list[Trace | None]] = {}
    for each in verified:
        traces = known.setdefault(each.scenario, [])
        place = next((index for index, trace in enumerate(traces) if _same(trace, each.trace)), len(traces))
        if place == len(traces):
            traces.append(each.trace)
        yield replace(each, scenario=f"{each.scenario}-{place + 1}") if place else each


def _same(one: Trace | None, other: Trace | None) -> bool:
    if one is None or other is None:
        return one is other
    return one.exchanges == other.exchanges and one.attestations == other.attestations and one.keys == other.keys


def _blamed(fault: BaseException) -> Finding:
    """What an exception that ends a case is worth: only the device can fail, only the harness and its bench can err."""
    if isinstance(fault, NonConformance):
        return Finding(Verdict.FAIL, str(fault))
    if isinstance(fault, Inconclusive):
        return Finding(Verdict.INCONC, str(fault))
    if isinstance(fault, HanproofError):
        return Finding(Verdict.ERROR, str(fault))
    return Finding(Verdict.ERROR, f"{type(fault).__name__}: {fault}")
