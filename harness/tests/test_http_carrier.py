"""The HTTP carrier between two of its kind, and with somebody else's client and server: delivery, answers, an end."""

from __future__ import annotations

import http.client
import http.server
import shutil
import subprocess
import threading
from collections.abc import Iterator
from contextlib import closing
from typing import Any

import pytest

from harness.backhaul.carrier import Carrier, Parcel
from harness.backhaul.http_bounds import HttpBounds
from harness.backhaul.http_carrier import HttpCarrier
from harness.errors import BenchError, InputError
from harness.tests.http_peers import carrier, endpoint, post, raw
from harness.tests.inbox import WITHIN, Inbox

XML = {"headers": {"Content-Type": "text/xml; charset=utf-8"}}


@pytest.fixture
def head_end() -> Iterator[tuple[HttpCarrier, Inbox]]:
    with carrier("head-end", "name with/slash") as made:
        yield made


def test_it_is_a_carrier() -> None:
    with carrier() as (made, _):
        wire: Carrier = made
        assert wire.address_of("cis").startswith("http://127.0.0.1:")


def test_a_request_arrives_and_its_answer_comes_back(head_end: tuple[HttpCarrier, Inbox]) -> None:
    server, arrived = head_end
    with carrier("cis") as (client, answers):
        client.send(Parcel(b"<a/>", "cis", server.address_of("head-end"), exchange="t1", about=XML))
        request = arrived.one()
        assert (request.octets, request.place, request.answers, request.flaw) == (b"<a/>", "head-end", "", "")
        assert request.exchange
        assert (request.about["name"], request.about["method"], request.about["target"]) == ("http", "POST", "/head-end")
        assert request.about["headers"]["content-type"] == "text/xml; charset=utf-8"
        server.send(Parcel(b"<b/>", answers=request.exchange, about={"status": 500, "headers": {"Content-Type": "text/plain"}}))
        answer = answers.one()
        assert (answer.octets, answer.place, answer.answers, answer.exchange, answer.flaw) == (b"<b/>", "cis", "t1", "", "")
        assert (answer.about["name"], answer.about["status"], answer.about["headers"]["content-type"]) == ("http", 500, "text/plain")
        assert len(arrived.parcels) == 1


@pytest.mark.parametrize(("octets", "about", "status"), [
    (b"<ok/>", {}, 200), (b"", {}, 202), (b"", {"status": 204}, 204), (b"x", {"status": 299}, 299),
])
def test_an_answer_without_a_status_has_the_usual_one(
    head_end: tuple[HttpCarrier, Inbox], octets: bytes, about: dict[str, Any], status: int,
) -> None:
    server, arrived = head_end
    with carrier() as (client, answers):
        client.send(Parcel(b"<a/>", "", server.address_of("head-end"), exchange="t"))
        server.send(Parcel(octets, answers=arrived.one().exchange, about=about))
        answer = answers.one()
        assert (answer.octets, answer.about["status"], answer.flaw) == (octets, status, "")


def test_exchanges_are_answered_in_any_order_and_each_once(head_end: tuple[HttpCarrier, Inbox]) -> None:
    server, arrived = head_end
    with carrier() as (client, answers):
        for number in range(20):
            client.send(Parcel(b"%d" % number, "", server.address_of("head-end"), exchange=f"t{number}"))
        requests = arrived.wait(20)
        assert [each.octets for each in requests] == [b"%d" % number for number in range(20)]  # in the order in which they were sent
        for request in reversed(requests):
            server.send(Parcel(b"re " + request.octets, answers=request.exchange))
        assert {each.answers: each.octets for each in answers.wait(20)} == {f"t{number}": b"re %d" % number for number in range(20)}
        assert len({each.exchange for each in requests}) == 20


def test_a_place_with_odd_letters_is_found(head_end: tuple[HttpCarrier, Inbox]) -> None:
    server, arrived = head_end
    with carrier() as (client, answers):
        client.send(Parcel(b"x", "", server.address_of("name with/slash"), exchange="t"))
        request = arrived.one()
        assert request.place == "name with/slash"
        server.drop(request.exchange)
        assert "too early" in answers.one().flaw


def test_a_dropped_exchange_is_closed_without_an_answer(head_end: tuple[HttpCarrier, Inbox]) -> None:
    server, arrived = head_end
    with carrier() as (client, answers):
        client.send(Parcel(b"<a/>", "cis", server.address_of("head-end"), exchange="t"))
        server.drop(arrived.one().exchange)
        answer = answers.one()
        assert (answer.octets, answer.place, answer.answers) == (b"", "cis", "t")
        assert answer.flaw == "the peer closed too early: nothing came"


@pytest.mark.parametrize("twice", [True, False])
def test_an_answer_to_nobody_comes_back_as_a_flaw(head_end: tuple[HttpCarrier, Inbox], twice: bool) -> None:
    server, arrived = head_end
    with carrier() as (client, answers):
        token = "never heard of"
        if twice:
            client.send(Parcel(b"<a/>", "", server.address_of("head-end"), exchange="t"))
            token = arrived.one().exchange
            server.send(Parcel(b"<b/>", answers=token))
            answers.one()
        server.send(Parcel(b"<c/>", "head-end", answers=token))
        (flawed,) = arrived.wait(1, what=lambda parcel: parcel.answers == token)
        assert (flawed.octets, flawed.place, flawed.flaw) == (b"", "head-end", "nobody waits for this answer; it was not sent")


def test_somebody_elses_client_keeps_its_connection(head_end: tuple[HttpCarrier, Inbox]) -> None:
    server, arrived = head_end
    with closing(http.client.HTTPConnection(*endpoint(server.address_of("")), timeout=WITHIN)) as client:
        for count in (1, 2, 3):
            client.request("POST", "/head-end?trace=1", b"<a>%d</a>" % count, {"SOAPAction": '""', "X-Twice": "a"})
            request = arrived.wait(count)[-1]
            assert (request.octets, request.place, request.flaw) == (b"<a>%d</a>" % count, "head-end", "")
            assert request.about["headers"]["soapaction"] == '""'
            server.send(Parcel(b"<b/>", answers=request.exchange))
            answer = client.getresponse()
            assert (answer.status, answer.read()) == (200, b"<b/>")
            assert not answer.will_close


def test_a_chunked_request_and_one_that_waits_to_be_let_in_arrive_whole(head_end: tuple[HttpCarrier, Inbox]) -> None:
    server, arrived = head_end
    with closing(http.client.HTTPConnection(*endpoint(server.address_of("")), timeout=WITHIN)) as client:
        client.request("POST", "/head-end", iter([b"<a>", b"</a>"]), encode_chunked=True, headers={"Transfer-Encoding": "chunked"})
        assert (arrived.one().octets, arrived.one().flaw) == (b"<a></a>", "")
    with raw(server.address_of("head-end")) as peer:
        peer.sendall(b"POST /head-end HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\nExpect: 100-continue\r\n\r\n")
        assert peer.recv(100).startswith(b"HTTP/1.1 100 ")
        peer.sendall(b"<b/>")
        (late,) = arrived.wait(1, what=lambda parcel: parcel.octets == b"<b/>")
        assert late.flaw == ""


def test_a_peer_that_closed_only_its_own_side_still_gets_its_answer(head_end: tuple[HttpCarrier, Inbox]) -> None:
    server, arrived = head_end
    with raw(server.address_of("head-end")) as peer:
        peer.sendall(post(b"<a/>"))
        peer.shutdown(1)
        request, left = arrived.wait(2)
        assert (left.answers, left.octets) == (request.exchange, b"")
        assert left.flaw == "the peer closed its side of the connection before it was answered"
        server.send(Parcel(b"<b/>", answers=request.exchange))
        assert peer.recv(4096).endswith(b"<b/>")


@pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed")
def test_curl_posts_and_is_answered(head_end: tuple[HttpCarrier, Inbox]) -> None:
    server, arrived = head_end
    command = ["curl", "-s", "--max-time", "10", "--data-binary", "@-", server.address_of("head-end")]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as curl:
        assert curl.stdin is not None
        assert curl.stdout is not None
        curl.stdin.write(b"x" * 2_000_000)
        curl.stdin.close()
        request = arrived.one()
        assert (len(request.octets), request.flaw) == (2_000_000, "")
        server.send(Parcel(b"<b/>", answers=request.exchange))
        assert curl.stdout.read() == b"<b/>"


class ForeignServer(http.server.BaseHTTPRequestHandler):
    """The standard library's server, HTTP/1.0 and all."""

    def do_POST(self) -> None:
        octets = self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(207)
        self.send_header("X-Path", self.path)
        self.end_headers()
        self.wfile.write(octets[::-1])

    def log_message(self, format: str, *args: Any) -> None:
        pass


def test_somebody_elses_server_answers_until_it_closes() -> None:
    with http.server.HTTPServer(("127.0.0.1", 0), ForeignServer) as server, carrier() as (client, answers):
        thread = threading.Thread(target=server.handle_request)
        thread.start()
        client.send(Parcel(b"abc", "dr", f"http://127.0.0.1:{server.server_port}/a/b?c=d", exchange="t"))
        answer = answers.one()
        thread.join(WITHIN)
        assert (answer.octets, answer.place, answer.answers, answer.flaw) == (b"cba", "dr", "t", "")
        assert (answer.about["status"], answer.about["headers"]["x-path"]) == (207, "/a/b?c=d")


@pytest.mark.parametrize(("target", "status", "octets"), [
    ("/head-end?wsdl", 200, b"<wsdl/>"), ("/head-end?WSDL", 200, b"<wsdl/>"), ("/xsd/a.xsd", 200, b"<xsd/>"), ("/xsd/b.xsd", 404, None),
])
@pytest.mark.parametrize("called", [True, False])
def test_a_get_is_answered_from_the_table(target: str, status: int, octets: bytes | None, called: bool) -> None:
    table = {"/head-end?wsdl": ("text/xml", b"<wsdl/>"), "/xsd/a.xsd": ("application/xml", b"<xsd/>")}
    with carrier("head-end", documents=table.get if called else table) as (server, arrived):
        client = http.client.HTTPConnection(*endpoint(server.address_of("")), timeout=WITHIN)
        with closing(client):
            client.request("GET", target)
            answer = client.getresponse()
            said = answer.read()
    assert answer.status == status
    assert octets in (None, said)
    assert [each.flaw for each in arrived.parcels] == ([] if octets else ["there is no such document"])


@pytest.mark.parametrize(("method", "path", "status", "flaw"), [
    ("PUT", "/head-end", 405, "only POST and GET are served"), ("DELETE", "/x", 405, "only POST and GET are served"),
    ("OPTIONS", "*", 405, "only POST and GET are served"), ("HEAD", "/head-end", 405, "only POST and GET are served"),
    ("CONNECT", "x:1", 405, "only POST and GET are served"), ("POST", "/x", 404, "there is no such place"),
    ("POST", "/", 404, "there is no such place"), ("POST", "//[x", 404, "there is no such place"),
])
def test_what_is_not_served_is_refused_and_delivered(
    head_end: tuple[HttpCarrier, Inbox], method: str, path: str, status: int, flaw: str,
) -> None:
    server, arrived = head_end
    with closing(http.client.HTTPConnection(*endpoint(server.address_of("")), timeout=WITHIN)) as client:
        client.request(method, path, b"<a/>")
        answer = client.getresponse()
        assert (answer.status, answer.read()) == (status, b"" if method == "HEAD" else f"{flaw}\n".encode())
    refused = arrived.one()
    assert (refused.octets, refused.exchange, refused.flaw) == (b"<a/>", "", flaw)
    assert (refused.about["method"], refused.about["target"]) == (method, path)


@pytest.mark.parametrize(("address", "flaw"), [
    ("http://127.0.0.1:1/x", "127.0.0.1:1 refuses connections"),
    ("http://nowhere.invalid/x", "the name nowhere.invalid is unknown"),
    ("ftp://127.0.0.1/x", "the address is no http:// or https:// URL with a host"),
    ("head-end", "the address is no http:// or https:// URL with a host"),
    ("http://[::1/x", "the address is no URL"),
    ("http://127.0.0.1:99999/x", "the address is no URL"),
    ("http://me:secret@127.0.0.1/x", "the address holds a user or password; credentials are given to the carrier instead"),
    ("http://127.0.0.1:{port}/a b", "its target or a header is none in HTTP; it was not sent"),
    ("http://127.0.0.1:{port}/ä", "its target or a header is none in HTTP; it was not sent"),
    ("http://a..b/x", "the name a..b is unknown"),
    ("https://127.0.0.1:{port}/head-end", "the TLS handshake with 127.0.0.1:{port} failed: "),
])
def test_what_cannot_be_sent_comes_back_as_a_flaw(head_end: tuple[HttpCarrier, Inbox], address: str, flaw: str) -> None:
    _, port = endpoint(head_end[0].address_of(""))
    with carrier() as (client, answers):
        client.send(Parcel(b"<a/>", "cis", address.format(port=port), exchange="t"))
        answer = answers.one()
        assert (answer.octets, answer.place, answer.answers) == (b"", "cis", "t")
        assert answer.flaw.startswith(flaw.format(port=port))


def test_a_carrier_closes_at_once_and_leaves_nothing(head_end: tuple[HttpCarrier, Inbox]) -> None:
    server, arrived = head_end
    before = threading.active_count()
    client = HttpCarrier(answers := Inbox())
    client.send(Parcel(b"<a/>", "", server.address_of("head-end"), exchange="t"))
    arrived.one()
    client.close()
    client.close()
    assert threading.active_count() == before
    assert arrived.wait(2)[1].flaw.startswith("the ")  # the held exchange hears of it
    assert answers.parcels == []
    client.send(Parcel(b"<a/>", "", server.address_of("head-end"), exchange="late"))
    client.drop("whatever")
    assert answers.one() == Parcel(b"", answers="late", flaw="this side of the wire is closed; it was not sent", unsent=True)


def test_who_receives_may_close_the_carrier() -> None:
    closed = threading.Event()

    def deliver(parcel: Parcel) -> None:
        made.close()
        closed.set()

    made = HttpCarrier(deliver, ["head-end"])
    with raw(made.address_of("head-end")) as peer:
        peer.sendall(post(b"<a/>"))
        assert closed.wait(WITHIN)
    made.close()
    assert not [each for each in threading.enumerate() if each.name == made.address_of("").replace("http://", "http ").rstrip("/")]


def test_a_receiver_that_fails_is_shown_and_the_wire_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    shown: list[BaseException | None] = []
    monkeypatch.setattr(threading, "excepthook", lambda args: shown.append(args.exc_value))
    inbox, failing = Inbox(), iter([True])

    def deliver(parcel: Parcel) -> None:
        inbox(parcel)
        if next(failing, False):
            raise KeyError("a receiver's own fault")

    with closing(HttpCarrier(deliver, ["head-end"])) as made, raw(made.address_of("head-end")) as peer:
        peer.sendall(post(b"<a/>"))
        made.send(Parcel(b"<b/>", answers=inbox.one().exchange))
        assert peer.recv(4096).endswith(b"<b/>")
        assert [type(fault) for fault in shown] == [KeyError]


def test_a_port_that_is_taken_is_the_laboratorys_fault(head_end: tuple[HttpCarrier, Inbox]) -> None:
    _, port = endpoint(head_end[0].address_of(""))
    with pytest.raises(BenchError, match=f"127.0.0.1:{port} cannot be listened on"):
        HttpCarrier(Inbox(), port=port)


def test_only_loopback_is_listened_on_unless_told_otherwise() -> None:
    with carrier("cis") as (made, _):
        assert endpoint(made.address_of("cis"))[0] == "127.0.0.1"
    with pytest.raises(InputError, match="known_as"):
        HttpCarrier(Inbox(), host="0.0.0.0")
    with carrier("cis", host="0.0.0.0", known_as="localhost") as (everywhere, arrived), carrier() as (client, _):
        client.send(Parcel(b"<a/>", "", everywhere.address_of("cis"), exchange="t"))
        assert everywhere.address_of("cis").startswith("http://localhost:")
        assert arrived.one().octets == b"<a/>"


def test_too_many_parcels_at_once_are_not_kept() -> None:
    with carrier("head-end") as (server, arrived), carrier(bounds=HttpBounds(waiting=3)) as (client, answers):
        for number in range(5):
            client.send(Parcel(b"<a/>", "", server.address_of("head-end"), exchange=f"t{number}"))
        assert {each.answers: each.flaw for each in answers.wait(2)} == {
            f"t{number}": "3 parcels are on their way already; it was not sent" for number in (3, 4)
        }
        assert len(arrived.wait(3)) == 3
