"""What a carrier remembers of what is under way at a broker, and where it cuts a stream into STOMP frames; without any broker."""

from __future__ import annotations

import json

import proton
import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.backhaul import amqp_carrier
from harness.backhaul.broker_dialect import BrokerBounds, Letter
from harness.backhaul.broker_ledger import Ledger
from harness.backhaul.carrier import Parcel
from harness.backhaul.stomp_carrier import FrameSplitter

REPLIES = "q.dr.replies"
BOUNDS = BrokerBounds(answer_within=10.0, waiting=3, remembered=2)


def request(token: str) -> Parcel:
    return Parcel(b"<q/>", "dr", "amqp://h:1/q.ami", exchange=token)


def answer(token: str) -> Letter:
    return Letter(REPLIES, b"<r/>", {"correlation-id": token})


def test_every_parcel_comes_back_once_however_it_ends() -> None:
    ledger = Ledger("amqp", BrokerBounds(answer_within=10.0))
    tags = {token: ledger.put(request(token), "q.ami", REPLIES, 0.0)[0] for token in ("a", "b", "c", "d")}
    assert ledger.accepted(tags["a"]) is None, "an answer is still to come"
    assert (ledger.answer("dr", answer("a"), "").answers, ledger.answer("dr", answer("b"), "").answers) == ("a", "b")
    refused = ledger.refused(tags["c"], "no such queue")
    assert refused is not None
    assert (refused.answers, refused.flaw, refused.octets) == ("c", "no such queue", b"")
    assert list(ledger.overdue(9.9)) == []
    assert [(each.answers, each.flaw) for each in ledger.overdue(10.0)] == [("d", "no answer within 10 s")]
    assert list(ledger.lost("gone")) == []
    assert [ledger.refused(tag, "again") or ledger.accepted(tag) for tag in tags.values()] == [None] * 4
    assert ledger.deadline() is None


def test_an_event_is_over_when_the_broker_has_it_and_told_only_when_it_has_not() -> None:
    ledger = Ledger("amqp", BOUNDS)
    event = Parcel(b"<e/>", "dr", "q.ami")
    first, letter = ledger.put(event, "q.ami", REPLIES, 0.0)
    assert "reply-to" not in letter.properties
    assert letter.properties["message-id"] == "q.dr-1"
    assert ledger.accepted(first) is None
    ledger.put(event, "q.ami", REPLIES, 5.0)
    assert ledger.deadline() == 15.0
    assert [(each.answers, each.place, each.flaw) for each in ledger.lost("gone")] == [("", "dr", "gone")]


def test_the_ledger_is_full_at_its_bound_and_forgets_the_oldest_exchange() -> None:
    ledger = Ledger("amqp", BOUNDS)
    for token in ("a", "b"):
        ledger.put(request(token), "q.ami", REPLIES, 0.0)
    assert not ledger.full()
    ledger.put(request("c"), "q.ami", REPLIES, 0.0)
    assert ledger.full()
    asked = [ledger.arrival("dr", Letter("q.dr", b"", {"reply-to": "x"}, correlation=number), "") for number in range(3)]
    assert [ledger.exchange(each.exchange) is not None for each in asked] == [False, True, True]
    ledger.drop(asked[2].exchange)
    assert ledger.exchange(asked[2].exchange) is None


@pytest.mark.parametrize(("end", "word"), [("overdue", "given up"), ("lost", "lost")])
def test_an_answer_that_comes_too_late_says_what_became_of_its_request(end: str, word: str) -> None:
    ledger = Ledger("stomp", BOUNDS)
    ledger.put(request("a"), "q.ami", REPLIES, 0.0)
    assert len(list(ledger.overdue(99.0) if end == "overdue" else ledger.lost("gone"))) == 1
    late = ledger.answer("dr", answer("a"), "")
    assert (late.answers, late.octets, late.flaw) == ("a", b"<r/>", f"an answer to the request 'a', which is {word} already")


def test_a_parcel_written_for_http_keeps_its_content_type_and_action() -> None:
    about = {"name": "http", "method": "POST", "headers": {"content-type": "text/xml; charset=utf-8", "soapaction": '"urn:x/Create"'}}
    _, letter = Ledger("amqp", BOUNDS).put(Parcel(b"<q/>", "dr", "q.ami", about=about), "q.ami", REPLIES, 0.0)
    assert letter.properties == {"content-type": "text/xml; charset=utf-8", "subject": "urn:x/Create", "message-id": "q.dr-1"}


WRITTEN = bytes(proton.Message(
    id="m", correlation_id=7, reply_to="q", subject="s", content_type="text/xml", properties={"verb": "create"},
    body=b"<a/>", inferred=True,
).encode())


@given(st.lists(st.tuples(st.integers(0, len(WRITTEN) - 1), st.binary(max_size=3)), max_size=4), st.integers(0, len(WRITTEN)))
def test_no_octets_of_a_peer_are_too_odd_for_the_reader_of_amqp_messages(changes: list[tuple[int, bytes]], end: int) -> None:
    octets = bytearray(WRITTEN)
    for at, instead in changes:
        octets[at : at + 1] = instead
    letter, flaw = amqp_carrier.read_message("q", bytes(octets[:end]), 1000)
    assert letter.queue == "q"
    assert json.dumps(dict(letter.properties))
    assert flaw or end > len(WRITTEN) - len(b"<a/>") or changes or not letter.octets


def test_a_message_is_read_as_it_was_written() -> None:
    letter, flaw = amqp_carrier.read_message("q", WRITTEN, 1000)
    assert (letter.octets, letter.correlation, flaw) == (b"<a/>", 7, "")
    assert letter.properties == {
        "message-id": "m", "correlation-id": 7, "reply-to": "q", "subject": "s", "content-type": "text/xml", "verb": "create",
        "redelivered": True,
    }


FRAMES = st.lists(st.tuples(st.binary(max_size=40), st.booleans()), max_size=6)


@given(FRAMES, st.integers(1, 50), st.integers(0, 40))
def test_frames_are_cut_alike_however_the_stream_is_chopped(bodies: list[tuple[bytes, bool]], step: int, most: int) -> None:
    expected = [(body, True) if with_length else (body.replace(b"\0", b""), False) for body, with_length in bodies]
    stream = b"\n\r\n".join(
        b"MESSAGE\n" + (b"content-length:%d\n" % len(body) if with_length else b"") + b"\n" + body + b"\0" for body, with_length in expected
    )
    splitter = FrameSplitter(most)
    frames = [frame for at in range(0, len(stream), step) for frame in splitter.feed(stream[at : at + step])]
    assert [(body, whole) for _, body, whole in frames] == [(body[:most], len(body)) for body, _ in expected]


@pytest.mark.parametrize("octets", [b"MESSAGE\ncontent-length:2\n\nabc\0", b"x" * 70_000])
def test_what_is_no_frame_is_refused_within_bounds(octets: bytes) -> None:
    with pytest.raises(ValueError, match=r"longer than its content-length|no body after 65536 octets"):
        list(FrameSplitter(10).feed(octets))
