"""What a radio promises of the frames it hears: which it tells, when, and which it acknowledges.

Knows the Radio protocol alone. What must not be heard is proved by a later frame that must: nothing waits for silence.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import pairwise

from harness.contract.laboratory import (
    ANOTHER_CHANNEL,
    ANOTHER_PAN,
    AT_OWN,
    CHANNEL,
    FENCE,
    FEW,
    LONGEST,
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
from harness.ports import RadioSettings, Received
from harness.radio.virtual import airtime

SKEW = 0.1  # seconds that the clocks of bench and radio may be apart
LOUDEST, FAINTEST = 20, -127  # dBm
BEST_LQI = 255


def hears_once_unchanged(lab: Laboratory) -> Iterator[str]:
    """Each frame of the peer's once, as it was, from the channel it came on."""
    own, peer = lab.both()
    sent = [frame(number, PEER, OWN, payload=bytes([number]) * (LONGEST if number % 2 else 1)) for number in range(FEW)]
    peer.send(*sent)
    lab.until(lambda: sent[-1] in own.psdus)
    lab.through(peer, own, frame(FENCE, PEER, OWN))
    heard = own.psdus[:-1]
    if heard != sent:
        yield f"of {FEW} frames that {peer.name} sent it told {len(heard)}, {len(set(heard) & set(sent))} of them unchanged"
    if {each.channel for each in own.heard} - {CHANNEL}:
        yield f"a frame on channel {CHANNEL} is told as from another"


def tells_sound_levels(lab: Laboratory) -> Iterator[str]:
    """LQI and RSSI within their ranges."""
    own, peer = lab.both()
    needs(own, "lqi")
    lab.through(peer, own, frame(FENCE, PEER, OWN))
    for each in own.heard:
        if not 0 <= each.lqi <= BEST_LQI or not FAINTEST <= each.rssi <= LOUDEST:
            yield f"LQI {each.lqi}, RSSI {each.rssi} dBm: right would be 0 to {BEST_LQI}, {FAINTEST} to {LOUDEST}"


def keeps_time(lab: Laboratory) -> Iterator[str]:
    """Never backwards, never before it was asked, never ahead of the bench."""
    own, peer = lab.both()
    begun = lab.clock.now()
    if not own.listens_only:
        own.send(*(frame(number, OWN, NOBODY) for number in range(FEW)))
    peer.send(*(frame(number, PEER, OWN) for number in range(FEW)))
    lab.until(lambda: len(own.answers) >= own.asked and len(own.heard) >= FEW)
    times = [at for at, _ in own.log]
    if any(later < earlier for earlier, later in pairwise(times)):
        yield "what it tells goes backwards in time"
    if times and not (begun - SKEW <= min(times) and max(times) <= lab.clock.now() + SKEW):
        yield f"what happened between {begun:.3f} and {lab.clock.now():.3f} s is told as of {min(times):.3f} to {max(times):.3f} s"


def stamps_by_its_clock(lab: Laboratory) -> Iterator[str]:
    """Frames that were not collected at once keep the times at which they came."""
    own, peer = lab.both()
    needs(own, "timestamps")
    peer.send(*(frame(number, PEER, OWN, payload=bytes(LONGEST)) for number in range(FEW)))
    lab.until(lambda: len(peer.answers) >= FEW, peer)
    lab.until(lambda: len(own.heard) >= FEW)
    times = sorted({pdu.psdu: at for at, pdu in own.log if isinstance(pdu, Received)}.values())
    least = airtime(frame(0, payload=bytes(LONGEST))) / 2
    if any(later - earlier < least for earlier, later in pairwise(times)):
        yield f"{FEW} frames that were collected late are told as less than {least * 1000:.1f} ms after one another"


def interrupts(lab: Laboratory) -> Iterator[str]:
    """The bench is told that there is something to be told."""
    own, peer = lab.both()
    lab.through(peer, own, frame(FENCE, PEER, OWN))
    if not own.interrupts:
        yield "did not interrupt when a frame came"


def _hears_only(lab: Laboratory, settings: RadioSettings, psdu: bytes, what: str) -> Iterator[str]:
    """A frame that these settings keep out, and then one that the usual ones let in."""
    own, peer = lab.both()
    if not settings.receiver_on:
        takes_part(own)
    lab.settle(own, settings)
    peer.send(psdu)
    lab.until(lambda: len(peer.answers) == 1)
    lab.settle(own, AT_OWN)
    if not lab.through(peer, own, frame(FENCE, PEER, OWN)):
        yield "hears nothing afterwards"
    if psdu in own.psdus:
        yield f"told {what}"


def changes_channel(lab: Laboratory) -> Iterator[str]:
    """Deaf on another channel; and there it is heard by who is there."""
    yield from _hears_only(
        lab, replace(AT_OWN, channel=ANOTHER_CHANNEL), frame(1, PEER, OWN), f"a frame on channel {CHANNEL} when set to {ANOTHER_CHANNEL}",
    )


def filters_addresses(lab: Laboratory) -> Iterator[str]:
    """Frames for another address, and of another network."""
    own, peer = lab.both()
    takes_part(own)
    other, foreign = frame(1, PEER, NOBODY), frame(2, PEER, OWN, pan=ANOTHER_PAN)
    peer.send(other, foreign)
    if not lab.through(peer, own, frame(FENCE, PEER, OWN)):
        yield "does not hear what is for it"
    if other in own.psdus:
        yield "told a frame for another address"
    if foreign in own.psdus:
        yield "told a frame of another PAN"


def hears_all_when_promiscuous(lab: Laboratory) -> Iterator[str]:
    """Every frame on the channel."""
    own, peer = lab.both()
    needs(own, "promiscuous")
    lab.settle(own, replace(AT_OWN, promiscuous=True))
    if not lab.through(peer, own, frame(1, PEER, NOBODY, pan=ANOTHER_PAN)):
        yield "does not tell a frame of another PAN when promiscuous"


def switches_its_receiver_off(lab: Laboratory) -> Iterator[str]:
    """Deaf while it is told to be."""
    yield from _hears_only(lab, replace(AT_OWN, receiver_on=False), frame(1, PEER, OWN), "a frame that came while its receiver was off")


def acknowledges(lab: Laboratory) -> Iterator[str]:
    """What is for it, and nothing else."""
    own, peer = lab.both()
    takes_part(own)
    peer.send(frame(1, PEER, OWN, ack=True), frame(2, PEER, NOBODY, ack=True))
    lab.until(lambda: len(peer.answers) >= 2)
    for answer, wanted in zip(peer.answers, ("ok", "no_ack"), strict=False):
        if answer.status != wanted:
            yield f"a frame for {'it' if wanted == 'ok' else 'nobody'} is {'not ' if wanted == 'ok' else ''}acknowledged"
    if len(peer.answers) < 2:
        yield f"{peer.name} did not say what became of its frames"


def matches_sources(lab: Laboratory) -> Iterator[str]:
    """Frame pending for the children that are listed, and for nobody else."""
    own, peer = lab.both()
    needs(own, "source-match")
    lab.settle(own, replace(AT_OWN, pending_for=frozenset({PEER})))
    peer.send(poll(1, PEER, OWN))
    lab.until(lambda: len(peer.answers) == 1)
    lab.settle(own, replace(AT_OWN, pending_for=frozenset({NOBODY})))
    peer.send(poll(2, PEER, OWN))
    lab.until(lambda: len(peer.answers) == 2)
    pending = [answer.frame_pending for answer in peer.answers]
    if pending != [True, False]:
        yield "the acknowledgements of polls do not say that a frame waits for who is listed, and none for who is not"


PROMISES = (
    Promise("RADIO-HEARS", "tells each frame that it hears once, unchanged, with its channel",
            "that the evidence holds what was on the air, and nothing twice", hears_once_unchanged, peer=True),
    Promise("RADIO-LEVELS", "tells LQI and RSSI within their ranges, where it offers lqi",
            "that captures carry levels that can be believed", tells_sound_levels, peer=True),
    Promise("RADIO-TIME", "tells times that never go backwards and lie within the bench's",
            "that order and latency in a trace are those of the air", keeps_time, peer=True),
    Promise("RADIO-TIMESTAMPS", "stamps frames by its own clock, where it offers timestamps",
            "that a busy bench does not blur what happened when", stamps_by_its_clock, peer=True),
    Promise("RADIO-INTERRUPTS", "interrupts when it has something to tell", "that an answer is not late by a bench's wait", interrupts,
            peer=True),
    Promise("RADIO-CHANNEL", "is deaf to other channels as soon as it is set to one", "that settings take effect", changes_channel,
            peer=True),
    Promise("RADIO-FILTER", "tells no frame for another address or another PAN", "that its stack is not shown what is not for it",
            filters_addresses, peer=True),
    Promise("RADIO-PROMISCUOUS", "tells every frame of its channel when promiscuous, where it offers that",
            "that a sniffer misses nothing", hears_all_when_promiscuous, peer=True),
    Promise("RADIO-RECEIVER-OFF", "is deaf while its receiver is off", "that a sleepy device of ours really sleeps",
            switches_its_receiver_off, peer=True),
    Promise("RADIO-ACKNOWLEDGES", "acknowledges what is for it, and nothing else",
            "that who talks to it neither repeats itself nor is deceived", acknowledges, peer=True),
    Promise("RADIO-SOURCE-MATCH", "sets frame pending for the children that are listed alone, where it offers source-match",
            "that a sleepy child is neither starved nor kept awake", matches_sources, peer=True),
)
