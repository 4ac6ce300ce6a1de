"""`hanproof judge`: judge a finished run again from what it left on disk, and say whether the verdicts are the same."""

from __future__ import annotations

import argparse
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from harness.errors import InputError

if TYPE_CHECKING:
    from harness.evidence.results import Results

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
    try:
        for rejudged in rejudge(folder, results, table(arguments.table).find, devices, leg_codecs(arguments.leg_codec)):
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


def _print(results: Results) -> None:
    print("step".ljust(6) + "".join(device.ljust(16) for device in results.bench["devices"]))
    for step, cells in results.step_rows():
        print((step.ljust(6) + "".join(word.ljust(16) for word, _ in cells)).rstrip())
    print("verdicts: " + ", ".join(f"{count} {name.replace('_', ' ')}" for name, count in results.totals.items()))
