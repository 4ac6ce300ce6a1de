"""`hanproof certify`: a conformance run and the pages of it; the exit code is the run's."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

RAN = (0, 1, 2, 6, 7)  # exit codes of runs that left a run folder


def add(subparsers: argparse._SubParsersAction[Any]) -> None:
    """Declare the subcommand."""
    from harness.commands.run import declare

    parser = subparsers.add_parser("certify", help="run the conformance cases and draw the pages", description=__doc__)
    declare(parser)
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Run, then draw whatever came of it. Raises InputError."""
    from harness.commands import run as running

    before = _latest(arguments.run_dir)
    code = running.run(arguments)
    folder = _latest(arguments.run_dir)
    if code in RAN and folder is not None and folder != before:
        import reports
        from harness.declarations import read_bench

        spoken = [read_bench(Path(arguments.bench)).legs.codec] if arguments.bench else []  # the run has loaded it
        print(f"report: {reports.build(folder, spoken)}")
    return code


def _latest(named: str | None) -> Path | None:
    from harness.commands.run import runs
    from harness.errors import InputError
    from harness.evidence.run_folder import find_run

    try:
        return find_run(named, runs()).resolve()
    except InputError:
        return None
