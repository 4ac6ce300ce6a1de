"""`hanproof replay`: make the moves of a token again, and say whether the run still fails, is fixed, or cannot be reproduced."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

FAILING, FIXED, CANNOT_REPRODUCE = 1, 0, 6


def add(subparsers: argparse._SubParsersAction[Any]) -> None:
    """Declare the subcommand."""
    parser = subparsers.add_parser("replay", help="make the moves of a token again", description=__doc__)
    parser.add_argument("token", metavar="TOKEN", help="the word that `hanproof fuzz` printed")
    parser.add_argument("--bench", metavar="FILE", type=Path, help="bench file (default: the virtual bench)")
    parser.add_argument("--table", default="cases.table", metavar="MODULE", help="the clause table (default: cases.table)")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Replay; 1 failing, 0 fixed, 6 cannot reproduce: as a run's fail, pass and inconc. Raises InputError for what is no token."""
    from harness.commands.fuzz import bench_file
    from harness.commands.given import table
    from harness.fuzzing.play import CannotPlay, replayed
    from harness.fuzzing.script import OtherVocabulary, read_token

    try:
        script = read_token(arguments.token)
        played = replayed(bench_file(arguments.bench), script, table(arguments.table).clauses().values())
    except (OtherVocabulary, CannotPlay) as fault:
        print(f"cannot reproduce: {fault}")
        return CANNOT_REPRODUCE
    for complaint in played.complaints:
        print(f"{complaint.id}: {complaint.sentence}")
    if played.complaints:
        same = set(script.complaints) & {each.id for each in played.complaints}
        print("failing" if same or not script.complaints else "failing, though otherwise than when it was found")
        return FAILING
    if played.undone and not played.simulated:
        print(f"cannot reproduce: {played.undone[0]}")
        return CANNOT_REPRODUCE
    print("fixed")
    return FIXED
