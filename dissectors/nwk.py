"""ZigBee NWK frames: header, auxiliary security header, the network commands. Knows nothing of keys or of APS.

Clauses: 05-3474, chapter 3 (numbering of r17 to r20), chapter 4 for the auxiliary header.
"""

from __future__ import annotations

from enum import IntEnum

from scapy.fields import (
    BitField,
    ByteField,
    ConditionalField,
    FieldLenField,
    FieldListField,
    PacketListField,
    XByteField,
    XLEShortField,
)

from dissectors.fields import Eui64Field, LEIntField, Trailing
from dissectors.layer import Layer


class FrameType(IntEnum):
    """3.3.1.1.1; 3 is reserved in r17 and used by SE inter-PAN frames."""

    DATA = 0
    COMMAND = 1
    INTER_PAN = 3


class BroadcastAddress(IntEnum):
    """3.6.5, Table 3.54."""

    ALL = 0xFFFF
    RX_ON_WHEN_IDLE = 0xFFFD
    ROUTERS = 0xFFFC
    LOW_POWER_ROUTERS = 0xFFFB


COORDINATOR = 0x0000
MAX_UNICAST = 0xFFF7
DEFAULT_RADIUS = 30  # 2 x nwkMaxDepth, 3.6.2.1
PROTOCOL_VERSION = 2  # 1.4.1.1: a receiver discards others


class KeyIdentifier(IntEnum):
    """4.5.1.1.2, Table 4.41 (r17: 4.39)."""

    DATA = 0
    NETWORK = 1
    KEY_TRANSPORT = 2
    KEY_LOAD = 3


class Nwk(Layer):
    """The NWK header, 3.3.1: frame control (2 octets), addresses, radius, sequence number, what the control bits announce."""

    fields_desc = [
        BitField("discover_route", 0, 2),
        BitField("protocol_version", PROTOCOL_VERSION, 4),
        BitField("frame_type", FrameType.DATA, 2),
        BitField("reserved", 0, 2),
        BitField("end_device_initiator", 0, 1),  # reserved, 0, before r21
        BitField("source_ieee_present", 0, 1),
        BitField("dest_ieee_present", 0, 1),
        BitField("source_route_present", 0, 1),
        BitField("security_enabled", 0, 1),
        BitField("multicast", 0, 1),
        XLEShortField("dest", 0),
        XLEShortField("source", 0),
        ByteField("radius", DEFAULT_RADIUS),
        ByteField("sequence", 0),
        ConditionalField(Eui64Field("dest_ieee"), lambda packet: packet.dest_ieee_present),
        ConditionalField(Eui64Field("source_ieee"), lambda packet: packet.source_ieee_present),
        ConditionalField(XByteField("multicast_control", 0), lambda packet: packet.multicast),
        ConditionalField(
            FieldLenField("relay_count", None, count_of="relays", fmt="B"), lambda packet: packet.source_route_present
        ),
        ConditionalField(ByteField("relay_index", 0), lambda packet: packet.source_route_present),
        ConditionalField(
            FieldListField("relays", [], XLEShortField("", 0), count_from=lambda packet: packet.relay_count),
            lambda packet: packet.source_route_present,
        ),
    ]


class InterPan(Layer):
    """The NWK header of an inter-PAN frame: frame control alone."""

    fields_desc = [
        BitField("discover_route", 0, 2),
        BitField("protocol_version", PROTOCOL_VERSION, 4),
        BitField("frame_type", FrameType.INTER_PAN, 2),
        BitField("reserved", 0, 8),
    ]


class AuxiliaryHeader(Layer):
    """The auxiliary security header of NWK and APS frames, 4.5.1; the level field is 0 on the air whatever the level is."""

    fields_desc = [
        BitField("reserved", 0, 2),
        BitField("extended_nonce", 1, 1),
        BitField("key_identifier", KeyIdentifier.NETWORK, 2),
        BitField("security_level", 0, 3),
        LEIntField("frame_counter", 0),
        ConditionalField(Eui64Field("source_ieee"), lambda packet: packet.extended_nonce),
        ConditionalField(ByteField("key_sequence", 0), lambda packet: packet.key_identifier == KeyIdentifier.NETWORK),
    ]


class RouteRequest(Layer):
    """3.4.1."""

    fields_desc = [
        BitField("reserved_high", 0, 1),
        BitField("multicast", 0, 1),
        BitField("dest_ieee_present", 0, 1),
        BitField("many_to_one", 0, 2),
        BitField("reserved_low", 0, 3),
        ByteField("request_id", 0),
        XLEShortField("dest", 0),
        ByteField("path_cost", 0),
        ConditionalField(Eui64Field("dest_ieee"), lambda packet: packet.dest_ieee_present),
    ]


class RouteReply(Layer):
    """3.4.2."""

    fields_desc = [
        BitField("reserved_high", 0, 1),
        BitField("multicast", 0, 1),
        BitField("responder_ieee_present", 0, 1),
        BitField("originator_ieee_present", 0, 1),
        BitField("reserved_low", 0, 4),
        ByteField("request_id", 0),
        XLEShortField("originator", 0),
        XLEShortField("responder", 0),
        ByteField("path_cost", 0),
        ConditionalField(Eui64Field("originator_ieee"), lambda packet: packet.originator_ieee_present),
        ConditionalField(Eui64Field("responder_ieee"), lambda packet: packet.responder_ieee_present),
    ]


class NetworkStatus(Layer):
    """3.4.3; the address is absent in some revisions for some codes."""

    fields_desc = [XByteField("status", 0), Trailing(XLEShortField("dest", 0))]


class Leave(Layer):
    """3.4.4."""

    fields_desc = [
        BitField("remove_children", 0, 1),
        BitField("request", 0, 1),
        BitField("rejoin", 0, 1),
        BitField("reserved", 0, 5),
    ]


class RouteRecord(Layer):
    """3.4.5."""

    fields_desc = [
        FieldLenField("relay_count", None, count_of="relays", fmt="B"),
        FieldListField("relays", [], XLEShortField("", 0), count_from=lambda packet: packet.relay_count),
    ]


class RejoinRequest(Layer):
    """3.4.6: the capability octet; its allocate-address bit is 0 in ZigBee PRO (3.6.1.4.2.1)."""

    fields_desc = [XByteField("capability", 0)]


class RejoinResponse(Layer):
    """3.4.7; the status uses the 802.15.4 association codes."""

    fields_desc = [XLEShortField("short_address", 0xFFFF), XByteField("status", 0)]


class LinkStatusEntry(Layer):
    """One neighbour of a Link Status command, 3.4.8.3.2."""

    fields_desc = [
        XLEShortField("neighbour", 0),
        BitField("reserved_high", 0, 1),
        BitField("outgoing_cost", 0, 3),
        BitField("reserved_low", 0, 1),
        BitField("incoming_cost", 0, 3),
    ]


class LinkStatus(Layer):
    """3.4.8; `count` must say how many entries follow."""

    fields_desc = [
        BitField("reserved", 0, 1),
        BitField("last_frame", 1, 1),
        BitField("first_frame", 1, 1),
        BitField("count", 0, 5),
        PacketListField("entries", [], LinkStatusEntry, count_from=lambda packet: packet.count),
    ]


class NetworkReport(Layer):
    """3.4.9; type 0 is a PAN identifier conflict."""

    fields_desc = [
        BitField("report_type", 0, 3),
        BitField("count", 0, 5),
        Eui64Field("extended_pan_id"),
        FieldListField("pan_ids", [], XLEShortField("", 0), count_from=lambda packet: packet.count),
    ]


class NetworkUpdate(Layer):
    """3.4.10; type 0 is a PAN identifier update."""

    fields_desc = [
        BitField("update_type", 0, 3),
        BitField("count", 1, 5),
        Eui64Field("extended_pan_id"),
        ByteField("update_id", 0),
        XLEShortField("pan_id", 0),
    ]


class EndDeviceTimeoutRequest(Layer):
    """r21 and later; known so that such a frame is recognised."""

    fields_desc = [ByteField("requested_timeout", 0), XByteField("configuration", 0)]


class EndDeviceTimeoutResponse(Layer):
    """r21 and later; known so that such a frame is recognised."""

    fields_desc = [XByteField("status", 0), XByteField("parent_information", 0)]


COMMANDS: dict[int, type[Layer]] = {  # NWK command identifier (1 octet before the payload), 3.4 Table 3.40
    0x01: RouteRequest,
    0x02: RouteReply,
    0x03: NetworkStatus,
    0x04: Leave,
    0x05: RouteRecord,
    0x06: RejoinRequest,
    0x07: RejoinResponse,
    0x08: LinkStatus,
    0x09: NetworkReport,
    0x0A: NetworkUpdate,
    0x0B: EndDeviceTimeoutRequest,
    0x0C: EndDeviceTimeoutResponse,
}
