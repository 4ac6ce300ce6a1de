"""What a bench presumes of a HAN Device that tells nothing of itself: when it has what was sent to it, and when it is done.

Waits end by it and nothing else does: no verdict rests on it, for verdicts come of the trace. Knows no adapter.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

from harness.actors.reports import Happened
from harness.stack.happenings import ApplicationDone, DeviceProvisioned
from harness.usecase import Actor

APPLICATION_TIME = 30.0  # seconds after its registration for what step 9 begins with (time, events, price, message)
TAKING_TIME = 15.0  # seconds until a sleepy device has polled for what waits for it


class Waiting(Protocol):
    """The part of a bench that is needed here."""

    machines: dict[Actor, Any]
    happenings: list[Happened]

    @property
    def now(self) -> float:
        """Seconds since the bench started."""

    def at(self, instant: float, action: Callable[[], None]) -> None:
        """Have something done at an instant."""


def _is_silent(bench: Waiting) -> bool:
    return bool(getattr(bench.machines[Actor.HAN_DEVICE], "tells_nothing", False))


def presume(bench: Waiting, event: Any) -> None:
    """The ESI says that a device is registered: one that tells nothing is taken to be done after `APPLICATION_TIME`."""
    if isinstance(event, DeviceProvisioned) and _is_silent(bench):
        due = bench.now + APPLICATION_TIME
        done = Happened(Actor.HAN_DEVICE, ApplicationDone(event.device, due), due)
        bench.at(due, lambda: bench.happenings.append(done))


def taking_time(bench: Waiting, usual: float) -> float:
    """Seconds to wait for the device to say that it has what was sent to it: `usual`, fewer for one that will not say it."""
    return TAKING_TIME if _is_silent(bench) else usual
