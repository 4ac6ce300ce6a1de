"""The moves a run is made of, by name, each with the values that it takes. Knows neither how a move is made nor who draws it.

A value is a number or one of some words, so that a run can be written down and made again. Whoever changes what a name or a value
means, or takes one away, counts VERSION up: older tokens are then told from ours.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from harness.usecase import Actor

VERSION = 1

Value = int | str
"""What a move takes, as JSON can hold it."""


@dataclass(frozen=True)
class Words:
    """One of these words, the simplest first."""

    words: tuple[str, ...]

    def holds(self, value: object) -> bool:
        """Whether a value is one of them."""
        return value in self.words


@dataclass(frozen=True)
class Whole:
    """A whole number between two, with those that make a difference."""

    least: int
    most: int
    edges: tuple[int, ...] = ()

    def holds(self, value: object) -> bool:
        """Whether a value is such a number."""
        return type(value) is int and self.least <= value <= self.most


Domain = Words | Whole


@dataclass(frozen=True)
class Kind:
    """One kind of move: what it takes, in order; whether it needs a side that is ours; whether a real device can be put through
    it: the air of a laboratory loses nothing on demand, and nobody but the two sides has a radio there."""

    takes: Mapping[str, Domain]
    ours: bool = False
    radio: bool = False


DEVICES = Words(("1", "2", "3"))  # ordered, ordered as well, ordered by nobody
ORDERED = Words(("1", "2"))
SECURITY = Words(("due", "network key", "install key"))
SIGNS = (  # structures of a frame that a run can wait for, or an air can disturb
    "BeaconRequest", "Beacon", "AssociationRequest", "AssociationResponse", "TransportKey", "DeviceAnnce", "MatchDescReq",
    "InitiateKeyEstablishment", "EphemeralData", "ConfirmKeyData", "NodeDescReq", "BindReq", "ReadAttributes",
    "ReadAttributesResponse", "LoadControlEvent", "ReportEventStatus", "PublishPrice", "DisplayMessage", "SwitchKey",
)
ANY, ACKNOWLEDGEMENT = "any", "acknowledgement"
EDGE_OFFSETS = (-1000, -50, -3, -2, -1, 0, 1, 2, 3, 50, 1000)  # milliseconds
WRONG_KEY_MESSAGES = (
    "InitiateKeyEstablishment", "EphemeralData", "ConfirmKeyData", "bad-key-confirm", "bad-message", "no-resources",
    "unsupported-suite", "unknown-issuer",
)
QUESTIONS: Mapping[Actor, tuple[str, ...]] = MappingProxyType({  # stimuli by whom they are put to
    Actor.ESI: (
        "basic", "time", "suite", "inspect", "events", "current-price", "scheduled-prices", "last-message", "meter",
        "events-of-next-year", "unasked-default-response", "bind",
    ),
    Actor.HAN_DEVICE: (
        "basic", "suite", "inspect", "bind", "unasked-default-response",
        "event", "price", "message", "event-twice", "event-cancelled", "all-events-cancelled", "event-superseded",
        "event-for-others", "event-ahead",
    ),
})
GIVEN: Mapping[str, Mapping[str, Any]] = MappingProxyType({  # what a stimulus takes that no move says
    "event-cancelled": {"starts_in": 0}, "event-superseded": {"starts_in": 0}, "message": {"text": b"Save energy today"},
})
SECURABLE = (
    "basic", "time", "events", "current-price", "last-message", "meter", "event",
)  # stimuli that can be secured otherwise than they should be
MISTAKES: Mapping[Actor, tuple[str, ...]] = MappingProxyType({  # provocations by whose they are, without what their ids begin with
    Actor.ESI: (
        "of-another-authority", "with-anothers-certificate", "confirms-wrongly", "resizes", "misplaces", "names-suite",
        "falls-silent", "is-busy", "refuses-by-default-response",
    ),
    Actor.HAN_DEVICE: (
        "of-another-authority", "with-anothers-certificate", "confirms-wrongly", "resizes", "misplaces", "names-suite",
        "falls-silent",
    ),
})


def _every(by_actor: Mapping[Actor, Sequence[str]]) -> Words:
    return Words(tuple(dict.fromkeys(each for words in by_actor.values() for each in words)))


MOVES: Mapping[str, Kind] = MappingProxyType({
    # time
    "wait": Kind({"ms": Whole(0, 60_000, (0, 1, 300, 1700, 7680, 20_000))}, radio=True),
    "wait-long": Kind({"s": Whole(60, 400, (60, 254, 360))}),
    "to-edge": Kind({"of": ORDERED, "edge": Words(("closes", "opens")), "ms": Whole(-1000, 1000, EDGE_OFFSETS)}),
    "until": Kind({"sign": Words(SIGNS)}, radio=True),
    # the back office and the customer
    "order": Kind({"for": ORDERED}, radio=True),
    "cancel": Kind({"for": ORDERED}, radio=True),
    "provision": Kind({"device": ORDERED}, radio=True),
    "switch-on": Kind({"device": DEVICES}, radio=True),
    "reset": Kind({"device": DEVICES}, radio=True),
    "power-cycle": Kind({"of": Words(("1", "ESI"))}, radio=True),
    "renew-network-key": Kind({}, radio=True),
    "switch-network-key": Kind({}, radio=True),
    "decline": Kind({}, ours=True, radio=True),
    # what our side says on purpose
    "ask": Kind({"what": _every(QUESTIONS), "under": SECURITY}, ours=True, radio=True),
    "say": Kind({"message": Words(WRONG_KEY_MESSAGES)}, ours=True, radio=True),
    "err": Kind({"how": _every(MISTAKES)}, ours=True, radio=True),
    # what somebody else says
    "look": Kind({}),
    "knock": Kind({}),
    # what the air does
    "air": Kind({
        "does": Words(("drop", "duplicate", "delay", "replay", "corrupt")), "to": Words((ANY, ACKNOWLEDGEMENT, *SIGNS)),
        "from": Words((ANY, "ESI", "1")), "times": Whole(1, 4, (1, 2, 4)), "ms": Whole(1, 30_000, (1, 20, 500, 2000, 30_000)),
    }),
    "calm": Kind({}, radio=True),
})


@dataclass(frozen=True)
class Move:
    """One move: its name and its values in the order of its kind."""

    name: str
    values: tuple[Value, ...] = ()

    def __getitem__(self, what: str) -> Value:
        """The value of that name."""
        return self.values[list(MOVES[self.name].takes).index(what)]

    def word(self, what: str) -> str:
        """The value of that name, which is a word."""
        return str(self[what])

    def number(self, what: str) -> int:
        """The value of that name, which is a number."""
        return int(self[what])

    def __str__(self) -> str:
        return " ".join([self.name, *(f"{what}={value}" for what, value in zip(MOVES[self.name].takes, self.values, strict=True))])


def flaw(name: object, values: Sequence[object]) -> str:
    """What is wrong with a move, in words; empty where it is one of ours."""
    kind = MOVES.get(name) if isinstance(name, str) else None
    if kind is None:
        return f"there is no move {name!r}"
    if len(values) != len(kind.takes):
        return f"{name} takes {len(kind.takes)} values, not {len(values)}"
    wrong = (what for (what, domain), value in zip(kind.takes.items(), values, strict=True) if not domain.holds(value))
    return next((f"{name} takes no such {what}" for what in wrong), "")
