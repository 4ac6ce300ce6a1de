"""Step 1: how the DR Application orders a joining window, and how the AMI Head-End grants and withdraws it."""

from __future__ import annotations

from hypothesis import given

from cases.table import clause, step
from harness.backhaul import faults
from harness.cim_strategies import ORDER, unusual
from harness.strategies import LONGEST_PERMIT_JOIN, eui64s, install_codes, losses, overdue, windows
from harness.usecase import Actor

pytestmark = step(1)  # DR Application -> AMI Head-End: MAC address, device type, key, and the command to open the window

ORDERS = faults.between(Actor.DR_APPLICATION, Actor.AMI_HEAD_END)
ANSWERS = faults.between(Actor.AMI_HEAD_END, Actor.DR_APPLICATION)


@clause("UC2.7-01-COMMAND", "UC2.7-01-MAC", "UC2.7-01-TYPE", "UC2.7-01-KEY", "UC2.7-01-WINDOW", "UC2.7-01-METER")
def test_the_window_is_ordered_with_all_it_needs(provisioned, verify):
    verify(provisioned)


@clause("UC2.7-01-ENVELOPE", "UC2.7-01-HEADER-PROFILE", "UC2.7-01-SCHEMA")
def test_the_order_is_a_right_message(provisioned, verify):
    verify(provisioned)


@clause("UC2.7-01-REPLY")
def test_the_order_is_answered_and_granted(provisioned, verify):
    verify(provisioned)


@clause("UC2.7-01-SECRET")
def test_the_key_stays_in_its_element(provisioned, verify):
    verify(provisioned)


@clause(
    "UC2.7-01-COMMAND", "UC2.7-01-MAC", "UC2.7-01-SCHEMA", "UC2.7-01-TYPE",
    "UC2.7-01-METER", "UC2.7-01-ENVELOPE", "UC2.7-01-HEADER-PROFILE",
)
@given(device=eui64s())
def test_any_mac_address_is_ordered_as_it_is(benches, verify, device):
    bench = benches(ordered=device)
    bench.request()
    verify(bench.trace)


@clause("UC2.7-01-KEY", "UC2.7-01-SECRET", "UC2.7-01-REPLY")
@given(code=install_codes())
def test_an_install_code_of_any_length_is_ordered_as_it_is(benches, verify, code):
    bench = benches(ordered_key=code.octets)
    bench.request()
    verify(bench.trace)


@clause("UC2.7-01-WINDOW", "UC2.7-01-REPLY")
@given(window=windows())
def test_any_window_is_ordered_as_it_is(benches, verify, window):
    bench = benches(window_start=window.start, window_duration=window.duration)
    bench.request()
    verify(bench.trace)


@clause("UC2.7-01-RETRY")
def test_an_order_that_gets_lost_is_sent_again(bench, verify):
    with bench.suffering(faults.drop(ORDERS)):
        bench.play()
    verify(bench.trace)


@clause("UC2.7-01-IDEMPOTENT")
@given(window=windows(longest=LONGEST_PERMIT_JOIN, latest_start=LONGEST_PERMIT_JOIN, expired=False))
def test_an_order_that_comes_again_while_its_window_is_open_opens_no_other(benches, verify, window):
    bench = benches(window_start=window.start, window_duration=window.duration)
    with bench.suffering(faults.duplicate(ORDERS, after=window.opens)):
        bench.open()
        bench.settle()
    verify(bench.trace)


@clause("UC2.7-01-RETRY", "UC2.7-01-IDEMPOTENT")
@given(lost=losses())
def test_an_order_whose_answer_gets_lost_is_answered_alike_when_it_comes_again(benches, verify, lost):
    bench = benches()
    with bench.suffering(faults.drop(ANSWERS, times=lost)):
        bench.request()
        bench.settle()
    verify(bench.trace)


@clause("UC2.7-01-REPLY", "UC2.7-01-IDEMPOTENT")
@given(late=overdue())
def test_an_order_that_its_repetition_overtakes_is_taken_once(benches, verify, late):
    bench = benches()
    with bench.suffering(faults.reorder(ORDERS, by=late)):
        bench.request()
        bench.settle()
    verify(bench.trace)


@clause("UC2.7-01-TOLERANT")
@given(mutation=unusual(ORDER))
def test_an_order_that_is_unusual_but_right_is_granted(benches, verify, mutation):
    bench = benches()
    with bench.suffering(faults.alter(mutation.made_of, ORDERS, times=None)):
        bench.request()
    verify(bench.trace)


@clause("UC2.7-01-TOLERANT")
@given(mutation=unusual(ORDER, "prefix anew"))
def test_an_order_under_other_prefixes_is_granted(benches, verify, mutation):
    bench = benches()
    with bench.suffering(faults.alter(mutation.made_of, ORDERS, times=None)):
        bench.request()
    verify(bench.trace)


@clause("UC2.7-01-CANCEL", "UC2.7-01-REPLY")
def test_a_window_is_withdrawn_before_it_is_open(bench, verify):
    bench.request()
    bench.cancel()
    bench.settle()
    verify(bench.trace)


@clause("UC2.7-01-CANCEL", "UC2.7-01-REPLY")
def test_a_window_is_withdrawn_while_it_is_open(bench, verify):
    bench.open()
    bench.cancel()
    bench.settle()
    verify(bench.trace)
