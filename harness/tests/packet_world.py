"""A stick with a HAN device on its air, in real time behind a socket: what `packet_radio` is the library of."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

from harness.actors.setup import Setup
from harness.clock import LiveClock
from harness.ports import Pdu
from harness.stack.packets import DeviceCame, DeviceWent, Form, PacketReceived, PacketSent, Permit, Remove, SendPacket, ShareKey
from harness.tests.home_network import ESI, LINK_KEY, PCT, Home
from harness.tests.packet_stick import Stick
from harness.values import Eui64

IDLE = 0.2  # seconds after which the world looks whether it is to end


class PacketWorld:
    """The air, the stick and the device; a thread lets their time pass."""

    def __init__(self, link_key: bytes = LINK_KEY, device: Eui64 = PCT, beside: Any = None) -> None:
        """`beside` is a further machine on that air."""
        self.home = Home()
        self.stick = Stick(ESI, self.home.chance)
        self.home.nodes["esi"] = self.stick  # type: ignore[assignment]
        self.device = self.home.device(ieee=device, link_key=link_key)
        if beside is not None:
            self.home.nodes["beside"] = beside
        self.asked: list[dict[str, Any]] = []
        self.connections = 0
        self._numbers: dict[int, int] = {}
        self._line: socket.socket | None = None
        self._clock = LiveClock()
        self._came: list[dict[str, Any]] = []
        self._button = threading.Event()
        self._ending = threading.Event()
        self._server: socket.socket | None = None
        self.place = self._open()
        self._threads = [threading.Thread(target=each) for each in (self._accept, self._live)]
        for thread in self._threads:
            thread.start()

    def _open(self) -> str:
        """Where the stick is to be found."""
        self._server = socket.create_server(("127.0.0.1", 0))
        return f"127.0.0.1:{self._server.getsockname()[1]}"

    def switch_on(self) -> None:
        """The customer presses the button, from any thread."""
        self._button.set()
        self._clock.interrupt()

    def close(self) -> None:
        self._ending.set()
        self._clock.interrupt()
        if self._server is not None:
            self._server.shutdown(socket.SHUT_RDWR)
            self._server.close()
        self.cut()
        for thread in self._threads:
            thread.join()

    def cut(self) -> None:
        """Pull the stick out."""
        line, self._line = self._line, None
        if line is not None:
            with suppress(OSError):  # the other end was quicker
                line.shutdown(socket.SHUT_RDWR)

    # -- in threads

    def _accept(self) -> None:
        assert self._server is not None
        while not self._ending.is_set():
            try:
                line, _ = self._server.accept()
            except OSError:
                return
            self.connections += 1
            self._line = line
            with line, line.makefile("rb") as lines:
                for each in _whole(lines):
                    self._came.append(json.loads(each))
                    self._clock.interrupt()

    def _live(self) -> None:
        while not self._ending.is_set():
            now = self.home.now = self._clock.now()
            while self._came:
                self._do(self._came.pop(0), now)
            if self._button.is_set():
                self._button.clear()
                self.device.start_joining(now)
            self.home.run(0.0)
            for told in self.stick.told():
                self._tell(told)
            due = [self.home.air.deadline(), *(node.deadline() for node in self.home.nodes.values())]
            self._clock.wait_until(min([now + IDLE, *(each for each in due if each is not None)]))

    def _do(self, asked: dict[str, Any], now: float) -> None:
        number, what = asked.pop("n"), asked.pop("do")
        self.asked.append({"do": what, **asked})
        answer = str(ESI) if what == "address" else "success"
        match what:
            case "form":
                asked["extended_pan_id"], asked["network_key"] = (
                    Eui64.parse(asked["extended_pan_id"]), bytes.fromhex(asked["network_key"])
                )
                self.stick.ask(Form(**asked), now)
            case "permit":
                expected = {Eui64.parse(device): bytes.fromhex(key) for device, key in asked["expected"].items()}
                self.stick.ask(Permit(asked["seconds"], expected), now)
            case "share":
                key = None if asked["key"] is None else bytes.fromhex(asked["key"])
                self.stick.ask(ShareKey(Eui64.parse(asked["device"]), key), now)
            case "remove":
                self.stick.ask(Remove(Eui64.parse(asked["device"]), asked["address"]), now)
            case "send":
                self.stick.ask(SendPacket(number, **{**asked, "asdu": bytes.fromhex(asked["asdu"])}), now)
                return  # its answer comes when it was sent
        self._say({"n": number, "answer": answer})

    def _tell(self, told: Any) -> None:
        match told:
            case PacketSent(handle, status):
                self._say({"n": handle, "answer": status})
            case DeviceCame(device, address, how):
                self._say({"join": str(device), "address": address, "how": how})
            case DeviceWent(device, address):
                self._say({"leave": str(device), "address": address})
            case PacketReceived():
                self._say({**vars(told), "asdu": told.asdu.hex(), "source_ieee": None})

    def _say(self, fields: dict[str, Any]) -> None:
        try:
            if self._line is not None:
                self._line.sendall(json.dumps(fields).encode() + b"\n")
        except OSError:
            self._line = None  # whoever killed the other end wanted that


def _whole(lines: Any) -> Iterator[bytes]:
    try:
        yield from lines
    except OSError:
        return


class DeviceInWorld:
    """The HAN Device of a bench where it is the device of a `PacketWorld`, as a real one would be; option `place` says of which."""

    WORLDS: dict[str, PacketWorld] = {}

    def __init__(self, setup: Setup) -> None:
        self._world = self.WORLDS[setup.options["place"]]

    def receive(self, pdu: Pdu, now: float) -> None:
        """Nothing of the bench's reaches it."""

    def transmit(self, now: float) -> list[Pdu]:
        return []

    def deadline(self) -> float | None:
        return None

    def wake(self, now: float) -> None:
        """It has a clock of its own."""

    def events(self) -> list[object]:
        return []

    def start_joining(self, now: float) -> None:
        self._world.switch_on()


@contextmanager
def packet_world(**given: Any) -> Iterator[PacketWorld]:
    """A world that ends with the context."""
    world = PacketWorld(**given)
    DeviceInWorld.WORLDS[world.place] = world
    try:
        yield world
    finally:
        world.close()
        DeviceInWorld.WORLDS.clear()
