"""ZigBee Device Profile: what goes over endpoint 0 of profile 0000, by cluster. Knows no addresses but those it carries.

Clauses: 05-3474, 2.4 (numbering of r17 to r20). Every ASDU is a transaction sequence number, then one structure; the cluster
of a response is that of its request with the top bit set.
"""

from __future__ import annotations

from dissectors.layer import Layer, Malformed, Record, encode, parse, parse_whole
from dissectors.zdp_discovery import (
    BAND_2400_MHZ,
    BROADCAST_ENDPOINT,
    DESCRIPTOR_CAPABILITY,
    FIRST_ENDPOINT,
    LAST_ENDPOINT,
    MAXIMUM_BUFFER_SIZE,
    MAXIMUM_TRANSFER_SIZE,
    WILDCARD_PROFILE,
    ActiveEpReq,
    ActiveEpRsp,
    DeviceAnnce,
    IeeeAddrReq,
    IeeeAddrRsp,
    LogicalType,
    MatchDescReq,
    MatchDescRsp,
    NodeDescReq,
    NodeDescriptor,
    NodeDescRsp,
    NwkAddrReq,
    NwkAddrRsp,
    ParentAnnce,
    ParentAnnceRsp,
    PowerDescReq,
    PowerDescriptor,
    PowerDescRsp,
    RequestType,
    ServerMask,
    SimpleDescReq,
    SimpleDescriptor,
    SimpleDescRsp,
    Status,
    SystemServerDiscoveryReq,
    SystemServerDiscoveryRsp,
)
from dissectors.zdp_management import (
    CHANGE_CHANNEL,
    CHANGE_PARAMETERS,
    NOBODY,
    SCAN_DURATION_MAXIMUM,
    UNTIL_FURTHER_NOTICE,
    BindingAddressMode,
    BindReq,
    BindRsp,
    EndDeviceBindReq,
    EndDeviceBindRsp,
    MgmtBindReq,
    MgmtBindRsp,
    MgmtLeaveReq,
    MgmtLeaveRsp,
    MgmtLqiReq,
    MgmtLqiRsp,
    MgmtNwkUpdateNotify,
    MgmtNwkUpdateReq,
    MgmtPermitJoiningReq,
    MgmtPermitJoiningRsp,
    MgmtRtgReq,
    MgmtRtgRsp,
    Neighbor,
    Route,
    UnbindReq,
    UnbindRsp,
)

__all__ = [
    "BAND_2400_MHZ",
    "BROADCAST_ENDPOINT",
    "CHANGE_CHANNEL",
    "CHANGE_PARAMETERS",
    "CLUSTERS",
    "DESCRIPTOR_CAPABILITY",
    "ENDPOINT",
    "FIRST_ENDPOINT",
    "LAST_ENDPOINT",
    "MAXIMUM_BUFFER_SIZE",
    "MAXIMUM_TRANSFER_SIZE",
    "NOBODY",
    "PROFILE",
    "RESPONSE",
    "SCAN_DURATION_MAXIMUM",
    "UNTIL_FURTHER_NOTICE",
    "WILDCARD_PROFILE",
    "ActiveEpReq",
    "ActiveEpRsp",
    "BindReq",
    "BindRsp",
    "BindingAddressMode",
    "DeviceAnnce",
    "EndDeviceBindReq",
    "EndDeviceBindRsp",
    "IeeeAddrReq",
    "IeeeAddrRsp",
    "LogicalType",
    "MatchDescReq",
    "MatchDescRsp",
    "MgmtBindReq",
    "MgmtBindRsp",
    "MgmtLeaveReq",
    "MgmtLeaveRsp",
    "MgmtLqiReq",
    "MgmtLqiRsp",
    "MgmtNwkUpdateNotify",
    "MgmtNwkUpdateReq",
    "MgmtPermitJoiningReq",
    "MgmtPermitJoiningRsp",
    "MgmtRtgReq",
    "MgmtRtgRsp",
    "Neighbor",
    "NodeDescReq",
    "NodeDescRsp",
    "NodeDescriptor",
    "NwkAddrReq",
    "NwkAddrRsp",
    "ParentAnnce",
    "ParentAnnceRsp",
    "PowerDescReq",
    "PowerDescRsp",
    "PowerDescriptor",
    "RequestType",
    "Route",
    "ServerMask",
    "SimpleDescReq",
    "SimpleDescRsp",
    "SimpleDescriptor",
    "Status",
    "SystemServerDiscoveryReq",
    "SystemServerDiscoveryRsp",
    "UnbindReq",
    "UnbindRsp",
    "build",
    "cluster_of",
    "read",
]

PROFILE = 0x0000
ENDPOINT = 0
RESPONSE = 0x8000  # set in the cluster of every response, 2.4.2.8

CLUSTERS: dict[int, type[Layer]] = {
    0x0000: NwkAddrReq, 0x8000: NwkAddrRsp,
    0x0001: IeeeAddrReq, 0x8001: IeeeAddrRsp,
    0x0002: NodeDescReq, 0x8002: NodeDescRsp,
    0x0003: PowerDescReq, 0x8003: PowerDescRsp,
    0x0004: SimpleDescReq, 0x8004: SimpleDescRsp,
    0x0005: ActiveEpReq, 0x8005: ActiveEpRsp,
    0x0006: MatchDescReq, 0x8006: MatchDescRsp,
    0x0013: DeviceAnnce,
    0x0015: SystemServerDiscoveryReq, 0x8015: SystemServerDiscoveryRsp,
    0x001F: ParentAnnce, 0x801F: ParentAnnceRsp,
    0x0020: EndDeviceBindReq, 0x8020: EndDeviceBindRsp,
    0x0021: BindReq, 0x8021: BindRsp,
    0x0022: UnbindReq, 0x8022: UnbindRsp,
    0x0031: MgmtLqiReq, 0x8031: MgmtLqiRsp,
    0x0032: MgmtRtgReq, 0x8032: MgmtRtgRsp,
    0x0033: MgmtBindReq, 0x8033: MgmtBindRsp,
    0x0034: MgmtLeaveReq, 0x8034: MgmtLeaveRsp,
    0x0036: MgmtPermitJoiningReq, 0x8036: MgmtPermitJoiningRsp,
    0x0038: MgmtNwkUpdateReq, 0x8038: MgmtNwkUpdateNotify,
}
_CLUSTER_OF = {layer: cluster for cluster, layer in CLUSTERS.items()}


def cluster_of(layer: type[Layer]) -> int:
    """The cluster identifier that carries a structure. Raises KeyError for a layer that is not a ZDP command."""
    return _CLUSTER_OF[layer]


def build(record: Record, sequence: int) -> bytes:
    """The ASDU: transaction sequence number (0 to 255), then the structure. Raises Malformed for a value that does not fit."""
    return bytes([sequence]) + encode(record)


def read(cluster: int, asdu: bytes) -> Record:
    """The structure in an ASDU, joined with `sequence`, `cluster` and `surplus` (octets after it). Raises Malformed.

    Only a refusal may have a surplus: what stacks append to a status other than SUCCESS differs, so that whatever is not the
    structure is kept and judged by nobody here (2.4.4).
    """
    layer = CLUSTERS.get(cluster)
    if layer is None:
        raise Malformed(f"ZDP has no cluster {cluster:04x}")
    if not asdu:
        raise Malformed("ZDP needs a transaction sequence number, nothing is left")
    record, surplus = _refusal(layer, asdu[1:]) or (parse_whole(layer, asdu[1:]), b"")
    return record.joined(sequence=asdu[0], cluster=cluster, surplus=surplus)


def _refusal(layer: type[Layer], octets: bytes) -> tuple[Record, bytes] | None:
    """The record and the surplus of a response whose status is not SUCCESS; None for everything else."""
    if layer.fields_desc[0].name != "status" or octets[:1] in (b"", bytes([Status.SUCCESS])):
        return None
    try:
        return parse(layer, octets)
    except Malformed:
        return layer.of(status=octets[0]), octets[1:]
