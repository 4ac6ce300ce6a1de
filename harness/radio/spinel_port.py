"""A Spinel endpoint behind a TCP port of its own, one host at a time, as a machine on an air. Knows nothing of what the radio hears."""

from __future__ import annotations

import socket
import threading
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from harness.errors import BenchError
from harness.ports import Pdu, Received, Transmitted
from harness.radio.spinel import Command, SpinelFrame, encode, pack
from harness.radio.spinel_endpoint import SpinelEndpoint

CHUNK = 1 << 16
PATIENCE = 2.0  # seconds that a host may leave unread what it is told
RESET = encode(SpinelFrame(Command.RESET, pack("C", 2)))


class SpinelPort:
    """Listens at once. Whoever connects finds the radio as after a reset; when he leaves it is switched off."""

    def __init__(self, interrupt: Callable[[], None], host: str = "127.0.0.1", port: int = 0) -> None:
        """`interrupt` is called from another thread when something has come. Raises BenchError for a port that cannot be had."""
        self._interrupt = interrupt
        self._endpoint = SpinelEndpoint()
        self._came: deque[tuple[socket.socket, bytes]] = deque()
        self._host: socket.socket | None = None  # who is connected, as far as the machine's thread knows
        try:
            self._server = socket.create_server((host, port))
        except OSError as fault:
            raise BenchError(f"{host}:{port}: cannot listen there: {fault.strerror}") from fault
        self.address = f"socket://{host}:{self._server.getsockname()[1]}"
        self._open = True
        self._thread = threading.Thread(target=self._serve, name=f"Spinel {self.address}", daemon=True)
        self._thread.start()

    def drop(self) -> None:
        """Close the line to whoever is connected; the port goes on listening."""
        if self._host is not None:
            with suppress(OSError):
                self._host.shutdown(socket.SHUT_RDWR)

    def say(self, octets: bytes) -> None:
        """Put octets on the line that the radio did not say."""
        if self._host is not None and octets:
            try:
                self._host.sendall(octets)
            except OSError:  # it does not read, or is gone: the thread that reads will notice
                self.drop()

    def close(self) -> None:
        """Leave the port."""
        self._open = False
        with suppress(OSError):
            self._server.shutdown(socket.SHUT_RDWR)  # which ends `accept`
        self._server.close()
        self.drop()
        self._thread.join(PATIENCE)

    # -- the five verbs

    def receive(self, pdu: Pdu, now: float) -> None:
        """What the radio has to say goes to the host."""
        if isinstance(pdu, (Received, Transmitted)):
            self._endpoint.radio_says(pdu, now)

    def transmit(self, now: float) -> list[Pdu]:
        """What the host has the radio do."""
        while self._came:
            self._host, octets = self._came.popleft()
            self._endpoint.host_says(octets)
        self.say(self._endpoint.for_host())
        return list(self._endpoint.for_radio())

    def deadline(self) -> float | None:
        """A radio has no timers of its own; the air has them."""
        return None

    def wake(self, now: float) -> None:
        """Nothing is ever due."""

    def events(self) -> list[Any]:
        """It reports nothing."""
        return []

    # -- in its own thread

    def _serve(self) -> None:
        while self._open:
            try:
                line, _ = self._server.accept()
            except OSError:
                return
            with line:
                line.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                self._put(line, RESET)
                with suppress(OSError):
                    while octets := line.recv(CHUNK):
                        self._put(line, octets)
                self._put(line, RESET)

    def _put(self, line: socket.socket, octets: bytes) -> None:
        self._came.append((line, octets))
        self._interrupt()
