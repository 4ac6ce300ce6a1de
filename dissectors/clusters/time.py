"""Time, cluster 000a (ZCL 075123, 3.12): read with Read Attributes; it has no commands of its own."""

from __future__ import annotations

from enum import IntFlag

from dissectors.clusters import Access, Attribute, Cluster
from dissectors.zcl_types import DataType


class TimeStatus(IntFlag):
    """3.12.2.2.2; a master is not synchronised. Bits 3 to 7 are reserved in r02."""

    MASTER = 1 << 0
    SYNCHRONIZED = 1 << 1
    MASTER_ZONE_DST = 1 << 2
    SUPERSEDING = 1 << 3  # Smart Energy 1.1


INVALID_TIME = 0xFFFFFFFF  # seconds since 2000-01-01T00:00:00Z that mean: no time known
TIME = 0x0000
TIME_STATUS = 0x0001
TIME_ZONE = 0x0002
DST_START = 0x0003
DST_END = 0x0004
DST_SHIFT = 0x0005
STANDARD_TIME = 0x0006
LOCAL_TIME = 0x0007

CLUSTER = Cluster(
    0x000A,
    "Time",
    attributes={
        TIME: Attribute("Time", DataType.UTC_TIME, Access.READ_WRITE, mandatory=True),  # not writable while a master
        TIME_STATUS: Attribute("TimeStatus", DataType.BITMAP8, Access.READ_WRITE, mandatory=True, default=0),
        TIME_ZONE: Attribute("TimeZone", DataType.INT32, Access.READ_WRITE, default=0),  # seconds, -86400 to 86400
        DST_START: Attribute("DstStart", DataType.UINT32, Access.READ_WRITE),  # these three all, or none of them
        DST_END: Attribute("DstEnd", DataType.UINT32, Access.READ_WRITE),
        DST_SHIFT: Attribute("DstShift", DataType.INT32, Access.READ_WRITE, default=0),
        STANDARD_TIME: Attribute("StandardTime", DataType.UINT32),
        LOCAL_TIME: Attribute("LocalTime", DataType.UINT32),
        0x0008: Attribute("LastSetTime", DataType.UTC_TIME, default=INVALID_TIME, since="SE 1.1"),
        0x0009: Attribute("ValidUntilTime", DataType.UTC_TIME, Access.READ_WRITE, default=INVALID_TIME, since="SE 1.1"),
    },
)
