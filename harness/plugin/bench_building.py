"""From a plan of the campaign to the harness's own bench; the one place of the plugin that knows `harness.bench`."""

from __future__ import annotations

from collections.abc import Iterable

from harness.backhaul.named_codec import load_codec
from harness.bench import Bench
from harness.building import is_remote, load
from harness.declarations import BenchFile, Filled
from harness.errors import BenchError, InputError
from harness.leg_declaration import IN_PROCESS
from harness.plan import Plan
from harness.plugin.campaign import Planned
from harness.radio_declaration import CHANNEL, Plugged
from harness.usecase import Actor

VERBS = ("receive", "transmit", "deadline", "wake", "events")
OF_A_RADIO = ("submit", "told", "perform", "close")


def build(planned: Planned) -> Bench:
    """The bench of a plan. Raises TypeError for a change that no plan knows."""
    return Bench(
        planned.bench, planned.device, Plan(**planned.changes), seed=planned.seed, scenario=planned.scenario,
        defects=(planned.defect,) if planned.defect is not None else (), operator=planned.operator,
    )


def check(file: BenchFile) -> None:
    """Every actor has an adapter that can be had. Raises InputError: known before the first case, not a verdict on each."""
    for actor in Actor:
        if actor not in file.adapters:  # silence from a place that nobody fills would be held against the actor
            raise InputError(f"{file.path}: adapters.{actor}: is missing; right would be `{actor}: module:Class`")
    try:
        load_codec(file.legs.codec)
    except InputError as fault:
        raise InputError(f"{file.legs.place}{fault}") from fault
    if file.legs.carriage != IN_PROCESS and not any(is_remote(file.adapters[actor]) for actor in file.legs.peers):
        raise InputError(f"{file.legs.place}every actor of this bench is in one process; right would be `carriage: {IN_PROCESS}`")
    for filled in file.adapters.values():
        _check_class(filled, VERBS, "harness.ports.Machine")
    for plugged in file.radios.values():
        _check_class(plugged, OF_A_RADIO, "harness.ports.Radio")
    _check_sniffers(file)
    for actor, filled in file.adapters.items():
        if filled.along is None:
            _check_options(actor, filled)
    for name, plugged in file.radios.items():
        _check_options(name, plugged)


def _check_class(named: Filled | Plugged, wanted: Iterable[str], right: str) -> None:
    """What a bench file names can be imported, and has what is asked of it."""
    try:
        found = load(named.adapter)
    except BenchError as fault:
        raise InputError(f"{named.place}{fault}; right would be a module:Class that can be imported") from fault
    missing = [name for name in wanted if isinstance(found, type) and not hasattr(found, name)]
    if missing:
        raise InputError(f"{named.place}{named.adapter} has no {', '.join(missing)}; right would be a {right}")


def _check_sniffers(file: BenchFile) -> None:
    """A sniffer that is told a channel is told that of the ESI, where the bench file decides it: elsewhere all would be silence."""
    esi = file.adapters[Actor.ESI]
    tuned = str(esi.options.get(CHANNEL, getattr(load(esi.adapter), CHANNEL, "")))
    for name, plugged in file.radios.items():
        listens = plugged.options.get(CHANNEL, tuned)
        if tuned.isdecimal() and listens != tuned:
            raise InputError(
                f"{plugged.place}{name} listens to channel {listens}, and the ESI of this bench is on {tuned}; right would be the same"
            )


def _check_options(name: str, filled: Filled | Plugged) -> None:
    """What an adapter, or a radio, says of its options, where it can say it before it is made."""
    try:
        getattr(load(filled.adapter), "check", lambda name, options: None)(name, filled.options)
    except ValueError as fault:
        raise InputError(f"{filled.place}{fault}") from fault
