"""Step 13: how the AMI Head-End announces the linkage of a HAN device, and how the DR Application takes it."""

from __future__ import annotations

from hypothesis import given

from cases.table import clause, step
from harness.backhaul import faults
from harness.cim_strategies import LINKAGE, spoilt, unusual
from harness.overlap_strategies import pairs, reorderings
from harness.strategies import eui64s, link_keys, losses, overdue, repetitions
from harness.usecase import Actor

pytestmark = step(13)  # AMI Head-End -> DR Application: provisioned state, HAN Device MAC address

LINKAGES = faults.between(Actor.AMI_HEAD_END, Actor.DR_APPLICATION)  # once the order is answered
ANSWERS = faults.between(Actor.DR_APPLICATION, Actor.AMI_HEAD_END)
REPORTS = faults.between(Actor.AMI_NETWORK, Actor.AMI_HEAD_END)


@clause("UC2.7-13-MESSAGE", "UC2.7-13-AFTER-12", "UC2.7-13-ONE-LINKAGE", "UC2.7-13-CORRELATION")
def test_a_provisioned_device_is_announced_once_it_is_reported(provisioned, verify):
    verify(provisioned)


@clause("UC2.7-13-MAC", "UC2.7-13-METER", "UC2.7-13-STATUS", "UC2.7-13-TIME-LOGIC")
def test_the_linkage_says_which_device_has_joined_where_and_when(provisioned, verify):
    verify(provisioned)


@clause("UC2.7-13-ENVELOPE", "UC2.7-13-HEADER-PROFILE", "UC2.7-13-SCHEMA", "UC2.7-13-UNIQUE")
def test_the_linkage_is_a_right_message(provisioned, verify):
    verify(provisioned)


@clause("UC2.7-13-REPLY")
def test_the_linkage_is_answered_and_taken(provisioned, verify):
    verify(provisioned)


@clause("UC2.7-13-MAC", "UC2.7-13-SCHEMA", "UC2.7-13-ENVELOPE", "UC2.7-13-HEADER-PROFILE", "UC2.7-13-STATUS")
@given(device=eui64s())
def test_any_mac_address_is_announced_as_it_is(benches, verify, device):
    bench = benches(ordered=device, han_device=device)
    bench.play()
    verify(bench.trace)


@clause("UC2.7-13-ONE-LINKAGE")
def test_a_report_that_comes_twice_is_announced_once(bench, verify):
    bench.open()
    with bench.suffering(faults.duplicate(REPORTS, times=None)):
        bench.join()
        bench.settle()
    verify(bench.trace)


@clause("UC2.7-13-RETRY")
def test_a_linkage_that_gets_lost_is_sent_again(bench, verify):
    bench.open()
    with bench.suffering(faults.drop(LINKAGES)):
        bench.join()
        bench.settle()
    verify(bench.trace)


@clause("UC2.7-13-IDEMPOTENT")
@given(after=repetitions())
def test_a_linkage_that_comes_again_is_taken_once(benches, verify, after):
    bench = benches()
    bench.open()
    with bench.suffering(faults.duplicate(LINKAGES, after=after)):
        bench.join()
        bench.settle()
    verify(bench.trace)


@clause("UC2.7-13-RETRY", "UC2.7-13-IDEMPOTENT")
@given(lost=losses())
def test_a_linkage_whose_answer_gets_lost_is_answered_alike_when_it_comes_again(benches, verify, lost):
    bench = benches()
    bench.open()
    with bench.suffering(faults.drop(ANSWERS, times=lost)):
        bench.join()
        bench.settle()
    verify(bench.trace)


@clause("UC2.7-13-REPLY", "UC2.7-13-IDEMPOTENT")
@given(late=overdue())
def test_a_linkage_that_its_repetition_overtakes_is_taken_once(benches, verify, late):
    bench = benches()
    bench.open()
    with bench.suffering(faults.reorder(LINKAGES, by=late)):
        bench.join()
        bench.settle()
    verify(bench.trace)


@clause("UC2.7-13-MESSAGE", "UC2.7-13-AFTER-12", "UC2.7-13-ONE-LINKAGE", "UC2.7-13-TIME-LOGIC")
def test_a_report_that_the_end_of_its_window_overtakes_is_announced_as_it_was(bench, verify):
    bench.open()
    with bench.suffering(faults.reorder(REPORTS, by=bench.order.duration)):
        bench.join()
        bench.settle()
    verify(bench.trace)


@clause("UC2.7-13-FAILURE")
@given(key=link_keys())
def test_a_device_that_does_not_get_in_is_announced_as_failed(benches, verify, key):
    bench = benches(han_device_key=key)
    bench.play()
    verify(bench.trace)


@clause("UC2.7-13-REJECTS")
def test_a_linkage_in_a_wrong_envelope_is_refused(benches, verify):
    bench = benches(provocation="announcements-in-wrong-envelopes")
    bench.play()
    verify(bench.trace)


@clause("UC2.7-13-REJECTS")
def test_a_linkage_that_is_incomplete_or_of_a_stranger_is_refused(benches, verify):
    bench = benches(provocation="announcements-spoilt")
    bench.play()
    verify(bench.trace)


@clause("UC2.7-13-REJECTS")
def test_a_linkage_that_is_known_already_is_refused(benches, verify):
    bench = benches(provocation="announced-again-under-another-id")
    bench.play()
    verify(bench.trace)


@clause("UC2.7-13-REJECTS")
def test_a_linkage_with_a_nonce_that_was_used_is_refused(benches, verify):
    bench = benches(provocation="announced-under-one-nonce")
    bench.play()
    verify(bench.trace)


@clause("UC2.7-13-REJECTS")
@given(mutation=spoilt(LINKAGE))
def test_a_linkage_with_one_thing_wrong_is_refused(benches, verify, mutation):
    bench = benches()
    bench.open()
    with bench.suffering(faults.alter(mutation.made_of, LINKAGES, times=None)):
        bench.join()
        bench.settle()
    verify(bench.trace)


@clause("UC2.7-13-TOLERANT")
@given(mutation=unusual(LINKAGE))
def test_a_linkage_that_is_unusual_but_right_is_taken(benches, verify, mutation):
    bench = benches()
    bench.open()
    with bench.suffering(faults.alter(mutation.made_of, LINKAGES, times=None)):
        bench.join()
        bench.settle()
    verify(bench.trace)


@clause("UC2.7-13-TOLERANT")
@given(mutation=unusual(LINKAGE, "prefix anew"))
def test_a_linkage_under_other_prefixes_is_taken(benches, verify, mutation):
    bench = benches()
    bench.open()
    with bench.suffering(faults.alter(mutation.made_of, LINKAGES, times=None)):
        bench.join()
        bench.settle()
    verify(bench.trace)


@clause("UC2.7-13-MAC", "UC2.7-13-METER", "UC2.7-13-CORRELATION", "UC2.7-13-ONE-LINKAGE", "UC2.7-13-REPLY", "UC2.7-13-UNIQUE")
@given(other=eui64s(), pair=pairs())
def test_of_two_devices_each_is_linked_as_itself(benches, verify, other, pair):
    bench = benches(second=other, **pair.planned)
    bench.play()
    verify(bench.trace)


@clause("UC2.7-13-MAC", "UC2.7-13-METER", "UC2.7-13-CORRELATION", "UC2.7-13-ONE-LINKAGE", "UC2.7-13-REPLY")
@given(other=eui64s(), pair=pairs())
def test_devices_at_two_meters_are_linked_to_their_own(benches, verify, other, pair):
    bench = benches(second=other, second_meter=True, **pair.planned)
    bench.play()
    verify(bench.trace)


@clause("UC2.7-13-MAC", "UC2.7-13-CORRELATION", "UC2.7-13-ONE-LINKAGE")
@given(other=eui64s(), pair=pairs(), after=repetitions())
def test_reports_of_two_devices_that_come_twice_are_announced_once_each(benches, verify, other, pair, after):
    bench = benches(second=other, **pair.planned)
    with bench.suffering(faults.duplicate(REPORTS, after=after, times=None)):
        bench.play()
    verify(bench.trace)


@clause("UC2.7-13-MAC", "UC2.7-13-CORRELATION", "UC2.7-13-ONE-LINKAGE")
@given(other=eui64s(), pair=pairs(), overtaken=reorderings())
def test_reports_of_two_devices_that_overtake_each_other_are_not_mixed_up(benches, verify, other, pair, overtaken):
    which, by = overtaken
    bench = benches(second=other, **pair.planned)
    with bench.suffering(faults.reorder(REPORTS, by=by, skip=which)):
        bench.play()
    verify(bench.trace)
