"""The role AMI Network: carries orders to the meters' NICs and reports back; says nothing of how it is filled."""

from __future__ import annotations

from typing import Protocol

from harness.ports import Machine


class AmiNetwork(Machine, Protocol):
    """Receiver of steps 2 and 11, producer of steps 3 and 12; it has no role verb of its own."""
