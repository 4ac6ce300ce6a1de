"""Values that every part of HANproof shares: the EUI-64 and the device types. Nothing here knows how they are encoded."""

from __future__ import annotations

from enum import Enum
from string import hexdigits


class Eui64(int):
    """An IEEE 64-bit extended unique identifier; the integer is the big-endian reading, printed as 16 hex digits.

    Octet order is a matter of each codec: ZigBee sends it least significant octet first, certificates and CIM most significant
    octet first.
    """

    def __new__(cls, value: int) -> Eui64:
        if not 0 <= value < 1 << 64:
            raise ValueError(f"an EUI-64 has 64 bits, {value:#x} has more")
        return super().__new__(cls, value)

    @classmethod
    def parse(cls, text: str) -> Eui64:
        """Read 16 hex digits, with or without `:` or `-` between octets. Raises ValueError saying what is wrong."""
        digits = text.replace(":", "").replace("-", "")
        if len(digits) != 16:  # the text is not repeated: it may be a key in the wrong place
            raise ValueError(f"an EUI-64 has 16 hex digits, this has {len(digits)} characters")
        if not set(digits) <= set(hexdigits):
            raise ValueError("an EUI-64 has hex digits only, this has others")
        return cls(int(digits, 16))

    @classmethod
    def from_octets(cls, octets: bytes) -> Eui64:
        """From 8 octets, most significant first."""
        if len(octets) != 8:
            raise ValueError(f"an EUI-64 has 8 octets, not {len(octets)}")
        return cls(int.from_bytes(octets, "big"))

    @property
    def octets(self) -> bytes:
        """8 octets, most significant first."""
        return self.to_bytes(8, "big")

    def __str__(self) -> str:
        return f"{int(self):016x}"

    def __repr__(self) -> str:
        return f"Eui64({self})"

    def __format__(self, spec: str) -> str:
        return format(str(self), spec) if not spec or spec[-1] == "s" else format(int(self), spec)


class DeviceType(Enum):
    """The HAN devices the use case names; the value is the word that bench and device files use."""

    PCT = "pct"
    LOAD_CONTROL = "load_control"
