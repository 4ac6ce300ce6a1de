"""`hanproof bench new [FILE]`: asks who is virtual and who is real, and writes the bench file."""

from __future__ import annotations

import argparse
import os
from pathlib import Path
from typing import Any

USUAL = "my_bench.yaml"


def add(subparsers: argparse._SubParsersAction[Any]) -> None:
    """Declare the subcommands."""
    parser = subparsers.add_parser("bench", help="write a bench file", description="Bench files.")
    below = parser.add_subparsers(required=True, metavar="COMMAND")
    new = below.add_parser("new", help="ask who is virtual and who is real, and write the bench file", description=__doc__)
    new.add_argument("file", nargs="?", default=USUAL, metavar="FILE", help=f"the bench file to write (default: {USUAL})")
    new.add_argument("--answers", metavar="FILE", help='answers, under "bench new" (docs/real-devices.md); what it lacks is asked')
    new.add_argument("--force", action="store_true", help="write over a file that is there")
    new.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Ask, and write a file that can be read. Raises InputError for one that is there already, or for answers that give none."""
    from harness.actors.prompt import Prompt
    from harness.errors import InputError
    from harness.new_bench import CASE, new_bench
    from harness.operator import AtTerminal, ByFile, read_answers

    path = Path(arguments.file)
    if path.exists() and not arguments.force:
        raise InputError(f"{path}: is there already; right would be another name, or --force to write over it")
    if not path.absolute().parent.is_dir():
        raise InputError(f"{path}: there is no folder {path.parent}; right would be one that is there")
    terminal = AtTerminal() if AtTerminal().is_there() else None
    operator = ByFile(read_answers(Path(arguments.answers)), terminal) if arguments.answers is not None else terminal
    if operator is None:
        raise InputError("there is no terminal to ask at; right would be --answers FILE")

    def put(prompt: Prompt) -> str:
        return operator.ask(prompt, CASE).text

    text = new_bench(put, path.absolute().parent)
    _write(path, text)
    print(f"{path} is written; next: hanproof doctor {path}")
    return 0


def _write(path: Path, text: str) -> None:
    """Only what can be read takes the place of what may be there. Raises InputError."""
    from harness.declarations import read_bench
    from harness.plugin.bench_building import check

    draft = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        draft.write_text(text, encoding="utf-8")
        check(read_bench(draft))
        draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)
