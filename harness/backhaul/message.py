"""What travels on the proprietary legs (steps 2 to 4 and 10 to 12), as a value; knows neither octets nor who routes it.

The use case fixes the information and leaves the message proprietary. This is HANproof's own vocabulary for it
(docs/leg-codec.md); an adapter to a vendor's network translates between it and what really travels there.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from harness.values import DeviceType, Eui64

LONGEST_WINDOW = (2**32 - 1) / 1000  # seconds (49 days); what is left of a window has four octets of milliseconds


class LegKind(StrEnum):
    """What a message is for."""

    OPEN_WINDOW = "open_window"  # steps 2 to 4: let this device join until `end`
    CANCEL_WINDOW = "cancel_window"  # the same way: withdraw that
    WINDOW_STATE = "window_state"  # steps 10 to 12: the ESI has opened or closed the window
    STATE = "state"  # steps 10 to 12: the HAN device is provisioned, or was not
    UNDELIVERABLE = "undeliverable"  # towards the head-end: an order went no further than the producer


class LegState(StrEnum):
    """What a WINDOW_STATE (opened, closed) or a STATE (provisioned, failed) reports."""

    OPENED = "opened"
    CLOSED = "closed"
    PROVISIONED = "provisioned"
    FAILED = "failed"


class Obstacle(StrEnum):
    """The `reason` of an UNDELIVERABLE."""

    NO_ROUTE = "no_route"  # nobody serves the meter
    WRONG_METER = "wrong_meter"  # it came to a meter that it is not for
    EXPIRED = "expired"  # the window was over before it could be opened
    INCOMPLETE = "incomplete"  # information of steps 2 to 4 is missing


NEEDED: dict[LegKind, tuple[str, ...]] = {
    LegKind.OPEN_WINDOW: ("meter", "device", "device_type", "key_form", "key_material", "end"),
    LegKind.CANCEL_WINDOW: ("meter", "device"),
    LegKind.WINDOW_STATE: ("meter", "device", "state"),
    LegKind.STATE: ("meter", "device", "state", "at"),
    LegKind.UNDELIVERABLE: ("meter", "device", "reason"),
}


@dataclass(frozen=True)
class LegMessage:
    """One message; None is information that it does not carry.

    `sequence` numbers the head-end's orders; what answers an order carries its number. `end` is the UTC instant at which the
    window closes, `window_left` the seconds that were left of it when the producer sent the message (a receiver without a clock
    goes by that). `key_material` is an install code with its CRC or a 16-octet link key, as `key_form` says; it is in no repr.
    `at` is the UTC instant at which what is reported happened.
    """

    kind: LegKind
    sequence: int
    meter: str | None
    device: Eui64 | None
    device_type: DeviceType | None = None
    key_form: str | None = None
    key_material: bytes | None = field(default=None, repr=False)
    end: datetime | None = None
    window_left: float | None = None
    state: LegState | None = None
    reason: str | None = None
    at: datetime | None = None

    @property
    def missing(self) -> tuple[str, ...]:
        """The information that a message of this kind must carry and this one does not."""
        return tuple(name for name in NEEDED[self.kind] if getattr(self, name) is None)

    @property
    def goes_down(self) -> bool:
        """Whether it travels towards the ESI (else towards the head-end)."""
        return self.kind in (LegKind.OPEN_WINDOW, LegKind.CANCEL_WINDOW)

    def report(self, kind: LegKind, at: datetime, state: LegState | None = None, reason: str | None = None) -> LegMessage:
        """The report on this order: same meter, device, type and sequence, and never its key."""
        return LegMessage(kind, self.sequence, self.meter, self.device, self.device_type, state=state, reason=reason, at=at)

    def window_opened(self, at: datetime) -> LegMessage:
        """Step 10, ESI: the window of this order is open since `at`."""
        return self.report(LegKind.WINDOW_STATE, at, LegState.OPENED)

    def window_closed(self, at: datetime, reason: str | None = None) -> LegMessage:
        """Step 10, ESI: the window of this order is closed since `at`."""
        return self.report(LegKind.WINDOW_STATE, at, LegState.CLOSED, reason)

    def provisioned(self, at: datetime) -> LegMessage:
        """Step 10, ESI: the device of this order has completed its registration (step 8) at `at`."""
        return self.report(LegKind.STATE, at, LegState.PROVISIONED)

    def failed(self, at: datetime, reason: str) -> LegMessage:
        """Step 10, ESI: the device of this order was not provisioned."""
        return self.report(LegKind.STATE, at, LegState.FAILED, reason)
