"""Judging: what DUT, PICS and observation points leave to judge, what a raising checker is worth, what a case comes to."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from harness.judge import Judgement, concluded, judge, judged_unplayed, merged, narrowed
from harness.trace import Attestation, Header, Trace
from harness.usecase import Actor, Clause, Order, Point
from harness.values import DeviceType, Eui64
from harness.verdict import Finding, Verdict, failed, noted, passed

ORDER = Order(Eui64(1), DeviceType.PCT, bytes(16), "link_key")


def right(trace: Trace) -> Iterator[Finding]:
    yield passed("right")
    yield noted("odd")


def wrong(trace: Trace) -> Iterator[Finding]:
    yield passed("half right")
    yield failed("wrong", expected="1", observed="2")


def silent(trace: Trace) -> Iterator[Finding]:
    yield from ()


def raising(trace: Trace) -> Iterator[Finding]:
    yield passed("before")
    raise RuntimeError("bug")


def clause(check: object, *actors: Actor, **fields: object) -> Clause:
    about = dict.fromkeys(actors or (Actor.ESI,), (check,))
    return Clause(id="UC2.7-06-X", text="", origin="UC", citation="", checks=about, **fields)  # type: ignore[arg-type]


def trace(**header: object) -> Trace:
    made = Trace(Header(order=ORDER, epoch="2026-01-15T12:00:00+00:00", **header))  # type: ignore[arg-type]
    made.attest(Attestation(Point.MAC, "air", 0.0))
    return made


@pytest.mark.parametrize(("check", "verdict"), [
    (right, Verdict.PASS), (wrong, Verdict.FAIL), (silent, Verdict.NONE), (raising, Verdict.ERROR),
])
def test_the_worst_finding_decides_and_a_raising_checker_is_an_error(check: object, verdict: Verdict) -> None:
    assert [each.verdict for each in judge(trace(), [clause(check)])] == [verdict]


def test_only_actors_under_test_are_judged() -> None:
    both = clause(wrong, Actor.ESI, Actor.HAN_DEVICE)
    esi, device = judge(trace(dut=(Actor.ESI,)), [both])
    assert (esi.id, esi.verdict) == ("UC2.7-06-X@ESI", Verdict.FAIL)
    assert device.verdict is Verdict.NONE
    assert "under test: ESI" in device.not_applicable
    assert [each.verdict for each in judge(trace(), [both])] == [Verdict.FAIL, Verdict.FAIL]
    assert [each.actor for each in judge(trace(), [narrowed(both, Actor.HAN_DEVICE)])] == [Actor.HAN_DEVICE]


@pytest.mark.parametrize(("claim", "verdict", "reason"), [
    (True, Verdict.FAIL, ""), (False, Verdict.NONE, "PICS item price is no"), (None, Verdict.INCONC, ""),
])
def test_a_pics_item_is_yes_no_or_unset(claim: bool | None, verdict: Verdict, reason: str) -> None:
    asked = clause(wrong, pics="price")
    (judgement,) = judge(trace(pics={"price": claim}), [asked])
    assert (judgement.verdict, judgement.not_applicable) == (verdict, reason)
    unplayed = judged_unplayed([asked], (), {"price": claim})
    assert unplayed == (None if claim else [judgement])


def test_an_item_that_nobody_mentions_is_unset() -> None:
    assert [each.verdict for each in judge(trace(), [clause(right, pics="price")])] == [Verdict.INCONC]


def test_a_clause_that_cannot_be_seen_is_not_applicable() -> None:
    (judgement,) = judge(trace(), [clause(wrong, needs=(Point.MAC, Point.LOG))])
    assert judgement.verdict is Verdict.NONE
    assert "LOG" in judgement.not_applicable


def judgement(verdict: Verdict, name: str = "A", why: str = "") -> Judgement:
    return Judgement(name, Actor.ESI, verdict, () if why else (Finding(verdict, "said"),), why)


@pytest.mark.parametrize(("judgements", "verdict", "reason"), [
    ([], Verdict.INCONC, "verified nothing"),
    ([judgement(Verdict.PASS)], Verdict.PASS, ""),
    ([judgement(Verdict.PASS), judgement(Verdict.NONE, "B")], Verdict.INCONC, "did not ask what it says"),
    ([judgement(Verdict.FAIL), judgement(Verdict.NONE, "B")], Verdict.FAIL, "A@ESI: said"),
    ([judgement(Verdict.PASS), judgement(Verdict.NONE, "B", "no")], Verdict.PASS, ""),
    ([judgement(Verdict.NONE, "B", "no")], Verdict.NONE, "B@ESI: no"),
    ([judgement(Verdict.FAIL), judgement(Verdict.ERROR, "B")], Verdict.ERROR, "B@ESI: said"),
])
def test_what_a_case_comes_to(judgements: list[Judgement], verdict: Verdict, reason: str) -> None:
    came_to, why = concluded(judgements)
    assert came_to is verdict
    assert reason in why
    assert bool(why) is (verdict is not Verdict.PASS)


def test_merging_keeps_the_worst_and_every_finding() -> None:
    first, second = judgement(Verdict.INCONC), judgement(Verdict.PASS)
    (together,) = merged([first, second])
    assert together.verdict is Verdict.INCONC
    assert together.findings == first.findings + second.findings
    (asked_once,) = merged([judgement(Verdict.NONE, why="not here"), judgement(Verdict.PASS)])
    assert asked_once.not_applicable == ""
