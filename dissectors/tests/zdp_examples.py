"""One structure of every ZDP cluster, with values that no default has."""

from __future__ import annotations

from dissectors.layer import Record
from dissectors.zdp import (
    ActiveEpReq,
    ActiveEpRsp,
    BindingAddressMode,
    BindReq,
    BindRsp,
    DeviceAnnce,
    EndDeviceBindReq,
    EndDeviceBindRsp,
    IeeeAddrReq,
    IeeeAddrRsp,
    LogicalType,
    MatchDescReq,
    MatchDescRsp,
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
    Route,
    ServerMask,
    SimpleDescReq,
    SimpleDescriptor,
    SimpleDescRsp,
    Status,
    SystemServerDiscoveryReq,
    SystemServerDiscoveryRsp,
    UnbindReq,
    UnbindRsp,
)

IEEE = 0x0102030405060708
PEER = 0x1112131415161718
NWK = 0x2122

_NODE = NodeDescriptor.of(
    user_descriptor_available=1, complex_descriptor_available=0, logical_type=LogicalType.ROUTER, capability=0x8E,
    manufacturer_code=0x1234, maximum_buffer_size=0x50, maximum_incoming_transfer_size=0x0102,
    server_mask=ServerMask.NETWORK_MANAGER, maximum_outgoing_transfer_size=0x0304, descriptor_capability=1,
)
_POWER = PowerDescriptor.of(
    available_power_sources=3, current_power_mode=1, current_power_source_level=8, current_power_source=2
)
_SIMPLE = SimpleDescriptor.of(
    endpoint=9, profile=0x0109, device=0x0503, device_version=2, in_clusters=(0x0000, 0x0800),
    out_clusters=(0x0800, 0x000A, 0x0701),
)
_NEIGHBOR = Neighbor.of(
    extended_pan_id=PEER, ieee_addr=IEEE, nwk_addr=NWK, relationship=1, rx_on_when_idle=1, device_type=2, permit_joining=1,
    depth=3, lqi=0xFE,
)
_BINDING = BindReq.of(source_ieee=IEEE, source_endpoint=2, cluster_id=0x0700, dest_ieee=PEER, dest_endpoint=3)
_GROUP_BINDING = BindReq.of(
    source_ieee=IEEE, source_endpoint=2, cluster_id=0x0701, dest_mode=BindingAddressMode.GROUP, dest_group=0x5152
)

EXAMPLES: dict[int, Record] = {
    0x0000: NwkAddrReq.of(ieee_addr=IEEE, request_type=RequestType.EXTENDED, start_index=4),
    0x8000: NwkAddrRsp.of(
        status=0, ieee_addr=IEEE, nwk_addr=NWK, num_assoc_dev=2, start_index=1, assoc_devices=(0x3132, 0x4142)
    ),
    0x0001: IeeeAddrReq.of(nwk_addr_of_interest=NWK, request_type=RequestType.EXTENDED, start_index=4),
    0x8001: IeeeAddrRsp.of(status=0, ieee_addr=IEEE, nwk_addr=NWK, num_assoc_dev=0),
    0x0002: NodeDescReq.of(nwk_addr_of_interest=NWK),
    0x8002: NodeDescRsp.of(status=0, nwk_addr_of_interest=NWK, node_descriptor=_NODE),
    0x0003: PowerDescReq.of(nwk_addr_of_interest=NWK),
    0x8003: PowerDescRsp.of(status=0, nwk_addr_of_interest=NWK, power_descriptor=_POWER),
    0x0004: SimpleDescReq.of(nwk_addr_of_interest=NWK, endpoint=9),
    0x8004: SimpleDescRsp.of(status=0, nwk_addr_of_interest=NWK, simple_descriptor=_SIMPLE),
    0x0005: ActiveEpReq.of(nwk_addr_of_interest=NWK),
    0x8005: ActiveEpRsp.of(status=0, nwk_addr_of_interest=NWK, endpoints=(1, 9)),
    0x0006: MatchDescReq.of(nwk_addr_of_interest=NWK, profile=0x0109, in_clusters=(0x0800,), out_clusters=(0x0700, 0x0701)),
    0x8006: MatchDescRsp.of(status=0, nwk_addr_of_interest=NWK, endpoints=(7,)),
    0x0013: DeviceAnnce.of(nwk_addr=NWK, ieee_addr=IEEE, capability=0x80),
    0x0015: SystemServerDiscoveryReq.of(server_mask=ServerMask.PRIMARY_TRUST_CENTER),
    0x8015: SystemServerDiscoveryRsp.of(status=0, server_mask=ServerMask.PRIMARY_TRUST_CENTER),
    0x001F: ParentAnnce.of(children=(IEEE, PEER)),
    0x801F: ParentAnnceRsp.of(status=0, children=(IEEE,)),
    0x0020: EndDeviceBindReq.of(
        binding_target=NWK, source_ieee=IEEE, source_endpoint=2, profile=0x0109, in_clusters=(0x0700, 0x0701),
        out_clusters=(0x0703,),
    ),
    0x8020: EndDeviceBindRsp.of(status=Status.TIMEOUT),
    0x0021: _BINDING,
    0x8021: BindRsp.of(status=Status.TABLE_FULL),
    0x0022: UnbindReq.of(
        source_ieee=IEEE, source_endpoint=2, cluster_id=0x0701, dest_mode=BindingAddressMode.GROUP, dest_group=0x5152
    ),
    0x8022: UnbindRsp.of(status=Status.NO_ENTRY),
    0x0031: MgmtLqiReq.of(start_index=2),
    0x8031: MgmtLqiRsp.of(status=0, neighbor_table_entries=3, start_index=2, neighbors=(_NEIGHBOR,)),
    0x0032: MgmtRtgReq.of(start_index=2),
    0x8032: MgmtRtgRsp.of(
        status=0, routing_table_entries=3, start_index=2, routes=(Route.of(dest=NWK, route_status=3, next_hop=0x3132),)
    ),
    0x0033: MgmtBindReq.of(start_index=2),
    0x8033: MgmtBindRsp.of(status=0, binding_table_entries=4, start_index=2, bindings=(_BINDING, _GROUP_BINDING)),
    0x0034: MgmtLeaveReq.of(ieee_addr=IEEE, rejoin=1),
    0x8034: MgmtLeaveRsp.of(status=Status.NOT_SUPPORTED),
    0x0036: MgmtPermitJoiningReq.of(duration=180, tc_significance=1),
    0x8036: MgmtPermitJoiningRsp.of(status=Status.NOT_AUTHORIZED),
    0x0038: MgmtNwkUpdateReq.of(scan_channels=0x07FFF800, scan_duration=3, scan_count=2),
    0x8038: MgmtNwkUpdateNotify.of(
        status=0, scanned_channels=0x00001800, total_transmissions=5, transmission_failures=1, energy_values=(0x40, 0x50)
    ),
}
