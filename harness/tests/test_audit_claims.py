"""What a device claims, given to an audit: it decides what rests on it, for that device alone, and what it does not have is not asked."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from harness.audit.report import wants
from harness.cli import main
from harness.declarations import read_device
from harness.evidence.scenario import write_keys
from harness.tests.field_captures import DEVICES, audited, claimant_of, judgements, run_of, verdicts_of, write
from harness.tests.small_run import ROOT
from harness.tests.test_audit import of, the_one
from harness.tests.test_two_orders import OTHER, played
from harness.trace import Unknown
from harness.verdict import Verdict

FILES = ROOT / "fixtures" / "devices"
NEVER_ON_AIR = {Unknown.ORDER.value, Unknown.BY_HAND.value}


def audit(*arguments: str | Path) -> int:
    return main(["audit", *map(str, arguments)])


@pytest.mark.parametrize("device", DEVICES)
def test_with_what_the_device_claims_all_is_decided_but_what_is_not_on_the_air(device: str) -> None:
    trace, run = run_of(device), verdicts_of(device)
    join = the_one(audited(trace, claimants={trace.header.order.device: claimant_of(device)}))
    assert join.claimant == device
    assert set(wants([join])) <= NEVER_ON_AIR
    for each in join.judgements:
        if each.verdict is not Verdict.INCONC:
            assert (each.verdict, each.not_applicable) == (run[each.id].verdict, run[each.id].not_applicable), each.id
    assert len(of(join.judgements, Verdict.INCONC)) <= 4
    assert any(join.not_applicable(step) for step in (8, 9))


def test_a_claim_that_the_air_contradicts_is_a_fail() -> None:
    trace = run_of("pct")
    found = judgements(audited(trace, claimants={trace.header.order.device: claimant_of("pct", sleepy=False)}))
    assert of(found, Verdict.FAIL) == {"UC2.7-05-ASSOCIATES@HAN Device"}


def test_an_item_that_is_unset_stays_undecided_by_name() -> None:
    trace = run_of("pct")
    found = judgements(audited(trace, claimants={trace.header.order.device: claimant_of("pct", price=None, sleepy=None)}))
    undecided = {finding.message for each in found for finding in each.findings if finding.verdict is Verdict.INCONC}
    assert {each for each in undecided if "PICS" in each} == {"PICS item price is unset", "PICS item sleepy is unset"}


def test_each_of_two_devices_is_held_to_its_own_claims() -> None:
    trace = played("two devices")
    own = {trace.header.order.device: claimant_of("pct"), OTHER: claimant_of("pct", messaging=False)}
    first, second = sorted(audited(trace, claimants=own), key=lambda join: join.device == str(OTHER))
    assert second.device == str(OTHER)
    skipped = [{each["reason"] for each in join.not_applicable(9)} for join in (first, second)]
    assert "PICS item messaging is no" in skipped[1] - skipped[0]
    (alone,) = [join for join in audited(trace, claimants={OTHER: own[OTHER]}) if join.device != str(OTHER)]
    assert Unknown.CLAIMS.value in wants([alone])


@pytest.fixture
def capture(tmp_path: Path) -> Path:
    write_keys(tmp_path / "zigbee_pc_keys", run_of("load_control"), ())
    return write(tmp_path / "air.pcapng", run_of("load_control"))


def told(capsys: pytest.CaptureFixture[str]) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(capsys.readouterr().out)
    return found


def test_a_device_file_or_a_device_of_a_bench_by_name_says_it(capture: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (capture.with_name("zigbee_pc_keys")).unlink()
    asked: list[list[str | Path]] = [
        ["--device-file", FILES / "load_control.yaml"], ["--device", "load_control"],
        ["--bench", ROOT / "fixtures/benches/virtual.yaml", "--device", "load_control"],
    ]
    answers = []
    for given in asked:
        assert audit(capture, "--json", *given) == 6
        answers.append(told(capsys))
    assert answers[0]["joins"][0]["claimant"] == "load_control"
    assert answers[0]["joins"][0]["steps"]["7"]["verdict"] == "inconc", "no key file: the link key stays unknown"
    assert answers[0]["health"]["keys"] == {"given": 1, "opened_nothing": 0}, "its install code opens the network key"
    assert answers[1] == answers[2]
    assert answers[0]["joins"] == answers[1]["joins"]


def test_the_file_of_another_device_decides_nothing_and_is_said_so(
    capture: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str],
) -> None:
    assert audit(capture) == 6
    without = capsys.readouterr().out.splitlines()
    assert audit(capture, "--device-file", FILES / "pct.yaml") == 6
    lines = capsys.readouterr().out.splitlines()
    other = read_device(FILES / "pct.yaml")
    said = f"pct ({other.eui64}) joins nowhere in this capture"
    assert said in lines
    assert [line for line in lines if line != said and "open nothing" not in line] == without
    shutil.copy(FILES / "pct.yaml", tmp_path / "same.yaml")
    assert audit(capture, "--device-file", FILES / "pct.yaml", "--device-file", tmp_path / "same.yaml") == 4
    (line,) = capsys.readouterr().err.splitlines()
    assert f"has the EUI-64 of {FILES / 'pct.yaml'}; right would be one file for each device" in line


@pytest.mark.parametrize(("given", "said"), [
    (["--key", "nwk:00112233445566778899aabbccddeeff", "--key", "link:00112233445566778899aabbccddeeff"], "1 nwk, 1 link"),
    (["--install-code", "83FE D340 7A93 9723 A5C6 39B2 6916 D505 C3B5"], "1 ic"),
])
def test_keys_that_open_nothing_are_said_so_and_pass_nothing(
    given: list[str], said: str, capture: Path, capsys: pytest.CaptureFixture[str],
) -> None:
    assert audit(capture, *given) == 6
    assert "some of the keys given open nothing in this capture: " in capsys.readouterr().out
    capture.with_name("zigbee_pc_keys").unlink()
    assert audit(capture, *given) == 6
    lines = capsys.readouterr().out.splitlines()
    assert f"the keys given open nothing in this capture: {said}" in lines
    assert not any("pass" in line for line in lines if line.startswith(("  step 7", "  step 8", "  step 9")))


def test_what_is_undecided_ends_the_report_with_what_would_decide_it(capture: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Exit code 6 is no alarm: the last line says that nothing wrong was found, and those before it what is missing."""
    assert audit(capture) == 6
    lines = capsys.readouterr().out.splitlines()
    assert lines[-1].startswith("1 join(s): inconc: nothing wrong was found, and ")
    wanted = lines[lines.index("undecided, for want of") + 1 : -1]
    assert any(line.startswith(f"  {Unknown.CLAIMS.value}: ") and line.endswith("; --device-file says it") for line in wanted)
    assert any(line.startswith(f"  {Unknown.ORDER.value}: ") for line in wanted)
