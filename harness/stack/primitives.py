"""What the layers of a node say to each other and to the node's application: requests and indications, as plain values.

Addresses are integers: a NWK (short) address below 0x10000, an EUI-64 as `Eui64`. Times are seconds since the bench started.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from dissectors.layer import Record
from harness.values import Eui64


class LinkKeyKind(StrEnum):
    """Where a link key came from; SE data needs one made by key establishment (SE 1.0, clause 5.4.6)."""

    PRECONFIGURED = "ic"  # made from an install code, or ordered as such
    ESTABLISHED = "link"  # made by CBKE


@dataclass(frozen=True)
class AsduRequest:
    """APSDE-DATA.request: send this application frame. `link_key` asks for APS security with the link key shared with `dest`.

    A unicast frame too long for one PSDU goes in fragments, up to `max_transfer` octets: the partner's maximum incoming
    transfer size, from its node descriptor; None where it was never asked (the default of SE, 128, is taken then).
    """

    dest: int
    dest_endpoint: int
    source_endpoint: int
    profile: int
    cluster: int
    asdu: bytes
    ack: bool = True
    link_key: bool = False
    max_transfer: int | None = None


@dataclass(frozen=True)
class AsduConfirm:
    """What became of an AsduRequest or a CommandRequest: `status` is success, no_ack, no_key, too_long or no_network.

    Success means the APS acknowledgement where one was asked, else that the next hop took the frame (or, for a broadcast, that
    it was sent). no_ack also says that a sleepy child never fetched the frame.
    """

    handle: int
    status: str


@dataclass(frozen=True)
class AsduIndication:
    """APSDE-DATA.indication: a whole application frame, reassembled and delivered once.

    `key` says how it was secured: None (NWK security alone), or the kind of link key. `broadcast` says how it came.
    """

    source: int
    source_ieee: Eui64 | None
    source_endpoint: int
    dest_endpoint: int
    profile: int
    cluster: int
    asdu: bytes
    counter: int
    key: LinkKeyKind | None = None
    broadcast: bool = False
    nwk_secured: bool = True


@dataclass(frozen=True)
class CommandRequest:
    """Send an APS command. `key_identifier` None leaves APS security off; 0 data key, 2 key-transport, 3 key-load key.

    The key is the link key shared with `dest_ieee`. `nwk_secured` False is for a joining child that has no network key yet.
    """

    dest: int
    dest_ieee: Eui64
    command: Record
    key_identifier: int | None
    nwk_secured: bool = True
    ack: bool = False


@dataclass(frozen=True)
class CommandIndication:
    """An APS command arrived. `key_identifier` None: it was not APS-secured."""

    source: int
    source_ieee: Eui64 | None
    command: Record
    key_identifier: int | None
    nwk_secured: bool


@dataclass(frozen=True)
class NetworkFound:
    """One beacon of a scan."""

    channel: int
    pan_id: int
    extended_pan_id: Eui64
    coordinator: int
    association_permit: bool
    end_device_capacity: bool
    router_capacity: bool
    stack_profile: int
    protocol_version: int
    update_id: int
    lqi: int


@dataclass(frozen=True)
class ScanConfirm:
    """An active scan is over."""

    networks: tuple[NetworkFound, ...]


@dataclass(frozen=True)
class AssociateConfirm:
    """An association or a rejoin is over: `status` is a MAC association status (0 success), or None when nothing came back."""

    status: int | None
    short_address: int = 0xFFFF


@dataclass(frozen=True)
class JoinIndication:
    """At a parent: a device associated or rejoined. `secured` and `rejoin` say how; `capability` is the capability octet."""

    device: Eui64
    short_address: int
    capability: int
    rejoin: bool = False
    secured: bool = False


@dataclass(frozen=True)
class LeaveIndication:
    """A NWK Leave: from ourselves being told to leave (`device` is None), or from a neighbour that left."""

    device: Eui64 | None
    source: int
    rejoin: bool


@dataclass(frozen=True)
class ParentLost:
    """At a sleepy end device: `failures` polls in a row went unacknowledged by the parent (05-3474, 3.6.1.4.2: rejoin)."""

    failures: int


Indication = (
    AsduConfirm | AsduIndication | CommandIndication | ScanConfirm | AssociateConfirm | JoinIndication | LeaveIndication
    | ParentLost
)
