"""What a bench file says under `radios`: who on the air has which radio, and which sniffers there are. Opens none."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

from dissectors.smart_energy import ALL_CHANNELS
from harness.declared import Field
from harness.usecase import Actor, second

SNIFFER = "sniffer"
CHANNEL = "channel"  # the option of a sniffer that listens to one channel whatever the bench's first radio is tuned to
EXAMPLE = "harness.radio.rcp:Rcp"
_SNIFFER = re.compile(rf"{SNIFFER}( \d)?")
NAMES = (*(name(actor) for actor in (Actor.ESI, Actor.HAN_DEVICE) for name in (str, second)), "stranger", "neighbour")


@dataclass(frozen=True)
class Plugged:
    """One radio: an adapter, `module:Class`, and the options it is given; `place` says where in the file."""

    adapter: str
    options: Mapping[str, Any] = field(default_factory=dict, hash=False)
    place: str = field(default="", compare=False)


def is_sniffer(name: str) -> bool:
    """Whether a radio of that name takes no part, and hears everything."""
    return _SNIFFER.fullmatch(name) is not None


def passed_on(made: type[Any], options: Mapping[str, Any]) -> Mapping[str, Any]:
    """What a radio of this class is told of its options: its channel only where no bench tunes it (`harness.ports.Radio`)."""
    if getattr(made, "tuned_elsewhere", False):
        return options
    return {option: value for option, value in options.items() if option != CHANNEL}


def read_radios(given: Field) -> Mapping[str, Plugged]:
    """Radios by who has them. Raises InputError."""
    radios: dict[str, Plugged] = {}
    told: list[Field] = []  # channels of sniffers
    for name, radio in given.fields().rest().items():
        if name not in NAMES and not is_sniffer(name):
            raise radio.wrong("nobody on the air has this name", f"one of {', '.join(NAMES)}, {SNIFFER}, {SNIFFER} 2")
        fields = radio.fields()
        target = fields.need("adapter", EXAMPLE)
        rest = fields.rest()
        if CHANNEL in rest and not is_sniffer(name):
            raise rest[CHANNEL].wrong("the radio of an actor is tuned by its actor", "a channel for a sniffer alone")
        if CHANNEL in rest:
            rest[CHANNEL].choice(map(str, ALL_CHANNELS))
            told.append(rest[CHANNEL])
        options = {option: value.text() for option, value in rest.items()}
        radios[name] = Plugged(target.class_name(EXAMPLE), MappingProxyType(options), target.place)
    if not radios:
        raise given.wrong("has no radio", f"{{ESI: {{adapter: '{EXAMPLE}', port: /dev/ttyACM0}}}}, or nothing: all is virtual then")
    for each in told:
        if each.text() != told[0].text():
            raise each.wrong("another sniffer has another channel", f"{told[0].text()}, for all sniffers of a bench listen to the same one")
    if not told and all(map(is_sniffer, radios)):
        raise given.wrong("no sniffer is told its channel, and there is no radio to follow", "`channel: 15` beside the sniffer's port")
    return MappingProxyType(radios)
