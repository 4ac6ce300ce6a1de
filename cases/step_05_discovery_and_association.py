"""Step 5: the HAN Device is installed, finds its ESI and asks to be let in."""

from __future__ import annotations

from hypothesis import given

from cases.table import clause, step
from harness.strategies import When, arrivals
from harness.usecase import Actor

pytestmark = step(5)  # HAN Device -> ESI: MAC address of the HAN Device


@clause(
    "UC2.7-05-SCANS", "UC2.7-05-BEACON", "UC2.7-05-CHOOSES", "UC2.7-05-ASSOCIATES", "UC2.7-05-POLLS",
)
def test_the_device_finds_its_esi_and_associates(provisioned, verify):
    verify(provisioned)


@clause("UC2.7-05-SCANS", "UC2.7-05-ASSOCIATES", "UC2.7-05-CHOOSES", "UC2.7-05-POLLS")
@given(arrival=arrivals(When.INSIDE, When.LATE))
def test_the_device_associates_whenever_it_comes_in_its_window(benches, verify, arrival):
    bench = benches(window_start=arrival.window.start, window_duration=arrival.window.duration, joins_at=arrival.comes)
    bench.open()
    bench.join()
    verify(bench.trace)


@clause("UC2.7-05-BUTTON")
def test_a_device_that_has_power_begins_as_it_claims(bench, verify):
    bench.open()
    bench.power_cycle(Actor.HAN_DEVICE)
    bench.settle()
    verify(bench.trace)


@clause("UC2.7-05-CHOOSES")  # derived: 05-3474 3.6.1.4.1, a network that has room
def test_the_device_does_not_ask_a_network_that_has_no_room(benches, verify):
    bench = benches(esi_full=True)
    bench.open()
    bench.join()
    verify(bench.trace)


@clause("UC2.7-05-CHOOSES", "UC2.7-05-SCAN-ATTEMPTS", "UC2.7-05-BEACON")  # derived: 05-3474 3.6.1.4.1, SE 1.0 table 5-2
@given(arrival=arrivals(When.BEFORE, When.AFTER))
def test_the_device_waits_while_no_network_permits_association(benches, verify, arrival):
    bench = benches(window_start=arrival.window.start, window_duration=arrival.window.duration, joins_at=arrival.comes)
    bench.play()
    verify(bench.trace)


@clause("UC2.7-05-CLOSED")  # derived: 802.15.4-2006 7.5.3.1
@given(arrival=arrivals(When.BEFORE, When.AFTER))
def test_a_device_that_asks_outside_its_window_is_not_let_in(benches, verify, arrival):
    bench = benches(
        window_start=arrival.window.start, window_duration=arrival.window.duration, joins_at=arrival.comes,
        provocation="05-device-asks-closed-networks",
    )
    bench.play()
    verify(bench.trace)


@clause("UC2.7-05-CAPACITY")  # derived: 802.15.4-2006 7.3.2.3
def test_an_esi_without_room_says_so(benches, verify):
    bench = benches(esi_full=True, provocation="05-device-asks-full-networks")
    bench.open()
    bench.join()
    verify(bench.trace)


@clause("UC2.7-05-NOT-ELSEWHERE")  # derived: 05-3474 4.6.3.2.3
def test_the_device_leaves_a_foreign_network_and_finds_its_own(benches, verify):
    bench = benches(neighbour=True)
    bench.open()
    bench.join()
    verify(bench.trace)
