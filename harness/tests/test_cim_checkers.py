"""The checkers of steps 1, 13 and 14 and of the integration points: each rule is some clause's; nothing is read into no key."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from cases.table import clauses, find
from harness.bench import Bench
from harness.checkers.cim_dialogue import Objection, answers_to, objections
from harness.checkers.cim_message import EVENTS_TO_CIS, METER_RECORD, STEP_1, STEP_13, STEP_14, Route, nouns_of
from harness.checkers.confidentiality import keeps_the_key
from harness.checkers.correspondence import letters
from harness.checkers.window_granted import wrong_orders
from harness.cim.check import check_file
from harness.cim.envelope import Kind, read
from harness.cim.finding import Layer
from harness.cim.hostile import KINDS, Hostile, sizes
from harness.cim.identity import name_in
from harness.cim.instant import instant_of
from harness.cim.reply_codes import ReplyCode
from harness.cim.tree import child
from harness.cim_profile import DEFAULT, ENVELOPES, CimProfile
from harness.declarations import read_bench
from harness.evidence.withheld import Withheld
from harness.judge import judge
from harness.plan import Plan
from harness.trace import Attestation, Header, Trace, with_key_material
from harness.usecase import Actor, Order, Point
from harness.values import DeviceType, Eui64
from harness.verdict import Verdict

ROOT = Path(__file__).parents[2]
MESSAGES = ROOT / "fixtures" / "cim" / "messages"
BENCH = ROOT / "fixtures" / "benches" / "virtual.yaml"
EPOCH = datetime.fromisoformat("2026-01-15T12:00:00+00:00")
INSTALL_CODE = bytes.fromhex("83fed3407a939723a5c639b26916d505c3b5")
ORDER = Order(Eui64(0x0013500500A1B2C3), DeviceType.PCT, INSTALL_CODE)
SECTIONS = {STEP_1: "01", STEP_13: "13", STEP_14: "14", EVENTS_TO_CIS: "INT", METER_RECORD: "INT"}


def route_of(path: Path) -> Route | None:
    """Which route of the use case a message of the fixtures is of; None for an answer, or for another noun."""
    message, _ = read(path.read_bytes())
    if message is None:
        return STEP_13
    if message.kind in (Kind.RESPONSE, Kind.FAULT):
        return None
    named = nouns_of(message)
    if STEP_13.noun in named and child(message.payload, "ServiceLocation") is not None:
        return STEP_14
    return next((route for route in SECTIONS if route.noun in named), None if message.noun else STEP_13)


def profile_of(path: Path) -> CimProfile:
    """The profile that a fixture is made for: its folder tells the generation where that is not 2011."""
    return replace(DEFAULT, envelope=path.parent.name) if path.parent.name in ENVELOPES else DEFAULT


def alone(octets: bytes, route: Route, order: Order = ORDER, profile: CimProfile = DEFAULT) -> Trace:
    """A trace of one message, sent when its timestamp says."""
    message, _ = read(octets)
    made = instant_of(message.header.timestamp) if message is not None and message.header is not None else None
    sent = max(0.0, ((made or EPOCH) - EPOCH) / timedelta(seconds=1))
    trace = Trace(Header(order, EPOCH.isoformat(), about={"cim": profile.as_dict()}))
    trace.attestations = [Attestation(point, "all", 0.0) for point in Point]
    trace.append(sent, Point.CIM, "cim", octets, route.producer, route.receiver, about={"arrives": sent})
    return trace


def verdicts(trace: Trace, section: str) -> dict[str, Verdict]:
    """What the clauses of a step say about its producer's message."""
    return {each.id: each.verdict for each in judge(trace, [each for each in clauses().values() if each.step == section])}


def of_the_use_case(kind: str) -> list[Path]:
    """The messages that are a request or an event of a step; answers and faults are no subject of these clauses."""
    return [path for path in sorted((MESSAGES / kind).rglob("*.xml")) if route_of(path) is not None]


def named(path: Path) -> str:
    """A fixture's name below the folder of messages."""
    return str(path.relative_to(MESSAGES).with_suffix(""))


@pytest.mark.parametrize("path", of_the_use_case("bad"), ids=named)
def test_a_message_that_breaks_a_rule_fails_a_clause(path: Path) -> None:
    route = route_of(path)
    assert route is not None
    profile = profile_of(path)
    trace = alone(path.read_bytes(), route, profile=profile)
    counted = [finding for finding in check_file(path, profile=profile) if finding.verdict > Verdict.PASS]
    worst_of = max((*verdicts(trace, SECTIONS[route]).values(), *verdicts(trace, "INT").values()))  # what is around it is of INT
    assert worst_of is max((finding.verdict for finding in counted), default=worst_of)


@pytest.mark.parametrize("path", of_the_use_case("good"), ids=named)
def test_a_good_message_fails_no_clause_about_its_form(path: Path) -> None:
    route = route_of(path)
    assert route is not None
    formal = [clause for clause in clauses().values() if clause.step == SECTIONS[route] and _is_formal(clause.id)]
    judgements = judge(alone(path.read_bytes(), route, profile=profile_of(path)), formal)
    assert [each.id for each in judgements if each.verdict is Verdict.FAIL] == []


def _is_formal(identity: str) -> bool:
    return identity.rpartition("-")[2] in ("ENVELOPE", "PROFILE", "SCHEMA", "STATUS", "CIS")


@cache
def played(**changes: Any) -> Trace:
    """A whole provisioning of the first device."""
    file = read_bench(BENCH)
    bench = Bench(file, file.devices[0], Plan(**changes))
    bench.play()
    bench.close()
    return bench.trace


def withheld(trace: Trace) -> Trace:
    """The same as it is read back from evidence that was kept without its key."""
    covered = Withheld([trace.header.order.key_material])
    copy = Trace(Header(
        with_key_material(trace.header.order, b""), trace.header.epoch, dut=trace.header.dut, pics=trace.header.pics,
        about=trace.header.about,
    ))
    copy.attestations = trace.attestations
    for each in trace:
        octets = covered.cover(each.octets)
        copy.append(each.time, each.point, each.medium, octets, each.producer, each.receiver, each.fate, each.about)
    return copy


def test_evidence_without_its_key_is_inconclusive_about_the_key_alone() -> None:
    trace = withheld(played())
    said: dict[str, Verdict] = {}
    for section in ("01", "13", "14", "POST"):
        said |= verdicts(trace, section)
    assert {identity for identity, verdict in said.items() if verdict > Verdict.PASS} == {
        "UC2.7-01-KEY@DR Application", "UC2.7-01-SECRET@DR Application", "UC2.7-01-SECRET@AMI Head-End",
    }
    assert {verdict for verdict in said.values() if verdict > Verdict.PASS} == {Verdict.INCONC}


def test_a_key_is_found_however_it_is_written() -> None:
    digits = INSTALL_CODE.hex()
    for written in (digits.upper(), INSTALL_CODE.hex(":"), INSTALL_CODE.hex(" ", 2), INSTALL_CODE.decode("latin-1")):
        trace = alone((MESSAGES / "good" / "window-ordered-typed.xml").read_bytes(), STEP_1)
        trace.append(1.0, Point.LOG, "log", f"the key is {written}".encode("latin-1"), STEP_1.producer)
        (finding,) = keeps_the_key(Actor.DR_APPLICATION, log=True)(trace)
        assert finding.verdict is Verdict.FAIL
        assert digits not in str(finding.as_dict())


def test_two_requests_of_one_instant_have_each_its_own_answer() -> None:
    trace = played(provocation="announced-again-under-another-id")
    first, second = letters(trace, STEP_13.producer, STEP_13.receiver, Kind.REQUEST)
    assert [len(answers_to(trace, STEP_13, each)) for each in (first, second)] == [1, 1]


@pytest.mark.parametrize(("codes", "has_no_code"), [
    ({ReplyCode.LOCAL_KEY}, True), ({ReplyCode.NOT_ATTEMPTED}, True), ({ReplyCode.METER}, False),
    ({ReplyCode.LOCAL_KEY, ReplyCode.SCHEMA}, False),
])
def test_where_the_table_has_no_code_any_will_do(codes: set[str], has_no_code: bool) -> None:
    assert Objection(frozenset(codes), "for a test").has_no_code is has_no_code


def test_what_is_right_meets_no_objection() -> None:
    trace = played()
    asked = list(letters(trace, STEP_1.producer, STEP_1.receiver, Kind.REQUEST, STEP_1.noun))
    assert [objections(trace, each, wrong_orders) for each in asked] == [[]]
    linked = next(letters(trace, STEP_14.producer, STEP_14.receiver, Kind.REQUEST))
    assert linked.message is not None
    assert name_in(child(linked.message.payload, "EndDevice"), "MACAddress") == str(trace.header.order.device)


@pytest.mark.parametrize("kind", KINDS)
def test_a_hostile_document_is_refused_unread(kind: str) -> None:
    good = (MESSAGES / "good" / "window-ordered-typed.xml").read_bytes()
    for size in sizes(kind):
        hostile = Hostile(kind, size)
        message, findings = read(hostile.made_of(good))
        assert message is None
        assert [finding.layer for finding in findings] == [Layer.XML]
        assert len(repr(hostile)) < len(good)  # what was drawn is told in a report


def test_a_clause_of_an_actor_is_found_by_its_name() -> None:
    assert list(find("UC2.7-01-SECRET@AMI Head-End").checks) == [Actor.AMI_HEAD_END]
