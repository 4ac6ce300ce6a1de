"""What a node of the HAN tells its bench: one frozen value a happening; never a frame, never a verdict.

Times are seconds since the bench started. Key material is kept out of every repr.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from dissectors.layer import Record
from harness.values import Eui64


class FailureReason(StrEnum):
    """Why an ordered device was not provisioned inside its window."""

    NEVER_SEEN = "never_seen"  # nothing with that EUI-64 associated
    KEY_NOT_TAKEN = "key_not_taken"  # it associated and was sent the network key, and never announced itself
    KEY_ESTABLISHMENT = "key_establishment"  # it joined the network; no link key was established
    CANCELLED = "cancelled"  # the back office closed the window first


@dataclass(frozen=True)
class WindowOpened:
    """The ESI opened the joining window of a device."""

    device: Eui64
    end: float
    at: float


@dataclass(frozen=True)
class WindowClosed:
    """The ESI closed the joining window of a device, at its end or because it was told to."""

    device: Eui64
    at: float
    cancelled: bool = False


@dataclass(frozen=True)
class DeviceJoined:
    """An ordered device associated or rejoined and was sent the network key where it needs one."""

    device: Eui64
    short_address: int
    at: float
    rejoin: bool = False


@dataclass(frozen=True)
class DeviceAnnounced:
    """At the ESI: a device announced itself, so it took the network key."""

    device: Eui64
    short_address: int
    at: float


@dataclass(frozen=True)
class DeviceRefused:
    """At the ESI: a device associated that nobody ordered (or whose window is over); it was sent no key."""

    device: Eui64
    short_address: int
    at: float


@dataclass(frozen=True)
class DeviceProvisioned:
    """At the ESI: key establishment with an ordered device is complete; step 8 is over."""

    device: Eui64
    short_address: int
    at: float


@dataclass(frozen=True)
class KeyEstablishmentFailed:
    """One exchange of key establishment ended without a key; `cause` is a word (terminated, silence, bad_key_confirm ...).

    The device may try again; `ProvisioningFailed` follows only when its window is over.
    """

    device: Eui64 | None
    cause: str
    at: float


@dataclass(frozen=True)
class ProvisioningFailed:
    """At the ESI: the window of an ordered device is over and the device was not provisioned."""

    device: Eui64
    reason: FailureReason
    at: float


@dataclass(frozen=True)
class KeyLearnt:
    """A key came into use: `kind` is nwk, ic (link key from an install code, or ordered) or link (established by CBKE).

    Or it is a private key of the node itself, that key agreement works with: static (the certificate's) or ephemeral.
    """

    kind: str
    key: bytes = field(repr=False)
    device: Eui64 | None = None


@dataclass(frozen=True)
class DeviceLeft:
    """A device left the network: the node itself, or at the ESI a neighbour that said so."""

    device: Eui64
    at: float


@dataclass(frozen=True)
class Announced:
    """At a HAN device: it holds the network key and announced itself."""

    device: Eui64
    short_address: int
    at: float
    rejoin: bool = False


@dataclass(frozen=True)
class JoinFailed:
    """At a HAN device: one attempt to join came to nothing; `cause` is a word (no_network, refused, no_key ...)."""

    device: Eui64
    cause: str
    at: float


@dataclass(frozen=True)
class Registered:
    """At a HAN device: key establishment is complete, the new link key is in use."""

    device: Eui64
    at: float


@dataclass(frozen=True)
class ApplicationDone:
    """At a HAN device: the exchange that step 9 begins with (time, events, price, message) is complete."""

    device: Eui64
    at: float


@dataclass(frozen=True)
class Received:
    """An application command that changed what a node knows (a price, an event, a message, a status report)."""

    device: Eui64
    command: Record
    at: float


Happening = (
    WindowOpened | WindowClosed | DeviceJoined | DeviceAnnounced | DeviceRefused | DeviceProvisioned | KeyEstablishmentFailed
    | ProvisioningFailed | KeyLearnt | DeviceLeft | Announced | JoinFailed | Registered | ApplicationDone | Received
)
