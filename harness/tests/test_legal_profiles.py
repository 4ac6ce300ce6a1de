"""No false alarms: devices and ESIs that are different and legal pass every clause, and an illegal one does not.

Each channel has profiles of its own, so that no two shares of the test can draw the same one.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, seed, settings

from cases.table import clauses
from dissectors.clusters.key_establishment import Suite
from dissectors.smart_energy import ALL_CHANNELS
from harness.bench import Bench
from harness.declarations import BenchFile, read_bench
from harness.faults import thin
from harness.judge import judge
from harness.profiles.legal import LegalProfile
from harness.profiles.strategies import legal_profiles
from harness.stack import happenings
from harness.values import Eui64
from harness.verdict import Verdict

BENCH = Path(__file__).parents[2] / "fixtures" / "benches" / "virtual.yaml"
PROFILES = 1008
SHARE = PROFILES // len(ALL_CHANNELS)


@cache
def usual() -> BenchFile:
    """The virtual bench of CI."""
    return read_bench(BENCH)


def drawn(number: int, count: int, channels: tuple[int, ...] = ALL_CHANNELS) -> list[LegalProfile]:
    """So many different profiles whose ESI is on one of these channels: for the same number the same ones in every run."""
    found: dict[str, LegalProfile] = {}

    @seed(number)
    @settings(max_examples=2 * count, database=None, deadline=None, phases=[Phase.generate], suppress_health_check=list(HealthCheck))
    @given(legal_profiles(channels))
    def draw(profile: LegalProfile) -> None:
        if len(found) < count:
            found.setdefault(repr(profile), profile)

    draw()
    return list(found.values())


def complaints(profile: LegalProfile) -> dict[str, str]:
    """What is held against anybody when such a device joins such an ESI, by clause and actor: no fail, error or inconc is right."""
    file = profile.bench_file(usual())
    bench = Bench(file, file.devices[0], seed=file.devices[0].eui64 & 0xFFFF)
    with bench.air.suffering(*(() if profile.loses is None else (thin(profile.loses),))):
        bench.play()
    bench.close()
    found = {
        judgement.id: "; ".join(f"{each.message} (expected {each.expected}, observed {each.observed})" for each in judgement.findings
                                if each.verdict is judgement.verdict)
        for judgement in judge(bench.trace, clauses().values()) if judgement.verdict > Verdict.PASS
    }
    # Losses at regular intervals can hit the same message of every attempt and so keep a device out for good.
    if profile.loses is None and not bench.happened(happenings.ApplicationDone):
        found["the device"] = "did not get into service"
    return found


@pytest.mark.parametrize("channel", ALL_CHANNELS)
def test_nobody_is_blamed_for_being_different(channel: int) -> None:
    profiles = drawn(channel, SHARE, (channel,))
    assert len(profiles) == SHARE
    for profile in profiles:
        assert complaints(profile) == {}, profile


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
    assert broken in complaints(ILLEGAL[broken](legal))


def test_each_of_several_events_may_draw_a_default_response() -> None:
    legal = drawn(ALL_CHANNELS[0], 1)[0]
    event = {"device_class": 0xFFF, "duration_in_minutes": 1, "criticality_level": 2}
    events = tuple({**event, "issuer_event_id": number, "start_time": 600 * number} for number in (1, 2))
    asked_for = replace(legal.esi.habits, disables_default_response=False)
    device = replace(legal.han_device, claims=legal.han_device.claims | {"zcl_r03"}, sends_default_response=True)
    esi = replace(legal.esi, habits=asked_for, offers=replace(legal.esi.offers, events=events))
    assert complaints(LegalProfile(device, esi)) == {}
