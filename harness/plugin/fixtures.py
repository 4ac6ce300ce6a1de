"""What a case may ask for: the undisturbed provisioning, a fresh bench, fresh benches for examples, and `verify`.

The work is done by `CaseRun`; these fixtures only hand it out. Knows no verdict.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from harness.declarations import Device
from harness.errors import Inconclusive, Unsupported
from harness.plugin.campaign import Bench
from harness.plugin.case import CaseRun, Conclusion, case_name
from harness.plugin.collection import clauses_of
from harness.plugin.options import current_run
from harness.trace import Trace
from harness.verdict import Verdict

CASE = pytest.StashKey[CaseRun]()
DECIDED = pytest.StashKey[Conclusion]()


@pytest.fixture
def device(request: pytest.FixtureRequest) -> Device:
    """The HAN device this case runs for."""
    return current_run(request.config).bench.device(request.param)


@pytest.fixture
def case_run(request: pytest.FixtureRequest, device: Device) -> Iterator[CaseRun]:
    """The run of this case. A case that PICS and DUT leave nothing to ask is not played at all."""
    run = CaseRun(case_name(request.function), clauses_of(request.node), current_run(request.config).campaign, device)
    request.node.stash[CASE] = run
    decided = run.decided_unplayed()
    if decided is not None:
        request.node.stash[DECIDED] = decided
        if decided.verdict is Verdict.NONE:
            pytest.skip(decided.reason)
        raise Inconclusive(decided.reason)
    yield run
    run.close()


@pytest.fixture
def provisioned(request: pytest.FixtureRequest, case_run: CaseRun) -> Trace:
    """The trace of the undisturbed provisioning, recorded once for each device and shared: judge it, do not disturb it."""
    try:
        return case_run.provisioned
    except Unsupported as fault:
        conclusion = request.node.stash[DECIDED] = case_run.conclude(fault)
        pytest.skip(conclusion.reason)


@pytest.fixture
def bench(case_run: CaseRun) -> Bench:
    """A fresh bench, built as the bench file says."""
    return case_run.benches()


@pytest.fixture
def benches(case_run: CaseRun) -> Callable[..., Bench]:
    """Makes a fresh bench at every call, with what the case changes in its plan; for examples."""
    return case_run.benches


@pytest.fixture
def verify(case_run: CaseRun) -> Callable[[Trace], Any]:
    """Judges the case's clauses on a trace."""
    return case_run.verify
