"""ZigBee APS frames: data, acknowledgement and command headers, fragmentation, security commands. Knows no keys, no clusters.

Clauses: 05-3474 chapter 2 (frames) and 4.4.9 (commands), numbering of r17 to r20.
"""

from __future__ import annotations

from enum import IntEnum

from scapy.fields import BitField, ByteField, ConditionalField, XByteField, XLEShortField
from scapy.packet import Packet

from dissectors.fields import Eui64Field, KeyField, Remaining, SecretRemaining
from dissectors.layer import Layer


class FrameType(IntEnum):
    """2.2.5.1.1.1."""

    DATA = 0
    COMMAND = 1
    ACK = 2
    INTER_PAN = 3


class DeliveryMode(IntEnum):
    """2.2.5.1.1.2; 1 (indirect) is reserved from r17 on."""

    UNICAST = 0
    INDIRECT = 1
    BROADCAST = 2
    GROUP = 3


class Fragmentation(IntEnum):
    """2.2.5.1.8.1: the low two bits of the extended frame control."""

    NONE = 0
    FIRST = 1
    PART = 2


class KeyType(IntEnum):
    """4.4.9.2, Table of Transport-Key and Request-Key types."""

    TRUST_CENTER_MASTER_KEY = 0
    STANDARD_NETWORK_KEY = 1
    APPLICATION_MASTER_KEY = 2
    APPLICATION_LINK_KEY = 3
    TRUST_CENTER_LINK_KEY = 4
    HIGH_SECURITY_NETWORK_KEY = 5


def _is_data(packet: Packet) -> bool:
    return packet.frame_type in (FrameType.DATA, FrameType.INTER_PAN)


def _is_addressed(packet: Packet) -> bool:
    """Data frames and acks of data frames carry endpoints, cluster and profile; an ack of a command does not (2.2.5.2.3)."""
    return packet.frame_type == FrameType.DATA or (packet.frame_type == FrameType.ACK and not packet.ack_format)


class Aps(Layer):
    """The APS header, 2.2.5.1: frame control, addressing, APS counter, extended header.

    An acknowledgement's endpoints are the acknowledged frame's, exchanged; its counter is copied.
    """

    fields_desc = [
        BitField("extended_header_present", 0, 1),
        BitField("ack_request", 0, 1),
        BitField("security_enabled", 0, 1),
        BitField("ack_format", 0, 1),
        BitField("delivery_mode", DeliveryMode.UNICAST, 2),
        BitField("frame_type", FrameType.DATA, 2),
        ConditionalField(
            ByteField("dest_endpoint", 0), lambda packet: _is_addressed(packet) and packet.delivery_mode != DeliveryMode.GROUP
        ),
        ConditionalField(
            XLEShortField("group", 0), lambda packet: _is_data(packet) and packet.delivery_mode == DeliveryMode.GROUP
        ),
        ConditionalField(
            XLEShortField("cluster", 0), lambda packet: _is_addressed(packet) or packet.frame_type == FrameType.INTER_PAN
        ),
        ConditionalField(
            XLEShortField("profile", 0), lambda packet: _is_addressed(packet) or packet.frame_type == FrameType.INTER_PAN
        ),
        ConditionalField(ByteField("source_endpoint", 0), _is_addressed),
        ConditionalField(ByteField("counter", 0), lambda packet: packet.frame_type != FrameType.INTER_PAN),
        ConditionalField(BitField("reserved", 0, 6), lambda packet: packet.extended_header_present),
        ConditionalField(BitField("fragmentation", 0, 2), lambda packet: packet.extended_header_present),
        ConditionalField(  # the number of blocks in the first fragment, the block's own number in the others
            ByteField("block_number", 0),
            lambda packet: packet.extended_header_present and packet.fragmentation != Fragmentation.NONE,
        ),
        ConditionalField(
            XByteField("ack_bitfield", 0xFF),
            lambda packet: (
                packet.extended_header_present
                and packet.fragmentation != Fragmentation.NONE
                and packet.frame_type == FrameType.ACK
            ),
        ),
    ]


NETWORK_KEYS = (KeyType.STANDARD_NETWORK_KEY, KeyType.HIGH_SECURITY_NETWORK_KEY)
TRUST_CENTER_KEYS = (KeyType.TRUST_CENTER_MASTER_KEY, KeyType.TRUST_CENTER_LINK_KEY)
APPLICATION_KEYS = (KeyType.APPLICATION_MASTER_KEY, KeyType.APPLICATION_LINK_KEY)


class TransportKey(Layer):
    """4.4.9.2: 35 octets with the identifier for a network key, 34 for a trust-centre link key, 27 for an application key."""

    fields_desc = [
        ByteField("key_type", KeyType.STANDARD_NETWORK_KEY),
        KeyField("key"),
        ConditionalField(ByteField("key_sequence", 0), lambda packet: packet.key_type in NETWORK_KEYS),
        ConditionalField(Eui64Field("dest"), lambda packet: packet.key_type in NETWORK_KEYS + TRUST_CENTER_KEYS),
        ConditionalField(Eui64Field("source"), lambda packet: packet.key_type in NETWORK_KEYS + TRUST_CENTER_KEYS),
        ConditionalField(Eui64Field("partner"), lambda packet: packet.key_type in APPLICATION_KEYS),
        ConditionalField(ByteField("initiator", 0), lambda packet: packet.key_type in APPLICATION_KEYS),
    ]


class DeviceStatus(IntEnum):
    """What became of a device, as its parent tells the trust centre, 4.4.9.3.4."""

    SECURED_REJOIN = 0
    UNSECURED_JOIN = 1
    LEFT = 2
    UNSECURED_REJOIN = 3


class UpdateDevice(Layer):
    """4.4.9.3."""

    fields_desc = [Eui64Field("device"), XLEShortField("short_address", 0), ByteField("status", DeviceStatus.UNSECURED_JOIN)]


class RemoveDevice(Layer):
    """4.4.9.4: to the parent of the target."""

    fields_desc = [Eui64Field("target")]


class RequestKey(Layer):
    """4.4.9.5: type 2 (application key) names the partner."""

    fields_desc = [
        ByteField("key_type", KeyType.APPLICATION_MASTER_KEY),
        ConditionalField(Eui64Field("partner"), lambda packet: packet.key_type == KeyType.APPLICATION_MASTER_KEY),
    ]


class SwitchKey(Layer):
    """4.4.9.6."""

    fields_desc = [ByteField("key_sequence", 0)]


class Tunnel(Layer):
    """4.4.9.8: destination and a complete APS command frame (header, auxiliary header, sealed command, MIC).

    The frame is never shown as octets: one that is wrongly in the clear would show its key.
    """

    fields_desc = [Eui64Field("dest"), SecretRemaining("command_frame")]


class VerifyKey(Layer):
    """r21 and later; known so that such a frame is recognised."""

    fields_desc = [ByteField("key_type", 4), Eui64Field("source"), KeyField("hash")]


class ConfirmKey(Layer):
    """r21 and later; known so that such a frame is recognised."""

    fields_desc = [ByteField("status", 0), ByteField("key_type", 4), Eui64Field("dest")]


class HighSecurityCommand(Layer):
    """SKKE (01 to 04) and entity authentication (0a to 0d): high security only, recognised and not interpreted."""

    fields_desc = [Remaining("octets")]


COMMANDS: dict[int, type[Layer]] = {  # APS command identifier (1 octet before the payload), 4.4.9 Table 4.27
    **dict.fromkeys((0x01, 0x02, 0x03, 0x04, 0x0A, 0x0B, 0x0C, 0x0D), HighSecurityCommand),
    0x05: TransportKey,
    0x06: UpdateDevice,
    0x07: RemoveDevice,
    0x08: RequestKey,
    0x09: SwitchKey,
    0x0E: Tunnel,
    0x0F: VerifyKey,
    0x10: ConfirmKey,
}
