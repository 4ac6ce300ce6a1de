"""ACME's dongles as a vendor would simulate them: on one virtual air, each behind a TCP port of its own (lines: acme_radio.py).

python acme_dongle.py PORT ...    (0: any port that is free; the ports are printed, and dongles run until they are interrupted)
"""

from __future__ import annotations

import random
import socket
import sys
import threading
import time

from harness.ports import RadioSettings, Received, Transmit
from harness.radio.virtual import VirtualAir

FIRMWARE = "ACME 802 2.1-simulated"
QUIET = -95  # dBm


class Air:
    """The air between dongles, in real time; each is a name, a line to write to, and what it asked for."""

    def __init__(self) -> None:
        self.air = VirtualAir(random.Random(1))
        self.changed = threading.Condition()
        self.lines: dict[str, socket.socket] = {}
        threading.Thread(target=self._run, daemon=True).start()

    def serve(self, name: str, port: socket.socket) -> None:
        """One dongle, for one host after another."""
        while True:
            line, _ = port.accept()
            with self.changed:
                self.lines[name] = line
            try:
                for text in line.makefile("r", encoding="ascii"):
                    self._take(name, *text.split())
            except (OSError, ValueError):
                pass  # a host that goes, or says what no host says, is let go of
            with self.changed:
                self.air.switch_off(name)
                del self.lines[name]
            line.close()

    def _take(self, name: str, word: str, *rest: str) -> None:
        if word == "HELLO":
            self._say(name, f"{FIRMWARE} {time.monotonic() * 1e6:.0f}")
        elif word == "SCAN":
            self._say(name, "SCANNED " + " ".join(f"{channel}={QUIET}" for channel in range(11, 27)))
        elif word == "SET":
            channel, pan, short, extended, flags, pending = rest
            waiting = frozenset(int(address, 16) for address in pending.split(",")) if pending != "-" else frozenset[int]()
            self._ask(name, RadioSettings(
                int(channel), int(pan, 16), int(short, 16), int(extended, 16), "r" in flags, "p" in flags, waiting, "a" in flags,
            ))
        elif word == "SEND":
            handle, csma, retries, psdu = rest
            self._ask(name, Transmit(bytes.fromhex(psdu), int(handle), csma == "1", int(retries)))

    def _ask(self, name: str, pdu: RadioSettings | Transmit) -> None:
        with self.changed:
            self.air.submit(name, pdu, time.monotonic())
            self.changed.notify()

    def _say(self, name: str, text: str) -> None:
        if name in self.lines:
            self.lines[name].sendall(f"{text}\n".encode("ascii"))

    def _run(self) -> None:
        with self.changed:
            while True:
                due, now = self.air.deadline(), time.monotonic()
                if due is None or due > now:
                    self.changed.wait(None if due is None else due - now)
                    continue
                for name, pdu in self.air.wake(due):
                    clock = f"{due * 1e6:.0f}"
                    if isinstance(pdu, Received):
                        self._say(name, f"HEARD {pdu.channel} {pdu.lqi} {pdu.rssi} {clock} {pdu.psdu.hex()}")
                    else:
                        self._say(name, f"DONE {pdu.handle} {pdu.status} {int(pdu.frame_pending)} {clock}")


def main(ports: list[str]) -> None:
    """Run them."""
    air = Air()
    servers = [socket.create_server(("127.0.0.1", int(port))) for port in ports]
    threads = [threading.Thread(target=air.serve, args=(f"dongle {at}", server)) for at, server in enumerate(servers, 1)]
    for thread in threads:
        thread.daemon = True
        thread.start()
    print(*(server.getsockname()[1] for server in servers), flush=True)
    try:
        for thread in threads:
            thread.join()
    except KeyboardInterrupt:
        return


if __name__ == "__main__":
    main(sys.argv[1:])
