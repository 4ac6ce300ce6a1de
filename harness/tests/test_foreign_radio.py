"""The worked example of a radio of somebody else's: its module is found on Python's path, and checked as a user would check it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from harness.cli import main
from harness.contract.table import RADIO
from harness.tests.small_run import ROOT

EXAMPLE = ROOT / "docs" / "examples" / "acme_radio"
PORTS = "4711", "4712"  # that its README and bench file name


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The example's bench file, with the ports that two simulated dongles found free."""
    dongles = subprocess.Popen(
        [sys.executable, str(EXAMPLE / "acme_dongle.py"), "0", "0"], stdout=subprocess.PIPE, text=True,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    assert dongles.stdout is not None
    ports = dongles.stdout.readline().split()
    text = (EXAMPLE / "bench.yaml").read_text().replace("../../../fixtures", f"{ROOT}/fixtures")
    for wanted, free in zip(PORTS, ports, strict=True):
        assert wanted in text
        text = text.replace(wanted, free)
    path = tmp_path_factory.mktemp("acme") / "bench.yaml"
    path.write_text(text)
    yield path
    dongles.kill()
    dongles.wait()
    dongles.stdout.close()


def check(bench: Path) -> list[str]:
    return ["adapter", "check", str(bench), "--only", "radio of ESI"]


def test_the_example_keeps_every_promise_as_a_user_would_see_it(bench: Path) -> None:
    path = f"{ROOT}{os.pathsep}{EXAMPLE}"
    done = subprocess.run(
        [sys.executable, "-m", "harness.cli", *check(bench), "--json"], cwd=ROOT, env={**os.environ, "PYTHONPATH": path},
        capture_output=True, text=True, timeout=120,
    )
    told = json.loads(done.stdout)
    assert {each["test"]: each["reason"] for each in told["tests"] if each["verdict"] != "pass"} == {}
    assert (done.returncode, told["totals"]) == (0, {"pass": len(RADIO)})


def test_without_its_folder_on_the_path_it_is_an_error_that_names_it(
    bench: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(sys, "path", [each for each in sys.path if Path(each) not in (EXAMPLE, EXAMPLE.parent)])
    monkeypatch.delitem(sys.modules, EXAMPLE.name, raising=False)
    assert main(check(bench)) == 7
    assert "adapter acme_radio:AcmeRadio: No module named 'acme_radio'" in capsys.readouterr().out.splitlines()[0]


def test_without_a_dongle_it_names_the_port(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.syspath_prepend(str(EXAMPLE))
    text = (EXAMPLE / "bench.yaml").read_text().replace("../../../fixtures", f"{ROOT}/fixtures").replace(PORTS[0], "1")
    (tmp_path / "bench.yaml").write_text(text)
    assert main(check(tmp_path / "bench.yaml")) == 7
    first = capsys.readouterr().out.splitlines()[0]
    assert first.startswith("error")
    assert "port 127.0.0.1:1: no ACME dongle answers (ConnectionRefusedError)" in first
