"""Who may talk over HTTP and who is talked to: Basic credentials and certificates, each way, and that no password is seen."""

from __future__ import annotations

import base64
import http.client
import ssl
import subprocess
from contextlib import closing
from pathlib import Path

import pytest

from harness.backhaul.authentication import Credentials, header_to_show, octets_to_show
from harness.backhaul.carrier import Parcel
from harness.backhaul.tls import Tls
from harness.errors import InputError
from harness.tests.http_peers import Authority, all_of, carrier, endpoint, post, raw
from harness.tests.inbox import WITHIN

PASSWORD = "Sesam-öffne:dich"


def test_without_the_credentials_nobody_gets_in() -> None:
    asks = Credentials("bench", PASSWORD)
    with carrier("head-end", asks=asks, documents={"/d": ("text/plain", b"d")}) as (server, arrived):
        for count, shows in enumerate((None, Credentials("bench", "wrong"), Credentials("other", PASSWORD)), 1):
            with carrier(shows=shows) as (client, answers):
                client.send(Parcel(b"<a/>", "", server.address_of("head-end"), exchange="t"))
                answer = answers.one()
                assert answer.about["status"] == 401
                assert answer.about["headers"]["www-authenticate"].startswith("Basic realm=")
            refused = arrived.wait(count)[-1]
            assert (refused.octets, refused.exchange, refused.flaw) == (b"<a/>", "", "no credentials, or wrong ones")
            assert refused.about["headers"].get("authorization") == (None if shows is None else "Basic (withheld)")
        with closing(http.client.HTTPConnection(*endpoint(server.address_of("")), timeout=WITHIN)) as stranger:
            stranger.request("GET", "/d")
            assert stranger.getresponse().status == 401


def test_with_the_credentials_a_request_gets_in_and_shows_them_to_nobody() -> None:
    asks = Credentials("bench", PASSWORD)
    with carrier("head-end", asks=asks) as (server, arrived), carrier(shows=asks) as (client, answers):
        client.send(Parcel(b"<a/>", "", server.address_of("head-end"), exchange="t"))
        request = arrived.one()
        assert (request.flaw, request.about["headers"]["authorization"]) == ("", "Basic (withheld)")
        server.send(Parcel(b"<b/>", answers=request.exchange))
        assert answers.one().octets == b"<b/>"
        shown = repr([asks, arrived.parcels, answers.parcels, *(each.octets for each in arrived.parcels)])
        assert PASSWORD not in shown
        assert asks.header().split()[1] not in shown


@pytest.mark.parametrize("value", [
    b"", b"Basic", b"Basic \xff\xfe", b"Bearer " + base64.b64encode(f"bench:{PASSWORD}".encode()), b"basic  ", b"Basic Og==",
])
def test_other_authorization_values_do_not_match(value: bytes) -> None:
    assert not Credentials("bench", PASSWORD).match(value)


def test_the_scheme_is_read_in_either_case() -> None:
    mine = Credentials("bench", PASSWORD)
    assert mine.match(mine.header().replace("Basic", "bASIC").encode())


def test_credentials_that_basic_cannot_carry_are_refused_without_being_shown() -> None:
    for user, password in (("a:b", "secret-1"), ("a", "secret-2\r\n")):
        with pytest.raises(InputError) as fault:
            Credentials(user, password)
        assert "secret" not in str(fault.value)


def test_what_authenticates_is_withheld_from_evidence() -> None:
    assert header_to_show("Authorization", "opensesame") == "(withheld)"
    assert header_to_show("content-type", "text/xml") == "text/xml"
    octets = b"POST / HTTP/9\r\nAuthorization : Basic c2VjcmV0\r\n  c2VjcmV0\r\nHost: x\r\nproxy-authorization:c2VjcmV0"
    assert octets_to_show(octets) == b"POST / HTTP/9\r\nAuthorization : (withheld)\r\nHost: x\r\nproxy-authorization: (withheld)"


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("authority"))


def test_two_sides_with_certificates_talk(authority: Authority) -> None:
    ours = Tls(*authority.issue("head-end"), trust=authority.trust, mutual=True)
    theirs = Tls(*authority.issue("cis"), trust=authority.trust)
    with carrier("head-end", tls=ours) as (server, arrived), carrier(tls=theirs) as (client, answers):
        assert server.address_of("head-end").startswith("https://")
        client.send(Parcel(b"<a/>", "", server.address_of("head-end"), exchange="t"))
        server.send(Parcel(b"<b/>", answers=arrived.one().exchange))
        answer = answers.one()
        assert (answer.octets, answer.flaw) == (b"<b/>", "")


def test_somebody_elses_client_talks_over_tls(authority: Authority) -> None:
    with carrier("head-end", tls=Tls(*authority.issue("head-end"))) as (server, arrived):
        context = ssl.create_default_context(cafile=str(authority.trust))
        with closing(http.client.HTTPSConnection(*endpoint(server.address_of("")), timeout=WITHIN, context=context)) as client:
            client.request("POST", "/head-end", b"<a/>")
            server.send(Parcel(b"<b/>", answers=arrived.one().exchange))
            assert client.getresponse().read() == b"<b/>"


def test_a_server_that_nobody_vouches_for_is_not_spoken_to(authority: Authority, tmp_path: Path) -> None:
    stranger = Authority(tmp_path, "stranger")
    with (
        carrier("head-end", tls=Tls(*stranger.issue("head-end"))) as (server, arrived),
        carrier(tls=Tls(trust=authority.trust)) as (client, answers),
    ):
        client.send(Parcel(b"<a/>", "", server.address_of("head-end"), exchange="t"))
        answer = answers.one()
        assert (answer.answers, answer.octets) == ("t", b"")
        assert "the TLS handshake with 127.0.0.1" in answer.flaw
        assert "certificate not accepted" in answer.flaw
        assert arrived.one().flaw.startswith("a connection came to nothing: ")


@pytest.mark.parametrize("known", ["nobody", "stranger"])
def test_a_client_that_nobody_vouches_for_is_not_let_in(authority: Authority, tmp_path: Path, known: str) -> None:
    ours = Tls(*authority.issue("head-end"), trust=authority.trust, mutual=True)
    certificate, key = Authority(tmp_path, "stranger").issue("cis") if known == "stranger" else (None, None)
    theirs = Tls(certificate, key, trust=authority.trust)
    with carrier("head-end", tls=ours) as (server, arrived), carrier(tls=theirs) as (client, answers):
        client.send(Parcel(b"<secret/>", "", server.address_of("head-end"), exchange="t"))
        answer = answers.one()
        assert (answer.answers, answer.octets) == ("t", b"")
        assert answer.flaw
        refused = arrived.one()
        assert (refused.octets, refused.exchange) == (b"", "")
        assert refused.flaw.startswith("a connection came to nothing: ")


def test_who_speaks_plainly_to_an_encrypted_place_is_recorded(authority: Authority) -> None:
    with carrier("head-end", tls=Tls(*authority.issue("head-end"))) as (server, arrived):
        with raw(server.address_of("head-end")) as peer:
            peer.sendall(post(b"<a/>"))
            assert not all_of(peer).startswith(b"HTTP")
        assert arrived.one().flaw == "a connection came to nothing: http request"


@pytest.mark.parametrize("what", ["missing", "no PEM", "locked", "other key", "no certificate", "no trust"])
def test_tls_files_that_do_not_do_are_named(authority: Authority, tmp_path: Path, what: str) -> None:
    certificate, key = authority.issue("someone")
    bad = tmp_path / "bad.pem"
    if what == "no PEM":
        bad.write_text("hello")
    elif what == "locked":
        subprocess.run(["openssl", "pkcs8", "-topk8", "-in", key, "-out", bad, "-passout", "pass:x"], check=True, capture_output=True)
    made, named = {
        "missing": (Tls(bad, key), "bad.pem"), "no PEM": (Tls(certificate, key, trust=bad), "bad.pem"),
        "locked": (Tls(certificate, bad), "bad.pem"), "other key": (Tls(certificate, authority.issue("else")[1]), "else.key"),
        "no certificate": (Tls(trust=authority.trust), "certificate"), "no trust": (Tls(certificate, key, mutual=True), "trust"),
    }[what]
    with pytest.raises(InputError, match=named) as fault:
        made.for_server()
    assert "\n" not in str(fault.value)
