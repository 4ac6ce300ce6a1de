"""The virtual wires: latency by leg, order kept, each fault, and what the tap is told."""

from __future__ import annotations

import pytest

from harness.backhaul import faults
from harness.backhaul.faults import SeenMessage
from harness.backhaul.wires import CIM, DEFAULT_LATENCY, LEG, LEG_NUMBER, VirtualWires
from harness.ports import Message
from harness.usecase import Actor

LATENCIES = {"cim": 0.2, "2": 0.5, "3": 2.0}
LEG_2 = (Actor.AMI_HEAD_END, Actor.AMI_NETWORK)
LEG_3 = (Actor.AMI_NETWORK, Actor.NIC)


def leg(octets: bytes, ends: tuple[str, str] = LEG_2) -> Message:
    return Message(LEG, *ends, octets)


class Wires:
    """The wires of one test, with what their tap saw."""

    def __init__(self) -> None:
        self.seen: list[SeenMessage] = []
        self.wires = VirtualWires(LATENCIES, tap=self.seen.append)

    def send(self, *octets: bytes, at: float = 0.0) -> None:
        for each in octets:
            self.wires.submit(leg(each), at)

    def arrived(self) -> list[tuple[float, bytes]]:
        arrived = []
        while (instant := self.wires.deadline()) is not None:
            arrived += [(round(instant, 6), message.octets) for message in self.wires.wake(instant)]
        return arrived

    def fates(self) -> list[tuple[int, str, int | None]]:
        return [(seen.number, seen.fate, seen.instead_of) for seen in self.seen]


@pytest.mark.parametrize(("message", "latency"), [
    (leg(b"x"), 0.5), (leg(b"x", LEG_3), 2.0), (leg(b"x", (Actor.NIC, Actor.ESI)), DEFAULT_LATENCY),
    (Message(CIM, Actor.DR_APPLICATION, Actor.CIS, b"x"), 0.2),
])
def test_each_wire_has_its_latency(message: Message, latency: float) -> None:
    wires = VirtualWires(LATENCIES)
    wires.submit(message, 1.0)
    assert wires.deadline() == pytest.approx(1.0 + latency)
    assert wires.wake(0.9 + latency) == []
    assert wires.wake(1.0 + latency) == [message]
    assert wires.deadline() is None


def test_every_leg_of_the_use_case_has_a_number() -> None:
    assert set(LEG_NUMBER.values()) == {"2", "3", "4", "10", "11", "12"}


def test_order_is_kept_when_latency_falls() -> None:
    wires = Wires()
    wires.send(b"1")
    wires.wires.latencies["2"] = 0.1
    wires.send(b"2")
    assert [octets for _, octets in wires.arrived()] == [b"1", b"2"]


def test_an_undisturbed_message_is_seen_once() -> None:
    wires = Wires()
    wires.send(b"1", at=3.0)
    assert wires.arrived() == [(3.5, b"1")]
    assert wires.seen == [SeenMessage(1, 3.0, leg(b"1"), "arrived", arrives=3.5)]


@pytest.mark.parametrize(("fault", "arrived", "fates"), [
    (faults.drop(), [(0.5, b"2")], [(1, "lost", None), (2, "arrived", None)]),
    (faults.drop(skip=1), [(0.5, b"1")], [(1, "arrived", None), (2, "lost", None)]),
    (faults.drop(times=None), [], [(1, "lost", None), (2, "lost", None)]),
    (faults.duplicate(after=1.0), [(0.5, b"1"), (0.5, b"2"), (1.5, b"1")],
     [(1, "arrived", None), (2, "arrived", None), (3, "arrived", 1)]),
    (faults.delay(by=1.0), [(1.5, b"1"), (1.5, b"2")], [(1, "arrived", None), (2, "arrived", None)]),
    (faults.reorder(by=1.0), [(0.5, b"2"), (1.5, b"1")], [(1, "arrived", None), (2, "arrived", None)]),
    (faults.alter(lambda octets: octets + b"!"), [(0.5, b"1!"), (0.5, b"2")],
     [(1, "altered", None), (2, "arrived", None), (3, "arrived", 1)]),
    (faults.drop(lambda message: message.octets == b"2"), [(0.5, b"1")], [(1, "arrived", None), (2, "lost", None)]),
    (faults.drop(faults.between(*LEG_3)), [(0.5, b"1"), (0.5, b"2")], [(1, "arrived", None), (2, "arrived", None)]),
    (faults.drop(faults.between(*LEG_2)), [(0.5, b"2")], [(1, "lost", None), (2, "arrived", None)]),
])
def test_each_fault(
    fault: faults.Fault, arrived: list[tuple[float, bytes]], fates: list[tuple[int, str, int | None]],
) -> None:
    wires = Wires()
    with wires.wires.suffering(fault):
        wires.send(b"1", b"2")
    assert wires.arrived() == arrived
    assert wires.fates() == fates
    wires.send(b"3", at=9.0)
    assert wires.arrived() == [(9.5, b"3")]  # the fault is over


def test_faults_add_up() -> None:
    wires = Wires()
    with wires.wires.suffering(faults.duplicate(after=1.0), faults.alter(bytes.upper, times=1, skip=1)):
        wires.send(b"a")
    assert wires.arrived() == [(0.5, b"a"), (1.5, b"A")]
    assert wires.fates() == [(1, "arrived", None), (2, "arrived", 1)]
