"""What a radio promises of the frames it is given: each goes out once, unchanged, and has one answer.

Knows the Radio protocol alone.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace

from harness.contract.laboratory import (
    AT_OWN,
    AT_PEER,
    FENCE,
    FEW,
    LONGEST,
    MARKING,
    NOBODY,
    OWN,
    PEER,
    Laboratory,
    frame,
    needs,
    poll,
    takes_part,
)
from harness.contract.promise import Promise
from harness.errors import BenchError
from harness.ports import CHANNEL_BUSY
from harness.radio.listening import SETTLING
from harness.radio.virtual import airtime

STATUSES = ("ok", "no_ack", CHANNEL_BUSY)
MANY = 60  # frames: more than any buffer of a radio holds


def answers_each_frame(lab: Laboratory) -> Iterator[str]:
    """One Transmitted a Transmit."""
    own = lab.opened()
    own.set(AT_OWN)
    own.send(*(frame(number, OWN, NOBODY) for number in range(FEW)))
    lab.until(lambda: len(own.answers) >= FEW)
    wanted, got = range(1, FEW + 1), [answer.handle for answer in own.answers]
    if missing := [handle for handle in wanted if handle not in got]:
        yield f"of {FEW} frames {len(missing)} have no Transmitted"
    if len(got) > len(set(got)):
        yield "a frame has two Transmitted"
    if extra := set(got) - set(wanted):
        yield f"told of handles that nobody gave it: {sorted(extra)}"
    if unknown := {answer.status for answer in own.answers} - {*STATUSES}:
        yield f"a status is none of {', '.join(STATUSES)}: {', '.join(sorted(map(str, unknown)))}"


def answers_in_order(lab: Laboratory) -> Iterator[str]:
    """The handles in the order in which frames were given."""
    own = lab.opened()
    own.set(AT_OWN)
    own.send(*(frame(number, OWN, NOBODY) for number in range(FEW)))
    lab.until(lambda: len(own.answers) >= FEW)
    got = [answer.handle for answer in own.answers]
    if got != sorted(got):
        yield f"frames 1 to {FEW} are answered in the order {', '.join(map(str, got))}"


def puts_frames_on_the_air(lab: Laboratory) -> Iterator[str]:
    """Every frame once, unchanged, in order."""
    own, peer = lab.both()
    sent = [frame(number, payload=bytes([number]) * (LONGEST if number % 2 else 1)) for number in range(FEW)]
    own.send(*sent)
    lab.until(lambda: len(own.answers) >= FEW and sent[-1] in peer.psdus)
    heard = [psdu for psdu in peer.psdus if int.from_bytes(psdu[7:9], "little") == OWN and psdu != MARKING]
    if heard != sent:
        told = "all, but not in order" if sorted(heard) == sorted(sent) else f"{len(set(heard) & set(sent))} of them unchanged"
        yield f"of {FEW} frames {peer.name} heard {len(heard)}, {told}"


def sends_nothing_unasked(lab: Laboratory) -> Iterator[str]:
    """Settings alone, and time: nothing goes out and nothing is answered."""
    own, peer = lab.both()
    own.set(replace(AT_OWN, receiver_on=False))
    lab.settle(own, AT_OWN)
    if not lab.through(peer, own, frame(FENCE, PEER, OWN)):
        yield "heard nothing"
    fence = frame(FENCE)
    if own.listens_only:
        lab.pass_time(SETTLING)
    else:
        lab.through(own, peer, fence)
    if len(peer.heard) > 1 or peer.psdus[:1] not in ([], [fence]):
        yield f"{peer.name} heard a frame that nobody asked for"
    if len(own.answers) > 1:
        yield "told of a frame that nobody asked for"


def returns_at_once(lab: Laboratory) -> Iterator[str]:
    """Handing over many frames takes less time than the air needs for them."""
    own = lab.opened()
    own.set(AT_OWN)
    sent = [frame(number, OWN, NOBODY, payload=bytes(LONGEST)) for number in range(MANY)]
    before = lab.clock.now()
    own.send(*sent)
    took, on_air = lab.clock.now() - before, sum(map(airtime, sent))
    if took > on_air:
        yield f"submit kept the bench waiting: {MANY} frames took {took:.2f} s to hand over, {on_air:.2f} s to send"


def bears_a_full_queue(lab: Laboratory) -> Iterator[str]:
    """More frames than any buffer holds: each is answered, or there is a BenchError, which says what happened."""
    own, peer = lab.both()
    with suppress(BenchError):
        own.send(*(frame(number) for number in range(MANY)))
        lab.until(lambda: len(own.answers) >= MANY)
        if len(own.answers) < MANY:
            yield f"of {MANY} frames at once {MANY - len(own.answers)} were neither answered nor refused"
    done = sum(answer.status == "ok" for answer in own.answers)
    lab.until(lambda: len(peer.heard) >= done, peer)
    if len(peer.heard) < done:
        yield f"of {done} frames that it says went out {peer.name} heard {len(peer.heard)}"


def says_when_nobody_acknowledges(lab: Laboratory) -> Iterator[str]:
    """A frame to nobody, and one to the peer."""
    own, peer = lab.both()
    takes_part(peer)
    own.send(frame(1, OWN, NOBODY, ack=True), frame(2, ack=True))
    lab.until(lambda: len(own.answers) >= 2)
    statuses = [answer.status for answer in own.answers]
    if statuses != ["no_ack", "ok"]:
        yield f"a frame that nobody acknowledges, and one that is acknowledged, are told as {', '.join(statuses) or 'nothing'}"


def sends_malformed_frames(lab: Laboratory) -> Iterator[str]:
    """A reserved frame type goes out as any other."""
    own, peer = lab.both()
    needs(own, "raw")
    needs(peer, "promiscuous")
    lab.settle(peer, replace(AT_PEER, promiscuous=True))
    odd = frame(1, frame_type=7)
    own.send(odd)
    if not lab.through(own, peer, frame(FENCE)):
        yield "sent nothing after it"
    if odd not in peer.psdus:
        yield f"{peer.name} did not hear a frame of the reserved type 7"


def tells_frame_pending(lab: Laboratory) -> Iterator[str]:
    """The bit of an acknowledgement that it got."""
    own, peer = lab.both()
    needs(own, "ack-pending")
    takes_part(peer)
    lab.settle(peer, replace(AT_PEER, pending_for=frozenset({OWN})))
    own.send(poll(1, OWN, PEER))
    lab.until(lambda: bool(own.answers))
    if [answer.frame_pending for answer in own.answers] != [True]:
        yield f"{peer.name} acknowledged with frame pending, and it does not say so"


PROMISES = (
    Promise("RADIO-ONE-ANSWER", "answers every Transmit with one Transmitted under its handle",
            "that a stack waits for no answer for ever, and takes none twice", answers_each_frame),
    Promise("RADIO-ANSWER-ORDER", "answers in the order in which frames were given",
            "that what is told is told of the right frame", answers_in_order),
    Promise("RADIO-ON-THE-AIR", "puts every frame on the air once, unchanged, in order",
            "that what the stack said is what was said", puts_frames_on_the_air, peer=True),
    Promise("RADIO-NOTHING-UNASKED", "sends and answers nothing that was not asked",
            "that a trace holds nothing of the adapter's own", sends_nothing_unasked, peer=True),
    Promise("RADIO-AT-ONCE", "hands frames over and returns at once", "that a bench's timers do not wait for the air", returns_at_once),
    Promise("RADIO-FULL-QUEUE", "answers or refuses every frame of many at once",
            "that a full buffer is told, and never loses a frame in silence", bears_a_full_queue, peer=True),
    Promise("RADIO-NO-ACK", "tells a frame that nobody acknowledged from one that was",
            "that a stack's retries and failures rest on what happened", says_when_nobody_acknowledges, peer=True),
    Promise("RADIO-RAW", "sends malformed frames as they are, where it offers raw",
            "that cases which send them really did", sends_malformed_frames, peer=True),
    Promise("RADIO-ACK-PENDING", "tells the frame-pending bit of an acknowledgement, where it offers ack-pending",
            "that a sleepy device hears what waits for it", tells_frame_pending, peer=True),
)
