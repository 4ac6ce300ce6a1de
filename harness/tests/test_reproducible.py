"""One seed, one result: two runs of the same cases leave the same captures, messages and verdicts, octet for octet."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

PROJECT = Path(__file__).parents[2]
CASES = ("cases/step_10_state_reported.py", "cases/step_02_window_forwarded.py")  # undisturbed, varied by Hypothesis, disturbed
OF_THIS_RUN = ("run", "started", "duration")  # what may differ between two runs


def run_into(folder: Path) -> None:
    environment = {**os.environ, "PYTHONHASHSEED": "random"}
    options = ["-q", "-p", "no:cacheprovider", "--examples", "2", "--run-dir", str(folder)]
    command = [sys.executable, "-m", "pytest", *CASES, *options]
    done = subprocess.run(command, cwd=PROJECT, env=environment, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stdout + done.stderr


def evidence(folder: Path) -> dict[str, bytes]:
    """Every file of every scenario by its path."""
    scenarios = folder / "scenarios"
    return {str(path.relative_to(scenarios)): path.read_bytes() for path in sorted(scenarios.rglob("*")) if path.is_file()}


def verdicts(folder: Path) -> Any:
    """verdicts.json without run id and durations."""

    def pruned(value: Any) -> Any:
        if isinstance(value, dict):
            return {key: pruned(each) for key, each in value.items() if key not in OF_THIS_RUN}
        return [pruned(each) for each in value] if isinstance(value, list) else value

    return pruned(json.loads((folder / "verdicts.json").read_text(encoding="utf-8")))


def test_two_runs_from_one_seed_are_identical(tmp_path: Path) -> None:
    first, second = tmp_path / "first", tmp_path / "second"
    run_into(first)
    run_into(second)
    ours, theirs = evidence(first), evidence(second)
    assert any(name.endswith("air.pcapng") for name in ours)
    assert any("/cim/" in name for name in ours)
    assert ours.keys() == theirs.keys()
    assert [name for name in ours if ours[name] != theirs[name]] == []
    assert verdicts(first) == verdicts(second)
