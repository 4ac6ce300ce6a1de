"""Signatures over K-163: what is signed verifies, and nothing else does."""

from __future__ import annotations

from random import Random

import pytest

from harness.crypto.ecdsa import SIGNATURE_OCTETS, sign, verify
from harness.crypto.ecqv import public_key_of
from harness.crypto.sect163k1 import ORDER

PRIVATE_KEY = 0x1234567890ABCDEF
MESSAGE = b"Report Event Status"
SIGNATURE = sign(PRIVATE_KEY, MESSAGE, Random(1))


def test_a_signature_verifies_under_the_signers_key_alone() -> None:
    assert len(SIGNATURE) == SIGNATURE_OCTETS
    assert verify(public_key_of(PRIVATE_KEY), MESSAGE, SIGNATURE)
    assert not verify(public_key_of(PRIVATE_KEY + 1), MESSAGE, SIGNATURE)
    assert not verify(public_key_of(PRIVATE_KEY), MESSAGE + b".", SIGNATURE)


@pytest.mark.parametrize("signature", [
    b"", SIGNATURE[:-1], SIGNATURE + b"\0", bytes(SIGNATURE_OCTETS), b"\xff" * SIGNATURE_OCTETS,
    SIGNATURE[:21] + ORDER.to_bytes(21, "big"), bytes([SIGNATURE[0] ^ 1]) + SIGNATURE[1:],
], ids=["empty", "short", "long", "zero", "unsigned", "s too large", "altered"])
def test_what_is_no_signature(signature: bytes) -> None:
    assert not verify(public_key_of(PRIVATE_KEY), MESSAGE, signature)


def test_two_signatures_of_one_message_differ() -> None:
    assert sign(PRIVATE_KEY, MESSAGE, Random(2)) != SIGNATURE
