"""Documents made to harm whoever reads them as XML: for provoking a receiver, never for reading. Knows XML, no noun.

They are made of a right message, so that a reader who looks past what is wrong finds something to act on.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from harness.cim.tree import MAX_DEPTH, MAX_OCTETS

_TEXT = b"</msg:Source>"  # where in a message an entity is called
_MANY = 64  # entities or references that are enough to amplify, far below what a reader may really expand


def _prefixed(doctype: bytes, octets: bytes, call: bytes = b"") -> bytes:
    declaration, _, rest = octets.partition(b"?>")
    return declaration + b"?>\n" + doctype + rest.replace(_TEXT, call + _TEXT, 1)


def _amplifying(octets: bytes, size: int) -> bytes:
    """Each entity calls the one before ten times over: 10 to the power of `size` characters."""
    entities = [b'<!ENTITY e0 "x">']
    entities += [b'<!ENTITY e%d "%s">' % (each, b"&e%d;" % (each - 1) * 10) for each in range(1, size + 1)]
    return _prefixed(b"<!DOCTYPE a [" + b"".join(entities) + b"]>", octets, b"&e%d;" % size)


def _quadratic(octets: bytes, size: int) -> bytes:
    """One entity of `size` characters, called as often."""
    return _prefixed(b'<!DOCTYPE a [<!ENTITY e "' + b"x" * size + b'">]>', octets, b"&e;" * size)


def _padded(octets: bytes, size: int) -> bytes:
    return (octets + b"<!--").ljust(len(octets) + size, b"x") + b"-->"  # made in one piece: it may be large


def _nested(octets: bytes, size: int) -> bytes:
    return octets.replace(_TEXT, b"<a>" * size + b"</a>" * size + _TEXT, 1)


_MADE: dict[str, tuple[Callable[[bytes, int], bytes], tuple[int, ...]]] = {
    "doctype": (lambda octets, size: _prefixed(b"<!DOCTYPE html>", octets), (0,)),
    "external entity": (
        lambda octets, size: _prefixed(b'<!DOCTYPE a [<!ENTITY e SYSTEM "file:///etc/hostname">]>', octets, b"&e;"), (0,),
    ),
    "external parameter entity": (
        lambda octets, size: _prefixed(b'<!DOCTYPE a [<!ENTITY % e SYSTEM "http://127.0.0.1:9/e.dtd"> %e;]>', octets), (0,),
    ),
    "external subset": (lambda octets, size: _prefixed(b'<!DOCTYPE a SYSTEM "http://127.0.0.1:9/e.dtd">', octets), (0,)),
    "amplification": (_amplifying, (3, 9, _MANY)),
    "quadratic amplification": (_quadratic, (_MANY, 1 << 12, 1 << 14)),
    "size": (_padded, (MAX_OCTETS, 2 * MAX_OCTETS, 8 * MAX_OCTETS, 100_000_000)),
    "depth": (_nested, (MAX_DEPTH, 4 * MAX_DEPTH, 10_000, 1 << 16)),
    "truncated": (lambda octets, size: octets[:size], (0, 1, 1 << 6, 1 << 9)),
    "another encoding": (lambda octets, size: octets.decode().encode("utf-16"), (0,)),
    "not UTF-8": (lambda octets, size: octets.replace(_TEXT, b"\xe9" + _TEXT, 1), (0,)),
}
KINDS = tuple(_MADE)


@dataclass(frozen=True)
class Hostile:
    """One way to do harm, and how much of it (octets, levels or calls, where that can be varied)."""

    kind: str
    size: int = 0

    def made_of(self, octets: bytes) -> bytes:
        """The document that arrives in the stead of this message."""
        return _MADE[self.kind][0](octets, self.size)


def sizes(kind: str) -> tuple[int, ...]:
    """How much of a kind is worth sending: just too much, more, very much."""
    return _MADE[kind][1]
