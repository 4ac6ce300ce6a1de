"""The harness as ESI through a zigpy radio library in its child process: a bench with a stick, and what goes wrong with one."""

from __future__ import annotations

import os
import re
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from cases.table import clauses
from harness.adapters import zigpy_esi
from harness.bench import Bench
from harness.building import unseen
from harness.declarations import BenchFile, Device, read_bench
from harness.errors import BenchError, Unsupported
from harness.judge import judge
from harness.plugin.bench_building import build
from harness.plugin.campaign import Campaign
from harness.plugin.case import run_case
from harness.stack.happenings import ApplicationDone, DeviceJoined, DeviceProvisioned, Registered, WindowOpened
from harness.taps import Taps
from harness.tests.packet_world import PacketWorld, packet_world
from harness.trace import Header, Trace
from harness.usecase import Actor, Clause, Point
from harness.verdict import Finding, Verdict, passed
from reports.rungs import Rung, rungs

VIRTUAL = read_bench(Path(__file__).parents[2] / "fixtures" / "benches" / "virtual.yaml")
PCT = next(each for each in VIRTUAL.devices if each.name == "pct")
LIBRARY = "harness.tests.packet_radio:Application"
QUICK = dict.fromkeys(VIRTUAL.latencies, 0.001)


def bench_file(place: str, radio: str = LIBRARY, **options: Any) -> BenchFile:
    """The virtual bench with its ESI on a stick and its HAN Device on that stick's air."""
    adapters = dict(VIRTUAL.adapters)
    adapters[Actor.ESI] = replace(
        adapters[Actor.ESI], adapter="harness.adapters.zigpy_esi:ZigpyEsi", options={"radio": radio, "port": place} | options,
    )
    adapters[Actor.HAN_DEVICE] = replace(
        adapters[Actor.HAN_DEVICE], adapter="harness.tests.packet_world:DeviceInWorld", options={"place": place},
    )
    return replace(VIRTUAL, adapters=adapters, dut=(Actor.HAN_DEVICE,), latencies=QUICK, window_start=0.0)


@contextmanager
def benched(radio: str = LIBRARY, device: Device = PCT, **options: Any) -> Iterator[tuple[Bench, PacketWorld]]:
    with packet_world(link_key=device.link_key, device=device.eui64) as world:
        bench = Bench(bench_file(world.place, radio, **options), device)
        try:
            yield bench, world
        finally:
            bench.close()


def child_of(bench: Bench) -> int:
    return int(bench.machines[Actor.ESI]._process.pid)


def run_on(bench: Bench) -> None:
    """Until something breaks."""
    bench.open()
    bench.wait_until(lambda: False, 60.0)


def in_service(bench: Bench, world: PacketWorld) -> Callable[[], bool]:
    return lambda: bench.happened(DeviceProvisioned) and any(world.home.happened(ApplicationDone))


def test_a_device_is_provisioned_through_the_child_process() -> None:
    """By a library, as some are, that stays in its permit for as long as the window lasts: nobody is held up by that."""
    with benched("harness.tests.packet_radio:Blocking") as (bench, world):
        bench.open()
        assert bench.happened(WindowOpened)
        bench.switch_on()
        assert bench.wait_until(in_service(bench, world), 60.0), bench.happenings
        assert [each.event.device for each in bench.happenings if isinstance(each.event, DeviceJoined)] == [PCT.eui64]
        assert any(world.home.happened(Registered))
        keys = [each for each in bench.trace.keys if each.kind == "link"]
        assert [each["key"] for each in world.asked if each["do"] == "share"] == [keys[0].octets.hex()]
        packets = list(bench.trace.at(Point.APS))
        judged = judge(bench.trace, clauses().values())
    assert not [each for each in judged if each.verdict >= Verdict.FAIL]
    on_frames = [each for each in judged if each.actor is Actor.HAN_DEVICE and each.clause.split("-")[1] in ("05", "06", "07", "08", "09")]
    assert on_frames
    assert all(each.not_applicable.startswith(("needs the observation point MAC", "PICS item")) for each in on_frames)
    assert any(isinstance(each, Rung) and each.label.startswith("packet: Price, ") for each in rungs(bench.trace))
    secured = [each for each in packets if each.about["secured"]]
    assert {each.producer for each in secured} == {Actor.ESI, Actor.HAN_DEVICE}
    assert all(each.about["profile"] == 0x0109 for each in secured)
    told = {each.octets.decode() for each in bench.trace.at(Point.LOG)}
    assert any("exercised on hardware no" in line for line in told), told
    assert world.asked[-1] == {"do": "permit", "seconds": 0, "expected": {}}  # nobody gets in after the run


def test_a_clause_about_frames_is_not_applicable_with_that_reason() -> None:
    file = bench_file("nowhere")
    assert unseen(file) == {Point.MAC}
    trace = Trace(Header(order=file.order(PCT), epoch="", dut=file.dut))
    Taps(trace, unseen=unseen(file))
    clause = Clause("UC2.7-06-FRAMES", "", "ZB", "", {Actor.HAN_DEVICE: (lambda trace: iter(()),)}, needs=(Point.MAC,))
    (judgement,) = judge(trace, [clause])
    assert judgement.not_applicable == "needs the observation point MAC, which this bench does not have"


@pytest.fixture(scope="module")
def at_work() -> Iterator[Bench]:
    with benched("harness.tests.packet_radio:Printing") as (bench, _):
        bench.open()
        yield bench


def test_what_a_library_prints_stands_not_between_the_lines(at_work: Bench) -> None:
    assert at_work.happened(WindowOpened)


def test_what_the_stick_cannot_is_unsupported_by_name(at_work: Bench) -> None:
    with pytest.raises(Unsupported, match=r"Printing on .* cannot take a further network key"):
        at_work.renew_network_key()


def test_packets_that_the_stick_had_no_room_for_are_an_error_by_name(at_work: Bench) -> None:
    with pytest.raises(BenchError, match=r"Printing on .* has lost packets: the firmware had no room"):
        at_work.machines[Actor.ESI]._read({"missed": {"why": "the firmware had no room for what it had to tell"}})


def test_keys_stand_on_no_command_line(at_work: Bench) -> None:
    words = Path(f"/proc/{child_of(at_work)}/cmdline").read_bytes().split(b"\0")
    assert words[1:-1] == [b"-m", b"harness.ncp"]


def test_the_child_knows_neither_scapy_nor_our_dissectors(at_work: Bench) -> None:
    known = set(at_work.machines[Actor.ESI].about["modules"].split())
    assert {"zigpy", "harness"} <= known
    assert not {"scapy", "dissectors"} & known


# -- what goes wrong


def _packets(trace: Trace) -> Iterator[Finding]:
    yield from (passed("a packet was seen", each.number) for each in trace.at(Point.APS))


PACKETS = Clause("UC2.7-09-PACKETS", "", "SE", "", {Actor.HAN_DEVICE: (_packets,)})


def _a_case_whose_child_is_killed_in_the_middle_of_key_establishment(bench: Bench, verify: Callable[[Trace], None]) -> None:
    bench.open()
    bench.switch_on()
    bench.wait_until(lambda: bench.happened(DeviceJoined), 30.0)
    os.kill(child_of(bench), signal.SIGKILL)
    bench.wait_until(lambda: False, 30.0)
    verify(bench.trace)


def _the_next_case(bench: Bench, verify: Callable[[Trace], None]) -> None:
    bench.open()
    verify(bench.trace)


def test_a_killed_child_is_an_error_verdict_by_name_with_its_evidence_and_the_run_goes_on() -> None:
    with packet_world(link_key=PCT.link_key, device=PCT.eui64) as world:
        campaign = Campaign(bench_file(world.place), 1, build)
        killed, after = (
            run_case(case, campaign, PCT, clauses=[PACKETS])
            for case in (_a_case_whose_child_is_killed_in_the_middle_of_key_establishment, _the_next_case)
        )
    assert killed.verdict is Verdict.ERROR
    assert re.match(rf"{LIBRARY} on {world.place}: its process \d+ was ended by signal 9", killed.reason), killed.reason
    (evidence,) = killed.evidence
    assert evidence.trace is not None
    assert list(evidence.trace.at(Point.APS))
    assert after.verdict is Verdict.PASS, after.reason


@pytest.mark.parametrize(("radio", "says"), [
    ("harness.tests.packet_radio:Crashing", r"was ended by signal 11; unanswered: `send`|asked for was `send`"),
    ("harness.tests.packet_radio:Hanging", r"does not answer `\w+`: its process \d+ hangs"),
    ("harness.tests.packet_radio:Telling", r"`permit` failed: ValueError: no room for <octets> = <octets> = \[<octets>\] in slot 3$"),
])
def test_a_bad_library_is_an_error_by_name(radio: str, says: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(zigpy_esi, "LIMIT", 2.0 if radio.endswith("Hanging") else zigpy_esi.LIMIT)
    with benched(radio) as (bench, _), pytest.raises(BenchError, match=says) as caught:
        run_on(bench)
    assert PCT.link_key.hex() not in str(caught.value).replace(":", "").replace(" ", "")


def test_a_stick_that_is_pulled_out_is_an_error_by_name() -> None:
    with benched() as (bench, world):
        bench.open()
        world.cut()
        with pytest.raises(BenchError, match="is lost: it was unplugged, or its firmware was reset"):
            bench.wait_until(lambda: False, 10.0)


@pytest.mark.parametrize(("options", "says"), [
    ({"radio": "no.such.library:Application"}, "`open` failed: ModuleNotFoundError: No module named 'no'"),
    ({"port": "127.0.0.1:9"}, "`open` failed: ConnectionRefusedError"),
    ({"eui64": "acde480000000001"}, "has the address 0022080000000001 and does not take another; right would be no `eui64`"),
    ({"radio": "bellows", "port": "rfc2217://127.0.0.1:9"}, "of RFC 2217, .* right would be `socket://HOST:PORT` of the same server"),
    ({"port": 7}, "`port` is missing; right would be"),
    ({"baudrate": "fast"}, "`baudrate` is no number; right would be `baudrate: 115200`"),
    ({"flow_control": "yes"}, "`flow_control` is not known; right would be one of hardware, software, none"),
])
def test_a_stick_that_cannot_be_had_is_an_error_by_name(options: dict[str, Any], says: str) -> None:
    with packet_world() as world:
        file = bench_file(world.place, **options)
        with pytest.raises(BenchError, match=says):
            Bench(file, PCT)
