"""What is known of devices beside a capture: what a device claims, which key was ordered for it, who issued its certificate.

Knows no file and no capture. Of what is not said here an audit knows nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from harness.values import DeviceType, Eui64


@dataclass(frozen=True)
class Claimant:
    """A device that somebody answers for: its name, its kind, the link key that it holds before it joins, its PICS (None: unset).

    `authority` is what its certificate is checked with, "issuer" and "ca" in hex; empty where that is not known.
    """

    name: str
    device_type: DeviceType
    link_key: bytes = field(repr=False)
    pics: Mapping[str, bool | None] = field(default_factory=dict, hash=False)
    authority: Mapping[str, str] = field(default_factory=dict, hash=False)


@dataclass(frozen=True)
class Known:
    """What is known beside the capture: the devices by EUI-64, and the authority of all others."""

    claimants: Mapping[Eui64, Claimant] = field(default_factory=lambda: MappingProxyType({}), hash=False)
    authority: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}), hash=False)

    def authority_of(self, device: Eui64) -> Mapping[str, str]:
        """What the certificates of its network are checked with; empty where that is not known."""
        claimant = self.claimants.get(device)
        return claimant.authority if claimant is not None and claimant.authority else self.authority


NOTHING = Known()
