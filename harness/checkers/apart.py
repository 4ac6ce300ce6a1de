"""A run with two orders, seen as two runs of one order each, so that whoever judges one order is not confused by the other.

Checkers ask about *the* order of a trace. Where a bench plays a second one (the header's `about["second"]` says whose), every check
is made on each order's part of the trace: its messages, its device's frames, its meter's HAN. What is about neither stays in both.
Knows what a message is about; gives no verdict.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from math import inf
from typing import Any

from harness.checkers.correspondence import Letter, leg_message, letters
from harness.checkers.reading import Heard, air
from harness.crypto.install_code import code_of_address
from harness.inquiry import ASKED
from harness.remembered import Remembered
from harness.trace import Attestation, Exchange, Header, Trace
from harness.usecase import Actor, Check, Clause, Order, Point, second
from harness.values import DeviceType, Eui64
from harness.verdict import Finding

AIR = "air"  # the medium of the first HAN


def orders_of(trace: Trace) -> tuple[Order, ...]:
    """What was ordered in a run: one order or two. The key of the second is that of a test device."""
    told, first = trace.header.about.get("second"), trace.header.order
    if told is None:
        return (first,)
    device, material = Eui64.parse(told["device"]), first.key_material
    if device != first.device:
        code = code_of_address(device)
        material = code.octets if first.key_form == "install_code" else code.link_key
    return first, Order(
        device, DeviceType(told["device_type"]), material, first.key_form, told["start"], told["duration"], told["meter"],
        told["premise"],
    )


def swapped_at(trace: Trace) -> float:
    """When the second order of a run took the place of the first, seconds; infinite where it did not."""
    marks = trace.header.about.get("marks", ())
    return next((mark["at"] for mark in marks if mark["verb"].startswith("swap ")), inf)


@dataclass(frozen=True)
class Together:
    """A check that looks at both orders of a run at once."""

    check: Check

    def __call__(self, trace: Trace) -> Iterator[Finding]:
        """What it finds."""
        return self.check(trace)

    @property
    def __name__(self) -> str:
        return getattr(self.check, "__name__", repr(self.check))


def together(checks: Mapping[Actor, tuple[Check, ...]]) -> Mapping[Actor, tuple[Check, ...]]:
    """The checks of a clause, each looking at both orders of a run at once."""
    return {actor: tuple(map(Together, each)) for actor, each in checks.items()}


def asked_of_each_order(clause: Clause) -> Clause:
    """The clause with its checks made on each order of a run by itself, but those that look at both together."""
    return replace(clause, checks={
        actor: tuple(check if isinstance(check, Together) else _on_each(check, actor) for check in checks)
        for actor, checks in clause.checks.items()
    })


def _on_each(check: Check, actor: Actor) -> Check:
    def checked(trace: Trace) -> Iterator[Finding]:
        told = trace.header.about.get("second")
        own = actor not in told["places"] if told is not None else True  # else another machine than the judged one is at work
        met: list[Finding] = []
        for part in apart(trace)[: None if own else 1]:
            for finding in check(part):
                if finding not in met:
                    met.append(finding)
                    yield finding

    checked.__name__ = getattr(check, "__name__", repr(check))
    return checked


_Seen = tuple[int, int, int, tuple[Attestation, ...]]
_PARTS: Remembered[Trace, tuple[_Seen, tuple[Trace, ...]]] = Remembered()
_METERS: Remembered[Trace, Trace] = Remembered()


def apart(trace: Trace) -> tuple[Trace, ...]:
    """Each order's part of a trace, with that order in its header; the trace itself where there is but one. Made once."""
    orders = orders_of(trace)
    if len(orders) == 1:
        return (trace,)
    seen = len(trace.exchanges), len(trace.keys), len(trace.header.about.get("marks", ())), tuple(trace.attestations)
    known = _PARTS.get(trace)
    if known is None or known[0] != seen:
        known = (seen, tuple(_part(trace, *pair) for pair in (orders, orders[::-1])))
        _PARTS[trace] = known
    return known[1]


def at_the_meter(trace: Trace) -> Trace:
    """Of an order's part: everything of its meter, so also what is about the other device there. Of a whole trace: itself."""
    meter = _METERS.get(trace)
    return trace if meter is None else meter


def _part(trace: Trace, own: Order, other: Order) -> Trace:
    first = own is trace.header.order
    told = trace.header.about["second"]
    meter = _of_the_meter(trace, own, told, first)
    if first and told["swap"]:
        _cut(meter, swapped_at(trace))
    hidden = {*_letters_about(meter, own, other), *_frames_of(meter, own, other)}
    part = _with(meter, [
        each for each in meter.exchanges if each.number not in hidden and not _is_about_other(meter, each, own, other)
    ])
    _METERS[part] = meter
    return part


def _with(trace: Trace, exchanges: list[Exchange], header: Header | None = None) -> Trace:
    part = Trace(header or trace.header)
    part.exchanges, part.attestations, part.keys, part.leg_codec = exchanges, trace.attestations, trace.keys, trace.leg_codec
    return part


def _of_the_meter(trace: Trace, own: Order, told: dict[str, Any], first: bool) -> Trace:
    """The trace without the other meter's HAN; for the second order, its meter and device under the names of the first."""
    names: dict[str | None, str] = {}
    if not first:
        for place in map(Actor, told["places"]):
            names |= {place.value: second(place), second(place): place.value}
    here, there = (AIR, told["air"]) if first else (told["air"], AIR)

    def medium(name: str) -> str:
        return name.replace(f"{here}:", f"{AIR}:") if name.startswith(f"{here}:") else name

    exchanges = [
        replace(
            each, producer=names.get(each.producer, each.producer), receiver=names.get(each.receiver, each.receiver),
            medium=medium(each.medium),
        )
        for each in trace.exchanges if here == there or not each.medium.startswith(f"{there}:")
    ]
    about = {
        **trace.header.about, "second": None,
        "other_key": first and trace.header.about.get("other_key", False),
        "marks": [{**mark, "actor": names.get(mark["actor"], mark["actor"])} for mark in trace.header.about.get("marks", ())],
    }
    pixit = trace.header.pixit if first else {**trace.header.pixit, "eui64": str(own.device)}
    meter = _with(trace, exchanges, replace(trace.header, order=own, about=about, pixit=pixit))
    meter.attestations = [
        replace(each, medium=medium(each.medium)) for each in trace.attestations
        if here == there or not each.medium.startswith(f"{there}:")
    ]
    return meter


def _cut(trace: Trace, end: float) -> None:
    """Leave what comes after `end` out, as if nobody had listened any more."""
    trace.exchanges = [each for each in trace.exchanges if each.time < end]
    trace.attestations = [replace(each, end=min(inf if each.end is None else each.end, end)) for each in trace.attestations]
    trace.header.about["marks"] = [mark for mark in trace.header.about["marks"] if mark["at"] < end]


def _is_about_other(trace: Trace, exchange: Exchange, own: Order, other: Order) -> bool:
    """Whether a leg message, or an answer that somebody gave, is about the other order."""
    if exchange.medium == ASKED:
        mine, others = _names(own), _names(other)
        return exchange.about.get("of") in others - mine
    if exchange.point is not Point.LEG:
        return False
    message = leg_message(trace, exchange)
    if message is None:
        return False
    return message.device == other.device if own.device != other.device else message.meter == other.meter != own.meter


def _names(order: Order) -> set[str]:
    return {str(order.device), order.meter, order.premise}


def _letters_about(trace: Trace, own: Order, other: Order) -> Iterator[int]:
    """The CIM messages that name the other's device (or its meter and no device), and what is said in the same chain."""
    mine: set[str | None] = {None, ""}
    others: set[str | None] = set()
    silent = []
    for letter in letters(trace):
        named = _named(letter, own, other)
        chain = letter.message.correlation_id if letter.message is not None else None
        if named is None:
            silent.append((letter.number, chain))
        elif named is own:
            mine.add(chain)
        else:
            others.add(chain)
            yield letter.number
    yield from (number for number, chain in silent if chain in others - mine)


def _named(letter: Letter, own: Order, other: Order) -> Order | None:
    """Which of the two orders a message is about, by the device that it names or else by the meter; None for both or neither."""
    for words in ((str(own.device), str(other.device)), (own.meter, other.meter)):
        here, there = (_says(letter, word.lower()) for word in words)
        if words[0] != words[1] and here != there:
            return own if here else other
    return None


def _says(letter: Letter, word: str) -> bool:
    payload = letter.message.payload if letter.message is not None else None
    if payload is None:
        return f">{word}<".encode() in letter.exchange.octets.lower()
    return any((each.text or "").strip().lower() == word for each in payload.iter())


def _frames_of(trace: Trace, own: Order, other: Order) -> Iterator[int]:
    """The frames from the other device and to it, where both are in one HAN."""
    if own.device == other.device:
        return
    heard = air(trace)
    addresses = {short for short, device in heard.short_addresses.items() if device == other.device}
    for each in heard:
        if each.exchange.producer == second(Actor.HAN_DEVICE) or _is_between(each, other.device, addresses):
            yield each.number


def _is_between(heard: Heard, device: Eui64, addresses: set[int]) -> bool:
    """Whether a frame is to a device or from it, on its way of one hop or in the network."""
    if heard.mac is None or device in (heard.mac.source_ieee, heard.mac.dest_ieee):
        return heard.mac is not None
    ends = {heard.mac.source_short, heard.mac.dest_short}
    if heard.nwk is not None and "source" in heard.nwk:
        ends |= {heard.nwk.source, heard.nwk.dest}
    return bool(ends & addresses)
