"""The table of use case 2.7: one module a step with its `ROW` and its `CLAUSES`; here `step` and `clause`, the cases' markers.

The registries are built by walking this package: a module may have a `ROW` (a `Step`), `CLAUSES` (a tuple of `Clause`), and
`WITHOUT_DEFECT`, the reasons why nothing planted makes some of them fail. An unknown id raises where a case names it, so that collection
stops. This package knows no case and no bench.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Iterator, Mapping
from functools import cache
from types import MappingProxyType, ModuleType

import pytest

from harness.checkers.apart import asked_of_each_order
from harness.checkers.assurance import assured
from harness.judge import narrowed
from harness.usecase import Actor, Clause, Step

SECTIONS = ("PRE", "POST", "INT", "SEQ")  # what the use case says outside its fourteen rows


@cache
def steps() -> Mapping[int, Step]:
    """The rows of the use case by number, in order."""
    rows: dict[int, Step] = {}
    for module in _modules():
        row = getattr(module, "ROW", None)
        if row is not None:
            if row.number in rows:
                raise ValueError(f"{module.__name__}: row {row.number} stands in the table twice")
            rows[row.number] = row
    return MappingProxyType(dict(sorted(rows.items())))


@cache
def clauses() -> Mapping[str, Clause]:
    """Every clause by its id, in the order of the table; of a run with two orders it asks about each by itself."""
    known: dict[str, Clause] = {}
    for module in _modules():
        for each in getattr(module, "CLAUSES", ()):
            if each.id in known:
                raise ValueError(f"{module.__name__}: clause {each.id} stands in the table twice")
            known[each.id] = assured(asked_of_each_order(each))
    return MappingProxyType(known)


@cache
def without_defect() -> Mapping[str, str]:
    """By clause and actor (`UC2.7-07-POLL-RATE@HAN Device`): why nothing that the actor does can make it fail."""
    reasons: dict[str, str] = {}
    for module in _modules():
        reasons.update(getattr(module, "WITHOUT_DEFECT", {}))
    return MappingProxyType(reasons)


def find(identifier: str) -> Clause:
    """The clause `UC2.7-08-ORDER`, or for one of its actors only `UC2.7-08-ORDER@ESI`. Raises LookupError."""
    name, _, actor = identifier.partition("@")
    if name not in clauses():
        raise LookupError(f"unknown clause {name!r}; the clauses stand in cases/table/")
    whole = clauses()[name]
    if not actor:
        return whole
    if actor not in {each.value for each in whole.checks}:
        raise LookupError(f"clause {name} is not about {actor!r}, but about {', '.join(whole.checks)}")
    return narrowed(whole, Actor(actor))


def step(where: int | str) -> pytest.MarkDecorator:
    """Mark a module as the cases of one row (1 to 14) or of one section (PRE, POST, INT, SEQ). Raises LookupError."""
    if isinstance(where, int):
        if where not in steps():
            raise LookupError(f"the use case has no step {where}")
        return pytest.mark.step(steps()[where])
    if where not in SECTIONS:
        raise LookupError(f"the use case has no section {where!r}; there are {', '.join(SECTIONS)}")
    return pytest.mark.step(where)


def clause(*identifiers: str) -> pytest.MarkDecorator:
    """Mark a case with the clauses it asks about: ids, or `id@actor` for one actor of a clause. Raises LookupError."""
    if not identifiers:
        raise LookupError("a case names at least one clause")
    return pytest.mark.clause(*(find(each) for each in identifiers))


def _modules() -> Iterator[ModuleType]:
    for found in sorted(pkgutil.iter_modules(__path__), key=lambda module: module.name):
        yield importlib.import_module(f"{__name__}.{found.name}")
