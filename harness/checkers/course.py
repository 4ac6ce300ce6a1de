"""The course of a run: where in a trace each of the fourteen steps shows, and for which device. Gives no verdict.

A step shows in a message of its wire, or in the frame that nobody sends before the step is reached.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from dissectors import aps, mac, nwk, smart_energy, zdp
from harness.backhaul.message import LegKind, LegState
from harness.checkers.attempts import attempts
from harness.checkers.cim_message import STEP_1, STEP_13, STEP_14, Route, sent
from harness.checkers.correspondence import carried
from harness.checkers.legs import LEG_2, LEG_3, LEG_4, LEG_10, LEG_11, LEG_12, Leg
from harness.checkers.linkage import linkages
from harness.checkers.reading import Heard, air
from harness.checkers.window_request import controls_in
from harness.cim.identity import eui64_of
from harness.trace import Exchange, Trace
from harness.usecase import Actor, Point
from harness.values import Eui64


@dataclass(frozen=True)
class Shown:
    """A step as it shows in one exchange: when it began and when it was over (inf: never), and which device it is about."""

    number: int
    begun: float
    over: float
    device: Eui64 | None = None


PRODUCERS: dict[int, Actor] = {  # who is answerable for a step; that an association succeeds (5) is the ESI's doing
    1: Actor.DR_APPLICATION, 2: Actor.AMI_HEAD_END, 3: Actor.AMI_NETWORK, 4: Actor.NIC, 5: Actor.ESI, 6: Actor.ESI,
    7: Actor.HAN_DEVICE, 8: Actor.HAN_DEVICE, 9: Actor.HAN_DEVICE, 10: Actor.ESI, 11: Actor.NIC, 12: Actor.AMI_NETWORK,
    13: Actor.AMI_HEAD_END, 14: Actor.DR_APPLICATION,
}
POINTS: dict[int, Point] = {
    **dict.fromkeys((1, 13, 14), Point.CIM), **dict.fromkeys((2, 3, 4, 10, 11, 12), Point.LEG),
    **dict.fromkeys((5, 6, 7, 8, 9), Point.MAC),
}


def course(trace: Trace, step: int) -> tuple[Shown, ...]:
    """Everything in which a step shows, as sent, in order; empty also where nobody listens to its wire."""
    return tuple(_READERS[step](trace))


def _ordered(trace: Trace) -> Iterator[Shown]:
    for letter in sent(trace, STEP_1):
        for control in controls_in(trace, letter):
            if control.opens:
                yield _on_a_wire(letter.exchange, eui64_of(control.text.mac))


def _announced(route: Route) -> Callable[[Trace], Iterator[Shown]]:
    return lambda trace: (_on_a_wire(letter.exchange, eui64_of(told.device)) for letter, told in linkages(trace, route))


def _down(leg: Leg) -> Callable[[Trace], Iterator[Shown]]:
    def read(trace: Trace) -> Iterator[Shown]:
        for each in carried(trace, leg.producer, leg.receiver, LegKind.OPEN_WINDOW):
            yield _on_a_wire(each.exchange, each.message.device if each.message is not None else None)

    return read


def _up(leg: Leg) -> Callable[[Trace], Iterator[Shown]]:
    def read(trace: Trace) -> Iterator[Shown]:
        for each in carried(trace, leg.producer, leg.receiver, LegKind.STATE):
            if each.message is not None and each.message.state is LegState.PROVISIONED:
                yield _on_a_wire(each.exchange, each.message.device)

    return read


def _associated(trace: Trace) -> Iterator[Shown]:
    for heard in air(trace).of(mac.AssociationResponse):
        if heard.find(mac.AssociationResponse).status == mac.AssociationStatus.SUCCESS:
            yield _on_the_air(heard, heard.mac.dest_ieee)


def _admitted(trace: Trace) -> Iterator[Shown]:
    for heard in air(trace).of(aps.TransportKey):
        key = heard.find(aps.TransportKey)
        if key.key_type in aps.NETWORK_KEYS and heard.frame.security.nwk is None and air(trace).from_coordinator(heard):
            yield _on_the_air(heard, key.dest)


def _commissioned(trace: Trace) -> Iterator[Shown]:
    for heard in air(trace).of(zdp.MatchDescReq):
        if not air(trace).from_coordinator(heard):
            yield _on_the_air(heard, air(trace).sender(heard))


def _registered(trace: Trace) -> Iterator[Shown]:
    for attempt in attempts(trace):
        end = attempt.completed
        over = end.arrival.time if end is not None and end.arrival is not None else math.inf
        yield Shown(attempt.said[0].number, attempt.said[0].time, over, attempt.device)


def _in_service(trace: Trace) -> Iterator[Shown]:
    for heard in air(trace):
        header = heard.aps
        if header is None or heard.nwk is None or not heard.nwk.is_a(nwk.Nwk) or air(trace).from_coordinator(heard):
            continue
        data = header.frame_type == aps.FrameType.DATA and header.profile == smart_energy.PROFILE
        if data and smart_energy.requires_link_key(header.cluster):
            yield _on_the_air(heard, air(trace).sender(heard))


def _on_a_wire(exchange: Exchange, device: Eui64 | None) -> Shown:
    arrives = exchange.about.get("arrives")
    over = math.inf if exchange.fate != "arrived" else exchange.time if arrives is None else arrives
    return Shown(exchange.number, exchange.time, over, device)


def _on_the_air(heard: Heard, device: int | None) -> Shown:
    return Shown(heard.number, heard.time, heard.time if heard.arrived else math.inf, None if device is None else Eui64(device))


_READERS: dict[int, Callable[[Trace], Iterator[Shown]]] = {
    1: _ordered, 2: _down(LEG_2), 3: _down(LEG_3), 4: _down(LEG_4), 5: _associated, 6: _admitted, 7: _commissioned,
    8: _registered, 9: _in_service, 10: _up(LEG_10), 11: _up(LEG_11), 12: _up(LEG_12), 13: _announced(STEP_13),
    14: _announced(STEP_14),
}
