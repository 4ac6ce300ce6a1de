"""`hanproof serve air`: a virtual air in real time whose radios stand behind TCP ports, with an actor of ours on it where wanted.

Who connects to a port finds an OpenThread radio co-processor there: HANproof itself, zigbee-on-host, any host that speaks Spinel.
"""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from harness.backhaul.carrier import Parcel
    from harness.backhaul.http_carrier import HttpCarrier
    from harness.declarations import BenchFile
    from harness.serving_air import ServedAir
    from harness.usecase import Actor

ROLE = "air"
MOST_RADIOS = 16


def add_options(parser: argparse.ArgumentParser) -> None:
    """What only an air has."""
    parser.add_argument("--radios", type=int, default=2, metavar="N", help="an air: radios behind ports (default: 2)")
    parser.add_argument("--han-device", metavar="NAME", help="an air: a virtual HAN device on it, this device of the bench")
    parser.add_argument("--esi", metavar="NAME", help="an air: a virtual ESI on it, for this device of the bench")
    parser.add_argument("--seed", type=int, metavar="N", help="an air: the number that reproduces what its actors draw")
    parser.add_argument("--at-once", action="store_true", help="an air: start joining, or open the window, at once")


def control_carrier(deliver: Callable[[Parcel], None], listen: str) -> HttpCarrier:
    """A control endpoint on loopback. Raises ValueError for an address that others reach."""
    from harness.adapters.wire_options import host_and_port
    from harness.backhaul.http_carrier import HttpCarrier
    from harness.serving import CONTROL

    host, port = host_and_port(listen)
    if host not in ("127.0.0.1", "::1", "localhost"):
        raise ValueError(f"--control {listen}: whoever reaches it may do everything; right would be a port of loopback")
    return HttpCarrier(deliver, [CONTROL], host=host, port=port)


def served(arguments: argparse.Namespace) -> tuple[ServedAir, list[str]]:
    """The air, and lines that say where everything is. Raises ValueError for wrong options, BenchError for what cannot be had."""
    import secrets
    from random import Random

    from harness.adapters.wire_options import host_and_port
    from harness.declarations import read_bench
    from harness.serving import CONTROL
    from harness.serving_air import ServedAir

    if not 0 < arguments.radios <= MOST_RADIOS:
        raise ValueError(f"--radios {arguments.radios}: right would be 1 to {MOST_RADIOS}")
    bench = read_bench(arguments.bench)
    seed = secrets.randbits(64) if arguments.seed is None else arguments.seed
    air = ServedAir(Random(f"{seed}/air"), say=lambda line: print(line, flush=True))
    try:
        host, port = host_and_port(arguments.listen) if arguments.listen else ("127.0.0.1", 0)
        ports = [air.port(host, port + number if port else 0) for number in range(arguments.radios)]
        lines = [f"radio {number}: {each.address}" for number, each in enumerate(ports, start=1)]
        for actor, machine, verb in _actors(arguments, bench, air, seed):
            air.attend(actor, machine)
            if arguments.at_once:
                air.perform(actor, verb)
        if arguments.control is not None:
            carrier = control_carrier(air.deliver, arguments.control)
            air.attach_control(carrier)
            lines.append(f"control: {carrier.address_of(CONTROL)}")
    except BaseException:
        air.close()
        raise
    return air, lines


def _actors(arguments: argparse.Namespace, bench: BenchFile, air: ServedAir, seed: int) -> Iterator[tuple[Actor, Any, str]]:
    """Those that are wanted on the air, filled as the bench fills them, and what each does first."""
    from dataclasses import replace
    from random import Random

    from harness.actors.setup import Setup
    from harness.adapters.defects import all_defects
    from harness.backhaul.named_codec import load_codec
    from harness.building import load
    from harness.plan import Plan
    from harness.serving_air import EsiAlone
    from harness.usecase import Actor as Role

    defect = all_defects().get(arguments.defect)
    wanted = {Role.HAN_DEVICE: arguments.han_device, Role.ESI: arguments.esi}
    if arguments.defect is not None and (defect is None or not wanted.get(defect.actor)):
        raise ValueError(f"--defect {arguments.defect}: no defect of anybody on this air")
    for actor, name in wanted.items():
        if name is None:
            continue
        device = bench.device(name)
        options = {**bench.adapters[actor].options, "codec": load_codec(bench.legs.codec), "legs": bench.legs}
        chance = Random(f"{seed}/{name}/{actor}")  # as a bench with this seed gives it
        setup = Setup(
            actor, (bench.order(device),), air.clock.epoch, chance, Plan().identity(actor, bench, device),
            options if actor is Role.ESI else bench.adapters[actor].options,
        )
        if defect is not None and defect.actor == actor:
            setup = replace(setup, policy=defect.decisions, rewrites=tuple(defect.rewrites))
        machine = load(bench.adapters[actor].adapter)(setup)
        yield (actor, EsiAlone(machine, setup), "open_window") if actor is Role.ESI else (actor, machine, "start_joining")
