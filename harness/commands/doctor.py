"""`hanproof doctor BENCH`: what is wrong with a bench and what to do about it, without touching the device under test."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

DOUBTFUL, WRONG = 6, 7  # as of a run: it may come out inconclusive; it would be an error


def add(subparsers: argparse._SubParsersAction[Any]) -> None:
    """Declare the subcommand."""
    parser = subparsers.add_parser("doctor", help="what is wrong with a bench, and what to do about it", description=__doc__)
    parser.add_argument("bench", metavar="BENCH", help="bench file")
    parser.add_argument("--json", action="store_true", help="one JSON object")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Print the findings, the worst decides the exit code. Raises InputError for a bench file that cannot be read."""
    from harness.declarations import read_bench
    from harness.doctor import examine
    from harness.doctor.finding import Grade
    from harness.plugin.bench_building import check

    file = read_bench(Path(arguments.bench))
    check(file)
    findings = []
    for finding in examine(file):
        findings.append(finding)
        if not arguments.json:
            print("\n".join(finding.lines()), flush=True)
    worst = max(each.grade for each in findings)
    code = {Grade.DOUBT: DOUBTFUL, Grade.PROBLEM: WRONG}.get(worst, 0)
    count = {grade.name.lower(): sum(each.grade is grade for each in findings) for grade in reversed(Grade)}
    if arguments.json:
        told = {"bench": file.name, "exit_code": code, "counts": count, "findings": [each.as_dict() for each in findings]}
        print(json.dumps(told, indent=1, ensure_ascii=False))
    else:
        print(", ".join(f"{number} {name}" for name, number in count.items()))
    return code
