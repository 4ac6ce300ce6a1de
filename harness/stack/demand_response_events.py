"""The life of one load control event at a device, as a table: what state it is in and what is reported. Knows no frame.

SE 1.0 (075356), annex D.3. `TRANSITIONS` is complete: every state has an entry for every step.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, auto

from dissectors.clusters.drlc import EventStatus
from dissectors.layer import Record


class State(Enum):
    """Where an event stands."""

    SCHEDULED = auto()
    SCHEDULED_OUT = auto()  # the user declined before the start
    RUNNING = auto()
    OUT = auto()  # running, and the user declined before the start
    LEFT = auto()  # running, and the user declined in the middle
    BACK = auto()  # running, and the user came back
    ENDED = auto()


class Step(Enum):
    """What happens to an event."""

    START = auto()
    END = auto()
    CANCEL = auto()
    SUPERSEDE = auto()
    OPT_OUT = auto()
    OPT_IN = auto()


_ALIVE = tuple(state for state in State if state is not State.ENDED)

TRANSITIONS: dict[tuple[State, Step], tuple[State, EventStatus | None]] = {
    **{(state, step): (state, None) for state in State for step in Step},  # what is below overrules this
    **{(state, Step.CANCEL): (State.ENDED, EventStatus.CANCELLED) for state in _ALIVE},
    **{(state, Step.SUPERSEDE): (State.ENDED, EventStatus.SUPERSEDED) for state in _ALIVE},
    (State.SCHEDULED, Step.START): (State.RUNNING, EventStatus.STARTED),
    (State.SCHEDULED, Step.OPT_OUT): (State.SCHEDULED_OUT, None),  # reported at the start
    (State.SCHEDULED_OUT, Step.OPT_IN): (State.SCHEDULED, None),
    (State.SCHEDULED_OUT, Step.START): (State.OUT, EventStatus.OPT_OUT),
    (State.RUNNING, Step.OPT_OUT): (State.LEFT, EventStatus.OPT_OUT),
    (State.BACK, Step.OPT_OUT): (State.LEFT, EventStatus.OPT_OUT),
    (State.OUT, Step.OPT_IN): (State.BACK, EventStatus.OPT_IN),
    (State.LEFT, Step.OPT_IN): (State.BACK, EventStatus.OPT_IN),
    (State.RUNNING, Step.END): (State.ENDED, EventStatus.COMPLETED),
    (State.OUT, Step.END): (State.ENDED, EventStatus.COMPLETED_WITHOUT_PARTICIPATION),
    (State.LEFT, Step.END): (State.ENDED, EventStatus.PARTIALLY_COMPLETED_WITH_OPT_OUT),
    (State.BACK, Step.END): (State.ENDED, EventStatus.PARTIALLY_COMPLETED_WITH_OPT_IN),
}


@dataclass
class Scheduled:
    """An event that a device has taken: the command, from when to when (seconds since the bench started), its state."""

    command: Record
    start: float
    end: float
    state: State = State.SCHEDULED

    @property
    def alive(self) -> bool:
        """Whether it has not ended."""
        return self.state is not State.ENDED

    def step(self, step: Step) -> EventStatus | None:
        """Let a step happen; returns what is to be reported, if anything."""
        self.state, status = TRANSITIONS[self.state, step]
        return status

    def overlaps(self, start: float, end: float) -> bool:
        """Whether both are in force at some time."""
        return self.start < end and start < self.end
