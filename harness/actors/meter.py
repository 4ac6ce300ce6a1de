"""The roles NIC and ESI in one: a meter under test that hides the wire of steps 4 and 10; says nothing of how it is filled."""

from __future__ import annotations

from typing import Protocol

from harness.actors.esi import Esi
from harness.usecase import Order
from harness.values import Eui64


class Meter(Esi, Protocol):
    """Receiver of step 3 and producer of step 11 beside what an ESI is; its window is opened by what comes over leg 3."""


class HandOpenedMeter(Meter, Protocol):
    """A meter whose window leg 3 does not open: somebody opens it at the meter itself, when the order has come that far.

    An adapter whose meter takes no leg 3 and that cannot open its window either has `takes_leg_3 = False` and no such verb; what
    is played with it is inconclusive.
    """

    def open_window(self, order: Order, now: float) -> None:
        """Open the joining window for the device of this order, with its key, until the end of the order."""

    def close_window(self, device: Eui64, now: float) -> None:
        """Close the window of a device, for its order was withdrawn."""
