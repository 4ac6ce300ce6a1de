"""docs/misbehaviours.md is true: each misbehaviour has a rule and inputs that show it, and a run with it planted fails its clause."""

from __future__ import annotations

import importlib
import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from cases.table import find
from harness.adapters.defects import all_defects
from harness.cim.check import check_file
from harness.cim.check_recording import check_recording
from harness.cim.finding import RULES, CimFinding
from harness.cim.recording import is_recording, read_recording
from harness.cim_profile import DEFAULT, ENVELOPES, CimProfile
from harness.declarations import BenchFile, read_bench
from harness.plugin.bench_building import build
from harness.plugin.campaign import Campaign
from harness.plugin.case import clauses_of, run_case
from harness.verdict import Verdict

ROOT = Path(__file__).parents[2]
MESSAGES = ROOT / "fixtures" / "cim" / "messages"
PAGE = (ROOT / "docs" / "misbehaviours.md").read_text(encoding="utf-8")
NUMBERS = set(range(1, 51))
NOTED = {10}  # shown, never counted
OF_2018 = {25}


def rows(title: str) -> list[list[list[str]]]:
    """The rows of the table under a title: for each cell what stands in code marks there, else its words."""
    table = PAGE.split(f"## {title}\n")[1].split("---|\n")[1].split("\n\n")[0].strip()
    cells = [[cell.strip() for cell in line.strip("| ").split(" | ")] for line in table.splitlines()]
    return [[re.findall(r"`([^`]+)`", cell) or [cell] for cell in row] for row in cells]


IN_A_FILE = [(int(no[0]), rules, bad, good) for no, _, rules, bad, good in rows("In a file")]
OF_HARMFUL_PEERS = [(rules, bad) for _, rules, bad, *_ in rows("Peers that do harm")]
IN_A_RUN = [
    *((int(no[0]), clause[0], defect[0], case[0]) for no, clause, defect, case in rows("In a run")),
    *((0, clause[0], defect[0], case[0]) for *_, clause, defect, case in rows("Peers that do harm") if defect != ["-"]),
]


def broken_rules(path: Path) -> tuple[set[str], set[str]]:
    """The rules that a file breaks, and those that it is only noted for."""
    generation = path.parent.name
    profile: CimProfile | None = replace(DEFAULT, envelope=generation) if generation in ENVELOPES else None
    if is_recording(path, path.read_bytes()):
        found: Sequence[CimFinding] = check_recording(read_recording(path), profile=profile, second=True)
    else:
        found = check_file(path, profile=profile, second=True)
    counted = {each.rule for each in found if each.verdict is not Verdict.NONE}
    return counted, {each.rule for each in found} - counted


def test_every_misbehaviour_is_there_once_and_is_found_in_a_run() -> None:
    assert sorted(number for number, *_ in IN_A_FILE) == sorted(NUMBERS)
    assert {number for number, *_ in IN_A_RUN} == {0, *NUMBERS}  # 0: peers that do harm


@pytest.mark.parametrize(("number", "rules", "bad", "good"), IN_A_FILE, ids=[str(number) for number, *_ in IN_A_FILE])
def test_a_misbehaviour_is_found_in_its_inputs_and_not_beside_them(
    number: int, rules: list[str], bad: list[str], good: list[str],
) -> None:
    assert set(rules) <= set(RULES)
    seen: set[str] = set()
    for name in bad:
        counted, noted = broken_rules(MESSAGES / "bad" / name)
        prefix = Path(name).name.split("--")[0]
        assert prefix in (counted or noted)
        seen.add(prefix)
    assert seen == set(rules)
    assert broken_rules(MESSAGES / "good" / good[0])[0] == set()


@pytest.mark.parametrize(("rules", "bad"), OF_HARMFUL_PEERS, ids=[rules[0] for rules, _ in OF_HARMFUL_PEERS])
def test_what_a_harmful_peer_does_is_named(rules: list[str], bad: list[str]) -> None:
    assert bad
    for name in bad:
        assert broken_rules(MESSAGES / "bad" / name)[0] == set(rules)


@cache
def bench_of(generation: str) -> BenchFile:
    """The virtual bench of CI, speaking that generation of the envelope."""
    file = read_bench(ROOT / "fixtures" / "benches" / "virtual.yaml")
    return replace(file, cim=replace(file.cim, envelope=generation))


@cache
def case_of(name: str) -> Callable[..., Any]:
    """The case function that the page names as module and function."""
    module, _, function = name.partition(".")
    case: Callable[..., Any] = getattr(importlib.import_module(f"cases.{module}"), function)
    return case


@pytest.mark.parametrize(("number", "broken", "defect", "case"), IN_A_RUN, ids=[f"{row[0]}-{row[2]}" for row in IN_A_RUN])
def test_a_misbehaviour_that_is_planted_fails_its_clause(number: int, broken: str, defect: str, case: str) -> None:
    file = bench_of("2018" if number in OF_2018 else DEFAULT.envelope)
    planted, function = all_defects()[defect], case_of(case)
    assert find(broken).id in {clause.id for clause in clauses_of(function)}
    conclusion = run_case(function, Campaign(file, file.seed, build), file.devices[0], planted)
    (judgement,) = [each for each in conclusion.judgements if each.id == broken]
    if number in NOTED:
        assert judgement.verdict is Verdict.PASS
        assert [finding for finding in judgement.findings if finding.note]
    else:
        assert judgement.verdict is Verdict.FAIL, conclusion.reason
