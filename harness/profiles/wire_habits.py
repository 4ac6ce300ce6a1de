"""Legal ways to write the same frame, as rewrites of a virtual node. Knows structures; no device, no clause, no chance.

Each function makes one rewrite (`harness.stack.policy`); beside it stands the source that leaves the choice.
"""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum

from dissectors import mac, nwk, zcl, zdp
from dissectors.clusters import key_establishment
from dissectors.layer import Layer, Record
from harness.stack.policy import Rewrite
from harness.values import Eui64


class Addressing(StrEnum):
    """How a device without a short address writes PAN and parent into its MAC commands (05-3474 annex D.3, tables D.1, D.2)."""

    BROADCAST = "source PAN ffff"  # preferred
    COMPRESSED = "source PAN left out"
    NETWORK = "source PAN of the network"
    NO_DESTINATION = "parent left out"  # it is the PAN coordinator


def asks_to_associate(addressing: Addressing) -> Rewrite:
    """Association requests and the polls for the answer, in one of the forms that every parent recognises."""

    def rewrite(header: Record) -> Record:
        command = header.command if "command" in header else None
        without_address = header.source_mode == mac.AddressMode.EXTENDED
        if command is None or not without_address or command.layer not in (mac.AssociationRequest, mac.DataRequest):
            return header
        if addressing is Addressing.COMPRESSED:
            return header.replace(pan_id_compression=1, source_pan=None)
        if addressing is Addressing.NETWORK:
            return header.replace(source_pan=header.dest_pan)
        if addressing is Addressing.NO_DESTINATION:
            return header.replace(dest_mode=mac.AddressMode.NONE, dest_pan=None, dest_short=None, source_pan=header.dest_pan)
        return header

    return _of(mac.Mac, rewrite)


def answers_association_with_both_pans() -> Rewrite:
    """The association response as cc23 in the place of cc63 (05-3474 annex D.3, table D.3)."""

    def rewrite(header: Record) -> Record:
        if "command" not in header or not header.command.is_a(mac.AssociationResponse):
            return header
        return header.replace(pan_id_compression=0, source_pan=header.dest_pan)

    return _of(mac.Mac, rewrite)


def beacon(router_capacity: bool, update_id: int) -> Rewrite:
    """A coordinator's room for routers, and nwkUpdateId (05-3474, 3.6.7)."""
    return _of(mac.Beacon, lambda record: record.replace(router_capacity=int(router_capacity), update_id=update_id))


def network_header(radius: int, discovers_route: bool, source: Eui64 | None) -> Rewrite:
    """Unicast data: its radius, whether routes may be discovered, and the sender's EUI-64 where it is given (05-3474, 3.3.1).

    With that a frame is 8 octets longer: nothing may be sent that only just fits.
    """

    def rewrite(header: Record) -> Record:
        if header.frame_type != nwk.FrameType.DATA or header.dest > nwk.MAX_UNICAST:
            return header
        return header.replace(
            radius=radius, discover_route=header.discover_route and int(discovers_route),
            source_ieee_present=int(source is not None), source_ieee=source,
        )

    return _of(nwk.Nwk, rewrite)


def transports_key_without_extended_nonce() -> Rewrite:
    """Security control 10 in the place of 30: enough where the trust centre is the parent (05-3474, 4.4.1.1)."""

    def rewrite(auxiliary: Record) -> Record:
        if auxiliary.key_identifier != nwk.KeyIdentifier.KEY_TRANSPORT:
            return auxiliary
        return auxiliary.replace(extended_nonce=0, source_ieee=None)

    return _of(nwk.AuxiliaryHeader, rewrite)


def permits_joining(significance: int) -> Rewrite:
    """TC_Significance 0 or 1, both legal before r21 (05-3474, 2.4.3.3.7)."""
    return _of(zdp.MgmtPermitJoiningReq, lambda record: record.replace(tc_significance=significance))


def node_descriptor(manufacturer_code: int) -> Rewrite:
    """A manufacturer's own code (05-3474, 2.3.2.3.8)."""

    def rewrite(response: Record) -> Record:
        if response.node_descriptor is None:
            return response
        return response.replace(node_descriptor=response.node_descriptor.replace(manufacturer_code=manufacturer_code))

    return _of(zdp.NodeDescRsp, rewrite)


def simple_descriptors(versions: int, reverse: bool) -> Rewrite:
    """The application's version, and clusters in descending order (05-3474, 2.3.2.5 prescribes none)."""

    def rewrite(response: Record) -> Record:
        descriptor = response.simple_descriptor
        if descriptor is None:
            return response
        step = -1 if reverse else 1
        return response.replace(simple_descriptor=descriptor.replace(
            device_version=versions, in_clusters=descriptor.in_clusters[::step], out_clusters=descriptor.out_clusters[::step],
        ))

    return _of(zdp.SimpleDescRsp, rewrite)


def default_responses(disabled: bool) -> Rewrite:
    """Whether a sender wants a Default Response where all is well (ZCL 075123, 2.3.1.1.4); key establishment is left alone."""

    def rewrite(header: Record) -> Record:
        if header.cluster == key_establishment.CLUSTER.identifier or header.command.is_a(zcl.DefaultResponse):
            return header
        return header.replace(disable_default_response=int(disabled))

    return _of(zcl.Zcl, rewrite)


def _of(layer: type[Layer], change: Callable[[Record], Record]) -> Rewrite:
    return lambda record: change(record) if record.is_a(layer) else record
