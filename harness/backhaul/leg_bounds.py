"""How much a leg over a network may take of time and memory before what it does is a flaw. Values only."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class LegBounds:
    """Bounds of one carrier; times in seconds.

    `largest` octets of one message; `connections` accepted at a time; `waiting` messages to one peer; `a_second` messages taken
    from one peer, what is more waits at the peer (over UDP in the system's buffer, which drops what it cannot hold). `whole` is
    how long a message may take from its first octet to its last, `connecting` and `writing` what they say; a connection that
    cannot be had is tried `tries` times, `pause` apart.
    """

    largest: int = 65_536
    connections: int = 64
    waiting: int = 256
    a_second: int = 2_000
    whole: float = 30.0
    connecting: float = 5.0
    writing: float = 10.0
    tries: int = 3
    pause: float = 0.2


class Pace:
    """So many a second, and a pause for what is more; time is an argument, in seconds of any clock."""

    def __init__(self, a_second: int) -> None:
        self._most = a_second
        self._second = 0
        self._count = 0

    def after_one(self, now: float) -> float:
        """Count one at `now`; returns for how many seconds nothing more is to be taken."""
        if int(now) != self._second:
            self._second, self._count = int(now), 0
        self._count += 1
        return 0.0 if self._count < self._most else self._second + 1 - now
