"""What a machine promises of itself: how it is made, what it declares, which verbs it has, how it ends.

Knows the Machine protocol and the roles' verbs; no adapter in particular.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from dissectors.mac import fcs
from harness.actors.verbs import BACK_OFFICE_VERBS, Verb
from harness.backhaul.wires import CIM, LEG
from harness.building import Building, load
from harness.composite import ADJACENT, AIR
from harness.contract.promise import Asked, NotApplicable, Promise
from harness.contract.rehearsal import RESTLESS, Rehearsal
from harness.contract.script import ON_AIR, Script, verbs_of
from harness.contract.watching import clocks_read, deeds_of_importing, overheard, shows
from harness.errors import BenchError, Inconclusive
from harness.ports import Message, Received, Transmitted
from harness.taps import ON_LEGS
from harness.usecase import Actor, Point

VERBS = ("receive", "transmit", "deadline", "wake", "events")
NOISE = (b"", b"\x00", b"<", b"<a>" * 2000, bytes(range(256)) * 8)
A_DEED = Verb("", does=True)  # what a role on the air has
PATIENCE = 0.5  # seconds that a thread may take to end


@dataclass
class Stage:
    """What a question about a machine is given: the bench's own way to make it, its places, its script, and what is secret."""

    building: Building
    actors: tuple[Actor, ...]
    script: Script
    keys: tuple[bytes, ...]
    doing: Callable[[str], None]
    _made: Any = None

    @property
    def adapter(self) -> Any:
        """The class that the bench file names."""
        return load(self.building.file.adapters[self.actors[0]].adapter)

    @property
    def live(self) -> bool:
        """Whether it has something real behind it."""
        return bool(getattr(self.adapter, "live", lambda options: False)(self.building.file.adapters[self.actors[0]].options))

    def made(self) -> Any:
        """The machine, made anew."""
        self.doing("being made")
        self._made = self.building.alone(self.actors[0])
        return self._made

    def close(self) -> None:
        """Close the last one, where it can be closed."""
        getattr(self._made, "close", lambda: None)()


def is_made(stage: Stage) -> Iterator[str]:
    """From one Setup, with the five verbs."""
    machine = stage.made()
    if missing := [verb for verb in VERBS if not callable(getattr(machine, verb, None))]:
        yield f"has no {', '.join(missing)}"


def imports_quietly(stage: Stage) -> Iterator[str]:
    """Importing defines, and does nothing."""
    deeds = deeds_of_importing(stage.building.file.adapters[stage.actors[0]].adapter.partition(":")[0])
    if deeds:
        yield f"importing its module did more than define: {', '.join(sorted(deeds))}"


def declares_itself(stage: Stage) -> Iterator[str]:
    """What it says of itself without being made."""
    file, adapter = stage.building.file, stage.adapter
    live = getattr(adapter, "live", None)
    if live is not None and not isinstance(live(file.adapters[stage.actors[0]].options), bool):
        yield "`live` says neither True nor False"
    hides = getattr(adapter, "hides", None)
    for actor in stage.actors:
        if hides is not None and not set(hides(actor, file.legs)) <= set(Point):
            yield f"`hides` names what is no observation point; right would be {', '.join(Point)}"


def has_its_roles_verbs(stage: Stage) -> Iterator[str]:
    """Each does what it says, or raises Inconclusive; what only asks may be missing where the system is real."""
    machine, building = stage.made(), stage.building
    for actor in stage.actors:
        for verb, arguments in verbs_of(actor, building.device.eui64, building.orders[0]).items():
            asks = not BACK_OFFICE_VERBS.get(actor, {}).get(verb, A_DEED).does
            if not callable(getattr(machine, verb, None)) and not (asks and stage.live):
                yield f"has no {verb}, which the role {actor} has; it may raise Inconclusive"
            if stage.live:
                continue  # it would be done to somebody's device
            stage.doing(verb)
            try:
                getattr(machine, verb)(*arguments)
            except Inconclusive:
                continue


def bears_noise(stage: Stage) -> Iterator[str]:
    """Octets that mean nothing, and an answer to a frame that was never sent."""
    _needs_virtual(stage)
    machine = stage.made()
    for octets in NOISE:
        for actor in stage.actors:
            for other in (other for wire in ADJACENT if actor in wire for other in wire - {actor, *stage.actors}):
                if {actor, other} != AIR:
                    _give(machine, Message(LEG if frozenset({actor, other}) in ON_LEGS else CIM, other, actor, octets))
            if actor in ON_AIR:
                for psdu in (octets[:2], octets[:100] + fcs(octets[:100])):
                    _give(machine, Received(psdu, 11))
                _give(machine, Transmitted(4242, "ok"))
    yield from ()


def _give(machine: Any, pdu: object) -> None:
    machine.receive(pdu, 1.0)
    machine.transmit(1.0)
    machine.events()


def closes_twice(stage: Stage) -> Iterator[str]:
    """Where there is something to close."""
    machine = stage.made()
    if not hasattr(machine, "close"):
        if stage.live:
            yield "has something real behind it, and no `close`"
        raise NotApplicable("has nothing to close")
    for _ in range(2):
        stage.doing("close")
        machine.close()


def says_nothing_after_close(stage: Stage) -> Iterator[str]:
    """What came too late is nobody's; it may say that it is closed."""
    machine = stage.made()
    if not hasattr(machine, "close"):
        raise NotApplicable("has nothing to close")
    machine.transmit(0.0)
    machine.events()
    stage.doing("close")
    machine.close()
    with suppress(BenchError):
        if machine.transmit(1.0) or machine.events():
            yield "says something after it was closed"


def leaves_nothing_running(stage: Stage) -> Iterator[str]:
    """Threads."""
    before = set(threading.enumerate())
    stage.made()
    stage.doing("close")
    stage.close()
    left = set(threading.enumerate()) - before
    for thread in left:
        thread.join(PATIENCE / len(left))
    if any(thread.is_alive() for thread in left):
        yield f"after it was closed {len(left)} thread(s) of it went on"


def rehearses(stage: Stage) -> Asked:
    """Its script, twice in this process; returns the recording, which the promises below are judged on."""
    _needs_virtual(stage)
    with overheard() as heard:
        machine = stage.made()
        recording = Rehearsal(machine, stage.script, stage.doing).play()
        shown = {
            "its log": [text for _, text in recording.logged], "what it prints or logs": [heard.getvalue()],
            "its repr": [repr(machine), str(machine)],
        }
        recording.shown = {where for where, texts in shown.items() if any(shows(text, stage.keys) for text in texts)}
        with clocks_read(recording.clocks):
            recording.again = Rehearsal(stage.made(), stage.script, stage.doing).play().said
    if RESTLESS in recording.flaws:
        yield recording.flaws[RESTLESS]
    return recording


def _needs_virtual(stage: Stage) -> None:
    if stage.live:
        raise NotApplicable("has something real behind it, which is not disturbed")


PROMISES = (
    Promise("MACHINE-MADE", "is made from one Setup and has the five verbs", "that a bench can drive it", is_made),
    Promise("MACHINE-IMPORT", "does nothing when its module is imported", "that reading a bench file touches no port", imports_quietly),
    Promise("MACHINE-DECLARES", "says soundly whether it is live and what it hides", "that a bench knows what it can judge",
            declares_itself),
    Promise("MACHINE-ROLE-VERBS", "has the verbs of its role, each done or refused as Inconclusive",
            "that a case may count on what it asked for", has_its_roles_verbs),
    Promise("MACHINE-NOISE", "bears octets that mean nothing", "that a hostile peer ends no run", bears_noise),
    Promise("MACHINE-CLOSES", "closes within the limit, and again", "that a campaign comes to its end", closes_twice),
    Promise("MACHINE-SILENT", "says nothing once it is closed", "that an ended case cannot disturb the next", says_nothing_after_close),
    Promise("MACHINE-ENDS-THREADS", "leaves no thread running once it is closed",
            "that a long campaign does not fill with what earlier cases left", leaves_nothing_running),
)
REHEARSES = Promise(
    "MACHINE-REHEARSES", "goes through an undisturbed provisioning alone, and comes to rest", "that it neither raises nor runs in circles",
    rehearses,
)
