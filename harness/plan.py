"""How one play differs from the undisturbed one, and what that makes of bench file and device: orders, identity, latencies.

Knows no adapter and no trace.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from harness.backhaul.wires import CIM
from harness.cim_profile import CimProfile
from harness.crypto.install_code import ordered_link_key
from harness.declarations import BenchFile, Device
from harness.usecase import Actor, Order
from harness.values import Eui64

WAY_OF_AN_ORDER = (CIM, "2", "3", "4")  # the wires from the DR Application to the ESI


@dataclass(frozen=True)
class Plan:
    """How one play differs from the undisturbed one; times in seconds since the bench started.

    `han_device` and `han_device_key` are who really joins and with which link key, where that is not what was ordered.
    `ordered_key` is an install code with its CRC, or what is ordered in the place of one.
    `joins_at` is when the device is switched on (None: as soon as the ESI has opened the window). `second` is another device
    that is ordered and never switched on, with its own window; `neighbour` adds a second network (`harness.neighbour`).
    `pattern` is how our own side wants its requests answered, where that is not what the bench file says.
    `esi_full` wants an ESI that has no room for a further device.
    `provocation` is the id of a misbehaviour planted in the harness's own side, `provoked_with` what it takes where it takes
    something.
    """

    han_device: Eui64 | None = None
    han_device_key: bytes | None = None
    ordered: Eui64 | None = None
    ordered_key: bytes | None = None
    window_start: float | None = None
    window_duration: float | None = None
    latency: float | None = None
    joins_at: float | None = None
    second: Eui64 | None = None
    second_start: float | None = None
    second_duration: float | None = None
    neighbour: bool = False
    pattern: str | None = None
    esi_full: bool = False
    provocation: str | None = None
    provoked_with: Any = None

    def orders(self, file: BenchFile, device: Device) -> tuple[Order, ...]:
        """What the DR Application orders: the device on the bench (or who is ordered in its stead) first, then the second."""
        changes: dict[str, Any] = {
            "device": self.ordered, "key_material": self.ordered_key, "start": self.window_start,
            "duration": self.window_duration, "key_form": None if self.ordered_key is None else "install_code",
        }
        first = replace(file.order(device), **{name: value for name, value in changes.items() if value is not None})
        if self.second is None:
            return (first,)
        start = first.start if self.second_start is None else self.second_start
        duration = first.duration if self.second_duration is None else self.second_duration
        return first, replace(first, device=self.second, start=start, duration=duration)

    def holds_another_key(self, order: Order, device: Device) -> bool:
        """Whether the device on the bench has another link key than the one that is ordered."""
        try:
            ordered = ordered_link_key(order.key_form, order.key_material)
        except ValueError:
            return True
        return ordered != (self.han_device_key or device.link_key)

    def latencies(self, usual: Mapping[str, float]) -> Mapping[str, float]:
        """Seconds by wire; the latency of a plan is that of an order on its whole way."""
        if self.latency is None:
            return usual
        return {**usual, **dict.fromkeys(WAY_OF_AN_ORDER, self.latency / len(WAY_OF_AN_ORDER))}

    def profile(self, usual: CimProfile) -> CimProfile:
        """How this play wants its CIM messages."""
        return usual if self.pattern is None else replace(usual, pattern=self.pattern)

    def options(self, actor: Actor, usual: Mapping[str, Any]) -> Mapping[str, Any]:
        """What the bench file says to an adapter, and what the plan adds."""
        full = self.esi_full and actor is Actor.ESI
        return {**usual, "child_capacity": "0"} if full else usual

    def identity(self, actor: Actor, file: BenchFile, device: Device) -> Mapping[str, Any]:
        """PIXIT of an actor: who the HAN device is and what it holds."""
        if actor is not Actor.HAN_DEVICE:
            return {}
        identity: dict[str, Any] = {
            "eui64": self.han_device or device.eui64, "device_type": device.device_type,
            "link_key": self.han_device_key or device.link_key, "pics": file.claims(device),
        }
        if device.certificate and device.private_key and device.ca and self.han_device is None:
            identity |= {
                "certificate": device.certificate.hex(), "private_key": device.private_key.octets.hex(), "ca": device.ca.hex(),
            }
        return identity
