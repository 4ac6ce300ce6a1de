"""The edges of the wires of CIM messages and legs: what is answered on the spot, and whose a message is that names nobody.

Knows envelopes as far as kind and noun; no transport and no role's decisions.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from harness.adapters.wire_options import WireOptions
from harness.backhaul.carrier import Carrier
from harness.backhaul.gateway import Gateway
from harness.backhaul.wires import CIM, LEG
from harness.cim.envelope import Kind, read
from harness.cim.nouns import END_DEVICE_CONTROLS, END_DEVICE_EVENTS, MASTER_DATA_LINKAGE_CONFIG, METER_CONFIG
from harness.usecase import Actor

PRODUCERS: Mapping[tuple[str, str], Actor] = {
    (Actor.AMI_HEAD_END, END_DEVICE_CONTROLS): Actor.DR_APPLICATION, (Actor.AMI_HEAD_END, METER_CONFIG): Actor.CIS,
    (Actor.DR_APPLICATION, MASTER_DATA_LINKAGE_CONFIG): Actor.AMI_HEAD_END,
    (Actor.DR_APPLICATION, END_DEVICE_EVENTS): Actor.AMI_HEAD_END, (Actor.CIS, END_DEVICE_EVENTS): Actor.AMI_HEAD_END,
    (Actor.CIS, MASTER_DATA_LINKAGE_CONFIG): Actor.DR_APPLICATION, (Actor.ODS, END_DEVICE_EVENTS): Actor.AMI_HEAD_END,
}
"""Who tells whom about which noun, by receiver and noun: the use case's rows 1, 13 and 14 and its integration points."""
OTHERWISE: Mapping[str, Actor] = {
    Actor.AMI_HEAD_END: Actor.DR_APPLICATION, Actor.DR_APPLICATION: Actor.AMI_HEAD_END, Actor.CIS: Actor.DR_APPLICATION,
    Actor.ODS: Actor.AMI_HEAD_END,
}
"""Who is taken for the producer of what names no noun that the receiver expects."""


def cim_gateway(
    local: Mapping[str, str], peers: Mapping[str, str], carrier: Carrier, options: WireOptions,
    producer_of: Callable[[bytes, str], str], tag: str = "",
) -> Gateway:
    """A gateway of the CIM wire: `local` are this side's actors by place, `peers` the other side's addresses by actor."""
    return Gateway(
        CIM, local, peers, carrier, wants_answer=wants_answer, producer_of=producer_of, acknowledges=options.wire == "http", tag=tag,
    )


def leg_gateway(
    local: Mapping[str, str], peers: Mapping[str, str], carrier: Carrier, producer: str, tag: str = "",
) -> Gateway:
    """A gateway of the proprietary legs, on which nothing is answered; what comes is `producer`'s."""
    return Gateway(
        LEG, local, peers, carrier, wants_answer=lambda _: False, producer_of=lambda *_: producer, acknowledges=False, tag=tag,
    )


def wants_answer(octets: bytes) -> bool:
    """Whether a body is answered on the spot: a request, an event that asks for it, and whatever cannot be read."""
    message, _ = read(octets)
    if message is None or message.header is None or message.kind is Kind.REQUEST:
        return message is None or message.kind is not Kind.FAULT
    return message.kind is None or (message.kind is Kind.EVENT and message.header.ack_required in ("true", "1"))


def by_use_case(octets: bytes, receiver: str) -> str:
    """Whose a body is that came to a receiver, by what it is about."""
    message, _ = read(octets)
    noun = "" if message is None else message.wrapper[1] if message.wrapper else message.noun or ""
    return PRODUCERS.get((receiver, noun), OTHERWISE.get(receiver, Actor.DR_APPLICATION))
