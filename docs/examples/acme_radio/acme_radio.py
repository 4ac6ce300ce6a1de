"""An adapter for the dongle of an invented vendor, ACME: a worked example of a Radio outside HANproof (docs/adapters.md).

The dongle speaks lines of text over TCP, each ended by a newline; times are microseconds of its own clock:

host to dongle                                            dongle to host
HELLO                                                     ACME 802 FIRMWARE CLOCK
SET CHANNEL PAN SHORT EXTENDED FLAGS PENDING              -
SEND HANDLE CSMA RETRIES PSDU                             DONE HANDLE STATUS PENDING CLOCK
SCAN                                                      SCANNED CHANNEL=DBM ...
-                                                         HEARD CHANNEL LQI RSSI CLOCK PSDU

FLAGS holds the letters r (receiver on), p (promiscuous), a (always pending) or is "-"; PENDING is short and extended addresses in
hex, with commas between them, or "-". The dongle keeps sixteen frames; more wait here.
"""

from __future__ import annotations

import queue
import socket
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any

from harness.errors import BenchError, Unsupported
from harness.ports import RadioSettings, Received, Transmit, Transmitted

PATIENCE = 5.0  # seconds for the dongle to answer
ROOM = 16  # frames that it keeps
PORT = "right would be HOST:PORT of an ACME dongle"


class AcmeRadio:
    """One dongle. Option: `port`, as HOST:PORT."""

    def __init__(self, options: Mapping[str, Any], interrupt: Callable[[], None]) -> None:
        """Raises BenchError naming the port."""
        self._port = options.get("port", "")
        self._interrupt = interrupt
        self._told: deque[tuple[float, Received | Transmitted]] = deque()  # by the dongle's clock, in seconds
        self._scans: queue.Queue[dict[int, int]] = queue.Queue()
        self._waiting: deque[str] = deque()  # frames for which the dongle has no room
        self._inside = 0
        self._lock = threading.Lock()
        self._fault = ""
        self._open = False
        host, colon, number = self._port.rpartition(":")
        if not (colon and number.isdecimal()):
            raise BenchError(f"port {self._port}: {PORT}")
        try:
            self._line = socket.create_connection((host, int(number)), PATIENCE)
            self._lines = self._line.makefile("r", encoding="ascii", newline="\n")
            self._say("HELLO")
            maker, model, firmware, clock = self._lines.readline().split()
        except (OSError, ValueError) as fault:
            raise BenchError(f"port {self._port}: no ACME dongle answers ({type(fault).__name__}); {PORT}") from fault
        self._line.settimeout(None)
        self._ahead = int(clock) / 1e6 - time.monotonic()  # of the dongle's clock against the computer's
        self._behind: float | None = None  # the bench's clock against the computer's
        self.about = {"firmware": f"{maker} {model} {firmware}", "exercised on hardware": "no"}
        self.offers = frozenset({"raw", "promiscuous", "source-match", "timestamps", "lqi", "rssi", "ack-pending", "energy-scan"})
        self._open = True
        self._thread = threading.Thread(target=self._listen, name=f"ACME {self._port}", daemon=True)
        self._thread.start()

    def submit(self, pdu: RadioSettings | Transmit, now: float) -> None:
        """Hand it over; what the dongle has no room for waits."""
        self._raise()
        if isinstance(pdu, RadioSettings):
            flags = "r" * pdu.receiver_on + "p" * pdu.promiscuous + "a" * pdu.always_pending
            pending = ",".join(f"{address:x}" for address in sorted(pdu.pending_for))
            self._say(
                f"SET {pdu.channel} {pdu.pan_id:x} {pdu.short_address:x} {pdu.extended_address:x} {flags or '-'} {pending or '-'}"
            )
            return
        with self._lock:
            self._waiting.append(f"SEND {pdu.handle} {int(pdu.csma)} {pdu.retries} {pdu.psdu.hex()}")
        self._fill()

    def told(self, now: float) -> list[tuple[float, Received | Transmitted]]:
        """What the dongle told since the last call, by its own clock in the bench's time."""
        behind = now - time.monotonic()  # the bench stands still while it works, so that the largest is nearest to the truth
        self._behind = behind if self._behind is None else max(self._behind, behind)
        told = []
        while self._open and self._told:
            at, pdu = self._told.popleft()
            told.append((min(max(0.0, at - self._ahead + self._behind), now), pdu))
        if not told:
            self._raise()
        return told

    def perform(self, operation: str, **given: object) -> object:
        """`energy_scan`: dBm by channel."""
        self._raise()
        if operation != "energy_scan":
            raise Unsupported(f"port {self._port}: an ACME dongle has no {operation}")
        self._say("SCAN")
        try:
            return self._scans.get(timeout=PATIENCE)
        except queue.Empty:
            raise BenchError(f"port {self._port}: energy_scan: no answer within {PATIENCE:g} s") from None

    def close(self) -> None:
        """Leave the port; again does nothing."""
        if not self._open:
            return
        self._open = False
        with suppress(OSError):  # the dongle may be gone already
            self._line.shutdown(socket.SHUT_RDWR)
        self._thread.join(PATIENCE)
        self._lines.close()
        self._line.close()

    def _raise(self) -> None:
        if self._fault and self._open:
            raise BenchError(f"port {self._port}: {self._fault}; is the dongle still plugged in?")

    def _say(self, line: str) -> None:
        try:
            self._line.sendall(f"{line}\n".encode("ascii"))
        except OSError as fault:
            self._fault = self._fault or str(fault.strerror)

    def _fill(self) -> None:
        with self._lock:
            while self._waiting and self._inside < ROOM:
                self._inside += 1
                self._say(self._waiting.popleft())

    def _listen(self) -> None:
        """The thread: every line of the dongle's, until the port is left or the dongle is gone."""
        try:
            for line in self._lines:
                self._take(*line.split())
        except (OSError, ValueError) as fault:
            self._fault = self._fault or f"garbage on the line ({type(fault).__name__})"
        self._fault = self._fault or "the dongle has closed the connection"
        if self._open:
            self._interrupt()

    def _take(self, word: str, *rest: str) -> None:
        if word == "DONE":
            handle, status, pending, clock = rest
            with self._lock:
                self._inside -= 1
            self._tell(int(clock), Transmitted(int(handle), status, pending == "1"))
            self._fill()
        elif word == "HEARD":
            channel, lqi, rssi, clock, psdu = rest
            self._tell(int(clock), Received(bytes.fromhex(psdu), int(channel), int(lqi), int(rssi)))
        elif word == "SCANNED":
            self._scans.put({int(channel): int(level) for channel, level in (each.split("=") for each in rest)})
        else:
            raise ValueError(word)

    def _tell(self, clock: int, pdu: Received | Transmitted) -> None:
        if self._open:
            self._told.append((clock / 1e6, pdu))
            self._interrupt()
