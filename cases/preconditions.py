"""What must be so before the use case can begin: a bench where it is not so is inconclusive, and says which."""

from __future__ import annotations

from hypothesis import given

from cases.table import clause, step
from harness.strategies import eui64s

pytestmark = step("PRE")


@clause("UC2.7-PRE-METER-REGISTERED", "UC2.7-PRE-DEVICE-IMPORTED", "UC2.7-PRE-ENROLLED")
def test_meter_device_and_enrolment_are_known(bench, verify):
    bench.prepare()
    verify(bench.trace)


@clause("UC2.7-PRE-METER-IN-CIS")
def test_the_cis_has_a_record_of_the_meter(provisioned, verify):
    verify(provisioned)


@clause("UC2.7-PRE-METERING-CLUSTER")
def test_the_device_has_the_metering_cluster_that_it_claims(provisioned, verify):
    verify(provisioned)


@clause("UC2.7-PRE-METER-REGISTERED", "UC2.7-PRE-METER-IN-CIS", "UC2.7-PRE-DEVICE-IMPORTED", "UC2.7-PRE-ENROLLED")
@given(other=eui64s())
def test_all_of_it_holds_at_both_of_two_premises(benches, verify, other):
    bench = benches(second=other, second_meter=True)
    bench.request()
    verify(bench.trace)
