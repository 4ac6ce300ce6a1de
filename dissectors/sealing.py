"""Sealing and opening one secured NWK or APS frame: what is authenticated, what is encrypted. Holds no keys, knows no commands.

05-3474, 4.3.1 and 4.4.1: the header and the auxiliary header are authenticated, the payload is encrypted, both as if the level
field showed the level in use (5, encryption with a 32-bit MIC), although the air shows whatever the auxiliary header says
there, which is 0.
"""

from __future__ import annotations

from dissectors.layer import Record, encode
from dissectors.nwk import KeyIdentifier
from dissectors.security import ccm_open, ccm_seal, key_load_key, key_transport_key, nonce

SECURITY_LEVEL = 5  # ENC-MIC-32, the only level of the ZigBee and ZigBee PRO feature sets, 4.5.1.1.1


def additional_data(header: bytes, auxiliary: Record) -> bytes:
    """The octets that are authenticated and not encrypted: header and auxiliary header with the level in use."""
    octets = encode(auxiliary)
    return header + bytes([octets[0] & ~7 | SECURITY_LEVEL]) + octets[1:]  # the level is in the low bits of the security control


def nonce_of(auxiliary: Record, source_ieee: int) -> bytes:
    """The 13 octets of the nonce; `source_ieee` is the sealing device's address, also where the auxiliary header carries it."""
    control = auxiliary.reserved << 6 | auxiliary.extended_nonce << 5 | auxiliary.key_identifier << 3 | SECURITY_LEVEL
    return nonce(source_ieee, auxiliary.frame_counter, control)


def seal(header: bytes, auxiliary: Record, payload: bytes, key: bytes, source_ieee: int) -> bytes:
    """The whole secured frame: header, auxiliary header, encrypted payload, MIC of 4 octets."""
    sealed = ccm_seal(key, nonce_of(auxiliary, source_ieee), additional_data(header, auxiliary), payload)
    return header + encode(auxiliary) + sealed


def unseal(header: bytes, auxiliary: Record, sealed: bytes, key: bytes, source_ieee: int) -> bytes | None:
    """The payload out of encrypted payload and MIC, or None where the MIC is wrong or `sealed` is shorter than a MIC."""
    return ccm_open(key, nonce_of(auxiliary, source_ieee), additional_data(header, auxiliary), sealed)


def derived_key(link_key: bytes, key_identifier: int) -> bytes:
    """The key that a key identifier names for the holders of a link key, 4.5.3: the link key itself for a data key."""
    if key_identifier == KeyIdentifier.KEY_TRANSPORT:
        return key_transport_key(link_key)
    return key_load_key(link_key) if key_identifier == KeyIdentifier.KEY_LOAD else link_key
