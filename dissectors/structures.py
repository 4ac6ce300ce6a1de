"""Field types that hold more than one value: lists, nested structures, and fields that an early end may leave out.

Knows nothing of any protocol. A list carries its own count, so that a record never shows one that could contradict it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from scapy.fields import Field

from dissectors.layer import Layer, Malformed, Record, encode, parse, parse_whole, read_field, take, write_field

Item = Any  # what a list is made of: a Scapy field (its items are values) or a Layer class (its items are structures)


class Nested(Field):
    """One structure inside another; `prefixed` puts its length in octets (1 octet) before it, and None is then length 0."""

    __slots__ = ["layer", "prefixed"]
    holds_packets = 1

    def __init__(self, name: str, layer: type[Layer], prefixed: bool = False) -> None:
        super().__init__(name, None if prefixed else layer.of(), "s")
        self.layer = layer
        self.prefixed = prefixed

    def getfield(self, pkt: Any, s: bytes) -> tuple[bytes, Record | None]:
        if not self.prefixed:
            return _read(self.layer, pkt, s)
        head, rest = take(s, 1, f"{self.name} length")
        octets, rest = take(rest, head[0], self.name)
        return rest, parse_whole(self.layer, octets) if octets else None

    def addfield(self, pkt: Any, s: bytes, val: Any) -> bytes:
        octets = b"" if val is None else _written(self.layer, pkt, b"", val)
        return s + (bytes([len(octets)]) + octets if self.prefixed else octets)


class Listed(Field):
    """A list of values or structures up to the end of the octets, at least `minimum` of them."""

    __slots__ = ["field", "holds_packets", "minimum"]
    islist = 1

    def __init__(self, name: str, item: Item, minimum: int = 0) -> None:
        super().__init__(name, [], "s")
        self.field = item
        self.minimum = minimum
        self.holds_packets = int(isinstance(item, type))

    def getfield(self, pkt: Any, s: bytes) -> tuple[bytes, list[Any]]:
        values: list[Any] = []
        while s:
            s, value = _read(self.field, pkt, s)
            values.append(value)
        if len(values) < self.minimum:
            raise Malformed(f"{self.name} is empty")
        return s, values

    def addfield(self, pkt: Any, s: bytes, val: Sequence[Any] | None) -> bytes:
        for value in val or ():
            s = _written(self.field, pkt, s, value)
        return s


class Repeated(Listed):
    """A list of as many values or structures as `count(fields before it)` says."""

    __slots__ = ["count"]

    def __init__(self, name: str, item: Item, count: Callable[[Any], int]) -> None:
        super().__init__(name, item)
        self.count = count

    def getfield(self, pkt: Any, s: bytes) -> tuple[bytes, list[Any]]:
        return self._read_many(pkt, s, self.count(pkt))

    def _read_many(self, pkt: Any, s: bytes, count: int) -> tuple[bytes, list[Any]]:
        values: list[Any] = []
        while len(values) < count:
            if not s:
                raise Malformed(f"{self.name} announces {count} items, {len(values)} are there")
            s, value = _read(self.field, pkt, s)
            values.append(value)
        return s, values


class Counted(Repeated):
    """A list of values or structures behind their number, a little-endian integer of `prefix` octets."""

    __slots__ = ["prefix"]

    def __init__(self, name: str, item: Item, prefix: int = 1) -> None:
        super().__init__(name, item, lambda fields: 0)
        self.prefix = prefix

    def getfield(self, pkt: Any, s: bytes) -> tuple[bytes, list[Any]]:
        head, rest = take(s, self.prefix, f"{self.name} count")
        return self._read_many(pkt, rest, int.from_bytes(head, "little"))

    def addfield(self, pkt: Any, s: bytes, val: Sequence[Any] | None) -> bytes:
        return super().addfield(pkt, s + len(val or ()).to_bytes(self.prefix, "little"), val)


class EndsEarly(Field):
    """A field that the octets may end before, but only where `allowed(fields before it)`; it is None when they do.

    Encoding refuses a None where the field is due, so that a structure is never short by accident.
    """

    __slots__ = ["allowed", "field", "holds_packets", "islist", "secret"]
    none_is_a_value = True

    def __init__(self, field: Any, allowed: Callable[[Any], bool]) -> None:
        super().__init__(field.name, None, "s")
        self.field = field
        self.allowed = allowed
        self.islist = field.islist
        self.holds_packets = field.holds_packets
        self.secret = getattr(field, "secret", False)

    def getfield(self, pkt: Any, s: bytes) -> tuple[bytes, Any]:
        return (s, None) if not s and self.allowed(pkt) else _read(self.field, pkt, s)

    def addfield(self, pkt: Any, s: bytes, val: Any) -> bytes:
        if val is not None:
            return write_field(self.field, pkt, s, val)
        if not self.allowed(pkt):
            raise ValueError(f"{self.name} is missing")
        return s


def _read(item: Item, fields: Any, octets: bytes) -> tuple[bytes, Any]:
    if not isinstance(item, type):
        return read_field(item, fields, octets)
    record, rest = parse(item, octets)
    return rest, record


def _written(item: Item, fields: Any, octets: bytes, value: Any) -> bytes:
    if not isinstance(item, type):
        return write_field(item, fields, octets, value)
    record = value if isinstance(value, Record) else type(value).of(**value.fields)  # from Scapy's view
    return octets + encode(record)
