"""Reading what ESI and HAN Device say to each other above APS: each message once, with its answers. Gives no verdict.

A message is told from its repetitions by its APS counter and its key; blocks of a fragmented one are put together. An answer goes back the
way the question came, with its sequence number (05-3474, 2.4.2.8; ZCL 075123, 2.3.1) and of a kind that answers it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property, wraps
from types import MappingProxyType
from typing import Any

from dissectors import aps, nwk, zcl, zdp
from dissectors.clusters import drlc, identify, messaging, metering, price
from dissectors.frame import decode_asdu
from dissectors.layer import Layer, Malformed, Record, parse
from dissectors.smart_energy import PROFILE
from harness.checkers.reading import Air, Heard, air, attested
from harness.remembered import Remembered
from harness.trace import Trace
from harness.usecase import Actor, Check, Point
from harness.verdict import Finding

REPEAT_SPAN = 30.0  # seconds in which the same APS counter is a repetition: more than all APS retries take
ACKNOWLEDGED_WITHIN = 10.0  # seconds in which an APS acknowledgement comes, also to a sleepy device
ANSWER_SPAN = 60.0  # seconds in which an answer can belong to a question
ANSWER_TIME = 10.0  # seconds that a question which arrived may wait for its answer
CLUSTER_ANSWERS: Mapping[type[Layer], type[Layer]] = MappingProxyType({
    price.GetCurrentPrice: price.PublishPrice,
    price.GetScheduledPrices: price.PublishPrice,
    drlc.GetScheduledEvents: drlc.LoadControlEvent,
    messaging.GetLastMessage: messaging.DisplayMessage,
    identify.IdentifyQuery: identify.IdentifyQueryResponse,
    metering.GetProfile: metering.GetProfileResponse,
})
ANSWERS: Mapping[type[Layer], type[Layer]] = MappingProxyType({
    zcl.ReadAttributes: zcl.ReadAttributesResponse,
    zcl.WriteAttributes: zcl.WriteAttributesResponse,
    zcl.WriteAttributesUndivided: zcl.WriteAttributesResponse,
    zcl.ConfigureReporting: zcl.ConfigureReportingResponse,
    zcl.ReadReportingConfiguration: zcl.ReadReportingConfigurationResponse,
    zcl.DiscoverAttributes: zcl.DiscoverAttributesResponse,
    **CLUSTER_ANSWERS,
})
"""What a request draws instead of a Default Response (ZCL 075123, 2.4; SE 1.0, annex D)."""

_GENERAL_ANSWERS = frozenset(layer for layer in ANSWERS.values() if layer in zcl.GENERAL_COMMANDS.values())


@dataclass(frozen=True, eq=False)
class Said:
    """One application message, however often it was transmitted, and in how many blocks.

    `by` and `to` are None for nodes that are neither the ESI nor the ordered device, `to` also for a broadcast. `arrival` is
    the transmission (of the last block) that its addressee took: it sent the APS acknowledgement that was asked for, or, where
    none was, its radio acknowledged the frame. None where it did not, or nobody can tell.
    """

    by: Actor | None
    to: Actor | None
    blocks: tuple[tuple[Heard, ...], ...]
    arrival: Heard | None
    asdu: bytes
    zdp: Record | None
    zcl: Record | None
    malformed: str | None

    @property
    def first(self) -> Heard:
        """Its first transmission."""
        return self.blocks[0][0]

    @property
    def number(self) -> int:
        """The exchange of its first transmission, for evidence."""
        return self.first.number

    @property
    def time(self) -> float:
        """When it was first heard whole, seconds since the bench started."""
        return self.blocks[-1][0].time

    @property
    def arrived_at(self) -> float:
        """When its addressee had it; when it was sent, where nobody can tell."""
        return self.time if self.arrival is None else self.arrival.time

    @property
    def aps(self) -> Any:
        """The APS header."""
        return self.first.aps

    @property
    def cluster(self) -> int:
        """Its cluster."""
        return int(self.aps.cluster)

    @property
    def broadcast(self) -> bool:
        """Whether it went to more than one node."""
        return bool(self.first.nwk.dest > nwk.MAX_UNICAST)

    @property
    def key(self) -> str | None:
        """How it was APS-secured: "link" (key establishment), "ic" (install code), None for NWK security alone."""
        return self.first.frame.aps_key_kind

    @property
    def smart_energy(self) -> bool:
        """Whether it belongs to the Smart Energy profile."""
        return bool(self.aps.profile == PROFILE)

    @cached_property
    def header(self) -> Any:
        """The ZCL header, also of a message that cannot be read further; None where not even that can."""
        if self.zcl is not None or self.aps.profile == zdp.PROFILE:
            return self.zcl
        try:
            return parse(zcl.Zcl, self.asdu)[0]
        except Malformed:
            return None

    @property
    def sequence(self) -> int | None:
        """The transaction sequence number."""
        if self.aps.profile == zdp.PROFILE:
            return self.asdu[0] if self.asdu else None
        return None if self.header is None else int(self.header.sequence)

    @property
    def command(self) -> Any:
        """The ZCL command or the ZDP structure; None where it cannot be read."""
        return self.zdp if self.zcl is None else self.zcl.command

    def is_a(self, *layers: type[Layer]) -> bool:
        """Whether it is one of these commands or structures, readable."""
        return self.command is not None and self.command.layer in layers

    @property
    def name(self) -> str:
        """What it is, in words."""
        return "a message that cannot be read" if self.command is None else str(self.command.name)


class Dialogue:
    """Everything that was said on the air of a trace, in order."""

    def __init__(self, trace: Trace) -> None:
        self.trace = trace
        self.said = tuple(_said(trace, air(trace)))
        self._addressed: dict[tuple[int, int, int | None], list[Said]] = {}
        for each in self.said:
            self._addressed.setdefault((each.first.nwk.dest, each.cluster, each.sequence), []).append(each)

    def by(self, actor: Actor, *layers: type[Layer]) -> list[Said]:
        """What an actor said; with layers, only these commands and structures."""
        return [each for each in self.said if each.by is actor and (not layers or each.is_a(*layers))]

    def to(self, actor: Actor, *layers: type[Layer]) -> list[Said]:
        """What was said to an actor and arrived; with layers, only these commands and structures."""
        return [
            each for each in self.said
            if each.to is actor and each.arrival is not None and (not layers or each.is_a(*layers))
        ]

    def answers(self, question: Said) -> list[Said]:
        """What the addressee (of a broadcast: anybody) said to a question, in order, with its sequence number."""
        bit = zdp.RESPONSE if question.aps.profile == zdp.PROFILE else 0
        asker, asked = question.first.nwk.source, question.first.nwk.dest
        end = min(question.time + ANSWER_SPAN, self._asked_again(question))
        return [
            each for each in self._addressed.get((asker, question.cluster | bit, question.sequence), ())
            if question.time < each.time <= end and (question.broadcast or each.first.nwk.source == asked)
            and is_answer(each, question)
        ]

    def series(self, question: Said) -> int:
        """How many messages like this one, itself among them, came with its sequence number at about its time: a request for
        events draws several responses, each with the number of the request, and each may draw a Default Response."""
        asker, asked = question.first.nwk.source, question.first.nwk.dest
        return sum(
            each.first.nwk.source == asker and _direction(each) == _direction(question)
            and abs(each.time - question.time) <= ANSWER_SPAN
            for each in self._addressed.get((asked, question.cluster, question.sequence), ())
        )

    def answer(self, question: Said) -> Said | None:
        """The first of its answers."""
        return next(iter(self.answers(question)), None)

    def registered(self) -> Said | None:
        """The first message that shows the device in possession of its link key: one of its own under it."""
        return next((each for each in self.by(Actor.HAN_DEVICE) if each.key == "link"), None)

    def watched(self, said: Said, seconds: float) -> bool:
        """Whether a tap attests that nothing was missed for so many seconds after a message arrived."""
        start = said.arrived_at
        return attested(self.trace, Point.MAC, start, start + seconds, said.first.channel)

    def _asked_again(self, question: Said) -> float:
        """When the asker used the sequence number for its next question of this kind; a Default Response has that of an answer."""
        asker, asked = question.first.nwk.source, question.first.nwk.dest
        return next(
            (
                each.time for each in self._addressed[asked, question.cluster, question.sequence]
                if each.time > question.time and each.first.nwk.source == asker and _direction(each) == _direction(question)
                and not each.is_a(zcl.DefaultResponse)
            ), float("inf"),
        )


def is_answer(said: Said, question: Said) -> bool:
    """Whether a message with the sequence number of a question is of a kind that answers it."""
    if question.aps.profile == zdp.PROFILE:
        return bool(said.aps.profile == zdp.PROFILE)
    if said.header is None or question.header is None or said.header.direction == question.header.direction:
        return False
    if said.is_a(zcl.DefaultResponse):
        return bool(said.command.command == question.header.command_identifier)
    if question.command is None or question.is_a(zcl.UnknownCommand):
        return said.command is not None and said.command.layer in _GENERAL_ANSWERS
    expected = ANSWERS.get(question.command.layer)
    return expected is not None and said.is_a(expected)


def dialogue(trace: Trace) -> Dialogue:
    """The trace's dialogue, read once for all checkers; read anew when the trace has grown."""
    known = _DIALOGUES.get(trace)
    if known is None or known[0] is not air(trace):
        known = (air(trace), Dialogue(trace))
        _DIALOGUES[trace] = known
    return known[1]


_DIALOGUES: Remembered[Trace, tuple[Air, Dialogue]] = Remembered()

ActorCheck = Callable[[Trace, Actor], Iterator[Finding]]
"""A checker that judges the actor it is given."""


def of(actor: Actor, *checks: ActorCheck) -> Mapping[Actor, tuple[Check, ...]]:
    """These checkers, for one party."""
    return {actor: tuple(_named(check, actor) for check in checks)}


def of_both(*checks: ActorCheck) -> Mapping[Actor, tuple[Check, ...]]:
    """These checkers, for the ESI and for the HAN Device."""
    return {**of(Actor.ESI, *checks), **of(Actor.HAN_DEVICE, *checks)}


def _named(check: ActorCheck, actor: Actor) -> Check:
    @wraps(check)  # a checker that raises is reported by its name
    def judging(trace: Trace) -> Iterator[Finding]:
        return check(trace, actor)

    return judging


def _direction(said: Said) -> int | None:
    return None if said.header is None else int(said.header.direction)


# -- from frames to messages


def _said(trace: Trace, heard: Air) -> Iterator[Said]:
    groups: dict[tuple[Any, ...], list[Heard]] = {}
    ordered: list[list[Heard]] = []
    for each in heard:
        key = _identity(each)
        if key is None:
            continue
        group = groups.get(key)
        if group is None or each.time - group[-1].time > REPEAT_SPAN:
            groups[key] = group = []
            ordered.append(group)
        group.append(each)
    for blocks in _whole(ordered):
        yield _message(trace, heard, tuple(blocks))


def _identity(each: Heard) -> tuple[Any, ...] | None:
    """What repetitions of a message have in common; None for frames that carry no message anybody can read."""
    header, network = each.aps, each.nwk
    if header is None or network is None or "source" not in network or header.payload is None:
        return None
    if header.frame_type != aps.FrameType.DATA:
        return None
    how = each.frame.aps_key_kind  # what goes out once more under another key is said anew: it is that key that is answered
    return (network.source, network.dest, header.profile, header.cluster, header.counter, how, _index(header), header.payload)


def _index(header: Record) -> int | None:
    """Which block of a fragmented message a frame carries, from 0; None for a message that is whole."""
    if not header.extended_header_present or header.fragmentation == aps.Fragmentation.NONE:
        return None
    return 0 if header.fragmentation == aps.Fragmentation.FIRST else int(header.block_number)


def _whole(groups: list[list[Heard]]) -> Iterator[list[tuple[Heard, ...]]]:
    """Messages whole or put together; one of which blocks are missing is none."""
    parts: dict[tuple[Any, ...], dict[int, tuple[Heard, ...]]] = {}
    for group in groups:
        header, network = group[0].aps, group[0].nwk
        index = _index(header)
        if index is None:
            yield [tuple(group)]
            continue
        name = (network.source, network.dest, header.counter)
        if index == 0:
            parts[name] = {}
        blocks = parts.get(name)
        if blocks is None:
            continue
        blocks[index] = tuple(group)
        if 0 in blocks and len(blocks) == blocks[0][0].aps.block_number:
            yield [blocks[each] for each in sorted(blocks)]
            del parts[name]


def _message(trace: Trace, heard: Air, blocks: tuple[tuple[Heard, ...], ...]) -> Said:
    header, network = blocks[0][0].aps, blocks[0][0].nwk
    asdu = b"".join(block[0].aps.payload for block in blocks)
    record: Record | None = None
    library: Record | None = None
    malformed = None
    try:
        record, library = decode_asdu(header.profile, header.cluster, asdu)
    except Malformed as fault:
        malformed = str(fault)
    return Said(
        party(trace, network.source), party(trace, network.dest), blocks, _arrival(heard, blocks), asdu,
        record, library, malformed,
    )


def party(trace: Trace, short: int) -> Actor | None:
    """Whose NWK address it is: the ESI's, the ordered device's, or (None) somebody else's."""
    if short == nwk.COORDINATOR:
        return Actor.ESI
    return Actor.HAN_DEVICE if air(trace).short_addresses.get(short) == trace.header.order.device else None


def _arrival(heard: Air, blocks: tuple[tuple[Heard, ...], ...]) -> Heard | None:
    """The transmission with which the whole message was there."""
    arrivals = [next((each for each in block if _took(heard, each)), None) for block in blocks]
    return arrivals[-1] if all(arrivals) else None


def _took(heard: Air, each: Heard) -> bool:
    """Whether the addressee took a frame: what is acknowledged end to end was let in, a MAC acknowledgement says less."""
    if not each.arrived or _is_broadcast(each):
        return each.arrived
    if not each.aps.ack_request:
        return heard.is_acknowledged(each)
    way = (each.nwk.dest, each.nwk.source, each.aps.counter)
    return any(
        other.aps is not None and other.aps.frame_type == aps.FrameType.ACK and other.sent
        and (other.nwk.source, other.nwk.dest, other.aps.counter) == way
        for other in heard.between(each.time, each.time + ACKNOWLEDGED_WITHIN)
    )


def _is_broadcast(each: Heard) -> bool:
    return bool(each.mac.dest_short is not None and each.mac.dest_short > nwk.MAX_UNICAST)
