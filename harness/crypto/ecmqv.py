"""Elliptic-curve MQV with cofactor over sect163k1: the secret that two parties share. Knows no certificate and no message.

s = d_eph + avf(Q_eph) * d mod n; Z = x of h * s * (P_eph + avf(P_eph) * P), P being the peer's keys (SEC 1, 3.4).
"""

from __future__ import annotations

from harness.crypto.sect163k1 import COFACTOR, FIELD_OCTETS, ORDER, Point, add, multiply

_HALF = 82  # half the order's 163 bits, rounded up


def associate_value(point: Point) -> int:
    """avf: the low half of the point's x with a leading one."""
    return (1 << _HALF) | (point.x & ((1 << _HALF) - 1))


def shared_secret(
    private_key: int,
    ephemeral_private_key: int,
    ephemeral_public_key: Point,
    peer_public_key: Point,
    peer_ephemeral_public_key: Point,
    cofactor: int = COFACTOR,
) -> bytes:
    """Z in 21 octets, most significant first. Raises ValueError when the shared point is at infinity.

    `cofactor` 1 gives what a party makes that leaves it out; right is 2.
    """
    signature = (ephemeral_private_key + associate_value(ephemeral_public_key) * private_key) % ORDER
    peer = add(peer_ephemeral_public_key, multiply(associate_value(peer_ephemeral_public_key), peer_public_key))
    shared = multiply(cofactor * signature, peer)
    if shared is None:
        raise ValueError("the shared point is at infinity: the peer's keys carry no secret")
    return shared.x.to_bytes(FIELD_OCTETS, "big")
