"""Step 8: the HAN Device and the ESI establish a link key, each on its own certificate."""

from __future__ import annotations

from hypothesis import given

from cases.table import clause, step
from harness.strategies import eui64s

pytestmark = step(8)  # HAN Device <-> ESI: the new application key


@clause("UC2.7-08-DISCOVERS", "UC2.7-08-NOT-BEFORE-JOINED", "UC2.7-08-COMPLETES", "UC2.7-08-ORDER")
def test_a_device_that_has_joined_registers(provisioned, verify):
    verify(provisioned)


@clause("UC2.7-08-SUITE-BIT", "UC2.7-08-CERTIFICATE")
def test_each_shows_its_own_certificate(provisioned, verify):
    verify(provisioned)


@clause("UC2.7-08-ACKED", "UC2.7-08-NWK-ONLY", "UC2.7-08-DIRECTION-BIT")
def test_messages_are_acknowledged_and_under_the_network_key(provisioned, verify):
    verify(provisioned)


@clause("UC2.7-08-SOURCE-ENDPOINT", "UC2.7-08-TRANSACTION", "UC2.7-08-DEFAULT-RESPONSE-INSTEAD")
def test_the_esi_answers_the_one_who_asked(provisioned, verify):
    verify(provisioned)


@clause("UC2.7-08-TIMES")
def test_each_keeps_the_times_it_advertises(provisioned, verify):
    verify(provisioned)


@clause("UC2.7-08-MAC-U", "UC2.7-08-MAC-V")
def test_both_confirmations_are_right(provisioned, verify):
    verify(provisioned)


@clause("UC2.7-08-KEY-INSTALLED")
def test_what_follows_is_secured_with_the_new_key(provisioned, verify):
    verify(provisioned)


@clause("UC2.7-08-COMPLETES", "UC2.7-08-CERTIFICATE", "UC2.7-08-MAC-U", "UC2.7-08-MAC-V", "UC2.7-08-KEY-INSTALLED")
@given(device=eui64s())
def test_a_device_of_any_address_registers(benches, verify, device):
    bench = benches(ordered=device, han_device=device)
    bench.play()
    verify(bench.trace)


@clause("UC2.7-08-COMPLETES@HAN Device")
def test_a_device_begins_by_itself(bench, verify):
    bench.play()
    bench.wait_out()
    verify(bench.trace)


@clause("UC2.7-08-PATIENCE@HAN Device")
def test_the_device_waits_as_long_as_the_esi_advertises(benches, verify):
    bench = benches(provocation="esi-takes-its-time")
    bench.play()
    verify(bench.trace)


@clause("UC2.7-08-PATIENCE@ESI")
def test_the_esi_waits_as_long_as_the_device_advertises(benches, verify):
    bench = benches(provocation="device-takes-its-time")
    bench.play()
    verify(bench.trace)
