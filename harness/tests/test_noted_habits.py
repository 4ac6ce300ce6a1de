"""What is unusual and allowed, or advice that is not followed, is noted and fails nothing, whatever else is judged."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from cases import step_07_commissioning, step_09_load_control
from harness.adapters.defects import all_defects
from harness.declarations import read_bench
from harness.plugin.bench_building import build
from harness.plugin.campaign import Campaign
from harness.plugin.case import run_case
from harness.verdict import Verdict

FILE = read_bench(Path(__file__).parents[2] / "fixtures" / "benches" / "virtual.yaml")


@pytest.mark.parametrize(("planted", "device", "case", "clause"), [
    ("07-esi-suite-0", "pct", step_07_commissioning.test_either_side_names_its_suite_and_answers_a_binding, "UC2.7-07-SUITE@ESI"),
    (
        "07-device-suite-0", "pct", step_07_commissioning.test_either_side_names_its_suite_and_answers_a_binding,
        "UC2.7-07-SUITE@HAN Device",
    ),
    (
        "07-device-polls-fast", "pct", step_07_commissioning.test_a_sleepy_device_polls_as_seldom_as_is_recommended,
        "UC2.7-07-POLL-RATE@HAN Device",
    ),
    (
        "07-esi-draft-clusters", "pct", step_07_commissioning.test_either_side_describes_itself_when_asked,
        "UC2.7-07-SIMPLE-DESC@ESI",
    ),
    (
        "07-device-draft-clusters", "pct", step_07_commissioning.test_either_side_describes_itself_when_asked,
        "UC2.7-07-SIMPLE-DESC@HAN Device",
    ),
    (
        "09-device-small-table", "load_control",
        step_09_load_control.test_several_events_are_taken_or_there_is_no_room_for_them, "UC2.7-09-DURATION@HAN Device",
    ),
])
def test_a_habit_is_noted_and_fails_nothing(planted: str, device: str, case: Callable[..., Any], clause: str) -> None:
    conclusion = run_case(case, Campaign(FILE, FILE.seed, build), FILE.device(device), all_defects()[planted])
    assert conclusion.verdict is Verdict.PASS, conclusion.reason
    noted = {each.id for each in conclusion.judgements for finding in each.findings if finding.note}
    assert clause in noted
    unplanted = run_case(case, Campaign(FILE, FILE.seed, build), FILE.device(device))
    assert clause not in {each.id for each in unplanted.judgements for finding in each.findings if finding.note}
