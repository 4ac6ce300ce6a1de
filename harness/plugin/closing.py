"""The end of a run: results gathered from reports, the run folder closed, one exit code. Knows no case and no bench.

Exit codes: pytest's own 0 to 5 keep their meaning, 6 is no fail but an inconc, 7 an error verdict, 8 evidence that could not be
written. The worst wins.
"""

from __future__ import annotations

import os
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

import pytest

from harness.clock import wall_seconds, wall_utc
from harness.evidence.results import NOT_APPLICABLE, CaseResult, Results
from harness.evidence.run_folder import close_run, versions
from harness.plugin.options import Run, current_run, is_worker, run_folder
from harness.plugin.verdicts import RESULT, UNWRITTEN

PASSED, FAILED, INTERRUPTED, INTERNAL, USAGE, NOTHING, INCONCLUSIVE, ERROR, EVIDENCE = range(9)
ANSWERS = {True: "yes", False: "no", None: "unset"}
SEVERITY = (INTERNAL, INTERRUPTED, USAGE, EVIDENCE, ERROR, FAILED, INCONCLUSIVE, NOTHING, PASSED)  # the worst first


class Ledger:
    """Everything the reports of a run say; one for each session, in the process that shows the results."""

    def __init__(self, config: pytest.Config) -> None:
        self.config = config
        self.cases: dict[str, CaseResult] = {}
        self.unwritten: list[str] = []
        self.others_failed = False  # a test that is no case, or a module that could not be collected
        self.lost_worker = False
        self.results: Results | None = None

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Take a case's result off its last report."""
        carried: Mapping[str, Any] = dict(report.user_properties) if report.when == "teardown" else {}
        if RESULT in carried:
            result = CaseResult.from_dict(carried[RESULT])
            self.cases[result.id] = result
        if UNWRITTEN in carried:
            self.unwritten.append(str(carried[UNWRITTEN]))
        if report.when not in ("setup", "call", "teardown"):  # how xdist reports the test during which a worker died
            self.lost_worker = True
        elif report.failed and not hasattr(report, "verdict"):
            self.others_failed = True

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        """Note a module that could not be collected."""
        self.others_failed |= report.failed

    @pytest.hookimpl(trylast=True)
    def pytest_sessionfinish(self, session: pytest.Session, exitstatus: int) -> None:
        """Close the run, also an interrupted one, and set the exit code."""
        if not self.cases and not self.lost_worker:
            return
        run = current_run(self.config)
        code = self._code(exitstatus)
        try:
            self._close(run, code)
        except Exception as fault:  # whatever kept the evidence from being written, the exit code must say so
            self.unwritten.append(f"{run.folder}: {type(fault).__name__}: {fault}")
            code = self._code(exitstatus)
        session.exitstatus = code

    def _close(self, run: Run, code: int) -> None:
        self.results = Results.of(self.cases.values(), described(run, self.config.rootpath), {
            "id": run.folder.name if run.folder is not None else "",
            "started": run.started.isoformat(), "finished": wall_utc().isoformat(),
            "duration": round(wall_seconds() - run.start, 3), "exit_code": code, "versions": versions(),
            "arguments": [str(each) for each in self.config.invocation_params.args],
        })
        if run.folder is not None:
            close_run(run.folder, self.results)

    def _code(self, status: int) -> int:
        outcomes = [case.outcome for case in self.cases.values()] + ["error"] * self.lost_worker
        return exit_code(int(status), outcomes, others_failed=self.others_failed, unwritten=bool(self.unwritten))


def exit_code(status: int, outcomes: Collection[str], *, others_failed: bool = False, unwritten: bool = False) -> int:
    """The worst of pytest's own status and of what the cases came to."""
    codes = {
        PASSED if status == FAILED else status,  # pytest counts an inconc as a failed test
        EVIDENCE if unwritten else PASSED,
        ERROR if "error" in outcomes else PASSED,
        FAILED if "fail" in outcomes or others_failed else PASSED,
        INCONCLUSIVE if "inconc" in outcomes else PASSED,
        NOTHING if set(outcomes) == {NOT_APPLICABLE} else PASSED,
    }
    return next(code for code in SEVERITY if code in codes)


LEDGER = pytest.StashKey[Ledger]()
UNWRITTEN_BY_WORKER = "hanproof_unwritten"


def unwritten(config: pytest.Config, what: str) -> None:
    """Take down evidence that could not be written, apart from a case's own."""
    if is_worker(config):
        config.workeroutput.setdefault(UNWRITTEN_BY_WORKER, []).append(what)  # type: ignore[attr-defined]
    else:
        config.stash[LEDGER].unwritten.append(what)


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: Any) -> None:
    """xdist: whether there will be evidence is asked here, for a worker cannot end the run."""
    folder = run_folder(node.config)
    if folder is not None:
        above = next(each for each in (folder, *folder.parents) if each.exists())
        if not os.access(above, os.W_OK | os.X_OK):
            pytest.exit(f"{folder}: evidence cannot be written: {above} may not be written to", returncode=EVIDENCE)


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    """xdist: what a worker could not write; one that was killed has nothing to tell."""
    node.config.stash[LEDGER].unwritten += getattr(node, "workeroutput", {}).get(UNWRITTEN_BY_WORKER, [])


def pytest_configure(config: pytest.Config) -> None:
    """Keep a ledger where results are shown: not in a worker of xdist."""
    if not is_worker(config):
        config.stash[LEDGER] = Ledger(config)
        config.pluginmanager.register(config.stash[LEDGER], "hanproof-ledger")


def described(run: Run, root: Path) -> dict[str, Any]:
    """The bench of a run as `verdicts.json` carries it: who was tested, with which claims and which seed; no key."""
    return {
        "name": run.bench.name,
        "file": os.path.relpath(run.bench.path, root),
        "dut": list(run.bench.dut),
        "seed": run.campaign.seed,
        "examples": run.examples,
        "devices": {
            device.name: {
                "file": os.path.relpath(device.path, root), "type": device.device_type.value, "eui64": str(device.eui64),
                "key_form": device.key_form,
                "pics": {item: ANSWERS[claim] for item, claim in run.bench.claims(device).items()},
            }
            for device in run.devices
        },
    }
