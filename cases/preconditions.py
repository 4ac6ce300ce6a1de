"""What must be so before the use case can begin: a bench where it is not so is inconclusive, and says which."""

from __future__ import annotations

from cases.table import clause, step

pytestmark = step("PRE")


@clause("UC2.7-PRE-METER-REGISTERED", "UC2.7-PRE-DEVICE-IMPORTED")
def test_meter_and_device_are_known(bench, verify):
    bench.prepare()
    verify(bench.trace)


@clause("UC2.7-PRE-METER-IN-CIS")
def test_the_cis_has_a_record_of_the_meter(provisioned, verify):
    verify(provisioned)
