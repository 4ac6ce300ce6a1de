"""What a broker's client has to remember: what was sent and is not settled, what can be answered; knows no broker and no socket.

Every parcel that is put down here comes back exactly once: answered, accepted, refused, overdue or lost. Instants are seconds on
whatever clock the caller has.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from harness.backhaul.broker_dialect import BrokerBounds, Letter
from harness.backhaul.carrier import Parcel

REPLIES = ".replies"  # the queue of a place where answers to its requests arrive
GIVEN_UP = "given up"
CONTENT_TYPE = "application/xml"  # where the sender says nothing


@dataclass
class _Sent:
    parcel: Parcel
    deadline: float
    answered: bool  # whether an answer is expected; else it is over when the broker has accepted it


@dataclass(frozen=True)
class _Exchange:
    reply_to: str
    correlation: Any


class Ledger:
    """The unsettled parcels and open exchanges of one carrier; for one thread."""

    def __init__(self, name: str, bounds: BrokerBounds) -> None:
        self._name, self._bounds = name, bounds
        self._sent: OrderedDict[int, _Sent] = OrderedDict()
        self._asked: dict[str, int] = {}
        self._over: OrderedDict[str, str] = OrderedDict()  # token of a request to what became of it
        self._exchanges: OrderedDict[str, _Exchange] = OrderedDict()
        self._tags = 0
        self._arrivals = 0

    def full(self) -> bool:
        """Whether there is no room for another parcel."""
        return len(self._sent) >= self._bounds.waiting

    def exchange(self, token: str) -> _Exchange | None:
        """The exchange of this token, if it can be answered."""
        return self._exchanges.get(token)

    def drop(self, token: str) -> None:
        """Forget an exchange."""
        self._exchanges.pop(token, None)

    def put(self, parcel: Parcel, queue: str, own_replies: str, now: float) -> tuple[int, Letter]:
        """Remember a parcel until it is settled; its tag, and what is to be published to `queue` under it."""
        self._tags += 1
        properties = _said(parcel.about)
        if (exchange := self._exchanges.get(parcel.answers)) is not None:
            properties.setdefault("correlation-id", exchange.correlation)
        elif parcel.exchange:
            properties = {"reply-to": own_replies, "correlation-id": parcel.exchange, "message-id": parcel.exchange, **properties}
        properties.setdefault("message-id", f"{own_replies.removesuffix(REPLIES)}-{self._tags}")
        answered = bool(parcel.exchange) and properties.get("reply-to") == own_replies
        self._sent[self._tags] = _Sent(parcel, now + self._bounds.answer_within, answered)
        if answered:
            self._asked[parcel.exchange] = self._tags
        return self._tags, Letter(queue, parcel.octets, {key: value for key, value in properties.items() if value not in ("", None)})

    def accepted(self, tag: int) -> Parcel | None:
        """The broker has it: that is all for what expects no answer."""
        sent = self._sent.get(tag)
        if sent is None or sent.answered:
            return None
        del self._sent[tag]
        return self._outcome(sent.parcel, "") if sent.parcel.exchange else None

    def refused(self, tag: int, why: str) -> Parcel | None:
        """The broker does not want it."""
        return self._settle(tag, "refused", why) if tag in self._sent else None

    def overdue(self, now: float) -> Iterator[Parcel]:
        """What had to be settled by now."""
        for tag in [tag for tag, sent in self._sent.items() if sent.deadline <= now]:
            what = "no answer" if self._sent[tag].answered else "not accepted by the broker"
            yield self._settle(tag, GIVEN_UP, f"{what} within {self._bounds.answer_within:g} s")

    def lost(self, why: str) -> Iterator[Parcel]:
        """Everything, because the connection is gone."""
        for tag in list(self._sent):
            yield self._settle(tag, "lost", why)

    def deadline(self) -> float | None:
        """When `overdue` is next to be asked; parcels are put down in the order of their deadlines."""
        return next(iter(self._sent.values())).deadline if self._sent else None

    def arrival(self, place: str, letter: Letter, flaw: str) -> Parcel:
        """A message from the queue of a place."""
        reply_to, token = letter.properties.get("reply-to"), ""
        if isinstance(reply_to, str) and reply_to:
            self._arrivals += 1
            token = f"{self._name}:{place}:{self._arrivals}"
            _remember(self._exchanges, token, _Exchange(reply_to, letter.correlation), self._bounds.remembered)
        return Parcel(letter.octets, place, exchange=token, about=self._about(letter.properties), flaw=flaw)

    def answer(self, place: str, letter: Letter, flaw: str) -> Parcel:
        """A message from a place's queue of replies."""
        token = str(letter.properties.get("correlation-id") or "")
        tag = self._asked.pop(token, None)
        if tag is not None:
            del self._sent[tag]
            _remember(self._over, token, "answered", self._bounds.remembered)
        elif token in self._over:
            flaw = flaw or f"an answer to the request {token!r}, which is {self._over[token]} already"
        else:
            flaw = flaw or (f"an answer to {token!r}, which nobody asked" if token else "an answer without a correlation id")
        return Parcel(letter.octets, place, answers=token, about=self._about(letter.properties), flaw=flaw)

    def refusal(self, parcel: Parcel, why: str) -> Parcel:
        """What comes back of a parcel that was not even put down."""
        return self._outcome(parcel, why, unsent=True)

    def _settle(self, tag: int, fate: str, why: str) -> Parcel:
        sent = self._sent.pop(tag)
        silent = fate == GIVEN_UP and sent.answered  # the broker took it, and nobody answered
        if self._asked.get(sent.parcel.exchange) == tag:
            del self._asked[sent.parcel.exchange]
            _remember(self._over, sent.parcel.exchange, fate, self._bounds.remembered)
        return self._outcome(sent.parcel, why, unsent=not silent)

    def _outcome(self, parcel: Parcel, flaw: str, *, unsent: bool = False) -> Parcel:
        return replace(
            parcel, octets=b"", exchange="", answers=parcel.exchange, about=self._about({}), flaw=flaw, unsent=unsent,
        )

    def _about(self, properties: Mapping[str, Any]) -> dict[str, Any]:
        return {"name": self._name, "properties": dict(properties)}


def _said(about: Mapping[str, Any]) -> dict[str, Any]:
    """The properties of a parcel; where it was written for HTTP, its content type and SOAPAction are taken for ours."""
    headers = about.get("headers") or {}
    said = {"content-type": headers.get("content-type", CONTENT_TYPE), "subject": headers.get("soapaction", "").strip('"')}
    return {**said, **(about.get("properties") or {})}


def _remember(where: OrderedDict[str, Any], token: str, what: Any, most: int) -> None:
    """Keep the newest `most`."""
    where[token] = what
    while len(where) > most:
        where.popitem(last=False)
