"""Role verbs of what is real: is there somebody to perform each, and could he? Nothing is performed, nobody is asked."""

from __future__ import annotations

import shlex
import shutil
from collections.abc import Iterator

from harness.actors.verbs import BACK_OFFICE_VERBS
from harness.declarations import BenchFile, Filled
from harness.doctor.finding import Finding, Grade
from harness.doctor.ports import examine_port
from harness.errors import BenchError
from harness.loading import load
from harness.role_verbs import VERBS, Way, asks_a_person, way_of
from harness.usecase import ACROSS_THE_HAN, Actor

CANNOT_DO_WITHOUT = {Actor.HAN_DEVICE: ("factory_reset", "start_joining"), Actor.ESI: ("open_window",)}


def examine_verbs(file: BenchFile) -> Iterator[Finding]:
    """The verbs of every actor that is somewhere else."""
    for actor, filled in file.adapters.items():
        adapter = load(filled.adapter)
        if filled.along is None and hasattr(adapter, "live") and not hasattr(adapter, "examine"):  # a stick is ours, and does as it is told
            yield from _of(actor, filled)
    persons = [f"{actor}.{verb}" for actor, filled in file.adapters.items() if not filled.along for verb in asks_a_person(filled.options)]
    if persons:
        yield Finding(Grade.NOTE, "operator", f"a person performs {', '.join(persons)}",
                      "run it at a terminal, without -n; or with --answers FILE")


def _of(actor: Actor, filled: Filled) -> Iterator[Finding]:
    for verb in (*VERBS.get(actor, {}), *BACK_OFFICE_VERBS.get(actor, {})):
        way = way_of(filled.options.get(verb))
        if way is not None:
            yield from _way(f"{actor}.{verb}", verb, way)
        elif actor in ACROSS_THE_HAN and verb in CANNOT_DO_WITHOUT[actor]:
            yield Finding(Grade.DOUBT, f"{actor}.{verb}", "nobody performs it, and every case that is played is inconclusive",
                          f"write `{verb}: {{person: ...}}`, `{{command: ...}}` or `{{adapter: ...}}` under adapters.{actor}")


def _way(about: str, verb: str, way: Way) -> Iterator[Finding]:
    if way.command:
        yield _command(about, way.command)
    elif way.adapter:
        try:
            has = hasattr(load(way.adapter), verb)
        except BenchError as fault:
            yield Finding(Grade.PROBLEM, about, str(fault), "install the package that has it, or mend the name")
            return
        if not has:
            yield Finding(Grade.PROBLEM, about, f"{way.adapter} has no {verb}", "take a class that has it")
            return
        yield Finding(Grade.FINE, about, f"{way.adapter} has it")
        if "port" in way.options:
            yield from examine_port(about, way.options["port"])


def _command(about: str, command: str) -> Finding:
    try:
        words = shlex.split(command)
    except ValueError as fault:
        return Finding(Grade.PROBLEM, about, f"the command cannot be read: {fault}", "close its quotation marks")
    found = shutil.which(words[0]) if words else None
    if found is None:
        return Finding(Grade.PROBLEM, about, f"there is no command {words[0] if words else command!r} that may be run",
                       "write its whole path, and chmod +x it")
    return Finding(Grade.FINE, about, f"{found} is there")
