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
KNOWS_METER, STATE_OF, DEVICES_AT, ENROLLED_IN = "knows_meter", "state_of", "devices_at", "enrolled_in"  # role verbs
DEMAND_RESPONSE, REAL_TIME_PRICING = "DR", "RTP"  # programmes
YES, NO = "yes", "no"
SANITY = "sanity"  # the mark of a sanity exchange with an actor
JOINED = "joined"  # the role verb's word for a device that is provisioned, whatever the bench's messages call it


def unmet_preconditions(machines: Mapping[Any, Any], order: Order, trace: Trace, now: float) -> list[str]:
    """Ask whether the order's meter is registered, its device imported and its customer enrolled; what somebody denies."""
    meter = _ask(machines, Actor.AMI_HEAD_END, KNOWS_METER, order.meter, trace, now)
    state = _ask(machines, Actor.DR_APPLICATION, STATE_OF, order.device, trace, now)
    programmes = _ask(machines, Actor.CIS, ENROLLED_IN, order.premise, trace, now)
    return [
        *([f"{order.meter} is not registered with the AMI Head-End"] if meter == NO else ()),
        *([f"{order.device} was never imported into the DR Application"] if state == "" else ()),
        *([f"the customer at {order.premise} is enrolled in {programmes or 'no programme'}"] if not is_enrolled(programmes) else ()),
    ]


def is_enrolled(programmes: str | None) -> bool:
    """Whether what a CIS says of a customer's programmes lets the use case begin: in DR, and not in RTP beside it.

    None, of a CIS that cannot be asked, does not forbid it.
    """
    return programmes is None or (DEMAND_RESPONSE in programmes.split() and REAL_TIME_PRICING not in programmes.split())


def inquire(machines: Mapping[Any, Any], order: Order, trace: Trace, now: float) -> None:
    """Ask the DR Application for the device's state, and the CIS for the devices at its premise."""
    _ask(machines, Actor.DR_APPLICATION, STATE_OF, order.device, trace, now)
    _ask(machines, Actor.CIS, DEVICES_AT, order.premise, trace, now)


def could_be_asked(trace: Trace, actor: Actor) -> bool:
    """Whether anybody asked this actor anything: one that is reached over a wire cannot be."""
    return any(exchange.medium == ASKED and exchange.producer == actor for exchange in trace.at(Point.LOG))


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
