"""ser2net, an RFC 2217 access server that nobody of us wrote, in front of a serial device file."""

from __future__ import annotations

import shutil
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from harness.clock import LiveClock
from harness.tests.peers.rabbitmq import free_ports

PATIENCE = 30.0  # seconds of real time until it listens, on a machine that is busy
GLANCE = 0.05  # seconds between two looks at that


def missing() -> str:
    """What this machine lacks to run it; empty where it lacks nothing."""
    return "" if shutil.which("ser2net") else "ser2net is not installed (on Debian or Ubuntu: apt install ser2net)"


@contextmanager
def ser2net(folder: Path, device: str) -> Iterator[str]:
    """Serve a device file until the context ends; gives its address, for RFC 2217."""
    (port,) = free_ports(1)
    told = folder / "ser2net.yaml"
    told.write_text(
        f"connection: &radio\n  accepter: telnet(rfc2217),tcp,127.0.0.1,{port}\n  connector: serialdev,{device},460800n81,local\n"
    )
    process = subprocess.Popen(
        ["ser2net", "-n", "-u", "-c", str(told)], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
    )
    try:
        clock = LiveClock()
        while not _listens(port):
            assert process.poll() is None, process.communicate()[1]
            assert clock.now() < PATIENCE, f"ser2net does not listen within {PATIENCE:g} s"
            clock.wait_until(clock.now() + GLANCE)
        yield f"rfc2217://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.communicate(timeout=PATIENCE)


def _listens(port: int) -> bool:
    with suppress(OSError), socket.create_connection(("127.0.0.1", port)):
        return True
    return False
