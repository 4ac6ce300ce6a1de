"""The second meter of a bench: a NIC, an ESI and a HAN of its own, out of range of the first. Knows no concrete adapter, no trace.

Its NIC and ESI are filled by the same adapters as the bench's own, each of which takes itself for the only one of its kind. On
the wires they are `NIC 2` and `ESI 2`; here the names are translated.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from harness.ports import Machine, Message, Pdu
from harness.usecase import Actor, kind_of, second

OF_ITS_OWN = (Actor.NIC, Actor.ESI)  # what is inside a meter


class Elsewhere:
    """A machine of the second meter: to itself the only one of its kind, to everybody else the second."""

    def __init__(self, machine: Machine) -> None:
        self._machine = machine

    def receive(self, pdu: Pdu, now: float) -> None:
        """Take what comes in, addressed as it knows itself and its meter."""
        if isinstance(pdu, Message):
            pdu = replace(pdu, producer=kind_of(pdu.producer), receiver=kind_of(pdu.receiver))
        self._machine.receive(pdu, now)

    def transmit(self, now: float) -> list[Pdu]:
        """What is to go out, under the names that it and its meter have on this bench."""
        return [
            replace(pdu, producer=_here(pdu.producer), receiver=_here(pdu.receiver)) if isinstance(pdu, Message) else pdu
            for pdu in self._machine.transmit(now)
        ]

    def deadline(self) -> float | None:
        """When it is next to be woken."""
        return self._machine.deadline()

    def wake(self, now: float) -> None:
        """Timers have run out."""
        self._machine.wake(now)

    def events(self) -> list[Any]:
        """What happened since the last call."""
        return self._machine.events()


def _here(name: str) -> str:
    return second(Actor(name)) if name in OF_ITS_OWN else name
