"""What a run has shown so far, read as it goes on: frames decoded once, and who sent and who was to get them. Judges nothing."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from dissectors import aps, clusters, mac, nwk, zcl, zdp
from dissectors.frame import Frame, decode
from dissectors.keyring import KeyRing
from dissectors.layer import Layer
from harness.fuzzing.vocabulary import SIGNS
from harness.trace import LINK_KEY_KINDS, Exchange, Trace
from harness.usecase import Actor, Point
from harness.values import Eui64

EVERYBODY = "everybody"


def _layers() -> Iterator[tuple[str, type[Layer]]]:
    commands = (
        *mac.COMMANDS.values(), mac.Beacon, *aps.COMMANDS.values(), zdp.DeviceAnnce, zdp.MatchDescReq, zdp.NodeDescReq, zdp.BindReq,
        zcl.ReadAttributes, zcl.ReadAttributesResponse,
        *(layer for each in clusters.all_clusters() for layer in (*each.client_commands.values(), *each.server_commands.values())),
    )
    return ((layer.__name__, layer) for layer in commands if layer.__name__ in SIGNS)


LAYERS: Mapping[str, type[Layer]] = MappingProxyType(dict(_layers()))
"""The structures that a move can name."""


@dataclass(frozen=True)
class Seen:
    """One frame: the exchange it came in, what it says, whose radio sent it and whose it was for (None: not known)."""

    exchange: Exchange
    frame: Frame
    sender: str | None
    receiver: str | None

    @property
    def time(self) -> float:
        """When its last octet was out."""
        return self.exchange.time

    @property
    def arrived(self) -> bool:
        """Whether it reached whoever listened, as it was sent."""
        return self.exchange.fate == "arrived"

    @property
    def again(self) -> bool:
        """Whether no radio sent it: it is what the air made arrive in a frame's stead, or once more."""
        return "instead_of" in self.exchange.about

    @property
    def secured(self) -> bool:
        """Whether it is from somebody who holds the network key."""
        return self.frame.security.nwk == "ok"

    def has(self, layer: type[Layer]) -> Any:
        """Its structure of this layer, or None."""
        return self.frame.find(layer)


class Sight:
    """Reads a trace that grows. `names` says which machine has which EUI-64."""

    def __init__(self, trace: Trace, names: Mapping[Eui64, str]) -> None:
        self.frames: list[Seen] = []
        self._trace = trace
        self._names: dict[int, str] = {int(device): name for device, name in names.items()}
        self._ring = KeyRing()
        self._keys = self._exchanges = 0

    def more(self) -> list[Seen]:
        """The frames that have come since the last call."""
        for key in self._trace.keys[self._keys:]:
            if key.kind == "nwk":
                self._ring.add_network_key(key.octets)
            elif key.kind in LINK_KEY_KINDS:
                self._ring.add_link_key(key.octets, key.device, key.kind)
        self._keys = len(self._trace.keys)
        fresh = [self._read(each) for each in self._trace.exchanges[self._exchanges:] if each.point is Point.MAC]
        self._exchanges = len(self._trace.exchanges)
        self.frames += fresh
        return fresh

    def name_of(self, pan: int | None, short: int | None, ieee: int | None = None) -> str | None:
        """The machine behind an address."""
        if ieee is not None:
            return self._names.get(ieee)
        if short is None:
            return None
        if short > nwk.MAX_UNICAST:
            return EVERYBODY
        if short == nwk.COORDINATOR:
            return Actor.ESI
        return self._names.get(self._ring.ieee_of(pan, short) or 0)

    def _read(self, exchange: Exchange) -> Seen:
        frame = decode(exchange.octets, self._ring)
        header = frame.mac
        receiver = None if header is None else self.name_of(frame.pan, header.dest_short, header.dest_ieee)
        return Seen(exchange, frame, exchange.producer, receiver)
