"""A meter under test whose window leg 3 does not open: the laboratory opens it, when the order has come to the meter.

What came over leg 3 is then read here and done by a verb of the adapter, so that the window begins when the order arrives, as the
trace shows it. Knows roles and leg messages; no adapter and no trace.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from harness.backhaul.codec import LegCodec
from harness.backhaul.message import LegKind, LegMessage
from harness.backhaul.wires import LEG
from harness.errors import Inconclusive, RemoteProtocolError
from harness.ports import Message
from harness.usecase import Actor, Order

OPEN, CLOSE = "open_window", "close_window"
TAKES_LEG_3 = "takes_leg_3"
TO_A_METER = ((Actor.AMI_NETWORK, Actor.NIC), (Actor.NIC, Actor.ESI))


def is_by_hand(meter: Any, message: Message) -> bool:
    """Whether a message is an order to a meter that takes none over its leg. `meter` is the machine that is NIC and ESI, or the ESI
    alone."""
    if message.wire != LEG or (message.producer, message.receiver) not in TO_A_METER:
        return False
    return not getattr(meter, TAKES_LEG_3, not hasattr(meter, OPEN))


def done_by_hand(meter: Any, message: Message, codec: LegCodec, of: str, epoch: datetime, now: float) -> str:
    """Do at the meter what an order says, if it is for the meter `of` and not over; returns the verb, empty where none was due.

    Raises Inconclusive where the adapter has not the verb.
    """
    try:
        order = codec.decode(message.octets)
    except RemoteProtocolError:
        return ""
    over = order.end is not None and order.end <= epoch + timedelta(seconds=now)
    if order.device is None or order.missing or order.meter != of or over:
        return ""
    verb = {LegKind.OPEN_WINDOW: OPEN, LegKind.CANCEL_WINDOW: CLOSE}.get(order.kind, "")
    if not verb:
        return ""
    done = getattr(meter, verb, None)
    if done is None:
        raise Inconclusive(f"the meter under test takes no leg 3, and its adapter has no {verb}: nobody can do what was ordered")
    if verb == OPEN:
        done(_as_ordered(order, epoch, now), now)
    else:
        done(order.device, now)
    return verb


def _as_ordered(order: LegMessage, epoch: datetime, now: float) -> Order:
    assert order.device is not None
    assert order.device_type is not None
    assert order.end is not None
    duration = (order.end - epoch).total_seconds() - now
    return Order(
        order.device, order.device_type, order.key_material or b"", order.key_form or "", now, duration, order.meter or "",
    )
