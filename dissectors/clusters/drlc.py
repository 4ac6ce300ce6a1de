"""Demand Response and Load Control, cluster 0701 (SE 075356, Annex D.3 in r15): events, their cancelling, what devices report.

Times are seconds since 2000-01-01T00:00:00Z, 0 meaning now; temperatures are hundredths of a degree Celsius.
"""

from __future__ import annotations

from enum import IntEnum, IntFlag

from scapy.fields import ByteField, LEIntField, LEShortField, XByteField, XLEShortField

from dissectors.clusters import Access, Attribute, Cluster
from dissectors.fields import Octets, SignedLE, UtcTime
from dissectors.layer import Layer
from dissectors.zcl_types import DataType


class DeviceClass(IntFlag):
    """Which devices an event is for."""

    HVAC_COMPRESSOR_OR_FURNACE = 1 << 0
    STRIP_OR_BASEBOARD_HEATER = 1 << 1
    WATER_HEATER = 1 << 2
    POOL_PUMP_SPA_JACUZZI = 1 << 3
    SMART_APPLIANCE = 1 << 4
    IRRIGATION_PUMP = 1 << 5
    MANAGED_COMMERCIAL_AND_INDUSTRIAL = 1 << 6
    SIMPLE_MISC = 1 << 7
    EXTERIOR_LIGHTING = 1 << 8
    INTERIOR_LIGHTING = 1 << 9
    ELECTRIC_VEHICLE = 1 << 10
    GENERATION_SYSTEM = 1 << 11


class Criticality(IntEnum):
    """1 to 6 leave participation voluntary, 7 to 9 do not; 0 and above f are reserved."""

    GREEN = 0x01
    LEVEL_1 = 0x02
    LEVEL_2 = 0x03
    LEVEL_3 = 0x04
    LEVEL_4 = 0x05
    LEVEL_5 = 0x06
    EMERGENCY = 0x07
    PLANNED_OUTAGE = 0x08
    SERVICE_DISCONNECT = 0x09
    UTILITY_DEFINED_1 = 0x0A
    UTILITY_DEFINED_2 = 0x0B
    UTILITY_DEFINED_3 = 0x0C
    UTILITY_DEFINED_4 = 0x0D
    UTILITY_DEFINED_5 = 0x0E
    UTILITY_DEFINED_6 = 0x0F


class EventControl(IntFlag):
    """What of an event the device shifts by chance, within its randomisation attributes."""

    RANDOMIZE_START = 1 << 0
    RANDOMIZE_END = 1 << 1


class CancelControl(IntFlag):
    """How a cancelled event ends."""

    TERMINATE_WITH_RANDOMIZATION = 1 << 0


class EventStatus(IntEnum):
    """What a device reports of an event."""

    COMMAND_RECEIVED = 0x01
    STARTED = 0x02
    COMPLETED = 0x03
    OPT_OUT = 0x04
    OPT_IN = 0x05
    CANCELLED = 0x06
    SUPERSEDED = 0x07
    PARTIALLY_COMPLETED_WITH_OPT_OUT = 0x08
    PARTIALLY_COMPLETED_WITH_OPT_IN = 0x09
    COMPLETED_WITHOUT_PARTICIPATION = 0x0A
    REJECTED_INVALID_CANCEL_COMMAND = 0xF8
    REJECTED_INVALID_CANCEL_TIME = 0xF9
    REJECTED_DUPLICATE = 0xFA  # one implementation of the r15 era only
    REJECTED_EXPIRED = 0xFB
    REJECTED_COMPLETED = 0xFC  # one implementation of the r15 era only
    REJECTED_UNDEFINED_EVENT = 0xFD
    REJECTED = 0xFE


class SignatureType(IntEnum):
    """How a Report Event Status is signed; 1.0 requires ECDSA, 1.1 removed the requirement and kept the octets."""

    NONE = 0x00
    ECDSA = 0x01


EVERY_GROUP = 0  # utility enrollment group
MAXIMUM_DURATION = 1440  # minutes
UNUSED_OFFSET = 0xFF
UNUSED_SET_POINT = -0x8000  # 8000 on the wire
UNUSED_LOAD_ADJUSTMENT = -0x80  # 80 on the wire
UNUSED_DUTY_CYCLE = 0xFF
NEVER = 0xFFFFFFFF
SIGNATURE_SIZE = 42  # octets: two integers modulo the order of K-163
NO_SIGNATURE = b"\xff" * SIGNATURE_SIZE


class LoadControlEvent(Layer):
    """Server to client 00: 23 octets; duration in minutes, offsets in tenths of a degree Celsius."""

    fields_desc = [
        LEIntField("issuer_event_id", 0),
        XLEShortField("device_class", 0),
        ByteField("utility_enrollment_group", EVERY_GROUP),
        UtcTime("start_time", 0),
        LEShortField("duration_in_minutes", 0),
        ByteField("criticality_level", Criticality.GREEN),
        ByteField("cooling_temperature_offset", UNUSED_OFFSET),
        ByteField("heating_temperature_offset", UNUSED_OFFSET),
        SignedLE("cooling_temperature_set_point", UNUSED_SET_POINT, 2),
        SignedLE("heating_temperature_set_point", UNUSED_SET_POINT, 2),
        SignedLE("average_load_adjustment", UNUSED_LOAD_ADJUSTMENT, 1),  # percent, -100 to 100
        ByteField("duty_cycle", UNUSED_DUTY_CYCLE),  # percent of time on, 0 to 100
        XByteField("event_control", 0),
    ]


class CancelLoadControlEvent(Layer):
    """Server to client 01: 12 octets; later revisions want the effective time to be 0."""

    fields_desc = [
        LEIntField("issuer_event_id", 0),
        XLEShortField("device_class", 0),
        ByteField("utility_enrollment_group", EVERY_GROUP),
        XByteField("cancel_control", 0),
        UtcTime("effective_time", 0),
    ]


class CancelAllLoadControlEvents(Layer):
    """Server to client 02: 1 octet."""

    fields_desc = [XByteField("cancel_control", 0)]


class ReportEventStatus(Layer):
    """Client to server 00: 60 octets, the signature over those before `signature` included; the status time is never 0.

    The set points applied are read as signed, like those of the event they answer; lists differ, the octets do not.
    """

    fields_desc = [
        LEIntField("issuer_event_id", 0),
        XByteField("event_status", EventStatus.COMMAND_RECEIVED),
        UtcTime("event_status_time", 0),
        ByteField("criticality_level_applied", Criticality.GREEN),
        SignedLE("cooling_temperature_set_point_applied", UNUSED_SET_POINT, 2),
        SignedLE("heating_temperature_set_point_applied", UNUSED_SET_POINT, 2),
        SignedLE("average_load_adjustment_applied", UNUSED_LOAD_ADJUSTMENT, 1),
        ByteField("duty_cycle_applied", UNUSED_DUTY_CYCLE),
        XByteField("event_control", 0),
        ByteField("signature_type", SignatureType.ECDSA),
        Octets("signature", NO_SIGNATURE, SIGNATURE_SIZE),
    ]


class GetScheduledEvents(Layer):
    """Client to server 01: 5 octets; 0 events asks for all. Answered with Load Control Events."""

    fields_desc = [UtcTime("start_time", 0), ByteField("number_of_events", 0)]


UTILITY_ENROLLMENT_GROUP = 0x0000
START_RANDOMIZE_MINUTES = 0x0001
STOP_RANDOMIZE_MINUTES = 0x0002
DEVICE_CLASS_VALUE = 0x0003
MAXIMUM_RANDOMIZE_MINUTES = 0x3C

CLUSTER = Cluster(
    0x0701,
    "Demand Response and Load Control",
    client_attributes={
        UTILITY_ENROLLMENT_GROUP: Attribute(
            "UtilityEnrollmentGroup", DataType.UINT8, Access.READ_WRITE, mandatory=True, default=EVERY_GROUP
        ),
        START_RANDOMIZE_MINUTES: Attribute(
            "StartRandomizeMinutes", DataType.UINT8, Access.READ_WRITE, mandatory=True, default=0x1E
        ),
        STOP_RANDOMIZE_MINUTES: Attribute("StopRandomizeMinutes", DataType.UINT8, Access.READ_WRITE, mandatory=True, default=0),
        DEVICE_CLASS_VALUE: Attribute("DeviceClassValue", DataType.UINT16, Access.READ_WRITE, mandatory=True),
    },
    client_commands={0x00: ReportEventStatus, 0x01: GetScheduledEvents},
    server_commands={0x00: LoadControlEvent, 0x01: CancelLoadControlEvent, 0x02: CancelAllLoadControlEvents},
)
