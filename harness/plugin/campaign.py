"""A campaign: the benches of one run, each built from the bench file, a device and a seed that follows from the run's.

The undisturbed provisioning of a device is recorded once and shared by every case that only judges it; everybody else gets a
bench of his own. Knows nothing of pytest, of clauses, or of what a bench does.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from harness.declarations import BenchFile, Device
from harness.trace import Trace

PROVISIONED = "provisioned"


class Bench(Protocol):
    """What the plugin needs of a bench; cases use more of it."""

    trace: Trace

    def play(self) -> None:
        """Run the whole use case, preamble included. Raises BenchError, or Inconclusive when the preamble fails."""


@dataclass(frozen=True)
class Planned:
    """Everything a bench is built from. `changes` are what a case asked of `benches(...)`, `defect` is planted, or None; `operator`
    answers what a person is asked (None: nobody is there)."""

    bench: BenchFile
    device: Device
    seed: int
    scenario: str
    defect: Any = None
    changes: Mapping[str, Any] = field(default_factory=dict, hash=False)
    operator: Any = None


@dataclass(frozen=True)
class Recording:
    """A provisioning played once: its trace, as far as it came, and what ended it early."""

    trace: Trace | None
    fault: Exception | None = None


class Campaign:
    """Makes the benches of a run; `build` turns a plan into a bench."""

    def __init__(self, bench: BenchFile, seed: int, build: Callable[[Planned], Bench], operator: Any = None) -> None:
        self.bench = bench
        self.seed = seed
        self.operator = operator
        self._build = build
        self._recorded: dict[tuple[str, str | None], Recording] = {}

    def fresh(self, device: Device, scenario: str, defect: Any = None, **changes: Any) -> Bench:
        """A new bench; the same scenario gives the same bench in every run with this seed."""
        return self._build(Planned(self.bench, device, seed_of(self.seed, scenario), scenario, defect, changes, self.operator))

    def provisioned(self, device: Device, defect: Any = None) -> Recording:
        """The undisturbed provisioning, played at the first call and kept, also when the bench failed."""
        key = (device.name, getattr(defect, "id", None))
        if key not in self._recorded:
            self._recorded[key] = self._record(device, defect)
        return self._recorded[key]

    def _record(self, device: Device, defect: Any) -> Recording:
        bench, fault = None, None
        try:
            bench = self.fresh(device, provisioned_scenario(device), defect)
            bench.play()
        except Exception as raised:  # every case that needs this recording fails by it: a broken bench is not played again
            fault = raised
        try:
            if bench is not None:
                close(bench)  # also a broken one: what it holds open would stand in the way of the next
        except Exception as raised:
            fault = fault or raised
        return Recording(bench.trace if bench is not None else None, fault)


def close(bench: Bench) -> None:
    """Let the bench bring the DUT back and let go of radios and sockets, where it has anything to close."""
    getattr(bench, "close", lambda: None)()


def sound_out(bench: Bench) -> None:
    """Let the bench ask whether the DUT is still there, where it knows how."""
    getattr(bench, "sound_out", lambda: None)()


def provisioned_scenario(device: Device) -> str:
    """The name under which the evidence of a device's undisturbed provisioning is kept."""
    return f"{PROVISIONED}-{device.name}"


def seed_of(seed: int, scenario: str) -> int:
    """A scenario's own seed, 64 bits: it follows from the run's seed and the scenario's name, never from the order of cases."""
    return int.from_bytes(hashlib.sha256(f"{seed}/{scenario}".encode()).digest()[:8], "big")
