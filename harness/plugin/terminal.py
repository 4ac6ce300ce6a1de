"""What a run shows on the terminal: the bench above, verdicts while it lasts, and at the end steps, clauses and evidence."""

from __future__ import annotations

import pytest

from harness.evidence.results import NOT_APPLICABLE, Results
from harness.plugin.closing import LEDGER
from harness.plugin.collection import is_case
from harness.plugin.options import RUN, current_run
from harness.verdict import Verdict

SHOWN = {  # pytest's category, the letter, the word; per verdict
    "pass": ("passed", ".", ("PASS", {"green": True})),
    "inconc": ("inconc", "I", ("INCONC", {"yellow": True})),
    "fail": ("failed", "F", ("FAIL", {"red": True})),
    "error": ("error", "E", ("ERROR", {"red": True})),
    "none": ("not applicable", "n", ("N/A", {"cyan": True})),
}
COLOURS = {Verdict.PASS: "green", Verdict.INCONC: "yellow", Verdict.FAIL: "red", Verdict.ERROR: "red", Verdict.NONE: "cyan"}


def pytest_report_teststatus(report: pytest.TestReport) -> tuple[str, str, tuple[str, dict[str, bool]]] | None:
    """Show a case's verdict in place of pytest's. A pass counts only after the teardown, which may make it worse."""
    verdict = getattr(report, "verdict", None)
    if verdict is None:
        return None
    category, letter, word = SHOWN[verdict]
    if verdict == "pass":
        return (category, "", ("", {})) if report.when == "teardown" else ("", letter, word)
    return None if report.when == "teardown" and report.passed else (category, letter, word)


def pytest_report_collectionfinish(config: pytest.Config, items: list[pytest.Item]) -> list[str]:
    """Bench, seed, DUT and devices of the run, once there is a case to run."""
    return header(config) if any(is_case(item) for item in items) else []


def header(config: pytest.Config) -> list[str]:
    """The lines that say what this run is."""
    run = current_run(config)
    dut = ", ".join(run.bench.dut) or "nobody in particular, every actor is judged"
    return [
        f"bench {run.bench.name}, seed {run.campaign.seed}, devices {', '.join(device.name for device in run.devices)}",
        f"DUT: {dut}",
    ]


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Steps by device, what did not pass, and where the evidence lies."""
    ledger = config.stash.get(LEDGER, None)
    if ledger is None or ledger.results is None:
        return
    write = terminalreporter.write_line
    terminalreporter.section("use case 2.7")
    for line in header(config):
        write(line)
    _write_steps(terminalreporter, ledger.results)
    for identity, clause in ledger.results.clauses().items():
        verdict = Verdict.parse(clause["verdict"])
        if verdict is not Verdict.PASS and NOT_APPLICABLE not in clause:
            write(f"{identity} {verdict or 'not asked'}", **{COLOURS[verdict]: True})
    for case in ledger.results.cases:
        if case.verdict > Verdict.PASS:
            write(f"{case.outcome}: {case.id}: {case.reason}", **{COLOURS[case.verdict]: True})
    write("verdicts: " + ", ".join(f"{count} {name.replace('_', ' ')}" for name, count in ledger.results.totals.items()))
    for unwritten in ledger.unwritten:
        write(f"evidence could not be written: {unwritten}", red=True)
    run = config.stash[RUN]
    if run.folder is not None:
        write(f"evidence: {run.folder}")


def _write_steps(terminal: pytest.TerminalReporter, results: Results) -> None:
    terminal.write_line("step".ljust(6) + "".join(device.ljust(16) for device in results.bench["devices"]))
    for step, cells in results.step_rows():
        terminal.write(step.ljust(6))
        for word, verdict in cells:
            terminal.write(word.ljust(16), **{COLOURS[verdict]: True})
        terminal.line("")
