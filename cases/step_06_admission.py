"""Step 6: the ESI verifies that the HAN Device is authorised and lets it onto the HAN."""

from __future__ import annotations

from hypothesis import given

from cases.table import clause, step
from dissectors.aps import TransportKey
from dissectors.mac import AssociationRequest
from harness import faults
from harness.overlap_strategies import Meeting, behind_a_router, pairs
from harness.strategies import When, arrivals, eui64s, install_codes, misderived_keys
from harness.usecase import Actor

pytestmark = step(6)  # ESI -> HAN Device: network key, 16-bit short address, PAN ID


@clause(
    "UC2.7-06-SHORT-ADDRESS", "UC2.7-06-PAN", "UC2.7-06-KEY-SEALED", "UC2.7-06-KEY-NEVER-CLEAR", "UC2.7-06-JOINED",
)
def test_the_ordered_device_joins(provisioned, verify):
    verify(provisioned)


@clause("UC2.7-06-SHORT-ADDRESS", "UC2.7-06-PAN", "UC2.7-06-JOINED")
@given(arrival=arrivals(When.INSIDE, When.LATE))
def test_the_ordered_device_joins_whenever_it_comes_in_its_window(benches, verify, arrival):
    bench = benches(window_start=arrival.window.start, window_duration=arrival.window.duration, joins_at=arrival.comes)
    bench.open()
    bench.join()
    verify(bench.trace)


@clause("UC2.7-06-KEY-SEALED", "UC2.7-06-KEY-NEVER-CLEAR")
@given(code=install_codes())
def test_the_network_key_is_sealed_with_the_key_of_any_install_code(benches, verify, code):
    bench = benches(ordered_key=code.octets, han_device_key=code.link_key)
    bench.open()
    bench.join()
    verify(bench.trace)


@clause("UC2.7-06-AUTHORISED")  # derived: Smart Energy 1.0 5.4.1
@given(other=eui64s())
def test_a_device_nobody_ordered_is_refused(benches, verify, other):
    bench = benches(ordered=other)
    bench.open()
    bench.join()
    verify(bench.trace)


@clause("UC2.7-06-WRONG-CODE")  # derived: Smart Energy 1.0 5.4.1
@given(code=install_codes())
def test_a_device_with_another_install_code_stays_outside(benches, verify, code):
    bench = benches(ordered_key=code.octets)
    bench.open()
    bench.join()
    verify(bench.trace)


@clause("UC2.7-06-WRONG-CODE")  # derived: AN708 12.1, the mistakes that are made with install codes
@given(made=misderived_keys())
def test_a_device_that_made_its_key_wrong_stays_outside(benches, verify, made):
    code, key = made
    bench = benches(ordered_key=code.octets, han_device_key=key)
    bench.open()
    bench.join()
    verify(bench.trace)


@clause("UC2.7-06-KEY-AGAIN")  # derived: Transport-Key asks for no acknowledgement, so that a lost one is not repeated
def test_a_network_key_lost_in_the_air_is_had_by_joining_again(bench, verify):
    with bench.air.suffering(faults.until(AssociationRequest, faults.drop(TransportKey, times=None), times=2)):
        bench.open()
        bench.join()
    verify(bench.trace)


@clause("UC2.7-06-KEY-AGAIN")  # derived: an install code stays good while its window is open
def test_a_device_that_was_reset_is_let_in_again(bench, verify):
    bench.open()
    bench.join()
    bench.join_again()
    verify(bench.trace)


@clause("UC2.7-06-KEY-AGAIN")  # derived: what a device forgets is no fault of its ESI
def test_a_device_that_lost_its_keys_with_its_power_is_let_in_again(benches, verify):
    bench = benches(provocation="06-device-forgets")
    bench.open()
    bench.join()
    bench.power_cycle(Actor.HAN_DEVICE)
    bench.settle()
    verify(bench.trace)


@clause("UC2.7-06-TUNNEL")  # derived: 05-3474 4.6.3.7, a parent that is not the trust centre
@given(passage=behind_a_router())
def test_a_device_that_joins_through_a_router_is_given_its_key_in_a_tunnel(benches, verify, passage):
    bench = benches(**passage)
    bench.open()
    bench.join()
    verify(bench.trace)


@clause("UC2.7-06-TUNNEL@ESI")  # derived: Smart Energy 1.0 5.4.1
@given(passage=behind_a_router(), other=eui64s())
def test_a_device_nobody_ordered_gets_no_key_through_a_router(benches, verify, passage, other):
    bench = benches(ordered=other, **passage)
    bench.open()
    bench.join()
    verify(bench.trace)


@clause("UC2.7-06-REFUSES-CLEAR-KEY")  # derived: Smart Energy 1.0 5.4.1
def test_a_network_key_in_the_clear_is_refused(benches, verify):
    bench = benches(provocation="06-provoke-clear-key")
    bench.open()
    bench.join()
    verify(bench.trace)


@clause("UC2.7-06-REFUSES-CLEAR-KEY")  # derived: Smart Energy 1.0 5.4.1
def test_a_network_key_under_the_key_that_everybody_knows_is_refused(benches, verify):
    bench = benches(provocation="06-provoke-well-known-key")
    bench.open()
    bench.join()
    verify(bench.trace)


@clause("UC2.7-06-JOINED")  # derived: 05-3474 3.3.1.1, the header may name EUI-64s as well
def test_a_network_key_whose_header_names_more_is_taken(benches, verify):
    bench = benches(provocation="06-provoke-extended-addresses")
    bench.open()
    bench.join()
    verify(bench.trace)


@clause("UC2.7-06-SHORT-ADDRESS")
@given(other=eui64s(), pair=pairs(Meeting.TOGETHER))
def test_two_devices_have_short_addresses_of_their_own(benches, verify, other, pair):
    bench = benches(second=other, **pair.planned)
    bench.play()
    verify(bench.trace)


@clause("UC2.7-06-LEAVES-WITHOUT-KEY")  # derived: 05-3474 4.6.3.2.3
def test_a_device_whose_key_comes_too_late_has_given_up(bench, verify):
    with bench.air.suffering(faults.until(AssociationRequest, faults.too_late(TransportKey), times=2)):
        bench.open()
        bench.join()
    verify(bench.trace)
