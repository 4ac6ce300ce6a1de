"""ZDP discovery: descriptors, and the requests that find addresses, endpoints and services (05-3474, 2.3.2 and 2.4.3.1).

Also what every ZDP response begins with. Knows no cluster identifiers and no sequence numbers; `dissectors.zdp` does.
"""

from __future__ import annotations

from enum import IntEnum, IntFlag

from scapy.fields import BitField, ByteField, ConditionalField, Field, XByteField, XLEShortField

from dissectors.fields import Eui64Field, LEShortField
from dissectors.layer import Layer
from dissectors.structures import Counted, EndsEarly, Nested, Repeated


class Status(IntEnum):
    """2.4.5, Table 2.138 (r20). Stacks of the r17 era send 87, reserved later, for a full table."""

    SUCCESS = 0x00
    INVALID_REQUEST_TYPE = 0x80
    DEVICE_NOT_FOUND = 0x81
    INVALID_ENDPOINT = 0x82
    NOT_ACTIVE = 0x83
    NOT_SUPPORTED = 0x84
    TIMEOUT = 0x85
    NO_MATCH = 0x86
    OLD_TABLE_FULL = 0x87
    NO_ENTRY = 0x88
    NO_DESCRIPTOR = 0x89
    INSUFFICIENT_SPACE = 0x8A
    NOT_PERMITTED = 0x8B
    TABLE_FULL = 0x8C
    NOT_AUTHORIZED = 0x8D
    DEVICE_BINDING_TABLE_FULL = 0x8E


class RequestType(IntEnum):
    """2.4.3.1.1: whose addresses an address request asks for."""

    SINGLE = 0
    EXTENDED = 1


class LogicalType(IntEnum):
    """2.3.2.3.1, Table 2.29."""

    COORDINATOR = 0
    ROUTER = 1
    END_DEVICE = 2


class ServerMask(IntFlag):
    """2.3.2.3.10, Table 2.32; bits 7 to 15 are 0 up to r20 and carry the stack revision from r21 on."""

    PRIMARY_TRUST_CENTER = 1 << 0
    BACKUP_TRUST_CENTER = 1 << 1
    PRIMARY_BINDING_CACHE = 1 << 2
    BACKUP_BINDING_CACHE = 1 << 3
    PRIMARY_DISCOVERY_CACHE = 1 << 4
    BACKUP_DISCOVERY_CACHE = 1 << 5
    NETWORK_MANAGER = 1 << 6


FIRST_ENDPOINT, LAST_ENDPOINT = 1, 240  # of applications (2.3.2.5.1); 241 to 254 are reserved, 255 is all of them
BROADCAST_ENDPOINT = 255
MAXIMUM_BUFFER_SIZE = 0x7F  # 2.3.2.3.8
MAXIMUM_TRANSFER_SIZE = 0x7FFF  # 2.3.2.3.9 and .11
DESCRIPTOR_CAPABILITY = 0b11  # the bits in use, 2.3.2.3.12
BAND_2400_MHZ = 1 << 3  # frequency band of the node descriptor, 2.3.2.3.5
WILDCARD_PROFILE = 0xFFFF  # matches every profile, but only from r19 on (CCB 1224)


class NodeDescriptor(Layer):
    """2.3.2.3: 13 octets."""

    fields_desc = [
        BitField("reserved", 0, 3),
        BitField("user_descriptor_available", 0, 1),
        BitField("complex_descriptor_available", 0, 1),
        BitField("logical_type", LogicalType.END_DEVICE, 3),
        BitField("frequency_band", BAND_2400_MHZ, 5),
        BitField("aps_flags", 0, 3),
        XByteField("capability", 0),
        XLEShortField("manufacturer_code", 0),
        ByteField("maximum_buffer_size", 0x52),
        LEShortField("maximum_incoming_transfer_size", 0x52),
        XLEShortField("server_mask", 0),
        LEShortField("maximum_outgoing_transfer_size", 0x52),
        XByteField("descriptor_capability", 0),
    ]


class PowerDescriptor(Layer):
    """2.3.2.4: 2 octets."""

    fields_desc = [
        BitField("available_power_sources", 1, 4),
        BitField("current_power_mode", 0, 4),
        BitField("current_power_source_level", 0xC, 4),
        BitField("current_power_source", 1, 4),
    ]


class SimpleDescriptor(Layer):
    """2.3.2.5: the input list holds the clusters the endpoint serves, the output list those it is a client of."""

    fields_desc = [
        ByteField("endpoint", 1),
        XLEShortField("profile", 0),
        XLEShortField("device", 0),
        BitField("reserved", 0, 4),
        BitField("device_version", 0, 4),
        Counted("in_clusters", XLEShortField("", 0)),
        Counted("out_clusters", XLEShortField("", 0)),
    ]


def or_refused(field: Field) -> EndsEarly:
    """A field of a response that may be left out, with all after it, when the status is not SUCCESS."""
    return EndsEarly(field, lambda packet: packet.status != Status.SUCCESS)


def status() -> XByteField:
    return XByteField("status", Status.SUCCESS)


class NwkAddrReq(Layer):
    """2.4.3.1.1, cluster 0000."""

    fields_desc = [Eui64Field("ieee_addr"), ByteField("request_type", RequestType.SINGLE), ByteField("start_index", 0)]


class NwkAddrRsp(Layer):
    """2.4.4.1.1, cluster 8000; the list is there only for an extended request, its start index only when it is not empty."""

    fields_desc = [
        status(),
        or_refused(Eui64Field("ieee_addr")),
        or_refused(XLEShortField("nwk_addr", 0)),
        EndsEarly(ByteField("num_assoc_dev", 0), lambda packet: True),
        ConditionalField(ByteField("start_index", 0), lambda packet: bool(packet.num_assoc_dev)),
        ConditionalField(
            Repeated("assoc_devices", XLEShortField("", 0), lambda packet: packet.num_assoc_dev),
            lambda packet: bool(packet.num_assoc_dev),
        ),
    ]


class IeeeAddrReq(Layer):
    """2.4.3.1.2, cluster 0001; unicast only."""

    fields_desc = [
        XLEShortField("nwk_addr_of_interest", 0), ByteField("request_type", RequestType.SINGLE), ByteField("start_index", 0),
    ]


class IeeeAddrRsp(Layer):
    """2.4.4.1.2, cluster 8001."""

    fields_desc = [NwkAddrRsp]


class NodeDescReq(Layer):
    """2.4.3.1.3, cluster 0002."""

    fields_desc = [XLEShortField("nwk_addr_of_interest", 0)]


class NodeDescRsp(Layer):
    """2.4.4.1.3, cluster 8002."""

    fields_desc = [
        status(),
        or_refused(XLEShortField("nwk_addr_of_interest", 0)),
        or_refused(Nested("node_descriptor", NodeDescriptor)),
    ]


class PowerDescReq(Layer):
    """2.4.3.1.4, cluster 0003."""

    fields_desc = [XLEShortField("nwk_addr_of_interest", 0)]


class PowerDescRsp(Layer):
    """2.4.4.1.4, cluster 8003."""

    fields_desc = [
        status(),
        or_refused(XLEShortField("nwk_addr_of_interest", 0)),
        or_refused(Nested("power_descriptor", PowerDescriptor)),
    ]


class SimpleDescReq(Layer):
    """2.4.3.1.5, cluster 0004."""

    fields_desc = [XLEShortField("nwk_addr_of_interest", 0), ByteField("endpoint", 0)]


class SimpleDescRsp(Layer):
    """2.4.4.1.5, cluster 8004; the descriptor has a length octet before it, 0 (None here) in a refusal."""

    fields_desc = [
        status(),
        or_refused(XLEShortField("nwk_addr_of_interest", 0)),
        ConditionalField(
            Nested("simple_descriptor", SimpleDescriptor, prefixed=True), lambda packet: packet.nwk_addr_of_interest is not None
        ),
    ]


class ActiveEpReq(Layer):
    """2.4.3.1.6, cluster 0005."""

    fields_desc = [XLEShortField("nwk_addr_of_interest", 0)]


class ActiveEpRsp(Layer):
    """2.4.4.1.6, cluster 8005."""

    fields_desc = [
        status(), or_refused(XLEShortField("nwk_addr_of_interest", 0)), or_refused(Counted("endpoints", ByteField("", 0))),
    ]


class MatchDescReq(Layer):
    """2.4.3.1.7, cluster 0006: input clusters are those the wanted endpoint serves."""

    fields_desc = [
        XLEShortField("nwk_addr_of_interest", 0),
        XLEShortField("profile", 0),
        Counted("in_clusters", XLEShortField("", 0)),
        Counted("out_clusters", XLEShortField("", 0)),
    ]


class MatchDescRsp(Layer):
    """2.4.4.1.7, cluster 8006."""

    fields_desc = [ActiveEpRsp]


class DeviceAnnce(Layer):
    """2.4.3.1.11, cluster 0013: broadcast to fffd after every join and rejoin; no response."""

    fields_desc = [XLEShortField("nwk_addr", 0), Eui64Field("ieee_addr"), XByteField("capability", 0)]


class SystemServerDiscoveryReq(Layer):
    """2.4.3.1.13, cluster 0015."""

    fields_desc = [XLEShortField("server_mask", 0)]


class SystemServerDiscoveryRsp(Layer):
    """2.4.4.1.10, cluster 8015."""

    fields_desc = [status(), or_refused(XLEShortField("server_mask", 0))]


class ParentAnnce(Layer):
    """r21 and later, cluster 001f; known so that such a frame is recognised."""

    fields_desc = [Counted("children", Eui64Field(""))]


class ParentAnnceRsp(Layer):
    """r21 and later, cluster 801f; known so that such a frame is recognised."""

    fields_desc = [status(), or_refused(Counted("children", Eui64Field("")))]
