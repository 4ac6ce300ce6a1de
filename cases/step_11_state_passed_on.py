"""Step 11: how the NIC reports the provisioning state of a HAN device."""

from __future__ import annotations

from hypothesis import given

from cases.table import clause, step
from harness.backhaul import faults
from harness.overlap_strategies import pairs, reorderings
from harness.strategies import eui64s, latenesses, link_keys, repetitions
from harness.usecase import Actor

pytestmark = step(11)  # NIC -> AMI Network: provisioned state, HAN Device MAC address


@clause("UC2.7-11-STATE", "UC2.7-11-AFTER-REGISTRATION", "UC2.7-11-ONCE", "UC2.7-11-UNALTERED")
def test_a_provisioned_device_is_reported_once_it_is_provisioned(provisioned, verify):
    verify(provisioned)


@clause("UC2.7-11-STATE", "UC2.7-11-ONCE", "UC2.7-11-AFTER-REGISTRATION")
@given(device=eui64s())
def test_whatever_its_mac_address_the_device_is_reported_by_it(benches, verify, device):
    bench = benches(ordered=device, han_device=device)
    bench.play()
    verify(bench.trace)


@clause("UC2.7-11-FAILURE")
@given(key=link_keys())
def test_a_device_with_another_key_is_not_reported_as_provisioned(benches, verify, key):
    bench = benches(han_device_key=key)
    bench.play()
    verify(bench.trace)


@clause("UC2.7-11-ONCE")
def test_a_report_that_comes_twice_goes_on_once(bench, verify):
    with bench.suffering(faults.duplicate(faults.between(Actor.ESI, Actor.NIC), times=None)):
        bench.play()
    verify(bench.trace)


@clause("UC2.7-11-STATE", "UC2.7-11-ONCE", "UC2.7-11-UNALTERED")
@given(late=latenesses())
def test_a_report_that_comes_late_goes_on_as_it_came(benches, verify, late):
    bench = benches()
    with bench.suffering(faults.delay(faults.between(Actor.ESI, Actor.NIC), by=late, times=None)):
        bench.play()
    verify(bench.trace)


@clause("UC2.7-11-STATE", "UC2.7-11-ONCE", "UC2.7-11-UNALTERED")
def test_a_report_that_the_end_of_its_window_overtakes_goes_on_as_it_came(bench, verify):
    bench.open()
    with bench.suffering(faults.reorder(faults.between(Actor.ESI, Actor.NIC), by=bench.order.duration)):
        bench.join()
        bench.settle()
    verify(bench.trace)


@clause("UC2.7-11-TIMELY")
def test_the_report_is_soon_on_its_way(provisioned, verify):
    verify(provisioned)


@clause("UC2.7-11-RIGHT-DEVICE", "UC2.7-11-STATE", "UC2.7-11-ONCE", "UC2.7-11-TIMELY", "UC2.7-11-UNALTERED")
@given(other=eui64s(), pair=pairs())
def test_of_two_devices_each_is_reported_as_itself(benches, verify, other, pair):
    bench = benches(second=other, **pair.planned)
    bench.play()
    verify(bench.trace)


@clause("UC2.7-11-RIGHT-DEVICE", "UC2.7-11-STATE", "UC2.7-11-ONCE", "UC2.7-11-UNALTERED")
@given(other=eui64s(), pair=pairs())
def test_devices_at_two_meters_are_reported_from_their_own(benches, verify, other, pair):
    bench = benches(second=other, second_meter=True, **pair.planned)
    bench.play()
    verify(bench.trace)


@clause("UC2.7-11-RIGHT-DEVICE")
@given(other=eui64s(), pair=pairs(), key=link_keys())
def test_where_one_of_two_devices_gets_in_the_other_is_not_reported(benches, verify, other, pair, key):
    bench = benches(second=other, han_device_key=key, **pair.planned)
    bench.play()
    verify(bench.trace)


@clause("UC2.7-11-RIGHT-DEVICE", "UC2.7-11-STATE", "UC2.7-11-ONCE", "UC2.7-11-UNALTERED")
@given(other=eui64s(), pair=pairs(), after=repetitions())
def test_reports_of_two_devices_that_come_twice_go_on_once(benches, verify, other, pair, after):
    bench = benches(second=other, **pair.planned)
    with bench.suffering(faults.duplicate(faults.between(Actor.ESI, Actor.NIC), after=after, times=None)):
        bench.play()
    verify(bench.trace)


@clause("UC2.7-11-RIGHT-DEVICE", "UC2.7-11-STATE", "UC2.7-11-UNALTERED")
@given(other=eui64s(), pair=pairs(), overtaken=reorderings())
def test_reports_of_two_devices_that_overtake_each_other_are_not_mixed_up(benches, verify, other, pair, overtaken):
    which, by = overtaken
    bench = benches(second=other, **pair.planned)
    with bench.suffering(faults.reorder(faults.between(Actor.ESI, Actor.NIC), by=by, skip=which)):
        bench.play()
    verify(bench.trace)
