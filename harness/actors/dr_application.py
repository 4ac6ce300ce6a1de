"""The role DR Application: orders joining windows and learns which devices joined; says nothing of how it is filled."""

from __future__ import annotations

from typing import Protocol

from harness.ports import Machine
from harness.usecase import Order
from harness.values import Eui64


class DrApplication(Machine, Protocol):
    """Producer of steps 1 and 14, receiver of step 13."""

    def order_window(self, order: Order, now: float) -> None:
        """Step 1: ask for the joining window of this order."""

    def cancel_window(self, order: Order, now: float) -> None:
        """Withdraw it."""

    def state_of(self, device: Eui64) -> str:
        """What it holds about a device, asked as the DRMS of the postconditions: "joined" when step 13 has said so."""
