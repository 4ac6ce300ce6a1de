"""What the carriers make of brokers that refuse, die, fall silent or are none, and of libraries that are not installed."""

from __future__ import annotations

import logging
import re
import socket
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from harness.backhaul import amqp_carrier, stomp_carrier
from harness.backhaul.authentication import Credentials
from harness.backhaul.broker_dialect import Broker, BrokerBounds
from harness.backhaul.carrier import Parcel
from harness.backhaul.tls import Tls
from harness.clock import wall_seconds
from harness.errors import BenchError
from harness.tests.broker_peers import odd_server
from harness.tests.broker_world import DR, HEAD_END, MESSAGE, WHO, Make, World
from harness.tests.inbox import WITHIN, Inbox
from harness.tests.peers.rabbitmq import USER, Node, RabbitMq, free_ports, missing

pytest_plugins = ("harness.tests.broker_fixtures",)

LONGEST_CLOSE = 1.0  # seconds


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
    carrier.send(Parcel(b"?", HEAD_END, "queue", exchange="c"))
    assert "cannot be reached" in inbox.next().flaw


def test_nobody_can_ask_in_the_name_of_a_place_that_does_not_listen(world: World) -> None:
    dr = world.party(DR)
    dr.carrier.send(Parcel(b"?", HEAD_END, world.queue(DR), exchange="token-16"))
    assert dr.inbox.next().flaw == f"nobody listens for answers to {HEAD_END!r}"


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


def test_the_same_under_tls_with_a_certificate_of_ours(world: World, node: Node) -> None:
    port = node.ports[world.protocol.split()[0] + "s"]
    dr, head_end = (world.party(place, port=port, tls=node.client) for place in (DR, HEAD_END))
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
    carrier = world.carrier(inbox, DR, port=port, tls=Tls())
    carrier.send(Parcel(b"?", DR, "queue", exchange="token-15"))
    assert "certificate not accepted: " in inbox.next().flaw


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
