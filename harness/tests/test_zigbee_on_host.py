"""zigbee-on-host, a coordinator and trust centre that nobody of us wrote, takes our HAN devices in with their install code's key.

It reads what we build on every layer up to ZDP and has no key establishment, so what is played ends where step 7 begins.
"""

from __future__ import annotations

from collections.abc import Iterator
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
from harness.stack.han_device import DEVICES
from harness.stack.happenings import Announced
from harness.stack.startup import State
from harness.tests.peers.zigbee_on_host import Said, needs_zigbee_on_host
from harness.usecase import Actor
from harness.verdict import Verdict

VIRTUAL = read_bench(Path(__file__).parents[2] / "fixtures" / "benches" / "virtual.yaml")
BENCH = replace(
    VIRTUAL, dut=(Actor.HAN_DEVICE,), window_start=0.0, adapters={
        Actor.ESI: Filled("harness.tests.peers.zigbee_on_host:ZigbeeOnHost"),
        Actor.HAN_DEVICE: VIRTUAL.adapters[Actor.HAN_DEVICE],
    },
)
WITHIN = 12.0  # seconds for each thing that is waited for; a scan of all channels takes the longest, over two
JUDGED = ("05", "06")  # the steps that an association and a Transport-Key are


class PacedClock:
    """Wall time, `pace` times as slow, that never leaps: where this process or the other one has to wait for a processor, a
    device that listens for 20 ms to what another process has to say has not missed it."""

    LEAP = 0.002  # seconds

    def __init__(self) -> None:
        self._wall = WallClock()
        self.epoch = self._wall.epoch
        self.pace = 1.0
        self._now = self._read = 0.0

    def now(self) -> float:
        wall = self._wall.now()
        self._now += min((wall - self._read) / self.pace, self.LEAP)
        self._read = wall
        return self._now

    def wait_until(self, instant: float) -> None:
        while (left := instant - self.now()) > 0:
            self._wall.wait_until(self._read + min(left, self.LEAP) * self.pace)


class Meeting:
    """A bench of two: zigbee-on-host and one of our devices."""

    def __init__(self, device: Device) -> None:
        self.clock = PacedClock()
        self.bench = Bench(BENCH, device, scenario="zigbee-on-host", clock=self.clock)
        self.coordinator: Any = self.bench.machines[Actor.ESI]
        self.device: Any = self.bench.machines[Actor.HAN_DEVICE]

    def said(self, event: str, **about: Any) -> list[dict[str, Any]]:
        told = [each.event for each in self.bench.happenings if isinstance(each.event, Said)]
        return [
            dict(each.about) for each in told if each.event == event and about.items() <= each.about.items()
        ]

    def wait_for(self, event: str, **about: Any) -> dict[str, Any]:
        assert self.bench.wait_until(lambda: bool(self.said(event, **about)), WITHIN), (
            f"no {event!r} {about} of zigbee-on-host; {self.said('complaint')}"
        )
        return self.said(event, **about)[0]

    def join(self) -> int:
        """Have the device look for the network and be let in; its short address, as zigbee-on-host tells it."""
        self.wait_for("formed")
        self.bench.switch_on()
        assert self.bench.wait_until(lambda: self.device.node.state is State.ASSOCIATING, WITHIN), "no network was chosen"
        self.clock.pace = 4.0
        address: int = self.wait_for("joined")["address"]
        self.clock.pace = 1.0
        return address

    def ask(self, address: int, question: Record) -> Record:
        """The answer to a ZDP request that zigbee-on-host sends."""
        cluster = zdp.cluster_of(question.layer)
        self.coordinator.ask(address, cluster, zdp.build(question, 0)[1:])
        response = cluster | zdp.RESPONSE
        answer = self.wait_for("frame", profile=zdp.PROFILE, cluster=response)
        return zdp.read(response, bytes.fromhex(answer["payload"]))


@pytest.fixture(params=BENCH.devices, ids=lambda device: device.name)
def meeting(request: pytest.FixtureRequest) -> Iterator[Meeting]:
    """Of each device with a fresh coordinator, whose process ends with the test whatever happens in it."""
    made = Meeting(request.param)
    try:
        yield made
    finally:
        made.coordinator.close()


@needs_zigbee_on_host
def test_an_independent_coordinator_takes_our_device_in_asks_who_it_is_and_sends_it_away(meeting: Meeting) -> None:
    bench, device = meeting.bench, meeting.bench.device
    address = meeting.join()
    joined = meeting.said("joined")[0]
    assert joined["ieee"] == str(device.eui64)
    assert joined["capabilities"]["rxOnWhenIdle"] != device.pics["sleepy"]
    announced = [each.event for each in bench.happenings if isinstance(each.event, Announced)]
    assert [(each.device, each.short_address) for each in announced] == [(device.eui64, address)]

    node = meeting.ask(address, zdp.NodeDescReq.of(nwk_addr_of_interest=address)).node_descriptor
    assert node.logical_type == zdp.LogicalType.END_DEVICE
    (endpoint,) = meeting.ask(address, zdp.ActiveEpReq.of(nwk_addr_of_interest=address)).endpoints
    simple = meeting.ask(address, zdp.SimpleDescReq.of(nwk_addr_of_interest=address, endpoint=endpoint)).simple_descriptor
    assert (simple.endpoint, simple.profile, simple.device) == (endpoint, PROFILE, DEVICES[device.device_type][0])

    reading = zcl.build(zcl.Zcl.of(sequence=7), zcl.ReadAttributes.of(attributes=(basic.ZCL_VERSION,)))
    meeting.coordinator.send(address, endpoint, PROFILE, basic.CLUSTER.identifier, reading)
    answer = meeting.wait_for("frame", profile=PROFILE, cluster=basic.CLUSTER.identifier)
    (record,) = zcl.read(basic.CLUSTER.identifier, bytes.fromhex(answer["payload"])).command.records
    assert (record.attribute, record.status) == (basic.ZCL_VERSION, zcl.Status.SUCCESS)

    meeting.coordinator.dismiss(address)
    assert meeting.wait_for("left")["ieee"] == str(device.eui64)
    assert meeting.said("complaint") == []
    verdicts = {each.id: each for each in judge(bench.trace, [each for each in clauses().values() if each.step in JUDGED])}
    assert verdicts["UC2.7-06-JOINED@HAN Device"].verdict is Verdict.PASS
    assert [each for each in verdicts.values() if each.verdict in (Verdict.FAIL, Verdict.ERROR)] == []

