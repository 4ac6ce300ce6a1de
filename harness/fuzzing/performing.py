"""How each move is made on a bench, and the model told of it. Knows moves, a bench and its air; draws nothing, judges nothing."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from dissectors import mac
from dissectors.aps import FrameType
from dissectors.frame import Frame, encode_mpdu
from dissectors.mac import AddressMode
from harness import faults
from harness.adapters.defects import all_defects
from harness.bench import Bench
from harness.errors import Inconclusive
from harness.fuzzing.model import Model
from harness.fuzzing.sight import LAYERS, Sight
from harness.fuzzing.vocabulary import ACKNOWLEDGEMENT, ANY, GIVEN, MISTAKES, QUESTIONS, SECURABLE, Move
from harness.plan import STRANGER
from harness.stack import happenings
from harness.stack.policy import Rewrite
from harness.usecase import ACROSS_THE_HAN, Actor, Order, second
from harness.values import Eui64

MACHINES = {"1": Actor.HAN_DEVICE.value, "2": second(Actor.HAN_DEVICE), "3": STRANGER}
SENDERS = {ANY: None, "ESI": Actor.ESI.value, "1": Actor.HAN_DEVICE.value}
PREFIX = {Actor.ESI: "esi", Actor.HAN_DEVICE: "device"}  # of a provocation's id
SIGN_WITHIN = 15.0  # seconds that a sign is waited for
IN_WITHIN = 100.0  # seconds that a device is waited for
DELIVERY = 20.0  # seconds that an order is waited for
PASSER_BY = Eui64(0x00124B00DEADBEEF)  # who knocks; nobody orders it
MILLISECONDS = 1000.0
IDENTIFIERS = {layer: identifier for identifier, layer in mac.COMMANDS.items()}


class Planted:
    """Rewrites of our own side that are planted while a run goes on."""

    def __init__(self) -> None:
        self.rewrites: list[Rewrite] = []

    def __call__(self, record):  # type: ignore[no-untyped-def]
        """What becomes of an outgoing structure."""
        for rewrite in self.rewrites:
            if record is None:
                return None
            record = rewrite(record)
        return record


class Performer:
    """Makes moves on one bench. `ours` is the side that moves speak for, None for none; `undone` are the moves that could not be
    made, with the reason."""

    def __init__(self, bench: Bench, sight: Sight, model: Model, ours: Actor | None, planted: Planted) -> None:
        self.bench = bench
        self.undone: list[str] = []
        self._sight = sight
        self._model = model
        self._ours = ours
        self._planted = planted
        self._heard = self._told = 0
        self.asked_for: set[str] = set()  # which devices were ever ordered
        self._ordered: set[str] = set()
        self._fresh = set(MACHINES.values())  # devices that were not switched on since they were made, or reset
        self._moves: Mapping[str, Callable[[Move], None]] = {
            "wait": lambda move: self._wait(move.number("ms") / MILLISECONDS),
            "wait-long": lambda move: self._wait(float(move.number("s"))),
            "to-edge": self._to_edge, "until": self._until, "order": lambda move: self.order(move.word("for")),
            "cancel": self._cancel, "provision": lambda move: self.provision(move.word("device")), "switch-on": self._switch_on,
            "reset": self._reset, "power-cycle": self._power_cycle, "renew-network-key": self._renew,
            "switch-network-key": self._switch, "decline": self._decline, "ask": self._ask, "say": self._say, "err": self._err,
            "look": self._look, "knock": self._knock, "air": self._air, "calm": lambda move: self.calm(),
        }

    def perform(self, move: Move) -> None:
        """Make a move. What the bench cannot do is noted; what breaks while it is done is raised."""
        try:
            self._moves[move.name](move)
        except Inconclusive as fault:
            self.undone.append(f"{move}: {fault}")
        self.catch_up()

    def catch_up(self) -> None:
        """Tell the model what has gone by."""
        frames = {seen.exchange.number: seen for seen in self._sight.more()}
        exchanges = self.bench.trace.exchanges
        for exchange in exchanges[self._told:]:
            seen = frames.get(exchange.number)
            self._model.hears(*(("told", exchange) if seen is None else ("see", seen)))
        self._told = len(exchanges)
        for happened in self.bench.happenings[self._heard:]:
            if isinstance(happened.event, happenings.Received):
                self._model.hears("took", str(happened.actor), happened.event.command, happened.at)
        self._heard = len(self.bench.happenings)
        self._model.hears("rest", self.bench.now)

    # -- time

    def _wait(self, seconds: float) -> None:
        self.bench.wait_until(lambda: False, seconds)

    def _to_edge(self, move: Move) -> None:
        order = self._order(move.word("of"))
        edge = order.end if move["edge"] == "closes" else order.start
        self._wait(edge + move.number("ms") / MILLISECONDS - self.bench.now)
        self._look(move)

    def _until(self, move: Move) -> None:
        layer, before = LAYERS[move.word("sign")], len(self._sight.frames)

        def shown() -> bool:
            self.catch_up()
            return any(seen.has(layer) is not None for seen in self._sight.frames[before:])

        self.bench.wait_until(shown, SIGN_WITHIN)

    # -- orders and devices

    def _order(self, which: str) -> Order:
        index = int(which) - 1
        if index >= len(self.bench.orders):
            raise Inconclusive(f"there is no order {which} here")
        return self.bench.orders[index]

    def _machine(self, which: str) -> str:
        there = {"1": True, "2": self.bench.plan.has_second_device, "3": self.bench.plan.stranger is not None}
        if not there[which]:
            raise Inconclusive(f"there is no device {which} here")
        return MACHINES[which]

    def order(self, which: str) -> None:
        """Step 1 for one device; returns when the order is there, or does not come."""
        order, bench = self._order(which), self.bench
        if order.end <= bench.now:
            raise Inconclusive("nobody orders a window that is over")
        self._ordered.add(which)
        self.asked_for.add(which)
        bench.order_window(order)
        opened = lambda: any(  # noqa: E731
            isinstance(each.event, happenings.WindowOpened) and each.event.device == order.device for each in bench.happenings
        )
        bench.wait_until(opened, max(order.start - bench.now, 0.0) + DELIVERY)

    def _cancel(self, move: Move) -> None:
        order = self._order(move.word("for"))
        if move.word("for") not in self._ordered:
            raise Inconclusive("nobody withdraws what is not ordered")
        self._ordered.discard(move.word("for"))
        self._done("cancel", self._machine(move.word("for")))
        self.bench.cancel(order)

    def provision(self, which: str) -> None:
        """Order a device where it is not ordered, switch it on, and wait until it is in or its time is over."""
        machine, order, bench = self._machine(which), self._order(which), self.bench
        if which not in self._ordered:
            self.order(which)
        fit = machine in self._fresh and not bench.air.faults and not self._planted.rewrites
        rightly = fit and which in self._ordered and bench.now < order.end - IN_WITHIN and bench.now > order.start
        before = len(bench.happenings)
        self._on(machine)
        if rightly and not bench.plan.holds_another_key(order, bench.device):
            self._done("provision", machine)
        bench.wait_until(lambda: any(
            isinstance(each.event, happenings.ApplicationDone) and each.actor == machine for each in bench.happenings[before:]
        ), IN_WITHIN)

    def _switch_on(self, move: Move) -> None:
        self._on(self._machine(move.word("device")))

    def _on(self, machine: str) -> None:
        self._done("switch-on", machine)
        self._fresh.discard(machine)
        self.bench.switch_on(machine)

    def _reset(self, move: Move) -> None:
        machine = self._machine(move.word("device"))
        self._done("reset", machine)
        self.bench.reset(machine)
        self._fresh.add(machine)

    def _power_cycle(self, move: Move) -> None:
        actor = Actor.ESI if move["of"] == "ESI" else Actor.HAN_DEVICE
        self._done("power-cycle", actor)
        self.bench.power_cycle(actor)

    def _renew(self, move: Move) -> None:
        self._done("renew", Actor.ESI)
        self.bench.machines[Actor.ESI].renew_network_key(self.bench.now)

    def _switch(self, move: Move) -> None:
        self._done("switch", Actor.ESI)
        self.bench.machines[Actor.ESI].switch_network_key(self.bench.now)

    def _decline(self, move: Move) -> None:
        if self._ours is not Actor.ESI:
            raise Inconclusive("the ESI is not ours")
        self.bench.decline("event", starts_in=30)

    # -- what our side says on purpose

    def _side(self) -> Actor:
        if self._ours is None:
            raise Inconclusive("no side is ours")
        return self._ours

    def _ask(self, move: Move) -> None:
        of, what, under = ACROSS_THE_HAN[self._side()], move.word("what"), move.word("under")
        if what not in QUESTIONS[of]:
            raise Inconclusive(f"nobody asks the {of} for that")
        secured = {"under": under} if under != "due" and what in SECURABLE else {}
        self.bench.ask(of, what, **GIVEN.get(what, {}), **secured)

    def _say(self, move: Move) -> None:
        self._done("say", self._side())
        machine = self.bench.machines[self._side()]
        if machine.putting:
            raise Inconclusive("something else is being said")
        machine.put("key-message", {"message": move.word("message")}, self.bench.now)

    def _err(self, move: Move) -> None:
        side, how = self._side(), move.word("how")
        if how not in MISTAKES[side]:
            raise Inconclusive(f"the {side} does not err like that")
        self._done("err", side)
        provocation = all_defects()[f"{PREFIX[side]}-{how}"]
        self._planted.rewrites += [*provocation.rewrites, *(provocation.made(None) if provocation.made is not None else ())]

    # -- what somebody else says

    def _look(self, move: Move) -> None:
        header = mac.Mac.of(
            frame_type=mac.FrameType.COMMAND, sequence=1, dest_mode=AddressMode.SHORT, dest_pan=mac.BROADCAST,
            dest_short=mac.BROADCAST,
        )
        self._inject(header, bytes([IDENTIFIERS[mac.BeaconRequest]]))

    def _knock(self, move: Move) -> None:
        pan = next((
            seen.frame.pan for seen in reversed(self._sight.frames) if seen.sender == Actor.ESI and seen.frame.pan != mac.BROADCAST
        ), None)
        if pan is None:
            raise Inconclusive("nobody knows the ESI's PAN yet")
        header = mac.Mac.of(
            frame_type=mac.FrameType.COMMAND, sequence=2, ack_request=1, dest_mode=AddressMode.SHORT, dest_pan=pan, dest_short=0,
            source_mode=AddressMode.EXTENDED, source_pan=mac.BROADCAST, source_ieee=PASSER_BY,
        )
        self._inject(header, bytes([IDENTIFIERS[mac.AssociationRequest], mac_capability()]))

    def _inject(self, header, payload: bytes) -> None:  # type: ignore[no-untyped-def]
        channel = next((
            seen.exchange.about["channel"] for seen in reversed(self._sight.frames) if seen.sender == Actor.ESI
        ), None)
        if channel is None:
            raise Inconclusive("nobody knows the ESI's channel yet")
        self.bench.air.inject(encode_mpdu(header, payload), channel, self.bench.now)
        self._wait(0.05)

    # -- what the air does

    def _air(self, move: Move) -> None:
        self._done("air", "air")
        what, times, sender = _choice(move.word("to")), move.number("times"), SENDERS[move.word("from")]
        seconds = move.number("ms") / MILLISECONDS
        made = {
            "drop": lambda: faults.drop(what, times=times, sender=sender),
            "duplicate": lambda: faults.duplicate(what, times=times, sender=sender, after=seconds),
            "delay": lambda: faults.delay(what, by=seconds, times=times, sender=sender),
            "replay": lambda: faults.replay(what, after=seconds, times=times, sender=sender),
            "corrupt": lambda: faults.corrupt(what, times=times, sender=sender),
        }
        self.bench.air.faults.append(made[move.word("does")]())

    def calm(self) -> None:
        """The air lets everything through again, and our side errs no more."""
        self.bench.air.faults.clear()
        self._planted.rewrites.clear()
        self._done("calm", "air")

    def _done(self, what: str, to: str) -> None:
        self.catch_up()
        self._model.hears("done", what, str(to), self.bench.now)


def mac_capability() -> int:
    """Of a sleepy end device that wants an address (802.15.4-2006, 7.3.1.2)."""
    return 0x80


def _choice(sign: str) -> faults.Choice:
    if sign == ANY:
        return None
    return _is_acknowledgement if sign == ACKNOWLEDGEMENT else LAYERS[sign]


def _is_acknowledgement(frame: Frame) -> bool:
    return frame.aps is not None and frame.aps.frame_type == FrameType.ACK
