"""What actors say when they are asked about the pre- and postconditions: asked by a bench, read by checkers; gives no verdict.

An answer stands in the trace as an exchange without a receiver, so that it is evidence like any other. An actor without the
role's verb is not asked.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from harness.errors import LocalProtocolError
from harness.trace import Exchange, Trace
from harness.usecase import Actor, Order, Point

ASKED = "asked"  # the medium of an answer
KNOWS_METER, STATE_OF, DEVICES_AT = "knows_meter", "state_of", "devices_at"  # role verbs
YES, NO = "yes", "no"
JOINED = "joined"  # the role verb's word for a device that is provisioned, whatever the bench's messages call it


def preconditions_hold(machines: Mapping[Any, Any], order: Order, trace: Trace, now: float) -> bool:
    """Ask whether the order's meter is registered and its device imported; whether nobody denies it."""
    meter = _ask(machines, Actor.AMI_HEAD_END, KNOWS_METER, order.meter, trace, now)
    state = _ask(machines, Actor.DR_APPLICATION, STATE_OF, order.device, trace, now)
    return meter != NO and state != ""


def inquire(machines: Mapping[Any, Any], order: Order, trace: Trace, now: float) -> None:
    """Ask the DR Application for the device's state, and the CIS for the devices at its premise."""
    _ask(machines, Actor.DR_APPLICATION, STATE_OF, order.device, trace, now)
    _ask(machines, Actor.CIS, DEVICES_AT, order.premise, trace, now)


def answers(trace: Trace, actor: Actor, verb: str) -> Iterator[tuple[Exchange, str]]:
    """What an actor said each time it was asked this."""
    for exchange in trace.at(Point.LOG):
        if (exchange.medium, exchange.producer, exchange.about.get("question")) == (ASKED, actor, verb):
            yield exchange, exchange.octets.decode()


def _ask(machines: Mapping[Any, Any], actor: Actor, verb: str, about: object, trace: Trace, now: float) -> str | None:
    """The answer in words, empty for somebody who knows nothing of it; None where nobody can be asked."""
    question = getattr(machines.get(actor), verb, None)
    if question is None:
        return None
    try:
        text = _in_words(question(about))
    except LocalProtocolError:
        text = ""
    trace.append(now, Point.LOG, ASKED, text.encode(), producer=actor, about={"question": verb, "of": str(about)})
    return text


def _in_words(answer: Any) -> str:
    if isinstance(answer, bool):
        return YES if answer else NO
    return " ".join(map(str, answer)) if isinstance(answer, tuple) else str(answer)
