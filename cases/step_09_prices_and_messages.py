"""Step 9: prices, messages and meter readings that the HAN Device asks the ESI for."""

from __future__ import annotations

from hypothesis import given

from cases.table import clause, step
from harness.application_strategies import labels, later_fields, messages
from harness.usecase import Actor

pytestmark = step(9)  # HAN Device <-> ESI: text messages, prices, metering reads


@clause("UC2.7-09-PRICE", "UC2.7-09-MESSAGE", "UC2.7-09-CONFIRMATION", "UC2.7-09-METERING")
def test_price_message_and_meter_are_asked_for(provisioned, verify):
    verify(provisioned)


@clause("UC2.7-09-PRICE")
@given(label=labels())
def test_a_price_with_any_label_is_taken_and_given_again(benches, verify, label):
    bench = benches()
    bench.play()
    bench.publish("price", label=label)
    bench.ask(Actor.ESI, "current-price")
    bench.ask(Actor.ESI, "scheduled-prices")
    verify(bench.trace)


@clause("UC2.7-09-PRICE-NEW-FIELDS")  # derived: Smart Energy 1.1 D.2, which appends fields
@given(octets=later_fields())
def test_a_price_of_a_later_revision_is_taken(benches, verify, octets):
    bench = benches()
    bench.play()
    bench.publish("price-of-a-later-revision", octets=octets)
    verify(bench.trace)


@clause("UC2.7-09-MESSAGE", "UC2.7-09-CONFIRMATION")
@given(text=messages())
def test_any_message_is_shown_and_confirmed(benches, verify, text):
    bench = benches()
    bench.play()
    bench.publish("message", text=text)
    bench.ask(Actor.ESI, "last-message")
    verify(bench.trace)


@clause("UC2.7-09-CONFIRMATION")  # derived: Smart Energy 1.0 D.5
@given(text=messages())
def test_a_message_that_asks_for_no_confirmation_gets_none(benches, verify, text):
    bench = benches()
    bench.play()
    bench.publish("message", text=text, confirmed=False)
    verify(bench.trace)


@clause("UC2.7-09-METERING@ESI")
def test_the_meter_gives_what_every_meter_has(bench, verify):
    bench.play()
    bench.ask(Actor.ESI, "meter")
    verify(bench.trace)
