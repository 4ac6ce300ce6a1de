"""The joining windows that a trust centre holds: which device, which key, until when, how far it has come. Sends nothing.

The registration of an ordered device is a table, `TRANSITIONS`, complete for every state and event (SE 1.0, 5.4.1 and 5.5).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import Enum, auto

from harness.stack.happenings import FailureReason
from harness.stack.policy import Policy
from harness.values import Eui64


class Registration(Enum):
    """How far an ordered device has come inside its window."""

    ORDERED = auto()  # nothing seen of it
    ADMITTED = auto()  # it associated and was sent the network key
    ANNOUNCED = auto()  # it announced itself: it has the network key
    ESTABLISHING = auto()  # key establishment gave a key that the device has not acknowledged yet
    REGISTERED = auto()  # step 8 is complete


class Step(Enum):
    """What moves a registration on."""

    ASSOCIATED = auto()
    ANNOUNCED = auto()
    ESTABLISHED = auto()
    ACKNOWLEDGED = auto()
    WITHDRAWN = auto()  # an exchange failed, or the device refused the key
    LEFT = auto()


_AFTER_KEY = (Registration.ESTABLISHING, Registration.REGISTERED)

TRANSITIONS: dict[tuple[Registration, Step], Registration] = {
    **{(state, step): state for state in Registration for step in Step},  # what is below overrules this
    **{(state, Step.ASSOCIATED): Registration.ADMITTED for state in Registration},  # a new start, whatever was before
    **{(state, Step.LEFT): Registration.ORDERED for state in Registration},
    **{(state, Step.ESTABLISHED): Registration.ESTABLISHING for state in Registration},
    **{(state, Step.WITHDRAWN): Registration.ANNOUNCED for state in _AFTER_KEY},
    (Registration.ORDERED, Step.ANNOUNCED): Registration.ANNOUNCED,  # it rejoined: an old member, ordered again
    (Registration.ADMITTED, Step.ANNOUNCED): Registration.ANNOUNCED,
    (Registration.ESTABLISHING, Step.ACKNOWLEDGED): Registration.REGISTERED,
}

FAILURES: dict[Registration, FailureReason | None] = {  # what a registration means when its window is over
    Registration.ORDERED: FailureReason.NEVER_SEEN,
    Registration.ADMITTED: FailureReason.KEY_NOT_TAKEN,
    Registration.ANNOUNCED: FailureReason.KEY_ESTABLISHMENT,
    Registration.ESTABLISHING: FailureReason.KEY_ESTABLISHMENT,
    Registration.REGISTERED: None,
}


@dataclass
class Window:
    """One device's window: open until `end` (seconds since the bench started), then kept until its outcome is known."""

    device: Eui64
    link_key: bytes = field(repr=False)
    end: float
    registration: Registration = Registration.ORDERED
    open: bool = True
    provisioned: bool = False  # it registered, and has not begun anew: that it left again is no failure of the order

    def step(self, step: Step) -> None:
        """Move the registration on."""
        self.registration = TRANSITIONS[self.registration, step]
        if step is Step.ASSOCIATED:
            self.provisioned = False
        elif self.registration is Registration.REGISTERED:
            self.provisioned = True

    @property
    def failure(self) -> FailureReason | None:
        """What it means when the window is over now: None where its order came to what it was for."""
        return None if self.provisioned else FAILURES[self.registration]


class WindowTable:
    """Every window that is open or whose outcome is open, one a device."""

    def __init__(self, policy: Policy) -> None:
        self._policy = policy
        self._windows: dict[Eui64, Window] = {}

    def __iter__(self) -> Iterator[Window]:
        return iter(tuple(self._windows.values()))

    def add(self, window: Window) -> None:
        """Open a window; one for the same device is replaced."""
        self._windows[window.device] = window

    def remove(self, device: Eui64) -> Window | None:
        """Forget a window; returns it."""
        return self._windows.pop(device, None)

    def get(self, device: Eui64 | None) -> Window | None:
        """The window of a device, open or not."""
        return None if device is None else self._windows.get(device)

    def admits(self, device: Eui64, now: float) -> bool:
        """Whether the device may join at `now`."""
        window = self._windows.get(device)
        return window is not None and window.open and now < self.end_of(window)

    def end_of(self, window: Window) -> float:
        """When a window ends: at its own end (a defective table lets the last end count for all)."""
        if not self._policy.honours_window_end:
            return float("inf")
        if self._policy.windows_are_separate:
            return window.end
        return max(other.end for other in self._windows.values())

    def end(self) -> float | None:
        """When the last open window ends, None when none is open."""
        return max((self.end_of(window) for window in self._windows.values() if window.open), default=None)

    def clear(self) -> None:
        """Forget every window."""
        self._windows.clear()
