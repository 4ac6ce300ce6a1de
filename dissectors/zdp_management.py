"""ZDP binding and network management (05-3474, 2.4.3.2 and 2.4.3.3). Knows no cluster identifiers and no sequence numbers."""

from __future__ import annotations

from enum import IntEnum

from scapy.fields import BitField, ByteField, ConditionalField, LEIntField, XLEShortField

from dissectors.fields import Eui64Field, LEShortField
from dissectors.layer import Layer
from dissectors.structures import Counted
from dissectors.zdp_discovery import or_refused, status


class BindingAddressMode(IntEnum):
    """2.4.3.2.2: what a binding points at."""

    GROUP = 1
    IEEE = 3


UNTIL_FURTHER_NOTICE = 0xFF  # permit duration, 2.4.3.3.7
NOBODY = 0  # Mgmt_Leave with this EUI-64 means the receiver itself, 2.4.3.3.5


class EndDeviceBindReq(Layer):
    """2.4.3.2.1, cluster 0020; cluster lists of 16-bit identifiers."""

    fields_desc = [
        XLEShortField("binding_target", 0),
        Eui64Field("source_ieee"),
        ByteField("source_endpoint", 1),
        XLEShortField("profile", 0),
        Counted("in_clusters", XLEShortField("", 0)),
        Counted("out_clusters", XLEShortField("", 0)),
    ]


class EndDeviceBindRsp(Layer):
    """2.4.4.2.1, cluster 8020."""

    fields_desc = [status()]


class BindReq(Layer):
    """2.4.3.2.2, cluster 0021; also one entry of a Mgmt_Bind_rsp."""

    fields_desc = [
        Eui64Field("source_ieee"),
        ByteField("source_endpoint", 1),
        XLEShortField("cluster_id", 0),
        ByteField("dest_mode", BindingAddressMode.IEEE),
        ConditionalField(XLEShortField("dest_group", 0), lambda packet: packet.dest_mode == BindingAddressMode.GROUP),
        ConditionalField(Eui64Field("dest_ieee"), lambda packet: packet.dest_mode == BindingAddressMode.IEEE),
        ConditionalField(ByteField("dest_endpoint", 1), lambda packet: packet.dest_mode == BindingAddressMode.IEEE),
    ]


class BindRsp(Layer):
    """2.4.4.2.2, cluster 8021."""

    fields_desc = [status()]


class UnbindReq(Layer):
    """2.4.3.2.3, cluster 0022."""

    fields_desc = [BindReq]


class UnbindRsp(Layer):
    """2.4.4.2.3, cluster 8022."""

    fields_desc = [status()]


class MgmtLqiReq(Layer):
    """2.4.3.3.2, cluster 0031."""

    fields_desc = [ByteField("start_index", 0)]


class Neighbor(Layer):
    """One entry of a Mgmt_Lqi_rsp, 22 octets: 2.4.4.3.2, Table 2.127."""

    fields_desc = [
        Eui64Field("extended_pan_id"),
        Eui64Field("ieee_addr"),
        XLEShortField("nwk_addr", 0),
        BitField("reserved", 0, 1),
        BitField("relationship", 0, 3),
        BitField("rx_on_when_idle", 0, 2),
        BitField("device_type", 0, 2),
        BitField("reserved_permit", 0, 6),
        BitField("permit_joining", 0, 2),
        ByteField("depth", 0),
        ByteField("lqi", 0),
    ]


class MgmtLqiRsp(Layer):
    """2.4.4.3.2, cluster 8031."""

    fields_desc = [
        status(),
        or_refused(ByteField("neighbor_table_entries", 0)),
        or_refused(ByteField("start_index", 0)),
        or_refused(Counted("neighbors", Neighbor)),
    ]


class MgmtRtgReq(Layer):
    """2.4.3.3.3, cluster 0032."""

    fields_desc = [ByteField("start_index", 0)]


class Route(Layer):
    """One entry of a Mgmt_Rtg_rsp, 5 octets: 2.4.4.3.3, Table 2.129."""

    fields_desc = [
        XLEShortField("dest", 0), BitField("flags", 0, 5), BitField("route_status", 0, 3), XLEShortField("next_hop", 0),
    ]


class MgmtRtgRsp(Layer):
    """2.4.4.3.3, cluster 8032."""

    fields_desc = [
        status(),
        or_refused(ByteField("routing_table_entries", 0)),
        or_refused(ByteField("start_index", 0)),
        or_refused(Counted("routes", Route)),
    ]


class MgmtBindReq(Layer):
    """2.4.3.3.4, cluster 0033."""

    fields_desc = [ByteField("start_index", 0)]


class MgmtBindRsp(Layer):
    """2.4.4.3.4, cluster 8033."""

    fields_desc = [
        status(),
        or_refused(ByteField("binding_table_entries", 0)),
        or_refused(ByteField("start_index", 0)),
        or_refused(Counted("bindings", BindReq)),
    ]


class MgmtLeaveReq(Layer):
    """2.4.3.3.5, cluster 0034: EUI-64 zero means the receiver itself."""

    fields_desc = [
        Eui64Field("ieee_addr"), BitField("rejoin", 0, 1), BitField("remove_children", 0, 1), BitField("reserved", 0, 6),
    ]


class MgmtLeaveRsp(Layer):
    """2.4.4.3.5, cluster 8034."""

    fields_desc = [status()]


class MgmtPermitJoiningReq(Layer):
    """2.4.3.3.7, cluster 0036: duration in seconds, 0 closes, ff until further notice; answered only when unicast."""

    fields_desc = [ByteField("duration", 0), ByteField("tc_significance", 1)]


class MgmtPermitJoiningRsp(Layer):
    """2.4.4.3.7, cluster 8036."""

    fields_desc = [status()]


SCAN_DURATION_MAXIMUM = 5
CHANGE_CHANNEL = 0xFE
CHANGE_PARAMETERS = 0xFF


class MgmtNwkUpdateReq(Layer):
    """2.4.3.3.9, cluster 0038: an energy scan (duration 0 to 5), a channel change (fe) or new parameters (ff)."""

    fields_desc = [
        LEIntField("scan_channels", 0),
        ByteField("scan_duration", 0),
        ConditionalField(ByteField("scan_count", 1), lambda packet: packet.scan_duration <= SCAN_DURATION_MAXIMUM),
        ConditionalField(
            ByteField("update_id", 0), lambda packet: packet.scan_duration in (CHANGE_CHANNEL, CHANGE_PARAMETERS)
        ),
        ConditionalField(XLEShortField("manager_addr", 0), lambda packet: packet.scan_duration == CHANGE_PARAMETERS),
    ]


class MgmtNwkUpdateNotify(Layer):
    """2.4.4.3.9, cluster 8038; one energy value a scanned channel."""

    fields_desc = [
        status(),
        or_refused(LEIntField("scanned_channels", 0)),
        or_refused(LEShortField("total_transmissions", 0)),
        or_refused(LEShortField("transmission_failures", 0)),
        or_refused(Counted("energy_values", ByteField("", 0))),
    ]
