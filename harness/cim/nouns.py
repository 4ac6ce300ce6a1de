"""The names and namespaces of CIM messages, by generation of the envelope; knows nothing of what a message holds.

Payloads keep the namespace of their profile (IEC 61968-9, second edition) in every generation. The revision of 2018 has the
namespaces of 2011. The strongly typed messages of the 2008 generation are HANproof's choice (docs/cim-profile.md).
"""

from __future__ import annotations

ENVELOPE = "http://iec.ch/TC57/2011/schema/message"
_FAMILY = "http://iec.ch/TC57/2011/"
_FAMILY_2008 = "http://www.iec.ch/TC57/2008/"

END_DEVICE_CONFIG = "EndDeviceConfig"
END_DEVICE_CONTROLS = "EndDeviceControls"
END_DEVICE_EVENTS = "EndDeviceEvents"
MASTER_DATA_LINKAGE_CONFIG = "MasterDataLinkageConfig"
METER_CONFIG = "MeterConfig"
NOUNS = (END_DEVICE_CONFIG, END_DEVICE_CONTROLS, END_DEVICE_EVENTS, MASTER_DATA_LINKAGE_CONFIG, METER_CONFIG)


def envelope_namespace(generation: str) -> str:
    """The namespace of the envelope's own elements."""
    return f"{_FAMILY_2008}schema/message" if generation == "2008" else ENVELOPE


def payload_namespace(noun: str) -> str:
    """The namespace of a payload, which ends in #."""
    return f"{_FAMILY}{noun}#"


def message_namespace(noun: str, generation: str = "2011") -> str:
    """The namespace of the strongly typed messages around that payload, which does not."""
    return f"{_FAMILY_2008 if generation == '2008' else _FAMILY}{noun}Message"


def generation_of(namespace: str) -> str:
    """The generation that a namespace tells: 2008, else 2011, whose namespaces the revision of 2018 has as well."""
    return "2008" if namespace.startswith(_FAMILY_2008) else "2011"
