"""`hanproof report`: draw the pages of a finished run from its evidence."""

from __future__ import annotations

import argparse
from typing import Any


def add(subparsers: argparse._SubParsersAction[Any]) -> None:
    """Declare the subcommand."""
    parser = subparsers.add_parser("report", help="draw the pages of a finished run", description=__doc__)
    parser.add_argument("run_folder", metavar="RUN", nargs="?", help="the run's folder or id (default: the latest)")
    parser.add_argument("--leg-codec", action="append", default=[], metavar="MODULE:CLASS",
                        help="a codec that may be loaded to read proprietary legs (repeatable)")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Print the page to open. Raises InputError."""
    import reports
    from harness.commands.run import runs
    from harness.evidence.run_folder import find_run

    print(reports.build(find_run(arguments.run_folder, runs()), arguments.leg_codec))
    return 0
