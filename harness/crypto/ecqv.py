"""Implicit certificates of crypto suite 1 (ECQV, SEC 4): the certificate, extracting the public key, a test authority.

Knows no key agreement and no message. A certificate is 48 octets: reconstruction point (22), subject (8, the IEEE address most
significant octet first), issuer (8), profile attribute data (10, beginning with the profile id 0109). Its hash is AES-MMO over
all 48, read as a big-endian integer.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from functools import lru_cache
from typing import Protocol

from dissectors.security import aes_mmo
from harness.crypto import sect163k1
from harness.crypto.sect163k1 import FIELD_OCTETS, GENERATOR, ORDER, POINT_OCTETS, Point
from harness.values import Eui64

CERTIFICATE_OCTETS = 48
ATTRIBUTE_DATA = bytes.fromhex("01090000000000000000")  # profile id 0109, then no manufacturer's data

_SUBJECT = slice(POINT_OCTETS, POINT_OCTETS + 8)
_ISSUER = slice(_SUBJECT.stop, _SUBJECT.stop + 8)


class Chance(Protocol):
    """What key generation asks of a `random.Random`."""

    def randrange(self, start: int, stop: int) -> int:
        """A uniform integer in [start, stop)."""


class CertificateFlaw(StrEnum):
    """What can be wrong with a certificate that was received."""

    LENGTH = "length"
    SUBJECT = "subject"
    ISSUER = "issuer"
    POINT = "reconstruction point"


class CertificateError(ValueError):
    """A certificate that must not be used: `flaw` says why, the message is one line."""

    def __init__(self, flaw: CertificateFlaw, message: str) -> None:
        super().__init__(message)
        self.flaw = flaw


class Certificate(bytes):
    """The 48 octets of an implicit certificate, with names for its parts. Raises CertificateError for another length."""

    __slots__ = ()

    def __new__(cls, octets: bytes) -> Certificate:
        if len(octets) != CERTIFICATE_OCTETS:
            raise CertificateError(
                CertificateFlaw.LENGTH, f"a suite 1 certificate has {CERTIFICATE_OCTETS} octets, not {len(octets)}"
            )
        return super().__new__(cls, octets)

    @classmethod
    def of(
        cls, reconstruction_point: bytes, subject: Eui64, issuer: bytes, attribute_data: bytes = ATTRIBUTE_DATA
    ) -> Certificate:
        """Put together from its parts, of 22, 8, 8 and 10 octets."""
        return cls(reconstruction_point + subject.octets + issuer + attribute_data)

    @property
    def reconstruction_point(self) -> bytes:
        """The point that the public key is made from, compressed."""
        return self[:POINT_OCTETS]

    @property
    def subject(self) -> Eui64:
        """The device that it was issued to."""
        return Eui64.from_octets(self[_SUBJECT])

    @property
    def issuer(self) -> bytes:
        """The 8 octets that name the authority."""
        return self[_ISSUER]

    @property
    def attribute_data(self) -> bytes:
        """The profile id (most significant octet first) and what the authority adds."""
        return self[_ISSUER.stop :]


@dataclass(frozen=True)
class Credentials:
    """What a device is manufactured with; the private key is never part of a repr. Points are compressed, 22 octets."""

    certificate: Certificate
    private_key: int = field(repr=False)
    ca_public_key: bytes

    @classmethod
    def read(cls, fields: Mapping[str, str]) -> Credentials:
        """From `certificate`, `private_key` and `ca_public_key` in hex, as device files and vectors carry them.

        Raises ValueError naming the field.
        """
        octets: dict[str, bytes] = {}
        for name, length in (
            ("certificate", CERTIFICATE_OCTETS), ("private_key", FIELD_OCTETS), ("ca_public_key", POINT_OCTETS)
        ):
            try:
                octets[name] = bytes.fromhex(fields[name])
            except (KeyError, TypeError, ValueError):
                raise ValueError(f"{name}: {2 * length} hex digits are needed") from None
            if len(octets[name]) != length:
                raise ValueError(f"{name}: {2 * length} hex digits are needed, not {2 * len(octets[name])}")
        private_key = int.from_bytes(octets["private_key"], "big")
        if not 0 < private_key < ORDER:
            raise ValueError("private_key: not between 1 and the order of the curve")
        return cls(Certificate(octets["certificate"]), private_key, octets["ca_public_key"])

    @property
    def subject(self) -> Eui64:
        """The device."""
        return self.certificate.subject

    @property
    def issuer(self) -> bytes:
        """The 8 octets that name the authority."""
        return self.certificate.issuer

    @property
    def public_key(self) -> Point:
        """What others extract from the certificate. Raises CertificateError where that is no point."""
        return extract_public_key(self.certificate, self.ca_public_key)

    def belong_together(self) -> bool:
        """Whether the private key is that of the certificate; a device where it is not fails at key confirmation."""
        return public_key_of(self.private_key) == self.public_key


@lru_cache(maxsize=256)
def public_key_of(private_key: int) -> Point:
    """The private key times the generator. Raises ValueError outside 1 .. n-1."""
    point = sect163k1.multiply(private_key, GENERATOR) if 0 < private_key < ORDER else None
    if point is None:
        raise ValueError("a private key lies between 1 and the order of the curve")
    return point


def certificate_hash(certificate: bytes) -> int:
    """e: the hash of the whole certificate, 128 bits."""
    return int.from_bytes(aes_mmo(certificate), "big")


@lru_cache(maxsize=256)
def extract_public_key(certificate: bytes, ca_public_key: bytes) -> Point:
    """Q = e * B + Q_CA, with B the certificate's reconstruction point. Raises CertificateError when there is no such key."""
    product = sect163k1.multiply(certificate_hash(certificate), _reconstruction(Certificate(certificate)))
    public_key = sect163k1.add(product, sect163k1.decompress(ca_public_key))
    if public_key is None:
        raise CertificateError(CertificateFlaw.POINT, "the certificate's public key is the point at infinity")
    return public_key


def _reconstruction(certificate: Certificate) -> Point:
    try:
        return sect163k1.decompress(certificate.reconstruction_point)
    except ValueError as fault:
        raise CertificateError(CertificateFlaw.POINT, f"the certificate's reconstruction point is none: {fault}") from None


def check_certificate(octets: bytes, subject: Eui64, issuer: bytes) -> Certificate:
    """A received certificate, if its length is right, it names this authority and this device, and its point is one.

    Raises CertificateError for the first of these that fails. An implicit certificate carries no signature: that it was really
    issued shows only when the peer confirms the key.
    """
    certificate = Certificate(octets)
    if certificate.issuer != issuer:
        raise CertificateError(CertificateFlaw.ISSUER, f"issued by {certificate.issuer.hex()}, not by {issuer.hex()}")
    if certificate.subject != subject:
        raise CertificateError(CertificateFlaw.SUBJECT, f"issued to {certificate.subject}, not to {subject}")
    _reconstruction(certificate)
    return certificate


@dataclass(frozen=True)
class CertificateAuthority:
    """An authority that makes the device's key as well, which only a test authority does."""

    private_key: int = field(repr=False)
    issuer: bytes

    @property
    def public_key(self) -> bytes:
        """Compressed; every device that is to trust this authority is given it."""
        return sect163k1.compress(public_key_of(self.private_key))

    def issue(self, subject: Eui64, chance: Chance, attribute_data: bytes = ATTRIBUTE_DATA) -> Credentials:
        """New credentials for a device (SEC 4, with authority and requester in one): B = kG, d = e * k + d_CA mod n."""
        while True:
            secret = chance.randrange(1, ORDER)
            reconstruction_point = sect163k1.compress(public_key_of(secret))
            certificate = Certificate.of(reconstruction_point, subject, self.issuer, attribute_data)
            private_key = (certificate_hash(certificate) * secret + self.private_key) % ORDER
            if private_key:
                return Credentials(certificate, private_key, self.public_key)


TEST_CA_SEED = b"HANproof's test authority: this key is public and protects nothing"
TEST_CA = CertificateAuthority(int.from_bytes(aes_mmo(TEST_CA_SEED), "big"), issuer=b"HANPROOF")
"""Issues credentials for any EUI-64 of a bench. Its private key is the hash of a public sentence: no product may trust it."""
