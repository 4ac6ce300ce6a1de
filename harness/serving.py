"""One virtual actor by itself, behind real wires: for somebody who develops against it, and for HANproof's own tests of its wires.

It runs in real time, or in that of whoever speaks to its control endpoint. Knows no concrete adapter and no message format; like a
bench it loads the one and is handed the other.
"""

from __future__ import annotations

import json
import math
import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from harness.actors.reports import Logged, StateChanged, Unanswered
from harness.actors.setup import Setup
from harness.actors.verbs import BACK_OFFICE_VERBS, argument_of, order_of
from harness.backhaul.carrier import Carrier, Parcel
from harness.backhaul.gateway import Gateway
from harness.backhaul.inbox import Inbox, Room
from harness.cim_profile import CimProfile
from harness.clock import WallClock
from harness.errors import HanproofError
from harness.ports import Machine, Message

CONTROL = "control"
PATIENCE = 0.5  # seconds after which a wait looks whether it is to end

GatewayOf = Callable[[Mapping[str, str], str], Gateway]
"""Makes a wire's gateway from the peers' addresses by actor and a tag for its tokens."""


@dataclass(frozen=True)
class Wire:
    """One real wire of the served actor."""

    carrier: Carrier
    gateway: GatewayOf
    peers: Mapping[str, str]


class Served:
    """An actor, its wires, and the loop that runs it."""

    def __init__(
        self, adapter: Callable[[Setup], Machine], clock: WallClock, say: Callable[[str], None] = lambda text: None,
    ) -> None:
        """`say` is told what happens, a line each, without keys."""
        self._adapter = adapter
        self._clock = clock
        self._say = say
        self._inbox = Inbox(Room())
        self._wires: dict[str, Wire] = {}
        self._gateways: dict[str, Gateway] = {}
        self._control: Carrier | None = None
        self._time: float | None = None  # what a controller says it is; None: it is what the clock says
        self._begun = 0

    # -- being set up

    def deliver(self, wire: str) -> Callable[[Parcel], None]:
        """What a carrier of this wire hands its parcels to."""
        return lambda parcel: self._inbox.put(wire, parcel, self._wires[wire].carrier if wire in self._wires else self._control)

    def set_up(self, setup: Setup) -> None:
        """Make the actor as it is before a controller tells it otherwise."""
        self._setup = setup
        self._machine = self._adapter(setup)

    def attach(self, name: str, wire: Wire) -> None:
        """Give it a wire."""
        self._wires[name] = wire
        self._gateways[name] = wire.gateway(wire.peers, "")

    def attach_control(self, carrier: Carrier) -> None:
        """Give it a control endpoint; whoever reaches it may do everything."""
        self._control = carrier

    @property
    def now(self) -> float:
        """Seconds since it began."""
        return self._clock.now() if self._time is None else self._time

    def perform(self, verb: str, *arguments: Any) -> Any:
        """A role verb of the actor's own. Raises AttributeError where the adapter does not have it."""
        does = BACK_OFFICE_VERBS[self._setup.actor][verb].does
        return getattr(self._machine, verb)(*arguments, *([self.now] if does else []))

    def close(self) -> None:
        """Let go of every wire."""
        for wire in self._wires.values():
            wire.carrier.close()
        if self._control is not None:
            self._control.close()

    # -- running

    def run(self, goes_on: Callable[[], bool] = lambda: True) -> None:
        """Serve for as long as `goes_on` says; it is asked at least every `PATIENCE` seconds."""
        while goes_on():
            self.turn(PATIENCE)

    def turn(self, patience: float) -> None:
        """Wait for something to happen, at most so many seconds, and do what follows from it."""
        due = math.inf if self._time is not None else min(self._due(), self.now + patience)
        arrived = self._inbox.take(min(patience, max(0.0, due - self.now)))
        if arrived is not None:
            self._take(*arrived)
        self._work()

    def _due(self) -> float:
        due = [self._machine.deadline(), *(gateway.deadline() for gateway in self._gateways.values())]
        return min((instant for instant in due if instant is not None), default=math.inf)

    def _take(self, wire: str, parcel: Parcel) -> None:
        if wire == CONTROL:
            self._controlled(parcel)
            return
        message = self._gateways[wire].take(parcel, self.now)
        if parcel.flaw:
            self._say(f"{wire}: {parcel.flaw}")
        elif message is not None:
            self._say(f"{wire}: {len(message.octets)} octets from the {message.producer}")
            self._machine.receive(message, self.now)

    def _work(self) -> None:
        """Wake the machine when it is time, and send what it has to send, until it has nothing more."""
        now = self.now
        for gateway in self._gateways.values():
            gateway.expire(now)
        deadline = self._machine.deadline()
        if deadline is not None and deadline <= now:
            self._machine.wake(now)
        while outgoing := self._machine.transmit(now):
            for pdu in outgoing:
                if isinstance(pdu, Message):
                    self._send(pdu)
        for event in self._machine.events():
            self._say(_told(event))

    def _send(self, message: Message) -> None:
        gateway = self._gateways.get(message.wire)
        why = f"it has no {message.wire} wire" if gateway is None else gateway.send(message)
        self._say(
            f"{message.wire}: not sent to the {message.receiver}: {why}" if why
            else f"{message.wire}: {len(message.octets)} octets to the {message.receiver}"
        )

    # -- the control endpoint

    def _controlled(self, parcel: Parcel) -> None:
        """Do what a controller says; it is answered when everything that follows at this instant is done."""
        status = 200
        try:
            told = json.loads(parcel.octets)
            verbs: dict[str, Callable[..., dict[str, Any]]] = {"begin": self._begin, "pace": self._pace, "perform": self._performed}
            answer = verbs[told.pop("verb")](**told)
            self._work()
            answer |= self._state()
        except (ValueError, KeyError, TypeError, AttributeError, HanproofError) as fault:
            status, answer = 400, {"fault": f"{type(fault).__name__}: {fault}"}
        if self._control is not None and parcel.exchange:
            about = {"status": status, "headers": {"content-type": "application/json"}}
            self._control.send(Parcel(json.dumps(answer).encode(), CONTROL, answers=parcel.exchange, about=about))

    def _state(self) -> dict[str, Any]:
        deadline, gateways = self._due(), self._gateways.values()
        return {
            "deadline": None if deadline == math.inf else deadline,
            "posts": sum(each.posts for each in gateways), "arrivals": sum(each.arrivals for each in gateways),
            "outstanding": sum(len(each.outstanding) for each in gateways), "open": sum(each.open for each in gateways),
            "failed": sum(each.failed for each in gateways), "abandoned": sum(each.abandoned for each in gateways),
        }

    def _begin(
        self, actor: str, epoch: str, cim: Mapping[str, Any], seed: str, orders: list[dict[str, Any]],
        peers: Mapping[str, Mapping[str, str]],
    ) -> dict[str, Any]:
        if actor != self._setup.actor:
            raise ValueError(f"this is the {self._setup.actor}, not the {actor}")
        for gateway in self._gateways.values():
            gateway.expire()
        self._begun += 1
        self._time = 0.0
        setup = replace(
            self._setup, epoch=datetime.fromisoformat(epoch), chance=random.Random(seed), cim=CimProfile.of(cim),
            orders=tuple(order_of(order) for order in orders),
        )
        self._machine = self._adapter(setup)
        self._gateways = {
            name: wire.gateway({**wire.peers, **peers.get(name, {})}, f"{self._begun}-") for name, wire in self._wires.items()
        }
        return {}

    def _pace(self, now: float) -> dict[str, Any]:
        self._time = max(self._time or 0.0, float(now))
        return {}

    def _performed(self, role_verb: str, now: float, arguments: list[Any]) -> dict[str, Any]:
        self._pace(now)
        verb = BACK_OFFICE_VERBS[self._setup.actor][role_verb]
        answer = self.perform(role_verb, *(argument_of(verb, each) for each in arguments))
        return {"answer": [str(each) for each in answer] if isinstance(answer, tuple) else answer}


def _told(event: Any) -> str:
    """What an actor reports, as a line."""
    if isinstance(event, StateChanged):
        return f"{event.device}: {event.state}"
    if isinstance(event, Unanswered):
        return f"nobody answered the {event.noun} {event.message_id}"
    return event.text if isinstance(event, Logged) else str(event)
