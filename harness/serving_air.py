"""A virtual air in real time, in a process of its own: radios behind ports, and beside them actors of ours. Loads no adapter.

Whoever connects to a port has a radio on this air, as if it were a stick; what he does with it is his own affair.
"""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any

from harness.actors.setup import Setup
from harness.actors.verbs import order_of
from harness.backhaul.carrier import Carrier, Parcel
from harness.backhaul.message import LegKind, LegMessage
from harness.backhaul.wires import LEG
from harness.clock import LiveClock
from harness.errors import HanproofError
from harness.ports import Chance, Machine, Message, Pdu, RadioSettings, Transmit
from harness.radio.spinel_port import SpinelPort
from harness.radio.virtual import VirtualAir
from harness.usecase import Actor, Order
from harness.values import Eui64

CONTROL = "control"
PATIENCE = 0.5  # seconds after which a wait looks whether it is to end
VERBS = (
    "start_joining", "factory_reset", "power_cycle", "opt_out", "open_window", "close_window", "renew_network_key", "switch_network_key",
)
ARGUMENTS: Mapping[str, Callable[[Any], Any]] = {"order": order_of, "device": Eui64.parse}  # of open_window, of close_window


class EsiAlone:
    """An ESI without a back office: its windows are opened by hand, and its reports go to nobody."""

    def __init__(self, esi: Machine, setup: Setup) -> None:
        self._esi, self._setup = esi, setup
        self._ordered = 0

    def __getattr__(self, name: str) -> Any:
        return getattr(self._esi, name)

    def open_window(self, now: float, order: Order | None = None) -> None:
        """Open the window of who is ordered, from now for as long as is ordered; without an order, of everybody it was started for."""
        for each in self._setup.orders if order is None else (order,):
            self._command(LegKind.OPEN_WINDOW, each.device, now, each)

    def close_window(self, now: float, device: Eui64) -> None:
        """Close it before its end."""
        self._command(LegKind.CANCEL_WINDOW, device, now)

    def transmit(self, now: float) -> list[Pdu]:
        """What is for the radio."""
        return [pdu for pdu in self._esi.transmit(now) if not isinstance(pdu, Message)]

    def _command(self, kind: LegKind, device: Eui64, now: float, order: Order | None = None) -> None:
        self._ordered += 1
        command = LegMessage(kind, self._ordered, order.meter if order else self._setup.orders[0].meter, device)
        if order is not None:
            command = replace(
                command, device_type=order.device_type, key_form=order.key_form, key_material=order.key_material,
                end=self._setup.epoch + timedelta(seconds=now + order.duration),
            )
        self._esi.receive(Message(LEG, Actor.NIC, Actor.ESI, self._setup.options["codec"].encode(command)), now)


class ServedAir:
    """The air, its ports and its actors, and the loop that runs them; all but `interrupt` belongs to one thread."""

    def __init__(self, chance: Chance, say: Callable[[str], None] = lambda text: None) -> None:
        """`say` is told what happens to the actors, a line each, without keys."""
        self.clock = LiveClock()
        self.air = VirtualAir(chance)
        self._say = say
        self._machines: dict[str, Any] = {}
        self._asked: deque[Parcel] = deque()
        self._control: Carrier | None = None

    # -- being set up

    def port(self, host: str = "127.0.0.1", port: int = 0) -> SpinelPort:
        """A further radio, behind a port. Raises BenchError where the port cannot be had."""
        made = SpinelPort(self.clock.interrupt, host, port)
        self._machines[f"radio {len(self._machines) + 1}"] = made
        return made

    def attend(self, actor: Actor, machine: Machine) -> None:
        """An actor of ours on this air."""
        self._machines[actor] = machine

    def deliver(self, parcel: Parcel) -> None:
        """What a controller says; called from the carrier's thread."""
        self._asked.append(parcel)
        self.clock.interrupt()

    def attach_control(self, carrier: Carrier) -> None:
        """Give it a control endpoint; whoever reaches it may do everything."""
        self._control = carrier

    def perform(self, actor: str, verb: str, **given: Any) -> None:
        """A role verb of an actor here. Raises ValueError for one that is not there, TypeError where it does not take what is given."""
        machine = self._machines.get(actor)
        if verb not in VERBS or not hasattr(machine, verb):
            raise ValueError(f"no {actor} here can {verb}; right would be {', '.join(VERBS)} of {', '.join(self._machines)}")
        if verb == "power_cycle":
            self.air.switch_off(actor)
        getattr(machine, verb)(self.clock.now(), **given)
        self._say(f"{actor}: {verb}")

    def close(self) -> None:
        """Leave every port."""
        for machine in self._machines.values():
            getattr(machine, "close", lambda: None)()
        if self._control is not None:
            self._control.close()

    # -- running

    def run(self, goes_on: Callable[[], bool] = lambda: True) -> None:
        """Serve for as long as `goes_on` says; it is asked at least every `PATIENCE` seconds."""
        while goes_on():
            self.turn(PATIENCE)

    def turn(self, patience: float) -> None:
        """Wait for something to happen, at most so many seconds, and do what follows from it."""
        self._work()
        due = [self.air.deadline(), *(machine.deadline() for machine in self._machines.values())]
        self.clock.wait_until(min([self.clock.now() + patience, *(each for each in due if each is not None)]))
        now = self.clock.now()
        for name, pdu in self.air.wake(now):
            self._machines[name].receive(pdu, now)
        for machine in self._machines.values():
            deadline = machine.deadline()
            if deadline is not None and deadline <= now:
                machine.wake(now)
        while self._asked:
            self._obey(self._asked.popleft())
        self._work()

    def _work(self) -> None:
        now = self.clock.now()
        for name, machine in self._machines.items():
            for pdu in machine.transmit(now):
                if isinstance(pdu, (RadioSettings, Transmit)):
                    self.air.submit(name, pdu, now)
            for event in machine.events():
                self._say(f"{name}: {type(event).__name__}")

    def _obey(self, parcel: Parcel) -> None:
        status, answer = 200, dict[str, Any]()
        try:
            told: Mapping[str, Any] = json.loads(parcel.octets)
            given = {name: read(told[name]) for name, read in ARGUMENTS.items() if name in told}
            self.perform(str(told["actor"]), str(told["verb"]), **given)
        except (ValueError, KeyError, TypeError, HanproofError) as fault:
            status, answer = 400, {"fault": f"{type(fault).__name__}: {fault}"}
        if self._control is not None and parcel.exchange:
            about = {"status": status, "headers": {"content-type": "application/json"}}
            self._control.send(Parcel(json.dumps(answer).encode(), CONTROL, answers=parcel.exchange, about=about))
