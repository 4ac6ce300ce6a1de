"""ECDSA over sect163k1 with the AES-MMO hash: the signature of a Report Event Status. Knows no message.

A signature is r and s, 21 octets each, most significant first (Smart Energy 1.0, 075356, annex D.3; FIPS 186-4, 6).
"""

from __future__ import annotations

from dissectors.security import aes_mmo
from harness.crypto.ecqv import Chance, public_key_of
from harness.crypto.sect163k1 import FIELD_OCTETS, GENERATOR, ORDER, Point, add, multiply

SIGNATURE_OCTETS = 2 * FIELD_OCTETS


def sign(private_key: int, message: bytes, chance: Chance) -> bytes:
    """The signature of `message` in 42 octets."""
    digest = int.from_bytes(aes_mmo(message), "big")
    while True:
        secret = chance.randrange(1, ORDER)
        r = public_key_of(secret).x % ORDER
        s = pow(secret, -1, ORDER) * (digest + r * private_key) % ORDER
        if r and s:
            return r.to_bytes(FIELD_OCTETS, "big") + s.to_bytes(FIELD_OCTETS, "big")


def verify(public_key: Point, message: bytes, signature: bytes) -> bool:
    """Whether `signature` is that of `message` under `public_key`; a wrong length is simply no signature."""
    if len(signature) != SIGNATURE_OCTETS:
        return False
    r = int.from_bytes(signature[:FIELD_OCTETS], "big")
    s = int.from_bytes(signature[FIELD_OCTETS:], "big")
    if not (0 < r < ORDER and 0 < s < ORDER):
        return False
    inverse = pow(s, -1, ORDER)
    digest = int.from_bytes(aes_mmo(message), "big")
    point = add(multiply(digest * inverse % ORDER, GENERATOR), multiply(r * inverse % ORDER, public_key))
    return point is not None and point.x % ORDER == r
