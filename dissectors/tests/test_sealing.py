"""Sealing and opening against sniffed frames, and what a wrong key, address, counter or octet does."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dissectors import nwk
from dissectors.layer import encode
from dissectors.sealing import additional_data, nonce_of, seal, unseal
from dissectors.tests.vectors import read

KEY = bytes(range(16))


@pytest.mark.parametrize("vector", read("ccm", "zigbee_on_host")["vectors"], ids=lambda vector: vector["frame"])
def test_sniffed_frames_are_sealed_and_opened(vector: dict[str, str | int]) -> None:
    octets = {name: bytes.fromhex(str(vector[name])) for name in ("key", "nonce", "header", "plaintext", "sealed")}
    source = int(str(vector["source_ieee"]), 16)
    control = int(vector["security_control"])
    auxiliary = nwk.AuxiliaryHeader.of(
        key_identifier=control >> 3 & 3, frame_counter=vector["frame_counter"], source_ieee=source,
        key_sequence=0 if control >> 3 & 3 == nwk.KeyIdentifier.NETWORK else None,
    )
    header = octets["header"][: -len(encode(auxiliary))]
    assert nonce_of(auxiliary, source) == octets["nonce"]
    assert additional_data(header, auxiliary) == octets["header"]
    whole = seal(header, auxiliary, octets["plaintext"], octets["key"], source)
    assert whole == header + encode(auxiliary) + octets["sealed"]
    assert encode(auxiliary)[0] & 7 == 0  # the level in use is not sent
    assert unseal(header, auxiliary, octets["sealed"], octets["key"], source) == octets["plaintext"]


@given(st.binary(max_size=80), st.integers(0, 0xFFFFFFFF), st.sampled_from(nwk.KeyIdentifier), st.integers(0, 1))
def test_only_the_right_key_and_address_open(payload: bytes, counter: int, identifier: int, extended: int) -> None:
    auxiliary = nwk.AuxiliaryHeader.of(
        extended_nonce=extended, key_identifier=identifier, frame_counter=counter, source_ieee=5 if extended else None
    )
    sealed = seal(b"header", auxiliary, payload, KEY, 5)[6 + len(encode(auxiliary)) :]
    assert len(sealed) == len(payload) + 4
    assert unseal(b"header", auxiliary, sealed, KEY, 5) == payload
    assert unseal(b"header", auxiliary, sealed, KEY[::-1], 5) is None
    assert unseal(b"header", auxiliary, sealed, KEY, 6) is None
    assert unseal(b"hEader", auxiliary, sealed, KEY, 5) is None
    assert unseal(b"header", auxiliary.replace(frame_counter=counter ^ 1), sealed, KEY, 5) is None
    assert unseal(b"header", auxiliary, sealed[:-1], KEY, 5) is None
    assert unseal(b"header", auxiliary, sealed[:3], KEY, 5) is None


def test_a_level_on_the_wire_stays_there_and_does_not_count() -> None:
    silent, telling = nwk.AuxiliaryHeader.of(source_ieee=5), nwk.AuxiliaryHeader.of(source_ieee=5, security_level=5)
    assert additional_data(b"", silent) == additional_data(b"", telling) == encode(telling)
    whole = seal(b"", telling, b"payload", KEY, 5)
    assert whole[:14] == encode(telling)
    assert whole[14:] == seal(b"", silent, b"payload", KEY, 5)[14:]
