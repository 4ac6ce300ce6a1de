"""What no CIM message shows alone: whether all messages of a run agree with each other."""

from __future__ import annotations

from hypothesis import given

from cases.table import clause, step
from harness.backhaul import faults
from harness.strategies import eui64s
from harness.usecase import Actor

pytestmark = step("INT")

ANSWERS = faults.between(Actor.CIS, Actor.DR_APPLICATION)
LINKAGES = faults.between(Actor.AMI_HEAD_END, Actor.DR_APPLICATION)


@clause("UC2.7-INT-SEQUENCE")
def test_no_message_contradicts_another(provisioned, verify):
    verify(provisioned)


@clause("UC2.7-INT-SEQUENCE")
def test_no_message_contradicts_another_when_answers_come_later(benches, verify):
    bench = benches(pattern="asynchronous")
    bench.play()
    verify(bench.trace)


@clause("UC2.7-INT-SEQUENCE")
def test_no_message_contradicts_another_when_some_get_lost_and_some_come_twice(bench, verify):
    with bench.suffering(faults.drop(ANSWERS), faults.duplicate(LINKAGES, times=None)):
        bench.play()
    verify(bench.trace)


@clause("UC2.7-INT-SEQUENCE@DR Application", "UC2.7-INT-SEQUENCE@AMI Head-End")
@given(other=eui64s())
def test_two_orders_at_once_are_told_apart(benches, verify, other):
    bench = benches(second=other)
    bench.request()
    verify(bench.trace)
