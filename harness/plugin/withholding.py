"""Confidential keys kept out of what pytest shows and hands on: tracebacks, captured output, what an exception says. Knows no
verdict.

An adapter of somebody else's may print a key, or raise with one in its message; the terminal, Allure and every file show a mark.
"""

from __future__ import annotations

from collections.abc import Generator

import pytest

from harness.evidence.withheld import Withheld
from harness.plugin.collection import is_case
from harness.plugin.options import current_run

COVER = pytest.StashKey[Withheld]()


def hidden(config: pytest.Config, text: str) -> str:
    """The text without the confidential keys of the run's devices."""
    run = current_run(config)
    if COVER not in config.stash:
        config.stash[COVER] = Withheld([secret for device in run.devices for secret in run.secrets(device)])
    return config.stash[COVER].cover_text(text)


@pytest.hookimpl(wrapper=True, trylast=True)  # nearest to pytest's own, so that Allure sees what is left
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Cover the keys in a case's captured output and, where it failed, in its traceback."""
    report = yield
    if is_case(item) and any(map(current_run(item.config).secrets, current_run(item.config).devices)):
        report.sections = [(title, hidden(item.config, text)) for title, text in report.sections]
        if report.failed:
            report.longrepr = hidden(item.config, str(report.longrepr))
    return report
