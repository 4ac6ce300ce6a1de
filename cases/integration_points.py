"""The points of integration that the use case wants tested beside its fourteen steps."""

from __future__ import annotations

from hypothesis import given

from cases.table import clause, step
from harness.backhaul import faults
from harness.strategies import link_keys
from harness.usecase import Actor

pytestmark = step("INT")

REPORTS = faults.between(Actor.AMI_NETWORK, Actor.AMI_HEAD_END)


@clause("UC2.7-INT-HEAD-END-CIS", "UC2.7-INT-HEAD-END-ODS")
def test_cis_and_ods_are_told_what_happens_to_window_and_device(provisioned, verify):
    verify(provisioned)


@clause("UC2.7-INT-HEAD-END-CIS", "UC2.7-INT-HEAD-END-ODS")
@given(key=link_keys())
def test_cis_and_ods_are_told_of_a_device_that_does_not_get_in(benches, verify, key):
    bench = benches(han_device_key=key)
    bench.play()
    verify(bench.trace)


@clause("UC2.7-INT-HEAD-END-CIS", "UC2.7-INT-HEAD-END-ODS")
def test_cis_and_ods_are_told_once_of_what_is_reported_twice(bench, verify):
    with bench.suffering(faults.duplicate(REPORTS, times=None)):
        bench.play()
    verify(bench.trace)


@clause("UC2.7-INT-CIS-HEAD-END")
def test_the_cis_tells_the_head_end_of_the_meter(provisioned, verify):
    verify(provisioned)


@clause("UC2.7-INT-HEAD-END-NETWORK")
def test_head_end_and_network_understand_each_other(provisioned, verify):
    verify(provisioned)


@clause("UC2.7-INT-HEAD-END-DR")
def test_head_end_and_dr_application_understand_each_other(provisioned, verify):
    verify(provisioned)
