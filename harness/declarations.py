"""Device files (PICS and PIXIT of one HAN device) and bench files (who fills which role): reading them, and what they may say.

A file is checked completely when it is read, each error naming file, line, field and what would be right. Nothing here builds
a bench or knows what an adapter does; key material never appears in a repr or a message.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from types import MappingProxyType
from typing import Any

from harness.cim_profile import CHOICES, DEFAULT, CimProfile
from harness.clock import SMART_ENERGY_EPOCH, VIRTUAL_EPOCH
from harness.composite import connected
from harness.crypto.ecqv import TEST_CA, Certificate, Credentials
from harness.crypto.install_code import InstallCode
from harness.declared import Field, Fields, read_fields, read_text, shown
from harness.errors import InputError
from harness.leg_declaration import Legs, read_legs
from harness.pics import PROFORMA
from harness.radio_declaration import Plugged, read_radios
from harness.role_verbs import read_way
from harness.usecase import Actor, Order
from harness.values import DeviceType, Eui64

KEY_FORMS = ("install_code", "link_key")
LEGS = ("2", "3", "4", "10", "11", "12")  # the steps whose message type is proprietary
WIRES = ("cim", *LEGS)
LINK_KEY_OCTETS = 16
LONGEST = 366 * 86_400.0  # seconds, of whatever a bench may wait for
LATEST_EPOCH = datetime(2100, 1, 1, tzinfo=UTC)  # what follows it must fit into the 32 bits of a UTCTime
CERTIFICATE_OCTETS, PRIVATE_KEY_OCTETS, POINT_OCTETS = 48, 21, 22  # implicit certificates on sect163k1, SE 1.0 annex C


@dataclass(frozen=True)
class Secret:
    """Key material from a device file. What stands in the file itself is test material; what comes by `file` or `env` is
    confidential: it is left out of a run's evidence unless that is asked for."""

    octets: bytes = field(repr=False)
    confidential: bool = False


@dataclass(frozen=True)
class Device:
    """One HAN device: what it claims (PICS; None is unset) and what the laboratory must know to run it (PIXIT)."""

    name: str
    path: Path
    device_type: DeviceType
    eui64: Eui64
    key_form: str
    key: Secret
    certificate: bytes | None = None
    private_key: Secret | None = None
    ca: bytes | None = None
    pics: Mapping[str, bool | None] = field(default_factory=dict, hash=False)

    @property
    def link_key(self) -> bytes:
        """The pre-configured trust-centre link key, whichever way it is declared."""
        return InstallCode.parse(self.key.octets).link_key if self.key_form == "install_code" else self.key.octets

    @property
    def issuer(self) -> bytes:
        """The 8 octets that name the authority of the run: the declared certificate's, else our test authority's."""
        return Certificate(self.certificate).issuer if self.certificate is not None else TEST_CA.issuer

    @property
    def ca_public_key(self) -> bytes:
        """That authority's public key, compressed, 22 octets."""
        return self.ca if self.ca is not None else TEST_CA.public_key

    @property
    def confidential(self) -> tuple[bytes, ...]:
        """The key material that must not reach the evidence unasked: as declared, and the link key made from it."""
        secrets = [self.key.octets, self.link_key] if self.key.confidential else []
        if self.private_key is not None and self.private_key.confidential:
            secrets.append(self.private_key.octets)
        return tuple(dict.fromkeys(secrets))


@dataclass(frozen=True)
class Filled:
    """How one role is filled: an adapter, `module:Class`, and the options it is given; `place` says where in the file.

    `along` names the actor whose adapter fills this place as well; adapter and options are then that one's.
    """

    adapter: str
    options: Mapping[str, Any] = field(default_factory=dict, hash=False)
    place: str = field(default="", compare=False)
    along: Actor | None = None


@dataclass(frozen=True)
class BenchFile:
    """One bench: its devices, who is under test (empty: nobody in particular, all actors are judged), who fills each role."""

    name: str
    path: Path
    devices: tuple[Device, ...]
    adapters: Mapping[Actor, Filled] = field(hash=False)
    dut: tuple[Actor, ...] = ()
    pics: Mapping[str, bool | None] = field(default_factory=dict, hash=False)
    epoch: datetime = VIRTUAL_EPOCH
    seed: int = 0
    latencies: Mapping[str, float] = field(default_factory=dict, hash=False)
    window_start: float = 0.0
    window_duration: float = 3600.0
    key_form: str = "install_code"
    meter: str = Order.meter
    premise: str = Order.premise
    cim: CimProfile = DEFAULT
    legs: Legs = field(default_factory=Legs)
    radios: Mapping[str, Plugged] = field(default_factory=dict, hash=False)  # real ones; the air is virtual where there are none

    def order(self, device: Device) -> Order:
        """What the utility orders for this device; a bench that orders link keys sends the one made from the install code."""
        form = "link_key" if device.key_form == "link_key" else self.key_form
        material = device.key.octets if form == device.key_form else device.link_key
        return Order(
            device.eui64, device.device_type, material, form, self.window_start, self.window_duration, self.meter, self.premise,
        )

    def claims(self, device: Device) -> dict[str, bool | None]:
        """PICS of the run: the device's, and over them what the bench file says of the other actors under test."""
        return {**dict.fromkeys(PROFORMA), **device.pics, **self.pics}

    def filled_by(self, actor: Actor) -> tuple[Actor, ...]:
        """Every place that this actor's adapter fills, this one first; none where it is filled along with another."""
        if actor not in self.adapters or self.adapters[actor].along is not None:
            return ()
        return actor, *(other for other, filled in self.adapters.items() if filled.along is actor)

    def device(self, name: str) -> Device:
        """The device of that name. Raises InputError naming those there are."""
        for device in self.devices:
            if device.name == name:
                return device
        names = ", ".join(device.name for device in self.devices)
        raise InputError(f"{self.path}: has no device {name!r}; right would be one of {names}")


def read_device(path: Path) -> Device:
    """Read a device file. Raises InputError."""
    fields = read_fields(path)
    name = fields.need("name", "a word that report lines carry").word()
    device_type = DeviceType(fields.need("type", "pct or load_control").choice(each.value for each in DeviceType))
    pics = _pics(fields.take("pics"))
    pixit = fields.need("pixit", "the fields eui64, install_code or link_key ...").fields()
    fields.done()
    eui64 = pixit.need("eui64", "16 hex digits").read(Eui64.parse, "16 hex digits")
    key_form, key = _key(pixit)
    credentials = {each: pixit.take(each) for each in ("certificate", "private_key", "ca")}
    pixit.done()
    given = [each for each, found in credentials.items() if found is not None]
    if given and len(given) < len(credentials):
        missing = ", ".join(each for each in credentials if each not in given)
        right = "all three, or none (the bench's test CA then issues them)"
        raise pixit.whole.wrong(f"{', '.join(given)} without {missing}", right)
    certificate, private_key, ca = credentials.values()
    if certificate is None or private_key is None or ca is None:
        return Device(name, path, device_type, eui64, key_form, key, pics=pics)
    device = Device(
        name, path, device_type, eui64, key_form, key,
        certificate=_secret(certificate, _hex(CERTIFICATE_OCTETS), "48 octets in hex").octets,
        private_key=_secret(private_key, _hex(PRIVATE_KEY_OCTETS), "21 octets in hex"),
        ca=_secret(ca, _hex(POINT_OCTETS), "the CA's public key, 22 octets in hex").octets,
        pics=pics,
    )
    flaw = _flaw(device)
    if flaw:
        raise certificate.wrong(flaw, "what one authority issued to this device: certificate, private_key and its own key as ca")
    return device


def read_bench(path: Path) -> BenchFile:
    """Read a bench file and the device files it names (relative to it). Raises InputError."""
    fields = read_fields(path)
    named = fields.need("devices", "[../devices/pct.yaml, ...]")
    devices = tuple(_device(each) for each in named.items())
    if not devices or len({device.name for device in devices}) < len(devices):
        raise named.wrong("no device, or two of one name", "at least one device file, each with its own name")
    adapters = _adapters(fields.need("adapters", "one `actor: module:Class` a line"))
    window = fields.take("window")
    start, duration = _window(window.fields()) if window is not None else (BenchFile.window_start, BenchFile.window_duration)
    latencies = fields.take("latencies")
    options: dict[str, Any] = {}
    for name, reader in _OPTIONS.items():
        given = fields.take(name)
        if given is not None:
            options[name] = reader(given)
    bench = BenchFile(
        name=fields.need("name", "a word that report lines carry").line(), path=path, devices=devices, adapters=adapters,
        pics=_pics(fields.take("pics")), window_start=start, window_duration=duration,
        latencies=_latencies(latencies.fields()) if latencies is not None else {}, **options,
    )
    fields.done()
    _no_part_lies_open(bench)
    return bench


def _flaw(device: Device) -> str:
    """What is wrong between the credentials of a device; nothing where it has none, or they are right."""
    if device.certificate is None or device.private_key is None or device.ca is None:
        return ""
    certificate = Certificate(device.certificate)
    if certificate.subject != device.eui64:
        return f"was issued to {certificate.subject}"
    try:
        own = Credentials(certificate, int.from_bytes(device.private_key.octets, "big"), device.ca)
        return "" if own.belong_together() else "certificate, private_key and ca do not belong together"
    except ValueError as fault:
        return str(fault)


def _device(named: Field) -> Device:
    path = named.path.parent / named.text()
    if not os.path.isfile(path):  # not Path.is_file, which raises for a name that no file can have
        raise named.wrong(f"{shown(named.text())} is no file", "the path of a device file, from here")
    return read_device(path)


def _pics(given: Field | None) -> Mapping[str, bool | None]:
    words = {"yes": True, "no": False, "unset": None}
    claims: dict[str, bool | None] = {}
    for item, answer in (given.fields().rest() if given is not None else {}).items():
        if item not in PROFORMA:
            raise answer.wrong("there is no such PICS item", "one of " + ", ".join(PROFORMA))
        claims[item] = words[answer.choice(words)]
    return MappingProxyType(claims)


def _key(pixit: Fields) -> tuple[str, Secret]:
    code, key = pixit.take("install_code"), pixit.take("link_key")
    if code is not None and key is None:
        return "install_code", _secret(code, lambda text: InstallCode.parse(text).octets, "the code as printed, with its CRC")
    if key is not None and code is None:
        return "link_key", _secret(key, _hex(LINK_KEY_OCTETS), "16 octets in hex")
    right = "`install_code: <as printed, with its CRC>`"
    raise pixit.whole.wrong("install_code and link_key: one of them, not both or neither", right)


def _secret(given: Field, reader: Callable[[str], bytes], right: str) -> Secret:
    """A value in the file, or `{file: PATH}` (relative to the file), or `{env: NAME}`."""
    if not given.is_mapping():
        return Secret(given.read(reader, right))
    fields = given.fields()
    source, name = fields.take("file"), fields.take("env")
    fields.done()
    if source is not None and name is None:
        try:
            text = read_text(given.path.parent / source.text()).strip()
        except InputError:
            raise source.wrong(f"{shown(source.text())} cannot be read", "a file, from here, that holds " + right) from None
    elif name is not None and source is None:
        if not name.text().isidentifier() or name.text() not in os.environ:
            raise name.wrong(f"the environment has no {shown(name.text())}", f"a variable that is set to {right}")
        text = os.environ[name.text()].strip()
    else:
        raise given.wrong("neither `file` nor `env`, or both", "{file: PATH} or {env: NAME}")
    try:
        return Secret(reader(text), confidential=True)
    except ValueError as fault:
        raise given.wrong(str(fault), right) from None


def _hex(length: int) -> Callable[[str], bytes]:
    def read(text: str) -> bytes:
        try:
            octets = bytes.fromhex(text)
        except ValueError:
            raise ValueError("is not hex") from None
        if len(octets) != length:
            raise ValueError(f"has {len(octets)} octets")
        return octets
    return read


def _adapters(given: Field) -> Mapping[Actor, Filled]:
    adapters: dict[Actor, Filled] = {}
    along: dict[Actor, Field] = {}
    for role, filling in given.fields().rest().items():
        if role not in {actor.value for actor in Actor}:
            raise filling.wrong("there is no such actor", "one of " + ", ".join(Actor))
        options: dict[str, Any] = {}
        if filling.is_mapping():
            fields = filling.fields()
            beside = fields.take("with")
            if beside is not None:
                fields.done()
                along[Actor(role)] = beside
                continue
            target = fields.need("adapter", "module:Class")
            options = {name: read_way(option) if option.is_mapping() else option.text() for name, option in fields.rest().items()}
        else:
            target = filling
        name = target.class_name("harness.adapters.virtual_esi:VirtualEsi")
        adapters[Actor(role)] = Filled(name, MappingProxyType(options), target.place)
    for actor, beside in along.items():
        other = Actor(beside.choice(adapter for adapter in adapters if adapter not in along))
        adapters[actor] = replace(adapters[other], place=beside.place, along=other)
    return MappingProxyType(adapters)


def _no_part_lies_open(bench: BenchFile) -> None:
    """What one adapter fills is under test as a whole: what lies between its actors can be seen by nobody."""
    for actor, filled in bench.adapters.items():
        together = bench.filled_by(filled.along or actor)
        if filled.along is not None and not (connected(together) and set(together) <= set(bench.dut)):
            hides = f"one adapter for {', '.join(together)} hides what lies between them"
            raise InputError(f"{filled.place}{hides}; right would be adjacent actors, and all of them under `dut`")


def _dut(given: Field) -> tuple[Actor, ...]:
    dut = tuple(Actor(each.choice(Actor)) for each in given.items())
    if not connected(dut):
        problem = f"{', '.join(dut)} are not adjacent, or one stands there twice"
        raise given.wrong(problem, "actors that talk to each other, as [NIC, ESI]")
    return dut


def _epoch(given: Field) -> datetime:
    right = "an instant from 2000 to 2099 with its zone, as 2026-01-15T12:00:00Z"
    try:
        epoch = datetime.fromisoformat(given.text())
    except ValueError:
        raise given.wrong(f"{shown(given.text())} is no instant", right) from None
    if epoch.tzinfo is None:
        raise given.wrong("has no zone", right)
    if not SMART_ENERGY_EPOCH <= epoch < LATEST_EPOCH:
        raise given.wrong(f"{given.text()} is out of range", right)
    return epoch.astimezone(UTC)


def _window(fields: Fields) -> tuple[float, float]:
    start, duration = fields.take("start"), fields.take("duration")
    fields.done()
    return (
        start.number(0, LONGEST) if start is not None else BenchFile.window_start,
        duration.number(1, LONGEST) if duration is not None else BenchFile.window_duration,
    )


def _latencies(fields: Fields) -> Mapping[str, float]:
    given = {wire: fields.take(wire) for wire in WIRES}
    fields.done()
    return MappingProxyType({wire: each.number(0, LONGEST) for wire, each in given.items() if each is not None})


def _cim(given: Field) -> CimProfile:
    """How the bench wants its CIM messages: words of a list, or names of one's own."""
    told = given.fields()
    words: dict[str, str] = {}
    for name in DEFAULT.as_dict():
        word = told.take(name)
        if word is not None:
            words[name] = word.choice(CHOICES[name]) if name in CHOICES else word.line()
    told.done()
    profile = CimProfile(**words)
    if profile.mac == profile.meter:  # an event names the two side by side, told apart by this alone
        raise given.wrong(f"mac and meter are both {shown(profile.mac)}", "a name type of its own for each")
    return profile


_OPTIONS: Mapping[str, Callable[[Field], Any]] = MappingProxyType({
    "dut": _dut, "epoch": _epoch, "seed": Field.integer, "meter": Field.line, "premise": Field.line,
    "key_form": lambda given: given.choice(KEY_FORMS), "cim": _cim, "legs": read_legs,
    "radios": read_radios,
})
