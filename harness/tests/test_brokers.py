"""The carriers to a queue broker, against a RabbitMQ that the session starts, and against clients that nobody of us wrote."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import pytest

from harness.backhaul import amqp_carrier
from harness.backhaul.broker_dialect import BrokerBounds
from harness.backhaul.carrier import Parcel
from harness.tests.broker_peers import StompClient, amqp_answers, amqp_client, octets_of, stomp_answers
from harness.tests.broker_world import DR, HEAD_END, MESSAGE, World
from harness.tests.inbox import WITHIN

pytest_plugins = ("harness.tests.broker_fixtures",)


# -- what is exchanged


def test_a_request_is_answered_where_its_properties_say(world: World) -> None:
    dr, head_end = world.party(DR), world.party(HEAD_END)
    about = {"properties": {"subject": "create(EndDeviceControls)", "content-type": "text/xml; charset=utf-8", "verb": "create"}}
    dr.say(MESSAGE, head_end.carrier.address_of(HEAD_END), exchange="token-1", about=about)
    asked = head_end.inbox.next()
    assert (asked.octets, asked.place, asked.flaw, asked.answers) == (MESSAGE, HEAD_END, "", "")
    assert asked.about["name"] == world.protocol.split()[0]
    assert asked.about["properties"].items() >= {**about["properties"], "correlation-id": "token-1", "message-id": "token-1"}.items()
    assert asked.about["properties"]["reply-to"].removeprefix("/queue/") == f"{world.queue(DR)}.replies"
    head_end.answer(asked, b"<Reply/>")
    answer = dr.inbox.next()
    assert (answer.octets, answer.place, answer.answers, answer.exchange, answer.flaw) == (b"<Reply/>", DR, "token-1", "", "")


def test_a_reply_to_another_queue_leaves_the_broker_s_word_alone_as_the_answer(world: World) -> None:
    dr, head_end = world.party(DR), world.party(HEAD_END)
    dr.say(b"<q/>", head_end.carrier.address_of(HEAD_END), exchange="token-2", about={"properties": {"reply-to": world.queue(DR)}})
    accepted, asked = dr.inbox.next(), head_end.inbox.next()
    assert (accepted.answers, accepted.octets, accepted.flaw) == ("token-2", b"", "")
    head_end.answer(asked, b"<later/>")
    later = dr.inbox.next()
    assert (later.octets, later.answers, later.about["properties"]["correlation-id"]) == (b"<later/>", "", "token-2")


def test_an_event_is_heard_and_cannot_be_answered(world: World) -> None:
    dr, head_end = world.party(DR), world.party(HEAD_END)
    head_end.say(b"<event/>", world.queue(DR), about={"properties": {"subject": "created(EndDeviceEvents)"}})
    heard = dr.inbox.next()
    assert (heard.octets, heard.exchange, heard.about["properties"]["subject"]) == (b"<event/>", "", "created(EndDeviceEvents)")
    dr.carrier.send(Parcel(b"<what/>", DR, answers="amqp:nothing:1"))
    assert "no exchange that can be answered" in dr.inbox.next().flaw
    assert head_end.inbox.parcels == []


def test_requests_in_flight_are_answered_in_any_order(world: World) -> None:
    dr, head_end = world.party(DR), world.party(HEAD_END)
    tokens = [f"token-{number}" for number in range(20)]
    for token in tokens:
        dr.say(token.encode(), world.queue(HEAD_END), exchange=token)
    asked = [head_end.inbox.next() for _ in tokens]
    assert [each.octets.decode() for each in asked] == tokens
    for each in reversed(asked):
        head_end.answer(each, each.octets.upper())
    answers = [dr.inbox.next() for _ in tokens]
    assert [(each.answers, each.octets.decode(), each.flaw) for each in answers] == [(token, token.upper(), "") for token in tokens[::-1]]


def test_what_was_delivered_is_gone_from_the_queue(world: World) -> None:
    head_end, dr = world.party(HEAD_END), world.party(DR)
    dr.say(b"1", world.queue(HEAD_END))
    assert head_end.inbox.next().octets == b"1"
    head_end.carrier.close()
    dr.say(b"2", world.queue(HEAD_END))
    assert world.party(HEAD_END).inbox.next().octets == b"2"


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_what_could_not_be_delivered_stays_in_the_queue_and_comes_again(world: World) -> None:
    def broken(parcel: Parcel) -> None:
        raise RuntimeError("no room")

    dr = world.party(DR)
    first = world.carrier(broken, HEAD_END)
    first.wait_until_connected(WITHIN)
    dr.say(b"once", world.queue(HEAD_END))
    again = world.party(HEAD_END).inbox.next()
    assert (again.octets, again.about["properties"].get("redelivered")) == (b"once", True)


def test_a_second_answer_and_one_that_nobody_asked_are_told(world: World) -> None:
    dr, head_end = world.party(DR), world.party(HEAD_END)
    dr.say(b"?", world.queue(HEAD_END), exchange="token-3")
    asked = head_end.inbox.next()
    for octets in (b"first", b"second"):
        head_end.answer(asked, octets)
    assert [(each.octets, each.answers) for each in (dr.inbox.next(), dr.inbox.next())] == [(b"first", "token-3"), (b"second", "token-3")]
    assert [each.flaw for each in dr.inbox.parcels] == ["", "an answer to the request 'token-3', which is answered already"]
    head_end.say(b"third", world.queue(DR) + ".replies", about={"properties": {"correlation-id": "token-4"}})
    head_end.say(b"fourth", world.queue(DR) + ".replies")
    assert dr.inbox.next().flaw == "an answer to 'token-4', which nobody asked"
    assert dr.inbox.next().flaw == "an answer without a correlation id"


def test_a_dropped_exchange_is_overdue_for_the_other_side_and_its_late_answer_is_told(world: World) -> None:
    dr, head_end = world.party(DR, bounds=BrokerBounds(answer_within=0.5)), world.party(HEAD_END)
    dr.say(b"?", world.queue(HEAD_END), exchange="token-5")
    asked = head_end.inbox.next()
    overdue = dr.inbox.next()
    assert (overdue.answers, overdue.octets, overdue.flaw) == ("token-5", b"", "no answer within 0.5 s")
    head_end.answer(asked, b"late")
    assert dr.inbox.next().flaw == "an answer to the request 'token-5', which is given up already"
    head_end.carrier.drop(asked.exchange)
    head_end.answer(asked, b"never")
    assert "no exchange that can be answered" in head_end.inbox.next().flaw


# -- bounds


def test_a_body_beyond_the_bound_is_cut_and_the_next_message_is_read(world: World) -> None:
    head_end, dr = world.party(HEAD_END, bounds=BrokerBounds(body=1000)), world.party(DR)
    for octets in (b"x" * 1_000_000, b"y" * 1001, b"z" * 1000):
        dr.say(octets, world.queue(HEAD_END), exchange=octets[:1].decode())
    cut, just, whole = (head_end.inbox.next() for _ in range(3))
    assert (cut.octets, cut.flaw) == (b"x" * 1000, "a body of 1000000 octets, more than the 1000 that are kept")
    assert (just.octets, just.flaw) == (b"y" * 1000, "a body of 1001 octets, more than the 1000 that are kept")
    assert (whole.octets, whole.flaw) == (b"z" * 1000, "")
    head_end.answer(cut, b"too long")
    assert dr.inbox.next().answers == "x"


def test_a_flood_arrives_in_order_and_nothing_of_it_is_lost(world: World) -> None:
    head_end, dr = world.party(HEAD_END, bounds=BrokerBounds(prefetch=4)), world.party(DR, bounds=BrokerBounds(waiting=10_000))
    flood = [str(number).encode() for number in range(1000)]
    for octets in flood:
        dr.say(octets, world.queue(HEAD_END))
    assert [head_end.inbox.next().octets for _ in flood] == flood


def test_more_queues_are_written_to_than_links_are_kept(world: World) -> None:
    dr = world.party(DR)
    queues = [world.queue(f"many-{number}") for number in range(2 * amqp_carrier.SENDERS)] * 2
    for number, queue in enumerate(queues):
        dr.say(b"!", queue, exchange=f"token-{number}", about={"properties": {"reply-to": ""}})
    back = [dr.inbox.next() for _ in queues]
    assert {(each.octets, each.flaw) for each in back} == {(b"", "")}
    assert {each.answers for each in back} == {f"token-{number}" for number in range(len(queues))}


def test_no_more_wait_than_the_bound_allows(world: World) -> None:
    world.party(HEAD_END).carrier.close()
    dr = world.party(DR, bounds=BrokerBounds(waiting=3))
    for number in range(5):
        dr.say(b"?", world.queue(HEAD_END), exchange=f"token-{number}")
    refused = [dr.inbox.next() for _ in range(2)]
    assert [each.answers for each in refused] == ["token-3", "token-4"]
    assert all("more than 3 parcels wait" in each.flaw for each in refused)


# -- clients that are not ours


def test_somebody_else_s_client_answers(world: World) -> None:
    dr = world.party(DR)
    answering = (amqp_answers if world.is_amqp else stomp_answers)(world.broker.port, world.queue(HEAD_END), 3)
    for token in ("a", "b", "c"):
        dr.say(token.encode(), world.queue(HEAD_END), exchange=token)
    answers = [dr.inbox.next() for _ in range(3)]
    assert [(each.answers, each.octets, each.flaw) for each in answers] == [("a", b"a!", ""), ("b", b"b!", ""), ("c", b"c!", "")]
    answering.join(WITHIN)
    assert not answering.is_alive()


@pytest.mark.parametrize(("identity", "correlation"), [("m-1", "c-1"), ("m-2", None), (7, None), (b"\x01\x02", None), (None, UUID(int=5))])
def test_somebody_else_s_amqp_request_is_answered_with_its_own_identifier(by_amqp: World, identity: Any, correlation: Any) -> None:
    with amqp_client(by_amqp.broker.port) as theirs:
        receiver, head_end = theirs.create_receiver(by_amqp.queue("theirs"), credit=1), by_amqp.party(HEAD_END)
        by_amqp.put(HEAD_END, b"?", id=identity, correlation_id=correlation, reply_to=by_amqp.queue("theirs"))
        head_end.answer(head_end.inbox.next(), b"yes")
        answer = receiver.receive(WITHIN)
        receiver.accept()
    repeated = bytes(answer.correlation_id) if isinstance(answer.correlation_id, memoryview) else answer.correlation_id
    assert (repeated, octets_of(answer)) == (correlation or identity, b"yes")


@pytest.mark.parametrize("correlation", ["c-1", "with\\ca colon", "\N{SNOWMAN}"])
def test_somebody_else_s_stomp_request_is_answered_with_its_own_identifier(by_stomp: World, correlation: str) -> None:
    theirs, head_end = StompClient(by_stomp.broker.port), by_stomp.party(HEAD_END)
    theirs.ask(f"SUBSCRIBE\nid:1\nreceipt:s\ndestination:/queue/{by_stomp.queue('theirs')}\n\n\0".encode())
    by_stomp.put(HEAD_END, b"?", **{"reply-to": f"/queue/{by_stomp.queue('theirs')}", "correlation-id": correlation})
    head_end.answer(head_end.inbox.next(), b"yes")
    said = theirs.hear()
    theirs.close()
    assert (f"correlation-id:{correlation}\n".encode() in said, said.endswith(b"\n\nyes")) == (True, True), said


@pytest.mark.parametrize(("body", "octets", "flaw"), [
    ("<text/> \u20ac", "<text/> \u20ac".encode(), ""), (b"", b"", ""), (None, b"", ""),
    ({"verb": "create"}, None, "a body that is an AMQP dict, not octets"), (12, None, "a body that is an AMQP int, not octets"),
])
def test_amqp_bodies_that_are_not_octets_are_delivered_or_told(by_amqp: World, body: Any, octets: bytes | None, flaw: str) -> None:
    head_end = by_amqp.party(HEAD_END)
    by_amqp.put(HEAD_END, body)
    heard = head_end.inbox.next()
    assert heard.flaw == flaw
    assert heard.octets == octets if octets is not None else len(heard.octets) > 0


def test_a_stomp_body_without_a_length_ends_at_its_nul(by_stomp: World) -> None:
    head_end = by_stomp.party(HEAD_END)
    by_stomp.put(HEAD_END, b"<no-length/>\n\n<body/>")
    heard = head_end.inbox.next()
    assert (heard.octets, heard.flaw) == (b"<no-length/>\n\n<body/>", "")
