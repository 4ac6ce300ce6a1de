"""Step 4: what the NIC makes of an order for a joining window."""

from __future__ import annotations

from hypothesis import given

from cases.table import clause, step
from harness.backhaul import faults
from harness.overlap_strategies import pairs
from harness.strategies import eui64s, repetitions, windows
from harness.usecase import Actor

pytestmark = step(4)  # NIC -> ESI: MAC address, device type, key, and the command to open the window


@clause("UC2.7-04-FORWARDED", "UC2.7-04-TARGET", "UC2.7-04-ONCE", "UC2.7-04-TIMELY")
def test_the_order_goes_on_to_its_meter_as_it_came(provisioned, verify):
    verify(provisioned)


@clause("UC2.7-04-CONFIDENTIAL")
def test_the_key_stays_out_of_the_log(provisioned, verify):
    verify(provisioned)


@clause("UC2.7-04-ONCE")
@given(after=repetitions())
def test_an_order_that_comes_twice_goes_on_once(benches, verify, after):
    bench = benches()
    with bench.suffering(faults.duplicate(faults.between(Actor.AMI_NETWORK, Actor.NIC), after=after)):
        bench.play()
    verify(bench.trace)


@clause("UC2.7-04-FORWARDED", "UC2.7-04-TIMELY", "UC2.7-04-CONFIDENTIAL")
@given(window=windows(expired=False))
def test_what_is_left_of_any_window_is_what_goes_on(benches, verify, window):
    bench = benches(window_start=window.start, window_duration=window.duration, latency=window.latency)
    bench.open()
    verify(bench.trace)


@clause("UC2.7-04-TIMELY")
@given(window=windows(expired=True))
def test_a_window_that_is_over_does_not_go_on(benches, verify, window):
    bench = benches(window_start=window.start, window_duration=window.duration)
    with bench.suffering(faults.delay(faults.between(Actor.AMI_NETWORK, Actor.NIC), by=window.latency)):
        bench.open()
    verify(bench.trace)


@clause("UC2.7-04-UNDELIVERABLE")
def test_an_order_for_an_unknown_meter_is_reported_back(benches, verify):
    bench = benches(provocation="network-delivers-to-the-wrong-meter")
    bench.play()
    verify(bench.trace)


@clause("UC2.7-04-FORWARDED", "UC2.7-04-TARGET", "UC2.7-04-ONCE", "UC2.7-04-TIMELY")
@given(other=eui64s(), pair=pairs())
def test_of_two_orders_each_goes_on_by_itself(benches, verify, other, pair):
    bench = benches(second=other, **pair.planned)
    bench.play()
    verify(bench.trace)


@clause("UC2.7-04-TARGET")
@given(other=eui64s(), pair=pairs())
def test_an_order_for_the_other_of_two_meters_does_not_go_on(benches, verify, other, pair):
    bench = benches(second=other, second_meter=True, provocation="network-sends-to-every-meter", **pair.planned)
    bench.play()
    verify(bench.trace)
