"""The PICS proforma: what a device may claim, item by item. A clause names an item, a device file answers yes, no or unset.

Knows no clause and no file. An item without an answer is unset: what depends on it is inconc, never a pass, never skipped.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

PROFORMA: Mapping[str, str] = MappingProxyType({
    "joins_by_itself": "looks for a network when it is powered on, without a button being pressed",
    "sleepy": "switches its receiver off while idle and polls its parent",
    "router": "is a router that other devices may join through",
    "metering": "has the metering cluster (client side: it reads the meter), as the use case's last assumption says",
    "price": "has the price cluster (client side)",
    "messaging": "has the messaging cluster (client side)",
    "opt_out": "lets the customer opt out of a load control event",
    "zcl_r03": "claims the ZigBee Cluster Library revision 03 or later (default responses as tested since 2010)",
    "core_r19": "claims the ZigBee core specification revision 19 or later",
    "event_signature": "signs its load control event reports (ECDSA)",
    "smart_energy_1_1": "claims Smart Energy 1.1 or later",
    "smart_energy_1_4": "claims Smart Energy 1.4",
    "fragmentation": "sends and receives fragmented APS messages",
    "esi_install_codes": "the ESI is sent install codes, not link keys, and makes the link keys of them",
    "window_survives_restart": "keeps an open provisioning window over a restart of the ESI",
})
