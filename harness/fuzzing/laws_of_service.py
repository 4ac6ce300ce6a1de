"""Laws of service: what may be acted upon, to what an answer is due, who must be in by when. Knows no bench."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from math import inf
from typing import Any

from dissectors import aps, nwk, zcl, zdp
from dissectors.clusters import key_establishment
from dissectors.layer import Record
from harness.fuzzing.laws_of_keys import UNDER_LINK_KEY, CounterLaw, actor_of
from harness.fuzzing.model import Breach
from harness.fuzzing.sight import EVERYBODY, Seen
from harness.usecase import Actor

REJOIN = -1  # in the place of a cluster
PATIENCE = 20.0  # seconds in which an answer is on the air, when nothing disturbs it
PROVISIONING = 90.0  # seconds in which a device that nothing disturbs is in and registered
ANSWERED = (zdp.NodeDescReq, zdp.ActiveEpReq, zdp.SimpleDescReq, zdp.IeeeAddrReq, zdp.BindReq)  # to each a response is due


class ExecutionLaw:
    """Nothing is acted upon but what came under the link key in force, and each message once (SE 1.0, 5.4.6; 05-3474, 2.2.8.4.2)."""

    def __init__(self) -> None:
        self._came: dict[str, dict[str, set[int]]] = {}
        self._took: dict[str, Counter[str]] = {}
        self._blocks: set[str] = set()

    def see(self, seen: Seen) -> None:
        """A command that somebody may act upon."""
        header: Any = seen.frame.aps
        if header is None or not seen.arrived or seen.receiver is None or not seen.secured:
            return
        if header.frame_type == aps.FrameType.DATA and header.fragmentation:
            self._blocks.add(seen.receiver)  # from now on we cannot know
        if seen.frame.zcl is not None and seen.frame.aps_key_kind == "link":
            commands = self._came.setdefault(seen.receiver, {})
            commands.setdefault(repr(seen.frame.zcl.command), set()).add(header.counter)

    def took(self, machine: str, command: Record, now: float) -> Iterator[Breach]:
        """A machine acted upon a command."""
        if machine in self._blocks:
            return
        taken = self._took.setdefault(machine, Counter())
        taken[repr(command)] += 1
        came = len(self._came.get(machine, {}).get(repr(command), ()))
        if taken[repr(command)] > came:
            how = f"{taken[repr(command)]} times upon a {command.name} that came {came} times under the link key in force"
            yield Breach("execution", actor_of(machine), f"{machine} acted {how}")


@dataclass(frozen=True)
class _Due:
    """An answer that is due: of whom, to what, since when."""

    of: str
    kind: str
    sequence: int
    cluster: int
    since: float
    shown_by: int


class AnswerLaw:
    """Who is asked gets an answer (05-3474, 2.4.4; ZCL 2.4), while nothing disturbs: no fault, no failing power, no reset."""

    def __init__(self, counters: CounterLaw) -> None:
        """Of a frame whose counter is used up nobody need take notice: `counters` knows which."""
        self._counters = counters
        self._due: list[_Due] = []
        self._endpoints: set[tuple[str, int]] = set()  # that have shown themselves
        self._in_service: set[str] = {Actor.ESI}
        self._troubled = False

    def see(self, seen: Seen) -> Iterator[Breach]:
        """A question, or an answer."""
        yield from self.rest(seen.time)
        header: Any = seen.frame.aps
        if not seen.secured or seen.again or seen.sender is None or seen.exchange.number in self._counters.stale:
            return
        if header is None:
            self._rejoins(seen)
            return
        if header.frame_type != aps.FrameType.DATA:
            return
        if "source_endpoint" in header:
            self._endpoints.add((seen.sender, header.source_endpoint))
        if seen.frame.aps_key_kind == "link" and not self._troubled:
            self._in_service.add(seen.sender)
        self._settle(seen, header)
        due = self._question(seen, header)
        if due is not None and not self._troubled and seen.arrived and due.of in self._in_service:
            self._due.append(due)

    def done(self, what: str, to: str, now: float) -> None:
        """Whatever disturbs ends what is due."""
        if to == "air":
            self._troubled = what != "calm"
        if what == "calm":
            return
        self._due.clear()
        self._in_service = {Actor.ESI}

    def rest(self, now: float) -> Iterator[Breach]:
        """What is overdue is a breach."""
        for each in [each for each in self._due if now - each.since > PATIENCE]:
            self._due.remove(each)
            yield Breach("answer", actor_of(each.of), f"{each.of} leaves a {each.kind} without an answer", (each.shown_by,))

    def _rejoins(self, seen: Seen) -> None:
        """A member that asks to be let in again under the network key is answered (05-3474, 3.6.1.4.2.2)."""
        if seen.has(nwk.RejoinRequest) is not None and not self._troubled and seen.arrived and seen.receiver == Actor.ESI:
            self._due.append(_Due(Actor.ESI, "rejoin request", 0, REJOIN, seen.time, seen.exchange.number))
        elif seen.has(nwk.RejoinResponse) is not None:
            self._due = [each for each in self._due if each.cluster != REJOIN or each.of != seen.sender]

    def _question(self, seen: Seen, header: Any) -> _Due | None:
        if seen.receiver in (None, EVERYBODY) or header.delivery_mode != aps.DeliveryMode.UNICAST:
            return None
        of, number = str(seen.receiver), seen.exchange.number
        record = seen.frame.zdp
        if record is not None and record.layer in ANSWERED and seen.frame.security.aps is None:
            return _Due(of, record.name, record.sequence, header.cluster | zdp.RESPONSE, seen.time, number)
        record = seen.frame.zcl
        if record is None or not record.command.is_a(zcl.ReadAttributes) or record.manufacturer_specific:
            return None
        right = seen.frame.aps_key_kind == "link" if header.cluster in UNDER_LINK_KEY else True
        if not right or (of, header.dest_endpoint) not in self._endpoints:
            return None
        return _Due(of, record.command.name, record.sequence, header.cluster, seen.time, number)

    def _settle(self, seen: Seen, header: Any) -> None:
        told = seen.frame.zdp or seen.frame.zcl
        blocks = bool(header.fragmentation)
        self._due = [
            each for each in self._due
            if each.of != seen.sender or header.cluster != each.cluster or not (blocks or (told and told.sequence == each.sequence))
        ]


class ServiceLaw:
    """A device that is ordered with its key, and switched on anew in its open window, is registered soon, if nothing disturbs."""

    def __init__(self, blamed: Actor) -> None:
        """`blamed` is whose failure it is where both sides had a part."""
        self._blamed = blamed
        self._due: dict[str, float] = {}
        self._confirmed: set[str] = set()

    def done(self, what: str, to: str, now: float) -> None:
        """A device is to be provisioned ("provision"), or something gets in the way."""
        if what == "provision":
            self._due = {to: now + PROVISIONING}
        elif what != "calm":
            self._due.clear()

    def see(self, seen: Seen) -> None:
        """The last message of key establishment, or whatever is under the key that it makes."""
        confirmed = seen.has(key_establishment.ConfirmKeyData) is not None and seen.sender == Actor.ESI and seen.arrived
        if confirmed and seen.receiver is not None:
            self._due.pop(seen.receiver, None)

    def rest(self, now: float) -> Iterator[Breach]:
        """Who should be in and is not."""
        for machine, by in list(self._due.items()):
            if now > by:
                self._due[machine] = inf
                yield Breach("service", self._blamed, f"{machine} is not registered {PROVISIONING:.0f} s after it was switched on")
