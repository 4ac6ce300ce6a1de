"""`hanproof run`: a conformance run, which is pytest on the cases; what follows `--` is handed to pytest as it is."""

from __future__ import annotations

import argparse
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

PROJECT = Path(__file__).resolve().parents[2]
INI = "pytest.ini"
RUNS = Path("reports/runs")


def add(subparsers: argparse._SubParsersAction[Any]) -> None:
    """Declare the subcommand."""
    parser = subparsers.add_parser("run", help="run the conformance cases", description=__doc__)
    declare(parser)
    parser.set_defaults(run=run)


def declare(parser: argparse.ArgumentParser) -> None:
    """The options of a run."""
    parser.add_argument("--bench", metavar="FILE", help="bench file (default: the virtual bench)")
    parser.add_argument("--device", metavar="NAME", action="append", default=[], help="only this device (repeatable)")
    parser.add_argument("--seed", metavar="N", help="the number that reproduces a run")
    parser.add_argument("--run-dir", metavar="DIR", help="the folder of this run's evidence")
    parser.add_argument("--answers", metavar="FILE", help="answers to what a person is asked, by case and verb")
    parser.add_argument("--no-input", action="store_true", help="ask nobody, and list the cases that need a person")
    parser.add_argument("pytest_arguments", nargs="*", metavar="-- PYTEST ARGS", help="anything that pytest takes")


def run(arguments: argparse.Namespace) -> int:
    """Run pytest in this process; its exit code is ours."""
    import pytest

    given = [f"--device={name}" for name in arguments.device]
    for option in ("bench", "seed", "run_dir", "answers"):
        value = getattr(arguments, option)
        given += [f"--{option.replace('_', '-')}={value}"] if value is not None else []
    given += ["--no-input"] if arguments.no_input else []
    return int(pytest.main(["-q", "--progress", *given, *project(arguments.pytest_arguments), *arguments.pytest_arguments]))


def project(given: Sequence[str] = ()) -> list[str]:
    """What pytest must be told where the current folder is not a project's: the cases that came with this package, unless the
    arguments `given` name some."""
    if Path(INI).is_file():
        return []
    named = any(os.path.exists(each.partition("::")[0]) for each in given)
    return [f"--config-file={PROJECT / INI}", f"--rootdir={PROJECT}", *([] if named else [str(PROJECT / "cases")])]


def runs() -> Path:
    """The folder that the runs begun here are in."""
    return RUNS if Path(INI).is_file() else PROJECT / RUNS
