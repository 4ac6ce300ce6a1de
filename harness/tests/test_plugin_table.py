"""The table of the use case as the plugin reads it: rows, clauses, and the markers that refuse what does not stand in it."""

from __future__ import annotations

import re

import pytest

from cases.table import SECTIONS, clause, clauses, find, step, steps
from harness.pics import PROFORMA
from harness.usecase import Actor

ID = re.compile(r"UC2\.7-(0[1-9]|1[0-4]|PRE|POST|INT|SEQ)-[A-Z0-9]+(-[A-Z0-9]+)*")
SOME = next(iter(clauses().values()))
ACTOR = next(iter(SOME.checks))


def test_the_table_has_the_fourteen_rows_in_order() -> None:
    assert list(steps()) == list(range(1, 15))


@pytest.mark.parametrize("identifier", clauses())
def test_a_clause_is_named_judged_and_claimed_by_what_there_is(identifier: str) -> None:
    known = clauses()[identifier]
    assert ID.fullmatch(identifier)
    assert known.checks
    assert all(known.checks.values())
    assert known.pics is None or known.pics in PROFORMA


def test_a_case_may_name_one_actor_of_a_clause() -> None:
    assert find(SOME.id) is SOME
    one = find(f"{SOME.id}@{ACTOR}")
    assert (one.id, dict(one.checks)) == (SOME.id, {ACTOR: SOME.checks[ACTOR]})
    assert clause(SOME.id, f"{SOME.id}@{ACTOR}").args == (SOME, one)


def test_a_module_is_marked_with_its_row_or_section() -> None:
    assert step(6).args == (steps()[6],)
    assert [step(section).args for section in SECTIONS] == [(section,) for section in SECTIONS]


@pytest.mark.parametrize("identifiers", [
    (), ("UC2.7-06-NO-SUCH",), (SOME.id, ""), (f"{SOME.id}@Meter",),
    (f"{SOME.id}@{next(actor for actor in Actor if actor not in SOME.checks)}",),
])
def test_an_unknown_clause_is_refused(identifiers: tuple[str, ...]) -> None:
    with pytest.raises(LookupError):
        clause(*identifiers)


@pytest.mark.parametrize("where", [0, 15, "6", "seq"])
def test_an_unknown_step_is_refused(where: int | str) -> None:
    with pytest.raises(LookupError):
        step(where)
