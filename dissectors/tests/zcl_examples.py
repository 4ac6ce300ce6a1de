"""One general command of every kind and one value of every data type, with values that no default has."""

from __future__ import annotations

from typing import Any

from dissectors import zcl
from dissectors.layer import Record
from dissectors.zcl import DataType, ReportingDirection, Status
from dissectors.zcl_values import Array, Date, Structure, TimeOfDay, TypedValue

_VALUES = (
    zcl.AttributeValue.of(attribute=0x0003, type=DataType.UINT16, value=0x1234),
    zcl.AttributeValue.of(attribute=0x0012, type=DataType.BOOLEAN, value=True),
    zcl.AttributeValue.of(attribute=0x0010, type=DataType.CHARACTER_STRING, value=b"hall"),
)
_SENT = {"direction": ReportingDirection.SEND_REPORTS, "minimum_interval": 5, "maximum_interval": 300}
_EXPECTED = {"direction": ReportingDirection.EXPECT_REPORTS, "timeout": 900}

GENERAL: dict[int, Record] = {
    0x00: zcl.ReadAttributes.of(attributes=(0x0000, 0x0402)),
    0x01: zcl.ReadAttributesResponse.of(records=(
        zcl.ReadAttributeStatus.of(attribute=0x0400, status=0, type=DataType.INT24, value=-70000),
        zcl.ReadAttributeStatus.of(attribute=0x0401, status=Status.UNSUPPORTED_ATTRIBUTE),
        zcl.ReadAttributeStatus.of(attribute=0x0000, status=0, type=DataType.UINT48, value=0x0102030405),
    )),
    0x02: zcl.WriteAttributes.of(records=_VALUES),
    0x03: zcl.WriteAttributesUndivided.of(records=_VALUES[:1]),
    0x04: zcl.WriteAttributesResponse.of(records=(
        zcl.AttributeStatus.of(status=Status.READ_ONLY, attribute=0x0000),
        zcl.AttributeStatus.of(status=Status.NOT_AUTHORIZED, attribute=0x0003),
    )),
    0x05: zcl.WriteAttributesNoResponse.of(records=_VALUES[1:]),
    0x06: zcl.ConfigureReporting.of(records=(
        zcl.ReportingConfiguration.of(attribute=0x0000, type=DataType.UINT48, reportable_change=10, **_SENT),
        zcl.ReportingConfiguration.of(attribute=0x0012, type=DataType.BOOLEAN, **_SENT),
        zcl.ReportingConfiguration.of(attribute=0x0400, **_EXPECTED),
    )),
    0x07: zcl.ConfigureReportingResponse.of(records=(
        zcl.ReportingStatus.of(status=Status.UNREPORTABLE_ATTRIBUTE, direction=0, attribute=0x0300),
        zcl.ReportingStatus.of(status=Status.INVALID_DATA_TYPE, direction=1, attribute=0x0000),
    )),
    0x08: zcl.ReadReportingConfiguration.of(records=(zcl.ReportedAttribute.of(direction=1, attribute=0x0400),)),
    0x09: zcl.ReadReportingConfigurationResponse.of(records=(
        zcl.ReportingConfigurationStatus.of(status=0, attribute=0x0400, type=DataType.INT24, reportable_change=-3, **_SENT),
        zcl.ReportingConfigurationStatus.of(status=0, attribute=0x0401, **_EXPECTED),
        zcl.ReportingConfigurationStatus.of(status=Status.NOT_FOUND, direction=0, attribute=0x0402),
    )),
    0x0A: zcl.ReportAttributes.of(records=_VALUES),
    0x0B: zcl.DefaultResponse.of(command=0x01, status=Status.NOT_FOUND),
    0x0C: zcl.DiscoverAttributes.of(start=0x0100, maximum=12),
    0x0D: zcl.DiscoverAttributesResponse.of(complete=0, records=(
        zcl.DiscoveredAttribute.of(attribute=0x0000, type=DataType.UINT48),
        zcl.DiscoveredAttribute.of(attribute=0x0200, type=DataType.BITMAP8),
    )),
}

VALUES: list[tuple[DataType, str, Any]] = [  # type, octets, value
    (DataType.NO_DATA, "", None),
    (DataType.DATA8, "81", b"\x81"),
    (DataType.DATA24, "818283", b"\x81\x82\x83"),
    (DataType.DATA64, "8182838485868788", bytes(range(0x81, 0x89))),
    (DataType.BOOLEAN, "01", True),
    (DataType.BOOLEAN, "00", False),
    (DataType.BITMAP8, "81", 0x81),
    (DataType.BITMAP16, "0180", 0x8001),
    (DataType.BITMAP32, "00f8ff07", 0x07FFF800),
    (DataType.BITMAP64, "0102030405060708", 0x0807060504030201),
    (DataType.UINT8, "ff", 0xFF),
    (DataType.UINT16, "3412", 0x1234),
    (DataType.UINT24, "563412", 0x123456),
    (DataType.UINT32, "78563412", 0x12345678),
    (DataType.UINT40, "9a78563412", 0x123456789A),
    (DataType.UINT48, "bc9a78563412", 0x123456789ABC),
    (DataType.UINT56, "debc9a78563412", 0x123456789ABCDE),
    (DataType.UINT64, "f0debc9a78563412", 0x123456789ABCDEF0),
    (DataType.INT8, "80", -128),
    (DataType.INT16, "feff", -2),
    (DataType.INT24, "000080", -(1 << 23)),
    (DataType.INT32, "ffffff7f", (1 << 31) - 1),
    (DataType.INT48, "ffffffffffff", -1),
    (DataType.INT64, "0000000000000080", -(1 << 63)),
    (DataType.ENUM8, "03", 3),
    (DataType.ENUM16, "0100", 1),
    (DataType.SEMI_FLOAT, "003e", 1.5),
    (DataType.SINGLE_FLOAT, "0000c0bf", -1.5),
    (DataType.DOUBLE_FLOAT, "000000000000f83f", 1.5),
    (DataType.OCTET_STRING, "03616200", b"ab\x00"),
    (DataType.OCTET_STRING, "00", b""),
    (DataType.CHARACTER_STRING, "0468616c6c", b"hall"),
    (DataType.LONG_OCTET_STRING, "0300616200", b"ab\x00"),
    (DataType.LONG_CHARACTER_STRING, "040068616c6c", b"hall"),
    (DataType.ARRAY, "21020001000200", Array.of(element_type=DataType.UINT16, elements=(1, 2))),
    (DataType.SET, "200000", Array.of(element_type=DataType.UINT8, elements=())),
    (DataType.BAG, "4202000161026262", Array.of(element_type=DataType.CHARACTER_STRING, elements=(b"a", b"bb"))),
    (DataType.STRUCTURE, "02002005420161", Structure.of(elements=(
        TypedValue.of(type=DataType.UINT8, value=5), TypedValue.of(type=DataType.CHARACTER_STRING, value=b"a"),
    ))),
    (DataType.TIME_OF_DAY, "173b3a63", TimeOfDay.of(hours=23, minutes=59, seconds=58, hundredths=99)),
    (DataType.DATE, "6e081707", Date.of(year=110, month=8, day=23, day_of_week=7)),
    (DataType.UTC_TIME, "0000002a", 704643072),
    (DataType.CLUSTER_ID, "0107", 0x0701),
    (DataType.ATTRIBUTE_ID, "0302", 0x0203),
    (DataType.BACNET_OID, "04030201", 0x01020304),
    (DataType.IEEE_ADDRESS, "df0f289b6d38c1a4", 0xA4C1386D9B280FDF),
    (DataType.SECURITY_KEY, "000102030405060708090a0b0c0d0e0f", bytes(range(16))),
    (DataType.UNKNOWN, "", None),
]

INVALID: list[tuple[DataType, str]] = [  # what means "no value" and reads as None
    (DataType.BOOLEAN, "ff"),
    (DataType.OCTET_STRING, "ff"),
    (DataType.CHARACTER_STRING, "ff"),
    (DataType.LONG_OCTET_STRING, "ffff"),
    (DataType.LONG_CHARACTER_STRING, "ffff"),
]
