"""An actor of the back office that is somebody else's: reached over real wires, while everything around it stays virtual.

It fills the actor's place on the bench: what the bench's own actors say to it goes out over HTTP, AMQP or STOMP (and over TCP or UDP
on a proprietary leg), and what it says comes back through the same taps and faults as any message. Without a control endpoint the
bench runs in real time; with one, the system under test follows the bench's time, and nothing waits. Knows no message's meaning.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from harness.actors.reports import Logged
from harness.actors.setup import Setup
from harness.actors.verbs import BACK_OFFICE_VERBS, Verb, in_words, order_in_words
from harness.adapters.by_command import PATIENCE, by_command
from harness.adapters.control import Control
from harness.adapters.gateways import cim_gateway, leg_gateway
from harness.adapters.performing import Performing
from harness.adapters.wire_options import WireOptions, open_carrier
from harness.backhaul.carrier import Carrier, Parcel
from harness.backhaul.gateway import Gateway, place_of
from harness.backhaul.inbox import Inbox, Room
from harness.backhaul.leg_bounds import LegBounds
from harness.backhaul.leg_carrier import LegCarrier
from harness.backhaul.wires import CIM, LEG, LEG_NUMBER
from harness.clock import wall_utc
from harness.errors import BenchError, Inconclusive
from harness.leg_declaration import ON_LEGS, Legs
from harness.ports import Message, Pdu
from harness.role_verbs import ONCE, Way, way_of
from harness.usecase import Actor, Point

LEG_OPTIONS = ("codec", "legs")  # what a bench adds for those that stand on a leg
BACK_OFFICE = (Actor.DR_APPLICATION, Actor.AMI_HEAD_END, Actor.CIS, Actor.ODS)
ROOM = Room(lasting=True)  # for all that it sends in one run
UNAUTHORISED = 401
QUIET = 0.5  # seconds without a message after which the queues of a broker are taken to be empty
REST_TRIES, REST_WAIT = 2000, 0.01  # how often, and after how many seconds, it is asked whether all that was sent has arrived


class RemoteActor:
    """One actor under test behind real wires. Options: those of `WireOptions`, `control`, and who performs each role verb."""

    @staticmethod
    def hides(actor: Actor, legs: Legs) -> tuple[Point, ...]:
        """What nobody here sees of it: what it writes into its log, and its legs where the bench has none to it."""
        unconnected = actor in ON_LEGS and actor not in legs.peers
        return (Point.LOG, Point.LEG) if unconnected else (Point.LOG,)

    @staticmethod
    def live(options: Mapping[str, Any]) -> bool:
        """Whether a bench with these options runs in real time."""
        return "control" not in options

    def __init__(self, setup: Setup) -> None:
        """Raises ValueError naming the option that is wrong, BenchError for wires that cannot be had."""
        options = WireOptions.of(setup.options, (*BACK_OFFICE_VERBS.get(setup.actor, {}), "control", *LEG_OPTIONS))
        if "control" in setup.options:  # which says where we are: at a broker, where nobody was before
            options = replace(options, prefix=f"{options.prefix}{os.getpid()}-{wall_utc():%H%M%S%f}.")
        self._setup = setup
        self._now = 0.0
        self._due: float | None = None
        self._moved = False
        self._ready: list[Message] = []
        self._log: list[Logged] = []
        self._on_leg: dict[str, Actor] = {}
        self._inbox = Inbox(ROOM)
        self._reached = False  # whether anything has ever come of it
        self._control = Control(setup.options["control"]) if "control" in setup.options else None
        verbs = BACK_OFFICE_VERBS.get(setup.actor, {})
        self._performing = Performing(setup, {verb: ONCE for verb, kind in verbs.items() if kind.does})
        for verb, kind in verbs.items():
            self._offer(verb, kind)
        self._local = local = {place_of(actor): actor for actor in BACK_OFFICE if actor is not setup.actor}
        self._carriers: dict[str, Carrier] = {}  # from which something may come before they are here
        self._carriers[CIM] = open_carrier(options, lambda parcel: self._deliver(CIM, parcel), list(local))
        self._gateways: dict[str, Gateway] = {
            CIM: cim_gateway(local, {setup.actor: options.address}, self._carriers[CIM], options, lambda *_: setup.actor),
        }
        legs: Legs | None = setup.options.get("legs")
        if legs is not None and setup.actor in legs.peers:
            self._open_leg(legs)
        try:
            self._begin()
        except BenchError:
            self.close()
            raise

    # -- the five verbs

    def receive(self, pdu: Pdu, now: float) -> None:
        """Send a message of one of the bench's own actors out."""
        if isinstance(pdu, Message):
            self._pace(now)
            why = self._gateways[pdu.wire].send(pdu) if pdu.wire in self._gateways else f"no {pdu.wire} wire leads to it"
            if why:
                self._log.append(Logged(f"not sent to the {pdu.receiver}: {why}"))
            self._moved = True

    def transmit(self, now: float) -> list[Pdu]:
        """What the system under test has sent."""
        self._now = max(self._now, now)
        if self._control is not None and self._moved:
            self._come_to_rest()
        self._drain()
        ready, self._ready = self._ready, []
        return list(ready)

    def deadline(self) -> float | None:
        """When an exchange has waited long enough for an answer, or the system under test wants to be woken."""
        due = [gateway.deadline() for gateway in self._gateways.values()] + [self._due]
        return min((instant for instant in due if instant is not None), default=None)

    def wake(self, now: float) -> None:
        """Let time pass there as well."""
        for gateway in self._gateways.values():
            gateway.expire(now)
        self._pace(now)
        self._moved = True

    def events(self) -> list[Any]:
        """What could not be sent."""
        log, self._log = self._log, []
        return list(log)

    def address_of(self, actor: str) -> str:
        """Where the system under test reaches one of the bench's own actors; empty for one that it has nothing to say to."""
        return self._carriers[CIM].address_of(place_of(actor)) if place_of(actor) in self._local else ""

    def close(self) -> None:
        """Let go of everything that is open."""
        self._performing.close()
        for carrier in self._carriers.values():
            carrier.close()
        if self._control is not None:
            self._control.close()

    # -- role verbs

    def _offer(self, verb: str, kind: Verb) -> None:
        """Have a role verb where somebody performs it; one that has something done is there in any case, and says who is missing."""
        way = way_of(self._setup.options.get(verb))
        if self._control is not None:
            setattr(self, verb, lambda *arguments: self._perform(verb, *arguments[:1]))
        elif way is not None and way.command:
            setattr(self, verb, lambda *arguments: self._by_command(verb, way, *arguments[:1]))
        elif way is not None and kind.does:
            setattr(self, verb, lambda about, now: self._performing.perform(verb, about, now, about))
        elif way is not None:
            raise ValueError(f"{verb}: is a question; right would be a command that prints the answer")
        elif kind.does:
            setattr(self, verb, lambda *_: self._nobody(verb))

    def _perform(self, verb: str, *arguments: Any) -> Any:
        assert self._control is not None
        answer = self._control.call("perform", role_verb=verb, now=self._now, arguments=[in_words(each) for each in arguments])
        self._moved = True
        said = answer.get("answer")
        return tuple(said) if isinstance(said, list) else said

    def _by_command(self, verb: str, way: Way, *arguments: Any) -> str:
        what, limit = f"{self._setup.actor}: {verb}", way.limit or PATIENCE
        noted = self._setup.note(actor=self._setup.actor, verb=verb, command=way.command, limit=limit)
        return by_command(what, way.command, *arguments, patience=limit, noted=noted)

    def _nobody(self, verb: str) -> None:
        raise Inconclusive(f"nobody performs {verb} for the {self._setup.actor}: the bench file names neither a way nor `control`")

    # -- inside

    def _open_leg(self, legs: Legs) -> None:
        """The legs between this actor and those beside it that listen here."""
        beside = [actor for actor in legs.listen if (self._setup.actor, actor) in LEG_NUMBER]
        self._on_leg = {place_of(actor): actor for actor in beside}
        length = getattr(self._setup.options.get("codec"), "length", None)
        self._carriers[LEG] = LegCarrier(
            lambda parcel: self._deliver(LEG, parcel), legs.carriage, {place_of(actor): legs.listen[actor] for actor in beside},
            length=length, bounds=LegBounds(largest=legs.largest),
        )
        self._gateways[LEG] = leg_gateway(
            self._on_leg, {self._setup.actor: str(legs.peers[self._setup.actor])}, self._carriers[LEG], self._setup.actor,
        )

    def _begin(self) -> None:
        """Have the system under test, where it can, forget what was, and know what its operator would tell it: orders, addresses, time."""
        setup = self._setup
        if self._control is None:
            self._forget_earlier()
            return
        state = self._control.call(
            "begin", actor=setup.actor, epoch=setup.epoch.isoformat(), cim=setup.cim.as_dict(),
            seed=f"{setup.chance.getrandbits(64):016x}", orders=[order_in_words(order) for order in setup.orders],
            peers={
                wire: {actor: self._carriers[wire].address_of(place) for place, actor in actors.items()}
                for wire, actors in ((CIM, self._local), (LEG, self._on_leg))
            },
        )
        self._due = state["deadline"]

    def _deliver(self, wire: str, parcel: Parcel) -> None:
        """From a carrier's thread."""
        self._inbox.put(wire, parcel, self._carriers.get(wire))
        self._setup.interrupt()

    def _drain(self, wait: float = 0.0) -> None:
        """Take what has come, after waiting for it so many seconds. Raises BenchError where nobody is there to speak to."""
        while (arrived := self._inbox.take(wait)) is not None:
            wire, parcel = arrived
            shut_out = "HTTP 401, no credentials, or wrong ones" if parcel.about.get("status") == UNAUTHORISED else ""
            if (parcel.unsent or shut_out) and not (self._reached and parcel.place):
                raise BenchError(f"the {self._setup.actor} cannot be reached: {parcel.flaw or shut_out}")
            self._reached = True
            message = self._gateways[wire].take(parcel, self._now)
            if message is not None:
                self._ready.append(message)
            wait = 0.0

    def _forget_earlier(self) -> None:
        """What still lay in the queues of a broker is an earlier run's."""
        if self._setup.options.get("wire", "http") == "http":
            return
        while self._inbox.take(QUIET) is not None:
            pass
        self._inbox = Inbox(ROOM)

    def _pace(self, now: float) -> None:
        self._now = max(self._now, now)
        if self._control is not None:
            self._due = self._control.call("pace", now=self._now)["deadline"]

    def _come_to_rest(self) -> None:
        """Wait, in real time, until everything that either side has sent by now has arrived."""
        assert self._control is not None
        for _ in range(REST_TRIES):
            self._drain()
            state = self._control.call("pace", now=self._now)
            self._drain()
            if self._at_rest(state):
                self._due, self._moved = state["deadline"], False
                return
            self._drain(REST_WAIT)
        raise BenchError(f"the {self._setup.actor} behind {self._setup.options['control']} does not come to rest")

    def _at_rest(self, state: Mapping[str, Any]) -> bool:
        """Whether both sides' numbers agree, but for what nobody can know: whether a post that failed has arrived, whether
        somebody still waits for what is never answered."""
        here = {
            name: sum(getattr(each, name) for each in self._gateways.values())
            for name in ("posts", "arrivals", "failed", "open", "abandoned")
        }
        outstanding = sum(len(each.outstanding) for each in self._gateways.values())
        return bool(
            here["posts"] - here["failed"] <= state["arrivals"] <= here["posts"]
            and state["posts"] - state.get("failed", 0) <= here["arrivals"] <= state["posts"]
            and state["open"] <= outstanding <= state["open"] + state.get("abandoned", 0)
            and here["open"] <= state["outstanding"] <= here["open"] + here["abandoned"]
        )
