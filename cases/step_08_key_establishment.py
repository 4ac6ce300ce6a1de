"""Step 8: the HAN Device and the ESI establish a link key, each on its own certificate."""

from __future__ import annotations

from hypothesis import given

from cases.table import clause, step
from dissectors import zdp
from harness import faults
from harness.strategies import MESSAGES, eui64s
from harness.usecase import Actor

pytestmark = step(8)  # HAN Device <-> ESI: the new application key

PARTIES = (Actor.HAN_DEVICE, Actor.ESI)


@clause("UC2.7-08-DISCOVERS", "UC2.7-08-NOT-BEFORE-JOINED", "UC2.7-08-COMPLETES", "UC2.7-08-ORDER")
def test_a_device_that_has_joined_registers(provisioned, verify):
    verify(provisioned)


@clause("UC2.7-08-SUITE-BIT", "UC2.7-08-CERTIFICATE", "UC2.7-08-EPHEMERAL")
def test_each_shows_its_own_certificate(provisioned, verify):
    verify(provisioned)


@clause("UC2.7-08-ACKED", "UC2.7-08-NWK-ONLY", "UC2.7-08-DIRECTION-BIT")
def test_messages_are_acknowledged_and_under_the_network_key(provisioned, verify):
    verify(provisioned)


@clause("UC2.7-08-SOURCE-ENDPOINT", "UC2.7-08-TRANSACTION", "UC2.7-08-DEFAULT-RESPONSE-INSTEAD")
def test_each_answers_the_one_who_asked(provisioned, verify):
    verify(provisioned)


@clause("UC2.7-08-TIMES")
def test_each_keeps_the_times_it_advertises(provisioned, verify):
    verify(provisioned)


@clause("UC2.7-08-MAC-U", "UC2.7-08-MAC-V")
def test_both_confirmations_are_right(provisioned, verify):
    verify(provisioned)


@clause("UC2.7-08-KEY-CONFIRMED", "UC2.7-08-KEY-INSTALLED")
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


@clause("UC2.7-08-COMPLETES", "UC2.7-08-ORDER", "UC2.7-08-ACKED")
def test_an_exchange_is_completed_when_each_message_gets_lost_once(bench, verify):
    with bench.air.suffering(*(faults.drop(message, sender=actor) for actor in PARTIES for message in MESSAGES)):
        bench.play()
    verify(bench.trace)


@clause("UC2.7-08-DISCOVERS", "UC2.7-08-NOT-BEFORE-JOINED")
def test_a_device_goes_on_when_nobody_hears_it_and_it_hears_nobody(bench, verify):
    with bench.air.suffering(faults.drop(zdp.DeviceAnnce), faults.drop(zdp.MatchDescRsp)):
        bench.play()
    verify(bench.trace)


@clause("UC2.7-08-OLD-KEY-RETIRED@ESI")
def test_the_esi_answers_no_question_under_the_key_that_was_replaced(bench, verify):
    bench.play()
    bench.ask(Actor.ESI, "events", under="install key")
    verify(bench.trace)


@clause("UC2.7-08-OLD-KEY-RETIRED@HAN Device")
def test_the_device_takes_no_event_under_the_key_that_was_replaced(bench, verify):
    bench.play()
    bench.publish("event", under="install key", silent=False)
    verify(bench.trace)


@clause("UC2.7-08-PATIENCE@HAN Device", "UC2.7-08-TIMES")
def test_the_device_waits_as_long_as_the_esi_advertises(benches, verify):
    bench = benches(provocation="esi-takes-its-time")
    bench.play()
    verify(bench.trace)


@clause("UC2.7-08-PATIENCE@ESI", "UC2.7-08-TIMES")
def test_the_esi_waits_as_long_as_the_device_advertises(benches, verify):
    bench = benches(provocation="device-takes-its-time")
    bench.play()
    verify(bench.trace)
