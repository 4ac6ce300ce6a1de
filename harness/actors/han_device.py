"""The role HAN Device: a thermostat or load control switch that is to be provisioned; says nothing of how it is filled."""

from __future__ import annotations

from typing import Protocol

from harness.ports import Machine


class HanDevice(Machine, Protocol):
    """Producer of steps 5 and 7 to 9, receiver of step 6."""

    def start_joining(self, now: float) -> None:
        """Be switched on, or have its button pushed: look for a network and join."""

    def power_cycle(self, now: float) -> None:
        """Lose power and come back with what it keeps over that."""

    def factory_reset(self, now: float) -> None:
        """Forget every network and key but the pre-configured one."""

    def opt_out(self, now: float) -> None:
        """Have its customer decline the load control event that is on, or to come."""
