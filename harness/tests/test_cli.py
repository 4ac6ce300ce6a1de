"""The command line: what each subcommand prints, and that whatever is wrong is one clear line and the right exit code."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from dissectors.capture import CapturedFrame, write_pcapng
from harness.cli import main
from harness.errors import BenchError
from harness.tests.small_run import python, write_project

CODE = "83FED3407A939723A5C639B26916D505C3B5"  # AN708, clause 12
LINK_KEY = "66b6900981e1ee3ca4206b6b861c02bb"
BEACON_REQUEST = "03080affffffff07"  # without FCS: IEEE 802.15.4-2006, 7.3.7
TRANSPORT_KEY = (  # network key under the key-transport key of the install code above
    "618801621a341200004800341200001e0121013001000000010000000000000099843c08592c40492fc7073941962e4a06e2dcb5b03bb4434e91"
    "ebb3b70c166aa09af544c83c7841df"
)


def lines(capsys: pytest.CaptureFixture[str]) -> tuple[list[str], list[str]]:
    captured = capsys.readouterr()
    return captured.out.splitlines(), captured.err.splitlines()


@pytest.mark.parametrize("given", [CODE, "83fe-d340-7a93-9723-a5c6-39b2-6916-d505-c3b5", "@code", "env:ITS_CODE"])
def test_key_prints_the_link_key(
    given: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("ITS_CODE", CODE)
    (tmp_path / "code").write_text(CODE + "\n")
    assert main(["key", given]) == 0
    assert lines(capsys) == ([LINK_KEY], [])


@pytest.mark.parametrize(("arguments", "said"), [
    (["key", CODE[:-4] + "B5C3"], "in the wrong order"),
    (["key", CODE[:-2]], "install code: "),
    (["key", "@nowhere"], "nowhere: cannot be read: No such file or directory"),
    (["key", "env:NO_SUCH_NAME"], "the environment has no NO_SUCH_NAME"),
    (["decode", "nowhere.pcap"], "neither a file nor hex"),
    (["decode", ""], "an empty frame"),
    (["decode", "--key", "mac:00", BEACON_REQUEST], "--key: right would be nwk:KEY or link:KEY"),
    (["decode", "--key", "nwk:00", BEACON_REQUEST], "--key nwk: has 1 octets; right would be 16"),
    (["decode", "--key", "link:xy", BEACON_REQUEST], "--key link: not hex"),
    (["decode", __file__], "neither pcap nor pcapng"),
    (["judge", "nowhere"], "nowhere: not the folder of a finished run"),
    (["report", "nowhere"], "nowhere: not the folder of a finished run"),
    (["cim", "check", "nowhere.xml"], "nowhere.xml: cannot be read"),
    (["plan", "--table", "no.such.table"], "clause table no.such.table"),
])
def test_what_is_wrong_is_one_line(arguments: list[str], said: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(arguments) == 4
    out, (error,) = lines(capsys)
    assert out == []
    assert error.startswith("hanproof: ")
    assert said in error


def test_wrong_usage_is_exit_code_4(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["no-such-command"]) == 4
    assert main([]) == 4
    assert main(["--help"]) == 0
    capsys.readouterr()


@pytest.mark.parametrize(("fault", "code", "said"), [
    (BenchError("the radio is gone"), 4, "hanproof: the radio is gone"), (KeyboardInterrupt(), 2, "hanproof: interrupted"),
    (ZeroDivisionError("bug"), 3, "hanproof: internal error: ZeroDivisionError: bug"),
])
def test_whatever_happens_is_one_line(
    fault: BaseException, code: int, said: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str],
) -> None:
    def run(arguments: object) -> int:
        raise fault

    monkeypatch.setattr("harness.commands.key.run", run)
    assert main(["key", CODE]) == code
    _, (error,) = lines(capsys)
    assert error.startswith(said)


def test_decode_a_frame_in_words_and_as_json(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["decode", "--no-fcs", BEACON_REQUEST]) == 0
    assert main(["decode", "--no-fcs", "--json", BEACON_REQUEST]) == 0
    (words, text), _ = lines(capsys)
    assert words.endswith("  Beacon Request")
    shown = json.loads(text)
    assert {name: shown[name] for name in ("frame", "link_type", "fcs", "layers", "malformed")} == {
        "frame": 1, "link_type": 230, "fcs": "absent", "layers": ["mac"], "malformed": None,
    }


@pytest.mark.parametrize("option", [["--install-code", CODE], ["--key", f"link:{LINK_KEY}"], []])
def test_decode_opens_what_it_has_the_key_of(option: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["decode", "--json", *option, TRANSPORT_KEY]) == 0
    (text,), _ = lines(capsys)
    assert json.loads(text)["security"]["aps"] == ("ok" if option else "no-key")
    assert "01030507090b0d0f00020406080a0c0d" not in text  # the network key inside


def test_decode_uses_the_key_file_beside_a_capture(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    octets = enumerate((TRANSPORT_KEY, BEACON_REQUEST), start=1)
    frames = [CapturedFrame(number, 1000.0 + number, 195, bytes.fromhex(each)) for number, each in octets]
    write_pcapng(tmp_path / "air.pcapng", frames)
    assert main(["decode", str(tmp_path / "air.pcapng")]) == 0
    (tmp_path / "zigbee_pc_keys").write_text(f'"{LINK_KEY}","Normal","ic"\n')
    assert main(["decode", str(tmp_path / "air.pcapng")]) == 0
    (sealed, _, opened, bad), _ = lines(capsys)
    assert "no-key" in sealed
    assert "Transport-Key (network key)" in opened
    assert "bad FCS" in bad


def test_decode_tells_what_it_read_before_a_capture_breaks_off(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "air.pcapng"
    write_pcapng(path, [CapturedFrame(number, float(number), 195, bytes.fromhex(TRANSPORT_KEY)) for number in (1, 2)])
    path.write_bytes(path.read_bytes()[:-20])
    assert main(["decode", str(path)]) == 4
    out, (error,) = lines(capsys)
    assert len(out) == 1
    assert error.startswith(f"hanproof: {path}: packet 2: ")


def test_cim_check_names_every_rule_that_is_broken(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "bad.xml").write_text("<Message/>")
    assert main(["cim", "check", str(tmp_path / "bad.xml")]) == 1
    assert main(["cim", "check", "--json", str(tmp_path / "bad.xml")]) == 1
    out, _ = lines(capsys)
    assert out[0].startswith(f"{tmp_path}/bad.xml: fail: ")
    told = json.loads(out[-1])
    assert told["file"] == f"{tmp_path}/bad.xml"
    assert told["findings"][0]["verdict"] == "fail"


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_project(tmp_path_factory.mktemp("small"))


def test_run_judge_and_report(project: Path) -> None:
    ran = python(project, "harness.cli", "run", "--run-dir", "reports/runs/one", "--", "-k", "not broken")
    assert ran.returncode == 7
    assert "[36/36] 4 error, 4 fail, 14 inconc, 6 none, 8 pass" in ran.stdout
    assert "step_06.py ." not in ran.stdout
    judged = python(project, "harness.cli", "judge", "--table", "small_table")
    assert judged.returncode == 0, judged.stdout
    assert judged.stdout.endswith("one: 36 cases judged again: the same verdicts\n")
    trace = project / "reports/runs/one/scenarios/step_06-fail-pct/trace.jsonl"
    trace.write_text(trace.read_text().replace(b"bad".hex(), b"good".hex()))
    changed = python(project, "harness.cli", "judge", "one", "--table", "small_table")
    assert changed.returncode == 8
    assert "step_06.py::test_fail[pct]: verdict was fail, is pass" in changed.stdout
    assert changed.stdout.endswith("one: 36 cases judged again: 1 differ\n")


def test_plan_lists_what_would_be_asked_and_runs_nothing(project: Path) -> None:
    before = sorted(project.rglob("reports/runs/*"))
    told = python(project, "harness.cli", "plan", "--table", "small_table", "--json")
    plan = json.loads(told.stdout)
    assert len(plan["cases"]) == 36
    (fails,) = (case for case in plan["cases"] if case["id"] == "step_06.py::test_fail[pct]")
    assert (fails["title"], fails["step"], fails["device"], fails["clauses"]) == ("fail", "6", "pct", ["UC2.7-06-WORD@ESI"])
    asked = {clause["clause"]: len(clause["cases"]) for clause in plan["clauses"]}
    assert asked["UC2.7-01-KEY@ESI"] == 2
    assert python(project, "harness.cli", "plan", "--bench", "nix.yaml").returncode == 4
    assert sorted(project.rglob("reports/runs/*")) == before
