"""Who stands on a served air, for a bench on the other side of its radios: nothing of it is here but its role verbs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from harness.actors.setup import Setup
from harness.adapters.control import Control
from harness.leg_declaration import Legs
from harness.ports import Pdu
from harness.stack.happenings import WindowOpened
from harness.usecase import Actor, Order, Point
from harness.values import Eui64


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
    """An actor that is there. Option: `control`, the served air's endpoint."""

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
        self._actor = setup.actor
        self._control = Control(setup.options["control"])

    def address_of(self, actor: Actor) -> str:
        """Nobody reaches it over a wire."""
        return ""

    takes_leg_3 = False

    def open_window(self, order: Order, now: float) -> None:
        """Have it open the window of whom it was started for."""
        self._control.call("open_window", actor=self._actor)
        self._events.append(WindowOpened(order.device, order.end, now))

    def close_window(self, device: Eui64, now: float) -> None:
        """Its window ends by itself."""

    def start_joining(self, now: float) -> None:
        """Have it join, having forgotten whatever network it was on before."""
        self._control.call("factory_reset", actor=self._actor)
        self._control.call("start_joining", actor=self._actor)

    def close(self) -> None:
        """Let go of the endpoint."""
        self._control.close()
