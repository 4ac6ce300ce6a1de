"""A virtual HAN device: thermostat or load control switch, with a whole ZigBee stack; sans-I/O. It sees nothing but the air."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from harness.actors.setup import Setup
from harness.adapters.credentials import credentials_of
from harness.adapters.stimuli import stimulus
from harness.ports import Message, Pdu
from harness.stack.commissioning import LOAD_CONTROL, MESSAGING, METERING, PRICE, TIME
from harness.stack.han_device import HanDeviceNode, HanDeviceSettings
from harness.stack.policy import Policy
from harness.values import Eui64

OPTIONAL_CLIENTS = {"price": PRICE, "messaging": MESSAGING, "metering": METERING}  # PICS item to cluster


class VirtualHanDevice:
    """One HAN device, as its device file declares it: the identity carries EUI-64, type, link key, credentials and PICS.

    Options, which no file can write down: `settings` of the stack, `decisions` of its policy that are right as well, and `rewrites`.
    """

    def __init__(self, setup: Setup) -> None:
        identity = setup.identity
        ieee = Eui64(identity["eui64"])
        claims = identity["pics"]
        self.node = HanDeviceNode(
            ieee, identity["device_type"], identity["link_key"], credentials_of(ieee, identity, setup.chance), setup.chance,
            Policy(
                **{
                    "signs_event_status": bool(claims.get("event_signature")),
                    "obeys_leave_when_registered": not claims.get("smart_energy_1_1"), **setup.options.get("decisions", {}), **setup.policy,
                },
                rewrites=(*setup.options.get("rewrites", ()), *setup.rewrites),
            ),
            settings=replace(
                setup.options.get("settings", HanDeviceSettings()), sleepy=bool(claims.get("sleepy")),
                router=bool(claims.get("router")),
                joins_by_itself=bool(claims.get("joins_by_itself")),
                clients=(TIME, LOAD_CONTROL, *(cluster for item, cluster in OPTIONAL_CLIENTS.items() if claims.get(item))),
            ),
        )

    # -- the five verbs

    def receive(self, pdu: Pdu, now: float) -> None:
        """Take what the radio has to say."""
        if not isinstance(pdu, Message):
            self.node.receive(pdu, now)

    def transmit(self, now: float) -> list[Pdu]:
        """What is for the radio."""
        return self.node.transmit(now)

    def deadline(self) -> float | None:
        """When the stack is next to be woken."""
        return self.node.deadline()

    def wake(self, now: float) -> None:
        """Timers have run out."""
        self.node.wake(now)

    def events(self) -> list[Any]:
        """What happened since the last call."""
        return list(self.node.events())

    # -- the role's verbs

    def start_joining(self, now: float) -> None:
        """Be switched on, or have its button pushed."""
        self.node.start_joining(now)

    def power_cycle(self, now: float) -> None:
        """Lose power and come back."""
        self.node.power_cycle(now)

    def factory_reset(self, now: float) -> None:
        """Forget every network and key but the pre-configured one."""
        self.node.factory_reset(now)

    def opt_out(self, now: float) -> None:
        """Have its customer decline the load control event that is on, or to come."""
        self.node.decline(now)

    def put(self, name: str, given: Mapping[str, Any], now: float) -> None:
        """Put a named stimulus to the ESI."""
        script = stimulus(name).script
        self.node.put(lambda asker: script(asker, **given), now)

    def greet(self, now: float) -> None:
        """Ask the ESI, where the device is on its network, whether it is there."""
        self.node.greet(now)

    @property
    def greeted(self) -> bool:
        """Whether it answered."""
        return self.node.greeted

    @property
    def putting(self) -> bool:
        """Whether a stimulus is not yet over."""
        return self.node.putting
