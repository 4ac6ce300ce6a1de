"""One run: a bench set up as a script says, its moves made, and what there is to complain of. Draws nothing; the same every time."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from harness.adapters.defects import Defect, all_defects
from harness.bench import SETTLING, Bench
from harness.clock import VirtualClock
from harness.crypto.install_code import code_of_address, ordered_link_key
from harness.declarations import BenchFile
from harness.errors import InputError
from harness.fuzzing.laws_of_admission import AdmissionLaw, MembershipLaw, WindowLaw, Windows
from harness.fuzzing.laws_of_keys import CounterLaw, LinkKeyLaw, NetworkKeyLaw
from harness.fuzzing.laws_of_service import AnswerLaw, ExecutionLaw, ServiceLaw
from harness.fuzzing.model import Facts, Model
from harness.fuzzing.performing import MACHINES, Performer, Planted
from harness.fuzzing.script import Script, Setting
from harness.fuzzing.sight import Sight
from harness.fuzzing.vocabulary import Move
from harness.judge import judge
from harness.plan import Plan
from harness.trace import Trace
from harness.usecase import ACROSS_THE_HAN, Actor, Clause
from harness.values import Eui64
from harness.verdict import Verdict

STRANGER_IS = Eui64(0x00124B00FA15E000)  # who the device is that nobody ordered
OURS = "ours"  # the id of what is planted in our side


@dataclass(frozen=True)
class Complaint:
    """What was found: an id (a clause and an actor, a law and an actor, or what broke), and one sentence."""

    id: str
    sentence: str


class CannotPlay(Exception):
    """This bench, or this version, has not what a script needs."""


class Run:
    """A script while it is played: `perform` its moves one by one, then `finish`."""

    def __init__(
        self, file: BenchFile, setting: Setting, clauses: Iterable[Clause], planted: tuple[Defect, ...] = (), *, judged: bool = True,
    ) -> None:
        """`judged`: whether the clauses' checkers have a say, beside the model. Raises CannotPlay for a device that there is not,
        InputError for a bench on which there is nothing to fuzz."""
        if setting.device >= len(file.devices):
            raise CannotPlay(f"{file.path} has no device number {setting.device}")
        self.setting = setting
        self.complaints: list[Complaint] = []
        self._clauses = tuple(clauses) if judged else ()
        self._over = False
        ours = Actor(setting.ours) if setting.ours else None
        sides = (ACROSS_THE_HAN[ours],) if ours else (Actor.ESI, Actor.HAN_DEVICE)
        self._judged = tuple(each for each in sides if not file.dut or each in file.dut)
        if not self._judged:
            raise InputError(f"{file.path}: dut: is neither ESI nor HAN Device; there is nothing to fuzz")
        if ours is not None and not file.dut:
            file = replace(file, dut=self._judged)
        device, own = file.devices[setting.device], Planted()
        self.bench = Bench(
            file, device, _plan(setting), seed=setting.seed, scenario="fuzz",
            defects=(*planted, *((Defect(OURS, ours, "errs as it is told", rewrites=(own,)),) if ours else ())),
        )
        facts = _facts(self.bench, setting)
        windows, counters = Windows(facts), CounterLaw()
        self.model = Model((
            WindowLaw(windows), AdmissionLaw(facts, windows), MembershipLaw(facts), counters, NetworkKeyLaw(), LinkKeyLaw(),
            ExecutionLaw(), AnswerLaw(counters), ServiceLaw(self._judged[-1]),
        ))
        self._performer = Performer(self.bench, Sight(self.bench.trace, facts.names), self.model, ours, own)
        self._guard(self._begin)

    @property
    def undone(self) -> list[str]:
        """The moves that this bench could not make, each with the reason."""
        return self._performer.undone

    @property
    def simulated(self) -> bool:
        """Whether nothing of the bench is real: then the same is possible, and impossible, every time."""
        return isinstance(self.bench.clock, VirtualClock)

    def perform(self, move: Move) -> None:
        """Make one move; after a complaint nothing more is done."""
        if not self.complaints:
            self._guard(lambda: self._performer.perform(move))

    def finish(self) -> list[Complaint]:
        """Let everything come to rest, have it judged; returns all complaints."""
        if not self.complaints and not self._over:
            self._over = True
            self._guard(self._rest)
        self.bench.close()
        return self.complaints

    @property
    def trace(self) -> Trace:
        """Everything seen."""
        return self.bench.trace

    def _begin(self) -> None:
        self.bench.prepare()
        if self.setting.beginning != "nothing":
            for which in self._ordered():
                self._performer.order(which)
        if self.setting.beginning != "nothing" and self.setting.company > 1:
            self._performer.perform(Move("switch-on", ("3",)))
        if self.setting.beginning == "in service":
            for which in self._ordered():
                self._performer.provision(which)
        self._performer.catch_up()

    def _ordered(self) -> tuple[str, ...]:
        return ("1", "2") if self.setting.company else ("1",)

    def _rest(self) -> None:
        self._performer.calm()
        over = max(order.end for order in self.bench.orders) + SETTLING
        self.bench.wait_until(lambda: False, max(over - self.bench.now, SETTLING))
        self._performer.catch_up()
        if not set(self._ordered()) <= self._performer.asked_for:
            return  # clauses are about what the trace's header says was ordered
        for judgement in judge(self.bench.trace, self._clauses):
            if judgement.verdict in (Verdict.FAIL, Verdict.ERROR):
                sentence = next(each.message for each in judgement.findings if each.verdict is judgement.verdict)
                word = "error:" if judgement.verdict is Verdict.ERROR else ""
                self.complaints.append(Complaint(word + judgement.id, sentence))

    def _guard(self, action) -> None:  # type: ignore[no-untyped-def]
        try:
            action()
        except InputError:
            raise
        except Exception as fault:  # whatever a move makes break in us or in who is virtual, is what this looks for
            self.complaints.append(Complaint(f"crash:{type(fault).__name__}", str(fault).splitlines()[0] if str(fault) else ""))
        self.complaints += [
            Complaint(each.id, each.sentence) for each in self.model.breaches if each.actor in self._judged
        ]
        self.model.breaches.clear()


def replayed(file: BenchFile, script: Script, clauses: Iterable[Clause]) -> Run:
    """Play a whole script. Raises CannotPlay where its device or a defect planted in it is not here."""
    unknown = next((each for each in script.planted if each not in all_defects()), "")
    if unknown:
        raise CannotPlay(f"there is no defect {unknown!r}")
    run = Run(file, script.setting, clauses, tuple(all_defects()[each] for each in script.planted))
    for move in script.moves:
        run.perform(move)
    run.finish()
    return run


def _plan(setting: Setting) -> Plan:
    code, address = setting.install_code, Eui64.parse(setting.eui64) if setting.eui64 else None
    key = code.link_key if code is not None else None
    return Plan(
        han_device=address, ordered=address, ordered_key=code.octets if code is not None else None,
        han_device_key=(key if setting.right else bytes(15) + b"\x27"),
        window_start=setting.start, window_duration=setting.duration,
        second=Eui64.parse(setting.second) if setting.company else None, second_start=setting.second_start,
        second_duration=setting.second_duration, second_joins_at=float("inf") if setting.company else None,
        stranger=STRANGER_IS if setting.company > 1 else None,
    )


def _facts(bench: Bench, setting: Setting) -> Facts:
    plan, names = bench.plan, {bench.plan.own_address(bench.device): MACHINES["1"]}
    ordered = {MACHINES["1"]: ordered_link_key(bench.order.key_form, bench.order.key_material)}
    holds = {MACHINES["1"]: plan.han_device_key or bench.device.link_key}
    if plan.second is not None:
        names[plan.second] = MACHINES["2"]
        ordered[MACHINES["2"]] = holds[MACHINES["2"]] = code_of_address(plan.second).link_key
    if plan.stranger is not None:
        names[plan.stranger] = MACHINES["3"]
        holds[MACHINES["3"]] = holds[MACHINES["1"]]
    return Facts(names, ordered, holds, bench.clock.epoch, bench.trace.leg_codec)
