"""Step 8: what the ESI makes of a HAN Device that errs in key establishment, or falls silent.

Derived from Smart Energy 1.0 (075356), annex C.3: the use case itself knows no exception.
"""

from __future__ import annotations

from hypothesis import given

from cases.table import clause, step
from dissectors.clusters import key_establishment
from harness import faults
from harness.overlap_strategies import rivals
from harness.strategies import (
    altered_keys,
    eui64s,
    lengthened_messages,
    messages,
    misplaced_messages,
    no_points,
    sequence_numbers,
    shortened_messages,
    unknown_suites,
)
from harness.usecase import Actor

pytestmark = step(8)  # HAN Device <-> ESI: the new application key


@clause("UC2.7-08-UNKNOWN-ISSUER@ESI")
def test_a_certificate_of_another_authority_is_refused(benches, verify):
    bench = benches(provocation="device-of-another-authority")
    bench.play()
    verify(bench.trace)


@clause("UC2.7-08-BAD-SUBJECT@ESI")
def test_a_certificate_whose_subject_is_turned_round_is_refused(benches, verify):
    bench = benches(provocation="device-with-a-reversed-certificate")
    bench.play()
    verify(bench.trace)


@clause("UC2.7-08-BAD-SUBJECT@ESI", "UC2.7-08-CERTIFICATE@ESI")
def test_a_certificate_of_another_device_is_refused(benches, verify):
    bench = benches(provocation="device-with-anothers-certificate")
    bench.play()
    verify(bench.trace)


@clause("UC2.7-08-BAD-CONFIRM@ESI", "UC2.7-08-RESTART@ESI", "UC2.7-08-FRESH-EPHEMERAL@ESI")
@clause("UC2.7-08-TERMINATE@ESI", "UC2.7-08-DIRECTION-BIT@ESI", "UC2.7-08-DEFAULT-RESPONSE-INSTEAD@ESI")
@clause("UC2.7-08-MAC-V@ESI", "UC2.7-08-KEY-INSTALLED@ESI", "UC2.7-08-EPHEMERAL@ESI")
def test_a_wrong_confirmation_is_refused_and_the_next_one_taken(benches, verify):
    bench = benches(provocation="device-confirms-wrongly")
    bench.play()
    verify(bench.trace)


@clause("UC2.7-08-BAD-MESSAGE@ESI")
@given(lengthened=lengthened_messages())
def test_a_message_that_is_too_long_is_refused(benches, verify, lengthened):
    bench = benches(provocation="device-resizes", provoked_with=lengthened)
    bench.play()
    verify(bench.trace)


@clause("UC2.7-08-BAD-MESSAGE@ESI")
@given(shortened=shortened_messages())
def test_a_message_that_is_too_short_is_refused(benches, verify, shortened):
    bench = benches(provocation="device-resizes", provoked_with=shortened)
    bench.play()
    verify(bench.trace)


@clause("UC2.7-08-FORGED@ESI")
@given(altered=altered_keys())
def test_no_key_comes_of_a_forged_certificate_or_ephemeral_key(benches, verify, altered):
    bench = benches(provocation="device-forges", provoked_with=altered)
    bench.play()
    verify(bench.trace)


@clause("UC2.7-08-FORGED@ESI")
@given(octets=no_points())
def test_no_key_comes_of_an_ephemeral_key_that_is_none(benches, verify, octets):
    bench = benches(provocation="device-sends-no-point", provoked_with=octets)
    bench.play()
    verify(bench.trace)


@clause("UC2.7-08-BAD-CONFIRM@ESI", "UC2.7-08-FORGED@ESI")
def test_no_key_comes_of_a_certificate_without_its_private_key(benches, verify):
    bench = benches(provocation="device-has-anothers-private-key")
    bench.play()
    verify(bench.trace)


@clause("UC2.7-08-UNSUPPORTED-SUITE@ESI", "UC2.7-08-SUITE-BIT@ESI")
@given(suite=unknown_suites())
def test_a_suite_that_nobody_has_is_refused(benches, verify, suite):
    bench = benches(provocation="device-names-suite", provoked_with=suite)
    bench.play()
    verify(bench.trace)


@clause("UC2.7-08-OUT-OF-SEQUENCE@ESI")
@given(misplaced=misplaced_messages())
def test_a_message_at_a_wrong_place_is_refused(benches, verify, misplaced):
    bench = benches(provocation="device-misplaces", provoked_with=misplaced)
    bench.play()
    verify(bench.trace)


@clause("UC2.7-08-SILENCE@ESI")
@given(missing=messages(first=False))
def test_a_device_that_falls_silent_may_begin_again(benches, verify, missing):
    bench = benches(provocation="device-falls-silent", provoked_with=missing)
    bench.play()
    verify(bench.trace)


@clause("UC2.7-08-SILENCE@ESI")
def test_the_esi_gets_over_a_message_that_comes_too_late(benches, verify):
    bench = benches(provocation="device-is-late")
    bench.play()
    verify(bench.trace)


@clause("UC2.7-08-TERMINATE-MIDWAY@ESI", "UC2.7-08-RESTART@ESI")
@given(place=messages(first=False))
def test_an_exchange_that_the_device_ends_is_over(benches, verify, place):
    bench = benches(provocation="device-terminates", provoked_with=place)
    bench.play()
    verify(bench.trace)


@clause("UC2.7-08-RESTART@ESI")
def test_a_terminate_of_the_wrong_direction_does_no_lasting_harm(benches, verify):
    bench = benches(provocation="device-terminates-turned")
    bench.play()
    verify(bench.trace)


@clause("UC2.7-08-NWK-ONLY@ESI")
def test_messages_that_are_encrypted_are_not_answered_so(benches, verify):
    bench = benches(provocation="device-encrypts-key-establishment")
    bench.play()
    verify(bench.trace)


@clause("UC2.7-08-DUPLICATE@ESI")
def test_a_repeated_message_is_taken_once(bench, verify):
    with bench.air.suffering(faults.spoil_acknowledgements(key_establishment.CLUSTER.identifier, sender=Actor.ESI)):
        bench.play()
    verify(bench.trace)


@clause("UC2.7-08-RESTART@ESI")
@given(place=messages(first=False))
def test_the_esi_takes_a_device_again_that_sent_a_default_response(benches, verify, place):
    bench = benches(provocation="device-refuses-by-default-response", provoked_with=place)
    bench.play()
    verify(bench.trace)


@clause("UC2.7-08-TERMINATE-MIDWAY@ESI")
def test_nothing_follows_when_a_device_breaks_off(benches, verify):
    bench = benches(provocation="device-breaks-off")
    bench.play()
    verify(bench.trace)


@clause("UC2.7-08-BAD-CONFIRM@ESI")
def test_a_key_whose_confirmation_was_refused_is_worth_nothing(benches, verify):
    bench = benches(provocation="device-uses-a-refused-key")
    bench.play()
    verify(bench.trace)


@clause("UC2.7-08-SOURCE-ENDPOINT@ESI")
def test_the_esi_answers_whatever_endpoint_asks(benches, verify):
    bench = benches(provocation="device-asks-from")
    bench.play()
    verify(bench.trace)


@clause("UC2.7-08-TRANSACTION@ESI")
@given(number=sequence_numbers())
def test_the_esi_answers_with_whatever_number_it_is_asked(benches, verify, number):
    bench = benches(provocation="device-numbers-messages", provoked_with=number)
    bench.play()
    verify(bench.trace)


@clause("UC2.7-08-NO-RESOURCES@ESI", "UC2.7-08-RESTART@ESI")
@given(other=eui64s(), rivals=rivals())
def test_of_two_devices_at_once_one_is_told_to_wait_and_then_taken(benches, verify, other, rivals):
    bench = benches(second=other, **rivals)
    bench.play()
    verify(bench.trace)
