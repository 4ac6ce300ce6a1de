"""What an endpoint is made of: the sides of clusters it has, their attributes and what they do with commands. Sends nothing."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from dissectors.clusters import Attribute, Cluster, by_identifier
from dissectors.layer import Layer, Record
from dissectors.smart_energy import PROFILE
from dissectors.zcl import Status
from harness.stack.application import Path
from harness.stack.descriptors import simple_descriptor
from harness.stack.primitives import AsduIndication


@dataclass(frozen=True)
class Heard:
    """One ZCL frame as a side of a cluster gets it: how it came, its header, its command, octets beyond the command we know."""

    indication: AsduIndication
    header: Record
    command: Record
    now: float

    @property
    def surplus(self) -> bytes:
        """What a later revision appended to the command."""
        return bytes(self.header.surplus)

    def back(self, source_endpoint: int | None = None) -> Path:
        """The path of an answer: to the endpoint it came from, from the one it came to (unless given), to the other side."""
        came = self.indication
        return Path(
            came.source, came.source_endpoint, came.dest_endpoint if source_endpoint is None else source_endpoint,
            came.cluster, to_server=bool(self.header.direction),
        )


Answer = Status | Sequence[Record] | None
"""A status for a Default Response, if one is due; or the responses; or None where nothing more is to be said."""

Serve = Callable[[Heard], Answer]


@dataclass(frozen=True)
class Held:
    """An attribute's value: how it is read at a time, and how it is written (None: read-only)."""

    read: Callable[[float], Any]
    write: Callable[[Any, float], Status] | None = None


@dataclass(frozen=True)
class ClusterSide:
    """The server or the client side of a cluster on an endpoint.

    `malformed` is told of a frame of this side that cannot be read and says what to answer; `other` of a Default Response that
    no request of ours awaits.
    """

    cluster: Cluster
    server: bool
    attributes: Mapping[int, Held] = field(default_factory=dict, hash=False)
    commands: Mapping[type[Layer], Serve] = field(default_factory=dict, hash=False)
    malformed: Callable[[AsduIndication, Record, float], Answer] | None = None
    other: Serve | None = None

    def declared(self, attribute: int) -> Attribute:
        """The declaration of an attribute that this side holds."""
        return (self.cluster.attributes if self.server else self.cluster.client_attributes)[attribute]


Attributes = Mapping[tuple[int, int], Any]
"""Values that never change, by cluster and attribute."""


def with_attributes(sides: tuple[ClusterSide, ...], values: Attributes) -> tuple[ClusterSide, ...]:
    """Sides that have these attributes as well, or with these values; raises nothing for what no side declares."""

    def given(side: ClusterSide) -> dict[int, Held]:
        declared = side.cluster.attributes if side.server else side.cluster.client_attributes
        return {
            attribute: constant(value) for (cluster, attribute), value in values.items()
            if cluster == side.cluster.identifier and attribute in declared
        }

    return tuple(replace(side, attributes={**side.attributes, **given(side)}) for side in sides)


@dataclass(frozen=True)
class Endpoint:
    """An application endpoint, 1 to 240: which device it is and which sides of clusters it has."""

    number: int
    device: int
    sides: tuple[ClusterSide, ...]
    profile: int = PROFILE

    def side(self, cluster: int, server: bool) -> ClusterSide | None:
        """That side of that cluster, if the endpoint has it."""
        for side in self.sides:
            if side.cluster.identifier == cluster and side.server == server:
                return side
        return None

    @property
    def descriptor(self) -> Record:
        """The simple descriptor, 05-3474 2.3.2.5."""
        servers = tuple(side.cluster.identifier for side in self.sides if side.server)
        clients = tuple(side.cluster.identifier for side in self.sides if not side.server)
        return simple_descriptor(self.number, self.profile, self.device, servers, clients)


def client_side(cluster: int) -> ClusterSide:
    """The side of a client that only asks. Raises KeyError for a cluster that nobody declares."""
    declared = by_identifier(cluster)
    if declared is None:
        raise KeyError(f"no cluster {cluster:04x}")
    return ClusterSide(declared, False)


def constant(value: Any) -> Held:
    """A read-only attribute that never changes."""
    return Held(lambda now: value)
