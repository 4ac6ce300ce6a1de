"""Step 2: what the AMI Head-End makes of an order for a joining window."""

from __future__ import annotations

from hypothesis import given

from cases.table import clause, step
from harness.backhaul import faults
from harness.overlap_strategies import pairs
from harness.strategies import eui64s, repetitions, windows
from harness.usecase import Actor

pytestmark = step(2)  # AMI Head-End -> AMI Network: MAC address, device type, key, and the command to open the window


@clause("UC2.7-02-FORWARDED", "UC2.7-02-TARGET", "UC2.7-02-ONCE", "UC2.7-02-TIMELY")
def test_the_order_goes_on_to_its_meter_as_it_came(provisioned, verify):
    verify(provisioned)


@clause("UC2.7-02-CONFIDENTIAL")
def test_the_key_stays_out_of_the_log(provisioned, verify):
    verify(provisioned)


@clause("UC2.7-02-ONCE")
@given(after=repetitions())
def test_an_order_that_comes_twice_goes_on_once(benches, verify, after):
    bench = benches()
    with bench.suffering(faults.duplicate(faults.between(Actor.DR_APPLICATION, Actor.AMI_HEAD_END), after=after)):
        bench.play()
    verify(bench.trace)


@clause("UC2.7-02-FORWARDED", "UC2.7-02-TIMELY", "UC2.7-02-CONFIDENTIAL")
@given(window=windows(expired=False))
def test_what_is_left_of_any_window_is_what_goes_on(benches, verify, window):
    bench = benches(window_start=window.start, window_duration=window.duration, latency=window.latency)
    bench.open()
    verify(bench.trace)


@clause("UC2.7-02-TIMELY")
@given(window=windows(expired=True))
def test_a_window_that_is_over_does_not_go_on(benches, verify, window):
    bench = benches(window_start=window.start, window_duration=window.duration)
    with bench.suffering(faults.delay(faults.between(Actor.DR_APPLICATION, Actor.AMI_HEAD_END), by=window.latency)):
        bench.open()
    verify(bench.trace)


@clause("UC2.7-02-FORWARDED", "UC2.7-02-TARGET", "UC2.7-02-ONCE", "UC2.7-02-TIMELY")
@given(other=eui64s(), pair=pairs())
def test_of_two_orders_each_goes_on_by_itself(benches, verify, other, pair):
    bench = benches(second=other, **pair.planned)
    bench.play()
    verify(bench.trace)


@clause("UC2.7-02-FORWARDED", "UC2.7-02-TARGET", "UC2.7-02-ONCE", "UC2.7-02-TIMELY")
@given(other=eui64s(), pair=pairs())
def test_orders_for_two_meters_go_on_to_their_own(benches, verify, other, pair):
    bench = benches(second=other, second_meter=True, **pair.planned)
    bench.play()
    verify(bench.trace)


@clause("UC2.7-02-UNDELIVERABLE")
def test_an_order_that_the_network_cannot_deliver_is_told_as_failed(benches, verify):
    bench = benches(provocation="network-reaches-no-meter")
    bench.play()
    verify(bench.trace)


@clause("UC2.7-02-UNDELIVERABLE")  # derived: row 1, a time-based window
def test_an_order_that_is_over_on_its_way_is_told_as_failed(bench, verify):
    with bench.suffering(faults.delay(faults.between(Actor.AMI_HEAD_END, Actor.AMI_NETWORK), by=bench.order.duration)):
        bench.open()
    bench.settle()
    verify(bench.trace)
