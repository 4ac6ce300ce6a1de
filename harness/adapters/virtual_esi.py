"""A virtual ESI: the meter's end of the HAN with a whole ZigBee stack, and its end of legs 4 and 10; sans-I/O.

It joins two vocabularies, leg messages and the happenings of the stack, and decides nothing that either of them decides.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, replace
from datetime import datetime, timedelta
from typing import Any

from dissectors.security import KEY_LENGTH, aes_mmo
from harness.actors.reports import Logged
from harness.actors.setup import Setup
from harness.adapters.back_office_policy import BackOfficePolicy, LegRewrite
from harness.adapters.credentials import credentials_of
from harness.adapters.stimuli import stimulus
from harness.backhaul.codec import TlvCodec
from harness.backhaul.message import LegKind, LegMessage, Obstacle
from harness.backhaul.wires import LEG
from harness.clock import smart_energy_time
from harness.crypto.install_code import InstallCode, known_mistakes, ordered_link_key
from harness.errors import Inconclusive, RemoteProtocolError
from harness.ports import Message, Pdu
from harness.stack import happenings
from harness.stack.counters import SEQUENCES
from harness.stack.esi import EsiNode, EsiSettings
from harness.stack.policy import Policy
from harness.stack.programme import ordinary_programme
from harness.usecase import Actor
from harness.values import Eui64

DEFAULT_EUI64 = Eui64(0xACDE48000AE51001)  # of the OUI that IEEE keeps for documentation-like private use
CHANNEL = 15  # one of the preferred channels of Smart Energy (SE 1.0 table 5-1)
EVENT_IN = 120  # seconds after the bench's start at which the programme's event begins


class VirtualEsi:
    """One ESI. Options: `eui64`, `channel`, `certificate`, `private_key`, `ca` (all as text, the last three in hex), and
    `child_capacity`, the number of devices that it has room for; and, which no file can write down, `pan_id`, `extended_pan_id`,
    `key_sequence`, its `programme`, `settings` of the stack, `decisions` of its policy that are right as well, `rewrites`, and
    other `lower_layers` than our own, made of the policy."""

    channel = CHANNEL  # where its network is, unless its option says otherwise

    def __init__(self, setup: Setup) -> None:
        known = {each.name for each in fields(Policy)}
        on_the_air = {name: value for name, value in setup.policy.items() if name in known}
        on_the_leg = {name: value for name, value in setup.policy.items() if name not in known}
        self._legs = BackOfficePolicy(**on_the_leg, rewrites=tuple(r for r in setup.rewrites if isinstance(r, LegRewrite)))
        self._provisioned_by = happenings.DeviceProvisioned if self._legs.awaits_registration else happenings.DeviceJoined
        self._epoch = setup.epoch
        self._device = setup.orders[0].device if setup.orders else Eui64(0)
        self._codec = setup.options.get("codec") or TlvCodec()
        ieee = Eui64.parse(setup.options.get("eui64", str(DEFAULT_EUI64)))
        chance = self._chance = setup.chance
        self._key_sequence = setup.options.get("key_sequence", 0)
        self._withdrawn: set[int] = set()
        settings: EsiSettings = setup.options.get("settings", EsiSettings())
        settings = replace(settings, child_capacity=int(setup.options.get("child_capacity", settings.child_capacity)))
        programme = setup.options.get("programme") or ordinary_programme(smart_energy_time(setup.epoch, 0.0), EVENT_IN)
        self.node = EsiNode(
            ieee, credentials_of(ieee, setup.options, chance), chance,
            Policy(
                **{**setup.options.get("decisions", {}), **on_the_air},
                rewrites=(*setup.options.get("rewrites", ()), *(r for r in setup.rewrites if not isinstance(r, LegRewrite))),
            ),
            lambda now: smart_energy_time(setup.epoch, now),
            programme=programme, settings=settings, lower_layers=setup.options.get("lower_layers"),
        )
        self._orders: dict[Eui64, LegMessage] = {}
        self._outgoing: list[tuple[float, Message]] = []  # reports, each with when it is due
        self._events: list[Any] = []
        drawn = chance.randrange(1, 0xFFF0), Eui64(chance.getrandbits(64))
        self.node.form(
            channel=int(setup.options.get("channel", CHANNEL)),
            pan_id=setup.options.get("pan_id", drawn[0]), extended_pan_id=setup.options.get("extended_pan_id", drawn[1]),
            network_key=chance.getrandbits(128).to_bytes(16, "big"), now=0.0, key_sequence=self._key_sequence,
        )

    # -- the five verbs

    def receive(self, pdu: Pdu, now: float) -> None:
        """Take a leg message, or what the radio has to say."""
        if isinstance(pdu, Message):
            self._ordered(pdu, now)
        else:
            self.node.receive(pdu, now)

    def transmit(self, now: float) -> list[Pdu]:
        """What is to go out now, on the air and on leg 10."""
        on_the_air = self.node.transmit(now)
        self._report(now)
        outgoing = [message for due, message in self._outgoing if due <= now]
        self._outgoing = [each for each in self._outgoing if each[0] > now]
        return [*on_the_air, *outgoing]

    def deadline(self) -> float | None:
        """When the stack is next to be woken, or a report is due."""
        stack = self.node.deadline()
        return min([*(due for due, _ in self._outgoing), *([] if stack is None else [stack])], default=None)

    def wake(self, now: float) -> None:
        """Timers have run out."""
        self.node.wake(now)

    def events(self) -> list[Any]:
        """What happened since the last call."""
        events, self._events = self._events, []
        return events

    def power_cycle(self, now: float) -> None:
        """Lose power and come back with what an ESI keeps over that."""
        self.node.power_cycle(now)

    def renew_network_key(self, now: float) -> None:
        """Give every device a further network key."""
        self._key_sequence = (self._key_sequence + 1) % SEQUENCES
        key = self._chance.getrandbits(128).to_bytes(KEY_LENGTH, "big")
        self.node.renew_network_key(key, self._key_sequence, now)

    def switch_network_key(self, now: float) -> None:
        """Have every device use it."""
        self.node.switch_network_key(self._key_sequence, now)

    def put(self, name: str, given: Mapping[str, Any], now: float) -> None:
        """Put a named stimulus to the device that was ordered. Raises Inconclusive where that device never registered."""
        script, unmet = stimulus(name).script, stimulus(name).unmet
        key = self._link_key(self._orders[self._device]) if self._device in self._orders else b""
        try:
            self.node.put(lambda asker: script(asker, **given), self._device, key, now, unmet=unmet)
        except LookupError as fault:
            raise Inconclusive(str(fault)) from None

    def greet(self, now: float) -> None:
        """Ask the ordered device, where it is on the network, whether it is there."""
        self.node.greet(self._device, now)

    @property
    def greeted(self) -> bool:
        """Whether it answered."""
        return self.node.greeted

    @property
    def putting(self) -> bool:
        """Whether a stimulus is not yet over."""
        return self.node.putting

    # -- inside

    def _ordered(self, message: Message, now: float) -> None:
        try:
            order = self._codec.decode(message.octets)
        except RemoteProtocolError as fault:
            self._events.append(Logged(f"leg 4: {fault}"))
            return
        if order.missing or order.device is None or not order.goes_down:
            self._events.append(Logged(f"leg 4: a {order.kind} without {', '.join(order.missing) or 'a place here'}"))
            self._send(order.report(LegKind.UNDELIVERABLE, self._utc(now), reason=Obstacle.INCOMPLETE), now)
        elif order.kind is LegKind.CANCEL_WINDOW:
            self._withdrawn.add(order.sequence)
            self.node.close_window(order.device, now)
        elif order.sequence in self._withdrawn and self._legs.remembers_withdrawals:
            self._events.append(Logged(f"leg 4: order {order.sequence} was withdrawn before it came"))
        else:
            self._open(order, order.device, now)

    def _open(self, order: LegMessage, device: Eui64, now: float) -> None:
        assert order.end is not None
        end = (order.end - self._epoch).total_seconds()
        if self._legs.drops_expired and end <= now:
            self._send(order.report(LegKind.UNDELIVERABLE, self._utc(now), reason=Obstacle.EXPIRED), now)
            return
        try:
            key = self._link_key(order)
        except ValueError as fault:
            self._events.append(Logged(f"leg 4: key material: {fault}"))
            self._send(order.failed(self._utc(now), "bad_key"), now)
            return
        if self._legs.logs_keys:
            self._events.append(Logged(f"window for {device} with {key.hex()}"))
        self._orders[device] = order
        self.node.open_window(device, key, end, now)

    def _link_key(self, order: LegMessage) -> bytes:
        material = order.key_material or b""
        if order.key_form == "install_code" and not self._legs.checks_install_code:
            return aes_mmo(material)
        if order.key_form == "install_code" and self._legs.install_code_mistake is not None:
            return known_mistakes(InstallCode.parse(material))[self._legs.install_code_mistake]
        return ordered_link_key(order.key_form or "", material)

    def _report(self, now: float) -> None:
        for event in self.node.events():
            self._events.append(event)
            order = self._orders.get(getattr(event, "device", None) or Eui64(0))
            if order is None:
                continue
            at = self._utc(getattr(event, "at", now))
            if isinstance(event, happenings.WindowOpened):
                self._send(order.window_opened(at), now)
            elif isinstance(event, happenings.WindowClosed):
                self._send(order.window_closed(at), now)
            elif isinstance(event, self._provisioned_by):
                self._send(order.provisioned(at), now)
            elif isinstance(event, happenings.ProvisioningFailed):
                truth = order.failed(at, event.reason)
                self._send(truth if self._legs.tells_failure_apart else order.provisioned(at), now)

    def _send(self, report: LegMessage, now: float) -> None:
        for message in self._legs.rewritten(report):
            due = now + self._legs.forwarding_delay
            self._outgoing.append((due, Message(LEG, Actor.ESI, Actor.NIC, self._codec.encode(message))))

    def _utc(self, now: float) -> datetime:
        return self._epoch + timedelta(seconds=now)
