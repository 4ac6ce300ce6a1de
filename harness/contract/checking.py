"""The adapters that a bench file names, held to the contract: every promise of each machine and of each radio, one outcome each.

Knows no concrete adapter. Loads none in its own process: whatever is asked of an adapter is asked in one that may die of it.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property, partial

from harness.backhaul.named_codec import load_codec
from harness.contract.asking import Asker, Doing, Put, Told, told_by
from harness.contract.laboratory import Laboratory, Place
from harness.contract.machine_manners import Stage
from harness.contract.machine_recordings import Recorded
from harness.contract.promise import INCONC, NOT_APPLICABLE, PASS, Outcome, Promise
from harness.contract.rehearsal import Recording
from harness.contract.script import Script, building_of, scripts, together
from harness.contract.table import MACHINE, RADIO, RECORDED
from harness.declarations import BenchFile
from harness.errors import InputError
from harness.trace import Trace
from harness.usecase import Actor

RADIO_OF = "radio of "


@dataclass(frozen=True)
class Check:
    """One bench under check. `limit` is how many seconds one question may take."""

    file: BenchFile
    limit: float

    def subjects(self) -> dict[str, Callable[[], Iterator[Outcome]]]:
        """What there is to be checked, by name; each is checked when it is called."""
        places = [actors for actor in self.file.adapters if (actors := self.file.filled_by(actor))]
        radios = [Place(f"{RADIO_OF}{name}", each.adapter, each.options) for name, each in self.file.radios.items()]
        return {
            **{(name := ", ".join(each for each in Actor if each in actors)): partial(self._machine, name, actors) for actors in places},
            **{each.name: partial(self._radio, each, next((other for other in radios if other is not each), None)) for each in radios},
        }

    def outcomes(self, only: tuple[str, ...] = ()) -> Iterator[Outcome]:
        """Everything, or these subjects. Raises InputError for a name that is none of them."""
        subjects = self.subjects()
        if unknown := [name for name in only if name not in subjects]:
            raise InputError(f"--only {unknown[0]}: not on this bench; right would be one of {'; '.join(subjects)}")
        for name in only or tuple(subjects):
            yield from subjects[name]()

    @cached_property
    def _rehearsed(self) -> tuple[Mapping[Actor, Script], Trace]:
        return scripts(self.file, self.file.devices[0])

    def _machine(self, name: str, actors: tuple[Actor, ...]) -> Iterator[Outcome]:
        asker, device, (played, trace) = Asker(self.limit), self.file.devices[0], self._rehearsed
        building = building_of(self.file, device, load_codec(self.file.legs.codec))
        private = (device.private_key.octets,) if device.private_key is not None else ()
        keys = {device.key.octets, device.link_key, building.orders[0].key_material, *private, *(key.octets for key in trace.keys)}
        script = together(played, actors)

        def put(promise: Promise) -> Put:
            def make(doing: Doing) -> tuple[Iterator[str], Callable[[], None]]:
                stage = Stage(building, actors, script, tuple(keys), doing)
                return promise.asks(stage), stage.close
            return make

        made = yield from _in_turn(name, MACHINE, lambda promise: asker.ask(put(promise)))
        rehearses, *judged = RECORDED
        told = asker.ask(put(rehearses)) if made else _not_asked(MACHINE[0])
        yield Outcome(name, rehearses, told.verdict, told.reason)
        if told.product is None:
            told = Told(NOT_APPLICABLE, told.reason) if told.verdict == NOT_APPLICABLE else _not_asked(rehearses)
            yield from (Outcome(name, promise, told.verdict, told.reason) for promise in judged)
            return
        recording: Recording = told.product
        elsewhere = asker.ask(put(rehearses)).product
        recording.elsewhere = elsewhere.said if elsewhere is not None else []
        for promise in judged:
            told = told_by(lambda promise=promise: promise.asks(Recorded(recording, actors)))  # type: ignore[misc]
            yield Outcome(name, promise, told.verdict, told.reason)

    def _radio(self, place: Place, peer: Place | None) -> Iterator[Outcome]:
        asker = Asker(self.limit)

        def ask(promise: Promise) -> Told:
            if promise.peer and peer is None:
                return Told(NOT_APPLICABLE, "needs a second radio")

            def put(doing: Doing) -> tuple[Iterator[str], Callable[[], None]]:
                laboratory = Laboratory(place, peer, doing, self.limit)
                return promise.asks(laboratory), laboratory.close

            return asker.ask(put)

        yield from _in_turn(place.name, RADIO, ask)


def _in_turn(name: str, promises: tuple[Promise, ...], ask: Callable[[Promise], Told]) -> Generator[Outcome, None, bool]:
    """An outcome each; where the first is not a pass the others are not asked. Returns whether it was."""
    first, *others = promises
    told = ask(first)
    yield Outcome(name, first, told.verdict, told.reason)
    rests = told.verdict == PASS
    for promise in others:
        told = ask(promise) if rests else _not_asked(first)
        yield Outcome(name, promise, told.verdict, told.reason or str(told.product or ""))
    return rests


def _not_asked(first: Promise) -> Told:
    return Told(INCONC, f"not asked: {first.id} is not passed")
