"""Step 6 and later: counters, replays and acknowledgements of APS frames between the device and its ESI. Knows no bench.

A link key is the affair of its two holders: their APS frame counters rise for as long as they hold it (05-3474r17, 4.4.1), and what
one of them took shows in its APS acknowledgement.
"""

from __future__ import annotations

from collections.abc import Iterator

from dissectors import aps
from harness.checkers.freshness import ACK_TIME, INVALID, JUMP, PARTNERS, Link, link_of, named
from harness.checkers.reading import Heard, attested, marks
from harness.trace import Trace
from harness.usecase import Actor, Check, Point
from harness.verdict import Finding, failed, noted, passed

REPEATED_WITHIN = 20.0  # seconds in which the same APS frame may be one that was not acknowledged: more than 4 x 1.6 s (2.2.7.1)


def link_counters_increase(actor: Actor) -> Check:
    """06-COUNTERS: the actor's APS frame counter rises with every frame under one link key, also over a power failure."""

    def check(trace: Trace) -> Iterator[Finding]:
        link = link_of(trace)
        newest: dict[bytes, Heard] = {}
        steps = 0
        for each in _sealed(link, actor):
            key, counter = each.frame.aps_key, each.aps.security.frame_counter
            assert key is not None
            before = newest.get(key)
            if before is not None and before.aps.counter == each.aps.counter and counter == before.aps.security.frame_counter:
                continue  # sent again: that this should take a new frame counter is not held to by every stack
            if counter == INVALID or (before is not None and counter <= before.aps.security.frame_counter):
                failures = (at for at in marks(trace, "power_cycle", actor) if before is not None and before.time <= at < each.time)
                yield failed(
                    f"the APS frame counter of the {actor} does not rise", *((before.number,) if before else ()), each.number,
                    expected="a greater value" if before is None else f"more than {before.aps.security.frame_counter}",
                    observed=str(counter), hint="counter-not-kept" if any(failures) else "counter-used-again",
                )
                return
            steps += before is not None
            newest[key] = each
        if steps:
            yield passed(f"the APS frame counter of the {actor} rises", *(each.number for each in newest.values()))

    return named(check, "link_counters_increase", actor)


def link_counter_jumps_are_taken(actor: Actor) -> Check:
    """06-COUNTER-JUMP: an APS frame whose counter is far ahead of the last one under its link key is taken like any other."""

    def check(trace: Trace) -> Iterator[Finding]:
        link = link_of(trace)
        newest: dict[bytes, Heard] = {}
        frames = list(_sealed(link, PARTNERS[actor]))
        for place, each in enumerate(frames):
            key = each.frame.aps_key
            assert key is not None
            before, newest[key] = newest.get(key), each
            ahead = 0 if before is None else each.aps.security.frame_counter - before.aps.security.frame_counter
            asking = (other for other in frames[place:] if other.frame.aps_key == key and link.asks(other, actor))
            asked = next(asking, None) if ahead >= JUMP else None
            if before is None or asked is None or not link.reaches(before, actor):
                continue
            limit = asked.time + ACK_TIME
            taken = link.acknowledgement(asked, actor, asked.time, limit)
            if taken is not None:
                yield passed(f"the {actor} took an APS frame whose counter is far ahead", each.number, asked.number, taken.number)
            elif attested(trace, Point.MAC, asked.time, limit, asked.channel):
                yield failed(
                    f"the {actor} does not take an APS frame whose counter is far ahead", each.number, asked.number,
                    expected="an APS acknowledgement", observed=f"none in {ACK_TIME:g} s", hint="link-counter-jumps-refused",
                )
            return

    return named(check, "link_counter_jumps_are_taken", actor)


def link_replays_have_no_effect(actor: Actor) -> Check:
    """06-REPLAY: an APS frame that the actor has taken once has no effect when it comes again, in whatever NWK frame."""

    def check(trace: Trace) -> Iterator[Finding]:
        link = link_of(trace)
        met: dict[tuple[bytes, int], Heard] = {}
        passes = 0
        for each in _sealed(link, PARTNERS[actor]):
            assert each.frame.aps_key is not None
            before = met.setdefault((each.frame.aps_key, each.aps.security.frame_counter), each)
            if each.time - before.time < REPEATED_WITHIN or before.aps.counter != each.aps.counter:
                continue
            if not link.asks(each, actor) or not link.reaches(before, actor):
                continue
            limit = each.time + ACK_TIME
            taken = link.acknowledgement(each, actor, each.time, limit)
            if taken is not None:
                yield failed(
                    f"the {actor} took an APS frame whose counter it had accepted before", before.number, each.number,
                    taken.number, expected="no reaction", observed="an APS acknowledgement", hint="link-replays-taken",
                )
                return
            passes += attested(trace, Point.MAC, each.time, limit, each.channel)
            if passes == 1:
                yield passed(f"the {actor} did not react to a replayed APS frame", before.number, each.number)

    return named(check, "link_replays_have_no_effect", actor)


def acknowledgements_are_right(actor: Actor) -> Check:
    """06-ACKNOWLEDGES: an APS frame that asks for it is acknowledged with its counter, cluster and profile, endpoints exchanged."""

    def check(trace: Trace) -> Iterator[Finding]:
        link = link_of(trace)
        asking = [each for each in link.of(PARTNERS[actor]) if each.sent and _asks(each)]
        right: Heard | None = None
        for ack in (each for each in link.of(actor) if each.sent and _is_acknowledgement(each)):
            recent = [each for each in asking if 0 < ack.time - each.time <= ACK_TIME]
            waiting = [each for each in recent if link.asks(each, actor)]
            # it has what it names, also where nobody heard that it took it
            named_by = [each for each in recent if each.aps.counter == ack.aps.counter]
            fault = _wrong_in(ack, named_by[-1]) if named_by else ("the counter of no frame" if waiting else "")
            if fault:
                about = named_by[-1] if named_by else waiting[-1]
                yield failed(
                    f"an APS acknowledgement of the {actor} says wrong: {fault}", about.number, ack.number,
                    expected="counter, cluster and profile of what it acknowledges, the endpoints exchanged", observed=fault,
                    hint="acknowledgement-of-nothing" if not named_by else "acknowledgement-not-turned-round",
                )
                return
            if named_by:
                right = ack
                if named_by[-1].aps.security_enabled and not ack.aps.security_enabled:
                    yield noted(
                        "an APS-secured frame was acknowledged without APS security", named_by[-1].number, ack.number,
                        expected="no clause decides it", observed="NWK security alone",
                    )
        if right is not None:
            yield passed(f"the APS acknowledgements of the {actor} are right", right.number)

    return named(check, "acknowledgements_are_right", actor)


def _wrong_in(ack: Heard, asked: Heard) -> str:
    pairs = {
        "cluster": (ack.aps.cluster, asked.aps.cluster), "profile": (ack.aps.profile, asked.aps.profile),
        "source endpoint": (ack.aps.source_endpoint, asked.aps.dest_endpoint),
        "destination endpoint": (ack.aps.dest_endpoint, asked.aps.source_endpoint),
    }
    return ", ".join(f"{name} {said}, not {right}" for name, (said, right) in pairs.items() if said != right)


def _asks(each: Heard) -> bool:
    return each.aps is not None and each.aps.frame_type == aps.FrameType.DATA and bool(each.aps.ack_request)


def _is_acknowledgement(each: Heard) -> bool:
    return each.aps is not None and each.aps.frame_type == aps.FrameType.ACK and not each.aps.ack_format


def _sealed(link: Link, actor: Actor) -> Iterator[Heard]:
    """The APS-secured frames that the actor sent, as far as the keys of the run open them; MAC retransmissions count once."""
    newest = b""
    for each in link.of(actor):
        if each.sent and each.aps is not None and each.frame.security.aps == "ok" and each.mac.payload != newest:
            newest = each.mac.payload
            yield each
