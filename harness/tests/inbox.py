"""What a carrier delivered, for tests of every wire to wait for. Knows no wire."""

from __future__ import annotations

import threading
from collections.abc import Callable

from harness.backhaul.carrier import Parcel

WITHIN = 10.0  # seconds of real time that a test waits for what should come at once


class Inbox:
    """What a carrier delivered, oldest first."""

    def __init__(self) -> None:
        self.parcels: list[Parcel] = []
        self._changed = threading.Condition()
        self._read = 0

    def __call__(self, parcel: Parcel) -> None:
        with self._changed:
            self.parcels.append(parcel)
            self._changed.notify_all()

    def wait(self, count: int = 1, within: float = WITHIN, what: Callable[[Parcel], bool] | None = None) -> list[Parcel]:
        """The parcels of this kind (None: of any), as soon as there are so many."""
        def found() -> list[Parcel]:
            return self.parcels if what is None else [each for each in self.parcels if what(each)]

        with self._changed:
            assert self._changed.wait_for(lambda: len(found()) >= count, within), f"{count} parcels were expected, there are {self.parcels}"
            return list(found())

    def one(self, within: float = WITHIN) -> Parcel:
        """The only parcel so far."""
        (parcel,) = self.wait(1, within)
        return parcel

    def next(self, within: float = WITHIN) -> Parcel:
        """The oldest that was not asked for yet."""
        self._read += 1
        return self.wait(self._read, within)[self._read - 1]
