"""Every clause has a case and, for each actor, a defect; nobody is blamed for what another did.

That each defect fails exactly the clauses it says it breaks is the kill matrix: `hanproof defects`, a part of `make test`.
"""

from __future__ import annotations

import importlib
import inspect
import pkgutil
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import pytest

import cases
from cases.table import clauses, without_defect
from harness.adapters.defects import Defect, all_defects
from harness.declarations import BenchFile, Device, read_bench
from harness.plugin.bench_building import build
from harness.plugin.campaign import Campaign
from harness.plugin.case import clauses_of, run_case
from harness.verdict import Verdict

BENCH = Path(__file__).parents[2] / "fixtures" / "benches" / "virtual.yaml"
BREAKING = {identity: defect for identity, defect in all_defects().items() if defect.breaks}


@cache
def bench_file() -> BenchFile:
    """The virtual bench of CI."""
    return read_bench(BENCH)


@cache
def cases_of_clauses() -> dict[str, list[Callable[..., Any]]]:
    """Case functions by the id of a clause that they ask about."""
    found: dict[str, list[Callable[..., Any]]] = {}
    for module in pkgutil.iter_modules(cases.__path__):
        if module.ispkg:
            continue
        for _, function in inspect.getmembers(importlib.import_module(f"cases.{module.name}"), inspect.isfunction):
            for clause in clauses_of(function):
                found.setdefault(clause.id, []).append(function)
    return found


def fails(defect: Defect, broken: str, device: Device) -> bool:
    """Whether some case of the broken clause, played with the defect, is a fail of that clause for that actor.

    A precondition that does not hold is the bench's affair and nobody's failure: such a case is inconclusive.
    """
    wanted = Verdict.INCONC if "-PRE-" in broken else Verdict.FAIL
    campaign = Campaign(bench_file(), bench_file().seed, build)
    for function in cases_of_clauses().get(broken.partition("@")[0], []):
        conclusion = run_case(function, campaign, device, defect)
        if any(judgement.id == broken and judgement.verdict is wanted for judgement in conclusion.judgements):
            return True
    return False


@pytest.mark.parametrize(("identity", "innocent"), [
    ("01-key-with-crc-turned", "UC2.7-01-CANCEL@AMI Head-End"), ("01-window-without-duration", "UC2.7-01-REPLY@AMI Head-End"),
    ("01-key-said-again", "UC2.7-01-REPLY@AMI Head-End"), ("01-schema-of-its-own", "UC2.7-01-REJECTS@AMI Head-End"),
    ("cis-bare", "UC2.7-INT-TRANSPORT@AMI Head-End"), ("head-end-bare", "UC2.7-INT-TRANSPORT@DR Application"),
    ("dr-nothing-in-it", "UC2.7-INT-SEQUENCE@AMI Head-End"), ("head-end-nothing-in-it", "UC2.7-INT-SEQUENCE@CIS"),
    ("head-end-one-nonce", "UC2.7-INT-ACKNOWLEDGES@ODS"),
])
def test_nobody_is_blamed_for_what_another_did(identity: str, innocent: str) -> None:
    assert not fails(BREAKING[identity], innocent, bench_file().devices[0])


def test_every_clause_has_a_case_and_for_each_actor_a_defect() -> None:
    judged = {f"{clause.id}@{actor}" for clause in clauses().values() for actor in clause.checks}
    impossible = without_defect()
    assert sorted(set(impossible) - judged) == []
    assert all(impossible.values())
    wanted = judged - set(impossible)
    broken = {each for defect in BREAKING.values() for each in defect.breaks}
    assert sorted(wanted - broken) == []
    assert sorted(broken - wanted) == []
    assert sorted(set(clauses()) - set(cases_of_clauses())) == []
