"""Tunneling, cluster 0704: a name in SE 1.0, commands from 1.1 on. Here to be recognised; no 1.0 device needs it."""

from __future__ import annotations

from scapy.fields import ByteField, XByteField, XLEShortField

from dissectors.clusters import Attribute, Cluster
from dissectors.fields import LEShortField, Remaining, Trailing
from dissectors.layer import Layer
from dissectors.zcl_types import DataType


class RequestTunnel(Layer):
    """Client to server 00."""

    fields_desc = [
        ByteField("protocol", 0),
        XLEShortField("manufacturer_code", 0xFFFF),
        ByteField("flow_control_support", 0),
        Trailing(LEShortField("maximum_incoming_transfer_size", 0)),
    ]


class CloseTunnel(Layer):
    """Client to server 01."""

    fields_desc = [LEShortField("tunnel", 0)]


class TransferData(Layer):
    """Client to server 02, server to client 01."""

    fields_desc = [LEShortField("tunnel", 0), Remaining("data")]


class TransferDataError(Layer):
    """Client to server 03, server to client 02."""

    fields_desc = [LEShortField("tunnel", 0), XByteField("status", 0)]


class AckTransferData(Layer):
    """Client to server 04, server to client 03: how many octets may still come."""

    fields_desc = [LEShortField("tunnel", 0), LEShortField("bytes_left", 0)]


class ReadyData(Layer):
    """Client to server 05, server to client 04."""

    fields_desc = [LEShortField("tunnel", 0), LEShortField("octets", 0)]


class RequestTunnelResponse(Layer):
    """Server to client 00."""

    fields_desc = [
        LEShortField("tunnel", 0), XByteField("status", 0), Trailing(LEShortField("maximum_incoming_transfer_size", 0)),
    ]


CLUSTER = Cluster(
    0x0704,
    "Tunneling",
    attributes={0x0000: Attribute("CloseTunnelTimeout", DataType.UINT16, mandatory=True, default=0xFFFF, since="SE 1.1")},
    client_commands={
        0x00: RequestTunnel,
        0x01: CloseTunnel,
        0x02: TransferData,
        0x03: TransferDataError,
        0x04: AckTransferData,
        0x05: ReadyData,
    },
    server_commands={
        0x00: RequestTunnelResponse, 0x01: TransferData, 0x02: TransferDataError, 0x03: AckTransferData, 0x04: ReadyData,
    },
)
