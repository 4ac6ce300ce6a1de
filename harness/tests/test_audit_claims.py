"""What a device claims, given to an audit: it decides what rests on it, for that device alone, and what it does not have is not asked."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from dissectors import aps
from harness.audit.known import Known
from harness.audit.report import wants
from harness.audit.verdicts import as_json
from harness.audit.verdicts import audit as audit_of
from harness.checkers.reading import air
from harness.cli import main
from harness.declarations import read_device
from harness.evidence.scenario import write_capture, write_keys, write_scenario
from harness.tests.field_captures import (
    DEVICES,
    asked,
    audited,
    claimant_of,
    intake_of,
    judgements,
    packets,
    run_of,
    verdicts_of,
    write,
)
from harness.tests.small_run import ROOT
from harness.tests.test_audit import ACK_LENGTH, of, the_one
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


def test_a_device_that_is_said_to_hold_another_code_than_was_ordered_is_not_known_to_hold_the_one_that_was() -> None:
    trace = run_of("pct")
    claimant = replace(claimant_of("pct"), link_key=bytes(16))
    join = the_one(audited(trace, claimants={trace.header.order.device: claimant}))
    assert Unknown.HELD.value in wants([join])
    assert of(join.judgements, Verdict.FAIL) == set()


@pytest.mark.parametrize("device", DEVICES)
def test_an_acknowledgement_of_the_network_key_that_was_not_heard_fails_nobody(device: str) -> None:
    """It leaves no mark among the numbers; that the device uses the key shows that it came."""
    trace = run_of(device)
    heard, whole = packets(trace), air(trace)
    key = next(place for place, each in enumerate(whole) if each.find(aps.TransportKey) is not None and whole.is_acknowledged(each))
    assert len(heard[key + 1].octets) == ACK_LENGTH
    del heard[key + 1]
    found = judgements(audited(trace, heard, claimants={trace.header.order.device: claimant_of(device)}))
    assert not of(found, Verdict.FAIL)


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


DYNAMIC = ("health.counts", "health.media", "health.flaws", "joins[].packets")  # whose contents are told in words


def paths(value: Any, at: str = "") -> Iterator[str]:
    """Every field of JSON in order, as docs/audit.md writes it down: the fields of a list's objects once."""
    if isinstance(value, dict) and at not in DYNAMIC and not at.endswith(("findings[]", "not_applicable[]", "missing[]")):
        for name, inner in value.items():
            path = f"{at}.{'N' if name in map(str, range(5, 10)) else name}".lstrip(".")
            yield path
            yield from paths(inner, path)
    elif isinstance(value, list) and at not in DYNAMIC:
        for each in value:
            yield from paths(each, f"{at}[]")


@pytest.mark.parametrize("claimed", [False, True])
def test_the_json_has_the_shape_that_is_documented(claimed: bool) -> None:
    trace = run_of("load_control")
    known = Known({trace.header.order.device: claimant_of("load_control")} if claimed else {})
    intake = intake_of(trace, packets(trace))
    told = as_json(intake, audit_of(intake, asked(), known), known)
    rows = re.findall(r"^\| `([a-z][^`]*)` \|", (ROOT / "docs/audit.md").read_text().partition("## JSON")[2], re.MULTILINE)
    found = list(dict.fromkeys(paths(told)))
    assert [path for path in found if path in rows] == rows, "each of them is there, in this order"
    assert {path for path in found if path not in rows} == {"health", "joins[].network", "joins[].steps.N", "health.keys"}
    for step in told["joins"][0]["steps"].values():
        order = [Verdict.parse(judgement["verdict"]) for judgement in step["findings"]]
        assert order == sorted(order, reverse=True) or any("note" in each for each in step["findings"])
        assert all(set(each) == {"clause", "reason"} for each in step["not_applicable"])
    assert json.loads(json.dumps(told, allow_nan=False)) == told


def test_what_a_run_wrote_gives_the_runs_own_verdicts(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """From the run's folder, its key file, the authority, and the device file: all but what is on no air."""
    trace, run = run_of("pct"), verdicts_of("pct")
    folder = tmp_path / write_scenario(tmp_path, "pct", trace)
    write_capture(folder, {})
    authority = ":".join(trace.header.pixit[name] for name in ("issuer", "ca"))
    assert audit(folder / "air.pcapng", "--json", "--device", "pct", "--authority", authority) == 6
    (join,) = told(capsys)["joins"]
    undecided = set()
    for number, step in join["steps"].items():
        verdicts = dict.fromkeys(step["unasked"], "none") | {each["clause"]: "none" for each in step["not_applicable"]}
        for each in step["findings"]:
            if not each.get("note"):
                worst = max(Verdict.parse(each["verdict"]), Verdict.parse(verdicts.get(each["clause"], "none")))
                verdicts[each["clause"]] = str(worst)
        undecided |= {name for name, verdict in verdicts.items() if verdict == "inconc"}
        wanted = {name: str(each.verdict) for name, each in run.items() if name.startswith(f"UC2.7-0{number}")}
        assert {name: verdict for name, verdict in verdicts.items() if name not in undecided} == {
            name: verdict for name, verdict in wanted.items() if name not in undecided
        }
    assert undecided == {"UC2.7-05-BUTTON@HAN Device", "UC2.7-05-CLOSED@ESI", "UC2.7-06-AUTHORISED@ESI"}


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
