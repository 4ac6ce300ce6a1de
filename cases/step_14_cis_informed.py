"""Step 14: how the DR Application tells the CIS which device has joined at which premise, and how the CIS takes it."""

from __future__ import annotations

from hypothesis import given

from cases.table import clause, step
from harness.backhaul import faults
from harness.cim_strategies import REGISTRATION, spoilt, unusual
from harness.overlap_strategies import pairs
from harness.strategies import eui64s, losses, overdue, repetitions
from harness.usecase import Actor

pytestmark = step(14)  # DR Application -> CIS: premise ID, joined

REGISTRATIONS = faults.between(Actor.DR_APPLICATION, Actor.CIS)
ANSWERS = faults.between(Actor.CIS, Actor.DR_APPLICATION)


@clause("UC2.7-14-MESSAGE", "UC2.7-14-AFTER-13", "UC2.7-14-ONE-LINKAGE", "UC2.7-14-CORRELATION")
def test_a_linkage_goes_on_to_the_cis_once_it_is_known(provisioned, verify):
    verify(provisioned)


@clause("UC2.7-14-MAC", "UC2.7-14-METER", "UC2.7-14-PREMISE", "UC2.7-14-STATUS", "UC2.7-14-TIME-LOGIC")
def test_the_linkage_says_which_device_has_joined_at_which_premise(provisioned, verify):
    verify(provisioned)


@clause("UC2.7-14-ENVELOPE", "UC2.7-14-HEADER-PROFILE", "UC2.7-14-SCHEMA", "UC2.7-14-UNIQUE")
def test_the_linkage_is_a_right_message(provisioned, verify):
    verify(provisioned)


@clause("UC2.7-14-REPLY")
def test_the_linkage_is_answered_and_taken(provisioned, verify):
    verify(provisioned)


@clause(
    "UC2.7-14-MAC", "UC2.7-14-PREMISE", "UC2.7-14-SCHEMA", "UC2.7-14-ENVELOPE", "UC2.7-14-HEADER-PROFILE",
    "UC2.7-14-STATUS", "UC2.7-14-MESSAGE", "UC2.7-14-AFTER-13", "UC2.7-14-TIME-LOGIC",
)
@given(device=eui64s())
def test_any_mac_address_goes_on_as_it_is(benches, verify, device):
    bench = benches(ordered=device, han_device=device)
    bench.play()
    verify(bench.trace)


@clause("UC2.7-14-RETRY")
def test_a_linkage_that_gets_lost_is_sent_again(bench, verify):
    with bench.suffering(faults.drop(REGISTRATIONS)):
        bench.play()
    verify(bench.trace)


@clause("UC2.7-14-ONE-LINKAGE")
@given(after=repetitions())
def test_a_linkage_that_came_twice_goes_on_once(benches, verify, after):
    bench = benches()
    bench.open()
    with bench.suffering(faults.duplicate(faults.between(Actor.AMI_HEAD_END, Actor.DR_APPLICATION), after=after)):
        bench.join()
        bench.settle()
    verify(bench.trace)


@clause("UC2.7-14-IDEMPOTENT")
@given(after=repetitions())
def test_a_linkage_that_comes_again_is_answered_as_before(benches, verify, after):
    bench = benches()
    with bench.suffering(faults.duplicate(REGISTRATIONS, after=after)):
        bench.play()
    verify(bench.trace)


@clause("UC2.7-14-RETRY", "UC2.7-14-IDEMPOTENT")
@given(lost=losses())
def test_a_linkage_whose_answer_gets_lost_is_answered_alike_when_it_comes_again(benches, verify, lost):
    bench = benches()
    with bench.suffering(faults.drop(ANSWERS, times=lost)):
        bench.play()
    verify(bench.trace)


@clause("UC2.7-14-REPLY", "UC2.7-14-IDEMPOTENT")
@given(late=overdue())
def test_a_linkage_that_its_repetition_overtakes_is_taken_once(benches, verify, late):
    bench = benches()
    with bench.suffering(faults.reorder(REGISTRATIONS, by=late)):
        bench.play()
    verify(bench.trace)


@clause("UC2.7-14-REJECTS")
def test_a_linkage_in_a_wrong_envelope_is_refused(benches, verify):
    bench = benches(provocation="registrations-in-wrong-envelopes")
    bench.play()
    verify(bench.trace)


@clause("UC2.7-14-REJECTS")
def test_a_linkage_that_is_incomplete_or_of_another_premise_is_refused(benches, verify):
    bench = benches(provocation="registrations-spoilt")
    bench.play()
    verify(bench.trace)


@clause("UC2.7-14-REJECTS")
def test_a_linkage_that_is_known_already_is_refused(benches, verify):
    bench = benches(provocation="registered-again-under-another-id")
    bench.play()
    verify(bench.trace)


@clause("UC2.7-14-REJECTS")
def test_a_registration_with_a_nonce_that_was_used_is_refused(benches, verify):
    bench = benches(provocation="registered-under-one-nonce")
    bench.play()
    verify(bench.trace)


@clause("UC2.7-14-REJECTS")
@given(mutation=spoilt(REGISTRATION))
def test_a_linkage_with_one_thing_wrong_is_refused(benches, verify, mutation):
    bench = benches()
    with bench.suffering(faults.alter(mutation.made_of, REGISTRATIONS, times=None)):
        bench.play()
    verify(bench.trace)


@clause("UC2.7-14-TOLERANT")
@given(mutation=unusual(REGISTRATION))
def test_a_linkage_that_is_unusual_but_right_is_taken(benches, verify, mutation):
    bench = benches()
    with bench.suffering(faults.alter(mutation.made_of, REGISTRATIONS, times=None)):
        bench.play()
    verify(bench.trace)


@clause("UC2.7-14-TOLERANT")
@given(mutation=unusual(REGISTRATION, "prefix anew"))
def test_a_linkage_under_other_prefixes_is_taken(benches, verify, mutation):
    bench = benches()
    with bench.suffering(faults.alter(mutation.made_of, REGISTRATIONS, times=None)):
        bench.play()
    verify(bench.trace)


@clause(
    "UC2.7-14-MAC", "UC2.7-14-METER", "UC2.7-14-CORRELATION", "UC2.7-14-ONE-LINKAGE",
    "UC2.7-14-REPLY", "UC2.7-14-PREMISE", "UC2.7-14-UNIQUE",
)
@given(other=eui64s(), pair=pairs())
def test_of_two_devices_each_is_linked_as_itself(benches, verify, other, pair):
    bench = benches(second=other, **pair.planned)
    bench.play()
    verify(bench.trace)


@clause("UC2.7-14-MAC", "UC2.7-14-METER", "UC2.7-14-CORRELATION", "UC2.7-14-ONE-LINKAGE", "UC2.7-14-REPLY", "UC2.7-14-PREMISE")
@given(other=eui64s(), pair=pairs())
def test_devices_at_two_meters_are_linked_to_their_own(benches, verify, other, pair):
    bench = benches(second=other, second_meter=True, **pair.planned)
    bench.play()
    verify(bench.trace)
