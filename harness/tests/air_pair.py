"""Radios in one process, for tests of the adapter contract: a virtual air that runs in real time, in a thread of its own.

Two radios whose `port` is the same hear each other. They keep every promise; what breaks one stands in `wrong_radios`.
"""

from __future__ import annotations

import math
import random
import threading
from collections.abc import Callable, Mapping
from typing import Any

from harness.clock import WallClock
from harness.errors import BenchError, Unsupported
from harness.ports import RadioSettings, Received, Transmit, Transmitted
from harness.radio.virtual import VirtualAir

PORT = "air://"
QUIET = -95  # dBm, of an air on which nobody speaks


class Ether:
    """One virtual air in real time, for as long as a radio is on it."""

    _all: dict[str, Ether] = {}

    def __init__(self) -> None:
        self.clock = WallClock()
        self.changed = threading.Condition()
        self.air = VirtualAir(random.Random(1))
        self.radios: dict[str, OnTheAir] = {}
        self._thread = threading.Thread(target=self._run, daemon=True)

    @classmethod
    def of(cls, port: str) -> Ether:
        """The air behind a port; made when it is first asked for."""
        return cls._all.setdefault(port, cls())

    def join(self, name: str, radio: OnTheAir) -> None:
        """A radio comes."""
        with self.changed:
            self.radios[name] = radio
            if len(self.radios) == 1:
                self._thread = threading.Thread(target=self._run, daemon=True)
                self._thread.start()

    def leave(self, name: str) -> None:
        """A radio goes; with the last one the thread ends."""
        with self.changed:
            del self.radios[name]
            self.air.switch_off(name)
            self.changed.notify()
            last = not self.radios
        if last:
            self._thread.join()

    def submit(self, name: str, pdu: RadioSettings | Transmit) -> None:
        """A radio is asked for something."""
        with self.changed:
            self.air.submit(name, pdu, self.clock.now())
            self.changed.notify()

    def _run(self) -> None:
        with self.changed:
            while self.radios:
                due = self.air.deadline()
                now = self.clock.now()
                if due is not None and due <= now:
                    for name, pdu in self.air.wake(due):
                        if name in self.radios:
                            self.radios[name].deliver(due, pdu)
                else:
                    self.changed.wait(None if due is None else due - now)


class OnTheAir:
    """One radio. Options: `port`, and `name`, which each radio on an air has for itself."""

    offers = frozenset({"raw", "promiscuous", "source-match", "timestamps", "lqi", "ack-pending", "energy_scan"})
    about: Mapping[str, str] = {"firmware": "virtual air 1", "exercised on hardware": "no"}

    def __init__(self, options: Mapping[str, Any], interrupt: Callable[[], None]) -> None:
        if not options["port"].startswith(PORT) or "127.0.0.1" in options["port"]:
            raise BenchError(f"{options['port']}: there is no radio; right would be {PORT}NAME")
        self._ether = Ether.of(options["port"])
        self._name = options["name"]
        self._interrupt = interrupt
        self._log: list[tuple[float, Received | Transmitted]] = []  # by the air's clock
        self._ahead = math.inf  # seconds that the air's clock is ahead of the bench's
        self._open = True
        self._ether.join(self._name, self)

    def submit(self, pdu: RadioSettings | Transmit, now: float) -> None:
        """Take settings, or a frame."""
        self._ether.submit(self._name, pdu)

    def deliver(self, at: float, pdu: Received | Transmitted) -> None:
        """The air has something for it."""
        self._log.append((at, pdu))
        self._interrupt()

    def told(self, now: float) -> list[tuple[float, Received | Transmitted]]:
        """What came since the last call."""
        if not self._open:
            return []
        with self._ether.changed:
            log, self._log = self._log, []
            self._ahead = min(self._ahead, self._ether.clock.now() - now)  # of all calls the one that came soonest
        return [(min(at - self._ahead, now), pdu) for at, pdu in log]

    def perform(self, operation: str, **given: object) -> object:
        """An energy scan, of an air that is always quiet."""
        if operation != "energy_scan":
            raise Unsupported(f"{self._name}: cannot {operation}")
        return dict.fromkeys(range(11, 27), QUIET)

    def close(self) -> None:
        """Leave the air."""
        if self._open:
            self._open = False
            self._ether.leave(self._name)


class OnlyListens(OnTheAir):
    """One that can be nothing but a sniffer."""

    listens_only = True
    offers = frozenset({"promiscuous", "lqi"})

    def submit(self, pdu: RadioSettings | Transmit, now: float) -> None:
        """Take the channel."""
        if isinstance(pdu, Transmit) or not pdu.promiscuous:
            raise Unsupported(f"{self._name} only listens")
        super().submit(pdu, now)

    def perform(self, operation: str, **given: object) -> object:
        """Nothing."""
        raise Unsupported(f"{self._name}: cannot {operation}")
