"""Plain pytest becomes a conformance run: the plugin is loaded here, and what is no case is not looked at as one."""

from harness.garbage import settle

pytest_plugins = ("harness.plugin", "harness.tests.peers.required")

collect_ignore = ["cases/table"]  # rows and clauses: `step_06.py` there is no file of cases


def pytest_collection_finish() -> None:
    """What was collected stays."""
    settle()
