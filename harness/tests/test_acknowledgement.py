"""What is said of acknowledgements and later answers, from traces made by hand: each way to get them wrong, and silence."""

from __future__ import annotations

import random
from datetime import datetime
from typing import Any

import pytest
from lxml import etree

from harness.checkers.acknowledgement import acknowledges, answers_later
from harness.checkers.binding import keeps_the_binding
from harness.cim import codes, end_device_events, meter_config
from harness.cim.end_device_events import DeviceEvent
from harness.cim.envelope import ACKNOWLEDGED, OK, Header, Kind, Reply, build, serialise
from harness.cim.nouns import END_DEVICE_EVENTS, METER_CONFIG
from harness.cim.originator import Originator
from harness.cim.refusal import refused
from harness.cim.reply_codes import ReplyCode
from harness.trace import Attestation, Trace
from harness.trace import Header as TraceHeader
from harness.usecase import Actor, Order, Point
from harness.values import DeviceType, Eui64
from harness.verdict import Finding, Verdict

EPOCH = datetime.fromisoformat("2026-01-15T12:00:00+00:00")
CIS, HEAD_END = Actor.CIS, Actor.AMI_HEAD_END
ADDRESS = "http://cis.example/replies"
BY_CIS, BY_HEAD_END = (Originator(actor, EPOCH, random.Random(actor)) for actor in (CIS, HEAD_END))
POSTED: dict[str, Any] = {"transport": {"name": "http", "method": "POST", "headers": {"content-type": "text/xml"}}}
RETURNED: dict[str, Any] = {"transport": {"name": "http", "status": 200, "headers": {"content-type": "text/xml"}}}


class Written:
    """A trace made by hand; `until` is how long the tap listened (seconds)."""

    def __init__(self, until: float = 100.0) -> None:
        self.trace = Trace(TraceHeader(Order(Eui64(1), DeviceType.PCT, b""), EPOCH.isoformat()))
        self.trace.attestations = [Attestation(Point.CIM, "cim", 0.0, until)]

    def add(self, at: float, producer: Actor, receiver: Actor, root: etree._Element, **about: Any) -> None:
        """One message, that arrives as it is sent."""
        octets = serialise(root)
        self.trace.append(at, Point.CIM, "cim", octets, producer, receiver, about={"arrives": at, **about})

    def request(self, at: float = 1.0) -> Header:
        """The CIS wants the head-end's answer later."""
        header = BY_CIS.header("create", METER_CONFIG, at)
        header = header._replace(async_reply_flag="true", reply_address=ADDRESS)
        self.add(at, CIS, HEAD_END, build(Kind.REQUEST, header, meter_config.payload("METER-0001")), **POSTED)
        return header

    def event(self, at: float = 1.0, chain: str = "one") -> Header:
        """The head-end wants an event acknowledged."""
        header = BY_HEAD_END.header("created", END_DEVICE_EVENTS, at, chain)._replace(ack_required="true")
        happened = DeviceEvent(codes.WINDOW_OPENED, None, "METER-0001", EPOCH)
        payload = end_device_events.payload(happened, BY_HEAD_END.identifier())
        self.add(at, HEAD_END, CIS, build(Kind.EVENT, header, payload), **POSTED)
        return header

    def answer(self, at: float, to: Header, reply: Reply = OK, **about: Any) -> None:
        """The other one answers."""
        asked = to.source == CIS
        sender, ends = (BY_HEAD_END, (HEAD_END, CIS)) if asked else (BY_CIS, (CIS, HEAD_END))
        header = sender.reply_header(to, to.noun or "", at)
        self.add(at, *ends, build(Kind.RESPONSE, header, reply=reply), **about)

    def said(self, check: Any, judged: Actor) -> list[Finding]:
        """What a checker finds."""
        return list(check(self.trace, judged))


def verdicts(findings: list[Finding]) -> list[Verdict]:
    """Only what was decided."""
    return [each.verdict for each in findings]


# -- later answers


def test_silence_while_somebody_listened_is_a_fail() -> None:
    made = Written()
    made.request()
    assert verdicts(made.said(answers_later, HEAD_END)) == [Verdict.FAIL]
    made = Written(until=20.0)
    made.request()
    assert made.said(answers_later, HEAD_END) == []


@pytest.mark.parametrize("about", [{}, POSTED, {**POSTED, "address": ADDRESS}])
def test_acknowledged_and_answered_later_is_right(about: dict[str, Any]) -> None:
    made = Written()
    header = made.request()
    made.answer(1.1, header, ACKNOWLEDGED)
    made.answer(2.0, header, **about)
    assert verdicts(made.said(answers_later, HEAD_END)) == [Verdict.PASS]


def test_an_acknowledgement_with_another_code_is_noted() -> None:
    made = Written()
    header = made.request()
    made.answer(1.1, header)
    made.answer(2.0, header, **POSTED)
    assert verdicts(made.said(answers_later, HEAD_END)) == [Verdict.NONE, Verdict.PASS]


def test_a_refusal_at_once_ends_it() -> None:
    made = Written()
    made.answer(1.1, made.request(), refused(ReplyCode.METER, "no"))
    assert made.said(answers_later, HEAD_END) == []


@pytest.mark.parametrize(("answers", "why"), [
    ([(1.1, OK, {})], "was not acknowledged"),
    ([(1.1, ACKNOWLEDGED, {})], "had no result"),
    ([(1.1, ACKNOWLEDGED, {}), (1.2, ACKNOWLEDGED, {}), (2.0, OK, {})], "more than once"),
    ([(1.1, OK, {}), (2.0, ACKNOWLEDGED, {})], "before the acknowledgement"),
    ([(1.1, ACKNOWLEDGED, {}), (2.0, OK, RETURNED)], "the way the request came"),
    ([(1.1, ACKNOWLEDGED, {}), (2.0, OK, {"answers": "7"})], "the way the request came"),
    ([(1.1, ACKNOWLEDGED, {}), (2.0, OK, {"address": "http://elsewhere.example/"})], "went elsewhere"),
])
def test_each_way_to_answer_wrongly(answers: list[tuple[float, Reply, dict[str, Any]]], why: str) -> None:
    made = Written()
    header = made.request()
    for at, reply, about in answers:
        made.answer(at, header, reply, **about)
    (finding,) = made.said(answers_later, HEAD_END)
    assert finding.verdict is Verdict.FAIL
    assert why in finding.message


def test_a_request_that_wants_its_answer_at_once_is_no_question() -> None:
    made = Written()
    header = BY_CIS.header("create", METER_CONFIG, 1.0)
    made.add(1.0, CIS, HEAD_END, build(Kind.REQUEST, header, meter_config.payload("METER-0001")))
    assert made.said(answers_later, HEAD_END) == []


# -- acknowledgements of events


def test_each_event_has_its_own_acknowledgement() -> None:
    made = Written()
    for at in (1.0, 5.0):
        made.answer(at + 0.1, made.event(at), ACKNOWLEDGED)
    assert verdicts(made.said(acknowledges, CIS)) == [Verdict.PASS, Verdict.PASS]


def test_two_events_at_once_take_two_acknowledgements() -> None:
    made = Written()
    events = [made.event(1.0), made.event(1.0)]
    made.answer(1.1, events[0], ACKNOWLEDGED)
    assert verdicts(made.said(acknowledges, CIS)) == [Verdict.PASS, Verdict.FAIL]
    made.answer(1.1, events[1], ACKNOWLEDGED)
    assert verdicts(made.said(acknowledges, CIS)) == [Verdict.PASS, Verdict.PASS]


@pytest.mark.parametrize(("at", "reply", "times", "why"), [
    (1.1, ACKNOWLEDGED, 2, "more than once"), (40.0, ACKNOWLEDGED, 1, "late"),
    (1.1, refused(ReplyCode.NOT_ATTEMPTED, "no"), 1, "refused"), (0.0, OK, 0, "got none"),
])
def test_each_way_to_acknowledge_wrongly(at: float, reply: Reply, times: int, why: str) -> None:
    made = Written()
    header = made.event()
    for _ in range(times):
        made.answer(at, header, reply)
    (finding,) = [each for each in made.said(acknowledges, CIS) if each.verdict > Verdict.PASS]
    assert why in finding.message


def test_nothing_of_the_same_chain_comes_before_the_acknowledgement() -> None:
    made = Written()
    header = made.event()
    onward = BY_CIS.header("create", METER_CONFIG, 1.05, header.correlation_id)
    made.add(1.05, CIS, HEAD_END, build(Kind.REQUEST, onward, meter_config.payload("METER-0001")))
    made.answer(1.1, header, ACKNOWLEDGED)
    (finding,) = made.said(acknowledges, CIS)
    assert (finding.verdict, finding.message) == (Verdict.FAIL, "something followed before the acknowledgement")


# -- the binding


def test_nothing_is_said_of_a_transport_that_nobody_saw() -> None:
    made = Written()
    header = BY_CIS.header("create", METER_CONFIG, 1.0)
    made.add(1.0, CIS, HEAD_END, build(Kind.REQUEST, header, meter_config.payload("METER-0001")))
    assert made.said(keeps_the_binding, CIS) == []


@pytest.mark.parametrize(("binding", "verdict"), [(None, Verdict.PASS), ("xml", Verdict.PASS), ("soap11", Verdict.FAIL)])
def test_the_binding_is_the_one_that_the_trace_names(binding: str | None, verdict: Verdict) -> None:
    made = Written()
    if binding:
        made.trace.header.about["cim"] = {"binding": binding}
    made.request()
    assert verdicts(made.said(keeps_the_binding, CIS)) == [verdict]


def test_an_empty_acknowledgement_of_the_transport_is_no_message() -> None:
    made = Written()
    made.trace.append(1.0, Point.CIM, "cim", b"", CIS, HEAD_END, about={"transport": {"name": "http", "status": 202}})
    assert made.said(keeps_the_binding, CIS) == []
