"""The octets of an invented vendor's metering network, ACME: a worked example of a leg codec (docs/leg-codec.md).

Every message has the same 160 octets, integers most significant octet first, what is absent is zero:

offset  octets  field
     0       2  magic AC 3E
     2       2  length of the whole message: 160
     4       1  kind: 10 arm, 11 disarm, 20 window, 21 registration, 2F refused (hex)
     5       1  state: 0 none, 1 opened, 2 closed, 3 provisioned, 4 failed
     6       4  transaction
    10       2  which fields are there, a bit each: bit 0 meter, 1 device, 2 type ... in the order of FIELDS
    12       8  device, EUI-64
    20       1  device type: 1 load control, 2 thermostat
    21       1  form of the key: 1 link key, 2 install code
    22      33  key: length (1), then up to 32 octets
    55       6  end: seconds since 2000-01-01T00:00:00Z (4), milliseconds (2)
    61       4  left of the window, milliseconds
    65       6  at, as end
    71      41  meter: length (1), then up to 40 octets of UTF-8
   112      41  reason: as meter
   153       5  reserved
   158       2  CRC-16 (CCITT, initial FF FF) of all that went before
"""

from __future__ import annotations

import struct
from binascii import crc_hqx
from datetime import UTC, datetime, timedelta
from typing import Any

from harness.backhaul.message import LegKind, LegMessage, LegState
from harness.errors import LocalProtocolError, RemoteProtocolError
from harness.values import DeviceType, Eui64

MAGIC = 0xAC3E
LAYOUT = struct.Struct(">HHBBIH8sBBB32sIHIIHB40sB40s5x")
CRC = struct.Struct(">H")
LENGTH = LAYOUT.size + CRC.size
HEAD = struct.Struct(">HH")
Y2K = datetime(2000, 1, 1, tzinfo=UTC)
MILLISECOND = timedelta(milliseconds=1)

KINDS = {
    LegKind.OPEN_WINDOW: 0x10, LegKind.CANCEL_WINDOW: 0x11, LegKind.WINDOW_STATE: 0x20, LegKind.STATE: 0x21,
    LegKind.UNDELIVERABLE: 0x2F,
}
STATES = {None: 0, LegState.OPENED: 1, LegState.CLOSED: 2, LegState.PROVISIONED: 3, LegState.FAILED: 4}
TYPES = {None: 0, DeviceType.LOAD_CONTROL: 1, DeviceType.PCT: 2}
KEY_FORMS = {None: 0, "link_key": 1, "install_code": 2}
FIELDS = ("meter", "device", "device_type", "key_form", "key_material", "end", "window_left", "state", "reason", "at")


class AcmeLegCodec:
    """Legs as ACME speaks them. No option, no state: the same message is always the same octets."""

    def encode(self, message: LegMessage) -> bytes:
        """The 160 octets of a message. Raises LocalProtocolError for what does not fit into them."""
        present = sum(1 << place for place, name in enumerate(FIELDS) if getattr(message, name) is not None)
        try:
            body = LAYOUT.pack(
                MAGIC, LENGTH, KINDS[message.kind], STATES[message.state], message.sequence, present,
                Eui64(message.device or 0).octets, TYPES[message.device_type], KEY_FORMS[message.key_form],
                *_counted(message.key_material or b"", 32), *_ticks(message.end), round(max(0.0, message.window_left or 0.0) * 1000),
                *_ticks(message.at), *_counted((message.meter or "").encode(), 40), *_counted((message.reason or "").encode(), 40),
            )
        except (struct.error, KeyError, ValueError, OverflowError) as fault:
            raise LocalProtocolError(f"{message!r} does not fit into ACME's {LENGTH} octets: {fault}") from fault
        return body + CRC.pack(crc_hqx(body, 0xFFFF))

    def decode(self, octets: bytes) -> LegMessage:
        """The message in 160 octets. Raises RemoteProtocolError, which never shows a value."""
        if len(octets) != LENGTH or self.length(octets) != LENGTH:
            raise RemoteProtocolError(f"ACME message: {len(octets)} octets, not {LENGTH}")
        body = octets[:-CRC.size]
        if CRC.unpack(octets[-CRC.size:])[0] != crc_hqx(body, 0xFFFF):
            raise RemoteProtocolError("ACME message: the CRC is wrong")
        (_, _, kind, state, transaction, present, device, device_type, key_form, key_length, key, end, end_ms, left, at, at_ms,
         meter_length, meter, reason_length, reason) = LAYOUT.unpack(body)
        try:
            said: dict[str, Any] = {
                "meter": meter[:meter_length].decode(), "device": Eui64.from_octets(device),
                "device_type": _named(TYPES, device_type, "device type"), "key_form": _named(KEY_FORMS, key_form, "key form"),
                "key_material": key[:key_length], "end": _instant(end, end_ms), "window_left": left / 1000,
                "state": _named(STATES, state, "state"), "reason": reason[:reason_length].decode(), "at": _instant(at, at_ms),
            }
        except UnicodeDecodeError:
            raise RemoteProtocolError("ACME message: meter or reason is not UTF-8") from None
        there = {name: value if present >> place & 1 else None for place, (name, value) in enumerate(said.items())}
        message = LegMessage(_named(KINDS, kind, "kind"), transaction, **there)
        if self._as_sent(message) != octets:
            raise RemoteProtocolError("ACME message: a field that is marked as absent is not zero, or one says too much")
        return message

    def length(self, octets: bytes) -> int | None:
        """On a stream: how long the message is that begins here; None as long as that cannot be told."""
        if len(octets) < HEAD.size:
            return None
        magic, length = HEAD.unpack_from(octets)
        if (magic, length) != (MAGIC, LENGTH):
            raise RemoteProtocolError(f"ACME message: begins with {octets[:4].hex()}, not {HEAD.pack(MAGIC, LENGTH).hex()}")
        return LENGTH

    def _as_sent(self, message: LegMessage) -> bytes:
        try:
            return self.encode(message)
        except LocalProtocolError:
            return b""


def _counted(octets: bytes, room: int) -> tuple[int, bytes]:
    if len(octets) > room:
        raise ValueError(f"{len(octets)} octets where {room} have room")
    return len(octets), octets


def _ticks(instant: datetime | None) -> tuple[int, int]:
    return divmod((instant - Y2K) // MILLISECOND, 1000) if instant is not None else (0, 0)


def _instant(seconds: int, milliseconds: int) -> datetime:
    return Y2K + timedelta(seconds=seconds, milliseconds=milliseconds)


def _named(table: dict[Any, int], number: int, what: str) -> Any:
    for meaning, known in table.items():
        if known == number:
            return meaning
    raise RemoteProtocolError(f"ACME message: unknown {what} {number}")
