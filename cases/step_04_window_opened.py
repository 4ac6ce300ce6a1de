"""Step 4: what the ESI makes of an order for a joining window."""

from __future__ import annotations

from hypothesis import given

from cases.table import clause, step
from harness.backhaul import faults
from harness.overlap_strategies import Meeting, pairs
from harness.strategies import When, arrivals, eui64s, install_codes, malformed_key_material, overdue
from harness.usecase import Actor

pytestmark = step(4)  # NIC -> ESI: MAC address, device type, key, and the command to open the window


@clause("UC2.7-04-OPENS", "UC2.7-04-CLOSES", "UC2.7-04-AUTHORISES")
def test_the_window_opens_for_the_ordered_device_and_closes_again(provisioned, verify):
    verify(provisioned)


@clause("UC2.7-04-OPENS")
@given(arrival=arrivals(When.INSIDE))
def test_a_device_finds_its_window_open(benches, verify, arrival):
    bench = benches(window_start=arrival.window.start, window_duration=arrival.window.duration, joins_at=arrival.comes)
    bench.open()
    bench.join()
    verify(bench.trace)


@clause("UC2.7-04-EXTENDS")
@given(arrival=arrivals(When.LATE))
def test_a_device_that_comes_late_finds_a_long_window_still_open(benches, verify, arrival):
    bench = benches(window_start=arrival.window.start, window_duration=arrival.window.duration, joins_at=arrival.comes)
    bench.open()
    bench.join()
    verify(bench.trace)


@clause("UC2.7-04-CLOSES")  # derived: 802.15.4-2006 7.5.3.1, Smart Energy 1.0 5.4.1
@given(arrival=arrivals(When.BEFORE, When.AT_THE_END, When.AFTER))
def test_a_device_that_comes_before_or_after_its_window_finds_it_closed(benches, verify, arrival):
    bench = benches(
        window_start=arrival.window.start, window_duration=arrival.window.duration, latency=arrival.window.latency,
        joins_at=arrival.comes,
    )
    bench.play()
    verify(bench.trace)


@clause("UC2.7-04-CLOSES")  # derived: a withdrawal is the close command of IEC 61968-9
def test_a_window_that_is_withdrawn_is_closed(bench, verify):
    bench.open()
    bench.cancel()
    bench.join()
    verify(bench.trace)


@clause("UC2.7-04-CLOSES")  # derived: docs/leg-codec.md, a withdrawal has the number of its order
@given(late=overdue())
def test_a_window_whose_withdrawal_overtakes_its_order_stays_closed(benches, verify, late):
    bench = benches(window_start=0.0)
    with bench.suffering(faults.reorder(faults.between(Actor.NIC, Actor.ESI), by=late)):
        bench.request()
        bench.cancel()
        bench.join()
    verify(bench.trace)


@clause("UC2.7-04-CLOSES")  # derived: row 1, a time-based window
def test_an_order_that_arrives_when_its_window_is_over_opens_nothing(bench, verify):
    with bench.suffering(faults.delay(faults.between(*bench.way_in), by=bench.order.duration)):
        bench.open()
    bench.join()
    verify(bench.trace)


@clause("UC2.7-04-AUTHORISES")
@given(code=install_codes())
def test_an_install_code_of_any_length_lets_its_device_in(benches, verify, code):
    bench = benches(ordered_key=code.octets, han_device_key=code.link_key)
    bench.open()
    bench.join()
    verify(bench.trace)


@clause("UC2.7-04-AUTHORISES")  # derived: Smart Energy 1.0 5.4.1
@given(other=eui64s())
def test_the_window_is_for_the_ordered_device_alone(benches, verify, other):
    bench = benches(ordered=other)
    bench.open()
    bench.join()
    verify(bench.trace)


@clause("UC2.7-04-BAD-CODE")  # derived: AN708 12.1
@given(code=malformed_key_material())
def test_an_install_code_that_is_wrong_opens_nothing(benches, verify, code):
    bench = benches(ordered_key=code, provocation="04-head-end-passes-codes-unchecked")
    bench.open()
    bench.join()
    verify(bench.trace)


@clause("UC2.7-04-OVERLAP")
@given(other=eui64s(), arrival=arrivals(When.INSIDE, When.AFTER))
def test_with_two_windows_each_device_has_its_own(benches, verify, other, arrival):
    bench = benches(
        window_start=arrival.window.start, window_duration=arrival.window.duration, joins_at=arrival.comes,
        second=other, second_start=arrival.window.start, second_duration=arrival.longer,
    )
    bench.open()
    bench.join()
    bench.settle()
    verify(bench.trace)


@clause("UC2.7-04-SURVIVES-RESTART")
def test_a_window_outlasts_a_power_failure_of_the_esi(bench, verify):
    bench.open()
    bench.power_cycle(Actor.ESI)
    bench.join()
    verify(bench.trace)


@clause("UC2.7-04-OVERLAP")
@given(other=eui64s(), pair=pairs(Meeting.TOGETHER, Meeting.INSIDE, Meeting.OVERLAPPING))
def test_two_devices_join_each_in_its_own_window_while_the_others_is_open(benches, verify, other, pair):
    bench = benches(second=other, **pair.planned)
    bench.play()
    verify(bench.trace)


@clause("UC2.7-04-OPENS", "UC2.7-04-CLOSES", "UC2.7-04-AUTHORISES")
@given(other=eui64s(), pair=pairs())
def test_two_devices_join_each_in_its_own_window(benches, verify, other, pair):
    bench = benches(second=other, **pair.planned)
    bench.play()
    verify(bench.trace)


@clause("UC2.7-04-OPENS", "UC2.7-04-CLOSES", "UC2.7-04-AUTHORISES")
@given(other=eui64s(), pair=pairs())
def test_a_window_at_another_meter_opens_nothing_here(benches, verify, other, pair):
    bench = benches(second=other, second_meter=True, **pair.planned)
    bench.play()
    verify(bench.trace)
