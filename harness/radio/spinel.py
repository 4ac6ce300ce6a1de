"""Spinel, as a radio co-processor and its host speak it: HDLC-Lite framing, commands, data types. Knows no radio and no socket.

RFC 1662 (framing, annex C: FCS-16) in the form of draft-rquattle-spinel-unified-00, 2.2 and 3; numbers of its 4, 5 and 7.
"""

from __future__ import annotations

import re
from binascii import crc_hqx
from dataclasses import dataclass
from enum import IntEnum
from typing import Any

FLAG, ESCAPE = 0x7E, 0x7D
ESCAPED = frozenset((0x11, 0x13, ESCAPE, FLAG, 0xF8))  # XON, XOFF, and the flag of another protocol on the same line
TOGGLED = 0x20
FCS_LENGTH = 2
LONGEST = 2048  # octets of a frame at most: more without a flag is noise
SPINEL, _KIND = 0x80, 0xC0  # what a header's two upper bits are
_TRANSACTION, _INTERFACE_SHIFT, _INTERFACE = 0x0F, 4, 0x03
_MORE, _SEVEN_BITS = 0x80, 0x7F  # of a packed integer's octets


class Command(IntEnum):
    """Commands, 4."""

    RESET = 1
    GET = 2
    SET = 3
    INSERT = 4
    REMOVE = 5
    IS = 6
    INSERTED = 7
    REMOVED = 8


class Property(IntEnum):
    """Properties of a radio co-processor, 5; the two API versions are OpenThread's."""

    LAST_STATUS = 0
    PROTOCOL_VERSION = 1
    NCP_VERSION = 2
    INTERFACE_TYPE = 3
    CAPS = 5
    HWADDR = 8
    PHY_ENABLED = 32
    PHY_CHAN = 33
    PHY_CHAN_SUPPORTED = 34
    PHY_CCA_THRESHOLD = 36
    PHY_TX_POWER = 37
    PHY_RSSI = 38
    PHY_RX_SENSITIVITY = 39
    MAC_SCAN_STATE = 48  # aiospinel 1.2.0 has 38 for it, which is PHY_RSSI
    MAC_SCAN_MASK = 49
    MAC_SCAN_PERIOD = 50
    MAC_15_4_LADDR = 52
    MAC_15_4_SADDR = 53
    MAC_15_4_PANID = 54
    MAC_RAW_STREAM_ENABLED = 55
    MAC_PROMISCUOUS_MODE = 56
    MAC_ENERGY_SCAN_RESULT = 57
    MAC_RX_ON_WHEN_IDLE_MODE = 59
    STREAM_RAW = 113
    RCP_API_VERSION = 176
    RCP_MIN_HOST_API_VERSION = 177
    MAC_SRC_MATCH_ENABLED = 4867
    MAC_SRC_MATCH_SHORT_ADDRESSES = 4868
    MAC_SRC_MATCH_EXTENDED_ADDRESSES = 4869


class Status(IntEnum):
    """Values of LAST_STATUS, 7."""

    OK = 0
    INVALID_ARGUMENT = 3
    INVALID_STATE = 4
    INVALID_COMMAND = 5
    PARSE_ERROR = 9
    NOMEM = 11
    BUSY = 12
    PROP_NOT_FOUND = 13
    NO_ACK = 17
    CCA_FAILURE = 18
    INVALID_COMMAND_FOR_PROP = 21
    RESET_POWER_ON = 112
    RESET_SOFTWARE = 114
    RESET_WATCHDOG = 120


@dataclass(frozen=True)
class SpinelFrame:
    """One command. `payload` begins with the property (packed) in all commands but RESET; transaction 0 is unasked for."""

    command: int
    payload: bytes
    transaction: int = 0
    interface: int = 0


class SpinelError(ValueError):
    """Octets that end inside a field."""


# -- data types, 3: a shape is their letters in order, a structure in t(...)

_FIXED = {"b": 1, "C": 1, "c": 1, "S": 2, "s": 2, "L": 4, "l": 4, "X": 8, "E": 8}  # octets; small letters but b are signed
_PART = re.compile(r"t\(\w+\)|\w")


def pack(shape: str, *values: Any) -> bytes:
    """Values as octets, least significant first, but an EUI-64 (E) most significant first. U is text, d and D are bytes."""
    return b"".join(_pack(part, value) for part, value in zip(_PART.findall(shape), values, strict=True))


def unpack(shape: str, octets: bytes) -> tuple[Any, ...]:
    """The values of a shape. Fields that are wanting at the end are left out (3.1: a reader knows their defaults), and what
    follows the shape is not looked at. Raises SpinelError where a field is cut short."""
    values = []
    for part in _PART.findall(shape):
        if not octets and part != "D":
            break
        value, octets = _unpack(part, octets)
        values.append(value)
    return tuple(values)


def _pack(part: str, value: Any) -> bytes:
    if part in _FIXED:
        return int(value).to_bytes(_FIXED[part], "big" if part == "E" else "little", signed=part in "csl")
    if part == "i":
        head, rest = value & _SEVEN_BITS, value >> 7
        return bytes([head | _MORE]) + _pack(part, rest) if rest else bytes([head])
    if part == "U":
        return bytes(value, "utf-8") + b"\0"
    content = pack(part[2:-1], *value) if part.startswith("t") else bytes(value)
    return content if part == "D" else len(content).to_bytes(2, "little") + content


def _unpack(part: str, octets: bytes) -> tuple[Any, bytes]:
    if part in _FIXED:
        taken, rest = _split(octets, _FIXED[part])
        return int.from_bytes(taken, "big" if part == "E" else "little", signed=part in "csl"), rest
    if part == "i":
        head, rest = _split(octets, 1)
        if not head[0] & _MORE:
            return head[0], rest
        more, rest = _unpack(part, rest)
        return head[0] & _SEVEN_BITS | more << 7, rest
    if part == "U":
        text, end, rest = octets.partition(b"\0")
        if not end:
            raise SpinelError("text without its end")
        return text.decode("utf-8", "replace"), rest
    if part == "D":
        return octets, b""
    length, rest = _split(octets, 2)
    content, rest = _split(rest, int.from_bytes(length, "little"))
    return unpack(part[2:-1], content) if part.startswith("t") else content, rest


def _split(octets: bytes, length: int) -> tuple[bytes, bytes]:
    if len(octets) < length:
        raise SpinelError(f"{length} octets expected, {len(octets)} there")
    return octets[:length], octets[length:]


# -- framing, 2.2

_MIRRORED = bytes(int(f"{octet:08b}"[::-1], 2) for octet in range(256))


def hdlc_fcs(octets: bytes) -> bytes:
    """FCS-16 of RFC 1662: initial value and final inversion ffff, least significant octet first."""
    crc = crc_hqx(octets.translate(_MIRRORED), 0xFFFF) ^ 0xFFFF
    return crc.to_bytes(2, "big").translate(_MIRRORED)


def encode(frame: SpinelFrame) -> bytes:
    """A frame as it goes over the line, from flag to flag."""
    header = SPINEL | frame.interface << _INTERFACE_SHIFT | frame.transaction
    octets = pack("CiD", header, frame.command, frame.payload)
    stuffed = bytearray((FLAG,))
    for octet in octets + hdlc_fcs(octets):
        stuffed += bytes((ESCAPE, octet ^ TOGGLED)) if octet in ESCAPED else bytes((octet,))
    return bytes(stuffed) + bytes((FLAG,))


class Deframer:
    """Frames out of a stream of octets, however it is cut; what has a wrong FCS or is no Spinel is dropped and counted."""

    def __init__(self) -> None:
        self.dropped = 0
        self._rest = b""

    def feed(self, octets: bytes) -> list[SpinelFrame]:
        """Take what came over the line; the frames that it completes."""
        *between, self._rest = (self._rest + octets).split(bytes((FLAG,)))
        if len(self._rest) > LONGEST:
            between, self._rest = [*between, self._rest], b""
        frames = []
        for each in filter(None, between):
            frame = _decode(each)
            if frame is None:
                self.dropped += 1
            else:
                frames.append(frame)
        return frames


def _decode(stuffed: bytes) -> SpinelFrame | None:
    plain = re.sub(rb"\x7d(.)", lambda escape: bytes((escape[1][0] ^ TOGGLED,)), stuffed, flags=re.DOTALL)
    octets, fcs = plain[:-FCS_LENGTH], plain[-FCS_LENGTH:]
    if hdlc_fcs(octets) != fcs or len(octets) < 2 or octets[0] & _KIND != SPINEL:
        return None
    try:
        header, command, payload = unpack("CiD", octets)
    except SpinelError:
        return None
    return SpinelFrame(command, payload, header & _TRANSACTION, header >> _INTERFACE_SHIFT & _INTERFACE)
