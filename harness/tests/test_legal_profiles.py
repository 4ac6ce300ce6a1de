"""No false alarms: devices and ESIs that are different and legal pass every clause, and an illegal one does not.

Each channel has profiles of its own, so that no two shares of the test can draw the same one.
"""

from __future__ import annotations

import importlib
import inspect
import pkgutil
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, seed, settings

import cases
from cases.table import clauses
from dissectors.clusters.key_establishment import Suite
from dissectors.smart_energy import ALL_CHANNELS
from harness.bench import Bench
from harness.declarations import BenchFile, read_bench
from harness.faults import thin
from harness.judge import judge
from harness.plugin.bench_building import build
from harness.plugin.campaign import Campaign
from harness.plugin.case import clauses_of, run_case
from harness.plugin.examples import load_profile
from harness.profiles.legal import LegalProfile
from harness.profiles.strategies import legal_profiles
from harness.stack import happenings
from harness.values import Eui64
from harness.verdict import Verdict

BENCH = Path(__file__).parents[2] / "fixtures" / "benches" / "virtual.yaml"
PROFILES = 1008
SHARE = PROFILES // len(ALL_CHANNELS)
CASE_SHARES = 4
OWN = Eui64(0x00124B000A11CE01)
ON_THE_AIR = ("step_04", "step_05", "step_06", "step_07", "step_08", "step_09", "sequence")  # whose cases look at the devices


@cache
def usual() -> BenchFile:
    """The virtual bench of CI."""
    return read_bench(BENCH)


class Enough(Exception):
    """As many have been drawn as were wanted."""


def drawn(number: int, count: int, channels: tuple[int, ...] = ALL_CHANNELS) -> list[LegalProfile]:
    """So many different profiles whose ESI is on one of these channels: for the same number the same ones in every run."""
    found: dict[str, LegalProfile] = {}

    @seed(number)
    @settings(max_examples=2 * count, database=None, deadline=None, phases=[Phase.generate], suppress_health_check=list(HealthCheck))
    @given(legal_profiles(channels))
    def draw(profile: LegalProfile) -> None:
        found.setdefault(repr(profile), profile)
        if len(found) == count:
            raise Enough  # Hypothesis takes it for a failure and draws no more

    with suppress(Enough):
        draw()
    return list(found.values())


def played(profile: LegalProfile) -> Bench:
    """Such a device joins such an ESI."""
    file = profile.bench_file(usual())
    bench = Bench(file, file.devices[0], seed=file.devices[0].eui64 & 0xFFFF)
    with bench.air.suffering(*(() if profile.loses is None else (thin(profile.loses),))):
        bench.play()
    bench.close()
    return bench


def got_in(bench: Bench) -> bool:
    """Whether the device got into service."""
    return bench.happened(happenings.ApplicationDone)


def complaints(bench: Bench) -> dict[str, str]:
    """What is held against anybody, by clause and actor: no fail, error or inconc is right."""
    return {
        judgement.id: "; ".join(f"{each.message} (expected {each.expected}, observed {each.observed})" for each in judgement.findings
                                if each.verdict is judgement.verdict)
        for judgement in judge(bench.trace, clauses().values()) if judgement.verdict > Verdict.PASS
    }


@pytest.mark.parametrize("channel", ALL_CHANNELS)
def test_nobody_is_blamed_for_being_different(channel: int) -> None:
    profiles = drawn(channel, SHARE, (channel,))
    assert len(profiles) == SHARE
    outside: list[LegalProfile] = []
    for profile in profiles:
        bench = played(profile)
        assert complaints(bench) == {}, profile
        outside += [] if got_in(bench) else [profile]
    # Losses at regular intervals can hit the same message of every attempt and so keep a device out for good: a few, and no others.
    assert [profile for profile in outside if profile.loses is None] == []
    assert len(outside) <= sum(profile.loses is not None for profile in profiles) / 3, outside


def test_the_shares_are_a_thousand_profiles() -> None:
    assert SHARE * len(ALL_CHANNELS) >= 1000


def on_the_esi(profile: LegalProfile, **changes: Any) -> LegalProfile:
    """The profile with another ESI."""
    return replace(profile, esi=replace(profile.esi, **changes))


ILLEGAL: dict[str, Callable[[LegalProfile], LegalProfile]] = {
    "UC2.7-05-BEACON@ESI": lambda legal: on_the_esi(legal, extended_pan_id=Eui64(0)),  # 0 names no network
    "UC2.7-07-SUITE@ESI": lambda legal: on_the_esi(legal, habits=replace(legal.esi.habits, suite=int(Suite.CBKE_ECMQV_K283))),
}


@pytest.mark.parametrize("broken", sorted(ILLEGAL))
def test_an_illegal_profile_is_found_out(broken: str) -> None:
    legal = drawn(ALL_CHANNELS[0], 1)[0]
    assert broken in complaints(played(ILLEGAL[broken](legal)))


@cache
def cases_of_the_air() -> tuple[Callable[..., Any], ...]:
    """The cases of the steps on the air, and of the whole run."""
    return tuple(
        function for module in pkgutil.iter_modules(cases.__path__) if module.name.startswith(ON_THE_AIR)
        for _, function in inspect.getmembers(importlib.import_module(f"cases.{module.name}"), inspect.isfunction)
        if clauses_of(function)
    )


@pytest.mark.parametrize("share", range(CASE_SHARES))
def test_no_case_fails_a_device_for_being_different(share: int) -> None:
    """Each case with another profile; one that it cannot put its question to may be inconclusive, or not applicable.

    Where a case brings a router, or another device, the ESI must name itself under the key-transport key (05-3474, 4.4.9.8.3)
    and has no address that the case gives away, and no device writes its address into NWK headers: the other has the same habits.
    """
    load_profile()
    functions = cases_of_the_air()[share::CASE_SHARES]
    failed = {}
    for function, profile in zip(functions, drawn(100 + share, len(functions)), strict=True):
        device = replace(profile.han_device, habits=replace(profile.han_device.habits, names_source=False))
        esi = replace(profile.esi, extended_nonce=True, habits=replace(profile.esi.habits, eui64=OWN))
        file = LegalProfile(device, esi).bench_file(usual())
        conclusion = run_case(function, Campaign(file, share, build), file.devices[0], examples=1)
        if conclusion.verdict in (Verdict.FAIL, Verdict.ERROR):
            failed[function.__name__] = (conclusion.reason, profile)
    assert failed == {}


def test_each_of_several_events_may_draw_a_default_response() -> None:
    legal = drawn(ALL_CHANNELS[0], 1)[0]
    event = {"device_class": 0xFFF, "duration_in_minutes": 1, "criticality_level": 2}
    events = tuple({**event, "issuer_event_id": number, "start_time": 600 * number} for number in (1, 2))
    asked_for = replace(legal.esi.habits, disables_default_response=False)
    device = replace(legal.han_device, claims=legal.han_device.claims | {"zcl_r03"}, sends_default_response=True)
    esi = replace(legal.esi, habits=asked_for, offers=replace(legal.esi.offers, events=events))
    bench = played(LegalProfile(device, esi))
    assert got_in(bench)
    assert complaints(bench) == {}
