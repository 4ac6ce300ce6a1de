"""`hanproof bench new`: what it writes can be read and planned, and nothing is written over; and the examples that come with us."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from harness.cli import main
from harness.declarations import read_bench
from harness.new_bench import DUTS, METER, NOBODY, RCP
from harness.plugin.bench_building import check
from harness.plugin.operating import persons
from harness.role_verbs import Way
from harness.tests.small_run import ROOT, python
from harness.tests.test_operator import Typist, typist  # noqa: F401 - a fixture
from harness.usecase import ACROSS_THE_HAN, Actor

BENCHES = ROOT / "fixtures" / "benches"
DEVICE = ROOT / "fixtures" / "devices" / "pct.yaml"


@pytest.fixture(autouse=True)
def no_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("harness.operator.TERMINAL", "/no/such/terminal")
    monkeypatch.setattr("harness.operator.AtTerminal.is_there", lambda self: False)


def written(folder: Path, *options: str, **answers: str) -> int:
    lines = "".join(f"    {name}: {answer!r}\n" for name, answer in {"device": str(DEVICE), **answers}.items())
    (folder / "answers.yaml").write_text(f"by: Ada\nanswers:\n  bench new:\n{lines}")
    return main(["bench", "new", str(folder / "new.yaml"), "--answers", str(folder / "answers.yaml"), *options])


@pytest.mark.parametrize("dut", DUTS)
def test_a_bench_for_every_dut_can_be_read_and_is_what_was_asked_for(tmp_path: Path, dut: str) -> None:
    assert written(tmp_path, dut=dut, name="the \"lab\": Zürich", address="http://dut.example/cim", window="120") == 0
    file = read_bench(tmp_path / "new.yaml")
    check(file)
    assert (file.name, file.window_duration, [each.path.resolve() for each in file.devices]) == ("the \"lab\": Zürich", 120, [DEVICE])
    assert file.dut == {METER: (Actor.NIC, Actor.ESI), NOBODY: ()}.get(dut, (dut,))
    ours = {Actor.HAN_DEVICE: "ESI", METER: "HAN Device", Actor.ESI: "HAN Device"}.get(dut)
    assert list(file.radios) == ([ours] if ours else [])
    assert {actor for actor, _ in persons(file)} == set(ACROSS_THE_HAN) & set(file.dut)
    assert list(tmp_path.glob(".*")) == []


def test_every_way_of_a_verb_a_sniffer_and_a_channel_are_written_as_said(tmp_path: Path) -> None:
    answers = {
        "factory_reset": "command", "factory_reset_text": "reset.sh \"it\"",
        "start_joining": "adapter", "start_joining_text": "acme:Button",
        "power_cycle": "nobody", "opt_out": "person", "opt_out_text": "say no", "sniffer": "/dev/ttyACM1", "channel": "25",
    }
    assert written(tmp_path, **answers) == 0
    file = read_bench(tmp_path / "new.yaml")
    assert dict(file.adapters[Actor.HAN_DEVICE].options) == {
        "factory_reset": Way(command='reset.sh "it"'), "start_joining": Way(adapter="acme:Button"), "opt_out": Way(person="say no"),
    }
    assert file.radios["sniffer"].options["port"] == "/dev/ttyACM1"
    assert file.adapters[Actor.ESI].options["channel"] == "25"


def test_nothing_is_written_over_unless_it_is_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "new.yaml").write_text("mine")
    assert written(tmp_path) == 4
    assert capsys.readouterr().err.endswith("new.yaml: is there already; right would be another name, or --force to write over it\n")
    assert (tmp_path / "new.yaml").read_text() == "mine"
    assert written(tmp_path, "--force") == 0
    assert read_bench(tmp_path / "new.yaml").dut == (Actor.HAN_DEVICE,)


@pytest.mark.parametrize(("answers", "said"), [
    ({"dut": "the cat"}, "bench new.dut: is no answer; right would be one of HAN Device"),
    ({"channel": "27"}, "bench new.channel: is no answer; right would be text that fits"),
    ({"dut": "CIS"}, "address: "),
    ({"device": "/no/such/device.yaml"}, "bench new.device: is no answer; right would be the path of a file"),
    ({"start_joining": "command"}, "start_joining_text: "),
])
def test_answers_that_give_no_bench_are_one_line_and_leave_no_file(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], answers: dict[str, str], said: str,
) -> None:
    assert written(tmp_path, **answers) == 4
    error = capsys.readouterr().err
    assert said in error
    assert error.count("\n") == 1
    assert sorted(each.name for each in tmp_path.iterdir()) == ["answers.yaml"]


def test_a_device_file_that_cannot_be_read_leaves_what_was_there(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = tmp_path / ("a_path_is_longer_than_a_name" * 4)
    folder.mkdir()
    (folder / "device.yaml").write_text("name: x\n")
    (tmp_path / "new.yaml").write_text("mine")
    assert written(tmp_path, "--force", device=str(folder / "device.yaml")) == 4
    assert "device.yaml:1: type: is missing" in capsys.readouterr().err
    assert (tmp_path / "new.yaml").read_text() == "mine"


def test_without_terminal_and_answers_nobody_is_asked(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["bench", "new", str(tmp_path / "new.yaml")]) == 4
    assert "no terminal to ask at; right would be --answers FILE" in capsys.readouterr().err


def test_a_person_writes_one_at_the_terminal_and_it_can_be_planned(tmp_path: Path, typist: Typist) -> None:  # noqa: F811
    command = [sys.executable, "-m", "harness.cli", "bench", "new", str(tmp_path / "typed.yaml")]
    launch = (
        "import fcntl, os, sys, termios; os.setsid(); fcntl.ioctl(os.open(sys.argv[1], os.O_RDWR), termios.TIOCSCTTY, 0); "
        f"os.execv(sys.executable, {command!r})"
    )
    with subprocess.Popen(
        [sys.executable, "-c", launch, typist.name], cwd=ROOT, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    ) as asking:
        typist.reads("What is the bench called?", 60)
        for said in ("my lab", "", "2", "", "", "", "", "nobody", *("", "") * 5):  # the second DUT of the list; the meter is not reset
            typist.reads("> ")
            typist.types(f"{said}\n")
        assert "is written; next: hanproof doctor" in asking.communicate(timeout=20)[0]
    assert read_bench(tmp_path / "typed.yaml").dut == (Actor.NIC, Actor.ESI)
    planned = python(ROOT, "harness.cli", "plan", "--bench", str(tmp_path / "typed.yaml"))
    assert planned.returncode == 0, planned.stderr


def test_a_thermostat_behind_radio_co_processors_and_a_person() -> None:
    file = read_bench(BENCHES / "han_device_over_rcp.yaml")
    check(file)
    assert persons(file) == tuple((Actor.HAN_DEVICE, verb) for verb in ("factory_reset", "start_joining", "power_cycle", "opt_out"))
    assert [(name, radio.adapter) for name, radio in file.radios.items()] == [("ESI", RCP), ("sniffer", RCP)]


def test_a_meter_whose_window_a_person_opens_and_whose_power_a_relay_takes() -> None:
    file = read_bench(BENCHES / "meter_over_rcp.yaml")
    check(file)
    assert persons(file) == ((Actor.ESI, "open_window"), (Actor.ESI, "close_window"))
    assert file.adapters[Actor.ESI].options["power_cycle"] == Way(command="usbrelay RELAY_1=1 RELAY_1=0", limit=30)
    assert file.filled_by(Actor.ESI) == (Actor.ESI, Actor.NIC)
    assert list(file.radios) == ["HAN Device"]
