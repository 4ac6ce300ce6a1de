"""IEEE 802.15.4 MAC frames as ZigBee uses them: header, beacon with the ZigBee payload, commands, the FCS.

Knows nothing of what a data frame carries. Clauses are those of IEEE 802.15.4-2006; ZigBee 2007 cites the 2003 edition.
"""

from __future__ import annotations

from binascii import crc_hqx
from enum import IntEnum

from scapy.fields import BitField, ByteField, ConditionalField, FieldListField, XByteField, XLEShortField
from scapy.packet import Packet

from dissectors.fields import Eui64Field, Octets, UnsignedLE
from dissectors.layer import Layer

MAX_PSDU = 127  # octets with FCS, 6.4.1 aMaxPHYPacketSize
BROADCAST = 0xFFFF  # both the broadcast PAN and the broadcast short address, 7.2.1.3 and 7.2.1.4
NO_SHORT_ADDRESS = 0xFFFE  # associated without a short address, 7.3.2.2


class FrameType(IntEnum):
    """7.2.1.1.1, Table 79."""

    BEACON = 0
    DATA = 1
    ACK = 2
    COMMAND = 3


class AddressMode(IntEnum):
    """7.2.1.1.6, Table 80."""

    NONE = 0
    SHORT = 2
    EXTENDED = 3


class AssociationStatus(IntEnum):
    """7.3.2.3, Table 83."""

    SUCCESS = 0
    PAN_AT_CAPACITY = 1
    PAN_ACCESS_DENIED = 2


def _has(side: str, mode: AddressMode | None = None) -> object:
    def present(packet: Packet) -> bool:
        value = getattr(packet, f"{side}_mode")
        return bool(value) if mode is None else value == mode

    return present


def _has_source_pan(packet: Packet) -> bool:
    return bool(packet.source_mode) and not packet.pan_id_compression


class Mac(Layer):
    """The MAC header, 7.2.1: frame control (2 octets), sequence number, addressing fields.

    `dest` and `source` are split by width (`dest_short`, `dest_ieee` ...); whichever is absent reads as None.
    """

    fields_desc = [
        BitField("reserved_low", 0, 1),
        BitField("pan_id_compression", 0, 1),
        BitField("ack_request", 0, 1),
        BitField("frame_pending", 0, 1),
        BitField("security_enabled", 0, 1),
        BitField("frame_type", FrameType.DATA, 3),
        BitField("source_mode", 0, 2),
        BitField("frame_version", 0, 2),
        BitField("dest_mode", 0, 2),
        BitField("reserved_high", 0, 2),
        ByteField("sequence", 0),
        ConditionalField(XLEShortField("dest_pan", 0), _has("dest")),
        ConditionalField(XLEShortField("dest_short", 0), _has("dest", AddressMode.SHORT)),
        ConditionalField(Eui64Field("dest_ieee"), _has("dest", AddressMode.EXTENDED)),
        ConditionalField(XLEShortField("source_pan", 0), _has_source_pan),
        ConditionalField(XLEShortField("source_short", 0), _has("source", AddressMode.SHORT)),
        ConditionalField(Eui64Field("source_ieee"), _has("source", AddressMode.EXTENDED)),
    ]


def _has_gts(packet: Packet) -> bool:
    return bool(packet.gts_specification & 7)


class Beacon(Layer):
    """A beacon's payload: superframe specification, GTS, pending addresses (7.2.2.1), then the ZigBee beacon payload.

    ZigBee part: 05-3474 clause 3.6.7, Table 3.56; protocol id 0, stack profile 2 for ZigBee PRO, protocol version 2.
    """

    fields_desc = [
        BitField("superframe_order", 15, 4),
        BitField("beacon_order", 15, 4),
        BitField("association_permit", 0, 1),
        BitField("pan_coordinator", 0, 1),
        BitField("reserved", 0, 1),
        BitField("battery_life_extension", 0, 1),
        BitField("final_cap_slot", 15, 4),
        XByteField("gts_specification", 0),  # its low three bits count the GTS descriptors; ZigBee has none
        ConditionalField(Octets("gts", b"", lambda packet: 1 + 3 * (packet.gts_specification & 7)), _has_gts),
        XByteField("pending_addresses", 0),  # low three bits: short addresses that follow, bits 4 to 6: extended ones
        FieldListField("pending_short", [], XLEShortField("", 0), count_from=lambda packet: packet.pending_addresses & 7),
        FieldListField("pending_extended", [], Eui64Field(""), count_from=lambda packet: packet.pending_addresses >> 4 & 7),
        ByteField("protocol_id", 0),
        BitField("protocol_version", 2, 4),
        BitField("stack_profile", 2, 4),
        BitField("end_device_capacity", 0, 1),
        BitField("device_depth", 0, 4),
        BitField("router_capacity", 0, 1),
        BitField("reserved_capacity", 0, 2),
        Eui64Field("extended_pan_id"),
        UnsignedLE("tx_offset", 0xFFFFFF, 3),
        ByteField("update_id", 0),
    ]


class Capability(Layer):
    """Capability information, 7.3.1.2: one octet in an association request, a rejoin request and Device_annce."""

    fields_desc = [
        BitField("allocate_address", 1, 1),
        BitField("security_capability", 0, 1),
        BitField("reserved", 0, 2),
        BitField("receiver_on_when_idle", 0, 1),
        BitField("mains_powered", 0, 1),
        BitField("full_function_device", 0, 1),
        BitField("alternate_pan_coordinator", 0, 1),
    ]


class AssociationRequest(Layer):
    """7.3.1: the capability octet (decode it with `parse_whole(Capability, ...)`)."""

    fields_desc = [XByteField("capability", 0)]


class AssociationResponse(Layer):
    """7.3.2: short address (ffff on failure) and status."""

    fields_desc = [XLEShortField("short_address", BROADCAST), ByteField("status", 0)]


class DisassociationNotification(Layer):
    """7.3.3; prohibited in ZigBee (08006r03, items D1 to D3)."""

    fields_desc = [ByteField("reason", 0)]


class DataRequest(Layer):
    """7.3.4: a poll; no payload."""

    fields_desc = []


class PanIdConflict(Layer):
    """7.3.5: no payload; prohibited in ZigBee (08006r03, items PICR1, PICR2)."""

    fields_desc = []


class OrphanNotification(Layer):
    """7.3.6: no payload."""

    fields_desc = []


class BeaconRequest(Layer):
    """7.3.7: no payload."""

    fields_desc = []


class CoordinatorRealignment(Layer):
    """7.3.8: PAN identifier, coordinator short address, channel, short address of the orphan."""

    fields_desc = [
        XLEShortField("pan_id", 0), XLEShortField("coordinator_short", 0), ByteField("channel", 11),
        XLEShortField("short_address", 0),
    ]


COMMANDS: dict[int, type[Layer]] = {  # command frame identifier (1 octet before the payload), Table 82
    1: AssociationRequest,
    2: AssociationResponse,
    3: DisassociationNotification,
    4: DataRequest,
    5: PanIdConflict,
    6: OrphanNotification,
    7: BeaconRequest,
    8: CoordinatorRealignment,
}

_MIRRORED = bytes(int(f"{octet:08b}"[::-1], 2) for octet in range(256))  # each octet with its bits reversed


def fcs(octets: bytes) -> bytes:
    """The frame check sequence of an MPDU without it: CRC-16, x^16+x^12+x^5+1, initial value 0, low octet first (7.2.1.9).

    The CRC takes each octet's least significant bit first; `crc_hqx` is the same CRC the other way round.
    """
    return crc_hqx(octets.translate(_MIRRORED), 0).to_bytes(2, "big").translate(_MIRRORED)
