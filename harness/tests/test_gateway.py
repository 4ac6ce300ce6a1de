"""Messages to parcels and back, over a carrier that keeps what it is given."""

from __future__ import annotations

from typing import Any

import pytest

from harness.backhaul.carrier import Parcel
from harness.backhaul.gateway import HOLD, MAX_TOKENS, Gateway, place_of
from harness.ports import Message
from harness.usecase import Actor

HEAD_END, DR = Actor.AMI_HEAD_END, Actor.DR_APPLICATION
ASK, TELL = b"ask", b"tell"


class Kept:
    """A carrier that goes nowhere."""

    def __init__(self) -> None:
        self.sent: list[Parcel] = []
        self.dropped: list[str] = []

    def address_of(self, place: str) -> str:
        return f"kept://{place}"

    def send(self, parcel: Parcel) -> None:
        self.sent.append(parcel)

    def drop(self, exchange: str) -> None:
        self.dropped.append(exchange)

    def close(self) -> None:
        return None


@pytest.fixture
def carrier() -> Kept:
    return Kept()


def gateway(carrier: Kept, **changes: Any) -> Gateway:
    options: dict[str, Any] = {"wants_answer": lambda octets: octets == ASK, "producer_of": lambda *_: HEAD_END, **changes}
    return Gateway("cim", {place_of(DR): DR}, {HEAD_END: "there"}, carrier, **options)


def test_a_request_goes_to_its_receivers_address_and_its_answer_comes_back_to_who_asked(carrier: Kept) -> None:
    edge = gateway(carrier)
    assert edge.send(Message("cim", DR, HEAD_END, ASK, {"transport": {"headers": {"a": "b"}}})) == ""
    (sent,) = carrier.sent
    assert (sent.octets, sent.address, sent.place, sent.about) == (ASK, "there", "dr-application", {"headers": {"a": "b"}})
    assert edge.outstanding == {sent.exchange}
    answer = edge.take(Parcel(b"yes", answers=sent.exchange, about={"status": 200}), 1.0)
    assert answer == Message("cim", HEAD_END, DR, b"yes", {"transport": {"status": 200}, "answers": sent.exchange})
    assert answer.about == {"transport": {"status": 200}, "answers": sent.exchange}
    assert not edge.outstanding


def test_an_asynchronous_answer_goes_where_it_is_wanted(carrier: Kept) -> None:
    edge = gateway(carrier)
    edge.send(Message("cim", DR, HEAD_END, b"later", {"address": "elsewhere"}))
    assert carrier.sent[0].address == "elsewhere"


def test_nobody_is_written_to_whose_address_is_not_known(carrier: Kept) -> None:
    assert gateway(carrier).send(Message("cim", DR, Actor.CIS, ASK)) == "no address of the CIS is known"
    assert carrier.sent == []


def test_what_is_only_acknowledged_is_no_message_and_what_is_refused_is_one(carrier: Kept) -> None:
    edge = gateway(carrier)
    for _ in range(3):
        edge.send(Message("cim", DR, HEAD_END, TELL))
    first, second, third = (parcel.exchange for parcel in carrier.sent)
    assert edge.take(Parcel(b"", answers=first, about={"status": 202}), 0.0) is None
    refused = edge.take(Parcel(b"", answers=second, about={"status": 500}), 0.0)
    assert refused is not None
    assert refused.about["transport"]["status"] == 500
    broken = edge.take(Parcel(b"<a", answers=third, flaw="closed in the middle"), 0.0)
    assert broken is not None
    assert (broken.octets, broken.about["flaw"]) == (b"<a", "closed in the middle")


def test_what_comes_is_held_open_until_it_is_answered(carrier: Kept) -> None:
    edge = gateway(carrier)
    came = edge.take(Parcel(ASK, place="dr-application", exchange="x1"), 5.0)
    assert came is not None
    assert (came.producer, came.receiver, came.about["exchange"]) == (HEAD_END, DR, "x1")
    assert (edge.open, edge.deadline()) == (1, 5.0 + HOLD)
    edge.send(Message("cim", DR, HEAD_END, b"yes", {"answers": "x1"}))
    assert (carrier.sent[0].answers, carrier.sent[0].address, edge.open) == ("x1", "", 0)


def test_who_leaves_before_he_is_answered_is_waited_for_no_longer(carrier: Kept) -> None:
    edge = gateway(carrier)
    edge.take(Parcel(ASK, place="dr-application", exchange="x1"), 0.0)
    left = edge.take(Parcel(b"", place="dr-application", answers="x1", flaw="the peer closed"), 1.0)
    assert left is not None
    assert (left.about["flaw"], edge.open, edge.deadline()) == ("the peer closed", 0, None)


def test_a_second_answer_goes_out_as_a_message_of_its_own(carrier: Kept) -> None:
    edge = gateway(carrier)
    edge.take(Parcel(ASK, place="dr-application", exchange="x1"), 0.0)
    for _ in range(2):
        edge.send(Message("cim", DR, HEAD_END, b"yes", {"answers": "x1"}))
    assert [(parcel.answers, parcel.address) for parcel in carrier.sent] == [("x1", ""), ("", "there")]


def test_what_wants_no_answer_is_acknowledged_at_once(carrier: Kept) -> None:
    edge = gateway(carrier)
    assert edge.take(Parcel(TELL, place="dr-application", exchange="x1"), 0.0) is not None
    assert carrier.sent == [Parcel(b"", "dr-application", answers="x1", about={"status": 202})]
    assert carrier.sent[0].about == {"status": 202}
    assert edge.open == 0


def test_what_nobody_answers_is_closed(carrier: Kept) -> None:
    edge = gateway(carrier)
    edge.take(Parcel(ASK, place="dr-application", exchange="x1"), 0.0)
    edge.expire(HOLD - 1)
    assert carrier.dropped == []
    edge.expire(HOLD)
    assert (carrier.dropped, edge.deadline()) == (["x1"], None)


def test_a_broker_is_asked_for_an_answer_only_where_one_is_due(carrier: Kept) -> None:
    edge = gateway(carrier, acknowledges=False)
    edge.send(Message("cim", DR, HEAD_END, TELL))
    edge.send(Message("cim", DR, HEAD_END, ASK))
    assert [bool(parcel.exchange) for parcel in carrier.sent] == [False, True]


def test_answers_to_nobody_and_to_exchanges_long_over_are_kept_as_what_they_are(carrier: Kept) -> None:
    edge = gateway(carrier)
    for _ in range(MAX_TOKENS + 1):
        edge.send(Message("cim", DR, HEAD_END, ASK))
    for token in (carrier.sent[0].exchange, "nobody"):
        stray = edge.take(Parcel(b"yes", place="dr-application", answers=token), 0.0)
        assert stray is not None
        assert (stray.octets, stray.about["flaw"]) == (b"yes", "an answer to nothing that was asked")
    assert edge.arrivals == 0
    right = edge.take(Parcel(b"yes", answers=carrier.sent[1].exchange), 0.0)
    assert right is not None
    assert "flaw" not in right.about


def test_gateways_that_share_a_carrier_do_not_take_each_others_answers(carrier: Kept) -> None:
    one, other = gateway(carrier, tag="1-"), gateway(carrier, tag="2-")
    one.send(Message("cim", DR, HEAD_END, ASK))
    stray = other.take(Parcel(b"yes", answers=carrier.sent[0].exchange), 0.0)
    assert stray is not None
    assert "flaw" in stray.about


def test_what_failed_and_what_was_never_answered_is_counted(carrier: Kept) -> None:
    edge = gateway(carrier, acknowledges=False)
    edge.send(Message("cim", DR, HEAD_END, ASK))
    edge.take(Parcel(b"", answers=carrier.sent[0].exchange, flaw="the peer closed"), 0.0)
    edge.take(Parcel(ASK, place="dr-application", exchange="x1"), 0.0)
    edge.expire()
    assert (edge.failed, edge.abandoned) == (1, 1)
    silent = gateway(carrier)  # over HTTP the other side is told: its connection closes
    silent.take(Parcel(ASK, place="dr-application", exchange="x2"), 0.0)
    silent.expire()
    assert silent.abandoned == 0
