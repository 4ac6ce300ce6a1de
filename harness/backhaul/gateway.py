"""Between the messages of machines and the parcels of a real wire: who is meant by a place, an address, a token.

Sans-I/O beside its carrier, and used from one thread alone. Knows no message format: whether a body wants an answer, and whose it
is, it is told by two functions.
"""

from __future__ import annotations

import math
from collections import OrderedDict
from collections.abc import Callable, Mapping
from typing import Any

from harness.backhaul.carrier import Carrier, Parcel
from harness.ports import Message

HOLD = 30.0  # seconds that an exchange waits for a machine's answer before it is closed, as by a peer that fell silent
MAX_TOKENS = 1024  # of exchanges that are over: an answer that comes late or twice is still known for what it is
ACCEPTED, REDIRECTED = 202, 300  # HTTP: taken, and nothing is answered; from here on it was not taken


def place_of(actor: str) -> str:
    """How a party is spelt as a path segment or queue ("ami-head-end")."""
    return actor.lower().replace(" ", "-")


class Gateway:
    """One wire's edge. `local` are the parties on this side, `peers` the addresses of those on the other.

    `wants_answer` says whether a body is to be answered on the spot; `producer_of` whose a body is that came to a local party.
    A transport that `acknowledges` answers each post (HTTP), with an empty body where nobody else does.
    """

    def __init__(
        self, wire: str, local: Mapping[str, str], peers: Mapping[str, str], carrier: Carrier, *,
        wants_answer: Callable[[bytes], bool], producer_of: Callable[[bytes, str], str], acknowledges: bool = True, tag: str = "",
    ) -> None:
        """`local` is actor by place, `peers` address by actor; `tag` sets this gateway's tokens apart on a carrier it shares."""
        self.peers = dict(peers)
        self.posts = 0  # requests and events sent
        self.arrivals = 0  # requests and events that came
        self.outstanding: set[str] = set()  # posts that the other side has not answered
        self.abandoned = 0  # exchanges that we never answered where the transport tells nobody: the other side may wait on
        self.failed = 0  # posts that came back with a flaw: nobody knows whether they arrived
        self._wire = wire
        self._local = dict(local)
        self._carrier = carrier
        self._wants_answer = wants_answer
        self._producer_of = producer_of
        self._acknowledges = acknowledges
        self._tag = tag
        self._open: dict[str, float] = {}  # exchanges that wait for a machine's answer, and until when
        self._asked: OrderedDict[str, Message] = OrderedDict()

    @property
    def open(self) -> int:
        """How many exchanges wait for an answer of ours."""
        return len(self._open)

    def send(self, message: Message) -> str:
        """Put a message on the wire; returns why it could not be, empty where it could."""
        place, token = place_of(message.producer), message.about.get("answers", "")
        about = message.about.get("transport", {})
        if token in self._open:
            del self._open[token]
            self._carrier.send(Parcel(message.octets, place, answers=token, about=about))
            return ""
        address = message.about.get("address") or self.peers.get(message.receiver)
        if not address:
            return f"no address of the {message.receiver} is known"
        self.posts += 1
        answered = self._acknowledges or self._wants_answer(message.octets)
        exchange = f"{self._tag}{place}-{self.posts}" if answered else ""
        if exchange:
            self.outstanding.add(exchange)
            self._asked[exchange] = message
            while len(self._asked) > MAX_TOKENS:
                self._asked.popitem(last=False)
        self._carrier.send(Parcel(message.octets, place, address, exchange, about=about))
        return ""

    def take(self, parcel: Parcel, now: float) -> Message | None:
        """The message that came, with what the transport says of it; None where the transport only acknowledged."""
        about: dict[str, Any] = {"transport": dict(parcel.about), **({"flaw": parcel.flaw} if parcel.flaw else {})}
        if parcel.answers:
            self.outstanding.discard(parcel.answers)
            self._open.pop(parcel.answers, None)  # who asked has gone, and no answer reaches him any more
            asked = self._asked.get(parcel.answers)
            if not parcel.octets and not parcel.flaw and parcel.about.get("status", ACCEPTED) < REDIRECTED:
                return None
            if asked is not None:
                self.failed += bool(parcel.flaw)
                if not parcel.octets:
                    about.setdefault("flaw", f"HTTP {parcel.about.get('status')}, and no message")
            about["answers"] = parcel.answers  # nobody answers an answer, be it as it may
            if asked is not None:
                return Message(self._wire, asked.receiver, asked.producer, parcel.octets, about)
            about.setdefault("flaw", "an answer to nothing that was asked")
        receiver = self._local.get(parcel.place, "")
        self.arrivals += bool(receiver) and not parcel.answers
        if parcel.exchange and not parcel.flaw:
            if self._wants_answer(parcel.octets):
                self._open[parcel.exchange] = now + HOLD
                about["exchange"] = parcel.exchange
            elif self._acknowledges:
                self._carrier.send(Parcel(b"", parcel.place, answers=parcel.exchange, about={"status": ACCEPTED}))
        return Message(self._wire, self._producer_of(parcel.octets, receiver), receiver, parcel.octets, about)

    def deadline(self) -> float | None:
        """When the next exchange has waited long enough."""
        return min(self._open.values(), default=None)

    def expire(self, now: float = math.inf) -> None:
        """Close the exchanges that nobody has answered by `now` (seconds; default: all)."""
        for token in [token for token, until in self._open.items() if until <= now]:
            del self._open[token]
            self.abandoned += not self._acknowledges
            self._carrier.drop(token)
