"""The whole run: one order, one device, one window and one key from step 1 to step 14."""

from __future__ import annotations

from hypothesis import given

from cases.table import clause, step
from harness.strategies import eui64s, windows

pytestmark = step("SEQ")


@clause("UC2.7-SEQ-ORDER", "UC2.7-SEQ-MAC-CHAIN", "UC2.7-SEQ-WINDOW-CHAIN", "UC2.7-SEQ-KEY-CHAIN")
def test_one_order_runs_from_the_first_step_to_the_last(provisioned, verify):
    verify(provisioned)


@clause("UC2.7-SEQ-NO-LEAK")
def test_no_key_is_told_on_the_way(provisioned, verify):
    verify(provisioned)


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
