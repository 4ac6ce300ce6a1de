"""A virtual AMI Network: routes orders by meter to the NIC (step 3) and reports back to the head-end (step 12); sans-I/O."""

from __future__ import annotations

from collections.abc import Mapping
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
    """One AMI Network. Options: `meters` (those it has a route to; by default the ordered ones).

    Its identity may carry `routes`: by which NIC it reaches which meter, where there are several.
    """

    def __init__(self, setup: Setup) -> None:
        policy = policy_of(setup)
        meters = setup.options.get("meters", [order.meter for order in setup.orders])
        routes: Mapping[str, str] = setup.identity.get("routes") or dict.fromkeys(meters, Actor.NIC)

        def below(meter: str) -> tuple[str, ...]:
            if policy.routes_to_every_meter:
                return tuple(dict.fromkeys(routes.values()))
            found = (routes[meter],) if meter in routes and policy.has_routes else ()
            return (*found, Actor.ESI) if policy.passes_the_nic_by else found

        place = Place(Actor.AMI_NETWORK, Actor.AMI_HEAD_END, below, Obstacle.NO_ROUTE)
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
