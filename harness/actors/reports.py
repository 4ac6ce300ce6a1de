"""What an actor reports to its bench; knows no role in particular and no encoding."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from harness.values import Eui64


@dataclass(frozen=True)
class Logged:
    """A line that an actor would write into its log (the LOG observation point).

    `actor` says whose log, where one adapter fills several places; empty for the place that its machine is called by.
    """

    text: str
    actor: str = ""


@dataclass(frozen=True)
class PacketSeen:
    """An APS data packet that went through an actor's network co-processor (the APS observation point), by its ASDU.

    `producer` and `receiver` are actors, the address of a device that nobody ordered, or None where nobody knows. `about` has
    addresses, endpoints, cluster, whether it was APS-secured, and how well it was heard.
    """

    asdu: bytes
    producer: str | None
    receiver: str | None
    about: dict[str, Any] = field(default_factory=dict, hash=False)


@dataclass(frozen=True)
class StateChanged:
    """An actor's own state of a device changed at `at` (seconds since the bench started); the states are the actor's."""

    device: Eui64
    state: str
    at: float


@dataclass(frozen=True)
class Unanswered:
    """A request was given up after all retries."""

    noun: str
    message_id: str
    at: float


@dataclass(frozen=True)
class Happened:
    """Something an actor, or a second one of its kind, reported, and when."""

    actor: str
    event: Any
    at: float
