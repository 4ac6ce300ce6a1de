"""Identify, cluster 0003 (ZCL 075123, 3.5): making a device show where it is. NWK security suffices in Smart Energy."""

from __future__ import annotations

from scapy.fields import LEShortField

from dissectors.clusters import Access, Attribute, Cluster
from dissectors.layer import Layer
from dissectors.zcl_types import DataType


class Identify(Layer):
    """Client to server 00: seconds, 0 stops."""

    fields_desc = [LEShortField("identify_time", 0)]


class IdentifyQuery(Layer):
    """Client to server 01, no payload; only a device that is identifying itself answers."""

    fields_desc = []


class IdentifyQueryResponse(Layer):
    """Server to client 00: the seconds that remain."""

    fields_desc = [LEShortField("timeout", 0)]


IDENTIFY_TIME = 0x0000

CLUSTER = Cluster(
    0x0003,
    "Identify",
    attributes={IDENTIFY_TIME: Attribute("IdentifyTime", DataType.UINT16, Access.READ_WRITE, mandatory=True, default=0)},
    client_commands={0x00: Identify, 0x01: IdentifyQuery},
    server_commands={0x00: IdentifyQueryResponse},
)
