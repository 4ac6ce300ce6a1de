"""`hanproof plan --matrix`: clause by actor, the cases that ask it, the defects that break it, and a reason for every empty cell.

A case is *undisturbed* where it judges the shared provisioning, *arranged* where it plays one of its own. Runs no case.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from harness.adapters.defects import all_defects
from harness.adapters.stimuli import all_stimuli

ONLY_WHEN_ARRANGED = "an undisturbed run never puts this question; the arranged cases hold what is right and what is wrong"
REASONS = "WITHOUT_NEGATIVE"  # of a module of the table: by clause@actor, why no arranged case is possible
UNBROKEN = "WITHOUT_DEFECT"  # likewise: why nothing planted makes it fail


@dataclass(frozen=True)
class Line:
    """One clause for one actor. `reason` is why there is no arranged case, `unbroken` why no defect; empty where there is one, or
    nobody has said why."""

    clause: str
    level: str
    origin: str
    pics: str
    open_item: str
    undisturbed: tuple[str, ...]
    arranged: tuple[str, ...]
    defects: tuple[str, ...]
    reason: str
    unbroken: str = ""

    def holes(self) -> Iterator[str]:
        """Every empty cell for which there is no reason."""
        if not self.arranged and not self.reason:
            yield f"{self.clause}: no arranged case, and no reason in {REASONS}"
        if not self.undisturbed and not self.arranged:
            yield f"{self.clause}: no case"
        if not self.defects and not self.unbroken:
            yield f"{self.clause}: no defect breaks it, and no reason in {UNBROKEN}"
        if self.defects and self.unbroken:
            yield f"{self.clause}: has a defect, so that the reason in {UNBROKEN} is out of date"
        if self.arranged and self.reason:
            yield f"{self.clause}: has an arranged case, so that the reason in {REASONS} is out of date"

    def as_dict(self) -> dict[str, Any]:
        """The line as JSON has it."""
        return {
            "clause": self.clause, "level": self.level, "origin": self.origin, "pics": self.pics, "open_item": self.open_item,
            "undisturbed": list(self.undisturbed), "arranged": list(self.arranged), "defects": list(self.defects),
            "reason": self.reason, "unbroken": self.unbroken,
        }


@dataclass(frozen=True)
class Matrix:
    """Every line, the misbehaviours with what is an instance of them, and the open questions."""

    lines: tuple[Line, ...]
    misbehaviours: tuple[Mapping[str, Any], ...]
    questions: tuple[Any, ...]

    def holes(self) -> list[str]:
        """Every empty cell of the matrix for which there is no reason."""
        found = [hole for line in self.lines for hole in line.holes()]
        for each in self.misbehaviours:
            if not each["defects"] and not each["noted"]:
                found.append(f"{each['id']}: no defect is an instance of it")
            if not each["provocations"] and not each["unprovoked"]:
                found.append(f"{each['id']}: our side does not provoke it, and no reason says why")
        return found

    def as_dict(self) -> dict[str, Any]:
        """The matrix as JSON has it."""
        return {
            "clauses": [line.as_dict() for line in self.lines],
            "misbehaviours": [dict(each) for each in self.misbehaviours],
            "open_questions": [
                {"source": each.source, "question": each.question, "treated": each.treated, "clauses": list(each.clauses)}
                for each in self.questions
            ],
            "holes": self.holes(),
        }

    def text(self) -> str:
        """The matrix in words, one thing a line, so that a lost case is a lost line."""
        parts = [line for each in self.lines for line in _clause(each)]
        if self.misbehaviours:
            parts += ["", "MISBEHAVIOURS OF THE RADIO SIDE", *(line for each in self.misbehaviours for line in _misbehaviour(each))]
        if self.questions:
            parts += ["", "OPEN QUESTIONS", *(line for each in self.questions for line in _question(each))]
        return "\n".join(parts)


def matrix(table: Any, cases: Sequence[Mapping[str, Any]]) -> Matrix:
    """The matrix of a clause table (a module) and the cases that `hanproof plan` collects."""
    package = table.__name__
    asked: dict[str, dict[bool, dict[str, None]]] = {}
    for case in cases:
        for clause in case["clauses"]:
            kinds = asked.setdefault(clause, {True: {}, False: {}})
            kinds[case["undisturbed"]][case["function"]] = None
    defects = all_defects().values()
    broken: dict[str, list[str]] = {}
    for defect in defects:
        for clause in defect.breaks:
            broken.setdefault(clause, []).append(defect.id)
    reasons, unbroken = _reasons(package, REASONS), _reasons(package, UNBROKEN)
    lines = []
    for clause in table.clauses().values():
        for actor in clause.checks:
            name = f"{clause.id}@{actor}"
            kinds = asked.get(name, {True: {}, False: {}})
            lines.append(Line(
                name, clause.level, clause.origin, clause.pics or "", clause.open_item, tuple(sorted(kinds[True])),
                tuple(sorted(kinds[False])), tuple(sorted(broken.get(name, ()))), reasons.get(name, ""),
                unbroken.get(name, ""),
            ))
    instances = [(each.misbehaviours, each.id, bool(each.breaks)) for each in defects]
    instances += [(each.misbehaviours, each.id, False) for each in all_stimuli().values()]
    told = tuple(
        {
            "id": each.id, "text": each.text, "unprovoked": each.unprovoked, "noted": each.noted,
            "defects": sorted(name for ids, name, breaks in instances if each.id in ids and breaks),
            "provocations": sorted(name for ids, name, breaks in instances if each.id in ids and not breaks),
        }
        for each in _listed(package, "misbehaviours", "MISBEHAVIOURS")
    )
    return Matrix(tuple(lines), told, _listed(package, "open_questions", "OPEN_QUESTIONS"))


def _reasons(package: str, kind: str) -> dict[str, str]:
    found: dict[str, str] = {}
    for module in pkgutil.iter_modules(importlib.import_module(package).__path__):
        found.update(getattr(importlib.import_module(f"{package}.{module.name}"), kind, {}))
    return found


def _listed(package: str, module: str, name: str) -> tuple[Any, ...]:
    """What a module of the table lists; nothing where a table of somebody else's has no such module."""
    path = importlib.import_module(package).__path__
    if module not in {found.name for found in pkgutil.iter_modules(path)}:
        return ()
    return tuple(getattr(importlib.import_module(f"{package}.{module}"), name))


def _clause(line: Line) -> Iterator[str]:
    marks = [line.level, line.origin, *([f"PICS {line.pics}"] if line.pics else ())]
    yield f"{line.clause}  ({', '.join(marks)})"
    if line.open_item:
        yield f"    open item    {line.open_item}"
    yield from (f"    undisturbed  {case}" for case in line.undisturbed or (f"none: {ONLY_WHEN_ARRANGED}",))
    yield from (f"    arranged     {case}" for case in line.arranged or (f"none: {line.reason or 'NO REASON GIVEN'}",))
    yield from (f"    defect       {defect}" for defect in line.defects or (f"none: {line.unbroken}" if line.unbroken else "NONE",))


def _misbehaviour(told: Mapping[str, Any]) -> Iterator[str]:
    yield f"{told['id']}  {told['text']}"
    yield from (f"    defect       {each}" for each in told["defects"] or (f"none: {told['noted']}" if told["noted"] else "NONE",))
    yield from (f"    provoked by  {each}" for each in told["provocations"] or (f"none: {told['unprovoked'] or 'NO REASON GIVEN'}",))


def _question(each: Any) -> Iterator[str]:
    yield f"{each.source}: {each.question}"
    yield f"    treated      {each.treated}"
    yield from (f"    clause       {clause}" for clause in each.clauses)
