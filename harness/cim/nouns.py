"""The names and namespaces of the 2011 generation of messages; knows nothing of what a message holds."""

from __future__ import annotations

ENVELOPE = "http://iec.ch/TC57/2011/schema/message"
_FAMILY = "http://iec.ch/TC57/2011/"

END_DEVICE_CONTROLS = "EndDeviceControls"
END_DEVICE_EVENTS = "EndDeviceEvents"
MASTER_DATA_LINKAGE_CONFIG = "MasterDataLinkageConfig"
METER_CONFIG = "MeterConfig"
NOUNS = (END_DEVICE_CONTROLS, END_DEVICE_EVENTS, MASTER_DATA_LINKAGE_CONFIG, METER_CONFIG)


def payload_namespace(noun: str) -> str:
    """The namespace of a payload, which ends in #."""
    return f"{_FAMILY}{noun}#"


def message_namespace(noun: str) -> str:
    """The namespace of the strongly typed messages around that payload, which does not."""
    return f"{_FAMILY}{noun}Message"
