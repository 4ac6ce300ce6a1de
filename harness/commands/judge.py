"""`hanproof judge`: judge a finished run again from what it left on disk, and say whether the verdicts are the same."""

from __future__ import annotations

import argparse
import os
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from typing import TYPE_CHECKING, Any

from harness.errors import InputError
from harness.garbage import settle

if TYPE_CHECKING:
    from harness.evidence.rejudge import Rejudged
    from harness.evidence.results import Results

PART = 50  # cases that are worth a process of their own: what several of them share is read in each
SAME, INCONCLUSIVE, DIFFERENT = 0, 6, 8


def add(subparsers: argparse._SubParsersAction[Any]) -> None:
    """Declare the subcommand."""
    parser = subparsers.add_parser("judge", help="judge a finished run again from its evidence", description=__doc__)
    parser.add_argument("run_folder", metavar="RUN", nargs="?", help="the run's folder or id (default: the latest)")
    parser.add_argument("--device-file", action="append", default=[], type=Path, metavar="FILE",
                        help="a device file whose keys were kept out of the evidence (repeatable)")
    parser.add_argument("--leg-codec", action="append", default=[], metavar="MODULE:CLASS",
                        help="a codec that may be loaded to read proprietary legs (repeatable)")
    parser.add_argument("--table", default="cases.table", metavar="MODULE", help="the clause table (default: cases.table)")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1, metavar="N", help="processes (default: one a core)")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Print the table and every difference; 0 if there is none, 6 if keys or a codec are lacking, else 8. Raises InputError.

    Evidence that is not as the run left it is a difference also where no verdict depends on it.
    """
    from harness.commands.given import leg_codecs, table
    from harness.commands.run import runs
    from harness.declarations import read_device
    from harness.evidence.rejudge import rejudge
    from harness.evidence.results import Results
    from harness.evidence.run_folder import find_run
    from harness.evidence.sums import changed
    from harness.verdict import Verdict

    folder = find_run(arguments.run_folder, runs())
    results = Results.read(folder)
    devices = {device.name: device for device in map(read_device, arguments.device_file)}
    now, differing, lacking = [], 0, 0
    damaged = list(changed(folder))
    print("".join(f"{line}\n" for line in damaged), end="")
    again = partial(
        rejudge, folder, clause=table(arguments.table).find, devices=devices, leg_codecs=leg_codecs(arguments.leg_codec),
    )
    try:
        for rejudged in _shared_out(again, results, arguments.jobs):
            if rejudged.same:
                now.append(rejudged.now)
                continue
            if rejudged.lacking:
                lacking += 1
                now.append(replace(rejudged.now, verdict=Verdict.INCONC))  # without it nothing is anyone's fail
                print(f"{rejudged.recorded.id}: inconc: {rejudged.lacking}")
                continue
            now.append(rejudged.now)
            differing += 1
            for line in rejudged.differences():
                print(f"{rejudged.recorded.id}: {line}")
    except LookupError as fault:
        raise InputError(f"{folder}: {fault.args[0] if fault.args else fault}") from fault
    _print(replace(results, cases=tuple(now)))
    told = [f"{differing} differ" if differing else "", f"{lacking} need withheld keys or a codec" if lacking else ""]
    told += [f"{len(damaged)} file(s) changed" if damaged else ""]
    print(f"{folder.resolve().name}: {len(now)} cases judged again: {', '.join(filter(None, told)) or 'the same verdicts'}")
    return DIFFERENT if differing or damaged else INCONCLUSIVE if lacking else SAME


def _shared_out(again: Callable[[Results], Iterator[Rejudged]], results: Results, jobs: int) -> Iterator[Rejudged]:
    """Every case in its order, judged in that many processes: forks, with everything imported and all keys and codecs at hand."""
    parts = [replace(results, cases=results.cases[first : first + PART]) for first in range(0, len(results.cases), PART)]
    if jobs < 2 or len(parts) < 2:
        yield from again(results)
        return
    with ProcessPoolExecutor(jobs, get_context("fork"), _begin, (again,)) as workers:
        for part in workers.map(_rejudged, parts):
            yield from part


_again: Callable[[Results], Iterator[Rejudged]]  # in a fork only


def _begin(again: Callable[[Results], Iterator[Rejudged]]) -> None:
    global _again
    _again = again
    settle()


def _rejudged(part: Results) -> list[Rejudged]:
    return list(_again(part))


def _print(results: Results) -> None:
    print("step".ljust(6) + "".join(device.ljust(16) for device in results.bench["devices"]))
    for step, cells in results.step_rows():
        print((step.ljust(6) + "".join(word.ljust(16) for word, _ in cells)).rstrip())
    print("verdicts: " + ", ".join(f"{count} {name.replace('_', ' ')}" for name, count in results.totals.items()))
