"""The results of a run as values and as `verdicts.json`: cases, clauses, steps, totals. Knows no pytest and no other file."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from harness.causes import all_causes
from harness.errors import InputError
from harness.judge import Judgement
from harness.usecase import Clause
from harness.verdict import Finding, Verdict, worst

SCHEMA = "hanproof.verdicts/1"
FILE = "verdicts.json"
STEPS = tuple(str(number) for number in range(1, 15))
SECTIONS = ("PRE", "POST", "INT", "SEQ")
NOT_APPLICABLE = "not_applicable"
_LEFT_OUT = ("reason", NOT_APPLICABLE, "example", "unjudged")  # of a case, where they are empty
_CASE = {"id": str, "title": str, "step": str, "device": str, "reason": str, NOT_APPLICABLE: dict, "example": dict}
TOLD = ("says", "expected", "observed", "cause")  # what people are told of a finding, beside its message
_FINDING = {"clause": str, "scenario": str, "verdict": str, "message": str, "expected": str, "observed": str, "evidence": list}
OUTCOMES = ("pass", "inconc", "fail", "error", NOT_APPLICABLE)


@dataclass(frozen=True)
class CaseResult:
    """One case on one device.

    `clauses` are ids with their actor; `findings` are dictionaries as in the file, each with its `clause` (empty for what broke
    the case off) and its `scenario`; `evidence` are paths below the run folder; `not_applicable` gives reasons by clause.
    """

    id: str
    title: str
    step: str
    device: str
    clauses: tuple[str, ...]
    verdict: Verdict
    reason: str = ""
    findings: tuple[Mapping[str, Any], ...] = field(default=(), hash=False)
    evidence: tuple[str, ...] = ()
    not_applicable: Mapping[str, str] = field(default_factory=dict, hash=False)
    example: Mapping[str, str] = field(default_factory=dict, hash=False)
    unjudged: tuple[str, ...] = ()  # of the evidence: what was played when the case broke off before it verified
    place: int = 0  # in the order of collection, which xdist does not keep
    duration: float = 0.0  # seconds of real time

    @property
    def outcome(self) -> str:
        """One of `OUTCOMES`: the verdict, which is none only where nothing was applicable."""
        return NOT_APPLICABLE if self.verdict is Verdict.NONE else str(self.verdict)

    def verdict_on(self, clause: str) -> Verdict:
        """The verdict on one of its clauses; none where it was not applicable, or its question was not put."""
        found = (each for each in self.findings if each["clause"] == clause and not each.get("note"))
        return worst(Verdict.parse(each["verdict"]) for each in found)

    def as_dict(self) -> dict[str, Any]:
        """As `verdicts.json` carries it: without place and duration, which are not the device's doing."""
        fields = {**asdict(self), "verdict": str(self.verdict)}
        del fields["place"], fields["duration"]
        return {name: value for name, value in fields.items() if value or name not in _LEFT_OUT}

    @classmethod
    def from_dict(cls, fields: Mapping[str, Any]) -> CaseResult:
        """From what `as_dict` made, also after a passage through JSON. Raises KeyError, TypeError or ValueError."""
        tuples = {name: tuple(fields.get(name, ())) for name in ("clauses", "findings", "evidence", "unjudged")}
        _be(dict, fields)
        for name, kind in _CASE.items():
            _be(kind, fields.get(name, kind()))
        _be(str, *tuples["clauses"], *tuples["evidence"], *tuples["unjudged"])
        for finding in tuples["findings"]:
            _be(dict, finding)
            for name, kind in _FINDING.items():
                _be(kind, finding[name])
            _be(int, *finding["evidence"])
            Verdict.parse(finding["verdict"])
        return cls(**{**fields, **tuples, "verdict": Verdict.parse(fields["verdict"])})


@dataclass(frozen=True)
class Results:
    """Every case of a run, in the order of collection."""

    cases: tuple[CaseResult, ...]
    bench: Mapping[str, Any] = field(default_factory=dict, hash=False)
    run: Mapping[str, Any] = field(default_factory=dict, hash=False)

    @classmethod
    def of(cls, cases: Iterable[CaseResult], bench: Mapping[str, Any], run: Mapping[str, Any]) -> Results:
        """In order, whatever order the cases came in."""
        ordered = sorted(cases, key=lambda case: (case.place, case.id))
        durations = {case.id: round(case.duration, 3) for case in ordered}
        return cls(tuple(ordered), bench, {**run, "durations": durations})

    @property
    def totals(self) -> dict[str, int]:
        """How many cases had each outcome."""
        return {"cases": len(self.cases), **{each: sum(case.outcome == each for case in self.cases) for each in OUTCOMES}}

    def step(self, step: str, device: str | None = None) -> Verdict:
        """The worst verdict of a step's cases, on one device or on all; none where no case of it ran."""
        return worst(case.verdict for case in self.cases if case.step == step and device in (None, case.device))

    def steps(self) -> dict[str, Verdict]:
        """The verdict on each of the fourteen steps, and on each section outside them that has cases."""
        present = {case.step for case in self.cases}
        return {step: self.step(step) for step in (*STEPS, *(section for section in SECTIONS if section in present))}

    def step_rows(self) -> list[tuple[str, list[tuple[str, Verdict]]]]:
        """The table that terminals show: each step with a word and a verdict for every device."""
        rows = []
        for step in self.steps():
            cells = []
            for device in self.bench["devices"]:
                verdict = self.step(step, device)
                ran = any(case.step == step and case.device == device for case in self.cases)
                cells.append((str(verdict) if verdict else "not applicable" if ran else "not run", verdict))
            rows.append((step, cells))
        return rows

    def clauses(self) -> dict[str, dict[str, Any]]:
        """For each clause and actor the worst verdict, the cases that asked, and why it was never applicable."""
        cases: dict[str, list[CaseResult]] = {}
        for case in self.cases:
            for clause in case.clauses:
                cases.setdefault(clause, []).append(case)
        table: dict[str, dict[str, Any]] = {}
        for clause, asking in sorted(cases.items()):
            table[clause] = {
                "verdict": str(worst(case.verdict_on(clause) for case in asking)), "cases": [case.id for case in asking],
            }
            reasons = [case.not_applicable[clause] for case in asking if clause in case.not_applicable]
            if len(reasons) == len(asking):
                table[clause][NOT_APPLICABLE] = reasons[0]
        return table

    def as_dict(self) -> dict[str, Any]:
        """The whole of `verdicts.json`; what differs between two runs from one seed stands under `run` only."""
        return {
            "schema": SCHEMA,
            "totals": self.totals,
            "steps": {step: str(verdict) for step, verdict in self.steps().items()},
            "clauses": self.clauses(),
            "cases": [case.as_dict() for case in self.cases],
            "bench": dict(self.bench),
            "run": dict(self.run),
        }

    def write(self, folder: Path) -> None:
        """Write `verdicts.json`, whole or not at all."""
        text = json.dumps(self.as_dict(), indent=1, ensure_ascii=False)
        draft = folder / f".{FILE}"
        draft.write_text(text + "\n", encoding="utf-8")
        draft.replace(folder / FILE)

    @classmethod
    def read(cls, folder: Path) -> Results:
        """Read `verdicts.json` of a run folder. Raises InputError naming the file."""
        path = folder / FILE
        try:
            fields = json.loads(path.read_text(encoding="utf-8"))
            if fields["schema"] != SCHEMA:
                raise ValueError(f"schema is {fields['schema']!r}, not {SCHEMA}")
            _be(dict, fields["bench"], fields["run"])
            _be(str, *fields["bench"]["devices"])
            return cls(tuple(CaseResult.from_dict(case) for case in fields["cases"]), fields["bench"], fields["run"])
        except OSError as fault:
            raise InputError(f"{path}: cannot be read: {fault.strerror}; right would be a finished run") from fault
        except (ValueError, KeyError, TypeError, AttributeError) as fault:
            raise InputError(f"{path}: not the verdicts of a run: {fault}") from fault


def _be(kind: type, *values: object) -> None:
    for value in values:
        if not isinstance(value, kind):
            raise TypeError(f"a {type(value).__name__} stands where a {kind.__name__} belongs")


def clause_ids(clauses: Iterable[Clause]) -> tuple[str, ...]:
    """`id@actor` of every clause for every actor it is about."""
    return tuple(f"{clause.id}@{actor}" for clause in clauses for actor in clause.checks)


def found(judgements: Iterable[Judgement], scenario: str) -> list[dict[str, Any]]:
    """The findings of judgements on one trace as `verdicts.json` carries them.

    What is worse than a pass also has what the clause `says`, and the `cause` that its hint is the id of, in words.
    """
    return [
        {"clause": judgement.id, "scenario": scenario, **finding.as_dict(), **_explained(judgement, finding)}
        for judgement in judgements for finding in judgement.findings
    ]


def _explained(judgement: Judgement, finding: Finding) -> dict[str, str]:
    if finding.verdict <= Verdict.PASS:
        return {}
    told = {"says": judgement.text, "cause": all_causes().get(finding.hint, "") if finding.hint else ""}
    return {name: words for name, words in told.items() if words}


def told(findings: Iterable[Mapping[str, Any]], case: str = "") -> str:
    """What is worse than pass: a line each for what was found, what the clause says, what was expected and observed, the known
    cause, and where; `case` names what has no clause."""
    lines: list[str] = []
    for finding in findings:
        if finding["verdict"] in ("inconc", "fail", "error"):
            lines.append(f"{finding['clause'] or case} {finding['verdict']}: {finding['message']}".strip())
            lines += [f"    {name}: {finding[name]}" for name in TOLD if finding.get(name)]
            if finding["evidence"]:
                lines.append(f"    evidence: {finding['scenario']} {' '.join(f'#{each}' for each in finding['evidence'])}")
    return "\n".join(lines)
