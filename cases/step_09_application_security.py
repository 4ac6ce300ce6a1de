"""Step 9: application data between HAN Device and ESI is secured with the key of step 8, and with no other."""

from __future__ import annotations

from hypothesis import given

from cases.table import clause, step
from harness.application_strategies import offered_events, questions_to_the_esi
from harness.usecase import Actor

pytestmark = step(9)  # HAN Device <-> ESI: messages and attributes that both support


@clause("UC2.7-09-LINK-KEY-REQUIRED", "UC2.7-09-NOT-INSTALL-KEY", "UC2.7-09-SAME-SECURITY")
def test_the_first_exchange_is_under_the_link_key(provisioned, verify):
    verify(provisioned)


@clause("UC2.7-09-SAME-SECURITY", "UC2.7-09-NETWORK-KEY-ENOUGH")
def test_what_is_asked_under_the_network_key_is_answered_so(bench, verify):
    bench.play()
    bench.ask(Actor.ESI, "basic")
    bench.ask(Actor.HAN_DEVICE, "basic")
    verify(bench.trace)


@clause("UC2.7-09-NETWORK-KEY-ENOUGH")  # derived: Smart Energy 1.0 5.4.6
def test_more_security_than_is_needed_may_be_refused(bench, verify):
    bench.play()
    bench.ask(Actor.ESI, "basic", under="link key")
    bench.ask(Actor.HAN_DEVICE, "basic", under="link key")
    verify(bench.trace)


@clause("UC2.7-09-PROFILE")  # derived: 05-3474 2.2.4.1
def test_a_command_in_another_profile_is_not_obeyed(bench, verify):
    bench.play()
    bench.publish("event-ahead")
    bench.ask(Actor.ESI, "in-another-profile")
    bench.ask(Actor.HAN_DEVICE, "in-another-profile")
    verify(bench.trace)


@clause("UC2.7-09-LEAVE-IGNORED")  # derived: Smart Energy 1.1 5.5.5
def test_a_leave_is_not_obeyed_after_registration(bench, verify):
    bench.play()
    bench.ask(Actor.ESI, "leave-of-the-partner")
    bench.ask(Actor.HAN_DEVICE, "leave-of-the-partner")
    verify(bench.trace)


@clause("UC2.7-09-REFUSES-UNSECURED@ESI", "UC2.7-09-LINK-KEY-REQUIRED@ESI")  # derived: Smart Energy 1.0 5.4.6
@given(question=questions_to_the_esi())
def test_the_esi_refuses_a_question_under_the_network_key(benches, verify, question):
    bench = benches()
    bench.play()
    bench.ask(Actor.ESI, question, under="network key")
    verify(bench.trace)


@clause("UC2.7-09-REFUSES-UNSECURED@HAN Device", "UC2.7-09-LINK-KEY-REQUIRED@HAN Device")  # derived: Smart Energy 1.0 5.4.6
@given(offered=offered_events(legal=True))
def test_the_device_refuses_an_event_under_the_network_key(benches, verify, offered):
    bench = benches()
    bench.play()
    bench.publish("event", under="network key", silent=False, **vars(offered))
    verify(bench.trace)


@clause("UC2.7-09-NOT-INSTALL-KEY@ESI")  # derived: Smart Energy 1.0 5.4.6
def test_the_esi_answers_no_device_that_has_not_registered(benches, verify):
    bench = benches(provocation="09-asks-before-registering")
    bench.play()
    verify(bench.trace)


@clause("UC2.7-09-NOT-INSTALL-KEY@HAN Device")  # derived: Smart Energy 1.0 5.4.6
@given(offered=offered_events(legal=True))
def test_the_device_takes_no_event_under_the_install_code_key(benches, verify, offered):
    bench = benches()
    bench.play()
    bench.publish("event", under="install key", silent=False, **vars(offered))
    verify(bench.trace)
