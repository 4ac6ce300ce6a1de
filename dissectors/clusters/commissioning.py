"""Commissioning, cluster 0015: the start-up set with which a device joins, and the commands that put it in force.

Attributes are those of the ZCL's commissioning cluster; Smart Energy demands a link key for it.
"""

from __future__ import annotations

from enum import IntEnum

from scapy.fields import BitField, ByteField, XByteField

from dissectors.clusters import Access, Attribute, Cluster
from dissectors.layer import Layer
from dissectors.zcl_types import DataType


class StartupControl(IntEnum):
    """What a device does with its start-up set when it restarts."""

    PART_OF_NETWORK = 0
    FORM_NETWORK = 1
    REJOIN_NETWORK = 2
    JOIN_BY_ASSOCIATION = 3


class StartupMode(IntEnum):
    """Options of Restart Device, bits 0 to 2."""

    USE_STARTUP_SET = 0
    USE_CURRENT_STATE = 1


class RestartDevice(Layer):
    """Client to server 00: delay in seconds, jitter in units of 80 ms."""

    fields_desc = [
        BitField("reserved", 0, 4),
        BitField("immediate", 0, 1),
        BitField("startup_mode", StartupMode.USE_STARTUP_SET, 3),
        ByteField("delay", 0),
        ByteField("jitter", 0),
    ]


class SaveStartupParameters(Layer):
    """Client to server 01; the options are reserved."""

    fields_desc = [XByteField("options", 0), ByteField("index", 0)]


class RestoreStartupParameters(Layer):
    """Client to server 02; the options are reserved."""

    fields_desc = [XByteField("options", 0), ByteField("index", 0)]


class ResetStartupParameters(Layer):
    """Client to server 03."""

    fields_desc = [
        BitField("reserved", 0, 5),
        BitField("erase_index", 0, 1),
        BitField("reset_all", 0, 1),
        BitField("reset_current", 0, 1),
        ByteField("index", 0),
    ]


class RestartDeviceResponse(Layer):
    """Server to client 00."""

    fields_desc = [XByteField("status", 0)]


class SaveStartupParametersResponse(Layer):
    """Server to client 01."""

    fields_desc = [XByteField("status", 0)]


class RestoreStartupParametersResponse(Layer):
    """Server to client 02."""

    fields_desc = [XByteField("status", 0)]


class ResetStartupParametersResponse(Layer):
    """Server to client 03."""

    fields_desc = [XByteField("status", 0)]


def _kept(name: str, kind: DataType, default: object = None, mandatory: bool = True) -> Attribute:
    return Attribute(name, kind, Access.READ_WRITE, mandatory, default)


EVERY_CHANNEL = 0x07FFF800  # channels 11 to 26

CLUSTER = Cluster(
    0x0015,
    "Commissioning",
    attributes={
        0x0000: _kept("ShortAddress", DataType.UINT16),
        0x0001: _kept("ExtendedPANId", DataType.IEEE_ADDRESS),
        0x0002: _kept("PANId", DataType.UINT16),
        0x0003: _kept("ChannelMask", DataType.BITMAP32, EVERY_CHANNEL),
        0x0004: _kept("ProtocolVersion", DataType.UINT8, 2),
        0x0005: _kept("StackProfile", DataType.UINT8),
        0x0006: _kept("StartupControl", DataType.ENUM8),
        0x0010: _kept("TrustCenterAddress", DataType.IEEE_ADDRESS),
        0x0011: _kept("TrustCenterMasterKey", DataType.SECURITY_KEY, mandatory=False),  # not of stack profile 2
        0x0012: _kept("NetworkKey", DataType.SECURITY_KEY),
        0x0013: _kept("UseInsecureJoin", DataType.BOOLEAN),
        0x0014: _kept("PreconfiguredLinkKey", DataType.SECURITY_KEY),
        0x0015: _kept("NetworkKeySeqNum", DataType.UINT8),
        0x0016: _kept("NetworkKeyType", DataType.ENUM8),
        0x0017: _kept("NetworkManagerAddress", DataType.UINT16),
        0x0020: _kept("ScanAttempts", DataType.UINT8),
        0x0021: _kept("TimeBetweenScans", DataType.UINT16),  # ms
        0x0022: _kept("RejoinInterval", DataType.UINT16),  # s
        0x0023: _kept("MaxRejoinInterval", DataType.UINT16),  # s
        0x0030: _kept("IndirectPollRate", DataType.UINT16),  # ms
        0x0031: _kept("ParentRetryThreshold", DataType.UINT8),
        0x0040: _kept("ConcentratorFlag", DataType.BOOLEAN),
        0x0041: _kept("ConcentratorRadius", DataType.UINT8),
        0x0042: _kept("ConcentratorDiscoveryTime", DataType.UINT8),  # s
    },
    client_commands={
        0x00: RestartDevice, 0x01: SaveStartupParameters, 0x02: RestoreStartupParameters, 0x03: ResetStartupParameters,
    },
    server_commands={
        0x00: RestartDeviceResponse,
        0x01: SaveStartupParametersResponse,
        0x02: RestoreStartupParametersResponse,
        0x03: ResetStartupParametersResponse,
    },
)
