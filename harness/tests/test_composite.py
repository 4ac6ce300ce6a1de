"""A device under test of several actors: what it hides is neither recorded nor judged, and all the rest is."""

from __future__ import annotations

import importlib
import inspect
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from cases.table import clauses
from harness.adapters.defects import all_defects
from harness.backhaul import faults
from harness.bench import Bench
from harness.composite import connected, hidden, inside
from harness.declarations import BenchFile, read_bench
from harness.errors import Inconclusive, InputError
from harness.judge import Judgement, judge, judged_unplayed
from harness.plugin.bench_building import build, check
from harness.plugin.campaign import Campaign
from harness.plugin.case import clauses_of, run_case
from harness.tests.small_run import ROOT
from harness.trace import Trace
from harness.usecase import Actor, Clause, Point
from harness.verdict import Verdict

VIRTUAL = (ROOT / "fixtures" / "benches" / "virtual.yaml").read_text().replace("../devices", f"{ROOT}/fixtures/devices")
NIC_LINE, ESI_LINE = "  NIC: harness.adapters.virtual_nic:VirtualNic\n", "  ESI: harness.adapters.virtual_esi:VirtualEsi\n"
METERS = "harness.tests.composite_meter"
METER, DISPLAY, SEALED = f"{METERS}:CompositeMeter", f"{METERS}:MeterWithDisplay", f"{METERS}:SealedMeter"
BY_STEP_10 = ("11-UNALTERED@NIC", "SEQ-TWO-DEVICES@ESI")  # what these must see is not of their own section
INSIDE_THE_METER = {
    f"UC2.7-{each}": f"step {10 if each in BY_STEP_10 else int(each[:2])} lies inside the device under test (NIC, ESI)"
    for each in (
        "04-FORWARDED@NIC", "04-TARGET@NIC", "04-ONCE@NIC", "04-TIMELY@NIC", "04-UNDELIVERABLE@NIC", "10-STATE@ESI",
        "10-AFTER-REGISTRATION@ESI", "10-ONCE@ESI", "10-FAILURE@ESI", "10-RIGHT-DEVICE@ESI", "10-TIMELY@ESI", "11-UNALTERED@NIC",
        "SEQ-TWO-DEVICES@ESI",
    )
}
JUDGED_ALL_THE_SAME = {
    f"UC2.7-{each}" for each in (
        "04-CONFIDENTIAL@NIC", "04-OPENS@ESI", "04-CLOSES@ESI", "04-AUTHORISES@ESI", "11-STATE@NIC", "11-AFTER-REGISTRATION@NIC",
        "11-ONCE@NIC", "06-KEY-SEALED@ESI", "SEQ-ORDER@NIC", "SEQ-ORDER@ESI", "SEQ-MAC-CHAIN@NIC", "SEQ-NO-LEAK@NIC",
    )
}


def bench_file(folder: Path, dut: str, nic: str = NIC_LINE, esi: str = ESI_LINE) -> BenchFile:
    assert NIC_LINE in VIRTUAL
    assert ESI_LINE in VIRTUAL
    text = VIRTUAL.replace("dut: []", f"dut: [{dut}]").replace(NIC_LINE, nic).replace(ESI_LINE, esi)
    (folder / "bench.yaml").write_text(text)
    file = read_bench(folder / "bench.yaml")
    check(file)
    return file


def one_adapter(folder: Path, adapter: str, **options: str) -> BenchFile:
    beside = "".join(f", {name}: {value}" for name, value in options.items())
    return bench_file(folder, "NIC, ESI", "  NIC: {with: ESI}\n", f"  ESI: {{adapter: '{adapter}'{beside}}}\n")


def played(file: BenchFile, defect: Any = None) -> Trace:
    recording = Campaign(file, file.seed, build).provisioned(file.devices[0], defect)
    assert recording.fault is None
    assert recording.trace is not None
    return recording.trace


def of_dut(trace: Trace) -> list[Judgement]:
    return [each for each in judge(trace, clauses().values()) if each.actor in trace.header.dut]


@cache
def undisturbed(folder: Path, adapter: str) -> Trace:
    return played(one_adapter(folder, adapter) if adapter else bench_file(folder, "NIC, ESI"))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("composite")


@pytest.mark.parametrize("adapter", [METER, DISPLAY, ""], ids=["one adapter", "by hand", "two adapters"])
def test_a_meter_that_is_nic_and_esi_is_judged_by_what_lies_outside_it(folder: Path, adapter: str) -> None:
    trace = undisturbed(folder, adapter)
    judgements = of_dut(trace)
    told = {each.id: each.not_applicable for each in judgements if each.not_applicable and "PICS" not in each.not_applicable}
    assert told == INSIDE_THE_METER
    assert {each.verdict for each in judgements} == {Verdict.NONE, Verdict.PASS}
    assert {each.id for each in judgements if each.verdict is Verdict.PASS} >= JUDGED_ALL_THE_SAME


@pytest.mark.parametrize("adapter", [METER, ""], ids=["one adapter", "two adapters"])
def test_nothing_is_recorded_or_attested_inside(folder: Path, adapter: str) -> None:
    trace = undisturbed(folder, adapter)
    ends = {frozenset((each.producer, each.receiver)) for each in trace.at(Point.LEG)}
    assert ends == {frozenset(("AMI Head-End", "AMI Network")), frozenset(("AMI Network", "NIC"))}
    legs = sorted(each.medium for each in trace.attestations if each.point is Point.LEG)
    assert legs == ["leg:AMI Head-End/AMI Network", "leg:AMI Network/NIC"]
    assert [each.medium for each in trace.attestations if each.point is Point.CIM] == ["cim"]


@pytest.mark.parametrize(("dut", "clause", "reason", "judged"), [
    ("DR Application, AMI Head-End", "02-FORWARDED@AMI Head-End", "step 1 lies", "14-SCHEMA@DR Application"),
    ("DR Application, AMI Head-End", "13-MESSAGE@AMI Head-End", "step 13 lies", "INT-HEAD-END-CIS@AMI Head-End"),
    ("DR Application, AMI Head-End", "14-AFTER-13@DR Application", "step 13 lies", "SEQ-ORDER@DR Application"),
    ("CIS, DR Application", "14-REPLY@CIS", "step 14 lies", "01-COMMAND@DR Application"),
    ("CIS, AMI Head-End", "INT-HEAD-END-CIS@AMI Head-End", "the wire between AMI Head-End and CIS lies", "13-MESSAGE@AMI Head-End"),
    ("ODS, AMI Head-End", "INT-HEAD-END-ODS@AMI Head-End", "the wire between AMI Head-End and ODS lies", "INT-HEAD-END-CIS@AMI Head-End"),
    ("AMI Head-End, AMI Network", "12-STATE@AMI Network", "step 12 lies", "03-FORWARDED@AMI Network"),
    ("AMI Network, NIC", "11-STATE@NIC", "step 11 lies", "04-FORWARDED@NIC"),
    ("AMI Network, NIC", "03-TARGET@AMI Network", "step 3 lies", "12-UNALTERED@AMI Network"),
    ("ESI, HAN Device", "06-KEY-SEALED@ESI", "step 6 lies", "SEQ-MAC-CHAIN@ESI"),
    ("ESI, HAN Device", "10-STATE@ESI", "step 5 lies", "SEQ-NO-LEAK@ESI"),
    ("AMI Head-End, AMI Network, NIC, ESI", "04-OPENS@ESI", "step 4, step 3 and step 2 lie", "06-KEY-SEALED@ESI"),
    ("NIC, ESI, HAN Device", "11-STATE@NIC", "step 10 and step 8 lie", "SEQ-NO-LEAK@NIC"),
])
def test_whatever_is_joined_hides_what_lies_between(tmp_path: Path, dut: str, clause: str, reason: str, judged: str) -> None:
    trace = played(bench_file(tmp_path, dut))
    judgements = {each.id: each for each in of_dut(trace)}
    assert judgements[f"UC2.7-{clause}"].not_applicable == f"{reason} inside the device under test ({dut})"
    assert judgements[f"UC2.7-{judged}"].verdict is Verdict.PASS
    assert {each.verdict for each in judgements.values()} == {Verdict.NONE, Verdict.PASS}
    assert not [each for each in trace if each.receiver and inside(trace.header.dut, (str(each.producer), each.receiver))]
    assert any(each.point is Point.MAC for each in trace) is ("ESI, HAN Device" not in dut)
    assert (Point.MAC in trace.observed()) is ("ESI, HAN Device" not in dut)


@pytest.mark.parametrize(("identity", "broken"), [
    ("leg11-report-mac-reversed", "11-STATE@NIC"), ("leg11-report-doubled", "11-ONCE@NIC"), ("leg10-report-lost", "11-STATE@NIC"),
    ("leg10-report-too-early", "11-AFTER-REGISTRATION@NIC"), ("leg04-key-logged", "04-CONFIDENTIAL@NIC"),
    ("04-esi-never-opens", "04-OPENS@ESI"), ("04-esi-routers-left-open", "04-CLOSES@ESI"), ("04-esi-key-reversed", "04-AUTHORISES@ESI"),
])
def test_what_a_composite_does_wrong_is_found_where_it_shows(tmp_path: Path, identity: str, broken: str) -> None:
    defect = all_defects()[identity]
    trace = played(one_adapter(tmp_path, METER, planted=defect.actor), defect)
    judgements = {each.id: each.verdict for each in of_dut(trace)}
    assert judgements[f"UC2.7-{broken}"] is Verdict.FAIL
    assert not {each for each, verdict in judgements.items() if verdict is Verdict.FAIL} & set(INSIDE_THE_METER)


CASES = [
    function
    for name in ("step_04_window_opened", "step_04_order_delivered", "step_10_state_reported", "step_11_state_passed_on", "sequence")
    for _, function in inspect.getmembers(importlib.import_module(f"cases.{name}"), inspect.isfunction) if clauses_of(function)
]


@pytest.mark.parametrize("function", CASES, ids=lambda function: function.__name__)
def test_every_case_of_its_steps_passes_or_is_not_applicable(folder: Path, function: Callable[..., Any]) -> None:
    file = one_adapter(folder, METER)
    asked = [narrowed for narrowed in clauses_of(function) if set(narrowed.checks) & set(file.dut)]
    conclusion = run_case(function, Campaign(file, file.seed, build), file.devices[0])
    decided = judged_unplayed(clauses_of(function), file.dut, file.claims(file.devices[0])) is not None
    if conclusion.verdict is Verdict.INCONC:  # a case of two meters: one adapter that is NIC and ESI has no second NIC beside it
        assert "there can be no second one beside it" in conclusion.reason
        return
    assert conclusion.verdict is (Verdict.NONE if decided else Verdict.PASS), conclusion.reason
    assert decided or asked


def test_a_fault_on_a_wire_does_not_reach_into_the_device_under_test(tmp_path: Path) -> None:
    file = bench_file(tmp_path, "NIC, ESI")
    bench = Bench(file, file.devices[0])
    with bench.suffering(faults.drop(faults.between(Actor.NIC, Actor.ESI), times=None)):
        bench.play()
    assert {each.verdict for each in of_dut(bench.trace)} == {Verdict.NONE, Verdict.PASS}


# -- a window that leg 3 does not open


def test_a_window_is_opened_by_hand_when_the_order_has_arrived(folder: Path) -> None:
    trace = undisturbed(folder, DISPLAY)
    (arrives,) = [
        each.about["arrives"] for each in trace.at(Point.LEG) if each.receiver == Actor.NIC and each.producer == Actor.AMI_NETWORK
    ]
    opened = [each["at"] for each in trace.header.about["marks"] if each["verb"] == "open_window"]
    assert opened == [pytest.approx(arrives)]


def test_a_window_is_closed_by_hand_when_the_order_is_withdrawn(tmp_path: Path) -> None:
    file = one_adapter(tmp_path, DISPLAY)
    bench = Bench(file, file.devices[0])
    bench.open()
    bench.cancel()
    bench.join()
    assert [each["verb"] for each in bench.trace.header.about["marks"] if each["actor"] == Actor.ESI] == ["open_window", "close_window"]
    (closes,) = [each for each in of_dut(bench.trace) if each.id == "UC2.7-04-CLOSES@ESI"]
    assert closes.verdict is Verdict.PASS


def test_nothing_is_opened_by_hand_for_an_order_that_is_over(tmp_path: Path) -> None:
    file = one_adapter(tmp_path, DISPLAY)
    bench = Bench(file, file.devices[0])
    with bench.suffering(faults.delay(faults.between(*bench.way_in), by=bench.order.duration)):
        bench.open()
    assert not [each for each in bench.trace.header.about["marks"] if each["actor"] == Actor.ESI]


def test_a_meter_that_nobody_can_open_is_inconclusive(tmp_path: Path) -> None:
    file = one_adapter(tmp_path, SEALED)
    recording = Campaign(file, file.seed, build).provisioned(file.devices[0])
    assert isinstance(recording.fault, Inconclusive)
    assert str(recording.fault) == (
        "the meter under test takes no leg 3, and its adapter has no open_window: nobody can do what was ordered"
    )


# -- what may be joined


@pytest.mark.parametrize(("dut", "nic", "said"), [
    ("NIC, ESI", "{with: ESI, port: 1}", "adapters.NIC.port: there is no such field; right would be one of with"),
    ("NIC, ESI", "{with: NIC}", "adapters.NIC.with: 'NIC' is not known; right would be one of "),
    ("NIC, ESI", "{with: Gateway}", "adapters.NIC.with: 'Gateway' is not known"),
    ("", "{with: ESI}", "adapters.NIC.with: one adapter for ESI, NIC hides what lies between them; right would be adjacent actors"),
    ("ESI", "{with: ESI}", "adapters.NIC.with: one adapter for ESI, NIC hides what lies between them"),
    ("NIC, ESI", "{with: CIS}", "adapters.NIC.with: one adapter for CIS, NIC hides what lies between them"),
])
def test_what_one_adapter_cannot_fill_is_one_line(tmp_path: Path, dut: str, nic: str, said: str) -> None:
    with pytest.raises(InputError) as raised:
        bench_file(tmp_path, dut, f"  NIC: {nic}\n")
    assert str(raised.value).startswith(f"{tmp_path}/bench.yaml:")
    assert said in str(raised.value)


def test_an_actor_that_is_filled_along_with_another_fills_none_itself(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"adapters\.NIC\.with: 'ESI' is not known; right would be one of DR Application, "):
        bench_file(tmp_path, "NIC, ESI", "  NIC: {with: ESI}\n", "  ESI: {with: NIC}\n")


def test_one_adapter_gets_its_options_and_is_one_machine(tmp_path: Path) -> None:
    file = one_adapter(tmp_path, METER, channel="20")
    assert file.filled_by(Actor.ESI) == (Actor.ESI, Actor.NIC)
    assert file.filled_by(Actor.NIC) == ()
    bench = Bench(file, file.devices[0])
    assert bench.machines[Actor.NIC] is bench.machines[Actor.ESI]
    bench.open()
    assert {each.medium for each in bench.trace.at(Point.MAC) if each.producer == Actor.ESI} <= {"air:20"}


@pytest.mark.parametrize(("actors", "whole"), [
    ((), True), ((Actor.ESI,), True), ((Actor.NIC, Actor.ESI), True), ((Actor.NIC, Actor.NIC), False), ((Actor.NIC, Actor.CIS), False),
    ((Actor.ODS, Actor.NIC, Actor.AMI_NETWORK, Actor.AMI_HEAD_END), True),
])
def test_what_hangs_together(actors: tuple[Actor, ...], whole: bool) -> None:
    assert connected(actors) is whole


def test_of_several_wires_one_may_be_enough() -> None:
    clause = Clause("UC2.7-12-X", "", "UC", "", {Actor.AMI_NETWORK: ()}, sees=(12, (11, 10)))
    assert hidden(clause, Actor.AMI_NETWORK, (Actor.AMI_NETWORK, Actor.NIC)) == ""
    assert hidden(clause, Actor.AMI_NETWORK, (Actor.AMI_NETWORK, Actor.NIC, Actor.ESI)) == (
        "step 11 and step 10 lie inside the device under test (AMI Network, NIC, ESI)"
    )
