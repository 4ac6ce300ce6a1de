"""The taps of a bench: what goes over air and wires, written into the trace with its fate. Virtual ones miss nothing; what real
radios missed is theirs to say."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from hashlib import sha256
from typing import Any

from dissectors.smart_energy import ALL_CHANNELS
from harness.actors.reports import Logged, PacketSeen
from harness.backhaul.faults import SeenMessage
from harness.backhaul.wires import CIM, LEG
from harness.composite import ADJACENT, AIR, WIRE_OF_STEP, inside
from harness.faults import SeenFrame
from harness.ports import CHANNEL_BUSY, Transmitted
from harness.trace import TRANSMITTED, Attestation, Trace
from harness.usecase import Point, Wire, kind_of

ON_LEGS = frozenset(WIRE_OF_STEP[step] for step in (2, 3, 4))
AIR_MEDIUM, SECOND_AIR = "air", "air 2"  # of the HAN, and of one that is out of its range
PACKETS = "aps"  # the medium of what a network co-processor shows
LOG = "log"  # the medium of what actors write into their logs
LONGEST_KEPT = (1 << 20) + 1  # octets; one more than are read of a CIM message, so that it is still seen to be too long


def _kept(octets: bytes) -> tuple[bytes, dict[str, Any]]:
    """As much of a message as is kept, and what is said about the rest of a longer one: how long it was, and its SHA-256."""
    if len(octets) <= LONGEST_KEPT:
        return octets, {}
    return octets[:LONGEST_KEPT], {"length": len(octets), "sha256": sha256(octets).hexdigest()}


class Taps:
    """Every tap of one bench; they attest every wire and channel from the start on, but for those inside the device under test:
    nobody can listen there, and nothing of them is recorded."""

    def __init__(
        self, trace: Trace, airs: tuple[str, ...] = (AIR_MEDIUM,), unseen: frozenset[Point] = frozenset(),
    ) -> None:
        """`airs` name the airs of the bench, each out of range of the others; at the points `unseen` nobody hears everything."""
        self._trace = trace
        self._frames: dict[tuple[str, int], int] = {}  # an air's numbers to the trace's
        self._messages: dict[int, int] = {}  # the wires' numbers to the trace's
        self._dut = trace.header.dut
        self._unseen = unseen
        self.attested: Callable[[float], list[Attestation]] | None = None  # what real radios attest of the air, where there are any
        channels = () if inside(self._dut, AIR) else ALL_CHANNELS
        attested = [
            *(Attestation(Point.MAC, f"{air}:{channel}", 0.0) for air in airs for channel in channels),
            *(Attestation(Point.CIM, medium, 0.0) for medium in self._media(CIM, ADJACENT - ON_LEGS - {AIR})),
            *(Attestation(Point.LEG, medium, 0.0) for medium in self._media(LEG, ON_LEGS)),
            Attestation(Point.LOG, LOG, 0.0),
        ]
        trace.attestations = [each for each in attested if each.point not in unseen]

    def _media(self, name: str, wires: frozenset[Wire]) -> list[str]:
        """The media of a kind of wire: all under one name, or each that lies open by its ends where one does not."""
        visible = [wire for wire in wires if not inside(self._dut, wire)]
        return [name] if len(visible) == len(wires) else sorted(f"{name}:{'/'.join(sorted(wire))}" for wire in visible)

    def attest(self, now: float) -> None:
        """Everything up to `now` has been heard."""
        known = [replace(each, end=now) for each in self._trace.attestations]
        if self.attested is not None:
            hidden = Point.MAC in self._unseen or inside(self._dut, AIR)
            known = [*(each for each in known if each.point is not Point.MAC), *([] if hidden else self.attested(now))]
        self._trace.attestations = known

    def hear(self, seen: SeenFrame, air: str = AIR_MEDIUM) -> None:
        """A frame on an air."""
        if inside(self._dut, AIR):
            return
        measured = {"lqi": seen.lqi, "rssi": seen.rssi}
        about: dict[str, Any] = {"channel": seen.channel, **{name: value for name, value in measured.items() if value is not None}}
        if seen.instead_of is not None:
            about["instead_of"] = self._frames[air, seen.instead_of]
        exchange = self._trace.append(
            seen.time, Point.MAC, f"{air}:{seen.channel}", seen.psdu, producer=seen.sender or None, fate=seen.fate, about=about,
        )
        self._frames[air, seen.number] = exchange.number

    def count(self, actor: str, outcome: Transmitted) -> None:
        """The radio of an actor that is not under test says what became of a frame: what it sent must have been heard."""
        if kind_of(actor) not in self._dut and outcome.status != CHANNEL_BUSY:
            counted = self._trace.header.about.setdefault(TRANSMITTED, {})
            counted[actor] = counted.get(actor, 0) + 1

    def see(self, seen: SeenMessage) -> None:
        """A message on a wire."""
        message = seen.message
        if inside(self._dut, (message.producer, message.receiver)):
            return
        octets, cut = _kept(message.octets)
        about = {**message.about, "arrives": seen.arrives, **cut}
        if seen.instead_of is not None:
            about["instead_of"] = self._messages[seen.instead_of]
        exchange = self._trace.append(
            seen.time, Point.CIM if message.wire == CIM else Point.LEG, message.wire, octets,
            message.producer, message.receiver, seen.fate, about,
        )
        self._messages[seen.number] = exchange.number

    def note(self, event: Logged | PacketSeen, actor: str, now: float) -> None:
        """A line that an actor wrote into its log, or a packet that went through its network co-processor."""
        if isinstance(event, Logged):
            self._trace.append(now, Point.LOG, LOG, event.text.encode(), producer=event.actor or actor)
        else:
            self._trace.append(now, Point.APS, PACKETS, event.asdu, event.producer, event.receiver, about=event.about)
