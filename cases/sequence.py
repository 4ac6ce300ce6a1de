"""The whole run: one order, one device, one window and one key from step 1 to step 14."""

from __future__ import annotations

from hypothesis import given

from cases.table import clause, step
from harness.overlap_strategies import pairs
from harness.strategies import eui64s, install_codes, windows
from harness.usecase import Actor

pytestmark = step("SEQ")

BACK_OFFICE = (Actor.DR_APPLICATION, Actor.AMI_HEAD_END, Actor.AMI_NETWORK)
IN_THE_METER = (Actor.NIC, Actor.ESI)


@clause("UC2.7-SEQ-ORDER", "UC2.7-SEQ-MAC-CHAIN", "UC2.7-SEQ-WINDOW-CHAIN", "UC2.7-SEQ-KEY-CHAIN")
def test_one_order_runs_from_the_first_step_to_the_last(provisioned, verify):
    verify(provisioned)


@clause("UC2.7-SEQ-NO-LEAK")
def test_no_key_is_told_on_the_way(provisioned, verify):
    verify(provisioned)


@clause("UC2.7-SEQ-NO-LEAK")
@given(code=install_codes())
def test_no_key_is_told_where_it_is_the_wrong_one(benches, verify, code):
    bench = benches(ordered_key=code.octets)
    bench.play()
    verify(bench.trace)


@clause("UC2.7-SEQ-MAC-CHAIN", "UC2.7-SEQ-KEY-CHAIN", "UC2.7-SEQ-ORDER")
@given(device=eui64s())
def test_a_device_of_any_address_is_followed_through(benches, verify, device):
    bench = benches(ordered=device, han_device=device)
    bench.play()
    verify(bench.trace)


@clause("UC2.7-SEQ-WINDOW-CHAIN")
@given(window=windows(expired=False))
def test_a_device_that_comes_when_its_window_is_over_stays_outside(benches, verify, window):
    bench = benches(window_start=window.start, window_duration=window.duration, latency=window.latency, joins_at=window.end)
    bench.play()
    verify(bench.trace)


@clause("UC2.7-SEQ-RE-PROVISION")
def test_a_device_that_was_reset_is_provisioned_again(bench, verify):
    bench.open()
    bench.join()
    bench.join_again()
    bench.settle()
    verify(bench.trace)


@clause("UC2.7-SEQ-TWO-DEVICES", "UC2.7-SEQ-MAC-CHAIN", "UC2.7-SEQ-KEY-CHAIN", "UC2.7-SEQ-WINDOW-CHAIN", "UC2.7-SEQ-ORDER")
@given(other=eui64s(), pair=pairs())
def test_two_devices_are_provisioned_side_by_side(benches, verify, other, pair):
    bench = benches(second=other, **pair.planned)
    bench.play()
    verify(bench.trace)


@clause("UC2.7-SEQ-TWO-DEVICES@DR Application", "UC2.7-SEQ-TWO-DEVICES@AMI Head-End", "UC2.7-SEQ-TWO-DEVICES@AMI Network")
@given(other=eui64s(), pair=pairs())
def test_two_meters_provision_side_by_side(benches, verify, other, pair):
    bench = benches(second=other, second_meter=True, **pair.planned)
    bench.play()
    verify(bench.trace)


@clause(*(f"UC2.7-SEQ-SWAP@{actor}" for actor in (*BACK_OFFICE, *IN_THE_METER)))
@given(other=eui64s())
def test_a_device_that_replaces_another_is_provisioned_like_the_first(benches, verify, other):
    bench = benches(second=other, swap="device")
    bench.play()
    verify(bench.trace)


@clause(*(f"UC2.7-SEQ-SWAP@{actor}" for actor in (*BACK_OFFICE, Actor.CIS, Actor.HAN_DEVICE)))
@given(device=eui64s())
def test_a_device_that_is_taken_to_another_meter_is_provisioned_there(benches, verify, device):
    bench = benches(ordered=device, han_device=device, swap="meter")
    bench.play()
    verify(bench.trace)
