"""The clusters: one file each, with its attributes, its commands and the enumerations beside them. Knows no ZCL header.

A file with a module-level `CLUSTER` is a cluster; the package finds it by walking itself, so that adding one touches one file.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Flag, auto
from functools import cache
from typing import Any

from dissectors.layer import Layer
from dissectors.zcl_types import DataType


class Access(Flag):
    """What a client may do with an attribute."""

    READ = auto()
    WRITE = auto()
    READ_WRITE = READ | WRITE


@dataclass(frozen=True)
class Attribute:
    """One attribute: its name, data type, access, whether the cluster must have it, and its default where one is prescribed.

    `since` names the revision that introduced it where that is later than Smart Energy 1.0 (075356r15) or ZCL 075123 r02.
    """

    name: str
    type: DataType
    access: Access = Access.READ
    mandatory: bool = False
    default: Any = None
    since: str = ""


@dataclass(frozen=True)
class Cluster:
    """What one cluster adds to the library; commands are keyed by identifier, for each direction.

    `attributes` are the server's. The client's own attributes, where a cluster has any, stand in `client_attributes`.
    """

    identifier: int
    name: str
    attributes: Mapping[int, Attribute] = field(default_factory=dict)
    client_attributes: Mapping[int, Attribute] = field(default_factory=dict)
    client_commands: Mapping[int, type[Layer]] = field(default_factory=dict)  # client to server
    server_commands: Mapping[int, type[Layer]] = field(default_factory=dict)  # server to client

    def command(self, direction: int, identifier: int) -> type[Layer] | None:
        """The layer of a command, by the header's direction bit (0 client to server, 1 server to client); None if unknown."""
        return (self.server_commands if direction else self.client_commands).get(identifier)

    def identifier_of(self, direction: int, layer: type[Layer]) -> int:
        """The identifier of a command in one direction. Raises KeyError for a layer that is not one of this cluster's there."""
        for identifier, command in (self.server_commands if direction else self.client_commands).items():
            if command is layer:
                return identifier
        raise KeyError(f"{self.name} has no command {layer.__name__} in direction {direction}")


@cache
def _by_identifier() -> dict[int, Cluster]:
    modules = (importlib.import_module(f"{__name__}.{found.name}") for found in pkgutil.iter_modules(__path__))
    clusters = (vars(module).get("CLUSTER") for module in modules)
    return {cluster.identifier: cluster for cluster in clusters if isinstance(cluster, Cluster)}


def by_identifier(identifier: int) -> Cluster | None:
    """The cluster with this identifier, or None if nothing here declares it."""
    return _by_identifier().get(identifier)


def all_clusters() -> tuple[Cluster, ...]:
    """Every cluster declared in this package, by ascending identifier."""
    return tuple(cluster for _, cluster in sorted(_by_identifier().items()))
