"""Who dies of a stimulus passes nothing: a crash is injected at the stimulus of every case on the air, and passes are counted.

The bench asks whether the device under test is still there before a stimulus and after the last; the answers stand in the trace.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import cache
from itertools import cycle
from typing import Any

import pytest

from harness.bench import Bench
from harness.checkers.liveness import signs_of_death
from harness.declarations import BenchFile
from harness.inquiry import SANITY
from harness.plugin.bench_building import build
from harness.plugin.campaign import Campaign
from harness.plugin.case import Conclusion, clauses_of, run_case
from harness.plugin.examples import load_profile
from harness.tests.crashing import DIES, FALLS_SILENT, RAISES, REBOOTS, Crashing, builder, crashing
from harness.tests.test_defects import bench_file, cases_of_clauses
from harness.usecase import Actor
from harness.verdict import Verdict

SEED = 27
LATER = 4  # so many unusual things are taken before the crash, the second time
ON_AIR = (Actor.ESI, Actor.HAN_DEVICE)
STEPS = ("step_04_window_opened", "step_05", "step_06", "step_07", "step_08", "step_09")
UNREACHED_SHARE = 5  # one crash in so many at most never comes: too little reaches the actor before it is asked the last time


def playing_cases() -> Iterator[tuple[Callable[..., Any], Actor]]:
    """Every case of steps 4 to 9 that plays on a bench of its own, with each actor on the air that it judges."""
    found = {function.__qualname__ + function.__module__: function for each in cases_of_clauses().values() for function in each}
    for _, function in sorted(found.items()):
        name = function.__module__.rpartition(".")[2]
        if name.startswith(STEPS) and "provisioned" not in inspect.signature(function).parameters:
            judged = {actor for clause in clauses_of(function) for actor in clause.checks}
            yield from ((function, actor) for actor in ON_AIR if actor in judged)


def bench_with(actor: Actor) -> BenchFile:
    """The bench of CI with one actor under test."""
    return replace(bench_file(), dut=(actor,))


@cache
def usual(actor: Actor) -> tuple[bytes, ...]:
    """What an actor is handed in the undisturbed run, up to the sanity exchange that opens a case."""
    bench = Bench(bench_with(actor), bench_file().devices[1], seed=SEED)
    machine = crashing(bench, actor, DIES, (), later=1_000_000)
    bench.play()
    bench.sound_out()
    return tuple(machine.handed)


def crashed(function: Callable[..., Any], actor: Actor, crash: str, later: int = 0) -> tuple[Conclusion, bool]:
    """A case with a crash in one actor, judged by its clauses for that actor; and whether it crashed before it was asked last."""
    made: list[tuple[Crashing, Bench]] = []
    campaign = Campaign(bench_with(actor), SEED, builder(
        SEED, lambda bench: made.append((crashing(bench, actor, crash, usual(actor), later), bench)),
    ))
    conclusion = run_case(function, campaign, bench_file().devices[1], examples=1)
    return conclusion, any(machine.crashed and (crash == RAISES or machine.at < last_asked(bench)) for machine, bench in made)


def last_asked(bench: Bench) -> float:
    """When the bench asked for the last time; never, where a case ended before it could."""
    return max((mark["at"] for mark in bench.trace.header.about["marks"] if mark["verb"] == SANITY), default=float("inf"))


CASES = list(playing_cases())
stopping, rotating = cycle((DIES, FALLS_SILENT)), cycle((DIES, FALLS_SILENT, REBOOTS))
INJECTED = [
    (function, actor, crash, later) for place, (function, actor) in enumerate(CASES)
    for crash, later in (
        (next(stopping), 0), (RAISES, 0), (REBOOTS, 0), *(((next(rotating), LATER),) if place % 2 else ()),
    )
]


@pytest.mark.parametrize("step", STEPS)
def test_nobody_who_crashes_at_a_stimulus_passes(step: str) -> None:
    load_profile()
    passed, unreached = [], 0
    injected = [each for each in INJECTED if each[0].__module__.rpartition(".")[2].startswith(step)]
    for function, actor, crash, later in injected:
        conclusion, reached = crashed(function, actor, crash, later)
        unreached += not reached
        if reached and conclusion.verdict is Verdict.PASS:
            passed.append(f"{function.__name__}: the {actor} {crash}, {later} later")
    assert passed == []
    assert unreached < len(injected) / UNREACHED_SHARE


def case(name: str) -> Callable[..., Any]:
    return next(function for function, _ in CASES if function.__name__ == name)


def test_it_is_said_why_it_is_no_pass_and_who_must_go_on_fails() -> None:
    load_profile()
    quiet, _ = crashed(case("test_a_device_with_another_install_code_stays_outside"), Actor.ESI, DIES)
    assert quiet.verdict is Verdict.INCONC
    malformed, _ = crashed(case("test_a_malformed_message_is_refused_and_survived"), Actor.HAN_DEVICE, DIES)
    assert malformed.verdict is Verdict.FAIL


def test_a_run_without_a_crash_gives_no_sign_of_death_and_is_asked_before_and_after() -> None:
    bench = Bench(bench_file(), bench_file().devices[0], seed=SEED)
    bench.play()
    bench.ask(Actor.HAN_DEVICE, "basic")
    bench.sound_out()
    marks = [mark["actor"] for mark in bench.trace.header.about["marks"] if mark["verb"] == SANITY]
    assert marks == [Actor.ESI, Actor.HAN_DEVICE] * 2
    assert [finding for actor in ON_AIR for finding in signs_of_death(bench.trace, actor)] == []


def test_a_device_that_has_left_is_not_dead() -> None:
    load_profile()
    campaign = Campaign(bench_file(), SEED, build)
    for device in bench_file().devices:
        assert run_case(case("test_a_device_leaves_an_esi_of_another_authority"), campaign, device).verdict is Verdict.PASS
