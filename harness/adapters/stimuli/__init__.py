"""Named stimuli: what the bench's own ESI or HAN device says on purpose to the other one. Knows the stack; judges nothing.

A case names a stimulus and gives it values (`bench.ask(Actor.ESI, "attribute", attribute=...)`); the octets stand here.
A stimulus ends when its course is over: an answer had its time, or an event that was sent has run.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from types import MappingProxyType

from harness.stack.conversation import Pause, Script
from harness.stack.stimulus import Security

ANSWER = Pause(20.0)  # until a device that polls every 7.5 s has had 10 s for its answer


@dataclass(frozen=True)
class Stimulus:
    """One stimulus: `script` takes the asker, and by name whatever a case may vary.

    `misbehaviours` are those of the list of radio misbehaviours that our side commits by it (`M-36`). `unmet`: it can also be put
    to a device that the ESI knows nothing of but its address.
    """

    id: str
    text: str
    script: Callable[..., Script]
    misbehaviours: tuple[str, ...] = ()
    unmet: bool = False


@cache
def all_stimuli() -> Mapping[str, Stimulus]:
    """Every stimulus by id, found by walking this package's modules for their `STIMULI`."""
    found: dict[str, Stimulus] = {}
    for module in pkgutil.iter_modules(__path__):
        for stimulus in importlib.import_module(f"{__name__}.{module.name}").STIMULI:
            if stimulus.id in found:
                raise ValueError(f"two stimuli are called {stimulus.id}")
            found[stimulus.id] = stimulus
    return MappingProxyType(found)


def stimulus(identity: str) -> Stimulus:
    """The stimulus of that id. Raises LookupError for one that there is not."""
    if identity not in all_stimuli():
        raise LookupError(f"there is no stimulus {identity!r}")
    return all_stimuli()[identity]


def secured(how: str | None) -> Security:
    """How a case wants a question secured ("network key", "install key" ...); as it is due where the case does not say."""
    return Security.DUE if how is None else Security(how)
