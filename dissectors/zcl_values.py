"""ZCL values: how a value of each data type stands on the wire. Knows no attribute and no cluster.

Clauses: ZCL 075123, 2.5.2. Everything is little-endian. Integers, bitmaps, enumerations, UTC times and identifiers read as int
(their *invalid* value too, as the number it is), booleans as bool, floats as float, strings and keys as bytes, general data as
bytes in wire order, arrays, structures, dates and times of day as Records. An invalid string or boolean reads as None.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from scapy.fields import ByteField, Field, XByteField

from dissectors.fields import Octets, OctetString, SignedLE, UnsignedLE
from dissectors.layer import Layer, Malformed, encode, take, write_field
from dissectors.structures import Nested
from dissectors.zcl_types import CharacterString, DataType, IeeeAddress, Key, shown

MAX_NESTING = 15  # levels of arrays and structures inside each other
_INVALID_COUNT = b"\xff\xff"


class _Boolean(Field):
    """00 false, 01 true, ff invalid (None); nothing else is a boolean."""

    none_is_a_value = True

    def getfield(self, pkt: Any, s: bytes) -> tuple[bytes, bool | None]:
        octet, rest = take(s, 1, "a boolean")
        if octet[0] not in (0, 1, 0xFF):
            raise Malformed(f"a boolean is 00, 01 or ff, not {octet.hex()}")
        return rest, None if octet[0] == 0xFF else bool(octet[0])

    def addfield(self, pkt: Any, s: bytes, val: bool | None) -> bytes:
        return s + (b"\xff" if val is None else bytes([bool(val)]))


class _Float(Field):
    """An IEEE 754 number, little-endian, in `struct` format `fmt`."""

    def getfield(self, pkt: Any, s: bytes) -> tuple[bytes, float]:
        octets, rest = take(s, self.sz, "a float")
        return rest, self.struct.unpack(octets)[0]

    def addfield(self, pkt: Any, s: bytes, val: float) -> bytes:
        return s + bytes(self.struct.pack(val))


class _Nothing(Field):
    """A type without octets."""

    none_is_a_value = True

    def getfield(self, pkt: Any, s: bytes) -> tuple[bytes, None]:
        return s, None

    def addfield(self, pkt: Any, s: bytes, val: None) -> bytes:
        return s


class Value(Field):
    """A value whose data type stands in another field of the same structure."""

    __slots__ = ["type_field"]
    none_is_a_value = True

    def __init__(self, name: str = "value", type_field: str = "type", default: Any = None) -> None:
        super().__init__(name, default, "s")
        self.type_field = type_field

    def getfield(self, pkt: Any, s: bytes) -> tuple[bytes, Any]:
        value, rest = _decode(getattr(pkt, self.type_field), s, 0)
        return rest, value

    def addfield(self, pkt: Any, s: bytes, val: Any) -> bytes:
        return _encode(getattr(pkt, self.type_field), pkt, s, val)

    def plain(self, value: Any) -> Any:
        """The value as JSON shows it."""
        return shown(value)


class _Elements(Field):
    """The elements of an array, or of a structure when `typed`, behind their number (2 octets); ffff, invalid, is None."""

    __slots__ = ["typed"]
    none_is_a_value = True

    def __init__(self, name: str, typed: bool) -> None:
        super().__init__(name, [], "s")
        self.typed = typed

    def getfield(self, pkt: Any, s: bytes) -> tuple[bytes, Sequence[Any] | None]:
        values, rest = _decode_elements(None if self.typed else pkt.element_type, s, 1)
        return rest, values

    def addfield(self, pkt: Any, s: bytes, val: Sequence[Any] | None) -> bytes:
        if val is None:
            return s + _INVALID_COUNT
        s += len(val).to_bytes(2, "little")
        for value in val:
            s = write_field(_TYPED, pkt, s, value) if self.typed else _encode(pkt.element_type, pkt, s, value)
        return s

    def plain(self, value: Any) -> Any:
        """One element as JSON shows it."""
        return shown(value)


class TypedValue(Layer):
    """One element of a structure: its type and its value."""

    fields_desc = [XByteField("type", DataType.NO_DATA), Value()]


_TYPED = Nested("", TypedValue)


class Array(Layer):
    """The value of an array (48), a set (50) or a bag (51): elements of one type, 2.5.2.13 ff."""

    fields_desc = [XByteField("element_type", DataType.UINT8), _Elements("elements", typed=False)]


class Structure(Layer):
    """The value of a structure (4c): elements each with its type."""

    fields_desc = [_Elements("elements", typed=True)]


class TimeOfDay(Layer):
    """The value of a time of day (e0); ff in a field means that it is not used."""

    fields_desc = [ByteField("hours", 0), ByteField("minutes", 0), ByteField("seconds", 0), ByteField("hundredths", 0)]


class Date(Layer):
    """The value of a date (e1): years since 1900, day of week 1 is Monday; ff in a field means that it is not used."""

    fields_desc = [ByteField("year", 0), ByteField("month", 1), ByteField("day", 1), ByteField("day_of_week", 0)]


class _As(Field):
    """A field whose value reads as a type of its own."""

    __slots__ = ["field", "kind"]

    def __init__(self, field: Field, kind: type) -> None:
        super().__init__(field.name, None, "s")
        self.field = field
        self.kind = kind

    def getfield(self, pkt: Any, s: bytes) -> tuple[bytes, Any]:
        rest, value = self.field.getfield(pkt, s)
        return rest, self.kind(value)

    def addfield(self, pkt: Any, s: bytes, val: Any) -> bytes:
        return bytes(self.field.addfield(pkt, s, val))


_T = DataType
_FIELDS: dict[int, Field] = {
    _T.NO_DATA: _Nothing("value", None),
    **{kind: Octets("value", b"", kind - _T.DATA8 + 1) for kind in _T if _T.DATA8 <= kind <= _T.DATA64},
    _T.BOOLEAN: _Boolean("value", None),
    **{kind: UnsignedLE("value", 0, kind - _T.BITMAP8 + 1) for kind in _T if _T.BITMAP8 <= kind <= _T.BITMAP64},
    **{kind: UnsignedLE("value", 0, kind - _T.UINT8 + 1) for kind in _T if _T.UINT8 <= kind <= _T.UINT64},
    **{kind: SignedLE("value", 0, kind - _T.INT8 + 1) for kind in _T if _T.INT8 <= kind <= _T.INT64},
    _T.ENUM8: UnsignedLE("value", 0, 1),
    _T.ENUM16: UnsignedLE("value", 0, 2),
    _T.SEMI_FLOAT: _Float("value", 0.0, "<e"),
    _T.SINGLE_FLOAT: _Float("value", 0.0, "<f"),
    _T.DOUBLE_FLOAT: _Float("value", 0.0, "<d"),
    _T.OCTET_STRING: OctetString("value", None, 1),
    _T.CHARACTER_STRING: CharacterString("value", None, 1),
    _T.LONG_OCTET_STRING: OctetString("value", None, 2),
    _T.LONG_CHARACTER_STRING: CharacterString("value", None, 2),
    _T.ARRAY: Nested("value", Array),
    _T.STRUCTURE: Nested("value", Structure),
    _T.SET: Nested("value", Array),
    _T.BAG: Nested("value", Array),
    _T.TIME_OF_DAY: Nested("value", TimeOfDay),
    _T.DATE: Nested("value", Date),
    _T.UTC_TIME: UnsignedLE("value", 0, 4),
    _T.CLUSTER_ID: UnsignedLE("value", 0, 2),
    _T.ATTRIBUTE_ID: UnsignedLE("value", 0, 2),
    _T.BACNET_OID: UnsignedLE("value", 0, 4),
    _T.IEEE_ADDRESS: _As(UnsignedLE("value", 0, 8), IeeeAddress),
    _T.SECURITY_KEY: _As(Octets("value", b"", 16), Key),
    _T.UNKNOWN: _Nothing("value", None),
}


def _field_of(kind: int) -> Field:
    field = _FIELDS.get(kind)
    if field is None:
        raise Malformed(f"data type {kind:02x} is not known, so neither is the length of its value")
    return field


def _encode(kind: int, fields: Any, octets: bytes, value: Any) -> bytes:
    field = _field_of(kind)
    if value is None and not getattr(field, "none_is_a_value", False):
        raise ValueError(f"a value of data type {kind:02x} is missing")
    return write_field(field, fields, octets, value)


def _decode(kind: int, octets: bytes, depth: int) -> tuple[Any, bytes]:
    if kind not in (DataType.ARRAY, DataType.STRUCTURE, DataType.SET, DataType.BAG):
        rest, value = _field_of(kind).getfield(None, octets)
        return value, rest
    if depth == MAX_NESTING:
        raise Malformed(f"a value lies more than {MAX_NESTING} arrays and structures deep")
    if kind == DataType.STRUCTURE:
        elements, rest = _decode_elements(None, octets, depth + 1)
        return Structure.of(elements=elements), rest
    head, rest = take(octets, 1, "the type of the elements")
    elements, rest = _decode_elements(head[0], rest, depth + 1)
    return Array.of(element_type=head[0], elements=elements), rest


def _decode_elements(element_type: int | None, octets: bytes, depth: int) -> tuple[tuple[Any, ...] | None, bytes]:
    """The elements of an array of `element_type`, or of a structure, where each brings its type."""
    head, rest = take(octets, 2, "the number of elements")
    if head == _INVALID_COUNT:
        return None, rest
    count = int.from_bytes(head, "little")
    values: list[Any] = []
    while len(values) < count:
        if not rest:
            raise Malformed(f"{count} elements are announced, {len(values)} are there")
        kind, rest = (rest[0], rest[1:]) if element_type is None else (element_type, rest)
        value, rest = _decode(kind, rest, depth)
        values.append(TypedValue.of(type=kind, value=value) if element_type is None else value)
    return tuple(values), rest


def decode_value(kind: int, octets: bytes) -> tuple[Any, bytes]:
    """Read one value of data type `kind` from the front of `octets`; returns it and the octets after it. Raises Malformed."""
    return _decode(kind, octets, 0)


def encode_value(kind: int, value: Any) -> bytes:
    """The octets of one value of data type `kind`, without the type. Raises Malformed for a value that does not fit."""
    return encode(TypedValue.of(type=kind, value=value))[1:]
