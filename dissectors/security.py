"""The cryptography of ZigBee frames: AES-MMO, HMAC-MMO, CCM*, nonces, derived keys. Knows no frame layout and no key's owner.

Pure functions over octets; keys are 16 octets. Clauses are those of 05-3474: annex A (CCM*), annex B (hash and keyed hash),
4.5.2.2 (nonce) and 4.5.3 (derived keys).
"""

from __future__ import annotations

from functools import lru_cache

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers import Cipher, CipherContext, algorithms, modes
from cryptography.hazmat.primitives.ciphers.aead import AESCCM

KEY_LENGTH = 16  # octets, of every symmetric key and of every AES-MMO digest
NONCE_LENGTH = 13  # octets, so CCM*'s L is 2
MIC_LENGTH = 4  # octets, of security level 5, the only one that the ZigBee and ZigBee PRO feature sets use
WELL_KNOWN_LINK_KEY = b"ZigBeeAlliance09"  # the default trust-centre link key of other profiles: everybody knows it

_BLOCK = 16
_SHORT_FORM_BITS = 1 << 16  # from this message length in bits on, AES-MMO pads with a 32-bit length, B.6
_LONG_FORM_BITS = 1 << 32


@lru_cache(maxsize=8)
def _encryptor(key: bytes) -> CipherContext:
    """A kept AES-128 block cipher: ECB has no state between blocks, and keeping it is ten times as fast as making it."""
    return Cipher(algorithms.AES(key), modes.ECB()).encryptor()


def _padded(message: bytes) -> bytes:
    bits = 8 * len(message)
    if bits < _SHORT_FORM_BITS:
        tail = bits.to_bytes(2, "big")
    elif bits < _LONG_FORM_BITS:
        tail = bits.to_bytes(4, "big") + bytes(2)
    else:
        raise ValueError(f"AES-MMO takes messages below 2^32 bits, this one has {bits}")
    zeros = -(len(message) + 1 + len(tail)) % _BLOCK
    return message + b"\x80" + bytes(zeros) + tail


def aes_mmo(message: bytes) -> bytes:
    """The Matyas-Meyer-Oseas hash over AES-128, 16 octets (B.6). Raises ValueError from 2^32 bits on."""
    padded = _padded(message)
    digest = bytes(_BLOCK)
    for start in range(0, len(padded), _BLOCK):
        block = padded[start : start + _BLOCK]
        # every block has its own key, so only the all-zero key of the first is worth keeping
        cipher = _encryptor(digest) if start == 0 else Cipher(algorithms.AES(digest), modes.ECB()).encryptor()
        mixed = int.from_bytes(cipher.update(block), "big") ^ int.from_bytes(block, "big")
        digest = mixed.to_bytes(_BLOCK, "big")
    return digest


def hmac_mmo(key: bytes, message: bytes) -> bytes:
    """HMAC over AES-MMO, 16 octets (B.1.4); a key longer than 16 octets is hashed first, a shorter one filled with zeros."""
    block = (aes_mmo(key) if len(key) > _BLOCK else key).ljust(_BLOCK, b"\0")
    inner = aes_mmo(bytes(octet ^ 0x36 for octet in block) + message)
    return aes_mmo(bytes(octet ^ 0x5C for octet in block) + inner)


@lru_cache(maxsize=256)
def _ccm(key: bytes, mic_length: int) -> AESCCM:
    if len(key) != KEY_LENGTH:
        raise ValueError(f"a ZigBee key has {KEY_LENGTH} octets, not {len(key)}")
    return AESCCM(key, mic_length)


def ccm_seal(key: bytes, nonce: bytes, header: bytes, plaintext: bytes, mic_length: int = MIC_LENGTH) -> bytes:
    """Encrypt and authenticate (annex A): the ciphertext and its MIC; `header` is authenticated only.

    The nonce has 13 octets, the MIC 4 (level 5), 8 (level 6) or 16 (level 7). Raises ValueError for other lengths.
    """
    _check_lengths(nonce, mic_length)
    return _ccm(key, mic_length).encrypt(nonce, plaintext, header)


def ccm_open(key: bytes, nonce: bytes, header: bytes, sealed: bytes, mic_length: int = MIC_LENGTH) -> bytes | None:
    """Undo `ccm_seal`: the plaintext, or None where the MIC is wrong or `sealed` is shorter than a MIC."""
    _check_lengths(nonce, mic_length)
    try:
        return _ccm(key, mic_length).decrypt(nonce, sealed, header)
    except InvalidTag:
        return None


def _check_lengths(nonce: bytes, mic_length: int) -> None:
    if len(nonce) != NONCE_LENGTH:
        raise ValueError(f"a CCM* nonce has {NONCE_LENGTH} octets, not {len(nonce)}")
    if mic_length not in (4, 8, 16):
        raise ValueError(f"a CCM* MIC has 4, 8 or 16 octets, not {mic_length}")


def nonce(source_ieee: int, frame_counter: int, security_control: int) -> bytes:
    """The 13 octets of the CCM* nonce (4.5.2.2): source address and frame counter little-endian, then the security control.

    `security_control` carries the level really used (5), although the wire shows 0 there (4.3.1.2). Raises OverflowError for a
    value that does not fit.
    """
    return source_ieee.to_bytes(8, "little") + frame_counter.to_bytes(4, "little") + security_control.to_bytes(1, "little")


@lru_cache(maxsize=1024)
def key_transport_key(link_key: bytes) -> bytes:
    """The key that seals a Transport-Key with a network key (4.5.3, key identifier 2)."""
    return hmac_mmo(link_key, b"\x00")


@lru_cache(maxsize=1024)
def key_load_key(link_key: bytes) -> bytes:
    """The key that seals a Transport-Key with a link or master key (4.5.3, key identifier 3)."""
    return hmac_mmo(link_key, b"\x02")


def verify_key_hash(link_key: bytes) -> bytes:
    """What a Verify-Key command carries (revision 21 and later); no Smart Energy 1.0 device sends it."""
    return hmac_mmo(link_key, b"\x03")
