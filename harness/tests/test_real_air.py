"""A bench over radios behind ports, in real time: both roles of ours, and what goes wrong at a port in the middle of a case.

The device or ESI on the other side is in another process, behind `hanproof serve air`; what it is given is what a stick would be.
"""

from __future__ import annotations

import random
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from cases.table import clauses
from dissectors.capture import IEEE802_15_4_TAP, read_capture
from harness.bench import Bench
from harness.cli import main
from harness.declarations import BenchFile, Filled, read_bench
from harness.errors import BenchError, HanproofError, InputError
from harness.evidence.scenario import write_capture, write_scenario
from harness.judge import judge
from harness.plan import Plan
from harness.plugin.bench_building import check
from harness.plugin.campaign import Campaign
from harness.plugin.case import CaseRun
from harness.radio.spinel import Command, Property, SpinelFrame, Status, encode, pack
from harness.radio.spinel_port import SpinelPort
from harness.radio_declaration import Plugged
from harness.role_verbs import VERBS
from harness.serving_air import ServedAir
from harness.stack.happenings import ApplicationDone
from harness.tests.parity import differences, real, virtual
from harness.tests.peers.zigbee_on_host import CHANNEL, Said, missing
from harness.tests.served import serving
from harness.trace import Trace
from harness.usecase import Actor
from harness.verdict import Verdict

VIRTUAL = read_bench(Path(__file__).parents[2] / "fixtures" / "benches" / "virtual.yaml")
DEVICE = VIRTUAL.device("load_control")
RCP = "harness.radio.rcp:Rcp"
ABSENT = "harness.tests.peers.on_served_air:Absent"
THERE = "harness.tests.peers.on_served_air:There"
WITHIN = 30.0  # seconds of real time
TRIES = 3  # on a machine that is busy the 20 ms may pass for which a device listens, and it asks once more than in virtual time
AIR = ("04", "05", "06", "07", "08", "09")  # the steps that the air can show


def bench_of(where: Mapping[str, str], radios: Mapping[str, str], dut: tuple[Actor, ...], **filled: Filled) -> BenchFile:
    """The virtual bench, in which who is under test is somewhere else; `radios` are ports by who has them."""
    there = {actor: Filled(THERE, {"control": where["control"]}, along=Actor.ESI if actor is Actor.NIC else None) for actor in dut}
    plugged = {name: Plugged(RCP, {"port": where[port]}) for name, port in radios.items()}
    return replace(VIRTUAL, window_start=0.0, latencies={}, dut=dut, adapters={**VIRTUAL.adapters, **there}, radios=plugged)


def judged(trace: Trace, verdict: Verdict) -> set[str]:
    """The clauses of the air that have a verdict."""
    return {each.id for each in judge(trace, [clause for clause in clauses().values() if clause.step in AIR]) if each.verdict is verdict}


def test_a_device_beyond_a_radio_is_provisioned_as_in_virtual_time(tmp_path: Path) -> None:
    expected = virtual(Actor.HAN_DEVICE, DEVICE)
    for _ in range(TRIES):
        played = real(Actor.HAN_DEVICE, DEVICE)
        assert not {Verdict.FAIL, Verdict.ERROR} & set(played.verdicts().values())
        if not (found := list(differences(expected, played))):
            break
    assert found == []
    assert {clause for clause, verdict in played.verdicts().items() if verdict is Verdict.PASS} >= {
        "UC2.7-05-ASSOCIATES@HAN Device", "UC2.7-06-JOINED@HAN Device", "UC2.7-08-KEY-CONFIRMED@HAN Device", "UC2.7-09-EVENTS@HAN Device",
    }
    radios = played.trace.header.about["radios"]
    assert radios["sniffer"]["exercised on hardware"] == "no"
    ours = radios["sniffer"]["of frames that our radios sent or took"]
    assert ours["while it listened"] >= ours["heard"] > 0.9 * ours["while it listened"] > 50
    assert abs(radios["ESI"]["clock"]["median skew in us"]) < 50_000, "some milliseconds, on a machine that is busy"
    folder = tmp_path / write_scenario(tmp_path, "real", played.trace)
    write_capture(folder, {})
    frames = list(read_capture(folder / "air.pcapng"))
    measured = {(each.link_type, each.channel, each.lqi, each.rssi) for each in frames}
    assert measured == {(IEEE802_15_4_TAP, 15, 255, -40.0)}
    times = [each.time for each in frames]
    assert times == sorted(times)


def test_our_device_joins_an_esi_beyond_a_radio_and_nothing_that_no_one_heard_is_held_against_it() -> None:
    with serving("air", "--radios", "1", "--esi", DEVICE.name, "--control") as air:
        file = bench_of(air.where, {"HAN Device": "radio 1"}, (Actor.NIC, Actor.ESI))
        bench = Bench(file, DEVICE, Plan(window_duration=WITHIN), scenario="real")
        try:
            bench.open()
            bench.switch_on()
            assert bench.wait_until(lambda: bench.happened(ApplicationDone), WITHIN)
        finally:
            bench.close()
    assert judged(bench.trace, Verdict.FAIL) | judged(bench.trace, Verdict.ERROR) == set()
    assert judged(bench.trace, Verdict.PASS) >= {
        "UC2.7-05-BEACON@ESI", "UC2.7-06-SHORT-ADDRESS@ESI", "UC2.7-08-CERTIFICATE@ESI", "UC2.7-09-EVENTS@ESI",
    }
    assert {(each.start, each.end) for each in bench.trace.attestations if each.point == "MAC"} == {(0.0, 0.0)}


def test_zigbee_on_host_has_its_radio_from_a_served_air_like_anybody() -> None:
    lacking = missing()
    if lacking:
        pytest.skip(f"{lacking}: nobody else's host is tried on a served air")
    with serving("air", "--radios", "2", "--han-device", DEVICE.name, "--control") as air:
        file = bench_of(air.where, {"sniffer": "radio 2"}, (Actor.HAN_DEVICE,))
        sniffer = replace(file.radios["sniffer"], options={**file.radios["sniffer"].options, "channel": str(CHANNEL)})
        peer = Filled("harness.tests.peers.zigbee_on_host:ZigbeeOnHost", {"radio": air.where["radio 1"]})
        bench = Bench(replace(file, radios={"sniffer": sniffer}, adapters={**file.adapters, Actor.ESI: peer}), DEVICE, scenario="real")

        def said(event: str) -> bool:
            return any(isinstance(each.event, Said) and each.event.event == event for each in bench.happenings)

        try:
            assert bench.wait_until(lambda: said("formed"), WITHIN)
            bench.switch_on()
            assert bench.wait_until(lambda: said("joined"), WITHIN)
            bench.wait_until(lambda: False, 2.0)
        finally:
            bench.close()
    assert judged(bench.trace, Verdict.FAIL) | judged(bench.trace, Verdict.ERROR) == set()
    assert "UC2.7-05-ASSOCIATES@HAN Device" in judged(bench.trace, Verdict.PASS)


# -- what goes wrong at a port in the middle of a case


@pytest.fixture
def port() -> Iterator[SpinelPort]:
    """A radio on an air of its own, with nobody else there."""
    air = ServedAir(random.Random(1))
    port, over = air.port(), threading.Event()
    thread = threading.Thread(target=lambda: air.run(lambda: not over.is_set()))
    thread.start()
    yield port
    over.set()
    air.clock.interrupt()
    thread.join(WITHIN)
    air.close()
    assert not thread.is_alive()


def reset(port: SpinelPort) -> None:
    port.say(encode(SpinelFrame(Command.IS, pack("ii", Property.LAST_STATUS, Status.RESET_WATCHDOG))))


def noise(port: SpinelPort) -> None:
    port.say(b"\x7e\0\0\x7e" + bytes(range(256)) * 8 + b"\x7e")


@pytest.mark.parametrize(("mishap", "verdict", "says"), [
    (SpinelPort.drop, Verdict.ERROR, "the port was closed"), (reset, Verdict.ERROR, "the radio has reset, unasked (RESET_WATCHDOG)"),
    (noise, Verdict.INCONC, ""),
])
def test_a_mishap_at_a_port_ends_one_case_by_name_and_the_next_goes_on(
    port: SpinelPort, mishap: Callable[[SpinelPort], None], verdict: Verdict, says: str,
) -> None:
    file = replace(VIRTUAL, latencies={}, window_start=0.0, radios={"ESI": Plugged(RCP, {"port": port.address})})
    file = replace(file, adapters={**file.adapters, Actor.HAN_DEVICE: Filled(ABSENT)}, dut=(Actor.HAN_DEVICE,))
    campaign = Campaign(file, 1, lambda planned: Bench(planned.bench, planned.device, scenario=planned.scenario))
    conclusions = []
    for name in ("struck", "next"):
        run = CaseRun(name, (), campaign, DEVICE)
        fault: Exception | None = None
        try:
            bench: Any = run.fixture("bench")
            bench.open()
            bench.wait_until(lambda: any(each.point == "MAC" for each in bench.trace), WITHIN)  # noqa: B023 - called at once
            if name == "struck":
                mishap(port)
            bench.wait_until(lambda: False, 0.3)
        except HanproofError as raised:
            fault = raised
        finally:
            run.close()
        conclusions.append(run.conclude(fault))
    struck, after = conclusions
    assert (struck.verdict, after.verdict) == (verdict, Verdict.INCONC), "for a case that judges nothing decides nothing"
    assert says in struck.reason
    if says:
        assert struck.reason.startswith(f"radio at {port.address}: ")
        (evidence,) = struck.evidence
        assert evidence.trace is not None
        assert [each.producer for each in evidence.trace if each.point == "MAC"], "what was heard before is kept"


# -- in a bench file


@pytest.mark.parametrize(("lines", "says"), [
    ("radios: {Meter: {adapter: 'a:B'}}", "radios.Meter: nobody on the air has this name"),
    ("radios: {ESI: {port: x}}", "radios.ESI.adapter: is missing"),
    ("radios: {ESI: {adapter: nonsense}}", "'nonsense' names no class"),
    ("radios: {ESI: {adapter: 'a:B', channel: 15}}", "is tuned by its actor"),
    ("radios: {sniffer: {adapter: 'a:B', channel: 27}}", "radios.sniffer.channel: '27'"),
    ("radios: {}", "radios: has no radio"),
    ("radios: {sniffer: {adapter: 'a:B'}}", "radios: no sniffer is told its channel"),
    ("radios: {sniffer: {adapter: 'a:B', channel: 15}, sniffer 2: {adapter: 'a:B', channel: 20}}", "another sniffer has another"),
])
def test_what_is_wrong_about_radios_in_a_bench_file_is_said(tmp_path: Path, lines: str, says: str) -> None:
    path = tmp_path / "bench.yaml"
    devices = f"devices: [{VIRTUAL.path.parent.parent / 'devices' / 'pct.yaml'}]"
    path.write_text(f"name: b\n{devices}\nadapters: {{}}\n{lines}\n", encoding="utf-8")
    with pytest.raises(InputError) as fault:
        read_bench(path)
    assert says in str(fault.value)


@pytest.mark.parametrize(("adapter", "says"), [
    ("harness.radio.rcp:Ncp", "has no attribute 'Ncp'"), ("harness.radio.virtual:VirtualRadio", "has no told, perform, close"),
])
def test_what_is_no_radio_is_said_before_the_first_case(adapter: str, says: str) -> None:
    with pytest.raises(InputError, match=says):
        check(replace(VIRTUAL, radios={"ESI": Plugged(adapter)}))


@pytest.mark.parametrize("esi", [
    Filled("harness.adapters.virtual_esi:VirtualEsi"), Filled("harness.adapters.zigpy_esi:ZigpyEsi", {"radio": "bellows", "port": "x"}),
    Filled("harness.adapters.virtual_esi:VirtualEsi", {"channel": "20"}),
])
def test_a_sniffer_beside_the_channel_of_the_esi_is_refused(esi: Filled) -> None:
    adapters = {**VIRTUAL.adapters, Actor.ESI: esi}
    wrong, right = ("11", "20") if "channel" in esi.options else ("20", "15")
    check(replace(VIRTUAL, adapters=adapters, radios={"sniffer": Plugged(RCP, {"channel": right})}))
    with pytest.raises(InputError, match=f"sniffer listens to channel {wrong}, and the ESI of this bench is on {right}"):
        check(replace(VIRTUAL, adapters=adapters, radios={"sniffer": Plugged(RCP, {"channel": wrong})}))


def test_every_role_verb_of_a_served_device_is_within_reach() -> None:
    air, done = ServedAir(random.Random(1)), list[str]()
    verbs = VERBS[Actor.HAN_DEVICE]
    air.attend(Actor.HAN_DEVICE, cast("Any", SimpleNamespace(**{verb: lambda now, verb=verb: done.append(verb) for verb in verbs})))
    for verb in verbs:
        air.perform(Actor.HAN_DEVICE, verb)
    assert done == list(verbs)


@pytest.mark.parametrize(("options", "says"), [
    (("--radios", "0"), "--radios 0: right would be 1 to 16"), (("--han-device", "toaster"), "has no device 'toaster'"),
    (("--defect", "nonsense"), "no defect of anybody on this air"), (("--control", "0.0.0.0:0"), "right would be a port of loopback"),
])
def test_what_cannot_be_served_is_said(options: tuple[str, ...], says: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["serve", "air", *options]) == 4
    assert says in capsys.readouterr().err


def test_a_radio_that_cannot_be_had_is_named_by_its_place(tmp_path: Path) -> None:
    path = tmp_path / "bench.yaml"
    text = VIRTUAL.path.read_text(encoding="utf-8").replace("../devices", str(VIRTUAL.path.parent.parent / "devices"))
    path.write_text(f"{text}radios:\n  ESI: {{adapter: 'harness.radio.rcp:Rcp', port: /dev/null, colour: red}}\n", encoding="utf-8")
    file = read_bench(path)
    assert file.radios == {"ESI": Plugged(RCP, {"port": "/dev/null", "colour": "red"})}
    with pytest.raises(BenchError, match=r"bench.yaml:\d+: radios.ESI.adapter: .*there is no option colour"):
        Bench(file, DEVICE)
