"""An actor between head-end and ESI: routes orders down, reports up, drops what is too late; sans-I/O, knows no concrete actor.

It forwards what it understands, re-encoded with the window that is left, and reports back what it cannot deliver.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Protocol

from harness.backhaul.codec import LegCodec
from harness.backhaul.message import LegKind, LegMessage, Obstacle
from harness.backhaul.wires import LEG
from harness.errors import RemoteProtocolError
from harness.ports import Message


class Decisions(Protocol):
    """What a relay's policy decides; the right decisions, and their clauses, stand where the policy is."""

    @property
    def drops_expired(self) -> bool: ...
    @property
    def subtracts_latency(self) -> bool: ...
    @property
    def drops_duplicates(self) -> bool: ...
    @property
    def reports_undeliverable(self) -> bool: ...
    @property
    def awaits_registration(self) -> bool: ...
    @property
    def logs_keys(self) -> bool: ...
    @property
    def forwarding_delay(self) -> float: ...
    def rewritten(self, structure: Any) -> list[Any]:
        """What really goes out in place of a structure."""


@dataclass(frozen=True)
class Place:
    """Where a relay stands. `below` says who serves a meter, in general one or nobody; `obstacle` is what nobody is reported as."""

    name: str
    above: str
    below: Callable[[str], tuple[str, ...]]
    obstacle: Obstacle


class Relay:
    """One relay. `log` collects what it would write into its log, oldest first."""

    def __init__(self, place: Place, codec: LegCodec, epoch: datetime, decisions: Decisions) -> None:
        self.place = place
        self.codec = codec
        self.epoch = epoch
        self.decisions = decisions
        self.log: list[str] = []
        self._waiting: deque[tuple[float, LegMessage]] = deque()
        self._met: set[tuple[str, bytes]] = set()
        self._out: list[Message] = []

    def receive(self, message: Message, now: float) -> None:
        """Take a leg message from above or below; what cannot be read is logged and forgotten."""
        try:
            leg = self.codec.decode(message.octets)
        except RemoteProtocolError as fault:
            self.log.append(f"refused from {message.producer}: {fault}")
            return
        self.log.append(f"received from {message.producer}: {leg!r}{self._key_in_clear(leg)}")
        repeated = (message.producer, message.octets) in self._met
        self._met.add((message.producer, message.octets))
        if repeated and self.decisions.drops_duplicates:
            return
        if leg.goes_down != (message.producer == self.place.above):
            self.log.append(f"refused from {message.producer}: {leg.kind} does not come from there")
            return
        self._waiting.append((now + self.decisions.forwarding_delay, leg))
        self.wake(now)

    def transmit(self) -> list[Message]:
        """What is to go out now."""
        out, self._out = self._out, []
        return out

    def deadline(self) -> float | None:
        """When the next message is to be passed on."""
        return self._waiting[0][0] if self._waiting else None

    def wake(self, now: float) -> None:
        """Pass on what is due."""
        while self._waiting and self._waiting[0][0] <= now:
            _, leg = self._waiting.popleft()
            if leg.goes_down:
                self._down(leg, now)
            else:
                self._send(leg, self.place.above)

    def _down(self, leg: LegMessage, now: float) -> None:
        instant = self.epoch + timedelta(seconds=now)
        receivers = self.place.below(leg.meter) if leg.meter is not None else ()
        obstacle = self._obstacle(leg, receivers, instant)
        if obstacle is not None:
            self.log.append(f"not delivered: {obstacle}")
            if self.decisions.reports_undeliverable:
                self._send(leg.report(LegKind.UNDELIVERABLE, instant, reason=obstacle), self.place.above)
            return
        if leg.kind is LegKind.OPEN_WINDOW and leg.end is not None and self.decisions.subtracts_latency:
            leg = replace(leg, window_left=max(0.0, (leg.end - instant).total_seconds()))
        for receiver in receivers:
            self._send(leg, receiver)
        if leg.kind is LegKind.OPEN_WINDOW and not self.decisions.awaits_registration:
            self._send(leg.provisioned(instant), self.place.above)

    def _obstacle(self, leg: LegMessage, receivers: tuple[str, ...], instant: datetime) -> Obstacle | None:
        if leg.missing:
            return Obstacle.INCOMPLETE
        if not receivers:
            return self.place.obstacle
        over = leg.end is not None and leg.end <= instant
        return Obstacle.EXPIRED if over and self.decisions.drops_expired else None

    def _send(self, leg: LegMessage, receiver: str) -> None:
        for each in self.decisions.rewritten(leg):
            self.log.append(f"sent to {receiver}: {each!r}{self._key_in_clear(each)}")
            self._out.append(Message(LEG, self.place.name, receiver, self.codec.encode(each)))

    def _key_in_clear(self, leg: LegMessage) -> str:
        return f" key {leg.key_material.hex()}" if self.decisions.logs_keys and leg.key_material else ""
