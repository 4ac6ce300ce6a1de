"""Runs that cannot begin or end as they should: each ends with its exit code and one line, and never with a verdict on a device."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from harness.bench import Bench
from harness.declarations import read_bench
from harness.errors import BenchError, InputError
from harness.plugin.bench_building import check
from harness.tests.small_run import ROOT, python, write_project


def test_an_internal_error_is_exit_code_3(tmp_path: Path) -> None:
    project = write_project(tmp_path)
    (project / "faulty.py").write_text("def pytest_runtest_logstart(nodeid):\n    raise ZeroDivisionError(nodeid)\n")
    assert python(project, "pytest", "-p", "faulty", "--run-dir=one", "-k", "test_pass").returncode == 3


def test_a_folder_that_holds_a_run_is_not_written_into_again(tmp_path: Path) -> None:
    """Scenarios are written once: what another run, of another seed, left there would pass for this one's."""
    arguments = (write_project(tmp_path), "pytest", "-k", "test_pass", "--run-dir=one")
    assert python(*arguments).returncode == 0
    before = (tmp_path / "one" / "verdicts.json").read_bytes()
    again = python(*arguments, "--seed=5")
    assert again.returncode == 4
    assert "ERROR: --run-dir one: holds a run already; right would be a new folder" in again.stderr
    assert (tmp_path / "one" / "verdicts.json").read_bytes() == before


def test_a_device_that_is_named_twice_runs_once(tmp_path: Path) -> None:
    ran = python(write_project(tmp_path), "pytest", "-k", "test_pass", "--device=pct", "--device=pct", "--no-evidence")
    assert "verdicts: 1 cases, 1 pass" in ran.stdout


@pytest.mark.parametrize("parallel", [(), ("-n", "1")])
def test_a_full_disk_is_exit_code_8(tmp_path: Path, parallel: tuple[str, ...]) -> None:
    """No file may have more than a kilobyte: neither traces nor Allure's results nor the verdicts can be written."""
    write_project(tmp_path)
    command = ["bash", "-c", 'ulimit -f 1; exec "$@"', "bash", sys.executable, "-m", "pytest", "-k", "test_pass", "--run-dir=one"]
    environment = {**os.environ, "PYTHONPATH": f"{ROOT}:{tmp_path}", "PYTHONDONTWRITEBYTECODE": "1"}
    ran = subprocess.run([*command, *parallel], cwd=tmp_path, capture_output=True, text=True, check=False, env=environment)
    assert ran.returncode == 8, ran.stdout + ran.stderr
    assert "Traceback" not in ran.stdout + ran.stderr
    for what in ("test_pass", "allure-results: ", "one: OSError"):
        assert re.search(f"^evidence could not be written: .*{what}.*File too large", ran.stdout, re.MULTILINE)
    assert not (tmp_path / "one" / "verdicts.json").exists()


def test_a_bench_that_cannot_be_built_is_no_verdict_on_anyone(tmp_path: Path) -> None:
    project = write_project(tmp_path)
    refusal = "from harness.errors import InputError\ndef check(bench):\n    raise InputError(f'{bench.path}:3: adapters.ESI: gone')\n"
    (project / "small_bench.py").write_text((project / "small_bench.py").read_text() + refusal)
    process = python(project, "pytest", "-q")
    assert (process.returncode, "bench.yaml:3: adapters.ESI: gone" in process.stderr) == (4, True)


VIRTUAL = (ROOT / "fixtures" / "benches" / "virtual.yaml").read_text().replace("../devices", f"{ROOT}/fixtures/devices")


@pytest.mark.parametrize(("change", "to", "said"), [
    ("  CIS: harness.adapters.virtual_cis:VirtualCis\n", "", r"adapters\.CIS: is missing; right would be `CIS: module:Class`"),
    ("virtual_nic:", "virtual_nik:", r"yaml:\d+: adapters\.NIC: adapter .*: No module named .*; right would be "),
    (":VirtualNic", ":VirtualNik", r"yaml:\d+: adapters\.NIC: adapter .* no attribute 'VirtualNik'; right would be "),
    ("harness.adapters.virtual_nic:VirtualNic", "harness.plan:Plan",
     r"yaml:\d+: adapters\.NIC: harness\.plan:Plan has no receive, transmit, deadline, wake, events; right would be "),
])
def test_an_adapter_that_is_none_is_named_by_its_line(tmp_path: Path, change: str, to: str, said: str) -> None:
    assert change in VIRTUAL
    (tmp_path / "bench.yaml").write_text(VIRTUAL.replace(change, to))
    with pytest.raises(InputError, match=said):
        check(read_bench(tmp_path / "bench.yaml"))


def test_an_option_that_an_adapter_cannot_read_is_named_by_its_line(tmp_path: Path) -> None:
    adapter = "harness.adapters.virtual_esi:VirtualEsi"
    (tmp_path / "bench.yaml").write_text(VIRTUAL.replace(adapter, f"{{adapter: '{adapter}', channel: fifteen}}"))
    file = read_bench(tmp_path / "bench.yaml")
    check(file)
    with pytest.raises(BenchError, match=r"bench\.yaml:\d+: adapters\.ESI\.adapter: .* cannot be set up: invalid literal"):
        Bench(file, file.devices[0])


@pytest.mark.parametrize(("file", "kept", "code", "said"), [
    ("air.pcapng", -7, 8, r"air\.pcapng: is not as the run left it"),
    ("trace.jsonl", -9, 4, r"trace\.jsonl:\d+: not a line of a hanproof\.trace/1 trace"),
    ("trace.jsonl", 0, 4, r"trace\.jsonl: empty; a trace begins with its header"),
    ("zigbee_pc_keys", None, 4, r"zigbee_pc_keys: cannot be read"),
])
def test_damaged_evidence_is_named_when_it_is_judged_again(
    judged_once: Path, file: str, kept: int | None, code: int, said: str,
) -> None:
    """Cut to so many octets, or (None) gone."""
    damaged = judged_once / "one" / "scenarios" / "provisioned-pct" / file
    whole = damaged.read_bytes()
    damaged.unlink()
    if kept is not None:
        damaged.write_bytes(whole[:kept])
    try:
        again = python(judged_once, "harness.cli", "judge", "one", "--table", "small_table")
    finally:
        damaged.write_bytes(whole)
    assert again.returncode == code
    assert re.search(said, again.stdout + again.stderr)


@pytest.fixture(scope="module")
def judged_once(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The small project, with a run."""
    project = write_project(tmp_path_factory.mktemp("damaged"))
    assert python(project, "pytest", "-q", "--run-dir=one", "-k", "test_pass").returncode == 0
    return project
