"""ZigBee Cluster Library frames: the header and the commands that every cluster has. Knows no cluster's own commands.

Clauses: ZCL 075123 (r01 to r04), 2.3 and 2.4. What a cluster adds stands in its file under `dissectors.clusters`.
"""

from __future__ import annotations

from enum import IntEnum
from typing import Any

from scapy.fields import BitField, ByteField, ConditionalField, LEShortField, XByteField, XLEShortField

from dissectors import clusters
from dissectors.fields import Remaining
from dissectors.layer import Layer, Malformed, Record, encode, parse, parse_whole
from dissectors.structures import EndsEarly, Listed
from dissectors.zcl_types import DataType as DataType  # who uses this module needs these, too
from dissectors.zcl_types import is_analogue as is_analogue
from dissectors.zcl_values import Value
from dissectors.zcl_values import decode_value as decode_value
from dissectors.zcl_values import encode_value as encode_value


class FrameType(IntEnum):
    """2.3.1.1.1."""

    GENERAL = 0  # a command of this module, for every cluster of the profile
    CLUSTER = 1  # a command of the cluster


class Direction(IntEnum):
    """2.3.1.1.3."""

    CLIENT_TO_SERVER = 0
    SERVER_TO_CLIENT = 1


class Status(IntEnum):
    """2.5.3, as of r02 (r01 ends 7e, 7f and 8e to 91 short); later revisions add more."""

    SUCCESS = 0x00
    FAILURE = 0x01
    NOT_AUTHORIZED = 0x7E
    RESERVED_FIELD_NOT_ZERO = 0x7F
    MALFORMED_COMMAND = 0x80
    UNSUP_CLUSTER_COMMAND = 0x81
    UNSUP_GENERAL_COMMAND = 0x82
    UNSUP_MANUF_CLUSTER_COMMAND = 0x83
    UNSUP_MANUF_GENERAL_COMMAND = 0x84
    INVALID_FIELD = 0x85
    UNSUPPORTED_ATTRIBUTE = 0x86
    INVALID_VALUE = 0x87
    READ_ONLY = 0x88
    INSUFFICIENT_SPACE = 0x89
    DUPLICATE_EXISTS = 0x8A
    NOT_FOUND = 0x8B
    UNREPORTABLE_ATTRIBUTE = 0x8C
    INVALID_DATA_TYPE = 0x8D
    INVALID_SELECTOR = 0x8E
    WRITE_ONLY = 0x8F
    INCONSISTENT_STARTUP_STATE = 0x90
    DEFINED_OUT_OF_BAND = 0x91
    HARDWARE_FAILURE = 0xC0
    SOFTWARE_FAILURE = 0xC1
    CALIBRATION_ERROR = 0xC2
    UNSUPPORTED_CLUSTER = 0xC3  # ZCL 6


class Zcl(Layer):
    """The header, 2.3.1: frame control, manufacturer code where announced, sequence number, command identifier."""

    fields_desc = [
        BitField("reserved", 0, 3),
        BitField("disable_default_response", 0, 1),
        BitField("direction", Direction.CLIENT_TO_SERVER, 1),
        BitField("manufacturer_specific", 0, 1),
        BitField("frame_type", FrameType.GENERAL, 2),
        ConditionalField(XLEShortField("manufacturer_code", 0), lambda fields: fields.manufacturer_specific),
        ByteField("sequence", 0),
        XByteField("command_identifier", 0),
    ]


class UnknownCommand(Layer):
    """What follows the header of a command that nothing here declares, or that belongs to a manufacturer."""

    fields_desc = [Remaining("octets")]


def _succeeded(fields: Any) -> bool:
    return bool(fields.status == Status.SUCCESS)


class ReadAttributes(Layer):
    """2.4.1, command 00."""

    fields_desc = [Listed("attributes", XLEShortField("", 0))]


class ReadAttributeStatus(Layer):
    """One record of a Read Attributes Response; type and value are there only with SUCCESS."""

    fields_desc = [
        XLEShortField("attribute", 0),
        XByteField("status", Status.SUCCESS),
        ConditionalField(XByteField("type", DataType.NO_DATA), _succeeded),
        ConditionalField(Value(), _succeeded),
    ]


class ReadAttributesResponse(Layer):
    """2.4.2, command 01."""

    fields_desc = [Listed("records", ReadAttributeStatus)]


class AttributeValue(Layer):
    """One record of a write or a report: attribute, data type, value."""

    fields_desc = [XLEShortField("attribute", 0), XByteField("type", DataType.NO_DATA), Value()]


class WriteAttributes(Layer):
    """2.4.3, command 02."""

    fields_desc = [Listed("records", AttributeValue)]


class WriteAttributesUndivided(Layer):
    """2.4.4, command 03: all or nothing."""

    fields_desc = [WriteAttributes]


class WriteAttributesNoResponse(Layer):
    """2.4.6, command 05."""

    fields_desc = [WriteAttributes]


class AttributeStatus(Layer):
    """One record of a Write Attributes Response; the single SUCCESS of a complete success names no attribute."""

    fields_desc = [XByteField("status", Status.SUCCESS), EndsEarly(XLEShortField("attribute", 0), _succeeded)]


class WriteAttributesResponse(Layer):
    """2.4.5, command 04: one SUCCESS, or a record for each attribute that could not be written."""

    fields_desc = [Listed("records", AttributeStatus, minimum=1)]


class ReportingDirection(IntEnum):
    """2.4.7.1.2."""

    SEND_REPORTS = 0  # the receiver of the configuration is to report
    EXPECT_REPORTS = 1  # the receiver of the configuration is told that it will get reports


def _sends(fields: Any) -> bool:
    return bool(fields.direction == ReportingDirection.SEND_REPORTS)


_CONDITIONS = [  # intervals and timeout in seconds
    (XByteField("type", DataType.NO_DATA), _sends),
    (LEShortField("minimum_interval", 0), _sends),
    (LEShortField("maximum_interval", 0), _sends),
    (Value("reportable_change"), lambda fields: _sends(fields) and is_analogue(fields.type)),
    (LEShortField("timeout", 0), lambda fields: not _sends(fields)),
]


class ReportingConfiguration(Layer):
    """One record of Configure Reporting; the reportable change is there for analogue types only."""

    fields_desc = [
        XByteField("direction", ReportingDirection.SEND_REPORTS),
        XLEShortField("attribute", 0),
        *(ConditionalField(field, condition) for field, condition in _CONDITIONS),
    ]


class ConfigureReporting(Layer):
    """2.4.7, command 06."""

    fields_desc = [Listed("records", ReportingConfiguration)]


class ReportingStatus(Layer):
    """One record of a Configure Reporting Response; the single SUCCESS of a complete success names nothing more."""

    fields_desc = [
        XByteField("status", Status.SUCCESS),
        EndsEarly(XByteField("direction", ReportingDirection.SEND_REPORTS), _succeeded),
        EndsEarly(XLEShortField("attribute", 0), lambda fields: fields.direction is None),
    ]


class ConfigureReportingResponse(Layer):
    """2.4.8, command 07."""

    fields_desc = [Listed("records", ReportingStatus, minimum=1)]


class ReportedAttribute(Layer):
    """One record of Read Reporting Configuration."""

    fields_desc = [XByteField("direction", ReportingDirection.SEND_REPORTS), XLEShortField("attribute", 0)]


class ReadReportingConfiguration(Layer):
    """2.4.9, command 08."""

    fields_desc = [Listed("records", ReportedAttribute)]


def _and_succeeded(condition: Any) -> Any:
    return lambda fields: _succeeded(fields) and condition(fields)


class ReportingConfigurationStatus(Layer):
    """One record of a Read Reporting Configuration Response; the configuration is there only with SUCCESS."""

    fields_desc = [
        XByteField("status", Status.SUCCESS),
        XByteField("direction", ReportingDirection.SEND_REPORTS),
        XLEShortField("attribute", 0),
        *(ConditionalField(field.copy(), _and_succeeded(condition)) for field, condition in _CONDITIONS),
    ]


class ReadReportingConfigurationResponse(Layer):
    """2.4.10, command 09."""

    fields_desc = [Listed("records", ReportingConfigurationStatus)]


class ReportAttributes(Layer):
    """2.4.11, command 0a."""

    fields_desc = [WriteAttributes]


class DefaultResponse(Layer):
    """2.4.12, command 0b: which command it answers, and how that went."""

    fields_desc = [XByteField("command", 0), XByteField("status", Status.SUCCESS)]


class DiscoverAttributes(Layer):
    """2.4.13, command 0c: at most `maximum` attributes from `start` on."""

    fields_desc = [XLEShortField("start", 0), ByteField("maximum", 0xFF)]


class DiscoveredAttribute(Layer):
    """One record of a Discover Attributes Response."""

    fields_desc = [XLEShortField("attribute", 0), XByteField("type", DataType.NO_DATA)]


class DiscoverAttributesResponse(Layer):
    """2.4.14, command 0d; `complete` is 1 when no attribute follows the last one here."""

    fields_desc = [ByteField("complete", 1), Listed("records", DiscoveredAttribute)]


GENERAL_COMMANDS: dict[int, type[Layer]] = {  # 2.4, Table 2.9
    0x00: ReadAttributes,
    0x01: ReadAttributesResponse,
    0x02: WriteAttributes,
    0x03: WriteAttributesUndivided,
    0x04: WriteAttributesResponse,
    0x05: WriteAttributesNoResponse,
    0x06: ConfigureReporting,
    0x07: ConfigureReportingResponse,
    0x08: ReadReportingConfiguration,
    0x09: ReadReportingConfigurationResponse,
    0x0A: ReportAttributes,
    0x0B: DefaultResponse,
    0x0C: DiscoverAttributes,
    0x0D: DiscoverAttributesResponse,
}


def build(header: Record, command: Record) -> bytes:
    """The ASDU: header, then command; the header's command identifier is the caller's. Raises Malformed for a misfit."""
    return encode(header) + encode(command)


def read(cluster: int, asdu: bytes) -> Record:
    """The header in an ASDU, joined with `command` and `surplus`. Raises Malformed.

    `surplus` holds what follows a cluster's own command, since later revisions append fields to it; a general command ends with
    its structure. A command that is not known is an `UnknownCommand`: its header can still be answered.
    """
    header, payload = parse(Zcl, asdu)
    layer = _layer_of(header, cluster)
    if header.frame_type == FrameType.GENERAL:
        return header.joined(command=parse_whole(layer, payload), surplus=b"")
    command, surplus = parse(layer, payload)
    return header.joined(command=command, surplus=surplus)


def _layer_of(header: Record, cluster: int) -> type[Layer]:
    if header.frame_type == FrameType.GENERAL:
        return GENERAL_COMMANDS.get(header.command_identifier, UnknownCommand)
    if header.frame_type != FrameType.CLUSTER:
        raise Malformed(f"ZCL frame type {header.frame_type} is reserved")
    known = None if header.manufacturer_specific else clusters.by_identifier(cluster)
    return (known and known.command(header.direction, header.command_identifier)) or UnknownCommand
