"""Step 6: NWK frame counters and MICs, how they are sent and how they are taken, for ESI and HAN Device alike. Knows no bench.

Whether a node took a frame shows in its APS acknowledgement. A node keeps the counters of its neighbours only (05-3474r17,
4.3.3): the device and its ESI are each other's.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from dissectors import aps, nwk
from harness.checkers.associations import Association, of_the_device
from harness.checkers.reading import Air, Heard, air, attested, marks
from harness.trace import Trace
from harness.usecase import Actor, Check, Point
from harness.verdict import Finding, failed, passed

INVALID = 0xFFFF_FFFF  # a frame counter that nobody sends (4.3.1.1)
JUMP = 1000  # counters that are left out make a jump, which a stack that is afraid of losing its counter does on every start
ACK_TIME = 8.0  # seconds in which a frame and all its repetitions are acknowledged: 4 x 1.6 s and more (2.2.7.1)
REPLAY_AFTER = 1.0  # seconds after which the same octets are no MAC retransmission
PARTNERS = {Actor.ESI: Actor.HAN_DEVICE, Actor.HAN_DEVICE: Actor.ESI}


@dataclass(frozen=True)
class Link:
    """The traffic between the device and its ESI, from the device's first association on."""

    heard: Air
    associations: tuple[Association, ...]

    def of(self, actor: Actor) -> Iterator[Heard]:
        """The NWK-secured frames that the actor's radio sent, those among them that the bench's faults made or altered.

        What ends within its auxiliary header is none.
        """
        for each in self.heard:
            secured = each.nwk is not None and "source" in each.nwk and each.nwk.security is not None
            if secured and self.sender(each) is actor:
                yield each

    def sender(self, each: Heard) -> Actor | None:
        """Whose radio sent a frame, None where it was neither's."""
        if each.mac.source_short == nwk.COORDINATOR:
            return Actor.ESI
        member = self.member(each.time)
        return Actor.HAN_DEVICE if member is not None and each.mac.source_short == member.short_address else None

    def member(self, at: float) -> Association | None:
        """The association that the device stands in at that time."""
        return next((each for each in reversed(self.associations) if each.granted is not None and each.request.time < at), None)

    def asks(self, each: Heard, actor: Actor) -> bool:
        """Whether the frame reached the actor and asks it for an APS acknowledgement."""
        return (
            each.aps is not None and each.aps.frame_type == aps.FrameType.DATA and bool(each.aps.ack_request)
            and self.reaches(each, actor)
        )

    def reaches(self, each: Heard, actor: Actor) -> bool:
        """Whether it was a unicast frame to the actor that the actor's radio took."""
        member = self.member(each.time)
        address = nwk.COORDINATOR if actor is Actor.ESI or member is None else member.short_address
        return bool(each.nwk.dest == address) and each.arrived and self.heard.is_acknowledged(each)

    def acknowledgement(self, asked: Heard, actor: Actor, start: float, end: float) -> Heard | None:
        """The actor's APS acknowledgement of a frame, between two instants."""
        return next((
            each for each in self.heard.between(start, end)
            if each.aps is not None and each.aps.frame_type == aps.FrameType.ACK and self.sender(each) is actor
            and (each.aps.counter, each.aps.cluster) == (asked.aps.counter, asked.aps.cluster)
        ), None)

    def next_like(self, asked: Heard, start: float) -> float:
        """When the same APS frame is next transmitted under a counter of its own; infinite where it is not."""
        return next((
            each.time for each in self.heard.between(start, float("inf"))
            if each.sent and each.aps is not None and each.aps.frame_type == aps.FrameType.DATA
            and each.nwk.source == asked.nwk.source and each.aps.counter == asked.aps.counter
            and each.mac.payload != asked.mac.payload
        ), float("inf"))


def counters_increase(actor: Actor) -> Check:
    """06-COUNTERS: the actor's NWK frame counter rises with every frame, also over a power failure."""

    def check(trace: Trace) -> Iterator[Finding]:
        link = link_of(trace)
        newest: dict[bytes, Heard] = {}
        first: Heard | None = None
        for each in link.of(actor):
            key = each.frame.nwk_key
            if not each.sent or key is None:
                continue
            before, counter = newest.get(key), each.nwk.security.frame_counter
            if before is not None and before.mac.payload == each.mac.payload:
                continue  # a MAC retransmission
            risen = before is None or counter > before.nwk.security.frame_counter or _began_anew(link, actor, before, each)
            if counter == INVALID or not risen:
                yield failed(
                    f"the NWK frame counter of the {actor} does not rise",
                    *((before.number,) if before is not None else ()), each.number,
                    expected="a greater value" if before is None else f"more than {before.nwk.security.frame_counter}",
                    observed=str(counter), hint=_why_not_risen(trace, actor, before, each),
                )
                return
            first = first or each
            newest[key] = each
        last = max(newest.values(), key=lambda each: each.time, default=None)
        if first is not None and last is not None and last is not first:
            yield passed(f"the NWK frame counter of the {actor} rises", first.number, last.number)

    return named(check, "counters_increase", actor)


def _why_not_risen(trace: Trace, actor: Actor, before: Heard | None, each: Heard) -> str:
    """A counter that falls behind after a power failure was not kept over it."""
    failures = (at for at in marks(trace, "power_cycle", actor) if before is not None and before.time <= at < each.time)
    return "counter-not-kept" if any(failures) else "counter-used-again"


def _began_anew(link: Link, actor: Actor, before: Heard, each: Heard) -> bool:
    """A device may start at 0 with every network key that it accepts (r17 to r20: 4.6.3.2.3.1, 4.6.3.4.2)."""
    if actor is Actor.ESI:
        return False
    return any(
        before.time < key.time < each.time and key.frame.security.aps == "ok"
        for association in link.associations for key in association.transports
    )


def replays_have_no_effect(actor: Actor) -> Check:
    """06-REPLAY: a frame of its neighbour that the actor has taken once has no effect when it comes again."""

    def check(trace: Trace) -> Iterator[Finding]:
        link = link_of(trace)
        met: dict[bytes, Heard] = {}
        passes = 0
        for each in link.of(PARTNERS[actor]):
            before = met.setdefault(each.mac.payload, each)
            if each.time - before.time < REPLAY_AFTER or not link.asks(each, actor) or not link.reaches(before, actor):
                continue
            limit = min(each.time + ACK_TIME, link.next_like(each, each.time))
            taken = link.acknowledgement(each, actor, each.time, limit)
            if taken is not None:
                yield failed(
                    f"the {actor} took a frame whose counter it had accepted before", before.number, each.number, taken.number,
                    expected="no reaction", observed="an APS acknowledgement", hint="replays-taken",
                )
                return
            passes += attested(trace, Point.MAC, each.time, limit, each.channel)
            if passes == 1:
                yield passed(f"the {actor} did not react to a replayed frame", before.number, each.number)

    return named(check, "replays_have_no_effect", actor)


def stale_counters_have_no_effect(actor: Actor) -> Check:
    """06-REPLAY: a frame of its neighbour whose counter is not greater than one that the actor took has no effect, though it is new."""

    def check(trace: Trace) -> Iterator[Finding]:
        link = link_of(trace)
        anew = _beginnings(link)
        newest: dict[bytes, Heard] = {}
        met: set[bytes] = set()
        passes = 0
        for each in link.of(PARTNERS[actor]):
            key = each.frame.nwk_key
            if not each.sent or key is None or each.mac.payload in met:
                continue
            met.add(each.mac.payload)
            before = newest.get(key)
            if before is None or any(before.time < at < each.time for at in anew):
                before = None
            if before is None or each.nwk.security.frame_counter > before.nwk.security.frame_counter:
                if link.reaches(each, actor):
                    newest[key] = each
                continue
            if not link.asks(each, actor):
                continue
            limit = min(each.time + ACK_TIME, link.next_like(each, each.time))
            taken = link.acknowledgement(each, actor, each.time, limit)
            if taken is not None:
                yield failed(
                    f"the {actor} took a frame whose counter is no greater than one that it had accepted", before.number,
                    each.number, taken.number, expected="no reaction", observed="an APS acknowledgement", hint="replays-taken",
                )
                return
            passes += attested(trace, Point.MAC, each.time, limit, each.channel)
            if passes == 1:
                yield passed(f"the {actor} did not react to a frame with an old counter", before.number, each.number)

    return named(check, "stale_counters_have_no_effect", actor)


def _beginnings(link: Link) -> list[float]:
    """When counters may begin at 0: a device associates, or is given a network key (r17 to r20: 4.6.3.2.3.1, 4.6.3.4.2)."""
    keys = (key.time for association in link.associations for key in association.transports)
    rejoins = (each.time for each in link.heard.of(nwk.RejoinRequest) if not each.nwk.security_enabled)
    return [*(association.request.time for association in link.associations), *keys, *rejoins]


def counter_jumps_are_taken(actor: Actor) -> Check:
    """06-COUNTER-JUMP: a frame whose counter is far ahead of the last one is taken like any other."""

    def check(trace: Trace) -> Iterator[Finding]:
        link = link_of(trace)
        frames = list(_fresh(each for each in link.of(PARTNERS[actor]) if each.sent))
        for place, (jump, asked) in enumerate(_jumps(link, frames, actor)):
            limit = asked.time + ACK_TIME
            taken = link.acknowledgement(asked, actor, asked.time, limit)
            if taken is None and attested(trace, Point.MAC, asked.time, limit, asked.channel):
                yield failed(
                    f"the {actor} does not take a frame whose counter is far ahead", jump.number, asked.number,
                    expected="an APS acknowledgement", observed=f"none in {ACK_TIME:g} s", hint="counter-jumps-refused",
                )
                return
            if taken is not None and place == 0:
                yield passed(f"the {actor} took a frame whose counter is far ahead", jump.number, asked.number, taken.number)

    return named(check, "counter_jumps_are_taken", actor)


def _fresh(frames: Iterable[Heard]) -> Iterator[Heard]:
    """The frames whose counter is greater than any before under their key: the others nobody has to take."""
    newest: dict[bytes | None, int] = {}
    for each in frames:
        key, counter = each.frame.nwk_key, each.nwk.security.frame_counter
        if counter > newest.get(key, -1):
            newest[key] = counter
            yield each


def _jumps(link: Link, frames: Sequence[Heard], actor: Actor) -> Iterator[tuple[Heard, Heard]]:
    """Each jump after a frame that the actor took, with the first frame from there on that asks for an acknowledgement."""
    newest: Heard | None = None
    taken = False
    for place, each in enumerate(frames):
        same_key = newest is not None and newest.frame.nwk_key == each.frame.nwk_key
        if newest is not None and same_key and taken:
            ahead = each.nwk.security.frame_counter - newest.nwk.security.frame_counter
            asked = next((other for other in frames[place:] if link.asks(other, actor)), None) if ahead >= JUMP else None
            if asked is not None:
                yield each, asked
        newest, taken = each, (taken and same_key) or link.reaches(each, actor)


def wrong_mics_have_no_effect(actor: Actor) -> Check:
    """06-BAD-MIC: a frame whose MIC is wrong has no effect on the actor."""

    def check(trace: Trace) -> Iterator[Finding]:
        link = link_of(trace)
        for each in link.of(PARTNERS[actor]):
            original = link.heard.numbered(each.exchange.about.get("instead_of", 0))
            if original is None or each.frame.security.nwk != "bad-mic" or not link.reaches(each, actor):
                continue
            if original.aps is None or original.aps.frame_type != aps.FrameType.DATA or not original.aps.ack_request:
                continue
            limit = min(each.time + ACK_TIME, link.next_like(original, each.time))
            taken = link.acknowledgement(original, actor, each.time, limit)
            if taken is not None:
                yield failed(
                    f"the {actor} took a frame whose MIC is wrong", each.number, taken.number, expected="no reaction",
                    observed="an APS acknowledgement", hint="mic-not-checked",
                )
            elif attested(trace, Point.MAC, each.time, limit, each.channel):
                yield passed(f"the {actor} did not react to a frame whose MIC is wrong", each.number)

    return named(check, "wrong_mics_have_no_effect", actor)


def link_of(trace: Trace) -> Link:
    """The traffic between the device that is on the bench and its ESI."""
    return Link(air(trace), tuple(of_the_device(trace)))


def named(check: Check, name: str, actor: Actor) -> Check:
    """The check under a name that says of whom it is asked."""
    check.__name__ = f"{name} by the {actor}"
    return check
