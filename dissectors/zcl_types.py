"""ZCL data types: their numbers, and the kinds of value that JSON shows in their own way. Knows no attribute and no cluster.

Clauses: ZCL 075123, 2.5.2. How a value of each type is written stands in `dissectors.zcl_values`.
"""

from __future__ import annotations

from enum import IntEnum
from typing import Any

from dissectors.fields import OctetString


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
