"""A virtual AMI Network: routes orders by meter to the NIC (step 3) and reports back to the head-end (step 12); sans-I/O."""

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


class VirtualAmiNetwork:
    """One AMI Network. Options: `meters` (those it has a route to; by default the ordered ones)."""

    def __init__(self, setup: Setup) -> None:
        meters = frozenset(setup.options.get("meters", [order.meter for order in setup.orders]))
        place = Place(
            Actor.AMI_NETWORK, Actor.AMI_HEAD_END, lambda meter: Actor.NIC if meter in meters else None, Obstacle.NO_ROUTE,
        )
        self._relay = Relay(place, setup.options.get("codec") or TlvCodec(), setup.epoch, policy_of(setup))

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
