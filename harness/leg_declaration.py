"""The section `legs` of a bench file: in which octets the proprietary legs speak, and what carries them. Knows no codec, opens
no socket, loads nothing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import NamedTuple

from harness.declared import Field, shown
from harness.trace import OWN_LEG_CODEC
from harness.usecase import Actor

IN_PROCESS, TCP, UDP = CARRIAGES = ("in-process", "tcp", "udp")
ON_LEGS = (Actor.AMI_HEAD_END, Actor.AMI_NETWORK, Actor.NIC, Actor.ESI)
LOOPBACK = "127.0.0.1"  # where a port listens whose host is left out
LARGEST, LARGEST_DATAGRAM, LARGEST_EVER = 65_536, 65_507, 1 << 24  # octets of one message; of one over UDP and IPv4


class Address(NamedTuple):
    """Where one end of a leg is reached."""

    host: str
    port: int

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


@dataclass(frozen=True)
class Legs:
    """How the legs of a bench speak. `codec` is `module:Class`; `place` says where in the file it stands.

    Over TCP or UDP `listen` says where our own ends are reached (port 0: any that is free) and `peers` where the others are;
    `largest` is the most octets that one message may have.
    """

    codec: str = OWN_LEG_CODEC
    carriage: str = IN_PROCESS
    listen: Mapping[Actor, Address] = field(default_factory=dict, hash=False)
    peers: Mapping[Actor, Address] = field(default_factory=dict, hash=False)
    largest: int = LARGEST
    place: str = field(default="", compare=False)


def read_legs(given: Field) -> Legs:
    """The section. Raises InputError."""
    fields = given.fields()
    codec, carriage = fields.take("codec"), fields.take("carriage")
    listen, peers, largest = fields.take("listen"), fields.take("peers"), fields.take("largest")
    fields.done()
    name = Legs.codec if codec is None else codec.class_name("acme_legs:AcmeLegCodec")
    carried_by = Legs.carriage if carriage is None else carriage.choice(CARRIAGES)
    if carried_by == IN_PROCESS:
        for each in (listen, peers, largest):
            if each is not None:
                raise each.wrong("belongs to a carriage over a network", f"`carriage: {TCP}` or `carriage: {UDP}` beside it")
        return Legs(name, place=(codec or given).place)
    ours, theirs = _addresses(listen, 0), _addresses(peers, 1)
    if listen is None or peers is None or not (ours and theirs):
        raise given.wrong("has no own end, or no peer", f"`listen: {{{Actor.AMI_NETWORK}: 4102}}` and `peers: {{NIC: HOST:PORT}}`")
    for actor in ours:
        if actor in theirs:
            raise peers.wrong(f"{actor} stands in listen as well", "each actor in one of the two")
    most = LARGEST_DATAGRAM if carried_by == UDP else LARGEST_EVER
    bound = min(LARGEST, most) if largest is None else int(largest.number(1, most))
    return Legs(name, carried_by, ours, theirs, bound, (codec or given).place)


def _addresses(given: Field | None, least: int) -> Mapping[Actor, Address]:
    known: dict[Actor, Address] = {}
    for role, where in (given.fields().rest() if given is not None else {}).items():
        if role not in {actor.value for actor in ON_LEGS}:
            raise where.wrong("is on no leg", "one of " + ", ".join(ON_LEGS))
        known[Actor(role)] = _address(where, least)
    return MappingProxyType(known)


def _address(given: Field, least: int) -> Address:
    host, separator, port = given.text().rpartition(":")
    right = "HOST:PORT, or a PORT of this machine" if least == 0 else "HOST:PORT"
    bare = host.removeprefix("[").removesuffix("]")
    if (separator and not bare) or (":" in bare and bare == host) or not bare.isprintable() or " " in bare:
        raise given.wrong(f"{shown(given.text())} is no address", right)
    if not (port.isascii() and port.isdigit() and least <= int(port[:9]) <= 65_535) or (least and not separator):
        raise given.wrong(f"{shown(given.text())} has no port from {least} to 65535", right)
    return Address(bare or LOOPBACK, int(port))
