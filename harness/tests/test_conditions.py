"""Preconditions that do not hold, and actors that cannot be asked about what is so before and after."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from cases.table import clauses
from harness.adapters.defects import all_defects
from harness.bench import Bench
from harness.declarations import read_bench
from harness.errors import Inconclusive
from harness.inquiry import is_enrolled
from harness.judge import concluded, judge
from harness.trace import Trace
from harness.usecase import Actor
from harness.verdict import Verdict

FILE = read_bench(Path(__file__).parents[2] / "fixtures" / "benches" / "virtual.yaml")
SHOWN_BY_MESSAGES = ("PRE-METER-REGISTERED", "PRE-METER-IN-CIS", "PRE-DEVICE-IMPORTED", "PRE-ENROLLED")
NOT_SHOWN = ("POST-STATE-IN-DRMS", "POST-CONFIG-IN-CIS")


class Unasked:
    """A machine of which nobody can ask anything: the five verbs, and those that set it going."""

    VERBS = ("receive", "transmit", "deadline", "wake", "events", "order_window", "cancel_window")

    def __init__(self, machine: Any) -> None:
        for verb in self.VERBS:
            if hasattr(machine, verb):
                setattr(self, verb, getattr(machine, verb))


def played_unasked() -> Trace:
    bench = Bench(FILE, FILE.device("pct"))
    for actor in (Actor.DR_APPLICATION, Actor.AMI_HEAD_END, Actor.CIS):
        bench.machines[actor] = Unasked(bench.machines[actor])
    bench.play()
    return bench.trace


@pytest.mark.parametrize(("defect", "says"), [
    ("head-end-without-meters", "METER-0001 is not registered with the AMI Head-End"),
    ("dr-without-devices", "acde48000a19c3d5 was never imported into the DR Application"),
    ("cis-without-enrolment", "the customer at 123456789 is enrolled in no programme"),
    ("cis-with-real-time-prices", "the customer at 123456789 is enrolled in DR RTP"),
])
def test_a_bench_says_which_precondition_does_not_hold(defect: str, says: str) -> None:
    bench = Bench(FILE, FILE.device("pct"), defects=(all_defects()[defect],))
    with pytest.raises(Inconclusive, match=says):
        bench.play()
    assert bench.prepare() == [says]


def test_who_cannot_be_asked_is_judged_by_messages_before_and_left_undecided_after() -> None:
    trace = played_unasked()
    before = judge(trace, [clauses()[f"UC2.7-{name}"] for name in SHOWN_BY_MESSAGES])
    assert [each.id for each in before if each.verdict is not Verdict.PASS] == []
    for name in NOT_SHOWN:
        verdict, reason = concluded(judge(trace, [clauses()[f"UC2.7-{name}"]]))
        assert verdict is Verdict.INCONC
        assert "cannot be asked" in reason


@pytest.mark.parametrize(("programmes", "enrolled"), [
    (None, True), ("DR", True), ("DR TOU", True), ("", False), ("RTP", False), ("DR RTP", False), ("NDR", False),
])
def test_a_customer_is_in_demand_response_and_not_in_real_time_prices(programmes: str | None, enrolled: bool) -> None:
    assert is_enrolled(programmes) is enrolled
