"""The role CIS: the system of record for customers, premises and meters; says nothing of how it is filled."""

from __future__ import annotations

from typing import Protocol

from harness.ports import Machine
from harness.values import Eui64


class Cis(Machine, Protocol):
    """Receiver of step 14; tells the head-end which meters there are."""

    def register_meter(self, meter: str, now: float) -> None:
        """Send the meter's record to the head-end (a precondition of the use case)."""

    def devices_at(self, premise: str) -> tuple[Eui64, ...]:
        """The HAN devices linked to a premise, for the question of the first postcondition; in the order they were linked."""

    def enrolled_in(self, premise: str) -> tuple[str, ...]:
        """The programmes that the customer at a premise is enrolled in: "DR", "RTP"; for a precondition of the use case."""
