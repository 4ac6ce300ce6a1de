"""What a network co-processor takes and gives in place of frames: APS data packets and a few requests, as plain values.

Addresses are integers: a NWK (short) address below 0x10000, an EUI-64 as `Eui64`. Key material is kept out of every repr.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from harness.values import Eui64

# -- what it is asked


@dataclass(frozen=True)
class Form:
    """Start the network, closed to newcomers."""

    channel: int
    pan_id: int
    extended_pan_id: Eui64
    network_key: bytes = field(repr=False)
    key_sequence: int
    frame_counter: int


@dataclass(frozen=True)
class Permit:
    """Let these devices join for so many seconds (0 to 254, 0 ends it), each with its own link key, and nobody else."""

    seconds: int
    expected: Mapping[Eui64, bytes] = field(repr=False, hash=False)


@dataclass(frozen=True)
class ShareKey:
    """Secure APS frames to and from a device with this link key; None forgets the one shared."""

    device: Eui64
    key: bytes | None = field(repr=False)


@dataclass(frozen=True)
class Remove:
    """Tell a device that was let in to leave."""

    device: Eui64
    short_address: int


@dataclass(frozen=True)
class SendPacket:
    """Send an APS data packet; `handle` comes back in `PacketSent`. `secured` asks for APS security, `ack` for an APS acknowledgement."""

    handle: int
    dest: int
    source_endpoint: int
    dest_endpoint: int
    profile: int
    cluster: int
    asdu: bytes
    counter: int
    secured: bool
    ack: bool


@dataclass(frozen=True)
class SendRaw:
    """Put a MAC frame on the air as it is, but for its FCS, which the co-processor writes; `RawSent` follows."""

    mpdu: bytes


# -- what it tells


@dataclass(frozen=True)
class PacketSent:
    """What became of a SendPacket: `status` is success or no_ack."""

    handle: int
    status: str


@dataclass(frozen=True)
class RawSent:
    """What became of a SendRaw: `status` is success or no_ack."""

    status: str


@dataclass(frozen=True)
class PacketReceived:
    """An APS data packet came. `secured` says whether it had APS security, not under which key. `lqi` and `rssi` (dBm) None: untold."""

    source: int | None
    source_ieee: Eui64 | None
    source_endpoint: int
    dest_endpoint: int
    profile: int
    cluster: int
    asdu: bytes
    counter: int
    secured: bool
    broadcast: bool
    lqi: int | None = None
    rssi: int | None = None


@dataclass(frozen=True)
class DeviceCame:
    """A device associated or rejoined, and was given the network key or (`how` is refused) was not.

    `how` is join, rejoin, secured-rejoin or refused; None where the co-processor does not say.
    """

    device: Eui64
    short_address: int
    how: str | None = None


@dataclass(frozen=True)
class DeviceWent:
    """A device said that it leaves."""

    device: Eui64
    short_address: int


Request = Form | Permit | ShareKey | Remove | SendPacket | SendRaw
Told = PacketSent | RawSent | PacketReceived | DeviceCame | DeviceWent
