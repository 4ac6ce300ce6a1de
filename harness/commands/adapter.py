"""`hanproof adapter`: hold the adapters that a bench file names to the contract of docs/adapters.md, before any case rests on them."""

from __future__ import annotations

import argparse
import json
from collections import Counter
from pathlib import Path
from typing import Any

CODES = {"error": 7, "fail": 1, "inconc": 6, "pass": 0}  # those of a run, the worst first
NOTHING = 5
LIMIT, LONGEST = 20.0, 3600.0  # seconds that one contract test may take


def add(subparsers: argparse._SubParsersAction[Any]) -> None:
    """Declare the subcommands."""
    parser = subparsers.add_parser("adapter", help="hold adapters to their contract", description=__doc__)
    verbs = parser.add_subparsers(required=True, metavar="check")
    check = verbs.add_parser("check", help="run the contract tests on what a bench file names", description=_check.__doc__)
    check.add_argument("bench", type=Path, metavar="BENCH", help="a bench file; its radios are opened, and send on channel 26")
    check.add_argument("--only", action="append", default=[], metavar="NAME",
                       help="check this alone, as `ESI` or `radio of sniffer` (repeatable)")
    check.add_argument("--limit", type=float, default=LIMIT, metavar="SECONDS", help=f"of one contract test (default: {LIMIT:g})")
    check.add_argument("--json", action="store_true", help="one JSON object")
    check.set_defaults(run=_check)


def _check(arguments: argparse.Namespace) -> int:
    """Print what became of each contract test; the exit code is that of a run. Raises InputError, and BenchError of the leg codec."""
    from harness.contract.checking import Check
    from harness.declarations import read_bench
    from harness.errors import InputError

    if not 0 < arguments.limit <= LONGEST:
        raise InputError(f"--limit {arguments.limit:g}: right would be more than 0 and at most {LONGEST:g} seconds")
    bench = read_bench(arguments.bench)
    outcomes = []
    for outcome in Check(bench, arguments.limit).outcomes(tuple(arguments.only)):
        outcomes.append(outcome)
        if not arguments.json:
            print(outcome, flush=True)
    totals = Counter(outcome.verdict for outcome in outcomes)
    if arguments.json:
        told = {"bench": bench.name, "totals": dict(totals), "tests": [outcome.as_dict() for outcome in outcomes]}
        print(json.dumps(told, indent=1, ensure_ascii=False))
    else:
        print(f"{bench.name}: {len(outcomes)} contract tests: " + ", ".join(f"{count} {word}" for word, count in totals.items()))
    return next((code for word, code in CODES.items() if totals[word]), NOTHING)
