"""Says in one line what a decoded frame is, as a ladder diagram names it. Knows names only; judges nothing, shows no key."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from dissectors import aps, clusters, mac, zcl
from dissectors.layer import Record

if TYPE_CHECKING:
    from dissectors.frame import Frame

_WORD = re.compile(r"[A-Z][a-z0-9]*|[A-Z]+(?![a-z])")
_ZDP_WORDS = {"Nwk": "NWK", "Ieee": "IEEE", "Addr": "addr", "Ep": "EP", "Req": "req", "Rsp": "rsp", "Annce": "annce"}
_KEYS = {
    aps.KeyType.TRUST_CENTER_MASTER_KEY: "trust centre master key",
    aps.KeyType.STANDARD_NETWORK_KEY: "network key",
    aps.KeyType.APPLICATION_MASTER_KEY: "application master key",
    aps.KeyType.APPLICATION_LINK_KEY: "application link key",
    aps.KeyType.TRUST_CENTER_LINK_KEY: "trust centre link key",
    aps.KeyType.HIGH_SECURITY_NETWORK_KEY: "high security network key",
}
_MAC_TYPES = {mac.FrameType.BEACON: "Beacon", mac.FrameType.ACK: "MAC ack", mac.FrameType.COMMAND: "MAC command"}


def of(frame: Frame) -> str:
    """One line: the name of the innermost structure, why it cannot be named where it cannot."""
    if frame.mac is None:
        return f"malformed: {frame.malformed}"
    name = _name(frame)
    return name if frame.malformed is None else f"{name}, malformed: {frame.malformed}"


def _name(frame: Frame) -> str:
    assert frame.mac is not None
    if frame.zcl is not None:
        assert frame.aps is not None
        return _zcl(frame.zcl, frame.aps.cluster)
    if frame.zdp is not None:
        return "_".join(_ZDP_WORDS.get(word, word) for word in _words(frame.zdp))
    if frame.aps is not None:
        return _aps(frame.aps, frame.security.aps)
    if frame.nwk is not None:
        if frame.security.nwk not in ("ok", None):
            return f"sealed NWK frame ({frame.security.nwk})"
        return "NWK frame" if frame.nwk.command is None else " ".join(_words(frame.nwk.command))
    if frame.mac.command is not None:
        return " ".join(_words(frame.mac.command))
    return _MAC_TYPES.get(frame.mac.frame_type, "MAC data" if frame.mac.payload else "empty MAC data")


def _aps(header: Record, outcome: str | None) -> str:
    kind = {aps.FrameType.COMMAND: "command", aps.FrameType.ACK: "ack"}.get(header.frame_type, "data")
    if outcome not in ("ok", None):
        return f"sealed APS {kind} ({outcome})"
    if header.command is not None:
        return _aps_command(header.command)
    if header.frame_type == aps.FrameType.DATA and header.fragmentation:
        first = header.fragmentation == aps.Fragmentation.FIRST
        return f"APS block 0 of {header.block_number}" if first else f"APS block {header.block_number}"
    return f"APS {kind}"


def _aps_command(command: Record) -> str:
    name = "-".join(_words(command))
    if command.is_a(aps.TransportKey):
        return f"{name} ({_KEYS.get(command.key_type, 'reserved key type')})"
    if command.is_a(aps.Tunnel) and command.inner is not None:
        return f"{name}: {_aps(command.inner, command.inner.outcome)}"
    return name


def _zcl(header: Record, identifier: int) -> str:
    cluster = clusters.by_identifier(identifier)
    where = cluster.name if cluster is not None else f"cluster {identifier:04x}"
    if header.command.is_a(zcl.UnknownCommand):
        return f"unknown command {header.command_identifier:02x} ({where})"
    name = " ".join(_words(header.command))
    if header.frame_type == zcl.FrameType.GENERAL or cluster is None:
        return f"{name} ({where})"
    other_way = cluster.command(1 - header.direction, header.command_identifier)
    if other_way is not header.command.layer or name.startswith("Terminate"):
        return name
    return f"{name} {'Response' if header.direction == zcl.Direction.SERVER_TO_CLIENT else 'Request'}"


def _words(record: Record) -> list[str]:
    return _WORD.findall(record.name)
