"""Step 10: how the ESI reports the provisioning state of a HAN device."""

from __future__ import annotations

from hypothesis import given

from cases.table import clause, step
from harness.overlap_strategies import pairs
from harness.strategies import eui64s, link_keys

pytestmark = step(10)  # ESI -> NIC: provisioned state, HAN Device MAC address


@clause("UC2.7-10-STATE", "UC2.7-10-AFTER-REGISTRATION", "UC2.7-10-ONCE")
def test_a_provisioned_device_is_reported_once_it_is_provisioned(provisioned, verify):
    verify(provisioned)


@clause("UC2.7-10-STATE", "UC2.7-10-ONCE", "UC2.7-10-AFTER-REGISTRATION")
@given(device=eui64s())
def test_whatever_its_mac_address_the_device_is_reported_by_it(benches, verify, device):
    bench = benches(ordered=device, han_device=device)
    bench.play()
    verify(bench.trace)


@clause("UC2.7-10-FAILURE")
@given(key=link_keys())
def test_a_device_with_another_key_is_not_reported_as_provisioned(benches, verify, key):
    bench = benches(han_device_key=key)
    bench.play()
    verify(bench.trace)


@clause("UC2.7-10-TIMELY")
def test_the_report_is_soon_on_its_way(provisioned, verify):
    verify(provisioned)


@clause("UC2.7-10-RIGHT-DEVICE", "UC2.7-10-STATE", "UC2.7-10-ONCE", "UC2.7-10-TIMELY")
@given(other=eui64s(), pair=pairs())
def test_of_two_devices_each_is_reported_as_itself(benches, verify, other, pair):
    bench = benches(second=other, **pair.planned)
    bench.play()
    verify(bench.trace)


@clause("UC2.7-10-RIGHT-DEVICE", "UC2.7-10-STATE", "UC2.7-10-ONCE")
@given(other=eui64s(), pair=pairs())
def test_devices_at_two_meters_are_reported_from_their_own(benches, verify, other, pair):
    bench = benches(second=other, second_meter=True, **pair.planned)
    bench.play()
    verify(bench.trace)


@clause("UC2.7-10-RIGHT-DEVICE")
@given(other=eui64s(), pair=pairs(), key=link_keys())
def test_where_one_of_two_devices_gets_in_the_other_is_not_reported(benches, verify, other, pair, key):
    bench = benches(second=other, han_device_key=key, **pair.planned)
    bench.play()
    verify(bench.trace)
