"""Legs over TCP and UDP, against raw sockets: what comes in whole, what comes in wrong, and a leg exchange between two carriers."""

from __future__ import annotations

import random
import socket
import struct
import sys
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace
from typing import Any

import pytest

from harness.actors.setup import Setup
from harness.adapters.virtual_nic import VirtualNic
from harness.backhaul.carrier import Parcel
from harness.backhaul.leg_bounds import LegBounds
from harness.backhaul.leg_carrier import LegCarrier
from harness.backhaul.leg_framing import framed
from harness.backhaul.message import LegKind, LegMessage, LegState
from harness.backhaul.named_codec import NamedCodec, load_codec
from harness.backhaul.wires import LEG
from harness.errors import BenchError
from harness.ports import Message
from harness.tests.back_office import EPOCH, ORDER
from harness.tests.inbox import Inbox
from harness.tests.small_run import ROOT
from harness.usecase import Actor

sys.path.append(str(ROOT / "docs" / "examples"))
ACME = load_codec("acme_legs:AcmeLegCodec")
NIC, NETWORK, ESI = Actor.NIC.value, Actor.AMI_NETWORK.value, Actor.ESI.value
LIMIT = 10.0  # seconds that a test waits for what must come
COMMAND = LegMessage(
    LegKind.OPEN_WINDOW, 7, ORDER.meter, ORDER.device, ORDER.device_type, ORDER.key_form, ORDER.key_material,
    EPOCH.replace(hour=13), 3600.0,
)


@pytest.fixture
def inbox() -> Inbox:
    return Inbox()


Opened = Callable[..., LegCarrier]


@pytest.fixture
def opened(inbox: Inbox) -> Iterator[Opened]:
    """Opens carriers whose parcels go into the inbox; they are closed at the end."""
    carriers: list[LegCarrier] = []

    def make(
        carriage: str = "tcp", deliver: Any = None, places: tuple[str, ...] = (NIC,), host: str = "127.0.0.1", **more: Any,
    ) -> LegCarrier:
        carriers.append(LegCarrier(deliver or inbox, carriage, dict.fromkeys(places, (host, 0)), **more))
        return carriers[-1]

    yield make
    for carrier in carriers:
        carrier.close()


def ends(address: str) -> tuple[str, int]:
    host, _, port = address.rpartition(":")
    return host.strip("[]"), int(port)


def connected(carrier: LegCarrier, place: str = NIC) -> socket.socket:
    return socket.create_connection(ends(carrier.address_of(place)), LIMIT)


def received(peer: socket.socket, count: int) -> bytes:
    came = b""
    while len(came) < count and (more := peer.recv(count - len(came))):
        came += more
    return came


def listening() -> tuple[socket.socket, str]:
    own = socket.create_server(("127.0.0.1", 0))
    own.settimeout(LIMIT)
    return own, f"127.0.0.1:{own.getsockname()[1]}"


# -- TCP


def test_messages_are_taken_apart_and_answered_on_their_connection(inbox: Inbox, opened: Opened) -> None:
    carrier = opened()
    with closing(connected(carrier)) as peer:
        stream = framed(b"first", None) + framed(b"second", None)
        for octets in (stream[:2], stream[2:11], stream[11:]):
            peer.sendall(octets)
        first, second = inbox.wait(2)
        assert [each.octets for each in (first, second)] == [b"first", b"second"]
        assert {(each.place, each.flaw) for each in (first, second)} == {(NIC, "")}
        assert first.address == "{}:{}".format(*peer.getsockname())
        carrier.send(Parcel(b"answer", NIC, exchange="mine", answers=first.exchange))
        assert received(peer, 10) == b"\x00\x00\x00\x06answer"
        told = inbox.wait(3)[2]
        assert (told.octets, told.answers, told.flaw) == (b"", "mine", "")
        carrier.drop(first.exchange)
        assert received(peer, 1) == b""


def test_a_codec_that_frames_itself_is_taken_at_its_word(inbox: Inbox, opened: Opened) -> None:
    octets = ACME.encode(COMMAND)
    with closing(connected(opened(length=ACME.length))) as peer:
        peer.sendall(octets + octets[:100])
        peer.sendall(octets[100:])
        assert [ACME.decode(each.octets) for each in inbox.wait(2)] == [COMMAND, COMMAND]


class Eccentric:
    """A codec whose framing is wrong in each way."""

    def __init__(self, length: Callable[[bytes], Any]) -> None:
        self.length = length

    encode: Any = len
    decode: Any = len


@pytest.mark.parametrize(("length", "sent", "came", "said"), [
    (None, b"GET / HTTP/1.1\r\n\r\n", b"GET / HTTP/1.1\r\n\r\n", "announces a message of 1195725856 octets; at most 1000 are taken"),
    (None, framed(bytes(1001), None)[:9], framed(bytes(1001), None)[:9], "announces a message of 1001 octets"),
    (ACME.length, b"\x16\x03\x01\x02", b"\x16\x03\x01\x02", "begins no message: ACME message: begins with 16030102, not ac3e00a0"),
    (lambda octets: 0, b"x", b"x", "begins no message: its codec gives it 0 octets"),
    (lambda octets: "x", b"x", b"x", "begins no message: leg codec odd:Odd: length gave a str"),
    (lambda octets: octets[7], b"x", b"x", "begins no message: leg codec odd:Odd: length raised IndexError"),
    (lambda octets: None, bytes(1001), bytes(1001), "no message ends within 1000 octets"),
])
def test_what_cannot_be_taken_apart_is_delivered_and_ends_the_connection(
    inbox: Inbox, opened: Opened, length: Any, sent: bytes, came: bytes, said: str,
) -> None:
    own = None if length is None else NamedCodec("odd:Odd", Eccentric(length)).length
    with closing(connected(opened(length=own, bounds=LegBounds(largest=1000)))) as peer:
        peer.sendall(sent)
        (parcel,) = inbox.wait(1)
        assert parcel.octets == came
        assert said in parcel.flaw
        assert received(peer, 1) == b""


def test_an_empty_message_is_a_flaw_and_no_end(inbox: Inbox, opened: Opened) -> None:
    with closing(connected(opened())) as peer:
        peer.sendall(framed(b"", None) + framed(b"x", None))
        assert [(each.octets, each.flaw) for each in inbox.wait(2)] == [(b"", "an empty message"), (b"x", "")]


def test_half_a_message_is_delivered_with_what_became_of_the_rest(inbox: Inbox, opened: Opened) -> None:
    carrier = opened(bounds=LegBounds(whole=0.05))
    with closing(connected(carrier)) as silent:
        silent.sendall(b"\x00\x00\x00\x09half")
        assert [(each.octets[4:], each.flaw) for each in inbox.wait(1)] == [
            (b"half", "half a message: the rest did not come within 0.05 s"),
        ]
        assert received(silent, 1) == b""
    with closing(connected(carrier)) as leaving:
        leaving.sendall(b"\x00\x00\x00\x09half")
    assert inbox.wait(2)[1].flaw == "half a message: the connection was closed"
    resetting = connected(carrier)
    resetting.sendall(b"\x00\x00")
    resetting.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    resetting.close()
    assert inbox.wait(3)[2].flaw.startswith("half a message: the connection ")


def test_a_peer_that_drips_is_not_waited_for_longer_than_one_that_stops(inbox: Inbox, opened: Opened) -> None:
    with closing(connected(opened(bounds=LegBounds(whole=0.2)))) as peer:
        peer.sendall(b"\x00\x00\x40\x00")
        peer.settimeout(0.02)
        sent = 0
        while not inbox.parcels and sent < 1000:
            peer.sendall(b"x")
            sent += 1
            try:
                peer.recv(1)
            except TimeoutError:
                continue
            except ConnectionError:
                break
        (parcel,) = inbox.wait(1)
        assert "did not come within 0.2 s" in parcel.flaw
        assert sent < 100


def test_a_flood_arrives_whole(inbox: Inbox, opened: Opened) -> None:
    with closing(connected(opened(bounds=LegBounds(a_second=100_000)))) as peer:
        peer.sendall(b"".join(framed(number.to_bytes(2, "big"), None) for number in range(5000)))
        assert [int.from_bytes(each.octets, "big") for each in inbox.wait(5000)] == list(range(5000))


def test_what_is_more_than_a_second_holds_waits_at_the_peer(inbox: Inbox, opened: Opened) -> None:
    with closing(connected(opened(bounds=LegBounds(a_second=10)))) as peer:
        peer.sendall(framed(b"x", None) * 25)
        assert len(inbox.wait(10)) <= 20
        assert len(inbox.wait(25)) == 25


def test_connections_beyond_the_bound_are_refused_and_told_once(inbox: Inbox, opened: Opened) -> None:
    carrier = opened(bounds=LegBounds(connections=2))
    with closing(connected(carrier)) as one, closing(connected(carrier)) as two:
        for peer in (one, two):
            peer.sendall(framed(b"here", None))
        inbox.wait(2)
        for _ in range(3):
            with closing(connected(carrier)) as more, pytest.raises(ConnectionError):
                raise ConnectionResetError if received(more, 1) == b"" else AssertionError
        assert inbox.wait(3)[2].flaw == "more than 2 connections at a time: further ones are refused"
        one.sendall(framed(b"still here", None))
        assert inbox.wait(4)[3].octets == b"still here"
        assert carrier.refused == 3


def test_a_connection_is_kept_and_made_anew_when_it_is_gone(inbox: Inbox, opened: Opened) -> None:
    carrier = opened()
    server, address = listening()
    with closing(server):
        for number in (1, 2):
            carrier.send(Parcel(b"first", NIC, address, exchange=f"a{number}"))
            carrier.send(Parcel(b"second", NIC, address))
            peer, _ = server.accept()
            with closing(peer):
                peer.settimeout(LIMIT)
                assert received(peer, 19) == framed(b"first", None) + framed(b"second", None)
                peer.sendall(framed(b"back", None))
                peer.shutdown(socket.SHUT_WR)
                assert received(peer, 1) == b""  # the carrier has seen it
    assert [(each.octets, each.answers) for each in inbox.wait(4)] == [(b"", "a1"), (b"back", ""), (b"", "a2"), (b"back", "")]


def test_a_peer_that_is_not_there_is_told_after_some_tries_and_found_when_it_comes(inbox: Inbox, opened: Opened) -> None:
    carrier = opened(bounds=LegBounds(tries=2, pause=0.01))
    server, address = listening()
    server.close()
    carrier.send(Parcel(b"nobody", NIC, address, exchange="n"))
    (told,) = inbox.wait(1)
    assert (told.octets, told.answers, told.address) == (b"", "n", address)
    assert told.flaw.startswith(f"{address}: ")
    with closing(socket.create_server(ends(address))) as server:
        server.settimeout(LIMIT)
        carrier.send(Parcel(b"hello", NIC, address))
        peer, _ = server.accept()
        with closing(peer):
            assert received(peer, 9) == framed(b"hello", None)


@pytest.mark.parametrize("address", ["", "host", "host:port", "127.0.0.1:99999", "no.such.host.invalid:1", "a..b:1"])
def test_an_address_that_is_none_is_a_flaw(inbox: Inbox, opened: Opened, address: str) -> None:
    for carriage in ("tcp", "udp"):
        opened(carriage, bounds=LegBounds(tries=1, connecting=1.0, writing=1.0)).send(Parcel(b"x", NIC, address))
    assert all(each.flaw for each in inbox.wait(2))


def test_a_peer_that_never_reads_is_given_up(inbox: Inbox, opened: Opened) -> None:
    carrier = opened(bounds=LegBounds(writing=0.1, tries=1, waiting=2, largest=1 << 24))
    server, address = listening()
    with closing(server):
        for number in range(5):
            carrier.send(Parcel(bytes(1 << 24), NIC, address, exchange=str(number)))
        told = {each.answers: each.flaw for each in inbox.wait(5)}
    assert sum("2 messages wait" in flaw for flaw in told.values()) >= 1
    assert sum("took too long" in flaw for flaw in told.values()) >= 2
    assert all(told.values())


def test_an_answer_to_a_connection_that_is_gone_is_told(inbox: Inbox, opened: Opened) -> None:
    carrier = opened()
    carrier.send(Parcel(b"x", NIC, exchange="mine", answers="tcp/99"))
    (told,) = inbox.wait(1)
    assert (told.answers, told.flaw) == ("mine", "the connection that this answers is gone")


@pytest.mark.parametrize("carriage", ["tcp", "udp"])
def test_a_closed_carrier_says_so_and_lets_go_of_its_port(inbox: Inbox, opened: Opened, carriage: str) -> None:
    carrier = opened(carriage)
    address = ends(carrier.address_of(NIC))
    carrier.close()
    carrier.close()
    carrier.send(Parcel(b"x", NIC, "127.0.0.1:9", exchange="late"))
    (told,) = inbox.wait(1)
    assert (told.answers, told.flaw) == ("late", "the carrier is closed")
    again = LegCarrier(inbox, carriage, {NIC: address})
    with closing(again), pytest.raises(BenchError, match=r"127\.0\.0\.1:\d+ cannot be listened on: address already in use"):
        LegCarrier(inbox, carriage, {NIC: ends(again.address_of(NIC))})


def test_what_a_carrier_cannot_do_is_the_laboratorys_fault(inbox: Inbox, opened: Opened) -> None:
    with pytest.raises(BenchError, match="nothing carries them over 'pigeon'"):
        LegCarrier(inbox, "pigeon", {})
    with pytest.raises(BenchError, match="ESI has no end here"):
        opened().address_of(ESI)


def test_our_own_mistake_is_no_silent_peer(opened: Opened) -> None:
    kept = Inbox()

    def deliver(parcel: Parcel) -> None:
        if parcel.octets:
            raise ZeroDivisionError("bug")
        kept(parcel)

    with closing(connected(opened(deliver=deliver))) as peer:
        peer.sendall(framed(b"x", None))
        assert [each.flaw for each in kept.wait(1)] == ["the carrier broke down: ZeroDivisionError: bug"]


# -- UDP


def test_datagrams_come_as_often_as_they_are_sent_and_are_answered(inbox: Inbox, opened: Opened) -> None:
    carrier = opened("udp", bounds=LegBounds(largest=200))
    with closing(socket.socket(socket.AF_INET, socket.SOCK_DGRAM)) as peer:
        peer.settimeout(LIMIT)
        peer.connect(ends(carrier.address_of(NIC)))
        for octets in (b"twice", b"twice", b"", bytes(201)):
            peer.send(octets)
        came = inbox.wait(4)
        assert [(each.octets, each.flaw) for each in came] == [
            (b"twice", ""), (b"twice", ""), (b"", "an empty datagram"),
            (bytes(201), "a datagram of 201 octets; at most 200 are taken"),
        ]
        carrier.send(Parcel(b"answer", NIC, answers=came[0].exchange))
        carrier.send(Parcel(b"of its own", NIC, "{}:{}".format(*peer.getsockname()), exchange="t"))
        assert [peer.recv(100), peer.recv(100)] == [b"answer", b"of its own"]
        assert inbox.wait(5)[4].answers == "t"


@pytest.mark.parametrize(("parcel", "said"), [
    (Parcel(bytes(201), NIC, "127.0.0.1:9"), "201 octets; a datagram has 1 to 200"),
    (Parcel(b"", NIC, "127.0.0.1:9"), "0 octets; a datagram has 1 to 200"), (Parcel(b"x", ESI, "127.0.0.1:9"), "ESI has no end here"),
])
def test_what_no_datagram_holds_is_told(inbox: Inbox, opened: Opened, parcel: Parcel, said: str) -> None:
    opened("udp", bounds=LegBounds(largest=200)).send(parcel)
    assert inbox.wait(1)[0].flaw == said


@pytest.mark.parametrize("carriage", ["tcp", "udp"])
def test_both_speak_ipv6(inbox: Inbox, opened: Opened, carriage: str) -> None:
    carrier = opened(carriage, host="::1", places=(NIC, ESI))
    assert carrier.address_of(NIC).startswith("[::1]:")
    carrier.send(Parcel(b"here", NIC, carrier.address_of(ESI)))
    assert [(each.octets, each.place) for each in inbox.wait(1)] == [(b"here", ESI)]


# -- a whole leg exchange


class MeterSide:
    """The NIC in a process of its own, as it were: a virtual one behind its carrier; who sent what it tells by its direction."""

    def __init__(self, carriage: str) -> None:
        self.nic = VirtualNic(Setup(Actor.NIC, (ORDER,), EPOCH, random.Random(27), options={"codec": ACME}))
        self.peers: dict[str, str] = {}
        self.carrier = LegCarrier(self.deliver, carriage, {NIC: ("127.0.0.1", 0)}, length=ACME.length)

    def deliver(self, parcel: Parcel) -> None:
        producer = NETWORK if ACME.decode(parcel.octets).goes_down else ESI
        self.nic.receive(Message(LEG, producer, NIC, parcel.octets), 1.0)
        for message in self.nic.transmit(1.0):
            assert isinstance(message, Message)
            self.carrier.send(Parcel(message.octets, NIC, self.peers[message.receiver]))


@pytest.mark.parametrize("carriage", ["tcp", "udp"])
def test_an_order_goes_down_and_its_report_comes_back(inbox: Inbox, opened: Opened, carriage: str) -> None:
    ours = opened(carriage, places=(NETWORK, ESI), length=ACME.length)
    meter = MeterSide(carriage)
    with closing(meter.carrier):
        meter.peers = {place: ours.address_of(place) for place in (NETWORK, ESI)}
        ours.send(Parcel(ACME.encode(COMMAND), NETWORK, meter.carrier.address_of(NIC)))
        (at_esi,) = inbox.wait(1)
        order = ACME.decode(at_esi.octets)
        assert (at_esi.place, order) == (ESI, replace(COMMAND, window_left=3599.0))
        for _ in range(2):  # a report that comes twice goes on once
            ours.send(Parcel(ACME.encode(order.provisioned(EPOCH)), ESI, meter.carrier.address_of(NIC)))
        ours.send(Parcel(ACME.encode(order.failed(EPOCH, "key_establishment")), ESI, meter.carrier.address_of(NIC)))
        reports = [(each.place, ACME.decode(each.octets)) for each in inbox.wait(3)[1:]]
    assert [(place, report.state, report.device, report.sequence) for place, report in reports] == [
        (NETWORK, LegState.PROVISIONED, ORDER.device, 7), (NETWORK, LegState.FAILED, ORDER.device, 7),
    ]
