"""Peers that call and do HTTP wrong: each is refused or recorded, within bounds on time and memory, and the wire goes on."""

from __future__ import annotations

import asyncio
import errno
import os
import socket
import struct
import tracemalloc
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from harness.backhaul.carrier import Parcel
from harness.backhaul.http_bounds import DEFAULT_BOUNDS, HttpBounds
from harness.backhaul.http_carrier import HttpCarrier
from harness.tests.http_peers import all_of, at_most, endpoint, post, raw
from harness.tests.http_peers import carrier as any_carrier
from harness.tests.inbox import WITHIN, Inbox

MIB = 1 << 20
HUNDRED_MB = 100_000_000
BRIEF = 0.5  # seconds, where a test waits for a bound to be reached
SOON = replace(DEFAULT_BOUNDS, arrival=BRIEF, hold=BRIEF)


@contextmanager
def carrier(bounds: HttpBounds = DEFAULT_BOUNDS, **more: Any) -> Iterator[tuple[HttpCarrier, Inbox, str]]:
    with any_carrier("head-end", bounds=bounds, **more) as (made, inbox):
        yield made, inbox, made.address_of("head-end")


def still_serves(made: HttpCarrier, inbox: Inbox) -> bool:
    """Whether a right request is delivered and answered, after all that happened."""
    before = [each.octets for each in inbox.parcels].count(b"<still/>")
    with raw(made.address_of("head-end")) as peer:
        peer.sendall(post(b"<still/>", b"Connection: close"))
        request = inbox.wait(before + 1, what=lambda parcel: parcel.octets == b"<still/>")[-1]
        made.send(Parcel(b"<here/>", answers=request.exchange))
        return all_of(peer).endswith(b"<here/>")


def reset(peer: socket.socket) -> None:
    """Close as a process that is killed: no farewell, a reset."""
    peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    peer.close()


HEAD = b"POST /head-end HTTP/1.1\r\nHost: x\r\n"
CHUNKED = HEAD + b"Transfer-Encoding: chunked\r\n\r\n"


@pytest.mark.parametrize(("sent", "octets", "status", "flaw"), [
    (HEAD + b"Content-Length: 10\r\n\r\n<a>", b"<a>", 400, "the peer closed too early: 3 octets of the body came of 10 announced"),
    (HEAD + b"Content-Len", HEAD + b"Content-Len", 400, "the peer closed too early: 45 octets came, not a whole head"),
    (CHUNKED + b"3\r\n<a>\r\n5\r\n<b", b"<a><b", 400, "the peer closed too early: 5 octets of the body came"),
    (CHUNKED + b"3\r\n<a>\r\nzz\r\n<b/>", b"3\r\n<a>\r\nzz\r\n<b/>", 400, "the body is not as its head says (illegal chunk header)"),
    (CHUNKED + b"<a>\r\n</a>", b"<a>\r\n</a>", 400, "the body is not as its head says (illegal chunk header)"),
    (CHUNKED + b"3\r\n<a>junk\r\n0\r\n\r\n", b"3\r\n<a>junk", 400, "the body is not as its head says"),
    (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", 400, "this is not HTTP/1.1"),
    (b"<?xml version='1.0'?>\r\n<a/>\r\n\r\n", b"<?xml version='1.0'?>\r\n<a/>", 400, "this is not HTTP/1.1 (illegal request line)"),
    (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", b"PRI * HTTP/2.0\r\n\r\n", 505, "this is not HTTP/1.1 but says it is 2.0"),
    (HEAD + b"Content-Length: 4\r\nContent-Length: 5\r\n\r\n<a/>", HEAD, 400, "this is not HTTP/1.1 (conflicting Content-Length headers)"),
    (HEAD + b"Content-Length: -4\r\n\r\n<a/>", HEAD, 400, "this is not HTTP/1.1 (bad Content-Length)"),
    (HEAD + b"Transfer-Encoding: gzip\r\n\r\n<a/>", HEAD, 501, "this is not HTTP/1.1"),
    (b"POST /head-end HTTP/1.1\r\n\r\n", b"POST /head-end", 400, "this is not HTTP/1.1 (Missing mandatory Host"),
    (HEAD + b"X: " + b"x" * 40_000 + b"\r\n\r\n", HEAD + b"X: xxx", 431, "a head of 40041 octets, longer than 32768"),
    (HEAD + b"X: " + b"x" * 400_000 + b"\r\n\r\n", HEAD + b"X: xxx", 431, "a head longer than 32768 octets"),
    (HEAD + b"Content-Length: 5000000\r\nExpect: 100-continue\r\n\r\n", b"", 413, "the body is longer than 4194304 octets: 5000000 octets"),
])
def test_what_is_no_request_is_delivered_as_it_came(sent: bytes, octets: bytes, status: int, flaw: str) -> None:
    with carrier() as (made, inbox, url):
        with raw(url) as peer:
            peer.sendall(sent)
            peer.shutdown(socket.SHUT_WR)
            assert all_of(peer).startswith(b"HTTP/1.1 %d " % status)
        parcel = inbox.one()
        assert parcel.octets.startswith(octets)
        assert parcel.flaw.startswith(flaw)
        assert (parcel.exchange, parcel.answers) == ("", "")
        assert parcel.place == ("head-end" if "method" in parcel.about else "")
        assert still_serves(made, inbox)


def test_a_peer_that_is_killed_in_the_middle_leaves_what_it_had_said() -> None:
    with carrier() as (made, inbox, url):
        with raw(url) as peer:
            peer.sendall(HEAD + b"Content-Length: 10\r\n\r\n<a>")
            peer.sendall(b"<b>")
            reset(peer)
        assert inbox.one().flaw.endswith("octets of the body came of 10 announced")
        assert still_serves(made, inbox)


def test_a_peer_that_is_killed_while_it_waits_is_missed_at_once() -> None:
    with carrier() as (made, inbox, url):
        with raw(url) as peer:
            peer.sendall(post(b"<a/>"))
            request = inbox.one()
            reset(peer)
        left = inbox.wait(2)[1]
        assert (left.answers, left.octets) == (request.exchange, b"")
        assert left.flaw.startswith("the connection broke before it was answered")
        made.send(Parcel(b"<b/>", answers=request.exchange))
        assert inbox.wait(3)[2].flaw == "nobody waits for this answer; it was not sent"
        assert still_serves(made, inbox)


@pytest.mark.parametrize("framing", ["announced", "chunked"])
def test_a_body_of_100_mb_is_refused_and_not_kept(framing: str) -> None:
    block = b"x" * MIB
    with carrier() as (made, inbox, url), raw(url) as peer, at_most(WITHIN):
        tracemalloc.start()
        peer.sendall(HEAD + b"Content-Length: %d\r\n\r\n" % HUNDRED_MB if framing == "announced" else CHUNKED)
        sent = 0
        try:
            while sent < HUNDRED_MB:
                peer.sendall(block if framing == "announced" else b"%x\r\n%b\r\n" % (MIB, block))
                sent += MIB
        except ConnectionError:
            pass  # this is how a peer hears that nobody reads any more
        said = all_of(peer)
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        assert not said or said.startswith(b"HTTP/1.1 413 ")
        assert sent < 50 * MIB  # what is kept, what is discarded while it may listen, and what sockets hold
        assert peak < 5 * 4 * MIB
        parcel = inbox.one()
        assert len(parcel.octets) == 4 * MIB
        length = f"{HUNDRED_MB} octets" if framing == "announced" else "no length"
        assert parcel.flaw == f"the body is longer than {4 * MIB} octets: {length} announced, {4 * MIB} kept, no more read"
        assert still_serves(made, inbox)


def test_a_body_that_is_a_little_too_long_is_told_so() -> None:
    with carrier() as (_, inbox, url), raw(url) as peer:
        peer.sendall(post(b"x" * (4 * MIB + 1)))
        assert all_of(peer).startswith(b"HTTP/1.1 413 ")
        assert len(inbox.one().octets) == 4 * MIB


def test_a_body_of_just_the_limit_is_taken() -> None:
    with carrier(replace(DEFAULT_BOUNDS, body=1000)) as (made, inbox, url), raw(url) as peer:
        peer.sendall(post(b"x" * 1000, b"Connection: close"))
        request = inbox.one()
        assert (len(request.octets), request.flaw) == (1000, "")
        made.drop(request.exchange)
        assert all_of(peer) == b""


@pytest.mark.parametrize(("sent", "octets", "flaw"), [
    (b"POST /head", b"POST /head", "not complete after 0.5 s: 10 octets came, not a whole head"),
    (HEAD + b"Content-Length: 9\r\n\r\n<a", b"<a", "not complete after 0.5 s: 2 octets of the body came of 9 announced"),
    (CHUNKED + b"2\r\n<a\r\n4", b"<a", "not complete after 0.5 s: 2 octets of the body came"),
])
def test_a_request_that_does_not_end_is_ended(sent: bytes, octets: bytes, flaw: str) -> None:
    with carrier(SOON) as (made, inbox, url), at_most(WITHIN):
        with raw(url) as peer:
            for octet in sent:
                peer.sendall(bytes([octet]))
            assert all_of(peer).startswith(b"HTTP/1.1 408 ")
        assert inbox.one().flaw == flaw
        assert inbox.one().octets.removesuffix(b"4").removesuffix(b"\r\n").endswith(octets)
        assert still_serves(made, inbox)


def test_a_connection_on_which_nothing_is_said_is_closed_without_a_word() -> None:
    with carrier(replace(DEFAULT_BOUNDS, arrival=BRIEF)) as (_, inbox, url), raw(url) as peer, at_most(WITHIN):
        assert all_of(peer) == b""
        assert inbox.parcels == []


def test_a_connection_on_which_nothing_more_is_said_is_closed_without_a_word() -> None:
    with carrier(replace(DEFAULT_BOUNDS, idle=BRIEF)) as (made, inbox, url), raw(url) as peer, at_most(WITHIN):
        peer.sendall(post(b"<a/>"))
        made.send(Parcel(b"<b/>", answers=inbox.one().exchange))
        assert all_of(peer).endswith(b"<b/>")
        assert len(inbox.parcels) == 1


def test_pipelined_requests_are_answered_in_turn_and_marked() -> None:
    with carrier() as (made, inbox, url), raw(url) as peer:
        peer.sendall(post(b"<a/>") + post(b"<b/>") + post(b"<c/>", b"Connection: close"))
        for count, flawed in enumerate((False, True, True), 1):
            request = inbox.wait(count)[-1]
            assert (request.flaw == "it came before the request before it was answered (pipelined)") == flawed
            made.send(Parcel(b"re " + request.octets, answers=request.exchange))
        said = all_of(peer)
        assert [said.find(b"re <%c/>" % each) for each in b"abc"] == sorted(said.find(b"re <%c/>" % each) for each in b"abc")
        assert said.count(b"HTTP/1.1 200 OK") == 3


@pytest.mark.parametrize("how", ["dropped", "last"])
def test_what_comes_behind_a_request_that_is_the_last_is_delivered_as_it_came(how: str) -> None:
    with carrier() as (made, inbox, url), raw(url) as peer:
        behind = b"POST /cis HTTP/1.1\r\nAuthorization: Basic c2VjcmV0\r\n"
        peer.sendall(post(b"<a/>", *([b"Connection: close"] if how == "last" else [])) + behind)
        request = inbox.one()
        if how == "last":
            made.send(Parcel(b"<b/>", answers=request.exchange))
        else:
            made.drop(request.exchange)
        surplus = inbox.wait(2)[1]
        assert surplus.octets == b"POST /cis HTTP/1.1\r\nAuthorization: (withheld)\r\n"
        assert surplus.flaw.endswith("octets came after the last request that was read of a connection")
        assert all_of(peer).endswith(b"<b/>" if how == "last" else b"")


def test_what_comes_while_a_request_waits_is_read_only_so_far() -> None:
    with carrier(replace(DEFAULT_BOUNDS, ahead=5000)) as (made, inbox, url), raw(url) as peer:
        peer.sendall(post(b"<a/>"))
        request = inbox.one()
        peer.settimeout(BRIEF)
        with pytest.raises(TimeoutError):  # the carrier has stopped reading, and no sockets hold that much
            peer.sendall(b"x" * 64 * MIB)
        made.drop(request.exchange)
        surplus = inbox.wait(2)[1]
        assert 5000 <= len(surplus.octets) < 5000 + 65536


def test_a_request_that_nobody_answers_is_closed_in_the_end() -> None:
    with carrier(SOON) as (made, inbox, url), raw(url) as peer, at_most(WITHIN):
        peer.sendall(post(b"<a/>"))
        assert all_of(peer) == b""
        request, flawed = inbox.wait(2)
        assert (flawed.answers, flawed.flaw) == (request.exchange, "we did not answer it within 0.5 s, and closed it")
        made.send(Parcel(b"<b/>", answers=request.exchange))
        assert inbox.wait(3)[2].flaw == "nobody waits for this answer; it was not sent"


def test_a_peer_that_does_not_take_its_answer_is_let_go() -> None:
    with carrier(replace(DEFAULT_BOUNDS, arrival=BRIEF)) as (made, inbox, url), raw(url) as peer, at_most(WITHIN):
        peer.sendall(post(b"<a/>"))
        request = inbox.one()
        made.send(Parcel(b"x" * 64 * MIB, answers=request.exchange))
        assert inbox.wait(2)[1] == Parcel(
            b"", "head-end", answers=request.exchange, flaw="the peer did not take what was sent within 0.5 s",
        )


@pytest.mark.parametrize("about", [
    {"headers": {"X": "a\r\nSet-Cookie: b"}}, {"headers": {"bad name": "x"}}, {"status": 99}, {"status": "odd"},
    {"headers": {"Content-Length": "3"}},
])
def test_an_answer_that_is_none_in_http_is_not_sent(about: dict[str, Any]) -> None:
    with carrier() as (made, inbox, url), raw(url) as peer:
        peer.sendall(post(b"<a/>"))
        request = inbox.one()
        made.send(Parcel(b"<b/>", answers=request.exchange, about=about))
        assert all_of(peer) == b""
        flawed = inbox.wait(2)[1]
        assert flawed.answers == request.exchange
        assert flawed.flaw.startswith("our answer is none in HTTP, so the connection was closed instead: ")


def test_a_flood_is_refused_counted_and_told_once_a_burst() -> None:
    with carrier(replace(DEFAULT_BOUNDS, connections=4)) as (made, inbox, url):
        for burst in (1, 2):
            peers = [socket.create_connection(endpoint(url), WITHIN) for _ in range(4)]
            for peer in peers:
                peer.sendall(post(b"<in/>"))
            held = inbox.wait(4 * burst, what=lambda parcel: parcel.octets == b"<in/>")[-4:]
            for _ in range(30):
                with raw(url) as late:
                    late.sendall(post(b"<out/>"))
                    assert all_of(late).startswith(b"HTTP/1.1 503 ")
            assert made.refused == 30 * burst
            flaws = inbox.wait(burst, what=lambda parcel: parcel.flaw.startswith("more than 4 connections at once"))
            assert len(flaws) == burst
            for request in held:
                made.drop(request.exchange)
            for peer in peers:
                assert all_of(peer) == b""
                peer.close()
            assert still_serves(made, inbox)
        assert all(each.octets != b"<out/>" for each in inbox.parcels)


def test_when_no_connection_can_be_accepted_the_next_one_is_after_one_has_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    accept, scarce = asyncio.SelectorEventLoop.sock_accept, iter([True])

    async def sock_accept(loop: asyncio.SelectorEventLoop, listener: socket.socket) -> tuple[socket.socket, Any]:
        if next(scarce, False):
            raise OSError(errno.EMFILE, os.strerror(errno.EMFILE))
        return await accept(loop, listener)

    monkeypatch.setattr(asyncio.SelectorEventLoop, "sock_accept", sock_accept)
    with carrier(replace(DEFAULT_BOUNDS, linger=BRIEF)) as (made, inbox, _):
        assert inbox.one().flaw == "a connection could not be accepted: Too many open files"
        assert still_serves(made, inbox)


def test_a_fault_of_our_own_becomes_a_flaw_and_the_wire_goes_on() -> None:
    def documents(target: str) -> tuple[str, bytes] | None:
        raise KeyError(target)

    with carrier(documents=documents) as (made, inbox, url):
        with raw(url) as peer:
            peer.sendall(b"GET /x HTTP/1.1\r\nHost: x\r\n\r\n")
            assert all_of(peer) == b""
        assert inbox.one().flaw == "a fault of HANproof's own in the carrier: KeyError: '/x'"
        assert still_serves(made, inbox)


def test_a_password_in_a_broken_head_is_withheld() -> None:
    for line in (b"Authorization : Basic c2VjcmV0", b"Authorization: Basic c2VjcmV0\x00", b"authorization:\r\n Basic c2VjcmV0\x01\r\nbad"):
        with carrier() as (_, inbox, url), raw(url) as peer:
            peer.sendall(HEAD + line + b"\r\n\r\n")
            assert all_of(peer).startswith(b"HTTP/1.1 400 ")
            assert b"c2VjcmV0" not in inbox.one().octets
            assert "c2VjcmV0" not in repr(inbox.one())


@pytest.fixture(scope="module")
def fuzzed() -> Iterator[tuple[HttpCarrier, Inbox, str]]:
    with carrier(replace(DEFAULT_BOUNDS, idle=BRIEF, hold=BRIEF)) as made:
        yield made


PIECES = st.sampled_from([
    b"POST ", b"GET ", b"/head-end", b" HTTP/1.1", b"\r\n", b"\n", b"Host: x", b"Content-Length: ", b"5", b"99999999999999999999", b"0",
    b"Transfer-Encoding: chunked", b"Expect: 100-continue", b"Connection: close", b": ", b"\x00", b"\xff", b"<a/>", b"Authorization: ",
])


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture], derandomize=True)
@given(st.one_of(st.binary(max_size=300), st.tuples(st.sampled_from([b"", HEAD, CHUNKED]), st.lists(PIECES, max_size=30).map(b"".join))
                 .map(b"".join)))
def test_whatever_comes_the_wire_goes_on(fuzzed: tuple[HttpCarrier, Inbox, str], octets: bytes) -> None:
    made, inbox, url = fuzzed
    inbox.parcels.clear()
    with raw(url) as peer, at_most(WITHIN):
        peer.sendall(octets)
        peer.shutdown(socket.SHUT_WR)
        all_of(peer)
    assert not [each for each in inbox.parcels if "HANproof's own" in each.flaw]
    assert still_serves(made, inbox)
