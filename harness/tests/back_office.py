"""A back office and backhaul for tests: all six virtual actors on virtual wires; the test plays the ESI's end of leg 4."""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from harness.actors.setup import Setup
from harness.adapters.virtual_ami_head_end import VirtualAmiHeadEnd
from harness.adapters.virtual_ami_network import VirtualAmiNetwork
from harness.adapters.virtual_cis import VirtualCis
from harness.adapters.virtual_dr_application import VirtualDrApplication
from harness.adapters.virtual_nic import VirtualNic
from harness.adapters.virtual_ods import VirtualOds
from harness.backhaul.codec import TlvCodec
from harness.backhaul.faults import SeenMessage
from harness.backhaul.message import LegKind, LegMessage
from harness.backhaul.wires import CIM, LEG, LEG_NUMBER, VirtualWires
from harness.cim.envelope import CimMessage, read
from harness.ports import Message
from harness.usecase import Actor, Order
from harness.values import DeviceType, Eui64

EPOCH = datetime(2026, 1, 15, 12, tzinfo=UTC)
INSTALL_CODE = bytes.fromhex("83fed3407a939723a5c639b26916d505c3b5")
ORDER = Order(Eui64(0x0013500500A1B2C3), DeviceType.PCT, INSTALL_CODE, start=60.0, duration=600.0)
LATENCIES = {"cim": 0.2, "2": 0.5, "3": 2.0, "4": 0.05, "10": 0.05, "11": 2.0, "12": 0.5}
CODEC = TlvCodec()
ADAPTERS: dict[Actor, Any] = {
    Actor.DR_APPLICATION: VirtualDrApplication, Actor.AMI_HEAD_END: VirtualAmiHeadEnd, Actor.AMI_NETWORK: VirtualAmiNetwork,
    Actor.NIC: VirtualNic, Actor.CIS: VirtualCis, Actor.ODS: VirtualOds,
}


@dataclass
class Planted:
    """How one actor differs from the right one."""

    decisions: Mapping[str, Any] = field(default_factory=dict)
    rewrites: tuple[Any, ...] = ()
    options: Mapping[str, Any] = field(default_factory=dict)


class BackOffice:
    """The actors, the wires between them, and what the tap saw; `orders` at the ESI are the leg messages that came to it."""

    def __init__(self, planted: Mapping[Actor, Planted] | None = None, *, orders: tuple[Order, ...] = (ORDER,)) -> None:
        self.seen: list[SeenMessage] = []
        self.wires = VirtualWires(LATENCIES, tap=self.seen.append)
        self.at_esi: list[tuple[float, LegMessage]] = []
        self.happened: list[tuple[Actor, Any]] = []
        self.now = 0.0
        self.machines: dict[str, Any] = {}
        for actor, adapter in ADAPTERS.items():
            plan = (planted or {}).get(actor, Planted())
            self.machines[actor] = adapter(Setup(
                actor, orders, EPOCH, random.Random(f"27/{actor}"), options=plan.options, policy=plan.decisions,
                rewrites=plan.rewrites,
            ))

    def __getitem__(self, actor: Actor) -> Any:
        return self.machines[actor]

    def run(self, until: float) -> None:
        """Let everything happen that is due by `until`."""
        while True:
            self._pump()
            deadlines = [each.deadline() for each in (self.wires, *self.machines.values())]
            instant = min((each for each in deadlines if each is not None), default=until + 1)
            if instant > until:
                self.now = until
                return
            self.now = max(self.now, instant)
            for message in self.wires.wake(self.now):
                if message.receiver == Actor.ESI:
                    self.at_esi.append((self.now, CODEC.decode(message.octets)))
                else:
                    self.machines[message.receiver].receive(message, self.now)
            for machine in self.machines.values():
                if (machine.deadline() or 0.0) <= self.now:
                    machine.wake(self.now)

    def report(self, leg: LegMessage) -> None:
        """Step 10: the ESI says something."""
        self.wires.submit(Message(LEG, Actor.ESI, Actor.NIC, CODEC.encode(leg)), self.now)

    def order(self, order: Order = ORDER) -> LegMessage:
        """Step 1 to 4 of an order; returns what came to the ESI."""
        self[Actor.DR_APPLICATION].order_window(order, self.now)
        self.run(max(self.now, order.start) + 5.0)
        (leg,) = [leg for _, leg in self.at_esi if leg.kind is LegKind.OPEN_WINDOW and leg.device == order.device][-1:]
        return leg

    def provision(self, order: Order = ORDER) -> None:
        """The whole use case, undisturbed."""
        leg = self.order(order)
        self.report(leg.window_opened(self.instant()))
        self.run(self.now + 30.0)
        self.report(leg.provisioned(self.instant()))
        self.run(self.now + 10.0)

    def instant(self) -> datetime:
        """Now, as UTC."""
        return EPOCH + timedelta(seconds=self.now)

    def legs(self, number: str, kind: LegKind | None = None) -> list[LegMessage]:
        """What was sent on the leg of that step, repetitions by faults left out."""
        found = [
            CODEC.decode(seen.message.octets) for seen in self.seen if seen.message.wire == LEG and seen.instead_of is None
            and LEG_NUMBER[seen.message.producer, seen.message.receiver] == number
        ]
        return [leg for leg in found if kind is None or leg.kind is kind]

    def cim(self, producer: Actor, receiver: Actor, noun: str | None = None) -> list[CimMessage]:
        """The CIM messages that one actor sent to another."""
        return [message for _, message in self._cim(producer, receiver) if noun is None or message.noun == noun]

    def _cim(self, producer: Actor, receiver: Actor) -> Iterator[tuple[SeenMessage, CimMessage]]:
        for seen in self.seen:
            if (seen.message.wire, seen.message.producer, seen.message.receiver) == (CIM, producer, receiver):
                message, _ = read(seen.message.octets)
                assert message is not None
                yield seen, message

    def _pump(self) -> None:
        for actor, machine in self.machines.items():
            for message in machine.transmit(self.now):
                self.wires.submit(message, self.now)
            self.happened += [(Actor(actor), event) for event in machine.events()]
