"""Sticks with the firmware of a test behind TCP ports: one that has the network of a `PacketWorld`, one that hears an air."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

from dissectors import zdp
from harness.ports import RadioSettings, Received
from harness.stack.packets import PacketReceived, Request, SendPacket
from harness.tests.ash import ASSERTED, POWERED_ON, Ash
from harness.tests.ezsp_firmware import Firmware
from harness.tests.home_network import ESI
from harness.tests.packet_world import DeviceInWorld, PacketWorld
from harness.values import Eui64

ANSWER = 0x8000  # of a ZDP cluster identifier
OURS = bytes(2)  # the coordinator's NWK address
ANSWERS = {  # ZDP requests that an EmberZNet stack answers by itself
    zdp.cluster_of(zdp.NodeDescReq): b"\x00" + OURS + bytes.fromhex("00408e4910525200002c520000"),
    zdp.cluster_of(zdp.IeeeAddrReq): b"\x00" + bytes.fromhex(str(ESI))[::-1] + OURS,
}
SNIFFER = Eui64.parse("00220800000000ee")


class Port:
    """A TCP port with a stick at its other end; whoever connects has plugged it in. `came` takes what the host says, None for a reset."""

    def __init__(self, came: Callable[[bytes | None], None]) -> None:
        self._came = came
        self._server = socket.create_server(("127.0.0.1", 0))
        self.place = f"socket://127.0.0.1:{self._server.getsockname()[1]}"
        self._lock = threading.Lock()
        self._line: socket.socket | None = None
        self.ash = Ash()
        self._thread = threading.Thread(target=self._serve)
        self._thread.start()

    def say(self, frame: bytes) -> None:
        """An EZSP frame to the host."""
        with self._lock:
            self.ash.send(frame)
            self._flush()

    def reset(self) -> None:
        """The firmware asserts, and begins anew."""
        with self._lock:
            self.ash.reset(ASSERTED)
            self._flush()

    def babble(self, octets: bytes) -> None:
        """Noise on the line."""
        with self._lock, suppress(OSError):
            if self._line is not None:
                self._line.sendall(octets)

    def cut(self) -> None:
        """Pull the stick out."""
        with self._lock:
            line, self._line = self._line, None
        if line is not None:
            with suppress(OSError):
                line.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        self._server.shutdown(socket.SHUT_RDWR)
        self._server.close()
        self.cut()
        self._thread.join()

    def _serve(self) -> None:
        while True:
            try:
                line, _ = self._server.accept()
            except OSError:
                return
            line.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            with self._lock:
                self._line, self.ash = line, Ash()
                self.ash.reset(POWERED_ON)
                self._flush()
            self._came(None)
            with line, suppress(OSError):
                while octets := line.recv(4096):
                    with self._lock:
                        frames = self.ash.feed(octets)
                        self._flush()
                    for frame in frames:
                        self._came(frame)

    def _flush(self) -> None:
        out, self.ash.out = self.ash.out, bytearray()
        with suppress(OSError):  # whoever killed the other end wanted that
            if self._line is not None:
                self._line.sendall(out)


class EzspWorld(PacketWorld):
    """The air, the stick and the device of a `PacketWorld`; the stick speaks EZSP of some version."""

    def __init__(self, version: int, **given: Any) -> None:
        self.firmware = Firmware(version, ESI, self, lambda frame: self.port.say(frame))
        self._now = 0.0
        super().__init__(**given)

    def listen(self, channel: int | None) -> None:
        """It has a network, and is no sniffer."""

    def ask(self, request: Request) -> None:
        """Of the firmware, in the thread in which the world lives."""
        self.stick.ask(request, self._now)

    def cut(self) -> None:
        self.port.cut()

    def close(self) -> None:
        self.port.close()
        super().close()

    def _accept(self) -> None:
        """The line is one of its own."""

    def _open(self) -> str:
        self.port = Port(self._take)
        return self.port.place

    def _take(self, frame: bytes | None) -> None:
        self._came.append({"frame": frame})
        self._clock.interrupt()

    def _do(self, asked: dict[str, Any], now: float) -> None:
        self._now = now
        if asked["frame"] is None:
            self.firmware.restart()
        else:
            self.firmware.take(asked["frame"])

    def _tell(self, told: Any) -> None:
        self.firmware.tell(told)
        if isinstance(told, PacketReceived) and told.profile == zdp.PROFILE and told.cluster in ANSWERS:
            answer = told.asdu[:1] + ANSWERS[told.cluster]
            self.stick.ask(SendPacket(
                0, told.source or 0, zdp.ENDPOINT, zdp.ENDPOINT, zdp.PROFILE, told.cluster | ANSWER, answer, 0, secured=False, ack=False,
            ), self._now)


class Ear:
    """A sniffing stick as a machine on an air of a test; `interrupt` has that air look at it."""

    def __init__(self, version: int, interrupt: Callable[[], None] = lambda: None) -> None:
        self.interrupt = interrupt
        self._settings: list[RadioSettings] = []
        self.port = Port(self._take)
        self.firmware = Firmware(version, SNIFFER, self, self.port.say)

    def _take(self, frame: bytes | None) -> None:
        if frame is None:
            self.firmware.restart()
        else:
            self.firmware.take(frame)

    def ask(self, request: Request) -> None:
        """It has no network."""

    def listen(self, channel: int | None) -> None:
        """Of the firmware, in the thread of its line."""
        if channel is not None:
            self._settings.append(RadioSettings(channel, promiscuous=True))
            self.interrupt()

    def receive(self, pdu: Any, now: float) -> None:
        if isinstance(pdu, Received):
            self.firmware.hear(pdu.psdu, pdu.channel, pdu.lqi, pdu.rssi)

    def transmit(self, now: float) -> list[Any]:
        settings, self._settings = self._settings, []
        return list(settings)

    def deadline(self) -> None:
        return None

    def wake(self, now: float) -> None: ...

    def events(self) -> list[Any]:
        return []

    def close(self) -> None:
        self.port.close()


@contextmanager
def ezsp_world(version: int, **given: Any) -> Iterator[EzspWorld]:
    """A world that ends with the context."""
    world = EzspWorld(version, **given)
    DeviceInWorld.WORLDS[world.place] = world
    try:
        yield world
    finally:
        world.close()
        DeviceInWorld.WORLDS.clear()


@contextmanager
def ear(version: int) -> Iterator[Ear]:
    """A sniffing stick that is unplugged with the context."""
    made = Ear(version)
    try:
        yield made
    finally:
        made.close()
