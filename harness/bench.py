"""The bench: the actors and wires of one run, driven through the use case. Knows no concrete adapter: a bench file names them.

How what they say gets from one to the other, and how time passes meanwhile, is `harness.loop`'s.
"""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from typing import Any

from harness.actors.reports import Happened, Logged, PacketSeen
from harness.adapters.defects import Defect, all_defects
from harness.airs import Airs
from harness.asking import Operator, asked_of, noting
from harness.backhaul.faults import Fault as WireFault
from harness.backhaul.faults import outside
from harness.backhaul.named_codec import load_codec
from harness.backhaul.wires import VirtualWires
from harness.bench_time import Meanwhile, aside, begin
from harness.building import Building, hears_the_real, is_live, unseen
from harness.clock import Clock, LiveClock, VirtualClock
from harness.composite import inside
from harness.declarations import BenchFile, Device
from harness.errors import BenchError, HanproofError, Inconclusive
from harness.inquiry import SANITY, inquire, unmet_preconditions
from harness.loop import Loop
from harness.machines import Machines
from harness.plan import Plan
from harness.ports import Message, Received, Transmitted
from harness.sanity import exchange
from harness.silent_device import demand_word_of_the_window, may_come_yet, presume, taking_time
from harness.stack import happenings
from harness.taps import AIR_MEDIUM, SECOND_AIR, Taps
from harness.trace import LEG_CODEC, LINK_KEY_KINDS, STOOD, Header, Key, Trace
from harness.usecase import ACROSS_THE_HAN, Actor, Order, Point, second
from harness.window_by_hand import done_by_hand, is_by_hand

SETTLING = 100.0  # seconds after the end of a window: an ESI gives a device that is inside 60 s more to register
GRACE = 20.0  # seconds that a device which does not get in is watched beyond its window
LONGEST_PAUSE = 1230.0  # seconds; 20 min is what a trust centre waits for a device to register, in later revisions
LONGEST_STIMULUS = 2 * 86_400.0  # seconds; an event lasts a day at most


class Bench:
    """One run: built, played, and left with its trace."""

    def __init__(
        self, file: BenchFile, device: Device, plan: Plan | None = None, *, seed: int | None = None, scenario: str = "",
        defects: tuple[Defect, ...] = (), clock: Clock | None = None, operator: Operator | None = None,
    ) -> None:
        self.file = file
        self.device = device
        self.plan = plan or Plan()
        self.seed = file.seed if seed is None else seed
        self.defects = defects + ((all_defects()[self.plan.provocation],) if self.plan.provocation else ())
        self.clock: Clock = clock or (LiveClock() if is_live(file) else VirtualClock(file.epoch))
        self.orders = self.plan.orders(file, device)
        self.order = self.orders[0]
        self.trace = Trace(Header(
            order=self.order, epoch=self.clock.epoch.isoformat(), scenario=scenario, dut=file.dut, pics=file.claims(device),
            pixit={
                "eui64": str(self.plan.han_device or device.eui64), "key_form": device.key_form, "issuer": device.issuer.hex(),
                "ca": device.ca_public_key.hex(),
            },
            seed=self.seed,
            about={
                "device": device.name, "provocation": self.plan.provocation, "marks": [], "cim": self.plan.profile(file.cim).as_dict(),
                "other_key": self.plan.holds_another_key(self.order, device),
                "second": self.plan.second_as_dict(self.orders), LEG_CODEC: file.legs.codec,
                **({STOOD: []} if hears_the_real(file) else {}),
            },
        ))
        self._leg_codec = self.trace.leg_codec = load_codec(file.legs.codec)
        self.happenings: list[Happened] = []
        self._taps = Taps(self.trace, (AIR_MEDIUM, SECOND_AIR) if self.plan.has_second_meter else (AIR_MEDIUM,), unseen(file))
        self.wires = VirtualWires(self.plan.latencies(file.latencies), tap=self._taps.see, chance=self._chance("wires"))
        interrupt = getattr(self.clock, "interrupt", lambda: None)
        building = Building(
            file, device, self.plan, self.orders, self.defects, self.clock.epoch, self._chance, self._leg_codec, interrupt,
            asked_of(operator, self.clock, self.trace), aside(self.clock, self.trace), noting(self.clock, self.trace),
        )
        actors, self._called = building.actors()
        self.machines: dict[Actor, Any] = {Actor(place): actors[name] for place, name in self._called.items()}
        try:
            self._running = Machines({**actors, **building.others()}, real_time=is_live(file))
            self._airs = Airs(file, self.plan, self._chance, self._taps, interrupt, self.trace.header.about)
        except HanproofError:
            self.close()
            raise
        self.air = self._airs.first
        meanwhile = Meanwhile(self.clock, self.trace)
        self._loop = Loop(self._running, self._airs, self.wires, self.clock, meanwhile, give=self._give, note=self._note)
        if file.radios and isinstance(self.clock, LiveClock):
            begin(self.clock, self.trace)
        for key in building.ordered_keys():
            self._learn(key)

    # -- the use case

    def play(self) -> None:
        """The whole use case: the window is ordered, the device joins, what the plan replaces is replaced, and all comes to rest."""
        self.open()
        self.join()
        if self.plan.swap is not None:
            self._swap(self.orders[1])
        self.settle()
        for order in self.orders:
            inquire(self.machines, order, self.trace, self.now)

    def prepare(self) -> list[str]:
        """Ask whether the use case's preconditions hold, as far as somebody can be asked; says which do not, and so does the
        trace."""
        return [each for order in self.orders for each in unmet_preconditions(self.machines, order, self.trace, self.now)]

    def request(self) -> None:
        """Step 1 alone: the DR Application orders the window; returns when the head-end has answered, or will not."""
        before = len(self.trace)
        self._order_windows()
        answers = 2 if self.plan.profile(self.file.cim).pattern == "asynchronous" else 1  # the result after the acknowledgement
        self.wait_until(lambda: self._answers(Actor.AMI_HEAD_END, Actor.DR_APPLICATION, before) >= answers, SETTLING)

    def open(self) -> None:
        """The DR Application orders the window; returns when the ESI has opened it, or will not. Raises Inconclusive where nobody
        would ever know."""
        demand_word_of_the_window(self)
        self._order_windows()
        if self.plan.joins_at is not None:
            self.at(self.plan.joins_at, self.switch_on)
        if self.plan.second_joins_at is not None:
            self.at(self.plan.second_joins_at, lambda: self.switch_on(second(Actor.HAN_DEVICE)))
        self.wait_until(lambda: self.happened(happenings.WindowOpened), self.order.end + SETTLING - self.now)

    def cancel(self, order: Order | None = None) -> None:
        """The DR Application withdraws a window, the first one by default; returns when the ESI has closed one, or will not."""
        self.mark(Actor.DR_APPLICATION, "cancel_window")
        self.machines[Actor.DR_APPLICATION].cancel_window(order or self.order, self.now)
        self.wait_until(lambda: self.happened(happenings.WindowClosed), SETTLING)

    def join(self) -> None:
        """The customer switches the device on (or will, or has, as planned); returns when it is provisioned, or its window is
        over."""
        if self.plan.joins_at is None:
            self.switch_on()
        over = max(self.order.end, self.now, self.plan.joins_at or 0.0) + GRACE
        self.wait_until(lambda: self.happened(happenings.ApplicationDone), over - self.now)

    def settle(self) -> None:
        """Let what was set going come to an end: events run, reports travel, every window closes."""
        over = max(order.end for order in self.orders) + SETTLING
        self.wait_until(lambda: False, over - self.now)

    def wait_out(self) -> None:
        """Wait for as long as a device may pause before it tries again; returns when it is provisioned, or cannot be any more."""
        self.wait_until(lambda: self.happened(happenings.ApplicationDone) or not may_come_yet(self), LONGEST_PAUSE)

    def _order_windows(self) -> None:
        """Step 1. Raises Inconclusive where a precondition does not hold."""
        unmet = self.prepare()
        if unmet:
            raise Inconclusive(f"a precondition of the use case does not hold on this bench: {'; '.join(dict.fromkeys(unmet))}")
        for order in self.orders if self.plan.swap is None else self.orders[:1]:
            self.order_window(order)

    def order_window(self, order: Order) -> None:
        """Step 1 for one order, and nothing waited for."""
        self.mark(Actor.DR_APPLICATION, "order_window")
        self.machines[Actor.DR_APPLICATION].order_window(order, self.now)

    def _swap(self, order: Order) -> None:
        """When all is at rest the device is unplugged for good, or taken to the other meter; that pair is ordered, and joins."""
        self.wait_until(lambda: False, self.order.end + SETTLING - self.now)
        self.air.switch_off(Actor.HAN_DEVICE)
        joining = second(Actor.HAN_DEVICE) if self.plan.has_second_device else Actor.HAN_DEVICE
        if self.plan.has_second_device:
            self._running.remove(Actor.HAN_DEVICE)
        else:
            self.machines[Actor.HAN_DEVICE].factory_reset(self.now)
            self._airs.move(joining)
        self.mark(Actor.HAN_DEVICE, f"swap {self.plan.swap}")
        before = len(self.happenings)
        self.order_window(order)
        self.wait_until(lambda: self._since(before, happenings.WindowOpened), order.end + SETTLING - self.now)
        self.switch_on(joining)
        self.wait_until(lambda: self._since(before, happenings.ApplicationDone), order.end + GRACE - self.now)

    # -- what is done to an actor

    def switch_on(self, name: str = Actor.HAN_DEVICE) -> None:
        """The customer switches a device on, or presses its button."""
        self.mark(name, "start_joining")
        self._running[self._called.get(name, name)].start_joining(self.now)

    def reset(self, name: str = Actor.HAN_DEVICE) -> None:
        """The customer resets a device: it forgets network and keys, and waits to be switched on."""
        self.mark(name, "factory_reset")
        self._running[self._called.get(name, name)].factory_reset(self.now)

    def power_cycle(self, actor: Actor) -> None:
        """Power fails at the ESI or at the device, and returns; what was on its way to or from its radio is lost."""
        self.mark(actor, "power_cycle")
        self.air.switch_off(actor)
        self.machines[actor].power_cycle(self.now)

    def join_again(self) -> None:
        """The customer resets the device and switches it on again; returns when it is provisioned, or will not be."""
        self.reset()
        self.happenings = [each for each in self.happenings if not isinstance(each.event, happenings.ApplicationDone)]
        self.switch_on()
        self.wait_until(lambda: self.happened(happenings.ApplicationDone), max(self.order.end - self.now, 0.0) + GRACE)

    def renew_network_key(self) -> None:
        """The ESI gives every device a further network key, and a while later has them use it."""
        self.machines[Actor.ESI].renew_network_key(self.now)
        self.wait_until(lambda: False, GRACE)
        self.machines[Actor.ESI].switch_network_key(self.now)

    def ask(self, of: Actor, question: str, **given: Any) -> None:
        """The other side of the HAN puts a named stimulus (`harness.adapters.stimuli`) to an actor; returns when its course is
        over. An actor that is not under test is not asked: nobody would judge the answer."""
        if not self.file.dut or of in self.file.dut:
            self._put(of, question, given)
            self._see_through(of, question)

    def _put(self, of: Actor, stimulus: str, given: Mapping[str, Any]) -> None:
        self.sound_out(first=True)
        asker = self.machines[ACROSS_THE_HAN[of]]
        if not hasattr(asker, "put"):
            raise Inconclusive(f"the {ACROSS_THE_HAN[of]} of this bench puts no stimuli")
        self.mark(of, f"ask {stimulus}")
        asker.put(stimulus, given, self.now)

    def _see_through(self, of: Actor, stimulus: str) -> None:
        if not self.wait_until(lambda: not self.machines[ACROSS_THE_HAN[of]].putting, LONGEST_STIMULUS):
            raise BenchError(f"the stimulus {stimulus} did not come to an end")

    def publish(self, offer: str, **given: Any) -> None:
        """The ESI sends the device a named offer (an event, a price, a message); returns when its course is over."""
        self._put(Actor.HAN_DEVICE, offer, given)
        self._see_through(Actor.HAN_DEVICE, offer)

    def decline(self, offer: str, **given: Any) -> None:
        """The ESI sends the device an event, and the customer declines it as soon as the device has it."""
        before = len(self.happenings)
        self._put(Actor.HAN_DEVICE, offer, given)
        self.wait_until(lambda: self._since(before, happenings.Received, Actor.HAN_DEVICE), taking_time(self, SETTLING))
        self.mark(Actor.HAN_DEVICE, "opt_out")
        self.machines[Actor.HAN_DEVICE].opt_out(self.now)
        self._see_through(Actor.HAN_DEVICE, offer)

    def _since(self, before: int, kind: type[Any], actor: str | None = None) -> bool:
        return any(isinstance(each.event, kind) and actor in (None, each.actor) for each in self.happenings[before:])

    def sound_out(self, first: bool = False) -> None:
        """The sanity exchange with whoever is under test on the air, or (`first`) none where there was one before."""
        if self.plan.swap is None and not (first and any(each["verb"] == SANITY for each in self.trace.header.about["marks"])):
            exchange(self, self.file.dut, self._running[second(Actor.HAN_DEVICE)] if self.plan.router else None)

    @property
    def way_in(self) -> tuple[Actor, Actor]:
        """The last leg of an order on its way to the ESI that can be disturbed: leg 4, or leg 3 where that is inside the DUT."""
        last = Actor.NIC, Actor.ESI
        return (Actor.AMI_NETWORK, Actor.NIC) if inside(self.file.dut, last) else last

    @contextmanager
    def suffering(self, *faults: WireFault) -> Iterator[None]:
        """While the context lasts, every CIM and leg message passes these faults (`bench.air.suffering` does it to frames).

        What lies inside the device under test is not ours to disturb.
        """
        with self.wires.suffering(*(outside(self.file.dut, fault) for fault in faults)):
            yield

    # -- time

    def at(self, instant: float, action: Callable[[], None]) -> None:
        """Have something done at an instant, or now if that is past, while the bench waits for something else."""
        self._loop.at(instant, action)

    @property
    def now(self) -> float:
        """Seconds since the bench started."""
        return self.clock.now()

    def happened(self, kind: type[Any]) -> bool:
        """Whether any actor has reported an event of this kind, but about the second device of a run with two."""
        other = self.plan.second
        return any(isinstance(each.event, kind) and getattr(each.event, "device", self) != other for each in self.happenings)

    def wait_until(self, condition: Callable[[], bool], within: float) -> bool:
        """Run until the condition holds (True) or `within` seconds have passed (False)."""
        try:
            return self._loop.run_until(condition, within)
        finally:
            self._taps.attest(self.now)

    def _give(self, actor: str, pdu: Received | Transmitted | Message) -> None:
        name = self._called.get(actor, actor)
        machine = self._running.get(name)
        self._running.change((name,))
        if isinstance(pdu, Transmitted):
            self._taps.count(actor, pdu)
        if isinstance(pdu, Message) and machine is self.machines.get(Actor.ESI) and is_by_hand(machine, pdu):
            if verb := done_by_hand(machine, pdu, self._leg_codec, self.order.meter, self.clock.epoch, self.now):
                self.mark(Actor.ESI, verb)
        elif machine is not None:
            machine.receive(pdu, self.now)

    def _note(self, actor: str, event: Any) -> None:
        if isinstance(event, happenings.KeyLearnt):
            self._learn(Key(event.kind, event.key, event.device))
        elif isinstance(event, Logged | PacketSeen):
            self._taps.note(event, actor, self.now)
        else:
            self.happenings.append(Happened(Actor(actor) if actor in self.machines else actor, event, self.now))
            presume(self, event)

    def _learn(self, key: Key) -> None:
        """A key of the run: checkers read with it, and faults see through encryption with it."""
        self.trace.learn(key)
        if key.kind == "nwk":
            self.air.keyring.add_network_key(key.octets)
        elif key.kind in LINK_KEY_KINDS:
            self.air.keyring.add_link_key(key.octets, key.device, key.kind)

    # -- what is seen

    def _answers(self, producer: Actor, receiver: Actor, since: int) -> int:
        """How many messages from one actor have reached the other, among those seen after so many."""
        return sum(
            (each.point, each.producer, each.receiver) == (Point.CIM, producer, receiver)
            and (each.about.get("arrives") or math.inf) <= self.now
            for each in self.trace.exchanges[since:]
        )

    def mark(self, actor: str, verb: str) -> None:
        """Note in the trace's header what was done to an actor, and when."""
        self.trace.header.about["marks"].append({"at": self.now, "actor": str(actor), "verb": verb})

    def close(self) -> None:
        """The taps stop listening, and adapters let go of sockets and radios."""
        self._taps.attest(self.now)
        with ExitStack() as closing:  # all of them, also where one raises
            for machine in (getattr(self, "_airs", None), *self.machines.values()):
                closing.callback(getattr(machine, "close", lambda: None))

    def _chance(self, purpose: str) -> random.Random:
        """Chance that follows from the seed; in real time also from the day, for a real system knows the ids of earlier runs."""
        day = f"/{self.clock.epoch.isoformat()}" if isinstance(self.clock, LiveClock) else ""
        return random.Random(f"{self.seed}/{self.device.name}/{purpose}{day}")
