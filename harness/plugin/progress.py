"""One line that says how far a run is: `hanproof run` asks for it in place of pytest's dots. Knows no verdict but its word."""

from __future__ import annotations

from collections import Counter
from collections.abc import Generator
from typing import Any

import pytest


class Progress:
    """Counts cases and tells, on a terminal at every case, elsewhere at every tenth of the run."""

    def __init__(self, terminal: pytest.TerminalReporter) -> None:
        self.terminal = terminal
        self.total = 0
        self.verdicts: Counter[str] = Counter()

    def pytest_collection_finish(self, session: pytest.Session) -> None:
        """Know how many there are."""
        self.total = len(session.items)

    @pytest.hookimpl(optionalhook=True)
    def pytest_xdist_node_collection_finished(self, ids: list[str]) -> None:
        """Know how many there are, from a worker."""
        self.total = len(ids)

    def pytest_runtest_logstart(self, nodeid: str) -> None:
        """Say which case runs now."""
        if self.terminal.isatty:
            line = f"{self._so_far()}  {nodeid.rpartition('/')[2]}"
            self.terminal.rewrite(line[:self.terminal._tw.fullwidth - 1], erase=True)

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Count a case that has ended."""
        if report.when == "teardown":
            before = self._tenth()
            self.verdicts[getattr(report, "verdict", report.outcome)] += 1
            if not self.terminal.isatty and self._tenth() > before:
                self.terminal.write_line(self._so_far())

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_report_teststatus(self) -> Generator[None, Any, Any]:
        """No dots."""
        status = yield
        return (status[0], "", "") if status else status

    def pytest_sessionfinish(self) -> None:
        """Leave the line."""
        if self.terminal.isatty:
            self.terminal.rewrite("", erase=True)

    def _tenth(self) -> int:
        return self.verdicts.total() * 10 // max(self.total, 1)

    def _so_far(self) -> str:
        told = ", ".join(f"{count} {verdict}" for verdict, count in sorted(self.verdicts.items()))
        return f"[{self.verdicts.total()}/{self.total}] {told}"


def pytest_addoption(parser: pytest.Parser) -> None:
    """Progress is asked for: plain pytest keeps its dots."""
    parser.getgroup("hanproof").addoption("--progress", action="store_true", help="one line that says how far the run is")


@pytest.hookimpl(trylast=True)
def pytest_configure(config: pytest.Config) -> None:
    """Show progress where it is asked for and there is a terminal reporter."""
    terminal = config.pluginmanager.get_plugin("terminalreporter")
    if terminal is not None and config.getoption("progress"):
        config.pluginmanager.register(Progress(terminal), "hanproof-progress")
