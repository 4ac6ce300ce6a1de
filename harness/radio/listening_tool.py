"""Any other tool's live capture as a Radio that only listens: an extcap pipe, a command, ZEP over UDP. Knows nothing above MAC.

The tool is tuned by itself, to the channel that the bench file says. Declared, not exercised on hardware: it was tried against tools
of our own that hear a virtual air.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from typing import Any

from dissectors.capture import CapturedFrame, CaptureError
from dissectors.mac import MAX_PSDU, fcs
from dissectors.smart_energy import ALL_CHANNELS
from harness.clock import WallClock
from harness.errors import BenchError, Unsupported
from harness.ports import RadioSettings, Received, Transmit, Transmitted
from harness.radio.filtering import FCS_LENGTH, has_right_fcs
from harness.radio.spacing import Spacing
from harness.radio.telling import Telling
from harness.radio.tool_input import ENDING, ToolOptions

NONE_RIGHT = 20  # frames, of which one at least has a right FCS where the tool hands on FCSs at all
CLOSING_LIMIT = 3 * ENDING  # seconds


class _Over(Exception):
    """The bench has closed the radio."""


class ListeningTool:
    """Options: `channel`, one of `pipe`, `command` and `listen`, and `patience`."""

    tuned_elsewhere = listens_only = True

    def __init__(self, options: Mapping[str, Any], interrupt: Callable[[], None]) -> None:
        """Open the input and wait until a capture begins. Raises BenchError naming it, ValueError for a wrong option."""
        given = ToolOptions.of(options)
        self.garbage = 0  # packets that may have been frames, and are lost
        self.speaks = False
        self._channel = given.channel
        self._interrupt = interrupt
        self._telling = Telling(WallClock().now)
        self._right, self._wrong = 0, 0  # frames by their FCS
        self._spacing = Spacing()  # of a clock that may be coarse
        self._fault: BenchError | None = None
        self._is_closing = self._has_begun = False
        self._moved = threading.Event()  # it has begun, or broken
        self._input = given.open()
        self.offers = frozenset({"promiscuous"} | ({"timestamps"} if self._input.is_stamped else set()))
        self.about: Mapping[str, str] = {"tool": self._input.name, "channel": str(given.channel), "exercised on hardware": "no"}
        self._thread = threading.Thread(target=self._listen, name=f"listening tool {self._input.name}", daemon=True)
        self._thread.start()
        if not self._moved.wait(given.patience):
            self._fault = self._broken(f"its capture does not begin within {given.patience:g} s; right would be a tool that writes at once")
        if self._fault is not None and not self._has_begun:
            self.close()
            raise self._fault

    def submit(self, pdu: RadioSettings | Transmit, now: float) -> None:
        """Take note of the channel. Raises Unsupported for a frame, for settings of one who takes part, and for another channel."""
        if isinstance(pdu, Transmit) or not pdu.promiscuous:
            raise Unsupported(f"{self._said()}: it only listens, and sends nothing; right would be a place under `sniffer`")
        if pdu.channel != self._channel:
            raise Unsupported(f"{self._said()}: it stays on channel {self._channel}; no bench tunes it to {pdu.channel}")

    def told(self, now: float) -> list[tuple[float, Received | Transmitted]]:
        """What it told since the last call, and then what broke it, raised."""
        told = self._telling.take_before(self._fault, now, self._interrupt)
        return [(self._spacing.over(pdu.psdu, at), pdu) for at, pdu in told if isinstance(pdu, Received)]

    def perform(self, operation: str, **given: object) -> object:
        """Raises Unsupported."""
        raise Unsupported(f"{self._said()}: it has no {operation}")

    def close(self) -> None:
        """Let go of the input; a command is ended."""
        self._is_closing = True
        self._thread.join(CLOSING_LIMIT)

    def _said(self) -> str:
        return f"listening tool at {self._input.name}"

    def _broken(self, cause: str) -> BenchError:
        return BenchError(f"{self._said()}: {cause}")

    # -- in its own thread

    def _listen(self) -> None:
        cause = ""
        try:
            for packet in self._input.packets(self._turn, self._begin):
                self._turn()
                self._take(packet)
            cause = f"its capture has ended{self._input.ended()}"
        except _Over:
            pass
        except CaptureError as fault:
            cause = f"{fault}{self._input.ended()}"
        except (BenchError, OSError) as fault:
            cause = str(fault)
        except Exception as fault:  # ours: unnoticed, nothing would be heard any more and the silence be the device's
            cause = f"what reads it failed: {type(fault).__name__}: {fault}"
        self._input.close()
        if cause:
            self._fault = self._broken(cause)
            self._moved.set()
            self._interrupt()

    def _turn(self) -> None:
        if self._is_closing:
            raise _Over

    def _begin(self) -> None:
        if not self._has_begun:
            self._has_begun = True
            self.speaks = self._input.is_stamped  # who begins a capture is there; of ZEP nothing is known before a frame
            self._moved.set()

    def _take(self, packet: CapturedFrame) -> None:
        psdu = packet.octets + (fcs(packet.octets) if packet.fcs == "absent" else b"")
        if packet.flaw or not FCS_LENGTH < len(psdu) <= MAX_PSDU:
            if not self._right + self._wrong + self.garbage and self._input.is_stamped:
                raise BenchError(f"its first packet shows no frame: {packet.flaw or f'{len(psdu)} octets'}")
            self.garbage += 1
            self.about = {**self.about, "packets that cannot be read": str(self.garbage)}
        elif not has_right_fcs(psdu):
            self._wrong += 1
            self.about = {**self.about, "frames with a wrong FCS": str(self._wrong)}
            if not self._right and self._wrong >= NONE_RIGHT:
                raise BenchError(f"of {NONE_RIGHT} frames none has a right FCS; right would be a tool that leaves the FCS as it is, or out")
        elif packet.channel in ALL_CHANNELS and packet.channel != self._channel:
            raise BenchError(f"it hears channel {packet.channel}; right would be the tool set to {self._channel}, or `channel` to that")
        else:
            self._right += 1
            self._tell(psdu, packet)
        self._interrupt()

    def _tell(self, psdu: bytes, packet: CapturedFrame) -> None:
        levels = {"lqi": packet.lqi, "rssi": None if packet.rssi is None else round(packet.rssi)}
        known = {name: value for name, value in levels.items() if value is not None}
        self.offers |= known.keys()  # what its packets have
        self._telling.put(Received(psdu, self._channel, **known), packet.time)
        self.speaks = True
