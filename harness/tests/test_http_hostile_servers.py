"""Peers that are called and answer wrong, late or never: what came is delivered, within bounds on time and memory."""

from __future__ import annotations

import socket
import tracemalloc
from collections.abc import Callable
from dataclasses import replace

import pytest

from harness.backhaul.carrier import Parcel
from harness.backhaul.http_bounds import DEFAULT_BOUNDS
from harness.tests.http_peers import all_of, at_most, carrier, scripted, whole_request
from harness.tests.inbox import WITHIN

MIB = 1 << 20
TIGHT = replace(DEFAULT_BOUNDS, body=1000, head=2000, ahead=5000)
SOON = replace(TIGHT, connect=0.5, answer=0.5)
Script = Callable[[socket.socket], None]


def says(*answer: bytes, closes: bool = True) -> Script:
    """A server that reads the request and says this, whatever it is; if it does not close, it waits until the other side does."""
    def script(peer: socket.socket) -> None:
        whole_request(peer)
        for piece in answer:
            peer.sendall(piece)
        if not closes:
            all_of(peer)

    return script


def listens(peer: socket.socket) -> None:
    """A server that says nothing until the other side has enough."""
    all_of(peer)


OK = b"HTTP/1.1 200 OK\r\n"
WHOLE = OK + b"Content-Length: 4\r\n\r\n<b/>"


@pytest.mark.parametrize(("script", "octets", "flaw"), [
    (says(), b"", "the peer closed too early: nothing came"),
    (says(closes=False), b"", "not complete after 0.5 s: nothing came"),
    (says(OK + b"Content-Length: 9\r\n\r\n<b"), b"<b", "the peer closed too early: 2 octets of the body came of 9 announced"),
    (says(OK + b"Content-Length: 9\r\n\r\n<b", closes=False), b"<b", "not complete after 0.5 s: 2 octets of the body came of 9 announced"),
    (says(OK + b"Transfer-Encoding: chunked\r\n\r\n2\r\n<b\r\nq\r\n"), b"2\r\n<b\r\nq", "the body is not as its head says (illegal"),
    (says(b"hello\r\n\r\n"), b"hello\r\n\r\n", "this is not HTTP/1.1 (illegal status line): 9 octets came, not a whole head"),
    (says(OK + b"X: " + b"x" * 3000 + b"\r\n\r\n"), OK + b"X: xx", "a head of 3024 octets, longer than 2000"),
    (says(OK + b"Content-Length: 1001\r\n\r\n" + b"x" * 1001), b"x" * 1000,
     "the body is longer than 1000 octets: 1001 octets announced, 1000 kept, no more read"),
    (says(*[b"HTTP/1.1 100 Continue\r\n\r\n"] * 50, closes=False), b"", "not complete after 0.5 s: nothing came"),
    (says(b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: h2c\r\nConnection: upgrade\r\n\r\n"), b"", "this is not HTTP/1.1"),
])
def test_an_answer_that_is_none_is_delivered_as_far_as_it_came(script: Script, octets: bytes, flaw: str) -> None:
    with carrier(bounds=SOON if "0.5 s" in flaw else TIGHT) as (made, inbox), scripted(script) as url, at_most(WITHIN):
        made.send(Parcel(b"<a/>", "dr", url, exchange="t"))
        answer = inbox.one()
        assert answer.octets.startswith(octets)
        assert answer.flaw.startswith(flaw)
        assert (answer.answers, answer.place) == ("t", "dr")


@pytest.mark.parametrize("pieces", [(WHOLE + WHOLE,), (WHOLE, WHOLE), (WHOLE, b"", WHOLE)])
@pytest.mark.parametrize("closes", [True, False])
def test_a_peer_that_answers_twice_is_heard_twice(pieces: tuple[bytes, ...], closes: bool) -> None:
    with carrier(bounds=TIGHT) as (made, inbox), scripted(says(*pieces, closes=closes)) as url:
        made.send(Parcel(b"<a/>", "dr", url, exchange="t"))
        answer, surplus = inbox.wait(2)
        assert (answer.octets, answer.flaw, answer.answers) == (b"<b/>", "", "t")
        assert (surplus.octets, surplus.answers, surplus.flaw) == (WHOLE, "t", f"{len(WHOLE)} octets came after the answer was complete")


def test_a_peer_that_never_stops_after_its_answer_is_left() -> None:
    def script(peer: socket.socket) -> None:
        whole_request(peer)
        try:
            peer.sendall(WHOLE)
            while True:
                peer.sendall(b"x" * 1000)
        except ConnectionError:
            pass  # as it should

    with carrier(bounds=TIGHT) as (made, inbox), scripted(script) as url, at_most(WITHIN):
        made.send(Parcel(b"<a/>", "dr", url, exchange="t"))
        assert [len(each.octets) for each in inbox.wait(2)] == [4, TIGHT.ahead]


def test_a_peer_that_answers_before_it_has_read_all_is_heard() -> None:
    def script(peer: socket.socket) -> None:
        peer.recv(100)
        peer.sendall(b"HTTP/1.1 413 Too Large\r\nContent-Length: 0\r\n\r\n")
        all_of(peer)

    with carrier(bounds=TIGHT) as (made, inbox), scripted(script) as url, at_most(WITHIN):
        made.send(Parcel(b"x" * 32 * MIB, "dr", url, exchange="t"))
        assert (inbox.one().about["status"], inbox.one().flaw) == (413, "")


def test_an_answer_of_100_mb_is_not_kept() -> None:
    def script(peer: socket.socket) -> None:
        whole_request(peer)
        block = b"x" * MIB
        try:
            peer.sendall(OK + b"\r\n")
            for _ in range(100):
                peer.sendall(block)
        except ConnectionError:
            pass  # as it should

    with carrier() as (made, inbox), scripted(script) as url, at_most(WITHIN):
        tracemalloc.start()
        made.send(Parcel(b"<a/>", "dr", url, exchange="t"))
        answer = inbox.one()
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        assert len(answer.octets) == 4 * MIB
        assert answer.flaw.endswith(f"no length announced, {4 * MIB} kept, no more read")
        assert peak < 5 * 4 * MIB


def test_a_peer_that_hangs_in_the_tls_handshake_is_left() -> None:
    with carrier(bounds=SOON) as (made, inbox), scripted(listens) as url, at_most(WITHIN):
        made.send(Parcel(b"<a/>", "dr", url.replace("http:", "https:"), exchange="t"))
        assert inbox.one().flaw.endswith("within 0.5 s")


def test_a_redirect_is_an_answer_and_is_not_followed() -> None:
    moved = b"HTTP/1.1 307 Temporary Redirect\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n"
    with carrier(bounds=TIGHT) as (made, inbox), scripted(says(moved)) as url:
        made.send(Parcel(b"<a/>", "dr", url, exchange="t"))
        assert (inbox.one().about["status"], inbox.one().flaw) == (307, "")
