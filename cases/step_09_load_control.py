"""Step 9: load control events, from the asking to the report that they are over."""

from __future__ import annotations

from hypothesis import given

from cases.table import clause, step
from harness.application_strategies import event_counts, event_identifiers, offered_events, starts
from harness.usecase import Actor

pytestmark = step(9)  # HAN Device <-> ESI: load control events


@clause("UC2.7-09-EVENTS", "UC2.7-09-EVENT-STATUS", "UC2.7-09-EVENT-SIGNATURE")
def test_the_pending_event_is_asked_for_and_reported(provisioned, verify):
    verify(provisioned)


@clause("UC2.7-09-EVENTS@ESI")
@given(number=event_counts())
def test_the_esi_gives_every_event_that_is_pending(benches, verify, number):
    bench = benches()
    bench.play()
    bench.publish("event-ahead")
    bench.publish("event-ahead")
    bench.ask(Actor.ESI, "events", number=number)
    verify(bench.trace)


@clause("UC2.7-09-NONE-PENDING")
def test_the_esi_says_that_nothing_is_pending(bench, verify):
    bench.play()
    bench.ask(Actor.ESI, "events-of-next-year")
    verify(bench.trace)


@clause("UC2.7-09-EVENT-STATUS", "UC2.7-09-EVENT-SIGNATURE")
@given(starts_in=starts())
def test_an_event_is_reported_whenever_it_starts(benches, verify, starts_in):
    bench = benches()
    bench.play()
    bench.publish("event", starts_in=starts_in)
    verify(bench.trace)


@clause("UC2.7-09-DURATION")
@given(offered=offered_events(legal=True))
def test_an_event_inside_the_limits_is_taken(benches, verify, offered):
    bench = benches()
    bench.play()
    bench.publish("event", **vars(offered))
    verify(bench.trace)


@clause("UC2.7-09-DURATION")  # derived: Smart Energy 1.0 D.3
@given(offered=offered_events(legal=False))
def test_an_event_beyond_the_limits_is_not_executed(benches, verify, offered):
    bench = benches()
    bench.play()
    bench.publish("event", **vars(offered))
    verify(bench.trace)


@clause("UC2.7-09-EVENT-STATUS", "UC2.7-09-DURATION")
def test_several_events_are_taken_or_there_is_no_room_for_them(bench, verify):
    bench.play()
    bench.publish("event-ahead")
    bench.publish("event-of-the-day-after")
    bench.publish("event")
    verify(bench.trace)


@clause("UC2.7-09-DEVICE-CLASS")  # derived: Smart Energy 1.0 D.3
def test_an_event_for_others_is_ignored(bench, verify):
    bench.play()
    bench.publish("event-for-others")
    verify(bench.trace)


@clause("UC2.7-09-DEVICE-CLASS")  # derived: Smart Energy 1.0 D.3
def test_an_event_for_another_group_is_ignored(bench, verify):
    bench.play()
    bench.publish("event-for-another-group")
    verify(bench.trace)


@clause("UC2.7-09-DUPLICATE-EVENT")  # derived: Smart Energy 1.0 D.3
def test_an_event_that_comes_twice_is_executed_once(bench, verify):
    bench.play()
    bench.publish("event-twice")
    verify(bench.trace)


@clause("UC2.7-09-CANCEL")
@given(starts_in=starts())
def test_a_cancelled_event_ends(benches, verify, starts_in):
    bench = benches()
    bench.play()
    bench.publish("event-cancelled", starts_in=starts_in)
    verify(bench.trace)


@clause("UC2.7-09-CANCEL")
def test_all_events_are_cancelled_at_once(bench, verify):
    bench.play()
    bench.publish("all-events-cancelled")
    verify(bench.trace)


@clause("UC2.7-09-CANCEL")  # derived: Smart Energy 1.0 D.3
@given(event=event_identifiers())
def test_the_cancelling_of_an_unknown_event_is_refused(benches, verify, event):
    bench = benches()
    bench.play()
    bench.publish("unknown-event-cancelled", event=event)
    verify(bench.trace)


@clause("UC2.7-09-SUPERSEDE")
@given(starts_in=starts())
def test_a_newer_event_takes_the_place_of_one_it_overlaps(benches, verify, starts_in):
    bench = benches()
    bench.play()
    bench.publish("event-superseded", starts_in=starts_in)
    verify(bench.trace)


@clause("UC2.7-09-OPT-OUT")
@given(starts_in=starts())
def test_a_declined_event_is_reported_when_it_is_due(benches, verify, starts_in):
    bench = benches()
    bench.play()
    bench.decline("event", starts_in=starts_in)
    verify(bench.trace)


@clause("UC2.7-09-RANDOMISATION")
def test_starts_are_left_to_chance(bench, verify):
    bench.play()
    bench.publish("events-randomised")
    verify(bench.trace)
