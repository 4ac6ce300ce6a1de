"""Parties at one broker, by each protocol, for the tests of the broker carriers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import proton

from harness.backhaul import amqp_carrier, stomp_carrier
from harness.backhaul.authentication import Credentials
from harness.backhaul.broker_carrier import BrokerCarrier
from harness.backhaul.broker_dialect import Broker, BrokerBounds
from harness.backhaul.carrier import Deliver, Parcel
from harness.tests.broker_peers import StompClient, amqp_client
from harness.tests.inbox import WITHIN, Inbox
from harness.tests.peers.rabbitmq import PASSWORD, USER

MESSAGE = b"<EndDeviceControls/>\0\xff"
DR, HEAD_END = "dr-application", "ami-head-end"
WHO = Credentials(USER, PASSWORD)

Make = Callable[..., BrokerCarrier]
PROTOCOLS: dict[str, Make] = {
    "amqp": amqp_carrier.amqp_carrier,
    "stomp": stomp_carrier.stomp_carrier,
    "stomp 1.1": lambda *args, **kwargs: stomp_carrier.stomp_carrier(*args, **kwargs, version="1.1"),
}


@dataclass(frozen=True)
class Party:
    """A carrier for one place, and what it delivered."""

    place: str
    carrier: BrokerCarrier
    inbox: Inbox

    def say(self, octets: bytes, to: str, **more: Any) -> None:
        self.carrier.send(Parcel(octets, self.place, to, **more))

    def answer(self, parcel: Parcel, octets: bytes) -> None:
        self.carrier.send(Parcel(octets, self.place, answers=parcel.exchange))


class World:
    """Parties at one broker by one protocol, under a prefix that no other test has."""

    def __init__(self, protocol: str, broker: Broker) -> None:
        self.protocol, self.broker = protocol, broker
        self.carriers: list[BrokerCarrier] = []

    def carrier(self, deliver: Deliver, *places: str, bounds: BrokerBounds | None = None, **at: Any) -> BrokerCarrier:
        made = PROTOCOLS[self.protocol](deliver, places, replace(self.broker, **at), bounds)
        self.carriers.append(made)
        return made

    def party(self, place: str, **more: Any) -> Party:
        inbox = Inbox()
        carrier = self.carrier(inbox, place, **more)
        carrier.wait_until_connected(WITHIN)
        return Party(place, carrier, inbox)

    def queue(self, place: str) -> str:
        return self.broker.prefix + place

    @property
    def is_amqp(self) -> bool:
        return self.protocol == "amqp"

    def put(self, place: str, body: Any, **properties: Any) -> None:
        """Leave a message at a place's queue, by somebody else's client."""
        if self.is_amqp:
            with amqp_client(self.broker.port) as client:
                client.create_sender(self.queue(place)).send(proton.Message(body=body, **properties))
        else:
            theirs = StompClient(self.broker.port)
            headers = "".join(f"{name}:{value}\n" for name, value in properties.items())
            said = theirs.ask(f"SEND\ndestination:/queue/{self.queue(place)}\nreceipt:r\n{headers}\n".encode() + body + b"\0")
            assert said.startswith(b"RECEIPT"), said
            theirs.close()
