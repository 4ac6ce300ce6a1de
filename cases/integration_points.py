"""The points of integration that the use case wants tested beside its fourteen steps."""

from __future__ import annotations

from hypothesis import given

from cases.table import clause, step
from harness.backhaul import faults
from harness.overlap_strategies import pairs
from harness.strategies import eui64s, hostile_documents, link_keys, repetitions
from harness.usecase import Actor

pytestmark = step("INT")

REPORTS = faults.between(Actor.AMI_NETWORK, Actor.AMI_HEAD_END)
ORDERS = faults.between(Actor.DR_APPLICATION, Actor.AMI_HEAD_END)
TO_DR = faults.between(Actor.AMI_HEAD_END, Actor.DR_APPLICATION)
REGISTRATIONS = faults.between(Actor.DR_APPLICATION, Actor.CIS)
EVENTS = faults.between(Actor.AMI_HEAD_END, Actor.CIS)


@clause("UC2.7-INT-HEAD-END-CIS", "UC2.7-INT-HEAD-END-ODS")
def test_cis_and_ods_are_told_what_happens_to_window_and_device(provisioned, verify):
    verify(provisioned)


@clause("UC2.7-INT-HEAD-END-CIS", "UC2.7-INT-HEAD-END-ODS")
@given(key=link_keys())
def test_cis_and_ods_are_told_of_a_device_that_does_not_get_in(benches, verify, key):
    bench = benches(han_device_key=key)
    bench.play()
    verify(bench.trace)


@clause("UC2.7-INT-HEAD-END-CIS", "UC2.7-INT-HEAD-END-ODS")
def test_cis_and_ods_are_told_once_of_what_is_reported_twice(bench, verify):
    with bench.suffering(faults.duplicate(REPORTS, times=None)):
        bench.play()
    verify(bench.trace)


@clause("UC2.7-INT-CIS-HEAD-END")
def test_the_cis_tells_the_head_end_of_the_meter(provisioned, verify):
    verify(provisioned)


@clause("UC2.7-INT-HEAD-END-NETWORK")
def test_head_end_and_network_understand_each_other(provisioned, verify):
    verify(provisioned)


@clause("UC2.7-INT-HEAD-END-DR")
def test_head_end_and_dr_application_understand_each_other(provisioned, verify):
    verify(provisioned)


@clause("UC2.7-INT-TRANSPORT")
def test_every_message_travels_on_the_binding_of_the_bench(provisioned, verify):
    verify(provisioned)


@clause("UC2.7-INT-TRANSPORT")
@given(hostile=hostile_documents())
def test_a_hostile_document_is_refused_on_the_binding_of_the_bench(benches, verify, hostile):
    bench = benches()
    with bench.suffering(*(faults.alter(hostile.made_of, way) for way in (ORDERS, TO_DR, REGISTRATIONS))):
        bench.play()
    verify(bench.trace)


@clause("UC2.7-INT-ASYNC")
def test_what_wants_its_answer_later_is_acknowledged_and_answered_later(benches, verify):
    bench = benches(pattern="asynchronous")
    bench.play()
    verify(bench.trace)


@clause("UC2.7-INT-ASYNC@AMI Head-End")
@given(after=repetitions())
def test_what_wants_its_answer_later_and_comes_twice_gets_no_more_than_two(benches, verify, after):
    bench = benches(pattern="asynchronous")
    with bench.suffering(faults.duplicate(ORDERS, after=after)):
        bench.request()
        bench.settle()
    verify(bench.trace)


@clause("UC2.7-INT-ACKNOWLEDGES@CIS", "UC2.7-INT-ACKNOWLEDGES@ODS")
def test_events_that_want_it_are_acknowledged(benches, verify):
    bench = benches(provocation="events-want-acknowledgement")
    bench.play()
    verify(bench.trace)


@clause("UC2.7-INT-ACKNOWLEDGES")
@given(key=link_keys())
def test_the_news_of_a_device_that_does_not_get_in_is_acknowledged(benches, verify, key):
    bench = benches(provocation="events-want-acknowledgement", han_device_key=key)
    bench.play()
    verify(bench.trace)


@clause("UC2.7-INT-ACKNOWLEDGES@CIS")
@given(after=repetitions())
def test_an_event_that_comes_twice_is_acknowledged_each_time(benches, verify, after):
    bench = benches(provocation="events-want-acknowledgement")
    with bench.suffering(faults.duplicate(EVENTS, after=after, times=None)):
        bench.play()
    verify(bench.trace)


@clause("UC2.7-INT-HEAD-END-CIS", "UC2.7-INT-HEAD-END-ODS", "UC2.7-INT-HEAD-END-NETWORK", "UC2.7-INT-HEAD-END-DR")
@given(other=eui64s(), pair=pairs())
def test_whatever_happens_to_two_devices_is_told_of_the_right_one(benches, verify, other, pair):
    bench = benches(second=other, **pair.planned)
    bench.play()
    verify(bench.trace)


@clause("UC2.7-INT-HEAD-END-CIS", "UC2.7-INT-HEAD-END-ODS", "UC2.7-INT-CIS-HEAD-END")
@given(other=eui64s(), pair=pairs())
def test_whatever_happens_at_two_meters_is_told_of_the_right_one(benches, verify, other, pair):
    bench = benches(second=other, second_meter=True, **pair.planned)
    bench.play()
    verify(bench.trace)
