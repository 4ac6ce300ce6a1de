"""Certificate-based key establishment, crypto suite 1: ephemeral keys, the shared secret, the keys made of it, confirmation.

Pure functions over octets; knows no message, no state, no timer. U is the initiator, V the responder (075356, annex C).
`known_mistakes` computes what a party arrives at that makes a known mistake, so that a finding can name it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Literal

from dissectors.security import aes_mmo, hmac_mmo
from harness.crypto import ecmqv, sect163k1
from harness.crypto.ecqv import Chance, Credentials, extract_public_key, public_key_of
from harness.crypto.sect163k1 import COFACTOR, ORDER, Point
from harness.values import Eui64

_TAG_U = b"\x02"
_TAG_V = b"\x03"


@dataclass(frozen=True)
class EphemeralKey:
    """A key for one exchange: `public` is compressed, 22 octets, as Ephemeral Data carries it."""

    private: int = field(repr=False)
    public: bytes


def ephemeral_key(source: int | Chance) -> EphemeralKey:
    """The ephemeral key with this private key, or a new one drawn by chance. Raises ValueError outside 1 .. n-1."""
    private = source if isinstance(source, int) else source.randrange(1, ORDER)
    return EphemeralKey(private, sect163k1.compress(public_key_of(private)))


def agree(
    own: Credentials,
    own_ephemeral: EphemeralKey,
    peer_certificate: bytes,
    peer_ephemeral_public: bytes,
    ca_public_key: bytes | None = None,
    *,
    cofactor: int = COFACTOR,
) -> bytes:
    """Z, 21 octets: the same for both parties. The authority is our own unless given; `cofactor` 1 is a known mistake.

    Raises ValueError with the reason when the peer's certificate or ephemeral key gives no secret.
    """
    peer_public_key = extract_public_key(bytes(peer_certificate), ca_public_key or own.ca_public_key)
    return ecmqv.shared_secret(
        own.private_key, own_ephemeral.private, sect163k1.decompress(own_ephemeral.public),
        peer_public_key, check_ephemeral(peer_ephemeral_public), cofactor,
    )


def check_ephemeral(octets: bytes) -> Point:
    """The point that a received ephemeral public key encodes. Raises ValueError with the reason when it encodes none."""
    try:
        return sect163k1.decompress(octets)
    except ValueError as fault:
        raise ValueError(f"the ephemeral public key is none: {fault}") from None


def derive(z: bytes) -> tuple[bytes, bytes]:
    """MacKey and KeyData, 16 octets each; KeyData becomes the trust-centre link key.

    The X9.63 key derivation function over AES-MMO: a 32-bit big-endian counter from 1 on, no shared information.
    """
    return _derive(z, first=1)


def _derive(z: bytes, first: int, order: Literal["big", "little"] = "big") -> tuple[bytes, bytes]:
    return aes_mmo(z + first.to_bytes(4, order)), aes_mmo(z + (first + 1).to_bytes(4, order))


@dataclass(frozen=True)
class Parties:
    """Who establishes a key, and the ephemeral public keys that both have sent, compressed."""

    initiator: Eui64
    responder: Eui64
    initiator_ephemeral: bytes
    responder_ephemeral: bytes


def mac_u(mac_key: bytes, parties: Parties) -> bytes:
    """What the initiator's Confirm Key Data carries: HMAC over 02, U, V, QEU, QEV; addresses most significant octet first."""
    return hmac_mmo(mac_key, _TAG_U + _confirmed(parties))


def mac_v(mac_key: bytes, parties: Parties) -> bytes:
    """What the responder's Confirm Key Data carries: HMAC over 03, V, U, QEV, QEU."""
    return hmac_mmo(mac_key, _TAG_V + _confirmed(_exchanged(parties)))


def _confirmed(parties: Parties) -> bytes:
    addresses = parties.initiator.octets + parties.responder.octets
    return addresses + parties.initiator_ephemeral + parties.responder_ephemeral


def _exchanged(parties: Parties) -> Parties:
    return Parties(parties.responder, parties.initiator, parties.responder_ephemeral, parties.initiator_ephemeral)


@dataclass(frozen=True)
class Outcome:
    """What a party arrives at from a shared secret; the keys are never part of a repr."""

    mac_key: bytes = field(repr=False)
    key_data: bytes = field(repr=False)
    mac_u: bytes
    mac_v: bytes


def conclude(z: bytes, parties: Parties) -> Outcome:
    """Keys and confirmations as they should be."""
    return _outcome(*derive(z), parties)


def _outcome(mac_key: bytes, key_data: bytes, parties: Parties) -> Outcome:
    return Outcome(mac_key, key_data, mac_u(mac_key, parties), mac_v(mac_key, parties))


def known_mistakes(z: bytes, parties: Parties, z_without_cofactor: bytes | None = None) -> dict[str, Outcome]:
    """What follows from each known mistake, by its name.

    `z` is the right secret; without `agree(..., cofactor=1)` the mistake "cofactor-left-out" cannot be computed and is missing.
    """
    return dict(_mistakes(z, parties, z_without_cofactor))


def _mistakes(z: bytes, parties: Parties, z_without_cofactor: bytes | None) -> Iterator[tuple[str, Outcome]]:
    mac_key, key_data = derive(z)
    if z_without_cofactor is not None:
        yield "cofactor-left-out", conclude(z_without_cofactor, parties)
    yield "kdf-counter-from-0", _outcome(*_derive(z, first=0), parties)
    yield "kdf-counter-little-endian", _outcome(*_derive(z, first=1, order="little"), parties)
    yield "key-data-as-mac-key", _outcome(key_data, key_data, parties)
    exchanged = _exchanged(parties)
    yield "tags-exchanged", Outcome(
        mac_key, key_data,
        hmac_mmo(mac_key, _TAG_V + _confirmed(parties)), hmac_mmo(mac_key, _TAG_U + _confirmed(exchanged)),
    )
    yield "roles-exchanged", Outcome(mac_key, key_data, mac_v(mac_key, parties), mac_u(mac_key, parties))
    u, v = parties.initiator, parties.responder
    for name, mistaken in (
        ("addresses-little-endian", replace(parties, initiator=_reversed(u), responder=_reversed(v))),
        ("addresses-in-wrong-order", replace(parties, initiator=v, responder=u)),
        ("ephemeral-keys-in-wrong-order", replace(exchanged, initiator=u, responder=v)),
    ):
        yield name, _outcome(mac_key, key_data, mistaken)


def _reversed(address: Eui64) -> Eui64:
    return Eui64.from_octets(address.octets[::-1])


def name_mistake(received: bytes, by_initiator: bool, mistakes: dict[str, Outcome]) -> str | None:
    """The mistake that explains a confirmation received from the initiator (or the responder); None where none is known."""
    for name, outcome in mistakes.items():
        if received == (outcome.mac_u if by_initiator else outcome.mac_v):
            return name
    return None
