"""A head-end that nobody of us wrote does its worst as the DUT: each run ends in time, its trace holds what came, a finding names it."""

from __future__ import annotations

import base64
import gzip
import socket
import tracemalloc
from collections.abc import Callable
from contextlib import closing, suppress
from pathlib import Path
from typing import Any

import pytest

from cases.table import clauses
from harness.adapters import remote_actor
from harness.backhaul.inbox import Room
from harness.bench import Bench
from harness.declarations import read_bench
from harness.judge import judge
from harness.tests.http_peers import at_most
from harness.tests.peers.hostile_head_end import HostileHeadEnd, granted, hostile, post, response
from harness.tests.served import HEAD_END, bench_of
from harness.trace import Exchange, Trace
from harness.verdict import Verdict

MIB = 1 << 20
PATIENCE = 5.0  # seconds for what comes after the answer
WITHIN = 20.0  # seconds that any of these runs may take, on a machine that is busy
SEQUENCE, TRANSPORT, REPLY = (f"UC2.7-{each}@{HEAD_END}" for each in ("INT-SEQUENCE", "INT-TRANSPORT", "01-REPLY"))
Answer = Callable[[bytes], bytes]


@pytest.fixture(scope="module")
def _ready(tmp_path_factory: pytest.TempPathFactory) -> None:
    """Schemas are compiled when they are first needed, which takes longer than a peer waits that is up to no good."""
    with hostile(says(right)) as head_end:
        assert REPLY not in failures(requested(tmp_path_factory.mktemp("ready"), head_end))


@pytest.fixture(autouse=True)
def _soon(monkeypatch: pytest.MonkeyPatch, _ready: None) -> None:
    """In real time nobody waits long for what will not come."""
    monkeypatch.setattr("harness.bench.SETTLING", 1.5)


def bench(folder: Path, head_end: HostileHeadEnd, **options: str) -> Bench:
    file = read_bench(bench_of(folder, {HEAD_END: {"address": head_end.address, **options}}))
    return Bench(file, file.devices[0])


def requested(folder: Path, head_end: HostileHeadEnd, clause: str = "", said: str = "", **options: str) -> Trace:
    """Step 1 alone, as a case plays it; and until what is said to be wrong has been seen as well, or does not come."""
    with closing(bench(folder, head_end, **options)) as made, at_most(WITHIN):
        made.request()
        made.wait_until(lambda: not said or said in failures(made.trace).get(clause, ""), PATIENCE)
    return made.trace


def failures(trace: Trace) -> dict[str, str]:
    """What is found against the head-end, by clause."""
    judged = judge(trace, clauses().values())
    return {
        each.id: "; ".join(f"{found.message}: {found.observed}" for found in each.findings if found.verdict is Verdict.FAIL)
        for each in judged if each.verdict is Verdict.FAIL
    }


def of_head_end(trace: Trace) -> list[Exchange]:
    return [each for each in trace.exchanges if each.producer == HEAD_END]


def says(*answers: Answer) -> Callable[[socket.socket, bytes], None]:
    def script(peer: socket.socket, body: bytes) -> None:
        for answer in answers:
            peer.sendall(answer(body))

    return script


def right(body: bytes) -> bytes:
    return response(granted(body))


def holding(payload: str) -> Answer:
    return lambda body: response(granted(body, payload=f"<Payload>{payload}</Payload>"))


def declaring(doctype: bytes) -> Answer:
    return lambda body: response(granted(body).replace(b"?>", b"?>" + doctype, 1))


BOMB = base64.b64encode(gzip.compress(b"<a/>" + b" " * (200 * MIB))).decode()
EVENT = b"""<EventMessage xmlns="http://iec.ch/TC57/2011/schema/message"><Header><Verb>created</Verb><Noun>EndDeviceEvents</Noun>
<Source>AMI Head-End</Source></Header></EventMessage>"""
TWICE = (right, right)
WORST: dict[str, tuple[tuple[Answer, ...], str, str]] = {
    "answers twice": (TWICE, SEQUENCE, "octets came after the answer was complete"),
    "answers somebody else's request": (
        (lambda body: response(granted(body, correlation="00000000-0000-4000-8000-000000000000")),),
        SEQUENCE, "answers a request that nobody made",
    ),
    "closes": ((), SEQUENCE, "the peer closed too early: nothing came"),
    "half a message": ((lambda body: right(body)[:-40],), SEQUENCE, "the peer closed too early: "),
    "half of the XML": ((lambda body: response(granted(body)[:-60]),), TRANSPORT, "not well-formed XML"),
    "100 MB": (
        (lambda _: response(b"", length=100_000_000), *[lambda _: b"x" * 1_000_000] * 100),
        SEQUENCE, "100000000 octets announced, 4194304 kept",
    ),
    "nested 10,000 deep": ((holding("<a>" * 10_000 + "</a>" * 10_000),), TRANSPORT, "elements nest deeper"),
    "external entity": ((declaring(b'<!DOCTYPE a [<!ENTITY b SYSTEM "file:///etc/passwd">]>'),), TRANSPORT, "a document type declaration"),
    "amplification": (
        (declaring(b'<!DOCTYPE a [<!ENTITY a "aaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;">]>'),), TRANSPORT, "a document type declaration",
    ),
    "wrong charset": ((lambda body: response(granted(body), content_type="text/xml; charset=utf-16"),), TRANSPORT, "HTTP says utf-16"),
    "other octets than UTF-8": ((lambda body: response(granted(body).replace(b"Head", b"K\xf6pf")),), TRANSPORT, "not UTF-8"),
    "gzip bomb": ((holding(f"<Compressed>{BOMB}</Compressed>"),), TRANSPORT, "inflates to more than"),
    "no message": ((lambda _: response(b"", status="500 Oops"),), SEQUENCE, "HTTP 500, and no message"),
    "no HTTP": ((lambda _: b"hello\r\n\r\n",), SEQUENCE, "this is not HTTP/1.1"),
}


@pytest.mark.parametrize("what", WORST)
def test_what_it_does_is_found_and_kept_and_the_next_case_runs(tmp_path: Path, what: str) -> None:
    answers, clause, said = WORST[what]
    with hostile(says(*answers)) as head_end:
        trace = requested(tmp_path, head_end, clause, said)
        assert said in failures(trace).get(clause, ""), failures(trace)
        assert of_head_end(trace)
        head_end.script = says(right)
        assert {SEQUENCE, TRANSPORT, REPLY}.isdisjoint(failures(requested(tmp_path, head_end)))


@pytest.mark.parametrize("what", ["100 MB", "gzip bomb"])
def test_it_takes_little_memory(tmp_path: Path, what: str) -> None:
    with hostile(says(*WORST[what][0])) as head_end, closing(bench(tmp_path, head_end)) as playing:
        tracemalloc.start()
        playing.request()
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
    assert peak < 48 * MIB


def test_of_what_is_too_long_the_trace_says_how_long_it_was(tmp_path: Path) -> None:
    with hostile(says(*WORST["100 MB"][0])) as head_end:
        kept = of_head_end(requested(tmp_path, head_end))[0]
    assert (len(kept.octets), kept.about["length"], len(kept.about["sha256"])) == (MIB + 1, 4 * MIB, 64)


def test_who_never_answers_is_found_out_in_virtual_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("harness.bench.SETTLING", 100.0)

    def script(peer: socket.socket, body: bytes) -> None:
        head_end.silent += 1
        while peer.recv(4096):
            pass

    with hostile(script) as head_end:
        trace = requested(tmp_path, head_end, control=head_end.control)
    assert "did not answer" in failures(trace)[REPLY]
    assert head_end.taken >= 3


def test_a_second_answer_of_its_own_accord_is_found(tmp_path: Path) -> None:
    made: list[Bench] = []

    def script(peer: socket.socket, body: bytes) -> None:
        post(address(made[0], "DR Application"), granted(body))
        peer.sendall(right(body))

    with hostile(script) as head_end, closing(bench(tmp_path, head_end)) as playing, at_most(WITHIN):
        made.append(playing)
        playing.request()
        playing.wait_until(lambda: SEQUENCE in failures(playing.trace), PATIENCE)
    assert "answers to what came" in failures(playing.trace)[SEQUENCE]


@pytest.mark.parametrize(("many", "room", "said"), [
    (150, Room(lasting=True), "more than 100 messages within a second"),
    (150, Room(parcels=40, lasting=True), "more came than there was room for"),
])
def test_a_flood_is_found_and_takes_no_more_than_its_room(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, many: int, room: Room, said: str,
) -> None:
    monkeypatch.setattr(remote_actor, "ROOM", room)
    made: list[Bench] = []

    def script(peer: socket.socket, body: bytes) -> None:
        with suppress(OSError):
            for _ in range(many):
                post(address(made[0], "DR Application"), EVENT)
        peer.sendall(right(body))

    with hostile(script) as head_end, closing(bench(tmp_path, head_end)) as playing, at_most(WITHIN):
        made.append(playing)
        playing.request()
        playing.wait_until(lambda: said in failures(playing.trace).get(SEQUENCE, ""), PATIENCE)
    assert said in failures(playing.trace)[SEQUENCE]
    assert len(of_head_end(playing.trace)) <= room.parcels + 1


def address(playing: Bench, actor: str) -> str:
    """Where the head-end reaches one of the bench's actors."""
    remote: Any = next(each for name, each in playing.machines.items() if name == HEAD_END)
    return str(remote.address_of(actor))
