"""Reading a trace's wires: CIM messages and the proprietary legs, decoded once for every checker. Gives no verdict."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from harness.backhaul.codec import LegCodec, TlvCodec
from harness.backhaul.message import LegKind, LegMessage
from harness.cim.envelope import CimMessage, Kind, read
from harness.cim_profile import CimProfile
from harness.errors import Inconclusive, RemoteProtocolError
from harness.remembered import Remembered
from harness.trace import LEG_CODEC, OWN_LEG_CODEC, Exchange, Trace
from harness.usecase import Actor, Point


@dataclass(frozen=True)
class Letter:
    """One CIM message: the exchange it came in and what it says; `message` is None where the octets are no XML."""

    exchange: Exchange
    message: CimMessage | None

    @property
    def number(self) -> int:
        """The exchange's number, for evidence."""
        return self.exchange.number

    @property
    def arrived(self) -> bool:
        """Whether it reached its receiver unaltered."""
        return self.exchange.fate == "arrived"


@dataclass(frozen=True)
class Carried:
    """One message of a proprietary leg; `message` is None, and `malformed` says why, where the octets are unreadable."""

    exchange: Exchange
    message: LegMessage | None
    malformed: str = ""

    @property
    def number(self) -> int:
        """The exchange's number, for evidence."""
        return self.exchange.number

    @property
    def arrived(self) -> bool:
        """Whether it reached its receiver unaltered."""
        return self.exchange.fate == "arrived"


def letters(
    trace: Trace, producer: Actor | None = None, receiver: Actor | None = None, kind: Kind | None = None,
    noun: str | None = None,
) -> Iterator[Letter]:
    """The CIM messages between these two (None: anybody), of this kind and about this noun. They are shared: change none."""
    for letter in _all_letters(trace):
        exchange, message = letter.exchange, letter.message
        if producer not in (None, exchange.producer) or receiver not in (None, exchange.receiver):
            continue
        if kind is not None and (message is None or message.kind is not kind):
            continue
        if noun is not None and (message is None or message.noun != noun):
            continue
        yield letter


_LETTERS: Remembered[Trace, tuple[int, tuple[Letter, ...]]] = Remembered()


def _all_letters(trace: Trace) -> tuple[Letter, ...]:
    """Every CIM message of a trace, read once for all checkers; read anew when the trace has grown.

    What a real wire delivered with a flaw is no message: it is for who judges the transport.
    """
    size = len(trace.exchanges)
    known = _LETTERS.get(trace)
    if known is None or known[0] != size:
        known = (size, tuple(
            Letter(exchange, read(exchange.octets)[0]) for exchange in trace.at(Point.CIM) if not exchange.about.get("flaw")
        ))
        _LETTERS[trace] = known
    return known[1]


def carried(trace: Trace, producer: Actor, receiver: Actor, *kinds: LegKind) -> Iterator[Carried]:
    """The messages of the leg between these two; of these kinds, or all (unreadable ones among them) when none is named.

    Raises Inconclusive where the legs speak a codec that is not at hand.
    """
    codec = leg_codec(trace)
    for exchange in trace.at(Point.LEG):
        if (exchange.producer, exchange.receiver) != (producer, receiver):
            continue
        try:
            each = Carried(exchange, codec.decode(exchange.octets))
        except RemoteProtocolError as fault:
            each = Carried(exchange, None, str(fault))
        if not kinds or (each.message is not None and each.message.kind in kinds):
            yield each


def withdrawn_orders(trace: Trace) -> frozenset[int]:
    """The numbers of the orders that the head-end took back. Raises Inconclusive as `carried` does."""
    taken_back = carried(trace, Actor.AMI_HEAD_END, Actor.AMI_NETWORK, LegKind.CANCEL_WINDOW)
    return frozenset(each.message.sequence for each in taken_back if each.message is not None)


def profile_of(trace: Trace) -> CimProfile:
    """How the bench of a trace wants its CIM messages."""
    return CimProfile.of(trace.header.about.get("cim"))


def leg_codec(trace: Trace) -> LegCodec:
    """What reads the legs of a trace. Raises Inconclusive where that is a codec which nobody has brought."""
    if trace.leg_codec is not None:
        codec: LegCodec = trace.leg_codec
        return codec
    named = trace.header.about.get(LEG_CODEC, OWN_LEG_CODEC)
    if named == OWN_LEG_CODEC:
        return TlvCodec()
    raise Inconclusive(f"the legs speak the codec {named!r}, which is not at hand; give it by --leg-codec")


def leg_message(trace: Trace, exchange: Exchange) -> LegMessage | None:
    """What a message of a leg says, None where it is unreadable. Raises Inconclusive as `carried`."""
    try:
        return leg_codec(trace).decode(exchange.octets)
    except RemoteProtocolError:
        return None


def instant(trace: Trace, seconds: float) -> datetime:
    """The UTC instant `seconds` after the bench started."""
    return datetime.fromisoformat(trace.header.epoch) + timedelta(seconds=seconds)
