"""Takes one MPDU apart, layer by layer, with the keys of a key ring. Knows every protocol here; judges nothing, learns nothing.

What has been found stays found where the octets below turn out malformed. 05-3474, 4.3.1.2 and 4.4.1.2 for opening.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from dissectors import aps, mac, nwk, zcl, zdp
from dissectors.keyring import KeyRing
from dissectors.layer import Layer, Malformed, Record, parse, parse_whole
from dissectors.sealing import additional_data, derived_key, nonce_of
from dissectors.security import MIC_LENGTH, ccm_open

OK, BAD_MIC, NO_KEY = "ok", "bad-mic", "no-key"
PRIVATE_PROFILES = range(0xBF00, 0xFFFF)  # what manufacturers speak under their own profiles need not be ZCL
Found = dict[str, Any]  # the fields of a Frame, as far as they are known
_Candidate = tuple[bytes, bytes, str | None]  # the key to open with, the key it is derived from, that key's kind


def decode_asdu(profile: int, cluster: int, asdu: bytes) -> tuple[Record | None, Record | None]:
    """The ZDP record or the ZCL record of a whole (reassembled) ASDU. Raises Malformed.

    Neither where a private profile says something that is not ZCL.
    """
    if profile == zdp.PROFILE:
        return zdp.read(cluster, asdu), None
    if profile not in PRIVATE_PROFILES:
        return None, zcl.read(cluster, asdu)
    try:
        record = zcl.read(cluster, asdu)
    except Malformed:
        return None, None
    return None, None if record.command.is_a(zcl.UnknownCommand) else record


def pan_of(header: Record) -> int | None:
    """The PAN of a MAC header: the destination's, or the source's where that is absent or broadcast."""
    dest: int | None = header.dest_pan
    source: int | None = header.source_pan
    return source if dest is None or (dest == mac.BROADCAST and source is not None) else dest


class Unwrapping:
    """One MPDU while it is being taken apart; `found` keeps what is known when a method raises Malformed."""

    def __init__(self, keyring: KeyRing) -> None:
        self.keyring = keyring
        self.found: Found = {}

    def read_mac(self, octets: bytes) -> None:
        """Take apart an MPDU without its FCS. Raises Malformed, here and below."""
        header, payload = parse(mac.Mac, octets)
        self.found["mac"] = header.joined(command_identifier=None, command=None, beacon=None, payload=payload)
        if header.frame_type > mac.FrameType.COMMAND or header.frame_version > 1 or 1 in (header.source_mode, header.dest_mode):
            raise Malformed("Mac: a reserved frame type, frame version or address mode; what follows has no known layout")
        if header.security_enabled:
            raise Malformed("Mac: MAC security, which ZigBee does not use, hides the payload")
        if header.frame_type == mac.FrameType.BEACON:
            self.found["mac"] = self.found["mac"].replace(beacon=parse_whole(mac.Beacon, payload))
        elif header.frame_type == mac.FrameType.COMMAND:
            _read_command(self.found, "mac", mac.COMMANDS)
        elif header.frame_type == mac.FrameType.ACK:
            _expect_end(header, payload)
        elif payload:  # a poll may be answered with an empty data frame
            self.read_nwk(payload)

    def read_nwk(self, octets: bytes) -> None:
        """Take apart an NPDU."""
        if octets[0] & 3 == nwk.FrameType.INTER_PAN:
            header, rest = parse(nwk.InterPan, octets)
            self.found["nwk"] = header.joined(security=None, command_identifier=None, command=None, payload=rest)
            self.read_asdu(self.read_aps(rest, self.found, None, None))
            return
        header, rest = parse(nwk.Nwk, octets)
        record = self.found["nwk"] = header.joined(security=None, command_identifier=None, command=None, payload=rest)
        if header.frame_type not in (nwk.FrameType.DATA, nwk.FrameType.COMMAND):
            raise Malformed(f"Nwk: frame type {header.frame_type} is reserved")
        if header.security_enabled:
            auxiliary, sealed = _read_auxiliary(rest)
            self.found["nwk"] = record.replace(security=auxiliary, payload=None)
            payload = self.open_nwk(octets[: len(octets) - len(rest)], auxiliary, sealed)
            record = self.found["nwk"] = record.replace(security=auxiliary, payload=payload)
        if record.payload is None:
            return
        if header.frame_type == nwk.FrameType.COMMAND:
            _read_command(self.found, "nwk", nwk.COMMANDS)
        else:
            pan = pan_of(self.found["mac"])
            source = _first(header.source_ieee, self.sealer(record), self.keyring.ieee_of(pan, header.source))
            dest = _first(header.dest_ieee, self.keyring.ieee_of(pan, header.dest))
            self.read_asdu(self.read_aps(record.payload, self.found, source, dest))

    def sealer(self, header: Record) -> int | None:
        """The NWK source's EUI-64 out of the NWK auxiliary header, where no hop lies between the source and us."""
        direct = self.found["mac"].source_short == header.source
        return header.security.source_ieee if direct and header.security is not None else None

    def open_nwk(self, header: bytes, auxiliary: Record, sealed: bytes) -> bytes | None:
        """The NPDU's payload, or None; says no-key where none of the keys should have fitted."""
        mac_header = self.found["mac"]
        source = _first(auxiliary.source_ieee, self.keyring.ieee_of(pan_of(mac_header), mac_header.source_short))
        keys = self.network_keys(auxiliary.key_sequence)
        payload, self.found["nwk_key"], _ = _open(header, auxiliary, sealed, source, keys)
        known = source is not None and self.keyring.has_network_key(auxiliary.key_sequence)
        self.found["nwk_outcome"] = OK if payload is not None else BAD_MIC if known else NO_KEY
        return payload

    def read_aps(self, octets: bytes, found: Found, source: int | None, dest: int | None) -> Record:
        """Take apart an APDU between two EUI-64s (None: not known), without the ASDU; returns what is also in `found`."""
        header, rest = parse(aps.Aps, octets)
        if (header.frame_type == aps.FrameType.INTER_PAN) != self.found["nwk"].is_a(nwk.InterPan):
            raise Malformed(f"Aps: frame type {header.frame_type} does not belong in this kind of network frame")
        record = found["aps"] = header.joined(security=None, command_identifier=None, command=None, payload=rest)
        if header.security_enabled:
            auxiliary, sealed = _read_auxiliary(rest)
            record = found["aps"] = record.replace(security=auxiliary, payload=None)
            payload = self.open_aps(octets[: len(octets) - len(rest)], auxiliary, sealed, found, source, dest)
            record = found["aps"] = record.replace(payload=payload)
        if record.payload is not None:
            if header.frame_type == aps.FrameType.ACK:
                _expect_end(header, record.payload)
            elif header.frame_type == aps.FrameType.COMMAND:
                _read_command(found, "aps", aps.COMMANDS)
                self.read_tunnel(found)
                record = found["aps"]
        return record

    def open_aps(
        self, header: bytes, auxiliary: Record, sealed: bytes, found: Found, source: int | None, dest: int | None
    ) -> bytes | None:
        """The APDU's payload, or None; says no-key where none of the keys should have fitted."""
        source = _first(auxiliary.source_ieee, source)
        if auxiliary.key_identifier == nwk.KeyIdentifier.NETWORK:
            keys, known = self.network_keys(auxiliary.key_sequence), self.keyring.has_network_key(auxiliary.key_sequence)
        else:
            keys, known = self.link_keys(auxiliary.key_identifier, source, dest), self.keyring.has_link_key(source, dest)
        payload, found["aps_key"], found["aps_key_kind"] = _open(header, auxiliary, sealed, source, keys)
        found["aps_key_identifier"] = auxiliary.key_identifier
        found["aps_outcome"] = OK if payload is not None else BAD_MIC if known and source is not None else NO_KEY
        return payload

    def network_keys(self, sequence: int | None) -> Iterator[_Candidate]:
        """The network keys to try, in order."""
        return ((key, key, None) for key in self.keyring.network_keys(sequence))

    def link_keys(self, identifier: int, a: int | None, b: int | None) -> Iterator[_Candidate]:
        """The link keys to try, in order, each as what the key identifier derives from it (4.5.3)."""
        return ((derived_key(key.octets, identifier), key.octets, key.kind) for key in self.keyring.link_keys(a, b))

    def read_tunnel(self, found: Found) -> None:
        """Join a Tunnel command with what it carries."""
        command = found["aps"].command
        if not command.is_a(aps.Tunnel):
            return
        inside: Found = {}
        try:
            self.read_aps(command.command_frame, inside, None, command.dest)
        finally:
            inner = inside.get("aps")
            if inner is not None:
                inner = inner.joined(outcome=inside.get("aps_outcome"), key_kind=inside.get("aps_key_kind"))
            found["aps"] = found["aps"].replace(command=command.joined(inner=inner))

    def read_asdu(self, header: Record) -> None:
        """Take apart the ASDU of a data frame that carries a whole one; a block of a longer one stays octets."""
        if header.payload is None or header.frame_type not in (aps.FrameType.DATA, aps.FrameType.INTER_PAN):
            return
        block = header.fragmentation or aps.Fragmentation.NONE
        if block == aps.Fragmentation.NONE or (block == aps.Fragmentation.FIRST and header.block_number == 1):
            self.found["zdp"], self.found["zcl"] = decode_asdu(header.profile, header.cluster, header.payload)


def _open(
    header: bytes, auxiliary: Record, sealed: bytes, source: int | None, keys: Iterator[_Candidate]
) -> tuple[bytes | None, bytes | None, str | None]:
    """The payload, the key that opened it and its kind; Nones where no key did, or nobody knows who sealed it."""
    if source is not None:
        nonce, additional = nonce_of(auxiliary, source), additional_data(header, auxiliary)
        for key, origin, kind in keys:
            payload = ccm_open(key, nonce, additional, sealed)
            if payload is not None:
                return payload, origin, kind
    return None, None, None


def _first(*addresses: int | None) -> int | None:
    return next((address for address in addresses if address is not None), None)


def _read_auxiliary(octets: bytes) -> tuple[Record, bytes]:
    auxiliary, sealed = parse(nwk.AuxiliaryHeader, octets)
    if len(sealed) < MIC_LENGTH:
        raise Malformed(f"AuxiliaryHeader: {len(sealed)} octets follow, a MIC alone has {MIC_LENGTH}")
    return auxiliary, sealed


def _read_command(found: Found, name: str, commands: dict[int, type[Layer]]) -> None:
    header = found[name]
    if not header.payload:
        raise Malformed(f"{header.name}: a command frame without a command identifier")
    identifier = header.payload[0]
    found[name] = header.replace(command_identifier=identifier)
    if identifier not in commands:
        raise Malformed(f"{header.name}: command {identifier:02x} is not known")
    found[name] = found[name].replace(command=parse_whole(commands[identifier], header.payload[1:]))


def _expect_end(header: Record, octets: bytes) -> None:
    if octets:
        raise Malformed(f"{header.name}: an acknowledgement ends with its header, here are {len(octets)} octets more")
