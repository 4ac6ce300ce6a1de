"""How an end device fetches what waits for it at its parent: one data request at a time. Knows no frame format.

IEEE 802.15.4-2006, 7.5.6.3: a data request is acknowledged with or without frame pending; with it, the device listens for
macMaxFrameTotalWaitTime. 05-3474 08006r03, 7.7: how often to poll is the device's own decision.
"""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum, auto

from harness.stack.agenda import Agenda

LISTENING_TIME = 1220 * 16e-6  # seconds: aMaxFrameResponseTime of 802.15.4-2003, 1220 symbols


class PollState(Enum):
    """Where a poll stands."""

    IDLE = auto()
    ASKING = auto()  # the data request is on its way
    LISTENING = auto()  # its acknowledgement said that a frame waits


class PollEvent(Enum):
    """What happens to a poll."""

    DUE = auto()
    NOTHING = auto()  # acknowledged without frame pending
    PENDING = auto()  # acknowledged with frame pending
    UNACKNOWLEDGED = auto()
    FRAME = auto()  # the parent sent a frame, its last one
    MORE = auto()  # the parent sent a frame and has more
    SILENCE = auto()  # the listening time is over


TRANSITIONS: dict[tuple[PollState, PollEvent], PollState] = {  # what is not here changes nothing
    (PollState.IDLE, PollEvent.DUE): PollState.ASKING,
    (PollState.ASKING, PollEvent.NOTHING): PollState.IDLE,
    (PollState.ASKING, PollEvent.PENDING): PollState.LISTENING,
    (PollState.ASKING, PollEvent.UNACKNOWLEDGED): PollState.IDLE,
    (PollState.LISTENING, PollEvent.FRAME): PollState.IDLE,
    (PollState.LISTENING, PollEvent.MORE): PollState.ASKING,
    (PollState.LISTENING, PollEvent.SILENCE): PollState.IDLE,
}


class Polling:
    """Polls once when told, and by itself every `interval` seconds while one is set."""

    def __init__(self, agenda: Agenda, ask: Callable[[float], None], over: Callable[[PollEvent, float], None]) -> None:
        """`ask` sends one data request; `over` is told how a poll ended (one that another follows has not ended)."""
        self.state = PollState.IDLE
        self._agenda = agenda
        self._ask = ask
        self._over = over
        self._interval: float | None = None

    def every(self, interval: float | None, now: float) -> None:
        """Poll every so many seconds from now on; None stops."""
        if interval == self._interval:
            return
        self._interval = interval
        self._schedule(now)

    def once(self, now: float) -> None:
        """Poll now."""
        self.happened(PollEvent.DUE, now)

    def happened(self, event: PollEvent, now: float) -> None:
        """Take one event."""
        following = TRANSITIONS.get((self.state, event))
        if following is None:
            return
        self.state = following
        if following is PollState.ASKING:
            self._agenda.cancel("listening")
            self._ask(now)
        elif following is PollState.LISTENING:
            self._agenda.set("listening", now + LISTENING_TIME, lambda at: self.happened(PollEvent.SILENCE, at))
        else:
            self._agenda.cancel("listening")
            self._schedule(now)
            self._over(event, now)

    def _schedule(self, now: float) -> None:
        if self._interval is None:
            self._agenda.cancel("poll")
        elif self.state is PollState.IDLE:
            self._agenda.set("poll", now + self._interval, lambda at: self.happened(PollEvent.DUE, at))
