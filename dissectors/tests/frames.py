"""The frames of `fixtures/vectors/frames` with the keys that open them, and the way back from a `Frame` to its octets."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from dissectors import mac
from dissectors.frame import Frame, decode
from dissectors.keyring import KeyRing
from dissectors.layer import Record, encode
from dissectors.sealing import derived_key, seal
from dissectors.tests.vectors import VECTORS, read

PUBLISHERS = sorted(path.stem for path in (VECTORS / "frames").glob("*.yaml"))


@dataclass(frozen=True)
class Recording:
    """The frames of one source, in order, and the keys given before the first of them."""

    fcs: str
    network_keys: tuple[bytes, ...]
    link_keys: tuple[tuple[bytes, int | None, str], ...]
    rows: tuple[dict[str, Any], ...]

    @property
    def octets(self) -> tuple[bytes, ...]:
        return tuple(bytes.fromhex(row["octets"]) for row in self.rows)

    def keyring(self) -> KeyRing:
        """A new key ring with the keys that are given, and nothing learnt yet."""
        ring = KeyRing()
        for key in self.network_keys:
            ring.add_network_key(key)
        for key, device, kind in self.link_keys:
            ring.add_link_key(key, device, kind)
        return ring

    def taught(self) -> KeyRing:
        """A key ring that has seen every frame."""
        ring = self.keyring()
        for octets in self.octets:
            decode(octets, ring, fcs=self.fcs)
        return ring


def recording(publisher: str) -> Recording:
    document = read("frames", publisher)
    links = tuple(
        (bytes.fromhex(row["key"]), None if row["device"] is None else int(row["device"], 16), row["kind"])
        for row in document["link_keys"]
    )
    networks = tuple(bytes.fromhex(key) for key in document["network_keys"])
    return Recording(document["fcs"], networks, links, tuple(document["vectors"]))


def rebuild(frame: Frame, ring: KeyRing) -> bytes:
    """The octets of a decoded frame, made again from its records alone, sealed again where it was sealed."""
    assert frame.mac is not None
    body = encode(frame.mac) + _body(frame.mac)
    if frame.nwk is not None:
        body = encode(frame.mac) + _network(frame, ring)
    return body + (mac.fcs(body) if frame.fcs == "ok" else b"")


def _body(header: Record) -> bytes:
    """What follows a header where no other header does."""
    if header.command is not None:
        return bytes([header.command_identifier]) + encode(header.command)
    beacon: Record | None = getattr(header, "beacon", None)
    return bytes(header.payload) if beacon is None else encode(beacon)


def _network(frame: Frame, ring: KeyRing) -> bytes:
    header = frame.nwk
    assert header is not None
    assert frame.mac is not None
    body = _body(header) if frame.aps is None else _application(frame, ring)
    if header.security is None:
        return encode(header) + body
    assert frame.nwk_key is not None
    source = header.security.source_ieee or ring.ieee_of(frame.pan, frame.mac.source_short)
    assert source is not None
    return seal(encode(header), header.security, body, frame.nwk_key, source)


def _application(frame: Frame, ring: KeyRing) -> bytes:
    header = frame.aps
    assert header is not None
    assert frame.nwk is not None
    body = _body(header) if frame.zdp is None and frame.zcl is None else _asdu(frame)
    if header.security is None:
        return encode(header) + body
    assert frame.aps_key is not None
    source = header.security.source_ieee or ring.ieee_of(frame.pan, frame.nwk.source)
    assert source is not None
    key = derived_key(frame.aps_key, header.security.key_identifier)
    return seal(encode(header), header.security, body, key, source)


def _asdu(frame: Frame) -> bytes:
    if frame.zdp is not None:
        return bytes([frame.zdp.sequence]) + encode(frame.zdp) + bytes(frame.zdp.surplus)
    assert frame.zcl is not None
    return encode(frame.zcl) + encode(frame.zcl.command) + bytes(frame.zcl.surplus)
