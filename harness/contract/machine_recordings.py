"""What a machine promises at its edge, judged on a recording of its rehearsal. Pure: knows no machine and runs none."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from dissectors.mac import MAX_PSDU
from harness.backhaul.wires import CIM, LEG
from harness.composite import ADJACENT, AIR
from harness.contract.promise import NotApplicable, Promise
from harness.contract.rehearsal import ASKED_TWICE, HANDLES, LATE, SAID_TWICE, TOLD_TWICE, Recording
from harness.contract.script import ON_AIR
from harness.errors import Inconclusive
from harness.ports import Message, Transmit
from harness.radio.filtering import has_right_fcs
from harness.taps import ON_LEGS
from harness.usecase import Actor


@dataclass(frozen=True)
class Recorded:
    """A recording, and the places that its machine fills."""

    recording: Recording
    actors: tuple[Actor, ...]


def _flaw(kind: str) -> Callable[[Recorded], Iterator[str]]:
    """The question whether the rehearsal met this flaw."""

    def asks(recorded: Recorded) -> Iterator[str]:
        if kind in recorded.recording.flaws:
            yield recorded.recording.flaws[kind]

    return asks


def _said_anything(recorded: Recorded) -> None:
    if not recorded.recording.said:
        raise NotApplicable("had nothing to say in its rehearsal")


def hands_over_pdus(recorded: Recorded) -> Iterator[str]:
    """Each for a wire of its own place."""
    _said_anything(recorded)
    for at, pdu in recorded.recording.said:
        if isinstance(pdu, str):
            yield f"at {at:.6f} s it hands over a {pdu}; right would be RadioSettings, Transmit or Message"
        elif isinstance(pdu, Message):
            wire = frozenset({pdu.producer, pdu.receiver})
            if pdu.producer not in recorded.actors:
                yield f"at {at:.6f} s it sends a message as the {pdu.producer}"
            elif wire not in ADJACENT - {AIR} or pdu.wire != (LEG if wire in ON_LEGS else CIM):
                yield f"at {at:.6f} s it sends to the {pdu.receiver} over {pdu.wire}, where there is no such wire"
        elif not set(recorded.actors) & set(ON_AIR):
            yield f"at {at:.6f} s it hands over a {type(pdu).__name__}, and has no radio"


def sends_whole_frames(recorded: Recorded) -> Iterator[str]:
    """With their FCS, and of a length that a radio can send."""
    frames = [(at, pdu) for at, pdu in recorded.recording.said if isinstance(pdu, Transmit)]
    if not frames:
        raise NotApplicable("sent no frame in its rehearsal")
    for at, pdu in frames:
        if len(pdu.psdu) > MAX_PSDU:
            yield f"at {at:.6f} s it sends {len(pdu.psdu)} octets; a PSDU has at most {MAX_PSDU}"
        elif not has_right_fcs(pdu.psdu):
            yield f"at {at:.6f} s it sends a PSDU whose last two octets are not its FCS"


def repeats_itself(recorded: Recorded) -> Iterator[str]:
    """Two processes, one seed."""
    _said_anything(recorded)
    if recorded.recording.said != recorded.recording.elsewhere:
        yield f"two rehearsals from one seed differ: {_difference(recorded.recording.said, recorded.recording.elsewhere)}"


def reads_no_clock(recorded: Recorded) -> Iterator[str]:
    """Time and chance are given."""
    if recorded.recording.clocks:
        yield f"calls {', '.join(sorted(recorded.recording.clocks))}"


def starts_clean(recorded: Recorded) -> Iterator[str]:
    """Two machines after one another in one process."""
    _said_anything(recorded)
    if recorded.recording.said != recorded.recording.elsewhere:
        raise Inconclusive("it does not repeat itself in a process of its own either")
    if recorded.recording.said != recorded.recording.again:
        yield f"a second one in the same process differs: {_difference(recorded.recording.said, recorded.recording.again)}"


def shows_no_key(recorded: Recorded) -> Iterator[str]:
    """Neither in what it logs nor in how it looks."""
    if recorded.recording.shown:
        yield f"shows a key in {', '.join(sorted(recorded.recording.shown))}"


def _difference(one: Sequence[tuple[float, object]], other: Sequence[tuple[float, object]]) -> str:
    for (at, pdu), (then, others) in zip(one, other, strict=False):
        if (at, pdu) != (then, others):
            return f"at {at:.6f} s a {type(pdu).__name__}, and at {then:.6f} s a {type(others).__name__}"
    return f"{len(one)} and {len(other)} pdus"


PROMISES = (
    Promise("MACHINE-DEADLINE", "wants to be woken in the future, never in the past", "that no timer of it is late by itself", _flaw(LATE)),
    Promise("MACHINE-DEADLINE-ASKED", "says the same when asked twice for its deadline", "that a bench may ask as often as it likes",
            _flaw(ASKED_TWICE)),
    Promise("MACHINE-HANDS-OVER", "hands over what is to go out, and forgets it", "that nothing is sent twice", _flaw(SAID_TWICE)),
    Promise("MACHINE-EVENTS-ONCE", "tells each event once", "that nothing seems to happen twice", _flaw(TOLD_TWICE)),
    Promise("MACHINE-PDUS", "hands over pdus alone, for the wires of its place and under its name",
            "that a trace says truly who said what", hands_over_pdus),
    Promise("MACHINE-FRAMES", "sends whole frames, with their FCS", "that a radio can send them", sends_whole_frames),
    Promise("MACHINE-HANDLES", "has no two frames on their way under one handle", "that it knows what became of which", _flaw(HANDLES)),
    Promise("MACHINE-REPEATABLE", "says the same octets from the same seed", "that a run can be repeated", repeats_itself),
    Promise("MACHINE-NO-CLOCK", "reads no clock, never sleeps and draws no chance but its Setup's",
            "that an hour of virtual time passes between two calls unnoticed", reads_no_clock),
    Promise("MACHINE-STARTS-CLEAN", "knows nothing of an earlier machine in the same process",
            "that the verdict of a case does not depend on the case before", starts_clean),
    Promise("MACHINE-NO-KEY", "shows no key in what it logs, prints or looks like", "that evidence and terminals stay free of secrets",
            shows_no_key),
)
