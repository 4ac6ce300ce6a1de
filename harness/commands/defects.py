"""`hanproof defects`: plant every defect in a virtual actor and see that exactly the clauses fail that it says it breaks.

Writes `kill-matrix.json` and a page. Exit code 1 where a defect survives, or where nothing is planted and something fails.
"""

from __future__ import annotations

import argparse
import importlib
import inspect
import json
import os
import pkgutil
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import cache
from multiprocessing import get_context
from pathlib import Path
from typing import TYPE_CHECKING, Any

from harness.declared import read_text
from harness.errors import InputError
from harness.garbage import settle

if TYPE_CHECKING:
    from harness.adapters.defects import Defect
    from harness.plugin.kill_matrix import Proof, Row

DEFAULT_BENCH = Path(__file__).resolve().parents[2] / "fixtures" / "benches" / "virtual.yaml"
FOLDER = Path("build/kill-matrix")
MATRIX, PAGE = "kill-matrix.json", "kill-matrix.html"


def add(subparsers: argparse._SubParsersAction[Any]) -> None:
    """Declare the subcommand."""
    parser = subparsers.add_parser("defects", help="prove that every clause can fail: the kill matrix", description=__doc__)
    parser.add_argument("ids", metavar="ID", nargs="*", help="defects, or what their ids begin with (default: all)")
    parser.add_argument("--step", action="append", default=[], metavar="STEP", help="01 to 14, PRE, POST, INT, SEQ (repeatable)")
    parser.add_argument("--bench", metavar="FILE", type=Path, help="bench file (default: the virtual bench)")
    parser.add_argument("--table", default="cases.table", metavar="MODULE", help="the clause table (default: cases.table)")
    parser.add_argument("--thorough", action="store_true",
                        help="play every case of a defect's step, not only those of the clauses it breaks")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1, metavar="N", help="processes (default: one a core)")
    parser.add_argument("--out", type=Path, default=FOLDER, metavar="DIR", help=f"where to write (default: {FOLDER})")
    parser.add_argument("--known", type=Path, metavar="FILE",
                        help="defects, one a line, that are known to survive and only told; who is killed by now must leave the list")
    parser.add_argument("--json", action="store_true", help="print the matrix as one JSON object")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Print every survivor, write the matrix and its page. Raises InputError."""
    from harness.commands.given import table as table_of
    from harness.plugin.kill_matrix import as_dict
    from reports import kill_page

    chosen, known = _chosen(arguments.ids, arguments.step), _known(arguments.known)
    bench = str(arguments.bench) if arguments.bench else ""
    proof = _proof(bench, arguments.table, arguments.thorough)
    rows = []
    for row in _rows(chosen, (bench, arguments.table, arguments.thorough), arguments.jobs):
        rows.append(row)
        if not arguments.json and not row.killed:
            print(row, flush=True)
    rows.sort(key=lambda row: (row.step, row.id))
    reasons: Mapping[str, str] = getattr(table_of(arguments.table), "without_defect", dict)()
    matrix = as_dict(rows, proof.clauses, proof.conformant(), reasons)
    arguments.out.mkdir(parents=True, exist_ok=True)
    (arguments.out / MATRIX).write_text(json.dumps(matrix, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    (arguments.out / PAGE).write_text(kill_page.as_html(matrix), encoding="utf-8")
    print(json.dumps(matrix, indent=1, ensure_ascii=False) if arguments.json else _told(matrix, arguments.out, whole=chosen == _all()))
    whole = chosen == _all()
    survivors = set(matrix["totals"]["survivors"])
    stale = known & {row.id for row in rows} - survivors
    print("".join(f"{each} is known to survive, and is killed: right would be to take it off the list\n" for each in sorted(stale)), end="",
          file=sys.stderr)
    unkilled = whole and not known and matrix["totals"]["must_clauses_alive"]
    return 1 if survivors - known or stale or unkilled or any(matrix["conformant"].values()) else 0


def _known(file: Path | None) -> set[str]:
    """The ids of a list of known survivors. Raises InputError, also for an id that there is not."""
    if file is None:
        return set()
    ids = set()
    for number, line in enumerate(read_text(file).splitlines(), start=1):
        identity = line.partition("#")[0].strip()
        if identity and identity not in {defect.id for defect in _all()}:
            raise InputError(f"{file}:{number}: no defect is called {identity}; right would be the id of one that breaks something")
        ids |= {identity} - {""}
    return ids


def _told(matrix: dict[str, Any], folder: Path, *, whole: bool) -> str:
    totals = matrix["totals"]
    lines = [f"{device}: nothing is planted, and {', '.join(failed)} fails" for device, failed in matrix["conformant"].items() if failed]
    if whole:
        lines += [f"no defect kills {clause}" for clause in totals["must_clauses_alive"]]
    lines.append(
        f"{totals['defects']} defects: {totals['killed']} killed, {len(totals['survivors'])} survive; {totals['must_clauses_killed']} of"
        f" {totals['must_clauses']} MUST clauses by actor killed; {totals['hinted']} findings name the defect's cause ({folder / PAGE})"
    )
    return "\n".join(lines)


@cache
def _all() -> tuple[Defect, ...]:
    from harness.adapters.defects import all_defects

    return tuple(defect for defect in all_defects().values() if defect.breaks)


def _chosen(beginnings: Sequence[str], steps: Sequence[str]) -> tuple[Defect, ...]:
    for beginning in beginnings:
        if not any(defect.id.startswith(beginning) for defect in _all()):
            raise InputError(f"no defect that breaks anything is called {beginning!r}, nor begins like that")
    known = {each.split("-")[1] for defect in _all() for each in defect.breaks}
    for step in steps:
        if step not in known:
            raise InputError(f"--step {step}: no defect breaks a clause there; right would be one of {', '.join(sorted(known))}")
    return tuple(
        defect for defect in _all()
        if (not beginnings or any(defect.id.startswith(each) for each in beginnings))
        and (not steps or any(each.split("-")[1] in steps for each in defect.breaks))
    )


def _rows(defects: Sequence[Defect], proof: tuple[str, str, bool], jobs: int) -> Iterator[Row]:
    """Each defect's row, as they become ready. A worker starts as a fork, with everything imported already."""
    with ProcessPoolExecutor(max(1, jobs), get_context("fork"), settle) as workers:
        yield from workers.map(_row, ((defect.id, proof) for defect in defects))


def _row(asked: tuple[str, tuple[str, str, bool]]) -> Row:
    identity, proof = asked
    return _proof(*proof).of(next(defect for defect in _all() if defect.id == identity))


@cache
def _proof(bench: str, table: str, thorough: bool = False) -> Proof:
    from harness.commands.given import table as table_of
    from harness.declarations import read_bench
    from harness.plugin.bench_building import build
    from harness.plugin.kill_matrix import Proof
    clauses = tuple(table_of(table).clauses().values())
    return Proof(read_bench(Path(bench) if bench else DEFAULT_BENCH), build, clauses, tuple(cases_of(table.rpartition(".")[0])), thorough)


def cases_of(package: str) -> Iterator[Callable[..., Any]]:
    """The case functions of a package beside its table."""
    from harness.plugin.case import clauses_of

    for found in pkgutil.iter_modules(importlib.import_module(package).__path__):
        if not found.ispkg:
            module = importlib.import_module(f"{package}.{found.name}")
            yield from (each for _, each in inspect.getmembers(module, inspect.isfunction) if clauses_of(each))
