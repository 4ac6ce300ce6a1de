"""Whether an actor on the air was still there when a case had done with it: what its sanity exchanges show. Judges no clause.

A bench asks (`harness.sanity`) and marks when; the answer, or its absence, stands in the trace, so that a run judged again finds
the same. An actor may have left the network, or sleep: then it has to look for networks when its button is pressed.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from math import inf

from dissectors import mac, nwk, zdp
from dissectors.clusters.key_establishment import TerminateKeyEstablishment, TerminateStatus
from harness.backhaul.message import LegKind
from harness.checkers.capture_health import begins_anew
from harness.checkers.correspondence import carried
from harness.checkers.reading import Heard, air, attested, marks
from harness.inquiry import SANITY
from harness.trace import Trace
from harness.usecase import Actor, Point
from harness.verdict import Finding, inconclusive

ORDER_TIME = 60.0  # seconds (PROFILE) in which an ESI says what became of an order
SILENCE = "silence"  # not a frame, but the acknowledgements that a radio sends by itself


def signs_of_death(trace: Trace, actor: Actor) -> Iterator[Finding]:
    """For each sanity exchange with the actor that it did not answer, and where it began anew unasked, one that says so.

    Nothing where nobody asked.
    """
    asked = marks(trace, SANITY, actor)
    for start, end in pairwise([*asked, inf]):
        question = _question(trace, actor, start, end)
        if question is not None and not _answered(trace, actor, start, end):
            when = "before" if start == asked[0] and len(asked) > 1 else "after"
            yield inconclusive(
                f"the device under test did not answer the sanity exchange {when} the stimulus", *question,
                expected=f"an answer of the {actor}", observed=_instead(trace, actor, start, end),
            )
            return
    if asked and actor is Actor.ESI:
        yield from _orders_unanswered(trace)
        yield from _another_network(trace)
    if asked:
        yield from begins_anew(trace, actor, asked[-1])


def _orders_unanswered(trace: Trace) -> Iterator[Finding]:
    """What opens a case for the ESI is the order: it says on leg 10 that the window is open, or why not. One that says neither, and
    answers beacon requests all the same, has forgotten the order, and what stays closed then is nobody's merit."""
    told = [(each.exchange.time, each.message.sequence) for each in carried(trace, Actor.ESI, Actor.NIC) if each.message]
    withdrawn = {each.message.sequence for each in carried(trace, Actor.NIC, Actor.ESI, LegKind.CANCEL_WINDOW) if each.message}
    for each in carried(trace, Actor.NIC, Actor.ESI, LegKind.OPEN_WINDOW):
        arrived = each.exchange.about.get("arrives") or each.exchange.time
        if each.message is None or not each.arrived or each.message.sequence in withdrawn:
            continue
        answered = any(at >= each.exchange.time and sequence == each.message.sequence for at, sequence in told)
        if not answered and attested(trace, Point.LEG, arrived, arrived + ORDER_TIME):
            yield inconclusive(
                "the ESI did not answer an order: it may have forgotten it", each.number,
                expected="window opened, or why not", observed=SILENCE,
            )
            return


def _another_network(trace: Trace) -> Iterator[Finding]:
    """An ESI that lost what it knew forms a network anew."""
    own = [each for each in air(trace) if each.sent and _is_by(each, Actor.ESI) and each.frame.pan not in (None, mac.BROADCAST)]
    other = next((each for each in own if each.frame.pan != own[0].frame.pan), None)
    if other is not None:
        yield inconclusive(
            "the ESI formed another network: it started anew", own[0].number, other.number,
            expected=f"PAN {own[0].frame.pan:04x}", observed=f"PAN {other.frame.pan:04x}",
        )


def _question(trace: Trace, actor: Actor, start: float, end: float) -> tuple[int, ...] | None:
    """The exchanges that ask whether the actor is there; None where nothing did: it was not asked."""
    asked = [
        each.number for each in air(trace).between(start, end)
        if each.arrived and not _is_by(each, actor)
        and (each.find(zdp.NodeDescReq) is not None or (actor is Actor.ESI and each.find(mac.BeaconRequest) is not None))
    ]
    pressed = actor is Actor.HAN_DEVICE and any(start <= at < end for at in marks(trace, "start_joining", actor))
    return tuple(asked[:1]) if asked or pressed else None


def _answered(trace: Trace, actor: Actor, start: float, end: float) -> bool:
    own = [each for each in air(trace).between(start, end) if each.sent and _is_by(each, actor)]
    if any(each.find(zdp.NodeDescRsp) is not None for each in own):
        return True
    if actor is Actor.ESI:
        return any(each.find(mac.Beacon) is not None for each in own)
    return not _is_member(trace, start) and any(map(_is_no_ack, own))


def _instead(trace: Trace, actor: Actor, start: float, end: float) -> str:
    """What the actor sent and is no answer."""
    own = (each for each in air(trace).between(start, end) if each.sent and _is_by(each, actor) and _is_no_ack(each))
    return ", ".join(dict.fromkeys(each.frame.summary() for each in own)) or SILENCE


def _is_no_ack(heard: Heard) -> bool:
    return heard.mac is not None and heard.mac.frame_type != mac.FrameType.ACK


def _is_member(trace: Trace, at: float) -> bool:
    """Whether the device is on the network, for all that shows: it has used the network key since it last set out to join."""
    member = False
    for each in air(trace).between(-inf, at):
        ends = {Actor.HAN_DEVICE: _is_by(each, Actor.HAN_DEVICE), Actor.ESI: _is_by(each, Actor.ESI)}
        if not any(ends.values()):
            continue
        terminate = each.find(TerminateKeyEstablishment)
        foreign = terminate is not None and terminate.status == TerminateStatus.UNKNOWN_ISSUER
        if foreign or each.find(nwk.Leave) is not None:
            member = False
        elif ends[Actor.HAN_DEVICE]:
            if any(each.find(layer) is not None for layer in (mac.BeaconRequest, mac.AssociationRequest)):
                member = False
            elif each.frame.security.nwk == "ok":
                member = True
    return member


def _is_by(heard: Heard, actor: Actor) -> bool:
    """Whether the actor sent the frame; of one whose sender a capture cannot tell, by its address."""
    if heard.exchange.producer is not None:
        return heard.exchange.producer == actor
    source = None if heard.mac is None else heard.mac.source_short
    return (source == nwk.COORDINATOR) is (actor is Actor.ESI)
