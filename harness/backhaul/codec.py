"""Leg messages to octets and back: what a codec is, and HANproof's own, a small TLV; knows nothing of who sends what when.

The default codec, all integers most significant octet first (docs/leg-codec.md):
magic (2 octets), version (1), kind (1), sequence (4), then elements of tag (1), length (2) and value, then CRC-32 (4) of all
that went before. Tags come at most once and in rising order, so that a message has exactly one encoding.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from enum import IntEnum
from typing import Any, NamedTuple, Protocol
from zlib import crc32

from harness.backhaul.message import LegKind, LegMessage, LegState
from harness.errors import LocalProtocolError, RemoteProtocolError
from harness.values import DeviceType, Eui64

MAGIC = b"HL"
VERSION = 1
_HEAD = struct.Struct(">2sBBI")
_ELEMENT = struct.Struct(">BH")
_CRC = struct.Struct(">I")
_UNIX_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)
_INSTANT_OCTETS, _DURATION_OCTETS = 8, 4


class LegCodec(Protocol):
    """How leg messages look on one network. A vendor's own is another class with these two.

    One that frames its messages itself on a stream also has `length(octets) -> int | None`: how many octets the message has that
    begins with these, None while that cannot be told; it raises RemoteProtocolError where no message begins so. Its class is
    called without arguments.
    """

    def encode(self, message: LegMessage) -> bytes:
        """The octets of a message. Raises LocalProtocolError for one that this codec cannot carry."""

    def decode(self, octets: bytes) -> LegMessage:
        """The message in these octets. Raises RemoteProtocolError saying what is wrong with them."""


class Kind(IntEnum):
    """The kind octet; its name in lower case is the LegKind."""

    OPEN_WINDOW = 1
    CANCEL_WINDOW = 2
    WINDOW_STATE = 3
    STATE = 4
    UNDELIVERABLE = 5


class Tag(IntEnum):
    """The tag octet of an element; its name in lower case is the field of LegMessage."""

    METER = 1  # UTF-8
    DEVICE = 2  # EUI-64, 8 octets
    DEVICE_TYPE = 3  # word
    KEY_FORM = 4  # word
    KEY_MATERIAL = 5  # octets
    END = 6  # milliseconds since 1970-01-01T00:00:00Z, 8 octets
    WINDOW_LEFT = 7  # milliseconds, 4 octets
    STATE = 8  # word
    REASON = 9  # UTF-8
    AT = 10  # as END


class _Form(NamedTuple):
    to_octets: Callable[[Any], bytes]
    from_octets: Callable[[bytes], Any]


def _octets_of_instant(instant: datetime) -> bytes:
    return ((instant - _UNIX_EPOCH) // _MILLISECOND).to_bytes(_INSTANT_OCTETS, "big")


def _instant(octets: bytes) -> datetime:
    return _UNIX_EPOCH + int.from_bytes(_of_length(octets, _INSTANT_OCTETS), "big") * _MILLISECOND


def _octets_of_seconds(seconds: float) -> bytes:
    return max(0, round(seconds * 1000)).to_bytes(_DURATION_OCTETS, "big")


def _seconds(octets: bytes) -> float:
    return int.from_bytes(_of_length(octets, _DURATION_OCTETS), "big") / 1000


def _of_length(octets: bytes, length: int) -> bytes:
    if len(octets) != length:
        raise ValueError(f"{len(octets)} octets instead of {length}")
    return octets


_TEXT = _Form(str.encode, bytes.decode)
_INSTANT = _Form(_octets_of_instant, _instant)

_FORMS: dict[Tag, _Form] = {
    Tag.METER: _TEXT,
    Tag.DEVICE: _Form(lambda device: Eui64(device).octets, Eui64.from_octets),
    Tag.DEVICE_TYPE: _Form(lambda kind: str.encode(kind.value), lambda octets: DeviceType(octets.decode())),
    Tag.KEY_FORM: _TEXT,
    Tag.KEY_MATERIAL: _Form(bytes, bytes),
    Tag.END: _INSTANT,
    Tag.WINDOW_LEFT: _Form(_octets_of_seconds, _seconds),
    Tag.STATE: _Form(str.encode, lambda octets: LegState(octets.decode())),
    Tag.REASON: _TEXT,
    Tag.AT: _INSTANT,
}


class TlvCodec:
    """HANproof's own."""

    def encode(self, message: LegMessage) -> bytes:
        """The octets of a message; what is None is left out. Raises LocalProtocolError for a value that does not fit."""
        try:
            parts = [_HEAD.pack(MAGIC, VERSION, Kind[message.kind.name], message.sequence)]
            for tag, form in _FORMS.items():
                value = getattr(message, tag.name.lower())
                if value is not None:
                    octets = form.to_octets(value)
                    parts += [_ELEMENT.pack(tag, len(octets)), octets]
        except (struct.error, ValueError, OverflowError) as fault:
            raise LocalProtocolError(f"{message!r} cannot be encoded: {fault}") from fault
        body = b"".join(parts)
        return body + _CRC.pack(crc32(body))

    def decode(self, octets: bytes) -> LegMessage:
        """The message in these octets, which need not be complete (`LegMessage.missing`). Raises RemoteProtocolError."""
        if len(octets) < _HEAD.size + _CRC.size:
            raise RemoteProtocolError(f"leg message: {len(octets)} octets are too few")
        body, check = octets[: -_CRC.size], octets[-_CRC.size:]
        magic, version, kind, sequence = _HEAD.unpack_from(body)
        if magic != MAGIC:
            raise RemoteProtocolError(f"leg message: begins with {magic.hex()}, not {MAGIC.hex()}")
        if version != VERSION:
            raise RemoteProtocolError(f"leg message: version {version}, only {VERSION} is known")
        if _CRC.unpack(check)[0] != crc32(body):
            raise RemoteProtocolError("leg message: the CRC is wrong")
        try:
            meaning = LegKind(Kind(kind).name.lower())
        except ValueError:
            raise RemoteProtocolError(f"leg message: unknown kind {kind}") from None
        fields = {"meter": None, "device": None, **_elements(body[_HEAD.size:])}
        return LegMessage(meaning, sequence, **fields)


def _elements(octets: bytes) -> dict[str, Any]:
    fields: dict[str, Any] = {}
    last = 0
    while octets:
        if len(octets) < _ELEMENT.size:
            raise RemoteProtocolError("leg message: ends inside an element's head")
        number, length = _ELEMENT.unpack_from(octets)
        value, octets = octets[_ELEMENT.size: _ELEMENT.size + length], octets[_ELEMENT.size + length:]
        try:
            tag = Tag(number)
        except ValueError:
            raise RemoteProtocolError(f"leg message: unknown tag {number}") from None
        if len(value) < length:
            raise RemoteProtocolError(f"leg message: {tag.name} says {length} octets, {len(value)} are left")
        if tag <= last:
            raise RemoteProtocolError(f"leg message: {tag.name} is repeated or out of order")
        last = tag
        try:
            fields[tag.name.lower()] = _FORMS[tag].from_octets(value)
        except (ValueError, OverflowError) as fault:
            raise RemoteProtocolError(f"leg message: {tag.name} is unreadable: {_without_value(fault)}") from None
    return fields


def _without_value(fault: Exception) -> str:
    """What went wrong without the octets that went wrong."""
    return "not UTF-8" if isinstance(fault, UnicodeDecodeError) else str(fault)
