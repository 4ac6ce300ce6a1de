"""The state machine that draws runs, and the profiles by which it does. Knows how a run is played; not what a clause says."""

from __future__ import annotations

from dataclasses import dataclass

import hypothesis
from hypothesis import HealthCheck, Phase
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule, run_state_machine_as_test

from harness.adapters.defects import Defect
from harness.declarations import BenchFile
from harness.fuzzing import drawing
from harness.fuzzing.play import Complaint, Run
from harness.fuzzing.script import OURS, Script
from harness.fuzzing.vocabulary import Move
from harness.usecase import Actor, Clause


@dataclass(frozen=True)
class Profile:
    """How much is drawn: so many examples of so many moves at most. `reproducible` draws the same every time; `radio` only what a
    real device can be put through."""

    name: str
    examples: int
    moves: int
    reproducible: bool = False
    radio: bool = False


PROFILES = {each.name: each for each in (
    Profile("ci", 60, 8, reproducible=True), Profile("nightly", 1000, 15), Profile("radio", 5, 6, radio=True),
)}


class Failing(Exception):
    """A run that there is something to complain of."""

    def __init__(self, script: Script, complaints: list[Complaint]) -> None:
        super().__init__("; ".join(f"{each.id}: {each.sentence}" for each in complaints))
        self.script = script
        self.complaints = tuple(complaints)


@dataclass(frozen=True)
class Hunt:
    """What is fuzzed: a bench, judged by these clauses, with these defects planted, by this profile."""

    file: BenchFile
    clauses: tuple[Clause, ...]
    profile: Profile
    planted: tuple[Defect, ...] = ()
    seed: int = 0
    judged: bool = True

    def sides(self) -> tuple[str, ...]:
        """Which sides may be ours: none that is under test, or has a defect."""
        taken = {*self.file.dut, *(defect.actor for defect in self.planted)}
        return tuple(each for each in OURS if not each or Actor(each) not in taken)


def seek(hunt: Hunt, *, shrink: bool = True) -> Failing | None:
    """Draw and play runs until one fails, or there were enough; returns the smallest that was found to fail, or None."""
    phases = (Phase.generate, Phase.shrink) if shrink else (Phase.generate,)
    settings = hypothesis.settings(
        max_examples=hunt.profile.examples, stateful_step_count=hunt.profile.moves + 1, phases=phases, database=None, deadline=None,
        print_blob=False, report_multiple_bugs=False, suppress_health_check=list(HealthCheck), verbosity=hypothesis.Verbosity.quiet,
    )
    machine = hypothesis.seed(hunt.seed)(_machine(hunt))
    try:
        run_state_machine_as_test(machine, settings=settings)
    except Failing as failing:
        return failing
    return None


def _machine(hunt: Hunt) -> type[RuleBasedStateMachine]:
    """The machine of a hunt."""
    return type("Provisioning", (_Provisioning,), {"hunt": hunt})


class _Provisioning(RuleBasedStateMachine):
    """A run while it is drawn."""

    hunt: Hunt

    def __init__(self) -> None:
        super().__init__()
        self.run: Run | None = None
        self.moves: list[Move] = []
        self.ours: Actor | None = None

    @initialize(data=st.data())
    def set_up(self, data: st.DataObject) -> None:
        """Before the first move."""
        hunt = self.hunt
        setting = data.draw(drawing.settings_of(len(hunt.file.devices), hunt.sides(), own=hunt.profile.radio))
        self.ours = Actor(setting.ours) if setting.ours else None
        self.run = Run(hunt.file, setting, hunt.clauses, hunt.planted, judged=hunt.judged)

    @rule(data=st.data())
    def move(self, data: st.DataObject) -> None:
        """One move. It is one rule for all: with one for each kind Hypothesis leaves most of them out of most runs."""
        assert self.run is not None
        move = data.draw(drawing.any_move(self.ours, self.run.setting.company, radio=self.hunt.profile.radio))
        self.moves.append(move)
        self.run.perform(move)
        if self.run.complaints:
            self._complain()

    def teardown(self) -> None:
        """The run is over."""
        if self.run is not None and not self.run.complaints:
            self.run.finish()
            if self.run.complaints:
                self._complain()

    def _complain(self) -> None:
        assert self.run is not None
        complaints = self.run.finish()
        planted = tuple(each.id for each in self.hunt.planted)
        script = Script(self.run.setting, tuple(self.moves), planted, tuple(dict.fromkeys(each.id for each in complaints)))
        raise Failing(script, complaints)
