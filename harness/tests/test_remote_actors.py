"""Each system of the back office as the DUT, in another process behind real sockets: our own must pass every case about it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from harness.adapters.control import Control
from harness.errors import BenchError
from harness.tests.served import ROLES, ROOT, ServedProcess, bench_file, passed, run, serving, wrong

LEG = ("--leg", "tcp")


@pytest.fixture
def head_end() -> Iterator[ServedProcess]:
    with serving("ami-head-end", *LEG, "--control") as served:
        yield served


@pytest.mark.parametrize("role", ROLES)
def test_our_own_system_in_another_process_passes_every_case_about_it(tmp_path: Path, role: str) -> None:
    with serving(role, *(LEG if role == "ami-head-end" else ()), "--control") as served:
        code, verdicts, output = run(tmp_path, bench_file(tmp_path, ROLES[role], served), "cases")
    assert wrong(verdicts) == [], output
    assert code == 0, output
    assert passed(verdicts) >= {"ods": 2, "cis": 10}.get(role, 25), output


@pytest.mark.parametrize(("role", "defect", "step"), [
    ("ami-head-end", "13-failure-kept-quiet", "13"), ("dr-application", "14-never-told", "14"), ("cis", "14-linkage-unchecked", "14"),
])
def test_a_defect_of_a_system_behind_real_sockets_is_a_fail(tmp_path: Path, role: str, defect: str, step: str) -> None:
    with serving(role, *(LEG if role == "ami-head-end" else ()), "--control", "--defect", defect) as served:
        bench = bench_file(tmp_path, ROLES[role], served)
        code, verdicts, output = run(tmp_path, bench, f"cases/{next((ROOT / 'cases').glob(f'step_{step}_*.py')).name}", "-k", "not any")
    assert code == 1, output
    assert any(case["verdict"] == "fail" for case in verdicts["cases"]), output


def test_a_system_that_is_not_there_is_an_error_and_no_fail(tmp_path: Path, head_end: ServedProcess) -> None:
    bench = bench_file(tmp_path, "AMI Head-End", head_end, control="http://127.0.0.1:9/control")
    code, verdicts, output = run(tmp_path, bench, "cases/step_01_window_requested.py", "-k", "granted")
    assert code == 7, output
    assert {case["verdict"] for case in verdicts["cases"]} == {"error"}


def test_a_control_endpoint_says_what_it_does_not_understand(head_end: ServedProcess) -> None:
    control = Control(head_end.where["control"])
    with pytest.raises(BenchError, match="dance"):
        control.call("dance")
    with pytest.raises(BenchError, match="this is the AMI Head-End, not the CIS"):
        control.call("begin", actor="CIS", epoch="2026-01-15T12:00:00+00:00", cim={}, seed="1", orders=[], peers={})
    assert control.call("pace", now=1.0)["arrivals"] == 0
    control.close()
