"""Basic, cluster 0000 (ZCL 075123, 3.2): what a device says of itself. NWK security suffices in Smart Energy."""

from __future__ import annotations

from enum import IntEnum, IntFlag

from dissectors.clusters import Access, Attribute, Cluster
from dissectors.layer import Layer
from dissectors.zcl_types import DataType


class PowerSource(IntEnum):
    """3.2.2.2.8; bit 7 adds a battery backup."""

    UNKNOWN = 0x00
    MAINS_SINGLE_PHASE = 0x01
    MAINS_THREE_PHASE = 0x02
    BATTERY = 0x03
    DC_SOURCE = 0x04
    EMERGENCY_MAINS_CONSTANTLY_POWERED = 0x05
    EMERGENCY_MAINS_AND_TRANSFER_SWITCH = 0x06


BATTERY_BACKUP = 0x80  # beside any power source


class AlarmMask(IntFlag):
    """3.2.2.2.12."""

    GENERAL_HARDWARE_FAULT = 1 << 0
    GENERAL_SOFTWARE_FAULT = 1 << 1


class ResetToFactoryDefaults(Layer):
    """3.2.2.3.1, command 00; no payload."""

    fields_desc = []


ZCL_VERSION = 0x0000
APPLICATION_VERSION = 0x0001
STACK_VERSION = 0x0002
HW_VERSION = 0x0003
MANUFACTURER_NAME = 0x0004
MODEL_IDENTIFIER = 0x0005
DATE_CODE = 0x0006
POWER_SOURCE = 0x0007
LOCATION_DESCRIPTION = 0x0010
DEVICE_ENABLED = 0x0012

CLUSTER = Cluster(
    0x0000,
    "Basic",
    attributes={
        ZCL_VERSION: Attribute("ZCLVersion", DataType.UINT8, mandatory=True),
        APPLICATION_VERSION: Attribute("ApplicationVersion", DataType.UINT8, default=0),
        STACK_VERSION: Attribute("StackVersion", DataType.UINT8, default=0),
        HW_VERSION: Attribute("HWVersion", DataType.UINT8, default=0),
        MANUFACTURER_NAME: Attribute("ManufacturerName", DataType.CHARACTER_STRING, default=b""),
        MODEL_IDENTIFIER: Attribute("ModelIdentifier", DataType.CHARACTER_STRING, default=b""),
        DATE_CODE: Attribute("DateCode", DataType.CHARACTER_STRING, default=b""),
        POWER_SOURCE: Attribute("PowerSource", DataType.ENUM8, mandatory=True, default=PowerSource.UNKNOWN),
        LOCATION_DESCRIPTION: Attribute("LocationDescription", DataType.CHARACTER_STRING, Access.READ_WRITE, default=b""),
        0x0011: Attribute("PhysicalEnvironment", DataType.ENUM8, Access.READ_WRITE, default=0),
        # mandatory in the tables of r01 to r04, optional in later lists
        DEVICE_ENABLED: Attribute("DeviceEnabled", DataType.BOOLEAN, Access.READ_WRITE, mandatory=True, default=True),
        0x0013: Attribute("AlarmMask", DataType.BITMAP8, Access.READ_WRITE, default=0),
        0x0014: Attribute("DisableLocalConfig", DataType.BITMAP8, Access.READ_WRITE, default=0, since="ZCL later than r02"),
    },
    client_commands={0x00: ResetToFactoryDefaults},
)
