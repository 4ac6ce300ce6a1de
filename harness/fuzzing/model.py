"""The reference model: what must be true of a network whatever moves are made, said a second time and in few words.

It knows orders, windows, keys and frames; no checker and no stack. Each law is a small memory over what was seen and done; a breach
says which law, who broke it, and where it shows. A law asks nothing while it cannot know: what a law cannot tell is no breach.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from harness.usecase import Actor
from harness.values import Eui64


@dataclass(frozen=True)
class Breach:
    """A law that was broken, by whom, and the exchanges that show it."""

    law: str
    actor: Actor
    sentence: str
    shown_by: tuple[int, ...] = ()

    @property
    def id(self) -> str:
        """The law and the actor, told from a clause's."""
        return f"model:{self.law}@{self.actor}"


@dataclass(frozen=True)
class Facts:
    """What is known before the first move. `ordered` is the link key that each ordered device is to be let in with, `holds` the one
    that each device really has, by machine; `epoch` is the UTC instant of second 0, `codec` reads leg 4."""

    names: Mapping[Eui64, str]
    ordered: Mapping[str, bytes] = field(repr=False)
    holds: Mapping[str, bytes] = field(repr=False)
    epoch: datetime
    codec: Any


VERBS = ("see", "told", "done", "took", "rest")
"""What a law may have an interest in: `see(seen)` a frame that went by; `told(exchange)` a message that went over a leg;
`done(what, to, now)` something done to a machine, or to the "air"; `took(machine, command, now)` a machine says that it acted upon
an application command; `rest(now)` time has come this far. Each may give breaches, or nothing at all."""


class Model:
    """All laws together. Which verbs a law has, it says by having them."""

    def __init__(self, laws: Sequence[Any]) -> None:
        self._interested = {verb: [getattr(law, verb) for law in laws if hasattr(law, verb)] for verb in VERBS}
        self.breaches: list[Breach] = []

    def hears(self, verb: str, *what: Any) -> None:
        """Let every law hear of it that has that verb."""
        for law in self._interested[verb]:
            self.breaches += law(*what) or ()
