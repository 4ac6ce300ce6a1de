"""Step 1: what the AMI Head-End must refuse. The use case knows no exception: these cases follow from IEC 61968-9 and -100."""

from __future__ import annotations

from hypothesis import given

from cases.table import clause, step
from harness.backhaul import faults
from harness.cim_strategies import ORDER, spoilt
from harness.strategies import hostile_documents, malformed_install_codes
from harness.usecase import Actor

pytestmark = step(1)  # DR Application -> AMI Head-End: MAC address, device type, key, and the command to open the window

ORDERS = faults.between(Actor.DR_APPLICATION, Actor.AMI_HEAD_END)


@clause("UC2.7-01-REJECTS")
def test_an_envelope_that_is_wrong_is_refused(benches, verify):
    bench = benches(provocation="orders-in-wrong-envelopes")
    bench.request()
    bench.settle()
    verify(bench.trace)


@clause("UC2.7-01-REJECTS")
def test_an_order_that_is_incomplete_or_contradicts_itself_is_refused(benches, verify):
    bench = benches(provocation="orders-spoilt")
    bench.request()
    bench.settle()
    verify(bench.trace)


@clause("UC2.7-01-REJECTS")
@given(flawed=malformed_install_codes())
def test_an_install_code_that_is_none_is_refused(benches, verify, flawed):
    bench = benches(provocation="order-with-another-key", provoked_with=flawed.printed)
    bench.request()
    bench.settle()
    verify(bench.trace)


@clause("UC2.7-01-REJECTS")
def test_a_message_id_that_was_used_for_another_order_is_refused(benches, verify):
    bench = benches(provocation="another-order-under-the-same-id")
    bench.request()
    bench.settle()
    verify(bench.trace)


@clause("UC2.7-01-REJECTS")
def test_there_is_nothing_to_withdraw_that_nobody_ordered(bench, verify):
    bench.cancel()
    verify(bench.trace)


@clause("UC2.7-01-REJECTS")
@given(mutation=spoilt(ORDER))
def test_an_order_with_one_thing_wrong_is_refused(benches, verify, mutation):
    bench = benches()
    with bench.suffering(faults.alter(mutation.made_of, ORDERS, times=None)):
        bench.request()
        bench.settle()
    verify(bench.trace)


@clause("UC2.7-01-HOSTILE-XML")
@given(hostile=hostile_documents())
def test_a_hostile_document_is_refused_and_the_order_after_it_taken(benches, verify, hostile):
    bench = benches()
    with bench.suffering(faults.alter(hostile.made_of, ORDERS)):
        bench.request()
        bench.settle()
    verify(bench.trace)


@clause("UC2.7-01-REJECTS")
def test_a_nonce_that_was_used_for_another_order_is_refused(benches, verify):
    bench = benches(provocation="orders-under-one-nonce")
    bench.request()
    bench.settle()
    verify(bench.trace)
