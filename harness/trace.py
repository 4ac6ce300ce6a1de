"""The trace: an append-only list of exchanges under a header that says all a checker may know. Knows no encoding.

On disk a trace is JSON lines: the header, then one exchange a line, octets as hex.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass, field, fields, replace
from enum import StrEnum
from pathlib import Path
from typing import Any

from harness.cim_profile import CimProfile
from harness.errors import InputError
from harness.usecase import Actor, Order, Point
from harness.values import DeviceType, Eui64

SCHEMA = "hanproof.trace/1"


@dataclass(frozen=True)
class Exchange:
    """One message seen. `time` is seconds since the bench started, when its last octet was out.

    `fate` is "arrived", or what the bench's faults made of it: "lost", or "altered" (what arrived instead is a later exchange
    with fate "arrived" and this one's number in `about["instead_of"]`). `producer` and `receiver` are None where a capture
    cannot tell. `about` holds what the medium adds: channel, lqi, rssi, HTTP status.
    """

    number: int
    time: float
    point: Point
    medium: str
    octets: bytes
    producer: str | None = None
    receiver: str | None = None
    fate: str = "arrived"
    about: dict[str, Any] = field(default_factory=dict, hash=False)


_TOLD = tuple(each.name for each in fields(Exchange))


@dataclass(frozen=True)
class Attestation:
    """A tap's word that it heard everything on `medium` from `start` to `end` (seconds; end None while it still listens)."""

    point: Point
    medium: str
    start: float
    end: float | None = None


class Unknown(StrEnum):
    """What decides clauses beside messages, and what a capture of the air does not hold, in words."""

    ORDER = "what was ordered: which devices, and in which windows"
    KIND = "which type of device was ordered"
    CLAIMS = "what the device claims (PICS)"
    BY_HAND = "what was done by hand: when power came or failed, and when a button was pressed"
    HELD = "which key the device holds: its install code"
    REACH = "who hears whom: what was captured need not have reached the ESI"
    SENDER = "who sent beacon requests, which carry no sender"
    CLOCK = "that the clock of the capture is right"
    AUTHORITY = "the certificate authority: its name and its public key"


TRANSMITTED = "transmitted"  # in `Header.about`: how many frames the radio of each actor that is not under test says it sent
LEG_CODEC = "leg_codec"  # in `Header.about`: the name of the codec that the legs of this run speak
OWN_LEG_CODEC = "harness.backhaul.codec:TlvCodec"  # the one of a bench that names none
STOOD = "stood"  # in `Header.about`: where the bench's clock stood still, as (start, end of what was heard meanwhile, seconds)
BEHIND = "behind"  # in `Header.about`: the same where it was behind, and made up for it
RADIOS = "radios"  # in `Header.about`: what each real radio says of itself, and what was found out about it
ASKED_OF_OPERATOR = "operator"  # in `Header.about`: every prompt to a person with its answer, and all else that was done by hand
MISSING = "missing"  # in `Header.about` of a part of a larger capture: the gaps of the whole, as (start, end, cause)
UNKNOWN = "unknown"  # in `Header.about`: what whoever made the trace does not know (values of Unknown); a run knows all
LINK_KEY_KINDS = ("link", "ic")  # made by key establishment (or for an application), and before it


@dataclass(frozen=True)
class Key:
    """A key of the run. `kind` is nwk, link (CBKE or application) or ic (link key made from an install code, or ordered).

    For key establishment the bench's own side adds its private keys, integers of 21 octets, most significant first: static
    (`device` is whose certificate it belongs to) and ephemeral (`device` is who drew it). They open nothing by themselves.
    """

    kind: str
    octets: bytes = field(repr=False)
    device: Eui64 | None = None


@dataclass(frozen=True)
class Header:
    """What was ordered, who is under test and what may be seen. Key material stands in `Trace.keys`, never here."""

    order: Order
    epoch: str  # UTC of t = 0, ISO 8601
    scenario: str = ""
    dut: tuple[Actor, ...] = ()
    pics: dict[str, bool | None] = field(default_factory=dict, hash=False)
    pixit: dict[str, Any] = field(default_factory=dict, hash=False)
    seed: int = 0
    versions: dict[str, str] = field(default_factory=dict, hash=False)
    about: dict[str, Any] = field(default_factory=dict, hash=False)  # what the scenario did: role verbs, faults, marks


class Trace:
    """Exchanges in the order they were seen, numbered from 1.

    `leg_codec` is what reads the legs where they speak somebody else's codec: brought by whoever made the trace or opens it, like
    keys, and never loaded because the trace names it.
    """

    def __init__(self, header: Header) -> None:
        self.header = header
        self.exchanges: list[Exchange] = []
        self.attestations: list[Attestation] = []
        self.keys: list[Key] = []
        self.leg_codec: Any = None

    def __iter__(self) -> Iterator[Exchange]:
        return iter(self.exchanges)

    def __len__(self) -> int:
        return len(self.exchanges)

    def __getitem__(self, number: int) -> Exchange:
        """The exchange of that number (from 1)."""
        return self.exchanges[number - 1]

    def append(
        self, time: float, point: Point, medium: str, octets: bytes, producer: str | None = None,
        receiver: str | None = None, fate: str = "arrived", about: dict[str, Any] | None = None,
    ) -> Exchange:
        """Add one exchange; returns it with its number."""
        exchange = Exchange(len(self.exchanges) + 1, time, point, medium, octets, producer, receiver, fate, dict(about or {}))
        self.exchanges.append(exchange)
        return exchange

    def attest(self, attestation: Attestation) -> None:
        """Record that a tap heard everything on a medium for an interval."""
        self.attestations.append(attestation)

    def learn(self, key: Key) -> None:
        """Add a key of the run, once."""
        if key not in self.keys:
            self.keys.append(key)

    def at(self, *points: Point) -> Iterator[Exchange]:
        """The exchanges seen at one of these observation points."""
        return (exchange for exchange in self.exchanges if exchange.point in points)

    def observed(self) -> frozenset[Point]:
        """The observation points for which a tap attests anything."""
        return frozenset(attestation.point for attestation in self.attestations)

    def lines(self) -> Iterator[str]:
        """The trace as JSON lines, without keys."""
        header = asdict(self.header)
        header["order"] = {
            **header["order"], "device": str(self.header.order.device), "device_type": self.header.order.device_type.value,
        }
        del header["order"]["key_material"]
        attestations = [asdict(attestation) for attestation in self.attestations]
        yield json.dumps({"schema": SCHEMA, **header, "attestations": attestations}, sort_keys=True)
        for exchange in self.exchanges:
            told = {name: getattr(exchange, name) for name in _TOLD}
            yield json.dumps({**told, "octets": exchange.octets.hex()}, sort_keys=True)

    @classmethod
    def read(cls, path: Path, keys: Iterable[Key] = (), key_material: bytes = b"") -> Trace:
        """Read a trace back from JSON lines; keys come from the key file beside it. Raises InputError naming file and line."""
        number = 0
        try:
            with path.open(encoding="utf-8") as lines:
                for number, line in enumerate(lines, start=1):
                    fields = json.loads(line)
                    if number == 1:
                        trace = cls._from_header(fields, key_material)
                    else:
                        fields["octets"] = bytes.fromhex(fields["octets"])
                        fields["point"] = Point(fields["point"])
                        trace.exchanges.append(_exchange(fields, len(trace) + 1))
        except OSError as fault:
            raise InputError(f"{path}: cannot be read: {fault.strerror}") from fault
        except (ValueError, KeyError, TypeError, AttributeError) as fault:
            raise InputError(f"{path}:{number}: not a line of a {SCHEMA} trace: {fault}") from fault
        if number == 0:
            raise InputError(f"{path}: empty; a trace begins with its header")
        trace.keys = list(keys)
        return trace

    @classmethod
    def _from_header(cls, fields: dict[str, Any], key_material: bytes) -> Trace:
        if fields.pop("schema") != SCHEMA:
            raise ValueError(f"schema is not {SCHEMA}")
        order = fields.pop("order")
        attestations = fields.pop("attestations")
        order["device"] = Eui64.parse(order["device"])
        order["device_type"] = DeviceType(order["device_type"])
        fields["dut"] = tuple(Actor(actor) for actor in fields["dut"])
        if not isinstance(fields["about"], dict):
            raise TypeError("about has no fields")
        CimProfile.of(fields["about"].get("cim"))  # checkers will ask for it
        trace = cls(Header(order=Order(**order, key_material=key_material), **fields))
        trace.attestations = [Attestation(**{**each, "point": Point(each["point"])}) for each in attestations]
        return trace


def _exchange(fields: dict[str, Any], number: int) -> Exchange:
    exchange = Exchange(**fields)
    if exchange.number != number:
        raise ValueError(f"exchange {exchange.number!r} stands where {number} belongs")
    if not (isinstance(exchange.time, int | float) and isinstance(exchange.about, dict)):
        raise TypeError("an exchange has a time and fields about it")
    if not (isinstance(exchange.producer, str | None) and isinstance(exchange.receiver, str | None)):
        raise TypeError("producer and receiver have names")
    return exchange


def with_key_material(order: Order, key_material: bytes) -> Order:
    """The same order carrying its key, for a trace read back without one."""
    return replace(order, key_material=key_material)
