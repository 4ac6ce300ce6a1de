"""Whether the evidence of the air is whole: attestation, our own transmissions, the senders' counters, keys. Judges no clause.

Absence proves something only where nothing was missed. What tells of a frame that is not there: a tap that listened late or ended
early; a sender's MAC sequence number (802.15.4-2006, 7.2.1.2) or NWK frame counter (05-3474, 4.5.1.2) that skips; an acknowledgement
of nothing; a sender of the bench's own that says it transmitted more than was heard; octets that stay sealed for want of a key.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from math import inf

from dissectors import aps, mac, nwk
from harness.checkers.reading import ACK_TIME, Air, Heard, air
from harness.remembered import Remembered
from harness.trace import MISSING, TRANSMITTED, Trace
from harness.usecase import Actor
from harness.values import Eui64
from harness.verdict import Finding, inconclusive

NUMBERS = 1 << 8  # of MAC sequence numbers
KEPT = 60.0  # seconds; a coordinator numbers a frame when it begins to wait for a child that sleeps
RETRANSMISSION_SPAN = 0.1  # seconds within which the same octets from the same sender are a MAC retransmission
UNSENT = 2  # numbers that a sender may use up for frames that found the channel busy
ONE_FRAME = 0.005  # seconds that the longest is on the air, and no more: 133 octets of 32 us
RESET_SPAN = 1.0  # seconds that what a radio holds may still go out after its node was reset
OF_PARENTS = (mac.Beacon, mac.AssociationResponse)  # sent by the short and by the extended address of who lets frames wait
AFTER_A_SCAN = (mac.AssociationRequest, nwk.RejoinRequest)
RESETS = ("power_cycle", "factory_reset")  # marks after which a node's numbers begin anew


@dataclass(frozen=True)
class Gap:
    """Something is not in the evidence: it was between `start` and `end`, seconds. `cause` says by what one knows."""

    start: float
    end: float
    cause: str


_GAPS: Remembered[Trace, tuple[Air, tuple[Gap, ...]]] = Remembered()


def gaps(trace: Trace) -> tuple[Gap, ...]:
    """What is missing from the air of a trace, by when; found once for all checkers."""
    known = _GAPS.get(trace)
    if known is None or known[0] is not air(trace):
        told = trace.header.about.get(MISSING)
        if told is not None:
            found: tuple[Gap, ...] = tuple(Gap(*each) for each in told)
        else:
            found = (*_not_attested(trace), *_skipped(trace), *_without_frame(trace), *_sealed(trace))
        known = (air(trace), tuple(sorted(found, key=lambda gap: (gap.start, gap.end))))
        _GAPS[trace] = known
    return known[1]


def begins_anew(trace: Trace, actor: Actor, until: float) -> Iterator[Finding]:
    """One finding where a node that is no coordinator numbers its frames anew, unasked: it has rebooted, or frames are missing."""
    stream = _streams(trace)[0].get(actor, ()) if actor is not Actor.ESI else ()
    for before, after in pairwise(stream):
        skipped = (after.mac.sequence - before.mac.sequence - 1) % NUMBERS
        if skipped > UNSENT and not _was_reset(trace, actor, before.time, after.time):
            yield inconclusive(
                f"the numbers of the {actor}'s frames do not go on: it started anew, or frames are missing", before.number,
                after.number, expected=f"MAC sequence number {(before.mac.sequence + 1) % NUMBERS}",
                observed=str(after.mac.sequence),
            )
            return


def _not_attested(trace: Trace) -> Iterator[Gap]:
    """A tap that came late, or stopped while the rest of the run went on."""
    heard: dict[str, list[tuple[float, float]]] = defaultdict(list)
    for each in trace.attestations:
        if each.point == "MAC":
            heard[each.medium].append((each.start, inf if each.end is None else each.end))
    last = max((each.time for each in trace), default=0.0)
    for medium, spans in heard.items():
        begun, over = min(spans)
        if begun > 0.0:
            yield Gap(0.0, begun, f"nobody listened on {medium} before {begun:.1f} s")
        for start, end in sorted(spans):
            if start - over > ONE_FRAME:  # else it is the one that a sniffer did not hear, and a radio of the bench did
                yield Gap(over, start, f"on {medium} not everything was heard from {over:.3f} s to {start:.3f} s")
            over = max(over, end)
        if over < last:
            yield Gap(over, inf, f"nobody listened on {medium} after {over:.1f} s")


def _streams(trace: Trace) -> tuple[dict[str, list[Heard]], Counter[str]]:
    """What each sender numbered, in order, by the bench's name for it, or else by its address; and how often each repeated a frame:
    its radio by itself, or because it gave a child that polls again the same octets."""
    found: dict[str, list[Heard]] = defaultdict(list)
    repeated: Counter[str] = Counter()
    for each in air(trace):
        if not each.sent or each.mac is None or each.mac.frame_type == mac.FrameType.ACK or each.mac.sequence is None:
            continue
        name = each.exchange.producer or _address(air(trace), each)
        if name is None:
            continue
        if found[name] and _is_repeated(found[name][-1], each):
            repeated[name] += 1
        else:
            found[name].append(each)
    return found, repeated


def _is_repeated(before: Heard, each: Heard) -> bool:
    return each.exchange.octets == before.exchange.octets and each.time - before.time <= RETRANSMISSION_SPAN


def _address(heard: Air, each: Heard) -> str | None:
    if each.mac.source_ieee is not None:
        return str(Eui64(each.mac.source_ieee))
    short = each.mac.source_short
    return None if short is None else str(heard.short_addresses.get(short, short))


def _was_reset(trace: Trace, name: str, start: float, end: float) -> bool:
    noted = trace.header.about.get("marks", ())
    return any(
        mark["actor"] == name and mark["verb"].split()[0] in (*RESETS, "swap") and start - RESET_SPAN <= mark["at"] <= end for mark in noted
    )


def _skipped(trace: Trace) -> Iterator[Gap]:
    """A sender's numbers skip, or it is the bench's own and its radio sent more than was heard."""
    sent = trace.header.about.get(TRANSMITTED, {})
    streams, repeated = _streams(trace)
    for name, stream in streams.items():
        if len(stream) + repeated[name] >= sent.get(name, inf):
            continue  # all of it is there: a number that it skips was of a frame that never went out
        coordinates = name == Actor.ESI or any(each.find(layer) is not None for each in stream for layer in OF_PARENTS)
        found = list(_counters_skip(trace, name, stream) if coordinates else _numbers_skip(trace, name, stream))
        yield from found
        if not found and name in sent:
            cause = f"the {name} transmitted {sent[name]} frames, and {len(stream)} are there"
            yield Gap(0.0, stream[0].time if not coordinates else inf, cause)
            yield Gap(stream[-1].time, inf, cause)
    for name, count in sent.items():
        if name not in streams and count:
            yield Gap(0.0, inf, f"the {name} transmitted {count} frames, and none is there")


def _numbers_skip(trace: Trace, name: str, stream: list[Heard]) -> Iterator[Gap]:
    for before, after in pairwise(stream):
        skips = after.mac.sequence != (before.mac.sequence + 1) % NUMBERS and not _has_scanned(after)
        if skips and not _was_reset(trace, name, before.time, after.time):
            yield Gap(before.time, after.time, f"the MAC sequence numbers of the {name} skip from {before.mac.sequence} to "
                      f"{after.mac.sequence}")


def _has_scanned(each: Heard) -> bool:
    """Whether its sender, known by its address alone, has numbered beacon requests before, which bear none, on any channel."""
    return each.exchange.producer is None and any(each.find(layer) is not None for layer in AFTER_A_SCAN)


def _counters_skip(trace: Trace, name: str, stream: list[Heard]) -> Iterator[Gap]:
    """Who lets frames wait for children numbers them before they go out, and some never do: its NWK frame counter tells."""
    times: dict[int, list[float]] = defaultdict(list)
    for each in stream:
        times[each.mac.sequence].append(each.time)
    secured = [each for each in stream if each.nwk is not None and getattr(each.nwk, "security", None) is not None]
    for before, after in pairwise(secured):
        one, other = before.nwk.security, after.nwk.security
        if one.key_sequence != other.key_sequence or other.frame_counter <= one.frame_counter + 1:
            continue
        between = range(1, (after.mac.sequence - before.mac.sequence) % NUMBERS)
        missing = [
            number for number in ((before.mac.sequence + step) % NUMBERS for step in between)
            if not any(abs(at - after.time) <= KEPT for at in times[number])
        ]
        if missing and not _was_reset(trace, name, before.time, after.time):
            yield Gap(before.time, after.time, f"the NWK frame counter of the {name} skips from {one.frame_counter} to "
                      f"{other.frame_counter}")


def _without_frame(trace: Trace) -> Iterator[Gap]:
    """An acknowledgement of a frame that nobody heard."""
    last: dict[str, Heard] = {}
    for each in air(trace):
        if each.mac is None:
            continue
        asked = last.get(each.channel)
        if each.mac.frame_type != mac.FrameType.ACK:
            last[each.channel] = each
        elif asked is None or each.time - asked.time > ACK_TIME or asked.mac.sequence != each.mac.sequence:
            yield Gap(each.time - ACK_TIME, each.time, f"an acknowledgement of frame {each.mac.sequence}, which was not heard")


def _sealed(trace: Trace) -> Iterator[Gap]:
    """What both sides sealed and no key of the run opens: the key is wrong, or is not there. One side alone may have erred."""
    own = [each for each in air(trace) if each.sent]
    data = [each for each in own if each.aps is not None and each.aps.frame_type == aps.FrameType.DATA]
    for name, outcomes in (
        ("network key", [(each, each.frame.security.nwk) for each in own]),
        ("link key", [(each, each.frame.security.aps) for each in data]),
    ):
        closed = [each for each, outcome in outcomes if outcome not in (None, "ok")]
        opened = any(outcome == "ok" for _, outcome in outcomes)
        if not opened and len({air(trace).from_coordinator(each) for each in closed}) > 1:
            yield Gap(closed[0].time, inf, f"{len(closed)} frames stay sealed for want of the {name}")
    commands = [
        each for each in own
        if each.aps is not None and each.aps.frame_type == aps.FrameType.COMMAND and each.frame.security.aps is not None
    ]
    closed = [each for each in commands if each.frame.security.aps != "ok"]
    member = any(each.frame.security.nwk == "ok" and not air(trace).from_coordinator(each) for each in own)
    if closed and len(closed) == len(commands) and member:  # a device took the network key out of what nobody else can open
        yield Gap(closed[0].time, inf, f"{len(closed)} frames stay sealed for want of the install code's key")
