"""Which joining windows the ESI was told to open, and when, as a trace shows it. Gives no verdict.

Leg 4 says it; where that leg is inside a DUT that is both NIC and ESI, leg 3 does, and so on; where no leg is seen, the order
itself.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import datetime

from harness.backhaul.message import LegKind, LegMessage
from harness.checkers.apart import at_the_meter
from harness.checkers.correspondence import Carried, carried
from harness.checkers.legs import LEG_4, Leg, above_of
from harness.checkers.standstill import stopped_within
from harness.composite import inside
from harness.crypto.install_code import InstallCodeError, ordered_link_key
from harness.trace import Trace
from harness.usecase import Actor, Point
from harness.values import Eui64

REACTION = 2.0  # PROFILE: seconds that an ESI may take to open or close; what it shows within them is not judged


@dataclass(frozen=True)
class Window:
    """One window: open for `device` from `opens` (when the order reached the ESI) until `ends`, seconds.

    `number` is the order's exchange, 0 where none was seen; `link_key` the one made from what was ordered, None where that was
    withheld. By a clock that did not stand still when the bench's did it may end `earlier` by so many seconds.
    """

    device: Eui64
    opens: float
    ends: float
    number: int = 0
    link_key: bytes | None = field(default=None, repr=False)
    earlier: float = 0.0

    def is_open(self, at: float, margin: float = 0.0) -> bool:
        """Whether it is open, `margin` seconds away from its edges (negative: or up to so many seconds outside)."""
        return self.opens + margin < at < self.ends - margin - (self.earlier if margin > 0 else 0.0)


def windows(trace: Trace) -> tuple[Window, ...]:
    """The windows that the ESI was rightly told to open, for whatever device, in the order in which it was told."""
    whole, trace = trace, at_the_meter(trace)
    if Point.LEG not in trace.observed() or _is_withheld(trace) or _way_in(trace) is None:
        only = _as_ordered(trace)
        return (replace(only, earlier=stopped_within(whole, only.opens, only.ends)),)  # by hand: it lasts from when it is opened
    known: list[Window] = []
    withdrawn: set[int] = set()  # the numbers of orders that are not to be obeyed any more, also where they come later
    for each in orders(trace):
        message, at = each.message, arrival(each)
        assert message is not None
        if message.device is None:
            continue
        known = [  # a withdrawal, and a further order for the same device, end what was
            replace(window, ends=min(window.ends, at)) if window.device == message.device else window for window in known
        ]
        if message.kind is LegKind.CANCEL_WINDOW:
            withdrawn.add(message.sequence)
        elif message.end is not None and message.sequence not in withdrawn and flaw(message) is None:
            key = ordered_link_key(message.key_form or "", message.key_material or b"")
            end = (message.end - datetime.fromisoformat(trace.header.epoch)).total_seconds()
            known.append(Window(message.device, at, max(at, end), each.number, key))
    return tuple(replace(each, earlier=stopped_within(whole, 0.0, each.ends)) for each in known)  # an end in UTC, whenever it was ordered


def orders(trace: Trace) -> Iterator[Carried]:
    """The orders and withdrawals that reached the ESI, by arrival; one that came twice counts once.

    Where leg 4 lies inside the DUT they are those that reached the DUT and that it had to let through to its ESI.
    """
    way_in = _way_in(trace)
    if way_in is None:
        return
    hides = way_in is not LEG_4
    met: list[LegMessage] = []
    kinds = LegKind.OPEN_WINDOW, LegKind.CANCEL_WINDOW
    for each in sorted(carried(trace, way_in.producer, way_in.receiver, *kinds), key=arrival):
        assert each.message is not None
        let_through = not hides or (each.message.meter == trace.header.order.meter and not each.message.missing)
        if each.arrived and let_through and each.message not in met:
            met.append(each.message)
            yield each


def _way_in(trace: Trace) -> Leg | None:
    """The leg by which an order comes to the ESI, or to the DUT that it is a part of; None where that is no leg."""
    return LEG_4 if not inside(trace.header.dut, (LEG_4.producer, LEG_4.receiver)) else above_of(trace, LEG_4)


def arrival(each: Carried) -> float:
    """When a leg message reached its receiver, seconds."""
    arrives: float | None = each.exchange.about.get("arrives")
    return each.exchange.time if arrives is None else arrives


def flaw(message: LegMessage) -> InstallCodeError | None:
    """What is wrong with the install code of an order, None where nothing is or where it carries a link key."""
    try:
        ordered_link_key(message.key_form or "", message.key_material or b"")
    except InstallCodeError as fault:
        return fault
    return None


def _is_withheld(trace: Trace) -> bool:
    """Whether the order's key was kept out of the evidence: no leg message that carried it can be read then."""
    return not trace.header.order.key_material


def _as_ordered(trace: Trace) -> Window:
    order = trace.header.order
    key = None
    with suppress(InstallCodeError):
        key = ordered_link_key(order.key_form, order.key_material) or None
    first = next((each for each in trace.at(Point.LEG) if each.receiver == Actor.ESI), None)
    opens = order.start if first is None else first.about.get("arrives") or first.time
    return Window(order.device, opens, max(opens, order.end), 0 if first is None else first.number, key)
