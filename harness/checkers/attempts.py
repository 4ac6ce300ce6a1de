"""Reading key establishment in a trace: what was said in cluster 0800, once each, in attempts. Gives no verdict.

In the use case the HAN Device begins and the ESI answers (row 8), so the device's messages are the initiator's whatever their
direction bit says. Smart Energy 1.0 (075356), annex C.3.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

from dissectors import aps, mac, nwk, zcl
from dissectors.clusters import key_establishment as cluster
from dissectors.clusters.key_establishment import (
    MINIMUM_TRANSIT,
    ConfirmKeyData,
    EphemeralData,
    InitiateKeyEstablishment,
    TerminateKeyEstablishment,
)
from dissectors.layer import Layer, Malformed, Record, parse
from harness.checkers.reading import Air, Heard, air, attested
from harness.remembered import Remembered
from harness.trace import Trace
from harness.usecase import Actor, Point
from harness.values import Eui64

INITIATOR, RESPONDER = Actor.HAN_DEVICE, Actor.ESI
TURNS: tuple[type[Layer], ...] = (InitiateKeyEstablishment, EphemeralData, ConfirmKeyData)
REPEAT_SPAN = 60.0  # seconds within which the same APS counter and octets are a repetition: more than all APS retries take
ANSWER_TIME = 30.0  # seconds, on top of the sender's generate time: more than all APS retries to a sleepy device take


def partner_of(actor: Actor) -> Actor:
    """The other party of key establishment."""
    return RESPONDER if actor is INITIATOR else INITIATOR


@dataclass(frozen=True)
class Said:
    """One message, however often it was transmitted. `kind` is None for a command that the cluster does not have.

    `header` is None where not even that can be read; `command` is None where what follows it cannot.
    """

    by: Actor
    transmissions: tuple[Heard, ...]
    header: Record | None
    command: Record | None
    kind: type[Layer] | None

    @property
    def first(self) -> Heard:
        """Its first transmission."""
        return self.transmissions[0]

    @property
    def number(self) -> int:
        """The exchange of its first transmission, for evidence."""
        return self.first.number

    @property
    def time(self) -> float:
        """When it was first sent, seconds since the bench started."""
        return self.first.time

    @property
    def arrival(self) -> Heard | None:
        """The first transmission that the bench's faults let through."""
        return next((heard for heard in self.transmissions if heard.arrived), None)

    @property
    def name(self) -> str:
        """What it is, in words."""
        return self.kind.__name__ if self.kind is not None else "a message that cannot be read"

    @property
    def surplus(self) -> bytes:
        """Octets beyond the command."""
        return b"" if self.header is None or self.command is None else bytes(self.header.surplus)

    def is_a(self, layer: type[Layer]) -> bool:
        """Whether it is this command, readable."""
        return self.command is not None and self.command.is_a(layer)


@dataclass(frozen=True)
class Attempt:
    """One exchange between a device and the ESI, from the device's first message to the one before its next beginning.

    `number` counts the device's attempts from 0; `next_at` is when the next one begins, None for the last.
    """

    device: Eui64 | None
    number: int
    said: tuple[Said, ...]
    next_at: float | None = None

    def by(self, actor: Actor) -> tuple[Said, ...]:
        """What one party said."""
        return tuple(said for said in self.said if said.by is actor)

    def find(self, actor: Actor, layer: type[Layer]) -> Said | None:
        """The first readable message of that kind from one party."""
        return next((said for said in self.by(actor) if said.is_a(layer)), None)

    def after(self, said: Said) -> tuple[Said, ...]:
        """What was said later."""
        return tuple(other for other in self.said if other.number > said.number)

    def before(self, said: Said) -> tuple[Said, ...]:
        """What was said earlier."""
        return tuple(other for other in self.said if other.number < said.number)

    def generate_time(self, actor: Actor, layer: type[Layer]) -> int:
        """Seconds that a party advertised for making its message of this kind; 0 for the first, or where it said nothing."""
        initiate = self.find(actor, InitiateKeyEstablishment)
        if initiate is None or initiate.command is None or layer not in TURNS[1:]:
            return 0
        command = initiate.command
        return int(command.ephemeral_data_generate_time if layer is EphemeralData else command.confirm_key_generate_time)

    @cached_property
    def strays(self) -> tuple[Said, ...]:
        """Messages at a wrong place: a request is right after the answer to the one before, an answer after its request."""
        asked = answered = 0
        wrong: list[Said] = []
        for said in self.said:
            if said.kind not in TURNS:
                continue
            turn = TURNS.index(said.kind)
            if said.by is INITIATOR and turn == asked == answered:
                asked += 1
            elif said.by is RESPONDER and turn == answered < asked:
                answered += 1
            else:
                wrong.append(said)
        return tuple(wrong)

    @property
    def terminated(self) -> bool:
        """Whether either party ended it with Terminate Key Establishment: before the ESI's Confirm Key Data, or the device soon after
        that. What somebody says of key establishment later is no part of it."""
        last = self.find(RESPONDER, ConfirmKeyData)
        ends = (said for said in self.said if said.kind is TerminateKeyEstablishment)
        if last is None:
            return any(True for _ in ends)
        over = (last.time if last.arrival is None else last.arrival.time) + ANSWER_TIME
        return any(said.number < last.number or (said.by is INITIATOR and said.time <= over) for said in ends)

    @property
    def completed(self) -> Said | None:
        """The ESI's Confirm Key Data that ended the exchange well; None where it did not, or where the device may lack its key."""
        last = self.find(RESPONDER, ConfirmKeyData)
        if last is None or last.arrival is None or last.first.aps.security_enabled or self.terminated:
            return None
        return None if any(said.number < last.number for said in self.strays) else last


_KNOWN: Remembered[Air, tuple[Attempt, ...]] = Remembered()


def attempts(trace: Trace) -> tuple[Attempt, ...]:
    """Every attempt at key establishment in a trace, each device's in order; read once for all checkers."""
    heard = air(trace)
    known = _KNOWN.get(heard)
    if known is None:
        _KNOWN[heard] = known = _attempts(heard)
    return known


def _attempts(heard: Air) -> tuple[Attempt, ...]:
    found: list[Attempt] = []
    for (known, _), said in _conversations(heard).items():
        parts = list(_divided(said))
        starts = {number: part[0].time for number, part in enumerate(parts)}
        device = known or _named_by(said)
        found += [Attempt(device, number, tuple(part), starts.get(number + 1)) for number, part in enumerate(parts)]
    return tuple(found)


def said_by(trace: Trace, actor: Actor, layer: type[Layer]) -> Iterator[Said]:
    """Every readable message of that kind from one party."""
    for attempt in attempts(trace):
        yield from (said for said in attempt.by(actor) if said.is_a(layer))


def numbers(said: Iterable[Said]) -> tuple[int, ...]:
    """The exchanges of these messages, for evidence."""
    return tuple(each.number for each in said)


def cause_of(attempt: Attempt, actor: Actor, layer: type[Layer]) -> Heard | None:
    """The arrival that lets a party make its message of this kind: of the answer before it, or of the request for it."""
    turn = TURNS.index(layer) - (actor is INITIATOR)
    said = attempt.find(partner_of(actor), TURNS[turn]) if turn >= 0 else None
    return None if said is None else said.arrival


def came_late(attempt: Attempt, said: Said) -> bool:
    """Whether a message came later than its sender had advertised, and 2 s for the way: its receiver may have given up."""
    cause = None if said.kind is None or said.kind not in TURNS else cause_of(attempt, said.by, said.kind)
    if cause is None or said.kind is None or said.arrival is None:
        return False
    return said.arrival.time - cause.time > attempt.generate_time(said.by, said.kind) + MINIMUM_TRANSIT


def under_a_link_key(trace: Trace, attempt: Attempt, since: Heard, actor: Actor) -> Iterator[Heard]:
    """Frames of a party of an attempt under an established link key, after a frame and before the device's next beginning."""
    device = ends_of(attempt.said[0].first)
    for each in air(trace).after(since):
        if attempt.next_at is not None and each.time >= attempt.next_at:
            return
        from_responder = air(trace).from_coordinator(each)
        if each.frame.aps_key_kind == "link" and ends_of(each) == device and from_responder is (actor is RESPONDER):
            yield each


def watched(trace: Trace, heard: Heard, seconds: float) -> bool:
    """Whether a tap attests that it missed nothing of the frame's channel for so many seconds after it."""
    return attested(trace, Point.MAC, heard.time, heard.time + seconds, heard.channel)


def ends_of(heard: Heard) -> int | None:
    """The short address of the device that a unicast frame comes from or goes to; None where the ESI has no part in it."""
    if heard.nwk is None or not heard.nwk.is_a(nwk.Nwk):
        return None
    ends = {heard.nwk.source, heard.nwk.dest} - {nwk.COORDINATOR}
    if len(ends) != 1 or nwk.COORDINATOR not in (heard.nwk.source, heard.nwk.dest):
        return None
    device: int = ends.pop()
    return device if device <= nwk.MAX_UNICAST else None


def coordinator(heard: Air) -> Eui64 | None:
    """The ESI's own EUI-64, as its NWK-secured frames or its Transport-Key carry it."""
    for each in heard:
        if not heard.from_coordinator(each) or each.nwk is None:
            continue
        transport = each.find(aps.TransportKey)
        if transport is not None and transport.source:
            return Eui64(transport.source)
        security = getattr(each.nwk, "security", None)
        if each.frame.security.nwk == "ok" and security is not None and security.source_ieee is not None:
            return Eui64(security.source_ieee)
    return None


def address(trace: Trace, attempt: Attempt, actor: Actor) -> Eui64 | None:
    """The EUI-64 of one party of an attempt."""
    return attempt.device if actor is INITIATOR else coordinator(air(trace))


def polls(trace: Trace, device: Eui64 | None, start: float, end: float) -> tuple[float, ...]:
    """When the device asked its parent for what waits, between two instants."""
    heard = air(trace)
    return tuple(
        each.time for each in heard.of(mac.DataRequest)
        if start < each.time < end and device is not None and heard.sender(each) == device
    )


def made_within(trace: Trace, attempt: Attempt, said: Said, cause: Heard) -> float:
    """For how many seconds at least a message was in the making; what waits for a device that sleeps was ready earlier."""
    asked = polls(trace, attempt.device, cause.time, said.time) if said.by is RESPONDER else ()
    if not asked:
        return said.time - cause.time
    return asked[-2] - cause.time if len(asked) > 1 else 0.0


def _conversations(heard: Air) -> dict[tuple[Eui64 | None, int], list[Said]]:
    """What was said with each device, repetitions taken together: by its EUI-64, or by its short address where that is unknown.

    A device that joins anew may get another short address.
    """
    found: dict[tuple[Eui64 | None, int], list[Said]] = {}
    known: dict[tuple[int, int, int, bytes], int] = {}  # source, destination, APS counter and octets to the place in the list
    for each in heard:
        if not _is_of_cluster(each):
            continue
        short = ends_of(each)
        if short is None:
            continue
        device = heard.short_addresses.get(short)
        said = found.setdefault((None, short) if device is None else (device, 0), [])
        key = (each.nwk.source, each.nwk.dest, each.aps.counter, each.aps.payload)
        place = known.get(key)
        if place is not None and each.time - said[place].time <= REPEAT_SPAN:
            said[place] = replace(said[place], transmissions=(*said[place].transmissions, each))
            continue
        message = _said(each)
        if message is not None:
            known[key] = len(said)
            said.append(message)
    return found


def _named_by(said: Sequence[Said]) -> Eui64 | None:
    """The device's EUI-64 as the auxiliary headers of its own frames name it: each hop seals a frame anew."""
    for each in said:
        security, direct = each.first.nwk.security, each.first.mac.source_short == each.first.nwk.source
        if each.by is INITIATOR and direct and security is not None and security.source_ieee is not None:
            return Eui64(security.source_ieee)
    return None


def _is_of_cluster(heard: Heard) -> bool:
    header = heard.aps
    if header is None or header.frame_type != aps.FrameType.DATA or header.delivery_mode != aps.DeliveryMode.UNICAST:
        return False
    return bool(header.cluster == cluster.CLUSTER.identifier and header.payload is not None)


def _by(heard: Heard) -> Actor:
    return RESPONDER if heard.nwk.source == nwk.COORDINATOR else INITIATOR


def _said(heard: Heard) -> Said | None:
    """The message in a frame; None for attributes being read, which is no part of an attempt."""
    header: Record | None = heard.zcl
    command = None if header is None else header.command
    if header is None:
        try:
            header, _ = parse(zcl.Zcl, heard.aps.payload)
        except Malformed:
            return Said(_by(heard), (heard,), None, None, None)
    if header.frame_type == zcl.FrameType.GENERAL:
        general = zcl.GENERAL_COMMANDS.get(header.command_identifier)
        return Said(_by(heard), (heard,), header, command, general) if general is zcl.DefaultResponse else None
    kind = cluster.CLUSTER.client_commands.get(header.command_identifier)
    return Said(_by(heard), (heard,), header, command, kind)


def _divided(said: Sequence[Said]) -> Iterator[list[Said]]:
    """Cut where the device begins: with an Initiate, or with any other message after the end of an attempt."""
    part: list[Said] = []
    for each in said:
        begins = each.by is INITIATOR and each.kind is not TerminateKeyEstablishment and each.kind is not zcl.DefaultResponse
        over = any(other.kind is TerminateKeyEstablishment for other in part)
        if part and begins and (each.kind is InitiateKeyEstablishment or over):
            yield part
            part = []
        part.append(each)
    if part:
        yield part
