"""Power Configuration, cluster 0001 (ZCL 075123, 3.3): how a device is fed. It has no commands; all attributes are optional."""

from __future__ import annotations

from dissectors.clusters import Access, Attribute, Cluster
from dissectors.zcl_types import DataType

CLUSTER = Cluster(
    0x0001,
    "Power Configuration",
    attributes={
        0x0000: Attribute("MainsVoltage", DataType.UINT16),  # tenths of a volt
        0x0001: Attribute("MainsFrequency", DataType.UINT8),  # half hertz
        0x0010: Attribute("MainsAlarmMask", DataType.BITMAP8, Access.READ_WRITE, default=0),
        0x0011: Attribute("MainsVoltageMinThreshold", DataType.UINT16, Access.READ_WRITE, default=0),
        0x0012: Attribute("MainsVoltageMaxThreshold", DataType.UINT16, Access.READ_WRITE, default=0xFFFF),
        0x0013: Attribute("MainsVoltageDwellTripPoint", DataType.UINT16, Access.READ_WRITE, default=0),
        0x0020: Attribute("BatteryVoltage", DataType.UINT8),  # tenths of a volt
        0x0030: Attribute("BatteryManufacturer", DataType.CHARACTER_STRING, Access.READ_WRITE, default=b""),
        0x0031: Attribute("BatterySize", DataType.ENUM8, Access.READ_WRITE, default=0xFF),
        0x0032: Attribute("BatteryAHrRating", DataType.UINT16, Access.READ_WRITE),  # units of 10 mAh
        0x0033: Attribute("BatteryQuantity", DataType.UINT8, Access.READ_WRITE),
        0x0034: Attribute("BatteryRatedVoltage", DataType.UINT8, Access.READ_WRITE),
        0x0035: Attribute("BatteryAlarmMask", DataType.BITMAP8, Access.READ_WRITE, default=0),
        0x0036: Attribute("BatteryVoltageMinThreshold", DataType.UINT8, Access.READ_WRITE, default=0),
    },
)
