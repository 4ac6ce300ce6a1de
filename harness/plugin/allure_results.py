"""Allure results that say what the verdict says: labels, parameters, clauses as steps, links to the evidence. Knows no case.

allure-pytest writes the results; each is completed here just before, so that nothing is recorded while examples run, and
evidence is linked where it lies instead of being stored again.
"""

from __future__ import annotations

from functools import partial
from pathlib import Path

import allure_commons
import pytest
from allure_commons.logger import AllureFileLogger
from allure_commons.model2 import Label, Link, Parameter, Status, StatusDetails, TestResult, TestResultContainer, TestStepResult
from allure_commons.types import LabelType, LinkType
from allure_pytest.listener import AllureListener

from harness.evidence.by_hand import deeds_in
from harness.evidence.results import NOT_APPLICABLE, CaseResult, told
from harness.plugin.closing import EVIDENCE, unwritten
from harness.plugin.collection import is_case
from harness.plugin.options import current_run, is_worker
from harness.plugin.verdicts import LATEST
from harness.plugin.withholding import hidden

FOLDER = "allure-results"
STATUS = {
    "pass": Status.PASSED, "fail": Status.FAILED, "inconc": Status.BROKEN, "error": Status.BROKEN,
    NOT_APPLICABLE: Status.SKIPPED, "none": Status.SKIPPED,
}


class Writer(AllureFileLogger):  # type: ignore[misc]
    """Writes Allure's files; where one cannot be written the run goes on, and ends saying so."""

    def __init__(self, folder: Path, config: pytest.Config) -> None:
        super().__init__(str(folder))
        self.config = config

    def _report_item(self, item: object) -> None:
        try:
            super()._report_item(item)
        except OSError as fault:
            unwritten(self.config, f"{FOLDER}: {fault}")


class Completing:
    """Completes the result of a case as Allure is about to write it."""

    def __init__(self, config: pytest.Config) -> None:
        self.config = config

    @allure_commons.hookimpl(tryfirst=True)  # type: ignore[untyped-decorator]
    def report_result(self, result: TestResult) -> None:
        """Add what the verdict says; a result that is no case's is left as it is."""
        case = self.config.stash.get(LATEST, None)
        if case is None or case.id.rpartition("::")[2] != result.name:
            return
        del self.config.stash[LATEST]
        result.status = STATUS[case.outcome]
        result.statusDetails = None
        if case.outcome != "pass":
            trace = told(case.findings, case.title)
            result.statusDetails = StatusDetails(message=f"{case.outcome}: {case.reason}", trace=trace)
        result.labels += [
            Label(LabelType.FEATURE, f"step {case.step}"), Label("verdict", case.outcome),
            *(Label(kind, clause) for kind in (LabelType.STORY, LabelType.TAG) for clause in case.clauses),
        ]
        result.parameters += [Parameter("seed", str(current_run(self.config).campaign.seed))]
        result.parameters += [Parameter(f"drawn {name}", value, excluded=True) for name, value in case.example.items()]
        result.links += [Link(LinkType.LINK, f"../{path}/", path) for path in case.evidence]
        result.steps += [*_by_hand(case, result, current_run(self.config).folder), *_steps(case, result)]

    @allure_commons.hookimpl(tryfirst=True)  # type: ignore[untyped-decorator]
    def report_container(self, container: TestResultContainer) -> None:
        """Keep confidential keys out of what a fixture raised."""
        for fixture in (*container.befores, *container.afters):
            if fixture.statusDetails is not None:
                for name in ("message", "trace"):
                    setattr(fixture.statusDetails, name, hidden(self.config, getattr(fixture.statusDetails, name) or ""))


def pytest_collection_finish(session: pytest.Session) -> None:
    """Let allure-pytest write into the run folder, once there are cases; `--alluredir` still says otherwise."""
    config = session.config
    run = current_run(config) if any(is_case(item) for item in session.items) else None
    if run is None or run.folder is None or config.getoption("collectonly"):
        return
    writers: list[object] = [Completing(config)]
    if not config.getoption("allure_report_dir", None):
        listener = AllureListener(config)
        try:
            writers += [listener, Writer(run.folder / FOLDER, config)]
        except OSError as fault:  # known before the first case: a campaign without evidence is not worth its hours
            if is_worker(config):
                unwritten(config, f"{run.folder / FOLDER}: {fault}")
                return
            pytest.exit(f"{run.folder}: evidence cannot be written: {fault.strerror}", returncode=EVIDENCE)
        config.pluginmanager.register(listener, "allure_listener")
    for writer in writers:
        allure_commons.plugin_manager.register(writer)
        config.add_cleanup(partial(allure_commons.plugin_manager.unregister, writer))


def _steps(case: CaseResult, result: TestResult) -> list[TestStepResult]:
    """A step for each clause, its findings inside; grouped by the use case's steps where the case judges several of them."""
    groups: dict[str, list[TestStepResult]] = {}
    for clause in case.clauses:
        verdict = str(case.verdict_on(clause))
        reason = case.not_applicable.get(clause)
        told_of = [finding for finding in case.findings if finding["clause"] == clause]
        step = _step(f"{clause}: {'not applicable' if reason else verdict}", verdict, result, reason)
        step.steps = [_step(
            f"{finding['verdict']}: {finding['message']}", finding["verdict"], result, **{
                name: finding[name] for name in ("expected", "observed") if finding[name]
            }, **({"exchanges": " ".join(map(str, finding["evidence"]))} if finding["evidence"] else {}),
        ) for finding in told_of]
        groups.setdefault(clause.split("-")[1], []).append(step)
    if len(groups) == 1:
        return next(iter(groups.values()))
    outer = []
    for number, steps in groups.items():
        group = _step(f"step {number}", "none", result)
        group.status, group.steps = _worst(steps), steps
        outer.append(group)
    return outer


def _by_hand(case: CaseResult, result: TestResult, run: Path | None) -> list[TestStepResult]:
    """A step for each prompt to a person and each command in the case's evidence, with what came of it."""
    deeds = [deed for path in case.evidence for deed in deeds_in(run / path)] if run is not None else []
    return [_step(
        f"by hand: {deed.what}: {deed.outcome}", "pass" if deed.well else "inconc", result,
        **{name: value for name, value in (
            ("how", deed.how), ("took", deed.time), ("at", f"{deed.at:.3f} s"), ("UTC", deed.when), ("output", deed.output),
        ) if value},
    ) for deed in deeds]


def _step(name: str, verdict: str, result: TestResult, reason: str | None = None, **parameters: str) -> TestStepResult:
    return TestStepResult(
        name=name, status=STATUS[verdict], statusDetails=StatusDetails(message=reason) if reason else None,
        start=result.start, stop=result.stop, parameters=[Parameter(label, value) for label, value in parameters.items()],
    )


def _worst(steps: list[TestStepResult]) -> str:
    order = (Status.SKIPPED, Status.PASSED, Status.BROKEN, Status.FAILED)
    worst: str = max((step.status for step in steps), key=order.index)
    return worst
