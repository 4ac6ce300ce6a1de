"""A kill is a fail of exactly the declared clauses: what is missed, what fails besides, and what goes wrong on our side is none."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from harness.adapters.defects import Defect, all_defects
from harness.cli import main
from harness.commands.defects import _proof, cases_of
from harness.plugin.kill_matrix import Proof, Row, as_dict
from reports import kill_page


@pytest.fixture(scope="module")
def proof() -> Proof:
    return _proof("", "cases.table")


def planted(proof: Proof, identity: str, *breaks: str) -> Row:
    return proof.of(replace(all_defects()[identity], breaks=breaks))


def test_a_defect_that_fails_what_it_declares_is_killed(proof: Proof) -> None:
    row = planted(proof, "05-wrong-stack-profile", *all_defects()["05-wrong-stack-profile"].breaks)
    assert (row.killed, row.errors, str(row)) == (True, (), "05-wrong-stack-profile: killed")


def test_a_clause_that_fails_undeclared_is_no_kill(proof: Proof) -> None:
    row = planted(proof, "05-wrong-stack-profile", "UC2.7-05-CLOSED@ESI")
    assert not row.killed
    assert "unnoticed by UC2.7-05-CLOSED@ESI" in str(row)
    assert "also fails UC2.7-05-BEACON@ESI" in str(row)


def test_nothing_planted_is_no_kill(proof: Proof) -> None:
    harmless = next(defect for defect in all_defects().values() if defect.breaks)
    row = proof.of(Defect("harmless", harmless.actor, "does what is right", ("UC2.7-05-BEACON@ESI",)))
    assert (row.killed, row.failed) == (False, ())


def test_nothing_fails_where_nothing_is_planted(proof: Proof) -> None:
    assert not any(proof.conformant().values())


def test_what_goes_wrong_on_our_side_is_no_kill() -> None:
    row = Row("x", "", "ESI", ("UC2.7-05-BEACON@ESI",), failed=("UC2.7-05-BEACON@ESI",), errors=("the checker raised",))
    assert not row.killed
    assert replace(row, errors=()).killed


def test_the_matrix_counts_and_its_page_says_who_survives() -> None:
    dead = Row("dead", "d", "ESI", ("UC2.7-05-BEACON@ESI",), cause="a", failed=("UC2.7-05-BEACON@ESI",), hints=("a", "b"))
    alive = Row("alive", "<s>", "ESI", ("UC2.7-06-PAN@ESI",), failed=("UC2.7-05-BEACON@ESI",))
    matrix = as_dict([dead, alive], [], {"pct": []}, {})
    totals = matrix["totals"]
    assert (totals["defects"], totals["killed"], totals["survivors"], totals["hinted"]) == (2, 1, ["alive"], 1)
    page = kill_page.as_html(matrix)
    assert page.index("alive") < page.index("<code>dead")
    assert "&lt;s&gt;" in page
    assert "unnoticed" in page


@pytest.mark.parametrize(("arguments", "complaint"), [
    (["nobody"], "no defect that breaks anything is called 'nobody'"), (["--step", "99"], "--step 99: no defect breaks a clause there"),
])
def test_what_there_is_not_is_told_in_one_line(arguments: list[str], complaint: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["defects", *arguments]) == 4
    assert complaint in capsys.readouterr().err


def test_the_command_writes_the_matrix_and_its_page(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["defects", "05-wrong-stack-profile", "--jobs", "1", "--out", str(tmp_path), "--json"]) == 0
    written = json.loads((tmp_path / "kill-matrix.json").read_text(encoding="utf-8"))
    assert written == json.loads(capsys.readouterr().out)
    assert [(row["id"], row["killed"]) for row in written["defects"]] == [("05-wrong-stack-profile", True)]
    assert "05-wrong-stack-profile" in (tmp_path / "kill-matrix.html").read_text(encoding="utf-8")


def test_every_case_is_among_those_that_are_played() -> None:
    assert len(list(cases_of("cases"))) >= 250


def test_a_known_survivor_is_told_and_one_that_is_killed_must_leave_the_list(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    known = tmp_path / "known.txt"
    known.write_text("05-wrong-stack-profile  # why\n", encoding="utf-8")
    command = ["defects", "05-wrong-stack-profile", "--jobs", "1", "--out", str(tmp_path), "--known", str(known)]
    assert main(command) == 1
    assert "05-wrong-stack-profile is known to survive, and is killed" in capsys.readouterr().err
    known.write_text("\nnobody\n", encoding="utf-8")
    assert main(command) == 4
    assert f"{known}:2: no defect is called nobody" in capsys.readouterr().err
