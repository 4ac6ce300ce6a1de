"""One frame off the air, decoded as far as structure and keys allow: octets in, a read-only `Frame` out, never an exception.

Knows every protocol of this package and no device: whether what a frame says is allowed is for others to judge. A frame is
decoded, or `malformed` says why not; what stays sealed is not malformed, `security` says so.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property, reduce
from operator import truediv
from typing import Any

from dissectors import mac, summary
from dissectors.aps import FrameType
from dissectors.keyring import KeyRing
from dissectors.layer import Layer, Malformed, Record, encode, packet_of
from dissectors.unwrapping import Unwrapping, decode_asdu, pan_of

__all__ = ["Frame", "Security", "decode", "decode_asdu", "encode_mpdu"]

LAYERS = ("mac", "nwk", "aps", "zdp", "zcl")
_PARTS = ("security", "beacon", "command")  # what a header may be joined with, in the order of the wire


@dataclass(frozen=True)
class Security:
    """What became of a layer's security: "ok", "bad-mic", "no-key", or None where it is not secured or not reached."""

    nwk: str | None = None
    aps: str | None = None


@dataclass(frozen=True)
class Frame:
    """A decoded frame. Every layer is None where the frame ends before it or is not understood that far.

    Each header is joined with what follows it: `mac` with command_identifier, command, beacon, payload; `nwk` with security
    (its auxiliary header), command_identifier, command, payload; `aps` likewise; `zdp` with sequence, cluster; `zcl` with
    command, surplus. Payloads are plaintext, None while sealed. A Tunnel command is joined with `inner`: the tunnelled APS
    header, joined like `aps` and with `outcome` (as in `security`) and `key_kind`.
    """

    octets: bytes = field(repr=False)  # they may carry a key in the clear
    fcs: str  # "ok", "bad" or "absent"
    mac: Record | None = None
    nwk: Record | None = None
    aps: Record | None = None
    zdp: Record | None = None
    zcl: Record | None = None
    security: Security = Security()
    nwk_key: bytes | None = field(default=None, repr=False)
    aps_key: bytes | None = field(default=None, repr=False)  # the link key (or network key) itself, not the derived one
    aps_key_kind: str | None = None  # "ic" or "link" (see LinkKey), None for a network key and for what did not open
    aps_key_identifier: int | None = None  # nwk.KeyIdentifier as the frame says it
    malformed: str | None = None

    @cached_property
    def layers(self) -> tuple[str, ...]:
        """The names of the layers that were decoded, from the bottom."""
        return tuple(name for name in LAYERS if getattr(self, name) is not None)

    @property
    def pan(self) -> int | None:
        """The PAN the frame belongs to: its destination PAN, or the source PAN where that is absent or broadcast."""
        return None if self.mac is None else pan_of(self.mac)

    def records(self) -> Iterator[Record]:
        """Every decoded structure in the order of the wire: headers, auxiliary headers, beacon, commands."""
        for name in self.layers:
            header = getattr(self, name)
            yield header
            yield from (getattr(header, part) for part in _PARTS if part in header and getattr(header, part) is not None)

    def find(self, layer: type[Layer]) -> Record | None:
        """The record of this layer, be it a header, a beacon or a command; what is inside a Tunnel is not searched."""
        return self._by_layer.get(layer)

    @cached_property
    def _by_layer(self) -> Mapping[type[Layer], Record]:
        """The first record of each layer: checkers search the same frame hundreds of times."""
        return {record.layer: record for record in reversed(tuple(self.records()))}

    def as_json(self) -> dict[str, Any]:
        """The frame as JSON can carry it: fields by the specifications' names, EUI-64 as 16 hex digits, never a key; a layer
        that it does not have is None."""
        shown: dict[str, Any] = {"fcs": self.fcs, "layers": list(self.layers)}
        shown.update((name, getattr(self, name).plain() if name in self.layers else None) for name in LAYERS)
        if self.aps is not None and self.aps.frame_type == FrameType.DATA and self.aps.payload and self.layers[-1] == "aps":
            shown["aps"]["payload"] = self.aps.payload.hex()  # a block, a private profile, or malformed from here on
        shown["security"] = {"nwk": self.security.nwk, "aps": self.security.aps}
        return {**shown, "malformed": self.malformed}

    @property
    def packet(self) -> Layer | None:
        """The Scapy view: every decoded structure as a packet, each the payload of the one before, in the clear."""
        return reduce(truediv, map(packet_of, self.records())) if self.mac is not None else None

    def summary(self) -> str:
        """One line for a ladder: "Association Request", "Transport-Key (network key)", "APS ack", "Publish Price" ..."""
        return summary.of(self)


def encode_mpdu(header: Record, payload: bytes) -> bytes:
    """The PSDU: MAC header, payload, FCS. Raises Malformed for a field that does not fit."""
    octets = encode(header) + payload
    return octets + mac.fcs(octets)


def decode(octets: bytes, keyring: KeyRing | None = None, *, fcs: str = "present", learn: bool = True) -> Frame:
    """Decode one PSDU. `fcs` says whether its last two octets are the FCS ("present") or it comes without ("absent").

    With `learn`, the key ring takes up the addresses and keys that the frame shows. A frame whose FCS is wrong is not decoded
    and teaches nothing. No octets raise; another word for `fcs` is a ValueError.
    """
    if fcs not in ("present", "absent"):
        raise ValueError(f"the FCS is present or absent, not {fcs!r}")
    unwrapping = Unwrapping(keyring if keyring is not None else KeyRing())
    found, check, malformed = unwrapping.found, "absent", None
    try:
        mpdu = octets
        if fcs == "present":
            mpdu = octets[:-2]
            check = "ok" if octets[-2:] == mac.fcs(mpdu) else "bad"
        if check == "bad":
            raise Malformed("bad FCS")
        unwrapping.read_mac(mpdu)
        if len(mpdu) + 2 > mac.MAX_PSDU:
            raise Malformed(f"{len(mpdu) + 2} octets with the FCS; a frame has {mac.MAX_PSDU} at most")
    except Malformed as fault:
        malformed = str(fault)
    security = Security(found.pop("nwk_outcome", None), found.pop("aps_outcome", None))
    frame = Frame(octets, check, security=security, malformed=malformed, **found)
    if learn and keyring is not None:
        keyring.learn(frame)
    return frame
