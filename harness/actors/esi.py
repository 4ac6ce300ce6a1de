"""The role ESI: the meter's end of the HAN, its coordinator and trust centre; says nothing of how it is filled."""

from __future__ import annotations

from typing import Protocol

from harness.ports import Machine


class Esi(Machine, Protocol):
    """Receiver of steps 4, 5 and 7 to 9, producer of steps 6 and 10; windows come to it over leg 4."""

    def power_cycle(self, now: float) -> None:
        """Lose power and come back with what it keeps over that."""

    def renew_network_key(self, now: float) -> None:
        """Give every device a further network key (05-3474, 4.6.3.4.1)."""

    def switch_network_key(self, now: float) -> None:
        """Have every device use the newest network key."""
