"""From a bench file and a plan to the machines of one run, by the names under which they send. Knows no concrete adapter.

Every actor has its place. What stands beside the eight - a second HAN device, a second meter, somebody else's network - is filled
by the same adapters under a name of its own, is given no defect, and is not judged.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, nullcontext, suppress
from dataclasses import dataclass, replace
from datetime import datetime
from types import MappingProxyType
from typing import Any

from harness import loading, neighbour
from harness.actors.prompt import Prompt, nobody
from harness.actors.setup import Setup
from harness.adapters.defects import Defect
from harness.crypto.install_code import ordered_link_key
from harness.declarations import BenchFile, Device, Filled
from harness.errors import BenchError, HanproofError, Inconclusive, Unsupported
from harness.leg_declaration import ON_LEGS
from harness.plan import STRANGER, Plan
from harness.ports import Chance, Machine
from harness.radio_declaration import is_sniffer
from harness.second_meter import OF_ITS_OWN, Elsewhere
from harness.trace import Key
from harness.usecase import ACROSS_THE_HAN, Actor, Order, Point, second


def load(name: str) -> Callable[[Setup], Machine]:
    """The adapter that a bench file names as `module:Class`. Raises BenchError saying what is missing."""
    adapter: Callable[[Setup], Machine] = loading.load(name)
    return adapter


def is_live(file: BenchFile) -> bool:
    """Whether the bench has real radios, or an adapter with something real behind it, which no clock can make jump."""
    adapters = ((load(filled.adapter), filled.options) for filled in file.adapters.values())
    return bool(file.radios) or any(getattr(adapter, "live", lambda options: False)(options) for adapter, options in adapters)


def is_remote(filled: Filled) -> bool:
    """Whether who fills a place is somewhere else, and is reached over real wires."""
    return hasattr(load(filled.adapter), "live")


def hears_the_real(file: BenchFile) -> bool:
    """Whether frames or packets come to the bench when they come, and not when its own clock says so."""
    return bool(file.radios) or any(hasattr(load(filled.adapter), "blind_to") for filled in file.adapters.values())


def unseen(file: BenchFile) -> frozenset[Point]:
    """The observation points that this bench does not have: what the adapters of those under test hide, and to what an adapter
    that would be the only one to see it is blind."""
    judged = [actor for actor in file.dut or tuple(file.adapters) if actor in file.adapters]
    hides = ((getattr(load(file.adapters[actor].adapter), "hides", None), actor) for actor in judged)
    sniffed = any(is_sniffer(name) for name in file.radios)
    blind = {point for filled in file.adapters.values() if not sniffed for point in getattr(load(filled.adapter), "blind_to", ())}
    return frozenset(point for hiding, actor in hides if hiding is not None for point in hiding(actor, file.legs)) | blind


@dataclass(frozen=True)
class Building:
    """Everything that the machines of one run are made from; `chance` gives each purpose its own.

    `codec` is that of the legs; `interrupt` has the bench look at once for what has arrived; `ask` puts a prompt to a person;
    in the context `aside` the bench's time stands still; `note` keeps what was done by hand.
    """

    file: BenchFile
    device: Device
    plan: Plan
    orders: tuple[Order, ...]
    defects: tuple[Defect, ...]
    epoch: datetime
    chance: Callable[[str], Chance]
    codec: Any
    interrupt: Callable[[], None]
    ask: Callable[[Prompt], str] = nobody
    aside: Callable[[], AbstractContextManager[None]] = nullcontext
    note: Callable[..., dict[str, Any]] = dict

    def actors(self) -> tuple[dict[str, Any], dict[str, str]]:
        """The machines that the bench file names, by name, and under which of them every place is filled.

        A machine that fills several places is called the ESI where that is one of them. Raises BenchError for an adapter that
        cannot be had.
        """
        remote: dict[Actor, Any] = {}
        try:
            for actor, filled in self.file.adapters.items():
                if is_remote(filled) and self.file.filled_by(actor):
                    self._as_it_is(actor, filled)
                    remote[actor] = self._made(filled, self._setup(actor, filled))
            return self._with(remote)
        except HanproofError:
            for machine in remote.values():  # else the next bench would find their ports taken
                machine.close()
            raise

    def alone(self, actor: Actor) -> Any:
        """The machine of one place, by itself: nobody else is made. Raises BenchError as `actors` does."""
        filled = self.file.adapters[actor]
        return self._made(filled, self._setup(actor, filled))

    def _with(self, remote: Mapping[Actor, Any]) -> tuple[dict[str, Any], dict[str, str]]:
        """All actors, when those that are somewhere else are made: the others are told where these reach them."""
        made: dict[str, Any] = {}
        called: dict[str, str] = {}
        for actor, filled in self.file.adapters.items():
            together = self.file.filled_by(actor)
            if together:
                name = (Actor.ESI if Actor.ESI in together else actor).value
                setup = self._setup(actor, filled, {each: machine.address_of(actor) for each, machine in remote.items()})
                made[name] = remote[actor] if actor in remote else self._made(filled, setup)
                called |= dict.fromkeys(together, name)
        return made, called

    def others(self) -> dict[str, Any]:
        """What the plan wants beside them, by name. Raises Inconclusive for a second of what is one with another actor, Unsupported
        for one of what is real."""
        made: dict[str, Any] = {}
        if self.plan.neighbour:
            filled, whose = self._virtual(Actor.ESI), self.plan.own_address(self.device)
            setup = Setup(Actor.ESI, (), self.epoch, self.chance(neighbour.NAME), options=self._options(Actor.ESI, filled))
            made[neighbour.NAME] = neighbour.beside(load(filled.adapter), setup, replace(self.orders[0], device=whose))
        for actor in OF_ITS_OWN if self.plan.has_second_meter else ():
            filled = self._alone(actor)
            own = {"eui64": f"{self.chance('address of a second ESI').getrandbits(64):016x}"} if actor is Actor.ESI else {}
            setup = Setup(
                actor, self.orders[1:], self.epoch, self.chance(second(actor)), options={**self._options(actor, filled), **own},
            )
            made[second(actor)] = Elsewhere(self._made(filled, setup))
        if self.plan.has_second_device:
            filled = self._alone(Actor.HAN_DEVICE)
            identity = self.plan.second_identity(self.file, self.device)
            setup = Setup(Actor.HAN_DEVICE, (), self.epoch, self.chance(second(Actor.HAN_DEVICE)), identity, filled.options)
            made[second(Actor.HAN_DEVICE)] = self._made(filled, setup)
        if self.plan.stranger is not None:
            filled = self._alone(Actor.HAN_DEVICE)
            identity = self.plan.stranger_identity(self.file, self.device)
            setup = Setup(Actor.HAN_DEVICE, (), self.epoch, self.chance(STRANGER), identity, filled.options)
            made[STRANGER] = self._made(filled, setup)
        return made

    def ordered_keys(self) -> Iterator[Key]:
        """What was ordered is known whatever the ESI makes of it; what is no install code makes no key."""
        for order in self.orders:
            with suppress(ValueError):
                yield Key("ic", ordered_link_key(order.key_form, order.key_material), order.device)

    def _made(self, filled: Filled, setup: Setup) -> Machine:
        try:
            return load(filled.adapter)(setup)
        except ValueError as fault:  # an option of the bench file that cannot be read
            raise BenchError(f"{filled.place}{filled.adapter} cannot be set up: {fault}") from fault

    def _alone(self, actor: Actor) -> Filled:
        if self.file.filled_by(actor) != (actor,):
            raise Inconclusive(f"the {actor} of this bench is one with another actor: there can be no second one beside it")
        return self._virtual(actor)

    def _virtual(self, actor: Actor) -> Filled:
        filled = self.file.adapters[actor]
        if actor in ACROSS_THE_HAN and is_remote(filled):
            raise Unsupported(f"the {actor} of this bench is a real one: there is no second one beside it")
        return filled

    def _as_it_is(self, actor: Actor, filled: Filled) -> None:
        """What is real cannot be made another. Raises Unsupported where the plan or a defect would have it be."""
        if actor not in ACROSS_THE_HAN:
            return
        other = self.plan.han_device not in (None, self.device.eui64) or self.plan.han_device_key is not None
        if actor is Actor.HAN_DEVICE and other:
            raise Unsupported("the HAN Device of this bench is a real one: it has its own address and key and no other")
        if actor is Actor.ESI and self.plan.esi_full:
            raise Unsupported("the ESI of this bench is a real one: nobody can say that it has no room for a device")
        if any(defect.actor in self.file.filled_by(actor) for defect in self.defects):
            raise Unsupported(f"the {actor} of this bench is a real one: no defect can be planted in it")

    def _options(self, actor: Actor, filled: Filled) -> Mapping[str, Any]:
        return {**filled.options, "codec": self.codec, "legs": self.file.legs} if actor in ON_LEGS else filled.options

    def _setup(self, actor: Actor, filled: Filled, reply_addresses: Mapping[str, str] = MappingProxyType({})) -> Setup:
        together = self.file.filled_by(actor)
        planted = [defect for defect in self.defects if defect.actor in together]
        return Setup(
            actor=actor, orders=self.orders, epoch=self.epoch, chance=self.chance(actor),
            identity=self.plan.identity(Actor.HAN_DEVICE if Actor.HAN_DEVICE in together else actor, self.file, self.device),
            options=self.plan.options(actor, self._options(actor, filled)),
            interrupt=self.interrupt, ask=self.ask, aside=self.aside, note=self.note,
            policy={name: value for defect in planted for name, value in defect.decisions.items()},
            rewrites=tuple(
                rewrite for defect in planted
                for rewrite in (*defect.rewrites, *(defect.made(self.plan.provoked_with) if defect.made else ()))
            ),
            cim=self.plan.profile(self.file.cim), reply_addresses=reply_addresses,
        )
