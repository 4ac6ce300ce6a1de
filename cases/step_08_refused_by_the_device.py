"""Step 8: what a HAN Device makes of an ESI that errs in key establishment, or falls silent.

Derived from Smart Energy 1.0 (075356), annex C.3: the use case itself knows no exception.
"""

from __future__ import annotations

from hypothesis import given

from cases.table import clause, step
from dissectors.clusters import key_establishment
from harness import faults
from harness.strategies import (
    altered_keys,
    lengthened_messages,
    messages,
    misplaced_messages,
    no_points,
    shortened_messages,
    unknown_suites,
    wait_times,
)
from harness.usecase import Actor

pytestmark = step(8)  # HAN Device <-> ESI: the new application key


@clause("UC2.7-08-UNKNOWN-ISSUER@HAN Device")
def test_a_certificate_of_another_authority_is_refused(benches, verify):
    bench = benches(provocation="esi-of-another-authority")
    bench.play()
    verify(bench.trace)


@clause("UC2.7-08-BAD-SUBJECT@HAN Device")
def test_a_certificate_whose_subject_is_turned_round_is_refused(benches, verify):
    bench = benches(provocation="esi-with-a-reversed-certificate")
    bench.play()
    verify(bench.trace)


@clause("UC2.7-08-BAD-SUBJECT@HAN Device", "UC2.7-08-CERTIFICATE@HAN Device")
def test_a_certificate_of_another_esi_is_refused(benches, verify):
    bench = benches(provocation="esi-with-anothers-certificate")
    bench.play()
    verify(bench.trace)


@clause("UC2.7-08-BAD-CONFIRM@HAN Device", "UC2.7-08-RESTART@HAN Device", "UC2.7-08-FRESH-EPHEMERAL@HAN Device")
@clause("UC2.7-08-TERMINATE@HAN Device", "UC2.7-08-DIRECTION-BIT@HAN Device", "UC2.7-08-DEFAULT-RESPONSE-INSTEAD@HAN Device")
@clause("UC2.7-08-MAC-U@HAN Device", "UC2.7-08-KEY-INSTALLED@HAN Device", "UC2.7-08-EPHEMERAL@HAN Device", "UC2.7-08-KEY-CONFIRMED")
def test_a_wrong_confirmation_is_refused_and_the_next_one_taken(benches, verify):
    bench = benches(provocation="esi-confirms-wrongly")
    bench.play()
    verify(bench.trace)


@clause("UC2.7-08-BAD-MESSAGE@HAN Device")
@given(lengthened=lengthened_messages())
def test_a_message_that_is_too_long_is_refused(benches, verify, lengthened):
    bench = benches(provocation="esi-resizes", provoked_with=lengthened)
    bench.play()
    verify(bench.trace)


@clause("UC2.7-08-BAD-MESSAGE@HAN Device")
@given(shortened=shortened_messages())
def test_a_message_that_is_too_short_is_refused(benches, verify, shortened):
    bench = benches(provocation="esi-resizes", provoked_with=shortened)
    bench.play()
    verify(bench.trace)


@clause("UC2.7-08-FORGED@HAN Device")
@given(altered=altered_keys())
def test_no_key_comes_of_a_forged_certificate_or_ephemeral_key(benches, verify, altered):
    bench = benches(provocation="esi-forges", provoked_with=altered)
    bench.play()
    verify(bench.trace)


@clause("UC2.7-08-FORGED@HAN Device")
@given(octets=no_points())
def test_no_key_comes_of_an_ephemeral_key_that_is_none(benches, verify, octets):
    bench = benches(provocation="esi-sends-no-point", provoked_with=octets)
    bench.play()
    verify(bench.trace)


@clause("UC2.7-08-BAD-CONFIRM@HAN Device", "UC2.7-08-FORGED@HAN Device")
def test_no_key_comes_of_a_certificate_without_its_private_key(benches, verify):
    bench = benches(provocation="esi-has-anothers-private-key")
    bench.play()
    verify(bench.trace)


@clause("UC2.7-08-UNSUPPORTED-SUITE@HAN Device", "UC2.7-08-SUITE-BIT@HAN Device")
@given(suite=unknown_suites())
def test_a_suite_that_nobody_has_is_refused(benches, verify, suite):
    bench = benches(provocation="esi-names-suite", provoked_with=suite)
    bench.play()
    verify(bench.trace)


@clause("UC2.7-08-OUT-OF-SEQUENCE@HAN Device")
@given(misplaced=misplaced_messages(first=True))
def test_a_message_at_a_wrong_place_is_refused(benches, verify, misplaced):
    bench = benches(provocation="esi-misplaces", provoked_with=misplaced)
    bench.play()
    verify(bench.trace)


@clause("UC2.7-08-SILENCE@HAN Device")
@given(missing=messages())
def test_the_device_begins_again_with_an_esi_that_fell_silent(benches, verify, missing):
    bench = benches(provocation="esi-falls-silent", provoked_with=missing)
    bench.play()
    bench.wait_out()
    verify(bench.trace)


@clause("UC2.7-08-SILENCE@HAN Device")
def test_the_device_gets_over_a_message_that_comes_too_late(benches, verify):
    bench = benches(provocation="esi-is-late")
    bench.play()
    verify(bench.trace)


@clause("UC2.7-08-TERMINATE-MIDWAY@HAN Device", "UC2.7-08-RESTART@HAN Device")
@given(place=messages())
def test_an_exchange_that_the_esi_ends_is_over(benches, verify, place):
    bench = benches(provocation="esi-terminates", provoked_with=place)
    bench.play()
    verify(bench.trace)


@clause("UC2.7-08-RESTART@HAN Device")
def test_a_terminate_of_the_wrong_direction_does_no_lasting_harm(benches, verify):
    bench = benches(provocation="esi-terminates-turned")
    bench.play()
    verify(bench.trace)


@clause("UC2.7-08-NWK-ONLY@HAN Device")
def test_messages_that_are_encrypted_are_not_answered_so(benches, verify):
    bench = benches(provocation="esi-encrypts-key-establishment")
    bench.play()
    verify(bench.trace)


@clause("UC2.7-08-DUPLICATE@HAN Device")
def test_a_repeated_message_is_taken_once(bench, verify):
    with bench.air.suffering(faults.spoil_acknowledgements(key_establishment.CLUSTER.identifier, sender=Actor.HAN_DEVICE)):
        bench.play()
    verify(bench.trace)


@clause("UC2.7-08-RESTART@HAN Device", "UC2.7-08-TERMINATE-MIDWAY@HAN Device")
def test_a_terminate_of_another_number_does_no_lasting_harm(benches, verify):
    bench = benches(provocation="esi-terminates-under-another-number")
    bench.play()
    verify(bench.trace)


@clause("UC2.7-08-RETRY-PAUSE")
def test_a_device_that_fails_again_and_again_pauses(benches, verify):
    bench = benches(provocation="esi-is-always-busy")
    bench.play()
    bench.wait_out()
    verify(bench.trace)


@clause("UC2.7-08-NO-RESOURCES@HAN Device", "UC2.7-08-RESTART@HAN Device")
@given(seconds=wait_times())
def test_a_device_that_is_told_to_wait_does(benches, verify, seconds):
    bench = benches(provocation="esi-is-busy", provoked_with=seconds)
    bench.play()
    bench.wait_out()
    verify(bench.trace)


@clause("UC2.7-08-RESTART@HAN Device")
@given(place=messages())
def test_a_device_that_gets_a_default_response_begins_again(benches, verify, place):
    bench = benches(provocation="esi-refuses-by-default-response", provoked_with=place)
    bench.play()
    bench.wait_out()
    verify(bench.trace)


@clause("UC2.7-08-LEAVES")
def test_a_device_of_another_authority_leaves(benches, verify):
    bench = benches(provocation="esi-refuses-the-authority")
    bench.play()
    verify(bench.trace)


@clause("UC2.7-08-LEAVES")
def test_a_device_leaves_an_esi_of_another_authority(benches, verify):
    bench = benches(provocation="esi-of-another-authority")
    bench.play()
    verify(bench.trace)
