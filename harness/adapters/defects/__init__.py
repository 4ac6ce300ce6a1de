"""Named wrong behaviours of virtual actors, one file a step; knows policies and clause ids, never how a trace is judged.

A defect names the clauses it breaks (`UC2.7-06-AUTHORISED@ESI`). A provocation is the same thing planted in the harness's own
side on purpose, to see how the other side reacts: it breaks nothing that is judged, and `breaks` is empty.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from harness.usecase import Actor


@dataclass(frozen=True)
class Defect:
    """One wrong behaviour: `decisions` replaces fields of the actor's policy, `rewrites` changes outgoing structures.

    `cause` is what a finding's hint must name where it fails a clause by this (`harness.causes`), empty where no checker can know.
    `misbehaviours` are those of the list of radio misbehaviours that it is an instance of (`M-17`).
    `made` makes further rewrites anew for each bench, so that they may count what they see; it takes what the plan says the
    behaviour is provoked with, None where it says nothing.
    """

    id: str
    actor: Actor
    text: str
    breaks: tuple[str, ...] = ()
    decisions: Mapping[str, Any] = field(default_factory=dict)
    rewrites: tuple[Callable[[Any], Any], ...] = ()
    made: Callable[[Any], tuple[Callable[[Any], Any], ...]] | None = None
    cause: str = ""
    misbehaviours: tuple[str, ...] = ()


def all_defects() -> dict[str, Defect]:
    """Every defect and provocation by id, found by walking this package's modules for their `DEFECTS`."""
    found: dict[str, Defect] = {}
    for module in pkgutil.iter_modules(__path__):
        for defect in importlib.import_module(f"{__name__}.{module.name}").DEFECTS:
            if defect.id in found:
                raise ValueError(f"two defects are called {defect.id}")
            found[defect.id] = defect
    return found
