"""What a wire can do to a message: lose, repeat, delay, overtake, alter it; knows octets and ends, not what a message says.

A fault is asked about every message and says what arrives in its stead; None has nothing to do with it. Delays are seconds.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass

from harness.composite import inside
from harness.ports import Message


@dataclass(frozen=True)
class Arrival:
    """One arrival: `delay` comes on top of the wire's latency; `overtaken` lets later messages pass."""

    octets: bytes
    delay: float = 0.0
    overtaken: bool = False


@dataclass(frozen=True)
class SeenMessage:
    """One message on a wire: `time` is when it was sent (seconds since the bench started), `number` counts from 1.

    `fate` is arrived, lost or altered; what arrived instead of an altered message, or once more after it, is a later
    SeenMessage that carries its number in `instead_of`, with the time of its arrival. `arrives` is when it is delivered, None
    for never.
    """

    number: int
    time: float
    message: Message
    fate: str = "arrived"
    instead_of: int | None = None
    arrives: float | None = None


Fault = Callable[[Message], list[Arrival] | None]
Choice = Callable[[Message], bool]


def anything(message: Message) -> bool:
    """Every message."""
    return True


def between(producer: str, receiver: str) -> Choice:
    """The messages from one actor to another."""
    return lambda message: (message.producer, message.receiver) == (producer, receiver)


def outside(dut: Collection[str], fault: Fault) -> Fault:
    """The fault, but not for what lies inside this device under test: that is not ours to disturb."""
    return lambda message: None if inside(dut, (message.producer, message.receiver)) else fault(message)


def drop(what: Choice = anything, *, times: int | None = 1, skip: int = 0) -> Fault:
    """Lose the chosen messages."""
    return _on(what, times, skip, lambda octets: [])


def duplicate(what: Choice = anything, *, after: float = 0.5, times: int | None = 1, skip: int = 0) -> Fault:
    """Deliver the chosen messages, and once more `after` seconds."""
    return _on(what, times, skip, lambda octets: [Arrival(octets), Arrival(octets, after, overtaken=True)])


def delay(what: Choice = anything, *, by: float, times: int | None = 1, skip: int = 0) -> Fault:
    """Deliver the chosen messages late, and with them what was sent after them the same way."""
    return _on(what, times, skip, lambda octets: [Arrival(octets, by)])


def reorder(what: Choice = anything, *, by: float, times: int | None = 1, skip: int = 0) -> Fault:
    """Deliver the chosen messages late, behind what was sent after them within `by` seconds."""
    return _on(what, times, skip, lambda octets: [Arrival(octets, by, overtaken=True)])


def alter(change: Callable[[bytes], bytes], what: Choice = anything, *, times: int | None = 1, skip: int = 0) -> Fault:
    """Deliver other octets in place of the chosen messages'."""
    return _on(what, times, skip, lambda octets: [Arrival(change(octets))])


def _on(what: Choice, times: int | None, skip: int, made: Callable[[bytes], list[Arrival]]) -> Fault:
    met = 0

    def fault(message: Message) -> list[Arrival] | None:
        nonlocal met
        if not what(message):
            return None
        met += 1
        return made(message.octets) if met > skip and (times is None or met <= skip + times) else None

    return fault
