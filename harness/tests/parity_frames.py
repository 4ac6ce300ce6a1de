"""What each actor sent in a play, and in what two plays differ: one in virtual time, one in real time.

Knows no bench: it reads traces.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from difflib import unified_diff
from math import inf
from typing import Any

from dissectors import aps, mac, nwk, zdp_management
from harness.checkers.reading import Heard, air
from harness.stack.polling import LISTENING_TIME
from harness.trace import BEHIND, Trace
from harness.usecase import Actor, Point

REST = 3.0  # seconds until what was begun then is over
TOGETHER = 0.5  # seconds between what a sender says in two conversations, within which it may as well say it the other way round
REPEATED = 10.0  # seconds within which the same MAC sequence number is that of the same frame
UNREAD = "Nwk AuxiliaryHeader"  # nobody knows the network key: it may as well be a link status
SAID_AGAIN = (zdp_management.MgmtPermitJoiningReq,)  # to all, and once is enough: how often in a row is a matter of time
BY_TIME = (mac.BeaconRequest, mac.DataRequest, nwk.LinkStatus)  # how many there are is a matter of time


@dataclass(frozen=True)
class Said:
    """A frame: who sent it in which conversation, the layers in it, and when."""

    actor: Actor
    conversation: str
    kind: str
    time: float


def sent_by(trace: Trace) -> list[Said]:
    """What every actor sent, in order, by what is in it. What came again because nobody had heard it counts once."""
    sent: list[Said] = []
    last: dict[str, str] = {}
    numbers: dict[tuple[Any, ...], float] = {}
    for each in air(trace):
        actor = _sender(each, trace)
        kind = " ".join(record.layer.__name__ for record in each.frame.records())
        if actor is None or kind.endswith(UNREAD) or any(each.find(layer) is not None for layer in BY_TIME):
            continue
        said = Said(actor, f"{actor}, {_conversation(each)}", kind, each.time)
        again = last.get(said.conversation) == kind and any(each.find(layer) is not None for layer in SAID_AGAIN)
        number = (said.conversation, kind, *_number(each))
        is_new = each.time - numbers.get(number, -REPEATED) >= REPEATED
        if is_new and each.find(mac.AssociationRequest) is not None:
            numbers.clear()  # who joins counts from anywhere
        if is_new and not again:
            sent.append(said)
            last[said.conversation] = kind
        numbers[number] = each.time
    return sent


def _number(heard: Heard) -> tuple[Any, ...]:
    """What a frame has in common with its repetitions: who began it, its APS counter and block, or its MAC sequence number."""
    if heard.aps is not None and heard.aps.counter is not None:
        return heard.nwk.source if heard.nwk is not None else None, heard.aps.counter, heard.aps.block_number
    return (heard.mac.sequence if heard.mac is not None else None,)


def _sender(heard: Heard, trace: Trace) -> Actor | None:
    """Who sent a frame, by its address; an acknowledgement has none."""
    header = heard.mac
    if header is None or header.frame_type == mac.FrameType.ACK:
        return None
    if header.source_ieee is not None:
        return Actor.HAN_DEVICE if header.source_ieee == trace.header.order.device else Actor.ESI
    return Actor.ESI if header.source_short == nwk.COORDINATOR else Actor.HAN_DEVICE


def _conversation(heard: Heard) -> str:
    """By the cluster, acknowledgements by themselves: an actor that asks and is asked the same at once does so in any order."""
    if heard.nwk is None:
        return "MAC"
    if heard.aps is None or heard.aps.cluster is None:
        return "network"
    return f"{'acknowledgements of ' if heard.aps.frame_type == aps.FrameType.ACK else ''}cluster {heard.aps.cluster:04x}"


def differences(one: Trace, other: Trace) -> Iterator[str]:
    """In what was sent two plays differ, a line each: in each conversation, and where they are alike and no fault has anybody wait and say
    it again, in the order of them all."""
    ours, others = sent_by(one), sent_by(other)
    conversations = sorted({said.conversation for said in (*ours, *others)})
    alike = True
    for each in conversations:
        count = max(len(_of(each, ours, _rest(one))), len(_of(each, others, _rest(other))))
        for line in unified_diff(_of(each, ours)[:count], _of(each, others)[:count], n=0, lineterm=""):
            if not line.startswith(("---", "+++", "@@")):
                alike = False
                yield f"{each}: {line}"
    if alike and not _suffers(one):
        yield from _out_of_order(ours, others)


def _suffers(trace: Trace) -> bool:
    return any(each.fate != "arrived" or "instead_of" in each.about for each in trace.at(Point.MAC))


def _rest(trace: Trace) -> float:
    """From when on one of two plays may have been stopped from saying what the other said."""
    return max(attestation.end or 0.0 for attestation in trace.attestations) - REST


def _of(conversation: str, sent: Sequence[Said], until: float = inf) -> list[str]:
    return [said.kind for said in sent if said.conversation == conversation and said.time <= until]


def _out_of_order(ours: Sequence[Said], others: Sequence[Said]) -> Iterator[str]:
    """Where an actor said in another order what lies further apart than `TOGETHER`; timers that run out together do so in any order."""
    places: dict[tuple[str, int], int] = {}
    for place, said in enumerate(others):
        places[said.conversation, sum(1 for conversation, _ in places if conversation == said.conversation)] = place
    counts: dict[str, int] = {}
    found: list[tuple[Said, int]] = []
    for said in ours:
        count = counts[said.conversation] = counts.get(said.conversation, -1) + 1
        if (said.conversation, count) in places:
            found.append((said, places[said.conversation, count]))
    for number, (later, its_place) in enumerate(found):
        first = next((
            said for said, place in found[:number]
            if said.actor is later.actor and later.time - said.time > TOGETHER and its_place < place
        ), None)
        if first is not None:
            yield f"{later.conversation}: {later.kind} before {first.kind} of {first.conversation}"


def hindrances(trace: Trace) -> int:
    """How many frames missed whom they were for, and how often the bench was behind. In virtual time the former is a fault's doing
    alone; in real time both are also a machine's that was too busy to give a listening device its frame in time, to tell its radio the
    address that the device was given, or to take an answer before it had waited for it long enough."""
    heard = air(trace)
    asking = [each for each in heard if each.mac is not None and each.mac.ack_request]
    taken = {each.exchange.octets for each in asking if heard.is_acknowledged(each)}
    untaken = {each.exchange.octets for each in asking} - taken
    return _listened_in_vain(trace) + len(untaken) + len(trace.header.about.get(BEHIND, ()))


def _listened_in_vain(trace: Trace) -> int:
    """For a frame that was said to wait."""
    count = 0
    asked: int | None = None  # the MAC sequence number of a poll whose acknowledgement is to come
    until = inf
    for each in air(trace):
        if each.time > until:
            count, until = count + 1, inf
        if each.mac is None:
            continue
        if each.mac.frame_type == mac.FrameType.ACK:
            is_awaited, asked = each.mac.sequence == asked, None
            until = each.time + LISTENING_TIME if is_awaited and each.mac.frame_pending else until
        else:  # if it is not what is waited for, it takes the channel from that
            asked, until = each.mac.sequence if each.find(mac.DataRequest) is not None else None, inf
    return count
