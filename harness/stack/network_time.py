"""A device's idea of UTC: what it read from the ESI's Time cluster, and when it must not read it again. Sends nothing.

ZCL 075123, 3.12; SE 1.0 (075356), 5.4.2: a device keeps time by itself and asks no more than once in 24 hours.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from dissectors.clusters.time import INVALID_TIME, TIME, TIME_STATUS, TimeStatus
from harness.stack.policy import Policy

DAY = 24 * 3600.0
TOO_OFTEN = 240.0  # seconds between two reads of a device that does not keep to it

WANTED = (TIME, TIME_STATUS)


class NetworkTime:
    """UTC as a difference to the bench's seconds; None until a valid time was read."""

    def __init__(self, policy: Policy) -> None:
        self._policy = policy
        self._difference: int | None = None

    def take(self, values: Mapping[int, Any], now: float) -> bool:
        """Take what a Read Attributes Response gave; whether it was good for setting the time."""
        time, status = values.get(TIME, INVALID_TIME), TimeStatus(values.get(TIME_STATUS, 0))
        trusted = bool(status & (TimeStatus.MASTER | TimeStatus.SYNCHRONIZED)) or self._policy.uses_unsynchronised_time
        if (time == INVALID_TIME and not self._policy.uses_invalid_time) or not trusted:
            return False
        self._difference = time - int(now)
        return True

    def utc(self, now: float) -> int | None:
        """The UTCTime now, None while it is not known."""
        return None if self._difference is None else (int(now) + self._difference) % (INVALID_TIME + 1)

    def instant(self, utc: int) -> float | None:
        """When on the bench's clock that UTCTime is."""
        return None if self._difference is None else float(utc - self._difference)

    def forget(self) -> None:
        """Know no time any more."""
        self._difference = None

    @property
    def interval(self) -> float:
        """Seconds until it is read again."""
        return DAY if self._policy.reads_time_once_a_day else TOO_OFTEN
