"""What is so when the use case is over, by what the back office says when it is asked."""

from __future__ import annotations

from hypothesis import given

from cases.table import clause, step
from harness.overlap_strategies import pairs
from harness.strategies import eui64s

pytestmark = step("POST")


@clause("UC2.7-POST-STATE-IN-DRMS", "UC2.7-POST-CONFIG-IN-CIS", "UC2.7-POST-ENROLMENT-PASSED")
def test_everybody_holds_the_device_as_joined(provisioned, verify):
    verify(provisioned)


@clause("UC2.7-POST-STATE-IN-DRMS", "UC2.7-POST-CONFIG-IN-CIS")
@given(device=eui64s())
def test_everybody_holds_the_device_by_its_own_mac_address(benches, verify, device):
    bench = benches(ordered=device, han_device=device)
    bench.play()
    verify(bench.trace)


@clause("UC2.7-POST-STATE-IN-DRMS", "UC2.7-POST-CONFIG-IN-CIS", "UC2.7-POST-ENROLMENT-PASSED")
@given(other=eui64s(), pair=pairs())
def test_everybody_holds_both_of_two_devices_as_joined(benches, verify, other, pair):
    bench = benches(second=other, **pair.planned)
    bench.play()
    verify(bench.trace)


@clause("UC2.7-POST-STATE-IN-DRMS", "UC2.7-POST-CONFIG-IN-CIS", "UC2.7-POST-ENROLMENT-PASSED")
@given(other=eui64s(), pair=pairs())
def test_everybody_holds_each_device_at_its_own_premise(benches, verify, other, pair):
    bench = benches(second=other, second_meter=True, **pair.planned)
    bench.play()
    verify(bench.trace)
