"""The virtual wires between actors: CIM bus and proprietary legs, each with its latency; knows no message's meaning.

Order is kept between two actors. What is lost, repeated or altered is so by a fault, and the tap says it.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace

from harness.backhaul.faults import Arrival, Fault, SeenMessage
from harness.ports import Chance, Message
from harness.usecase import Actor, kind_of

CIM = "cim"
LEG = "leg"
DEFAULT_LATENCY = 0.05  # seconds, where a bench says nothing

LEG_NUMBER: dict[tuple[str, str], str] = {
    (Actor.AMI_HEAD_END, Actor.AMI_NETWORK): "2", (Actor.AMI_NETWORK, Actor.NIC): "3", (Actor.NIC, Actor.ESI): "4",
    (Actor.ESI, Actor.NIC): "10", (Actor.NIC, Actor.AMI_NETWORK): "11", (Actor.AMI_NETWORK, Actor.AMI_HEAD_END): "12",
}
"""Producer and receiver of a leg to the use case's step, which is also the leg's name in a bench file."""

Tap = Callable[[SeenMessage], None]


class VirtualWires:
    """All wires of a bench. `latencies` are seconds by "cim" or by the step number of a leg ("2" ... "12")."""

    def __init__(
        self, latencies: Mapping[str, float] | None = None, *, tap: Tap | None = None, chance: Chance | None = None,
    ) -> None:
        """`chance` is not used as long as latencies are constant; it is there for wires whose latency varies."""
        self.latencies = dict(latencies or {})
        self.tap = tap
        self.faults: list[Fault] = []
        self._agenda: list[tuple[float, int, Message, int | None]] = []
        self._behind: dict[tuple[str, str, str], float] = {}  # until when the newest message on a wire is on its way
        self._order = 0
        self._seen = 0

    @contextmanager
    def suffering(self, *faults: Fault) -> Iterator[None]:
        """While the context lasts, every message passes these faults, in this order after those already there."""
        self.faults.extend(faults)
        try:
            yield
        finally:
            for fault in faults:
                self.faults.remove(fault)

    def submit(self, message: Message, now: float) -> None:
        """Send a message at `now`; what a real wire delivered with a flaw is kept as evidence and goes no further."""
        if message.about.get("flaw"):
            self._tell(SeenMessage(0, now, message, "lost"))
            return
        arrivals = self._arrivals(message)
        intact = next((arrival for arrival in arrivals if arrival.octets == message.octets), None)
        fate = "arrived" if intact else "altered" if arrivals else "lost"
        schedule = [(self._due(message, arrival, now), arrival) for arrival in arrivals]
        arrives = next((due for due, arrival in schedule if arrival is intact), None)
        number = self._tell(SeenMessage(0, now, message, fate, arrives=arrives))
        for due, arrival in schedule:
            self._order += 1
            copy = None if arrival is intact else number
            heapq.heappush(self._agenda, (due, self._order, replace(message, octets=arrival.octets), copy))

    def deadline(self) -> float | None:
        """When `wake` is next needed."""
        return self._agenda[0][0] if self._agenda else None

    def wake(self, now: float) -> list[Message]:
        """The messages that have arrived by `now`, oldest first."""
        arrived = []
        while self._agenda and self._agenda[0][0] <= now:
            due, _, message, original = heapq.heappop(self._agenda)
            if original is not None:
                self._tell(SeenMessage(0, due, message, instead_of=original, arrives=due))
            arrived.append(message)
        return arrived

    def _arrivals(self, message: Message) -> list[Arrival]:
        """What all faults together make of a message."""
        arrivals = [Arrival(message.octets)]
        for fault in self.faults:
            made: list[Arrival] = []
            for before in arrivals:
                after = fault(replace(message, octets=before.octets))
                made += [before] if after is None else [
                    Arrival(each.octets, before.delay + each.delay, before.overtaken or each.overtaken) for each in after
                ]
            arrivals = made
        return arrivals

    def _due(self, message: Message, arrival: Arrival, now: float) -> float:
        wire = (message.wire, message.producer, message.receiver)
        ends = kind_of(message.producer), kind_of(message.receiver)
        name = LEG_NUMBER.get(ends, LEG) if message.wire == LEG else message.wire
        due = now + self.latencies.get(name, DEFAULT_LATENCY) + arrival.delay
        if not arrival.overtaken:
            due = max(due, self._behind.get(wire, 0.0))
            self._behind[wire] = due
        return due

    def _tell(self, seen: SeenMessage) -> int:
        self._seen += 1
        if self.tap is not None:
            self.tap(replace(seen, number=self._seen))
        return self._seen
