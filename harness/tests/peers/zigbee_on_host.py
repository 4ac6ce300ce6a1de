"""zigbee-on-host in the place of the ESI: an adapter that starts it in a process of its own and gives it a Spinel endpoint.

Nothing of what it puts on the air was built by us. It has no Smart Energy: no windows, no key establishment. Its trust centre
has one link key, so it is started with that of the ordered device.
"""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from harness.actors.setup import Setup
from harness.crypto.install_code import ordered_link_key
from harness.ports import Message, Pdu, Received, Transmitted
from harness.radio.spinel_endpoint import SpinelEndpoint
from harness.stack.happenings import KeyLearnt
from harness.values import Eui64

FOLDER = Path(__file__).parent
NODE = shutil.which("node")
MISSING = (
    "node is not installed" if NODE is None
    else "zigbee-on-host is not installed (npm ci in harness/tests/peers)" if not (FOLDER / "node_modules").is_dir() else ""
)
needs_zigbee_on_host = pytest.mark.skipif(bool(MISSING), reason=f"{MISSING}, so no coordinator but ours takes our devices in")

EUI64, EXTENDED_PAN = Eui64(0x00124B0012345678), Eui64(0x1122334455667788)
PAN, CHANNEL = 0x2B1A, 20
GLANCE = 0.0005  # seconds between two looks at what the process has said
PATIENCE = 10.0  # seconds of real time for the process to connect, and to end
CHUNK = 1 << 16


@dataclass(frozen=True)
class Said:
    """What zigbee-on-host told: formed, joined, authorized, left, frame (an ASDU for its application) or complaint."""

    event: str
    about: Mapping[str, Any]


class ZigbeeOnHost:
    """The coordinator, from `close` on an ended process."""

    def __init__(self, setup: Setup) -> None:
        order = setup.orders[0]
        network_key = setup.chance.getrandbits(128).to_bytes(16, "big")
        self._endpoint = SpinelEndpoint()
        self._events: list[Any] = [KeyLearnt("nwk", network_key)]
        self._unread = b""
        self._looked = 0.0
        self._folder = tempfile.TemporaryDirectory(prefix="zigbee-on-host-")
        self._line: socket.socket | None = None
        log = (Path(self._folder.name) / "log").open("wb")
        with log, socket.create_server(("127.0.0.1", 0)) as server:
            server.settimeout(PATIENCE)
            self._process = subprocess.Popen(
                [str(NODE), str(FOLDER / "coordinator.mjs")], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log,
            )
            try:
                self._write({
                    "port": server.getsockname()[1], "folder": self._folder.name, "channel": CHANNEL, "pan": PAN,
                    "eui64": str(EUI64), "extendedPan": str(EXTENDED_PAN), "networkKey": network_key.hex(),
                    "linkKey": ordered_link_key(order.key_form, order.key_material).hex(),
                })
                self._line, _ = server.accept()
            except OSError as fault:
                raise AssertionError(f"zigbee-on-host did not connect ({fault}): {self.close()}") from fault
        self._line.setblocking(False)
        self._line.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        os.set_blocking(self._out, False)

    def close(self) -> str:
        """End the process, whatever it is at; the end of its log."""
        self._process.kill()
        self._process.wait(PATIENCE)
        for stream in (self._process.stdin, self._process.stdout, self._line):
            if stream is not None:
                with suppress(OSError):
                    stream.close()
        log = (Path(self._folder.name) / "log").read_text(errors="replace")
        self._folder.cleanup()
        return log[-CHUNK:]

    # -- the five verbs

    def receive(self, pdu: Pdu, now: float) -> None:
        """What the radio has to say goes to the process."""
        if isinstance(pdu, (Received, Transmitted)):
            self._endpoint.radio_says(pdu, now)

    def transmit(self, now: float) -> list[Pdu]:
        """What the process has its radio do."""
        self._look(now)
        return list(self._endpoint.for_radio())

    def deadline(self) -> float:
        """The process says nothing of when it will speak."""
        return self._looked + GLANCE

    def wake(self, now: float) -> None:
        """Look again."""
        self._look(now)

    def events(self) -> list[Any]:
        """What the process told, and the key it was given."""
        events, self._events = self._events, []
        return events

    # -- orders

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

    def _look(self, now: float) -> None:
        assert self._line is not None
        self._looked = now
        with suppress(BlockingIOError):
            self._endpoint.host_says(self._line.recv(CHUNK))
        octets = self._endpoint.for_host()
        if octets:
            self._line.send(octets)
        with suppress(BlockingIOError):
            *lines, self._unread = (self._unread + os.read(self._out, CHUNK)).split(b"\n")
            self._events += [Said(fields.pop("event"), fields) for fields in map(json.loads, lines)]
        if self._process.poll() is not None:
            raise AssertionError(f"zigbee-on-host has ended: {self.close()}")
