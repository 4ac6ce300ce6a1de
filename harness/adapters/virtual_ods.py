"""A virtual ODS: listens to the head-end's events and keeps them; sans-I/O."""

from __future__ import annotations

from typing import Any

from harness.actors.reports import Logged
from harness.actors.setup import Setup
from harness.adapters.back_office_policy import policy_of
from harness.cim import end_device_events
from harness.cim.correspondent import Correspondent
from harness.cim.end_device_events import DeviceEvent
from harness.cim.envelope import Kind
from harness.cim.nouns import END_DEVICE_EVENTS
from harness.cim.originator import Originator
from harness.ports import Message, Pdu
from harness.usecase import Actor


class VirtualOds:
    """One ODS. It takes no requests and sends none."""

    def __init__(self, setup: Setup) -> None:
        self.cim = setup.cim
        self.heard: list[DeviceEvent] = []
        self._bus = Correspondent(
            Originator(Actor.ODS, setup.epoch, setup.chance, setup.cim), policy_of(setup), (),
            addresses=setup.reply_addresses,
        )
        self._events: list[Any] = []

    def events_held(self) -> tuple[str, ...]:
        """The codes of the events it has been told, oldest first."""
        return tuple(str(event.code) for event in self.heard)

    def receive(self, pdu: Pdu, now: float) -> None:
        """Take a CIM message."""
        incoming = self._bus.receive(pdu, now) if isinstance(pdu, Message) else None
        if incoming is None or incoming.message.kind is not Kind.EVENT or incoming.message.noun != END_DEVICE_EVENTS:
            return
        happened = end_device_events.read(incoming.message.payload, self.cim) if incoming.message.payload is not None else []
        self.heard += happened
        self._events += [Logged(f"told: {event.code.name} {event.device}") for event in happened]

    def transmit(self, now: float) -> list[Pdu]:
        """What is to go out now: refusals and acknowledgements."""
        return list(self._bus.transmit())

    def deadline(self) -> float | None:
        """Never: it only listens."""
        return self._bus.deadline()

    def wake(self, now: float) -> None:
        """Whatever is due on the bus."""
        self._bus.wake(now)

    def events(self) -> list[Any]:
        """What happened since the last call."""
        events, self._events = self._events, []
        return events
