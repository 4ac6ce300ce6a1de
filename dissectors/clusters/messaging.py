"""Messaging, cluster 0703 (SE 075356, Annex D.5 in r15): text for the consumer. It has no attributes.

Times are seconds since 2000-01-01T00:00:00Z, 0 meaning now.
"""

from __future__ import annotations

from enum import IntEnum

from scapy.fields import BitField, LEIntField, LEShortField, XByteField

from dissectors.clusters import Cluster
from dissectors.fields import Trailing, UtcTime
from dissectors.layer import Layer
from dissectors.zcl_types import CharacterString


class Transmission(IntEnum):
    """Bits 0 and 1 of a message's control octet; 3 is reserved."""

    NORMAL = 0
    NORMAL_AND_INTER_PAN = 1
    INTER_PAN_ONLY = 2


class Importance(IntEnum):
    """Bits 2 and 3 of a message's control octet."""

    LOW = 0
    MEDIUM = 1
    HIGH = 2
    CRITICAL = 3


UNTIL_CHANGED = 0xFFFF  # duration in minutes

_CONTROL = [
    BitField("confirmation_required", 0, 1),
    BitField("reserved_high", 0, 1),
    BitField("enhanced_confirmation", 0, 1),  # 1.2
    BitField("reserved_low", 0, 1),
    BitField("importance", Importance.LOW, 2),
    BitField("transmission", Transmission.NORMAL, 2),
]


class DisplayMessage(Layer):
    """Server to client 00; it replaces the message that is active."""

    fields_desc = [
        LEIntField("message_id", 0),
        *_CONTROL,
        UtcTime("start_time", 0),
        LEShortField("duration_in_minutes", UNTIL_CHANGED),
        CharacterString("message", b""),  # UTF-8
        Trailing(XByteField("extended_control", 0)),  # 1.2
    ]


class CancelMessage(Layer):
    """Server to client 01; the control octet is 0 in 1.0."""

    fields_desc = [LEIntField("message_id", 0), *_CONTROL]


class GetLastMessage(Layer):
    """Client to server 00, no payload; answered with Display Message, or a Default Response NOT_FOUND."""

    fields_desc = []


class MessageConfirmation(Layer):
    """Client to server 01."""

    fields_desc = [LEIntField("message_id", 0), UtcTime("confirmation_time", 0)]


CLUSTER = Cluster(
    0x0703,
    "Messaging",
    client_commands={0x00: GetLastMessage, 0x01: MessageConfirmation},
    server_commands={0x00: DisplayMessage, 0x01: CancelMessage},
)
