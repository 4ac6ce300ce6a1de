"""Where packets come from while they are still being captured: a growing file, a FIFO, standard input, ZEP over UDP. Decodes no frame.

Nothing here waits without a limit: between two waits the one who reads gets a turn, so that he can work, or stop, while the air is silent.
"""

from __future__ import annotations

import errno
import io
import os
import select
import socket
import stat
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, BinaryIO, cast
from urllib.parse import urlsplit

from dissectors.capture import CapturedFrame, frames_of
from dissectors.encapsulation import ZEP_PORT, Flaw, unwrap_zep
from harness.clock import WallClock
from harness.errors import BenchError, InputError

TURN = 0.25  # seconds that a wait for more lasts at most
DATAGRAM = 1 << 16  # octets
LOOPBACK = "127.0.0.1"
ZEP = "zep://"
STDIN = "-"


@dataclass
class Growing(io.RawIOBase):
    """A file that gives octets as they come: `read` returns fewer than it was asked for only at the end of the input.

    A pipe ends when its last writer is gone; a regular file ends where it ends, or, where it is to be followed, never. `turn` is called
    whenever nothing new is there.
    """

    descriptor: int
    turn: Callable[[], None]
    follow: bool = False

    def read(self, size: int = -1) -> bytes:
        """So many octets, or all that there are before the end."""
        found = b""
        regular = stat.S_ISREG(os.fstat(self.descriptor).st_mode)
        while len(found) < size:
            if not regular and not select.select([self.descriptor], [], [], TURN)[0]:
                self.turn()
                continue
            octets = os.read(self.descriptor, size - len(found))
            found += octets
            if not octets and not (regular and self.follow):
                break
            if not octets:
                self.turn()
                select.select([], [], [], TURN)  # a regular file is always ready: nothing tells that it has grown
        return found

    def close(self) -> None:
        """Close what it reads from."""
        if not self.closed:
            os.close(self.descriptor)
        super().close()


def packets(source: str, turn: Callable[[], None], follow: bool) -> Iterator[CapturedFrame]:
    """The packets of a file, a FIFO, standard input (-) or zep://HOST:PORT, as they come, until the input ends.

    With `follow` a regular file has no end: packets that are still written to it come as well. ZEP has none either way. `turn` is called
    whenever nothing has come for a while. Raises InputError for a source that cannot be opened, BenchError for a socket that cannot be
    bound, CaptureError where a capture cannot be read further.
    """
    if source.startswith(ZEP):
        with bound(*_address(source)) as endpoint:
            yield from datagrams(endpoint, turn)
        return
    with Growing(opened(source), turn, follow) as growing:
        yield from frames_of(cast(BinaryIO, growing), "standard input" if source == STDIN else source)


def opened(source: str) -> int:
    """The descriptor of a file, a FIFO to which nobody may be writing yet, or standard input. Raises InputError."""
    if os.path.isdir(source):
        raise InputError(f"{source}: is a folder; right would be a pcap or pcapng file, a FIFO, - or {ZEP}HOST:{ZEP_PORT}")
    try:
        return os.dup(0) if source == STDIN else os.open(source, os.O_RDONLY | os.O_NONBLOCK)
    except OSError as fault:
        raise InputError(f"{source}: cannot be read: {fault.strerror}") from fault


def bound(host: str, port: int) -> socket.socket:
    """A socket to which ZEP can be sent. Raises BenchError."""
    endpoint = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_DGRAM)
    try:
        endpoint.bind((host, port))
    except OSError as fault:
        endpoint.close()
        taken = "; another program holds the port" if fault.errno == errno.EADDRINUSE else ""
        raise BenchError(f"{ZEP}{host}:{port}: cannot listen there: {fault.strerror}{taken}") from fault
    return endpoint


def datagrams(endpoint: socket.socket, turn: Callable[[], None]) -> Iterator[CapturedFrame]:
    """What comes as ZEP, with the host's time at which it came; that datagrams are missing is told as a flaw before what came next."""
    clock = WallClock()
    number = 0
    counted: dict[Any, int] = {}
    while True:
        if not select.select([endpoint], [], [], TURN)[0]:
            turn()
            continue
        datagram, peer = endpoint.recvfrom(DATAGRAM)
        now = clock.epoch.timestamp() + clock.now()
        number += 1
        try:
            found = unwrap_zep(datagram)
        except Flaw as flaw:
            counted.pop(peer, None)
            yield CapturedFrame(number, now, 0, b"", flaw=str(flaw))
            continue
        if found is None:
            continue
        if found.sequence is not None:
            missing = found.sequence - counted.get(peer, found.sequence) - 1
            counted[peer] = found.sequence
            if missing > 0:
                yield CapturedFrame(number, now, 0, b"", flaw=f"{missing} datagrams before it are missing")
        yield CapturedFrame(number, now, 0, found.octets, channel=found.channel, lqi=found.lqi, rssi=found.rssi, fcs=found.fcs)


def _address(source: str) -> tuple[str, int]:
    try:
        parts = urlsplit(source)
        host, port = parts.hostname or LOOPBACK, parts.port if parts.port is not None else ZEP_PORT
    except ValueError as fault:
        raise InputError(f"{source}: {fault}; right would be zep://HOST:{ZEP_PORT}") from None
    return host, port
