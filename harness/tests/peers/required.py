"""Where the gate runs, an independent peer that is absent is a failure: `HANPROOF_PEERS=required` lets no own test skip.

Elsewhere such a test skips and says what it lacks. Conformance cases are not touched: for them a skip is a verdict.
"""

from __future__ import annotations

import os
from collections.abc import Generator

import pytest

VARIABLE = "HANPROOF_PEERS"


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Turn the skip of one of the harness's own tests into a failure that says why."""
    report = yield
    own = "tests" in item.path.parts and not hasattr(report, "wasxfail")
    if own and report.skipped and os.environ.get(VARIABLE) == "required":
        reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr)
        report.outcome = "failed"
        report.longrepr = f"{VARIABLE}=required, and this test did not run. {reason}"
    return report
