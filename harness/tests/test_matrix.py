"""The matrix of clauses, cases and defects: nothing in it is empty without a reason, and what it says is what stands in fixtures."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from cases.table import clauses
from cases.table.misbehaviours import MISBEHAVIOURS
from cases.table.open_questions import OPEN_QUESTIONS
from harness.adapters.defects import all_defects
from harness.adapters.stimuli import all_stimuli
from harness.causes import all_causes, in_words
from harness.cli import main
from harness.commands.matrix import Line, Matrix

SNAPSHOT = Path(__file__).parents[2] / "fixtures" / "matrix.txt"


def line(**changes: Any) -> Line:
    told: dict[str, Any] = {
        "clause": "UC2.7-01-MAC@DR Application", "level": "MUST", "origin": "UC", "pics": "", "open_item": "",
        "undisturbed": ("step::case",), "arranged": ("step::other",), "defects": ("01-x",), "reason": "",
    }
    return Line(**{**told, **changes})


def test_the_matrix_is_what_it_was_and_has_no_hole(capsys: pytest.CaptureFixture[str]) -> None:
    code = main(["plan", "--matrix"])
    output = capsys.readouterr()
    then, now = SNAPSHOT.read_text(encoding="utf-8").splitlines(), output.out.splitlines()
    lost, new = [each for each in then if each not in now], [each for each in now if each not in then]
    assert now == then, f"lost: {lost}; new: {new}; if that is meant: hanproof plan --matrix > fixtures/matrix.txt"
    assert (code, output.err) == (0, "")


@pytest.mark.parametrize(("changes", "hole"), [
    ({"arranged": ()}, "no arranged case, and no reason in WITHOUT_NEGATIVE"),
    ({"arranged": (), "undisturbed": (), "reason": "because"}, "no case"),
    ({"defects": ()}, "no defect breaks it, and no reason in WITHOUT_DEFECT"),
    ({"unbroken": "because"}, "has a defect, so that the reason in WITHOUT_DEFECT is out of date"),
    ({"reason": "because"}, "has an arranged case, so that the reason in WITHOUT_NEGATIVE is out of date"),
])
def test_an_empty_cell_is_told(changes: dict[str, Any], hole: str) -> None:
    assert Matrix((line(**changes),), (), ()).holes() == [f"UC2.7-01-MAC@DR Application: {hole}"]


def test_a_whole_line_and_one_with_a_reason_are_none() -> None:
    whole = (line(), line(arranged=(), reason="because"), line(undisturbed=()), line(defects=(), unbroken="because"))
    assert Matrix(whole, (), ()).holes() == []


def test_a_misbehaviour_that_nobody_shows_is_told() -> None:
    told = {"id": "M-01", "text": "", "unprovoked": "", "noted": "", "defects": [], "provocations": []}
    assert Matrix((), (told,), ()).holes() == [
        "M-01: no defect is an instance of it", "M-01: our side does not provoke it, and no reason says why",
    ]


def test_the_table_is_as_deep_as_it_was_promised_to_be() -> None:
    assert len(clauses()) >= 200
    assert len(MISBEHAVIOURS) == 60
    assert [each.id for each in MISBEHAVIOURS] == [f"M-{number:02}" for number in range(1, 61)]


def test_what_defects_are_instances_of_and_caused_by_is_known() -> None:
    known = {each.id for each in MISBEHAVIOURS}
    for stimulus in all_stimuli().values():
        assert known.issuperset(stimulus.misbehaviours), stimulus.id
    for defect in all_defects().values():
        assert known.issuperset(defect.misbehaviours), defect.id
        assert not defect.cause or in_words(defect.cause).endswith("."), defect.id


def test_open_questions_name_clauses_that_there_are() -> None:
    for question in OPEN_QUESTIONS:
        assert clauses().keys() >= set(question.clauses), question.question


def test_a_cause_that_nobody_explains_is_an_error() -> None:
    assert "no-such-cause" not in all_causes()
    with pytest.raises(LookupError, match="no-such-cause"):
        in_words("no-such-cause")
