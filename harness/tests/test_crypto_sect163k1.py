"""The curve: group laws, encoding, published points; OpenSSL's opinion stands in test_crypto_peers."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dissectors.tests.vectors import read, rows
from harness.crypto.sect163k1 import (
    FIELD_BITS,
    GENERATOR,
    ORDER,
    Point,
    _inverse,
    _ladder,
    _plain,
    _product,
    _spread,
    add,
    compress,
    decompress,
    multiply,
    on_curve,
)

H = bytes.fromhex
TORSION = Point(0, 1)
elements = st.integers(0, (1 << FIELD_BITS) - 1)
scalars = st.integers(0, ORDER - 1)


def _schoolbook(a: int, b: int) -> int:
    product = 0
    for shift in range(FIELD_BITS):
        product ^= (a << shift) * (b >> shift & 1)
    for bit in range(2 * FIELD_BITS, FIELD_BITS - 1, -1):
        product ^= ((1 << FIELD_BITS | 0b11001001) << bit - FIELD_BITS) * (product >> bit & 1)
    return product


@settings(max_examples=50, deadline=None)
@given(elements, elements)
def test_field_arithmetic(a: int, b: int) -> None:
    assert _plain(_spread(a)) == a
    assert _plain(_product(_spread(a), _spread(b))) == _schoolbook(a, b)
    if a:
        assert _product(_spread(a), _inverse(_spread(a))) == 1


def test_zero_has_no_inverse() -> None:
    with pytest.raises(ZeroDivisionError):
        _inverse(0)


def test_the_product_of_the_fullest_elements_does_not_carry() -> None:
    full = (1 << FIELD_BITS) - 1
    assert _plain(_product(_spread(full), _spread(full))) == _schoolbook(full, full)


def test_the_order_of_the_generator() -> None:
    assert on_curve(GENERATOR)
    assert multiply(ORDER, GENERATOR) is None
    assert multiply(ORDER - 1, GENERATOR) == Point(GENERATOR.x, GENERATOR.x ^ GENERATOR.y)
    assert multiply(ORDER + 1, GENERATOR) == GENERATOR


@pytest.mark.parametrize("point", [GENERATOR, TORSION, add(GENERATOR, TORSION), None])
def test_multiplying_is_adding_again_and_again(point: Point | None) -> None:
    total = None
    for scalar in range(9):
        assert multiply(scalar, point) == total
        total = add(total, point)


@settings(max_examples=10, deadline=None)
@given(scalars, scalars)
def test_multiplication_is_linear(a: int, b: int) -> None:
    whole = multiply(a + b, GENERATOR)
    assert add(multiply(a, GENERATOR), multiply(b, GENERATOR)) == whole
    assert multiply(a, multiply(b, GENERATOR)) == multiply(b, multiply(a, GENERATOR))
    if whole is not None:
        assert on_curve(whole)
        assert decompress(compress(whole)) == whole


def test_a_negative_scalar_is_refused() -> None:
    with pytest.raises(ValueError, match="0 or more"):
        multiply(-1, GENERATOR)


def test_a_point_and_its_negative_differ_only_in_the_first_octet() -> None:
    negative = Point(GENERATOR.x, GENERATOR.x ^ GENERATOR.y)
    assert add(GENERATOR, negative) is None
    assert {compress(GENERATOR)[0], compress(negative)[0]} == {2, 3}
    assert compress(GENERATOR)[1:] == compress(negative)[1:]
    assert decompress(compress(negative)) == negative
    assert decompress(compress(TORSION)) == TORSION


@pytest.mark.parametrize(
    "point", [Point(GENERATOR.x, GENERATOR.y ^ 1), Point(GENERATOR.x | 1 << FIELD_BITS, GENERATOR.y), Point(0, 0), Point(-1, 1)]
)
def test_points_that_are_not_on_the_curve(point: Point) -> None:
    assert not on_curve(point)


@pytest.mark.parametrize(("octets", "reason"), [
    (bytes(21), "22 octets, not 21"),
    (bytes(23), "22 octets, not 23"),
    (H("04") + bytes(21), "02 or 03, not 04"),
    (H("00") + bytes(21), "02 or 03, not 00"),
    (H("0208") + bytes(20), "more than 163 bits"),
    (H("02") + (2).to_bytes(21, "big"), "no point of sect163k1"),
])
def test_octets_that_encode_no_point(octets: bytes, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        decompress(octets)


def test_published_authorities_are_points() -> None:
    for publisher in ("certicom", "texas_instruments"):
        document = read("certificates", publisher)
        octets = H(document.get("ca_public_key") or document["credentials"][0]["ca_public_key"])
        assert on_curve(decompress(octets))
        assert compress(decompress(octets)) == octets


@pytest.mark.parametrize("vector", rows("certificates", "credentials"))
def test_published_key_pairs(vector: dict[str, str]) -> None:
    public_key = multiply(int(vector["private_key"], 16), GENERATOR)
    assert public_key == decompress(H(vector["public_key"]))


@pytest.mark.parametrize("scalar", [1, 2, 15, 16, 17, 0x100, 1 << 162, (1 << 162) - 1, ORDER // 2, ORDER - 2, ORDER - 1])
def test_the_table_and_the_ladder_agree_at_the_edges(scalar: int) -> None:
    assert multiply(scalar, GENERATOR) == _ladder(scalar, GENERATOR)


@settings(max_examples=50, deadline=None)
@given(st.integers(1, ORDER - 1))
def test_the_table_and_the_ladder_agree(scalar: int) -> None:
    assert multiply(scalar, GENERATOR) == _ladder(scalar, GENERATOR)
