"""The evidence of scenarios and runs: written once, the same every time, read back complete, secrets withheld, judged again."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from functools import partial
from pathlib import Path
from xml.etree import ElementTree

import pytest

from dissectors.capture import read_capture
from harness.commands import judge as judging
from harness.declarations import read_device
from harness.errors import InputError
from harness.evidence.junit import write_junit
from harness.evidence.rejudge import rejudge
from harness.evidence.results import CaseResult, Results
from harness.evidence.run_folder import LATEST, close_run, find_run
from harness.evidence.scenario import CAPTURE, KEYS, TRACE, read_scenario, write_scenario
from harness.evidence.sums import FILE as SUMS
from harness.evidence.sums import changed
from harness.judge import concluded, judge, merged
from harness.tests.small_run import BENCH, python, write_project
from harness.tests.test_withheld import CODE, LINK_KEY
from harness.trace import Attestation, Header, Key, Trace
from harness.usecase import Actor, Clause, Order, Point
from harness.values import DeviceType, Eui64
from harness.verdict import Finding, Verdict, failed, passed

DEVICE = Eui64(0x00124B0001020304)
DEVICE_FILE = f"name: pct\ntype: pct\npixit: {{eui64: {DEVICE}, install_code: {{env: ITS_CODE}}}}\n"


def trace() -> Trace:
    made = Trace(Header(order=Order(DEVICE, DeviceType.PCT, CODE), epoch="2026-01-15T12:00:00+00:00", scenario="joins", seed=3))
    made.attest(Attestation(Point.MAC, "air", 0.0, 9.0))
    made.learn(Key("ic", LINK_KEY, DEVICE))
    made.learn(Key("nwk", bytes(range(16))))
    made.learn(Key("ephemeral", bytes(range(21)), DEVICE))
    ends = ("DR Application", "AMI Head-End")
    made.append(1.0, Point.CIM, "cim", f"<key>{CODE.hex().upper()}</key>".encode(), *ends, about={"status": 200})
    made.append(2.0, Point.LEG, "leg", b"\x01" + LINK_KEY + b"\x02", "NIC", "ESI")
    made.append(3.25, Point.MAC, "air", bytes.fromhex("0300aaffff3412"), "HAN Device", fate="lost", about={"channel": 15})
    made.append(3.5, Point.MAC, "air", bytes.fromhex("0300abffff3412"), "HAN Device", about={"channel": 15})
    return made


def test_a_scenario_reads_back_as_it_was(tmp_path: Path) -> None:
    path = write_scenario(tmp_path, "joins", trace())
    read = read_scenario(tmp_path / path)
    written = trace()
    assert read.header == written.header
    assert read.header.order.key_material == CODE
    assert (read.exchanges, read.attestations, read.keys) == (written.exchanges, written.attestations, written.keys)
    assert [file.name for file in (tmp_path / path / "cim").iterdir()] == ["001-dr_application-ami_head-end.xml"]


def test_a_scenario_is_written_once(tmp_path: Path) -> None:
    write_scenario(tmp_path, "joins", trace())
    grown = trace()
    grown.append(9.0, Point.LEG, "leg", b"later")
    write_scenario(tmp_path, "joins", grown)
    assert len(read_scenario(tmp_path / "scenarios" / "joins")) == 4
    assert [folder.name for folder in (tmp_path / "scenarios").iterdir()] == ["joins"]


def test_what_is_withheld_is_covered_in_what_the_medium_adds(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An address to reply to, a header, a flaw: a system under test may write the key into any of them."""
    monkeypatch.setenv("ITS_CODE", CODE.hex())
    (tmp_path / "pct.yaml").write_text(DEVICE_FILE)
    device, told = read_device(tmp_path / "pct.yaml"), trace()
    about = {"address": f"http://dr/{CODE.hex()}", "transport": {"headers": {"x-key": LINK_KEY.hex()}, "status": 200}, "flaw": "none"}
    told.append(9.0, Point.CIM, "cim", b"<a/>", about=about)
    folder = tmp_path / write_scenario(tmp_path, "joins", told, device.confidential)
    shown = (folder / TRACE).read_text()
    assert not any(secret.hex() in shown for secret in (CODE, LINK_KEY))
    assert read_scenario(folder, device).exchanges[-1].about == about


def test_confidential_keys_reach_no_file_and_come_back_with_the_device_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("ITS_CODE", CODE.hex())
    (tmp_path / "pct.yaml").write_text(DEVICE_FILE)
    device = read_device(tmp_path / "pct.yaml")
    folder = tmp_path / write_scenario(tmp_path, "joins", trace(), device.confidential)
    for file in (path for path in folder.rglob("*") if path.is_file()):
        shown = file.read_bytes().lower()
        for each in (CODE, LINK_KEY):
            digits = each.hex().encode()
            assert not any(written in shown for written in (each, digits, digits.hex().encode(), digits.upper().hex().encode()))
    without, back = read_scenario(folder), read_scenario(folder, device)
    assert (without.header.order.key_material, without.keys) == (b"", trace().keys[1:])
    assert back.header.order.key_material == CODE
    assert back.exchanges == trace().exchanges
    assert set(back.keys) == set(trace().keys)


def test_an_order_with_another_key_keeps_it_when_the_withheld_ones_come_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A case may order a key of its own making: the device's is not what was ordered."""
    monkeypatch.setenv("ITS_CODE", CODE.hex())
    (tmp_path / "pct.yaml").write_text(DEVICE_FILE)
    device = read_device(tmp_path / "pct.yaml")
    other = trace()
    other.header = replace(other.header, order=replace(other.header.order, key_material=bytes(18)))
    other.learn(Key("static", LINK_KEY, Eui64(1)))
    back = read_scenario(tmp_path / write_scenario(tmp_path, "other", other, device.confidential), device)
    assert back.header.order.key_material == bytes(18)
    assert set(back.keys) == set(other.keys)


@pytest.mark.parametrize(("file", "content", "said"), [
    (TRACE, None, "cannot be read"), (TRACE, "{}\n", "trace.jsonl:1: not a line"), (TRACE, "", "empty"),
    (TRACE, "[]\n", "trace.jsonl:1: not a line"), (KEYS, "# withheld ic - \n", "line 1: right would be"),
    (KEYS, None, "cannot be read"), (KEYS, "one,two\n", "line 1"),
    (KEYS, "# ordered install_code x y\n", "line 1: right would be"),
])
def test_evidence_that_cannot_be_read_is_named(tmp_path: Path, file: str, content: str | None, said: str) -> None:
    folder = tmp_path / write_scenario(tmp_path, "joins", trace())
    (folder / file).unlink()
    if content is not None:
        (folder / file).write_text(content)
    with pytest.raises(InputError, match=said):
        read_scenario(folder)


# -- a run


def asked(trace: Trace, word: bytes = b"\x03\x00") -> list[Finding]:
    frames = [exchange for exchange in trace.at(Point.MAC) if exchange.octets.startswith(word)]
    return [passed("it asks", frames[0].number)] if frames else [failed("silent", expected="a request", observed="nothing")]


CLAUSE = Clause("UC2.7-05-ASKS", "", "UC", "", {Actor.HAN_DEVICE: (lambda trace: iter(asked(trace)),)})


def test_what_the_run_left_is_known_by_its_sums(run: Path) -> None:
    assert list(changed(run)) == []
    (run / "scenarios" / "joins" / "ladder.txt").write_text("drawn later")
    assert list(changed(run)) == []
    files = [path for path in run.rglob("*") if path.is_file() and path.name not in (SUMS, "ladder.txt")]
    assert {path.name for path in files} >= {TRACE, KEYS, CAPTURE, "verdicts.json", "junit.xml"}
    for path in files:
        content, name = path.read_bytes(), path.relative_to(run)
        path.write_bytes(content + b"\n")
        assert list(changed(run)) == [f"{name}: is not as the run left it"]
        path.unlink()
        assert list(changed(run)) == [f"{name}: is missing"]
        path.write_bytes(content)
    (run / "scenarios" / "joins" / "cim" / "999.xml").write_text("<later/>")
    assert list(changed(run)) == ["scenarios/joins/cim/999.xml: was not there when the run ended"]


@pytest.mark.parametrize(("content", "said"), [
    (None, "cannot be read"), (b"\xff", "not a text file"), (b"12  verdicts.json\n", "SHA256SUMS:1: right would be"),
])
def test_sums_that_cannot_be_read_are_named(run: Path, content: bytes | None, said: str) -> None:
    (run / SUMS).unlink()
    if content is not None:
        (run / SUMS).write_bytes(content)
    with pytest.raises(InputError, match=said):
        list(changed(run))


@pytest.fixture
def run(tmp_path: Path) -> Path:
    folder = tmp_path / "runs" / "one"
    judgements = judge(trace(), [CLAUSE])
    verdict, reason = concluded(merged(judgements))
    finding = {"clause": judgements[0].id, "scenario": "joins", **judgements[0].findings[0].as_dict()}
    broken = {**finding, "clause": "", "verdict": "inconc", "message": "odd \x00 end", "evidence": []}
    cases = [
        CaseResult("cases/step_05.py::test_it[pct]", "it", "5", "pct", (judgements[0].id,), verdict, reason, (finding,),
                   (write_scenario(folder, "joins", trace()),), place=2),
        CaseResult("cases/step_05.py::test_broken[pct]", "broken", "5", "pct", (judgements[0].id,), Verdict.INCONC,
                   broken["message"], (broken,), (write_scenario(folder, "broken", trace()),), place=1,
                   unjudged=("scenarios/broken",)),
    ]
    close_run(folder, Results.of(cases, {"name": "small", "devices": {"pct": {}}}, {"id": "one"}))
    return folder


def test_verdicts_read_back_and_stand_in_the_order_of_collection(run: Path) -> None:
    results = Results.read(run)
    assert [case.title for case in results.cases] == ["broken", "it"]
    assert json.loads((run / "verdicts.json").read_text()) == json.loads(json.dumps(results.as_dict()))
    assert results.totals == {"cases": 2, "pass": 1, "inconc": 1, "fail": 0, "error": 0, "not_applicable": 0}
    assert (results.step("5"), results.steps()["6"]) == (Verdict.INCONC, Verdict.NONE)
    assert results.clauses()["UC2.7-05-ASKS@HAN Device"]["verdict"] == "pass"


def test_the_capture_carries_findings_on_the_frames_they_are_about(run: Path) -> None:
    first, second = read_capture(run / "scenarios" / "joins" / CAPTURE)
    assert first.comment == "exchange 3\nlost\nUC2.7-05-ASKS@HAN Device pass: it asks"
    assert (second.comment, second.octets.hex()) == ("exchange 4", "0300abffff3412")
    assert second.time - first.time == pytest.approx(0.25)


def test_junit_is_xml_whatever_a_device_says(run: Path) -> None:
    (case,) = ElementTree.parse(run / "junit.xml").findall(".//testcase[error]")
    error = case.find("error")
    assert error is not None
    assert (error.get("type"), error.get("message")) == ("inconclusive", "odd \ufffd end")
    assert (case.get("classname"), case.get("name")) == ("cases.step_05", "test_broken[pct]")


def test_latest_points_at_the_run(run: Path) -> None:
    assert find_run(None, run.parent).resolve() == run
    assert find_run("one", run.parent) == run
    (run.parent / LATEST).unlink()
    (run.parent / LATEST).write_text("one\n")  # as where links cannot be made
    assert find_run(None, run.parent) == run
    with pytest.raises(InputError, match="not the folder of a finished run"):
        find_run("two", run.parent)


def test_a_run_judged_again_gives_the_same(run: Path) -> None:
    assert [each.same for each in rejudge(run, Results.read(run), lambda name: CLAUSE)] == [True, True]


def test_several_processes_judge_as_one_does(run: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(judging, "PART", 1)
    again = partial(rejudge, run, clause=lambda name: CLAUSE)
    alone, shared = (list(judging._shared_out(again, Results.read(run), jobs)) for jobs in (1, 2))
    assert [each.recorded.id for each in shared] == [case.id for case in Results.read(run).cases]
    assert alone == shared


def test_evidence_that_was_changed_gives_another_verdict(run: Path) -> None:
    path = run / "scenarios" / "joins" / TRACE
    path.write_text(path.read_text().replace('"0300a', '"0200a'))
    broken, other = rejudge(run, Results.read(run), lambda name: CLAUSE)
    assert broken.same
    assert not other.same
    assert list(other.differences()) == [
        "verdict was pass, is fail",
        "no longer found: UC2.7-05-ASKS@HAN Device pass: it asks (joins)",
        "newly found: UC2.7-05-ASKS@HAN Device fail: silent (joins)",
    ]


def test_a_verdict_that_was_changed_is_found_out(run: Path) -> None:
    results = Results.read(run)
    better = replace(results, cases=tuple(replace(case, verdict=Verdict.PASS, reason="") for case in results.cases))
    assert [each.same for each in rejudge(run, better, lambda name: CLAUSE)] == [False, True]
    bare = replace(better, cases=tuple(replace(case, evidence=(), findings=()) for case in better.cases))
    assert [each.now.verdict for each in rejudge(run, bare, lambda name: CLAUSE)] == [Verdict.INCONC, Verdict.INCONC]


def test_evidence_outside_the_run_is_not_read(run: Path) -> None:
    results = Results.read(run)
    outside = replace(results, cases=(replace(results.cases[1], evidence=("../../elsewhere",)),))
    with pytest.raises(InputError, match="outside the run"):
        list(rejudge(run, outside, lambda name: CLAUSE))
    two = replace(outside, cases=outside.cases * (judging.PART + 1))
    with pytest.raises(InputError, match="outside the run"):
        list(judging._shared_out(partial(rejudge, run, clause=lambda name: CLAUSE), two, 2))


@pytest.mark.parametrize(("path", "value"), [
    (("cases", 0), 1), (("cases", 0, "step"), {}), (("cases", 0, "clauses"), [1]), (("cases", 0, "evidence"), [None]),
    (("cases", 0, "findings", 0), True), (("cases", 0, "findings", 0, "verdict"), "good"),
    (("cases", 0, "findings", 0, "evidence"), ["x"]), (("bench",), 1), (("bench", "devices"), [[]]), (("run",), None),
])
def test_verdicts_of_another_shape_are_named(run: Path, path: tuple[str | int, ...], value: object) -> None:
    told = json.loads((run / "verdicts.json").read_text())
    inner = told
    for name in path[:-1]:
        inner = inner[name]
    inner[path[-1]] = value
    (run / "verdicts.json").write_text(json.dumps(told))
    with pytest.raises(InputError, match="not the verdicts of a run"):
        Results.read(run)


@pytest.mark.parametrize(("content", "said"), [
    ("{}", "not the verdicts of a run"), ("[", "not the verdicts of a run"), ('{"schema": "x"}', "schema is 'x'"),
    (None, "cannot be read"),
])
def test_a_folder_that_holds_no_run_is_named(tmp_path: Path, content: str | None, said: str) -> None:
    if content is not None:
        (tmp_path / "verdicts.json").write_text(content)
    with pytest.raises(InputError, match=said):
        Results.read(tmp_path)


def test_an_empty_run_is_written_too(tmp_path: Path) -> None:
    results = Results.of([], {"name": "small", "devices": {}}, {})
    write_junit(results, tmp_path)
    assert ElementTree.parse(tmp_path / "junit.xml").getroot().get("tests") == "0"


LOOSE = """
import pytest
from small_table import clause

@pytest.fixture
def careless(device):
    print(device.link_key)
    raise RuntimeError(f"cannot set up {device.link_key.hex(' ')}")

@clause("06-WORD")
def test_setup(careless, verify):
    verify(None)

def explode(key):
    raise RuntimeError(f"{key} is no key")

@clause("06-WORD")
def test_call(bench, device, verify):
    print(device.key.octets.hex())
    explode(device.link_key)
"""


def test_a_key_that_somebody_else_shows_is_shown_nowhere(tmp_path: Path) -> None:
    """An adapter may print a key or raise with one; pytest shows what functions were called with, Allure what was printed."""
    project = write_project(tmp_path, LOOSE, bench=BENCH.replace("[pct.yaml, load_control.yaml]", "[pct.yaml]"))
    (project / "pct.yaml").write_text(DEVICE_FILE)
    ran = python(project, "pytest", "--run-dir=one", "--tb=long", "--showlocals", ITS_CODE=CODE.hex())
    assert ran.returncode == 7, ran.stdout
    assert "RuntimeError: b'*" in ran.stdout
    files = [path.read_text(encoding="latin-1") for path in (project / "one").rglob("*") if path.is_file()]
    assert any("is no key" in text for text in files)
    for text in (ran.stdout, ran.stderr, *files):
        for secret in (CODE, LINK_KEY):
            for written in (secret.hex(), secret.hex(" "), repr(secret)[2:-1], repr(secret)[2:-1].replace("\\", "\\\\")):
                assert written not in text.lower()


def test_a_whole_run_with_confidential_keys(tmp_path: Path) -> None:
    """From the device file to `hanproof judge`: the code in no file, the verdicts the same once it is given again."""
    project = write_project(tmp_path, bench=BENCH.replace("[pct.yaml, load_control.yaml]", "[pct.yaml]"))
    (project / "pct.yaml").write_text(DEVICE_FILE)
    arguments = ("pytest", "-q", "--run-dir=one", "-k", "test_pass or test_fail")
    assert python(project, *arguments, ITS_CODE=CODE.hex()).returncode == 1
    for file in (path for path in (project / "one").rglob("*") if path.is_file()):
        assert CODE.hex() not in file.read_text(encoding="latin-1").lower(), file
    judged = ("harness.cli", "judge", "one", "--table", "small_table")
    without = python(project, *judged)
    assert (without.returncode, "the key of pct was withheld" in without.stdout) == (6, True)
    back = python(project, *judged, "--device-file", "pct.yaml", ITS_CODE=CODE.hex())
    assert back.returncode == 0, back.stdout
    shutil.rmtree(project / "one")
    assert python(project, *arguments, "--keep-keys", ITS_CODE=CODE.hex()).returncode == 1
    assert python(project, *judged).returncode == 0
