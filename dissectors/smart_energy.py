"""The numbers of the Smart Energy profile itself: its identifier, its devices, which clusters the network key is enough for.

Knows no cluster's content and no device's behaviour. Smart Energy 1.0, 075356r15.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import IntEnum
from types import MappingProxyType

PROFILE = 0x0109


class DeviceId(IntEnum):
    """The devices of the profile, as a simple descriptor names them (SE 1.0, clause 6)."""

    RANGE_EXTENDER = 0x0008
    ENERGY_SERVICE_PORTAL = 0x0500  # the ESI
    METERING_DEVICE = 0x0501
    IN_PREMISE_DISPLAY = 0x0502
    PROGRAMMABLE_COMMUNICATING_THERMOSTAT = 0x0503
    LOAD_CONTROL_DEVICE = 0x0504
    SMART_APPLIANCE = 0x0505
    PREPAYMENT_TERMINAL = 0x0506


NETWORK_KEY_CLUSTERS = frozenset({
    0x0000,  # Basic
    0x0001,  # Power Configuration
    0x0003,  # Identify
    0x0009,  # Alarms
    0x0800,  # Key Establishment
})
"""Clusters that NWK security is enough for; every other one needs the link key made by key establishment (SE 1.0, 5.4.6)."""

MANDATORY_SERVERS: Mapping[DeviceId, frozenset[int]] = MappingProxyType({
    DeviceId.ENERGY_SERVICE_PORTAL: frozenset({0x0000, 0x000A, 0x0700, 0x0701, 0x0703, 0x0800}),
    DeviceId.PROGRAMMABLE_COMMUNICATING_THERMOSTAT: frozenset({0x0000, 0x0800}),
    DeviceId.LOAD_CONTROL_DEVICE: frozenset({0x0000, 0x0800}),
})
"""Clusters that the endpoints of a device must serve (SE 1.0, table 6.1 and the devices' tables): Basic, Key Establishment; at
an ESI also Time, Price, load control, Messaging."""

MANDATORY_CLIENTS: Mapping[DeviceId, frozenset[int]] = MappingProxyType({
    DeviceId.ENERGY_SERVICE_PORTAL: frozenset({0x0800}),
    DeviceId.PROGRAMMABLE_COMMUNICATING_THERMOSTAT: frozenset({0x000A, 0x0701, 0x0800}),
    DeviceId.LOAD_CONTROL_DEVICE: frozenset({0x000A, 0x0701, 0x0800}),
})
"""Clusters that they must be clients of: Key Establishment; at the devices Time and load control."""

HOME_AUTOMATION = 0x0104  # another profile of the same cluster library, with many of the same clusters
PREFERRED_CHANNELS = (11, 14, 15, 19, 20, 24, 25)  # SE 1.0, table 5-2
ALL_CHANNELS = tuple(range(11, 27))
SCAN_ATTEMPTS = 3  # table 5-2
TIME_BETWEEN_SCANS = 1.0  # seconds, table 5-2
MAXIMUM_INCOMING_TRANSFER_SIZE = 128  # octets, table 5-8


def requires_link_key(cluster: int) -> bool:
    """Whether frames of this cluster, unicast and of this profile, must be APS-secured with an established link key."""
    return cluster not in NETWORK_KEY_CLUSTERS
