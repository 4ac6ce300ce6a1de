"""The role AMI Head-End: takes the back office's orders and reports what became of them; says nothing of how it is filled."""

from __future__ import annotations

from typing import Protocol

from harness.ports import Machine


class HeadEnd(Machine, Protocol):
    """Receiver of steps 1 and 12, producer of steps 2 and 13."""

    def knows_meter(self, meter: str) -> bool:
        """Whether a meter is registered with it (a precondition of the use case)."""
