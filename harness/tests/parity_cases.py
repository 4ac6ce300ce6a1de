"""Cases twice: in virtual time, and in real time with who is under test in another process; the same verdicts, the same order of frames.

`python -m harness.tests.parity_cases [REPETITIONS] [WORD ...]` plays so often whatever can be played (or what has one of the words in
its name), and says where two plays differ. Knows no case by name.
"""

from __future__ import annotations

import inspect
import sys
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from contextlib import ExitStack
from copy import copy
from dataclasses import dataclass, replace
from functools import cache, partial
from multiprocessing import get_context
from typing import Any

from harness import neighbour
from harness.bench import Bench
from harness.clock import VirtualClock
from harness.commands.defects import cases_of
from harness.judge import judged_unplayed
from harness.plan import STRANGER, Plan
from harness.plugin.campaign import Campaign, Planned
from harness.plugin.case import case_name, clauses_of, run_case
from harness.plugin.examples import load_profile
from harness.tests import parity_frames as frames
from harness.tests.parity import AT_ONCE, DUTS, LATE, VIRTUAL, bench_of, in_time, role_of
from harness.tests.served import serving
from harness.trace import Trace
from harness.usecase import Actor
from harness.verdict import Verdict

LONGEST = 60.0  # seconds of simulated time
WINDOW = 20.0  # seconds that a window is open unless the case says otherwise: a device is in after 7 to 15
EXAMPLES = 1  # of what Hypothesis draws
FILE = replace(VIRTUAL, window_start=0.0, window_duration=WINDOW, latencies={})


class TooLong(Exception):
    """The case takes more simulated time than is waited for."""


class Limited(VirtualClock):
    """A virtual clock that does not go beyond `end` seconds."""

    def __init__(self, end: float) -> None:
        super().__init__(FILE.epoch)
        self._end = end

    def wait_until(self, instant: float) -> None:
        """Jump. Raises TooLong."""
        if instant > self._end:
            raise TooLong
        super().wait_until(instant)


@dataclass(frozen=True)
class Case:
    """A case, who is under test, and for which device."""

    name: str
    judged: Actor
    device: str

    def __str__(self) -> str:
        return f"{self.name} [{self.judged}, {self.device}]"


@dataclass(frozen=True)
class PlayedCase:
    """What came of it: verdicts by clause and actor, None for one that was not applicable, and why it is no pass; of each bench, what it
    recorded."""

    verdict: Verdict
    reason: str
    verdicts: dict[str, Verdict | None]
    why: dict[str, str]
    traces: list[Trace]


@cache
def functions() -> dict[str, Callable[..., Any]]:
    """The cases, by name."""
    load_profile()
    return {case_name(function): function for function in cases_of("cases")}


def cases() -> Iterator[Case]:
    """Every case that asks something of who is under test, for each device, but those that judge the shared undisturbed play: what that
    is in real time `harness.tests.parity` says."""
    for name, function in functions().items():
        if "provisioned" in inspect.signature(function).parameters:
            continue
        for judged, dut in DUTS.items():
            for device in FILE.devices:
                if judged_unplayed(clauses_of(function), dut, FILE.claims(device)) is None:
                    yield Case(name, judged, device.name)


def virtual(case: Case) -> PlayedCase | None:
    """In virtual time; None where that takes too long."""
    benches: list[Bench] = []

    def build(planned: Planned) -> Bench:
        benches.append(_bench(planned, clock=Limited(LONGEST - sum(each.now for each in benches))))
        return benches[-1]

    played = _played(case, build, benches)
    return None if TooLong.__name__ in played.reason else played


def real(case: Case) -> PlayedCase:
    """In real time, who is under test in another process, each bench beginning with a new one."""
    benches: list[Bench] = []
    with ExitStack() as processes:
        def build(planned: Planned) -> Bench:
            beside = [name for name in (neighbour.NAME, STRANGER) if planned.changes.get(name)]
            options = ("--radios", str(2 + len(beside)), "--control", "--seed", str(planned.seed), *role_of(case.judged, planned.device))
            there = processes.enter_context(serving("air", *options))
            benches.append(_bench(replace(planned, bench=bench_of(there, case.judged, FILE, beside))))
            return benches[-1]

        return _played(case, build, benches)


def real_in_time(case: Case, expected: PlayedCase) -> tuple[PlayedCase, int]:
    """As `real`, but again where it differs and had hindrances; and how often that was."""
    once = sum(map(frames.hindrances, expected.traces))
    return in_time(partial(real, case), lambda one: any(differences(expected, one)) and sum(map(frames.hindrances, one.traces)) > once)


class Rested(Bench):
    """A bench that lets come to rest what was begun before it ends it, by reset, power failure or its own end: else how much of it
    was said is a matter of time."""

    def reset(self, name: str = Actor.HAN_DEVICE) -> None:
        """As a bench."""
        self._rest()
        super().reset(name)

    def power_cycle(self, actor: Actor) -> None:
        """As a bench."""
        self._rest()
        super().power_cycle(actor)

    def close(self) -> None:
        """As a bench."""
        try:
            self._rest(frames.REST)
        finally:
            super().close()

    def _rest(self, seconds: float = frames.REST / 2) -> None:
        self.wait_until(lambda: False, seconds)


def _bench(planned: Planned, **given: Any) -> Bench:
    return Rested(planned.bench, planned.device, Plan(**planned.changes), seed=planned.seed, scenario=planned.scenario, **given)


def _played(case: Case, build: Callable[[Planned], Bench], benches: list[Bench]) -> PlayedCase:
    file, device = replace(FILE, dut=DUTS[case.judged]), FILE.device(case.device)
    conclusion = run_case(functions()[case.name], Campaign(file, file.seed, build), device, examples=EXAMPLES)
    return PlayedCase(
        conclusion.verdict, conclusion.reason,
        {each.id: None if each.not_applicable else each.verdict for each in conclusion.judgements},
        {each.id: finding.message for each in conclusion.judgements for finding in each.findings if finding.verdict == each.verdict},
        [bench.trace for bench in benches],
    )


def differences(one: PlayedCase, other: PlayedCase) -> Iterator[str]:
    """In what two plays of a case differ, a line each; of a clause that one of them could not judge nothing is said."""
    if Verdict.ERROR in (one.verdict, other.verdict):
        yield f"{one.verdict} {one.reason}, {other.verdict} {other.reason}"
    for clause, verdict in one.verdicts.items():
        theirs = other.verdicts.get(clause)
        if None not in (verdict, theirs) and theirs not in (verdict, *((Verdict.PASS,) if verdict is Verdict.NONE else ())):
            yield f"{clause}: {verdict}, {theirs} ({other.why.get(clause, '')})"
    if len(one.traces) != len(other.traces):
        yield f"{len(one.traces)} benches, {len(other.traces)}"
    for ours, others in zip(one.traces, other.traces, strict=False):
        yield from frames.differences(with_kinds_of(ours, others), others)


def with_kinds_of(trace: Trace, other: Trace) -> Trace:
    """A trace that is read with keys of those kinds alone that the other one is read with: a real ESI tells nobody its network key."""
    read = copy(trace)
    read.keys = [key for key in trace.keys if key.kind in {each.kind for each in other.keys}]
    return read


def main(repetitions: int, words: Sequence[str]) -> int:
    """Play them; returns how many plays differed."""
    differed = late = 0
    with ProcessPoolExecutor(AT_ONCE, get_context("spawn")) as pool:
        asked = [case for case in cases() if not words or any(word in str(case) for word in words)]
        expected = {case: played for case, played in zip(asked, pool.map(virtual, asked), strict=True) if played is not None}
        print(f"{len(expected)} plays of {len(asked)} take less than {LONGEST:.0f} s", flush=True)
        playing = {pool.submit(real_in_time, case, expected[case]): case for _ in range(repetitions) for case in expected}
        for done in as_completed(playing):
            case, (played, again) = playing[done], done.result()
            late += again
            if played.verdict is Verdict.NONE:
                print(f"{case}: not judged over real radios: {played.reason}", flush=True)
                continue
            found = list(differences(expected[case], played))
            differed += bool(found)
            left = [clause for clause, verdict in expected[case].verdicts.items() if verdict and played.verdicts.get(clause) is None]
            print(f"{case}: {'; '.join(found) or 'the same'}{f' (not judged: {chr(44).join(left)})' if left else ''}", flush=True)
    print(f"{differed} differed; {late} {LATE}")
    return differed


if __name__ == "__main__":
    sys.exit(min(main(int(sys.argv[1]) if len(sys.argv) > 1 else 1, sys.argv[2:]), 1))
