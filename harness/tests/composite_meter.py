"""A meter that is NIC and ESI in one, for tests: two virtual actors in one machine, with nothing to be seen between them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any

from harness.actors.reports import Logged
from harness.actors.setup import Setup
from harness.adapters.back_office_policy import BackOfficePolicy, LegRewrite
from harness.adapters.virtual_esi import VirtualEsi
from harness.adapters.virtual_nic import VirtualNic
from harness.backhaul.message import LegKind, LegMessage
from harness.backhaul.wires import LEG
from harness.ports import Message, Pdu
from harness.usecase import Actor, Order
from harness.values import Eui64


class CompositeMeter:
    """Both at once. The decisions of a planted NIC are the NIC's; all that differs else is the ESI's."""

    def __init__(self, setup: Setup) -> None:
        assert setup.actor in (Actor.NIC, Actor.ESI)
        of_nic = setup.options.get("planted") == "NIC"
        own = replace(setup, policy={}, rewrites=())
        known = {name: value for name, value in setup.policy.items() if hasattr(BackOfficePolicy(), name)}
        legs = tuple(each for each in setup.rewrites if isinstance(each, LegRewrite))
        self._nic = VirtualNic(replace(own, actor=Actor.NIC, policy=known, rewrites=legs) if of_nic else replace(own, actor=Actor.NIC))
        self.esi = VirtualEsi(replace(own if of_nic else setup, actor=Actor.ESI))
        self._outgoing: list[Pdu] = []

    def receive(self, pdu: Pdu, now: float) -> None:
        """From the network, or from the radio."""
        if isinstance(pdu, Message):
            self._nic.receive(pdu, now)
        else:
            self.esi.receive(pdu, now)

    def transmit(self, now: float) -> list[Pdu]:
        """What goes to the network and to the radio; what one part tells the other stays inside."""
        moved = True
        while moved:
            moved = False
            for pdu in (*self._nic.transmit(now), *self.esi.transmit(now)):
                if isinstance(pdu, Message) and pdu.receiver in (Actor.NIC, Actor.ESI):
                    (self._nic if pdu.receiver == Actor.NIC else self.esi).receive(pdu, now)
                    moved = True
                else:
                    self._outgoing.append(pdu)
        outgoing, self._outgoing = self._outgoing, []
        return outgoing

    def deadline(self) -> float | None:
        """Whichever part wants to be woken first."""
        return min((each for each in (self._nic.deadline(), self.esi.deadline()) if each is not None), default=None)

    def wake(self, now: float) -> None:
        """Timers have run out."""
        self._nic.wake(now)
        self.esi.wake(now)

    def events(self) -> list[Any]:
        """What happened in either part."""
        logged = [Logged(each.text, Actor.NIC) for each in self._nic.events()]
        return [*logged, *self.esi.events()]

    def power_cycle(self, now: float) -> None:
        """Lose power."""
        self.esi.power_cycle(now)

    def renew_network_key(self, now: float) -> None:
        """Give every device a further network key."""
        self.esi.renew_network_key(now)

    def switch_network_key(self, now: float) -> None:
        """Have every device use it."""
        self.esi.switch_network_key(now)

    def put(self, name: str, given: Mapping[str, Any], now: float) -> None:
        """Put a stimulus to the device."""
        self.esi.put(name, given, now)

    @property
    def putting(self) -> bool:
        """Whether a stimulus is not yet over."""
        return self.esi.putting


class MeterWithDisplay(CompositeMeter):
    """One that is deaf on leg 3, and whose window is opened at its display."""

    def __init__(self, setup: Setup) -> None:
        super().__init__(setup)
        self._setup = setup
        self._sequence = 0

    def receive(self, pdu: Pdu, now: float) -> None:
        """From the radio, and from its own ESI's reports."""
        assert not isinstance(pdu, Message), "nobody hands it a leg message"
        super().receive(pdu, now)

    def open_window(self, order: Order, now: float) -> None:
        """Somebody types it in."""
        end = self._setup.epoch + timedelta(seconds=order.end)
        self._sequence += 1
        self._tell(LegMessage(
            LegKind.OPEN_WINDOW, self._sequence, order.meter, order.device, order.device_type, order.key_form, order.key_material, end,
        ), now)

    def close_window(self, device: Eui64, now: float) -> None:
        """Somebody presses cancel."""
        meter = self._setup.orders[0].meter
        self._tell(LegMessage(LegKind.CANCEL_WINDOW, self._sequence, meter, device), now)

    def _tell(self, order: LegMessage, now: float) -> None:
        self.esi.receive(Message(LEG, Actor.NIC, Actor.ESI, self._setup.options["codec"].encode(order)), now)


class SealedMeter(CompositeMeter):
    """One that is deaf on leg 3, and that nobody can reach in another way."""

    takes_leg_3 = False
