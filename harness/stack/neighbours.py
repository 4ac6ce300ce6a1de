"""Who has which address: the children of a coordinator, the address map, the allocation of short addresses. Knows no frame.

Clauses: 05-3474, 3.6.1.5 (neighbour table), 3.6.1.7 (stochastic address assignment), 2.2.7.2 (address map).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

from dissectors.layer import Record, parse_whole
from dissectors.mac import Capability
from dissectors.nwk import COORDINATOR, MAX_UNICAST
from harness.ports import Chance
from harness.values import Eui64


@dataclass(frozen=True)
class Child:
    """A device that joined through this node; `capability` is the octet it associated or rejoined with."""

    ieee: Eui64
    short_address: int
    capability: int

    @property
    def sleepy(self) -> bool:
        """Its receiver is off when idle: frames for it wait until it polls."""
        return not _bits(self.capability).receiver_on_when_idle

    @property
    def router(self) -> bool:
        """A full-function device, which relays broadcasts."""
        return bool(_bits(self.capability).full_function_device)


@lru_cache
def _bits(capability: int) -> Record:
    return parse_whole(Capability, bytes([capability]))


class Neighbours:
    """Children and addresses of one node. A device keeps its short address as long as it is known."""

    def __init__(self) -> None:
        self.children: dict[Eui64, Child] = {}
        self._ieee_of: dict[int, Eui64] = {}
        self._short_of: dict[Eui64, int] = {}

    def remember(self, short: int, ieee: Eui64) -> None:
        """Note an address; it replaces what was known of either half."""
        if not COORDINATOR <= short <= MAX_UNICAST or self._ieee_of.get(short) == ieee:
            return
        before = self._ieee_of.get(short)
        if before is not None:
            self._short_of.pop(before, None)
        self._ieee_of.pop(self._short_of.get(ieee, short), None)
        self._ieee_of[short], self._short_of[ieee] = ieee, short

    def ieee_of(self, short: int) -> Eui64 | None:
        """Whose short address it is."""
        return self._ieee_of.get(short)

    def short_of(self, ieee: Eui64) -> int | None:
        """The short address of a device."""
        return self._short_of.get(ieee)

    def assign(self, ieee: Eui64, chance: Chance, wanted: int | None = None) -> int:
        """A short address for a device: the one it had, else the one it wants if that is free, else a random free one.

        It is from 0001 to fff7, and the device's from now on.
        """
        short = self.short_of(ieee)
        if short is None:
            short = wanted
        while short is None or not COORDINATOR < short <= MAX_UNICAST or self._ieee_of.get(short, ieee) != ieee:
            short = chance.randrange(COORDINATOR + 1, MAX_UNICAST + 1)
        self.remember(short, ieee)
        return short

    def adopt(self, child: Child) -> None:
        """Take a child, and its address."""
        self.children[child.ieee] = child
        self.remember(child.short_address, child.ieee)

    def dismiss(self, ieee: Eui64) -> None:
        """Forget that a device is a child; its address stays known."""
        self.children.pop(ieee, None)

    def child_at(self, short: int) -> Child | None:
        """The child with this short address."""
        return next((child for child in self.children.values() if child.short_address == short), None)

    def take(self, other: Neighbours) -> None:
        """Become a copy of another table."""
        self.children = dict(other.children)
        self._ieee_of, self._short_of = dict(other._ieee_of), dict(other._short_of)

    def forget_all(self) -> None:
        """Leave the network: nobody is known any more."""
        self.children.clear()
        self._ieee_of.clear()
        self._short_of.clear()
