"""How a bench file says that a role verb of something real is performed: by a command, by a person, or by a class of the vendor's.

Knows how that is written, and which verbs HAN Device and ESI have; runs nothing and asks nobody.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

from harness.declared import Field
from harness.usecase import Actor

LONGEST_PROMPT = 400  # characters
LONGEST_LIMIT = 3600.0  # seconds
WAYS = ("command", "person", "adapter")


@dataclass(frozen=True)
class Verb:
    """What a verb needs to be performed. `at_once`: what follows comes at once, so that a person first says that it may begin."""

    at_once: bool = False
    preamble: bool = False  # whether every play performs it


ONCE = Verb()
VERBS: Mapping[Actor, Mapping[str, Verb]] = MappingProxyType({
    Actor.HAN_DEVICE: {
        "factory_reset": Verb(preamble=True), "start_joining": Verb(at_once=True, preamble=True), "power_cycle": Verb(at_once=True),
        "opt_out": Verb(at_once=True),
    },
    Actor.ESI: {
        "factory_reset": Verb(preamble=True), "open_window": Verb(preamble=True), "close_window": ONCE,
        "power_cycle": Verb(at_once=True), "renew_network_key": ONCE, "switch_network_key": ONCE,
    },
})
"""Role verbs of what is on the air (harness/actors)."""


@dataclass(frozen=True)
class Way:
    """How one verb is performed: exactly one of `command`, `person` (the text of the prompt) and `adapter` (`module:Class`).

    `limit` is how many seconds the command or the person may take, None for the usual; `options` are the adapter's.
    """

    command: str = ""
    person: str = ""
    adapter: str = ""
    limit: float | None = None
    options: Mapping[str, str] = field(default_factory=dict, hash=False)


def read_way(given: Field) -> Way:
    """A mapping with one of command, person and adapter. Raises InputError."""
    fields = given.fields()
    ways = {name: fields.take(name) for name in WAYS}
    named = [(name, way) for name, way in ways.items() if way is not None]
    if len(named) != 1:
        raise given.wrong("needs exactly one of command, person and adapter", "as {person: \"Press the button for 3 s\"}")
    ((name, way),) = named
    limit = fields.take("limit")
    seconds = limit.number(1, LONGEST_LIMIT) if limit is not None else None
    if name == "adapter":
        if limit is not None:
            raise limit.wrong("belongs to a command or a person", "an adapter with a limit of its own")
        options = {option: value.text() for option, value in fields.rest().items()}
        return Way(adapter=way.class_name("acme_lab:PowerSwitch"), options=MappingProxyType(options))
    fields.done()
    if not way.text().isprintable() or not 0 < len(way.text()) <= LONGEST_PROMPT:
        raise way.wrong("is no line of text", f"1 to {LONGEST_PROMPT} characters on one line")
    return Way(command=way.text(), limit=seconds) if name == "command" else Way(person=way.text(), limit=seconds)


def way_of(option: Any) -> Way | None:
    """The way that an option of an adapter stands for: a text alone is a command. None for no option."""
    return Way(command=option) if isinstance(option, str) else option


def asks_a_person(options: Mapping[str, Any]) -> tuple[str, ...]:
    """The verbs among these options that a person performs."""
    return tuple(name for name, option in options.items() if isinstance(option, Way) and option.person)
