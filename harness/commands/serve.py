"""`hanproof serve`: run a virtual DR Application, AMI Head-End, CIS or ODS by itself, or an air with radios behind ports (`air`).

It runs until it is interrupted and says in a line each what happens, never a key. It listens on loopback unless told otherwise.
"""

from __future__ import annotations

import argparse
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from harness.commands import serve_air

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from harness.actors.setup import Setup
    from harness.declarations import BenchFile
    from harness.serving import Served
    from harness.usecase import Actor

DR_APPLICATION, AMI_HEAD_END = "dr-application", "ami-head-end"
ADAPTERS = {
    DR_APPLICATION: "harness.adapters.virtual_dr_application:VirtualDrApplication",
    AMI_HEAD_END: "harness.adapters.virtual_ami_head_end:VirtualAmiHeadEnd",
    "cis": "harness.adapters.virtual_cis:VirtualCis", "ods": "harness.adapters.virtual_ods:VirtualOds",
}
AMI_NETWORK = "ami-network"  # the peer that a head-end has on leg 2
DEFAULT_BENCH = Path(__file__).resolve().parents[2] / "fixtures" / "benches" / "virtual.yaml"
PROFILE_WORDS = ("envelope", "form", "binding", "pattern")
WIRE_OPTIONS = (
    ("wire", "http (default), amqp or stomp"), ("listen", "HOST:PORT to listen on (default: any port of loopback)"),
    ("known-as", "name under which others reach us, where we listen on every interface"),
    ("broker", "HOST:PORT of the broker"), ("prefix", "of the names of queues"), ("user", "who may call, and as whom we call"),
    ("password-file", "file that holds the password"), ("password-env", "environment variable that holds the password"),
    ("certificate", "TLS: our certificate (PEM)"), ("private-key", "TLS: its key (PEM)"),
    ("trust", "TLS: authorities that we trust (PEM)"), ("mutual", "TLS: yes asks clients for a certificate"),
    ("check-name", "TLS: no takes a server's certificate whatever name it has"),
)


def add(subparsers: argparse._SubParsersAction[Any]) -> None:
    """Declare the subcommand."""
    parser = subparsers.add_parser("serve", help="run a virtual system of the back office by itself", description=__doc__)
    parser.add_argument("role", choices=(*ADAPTERS, serve_air.ROLE), metavar="ROLE", help=", ".join((*ADAPTERS, serve_air.ROLE)))
    parser.add_argument("--bench", type=Path, default=DEFAULT_BENCH, metavar="FILE", help="whose devices and `cim` it knows")
    parser.add_argument("--peer", action="append", default=[], metavar="ROLE=ADDRESS", help="where another system is (repeatable)")
    for name, text in WIRE_OPTIONS:
        parser.add_argument(f"--{name}", metavar=name.upper().replace("-", "_"), help=text)
    for name in PROFILE_WORDS:
        parser.add_argument(f"--{name}", metavar="WORD", help=f"`cim: {{{name}: ...}}` instead of the bench file's")
    parser.add_argument("--leg", choices=("tcp", "udp"), help="a head-end: speak to the AMI network over this")
    parser.add_argument("--leg-listen", default="127.0.0.1:0", metavar="HOST:PORT", help="where it listens for it (default: any port)")
    parser.add_argument("--order", action="store_true", help="a DR Application: order the windows of the bench's devices at once")
    parser.add_argument("--control", nargs="?", const="127.0.0.1:0", metavar="HOST:PORT", help="have a control endpoint (loopback)")
    parser.add_argument("--defect", metavar="ID", help="misbehave on purpose: a defect of this actor (of an air: of who stands on it)")
    serve_air.add_options(parser)
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Serve until interrupted. Raises InputError for wrong options, BenchError for what cannot be had."""
    from harness.errors import InputError

    try:
        served, lines = (serve_air.served if arguments.role == serve_air.ROLE else _served)(arguments)
    except ValueError as fault:
        raise InputError(f"serve: {fault}") from fault
    try:
        for line in lines:
            print(line, flush=True)
        served.run()
    except KeyboardInterrupt:
        return 0
    finally:
        served.close()
    return 0


def _served(arguments: argparse.Namespace) -> tuple[Served, list[str]]:
    from harness.adapters.gateways import by_use_case, cim_gateway
    from harness.adapters.wire_options import WireOptions, open_carrier
    from harness.backhaul.gateway import place_of
    from harness.backhaul.wires import CIM
    from harness.building import load
    from harness.clock import WallClock
    from harness.declarations import read_bench
    from harness.serving import Served, Wire
    from harness.usecase import Actor

    if arguments.order and arguments.role != DR_APPLICATION:
        raise ValueError(f"--order: {arguments.role} orders nothing; right would be with {DR_APPLICATION}")
    if arguments.leg and arguments.role != AMI_HEAD_END:
        raise ValueError(f"--leg: {arguments.role} has no leg; right would be with {AMI_HEAD_END}")
    bench = read_bench(arguments.bench)
    actor = next(each for each in Actor if place_of(each) == arguments.role)
    given = {name.replace("-", "_"): getattr(arguments, name.replace("-", "_")) for name, _ in WIRE_OPTIONS}
    options = WireOptions.of({name: value for name, value in given.items() if value is not None})
    peers, legs = _peers(arguments.peer, {place_of(each): each for each in Actor})
    for other, address in peers.items():
        options.check_address(f"--peer {place_of(other)}", address)
    clock = WallClock()
    setup = _setup(arguments, actor, bench, clock)
    served = Served(load(ADAPTERS[arguments.role]), clock, say=lambda line: print(line, flush=True))
    shown = _documents(arguments.role, setup.cim.envelope, lambda: carrier.address_of(arguments.role))
    carrier = open_carrier(options, served.deliver(CIM), [arguments.role], shown)
    served.attach(CIM, Wire(
        carrier, lambda known, tag: cim_gateway({arguments.role: actor}, known, carrier, options, by_use_case, tag), peers,
    ))
    own = carrier.address_of(arguments.role)
    served.set_up(replace(setup, reply_addresses=dict.fromkeys(Actor, own)))
    lines = [f"{actor}: {own}"]
    if options.wire == "http":
        lines.append(f"WSDL: {own}?wsdl (of one noun: .../{arguments.role}/NOUN?wsdl)")
    if arguments.leg:
        lines.append(f"leg: {_attach_leg(served, actor, arguments, legs)}")
    if arguments.control is not None:
        lines.append(f"control: {_attach_control(served, arguments.control)}")
    if arguments.order:
        for order in setup.orders:
            served.perform("order_window", order)
    return served, lines


def _setup(arguments: argparse.Namespace, actor: Actor, bench: BenchFile, clock: Any) -> Setup:
    import secrets
    from random import Random

    from harness.actors.setup import Setup
    from harness.adapters.defects import all_defects

    chosen = {name: getattr(arguments, name) for name in PROFILE_WORDS if getattr(arguments, name)}
    setup = Setup(
        actor, tuple(bench.order(device) for device in bench.devices), clock.epoch, Random(secrets.randbits(64)),
        cim=replace(bench.cim, **chosen),
    )
    if arguments.defect is None:
        return setup
    defect = all_defects().get(arguments.defect)
    if defect is None or defect.actor != actor:
        known = ", ".join(sorted(name for name, each in all_defects().items() if each.actor == actor))
        raise ValueError(f"--defect {arguments.defect}: no defect of the {actor}; right would be one of {known}")
    return replace(setup, policy=defect.decisions, rewrites=tuple(defect.rewrites))


def _peers(given: list[str], actors: Mapping[str, Actor]) -> tuple[dict[str, str], dict[str, str]]:
    """Addresses by actor: on the CIM bus, and on the leg."""
    peers: dict[str, str] = {}
    for each in given:
        role, equals, address = each.partition("=")
        if not equals or role not in actors:
            raise ValueError(f"--peer {each}: right would be ROLE=ADDRESS, ROLE being one of {', '.join(actors)}")
        peers[actors[role]] = address
    legs = {actor: address for actor, address in peers.items() if actor == actors[AMI_NETWORK]}
    return {actor: address for actor, address in peers.items() if actor not in legs}, legs


def _documents(role: str, envelope: str, address: Callable[[], str]) -> Callable[[str], tuple[str, bytes] | None]:
    """What the HTTP endpoint shows of itself, WSDL and schemas; its address is known once it listens."""
    from harness.cim.wsdl import documents

    return lambda target: documents(role, address(), envelope).get(target)


def _attach_leg(served: Served, actor: Actor, arguments: argparse.Namespace, peers: Mapping[str, str]) -> str:
    from harness.adapters.gateways import leg_gateway
    from harness.adapters.wire_options import host_and_port
    from harness.backhaul.gateway import place_of
    from harness.backhaul.leg_carrier import LegCarrier
    from harness.backhaul.wires import LEG
    from harness.serving import Wire
    from harness.usecase import Actor as Role

    place = place_of(actor)
    carrier = LegCarrier(served.deliver(LEG), arguments.leg, {place: host_and_port(arguments.leg_listen)})
    served.attach(LEG, Wire(
        carrier, lambda known, tag: leg_gateway({place: actor}, known, carrier, Role.AMI_NETWORK, tag), peers,
    ))
    return carrier.address_of(place)


def _attach_control(served: Served, listen: str) -> str:
    from harness.serving import CONTROL

    carrier = serve_air.control_carrier(served.deliver(CONTROL), listen)
    served.attach_control(carrier)
    return carrier.address_of(CONTROL)
