"""The contract kit: the right adapters keep every promise, each wrong one is rejected by exactly the promises that it breaks."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Any

import pytest

from harness.cli import main
from harness.contract import checking
from harness.contract.asking import Put, Told, told_by
from harness.contract.checking import Check
from harness.contract.promise import Outcome
from harness.contract.script import scripts
from harness.contract.table import PROMISES, RADIO
from harness.declarations import BenchFile, read_bench
from harness.radio_declaration import Plugged
from harness.tests import wrong_machines, wrong_radios, wrong_sniffers
from harness.tests.air_pair import OnlyListens, OnTheAir
from harness.tests.small_run import ROOT
from harness.usecase import Actor

PORT = "air://pair"
PATIENT, TAME, SHORT = 20.0, 5.0, 2.0  # seconds that a question may take: of who is right, of who is wrong, of who may hang
REJECTED = ("fail", "error")
SUBJECT, PEER = "ESI", "sniffer"
WRONG_RADIOS = {**wrong_radios.BREAKS, **wrong_sniffers.BREAKS}
LISTENING = (
    "OPENS", "ABOUT", "UNSUPPORTED", "OFFERS", "NO-PORT", "CLOSES", "SILENT", "OPENS-AGAIN", "ENDS-THREADS", "STARTS-CLEAN",
    "NOTHING-UNASKED", "HEARS", "LEVELS", "TIME", "INTERRUPTS", "CHANNEL", "PROMISCUOUS",
)


@cache
def virtual() -> BenchFile:
    return read_bench(ROOT / "fixtures" / "benches" / "virtual.yaml")


@cache
def played() -> Any:
    return scripts(virtual(), virtual().devices[0])


@pytest.fixture(autouse=True)
def _played_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """The run that scripts come from is the same for every adapter."""
    monkeypatch.setattr(checking, "scripts", lambda file, device: played())


def with_radios(subject: type[OnTheAir] = OnTheAir, *, peer: bool = True) -> BenchFile:
    names = {SUBJECT: subject, **({PEER: OnTheAir} if peer else {})}
    radios = {
        name: Plugged(f"{radio.__module__}:{radio.__name__}", MappingProxyType({"port": PORT, "name": name}))
        for name, radio in names.items()
    }
    return replace(virtual(), radios=radios)


def with_machine(wrong: type[Any], place: str) -> BenchFile:
    actor = Actor(place)
    filled = replace(virtual().adapters[actor], adapter=f"{wrong.__module__}:{wrong.__name__}")
    return replace(virtual(), adapters={**virtual().adapters, actor: filled})


def outcomes(file: BenchFile, *only: str, limit: float = PATIENT) -> Mapping[str, Outcome]:
    return {outcome.promise.id: outcome for outcome in Check(file, limit).outcomes(only)}


class InThisProcess:
    """Puts questions here, to radios that leave nothing behind: the same outcomes for a quarter of the time."""

    def __init__(self, limit: float) -> None:
        pass

    def ask(self, put: Put) -> Told:
        question, close = put(lambda doing: None)
        told = told_by(lambda: question)
        close()
        return told


def rejected(told: Mapping[str, Outcome]) -> dict[str, str]:
    return {name: outcome.reason for name, outcome in told.items() if outcome.verdict in REJECTED}


def test_a_right_radio_passes_everything() -> None:
    told = outcomes(with_radios(), f"radio of {SUBJECT}")
    assert {each.verdict for each in told.values()} == {"pass"}, rejected(told)
    assert told.keys() == {promise.id for promise in RADIO}
    assert told["RADIO-ABOUT"].reason == "virtual air 1; exercised on hardware: no"


def test_one_that_only_listens_is_asked_what_a_sniffer_can(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checking, "Asker", InThisProcess)
    told = outcomes(with_radios(OnlyListens), f"radio of {SUBJECT}")
    assert {name for name, each in told.items() if each.verdict == "pass"} == {f"RADIO-{each}" for each in LISTENING}, rejected(told)
    assert {each.verdict for each in told.values()} == {"pass", "not applicable"}
    assert told["RADIO-FILTER"].reason == f"radio of {SUBJECT} only listens"


def test_a_radio_beside_one_that_only_listens_is_asked_what_that_can_hear(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checking, "Asker", InThisProcess)
    ears = {SUBJECT: with_radios().radios[SUBJECT], PEER: with_radios(OnlyListens).radios[SUBJECT]}
    ears[PEER] = replace(ears[PEER], options={**ears[PEER].options, "name": PEER})
    told = outcomes(replace(virtual(), radios=ears), f"radio of {SUBJECT}")
    assert rejected(told) == {}
    assert {told[f"RADIO-{each}"].verdict for each in ("ON-THE-AIR", "RAW", "FULL-QUEUE")} == {"pass"}
    assert {told[f"RADIO-{each}"].reason for each in ("NO-ACK", "HEARS", "ACK-PENDING")} == {f"radio of {PEER} only listens"}


@pytest.mark.parametrize("actor", Actor)
def test_a_right_machine_passes_whatever_can_be_asked_of_it(actor: Actor) -> None:
    told = outcomes(virtual(), actor)
    assert {each.verdict for each in told.values()} == {"pass", "not applicable"}, rejected(told)
    assert {name for name, each in told.items() if each.verdict == "not applicable"} >= {"MACHINE-CLOSES", "MACHINE-SILENT"}


@pytest.mark.parametrize("wrong", WRONG_RADIOS)
def test_a_wrong_radio_is_rejected_by_exactly_the_promises_that_it_breaks(
    wrong: type[OnTheAir], monkeypatch: pytest.MonkeyPatch,
) -> None:
    wild = wrong in wrong_radios.WILD
    if not wild:
        monkeypatch.setattr(checking, "Asker", InThisProcess)
    reasons = rejected(outcomes(with_radios(wrong), f"radio of {SUBJECT}", limit=SHORT if wild else TAME))
    assert reasons.keys() == WRONG_RADIOS[wrong], reasons


@pytest.mark.parametrize("wrong", wrong_machines.BREAKS)
def test_a_wrong_machine_is_rejected_by_exactly_the_promises_that_it_breaks(wrong: type[Any]) -> None:
    place, breaks = wrong_machines.BREAKS[wrong]
    reasons = rejected(outcomes(with_machine(wrong, place), place, limit=SHORT))
    assert reasons.keys() == breaks, reasons


def test_what_has_something_real_behind_it_is_not_disturbed() -> None:
    over_http = read_bench(ROOT / "fixtures" / "benches" / "head_end_over_http.yaml")
    filled = over_http.adapters[Actor.AMI_HEAD_END]
    free = replace(filled, options={**filled.options, "listen": "127.0.0.1:0"})
    told = outcomes(replace(over_http, adapters={**over_http.adapters, Actor.AMI_HEAD_END: free}, legs=virtual().legs), "AMI Head-End")
    assert rejected(told) == {}
    assert {name for name, each in told.items() if each.verdict == "pass"} == {
        f"MACHINE-{each}" for each in ("MADE", "IMPORT", "DECLARES", "ROLE-VERBS", "CLOSES", "SILENT", "ENDS-THREADS")
    }


def test_importing_is_watched(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HANPROOF_IMPORTED", "")
    reasons = rejected(outcomes(with_machine(wrong_machines.ReadsTheClock, "NIC"), "NIC"))
    assert reasons.keys() == {"MACHINE-IMPORT", "MACHINE-NO-CLOCK"}
    assert "a thread started" in reasons["MACHINE-IMPORT"]


def test_every_promise_is_broken_by_somebody() -> None:
    broken = {"MACHINE-IMPORT"}.union(*wrong_radios.BREAKS.values(), *(breaks for _, breaks in wrong_machines.BREAKS.values()))
    assert broken == {promise.id for promise in PROMISES}
    assert len(PROMISES) == len(broken)


def test_the_page_of_adapters_tells_every_promise_as_the_table_does() -> None:
    page = (ROOT / "docs" / "adapters.md").read_text()
    assert [promise.id for promise in PROMISES if f"| `{promise.id}` | {promise.text} |" not in page] == []


def test_a_radio_alone_is_not_asked_what_takes_two() -> None:
    told = outcomes(with_radios(peer=False), f"radio of {SUBJECT}")
    alone = {promise.id for promise in RADIO if promise.peer}
    assert {name: each.reason for name, each in told.items() if each.verdict != "pass"} == dict.fromkeys(alone, "needs a second radio")


def test_what_hangs_or_dies_is_named_by_what_it_did() -> None:
    hangs = rejected(outcomes(with_machine(wrong_machines.Hangs, "NIC"), "NIC", limit=0.5))
    dies = rejected(outcomes(with_radios(wrong_radios.CrashesOnClosing), f"radio of {SUBJECT}", limit=SHORT))
    assert hangs == {"MACHINE-REHEARSES": "receive did not end within 0.5 s"}
    assert dies == {"RADIO-CLOSES": f"radio of {SUBJECT}: close ended the process (exit code 3)"}


def test_what_an_exception_says_is_not_repeated() -> None:
    reasons = rejected(outcomes(with_machine(wrong_machines.TakesOffence, "NIC"), "NIC"))
    assert reasons["MACHINE-NOISE"].startswith("RemoteProtocolError raised in receive (wrong_machines.py:")


def test_without_a_radio_the_rest_is_not_asked() -> None:
    file = with_radios()
    gone = replace(file, radios={SUBJECT: replace(file.radios[SUBJECT], options={"port": "/dev/nowhere", "name": SUBJECT})})
    told = outcomes(gone, f"radio of {SUBJECT}")
    assert told["RADIO-OPENS"].verdict == "error"
    assert "/dev/nowhere" in told["RADIO-OPENS"].reason
    assert {each.verdict for name, each in told.items() if name != "RADIO-OPENS"} == {"inconc"}


# -- the command


def bench(folder: Path, radio: str = "air_pair:OnTheAir") -> Path:
    text = (ROOT / "fixtures" / "benches" / "virtual.yaml").read_text().replace("../devices", f"{ROOT}/fixtures/devices")
    radios = "".join(
        f"  {name}: {{adapter: 'harness.tests.{adapter}', port: '{PORT}', name: {name}}}\n"
        for name, adapter in ((SUBJECT, radio), (PEER, "air_pair:OnTheAir"))
    )
    path = folder / "bench.yaml"
    path.write_text(f"{text}radios:\n{radios}")
    return path


@pytest.mark.parametrize(("radio", "limit", "code"), [
    ("air_pair:OnTheAir", "20", 0), ("wrong_radios:Nameless", "2", 1), ("wrong_radios:NoSuchRadio", "2", 7),
])
def test_one_line_a_test_and_the_exit_code_of_a_run(
    radio: str, limit: str, code: int, tmp_path: Path, capsys: pytest.CaptureFixture[str],
) -> None:
    assert main(["adapter", "check", str(bench(tmp_path, radio)), "--only", f"radio of {SUBJECT}", "--limit", limit]) == code
    *lines, total = capsys.readouterr().out.splitlines()
    assert [line[15:].split()[0] for line in lines] == [promise.id for promise in RADIO]
    assert total.startswith(f"virtual: {len(RADIO)} contract tests: ")


def test_json_says_the_same(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["adapter", "check", str(bench(tmp_path)), "--only", "ODS", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["totals"].keys() == {"pass", "not applicable"}
    assert {each["test"] for each in told["tests"]} == {promise.id for promise in PROMISES if promise not in RADIO}
    assert all(each["reason"] for each in told["tests"] if each["verdict"] == "not applicable")


@pytest.mark.parametrize(("arguments", "said"), [
    (["--only", "Meter"], "--only Meter: not on this bench; right would be one of DR Application; "),
    (["--limit", "0"], "--limit 0: right would be more than 0 and at most 3600 seconds"),
    (["--limit", "inf"], "--limit inf: right would be more than 0 and at most 3600 seconds"),
])
def test_a_wrong_argument_is_one_line(arguments: list[str], said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["adapter", "check", str(bench(tmp_path)), *arguments]) == 4
    assert capsys.readouterr().err.startswith(f"hanproof: {said}")
