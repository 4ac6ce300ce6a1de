"""The placeholder for a real HAN Device or ESI that stands beside the bench's radios: on the air it speaks for itself.

It sends nothing and hears nothing; it only performs role verbs, as the bench file says (docs/real-devices.md). Knows no radio.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from harness.actors.reports import Logged
from harness.actors.setup import Setup
from harness.adapters.performing import Performing, check
from harness.leg_declaration import ON_LEGS, Legs
from harness.ports import Pdu
from harness.role_verbs import VERBS
from harness.stack.happenings import WindowClosed, WindowOpened
from harness.usecase import Actor, Order, Point
from harness.values import Eui64


class RealDevice:
    """A device or meter under test. Each bench begins with one that knows no network: it is reset before its first part."""

    tells_nothing = True  # of what it does on the air: what a bench waits for is presumed (harness/silent_device.py)
    takes_leg_3 = False  # as NIC and ESI in one: its window is opened by the verb

    @staticmethod
    def hides(actor: Actor, legs: Legs) -> tuple[Point, ...]:
        """What nobody here sees of it: its log, and of a meter what it says on its legs."""
        return (Point.LOG, Point.LEG) if actor in ON_LEGS and actor not in legs.peers else (Point.LOG,)

    @staticmethod
    def live(options: Mapping[str, Any]) -> bool:
        """A bench with something real runs in real time."""
        return True

    check = staticmethod(check)

    def __init__(self, setup: Setup) -> None:
        """Raises ValueError naming an option that is wrong, BenchError for a class that cannot be had."""
        self._setup = setup
        check(setup.actor, setup.options)
        self._performing = Performing(setup, VERBS[setup.actor])
        self._own: Eui64 | None = setup.identity.get("eui64")
        self._was_reset = False
        self._events: list[Any] = []

    # -- the five verbs

    def receive(self, pdu: Pdu, now: float) -> None:
        """Nothing: it has ears of its own."""

    def transmit(self, now: float) -> list[Pdu]:
        """Nothing. Raises BenchError where a command that was not waited for has failed."""
        self._performing.check()
        return []

    def deadline(self) -> float | None:
        """Never."""
        return None

    def wake(self, now: float) -> None:
        """Nothing."""

    def events(self) -> list[Any]:
        """What was done to it, and by whom."""
        events, self._events = self._events, []
        return events

    def address_of(self, actor: str) -> str:
        """It reaches nobody over a wire."""
        return ""

    def close(self) -> None:
        """Let go of what performs its verbs. Raises BenchError for a command that failed."""
        self._performing.close()

    # -- role verbs

    def factory_reset(self, now: float) -> None:
        """Have it forget every network and key but the pre-configured one."""
        self._perform("factory_reset", now)
        self._was_reset = True

    def start_joining(self, now: float) -> None:
        """Have it look for a network; the first time, after a reset."""
        self._know_no_network(now)
        self._perform("start_joining", now)

    def power_cycle(self, now: float) -> None:
        """Take its power and give it back. A device that nobody has switched on yet is reset before, or it would be in the network of an
        earlier bench."""
        if self._setup.actor is Actor.HAN_DEVICE:
            self._know_no_network(now)
        self._perform("power_cycle", now)

    def opt_out(self, now: float) -> None:
        """Have its customer decline the event that is on, or to come."""
        self._perform("opt_out", now)

    def renew_network_key(self, now: float) -> None:
        """Have it give every device a further network key."""
        self._perform("renew_network_key", now)

    def switch_network_key(self, now: float) -> None:
        """Have it use that key."""
        self._perform("switch_network_key", now)

    def open_window(self, order: Order, now: float) -> None:
        """Have its window opened; the first time, after a reset where the bench file says how."""
        if not self._was_reset and self._performing.has("factory_reset"):
            self.factory_reset(now)
        self._perform("open_window", now, order)
        self._events.append(WindowOpened(order.device, order.end, now))

    def close_window(self, device: Eui64, now: float) -> None:
        """Have the window of a device closed."""
        self._perform("close_window", now, device)
        self._events.append(WindowClosed(device, now, cancelled=True))

    def _know_no_network(self, now: float) -> None:
        if not self._was_reset:
            self.factory_reset(now)

    def _perform(self, verb: str, now: float, told: Order | Eui64 | None = None) -> None:
        by = self._performing.perform(verb, self._own if told is None else told, now, told)
        self._events.append(Logged(f"{verb} was performed by {by}"))
