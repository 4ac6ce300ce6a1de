"""With `-n auto` the harness's own tests have one worker more than there are cores: while one waits in real time, the others compute."""

import os


def pytest_xdist_auto_num_workers() -> int:
    """How many, for xdist."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return cores + 1
