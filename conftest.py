"""Plain pytest becomes a conformance run: the plugin is loaded here, and what is no case is not looked at as one."""

import gc

pytest_plugins = ("harness.plugin", "harness.tests.peers.required")

collect_ignore = ["cases/table"]  # rows and clauses: `step_06.py` there is no file of cases


def pytest_collection_finish() -> None:
    """What was collected stays, and a play leaves thousands of records: the garbage collector need not look through them so often."""
    gc.freeze()
    gc.set_threshold(10_000, 20, 20)
