"""Step 8: what the ESI makes of a HAN Device that errs in key establishment, or falls silent.

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
def test_a_certificate_of_another_device_is_refused(benches, verify):
    bench = benches(provocation="device-with-anothers-certificate")
    bench.play()
    verify(bench.trace)


@clause("UC2.7-08-BAD-CONFIRM@ESI", "UC2.7-08-RESTART@ESI", "UC2.7-08-FRESH-EPHEMERAL@ESI")
@clause("UC2.7-08-TERMINATE@ESI", "UC2.7-08-DIRECTION-BIT@ESI")
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


@clause("UC2.7-08-UNSUPPORTED-SUITE@ESI")
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


@clause("UC2.7-08-DUPLICATE@ESI")
def test_a_repeated_message_is_taken_once(bench, verify):
    with bench.air.suffering(faults.spoil_acknowledgements(key_establishment.CLUSTER.identifier, sender=Actor.ESI)):
        bench.play()
    verify(bench.trace)
