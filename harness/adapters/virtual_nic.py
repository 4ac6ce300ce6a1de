"""A virtual NIC: hands orders for its meter to the ESI (step 4), and the ESI's reports to the network (step 11); sans-I/O."""

from __future__ import annotations

from typing import Any

from harness.actors.reports import Logged
from harness.actors.setup import Setup
from harness.adapters.back_office_policy import policy_of
from harness.backhaul.codec import TlvCodec
from harness.backhaul.message import Obstacle
from harness.backhaul.relay import Place, Relay
from harness.ports import Message, Pdu
from harness.usecase import Actor


class VirtualNic:
    """One NIC. Options: `meter` (the one it is in; by default that of the first order)."""

    def __init__(self, setup: Setup) -> None:
        own = setup.options.get("meter") or next((order.meter for order in setup.orders), None)
        policy = policy_of(setup)

        def below(meter: str) -> tuple[str, ...]:
            return (Actor.ESI,) if meter == own or policy.serves_every_meter else ()

        place = Place(Actor.NIC, Actor.AMI_NETWORK, below, Obstacle.WRONG_METER)
        self._relay = Relay(place, setup.options.get("codec") or TlvCodec(), setup.epoch, policy)

    def receive(self, pdu: Pdu, now: float) -> None:
        """Take a leg message."""
        if isinstance(pdu, Message):
            self._relay.receive(pdu, now)

    def transmit(self, now: float) -> list[Pdu]:
        """What is to go out now."""
        return list(self._relay.transmit())

    def deadline(self) -> float | None:
        """When the next message is to be passed on."""
        return self._relay.deadline()

    def wake(self, now: float) -> None:
        """Pass on what is due."""
        self._relay.wake(now)

    def events(self) -> list[Any]:
        """What it would have written into its log since the last call."""
        log, self._relay.log = self._relay.log, []
        return [Logged(line) for line in log]
