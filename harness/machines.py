"""The machines of a bench by name: which have to be looked at, and when the next one wants to be woken. Knows no actor.

A machine changes only by what it is given, by being woken, and by a verb called from outside; until then what it has to send
and when it is due stay as they were, and it is not asked again. One that works in real time may change at any moment.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping
from typing import Any


class Machines:
    """Machines in the order in which they are looked at. Instants are seconds since the bench started."""

    def __init__(self, machines: Mapping[str, Any], *, real_time: bool) -> None:
        self._machines = dict(machines)
        self._due = dict.fromkeys(self._machines, math.inf)
        self._changed = set(self._machines)
        self._real_time = real_time

    def __getitem__(self, name: str) -> Any:
        return self._machines[name]

    def get(self, name: str) -> Any:
        """The machine of that name, None where there is none."""
        return self._machines.get(name)

    def remove(self, name: str) -> None:
        """Unplug a machine for good."""
        del self._machines[name], self._due[name]
        self._changed.discard(name)

    def change(self, names: Iterable[str] | None = None) -> None:
        """These may have changed, or any of them: they have to be looked at again."""
        self._changed |= self._machines.keys() if names is None else {*names} & self._machines.keys()

    def changed(self) -> Iterator[tuple[str, Any]]:
        """Those that may have something to say, each once; meanwhile others may change."""
        if self._real_time:
            self.change()
        for name in [name for name in self._machines if name in self._changed]:
            self._changed.discard(name)
            machine = self._machines[name]
            yield name, machine
            due = machine.deadline()
            self._due[name] = math.inf if due is None else due

    def deadline(self) -> float:
        """When the next machine wants to be woken; infinity for never."""
        return min(self._due.values(), default=math.inf)

    def wake(self, now: float) -> None:
        """Wake those that are due."""
        for name, machine in self._machines.items():
            if self._real_time or name in self._changed or self._due[name] <= now:
                due = machine.deadline()  # what it was given since may have put it off
                if due is not None and due <= now:
                    machine.wake(now)
                    self._changed.add(name)
