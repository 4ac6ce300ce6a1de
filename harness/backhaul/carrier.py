"""What a real wire carries and what every carrier of it can do; knows octets and addresses, no message format and no role.

A carrier is one side of HTTP, AMQP 1.0, STOMP, TCP or UDP. Its event loop runs in a thread of its own; what arrives is handed
to `deliver`, which must be quick and safe to call from that thread. Nothing that arrives is lost: what is too long, cut short or
refused is delivered as well, as far as it came, with the flaw in words.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol


@dataclass(frozen=True)
class Parcel:
    """One body on a real wire, on its way out or in.

    `place` is the local party, as a path segment or queue spells it ("ami-head-end"): where it arrived, or on whose behalf it is
    sent. `address` is where it goes (URL, queue, host:port); empty for an answer. `exchange` names the transport's exchange by a
    token: set by a carrier on what arrives and can be answered on the spot, and by the sender on what is to be answered.
    `answers` is the token of the exchange that this parcel answers. `about` is what the transport says beside the body, lower-case
    keys: for HTTP {"name": "http", "method", "target", "status", "headers": {lower-case name: value}}; for brokers {"name": "amqp"
    or "stomp", "properties": {...}}. `flaw` says in one sentence what went wrong at the transport; empty where nothing did.
    `unsent` says that it went wrong on our side or on the way: nothing of ours reached the peer, who had no part in it.
    """

    octets: bytes = field(repr=False)
    place: str = ""
    address: str = ""
    exchange: str = ""
    answers: str = ""
    about: Mapping[str, Any] = field(default_factory=dict, hash=False)
    flaw: str = ""
    unsent: bool = False


Deliver = Callable[[Parcel], None]


class Carrier(Protocol):
    """One side of a real wire."""

    def address_of(self, place: str) -> str:
        """The address under which others reach a local party."""

    def send(self, parcel: Parcel) -> None:
        """Send a request, an event or (with `answers`) an answer; returns at once, from any thread.

        Whatever becomes of it comes back through `deliver` as a parcel that `answers` its token: the answer, an empty body where
        the transport only acknowledged, or a flaw (refused, closed, timed out).
        """

    def drop(self, exchange: str) -> None:
        """Never answer an exchange: close it as a peer would that fell silent."""

    def close(self) -> None:
        """Let go of sockets and threads. May be called twice; never raises."""
