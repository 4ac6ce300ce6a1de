"""zigbee-on-host in the place of the ESI: an adapter that starts it in a process of its own and gives it a Spinel endpoint.

Nothing of what it puts on the air was built by us. It has no Smart Energy: no windows, no key establishment. Its trust centre
has one link key, so it is started with that of the ordered device.
"""

from __future__ import annotations

import json
import os
import select
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from harness.actors.setup import Setup
from harness.crypto.install_code import ordered_link_key
from harness.ports import Pdu, Received, Transmitted
from harness.radio.spinel_endpoint import SpinelEndpoint
from harness.stack.happenings import KeyLearnt, WindowOpened
from harness.usecase import Order
from harness.values import Eui64

FOLDER = Path(__file__).parent
NODE = shutil.which("node") or ""
OLDEST_NODE = 20
EUI64, EXTENDED_PAN = Eui64(0x00124B0012345678), Eui64(0x1122334455667788)
PAN, CHANNEL = 0x2B1A, 20
GLANCE, IDLE_GLANCE = 0.002, 0.02  # seconds between two looks at what the process has done
LIVELY = 0.03  # seconds after which nothing follows from what it heard
PATIENCE = 10.0  # seconds of real time for the process to connect, and to end
CHUNK = 1 << 16


def missing() -> str:
    """What this machine lacks to run it; empty where it lacks nothing."""
    if not NODE:
        return "node is not installed"
    version = subprocess.run([NODE, "--version"], capture_output=True, text=True, check=True, timeout=PATIENCE).stdout
    if int(version.lstrip("v").partition(".")[0]) < OLDEST_NODE:
        return f"node {OLDEST_NODE} or later is needed, here is {version.strip()}"
    if not (FOLDER / "node_modules" / "zigbee-on-host").is_dir():
        return "zigbee-on-host is not installed (npm ci in harness/tests/peers)"
    return ""


@dataclass(frozen=True)
class Said:
    """What zigbee-on-host told: formed, joined, authorized, left, frame (an ASDU for its application) or complaint."""

    event: str
    about: Mapping[str, Any]


class ZigbeeOnHost:
    """The coordinator. Its process ends with `close`, and by itself when whoever started it has ended.

    Option `radio`: the port of a radio that is not ours to give, as a served air has it.
    """

    def __init__(self, setup: Setup) -> None:
        order = setup.orders[0]
        elsewhere = setup.options.get("radio", "")
        network_key = setup.chance.getrandbits(128).to_bytes(16, "big")
        self._endpoint = SpinelEndpoint()
        self._events: list[Any] = [KeyLearnt("nwk", network_key)]
        self._unread = b""
        self._looked = self._stirred = 0.0
        self._folder = tempfile.TemporaryDirectory(prefix="zigbee-on-host-")
        self._log = ""
        self._line: socket.socket | None = None
        log = (Path(self._folder.name) / "log").open("wb")
        with log, socket.create_server(("127.0.0.1", 0)) as server:
            server.settimeout(PATIENCE)
            self._process = subprocess.Popen(
                [NODE, str(FOLDER / "coordinator.mjs")], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log,
            )
            try:
                self._write({
                    "port": urlsplit(elsewhere).port or server.getsockname()[1],
                    "folder": self._folder.name, "channel": CHANNEL, "pan": PAN,
                    "eui64": str(EUI64), "extendedPan": str(EXTENDED_PAN), "networkKey": network_key.hex(),
                    "alwaysOpen": "opens" not in setup.options,
                    "linkKey": ordered_link_key(order.key_form, order.key_material).hex(),
                })
                if not elsewhere:
                    self._line, _ = server.accept()
            except OSError as fault:
                raise AssertionError(f"zigbee-on-host did not connect ({fault}): {self.close()}") from fault
        if self._line is not None:
            self._line.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def close(self) -> str:
        """End the process, whatever it is at; the end of its log."""
        self._process.kill()
        self._process.wait(PATIENCE)
        for stream in (self._process.stdin, self._process.stdout, self._line):
            if stream is not None:
                with suppress(OSError):
                    stream.close()
        with suppress(FileNotFoundError):
            self._log = (Path(self._folder.name) / "log").read_text(errors="replace")[-CHUNK:]
        self._folder.cleanup()
        return self._log

    # -- the five verbs

    def receive(self, pdu: Pdu, now: float) -> None:
        """What the radio has to say goes to the process."""
        self._stirred = now
        if isinstance(pdu, (Received, Transmitted)):
            self._endpoint.radio_says(pdu, now)

    def transmit(self, now: float) -> list[Pdu]:
        """What the process has its radio do."""
        self._looked = now
        if self._line is None:
            while self._read(0.0) is not None:
                pass
            return []
        with suppress(BlockingIOError):
            self._endpoint.host_says(self._line.recv(CHUNK, socket.MSG_DONTWAIT))
        self._line.sendall(self._endpoint.for_host())
        return list(self._endpoint.for_radio())

    def deadline(self) -> float:
        """The process says nothing of when it will speak; most of what it says is an answer."""
        return self._looked + (GLANCE if self._looked - self._stirred < LIVELY else IDLE_GLANCE)

    def wake(self, now: float) -> None:
        """`transmit` looks."""

    def events(self) -> list[Any]:
        """What the process told, and the key it was given."""
        events, self._events = self._events, []
        return events

    # -- the windows of a bench that wants them (option `opens`), as somebody at the meter would open and close them

    takes_leg_3 = False

    def open_window(self, order: Order, now: float) -> None:
        """Have it permit association for as long as the window has left, whole seconds, 254 at most."""
        self._write({"order": "permit", "seconds": min(int(order.end - now), 254)})
        self._events.append(WindowOpened(order.device, order.end, now))

    def close_window(self, device: Eui64, now: float) -> None:
        """Have it permit no more."""
        self._write({"order": "forbid"})

    # -- orders

    def catch_up(self) -> None:
        """Return when the process has answered everything that it was sent, however long it had to wait for a processor."""
        self._write({"order": "pulse"})
        while (said := self._read(PATIENCE)) is not None:
            if any(each.event == "pulse" for each in said):
                return
        raise AssertionError(f"zigbee-on-host is silent: {self.close()}")

    def _read(self, patience: float) -> list[Said] | None:
        """What it has told, waiting for it; None where it is silent for so many seconds."""
        ready, _, _ = select.select([self._out], [], [], patience)
        if not ready:
            return None
        octets = os.read(self._out, CHUNK)
        if not octets:
            raise AssertionError(f"zigbee-on-host has ended: {self.close()}")
        *lines, self._unread = (self._unread + octets).split(b"\n")
        said = [Said(fields.pop("event"), fields) for fields in map(json.loads, lines)]
        self._events += [each for each in said if each.event != "pulse"]
        return said

    def ask(self, address: int, cluster: int, payload: bytes) -> None:
        """Have it send a ZDP request; `payload` is what follows the sequence number."""
        self._write({"order": "zdo", "address": address, "cluster": cluster, "payload": payload.hex()})

    def send(self, address: int, endpoint: int, profile: int, cluster: int, asdu: bytes) -> None:
        """Have it send any ASDU."""
        self._write({
            "order": "send", "address": address, "endpoint": endpoint, "profile": profile, "cluster": cluster,
            "payload": asdu.hex(),
        })

    def dismiss(self, address: int) -> None:
        """Have it tell a device to leave the network."""
        self._write({"order": "dismiss", "address": address})

    # -- the process

    @property
    def _out(self) -> int:
        assert self._process.stdout is not None
        return self._process.stdout.fileno()

    def _write(self, order: Mapping[str, Any]) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(order).encode() + b"\n")
        self._process.stdin.flush()
