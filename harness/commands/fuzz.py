"""`hanproof fuzz`: draw and play runs of moves in any order until something is to complain of; one line replays what was found."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from harness.errors import InputError

if TYPE_CHECKING:
    from harness.declarations import BenchFile
    from harness.fuzzing.machine import Failing, Profile

FOUND, NOTHING = 1, 0
BENCH = "fixtures/benches/virtual.yaml"
VIRTUAL = "harness.adapters.virtual_"  # what every adapter of a virtual bench begins with
BATCH = 50  # runs between two looks at the clock
FOLDER, RUN = "fuzz", "run.json"
SECONDS_A_MINUTE = 60.0


def add(subparsers: argparse._SubParsersAction[Any]) -> None:
    """Declare the subcommand."""
    parser = subparsers.add_parser("fuzz", help="play moves of both sides in any order", description=__doc__)
    parser.add_argument("--profile", choices=("ci", "nightly", "radio"), default="ci",
                        help="ci: few and the same every time; nightly: until the time is over; radio: what a real device can stand")
    parser.add_argument("--bench", metavar="FILE", type=Path, help="bench file (default: the virtual bench)")
    parser.add_argument("--minutes", metavar="N", type=float, help="how long to go on (nightly; default: 30)")
    parser.add_argument("--examples", metavar="N", type=int, help="how many runs at most (default: the profile's)")
    parser.add_argument("--seed", metavar="N", type=int, default=0, help="what is drawn follows from it (default: 0)")
    parser.add_argument("--plant", metavar="DEFECT", action="append", default=[], help="plant a defect, to see it found (repeatable)")
    parser.add_argument("--table", default="cases.table", metavar="MODULE", help="the clause table (default: cases.table)")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Fuzz; 1 where something was found. Raises InputError."""
    from dataclasses import replace

    from harness.adapters.defects import all_defects
    from harness.clock import WallClock
    from harness.commands.given import table
    from harness.fuzzing.machine import PROFILES, Hunt, seek

    file, profile = bench_file(arguments.bench), PROFILES[arguments.profile]
    _check(arguments, file, profile)
    unknown = next((each for each in arguments.plant if each not in all_defects()), None)
    if unknown is not None:
        raise InputError(f"--plant {unknown}: there is no such defect; right would be an id of harness/adapters/defects")
    if arguments.examples is not None:
        profile = replace(profile, examples=arguments.examples)
    clauses = tuple(table(arguments.table).clauses().values())
    minutes = arguments.minutes if arguments.minutes is not None else 0.0 if profile.reproducible or profile.radio else 30.0
    hunt = Hunt(file, clauses, profile, tuple(all_defects()[each] for each in arguments.plant), arguments.seed)
    if not minutes:
        failing = seek(hunt)
        _tell(failing, file, clauses, set())
        print(f"fuzz: {'something was found' if failing else 'nothing was found'} in {profile.examples} runs at most")
        return FOUND if failing else NOTHING
    clock, known, seed = WallClock(), set[str](), arguments.seed
    while clock.now() < minutes * SECONDS_A_MINUTE:
        _tell(seek(replace(hunt, seed=seed, profile=replace(profile, examples=min(BATCH, profile.examples)))), file, clauses, known)
        seed += 1
    print(f"fuzz: {len(known)} found in {clock.now() / SECONDS_A_MINUTE:.0f} min, seeds {arguments.seed} to {seed - 1}")
    return FOUND if known else NOTHING


def bench_file(given: Path | None) -> BenchFile:
    """The bench file that was named, or the virtual bench. Raises InputError."""
    from harness.commands.run import PROJECT
    from harness.declarations import read_bench
    from harness.plugin.bench_building import check

    file = read_bench(given or PROJECT / BENCH)
    check(file)
    return file


def _check(arguments: argparse.Namespace, file: BenchFile, profile: Profile) -> None:
    if not profile.radio and not all(filled.adapter.startswith(VIRTUAL) for filled in file.adapters.values()):
        raise InputError(f"--profile {profile.name}: needs a bench that is virtual throughout; right would be --profile radio")
    if arguments.examples is not None and arguments.examples < 1:
        raise InputError("--examples: right would be 1 or more")
    if arguments.minutes is not None and not arguments.minutes > 0:
        raise InputError("--minutes: right would be more than 0")


def _tell(failing: Failing | None, file: BenchFile, clauses: tuple[Any, ...], known: set[str]) -> None:
    """Say what was found, once for each thing complained of, keep it, and say how to see it again."""
    if failing is None or set(failing.script.complaints) <= known:
        return
    known |= set(failing.script.complaints)
    for complaint in failing.complaints:
        print(f"{complaint.id}: {complaint.sentence}")
    print(f"kept: {_keep(failing, file, clauses)}")
    print(f"hanproof replay {failing.script.token}", flush=True)


def _keep(failing: Failing, file: BenchFile, clauses: tuple[Any, ...]) -> Path:
    """Write a failing run: its moves in words, its token, and the evidence, without the secrets of a device file. Raises OSError."""
    from harness.commands.run import runs
    from harness.evidence.scenario import write_capture, write_scenario
    from harness.fuzzing.play import replayed

    script = failing.script
    folder = runs() / FOLDER / script.name
    folder.mkdir(parents=True, exist_ok=True)
    words = {
        **script.as_dict(), "moves": [str(each) for each in script.moves], "token": script.token,
        "found": [{"id": each.id, "sentence": each.sentence} for each in failing.complaints],
    }
    (folder / RUN).write_text(json.dumps(words, indent=1) + "\n", encoding="utf-8")
    if all(filled.adapter.startswith(VIRTUAL) for filled in file.adapters.values()):  # what is real is not put through it again
        trace = replayed(file, script, clauses).trace
        secrets = file.devices[script.setting.device].confidential
        write_capture(folder / write_scenario(folder, FOLDER, trace, secrets), {})
    return folder
