"""The curve of crypto suite 1, sect163k1 (NIST K-163): field, points, scalar multiplication, SEC 1 encoding. Knows no protocol.

y^2 + xy = x^3 + x^2 + 1 over GF(2^163) with f = z^163 + z^7 + z^6 + z^3 + 1 (SEC 2). Plain Python integers
and not constant-time: a test tool with test keys, never a place for a production key.

Inside this file a field element is *spread*: one coefficient an octet. The integer product of two spread elements then counts,
in each octet and without carry (163 < 256), the terms of one coefficient of the polynomial product.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache, lru_cache
from itertools import accumulate
from typing import NamedTuple

FIELD_BITS = 163
FIELD_OCTETS = 21
POINT_OCTETS = 1 + FIELD_OCTETS  # compressed
ORDER = 0x04000000000000000000020108A2E0CC0D99F8A5EF  # n, of the generator
COFACTOR = 2


class Point(NamedTuple):
    """An affine point: coordinates as integers, bit i the coefficient of z^i. The point at infinity is None."""

    x: int
    y: int


_Spread = tuple[int, int]  # a point's coordinates, spread
GENERATOR = Point(0x02FE13C0537BBC11ACAA07D793DE4E6D5E5C94EEE8, 0x0289070FB05D38FF58321F2E800536D538CCDAA3D9)

_WIDTH = 8 * FIELD_BITS  # bits of a reduced spread element
_REDUCED = (1 << _WIDTH) - 1
_PARITY = int.from_bytes(bytes([1]) * 2 * FIELD_BITS, "big")  # keeps of each octet's count what GF(2) keeps
_TAIL = 1 << 8 * 7 | 1 << 8 * 6 | 1 << 8 * 3 | 1  # z^163 mod f, spread
_MODULUS = 1 << _WIDTH | _TAIL
_TO_DIGITS = bytes.maketrans(b"\x00\x01", b"01")
_A = 1  # the curve's a; its b is 1 as well and disappears from the formulas


def _spread(plain: int) -> int:
    return int.from_bytes(f"{plain:b}".encode(), "big") & _PARITY  # "0" and "1" are odd and even, so parity drops the rest


def _plain(spread: int) -> int:
    return int(spread.to_bytes(FIELD_BITS, "big").translate(_TO_DIGITS), 2)


def _product(a: int, b: int) -> int:
    wide = a * b & _PARITY
    folded = (wide & _REDUCED) ^ ((wide >> _WIDTH) * _TAIL & _PARITY)  # degree 168 at most
    return (folded & _REDUCED) ^ ((folded >> _WIDTH) * _TAIL & _PARITY)


def _square(a: int) -> int:
    return _product(a, a)


def _inverse(a: int) -> int:
    """By the extended Euclidean algorithm for polynomials."""
    if a == 0:
        raise ZeroDivisionError("zero has no inverse in a field")
    u, v, g, h = a, _MODULUS, 1, 0
    while u != 1:
        shift = (u.bit_length() - v.bit_length()) // 8 * 8
        if shift < 0:
            u, v, g, h, shift = v, u, h, g, -shift
        u ^= v << shift
        g ^= h << shift
    return (g & _REDUCED) ^ ((g >> _WIDTH) * _TAIL & _PARITY)


def add(p: Point | None, q: Point | None) -> Point | None:
    """The sum of two points."""
    if p is None or q is None:
        return q if p is None else p
    if p.x == q.x and (p.y != q.y or p.x == 0):
        return None  # -P is (x, x + y), and (0, 1) is its own negative
    x1, y1, x2, y2 = map(_spread, (*p, *q))
    if p == q:
        slope = x1 ^ _product(y1, _inverse(x1))
        x3 = _square(slope) ^ slope ^ _A
        y3 = _square(x1) ^ _product(slope ^ 1, x3)
    else:
        slope = _product(y1 ^ y2, _inverse(x1 ^ x2))
        x3 = _square(slope) ^ slope ^ x1 ^ x2 ^ _A
        y3 = _product(slope, x1 ^ x3) ^ x3 ^ y1
    return Point(_plain(x3), _plain(y3))


@lru_cache(maxsize=2048)  # a checker works out again what the devices worked out
def multiply(scalar: int, point: Point | None) -> Point | None:
    """`scalar` (0 or more, not reduced by the order) times the point. Raises ValueError for a negative scalar."""
    if scalar < 0:
        raise ValueError("a scalar is 0 or more")
    if scalar == 0 or point is None:
        return None
    return _times_generator(scalar) if point == GENERATOR and scalar < ORDER else _ladder(scalar, point)


def _ladder(scalar: int, point: Point) -> Point | None:
    """The Lopez-Dahab ladder over x alone, then y recovered."""
    x, y = _spread(point.x), _spread(point.y)
    x1, z1 = x, 1  # scalar's leading bits times the point, and
    z2 = _square(x)
    x2 = _square(z2) ^ 1  # that plus the point
    for bit in f"{scalar:b}"[1:]:
        if bit == "1":
            x1, z1, x2, z2 = x2, z2, x1, z1
        cross, other = _product(x1, z2), _product(x2, z1)
        z2 = _square(cross ^ other)
        x2 = _product(x, z2) ^ _product(cross, other)
        x1, z1 = _square(_square(x1 ^ z1)), _square(_product(x1, z1))
        if bit == "1":
            x1, z1, x2, z2 = x2, z2, x1, z1
    if z1 == 0:
        return None
    if z2 == 0:
        return Point(point.x, point.x ^ point.y)
    x1, x2 = _product(x1, _inverse(z1)), _product(x2, _inverse(z2))
    y1 = _product(_product(x1 ^ x, _product(x1 ^ x, x2 ^ x) ^ _square(x) ^ y), _inverse(x)) ^ y
    return Point(_plain(x1), _plain(y1))


def _times_generator(scalar: int) -> Point:
    """For a scalar from 1 to the order less 1: the sum of what each of its hexadecimal digits stands for, out of a table."""
    digits = enumerate(int(digit, 16) for digit in reversed(f"{scalar:x}"))
    summands = [_table()[digit][place] for place, digit in digits if digit]
    while len(summands) > 1:
        half = len(summands) // 2
        summands[: 2 * half] = _sums(summands[:half], summands[half : 2 * half])
    ((x, y),) = summands
    return Point(_plain(x), _plain(y))


@cache
def _table() -> list[list[_Spread]]:
    """The generator times what a digit from 0 (not used) to 15 stands for at each place of a hexadecimal number: [digit][place]."""
    ones, twos, place = [], [], GENERATOR
    for _ in range(-(-FIELD_BITS // 4)):
        twice = _doubled(place)
        ones.append((_spread(place.x), _spread(place.y)))
        twos.append((_spread(twice.x), _spread(twice.y)))
        place = _doubled(_doubled(_doubled(twice)))
    table = [[], ones, twos]
    while len(table) < 16:
        table.append(_sums(table[-1], ones))
    return table


def _doubled(point: Point) -> Point:
    twice = add(point, point)
    assert twice is not None  # the order is odd
    return twice


def _sums(some: Sequence[_Spread], others: Sequence[_Spread]) -> list[_Spread]:
    """Each point and its partner added, which is neither the same nor its negative; one inversion serves all of them."""
    sums = []
    inverses = _inverses([x1 ^ x2 for (x1, _), (x2, _) in zip(some, others, strict=True)])
    for (x1, y1), (x2, y2), inverse in zip(some, others, inverses, strict=True):
        slope = _product(y1 ^ y2, inverse)
        x3 = _square(slope) ^ slope ^ x1 ^ x2 ^ _A
        sums.append((x3, _product(slope, x1 ^ x3) ^ x3 ^ y1))
    return sums


def _inverses(elements: Sequence[int]) -> list[int]:
    """By Montgomery's trick: the inverse of their product, times all of them but one."""
    products = [1, *accumulate(elements, _product)]
    inverse, found = _inverse(products.pop()), []
    for element in reversed(elements):
        found.append(_product(inverse, products.pop()))
        inverse = _product(inverse, element)
    return found[::-1]


def on_curve(point: Point) -> bool:
    """Whether the coordinates are field elements that satisfy the curve's equation."""
    if not all(0 <= coordinate < 1 << FIELD_BITS for coordinate in point):
        return False
    x, y = map(_spread, point)
    return _product(y, x ^ y) == _product(_square(x), x ^ _A) ^ 1


def compress(point: Point) -> bytes:
    """22 octets: 02 or 03 by the lowest bit of y/x, then x big-endian (SEC 1, 2.3.3)."""
    bit = _product(_spread(point.y), _inverse(_spread(point.x))) & 1 if point.x else 0
    return bytes([2 | bit]) + point.x.to_bytes(FIELD_OCTETS, "big")


@lru_cache(maxsize=2048)
def decompress(octets: bytes) -> Point:
    """The point that 22 octets encode (SEC 1, 2.3.4). Raises ValueError with the reason when they encode none."""
    if len(octets) != POINT_OCTETS:
        raise ValueError(f"a compressed point has {POINT_OCTETS} octets, not {len(octets)}")
    if octets[0] not in (2, 3):
        raise ValueError(f"a compressed point begins with 02 or 03, not {octets[0]:02x}")
    plain = int.from_bytes(octets[1:], "big")
    if plain >> FIELD_BITS:
        raise ValueError(f"the point's x has more than {FIELD_BITS} bits")
    if plain == 0:
        return Point(0, 1)  # the one point of order 2
    x = _spread(plain)
    # with y = xt the equation becomes t^2 + t = x + a + 1/x^2; the half-trace solves it where there is a solution
    constant = x ^ _A ^ _inverse(_square(x))
    half_trace = power = constant
    for _ in range(FIELD_BITS // 2):
        power = _square(_square(power))
        half_trace ^= power
    if _square(half_trace) ^ half_trace != constant:
        raise ValueError("no point of sect163k1 has this x")
    t = half_trace ^ ((half_trace ^ octets[0]) & 1)  # the other solution is t + 1; the first octet says which
    return Point(plain, _plain(_product(x, t)))
