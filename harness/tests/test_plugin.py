"""The pytest plugin on a run in miniature: every verdict, every way of showing it, and that they agree."""

from __future__ import annotations

import filecmp
import json
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from xml.etree import ElementTree

import hypothesis
import pytest
from hypothesis import strategies

from harness.declarations import read_bench
from harness.errors import BenchError, Inconclusive
from harness.evidence.results import OUTCOMES
from harness.plugin.campaign import Campaign, Planned
from harness.plugin.case import run_case
from harness.plugin.closing import exit_code
from harness.tests.small_run import BENCH, EXPECTED, python, write_project
from harness.trace import Header, Trace
from harness.usecase import Actor, Clause, Point
from harness.verdict import Finding, Verdict, failed, passed

DEVICES = ("pct", "load_control")


class Ran:
    """A finished run in miniature."""

    def __init__(self, project: Path, *arguments: str) -> None:
        self.process = python(project, "pytest", "--run-dir=one", *arguments)
        self.folder = project / "one"
        self.output = self.process.stdout

    @property
    def verdicts(self) -> dict[str, Any]:
        loaded: dict[str, Any] = json.loads((self.folder / "verdicts.json").read_text())
        return loaded

    def case(self, name: str, device: str = "pct") -> dict[str, Any]:
        (found,) = (case for case in self.verdicts["cases"] if case["id"] == f"step_06.py::test_{name}[{device}]")
        return dict(found)

    def trace_lines(self, path: str) -> list[dict[str, Any]]:
        return [json.loads(line) for line in (self.folder / path / "trace.jsonl").read_text().splitlines()]


@pytest.fixture(scope="module")
def ran(tmp_path_factory: pytest.TempPathFactory) -> Ran:
    return Ran(write_project(tmp_path_factory.mktemp("small")))


def test_what_the_bench_cannot_is_asked_of_nobody_and_says_why(tmp_path: Path, ran: Ran) -> None:
    """In a case, and where the undisturbed provisioning itself needs it."""
    everywhere = Ran(write_project(tmp_path, bench=BENCH.replace("name: small", "name: unable")), "-k", "test_pass")
    for case in (ran.case("bench_cannot"), everywhere.case("pass")):
        assert case["verdict"] == "none"
        assert set(case["not_applicable"].values()) == {"the radio cannot whistle"}
        assert case["evidence"] == case["unjudged"] != []
    assert everywhere.process.returncode == 5  # nothing was applicable


def test_every_case_ran_once_for_every_device(ran: Ran) -> None:
    ids = [case["id"] for case in ran.verdicts["cases"]]
    assert ids == [f"step_06.py::test_{name}[{device}]" for name in EXPECTED for device in DEVICES]


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("name", EXPECTED)
def test_each_case_has_its_verdict(ran: Ran, name: str, device: str) -> None:
    verdict = ran.case(name, device)["verdict"]
    assert ("not_applicable" if verdict == "none" else verdict) == EXPECTED[name]


def test_steps_and_clauses_take_the_worst(ran: Ran) -> None:
    steps = ran.verdicts["steps"]
    assert {step: verdict for step, verdict in steps.items() if verdict != "none"} == {"6": "error", "7": "inconc"}
    clauses = ran.verdicts["clauses"]
    assert clauses["UC2.7-06-WORD@ESI"]["verdict"] == "error"
    passing = [f"step_06.py::test_pass[{device}]" for device in DEVICES]
    assert clauses["UC2.7-01-KEY@ESI"] == {"verdict": "pass", "cases": passing}
    assert clauses["UC2.7-07-PRICE@ESI"]["not_applicable"] == "PICS item price is no"


def test_totals_agree_wherever_they_are_shown(ran: Ran) -> None:
    told = re.search(r"^verdicts: (.*)$", ran.output, re.MULTILINE)
    assert told is not None
    console = {name.replace(" ", "_"): int(count) for count, name in (each.split(" ", 1) for each in told[1].split(", "))}
    last_line = ran.output.strip().splitlines()[-1]
    shown = {word: int(count) for count, word in re.findall(r"(\d+) (passed|failed|errors|inconc|not applicable)", last_line)}
    junit = ElementTree.parse(ran.folder / "junit.xml")
    cases = junit.findall("./testsuite/testcase")
    allure = Counter(
        next(label["value"] for label in result["labels"] if label["name"] == "verdict") + "/" + result["status"]
        for result in allure_results(ran)
    )
    expected = {outcome: 2 * list(EXPECTED.values()).count(outcome) for outcome in OUTCOMES}
    assert ran.verdicts["totals"] == {"cases": 38, **expected} == console
    assert shown == {
        "passed": expected["pass"], "failed": expected["fail"], "errors": expected["error"], "inconc": expected["inconc"],
        "not applicable": expected["not_applicable"],
    }
    assert Counter(case.find("error").get("type") for case in cases if case.find("error") is not None) == {  # type: ignore[union-attr]
        "inconclusive": expected["inconc"], "error": expected["error"],
    }
    assert sum(case.find("failure") is not None for case in cases) == expected["fail"]
    assert sum(case.find("skipped") is not None for case in cases) == expected["not_applicable"]
    assert {name: junit.getroot().get(name) for name in ("tests", "failures", "errors", "skipped")} == {
        "tests": "38", "failures": str(expected["fail"]), "errors": str(expected["error"] + expected["inconc"]),
        "skipped": str(expected["not_applicable"]),
    }
    assert allure == {
        "pass/passed": expected["pass"], "fail/failed": expected["fail"], "inconc/broken": expected["inconc"],
        "error/broken": expected["error"], "not_applicable/skipped": expected["not_applicable"],
    }
    assert ran.process.returncode == ran.verdicts["run"]["exit_code"] == 7


def allure_results(ran: Ran) -> list[dict[str, Any]]:
    return [json.loads(path.read_text()) for path in (ran.folder / "allure-results").glob("*-result.json")]


def test_allure_names_clauses_devices_and_evidence(ran: Ran) -> None:
    (result,) = (result for result in allure_results(ran) if result["name"] == "test_examples_fail[pct]")
    labels = {(label["name"], label["value"]) for label in result["labels"]}
    assert {("feature", "step 6"), ("story", "UC2.7-06-WORD@ESI"), ("tag", "UC2.7-06-WORD@ESI")} <= labels
    parameters = {parameter["name"]: parameter["value"] for parameter in result["parameters"]}
    assert parameters == {"device": "'pct'", "seed": "27", "drawn device": "10"}
    assert [link["url"] for link in result["links"]] == ["../scenarios/step_06-examples_fail-pct/"]
    assert [step["name"] for step in result["steps"]] == ["UC2.7-06-WORD@ESI: fail"]  # one, whatever the number of examples
    assert result["statusDetails"]["message"].startswith("fail: ")
    histories = [result["historyId"] for result in allure_results(ran)]
    assert len(set(histories)) == len(histories) == 38


def test_a_failing_case_says_clause_expected_observed_and_where(ran: Ran) -> None:
    assert (
        "UC2.7-06-WORD@ESI fail: the word is wrong\n    expected: good\n    observed: bad\n    evidence: step_06-fail-pct #1\n"
    ) in ran.output


def test_the_terminal_shows_steps_by_device_and_where_the_evidence_is(ran: Ran) -> None:
    assert re.search(r"^6 +error +error", ran.output, re.MULTILINE)
    assert re.search(r"^13 +not applicable +not applicable", ran.output, re.MULTILINE)
    assert "bench small, seed 27, devices pct, load_control\nDUT: NIC, ESI" in ran.output
    assert "UC2.7-07-SILENT@NIC not asked" in ran.output
    assert f"evidence: {ran.folder}" in ran.output


def test_examples_end_in_the_smallest_failing_one(ran: Ran) -> None:
    case = ran.case("examples_fail")
    assert case["example"] == {"device": "10"}
    assert case["evidence"] == ["scenarios/step_06-examples_fail-pct"]
    assert [bytes.fromhex(line["octets"]) for line in ran.trace_lines(case["evidence"][0])[1:2]] == [b"10"]


def test_of_examples_only_those_that_decide_are_kept(ran: Ran) -> None:
    assert len(ran.case("examples_pass")["evidence"]) == 1
    case = ran.case("examples_inconc")
    assert {finding["message"] for finding in case["findings"] if finding["verdict"] == "inconc"} == {
        "the word cannot be understood", "the preamble failed",
    }


def test_the_undisturbed_provisioning_is_stored_once_for_each_device(ran: Ran) -> None:
    using = [case for case in ran.verdicts["cases"] if "scenarios/provisioned-pct" in case["evidence"]]
    assert len(using) == 4
    stored = {folder.name for folder in (ran.folder / "scenarios").glob("provisioned*")}
    assert stored == {"provisioned-pct", "provisioned-load_control"}


def test_what_follows_the_last_verify_is_not_evidence(ran: Ran) -> None:
    assert len(ran.trace_lines("scenarios/step_06-grows_after_verify-pct")) == 1 + 2
    assert ran.case("verified_twice")["evidence"] == [f"scenarios/step_06-verified_twice-pct{more}" for more in ("", "-2")]


def test_a_case_that_breaks_off_keeps_what_it_had_played(ran: Ran) -> None:
    case = ran.case("bench_breaks")
    assert case["evidence"] == case["unjudged"] == ["scenarios/step_06-bench_breaks-pct"]
    assert [(finding["clause"], finding["message"]) for finding in case["findings"]] == [("", "the radio is gone")]


def test_what_cannot_be_asked_is_not_played(ran: Ran) -> None:
    for name in ("not_claimed", "not_under_test", "unset"):
        assert ran.case(name)["evidence"] == []


def test_parallel_workers_leave_the_same(ran: Ran, tmp_path: Path) -> None:
    parallel = Ran(write_project(tmp_path), "-n", "2")
    one, two = ran.verdicts, parallel.verdicts
    assert one.pop("run") != two.pop("run")
    assert one == two
    assert parallel.process.returncode == 7
    assert list(differing(filecmp.dircmp(ran.folder / "scenarios", parallel.folder / "scenarios"))) == []
    assert len(allure_results(parallel)) == 38


def differing(compared: filecmp.dircmp[str]) -> Iterator[str]:
    yield from (*compared.left_only, *compared.right_only)
    yield from filecmp.cmpfiles(compared.left, compared.right, compared.common_files, shallow=False)[1]
    for below in compared.subdirs.values():
        yield from differing(below)


@pytest.mark.parametrize(("arguments", "cases", "code"), [
    (("-k", "test_fail or test_inconc"), None, 1),
    (("-k", "test_inconc"), None, 6),
    (("-k", "test_not_claimed"), None, 5),
    (("--bench=nix.yaml",), None, 4),
    (("--device=fridge",), None, 4), (("--bench=",), None, 4), (("--run-dir=",), None, 4), (("--examples=0",), None, 4),
    (("--run-dir=pytest.ini/below",), None, 8),
    (("--run-dir=pytest.ini/below", "-n", "1"), None, 8),
    ((), "from small_table import clause\n@clause('06-NO-SUCH')\ndef test_it(verify): pass\n", 2),
])
def test_the_exit_code(tmp_path: Path, arguments: tuple[str, ...], cases: str | None, code: int) -> None:
    project = write_project(tmp_path) if cases is None else write_project(tmp_path, cases)
    process = python(project, "pytest", "-q", *arguments)
    assert process.returncode == code, process.stdout
    if code == 8:
        assert re.search("evidence cannot be written: (Not a directory|.*pytest.ini may not be written to)", process.stdout)
        assert "INTERNALERROR" not in process.stdout
    if code == 4:
        assert re.search(r"^ERROR: .*(nix\.yaml|fridge|\.: cannot|names no folder)|argument --examples: '0' is no", process.stderr, re.M)
    if code == 2:
        assert "UC2.7-06-NO-SUCH" in process.stdout


@pytest.mark.parametrize(("status", "outcomes", "more", "code"), [
    (0, ["pass"], {}, 0), (1, ["pass", "inconc"], {}, 6), (1, ["inconc", "fail"], {}, 1), (1, ["fail", "error"], {}, 7),
    (1, ["error"], {"unwritten": True}, 8), (2, ["error"], {"unwritten": True}, 2), (3, ["fail"], {}, 3),
    (0, ["not_applicable"], {}, 5), (0, ["not_applicable", "pass"], {}, 0), (1, ["not_applicable", "inconc"], {}, 6),
    (1, ["pass"], {"others_failed": True}, 1), (5, [], {}, 5),
])
def test_the_worst_exit_code_wins(status: int, outcomes: list[str], more: dict[str, bool], code: int) -> None:
    assert exit_code(status, outcomes, **more) == code


CRASHES = """
from small_table import clause
@clause("06-WORD")
def test_pass(provisioned, verify):
    verify(provisioned)
@clause("06-WORD")
def test_crash(bench, verify):
    %s
"""


@pytest.mark.parametrize(("crash", "arguments", "code"), [
    ("raise KeyboardInterrupt", (), 2), ("import os; os._exit(1)", ("-n", "1", "--max-worker-restart=0"), 7),
])
def test_a_run_that_breaks_off_is_closed(tmp_path: Path, crash: str, arguments: tuple[str, ...], code: int) -> None:
    ran = Ran(write_project(tmp_path, CRASHES % crash), "--device=pct", *arguments)
    assert ran.process.returncode == code, ran.output
    assert [case["verdict"] for case in ran.verdicts["cases"]] == ["pass"]
    assert ran.verdicts["run"]["exit_code"] == code


def test_a_default_bench_file_that_is_wrong_stops_collection(tmp_path: Path) -> None:
    process = python(write_project(tmp_path, bench="name: small"), "pytest", "-q")
    assert process.returncode == 4
    assert "bench.yaml:1: devices: is missing; right would be " in process.stderr


def test_evidence_that_cannot_be_written_halfway(tmp_path: Path) -> None:
    project = write_project(tmp_path)
    (project / "one").mkdir()
    (project / "one" / "scenarios").write_text("in the way")
    process = python(project, "pytest", "-q", "--run-dir=one", "-k", "test_pass")
    assert process.returncode == 8
    assert "evidence could not be written" in process.stdout


def test_a_run_without_evidence_leaves_nothing(tmp_path: Path) -> None:
    project = write_project(tmp_path)
    before = {path.name for path in project.iterdir()}
    assert python(project, "pytest", "-q", "--no-evidence", "-k", "test_pass").returncode == 0
    assert {path.name for path in project.iterdir()} - {".hypothesis"} == before


# -- the same case, outside pytest, with a defect planted


class SpokenBench:
    """A bench that says what its plan or its defect wants."""

    def __init__(self, planned: Planned) -> None:
        self.says = planned.defect.says if planned.defect is not None else str(planned.changes.get("says", "good"))
        self.trace = Trace(Header(order=planned.bench.order(planned.device), epoch="2026-01-15T12:00:00+00:00",
                                  scenario=planned.scenario, seed=planned.seed))

    def play(self) -> None:
        if self.says == "gone":
            raise BenchError("gone")
        self.trace.append(0.0, Point.LOG, "log", self.says.encode())


def says_good(trace: Trace) -> Iterator[Finding]:
    for exchange in trace:
        good = exchange.octets == b"good" or exchange.octets.isdigit()
        yield passed("good") if good else failed("bad", exchange.number, expected="good", observed="bad")


WORD = Clause("UC2.7-06-WORD", "", "UC", "", {Actor.ESI: (says_good,)})


@pytest.mark.clause(WORD)
def case_of_the_recording(provisioned: Trace, verify: Any) -> None:
    verify(provisioned)


@pytest.mark.clause(WORD)
@hypothesis.given(number=strategies.integers(0, 9))
def case_with_examples(benches: Any, verify: Any, number: int) -> None:
    bench = benches(says=str(number))
    hypothesis.assume(number > 3)
    bench.play()
    verify(bench.trace)


@pytest.mark.clause(WORD)
@hypothesis.given(number=strategies.integers(0, 9))
def case_of_unready_examples(benches: Any, verify: Any, number: int) -> None:
    raise Inconclusive("never ready")


@pytest.fixture
def campaign(tmp_path: Path) -> Campaign:
    return Campaign(read_bench(write_project(tmp_path) / "bench.yaml"), 1, SpokenBench)


@pytest.mark.parametrize("case", [case_of_the_recording, case_with_examples])
@pytest.mark.parametrize(("says", "verdict"), [(None, Verdict.PASS), ("bad", Verdict.FAIL), ("gone", Verdict.ERROR)])
def test_a_case_runs_with_a_defect_planted(campaign: Campaign, case: Any, says: str | None, verdict: Verdict) -> None:
    defect = SimpleNamespace(id=says, says=says) if says is not None else None
    conclusion = run_case(case, campaign, campaign.bench.devices[0], defect)
    assert conclusion.verdict is verdict
    expected = [] if verdict is Verdict.ERROR else [("UC2.7-06-WORD@ESI", verdict)]
    assert [(judgement.id, judgement.verdict) for judgement in conclusion.judgements] == expected


def test_a_defect_does_not_touch_the_other_recordings(campaign: Campaign) -> None:
    device = campaign.bench.devices[0]
    bad = SimpleNamespace(id="bad", says="bad")
    verdicts = [run_case(case_of_the_recording, campaign, device, each).verdict for each in (None, bad, None)]
    assert verdicts == [Verdict.PASS, Verdict.FAIL, Verdict.PASS]


def test_an_example_that_fails_is_played_once(tmp_path: Path) -> None:
    played: list[str] = []

    def building(planned: Planned) -> SpokenBench:
        played.append(planned.changes["says"])
        return SpokenBench(planned)

    campaign = Campaign(read_bench(write_project(tmp_path) / "bench.yaml"), 1, building)
    run_case(case_with_examples, campaign, campaign.bench.devices[0], SimpleNamespace(id="bad", says="bad"))
    assert [int(each) > 3 for each in played].count(True) == 1  # smaller ones ask for another


def test_an_unready_example_is_inconclusive_and_not_shrunk(campaign: Campaign) -> None:
    conclusion = run_case(case_of_unready_examples, campaign, campaign.bench.devices[0])
    assert (conclusion.verdict, conclusion.reason) == (Verdict.INCONC, "never ready")
