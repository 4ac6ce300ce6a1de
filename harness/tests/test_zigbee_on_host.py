"""zigbee-on-host, a coordinator and trust centre that nobody of us wrote, takes our HAN devices in with their install codes.

It reads what we build on every layer up to ZDP and has no key establishment, so what is played ends where step 7 begins.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from cases.table import clauses
from dissectors import zcl, zdp
from dissectors.clusters import basic
from dissectors.layer import Record
from dissectors.smart_energy import PROFILE
from harness.bench import Bench
from harness.clock import WallClock
from harness.declarations import Device, Filled, read_bench
from harness.judge import judge
from harness.plan import Plan
from harness.stack.han_device import DEVICES
from harness.stack.happenings import Announced
from harness.tests.peers.zigbee_on_host import Said, missing
from harness.usecase import Actor
from harness.verdict import Verdict

VIRTUAL = read_bench(Path(__file__).parents[2] / "fixtures" / "benches" / "virtual.yaml")
BENCH = replace(
    VIRTUAL, window_start=0.0, adapters={
        Actor.ESI: Filled("harness.tests.peers.zigbee_on_host:ZigbeeOnHost"),
        Actor.HAN_DEVICE: VIRTUAL.adapters[Actor.HAN_DEVICE],
    },
)
WITHIN = 12.0  # seconds for each thing that is waited for; a scan of all channels takes the longest, two and a half
WINDOW, CLOSING = 10.0, 3.0  # seconds; and how long it is watched when that is over
LONGEST = 120.0  # seconds of real time for everything, on a machine that is busy
JUDGED = ("04", "05", "06", "07", "08", "09", "SEQ")  # what the air can show
SOMETIMES = {
    "UC2.7-06-COUNTERS@ESI",  # it seals what waits for a sleepy device at once, so that a broadcast overtakes it
}
ALWAYS_OPEN = {"UC2.7-04-CLOSES@ESI", "UC2.7-05-CLOSED@ESI", "UC2.7-SEQ-ORDER@ESI"}  # nobody orders a window of it: it lets everybody in


class SharedClock:
    """Wall time that stands still while one of the two processes has to wait for a processor: a device that listens for 20 ms
    to what the other process has to say must not miss it because the machine is busy."""

    def __init__(self) -> None:
        self._wall = WallClock()
        self.epoch = self._wall.epoch
        self.catch_up: Callable[[], None] = lambda: None
        self._now = 0.0

    def now(self) -> float:
        return self._now

    def wait_until(self, instant: float) -> None:
        assert self._wall.now() < LONGEST, f"not over after {LONGEST} s of real time"
        self.catch_up()
        self._wall.wait_until(self._wall.now() + instant - self._now)
        self._now = max(self._now, instant)


class Meeting:
    """A bench of two: zigbee-on-host and one of our devices."""

    def __init__(self, device: Device) -> None:
        clock = SharedClock()
        self.bench = Bench(BENCH, device, scenario="zigbee-on-host", clock=clock)
        self.coordinator: Any = self.bench.machines[Actor.ESI]
        clock.catch_up = self.coordinator.catch_up

    def said(self, event: str, **about: Any) -> list[Mapping[str, Any]]:
        """What zigbee-on-host has told of that kind."""
        told = [each.event for each in self.bench.happenings if isinstance(each.event, Said)]
        return [each.about for each in told if each.event == event and about.items() <= each.about.items()]

    def next(self, event: str, **about: Any) -> Mapping[str, Any]:
        """What it tells of that kind from now on."""
        known = len(self.said(event, **about))
        came = self.bench.wait_until(lambda: len(self.said(event, **about)) > known, WITHIN)
        assert came, f"zigbee-on-host did not tell {event} {about}; its complaints: {self.said('complaint')}"
        return self.said(event, **about)[known]

    def join(self) -> int:
        """Have the device look for the network and be let in; its short address, as zigbee-on-host tells it."""
        self.next("formed")
        self.bench.switch_on()
        return int(self.next("joined", ieee=str(self.bench.device.eui64))["address"])

    def rejoin(self) -> int:
        """Let power fail at the device; its short address after that."""
        self.bench.power_cycle(Actor.HAN_DEVICE)
        return int(self.next("joined", ieee=str(self.bench.device.eui64))["address"])

    def dismiss(self, address: int) -> None:
        """Have zigbee-on-host send the device away."""
        self.coordinator.dismiss(address)
        self.next("left", address=address)

    def ask(self, question: Record, address: int) -> Record:
        """The answer to a ZDP request that zigbee-on-host sends."""
        cluster = zdp.cluster_of(question.layer)
        self.coordinator.ask(address, cluster, zdp.build(question, 0)[1:])
        answer = self.next("frame", address=address, profile=zdp.PROFILE, cluster=cluster | zdp.RESPONSE)
        return zdp.read(cluster | zdp.RESPONSE, bytes.fromhex(answer["payload"]))

    def read(self, cluster: int, attribute: int, address: int, endpoint: int) -> Record:
        """The device's record of an attribute that zigbee-on-host reads."""
        reading = zcl.build(zcl.Zcl.of(sequence=7), zcl.ReadAttributes.of(attributes=(attribute,)))
        self.coordinator.send(address, endpoint, PROFILE, cluster, reading)
        answer = self.next("frame", address=address, profile=PROFILE, cluster=cluster)
        (record,) = zcl.read(cluster, bytes.fromhex(answer["payload"])).command.records
        assert isinstance(record, Record)
        return record


@pytest.fixture(params=BENCH.devices, ids=lambda device: device.name)
def meeting(request: pytest.FixtureRequest) -> Iterator[Meeting]:
    """Of each device with a fresh coordinator, whose process ends with the test whatever happens in it."""
    lacking = missing()
    if lacking:
        pytest.skip(f"{lacking}: no coordinator but our own lets our devices in")
    made = Meeting(request.param)
    try:
        yield made
    finally:
        made.coordinator.close()


@pytest.fixture
def windowed() -> Iterator[Bench]:
    """Of the whole back office and zigbee-on-host in the place of the meter, under test, whose window is opened as ordered."""
    lacking = missing()
    if lacking:
        pytest.skip(f"{lacking}: no coordinator but our own is judged")
    clock = SharedClock()
    meter = Filled("harness.tests.peers.zigbee_on_host:ZigbeeOnHost", options={"opens": "by hand"})
    filled = {**VIRTUAL.adapters, Actor.NIC: replace(meter, along=Actor.ESI), Actor.ESI: meter}
    file = replace(VIRTUAL, window_start=0.0, adapters=filled, dut=(Actor.NIC, Actor.ESI))
    bench = Bench(file, file.devices[1], Plan(window_duration=WINDOW), scenario="zigbee-on-host-in-a-window", clock=clock)
    clock.catch_up = bench.machines[Actor.ESI].catch_up
    try:
        yield bench
    finally:
        bench.close()


def judged(bench: Bench, *verdicts: Verdict) -> set[str]:
    """The clauses of the air, by actor, that have one of these verdicts."""
    asked = [each for each in clauses().values() if each.step in JUDGED]
    return {each.id for each in judge(bench.trace, asked) if each.verdict in verdicts}


def test_an_independent_coordinator_lets_our_device_in_asks_who_it_is_and_sends_it_away(meeting: Meeting) -> None:
    device = meeting.bench.device
    address = meeting.join()
    assert meeting.said("joined")[0]["capabilities"]["rxOnWhenIdle"] != device.pics["sleepy"]
    announced = [each.event for each in meeting.bench.happenings if isinstance(each.event, Announced)]
    assert [(each.device, each.short_address) for each in announced] == [(device.eui64, address)]

    node = meeting.ask(zdp.NodeDescReq.of(nwk_addr_of_interest=address), address).node_descriptor
    assert node.logical_type == zdp.LogicalType.END_DEVICE
    (endpoint,) = meeting.ask(zdp.ActiveEpReq.of(nwk_addr_of_interest=address), address).endpoints
    question = zdp.SimpleDescReq.of(nwk_addr_of_interest=address, endpoint=endpoint)
    simple = meeting.ask(question, address).simple_descriptor
    assert (simple.endpoint, simple.profile, simple.device) == (endpoint, PROFILE, DEVICES[device.device_type][0])
    record = meeting.read(basic.CLUSTER.identifier, basic.ZCL_VERSION, address, endpoint)
    assert (record.attribute, record.status) == (basic.ZCL_VERSION, zcl.Status.SUCCESS)

    assert meeting.rejoin() == address
    meeting.dismiss(address)
    assert meeting.said("complaint") == []
    assert "UC2.7-06-JOINED@HAN Device" in judged(meeting.bench, Verdict.PASS)
    assert judged(meeting.bench, Verdict.FAIL, Verdict.ERROR) - SOMETIMES == ALWAYS_OPEN


def test_an_independent_coordinator_keeps_to_its_window(windowed: Bench) -> None:
    windowed.open()
    windowed.switch_on()
    windowed.wait_until(lambda: False, windowed.order.end + CLOSING - windowed.now)
    assert judged(windowed, Verdict.FAIL, Verdict.ERROR) - SOMETIMES == set()
    assert judged(windowed, Verdict.PASS) >= {
        "UC2.7-04-OPENS@ESI", "UC2.7-05-BEACON@ESI", "UC2.7-06-SHORT-ADDRESS@ESI", "UC2.7-06-KEY-SEALED@ESI",
    }
