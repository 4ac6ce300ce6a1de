"""The keys and addresses with which sealed frames are opened, and how traffic teaches them. Knows no cipher and no layout.

A key ring only grows: a frame sealed with an old network key opens as well as one sealed with the newest. Addresses are 64-bit
integers, short addresses belong to a PAN.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from dissectors import aps, mac, nwk, zdp
from dissectors.layer import Record

if TYPE_CHECKING:
    from dissectors.frame import Frame

_ADDRESSES = (zdp.DeviceAnnce, zdp.NwkAddrRsp, zdp.IeeeAddrRsp)  # each names a short address and its EUI-64


@dataclass(frozen=True)
class LinkKey:
    """A link key of 16 octets and the device that shares it with the trust centre (None: not known whose it is).

    `kind` is "ic" for a key made from an install code (or ordered in its place), "link" for one established or transported.
    """

    octets: bytes = field(repr=False)
    device: int | None
    kind: str


class KeyRing:
    """Network keys, link keys and the address book. `version` grows with everything learnt, for whoever keeps results."""

    def __init__(self) -> None:
        self.version = 0
        self._network_keys: dict[bytes, int | None] = {}
        self._link_keys: dict[tuple[bytes, int | None], LinkKey] = {}
        self._addresses: dict[tuple[int, int], int] = {}
        self._given: set[tuple[int, int]] = set()  # addresses out of association responses
        self._parents: dict[int, int] = {}  # joining device to the short address that it asked for association

    def add_network_key(self, key: bytes, sequence: int | None = None) -> None:
        """Add a network key; `sequence` (0 to 255) is its key sequence number where it is known."""
        if key not in self._network_keys or (sequence is not None and self._network_keys[key] != sequence):
            self._network_keys = {_checked(key): sequence, **{old: of for old, of in self._network_keys.items() if old != key}}
            self.version += 1

    def add_link_key(self, key: bytes, device: int | None = None, kind: str = "link") -> None:
        """Add a link key; `kind` is "link" or "ic", and the first kind said of a device's key stays."""
        if (key, device) not in self._link_keys:
            self._link_keys = {(_checked(key), device): LinkKey(key, device, kind), **self._link_keys}
            self.version += 1

    def network_keys(self, sequence: int | None = None) -> tuple[bytes, ...]:
        """All network keys: those of this key sequence number first, then the newest."""
        return tuple(sorted(self._network_keys, key=lambda key: self._network_keys[key] != sequence))

    def has_network_key(self, sequence: int | None) -> bool:
        """Whether a key is held that should open frames of this key sequence number."""
        return any(sequence is None or of in (None, sequence) for of in self._network_keys.values())

    def link_keys(self, a: int | None = None, b: int | None = None) -> tuple[LinkKey, ...]:
        """All link keys: those of device `a` or `b` first, then those that may be anybody's, then the others; newest first."""
        return tuple(
            sorted(self._link_keys.values(), key=lambda key: 1 if key.device is None else 0 if key.device in (a, b) else 2)
        )

    def has_link_key(self, a: int | None, b: int | None) -> bool:
        """Whether a key is held that should open frames between these two (None: not known who it is)."""
        return any(a is None or b is None or key.device in (None, a, b) for key in self._link_keys.values())

    def learn_address(self, pan: int, short: int, ieee: int) -> None:
        """Enter an address; what was known of the short address before is forgotten."""
        if 0 <= short <= nwk.MAX_UNICAST and ieee and self._addresses.get((pan, short)) != ieee:
            self._addresses[pan, short] = ieee
            self.version += 1

    def ieee_of(self, pan: int | None, short: int | None) -> int | None:
        """The EUI-64 behind a short address, or None."""
        return None if pan is None or short is None else self._addresses.get((pan, short))

    def learn(self, frame: Frame) -> None:
        """Take the addresses and the keys that a decoded frame shows; from what failed its MIC or stayed sealed, nothing."""
        if frame.mac is None or frame.pan is None:
            return
        if frame.mac.command is not None:
            self._learn_association(frame.pan, frame.mac)
        if frame.nwk is not None and frame.nwk.is_a(nwk.Nwk) and frame.security.nwk in ("ok", None):
            self._learn_network(frame.pan, frame)
            self._learn_application(frame.pan, frame)

    def _learn_association(self, pan: int, header: Record) -> None:
        if header.command.is_a(mac.AssociationRequest) and header.source_ieee is not None and header.dest_short is not None:
            self._parents[header.source_ieee] = header.dest_short
        elif header.command.is_a(mac.AssociationResponse) and header.dest_ieee is not None:
            if header.command.status == mac.AssociationStatus.SUCCESS:
                self.learn_address(pan, header.command.short_address, header.dest_ieee)
                self._given.add((pan, header.command.short_address))
            if header.source_ieee is not None and header.dest_ieee in self._parents:
                self.learn_address(pan, self._parents[header.dest_ieee], header.source_ieee)

    def _learn_network(self, pan: int, frame: Frame) -> None:
        header = frame.nwk
        assert header is not None
        assert frame.mac is not None
        if header.source_ieee is not None:
            self.learn_address(pan, header.source, header.source_ieee)
        if header.dest_ieee is not None:
            self.learn_address(pan, header.dest, header.dest_ieee)
        # each hop seals a frame anew, so that the auxiliary header names the MAC source and not the NWK source
        if frame.security.nwk == "ok" and header.security.source_ieee is not None and frame.mac.source_short is not None:
            self.learn_address(pan, frame.mac.source_short, header.security.source_ieee)
        rejoin = header.command
        if rejoin is not None and rejoin.is_a(nwk.RejoinResponse) and rejoin.status == 0 and header.dest_ieee is not None:
            self.learn_address(pan, rejoin.short_address, header.dest_ieee)

    def _learn_application(self, pan: int, frame: Frame) -> None:
        if frame.aps is None or frame.aps.frame_type == aps.FrameType.INTER_PAN:
            return
        # a Transport-Key that came by Tunnel shows the trust centre's address behind the parent's short address
        if frame.security.aps == "ok" and frame.aps.security.source_ieee and frame.aps.frame_type != aps.FrameType.COMMAND:
            assert frame.nwk is not None
            self.learn_address(pan, frame.nwk.source, frame.aps.security.source_ieee)
        command = frame.aps.command
        if command is not None and command.is_a(aps.Tunnel):
            command = command.inner and command.inner.command
        if command is not None and command.is_a(aps.TransportKey):
            self._learn_key(command)
        elif command is not None and command.is_a(aps.UpdateDevice):
            self.learn_address(pan, command.short_address, command.device)
        elif frame.zdp is not None and frame.zdp.layer in _ADDRESSES and not getattr(frame.zdp, "status", 0):
            if (pan, frame.zdp.nwk_addr) in self._given:
                return  # what its parent said of an address is not overruled by what a device says of itself
            self.learn_address(pan, frame.zdp.nwk_addr, frame.zdp.ieee_addr)

    def _learn_key(self, command: Record) -> None:
        if command.key_type in aps.NETWORK_KEYS:
            self.add_network_key(command.key, command.key_sequence)
        elif command.key_type in aps.TRUST_CENTER_KEYS:
            self.add_link_key(command.key, command.dest)
        elif command.key_type in aps.APPLICATION_KEYS:
            self.add_link_key(command.key, command.partner)


def _checked(key: bytes) -> bytes:
    if len(key) != 16:
        raise ValueError(f"a key has 16 octets, this one has {len(key)}")
    return key
