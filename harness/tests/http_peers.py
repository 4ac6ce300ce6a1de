"""The other end of the HTTP carrier in tests: an inbox, raw sockets, somebody else's server, an authority in memory."""

from __future__ import annotations

import ipaddress
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from harness.backhaul.http_carrier import HttpCarrier
from harness.clock import wall_seconds, wall_utc
from harness.tests.inbox import WITHIN, Inbox


@contextmanager
def carrier(*places: str, **settings: Any) -> Iterator[tuple[HttpCarrier, Inbox]]:
    """A carrier for a test, and what it delivers."""
    inbox = Inbox()
    with closing(HttpCarrier(inbox, places, **settings)) as made:
        yield made, inbox


def endpoint(url: str) -> tuple[str, int]:
    """Host and port of a URL."""
    host, _, port = url.split("/")[2].rpartition(":")
    return host, int(port)


@contextmanager
def raw(url: str) -> Iterator[socket.socket]:
    """A plain connection to a carrier."""
    with socket.create_connection(endpoint(url), timeout=WITHIN) as sock:
        yield sock


def all_of(sock: socket.socket) -> bytes:
    """Everything until the other side closes, however roughly it does."""
    octets = bytearray()
    try:
        while piece := sock.recv(65536):
            octets += piece
    except ConnectionError:
        pass  # a reset ends it as well
    return bytes(octets)


def post(body: bytes, *more: bytes, path: bytes = b"/head-end") -> bytes:
    """A right request, as octets; `more` are header lines."""
    head = [b"POST %b HTTP/1.1" % path, b"Host: x", b"Content-Length: %d" % len(body), *more]
    return b"\r\n".join(head) + b"\r\n\r\n" + body


@contextmanager
def scripted(script: Callable[[socket.socket], None]) -> Iterator[str]:
    """A server that takes one connection and does with it what the script says; its address."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        def serve() -> None:
            listener.settimeout(WITHIN)
            peer, _ = listener.accept()
            with peer:
                peer.settimeout(WITHIN)
                script(peer)

        thread = threading.Thread(target=serve)
        thread.start()
        yield f"http://127.0.0.1:{listener.getsockname()[1]}/cis"
        thread.join(WITHIN)
        assert not thread.is_alive()


def whole_request(peer: socket.socket) -> bytes:
    """One request from a socket: head, and body by its Content-Length."""
    octets = b""
    while b"\r\n\r\n" not in octets:
        octets += peer.recv(65536)
    head, _, body = octets.partition(b"\r\n\r\n")
    length = next(int(line.split(b":")[1]) for line in head.split(b"\r\n") if line.lower().startswith(b"content-length"))
    while len(body) < length:
        body += peer.recv(65536)
    return head + b"\r\n\r\n" + body


class Authority:
    """A certificate authority that lives as long as a test; its files stand in `folder`."""

    def __init__(self, folder: Path, name: str = "laboratory") -> None:
        self._folder, self._name = folder, name
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        own = self._certificate(self._subject, self._key, x509.BasicConstraints(ca=True, path_length=0))
        self.trust = folder / f"{name}.pem"
        self.trust.write_bytes(own.public_bytes(serialization.Encoding.PEM))

    def issue(self, who: str) -> tuple[Path, Path]:
        """Certificate and key for a party on loopback."""
        key = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, who)])
        certificate = self._certificate(subject, key, x509.BasicConstraints(ca=False, path_length=None))
        files = self._folder / f"{self._name}-{who}.pem", self._folder / f"{self._name}-{who}.key"
        files[0].write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
        files[1].write_bytes(key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption(),
        ))
        return files

    def _certificate(
        self, subject: x509.Name, key: ec.EllipticCurvePrivateKey, constraints: x509.BasicConstraints,
    ) -> x509.Certificate:
        now = wall_utc()
        names = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1")), x509.DNSName("localhost")])
        return (
            x509.CertificateBuilder().subject_name(subject).issuer_name(self._subject).public_key(key.public_key())
            .serial_number(x509.random_serial_number()).not_valid_before(now - timedelta(hours=1))
            .not_valid_after(now + timedelta(hours=1)).add_extension(constraints, critical=True).add_extension(names, critical=False)
            .sign(self._key, hashes.SHA256())
        )


@contextmanager
def at_most(seconds: float) -> Iterator[None]:
    """What happens inside takes no longer."""
    start = wall_seconds()
    yield
    assert wall_seconds() - start < seconds
