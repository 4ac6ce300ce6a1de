"""Who stands on a served air, for a bench on the other side of its radios: nothing of it is here but its role verbs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from harness.actors.setup import Setup
from harness.actors.verbs import order_in_words
from harness.adapters.control import Control
from harness.leg_declaration import Legs
from harness.ports import Pdu
from harness.stack.happenings import ApplicationDone, WindowClosed, WindowOpened
from harness.tests.served import ServedProcess
from harness.usecase import Actor, Order, Point
from harness.values import Eui64

HAPPENINGS = {each.__name__: each for each in (ApplicationDone, WindowClosed)}  # what a bench waits for


class Absent:
    """Nobody."""

    def __init__(self, setup: Setup) -> None:
        self._events: list[Any] = []

    def receive(self, pdu: Pdu, now: float) -> None:
        """Nothing reaches it but over the air."""

    def transmit(self, now: float) -> list[Pdu]:
        """Nothing comes from it but over the air."""
        return []

    def deadline(self) -> float | None:
        """It is due by its own clock."""
        return None

    def wake(self, now: float) -> None:
        """It wakes by itself."""

    def events(self) -> list[Any]:
        """What was done to it."""
        events, self._events = self._events, []
        return events


class There(Absent):
    """An actor that is there. Options: `control`, the served air's endpoint, and `said`, the process that serves it and says what happens
    to the actor: else nobody here learns that."""

    @staticmethod
    def hides(actor: Actor, legs: Legs) -> tuple[Point, ...]:
        """What nobody here sees of it."""
        return (Point.LOG,)

    @staticmethod
    def live(options: Mapping[str, Any]) -> bool:
        """It lives in real time."""
        return True

    def __init__(self, setup: Setup) -> None:
        super().__init__(setup)
        self._actor, self._now = setup.actor, 0.0
        self._device = setup.orders[0].device
        self._control = Control(setup.options["control"])
        self._said: ServedProcess | None = setup.options.get("said")
        self._read = 0
        if self._said is not None:
            self._said.listeners.append(setup.interrupt)

    def transmit(self, now: float) -> list[Pdu]:
        """Nothing; but now is when it is asked next what happened."""
        self._now = now
        return []

    def events(self) -> list[Any]:
        """What was done to it, and what it said since."""
        lines = self._said.lines[self._read:] if self._said is not None else []
        self._read += len(lines)
        happened = [HAPPENINGS.get(line.removeprefix(f"{self._actor}: ")) for line in lines]
        return [*super().events(), *(each(self._device, at=self._now) for each in happened if each is not None)]

    def address_of(self, actor: Actor) -> str:
        """Nobody reaches it over a wire."""
        return ""

    takes_leg_3 = False

    def open_window(self, order: Order, now: float) -> None:
        """Have it open a window as ordered; `order` starts now."""
        self._control.call("open_window", actor=self._actor, order=order_in_words(order))
        self._events.append(WindowOpened(order.device, order.end, now))

    def close_window(self, device: Eui64, now: float) -> None:
        """Have it close a window."""
        self._control.call("close_window", actor=self._actor, device=str(device))

    def start_joining(self, now: float) -> None:
        """Switch it on."""
        self._control.call("start_joining", actor=self._actor)

    def factory_reset(self, now: float) -> None:
        """Have it forget every network."""
        self._control.call("factory_reset", actor=self._actor)

    def power_cycle(self, now: float) -> None:
        """Have its power fail and return."""
        self._control.call("power_cycle", actor=self._actor)

    def opt_out(self, now: float) -> None:
        """Have its customer decline the event."""
        self._control.call("opt_out", actor=self._actor)

    def renew_network_key(self, now: float) -> None:
        """Have it give every device a further network key."""
        self._control.call("renew_network_key", actor=self._actor)

    def switch_network_key(self, now: float) -> None:
        """Have it use that."""
        self._control.call("switch_network_key", actor=self._actor)

    def close(self) -> None:
        """Let go of the endpoint."""
        self._control.close()
