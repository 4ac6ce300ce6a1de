"""Two correspondents with each other: later answers, acknowledgements, nonces, sets of operations, and on which binding."""

from __future__ import annotations

import random
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from lxml import etree

from harness.adapters.back_office_policy import BackOfficePolicy, Rewrite, on_cim
from harness.adapters.wrong_messages import adding, under_one_nonce
from harness.cim import codes, end_device_events, meter_config
from harness.cim.check import check_message
from harness.cim.correspondent import Correspondent, Incoming
from harness.cim.envelope import OK, Form, Header, Kind, build, read, serialise
from harness.cim.nouns import ENVELOPE, METER_CONFIG
from harness.cim.originator import Originator
from harness.cim.pending import OVER, TRANSITIONS, Event, State
from harness.cim.refusal import refused
from harness.cim.reply_codes import ReplyCode
from harness.cim.soap import SOAP11, SOAP12, XML, transport_of, wrap
from harness.cim.transport import check_transport
from harness.cim_profile import BINDINGS, DEFAULT, CimProfile
from harness.ports import Message

EPOCH = datetime(2026, 1, 15, 12, tzinfo=UTC)
CIS, HEAD_END = "CIS", "AMI Head-End"
LATER = CimProfile(pattern="asynchronous")


def party(name: str, profile: CimProfile = DEFAULT, *rewrites: Rewrite, **decisions: Any) -> Correspondent:
    """One party that takes meter records, and decides so."""
    policy = BackOfficePolicy(rewrites=rewrites, **decisions)
    return Correspondent(Originator(name, EPOCH, random.Random(name), profile), policy, (METER_CONFIG,))


class Pair:
    """Two parties and the wire between them; `seen` is what went over it, with when it was sent."""

    def __init__(self, asker: Correspondent, answerer: Correspondent) -> None:
        self.asker, self.answerer = asker, answerer
        self.seen: list[tuple[float, Message]] = []
        self.got: list[Incoming] = []
        self.asked: list[Incoming] = []
        self.lose = 0
        self.reply = OK
        self.now = 0.0

    def ask(self) -> Header:
        """A request of the asker."""
        return self.asker.request(HEAD_END, METER_CONFIG, meter_config.payload("METER-0001"), self.now)

    def run(self, until: float) -> None:
        """Everything that happens until then; what is asked is answered at once."""
        while True:
            while moved := [*self.asker.transmit(), *self.answerer.transmit()]:
                for message in moved:
                    self._carry(message)
            due = [each for each in (self.asker.deadline(), self.answerer.deadline()) if each is not None]
            if not due or min(due) > until:
                self.now = until
                return
            self.now = max(self.now, min(due))
            self.asker.wake(self.now)
            self.answerer.wake(self.now)

    def _carry(self, message: Message) -> None:
        self.seen.append((self.now, message))
        if self.lose:
            self.lose -= 1
            return
        if message.receiver == HEAD_END:
            incoming = self.answerer.receive(message, self.now)
            if incoming is not None and incoming.message.kind is Kind.REQUEST:
                self.asked.append(incoming)
                self.answerer.answer(incoming, self.reply, self.now)
        elif (incoming := self.asker.receive(message, self.now)) is not None:
            self.got.append(incoming)

    def said(self, by: str) -> list[tuple[float, str, list[str]]]:
        """What one party said: when, which kind, and with which codes."""
        found = []
        for at, octets in ((at, message.octets) for at, message in self.seen if message.producer == by):
            message, _ = read(octets)
            assert message is not None
            found.append((at, str(message.kind), [error.code for error in message.reply.errors] if message.reply else []))
        return found


def pair(profile: CimProfile = DEFAULT, *rewrites: Rewrite, **decisions: Any) -> Pair:
    """A CIS that asks a head-end which decides so."""
    return Pair(party(CIS, profile), party(HEAD_END, profile, *rewrites, **decisions))


# -- answers that come later


def test_a_later_answer_is_promised_and_kept() -> None:
    made = pair(LATER)
    header = made.ask()
    made.run(100.0)
    assert (header.async_reply_flag, header.reply_address) == ("true", "urn:hanproof:cis")
    assert made.said(CIS) == [(0.0, "Request", [])]
    assert made.said(HEAD_END) == [(0.0, "Response", ["0.3"]), (0.5, "Response", ["0.0"])]
    (got,) = made.got
    assert (got.request, got.header.correlation_id, got.accepted) == (header, header.correlation_id, True)
    acknowledgement, result = (message.about for _, message in made.seen if message.producer == HEAD_END)
    assert "status" in acknowledgement["transport"]
    assert "address" not in acknowledgement
    assert result["transport"]["method"] == "POST"
    assert result["address"] == "urn:hanproof:cis"
    assert made.asker.deadline() is None
    assert made.answerer.deadline() is None


def test_a_later_answer_can_be_a_refusal() -> None:
    made = pair(LATER)
    made.reply = refused(ReplyCode.METER, "no such meter")
    made.ask()
    made.run(100.0)
    assert [each for _, _, each in made.said(HEAD_END)] == [["0.3"], ["2.4"]]
    assert [got.accepted for got in made.got] == [False]


def test_what_is_wrong_in_itself_is_refused_at_once() -> None:
    made = Pair(party(CIS, LATER, on_cim(adding("Revision", "9.9", "Noun", "Header"))), party(HEAD_END))
    made.ask()
    made.run(100.0)
    assert made.said(HEAD_END) == [(0.0, "Response", ["1.9"])]
    assert (made.asked, [got.accepted for got in made.got]) == ([], [False])


def test_a_result_that_never_comes_is_given_up_and_not_asked_for_again() -> None:
    made = pair(LATER)
    header = made.ask()
    made.run(0.1)
    made.lose = 1  # the result
    made.run(59.0)
    assert made.asker.unanswered == []
    made.run(61.0)
    assert made.asker.unanswered == [header]
    assert len(made.said(CIS)) == 1


def test_a_lost_acknowledgement_is_nothing_once_the_result_is_there() -> None:
    made = pair(LATER)
    made.ask()
    (request,) = made.asker.transmit()
    made._carry(request)
    made.lose = 1  # the acknowledgement
    made.run(100.0)
    assert len(made.got) == 1
    assert len(made.said(CIS)) == 1


def test_a_lost_request_comes_again_and_is_promised_once() -> None:
    made = pair(LATER)
    made.ask()
    made.lose = 1
    made.run(100.0)
    assert made.said(CIS) == [(0.0, "Request", []), (10.0, "Request", [])]
    assert [each for _, _, each in made.said(HEAD_END)] == [["0.3"], ["0.0"]]
    assert len(made.got) == 1


def test_a_request_that_comes_twice_is_promised_and_kept_twice_and_taken_once() -> None:
    made = pair(LATER)
    made.ask()
    (request,) = made.asker.transmit()
    made._carry(request)
    made.run(5.0)
    made._carry(replace(request, about={**request.about, "exchange": "42"}))
    made.run(100.0)
    assert len(made.asked) == 1
    assert [each for _, _, each in made.said(HEAD_END)] == [["0.3"], ["0.0"], ["0.3"], ["0.0"]]
    answers = [message.about.get("answers") for _, message in made.seen if message.producer == HEAD_END]
    assert answers == [None, None, "42", None]  # each acknowledgement belongs to its own exchange
    assert len(made.got) == 1


@pytest.mark.parametrize(("decisions", "said"), [
    ({"acknowledges": False}, [["0.0"]]), ({"answers_later": False}, [["0.0"]]), ({"replies": False}, []),
])
def test_other_decisions_about_later_answers(decisions: dict[str, bool], said: list[list[str]]) -> None:
    made = pair(LATER, **decisions)
    made.ask()
    made.run(5.0)
    assert [each for _, _, each in made.said(HEAD_END)] == said
    answers = [message.about["transport"] for _, message in made.seen if message.producer == HEAD_END]
    assert ["status" in each for each in answers] == [not decisions.get("answers_later", True)] * len(answers)


def test_every_state_of_a_pending_request_with_every_event() -> None:
    for state in State:
        for event in Event:
            after = TRANSITIONS.get((state, event), state)
            assert after in State
            assert state not in OVER or after is state
    assert set(TRANSITIONS.values()) == set(State) - {State.ASKED}


# -- events that want an acknowledgement

PAIRED = end_device_events.DeviceEvent(codes.WINDOW_OPENED, None, "METER-0001", EPOCH)
WANTED = on_cim(adding("AckRequired", "true", "Source", "Header"))


def announced(*rewrites: Rewrite, **decisions: Any) -> Pair:
    """A CIS that announces an event to a head-end which decides so."""
    made = Pair(party(CIS, DEFAULT, *rewrites), party(HEAD_END, DEFAULT, **decisions))
    made.asker.announce([HEAD_END], end_device_events.NOUN, end_device_events.payload(PAIRED, AN_MRID), 0.0, None)
    return made


AN_MRID = "00000000-0000-4000-8000-000000000001"


def test_an_event_that_wants_none_gets_no_acknowledgement() -> None:
    made = announced()
    made.run(100.0)
    assert (len(made.said(CIS)), made.said(HEAD_END)) == (1, [])


def test_an_event_that_wants_it_is_acknowledged_once() -> None:
    made = announced(WANTED)
    made.run(100.0)
    assert made.said(CIS) == [(0.0, "Event", [])]
    assert made.said(HEAD_END) == [(0.0, "Response", ["0.3"])]
    assert made.asker.unanswered == []


def test_an_event_that_nobody_acknowledges_comes_again_until_it_is_given_up() -> None:
    made = announced(WANTED, acknowledges=False)
    made.run(100.0)
    assert [at for at, _, _ in made.said(CIS)] == [0.0, 10.0, 20.0]
    assert len({message.octets for _, message in made.seen}) == 1
    assert [header.noun for header in made.asker.unanswered] == [end_device_events.NOUN]


def test_an_event_whose_acknowledgement_gets_lost_is_acknowledged_again() -> None:
    made = announced(WANTED)
    (event,) = made.asker.transmit()
    made._carry(event)
    made.lose = 1
    made.run(100.0)
    assert [at for at, _, _ in made.said(HEAD_END)] == [0.0, 10.0]
    assert made.asker.unanswered == []


def test_a_wrong_event_that_wants_an_acknowledgement_gets_a_refusal() -> None:
    made = announced(WANTED, on_cim(adding("Context", "PRODUCTION", "Noun", "Header")))
    made.run(100.0)
    assert made.said(HEAD_END) == [(0.0, "Response", ["5.2"])]


# -- nonces


@pytest.mark.parametrize(("decisions", "said"), [({}, [["0.0"], ["2.15"]]), ({"recognises_replays": False}, [["0.0"], ["0.0"]])])
def test_a_nonce_is_used_once(decisions: dict[str, bool], said: list[list[str]]) -> None:
    made = Pair(party(CIS, DEFAULT, on_cim(under_one_nonce, "CreateMeterConfig")), party(HEAD_END, DEFAULT, **decisions))
    made.ask()
    made.run(5.0)
    assert [each for _, _, each in made.said(HEAD_END)] == said


def test_the_same_message_again_is_no_replay() -> None:
    made = Pair(party(CIS, DEFAULT, on_cim(lambda root: under_one_nonce(root)[0], "CreateMeterConfig")), party(HEAD_END))
    made.ask()
    (request,) = made.asker.transmit()
    for _ in range(2):
        made._carry(request)
        made.run(made.now + 5.0)
    assert [said for _, _, said in made.said(HEAD_END)] == [["0.0"], ["0.0"]]


# -- sets of operations


def test_a_set_of_operations_is_refused_operation_by_operation() -> None:
    asker = party(CIS)
    header = asker.originator.header("execute", "OperationSet", 0.0)
    operations = etree.Element(f"{{{ENVELOPE}}}OperationSet")
    for number in ("7", "8"):
        operation = etree.SubElement(operations, f"{{{ENVELOPE}}}Operation")
        etree.SubElement(operation, f"{{{ENVELOPE}}}operationId").text = number
    octets = serialise(build(Kind.REQUEST, header, operations, form=Form.GENERIC))
    assert [each for each in check_message(octets) if each.failed] == []
    made = Pair(asker, party(HEAD_END))
    made._carry(Message("cim", CIS, HEAD_END, octets))
    made.run(5.0)
    answer, findings = read(made.seen[-1][1].octets)
    assert answer is not None
    assert answer.reply is not None
    assert [(error.code, error.operation_id) for error in answer.reply.errors] == [("2.5", "7"), ("2.5", "8")]
    assert (answer.form, findings, check_message(answer.octets)) == (Form.GENERIC, [], [])


# -- bindings


@pytest.mark.parametrize("binding", BINDINGS)
@pytest.mark.parametrize("pattern", ["synchronous", "asynchronous"])
@pytest.mark.parametrize("form", ["typed", "generic"])
def test_whatever_is_said_keeps_its_binding(binding: str, pattern: str, form: str) -> None:
    made = pair(CimProfile(binding=binding, pattern=pattern, form=form))
    made.ask()
    made._carry(Message("cim", CIS, HEAD_END, b"<no XML"))
    made.run(100.0)
    assert len(made.got) == 1
    kinds = set()
    for _, message in made.seen[1:] if made.seen[0][1].octets == b"<no XML" else made.seen:
        said, _ = read(message.octets)
        assert said is not None
        kinds.add(said.kind)
        assert [each.rule for each in check_transport(said, message.about["transport"], binding)] == []
    assert kinds == {Kind.REQUEST, Kind.RESPONSE, Kind.FAULT}


@pytest.mark.parametrize("binding", [SOAP11, SOAP12])
def test_a_soap_fault_is_not_answered(binding: str) -> None:
    fault = build(Kind.FAULT, Header(None, None), reply=refused(ReplyCode.SCHEMA, "no"), form=Form.GENERIC)
    about = {"transport": transport_of(fault, binding, answers=True)}
    answerer = party(HEAD_END)
    assert answerer.receive(Message("cim", CIS, HEAD_END, serialise(wrap(fault, binding)), about), 0.0) is None
    assert answerer.transmit() == []


@pytest.mark.parametrize("octets", [b"", b"<half", b"<Something/>"])
def test_an_answer_that_cannot_be_read_is_not_answered(octets: bytes) -> None:
    asker = party(CIS)
    assert asker.receive(Message("cim", HEAD_END, CIS, octets, {"answers": "42"}), 0.0) is None
    assert asker.transmit() == []


def test_an_answer_names_the_exchange_that_it_answers() -> None:
    made = pair(CimProfile(binding=XML))
    made.ask()
    (request,) = made.asker.transmit()
    made._carry(replace(request, about={**request.about, "exchange": "9"}))
    made._carry(Message("cim", CIS, HEAD_END, b"<no XML", {"exchange": "10"}))
    assert [message.about["answers"] for message in made.answerer.transmit()] == ["9", "10"]
