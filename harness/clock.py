"""Time: a clock that jumps and clocks that wait. This is the only module that may import `time`.

Times are float seconds since the bench started; UTC is the bench's epoch plus that.
"""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Protocol

VIRTUAL_EPOCH = datetime(2026, 1, 15, 12, 0, 0, tzinfo=UTC)  # t = 0 of every virtual bench, so that two runs are identical
SMART_ENERGY_EPOCH = datetime(2000, 1, 1, tzinfo=UTC)  # ZCL 075123, data type e2 (UTCTime)


class Clock(Protocol):
    """What a bench needs of time."""

    epoch: datetime

    def now(self) -> float:
        """Seconds since the bench started."""

    def wait_until(self, instant: float) -> None:
        """Return when it is `instant` or later."""


class VirtualClock:
    """Jumps; never runs backwards."""

    def __init__(self, epoch: datetime = VIRTUAL_EPOCH) -> None:
        self.epoch = epoch
        self._now = 0.0

    def now(self) -> float:
        """Seconds since the bench started."""
        return self._now

    def wait_until(self, instant: float) -> None:
        """Jump to `instant`; an instant in the past changes nothing."""
        self._now = max(self._now, instant)


class WallClock:
    """Really waits."""

    def __init__(self) -> None:
        self.epoch = datetime.now(UTC)
        self._start = time.monotonic()

    def now(self) -> float:
        """Seconds since the bench started, monotonic."""
        return time.monotonic() - self._start

    def wait_until(self, instant: float) -> None:
        """Sleep until `instant`."""
        time.sleep(max(0.0, instant - self.now()))


class LiveClock:
    """Real time for a bench that has something real on it: it waits, and stands still while the bench works.

    What is due at an instant is done with exactly that instant as its time, even if the machine came to it a little later, so
    that the virtual part of a bench keeps its own timing to the microsecond.
    """

    def __init__(self) -> None:
        self.epoch = datetime.now(UTC)
        self._start = time.monotonic()
        self._now = 0.0
        self._arrived = threading.Event()
        self._pauses: tuple[tuple[float, float], ...] = ()  # readings of `wall_seconds` between which time stood still

    def now(self) -> float:
        """Seconds since the bench started, as far as the bench has come; never ahead of the real time."""
        return self._now

    def wait_until(self, instant: float) -> None:
        """Sleep until `instant`, or until `interrupt` is called: then it may be earlier."""
        interrupted = self._arrived.wait(max(0.0, instant - self._elapsed()))
        if interrupted:  # what arrives only now is for the next wait
            self._arrived.clear()
        self._now = max(self._now, min(instant, self._elapsed()) if interrupted else instant)

    def begin(self) -> float:
        """Time begins now: whatever was done until now took none. Says how many seconds that were, by which UTC is ahead of this clock."""
        before, self._start, self._pauses = self._start, time.monotonic(), ()
        return self._start - before

    def interrupt(self) -> None:
        """Something has arrived: whoever waits goes on. May be called from any thread."""
        self._arrived.set()

    @contextmanager
    def standing_still(self) -> Iterator[None]:
        """While the context lasts no time passes; what arrives meanwhile waits, and arrived at the instant at which time stopped."""
        earlier, begin = self._pauses, time.monotonic()
        self._pauses = (*earlier, (begin, math.inf))
        try:
            yield
        finally:
            self._pauses = (*earlier, (begin, time.monotonic()))

    def at(self, reading: float) -> float:
        """The bench time of a reading of `wall_seconds`. May be called from any thread."""
        return reading - self._start - sum(min(reading, end) - begin for begin, end in self._pauses if begin < reading)

    def _elapsed(self) -> float:
        return self.at(time.monotonic())


def wall_utc() -> datetime:
    """The real UTC time, for run ids and for stamps of when a run was made; never for judging."""
    return datetime.now(UTC)


def wall_seconds() -> float:
    """A monotonic reading for durations in reports; never for judging."""
    return time.monotonic()


def utc(epoch: datetime, seconds: float) -> datetime:
    """The UTC instant `seconds` after the bench started."""
    return epoch + timedelta(seconds=seconds)


def smart_energy_time(epoch: datetime, seconds: float) -> int:
    """The same instant as a ZCL UTCTime: whole seconds since 2000-01-01T00:00:00Z."""
    return int((utc(epoch, seconds) - SMART_ENERGY_EPOCH).total_seconds())
