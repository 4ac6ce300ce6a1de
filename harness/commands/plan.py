"""`hanproof plan`: what a run would ask: steps, clauses and cases. Cases are collected, none is run, no device is touched."""

from __future__ import annotations

import argparse
import json
import sys
from typing import Any

USAGE_ERROR = 4
HOLES = 1  # a cell of the matrix is empty and nothing says why
UNDISTURBED = "provisioned"  # the fixture of a case that judges the shared run


class Collected:
    """Takes down what pytest collects."""

    def __init__(self) -> None:
        self.cases: list[dict[str, Any]] = []

    def pytest_collection_finish(self, session: Any) -> None:
        """Note every case with its step, device and clauses."""
        from harness.evidence.results import clause_ids
        from harness.plugin.collection import clauses_of, device_of, is_case, step_of, title_of
        from harness.plugin.operating import needs
        from harness.plugin.options import current_run

        cases = [item for item in session.items if is_case(item)]
        asked = {need.case: [".".join(each) for each in need.verbs] for need in needs(current_run(session.config), cases)} if cases else {}
        self.cases = [
            {"id": item.nodeid, "title": title_of(item), "step": step_of(item), "device": device_of(item),
             "clauses": list(clause_ids(clauses_of(item))), "undisturbed": UNDISTURBED in item.fixturenames,
             "function": f"{item.path.stem}::{item.originalname}", "person": asked.get(item.nodeid, [])}
            for item in cases
        ]


def add(subparsers: argparse._SubParsersAction[Any]) -> None:
    """Declare the subcommand."""
    parser = subparsers.add_parser("plan", help="list steps, clauses and cases", description=__doc__)
    parser.add_argument("--bench", metavar="FILE", help="bench file (default: the virtual bench)")
    parser.add_argument("--json", action="store_true", help="one JSON object")
    parser.add_argument("--matrix", action="store_true", help="clause x actor x case x defect, with a reason for every empty cell")
    parser.add_argument("--table", default="cases.table", metavar="MODULE", help="the clause table (default: cases.table)")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Print the plan. Raises InputError."""
    from harness.commands.given import table

    known = table(arguments.table)
    cases = _collect(arguments.bench)
    if isinstance(cases, int):
        return cases
    if arguments.matrix:
        from harness.commands.matrix import matrix

        whole = matrix(known, cases)
        print(json.dumps(whole.as_dict(), indent=1, ensure_ascii=False) if arguments.json else whole.text())
        print("".join(f"{hole}\n" for hole in whole.holes()), end="", file=sys.stderr)
        return HOLES if whole.holes() else 0
    asked: dict[str, list[str]] = {}
    for case in cases:
        for clause in case["clauses"]:
            asked.setdefault(clause, []).append(case["id"])
    steps = [
        {"step": str(row.number), "producer": str(row.producer), "receiver": str(row.receiver), "information": row.information,
         "message_type": row.message_type, "open_item": row.open_item}
        for row in known.steps().values()
    ]
    clauses = [
        {"clause": f"{clause.id}@{actor}", "step": clause.step.lstrip("0"), "level": clause.level, "origin": clause.origin,
         "text": clause.text, "citation": clause.citation, "pics": clause.pics, "open_item": clause.open_item,
         "cases": asked.get(f"{clause.id}@{actor}", [])}
        for clause in known.clauses().values() for actor in clause.checks
    ]
    if arguments.json:
        print(json.dumps({"steps": steps, "clauses": clauses, "cases": cases}, indent=1, ensure_ascii=False))
    else:
        _print(steps, clauses, cases)
    return 0


def _collect(bench: str | None) -> list[dict[str, Any]] | int:
    """The cases, or pytest's exit code where collection failed."""
    import contextlib
    import io

    import pytest

    from harness.commands.run import project

    collected, output = Collected(), io.StringIO()
    with contextlib.redirect_stdout(output):
        arguments = ["--collect-only", "-q", *([f"--bench={bench}"] if bench else []), *project()]
        code = int(pytest.main(arguments, plugins=[collected]))
    if code not in (0, 5):
        if code != USAGE_ERROR:  # then pytest has said on stderr what is wrong
            print(output.getvalue())
        return code
    return collected.cases


def _print(steps: list[dict[str, Any]], clauses: list[dict[str, Any]], cases: list[dict[str, Any]]) -> None:
    names = {step["step"]: f"{step['producer']} -> {step['receiver']}: {step['information']}" for step in steps}
    for step in dict.fromkeys([*names, *(clause["step"] for clause in clauses)]):
        print(f"step {step}  {names.get(step, '')}".rstrip())
        for clause in clauses:
            if clause["step"] == step:
                count = len(clause["cases"])
                told = f"{count} case{'s' * (count != 1)}" if count else "NO CASE"
                item = ", open item" if clause["open_item"] else ""
                print(f"    {clause['clause']:<48} {clause['level']:<7} {clause['origin']:<8} {told}{item}")
    uncovered = sum(not clause["cases"] for clause in clauses)
    person = sum(bool(case["person"]) for case in cases)
    told = f", {person} of them need a person" if person else ""
    print(f"{len(steps)} steps, {len(clauses)} clauses by actor ({uncovered} without a case), {len(cases)} cases{told}")
