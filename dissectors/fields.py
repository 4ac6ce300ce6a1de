"""Field types that the ZigBee layers share: EUI-64, little-endian integers, octet strings, keys; nothing of any one protocol.

Every multi-octet integer is little-endian on the wire unless its name says otherwise. A field that finds too few octets raises
`Malformed` instead of returning what is there, which is what Scapy's own string fields do.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from scapy.fields import Field, LEIntField, LEShortField, XByteField
from scapy.packet import Packet

from dissectors.layer import read_field, take, write_field

__all__ = [
    "Eui64Field", "KeyField", "LEIntField", "LEShortField", "OctetString", "Octets", "Remaining", "SecretRemaining",
    "SignedLE", "Trailing", "UnsignedLE", "UtcTime", "XByteField", "take",
]


class UnsignedLE(Field):
    """An unsigned little-endian integer of 1 to 8 octets."""

    __slots__ = ["size"]  # Scapy's fields have slots
    signed = False

    def __init__(self, name: str, default: int | None, size: int) -> None:
        super().__init__(name, default, f"{size}s")
        self.size = size

    def getfield(self, pkt: Packet, s: bytes) -> tuple[bytes, int]:
        octets, rest = take(s, self.size, self.name)
        return rest, int.from_bytes(octets, "little", signed=self.signed)

    def addfield(self, pkt: Packet, s: bytes, val: int | None) -> bytes:
        return s + (val or 0).to_bytes(self.size, "little", signed=self.signed)

    def i2repr(self, pkt: Packet, x: int) -> str:
        return str(x)


class SignedLE(UnsignedLE):
    """A two's-complement little-endian integer of 1 to 8 octets."""

    signed = True


class UtcTime(UnsignedLE):
    """Seconds since 2000-01-01T00:00:00Z in 4 octets; ffffffff is invalid (ZCL 075123, data type e2)."""

    def __init__(self, name: str, default: int | None) -> None:
        super().__init__(name, default, 4)


class Eui64Field(UnsignedLE):
    """An IEEE address: the big-endian integer that people print, sent least significant octet first."""

    def __init__(self, name: str, default: int | None = 0) -> None:
        super().__init__(name, default, 8)

    def i2repr(self, pkt: Packet, x: int) -> str:
        return f"{x:016x}"

    def plain(self, value: int) -> str:
        """The address as JSON shows it."""
        return f"{value:016x}"


class Octets(Field):
    """A fixed number of octets, or as many as `length(packet)` says, in wire order."""

    __slots__ = ["fixed", "octet_count"]

    def __init__(self, name: str, default: bytes, length: int | Callable[[Packet], int]) -> None:
        super().__init__(name, default, "s")
        self.octet_count: Callable[[Packet], int] = length if callable(length) else lambda _packet: length
        self.fixed = None if callable(length) else length

    def getfield(self, pkt: Packet, s: bytes) -> tuple[bytes, bytes]:
        octets, rest = take(s, self.octet_count(pkt), self.name)
        return rest, octets

    def addfield(self, pkt: Packet, s: bytes, val: bytes | None) -> bytes:
        octets = bytes(val or b"")
        if self.fixed is not None and val is not None and len(octets) != self.fixed:
            raise ValueError(f"{self.name} has {len(octets)} octets, not {self.fixed}")
        return s + (octets if val is not None else bytes(self.fixed or 0))

    def i2repr(self, pkt: Packet, x: bytes) -> str:
        return x.hex()


class KeyField(Octets):
    """A 128-bit key in 16 octets; never shown in JSON or in a repr."""

    secret = True

    def __init__(self, name: str, default: bytes = bytes(16)) -> None:
        super().__init__(name, default, 16)

    def i2repr(self, pkt: Packet, x: bytes) -> str:
        return "(key)"


class OctetString(Field):
    """A ZCL octet or character string: a little-endian length of `prefix` octets, then the octets.

    The length whose bits are all ones means *invalid* and carries no octets; it reads as None (ZCL 075123, data types 41, 42).
    """

    __slots__ = ["invalid", "prefix"]
    none_is_a_value = True

    def __init__(self, name: str, default: bytes | None = b"", prefix: int = 1) -> None:
        super().__init__(name, default, "s")
        self.prefix = prefix
        self.invalid = (1 << 8 * prefix) - 1

    def getfield(self, pkt: Packet, s: bytes) -> tuple[bytes, bytes | None]:
        head, rest = take(s, self.prefix, f"{self.name} length")
        length = int.from_bytes(head, "little")
        if length == self.invalid:
            return rest, None
        octets, rest = take(rest, length, self.name)
        return rest, octets

    def addfield(self, pkt: Packet, s: bytes, val: bytes | None) -> bytes:
        if val is None:
            return s + self.invalid.to_bytes(self.prefix, "little")
        if len(val) >= self.invalid:
            raise ValueError(f"{self.name} is longer than {self.invalid - 1} octets")
        return s + len(val).to_bytes(self.prefix, "little") + bytes(val)

    def i2repr(self, pkt: Packet, x: Any) -> str:
        return repr(x)


class Remaining(Octets):
    """Everything up to the end of the structure's octets."""

    def __init__(self, name: str, default: bytes = b"") -> None:
        super().__init__(name, default, lambda _packet: 0)

    def getfield(self, pkt: Packet, s: bytes) -> tuple[bytes, bytes]:
        return b"", s


class SecretRemaining(Remaining):
    """Everything up to the end, which may hold key material; never shown in JSON or in a repr."""

    secret = True

    def i2repr(self, pkt: Packet, x: bytes) -> str:
        return f"({len(x)} octets)"


class Trailing(Field):
    """A field at the end of a structure that older revisions do not send: None where the octets end before it.

    Encoding refuses a field behind one that is left out, since it would be read as that one.
    """

    __slots__ = ["field", "secret"]
    may_be_cut = True

    def __init__(self, field: Field[Any, Any]) -> None:
        super().__init__(field.name, None, "s")
        self.field = field
        self.secret = getattr(field, "secret", False)

    def getfield(self, pkt: Packet, s: bytes) -> tuple[bytes, Any]:
        if not s:
            return s, None
        return read_field(self.field, pkt, s)

    def addfield(self, pkt: Packet, s: bytes, val: Any) -> bytes:
        return s if val is None else write_field(self.field, pkt, s, val)
