"""The kill matrix: what each planted defect makes of the undisturbed run, judged by every clause, and of cases.

A kill is a fail of exactly the clauses that the defect says it breaks. A crash, an error, an inconclusive end or a fail of
another clause is none. Knows no defect, no case and no bench by name.
"""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from harness.adapters.defects import Defect
from harness.declarations import BenchFile, Device
from harness.judge import Judgement, judge
from harness.plugin.campaign import Bench, Campaign, Planned
from harness.plugin.case import clauses_of, run_case
from harness.plugin.examples import load_profile
from harness.usecase import Clause, Step
from harness.verdict import Verdict

SCHEMA = "hanproof.kill-matrix/1"
OF_A_DECLARED_CLAUSE, OF_ANOTHER = 3, 1  # examples that Hypothesis draws: what must be caught is looked for longer
PRECONDITION = "-PRE-"  # of a bench whose precondition does not hold nothing fails: it is inconc, and says which


@dataclass(frozen=True)
class Row:
    """What became of one defect. `failed` are the clauses, by actor, that are a fail; `errors` what went wrong on our side.

    `hints` are the causes that the failing findings of the declared clauses name, `devices` those that were needed.
    """

    id: str
    text: str
    actor: str
    declared: tuple[str, ...]
    cause: str = ""
    misbehaviours: tuple[str, ...] = ()
    failed: tuple[str, ...] = ()
    hints: tuple[str, ...] = ()
    errors: tuple[str, ...] = ()
    devices: tuple[str, ...] = ()

    @property
    def step(self) -> str:
        """Where the first declared clause belongs: 01 to 14, PRE, POST, INT or SEQ."""
        return self.declared[0].split("-")[1]

    @property
    def killed(self) -> bool:
        """Whether exactly the declared clauses failed, and nothing went wrong on our side."""
        return set(self.failed) == set(self.declared) and not self.errors

    @property
    def hinted(self) -> bool:
        """Whether the findings name the defect's own cause."""
        return bool(self.cause) and self.cause in self.hints

    def __str__(self) -> str:
        missed, besides = set(self.declared) - set(self.failed), set(self.failed) - set(self.declared)
        told = [
            "killed" if self.killed else "SURVIVES",
            *([f"unnoticed by {', '.join(sorted(missed))}"] if missed else ()),
            *([f"also fails {', '.join(sorted(besides))}"] if besides else ()),
            *self.errors,
        ]
        return f"{self.id}: {'; '.join(told)}"

    def as_dict(self) -> dict[str, Any]:
        """The row as `kill-matrix.json` carries it."""
        return {
            "id": self.id, "step": self.step, "actor": self.actor, "text": self.text, "declared": sorted(self.declared),
            "failed": sorted(self.failed), "killed": self.killed, "cause": self.cause, "hints": sorted(self.hints),
            "misbehaviours": list(self.misbehaviours), "errors": list(self.errors), "devices": list(self.devices),
        }


@dataclass(frozen=True)
class Proof:
    """What defects are planted in: a bench file, what builds its benches, every clause, and the case functions.

    `thorough` plays, beside the cases of the declared clauses, all others of their steps that ask of the defect's actor.
    """

    bench: BenchFile
    build: Callable[[Planned], Bench]
    clauses: Sequence[Clause]
    cases: Sequence[Callable[..., Any]]
    thorough: bool = False
    steps: Mapping[str, Sequence[Callable[..., Any]]] = field(init=False)

    def __post_init__(self) -> None:
        load_profile()
        steps: dict[str, list[Callable[..., Any]]] = {}
        for function in self.cases:
            steps.setdefault(step_of(function), []).append(function)
        object.__setattr__(self, "steps", steps)

    def of(self, defect: Defect) -> Row:
        """Plant one defect and see what fails. A further device is asked only where the first is no kill by itself."""
        row = Row(defect.id, defect.text, str(defect.actor), defect.breaks, defect.cause, defect.misbehaviours)
        for device in self.bench.devices:
            seen = self._on(device, defect, row)
            row = replace(
                row, devices=(*row.devices, device.name), failed=_joined(row.failed, seen.failed),
                hints=_joined(row.hints, seen.hints), errors=_joined(row.errors, seen.errors),
            )
            if row.killed:
                break
        return row

    def conformant(self) -> dict[str, list[str]]:
        """What fails, by device, where nothing is planted: an undisturbed run judged by every clause."""
        return {device.name: list(self._on(device, None, Row("", "", "", ())).failed) for device in self.bench.devices}

    def _on(self, device: Device, defect: Defect | None, row: Row) -> Row:
        campaign = Campaign(self.bench, self.bench.seed, self.build)
        trace = campaign.provisioned(device, defect).trace
        judgements = judge(trace, self.clauses) if trace is not None else []
        for function, own in self._asked(row.declared, row.actor):
            conclusion = run_case(
                function, campaign, device, defect, examples=OF_A_DECLARED_CLAUSE if own else OF_ANOTHER,
            )
            judgements += conclusion.judgements
        return _read(row, judgements)

    def _asked(self, declared: Sequence[str], actor: str) -> Iterable[tuple[Callable[..., Any], bool]]:
        """The cases of the declared clauses, and the others that are to be played; whether it is one of the former."""
        names = {each.partition("@")[0] for each in declared}
        own = [function for function in self.cases if any(clause.id in names for clause in clauses_of(function))]
        yield from ((function, True) for function in own)
        for step in dict.fromkeys(each.split("-")[1] for each in declared) if self.thorough else ():
            for function in self.steps.get(step, ()):
                if function not in own and any(actor in clause.checks for clause in clauses_of(function)):
                    yield function, False


def step_of(function: Callable[..., Any]) -> str:
    """The step of a case, as clause ids write it, by its module's mark."""
    (where,) = sys.modules[function.__module__].pytestmark.args
    return f"{where.number:02}" if isinstance(where, Step) else str(where)


def as_dict(
    rows: Sequence[Row], clauses: Sequence[Clause], conformant: Mapping[str, Sequence[str]], without_defect: Mapping[str, str],
) -> dict[str, Any]:
    """The whole matrix as `kill-matrix.json` carries it; `without_defect` says by clause and actor why nothing makes it fail."""
    musts = {f"{clause.id}@{actor}" for clause in clauses if clause.level == "MUST" for actor in clause.checks}
    musts -= set(without_defect)
    killed = {each for row in rows if row.killed for each in row.declared}
    return {
        "schema": SCHEMA,
        "defects": [row.as_dict() for row in rows],
        "conformant": conformant,
        "without_defect": dict(without_defect),
        "totals": {
            "defects": len(rows), "killed": sum(row.killed for row in rows),
            "survivors": [row.id for row in rows if not row.killed],
            "must_clauses": len(musts), "must_clauses_killed": len(musts & killed), "must_clauses_alive": sorted(musts - killed),
            "with_cause": sum(bool(row.cause) for row in rows), "hinted": sum(row.hinted for row in rows),
            "by_step": dict(sorted(Counter(row.step for row in rows).items())),
        },
    }


def _joined(some: Iterable[str], others: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys((*some, *others)))


def _read(row: Row, judgements: Iterable[Judgement]) -> Row:
    failed: dict[str, None] = {}
    hints: dict[str, None] = {}
    errors: dict[str, None] = {}
    for judgement in judgements:
        wanted = Verdict.INCONC if PRECONDITION in judgement.id and judgement.id in row.declared else Verdict.FAIL
        if judgement.verdict is wanted:
            failed[judgement.id] = None
        for finding in judgement.findings:
            if finding.verdict is Verdict.ERROR:
                errors[f"{judgement.id}: {finding.message}"] = None
            if finding.verdict is wanted and finding.hint and judgement.id in row.declared:
                hints[finding.hint] = None
    return replace(row, failed=tuple(failed), hints=tuple(hints), errors=tuple(errors))
