"""From what happened to a case to its verdict, its outcome in pytest, and its result on the report. Knows no clause's meaning.

fail shows as failed (NonConformance is an AssertionError), inconc and error as broken, not applicable as skipped. The result
travels on pytest's report of the teardown, so that a run on several xdist workers gives the same files as a run on one.
"""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import replace
from typing import Any

import pytest

from harness.errors import Inconclusive, JudgingError, NonConformance, Unsupported
from harness.evidence.results import CaseResult, clause_ids, found, told
from harness.evidence.scenario import write_scenario
from harness.plugin.campaign import seed_of
from harness.plugin.case import Conclusion, Verified, broken_off
from harness.plugin.collection import PLACE, clauses_of, device_of, is_case, step_of, title_of
from harness.plugin.examples import prepare, watched
from harness.plugin.fixtures import CASE, DECIDED
from harness.plugin.options import current_run
from harness.plugin.withholding import hidden
from harness.verdict import Verdict

RESULT = "hanproof.case"  # the user property that carries a case's result
UNWRITTEN = "hanproof.unwritten"  # the user property that says why evidence could not be written
DURATION = pytest.StashKey[float]()
LATEST = pytest.StashKey[CaseResult]()


@pytest.hookimpl(wrapper=True)
def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> Generator[None, Any, Any]:
    """Call the case, conclude, and raise what makes pytest show the verdict."""
    if not is_case(pyfuncitem):
        return (yield)
    run = pyfuncitem.stash.get(CASE, None)
    if run is None:
        yield
        raise Inconclusive("the case verified nothing: it asks for no `verify`")
    campaign_run = current_run(pyfuncitem.config)
    prepare(pyfuncitem.obj, campaign_run.examples, seed_of(campaign_run.campaign.seed, run.name))
    fault: Exception | None = None
    try:
        with watched(pyfuncitem.obj, run.example):
            yield
    except Exception as raised:
        fault = raised
    conclusion = run.conclude(fault)
    pyfuncitem.stash[DECIDED] = conclusion
    if fault is not None and not isinstance(fault, NonConformance | Inconclusive | Unsupported):
        raise fault
    _show(conclusion)
    return True


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None],
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Put the verdict on every report of a case, and its whole result on the last."""
    report = yield
    if not is_case(item):
        return report
    if call.excinfo is not None:
        _take(item, call.excinfo.value, ended=call.when != "call")
        if isinstance(call.excinfo.value, NonConformance | Inconclusive | JudgingError):
            report.longrepr = hidden(item.config, str(call.excinfo.value))
    conclusion = item.stash.get(DECIDED, None)
    item.stash[DURATION] = item.stash.get(DURATION, 0.0) + call.duration
    if conclusion is not None:
        report.verdict = str(conclusion.verdict)  # type: ignore[attr-defined]
    if call.when == "teardown":
        conclusion = _covered(item, conclusion or broken_off(JudgingError("the case ended without a conclusion")))
        evidence: tuple[str, ...] = ()
        try:
            evidence = _written(item, conclusion)
        except OSError as fault:
            report.user_properties.append((UNWRITTEN, f"{item.nodeid}: {fault}"))
        result = _result(item, conclusion, evidence)
        item.config.stash[LATEST] = result
        carried = {**result.as_dict(), "place": result.place, "duration": result.duration}
        report.user_properties.append((RESULT, carried))
    return report


def _show(conclusion: Conclusion) -> None:
    """Raise what pytest shows as this verdict; a pass raises nothing."""
    text = told(_findings(conclusion)) or conclusion.reason
    if conclusion.verdict is Verdict.FAIL:
        raise NonConformance(text)
    if conclusion.verdict is Verdict.INCONC:
        raise Inconclusive(text)
    if conclusion.verdict is Verdict.ERROR:
        raise JudgingError(text)
    if conclusion.verdict is Verdict.NONE:
        pytest.skip(conclusion.reason)


def _take(item: pytest.Item, fault: BaseException, ended: bool) -> None:
    """Let an exception outside the case's own call, or a skip in it, have its part in the conclusion."""
    decided = item.stash.get(DECIDED, None)
    if isinstance(fault, pytest.skip.Exception):
        if decided is None:
            item.stash[DECIDED] = Conclusion(Verdict.NONE, fault.msg or "skipped")
    elif CASE not in item.stash:
        item.stash[DECIDED] = broken_off(fault)
    elif ended and (decided is None or decided.evidence):
        item.stash[DECIDED] = item.stash[CASE].conclude(fault)


def _findings(conclusion: Conclusion) -> list[dict[str, Any]]:
    """Every finding with the scenario it was made on; on a trace that was judged twice as it was, once."""
    if not conclusion.evidence:
        return found(conclusion.judgements, "")
    findings: list[dict[str, Any]] = []
    told_of: set[str] = set()
    for verified in conclusion.evidence:
        if verified.scenario not in told_of:
            findings += found(verified.judgements, verified.scenario)
        if verified.judgements:
            told_of.add(verified.scenario)
        if verified.broken is not None:
            findings.append({"clause": "", "scenario": verified.scenario, **verified.broken.as_dict()})
    return findings


def _result(item: pytest.Item, conclusion: Conclusion, evidence: tuple[str, ...]) -> CaseResult:
    decisive = max(conclusion.evidence, key=_weight, default=None)
    return CaseResult(
        id=item.nodeid, title=title_of(item), step=step_of(item), device=device_of(item),
        clauses=clause_ids(clauses_of(item)),
        verdict=conclusion.verdict, reason=conclusion.reason, findings=tuple(_findings(conclusion)),
        evidence=evidence,
        not_applicable={each.id: each.not_applicable for each in conclusion.judgements if each.not_applicable},
        unjudged=tuple(
            path for path in evidence
            if not any(verified.judgements for verified in conclusion.evidence if path.endswith(f"/{verified.scenario}"))
        ),
        example=dict(decisive.example) if decisive is not None else {},
        place=item.stash.get(PLACE, 0), duration=item.stash.get(DURATION, 0.0),
    )


def _covered(item: pytest.Item, conclusion: Conclusion) -> Conclusion:
    """The same without confidential keys in what an exception said: who raised it may not have minded."""
    evidence = tuple(
        replace(each, broken=replace(each.broken, message=hidden(item.config, each.broken.message))) if each.broken else each
        for each in conclusion.evidence
    )
    return replace(conclusion, reason=hidden(item.config, conclusion.reason), evidence=evidence)


def _weight(verified: Verified) -> int:
    worst_of = [int(judgement.verdict) for judgement in verified.judgements]
    return max([*worst_of, int(verified.broken.verdict) if verified.broken is not None else 0])


def _written(item: pytest.Item, conclusion: Conclusion) -> tuple[str, ...]:
    """Write the evidence of every trace that decided, unless the run keeps none; returns its folders. Raises OSError."""
    run = current_run(item.config)
    if run.folder is None or CASE not in item.stash:
        return ()
    secrets = run.secrets(item.stash[CASE].device)
    return tuple(dict.fromkeys(
        write_scenario(run.folder, verified.scenario, verified.trace, secrets)
        for verified in conclusion.evidence if verified.trace is not None
    ))
