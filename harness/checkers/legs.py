"""Steps 2 to 4 and 10 to 12: what the proprietary legs carry down to the ESI and back up. Knows leg messages, no bench.

The same questions are asked of every leg, so each checker is made for one: `forwarded(LEG_3)` is the checker of 03-FORWARDED.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta

from harness.backhaul.message import LegKind, LegMessage
from harness.checkers.correspondence import Carried, carried, instant, leg_message, letters, profile_of
from harness.cim import end_device_controls
from harness.cim.envelope import Kind
from harness.cim.nouns import END_DEVICE_CONTROLS
from harness.composite import inside
from harness.inquiry import ASKED
from harness.trace import Trace
from harness.usecase import Actor, Check, Point, kind_of
from harness.values import Eui64
from harness.verdict import Finding, failed, passed

TOLERANCE = timedelta(seconds=1)  # what the window left may be off by; the legs say times in milliseconds
_ORDERED = ("device", "device_type", "meter", "key_material", "end")  # what an order says
ANSWER_TIME = timedelta(seconds=60)  # PROFILE: how long a relay may keep what it has to pass on or report


@dataclass(frozen=True)
class Leg:
    """One leg of the use case; `above` is the leg that its producer hears orders or reports by, None for the first."""

    producer: Actor
    receiver: Actor
    above: Leg | None = None


LEG_2 = Leg(Actor.AMI_HEAD_END, Actor.AMI_NETWORK)
LEG_3 = Leg(Actor.AMI_NETWORK, Actor.NIC, LEG_2)
LEG_4 = Leg(Actor.NIC, Actor.ESI, LEG_3)
LEG_10 = Leg(Actor.ESI, Actor.NIC)
LEG_11 = Leg(Actor.NIC, Actor.AMI_NETWORK, LEG_10)
LEG_12 = Leg(Actor.AMI_NETWORK, Actor.AMI_HEAD_END, LEG_11)


@dataclass(frozen=True)
class Ordered:
    """An order as it reached a leg's producer: what has to go on, and the exchange it came in."""

    number: int
    arrived_at: float
    order: LegMessage
    correlation_id: str | None = None  # of the request on the CIM bus


def above_of(trace: Trace, leg: Leg) -> Leg | None:
    """The leg by which orders or reports come to a leg's producer: where that lies inside the DUT, the next one outside."""
    above = leg.above
    while above is not None and inside(trace.header.dut, (above.producer, above.receiver)):
        above = above.above
    return above


def forwarded(leg: Leg) -> Check:
    """NN-FORWARDED: an order goes on with device, type, key and end of window unaltered."""

    def check(trace: Trace) -> Iterator[Finding]:
        for ordered in _orders(trace, leg):
            onward = [each for each in _down(trace, leg, LegKind.OPEN_WINDOW) if _same_order(each, ordered)]
            if not onward:
                if _refused(trace, leg, ordered) is None and _could_go_on(trace, leg, ordered):
                    yield failed(
                        f"the {leg.producer} did not forward the order", ordered.number,
                        expected=f"a window message to the {leg.receiver}", observed="none, and no report that it could not",
                    hint="order-lost",
                    )
                continue
            for each in onward:
                yield from _compared(each, ordered, _kept(leg, ordered))

    return _named(check, "forwarded", leg)


def addressed(leg: Leg) -> Check:
    """NN-TARGET: an order goes on to the meter it was ordered for, and to no other."""

    def check(trace: Trace) -> Iterator[Finding]:
        orders = list(_orders(trace, leg))
        wanted = {ordered.order.meter for ordered in orders}
        for each in _down(trace, leg, LegKind.OPEN_WINDOW) if wanted else ():
            assert each.message is not None
            if above_of(trace, leg) is None and not any(_same_order(each, ordered) for ordered in orders):
                continue  # it is of another order of the run
            if each.message.meter in wanted:
                yield passed(f"the order went on to {each.message.meter}", each.number)
            else:
                yield failed(
                    "an order went on to a meter that nobody named", each.number, expected=", ".join(sorted(map(str, wanted))),
                    observed=str(each.message.meter), hint="order-to-another-meter",
                )

    return _named(check, "addressed", leg)


def forwarded_once(leg: Leg) -> Check:
    """NN-ONCE: an order goes on once, however often it came."""

    def check(trace: Trace) -> Iterator[Finding]:
        for ordered in _orders(trace, leg):
            onward = [each.number for each in _down(trace, leg, LegKind.OPEN_WINDOW) if _same_order(each, ordered)]
            given = _times_given(trace, leg, ordered)
            if 0 < len(onward) <= given:
                yield passed("the order went on once", ordered.number, *onward)
            elif onward:
                yield failed(
                    "the order went on more than once", ordered.number, *onward, expected=f"{given} message",
                    observed=f"{len(onward)} messages", hint="order-sent-again",
                )

    return _named(check, "forwarded_once", leg)


def forwarded_in_time(leg: Leg) -> Check:
    """NN-TIMELY: what is said to be left of the window is what is left of it, and nothing goes on that is over."""

    def check(trace: Trace) -> Iterator[Finding]:
        for ordered in _orders(trace, leg):
            end = ordered.order.end
            if end is None:
                continue
            onward = [each for each in _down(trace, leg, LegKind.OPEN_WINDOW) if _same_order(each, ordered)]
            if not onward and instant(trace, ordered.arrived_at) >= end:
                yield passed("an order whose window is over did not go on", ordered.number)
            for each in onward:
                yield from _judged_for_time(trace, each, ordered)

    return _named(check, "forwarded_in_time", leg)


def _judged_for_time(trace: Trace, onward: Carried, ordered: Ordered) -> Iterator[Finding]:
    sent, end, message = instant(trace, onward.exchange.time), ordered.order.end, onward.message
    assert message is not None
    assert end is not None
    left = end - sent
    if left <= timedelta(0):
        yield failed(
            "an order went on although its window was over", ordered.number, onward.number,
            expected=f"nothing after {end.isoformat()}", observed=f"sent at {sent.isoformat()}", hint="late-order-sent",
        )
    elif message.window_left is None or abs(timedelta(seconds=message.window_left) - left) > TOLERANCE:
        yield failed(
            "the window left is not what is left of the window ordered", ordered.number, onward.number,
            expected=f"{left.total_seconds():g} s", observed=f"{message.window_left} s", hint="window-left-not-reckoned",
        )
    else:
        yield passed("the window left is what is left of the window ordered", ordered.number, onward.number)


def undeliverable_is_reported(leg: Leg) -> Check:
    """NN-UNDELIVERABLE: an order that cannot go on is reported back, and not swallowed."""

    def check(trace: Trace) -> Iterator[Finding]:
        for ordered in _orders(trace, leg):
            if any(_same_order(each, ordered) for each in _down(trace, leg, LegKind.OPEN_WINDOW)):
                continue
            report = _refused(trace, leg, ordered)
            if report is not None:
                yield passed("the order could not go on, and that was reported", ordered.number, report)
            elif _watched(trace, ordered.arrived_at):
                yield failed(
                    f"an order ended at the {leg.producer}, and nobody was told", ordered.number,
                    expected="a report that the order could not be delivered", observed="none", hint="obstacle-kept-quiet",
                )

    return _named(check, "undeliverable_is_reported", leg)


def received_by_the_nic(trace: Trace) -> Iterator[Finding]:
    """03-RECEIVER: what the network sends down goes to a NIC, and past none to an ESI."""
    for each in trace.at(Point.LEG):
        message = leg_message(trace, each) if each.producer == Actor.AMI_NETWORK else None
        if message is None or not message.goes_down:
            continue
        if kind_of(each.receiver or "") == Actor.NIC:
            yield passed("the order went to the NIC", each.number)
        else:
            yield failed(
                "the order went past the NIC", each.number, expected=str(Actor.NIC), observed=each.receiver or "nobody",
                hint="order-past-the-nic",
            )


def withheld_orders(trace: Trace, leg: Leg) -> Iterator[tuple[int, float]]:
    """The orders that reached a leg's producer, were not refused and did not go on, with when they came (seconds)."""
    for ordered in _orders(trace, leg):
        onward = any(_same_order(each, ordered) for each in _down(trace, leg, LegKind.OPEN_WINDOW))
        if not onward and _refused(trace, leg, ordered) is None:
            yield ordered.number, ordered.arrived_at


def key_is_not_logged(leg: Leg) -> Check:
    """NN-CONFIDENTIAL: key material is nowhere in what the producer writes into its log."""

    def check(trace: Trace) -> Iterator[Finding]:
        secrets = {ordered.order.key_material.hex() for ordered in _orders(trace, leg) if ordered.order.key_material}
        lines = [each for each in trace.at(Point.LOG) if each.producer == leg.producer and each.medium != ASKED]
        telling = [each.number for each in lines if any(secret in each.octets.decode().lower() for secret in secrets)]
        if telling:
            yield failed(
                f"the log of the {leg.producer} shows the device's key", *telling, expected="no key material in any log",
                observed=f"{len(telling)} lines with it", hint="key-in-a-log",
            )
        elif secrets and lines:
            yield passed(f"the log of the {leg.producer} keeps the device's key to itself", lines[0].number)

    return _named(check, "key_is_not_logged", leg)


def _named(check: Check, name: str, leg: Leg) -> Check:
    check.__name__ = f"{name} by the {leg.producer}"
    return check


def _orders(trace: Trace, leg: Leg) -> Iterator[Ordered]:
    """The orders that reached the leg's producer, each once: from the CIM bus for the first leg, else from the leg above."""
    met: list[LegMessage] = []
    above = above_of(trace, leg)
    for ordered in _from_step_1(trace) if above is None else _from_above(trace, above):
        if not any(ordered.order == known for known in met):
            met.append(ordered.order)
            yield ordered


def _times_given(trace: Trace, leg: Leg, ordered: Ordered) -> int:
    """How often the same was ordered: a request that is repeated keeps its identity, another one is another order."""
    if above_of(trace, leg) is not None:
        return 1
    return len({each.correlation_id for each in _from_step_1(trace) if each.order == ordered.order})


def _from_step_1(trace: Trace) -> Iterator[Ordered]:
    for letter in letters(trace, receiver=Actor.AMI_HEAD_END, kind=Kind.REQUEST, noun=END_DEVICE_CONTROLS):
        message = letter.message
        if not letter.arrived or message is None or message.payload is None:
            continue
        try:
            command = end_device_controls.read(message.payload, profile_of(trace))
        except ValueError:
            continue  # malformed requests are a matter of step 1
        if command.opens and command.start is not None:
            order = LegMessage(
                LegKind.OPEN_WINDOW, 0, command.meter, command.device, command.device_type, command.key_form,
                command.key_material, command.start + timedelta(seconds=command.duration),
            )
            starts = (command.start - instant(trace, 0.0)).total_seconds()  # until then it is the head-end's to keep
            arrived_at = max(starts, _arrival(letter.exchange.about, letter.exchange.time))
            yield Ordered(letter.number, arrived_at, order, message.correlation_id)


def _from_above(trace: Trace, above: Leg) -> Iterator[Ordered]:
    for each in carried(trace, above.producer, above.receiver, LegKind.OPEN_WINDOW):
        if each.arrived and each.message is not None:
            yield Ordered(each.number, _arrival(each.exchange.about, each.exchange.time), each.message)


def _arrival(about: dict[str, float], sent: float) -> float:
    return about.get("arrives") or sent


def _down(trace: Trace, leg: Leg, *kinds: LegKind) -> Iterator[Carried]:
    return carried(trace, leg.producer, leg.receiver, *kinds)


def _same_order(each: Carried, ordered: Ordered) -> bool:
    """The first leg has no number to go by: what has less than half in common with this order is another's."""
    assert each.message is not None
    if ordered.order.sequence:
        return each.message.sequence == ordered.order.sequence
    alike = sum(getattr(each.message, name) == getattr(ordered.order, name) for name in _ORDERED)
    return each.number > ordered.number and 2 * alike > len(_ORDERED)


def _refused(trace: Trace, leg: Leg, ordered: Ordered) -> int | None:
    """The exchange in which the leg's producer said that the order goes no further, None if it never did."""
    above = above_of(trace, leg)
    if above is None:
        for letter in letters(trace, producer=Actor.AMI_HEAD_END, kind=Kind.RESPONSE, noun=END_DEVICE_CONTROLS):
            answer = letter.message
            if answer is None or answer.reply is None or answer.correlation_id != ordered.correlation_id:
                continue
            if answer.reply.result != "OK":
                return letter.number
        return None
    for each in carried(trace, above.receiver, above.producer, LegKind.UNDELIVERABLE):
        if each.message is not None and each.message.sequence == ordered.order.sequence:
            return each.number
    return None


def _could_go_on(trace: Trace, leg: Leg, ordered: Ordered) -> bool:
    """Whether the window was not over when the order came, and the trace goes on long enough to have seen it forwarded."""
    end = ordered.order.end
    return end is not None and instant(trace, ordered.arrived_at) < end and _watched(trace, ordered.arrived_at)


def _watched(trace: Trace, since: float) -> bool:
    legs = [each for each in trace.attestations if each.point is Point.LEG]
    until = max((each.end if each.end is not None else _last(trace) for each in legs), default=0.0)
    return until >= since + ANSWER_TIME.total_seconds()


def _last(trace: Trace) -> float:
    return trace.exchanges[-1].time if trace.exchanges else 0.0


def _kept(leg: Leg, ordered: Ordered) -> tuple[str, ...]:
    """What must go on unaltered; a type that step 1 leaves open is the head-end's to fill in."""
    open_type = leg.above is None and ordered.order.device_type is None
    return ("device", *(() if open_type else ("device_type",)), "key_form", "key_material", "end")


def _compared(onward: Carried, ordered: Ordered, names: tuple[str, ...]) -> Iterator[Finding]:
    altered = [name for name in names if getattr(onward.message, name) != getattr(ordered.order, name)]
    if not altered:
        yield passed("the order went on unaltered", ordered.number, onward.number)
    for name in altered:
        secret = name == "key_material"
        yield failed(
            f"the order went on with another {name.replace('_', ' ')}", ordered.number, onward.number,
            expected="what was ordered" if secret else str(getattr(ordered.order, name)),
            observed="something else" if secret else str(getattr(onward.message, name)), hint=_mistake(onward, ordered, name),
        )


def _mistake(onward: Carried, ordered: Ordered, name: str) -> str:
    """The cause of what was altered."""
    assert onward.message is not None
    backwards = {
        "device": ordered.order.device and Eui64(int.from_bytes(ordered.order.device.octets, "little")),
        "key_material": (ordered.order.key_material or b"")[::-1],
    }
    if backwards.get(name) == getattr(onward.message, name):
        return {"device": "eui64-reversed", "key_material": "code-reversed"}[name]
    return f"altered-{name.replace('_', '-')}"
