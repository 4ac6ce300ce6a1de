"""The command line: what each subcommand prints, and that whatever is wrong is one clear line and the right exit code."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from dissectors.capture import CapturedFrame, write_pcapng
from harness.cli import main
from harness.commands.run import project as project_arguments
from harness.commands.run import runs
from harness.errors import BenchError
from harness.tests.small_run import ROOT, python, write_project

MESSAGES = Path(__file__).parents[2] / "fixtures" / "cim" / "messages"
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


@pytest.mark.parametrize("given", [
    CODE, "83fe-d340-7a93-9723-a5c6-39b2-6916-d505-c3b5", "83FE D340 7A93 9723 A5C6 39B2 6916 D505 C3B5", "@code", "@from-windows",
    "env:ITS_CODE",
])
@pytest.mark.parametrize("quoted", [True, False])
def test_key_prints_the_link_key(
    given: str, quoted: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("ITS_CODE", CODE)
    (tmp_path / "code").write_text(CODE + "\n")
    (tmp_path / "from-windows").write_bytes(b"\xef\xbb\xbf" + CODE.encode() + b"\r\n")
    assert main(["key", *([given] if quoted else given.split())]) == 0
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
    (["cim", "check", "--now", "noon", "x.xml"], "--now: 'noon' is no instant with its zone; right would be one as 2026-"),
    (["cim", "check", "--now", "2026-01-15T12:00:00", "x.xml"], "is no instant with its zone"),
    (["cim", "check", "--now", "9999-12-31T23:59:59-14:00", "x.xml"], "is no instant with its zone"),
    (["cim", "check", "x\0.xml"], "cannot be read: embedded null byte"),
    (["cim", "code", "19.10.73"], "'19.10.73' is not four numbers"),
    (["plan", "--table", "no.such.table"], "clause table no.such.table"),
    (["plan", "--table", ""], "clause table : "),
    (["plan", "--table", ".relative"], "clause table .relative: "),
    (["plan", "--table", "json"], "clause table json: has not steps, clauses and find"),
    (["decode", "x" * 300], "neither a file nor hex"),
    (["judge", "x" * 300], "not the folder of a finished run"),
    (["report", __file__], "not the folder of a finished run"),
    (["judge", sys.executable], "not the folder of a finished run"),
    (["decode", str(Path(__file__).parent)], "Is a directory"),
    (["key", "@/dev/zero"], "/dev/zero: has more than 262144 octets"),
    (["decode", "--key", "nwk:@/", BEACON_REQUEST], "/: cannot be read: Is a directory"),
])
def test_what_is_wrong_is_one_line(arguments: list[str], said: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(arguments) == 4
    out, (error,) = lines(capsys)
    assert out == []
    assert error.startswith("hanproof: ")
    assert said in error


@pytest.mark.parametrize("content", [b"latest", b"\xff\xfe", b"a\0b", b"..", b""])
def test_a_pointer_that_leads_nowhere(
    content: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "pytest.ini").write_text("[pytest]\n")
    (tmp_path / "reports" / "runs").mkdir(parents=True)
    (tmp_path / "reports" / "runs" / "latest").write_bytes(content)
    assert main(["judge"]) == 4
    _, (error,) = lines(capsys)
    assert error.endswith("not the folder of a finished run; right would be one that holds verdicts.json")


def test_wrong_usage_is_exit_code_4(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["no-such-command"]) == 4
    assert main([]) == 4
    assert main(["--help"]) == 0
    capsys.readouterr()


@pytest.mark.parametrize(("fault", "code", "said"), [
    (BenchError("the radio is gone"), 4, "hanproof: the radio is gone"), (KeyboardInterrupt(), 2, "hanproof: interrupted"),
    (OSError(28, "No space left on device", "/full/page"), 8, "hanproof: /full/page: No space left on device"),
    (OSError(28, "No space left on device"), 8, "hanproof: the output: No space left on device"),
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


@pytest.mark.parametrize(("redirected", "code"), [("| head -1", 2), ("> /dev/full", 8), (">&-", 0)])
def test_who_does_not_take_our_output_gets_no_traceback(redirected: str, code: int, tmp_path: Path) -> None:
    """A judgement that nobody has seen to its end is none: closing the pipe never reads as "the same verdicts"."""
    path = tmp_path / "air.pcapng"
    write_pcapng(path, [CapturedFrame(number, float(number), 195, bytes.fromhex(TRANSPORT_KEY)) for number in range(2000)])
    command = f"set -o pipefail; {sys.executable} -m harness.cli decode {path} {redirected}"
    done = subprocess.run(["bash", "-c", command], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == code
    assert len(done.stderr.splitlines()) == (1 if code == 8 else 0)


@pytest.mark.parametrize("given", [
    TRANSPORT_KEY, " ".join(TRANSPORT_KEY[at:at + 2] for at in range(0, len(TRANSPORT_KEY), 2)),
    ":".join(TRANSPORT_KEY[at:at + 2] for at in range(0, len(TRANSPORT_KEY), 2)).upper(),
    " " * 300 + TRANSPORT_KEY,  # no file has so long a name
])
@pytest.mark.parametrize("quoted", [True, False])
def test_decode_takes_hex_as_it_is_copied(given: str, quoted: bool, capsys: pytest.CaptureFixture[str]) -> None:
    key = "link:" + ":".join(LINK_KEY[at:at + 2] for at in range(0, 32, 2))
    assert main(["decode", "--key", key, *([given] if quoted else given.split())]) == 0
    assert lines(capsys)[0][0].endswith("Transport-Key (network key)")


def test_decode_a_frame_in_words_and_as_json(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["decode", "--no-fcs", BEACON_REQUEST]) == 0
    assert main(["decode", "--no-fcs", "--json", BEACON_REQUEST]) == 0
    (words, text), _ = lines(capsys)
    assert words.endswith("  Beacon Request")
    shown = json.loads(text)
    assert {name: shown[name] for name in ("frame", "link_type", "fcs", "layers", "malformed")} == {
        "frame": 1, "link_type": 230, "fcs": "absent", "layers": ["mac"], "malformed": None,
    }
    assert list(shown) == [
        "frame", "time", "link_type", "fcs", "layers", "mac", "nwk", "aps", "zdp", "zcl", "security", "malformed",
    ]
    assert [name for name in shown if shown[name] is None] == ["nwk", "aps", "zdp", "zcl", "malformed"]
    assert shown["security"] == {"nwk": None, "aps": None}


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
    assert told["verdict"] == told["findings"][0]["verdict"] == "fail"


def test_cim_check_takes_messages_and_exchanges_alike(capsys: pytest.CaptureFixture[str]) -> None:
    good, bad = MESSAGES / "good", MESSAGES / "bad"
    files = [good / "linkage-step-14.xml", good / "provisioning.exchange.yaml", bad / "reply-correlation--in-capitals.exchange.yaml"]
    assert main(["cim", "check", *map(str, files)]) == 1
    out, _ = lines(capsys)
    assert out[:2] == [f"{files[0]}: right", f"{files[1]}: right"]
    assert out[2].startswith(f"{files[2]}: fail: sequence reply-correlation: ")
    assert main(["cim", "check", "--json", str(files[1]), str(files[2])]) == 1
    right, wrong = (json.loads(line) for line in lines(capsys)[0])
    assert right == {"file": str(files[1]), "verdict": "pass", "findings": []}
    (finding,) = wrong["findings"]
    assert set(finding) == {"verdict", "layer", "rule", "path", "message"}
    assert (wrong["verdict"], finding["path"], finding["rule"]) == ("fail", "2", "reply-correlation")


@pytest.mark.parametrize(("arguments", "code", "verdict", "rules"), [
    (["good/linkage-step-14.xml"], 0, "pass", []),
    (["good/linkage-step-14.xml", "--now", "2026-01-15T12:01:00Z"], 0, "pass", []),
    (["good/linkage-step-14.xml", "--now", "2026-01-15T15:00:00+01:00"], 1, "fail", ["freshness"]),
    (["good/window-for-an-untold-type.xml"], 0, "pass", ["device-type"]),
    (["good/2008/window-refused-generic.xml"], 0, "pass", []),
    (["good/2008/window-refused-generic.xml", "--profile", "2011"], 1, "fail", ["namespace"]),
    (["bad/2018/uuid--without-hyphens.xml"], 0, "pass", []),
    (["bad/2018/uuid--without-hyphens.xml", "--profile", "2018"], 1, "fail", ["uuid"]),
    (["bad/payload-unknown--another-noun.xml"], 6, "inconc", ["payload-unknown"]),
])
def test_cim_check_by_profile_and_time(
    arguments: list[str], code: int, verdict: str, rules: list[str], capsys: pytest.CaptureFixture[str],
) -> None:
    path = str(MESSAGES / arguments[0])
    assert main(["cim", "check", "--json", path, *arguments[1:]]) == code
    (line,), errors = lines(capsys)
    told = json.loads(line)
    assert (told["file"], told["verdict"], [each["rule"] for each in told["findings"]]) == (path, verdict, rules)
    assert all(each.keys() == {"verdict", "layer", "rule", "path", "message"} for each in told["findings"])
    assert errors == []


def test_cim_check_of_several_files_ends_with_the_worst(capsys: pytest.CaptureFixture[str]) -> None:
    names = ("good/linkage-step-14.xml", "bad/payload-unknown--another-noun.xml")
    assert main(["cim", "check", *(str(MESSAGES / name) for name in names)]) == 6
    out, _ = lines(capsys)
    assert out[0].endswith("linkage-step-14.xml: right")
    assert ": inconc: semantic payload-unknown: " in out[1]


def test_cim_check_reads_a_pipe_once(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    for name in ("window-accepted.xml", "provisioning.exchange.yaml"):
        writing = threading.Thread(target=pipe.write_bytes, args=((MESSAGES / "good" / name).read_bytes(),))
        writing.start()
        assert main(["cim", "check", str(pipe)]) == 0
        writing.join()
        assert lines(capsys)[0] == [f"{pipe}: right"]


def test_cim_code_by_the_names_of_its_parts(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["cim", "code", "19.10.73.298", "7.10.73.39"]) == 0
    assert lines(capsys)[0] == ["19.10.73.298 PROG_CTL_THERMOSTAT.PAIRING.WINDOW.OPEN", "7.10.73.39 PAN_GATEWAY.PAIRING.WINDOW.OPENED"]
    assert main(["cim", "code", "99.10.73.298"]) == 1
    assert lines(capsys)[0] == ["99.10.73.298 99.PAIRING.WINDOW.OPEN: 99 is no device type of the table"]


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_project(tmp_path_factory.mktemp("small"))


def test_run_judge_and_report(project: Path) -> None:
    ran = python(project, "harness.cli", "run", "--run-dir", "reports/runs/one", "--", "-k", "not broken")
    assert ran.returncode == 7
    assert "[38/38] 4 error, 4 fail, 14 inconc, 8 none, 8 pass" in ran.stdout
    assert "step_06.py ." not in ran.stdout
    judged = python(project, "harness.cli", "judge", "--table", "small_table")
    assert judged.returncode == 0, judged.stdout
    assert judged.stdout.endswith("one: 38 cases judged again: the same verdicts\n")
    trace = project / "reports/runs/one/scenarios/step_06-fail-pct/trace.jsonl"
    trace.write_text(trace.read_text().replace(b"bad".hex(), b"good".hex()))
    changed = python(project, "harness.cli", "judge", "one", "--table", "small_table")
    assert changed.returncode == 8
    assert "step_06.py::test_fail[pct]: verdict was fail, is pass" in changed.stdout
    assert changed.stdout.endswith("one: 38 cases judged again: 1 differ, 1 file(s) changed\n")


def test_a_run_begun_elsewhere_runs_what_it_is_told_and_is_found_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Where the current folder is no project it is the project of this package: its cases unless some are named, its runs."""
    monkeypatch.chdir(tmp_path)
    named = [f"{ROOT / 'cases' / 'step_10_state_reported.py'}::test_it"]
    assert project_arguments(["-k", "price"]) == [*project_arguments(named), str(ROOT / "cases")]
    assert project_arguments(named) == [f"--config-file={ROOT / 'pytest.ini'}", f"--rootdir={ROOT}"]
    assert runs() == ROOT / "reports" / "runs"
    (tmp_path / "pytest.ini").write_text("[pytest]\n")
    assert (project_arguments(), runs()) == ([], Path("reports/runs"))


def test_plan_shows_what_the_use_case_leaves_open() -> None:
    told = subprocess.run([sys.executable, "-m", "harness.cli", "plan"], cwd=ROOT, capture_output=True, text=True, timeout=120, check=True)
    clauses = {line.split()[0]: line for line in told.stdout.splitlines() if line.startswith("    UC2.7-")}
    assert clauses["UC2.7-03-RECEIVER@AMI"].endswith(" cases, open item")
    assert clauses["UC2.7-03-TARGET@AMI"].endswith(" cases")
    assert "NO CASE" not in told.stdout


def test_plan_lists_what_would_be_asked_and_runs_nothing(project: Path) -> None:
    before = sorted(project.rglob("reports/runs/*"))
    told = python(project, "harness.cli", "plan", "--table", "small_table", "--json")
    plan = json.loads(told.stdout)
    assert len(plan["cases"]) == 38
    (fails,) = (case for case in plan["cases"] if case["id"] == "step_06.py::test_fail[pct]")
    assert (fails["title"], fails["step"], fails["device"], fails["clauses"]) == ("fail", "6", "pct", ["UC2.7-06-WORD@ESI"])
    asked = {clause["clause"]: len(clause["cases"]) for clause in plan["clauses"]}
    assert asked["UC2.7-01-KEY@ESI"] == 2
    assert python(project, "harness.cli", "plan", "--bench", "nix.yaml").returncode == 4
    assert sorted(project.rglob("reports/runs/*")) == before
