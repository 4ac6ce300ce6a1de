"""A second network in range: somebody else's ESI, open to the device under a key that the device does not have. Not judged.

It is filled by the same adapter as the bench's own ESI. Knows no concrete adapter, and no trace.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

from dissectors.security import KEY_LENGTH
from dissectors.smart_energy import PREFERRED_CHANNELS
from harness.actors.setup import Setup
from harness.backhaul.message import LegKind, LegMessage
from harness.backhaul.wires import LEG
from harness.ports import Machine, Message, Pdu
from harness.stack import happenings
from harness.usecase import Actor, Order

NAME = "neighbour"  # of its radio; it is no actor of the use case


def beside(adapter: Callable[[Setup], Machine], bench: Setup, order: Order) -> Neighbour:
    """A neighbour with an address of its own, on the channel that is scanned first, open to the device of `order`.

    `bench` is how the bench's own ESI is set up.
    """
    own = {"eui64": f"{bench.chance.getrandbits(64):016x}", "channel": str(PREFERRED_CHANNELS[0])}
    setup = replace(bench, options={**bench.options, **own})
    return Neighbour(adapter(setup), setup, order)


class Neighbour:
    """An ESI whose window for a device is open from the start, and whose back office is somebody else's."""

    def __init__(self, esi: Machine, setup: Setup, order: Order) -> None:
        self._esi = esi
        command = LegMessage(
            LegKind.OPEN_WINDOW, 1, NAME, order.device, order.device_type, "link_key",
            setup.chance.getrandbits(8 * KEY_LENGTH).to_bytes(KEY_LENGTH, "big"), setup.epoch + timedelta(seconds=order.end),
        )
        esi.receive(Message(LEG, Actor.NIC, Actor.ESI, setup.options["codec"].encode(command)), 0.0)

    def receive(self, pdu: Pdu, now: float) -> None:
        """Take what the radio has to say."""
        self._esi.receive(pdu, now)

    def transmit(self, now: float) -> list[Pdu]:
        """What is for the radio; its reports go to nobody."""
        return [pdu for pdu in self._esi.transmit(now) if not isinstance(pdu, Message)]

    def deadline(self) -> float | None:
        """When it is next to be woken."""
        return self._esi.deadline()

    def wake(self, now: float) -> None:
        """Timers have run out."""
        self._esi.wake(now)

    def events(self) -> list[Any]:
        """Its keys, so that its frames can be read; nothing else that happens there is the bench's affair."""
        return [event for event in self._esi.events() if isinstance(event, happenings.KeyLearnt)]
