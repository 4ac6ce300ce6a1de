"""Second opinions on the curve and the agreement, by OpenSSL and BouncyCastle; each skips, and says so, where it is absent."""

from __future__ import annotations

import ctypes
import ctypes.util
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from random import Random

import pytest

from dissectors.tests.vectors import read, rows
from harness.crypto.cbke import agree, ephemeral_key
from harness.crypto.ecqv import TEST_CA, Credentials
from harness.crypto.sect163k1 import FIELD_BITS, GENERATOR, ORDER, POINT_OCTETS, Point, add, compress, multiply
from harness.values import Eui64

BOUNCY_CASTLE = Path("/usr/share/java/bcprov.jar")
ECMQV_PEER = Path(__file__).parent / "peers" / "EcmqvPeer.java"
NID_SECT163K1 = 721
COMPRESSED = 2

Multiply = Callable[[int, bytes], bytes]


@pytest.fixture(scope="module")
def openssl_multiply() -> Multiply:
    """OpenSSL's scalar multiplication of a compressed point."""
    name = ctypes.util.find_library("crypto")
    if name is None:
        pytest.skip("no libcrypto on this machine: OpenSSL gives no second opinion on sect163k1")
    crypto = ctypes.CDLL(name)
    for function in ("EC_GROUP_new_by_curve_name", "EC_POINT_new", "BN_bin2bn"):
        getattr(crypto, function).restype = ctypes.c_void_p
    group = crypto.EC_GROUP_new_by_curve_name(NID_SECT163K1)
    if not group:
        pytest.skip(f"{name} has no sect163k1: OpenSSL gives no second opinion on it")
    crypto.EC_POINT_point2oct.restype = ctypes.c_size_t

    def multiplied(scalar: int, octets: bytes) -> bytes:
        curve, point = ctypes.c_void_p(group), ctypes.c_void_p(crypto.EC_POINT_new(ctypes.c_void_p(group)))
        big_endian = scalar.to_bytes(32, "big")
        number = ctypes.c_void_p(crypto.BN_bin2bn(big_endian, len(big_endian), None))
        result = ctypes.create_string_buffer(POINT_OCTETS)
        try:
            assert crypto.EC_POINT_oct2point(curve, point, octets, ctypes.c_size_t(len(octets)), None)
            assert crypto.EC_POINT_mul(curve, point, None, point, number, None)
            assert crypto.EC_POINT_point2oct(curve, point, COMPRESSED, result, ctypes.c_size_t(POINT_OCTETS), None)
        finally:
            crypto.EC_POINT_free(point)
            crypto.BN_free(number)
        return result.raw

    return multiplied


@pytest.mark.parametrize("base", [GENERATOR, multiply(163, GENERATOR), add(GENERATOR, Point(0, 1))], ids=["G", "kG", "G + T"])
def test_openssl_multiplies_as_we_do(base: Point, openssl_multiply: Multiply) -> None:
    chance = Random(163)
    for scalar in (1, 2, 3, ORDER - 1, ORDER + 1, 1 << FIELD_BITS, *(chance.randrange(1, ORDER) for _ in range(6))):
        product = multiply(scalar, base)
        assert product is not None
        assert openssl_multiply(scalar, compress(base)) == compress(product)


@pytest.mark.parametrize("vector", rows("certificates", "credentials"))
def test_openssl_finds_the_public_keys_of_published_private_keys(vector: dict[str, str], openssl_multiply: Multiply) -> None:
    assert openssl_multiply(int(vector["private_key"], 16), compress(GENERATOR)).hex() == vector["public_key"]


@pytest.fixture(scope="module")
def bouncy_castle() -> Callable[..., list[str]]:
    """BouncyCastle's ECMQV: the secret with the cofactor and without it, in hex."""
    java = shutil.which("java")
    if java is None or not BOUNCY_CASTLE.exists():
        pytest.skip(f"{'no java' if java is None else f'no {BOUNCY_CASTLE}'}: BouncyCastle gives no second opinion on ECMQV")

    def secrets(private: int, ephemeral_private: int, peer_public: bytes, peer_ephemeral_public: bytes) -> list[str]:
        keys = [f"{private:x}", f"{ephemeral_private:x}", peer_public.hex(), peer_ephemeral_public.hex()]
        run = subprocess.run(  # test keys: they may be seen in a process list
            [java, "-cp", str(BOUNCY_CASTLE), str(ECMQV_PEER), *keys], capture_output=True, text=True, timeout=60, check=True
        )
        return run.stdout.split()

    return secrets


def test_bouncy_castle_reaches_the_secret_of_annex_c(bouncy_castle: Callable[..., list[str]]) -> None:
    annex = read("cbke", "zse_annex_c")
    u, v = annex["initiator"], annex["responder"]
    secrets = bouncy_castle(
        int(u["private_key"], 16), int(u["ephemeral_private_key"], 16),
        bytes.fromhex(v["public_key"]), bytes.fromhex(v["ephemeral_public_key"]),
    )
    without_cofactor = next(
        row.values[0]["z"] for row in rows("cbke", "mistakes") if row.values[0]["mistake"] == "cofactor-left-out"
    )
    assert secrets == [annex["z"], without_cofactor]


def test_bouncy_castle_agrees_with_a_device_of_our_authority(bouncy_castle: Callable[..., list[str]]) -> None:
    chance = Random(27)
    ours = TEST_CA.issue(Eui64(1), chance)
    theirs = Credentials.read(rows("certificates", "credentials")[0].values[0])
    theirs = Credentials(theirs.certificate, theirs.private_key, TEST_CA.public_key)  # another authority, another public key
    our_key, their_key = ephemeral_key(chance), ephemeral_key(chance)
    secrets = bouncy_castle(ours.private_key, our_key.private, compress(theirs.public_key), their_key.public)
    assert secrets == [
        agree(ours, our_key, theirs.certificate, their_key.public, cofactor=cofactor).hex() for cofactor in (2, 1)
    ]
