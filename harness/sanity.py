"""The sanity exchange of a bench: is who is under test on the air still there? Knows role verbs; what came of it the trace says.

Who is on the network is asked for its node descriptor by whoever is across the HAN. Where that draws nothing the device's button is
pressed: a device that has left, or never got in, then looks for networks, and the ESI has to answer that with a beacon.
"""

from __future__ import annotations

from typing import Any, Protocol

from harness.composite import AIR, inside
from harness.inquiry import SANITY
from harness.usecase import ACROSS_THE_HAN, Actor

ANSWER_TIME = 120.0  # seconds; a question to a sleepy device is put three times
SCAN_TIME = 15.0  # seconds in which a device whose button was pressed has looked for networks on every channel


class Asking(Protocol):
    """The part of a bench that is needed here."""

    machines: dict[Actor, Any]

    @property
    def now(self) -> float:
        """Seconds since the bench started."""

    def mark(self, actor: str, verb: str) -> None:
        """Note in the trace what was done to an actor."""

    def switch_on(self) -> None:
        """Press the device's button."""

    def wait_until(self, condition: Any, within: float) -> bool:
        """Run until the condition holds, or so many seconds have passed."""


def exchange(bench: Asking, dut: tuple[Actor, ...], router: Any = None) -> None:
    """Ask each of ESI and HAN Device that is under test whether it is there, and mark in the trace when.

    Where a router stands between the two, it asks the ESI: a device that did not get in cannot, and its beacon requests get no further.
    Nothing is asked by an actor whose adapter has not the verb `greet`, nor across a HAN that lies inside the device under test.
    """
    across = {actor: bench.machines[other] for actor, other in ACROSS_THE_HAN.items()}
    if router is not None:
        across[Actor.ESI] = router
    askers = {actor: asker for actor, asker in across.items() if not dut or actor in dut}
    asked = {} if inside(dut, AIR) else {actor: asker for actor, asker in askers.items() if hasattr(asker, "greet")}
    for actor in asked:
        bench.mark(actor, SANITY)
    for asker in asked.values():
        asker.greet(bench.now)
        bench.wait_until(lambda asker=asker: not asker.putting, ANSWER_TIME)
    if not all(asker.greeted for asker in asked.values()):
        bench.switch_on()
        bench.wait_until(lambda: False, SCAN_TIME)
