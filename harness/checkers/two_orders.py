"""Two devices at once, at one meter or at two: whether anybody takes one of them for the other. Knows messages of all wires, no bench.

These checks look at a whole run. What is asked of one order is asked of each by itself (`harness.checkers.apart`).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from harness.backhaul.message import LegKind, LegState
from harness.checkers.apart import apart, orders_of, swapped_at
from harness.checkers.cim_message import EVENTS_TO_DR, STEP_1, STEP_13, STEP_14, sent
from harness.checkers.correspondence import Carried, carried, leg_message, letters, profile_of
from harness.checkers.legs import LEG_2, Leg, above_of
from harness.checkers.linkage import text_of
from harness.checkers.orders import arrival
from harness.checkers.provisioning_report import registrations
from harness.checkers.window_request import controls_in
from harness.cim import end_device_events
from harness.cim.identity import eui64_of
from harness.trace import Trace
from harness.usecase import Actor, Check, Order, Point, kind_of, second
from harness.values import Eui64
from harness.verdict import Finding, failed, passed


def at_once(trace: Trace) -> Mapping[Eui64, Order]:
    """The orders of a run in which two devices join side by side, by device; empty for any other run."""
    orders = {order.device: order for order in orders_of(trace)}
    return orders if len(orders) > 1 and swapped_at(trace) > max(order.end for order in orders.values()) else {}


# -- steps 3 and 4


def goes_to_its_own_meter(trace: Trace) -> Iterator[Finding]:
    """03-TARGET: with two meters, an order goes to the NIC of its own and to no other."""
    orders = orders_of(trace)
    nics = {orders[0].meter: Actor.NIC.value, orders[-1].meter: second(Actor.NIC)}
    for each in _onward(trace, Actor.AMI_NETWORK) if len(nics) > 1 else ():
        assert each.message is not None
        wanted, receiver = nics.get(each.message.meter or ""), each.exchange.receiver
        if wanted == receiver:
            yield passed(f"the order for {each.message.meter} went to its {wanted}", each.number)
        elif wanted is not None and receiver in nics.values():
            yield failed(
                f"an order for {each.message.meter} went to another meter", each.number, expected=wanted, observed=str(receiver),
                hint="every-meter-served",
            )


def hands_on_nothing_of_another_meter(trace: Trace) -> Iterator[Finding]:
    """04-TARGET: what comes to a NIC and is for another meter does not go on to the ESI."""
    own = trace.header.order.meter
    for came in carried(trace, Actor.AMI_NETWORK, Actor.NIC, LegKind.OPEN_WINDOW):
        if not came.arrived or came.message is None or came.message.meter == own:
            continue
        onward = [
            each.number for each in carried(trace, Actor.NIC, Actor.ESI, LegKind.OPEN_WINDOW)
            if each.message is not None and each.message.sequence == came.message.sequence
        ]
        if onward:
            yield failed(
                "an order for another meter went on to the ESI", came.number, *onward, expected=f"orders for {own} alone",
                observed=f"one for {came.message.meter}", hint="every-meter-served",
            )
        else:
            yield passed("an order for another meter did not go on to the ESI", came.number)


def _onward(trace: Trace, producer: Actor) -> Iterator[Carried]:
    """The orders that an actor sends on, to whomever."""
    for exchange in trace.at(Point.LEG):
        message = leg_message(trace, exchange) if exchange.producer == producer else None
        if message is not None and message.kind is LegKind.OPEN_WINDOW:
            yield Carried(exchange, message)


# -- steps 10 to 12


def reports_the_right_device(leg: Leg) -> Check:
    """NN-RIGHT-DEVICE: of two devices, the one that is reported as provisioned is the one that is, under its own order."""

    def check(trace: Trace) -> Iterator[Finding]:
        orders, chains = at_once(trace), _chains(trace)
        came = list(_provisioned(trace, leg)) if orders else []
        for report in _reports(trace, leg.producer) if came else ():
            assert report.message is not None
            device, chain = report.message.device, str(report.message.sequence)
            causes = [number for number, known, at in came if known == device and at <= report.exchange.time]
            others = [number for number, known, at in came if known != device and at <= report.exchange.time]
            if device not in orders:
                continue  # that it is neither of the two is another question
            confused = any(chain in chains[other] for other in orders if other != device)
            if confused or (not causes and others):
                yield failed(
                    "one device was reported in the place of the other", *(causes or others)[:1], report.number,
                    expected=f"each of {', '.join(map(str, orders))} under its own order",
                    observed=f"{device} under the number {chain}", hint="device-of-the-first",
                )
            elif causes:
                yield passed(f"{device} was reported as itself", causes[0], report.number)

    check.__name__ = f"reports the right device by the {leg.producer}"
    return check


def _provisioned(trace: Trace, leg: Leg) -> Iterator[tuple[int, Eui64 | None, float]]:
    """Which devices are provisioned as far as a leg's producer can know: where it shows, which, and since when."""
    above = above_of(trace, leg)
    if above is None:
        for part in apart(trace):
            for each in registrations(part):
                yield each.number, part.header.order.device, each.time
        return
    for report in _reports(trace, above.producer):
        if report.arrived and report.message is not None:
            yield report.number, report.message.device, arrival(report)


def _reports(trace: Trace, producer: Actor) -> Iterator[Carried]:
    """The reports of provisioned devices by an actor, or by the second of its kind."""
    for exchange in trace.at(Point.LEG):
        message = leg_message(trace, exchange) if kind_of(exchange.producer or "") == producer else None
        if message is not None and message.kind is LegKind.STATE and message.state is LegState.PROVISIONED:
            yield Carried(exchange, message)


# -- the whole run


@dataclass(frozen=True)
class Mention:
    """One message that names a device: with which meter and premise, and in which chain (sequence, CorrelationID)."""

    number: int
    device: Eui64
    meter: str | None
    premise: str | None = None
    chain: str | None = None

    def strays(self, own: Order, chains: Mapping[Eui64, set[str]]) -> Astray | None:
        """What of it belongs to the other order; None where nothing does."""
        if self.meter not in (None, own.meter):
            return Astray(own.meter, str(self.meter), "meter-of-the-first", (self.device, self.meter))
        if self.premise not in (None, own.premise):
            return Astray(f"premise {own.premise}", f"premise {self.premise}", "premise-of-the-first", (self.device, self.premise))
        for other, chain in chains.items():
            if other != self.device and self.chain in chain - chains[self.device]:
                wanted = f"a message in its own chain: {', '.join(sorted(chains[self.device]))}"
                return Astray(wanted, f"in the chain {self.chain}", "device-of-the-first", (self.device, str(other)))
        return None


@dataclass(frozen=True)
class Astray:
    """What of a mention belongs to the other order, in words, by which cause; `pair` is what was put together and does not belong."""

    expected: str
    observed: str
    cause: str
    pair: tuple[Eui64, str | None]


def speaks_of_each_apart(trace: Trace, judged: Actor) -> Iterator[Finding]:
    """SEQ-TWO-DEVICES: whoever speaks of both devices names each with the meter, the premise and the chain of its own order.

    Who was told so himself only passes on what another took for the other.
    """
    orders, chains = at_once(trace), _chains(trace)
    mentions = [each for each in _mentions(trace, judged) if each.device in orders] if orders else []
    if {each.device for each in mentions} != set(orders) or not mentions:
        return
    heard = [(each.number, each.strays(orders[each.device], chains)) for each in _mentions(trace, judged, to=True) if each.device in orders]
    straying = False
    for each in mentions:
        found = each.strays(orders[each.device], chains)
        if found is not None:
            straying = True
            if not any(number < each.number and told is not None and told.pair == found.pair for number, told in heard):
                yield failed(
                    f"the {judged} takes one device for the other", each.number, expected=f"{each.device} with {found.expected}",
                    observed=found.observed, hint=found.cause,
                )
    if not straying:
        yield passed(f"the {judged} keeps both devices apart", mentions[0].number, mentions[-1].number)


def _chains(trace: Trace) -> dict[Eui64, set[str]]:
    """The CorrelationIDs and sequence numbers under which each device was ordered."""
    chains: dict[Eui64, set[str]] = {order.device: set() for order in orders_of(trace)}
    for letter in sent(trace, STEP_1):
        for control in controls_in(trace, letter):
            device = eui64_of(control.text.mac)
            if device in chains and letter.message is not None and letter.message.correlation_id:
                chains[device].add(letter.message.correlation_id)
    for each in carried(trace, LEG_2.producer, LEG_2.receiver, LegKind.OPEN_WINDOW):
        if each.message is not None and each.message.device in chains:
            chains[each.message.device].add(str(each.message.sequence))
    return chains


def _mentions(trace: Trace, judged: Actor, *, to: bool = False) -> Iterator[Mention]:
    """What an actor says of devices; `to`: what it is told of them."""
    for exchange in trace.at(Point.LEG):
        message = leg_message(trace, exchange) if (exchange.receiver if to else exchange.producer) == judged else None
        if message is not None and message.device is not None:
            yield Mention(exchange.number, message.device, message.meter, chain=str(message.sequence))
    for letter in letters(trace, receiver=judged) if to else letters(trace, judged):
        chain = letter.message.correlation_id if letter.message is not None else None
        noun = letter.message.noun if letter.message is not None else None
        told = text_of(letter, profile_of(trace))
        device = None if told is None else eui64_of(told.device)
        if noun == STEP_1.noun:
            for control in controls_in(trace, letter):
                ordered = eui64_of(control.text.mac)
                if ordered is not None:
                    yield Mention(letter.number, ordered, control.text.meter, chain=chain)
        elif noun in (STEP_13.noun, STEP_14.noun) and told is not None and device is not None:
            yield Mention(letter.number, device, told.meter, told.premise, chain)
        elif noun == EVENTS_TO_DR.noun and letter.message is not None and letter.message.payload is not None:
            for event in end_device_events.read(letter.message.payload, profile_of(trace)):
                if event.device is not None:
                    yield Mention(letter.number, event.device, event.meter, chain=chain)
