"""The vocabulary of use case 2.7 as values: actors, steps, the order, clauses. The table itself stands in `cases/table/`.

Nothing here knows how a message is encoded or how a case is run.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING

from harness.values import DeviceType, Eui64
from harness.verdict import Finding

if TYPE_CHECKING:
    from harness.trace import Trace


class Actor(StrEnum):
    """The actors of the use case, by its own names (ODS is an integration point that appears in no step)."""

    DR_APPLICATION = "DR Application"
    AMI_HEAD_END = "AMI Head-End"
    AMI_NETWORK = "AMI Network"
    NIC = "NIC"
    ESI = "ESI"
    HAN_DEVICE = "HAN Device"
    CIS = "CIS"
    ODS = "ODS"


ACROSS_THE_HAN = {Actor.ESI: Actor.HAN_DEVICE, Actor.HAN_DEVICE: Actor.ESI}
_SECOND = " 2"


def second(actor: Actor) -> str:
    """The name of a machine that is the second of its kind on a bench: "HAN Device 2"; it is no actor and is not judged."""
    return f"{actor}{_SECOND}"


def kind_of(name: str) -> str:
    """What a machine is by its name: "HAN Device" for the second of them as for the first."""
    return name.removesuffix(_SECOND)


class Point(StrEnum):
    """Observation points: where a message can be seen."""

    MAC = "MAC"  # every frame on the air, with its FCS
    APS = "APS"  # what a network co-processor shows
    CIM = "CIM"  # IEC 61968 messages
    LEG = "LEG"  # the proprietary legs, steps 2 to 4 and 10 to 12
    LOG = "LOG"  # what an actor writes into its log


@dataclass(frozen=True)
class Step:
    """One row of the use case's table."""

    number: int
    description: str
    information: str
    producer: Actor
    receiver: Actor
    message_type: str
    open_item: str = ""


@dataclass(frozen=True)
class Order:
    """What the utility orders in step 1: this device, with this key, in this window, at this meter and premise.

    `start` and `duration` are seconds (start since the bench started). `key_material` is an install code with its CRC when
    `key_form` is "install_code", a 16-octet link key when it is "link_key"; it is never part of a repr.
    """

    device: Eui64
    device_type: DeviceType
    key_material: bytes = field(repr=False)
    key_form: str = "install_code"
    start: float = 0.0
    duration: float = 3600.0
    meter: str = "METER-0001"
    premise: str = "123456789"

    @property
    def end(self) -> float:
        """When the window closes, seconds since the bench started."""
        return self.start + self.duration


Check = Callable[["Trace"], Iterator[Finding]]
"""A checker: a pure generator of findings from a trace, and from nothing else."""


Wire = frozenset[Actor]
"""A wire by its two ends."""

Sight = int | Wire
"""A wire that can be seen: that of a step, by its number, or one that serves no step."""

Sights = tuple[Sight | tuple[Sight, ...], ...]
"""Wires that must all be seen; of those in a tuple of their own one is enough."""


class Timed(StrEnum):
    """What a clause rests on that measures how much time passed."""

    PACE = "pace"  # between what a finding cites
    CLOCK = "clock"  # by clocks that were set inside the network, since then


@dataclass(frozen=True)
class Clause:
    """A named requirement. `checks` says, per actor whose conformance it is about, which checkers decide it.

    `origin` is one of UC, ZB, SE, SE1.1, ZCL, MAC, CIM, ENV, PROFILE; `citation` is document and clause. `needs` names the
    observation points without which it is not applicable; `pics` an item that must be yes (no: not applicable, unset: inconc).
    `sees` are the wires that must lie outside the device under test, for all actors alike or for each; None is the wire of the
    clause's own step. The air counts wherever the point MAC is needed. `survives` says that the clause demands of an actor that it
    goes on: one that does not answer the sanity exchange fails it, and is inconclusive elsewhere. `timed` says what of time it
    rests on, if it measures any.
    """

    id: str
    text: str
    origin: str
    citation: str
    checks: Mapping[Actor, tuple[Check, ...]]
    level: str = "MUST"
    needs: tuple[Point, ...] = ()
    pics: str | None = None
    open_item: str = ""
    sees: Sights | Mapping[Actor, Sights] | None = None
    survives: bool = False
    timed: Timed | None = None

    @property
    def step(self) -> str:
        """The part of the id that says where it belongs: 01 to 14, PRE, POST, INT or SEQ."""
        return self.id.split("-")[1]
