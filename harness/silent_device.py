"""What a bench presumes of a HAN Device or an ESI that tells nothing of itself: when it has what was sent to it, when it is done, and
when nothing more can come of it.

Waits end by it and nothing else does: no verdict rests on it, for verdicts come of the trace. Knows no adapter.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

from harness.actors.reports import Happened
from harness.errors import Inconclusive
from harness.stack.happenings import ApplicationDone, DeviceAnnounced, DeviceJoined, DeviceLeft, DeviceProvisioned
from harness.usecase import Actor, Order

APPLICATION_TIME = 30.0  # seconds after its registration for what step 9 begins with (time, events, price, message)
TAKING_TIME = 15.0  # seconds until a sleepy device has polled for what waits for it


class Waiting(Protocol):
    """The part of a bench that is needed here."""

    machines: dict[Actor, Any]
    happenings: list[Happened]
    orders: tuple[Order, ...]

    @property
    def now(self) -> float:
        """Seconds since the bench started."""

    def at(self, instant: float, action: Callable[[], None]) -> None:
        """Have something done at an instant."""


def _is_silent(bench: Waiting, actor: Actor = Actor.HAN_DEVICE) -> bool:
    return bool(getattr(bench.machines[actor], "tells_nothing", False))


def presume(bench: Waiting, event: Any) -> None:
    """The ESI says that a device is registered: one that tells nothing is taken to be done after `APPLICATION_TIME`."""
    if isinstance(event, DeviceProvisioned) and _is_silent(bench):
        due = bench.now + APPLICATION_TIME
        done = Happened(Actor.HAN_DEVICE, ApplicationDone(event.device, due), due)
        bench.at(due, lambda: bench.happenings.append(done))


def taking_time(bench: Waiting, usual: float) -> float:
    """Seconds to wait for the device to say that it has what was sent to it: `usual`, fewer for one that will not say it."""
    return TAKING_TIME if _is_silent(bench) else usual


def may_come_yet(bench: Waiting) -> bool:
    """Whether the device may still be provisioned, as far as one that tells nothing lets know: a window is open, or our ESI has it
    inside the network, where it may try again as late as it likes."""
    if not _is_silent(bench) or _is_silent(bench, Actor.ESI) or bench.now < max(order.end for order in bench.orders):
        return True
    moved = [each.event for each in bench.happenings if isinstance(each.event, DeviceJoined | DeviceAnnounced | DeviceLeft)]
    return bool(moved) and not isinstance(moved[-1], DeviceLeft)


def demand_word_of_the_window(bench: Waiting) -> None:
    """Raises Inconclusive where nobody will ever say that the window is open: the ESI tells nothing, and its orders come to it by a NIC
    that is somewhere else, past whoever would open the window by hand."""
    nic, esi = bench.machines[Actor.NIC], bench.machines[Actor.ESI]
    if nic is not esi and _is_silent(bench, Actor.ESI) and hasattr(nic, "live"):
        raise Inconclusive(
            "nobody on this bench says when the window of the ESI is open: it tells nothing, and its NIC is reached over a leg; right "
            "would be both in one (`NIC: {with: ESI}`, with `open_window`)"
        )
