"""Cases in virtual time and in real time, a selection: the whole is `make parity`. What differs counts when it differs at every try."""

from __future__ import annotations

from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context

import pytest

from harness.tests.parity_cases import Case, cases, differences, real, virtual
from harness.usecase import Actor
from harness.verdict import Verdict

SELECTED = [  # faults on either side's frames, an order of its own, a device and an ESI under test, power that fails
    Case("step_06_freshness-the_device_takes_no_frame_with_a_wrong_mic", Actor.HAN_DEVICE, "load_control"),
    Case("step_06_admission-a_network_key_lost_in_the_air_is_had_by_joining_again", Actor.ESI, "load_control"),
    Case("step_04_window_opened-an_install_code_of_any_length_lets_its_device_in", Actor.ESI, "load_control"),
    Case("step_04_window_opened-a_window_outlasts_a_power_failure_of_the_esi", Actor.ESI, "load_control"),
]
TRIES = 3  # a busy machine answers late now and then, and somebody asks again; but not each time at the same place


def test_cases_have_the_verdicts_and_the_order_of_frames_of_virtual_time() -> None:
    asked = {case: expected for case in SELECTED if (expected := virtual(case)) is not None}
    assert list(asked) == SELECTED
    always: dict[Case, set[str]] = {}
    with ProcessPoolExecutor(len(SELECTED), get_context("spawn")) as pool:
        for _ in range(TRIES):
            again = [case for case in SELECTED if always.get(case, {""})]
            for case, played in zip(again, pool.map(real, again), strict=True):
                assert played.verdict not in (Verdict.NONE, Verdict.FAIL, Verdict.ERROR), f"{case}: {played.reason}"
                found = set(differences(asked[case], played))
                always[case] = found & always.get(case, found)
            if not any(always.values()):
                break
    assert {str(case): sorted(found) for case, found in always.items() if found} == {}


def test_what_differs_is_said() -> None:
    one, other = virtual(SELECTED[1]), virtual(SELECTED[2])
    assert one is not None
    assert other is not None
    assert not list(differences(one, one))
    assert "HAN Device, MAC: -Mac AssociationRequest" in set(differences(one, other)), "whose first network key was lost asks again"


@pytest.mark.parametrize("judged", [Actor.HAN_DEVICE, Actor.ESI])
def test_what_is_played_in_real_time_is_found_by_playing_it(judged: Actor) -> None:
    names = {case.name for case in cases() if case.judged is judged and case.device == "load_control"}
    assert len(names) > 20
    assert "step_05_discovery_and_association-a_device_that_has_power_begins_as_it_claims" in names or judged is Actor.ESI
    too_long = Case("step_06_freshness-the_device_keeps_its_frame_counter_over_a_power_failure", judged, "load_control")
    assert virtual(too_long) is None
