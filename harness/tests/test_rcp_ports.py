"""The ports an RCP may be behind: a serial device file, and an access server of RFC 2217. (`socket://` is in `test_rcp.py`.)"""

from __future__ import annotations

import os
import socket
import threading
import tty
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from harness.ports import Transmitted
from harness.tests.peers.ser2net import missing, ser2net
from harness.tests.test_rcp import CHILD, DATA, PARENT, Laboratory, laboratory

__all__ = ["laboratory"]

CHUNK = 1 << 12


@contextmanager
def as_device_file(address: str) -> Iterator[str]:
    """A serial device file in front of a radio that is behind TCP."""
    host, port = address.removeprefix("socket://").split(":")
    ours, theirs = os.openpty()
    tty.setraw(theirs)
    with socket.create_connection((host, int(port))) as line:
        up = _pump(lambda: os.read(ours, CHUNK), line.sendall)
        down = _pump(lambda: line.recv(CHUNK), lambda octets: os.write(ours, octets))
        try:
            yield os.ttyname(theirs)
        finally:
            with suppress(OSError):
                line.shutdown(socket.SHUT_RDWR)
            os.close(theirs)  # which ends what waits for something from there
            up.join()
            down.join()
            os.close(ours)


def _pump(read: Callable[[], bytes], write: Callable[[bytes], object]) -> threading.Thread:
    def run() -> None:
        with suppress(OSError):  # the other end is closed
            while octets := read():
                write(octets)

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    return thread


def exchange(laboratory: Laboratory, address: str, other: str) -> None:
    """A frame goes from a radio to another one, and is acknowledged."""
    child, parent = laboratory.listen(address), laboratory.listen(other)
    parent.set(PARENT)
    child.set(CHILD)
    parent.until(lambda: parent.radio.perform("noise") is not None)  # it has taken its settings
    assert child.send(DATA) == Transmitted(1, "ok")
    parent.until(lambda: parent.frames() == [DATA])


def test_a_radio_is_behind_a_serial_device_file(laboratory: Laboratory) -> None:
    port, other = laboratory.start(2)
    with as_device_file(port.address) as device:
        exchange(laboratory, device, other.address)
        laboratory.close_listeners()


@pytest.mark.skipif(bool(missing()), reason=missing() or "-")
def test_a_radio_is_behind_an_access_server(laboratory: Laboratory, tmp_path: Path) -> None:
    """serialx waits for what neither ser2net nor pyserial's server answers; `harness.radio.rcp_line` sees to that."""
    port, other = laboratory.start(2)
    with as_device_file(port.address) as device, ser2net(tmp_path, device) as address:
        exchange(laboratory, address, other.address)
        laboratory.close_listeners()
