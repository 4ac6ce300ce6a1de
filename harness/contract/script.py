"""What each actor is given in an undisturbed provisioning: taken from a trace, played to a machine that stands alone.

The script comes from a run of our own virtual actors with the devices and orders of a bench. Knows no concrete adapter: a bench
file names the virtual ones. It does not depend on what the machine under check says, so that any machine can be played it.
"""

from __future__ import annotations

import random
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from types import MappingProxyType

from harness.bench import Bench
from harness.building import Building
from harness.declarations import BenchFile, Device, read_bench
from harness.leg_declaration import Legs
from harness.plan import Plan
from harness.ports import Message, Received
from harness.trace import Trace
from harness.usecase import Actor, Order, Point
from harness.values import Eui64

VIRTUAL = Path(__file__).resolve().parents[2] / "fixtures" / "benches" / "virtual.yaml"
ON_AIR = (Actor.ESI, Actor.HAN_DEVICE)
LONGEST_WINDOW = 300.0  # seconds: a longer one asks a machine nothing more


@dataclass(frozen=True)
class Given:
    """One thing that a machine is given at an instant: a pdu, or a role verb with what it takes beside the time."""

    at: float
    pdu: Message | Received | None = None
    verb: str = ""
    arguments: tuple[Order | str, ...] = ()


@dataclass(frozen=True)
class Script:
    """What one actor is given, in order; `end` is when its run came to rest."""

    given: tuple[Given, ...]
    end: float


def virtual_bench(file: BenchFile) -> BenchFile:
    """The same bench with every actor virtual, on virtual wires and a virtual air."""
    return replace(
        file, adapters=read_bench(VIRTUAL).adapters, radios={}, dut=(), legs=Legs(codec=file.legs.codec, place=file.legs.place),
        window_duration=min(file.window_duration, LONGEST_WINDOW),
    )


def building_of(file: BenchFile, device: Device, codec: object) -> Building:
    """What makes the machines of the bench as a run would, with the chance of the bench's own seed."""
    plan = Plan()
    bench = virtual_bench(file)

    def chance(purpose: str) -> random.Random:
        return random.Random(f"{file.seed}/{device.name}/{purpose}")

    return Building(file, device, plan, plan.orders(bench, device), (), file.epoch, chance, codec, lambda: None)


def scripts(file: BenchFile, device: Device) -> tuple[Mapping[Actor, Script], Trace]:
    """The script of every actor, and the trace of the run that they come from."""
    bench = Bench(virtual_bench(file), device)
    bench.play()
    bench.close()
    scripts = {actor: Script(tuple(sorted(_given_to(bench.trace, actor), key=lambda given: given.at)), bench.now) for actor in Actor}
    return MappingProxyType(scripts), bench.trace


def together(scripts: Mapping[Actor, Script], actors: Collection[Actor]) -> Script:
    """The script of a machine that fills several places: what they say to one another stays inside."""
    given = [
        each for actor in actors for each in scripts[actor].given
        if not (isinstance(each.pdu, Message) and each.pdu.producer in actors)
    ]
    return Script(tuple(sorted(given, key=lambda each: each.at)), max(scripts[actor].end for actor in actors))


def _given_to(trace: Trace, actor: Actor) -> Iterator[Given]:
    for mark in trace.header.about["marks"]:
        if mark["actor"] == actor:
            order = (trace.header.order,) if mark["verb"] == "order_window" else ()
            yield Given(mark["at"], verb=mark["verb"], arguments=order)
    for each in trace:
        if each.fate != "arrived":
            continue
        if each.point is Point.MAC and actor in ON_AIR and each.producer != actor:
            yield Given(each.time, Received(each.octets, each.about["channel"]))
        elif each.point in (Point.CIM, Point.LEG) and each.receiver == actor:
            about = {name: value for name, value in each.about.items() if name != "arrives"}
            yield Given(each.about["arrives"], Message(each.medium, each.producer or "", actor, each.octets, about))


def verbs_of(actor: Actor, device: Eui64, order: Order) -> Mapping[str, tuple[object, ...]]:
    """The role verbs of an actor (harness/actors), each with what it takes; a number at the end is the time."""
    verbs: dict[Actor, dict[str, tuple[object, ...]]] = {
        Actor.DR_APPLICATION: {"order_window": (order, 1.0), "cancel_window": (order, 2.0), "state_of": (device,)},
        Actor.AMI_HEAD_END: {"knows_meter": (order.meter,)},
        Actor.ESI: {"power_cycle": (1.0,), "renew_network_key": (2.0,), "switch_network_key": (3.0,)},
        Actor.HAN_DEVICE: {"start_joining": (1.0,), "power_cycle": (2.0,), "factory_reset": (3.0,), "opt_out": (4.0,)},
        Actor.CIS: {"register_meter": (order.meter, 1.0), "devices_at": (order.premise,), "enrolled_in": (order.premise,)},
        Actor.ODS: {"events_held": ()},
    }
    return MappingProxyType(verbs.get(actor, {}))
