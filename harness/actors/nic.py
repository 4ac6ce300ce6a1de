"""The role NIC: the meter's end of the AMI network; says nothing of how it is filled."""

from __future__ import annotations

from typing import Protocol

from harness.ports import Machine


class Nic(Machine, Protocol):
    """Receiver of steps 3 and 10, producer of steps 4 and 11; it has no role verb of its own."""
