"""How one play differs from the undisturbed one, and what that makes of bench file and device: orders, identity, latencies.

Knows no adapter and no trace.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from harness.backhaul.wires import CIM
from harness.cim_profile import CimProfile
from harness.crypto.install_code import code_of_address, ordered_link_key
from harness.declarations import BenchFile, Device
from harness.errors import LocalProtocolError
from harness.second_meter import OF_ITS_OWN
from harness.taps import AIR_MEDIUM, SECOND_AIR
from harness.usecase import Actor, Order, second
from harness.values import Eui64

DEVICE, METER = "device", "meter"  # what can be replaced
STRANGER = "stranger"  # the name of a device that nobody ordered; it is no actor of the use case
BETWEEN = 200.0  # seconds between a window and that of the order which replaces it
WAY_OF_AN_ORDER = (CIM, "2", "3", "4")  # the wires from the DR Application to the ESI


@dataclass(frozen=True)
class Plan:
    """How one play differs from the undisturbed one; times in seconds since the bench started.

    `han_device` and `han_device_key` are who really joins and with which link key, where that is not what was ordered.
    `ordered_key` is an install code with its CRC, or what is ordered in the place of one.
    `joins_at` is when the device is switched on (None: as soon as the ESI has opened the window). `second` is another device
    that is ordered as well, with its own key and window, and switched on at `second_joins_at` (None: never); `second_meter`
    has it ordered for another meter and premise. `swap` says what is replaced when the device is in: "device", by the second
    one, or "meter", by another one at another premise for which the same device is ordered again. `neighbour` adds somebody
    else's network (`harness.neighbour`). `pattern` is how our own side wants its requests answered, where that is not what the bench
    file says. `router` makes the second device a router, and the device on the bench hears nobody else. `esi_full` wants an ESI
    that has no room for a further device. `stranger` stands on the bench as well: a device that nobody ordered, and that holds the
    key of the one that is.
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
    second_joins_at: float | None = None
    second_meter: bool = False
    swap: str | None = None
    neighbour: bool = False
    router: bool = False
    pattern: str | None = None
    esi_full: bool = False
    stranger: Eui64 | None = None
    provocation: str | None = None
    provoked_with: Any = None

    @property
    def apart(self) -> frozenset[frozenset[str]]:
        """Pairs of radios that do not hear each other, by name."""
        return frozenset({frozenset((Actor.ESI, Actor.HAN_DEVICE))}) if self.router else frozenset()

    @property
    def has_second_meter(self) -> bool:
        """Whether a second meter stands on the bench."""
        return self.second_meter or self.swap == METER

    @property
    def has_second_device(self) -> bool:
        """Whether a second HAN device stands on the bench: one that is ordered and never switched on need not."""
        return self.second is not None and (self.second_joins_at is not None or self.swap == DEVICE)

    def own_address(self, device: Device) -> Eui64:
        """Who the HAN device on the bench is."""
        return self.han_device or device.eui64

    def orders(self, file: BenchFile, device: Device) -> tuple[Order, ...]:
        """What the DR Application orders: the device on the bench (or who is ordered in its stead) first, then the second."""
        changes: dict[str, Any] = {
            "device": self.ordered, "key_material": self.ordered_key, "start": self.window_start,
            "duration": self.window_duration, "key_form": None if self.ordered_key is None else "install_code",
        }
        first = replace(file.order(device), **{name: value for name, value in changes.items() if value is not None})
        if self.second is None and self.swap != METER:
            return (first,)
        usual = first.start if self.swap is None else first.end + BETWEEN
        there = replace(
            first, start=usual if self.second_start is None else self.second_start,
            duration=first.duration if self.second_duration is None else self.second_duration,
        )
        if self.has_second_meter:
            there = replace(there, meter=f"{first.meter}-2", premise=f"{first.premise}-2")
        if self.second is None:
            return first, there
        code, kind = code_of_address(self.second), _another(file, device).device_type
        material = code.octets if first.key_form == "install_code" else code.link_key
        return first, replace(there, device=self.second, device_type=kind, key_material=material)

    def second_as_dict(self, orders: tuple[Order, ...]) -> dict[str, Any] | None:
        """The second order as a trace's header tells of it, without its key; None where there is one order alone.

        `air` is the medium of its HAN, `places` are the actors that have a second machine for it, `swap` is what it replaces.
        """
        if len(orders) == 1:
            return None
        own_meter, own_device = self.has_second_meter, self.second is not None
        order = orders[1]
        return {
            "device": str(order.device), "device_type": order.device_type.value, "meter": order.meter, "premise": order.premise,
            "start": order.start, "duration": order.duration, "swap": self.swap, "air": SECOND_AIR if own_meter else AIR_MEDIUM,
            "places": [*(OF_ITS_OWN if own_meter else ()), *((Actor.HAN_DEVICE,) if own_device else ())],
        }

    def second_identity(self, file: BenchFile, device: Device) -> Mapping[str, Any]:
        """PIXIT of the second HAN device: of the other type, where the bench file has a device of it, with a key of its own.

        Raises LocalProtocolError where the plan has none.
        """
        if self.second is None:
            raise LocalProtocolError("the plan has no second device")
        other = _another(file, device)
        claims = file.claims(other)
        if self.router:
            claims = {**claims, "router": True, "sleepy": False}
        return {
            "eui64": self.second, "device_type": other.device_type, "link_key": code_of_address(self.second).link_key,
            "pics": claims,
        }

    def stranger_identity(self, file: BenchFile, device: Device) -> Mapping[str, Any]:
        """PIXIT of the device that nobody ordered: another's key, under an address of its own."""
        return {
            "eui64": self.stranger, "device_type": device.device_type, "link_key": self.han_device_key or device.link_key,
            "pics": file.claims(device),
        }

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
        """PIXIT of an actor: who the HAN device is and what it holds; by which NIC the network reaches which of two meters."""
        if actor is Actor.AMI_NETWORK and self.has_second_meter:
            first, other = self.orders(file, device)
            return {"routes": {first.meter: Actor.NIC.value, other.meter: second(Actor.NIC)}}
        if actor is not Actor.HAN_DEVICE:
            return {}
        identity: dict[str, Any] = {
            "eui64": self.own_address(device), "device_type": device.device_type,
            "link_key": self.han_device_key or device.link_key, "pics": file.claims(device),
        }
        if device.certificate and device.private_key and device.ca and self.han_device is None:
            identity |= {
                "certificate": device.certificate.hex(), "private_key": device.private_key.octets.hex(), "ca": device.ca.hex(),
            }
        return identity


def _another(file: BenchFile, device: Device) -> Device:
    """Another device of the bench file, whose type and claims the second one has; the same where there is none."""
    return next((each for each in file.devices if each.device_type is not device.device_type), device)
