"""What is asked of later revisions alone: of a device that claims one, and of no other."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from cases.step_09_application_security import test_a_leave_is_not_obeyed_after_registration as leave_is_not_obeyed
from harness.adapters.defects import all_defects
from harness.declarations import read_bench
from harness.plugin.bench_building import build
from harness.plugin.campaign import Campaign
from harness.plugin.case import run_case
from harness.verdict import Verdict

FILE = read_bench(Path(__file__).parents[2] / "fixtures" / "benches" / "virtual.yaml")


@pytest.mark.parametrize(("claimed", "planted", "verdict"), [
    (True, "09-esi-obeys-leave", Verdict.FAIL), (True, None, Verdict.PASS), (False, "09-esi-obeys-leave", Verdict.NONE),
])
def test_a_leave_is_judged_from_smart_energy_1_1_on(claimed: bool, planted: str | None, verdict: Verdict) -> None:
    device = FILE.device("load_control")
    device = replace(device, pics={**device.pics, "smart_energy_1_1": claimed})
    defect = None if planted is None else all_defects()[planted]
    conclusion = run_case(leave_is_not_obeyed, Campaign(FILE, FILE.seed, build), device, defect)
    assert conclusion.verdict is verdict, conclusion.reason
    failures = {each.id: [finding.hint for finding in each.findings] for each in conclusion.judgements if each.verdict is Verdict.FAIL}
    assert failures == ({"UC2.7-09-LEAVE-IGNORED@ESI": ["leave-obeyed-after-registration"]} if verdict is Verdict.FAIL else {})
