"""Which broadcasts a node has seen, and whether its router neighbours passed them on. Knows no frame.

05-3474, 3.6.5: the broadcast transaction table, passive acknowledgement.
"""

from __future__ import annotations

from dataclasses import dataclass, field

DELIVERY_TIME = 9.0  # seconds, nwkNetworkBroadcastDeliveryTime, 3.5.2
PASSIVE_ACK_TIMEOUT = 0.5  # seconds, nwkPassiveAckTimeout, 3.5.2
MAX_RETRIES = 2  # nwkMaxBroadcastRetries, 3.5.2
JITTER = 0.064  # seconds, nwkcMaxBroadcastJitter, 3.5.1

BroadcastKey = tuple[int, int]
"""NWK source address and NWK sequence number."""


@dataclass
class _Entry:
    expires: float
    passed_on: set[int] = field(default_factory=set)


class BroadcastTable:
    """The broadcast transactions of the last nine seconds."""

    def __init__(self) -> None:
        self._entries: dict[BroadcastKey, _Entry] = {}

    def is_new(self, key: BroadcastKey, now: float) -> bool:
        """Enter a broadcast; False when it is there already."""
        self._entries = {each: entry for each, entry in self._entries.items() if entry.expires > now}
        if key in self._entries:
            return False
        self._entries[key] = _Entry(now + DELIVERY_TIME)
        return True

    def heard_from(self, key: BroadcastKey, neighbour: int) -> None:
        """A neighbour (its short address) sent the broadcast, and so has it."""
        if key in self._entries:
            self._entries[key].passed_on.add(neighbour)

    def is_passed_on(self, key: BroadcastKey, neighbours: set[int]) -> bool:
        """Whether all these neighbours have it (also when nothing is known of it any more)."""
        return key not in self._entries or neighbours <= self._entries[key].passed_on
