"""What a node still knows after a power failure. Knows no frame and no timer.

Clauses: 05-3474, 2.2.8.1 (APS), 3.6.8 (NWK), 4.3.3 and 4.4.10 (keys and counters).
"""

from __future__ import annotations

from copy import deepcopy
from dataclasses import dataclass

from harness.stack.counters import LinkKey, LinkKeys, NetworkKey, NetworkKeys
from harness.stack.neighbours import Neighbours
from harness.stack.nwk import Network
from harness.stack.policy import Policy
from harness.stack.primitives import LinkKeyKind


@dataclass
class Memory:
    """The network and our place in it, addresses and children, keys with their counters."""

    network: Network | None
    neighbours: Neighbours
    network_keys: NetworkKeys
    link_keys: LinkKeys


def remembered(memory: Memory, policy: Policy) -> Memory:
    """A copy of what a node with this policy keeps."""
    kept = deepcopy(memory)
    if not policy.keeps_counters_over_power_cycle:
        keys: tuple[NetworkKey | LinkKey, ...] = (*kept.network_keys.held.values(), *kept.link_keys.held.values())
        for key in keys:
            key.counters.outgoing = 0
    if not policy.keeps_keys_over_power_cycle:
        preconfigured = {device: key for device, key in kept.link_keys.held.items() if key.kind is LinkKeyKind.PRECONFIGURED}
        return Memory(None, Neighbours(), NetworkKeys(), LinkKeys(preconfigured))
    return kept
