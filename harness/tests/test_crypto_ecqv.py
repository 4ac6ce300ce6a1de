"""Implicit certificates: the published test certificates, our own authority, and what must be refused."""

from __future__ import annotations

from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dissectors.tests.vectors import read, rows
from harness.crypto.ecqv import (
    TEST_CA,
    TEST_CA_SEED,
    Certificate,
    CertificateError,
    CertificateFlaw,
    Credentials,
    certificate_hash,
    check_certificate,
    extract_public_key,
    public_key_of,
)
from harness.crypto.sect163k1 import ORDER, compress, decompress
from harness.values import Eui64

H = bytes.fromhex
ANNEX_C = read("cbke", "zse_annex_c")
TESTSECA = H(ANNEX_C["ca_public_key"])
PUBLISHED = Certificate(H(ANNEX_C["initiator"]["certificate"]))


INITIATOR, RESPONDER = (ANNEX_C[name] | {"ca_public_key": ANNEX_C["ca_public_key"]} for name in ("initiator", "responder"))


@pytest.mark.parametrize("vector", [*rows("certificates", "credentials"), INITIATOR, RESPONDER])
def test_published_credentials(vector: dict[str, str]) -> None:
    credentials = Credentials.read(vector)
    assert credentials.subject == Eui64.parse(vector["subject"])
    assert credentials.issuer == (b"HANPROOF" if H(vector["ca_public_key"]) == TEST_CA.public_key else b"TESTSECA")
    assert compress(credentials.public_key) == H(vector["public_key"])
    assert credentials.belong_together()


@pytest.mark.parametrize("vector", [INITIATOR, RESPONDER])
def test_certificate_hash(vector: dict[str, str]) -> None:
    assert certificate_hash(H(vector["certificate"])) == int(vector["certificate_hash"], 16)


@pytest.mark.parametrize("vector", rows("certificates", "certificates"))
def test_published_certificates_without_a_private_key(vector: dict[str, str]) -> None:
    certificate = Certificate(H(vector["certificate"]))
    assert certificate.subject == Eui64.parse(vector["subject"])
    assert compress(extract_public_key(certificate, H(vector["ca_public_key"]))) == H(vector["public_key"])


@pytest.mark.parametrize("vector", rows("certificates", "mismatched"))
def test_a_private_key_of_another_certificate_shows(vector: dict[str, str]) -> None:
    credentials = Credentials.read(vector)
    assert compress(credentials.public_key) == H(vector["public_key"])
    assert compress(public_key_of(credentials.private_key)) == H(vector["private_key_belongs_to"])
    assert not credentials.belong_together()


def test_the_parts_of_a_certificate() -> None:
    assert PUBLISHED.reconstruction_point == H("020615e07d30eca2dad58002e667d94bc1b422398307")
    assert PUBLISHED.subject == Eui64(2)
    assert PUBLISHED.attribute_data == H("01090006000000000000")
    assert Certificate.of(PUBLISHED.reconstruction_point, Eui64(2), b"TESTSECA", PUBLISHED.attribute_data) == PUBLISHED


@settings(max_examples=5, deadline=None)
@given(subject=st.integers(0, (1 << 64) - 1).map(Eui64), seed=st.integers(0, 1 << 32))
def test_what_our_authority_issues_belongs_together(subject: Eui64, seed: int) -> None:
    credentials = TEST_CA.issue(subject, Random(seed))
    assert (credentials.subject, credentials.issuer) == (subject, b"HANPROOF")
    assert credentials.belong_together()
    assert check_certificate(credentials.certificate, subject, b"HANPROOF") == credentials.certificate
    assert TEST_CA.issue(subject, Random(seed)) == credentials


def test_our_authority_is_the_published_one() -> None:
    ours = read("certificates", "hanproof")
    assert ours["seed"].encode() == TEST_CA_SEED
    assert H(ours["issuer"]) == TEST_CA.issuer
    assert int(ours["ca_private_key"], 16) == TEST_CA.private_key
    assert H(ours["ca_public_key"]) == TEST_CA.public_key


def test_another_authority_extracts_another_key() -> None:
    assert extract_public_key(PUBLISHED, TEST_CA.public_key) != extract_public_key(PUBLISHED, TESTSECA)


@pytest.mark.parametrize(("octets", "flaw", "message"), [
    (PUBLISHED[:-1], CertificateFlaw.LENGTH, "48 octets, not 47"),
    (PUBLISHED + b"\0", CertificateFlaw.LENGTH, "48 octets, not 49"),
    (PUBLISHED.replace(b"SECA", b"SECB"), CertificateFlaw.ISSUER, "issued by 5445535453454342, not by 5445535453454341"),
    (PUBLISHED[:22] + PUBLISHED[22:30][::-1] + PUBLISHED[30:], CertificateFlaw.SUBJECT, "issued to 0200000000000000, not to"),
    (b"\x04" + PUBLISHED[1:], CertificateFlaw.POINT, "02 or 03, not 04"),
    (b"\x02" + bytes(20) + b"\x02" + PUBLISHED[22:], CertificateFlaw.POINT, "no point of sect163k1"),
])
def test_a_certificate_that_must_not_be_used(octets: bytes, flaw: CertificateFlaw, message: str) -> None:
    with pytest.raises(CertificateError, match=message) as refusal:
        check_certificate(octets, Eui64(2), b"TESTSECA")
    assert refusal.value.flaw is flaw
    assert check_certificate(PUBLISHED, Eui64(2), b"TESTSECA") == PUBLISHED


def test_a_certificate_whose_key_is_the_point_at_infinity() -> None:
    certificate = Certificate.of(compress(public_key_of(1)), Eui64(2), b"TESTSECA")  # B is the generator, so e * B is e * G
    authority = public_key_of(ORDER - certificate_hash(certificate))
    with pytest.raises(CertificateError, match="point at infinity") as refusal:
        extract_public_key(certificate, compress(authority))
    assert refusal.value.flaw is CertificateFlaw.POINT


@pytest.mark.parametrize(("field", "value", "message"), [
    ("certificate", "00", "certificate: 96 hex digits are needed, not 2"),
    ("certificate", "zz", "certificate: 96 hex digits are needed"),
    ("private_key", None, "private_key: 42 hex digits are needed"),
    ("private_key", "00" * 21, "private_key: not between"),
    ("private_key", f"{ORDER:042x}", "private_key: not between"),
    ("ca_public_key", 5, "ca_public_key: 44 hex digits are needed"),
])
def test_credentials_that_cannot_be_read(field: str, value: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Credentials.read({**INITIATOR, field: value})


def test_the_private_key_is_not_shown() -> None:
    credentials = Credentials.read(INITIATOR)
    assert str(credentials.private_key) not in repr(credentials)
    assert str(TEST_CA.private_key) not in repr(TEST_CA)
    assert decompress(credentials.ca_public_key)


@pytest.mark.parametrize("private_key", [0, ORDER, -1])
def test_numbers_that_are_no_private_key(private_key: int) -> None:
    with pytest.raises(ValueError, match="between 1 and the order"):
        public_key_of(private_key)
