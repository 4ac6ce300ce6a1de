"""Crashes for the tests of liveness: a machine that dies, raises, falls silent or reboots when something unusual reaches it.

What is usual is what the same machine was handed in an undisturbed run from the same seed.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from harness.bench import Bench
from harness.plan import Plan
from harness.plugin.campaign import Planned
from harness.ports import Message, Pdu, RadioSettings, Received
from harness.usecase import Actor

DIES, RAISES, FALLS_SILENT, REBOOTS = "dies", "raises", "falls silent", "reboots"


class Crashing:
    """A machine that goes wrong at the first thing handed to it that is not `usual`, or so many things later."""

    def __init__(self, machine: Any, crash: str, usual: Sequence[bytes], later: int, anew: Callable[[], Any]) -> None:
        self.machine, self.crash, self.anew = machine, crash, anew
        self.usual, self.later = usual, later
        self.handed: list[bytes] = []
        self.crashed, self.at, self.spoke = False, 0.0, False

    def __getattr__(self, name: str) -> Any:
        return getattr(self.machine, name)

    @property
    def gone(self) -> bool:
        return self.crashed and self.crash == DIES

    def receive(self, pdu: Pdu, now: float) -> None:
        if not self.crashed and isinstance(pdu, Received | Message):
            self.handed.append(pdu.psdu if isinstance(pdu, Received) else pdu.octets)
            place = len(self.handed) - 1
            unusual = self.handed[place:place + 1] != list(self.usual[place:place + 1])
            unusual = unusual and self.spoke  # one that has said nothing yet has lost nothing that anybody could know
            if unusual and self.later == 0:
                self._fail(now)
                return  # what it was handed when it went wrong is lost on it
            if unusual:
                self.later -= 1
        if not self.gone:
            self.machine.receive(pdu, now)

    def _fail(self, now: float) -> None:
        self.crashed, self.at = True, now
        if self.crash == RAISES:
            raise ZeroDivisionError("crashed")
        if self.crash == REBOOTS:
            self.machine = self.anew()

    def transmit(self, now: float) -> list[Pdu]:
        out = [] if self.gone else self.machine.transmit(now)
        self.spoke = self.spoke or any(not isinstance(pdu, RadioSettings) for pdu in out)
        return [] if self.crashed and self.crash == FALLS_SILENT else out

    def deadline(self) -> float | None:
        return None if self.gone else self.machine.deadline()

    def wake(self, now: float) -> None:
        if not self.gone:
            self.machine.wake(now)

    def events(self) -> list[Any]:
        return [] if self.gone else self.machine.events()

    def start_joining(self, now: float) -> None:
        if not self.gone:
            self.machine.start_joining(now)

    def power_cycle(self, now: float) -> None:
        if not self.gone:
            self.machine.power_cycle(now)

    def factory_reset(self, now: float) -> None:
        if not self.gone:
            self.machine.factory_reset(now)


def crashing(bench: Bench, actor: Actor, crash: str, usual: Sequence[bytes], later: int = 0) -> Crashing:
    """Have an actor of a bench crash; one that reboots has nothing left of what it knew, and draws other numbers."""
    def anew() -> Any:
        return Bench(bench.file, bench.device, bench.plan, seed=bench.seed + 1).machines[actor]

    machine = Crashing(bench.machines[actor], crash, usual, later, anew)
    bench.machines[actor] = bench._running._machines[actor] = machine
    return machine


def builder(
    seed: int, prepare: Callable[[Bench], None],
) -> Callable[[Planned], Bench]:
    """Benches of one seed, whatever the scenario, each prepared before it is played."""

    def build(planned: Planned) -> Bench:
        bench = Bench(
            planned.bench, planned.device, Plan(**planned.changes), seed=seed, scenario=planned.scenario,
        )
        prepare(bench)
        return bench

    return build
