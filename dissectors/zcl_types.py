"""ZCL data types: what an attribute's value is on the wire. Knows no attribute and no cluster.

Clauses: ZCL 075123, 2.5.2. Everything is little-endian. Integers, bitmaps, enumerations, UTC times and identifiers read as int
(their *invalid* value too, as the number it is), booleans as bool, floats as float, strings and keys as bytes, general data as
bytes in wire order, arrays, structures, dates and times of day as Records. An invalid string or boolean reads as None.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import IntEnum
from typing import Any

from scapy.fields import ByteField, Field, XByteField

from dissectors.fields import Octets, OctetString, SignedLE, UnsignedLE
from dissectors.layer import Layer, Malformed, encode, take, write_field
from dissectors.structures import Nested

MAX_NESTING = 15  # levels of arrays and structures inside each other


class DataType(IntEnum):
    """2.5.2, Table 2.16; the structured types and f1 came with r02."""

    NO_DATA = 0x00
    DATA8 = 0x08
    DATA16 = 0x09
    DATA24 = 0x0A
    DATA32 = 0x0B
    DATA40 = 0x0C
    DATA48 = 0x0D
    DATA56 = 0x0E
    DATA64 = 0x0F
    BOOLEAN = 0x10
    BITMAP8 = 0x18
    BITMAP16 = 0x19
    BITMAP24 = 0x1A
    BITMAP32 = 0x1B
    BITMAP40 = 0x1C
    BITMAP48 = 0x1D
    BITMAP56 = 0x1E
    BITMAP64 = 0x1F
    UINT8 = 0x20
    UINT16 = 0x21
    UINT24 = 0x22
    UINT32 = 0x23
    UINT40 = 0x24
    UINT48 = 0x25
    UINT56 = 0x26
    UINT64 = 0x27
    INT8 = 0x28
    INT16 = 0x29
    INT24 = 0x2A
    INT32 = 0x2B
    INT40 = 0x2C
    INT48 = 0x2D
    INT56 = 0x2E
    INT64 = 0x2F
    ENUM8 = 0x30
    ENUM16 = 0x31
    SEMI_FLOAT = 0x38
    SINGLE_FLOAT = 0x39
    DOUBLE_FLOAT = 0x3A
    OCTET_STRING = 0x41
    CHARACTER_STRING = 0x42
    LONG_OCTET_STRING = 0x43
    LONG_CHARACTER_STRING = 0x44
    ARRAY = 0x48
    STRUCTURE = 0x4C
    SET = 0x50
    BAG = 0x51
    TIME_OF_DAY = 0xE0
    DATE = 0xE1
    UTC_TIME = 0xE2
    CLUSTER_ID = 0xE8
    ATTRIBUTE_ID = 0xE9
    BACNET_OID = 0xEA
    IEEE_ADDRESS = 0xF0
    SECURITY_KEY = 0xF1
    UNKNOWN = 0xFF


def is_analogue(kind: int) -> bool:
    """Whether a value of data type `kind` is a quantity, which has a reportable change (2.5.1): numbers, dates and times."""
    return (
        DataType.UINT8 <= kind <= DataType.INT64
        or DataType.SEMI_FLOAT <= kind <= DataType.DOUBLE_FLOAT
        or DataType.TIME_OF_DAY <= kind <= DataType.UTC_TIME
    )



class IeeeAddress(int):
    """The value of an attribute of type f0; an int that JSON shows as 16 hex digits."""

    def plain(self) -> str:
        """The address as JSON shows it."""
        return f"{self:016x}"


class Key(bytes):
    """The value of an attribute of type f1; octets that no output shows."""

    def plain(self) -> str:
        """What JSON shows in place of the key."""
        return "(key)"

    __repr__ = plain


class Characters(bytes):
    """The value of a character string: its octets, which JSON shows as text."""

    def plain(self) -> str:
        """The text; octets that are not UTF-8 are shown as escapes."""
        return self.decode("utf-8", "backslashreplace")


def shown(value: Any) -> Any:
    """An attribute's value as JSON can carry it."""
    if hasattr(value, "plain"):
        return value.plain()
    return value.hex() if isinstance(value, bytes) else value


class CharacterString(OctetString):
    """A character string inside a command; JSON shows it as text."""

    def getfield(self, pkt: Any, s: bytes) -> tuple[bytes, Characters | None]:
        rest, octets = super().getfield(pkt, s)
        return rest, None if octets is None else Characters(octets)

    def plain(self, value: bytes) -> str:
        """The text as JSON shows it."""
        return Characters(value).plain()


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
        return write_field(_field_of(getattr(pkt, self.type_field)), pkt, s, val)

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
        item = Nested("", TypedValue) if self.typed else _field_of(pkt.element_type)
        s += len(val).to_bytes(2, "little")
        for value in val:
            s = write_field(item, pkt, s, value)
        return s

    def plain(self, value: Any) -> Any:
        """One element as JSON shows it."""
        return shown(value)


class TypedValue(Layer):
    """One element of a structure: its type and its value."""

    fields_desc = [XByteField("type", DataType.NO_DATA), Value()]


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
    none_is_a_value = True

    def __init__(self, field: Field, kind: type) -> None:
        super().__init__(field.name, None, "s")
        self.field = field
        self.kind = kind

    def getfield(self, pkt: Any, s: bytes) -> tuple[bytes, Any]:
        rest, value = self.field.getfield(pkt, s)
        return rest, None if value is None else self.kind(value)

    def addfield(self, pkt: Any, s: bytes, val: Any) -> bytes:
        return bytes(self.field.addfield(pkt, s, val))


_INVALID_COUNT = b"\xff\xff"
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
