"""The taps of a virtual bench: what goes over air and wires, written into the trace with its fate. They miss nothing."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from dissectors.smart_energy import ALL_CHANNELS
from harness.backhaul.faults import SeenMessage
from harness.backhaul.wires import CIM, LEG
from harness.faults import SeenFrame
from harness.trace import Attestation, Trace
from harness.usecase import Point

LOG = "log"  # the medium of what actors write into their logs


class Taps:
    """Every tap of one bench; they attest every wire and channel from the start on."""

    def __init__(self, trace: Trace) -> None:
        self._trace = trace
        self._frames: dict[int, int] = {}  # the air's numbers to the trace's
        self._messages: dict[int, int] = {}  # the wires' numbers to the trace's
        trace.attestations = [
            *(Attestation(Point.MAC, f"air:{channel}", 0.0) for channel in ALL_CHANNELS),
            Attestation(Point.CIM, CIM, 0.0), Attestation(Point.LEG, LEG, 0.0), Attestation(Point.LOG, LOG, 0.0),
        ]

    def attest(self, now: float) -> None:
        """Everything up to `now` has been heard."""
        self._trace.attestations = [replace(each, end=now) for each in self._trace.attestations]

    def hear(self, seen: SeenFrame) -> None:
        """A frame on the air."""
        about: dict[str, Any] = {"channel": seen.channel}
        if seen.instead_of is not None:
            about["instead_of"] = self._frames[seen.instead_of]
        exchange = self._trace.append(
            seen.time, Point.MAC, f"air:{seen.channel}", seen.psdu, producer=seen.sender, fate=seen.fate, about=about,
        )
        self._frames[seen.number] = exchange.number

    def see(self, seen: SeenMessage) -> None:
        """A message on a wire."""
        message = seen.message
        about = {**message.about, "arrives": seen.arrives}
        if seen.instead_of is not None:
            about["instead_of"] = self._messages[seen.instead_of]
        exchange = self._trace.append(
            seen.time, Point.CIM if message.wire == CIM else Point.LEG, message.wire, message.octets,
            message.producer, message.receiver, seen.fate, about,
        )
        self._messages[seen.number] = exchange.number

    def note(self, text: str, actor: str, now: float) -> None:
        """A line that an actor wrote into its log."""
        self._trace.append(now, Point.LOG, LOG, text.encode(), producer=actor)
