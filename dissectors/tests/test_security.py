"""The cryptography of frames against published vectors and sniffed frames."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

import pytest
import yaml

from dissectors import security
from dissectors.tests.vectors import VECTORS, rows

H = bytes.fromhex


@pytest.mark.parametrize("path", sorted(VECTORS.glob("*/*.yaml")), ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_every_file_of_vectors_says_where_they_come_from(path: Any) -> None:
    document = yaml.safe_load(path.read_text(encoding="utf-8"))
    assert document["source"].keys() == {"document", "clause", "retrieved"}
    assert document["confirmed_by"]


@pytest.mark.parametrize("vector", rows("aes_mmo"))
def test_aes_mmo(vector: dict[str, Any]) -> None:
    counting = vector.get("counting_octets")
    message = H(vector["message"]) if counting is None else bytes(octet % 256 for octet in range(counting))
    assert security.aes_mmo(message) == H(vector["digest"])


def test_aes_mmo_has_a_longest_message() -> None:
    class Endless(bytes):
        def __len__(self) -> int:
            return 1 << 29

    with pytest.raises(ValueError, match="below 2\\^32 bits"):
        security.aes_mmo(Endless())


@pytest.mark.parametrize("vector", rows("hmac_mmo"))
def test_hmac_mmo(vector: dict[str, str]) -> None:
    assert security.hmac_mmo(H(vector["key"]), H(vector["message"])) == H(vector["hmac"])


def test_hmac_mmo_fills_a_short_key_with_zeros() -> None:
    assert security.hmac_mmo(b"\x40", b"m") == security.hmac_mmo(b"\x40" + bytes(15), b"m") != security.hmac_mmo(b"", b"m")


@pytest.mark.parametrize("vector", rows("ccm"))
def test_ccm_seals_and_opens(vector: dict[str, Any]) -> None:
    key, nonce, header = H(vector["key"]), H(vector["nonce"]), H(vector["header"])
    plaintext, sealed, mic_length = H(vector["plaintext"]), H(vector["sealed"]), vector["mic_length"]
    assert security.ccm_seal(key, nonce, header, plaintext, mic_length) == sealed
    assert security.ccm_open(key, nonce, header, sealed, mic_length) == plaintext


@pytest.mark.parametrize("vector", [row for row in rows("ccm") if "source_ieee" in row.values[0]])
def test_nonce(vector: dict[str, Any]) -> None:
    nonce = security.nonce(int(vector["source_ieee"], 16), vector["frame_counter"], vector["security_control"])
    assert nonce == H(vector["nonce"])


@pytest.mark.parametrize("changed", ["key", "nonce", "header", "ciphertext", "mic"])
def test_ccm_open_refuses_whatever_was_not_sealed(changed: str) -> None:
    parts = {"key": bytes(16), "nonce": bytes(13), "header": b"header", "ciphertext": b"", "mic": b""}
    sealed = security.ccm_seal(parts["key"], parts["nonce"], parts["header"], b"payload")
    parts |= {"ciphertext": sealed[:-4], "mic": sealed[-4:]}
    parts[changed] = parts[changed][:-1] + bytes([parts[changed][-1] ^ 1])
    opened = security.ccm_open(parts["key"], parts["nonce"], parts["header"], parts["ciphertext"] + parts["mic"])
    assert opened is None


@pytest.mark.parametrize("length", range(5))
def test_what_is_no_longer_than_a_mic_carries_nothing(length: int) -> None:
    assert security.ccm_open(bytes(16), bytes(13), b"", bytes(length)) is None
    assert security.ccm_open(bytes(16), bytes(13), b"", security.ccm_seal(bytes(16), bytes(13), b"", b"")) == b""


@pytest.mark.parametrize(("key", "nonce", "mic_length"), [(15, 13, 4), (24, 13, 4), (16, 12, 4), (16, 13, 6), (16, 13, 0)])
def test_lengths_that_zigbee_does_not_have_are_refused(key: int, nonce: int, mic_length: int) -> None:
    with pytest.raises(ValueError, match="octets, not"):
        security.ccm_seal(bytes(key), bytes(nonce), b"", b"", mic_length)
    with pytest.raises(ValueError, match="octets, not"):
        security.ccm_open(bytes(key), bytes(nonce), b"", bytes(4), mic_length)


@pytest.mark.parametrize("vector", rows("derived_keys"))
def test_derived_keys(vector: dict[str, str]) -> None:
    made: dict[str, Callable[[bytes], bytes]] = {
        "key_transport_key": security.key_transport_key,
        "key_load_key": security.key_load_key,
        "verify_key_hash": security.verify_key_hash,
        "digest": security.aes_mmo,
    }
    link_key = H(vector["link_key"])
    assert {name: made[name](link_key).hex() for name in vector if name in made} | {"link_key": link_key.hex()} == vector


def test_the_block_cipher_is_used_without_a_deprecation_warning() -> None:
    security._encryptor.cache_clear()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        security.aes_mmo(b"new cipher objects, also for the zero key")
