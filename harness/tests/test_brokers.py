"""The carriers to a queue broker, against a RabbitMQ that the session starts, and against clients that nobody of us wrote."""

from __future__ import annotations

import logging
import re
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from itertools import count
from pathlib import Path
from typing import Any
from uuid import UUID

import proton
import pytest

from harness.backhaul import amqp_carrier, stomp_carrier
from harness.backhaul.broker_carrier import BrokerCarrier
from harness.backhaul.broker_dialect import Broker, BrokerBounds, Credentials
from harness.backhaul.carrier import Deliver, Parcel
from harness.clock import wall_seconds
from harness.errors import BenchError
from harness.tests.broker_peers import WITHIN, Inbox, StompClient, amqp_answers, amqp_client, octets_of, odd_server, stomp_answers
from harness.tests.peers.rabbitmq import PASSWORD, USER, Node, RabbitMq, free_ports, missing, shared

DR, HEAD_END = "dr-application", "ami-head-end"
WHO = Credentials(USER, PASSWORD)
LONGEST_CLOSE = 1.0  # seconds

Make = Callable[..., BrokerCarrier]
PROTOCOLS: dict[str, Make] = {
    "amqp": amqp_carrier.amqp_carrier,
    "stomp": stomp_carrier.stomp_carrier,
    "stomp 1.1": lambda *args, **kwargs: stomp_carrier.stomp_carrier(*args, **kwargs, version="1.1"),
}
MESSAGE = b"<EndDeviceControls/>\0\xff"


@dataclass(frozen=True)
class Party:
    """A carrier for one place, and what it delivered."""

    place: str
    carrier: BrokerCarrier
    inbox: Inbox

    def say(self, octets: bytes, to: str, **more: Any) -> None:
        self.carrier.send(Parcel(octets, self.place, to, **more))

    def answer(self, parcel: Parcel, octets: bytes) -> None:
        self.carrier.send(Parcel(octets, self.place, answers=parcel.exchange))


class World:
    """Parties at one broker by one protocol, under a prefix that no other test has."""

    def __init__(self, protocol: str, broker: Broker) -> None:
        self.protocol, self.broker = protocol, broker
        self.carriers: list[BrokerCarrier] = []

    def carrier(self, deliver: Deliver, *places: str, bounds: BrokerBounds | None = None, **at: Any) -> BrokerCarrier:
        made = PROTOCOLS[self.protocol](deliver, places, replace(self.broker, **at), bounds)
        self.carriers.append(made)
        return made

    def party(self, place: str, **more: Any) -> Party:
        inbox = Inbox()
        carrier = self.carrier(inbox, place, **more)
        carrier.wait_until_connected(WITHIN)
        return Party(place, carrier, inbox)

    def queue(self, place: str) -> str:
        return self.broker.prefix + place

    @property
    def is_amqp(self) -> bool:
        return self.protocol == "amqp"

    def put(self, place: str, body: Any, **properties: Any) -> None:
        """Leave a message at a place's queue, by somebody else's client."""
        if self.is_amqp:
            with amqp_client(self.broker.port) as client:
                client.create_sender(self.queue(place)).send(proton.Message(body=body, **properties))
        else:
            theirs = StompClient(self.broker.port)
            headers = "".join(f"{name}:{value}\n" for name, value in properties.items())
            said = theirs.ask(f"SEND\ndestination:/queue/{self.queue(place)}\nreceipt:r\n{headers}\n".encode() + body + b"\0")
            assert said.startswith(b"RECEIPT"), said
            theirs.close()


@pytest.fixture(scope="session")
def node(tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> Iterator[Node]:
    """One RabbitMQ, which all workers of a run share."""
    if why := missing():
        pytest.skip(why)
    run = tmp_path_factory.getbasetemp() if worker_id == "master" else tmp_path_factory.getbasetemp().parent
    with shared(run / "rabbitmq") as running:
        yield running


_numbers = count()


def _world(protocol: str, broker: Broker) -> Iterator[World]:
    made = World(protocol, broker)
    yield made
    for carrier in made.carriers:
        carrier.close()


@pytest.fixture
def broker(node: Node, worker_id: str) -> Broker:
    """Without a port, and with a prefix that no other test has."""
    return Broker(credentials=WHO, prefix=f"{worker_id}.{next(_numbers)}.")


@pytest.fixture(params=list(PROTOCOLS))
def world(request: pytest.FixtureRequest, node: Node, broker: Broker) -> Iterator[World]:
    yield from _world(request.param, replace(broker, port=node.ports[request.param.split()[0]]))


@pytest.fixture
def by_amqp(node: Node, broker: Broker) -> Iterator[World]:
    yield from _world("amqp", replace(broker, port=node.ports["amqp"]))


@pytest.fixture
def by_stomp(node: Node, broker: Broker) -> Iterator[World]:
    yield from _world("stomp", replace(broker, port=node.ports["stomp"]))


@pytest.fixture(params=list(PROTOCOLS)[:2])
def alone(request: pytest.FixtureRequest) -> Iterator[World]:
    """Without a broker."""
    yield from _world(request.param, Broker(credentials=WHO))


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


def test_no_more_wait_than_the_bound_allows(world: World) -> None:
    world.party(HEAD_END).carrier.close()
    dr = world.party(DR, bounds=BrokerBounds(waiting=3))
    for number in range(5):
        dr.say(b"?", world.queue(HEAD_END), exchange=f"token-{number}")
    refused = [dr.inbox.next() for _ in range(2)]
    assert [each.answers for each in refused] == ["token-3", "token-4"]
    assert all("more than 3 parcels wait" in each.flaw for each in refused)


# -- what goes wrong


def test_an_address_that_the_broker_does_not_know_is_told_and_nothing_else_suffers(world: World) -> None:
    dr, head_end = world.party(DR), world.party(HEAD_END)
    dr.say(b"?", "/exchange/no-such/queue", exchange="token-6")
    told = dr.inbox.next()
    assert told.answers == "token-6"
    assert re.search("not.found: .*no exchange 'no-such'", told.flaw), told.flaw
    dr.carrier.wait_until_connected(WITHIN)
    dr.say(b"on", world.queue(HEAD_END))
    assert head_end.inbox.next().octets == b"on"


@pytest.mark.parametrize("address", ["", "ftp://127.0.0.1/queue", "amqp://127.0.0.1:1/queue", "stomp://[/queue", "https://127.0.0.1:x/q"])
def test_an_address_that_is_no_queue_of_this_broker_is_told(world: World, address: str) -> None:
    dr = world.party(DR)
    dr.say(b"?", address, exchange="token-7")
    assert dr.inbox.next().flaw


def test_a_refused_login_is_told_at_once_and_for_good(world: World, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    inbox, wrong = Inbox(), Credentials(USER, "not-the-password")
    carrier = world.carrier(inbox, DR, credentials=wrong)
    for _ in range(2):
        carrier.send(Parcel(b"?", DR, world.queue(HEAD_END), exchange="token-8"))
        told = inbox.next()
        assert told.answers == "token-8"
        assert re.search("unauthorized|refused", told.flaw), told.flaw
    with pytest.raises(BenchError, match=r"unauthorized|refused"):
        carrier.wait_until_connected(WITHIN)
    assert wrong.password not in f"{wrong!r}{world.broker!r}{inbox.parcels}{caplog.text}"


def test_where_nobody_listens_every_parcel_comes_back(alone: World) -> None:
    inbox, (port,) = Inbox(), free_ports(1)
    carrier = alone.carrier(inbox, DR, port=port)
    for token in ("a", "b"):
        carrier.send(Parcel(b"?", DR, "queue", exchange=token))
        told = inbox.next()
        assert told.answers == token
        assert f"127.0.0.1:{port} cannot be reached" in told.flaw
    with pytest.raises(BenchError, match="cannot be reached"):
        carrier.wait_until_connected(0.1)


def _half_a_frame(sock: socket.socket) -> None:
    sock.sendall(b"CONNECTED\nver")
    sock.shutdown(socket.SHUT_WR)


ODD: dict[str, tuple[Callable[[socket.socket], None], str]] = {
    "silent": (lambda sock: None, "no connection within 0.3 s"),
    "closes": (lambda sock: sock.close(), "closed the connection|broke"),
    "another protocol": (lambda sock: sock.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n\0"), "no STOMP|framing|header|broke"),
    "half a frame": (_half_a_frame, "closed|framing|broke"),
    "no end": (lambda sock: sock.sendall(b"CONNECTED\n" + b"x" * 70_000), "no STOMP|framing|header|broke"),
}


@pytest.mark.parametrize("oddity", ODD)
def test_what_is_no_broker_is_named_and_nothing_hangs(alone: World, oddity: str) -> None:
    behave, named = ODD[oddity]
    inbox = Inbox()
    with odd_server(behave) as port:
        carrier = alone.carrier(inbox, DR, port=port, bounds=BrokerBounds(connect_within=0.3))
        carrier.send(Parcel(b"?", DR, "queue", exchange="token-9"))
        told = inbox.next()
        carrier.close()
    assert told.answers == "token-9"
    assert re.search(named, told.flaw), told.flaw


@pytest.mark.skipif(bool(missing()), reason=missing() or "-")
def test_a_broker_that_dies_gives_everything_back_and_is_found_again(tmp_path: Path) -> None:
    broker = RabbitMq(tmp_path / "rabbitmq", dict(zip(("amqp", "stomp"), free_ports(2), strict=True)))
    worlds = [World(name, Broker(port=broker.ports[name], credentials=WHO, prefix=f"{name}.")) for name in broker.ports]
    try:
        broker.start()
        parties = [(world.party(DR), world.party(HEAD_END)) for world in worlds]
        for dr, head_end in parties:
            dr.say(b"?", head_end.carrier.address_of(HEAD_END), exchange="token-10")
            assert head_end.inbox.next().octets == b"?"
        broker.kill()
        for dr, _ in parties:
            lost = dr.inbox.next()
            assert (lost.answers, bool(lost.flaw)) == ("token-10", True)
        broker.start()
        for dr, head_end in parties:
            for party in (dr, head_end):
                party.carrier.wait_until_connected(WITHIN)
            dr.say(b"again", head_end.carrier.address_of(HEAD_END), exchange="token-11")
            asked = head_end.inbox.next()
            if asked.octets == b"?":  # the broker died before it had noted that we had it
                assert asked.about["properties"]["redelivered"] is True
                asked = head_end.inbox.next()
            head_end.answer(asked, b"yes")
            answer = dr.inbox.next()
            assert (answer.octets, answer.answers, answer.flaw) == (b"yes", "token-11", "")
    finally:
        for world in worlds:
            for carrier in world.carriers:
                carrier.close()
        broker.kill()


def test_closing_is_quick_leaves_no_thread_and_tells_who_waits(world: World) -> None:
    before = set(threading.enumerate())
    dr = world.party(DR)
    dr.say(b"?", world.queue(HEAD_END), exchange="token-12")
    began = wall_seconds()
    dr.carrier.close()
    dr.carrier.close()
    assert wall_seconds() - began < LONGEST_CLOSE
    assert set(threading.enumerate()) <= before
    dr.say(b"?", world.queue(HEAD_END), exchange="token-13")
    assert [(each.answers, each.flaw) for each in dr.inbox.parcels] == [
        ("token-12", "the carrier was closed"), ("token-13", "the carrier is closed"),
    ]


def test_closing_from_within_a_delivery_ends_the_carrier(world: World) -> None:
    closed = threading.Event()

    def close(parcel: Parcel) -> None:
        carrier.close()
        closed.set()

    carrier = world.carrier(close, HEAD_END)
    carrier.wait_until_connected(WITHIN)
    world.party(DR).say(b"!", world.queue(HEAD_END))
    assert closed.wait(WITHIN)
    carrier.close()


# -- TLS


@pytest.fixture
def trusting(node: Node) -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=str(node.trust))
    context.load_cert_chain(node.client.certificate, node.client.key)
    return context


def test_the_same_under_tls_with_a_certificate_of_ours(world: World, node: Node, trusting: ssl.SSLContext) -> None:
    port = node.ports[world.protocol.split()[0] + "s"]
    dr, head_end = (world.party(place, port=port, tls=trusting) for place in (DR, HEAD_END))
    address = head_end.carrier.address_of(HEAD_END)
    assert address.startswith(("amqps://", "stomps://"))
    dr.say(MESSAGE * 10_000, address, exchange="token-14")
    asked = head_end.inbox.next()
    assert asked.octets == MESSAGE * 10_000
    head_end.answer(asked, b"sealed")
    assert (dr.inbox.next().octets, dr.inbox.parcels[0].answers) == (b"sealed", "token-14")


def test_a_broker_whose_certificate_nobody_vouches_for_is_not_spoken_to(world: World, node: Node) -> None:
    inbox = Inbox()
    port = node.ports[world.protocol.split()[0] + "s"]
    carrier = world.carrier(inbox, DR, port=port, tls=ssl.create_default_context())
    carrier.send(Parcel(b"?", DR, "queue", exchange="token-15"))
    assert "CERTIFICATE_VERIFY_FAILED" in inbox.next().flaw


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


# -- what is not there


@pytest.mark.parametrize(("module", "library", "make"), [
    (amqp_carrier, "proton", amqp_carrier.amqp_carrier), (stomp_carrier, "stomp", stomp_carrier.stomp_carrier),
])
def test_a_library_that_is_not_installed_is_one_line(monkeypatch: pytest.MonkeyPatch, module: Any, library: str, make: Make) -> None:
    monkeypatch.setattr(module, library, None)
    with pytest.raises(BenchError, match=r"not installed: pip install 'hanproof\[brokers\]'$"):
        make(Inbox(), [DR], Broker())


def test_a_version_of_stomp_that_does_not_exist_is_one_line() -> None:
    with pytest.raises(BenchError, match=r"'2\.0': one of 1\.2, 1\.1 is needed"):
        stomp_carrier.stomp_carrier(Inbox(), [DR], Broker(), version="2.0")
