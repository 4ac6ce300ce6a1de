"""Simple Metering, cluster 0702 (SE 075356, Annex D.4 in r15): readings and load profiles. Knows no meter.

Times are seconds since 2000-01-01T00:00:00Z.
"""

from __future__ import annotations

from enum import IntEnum, IntFlag

from scapy.fields import ByteField, XLEShortField

from dissectors.clusters import Attribute, Cluster
from dissectors.fields import UnsignedLE, UtcTime
from dissectors.layer import Layer
from dissectors.structures import Counted
from dissectors.zcl_types import DataType


class MeterStatus(IntFlag):
    """Attribute Status."""

    CHECK_METER = 1 << 0
    LOW_BATTERY = 1 << 1
    TAMPER_DETECT = 1 << 2
    POWER_FAILURE = 1 << 3
    POWER_QUALITY = 1 << 4
    LEAK_DETECT = 1 << 5
    SERVICE_DISCONNECT_OPEN = 1 << 6


class MeteringDeviceType(IntEnum):
    """Attribute MeteringDeviceType; mirrored meters have their own numbers from 1.1 on."""

    ELECTRIC = 0
    GAS = 1
    WATER = 2
    THERMAL = 3
    PRESSURE = 4
    HEAT = 5
    COOLING = 6


class IntervalChannel(IntEnum):
    """What a load profile is of."""

    DELIVERED = 0
    RECEIVED = 1


class ProfileStatus(IntEnum):
    """Get Profile Response: whether the profile could be given."""

    SUCCESS = 0
    UNDEFINED_INTERVAL_CHANNEL = 1
    INTERVAL_CHANNEL_NOT_SUPPORTED = 2
    INVALID_END_TIME = 3
    MORE_PERIODS_THAN_CAN_BE_RETURNED = 4
    NO_INTERVALS_AVAILABLE = 5


class IntervalPeriod(IntEnum):
    """Get Profile Response: how long an interval is."""

    DAILY = 0
    MINUTES_60 = 1
    MINUTES_30 = 2
    MINUTES_15 = 3
    MINUTES_10 = 4
    MINUTES_7_5 = 5
    MINUTES_5 = 6
    MINUTES_2_5 = 7


INVALID_INTERVAL = 0xFFFFFF
MIRROR_REFUSED = 0xFFFF  # endpoint in a Request Mirror Response


class GetProfile(Layer):
    """Client to server 00; end time 0 asks for the most recent."""

    fields_desc = [
        ByteField("interval_channel", IntervalChannel.DELIVERED), UtcTime("end_time", 0), ByteField("number_of_periods", 1),
    ]


class GetProfileResponse(Layer):
    """Server to client 00: 24-bit intervals, the newest first."""

    fields_desc = [
        UtcTime("end_time", 0),
        ByteField("status", ProfileStatus.SUCCESS),
        ByteField("interval_period", IntervalPeriod.DAILY),
        Counted("intervals", UnsignedLE("", 0, 3)),
    ]


class RequestMirror(Layer):
    """Server to client 01, no payload."""

    fields_desc = []


class RequestMirrorResponse(Layer):
    """Client to server 01."""

    fields_desc = [XLEShortField("endpoint", MIRROR_REFUSED)]


class RemoveMirror(Layer):
    """Server to client 02, no payload."""

    fields_desc = []


class MirrorRemoved(Layer):
    """Client to server 02."""

    fields_desc = [XLEShortField("removed_endpoint", 0)]


CURRENT_SUMMATION_DELIVERED = 0x0000
STATUS = 0x0200
UNIT_OF_MEASURE = 0x0300
MULTIPLIER = 0x0301
DIVISOR = 0x0302
SUMMATION_FORMATTING = 0x0303
METERING_DEVICE_TYPE = 0x0306
INSTANTANEOUS_DEMAND = 0x0400
PARTIAL_PROFILE = (0x0405, 0x0406, 0x0407, 0x0408)  # when it began, delivered and received; how much, likewise
_TIER_SETS = 0x0100

CLUSTER = Cluster(
    0x0702,
    "Simple Metering",
    attributes={
        CURRENT_SUMMATION_DELIVERED: Attribute("CurrentSummationDelivered", DataType.UINT48, mandatory=True),
        0x0001: Attribute("CurrentSummationReceived", DataType.UINT48),
        0x0002: Attribute("CurrentMaxDemandDelivered", DataType.UINT48),
        0x0003: Attribute("CurrentMaxDemandReceived", DataType.UINT48),
        0x0004: Attribute("DFTSummation", DataType.UINT48),
        0x0005: Attribute("DailyFreezeTime", DataType.UINT16, default=0),  # hours in the high octet, minutes in the low
        0x0006: Attribute("PowerFactor", DataType.INT8, default=0),  # hundredths
        0x0007: Attribute("ReadingSnapshotTime", DataType.UTC_TIME),
        0x0008: Attribute("CurrentMaxDemandDeliveredTime", DataType.UTC_TIME),
        0x0009: Attribute("CurrentMaxDemandReceivedTime", DataType.UTC_TIME),
        **{
            _TIER_SETS + 2 * (tier - 1) + received: Attribute(
                f"CurrentTier{tier}Summation{('Delivered', 'Received')[received]}", DataType.UINT48
            )
            for tier in range(1, 7)
            for received in (0, 1)
        },
        STATUS: Attribute("Status", DataType.BITMAP8, mandatory=True, default=0),
        UNIT_OF_MEASURE: Attribute("UnitofMeasure", DataType.ENUM8, mandatory=True, default=0),  # as in Price
        MULTIPLIER: Attribute("Multiplier", DataType.UINT24),
        DIVISOR: Attribute("Divisor", DataType.UINT24),
        SUMMATION_FORMATTING: Attribute("SummationFormatting", DataType.BITMAP8, mandatory=True),
        0x0304: Attribute("DemandFormatting", DataType.BITMAP8),
        0x0305: Attribute("HistoricalConsumptionFormatting", DataType.BITMAP8),
        METERING_DEVICE_TYPE: Attribute("MeteringDeviceType", DataType.BITMAP8, mandatory=True),  # later an enumeration
        INSTANTANEOUS_DEMAND: Attribute("InstantaneousDemand", DataType.INT24, default=0),
        0x0401: Attribute("CurrentDayConsumptionDelivered", DataType.UINT24),
        0x0402: Attribute("CurrentDayConsumptionReceived", DataType.UINT24),
        0x0403: Attribute("PreviousDayConsumptionDelivered", DataType.UINT24),
        0x0404: Attribute("PreviousDayConsumptionReceived", DataType.UINT24),
        0x0405: Attribute("CurrentPartialProfileIntervalStartTimeDelivered", DataType.UTC_TIME),
        0x0406: Attribute("CurrentPartialProfileIntervalStartTimeReceived", DataType.UTC_TIME),
        0x0407: Attribute("CurrentPartialProfileIntervalValueDelivered", DataType.UINT24),
        0x0408: Attribute("CurrentPartialProfileIntervalValueReceived", DataType.UINT24),
        0x0500: Attribute("MaxNumberOfPeriodsDelivered", DataType.UINT8, default=0x18),
    },
    client_commands={0x00: GetProfile, 0x01: RequestMirrorResponse, 0x02: MirrorRemoved},
    server_commands={0x00: GetProfileResponse, 0x01: RequestMirror, 0x02: RemoveMirror},
)
