"""What has come by real wires and waits to be looked at: bounded, so that a flood takes no more than so much memory; knows no role.

Carriers put from their threads; one other thread takes. What finds no room is counted, its exchange is closed, and one flaw says so.
"""

from __future__ import annotations

import threading
from collections import deque
from dataclasses import dataclass

from harness.backhaul.carrier import Carrier, Parcel


@dataclass(frozen=True)
class Room:
    """How much there is room for. `lasting`: what was taken counts on, so that there is an end of it in any case."""

    parcels: int = 4096
    octets: int = 256 << 20
    lasting: bool = False


class Inbox:
    """Parcels by the name of their wire, oldest first."""

    def __init__(self, room: Room) -> None:
        self._room = room
        self._changed = threading.Condition()
        self._waiting: deque[tuple[str, Parcel]] = deque()
        self._parcels = self._octets = 0
        self._turned_away: dict[str, int] = {}  # by wire, since that was last told
        self._over = False  # there is no room any more, and that was told

    def put(self, wire: str, parcel: Parcel, carrier: Carrier | None = None) -> None:
        """From any thread. Where there is no room for it, its exchange is closed at its carrier."""
        with self._changed:
            full = self._parcels >= self._room.parcels or self._octets + len(parcel.octets) > self._room.octets
            if full:
                if not self._over:
                    self._turned_away[wire] = self._turned_away.get(wire, 0) + 1
            else:
                self._parcels += 1
                self._octets += len(parcel.octets)
                self._waiting.append((wire, parcel))
            self._changed.notify()
        if full and carrier is not None and parcel.exchange:
            carrier.drop(parcel.exchange)

    def take(self, wait: float = 0.0) -> tuple[str, Parcel] | None:
        """The oldest, after `wait` seconds at most; None where nothing has come."""
        with self._changed:
            self._changed.wait_for(lambda: bool(self._waiting or self._turned_away), wait)
            if not self._waiting:
                return self._told()
            wire, parcel = self._waiting.popleft()
            if not self._room.lasting:
                self._parcels -= 1
                self._octets -= len(parcel.octets)
            return wire, parcel

    def _told(self) -> tuple[str, Parcel] | None:
        """What is left to say about those that found no room, when all others have been taken."""
        if not self._turned_away:
            return None
        wire, many = self._turned_away.popitem()
        self._over = self._room.lasting
        return wire, Parcel(b"", flaw=f"a flood: {many} more came than there was room for, and were not looked at")
