"""Frames that wait at a parent until their device asks for them. Knows when they expire; not what they carry.

IEEE 802.15.4-2006, 7.5.5: a transaction waits at most macTransactionPersistenceTime; a frame that was not acknowledged stays
and keeps its sequence number (7.5.6.4.3).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from dissectors.layer import Record
from harness.values import Eui64

Sent = Callable[[bool, float], None]
"""Told whether a frame got to the next hop, and when that was known."""

Payload = Callable[[], bytes | None]
"""A MAC payload, made when it is sent: what waited is secured only then, so that frame counters leave in their order."""

DeviceAddress = Eui64 | int  # an EUI-64 for a device without a short address


@dataclass
class Waiting:
    """One frame for one device."""

    device: DeviceAddress
    header: Record
    payload: Payload
    then: Sent
    expires: float
    in_flight: bool = False


class IndirectQueue:
    """The frames that wait, oldest first."""

    def __init__(self) -> None:
        self._waiting: list[Waiting] = []

    def __len__(self) -> int:
        return len(self._waiting)

    def add(self, frame: Waiting) -> None:
        """Let a frame wait."""
        self._waiting.append(frame)

    def devices(self) -> frozenset[int]:
        """For whom a frame waits."""
        return frozenset(frame.device for frame in self._waiting)

    def first_for(self, device: DeviceAddress) -> Waiting | None:
        """The oldest frame for a device."""
        return next((frame for frame in self._waiting if frame.device == device), None)

    def count_for(self, device: DeviceAddress) -> int:
        """How many frames wait for a device."""
        return sum(frame.device == device for frame in self._waiting)

    def remove(self, frame: Waiting) -> None:
        """Forget a frame; one that is not there is no error."""
        self._waiting = [each for each in self._waiting if each is not frame]

    def take_for(self, device: DeviceAddress) -> list[Waiting]:
        """Take out everything for a device."""
        taken = [frame for frame in self._waiting if frame.device == device]
        self._waiting = [frame for frame in self._waiting if frame.device != device]
        return taken

    def expired(self, now: float) -> list[Waiting]:
        """Take out the frames whose time is over; one that is on the air may still get there."""
        over = [frame for frame in self._waiting if frame.expires <= now and not frame.in_flight]
        self._waiting = [frame for frame in self._waiting if frame not in over]
        return over

    def deadline(self) -> float | None:
        """When the next frame expires."""
        return min((frame.expires for frame in self._waiting if not frame.in_flight), default=None)
