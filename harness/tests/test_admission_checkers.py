"""Steps 4 to 6 on traces that show less than a virtual bench does: nothing at all, or a capture from the field."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from pathlib import Path

import pytest

from cases.table import clauses
from harness.adapters.defects import all_defects
from harness.bench import Bench
from harness.checkers.orders import windows
from harness.declarations import read_bench
from harness.judge import judge
from harness.trace import Attestation, Header, Trace
from harness.usecase import Actor, Clause, Point
from harness.verdict import Verdict

BENCH = Path(__file__).parents[2] / "fixtures" / "benches" / "virtual.yaml"
ON_THE_HAN = tuple(
    clause for clause in clauses().values() if clause.step in ("04", "05", "06") and not {Actor.NIC} & set(clause.checks)
)
SEEN_ON_ANY_CAPTURE = (
    "UC2.7-05-BEACON", "UC2.7-05-CHOOSES", "UC2.7-05-ASSOCIATES", "UC2.7-05-POLLS", "UC2.7-06-SHORT-ADDRESS", "UC2.7-06-PAN",
    "UC2.7-06-KEY-SEALED", "UC2.7-06-KEY-NEVER-CLEAR", "UC2.7-06-JOINED", "UC2.7-06-COUNTERS",
)


@cache
def played(device: str) -> Trace:
    """The undisturbed provisioning of a device."""
    file = read_bench(BENCH)
    bench = Bench(file, file.device(device))
    bench.play()
    return bench.trace


def captured(whole: Trace) -> Trace:
    """What a sniffer on the ESI's channel leaves of a trace: frames without senders, and the keys that somebody wrote down."""
    frames = [exchange for exchange in whole.at(Point.MAC) if exchange.medium == "air:15"]
    trace = Trace(Header(order=whole.header.order, epoch=whole.header.epoch))
    trace.exchanges = [replace(each, number=number, producer=None, about={}) for number, each in enumerate(frames, start=1)]
    trace.attestations = [Attestation(Point.MAC, "air:15", 0.0)]
    trace.keys = list(whole.keys)
    return trace


@pytest.mark.parametrize("clause", ON_THE_HAN, ids=lambda clause: clause.id)
def test_nothing_is_found_where_nothing_was_seen(clause: Clause) -> None:
    trace = Trace(played("pct").header)
    trace.attestations = [Attestation(Point.MAC, "air:15", 0.0), Attestation(Point.LEG, "leg", 0.0)]
    assert {judgement.verdict for judgement in judge(trace, [clause])} <= {Verdict.NONE, Verdict.INCONC}


@pytest.mark.parametrize("device", ["pct", "load_control"])
def test_a_capture_from_the_field_fails_nobody_and_still_says_much(device: str) -> None:
    judged = {judgement.id: judgement for judgement in judge(captured(played(device)), ON_THE_HAN)}
    assert not [each.id for each in judged.values() if each.verdict in (Verdict.FAIL, Verdict.ERROR)]
    assert {each.clause for each in judged.values() if each.verdict is Verdict.PASS} >= set(SEEN_ON_ANY_CAPTURE)


def test_without_legs_the_order_says_when_the_window_is_open() -> None:
    trace = captured(played("pct"))
    (window,) = windows(trace)
    order = trace.header.order
    assert (window.device, window.opens, window.ends) == (order.device, order.start, order.end)


def test_a_meter_that_is_nic_and_esi_is_told_of_its_windows_on_leg_3() -> None:
    whole = played("pct")
    trace = Trace(replace(whole.header, dut=(Actor.NIC, Actor.ESI)))
    trace.exchanges = [each for each in whole if (each.producer, each.receiver) != (Actor.NIC, Actor.ESI)]
    trace.attestations = whole.attestations
    (window,) = windows(trace)
    assert whole[window.number].receiver == Actor.NIC


def test_a_key_that_was_withheld_is_not_guessed() -> None:
    whole = played("pct")
    trace = Trace(replace(whole.header, order=replace(whole.header.order, key_material=b"")))
    trace.exchanges, trace.attestations = whole.exchanges, whole.attestations
    trace.keys = [key for key in whole.keys if key.kind == "nwk"]
    sealed = clauses()["UC2.7-06-KEY-SEALED"]
    assert [judgement.verdict for judgement in judge(trace, [sealed])] == [Verdict.INCONC]


@pytest.mark.parametrize(("later", "verdict"), [(False, Verdict.PASS), (True, Verdict.FAIL)])
def test_a_leave_of_the_parent_is_obeyed_or_not_by_the_revision_that_is_claimed(later: bool, verdict: Verdict) -> None:
    file = read_bench(BENCH)
    device = file.device("load_control")
    planted = (all_defects()["06-leaves-when-told"],)
    bench = Bench(file, replace(device, pics={**device.pics, "smart_energy_1_1": later}), defects=planted)
    bench.play()
    bench.ask(Actor.HAN_DEVICE, "leave")
    (judgement,) = judge(bench.trace, [clauses()["UC2.7-06-STAYS"]])
    assert judgement.verdict is verdict
