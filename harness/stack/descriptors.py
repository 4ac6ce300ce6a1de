"""What a node says of itself in ZDP: node, power and simple descriptors. Knows no addresses of others and sends nothing.

Clauses: 05-3474, 2.3.2; the transfer size and what belongs on an endpoint are Smart Energy's (SE 1.0, tables 5-8 and 6.1).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from dissectors.layer import Record
from dissectors.smart_energy import MAXIMUM_INCOMING_TRANSFER_SIZE
from dissectors.zdp import LogicalType, NodeDescriptor, PowerDescriptor, ServerMask, SimpleDescriptor

LAST_ENDPOINT = 240  # application endpoints are 1 to 240, 2.3.2.5.1


@dataclass(frozen=True)
class Descriptors:
    """All descriptors of one node; `endpoints` maps an endpoint number to its simple descriptor."""

    node: Record
    power: Record
    endpoints: Mapping[int, Record] = field(default_factory=dict, hash=False)


def node_descriptor(
    capability: int, logical_type: LogicalType, server_mask: int = 0, manufacturer_code: int = 0,
    transfer_size: int = MAXIMUM_INCOMING_TRANSFER_SIZE,
) -> Record:
    """2.3.2.3: `capability` is the octet used to join; `server_mask` bits 7 to 15 stay 0 before r21."""
    return NodeDescriptor.of(
        logical_type=logical_type, capability=capability, manufacturer_code=manufacturer_code, server_mask=server_mask,
        maximum_incoming_transfer_size=transfer_size, maximum_outgoing_transfer_size=transfer_size,
    )


def coordinator_descriptor(capability: int) -> Record:
    """The node descriptor of a coordinator that is the trust centre and manages the network."""
    mask = ServerMask.PRIMARY_TRUST_CENTER | ServerMask.NETWORK_MANAGER
    return node_descriptor(capability, LogicalType.COORDINATOR, int(mask))


def end_device_descriptor(capability: int) -> Record:
    """The node descriptor of an end device."""
    return node_descriptor(capability, LogicalType.END_DEVICE)


def router_descriptor(capability: int) -> Record:
    """The node descriptor of a router."""
    return node_descriptor(capability, LogicalType.ROUTER)


def power_descriptor() -> Record:
    """2.3.2.4: mains power, always on, full."""
    return PowerDescriptor.of()


def simple_descriptor(endpoint: int, profile: int, device: int, servers: tuple[int, ...], clients: tuple[int, ...]) -> Record:
    """2.3.2.5: `servers` are the input clusters, `clients` the output clusters; both are sent in ascending order."""
    return SimpleDescriptor.of(
        endpoint=endpoint, profile=profile, device=device,
        in_clusters=tuple(sorted(servers)), out_clusters=tuple(sorted(clients)),
    )
