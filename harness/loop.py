"""The loop of a bench, the only one: deliver what is due, else jump (or wait) to the earliest deadline, and stop at the limit.

Knows machines, airs and wires as what has deadlines and gives and takes messages; nothing of what they say, and no use case.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from typing import Any

from harness.airs import Airs
from harness.backhaul.wires import VirtualWires
from harness.bench_time import Meanwhile
from harness.clock import Clock
from harness.errors import BenchError
from harness.machines import Machines
from harness.ports import Message, RadioSettings, Received, Transmit, Transmitted

STEP_LIMIT = 1_000_000  # deliveries of one wait: more is a bench that runs in circles at one instant
FULLEST = 3000.0  # more of them for every second that passes: no more frames than these are on a channel, be it for hours


class Loop:
    """What passes between the machines of one run, its airs and its wires."""

    def __init__(
        self, machines: Machines, airs: Airs, wires: VirtualWires, clock: Clock, meanwhile: Meanwhile, *,
        give: Callable[[str, Received | Transmitted | Message], None], note: Callable[[str, Any], None],
    ) -> None:
        """`give` hands over what has come for somebody, `note` what a machine reports; both by the name of whom it is about."""
        self._machines, self._airs, self._wires, self._clock, self._meanwhile = machines, airs, wires, clock, meanwhile
        self._give, self._note = give, note
        self._appointments: list[tuple[float, Callable[[], None]]] = []

    def at(self, instant: float, action: Callable[[], None]) -> None:
        """Have something done at an instant, or now if that is past, while something else is waited for."""
        self._appointments.append((instant, action))

    def run_until(self, condition: Callable[[], bool], within: float) -> bool:
        """Run until the condition holds (True) or `within` seconds have passed (False). Raises BenchError for what does not come to
        rest."""
        begun, steps, over, held = self._clock.now(), 0, False, False
        limit = begun + max(within, 0.0)
        self._machines.change()
        while steps < STEP_LIMIT + FULLEST * (self._clock.now() - begun):
            steps += 1
            self._pump()
            held = held or condition()
            if over or (held and not self._airs.is_behind):  # else the trace would lack what made it hold
                return held
            instant = min(self._machines.deadline(), *(due for due in self._deadlines() if due is not None), math.inf)
            self._clock.wait_until(min(instant, limit))  # a live clock returns early when something arrives
            over = instant > limit <= self._clock.now()
            self._wake()  # also then: what came over a real wire just before the limit is not late
        raise BenchError(f"the bench does not come to rest at {self._clock.now():.6f} s")

    def _deadlines(self) -> Iterator[float | None]:
        yield from self._airs.deadlines()
        yield self._wires.deadline()
        yield from (instant for instant, _ in self._appointments)

    def _wake(self) -> None:
        now = self._clock.now()
        self._meanwhile.look(now)
        for name, pdu in self._airs.wake(now):
            self._give(name, pdu)
        self._meanwhile.took(not self._airs.is_behind)
        for message in self._wires.wake(now):
            self._give(message.receiver, message)
        due = [action for instant, action in self._appointments if instant <= now]
        self._appointments = [each for each in self._appointments if each[0] > now]
        for action in due:
            action()
            self._machines.change()
        self._machines.wake(now)

    def _pump(self) -> None:
        moved = True
        while moved:
            moved = False
            for actor, machine in self._machines.changed():
                for pdu in machine.transmit(self._clock.now()):
                    moved = True
                    self._machines.change((actor,))
                    self._take(actor, pdu)
                for event in machine.events():
                    self._note(actor, event)

    def _take(self, actor: str, pdu: object) -> None:
        if isinstance(pdu, (RadioSettings, Transmit)):
            self._airs.submit(actor, pdu, self._clock.now())
        elif isinstance(pdu, Message):
            self._wires.submit(pdu, self._clock.now())
        else:
            raise BenchError(f"{actor} wants to send a {type(pdu).__name__}, which no wire carries")
