"""The role verbs of the back office as words, for whoever performs them elsewhere: another process, a command, a person.

Knows what each verb takes; nothing of how it is carried or performed.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from harness.usecase import Actor, Order
from harness.values import DeviceType, Eui64


@dataclass(frozen=True)
class Verb:
    """What a verb takes (order, meter, device, premise, or empty for nothing), and whether it has something done or only asks."""

    takes: str
    does: bool = False


BACK_OFFICE_VERBS: Mapping[Actor, Mapping[str, Verb]] = MappingProxyType({
    Actor.DR_APPLICATION: {
        "order_window": Verb("order", does=True), "cancel_window": Verb("order", does=True), "state_of": Verb("device"),
    },
    Actor.AMI_HEAD_END: {"knows_meter": Verb("meter")},
    Actor.CIS: {"register_meter": Verb("meter", does=True), "devices_at": Verb("premise"), "enrolled_in": Verb("premise")},
    Actor.ODS: {"events_held": Verb("")},
})
"""Verbs by role (harness/actors), as far as a system of the back office has any."""


def order_in_words(order: Order) -> dict[str, Any]:
    """An order as JSON can hold it. It holds the key: to be sent over loopback only, and never to be shown."""
    return {
        "device": str(order.device), "device_type": order.device_type.value, "key_material": order.key_material.hex(),
        "key_form": order.key_form, "start": order.start, "duration": order.duration, "meter": order.meter,
        "premise": order.premise,
    }


def order_of(words: Mapping[str, Any]) -> Order:
    """The order that these words describe. Raises ValueError, KeyError or TypeError for any that describe none."""
    return Order(**{
        **words, "device": Eui64.parse(words["device"]), "device_type": DeviceType(words["device_type"]),
        "key_material": bytes.fromhex(words["key_material"]),
    })


def in_words(argument: Any) -> Any:
    """What a verb takes, as JSON can hold it."""
    return order_in_words(argument) if isinstance(argument, Order) else str(argument)


def argument_of(verb: Verb, words: Any) -> Any:
    """What a verb takes, from its words. Raises ValueError, KeyError or TypeError for words that are none."""
    if verb.takes == "order":
        return order_of(words)
    return Eui64.parse(words) if verb.takes == "device" else str(words)
