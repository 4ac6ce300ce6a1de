"""A network co-processor as a sniffer: its zigpy radio library captures, in a process of its own. Knows nothing above MAC.

The stick takes part in nothing and sends nothing. Frames have the host's times, for the library's are no better. Declared, not
exercised on hardware (docs/ncp.md).
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from typing import Any

from dissectors.mac import MAX_PSDU, fcs
from harness.adapters.ncp_options import OPTIONS, demand, device_of
from harness.adapters.ncp_process import NcpProcess
from harness.clock import WallClock
from harness.errors import BenchError, Unsupported
from harness.ncp.libraries import CAPTURE
from harness.ncp.line import masked
from harness.ports import RadioSettings, Received, Transmit, Transmitted
from harness.radio.filtering import FCS_LENGTH
from harness.radio.listening import SETTLING
from harness.radio.spacing import Spacing
from harness.radio.telling import Telling

OPENING_LIMIT = 30.0  # seconds to reach a stick: it is reset, and configured
LIMIT = 6.0  # seconds for an answer of the process, which itself waits less long for the stick
PULSE = 2.0  # seconds after which the stick is asked again whether it still listens
CLOSING_LIMIT = 2.0  # seconds for the thread that listens
USUAL = "bellows"
CHANNEL = "channel"  # an option that is the bench's
NOT_TOLD = "of a version that it does not tell"
FIRST = 11  # the channel that it listens to until it is told one, so that being told one later is a matter of one command


class NcpSniffer:
    """One stick. Options: `port`; `radio` (bellows, or `module:Class` of a library that can capture); `baudrate`, `flow_control`."""

    listens_only = True

    @staticmethod
    def check(name: str, options: Mapping[str, Any]) -> None:
        """Raises ValueError for an option that is wrong, and for a library that is not installed or has no capture."""
        given = {"radio": USUAL, **options}
        for option in given.keys() - {*OPTIONS, CHANNEL}:
            raise ValueError(f"there is no option {option}; right would be one of {', '.join((*OPTIONS, CHANNEL))}")
        device_of(given)
        demand(given["radio"], CAPTURE)

    def __init__(self, options: Mapping[str, Any], interrupt: Callable[[], None]) -> None:
        """Reach the stick. Raises BenchError for one that cannot be had or has no capture, ValueError for a wrong option."""
        self.check("", options)
        given = {"radio": USUAL, **options}
        device = device_of(given)
        self.port = device["path"]
        self.offers = frozenset({"promiscuous", "lqi", "rssi"})
        self.garbage = 0  # times at which frames may have been lost
        self._name = f"{given['radio']} sniffing on {self.port}"
        self._interrupt, self._clock = interrupt, WallClock()
        self._telling, self._spacing = Telling(self._clock.now), Spacing()
        self._wanted, self._asked = 0, FIRST  # channels
        self._asked_at = self._pulse = 0.0
        self._stills: dict[int, int] = {}  # questions whether it still listens, and to which channel it then was to
        self._fault: BenchError | None = None
        self._closing = False
        self._came = threading.Event()  # something to be looked at
        self._process = NcpProcess(self._name, self._came.set)
        try:
            about = self._process.call("listen", OPENING_LIMIT, radio=given["radio"], device=device)["about"]
            self._process.call("tune", LIMIT, channel=FIRST)
        except BaseException:
            self._process.close()
            raise
        self.about: Mapping[str, str] = {"port": self.port, "firmware": NOT_TOLD, **about, "exercised on hardware": "no"}
        self._thread = threading.Thread(target=self._listen, name=self._name, daemon=True)
        self._thread.start()

    # -- the Radio

    def submit(self, pdu: RadioSettings | Transmit, now: float) -> None:
        """Listen to another channel. Raises Unsupported for a frame, and for settings of one who takes part."""
        if isinstance(pdu, Transmit) or not pdu.promiscuous:
            raise Unsupported(f"{self._name}: it only listens, and sends nothing; right would be a place under `sniffer`")
        if self._fault is not None:
            raise self._fault
        self._wanted = pdu.channel
        self._came.set()

    def told(self, now: float) -> list[tuple[float, Received | Transmitted]]:
        """What it told since the last call, and then what broke it, raised."""
        told = self._telling.take_before(self._fault, now, self._interrupt)
        return [(self._spacing.over(pdu.psdu, at), pdu) for at, pdu in told if isinstance(pdu, Received)]

    def perform(self, operation: str, **given: object) -> object:
        """Raises Unsupported."""
        raise Unsupported(f"{self._name}: a co-processor that captures has no {operation}")

    def close(self) -> None:
        """Let go of the stick; its process ends."""
        self._closing = True
        self._came.set()
        self._thread.join(CLOSING_LIMIT)
        self._process.close()

    # -- in its own thread

    def _listen(self) -> None:
        while not self._closing and self._fault is None:
            self._came.wait(PULSE)
            self._came.clear()
            if self._closing:
                return
            try:
                self._turn(self._clock.now())
            except BenchError as fault:
                self._break(fault)
            except Exception as fault:  # ours: unnoticed, nothing would be heard any more and the silence be the device's
                self._break(BenchError(f"{self._name}: what listens to it failed: {masked(f'{type(fault).__name__}: {fault}')}"))

    def _break(self, fault: BenchError) -> None:
        self._fault = fault
        self._interrupt()

    def _turn(self, now: float) -> None:
        """Ask what is to be asked, take what has come. Raises BenchError."""
        if self._wanted not in (0, self._asked):
            self._asked, self._asked_at, self._pulse = self._wanted, now, now + PULSE
            self._process.post("tune", now + LIMIT, channel=self._asked)
        elif now >= self._pulse:
            self._pulse = now + PULSE
            self._stills[self._process.post("still", now + LIMIT)] = self._asked
        for line in self._process.told():
            self._take(line)
        self._process.expire(now)

    def _take(self, line: dict[str, Any]) -> None:
        try:
            match line:
                case {"frame": {"mpdu": mpdu, "channel": channel, "lqi": lqi, "rssi": rssi, "at": at}}:
                    self._hear(bytes.fromhex(mpdu), int(channel), int(lqi), int(rssi), float(at))
                case {"operation": "tune"}:
                    if self._clock.now() - self._asked_at > SETTLING:
                        self._lose("it was tuned late")
                case {"operation": "still", "n": number, "done": {"channel": channel}}:
                    if channel != (told := self._stills.pop(number)):
                        raise BenchError(f"{self._name} listens to channel {channel}, and was told {told}: was its firmware reset?")
                case {"missed": {"why": why}}:
                    self._lose(masked(str(why)))
                case {"lost": _}:
                    raise BenchError(f"{self._name} is lost: it was unplugged, or its firmware was reset")
                case _:
                    raise BenchError(f"{self._name}: its process told of what nobody knows: {', '.join(map(repr, line))[:80]}")
        except (TypeError, ValueError) as fault:
            raise BenchError(f"{self._name}: its process told of a frame that is none: {type(fault).__name__}") from None

    def _hear(self, mpdu: bytes, channel: int, lqi: int, rssi: int, at: float) -> None:
        if not FCS_LENGTH < len(mpdu) + FCS_LENGTH <= MAX_PSDU:
            self._lose(f"a frame of {len(mpdu) + FCS_LENGTH} octets")
        elif channel == self._wanted:
            self._telling.put(Received(mpdu + fcs(mpdu), channel, lqi, rssi), at)
            self._interrupt()

    def _lose(self, why: str) -> None:
        self.garbage += 1
        self.about = {**self.about, "frames may be missing": f"{self.garbage} times, the last time since: {why}"}
