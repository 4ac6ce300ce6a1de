"""ZDP structures against zigpy, an implementation that is not ours: each reads and builds what the other does.

zigpy is an installed package of the test environment, so nothing here is skipped. It types profile and cluster lists of
End_Device_Bind_req as 8-bit; they are 16-bit (05-3474, 2.4.3.2.1), so there the two must differ.
"""

from __future__ import annotations

from typing import Any

import pytest
import zigpy.types as t
from zigpy.zdo import types as zdo

from dissectors import zdp
from dissectors.tests.zdp_examples import EXAMPLES, IEEE, NWK, PEER

END_DEVICE_BIND = 0x0020


def eui64(value: int) -> t.EUI64:
    return t.EUI64.deserialize(value.to_bytes(8, "little"))[0]


def target(**fields: Any) -> zdo.MultiAddress:
    return zdo.MultiAddress(**fields)


NODE = zdo.NodeDescriptor(
    logical_type=1, complex_descriptor_available=0, user_descriptor_available=1, reserved=0, aps_flags=0,
    frequency_band=zdo.FrequencyBand.Freq2400MHz, mac_capability_flags=0x8E, manufacturer_code=0x1234, maximum_buffer_size=0x50,
    maximum_incoming_transfer_size=0x0102, server_mask=1 << 6, maximum_outgoing_transfer_size=0x0304,
    descriptor_capability_field=1,
)
POWER = zdo.PowerDescriptor(
    current_power_mode=1, available_power_sources=3, current_power_source=2, current_power_source_level=8
)
SIMPLE = zdo.SizePrefixedSimpleDescriptor(
    endpoint=9, profile=0x0109, device_type=0x0503, device_version=2, input_clusters=[0x0000, 0x0800],
    output_clusters=[0x0800, 0x000A, 0x0701],
)
NEIGHBOR = zdo.Neighbor(
    extended_pan_id=t.ExtendedPanId(eui64(PEER)), ieee=eui64(IEEE), nwk=NWK, device_type=2, rx_on_when_idle=1, relationship=1,
    reserved1=0, permit_joining=1, reserved2=0, depth=3, lqi=0xFE,
)
ROUTE = zdo.Route(
    DstNWK=NWK, RouteStatus=3, MemoryConstrained=0, ManyToOne=0, RouteRecordRequired=0, Reserved=0, NextHop=0x3132
)
TO_DEVICE = target(addrmode=3, ieee=eui64(PEER), endpoint=3)
TO_GROUP = target(addrmode=1, nwk=0x5152)
BINDINGS = [
    zdo.Binding(SrcAddress=eui64(IEEE), SrcEndpoint=2, ClusterId=0x0700, DstAddress=TO_DEVICE),
    zdo.Binding(SrcAddress=eui64(IEEE), SrcEndpoint=2, ClusterId=0x0701, DstAddress=TO_GROUP),
]
SAME: dict[int, tuple[Any, ...]] = {  # the values of EXAMPLES, as zigpy takes them
    0x0000: (eui64(IEEE), 1, 4),
    0x8000: (0, eui64(IEEE), NWK, 2, 1, [0x3132, 0x4142]),
    0x0001: (NWK, 1, 4),
    0x8001: (0, eui64(IEEE), NWK, 0, None, []),
    0x0002: (NWK,),
    0x8002: (0, NWK, NODE),
    0x0003: (NWK,),
    0x8003: (0, NWK, POWER),
    0x0004: (NWK, 9),
    0x8004: (0, NWK, SIMPLE),
    0x0005: (NWK,),
    0x8005: (0, NWK, [1, 9]),
    0x0006: (NWK, 0x0109, [0x0800], [0x0700, 0x0701]),
    0x8006: (0, NWK, [7]),
    0x0013: (NWK, eui64(IEEE), 0x80),
    0x0015: (1,),
    0x8015: (0, 1),
    0x001F: ([eui64(IEEE), eui64(PEER)],),
    0x801F: (0, [eui64(IEEE)]),
    0x8020: (0x85,),
    0x0021: (eui64(IEEE), 2, 0x0700, TO_DEVICE),
    0x8021: (0x8C,),
    0x0022: (eui64(IEEE), 2, 0x0701, TO_GROUP),
    0x8022: (0x88,),
    0x0031: (2,),
    0x8031: (0, zdo.Neighbors(Entries=3, StartIndex=2, NeighborTableList=[NEIGHBOR])),
    0x0032: (2,),
    0x8032: (0, zdo.Routes(Entries=3, StartIndex=2, RoutingTableList=[ROUTE])),
    0x0033: (2,),
    0x8033: (0, 4, 2, BINDINGS),
    0x0034: (eui64(IEEE), 0x80),
    0x8034: (0x84,),
    0x0036: (180, 1),
    0x8036: (0x8D,),
    0x0038: (zdo.NwkUpdate(ScanChannels=0x07FFF800, ScanDuration=3, ScanCount=2),),
    0x8038: (0, 0x00001800, 5, 1, [0x40, 0x50]),
}


def built_by_zigpy(cluster: int, values: tuple[Any, ...]) -> bytes:
    _, kinds = zdo.CLUSTERS[zdo.ZDOCmd(cluster)]
    return b"".join(kind(value).serialize() for kind, value in zip(kinds, values, strict=True) if value is not None)


def read_by_zigpy(cluster: int, octets: bytes) -> list[Any]:
    _, kinds = zdo.CLUSTERS[zdo.ZDOCmd(cluster)]
    values, rest = t.deserialize(octets, kinds)
    assert not rest
    return list(values)


def test_every_cluster_but_one_is_compared() -> None:
    assert EXAMPLES.keys() - SAME.keys() == {END_DEVICE_BIND}


@pytest.mark.parametrize("cluster", SAME, ids=lambda cluster: EXAMPLES[cluster].name)
def test_both_build_the_same_octets_and_read_them(cluster: int) -> None:
    ours = zdp.build(EXAMPLES[cluster], 0)[1:]
    assert ours == built_by_zigpy(cluster, SAME[cluster])
    assert read_by_zigpy(cluster, ours) == list(SAME[cluster])
    assert zdp.read(cluster, b"\0" + built_by_zigpy(cluster, SAME[cluster])) == EXAMPLES[cluster].joined(
        sequence=0, cluster=cluster, surplus=b""
    )


def test_end_device_bind_differs_where_zigpy_is_wrong() -> None:
    ours = zdp.build(EXAMPLES[END_DEVICE_BIND], 0)[1:]
    narrow = built_by_zigpy(END_DEVICE_BIND, (NWK, eui64(IEEE), 2, 0x09, [0x00, 0x01], [0x03]))
    assert ours[:11] == narrow[:11]
    assert (ours[11:].hex(), narrow[11:].hex()) == ("09010200070107010307", "090200010103")


SPELT_OTHERWISE = {"INV_REQUESTTYPE": "INVALID_REQUEST_TYPE", "INVALID_EP": "INVALID_ENDPOINT"}


@pytest.mark.parametrize("status", zdo.Status)
def test_status_names(status: zdo.Status) -> None:
    assert zdp.Status(int(status)).name == SPELT_OTHERWISE.get(status.name, status.name)
