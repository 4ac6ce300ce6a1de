"""The harness as ESI through a network co-processor and its zigpy radio library: our ESI over packets, the library in its own process.

What the ESI decides and says is the virtual ESI's, to the octet; the stick joins devices, secures frames and hides the MAC. Declared,
not exercised on hardware (docs/ncp.md).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from dissectors.smart_energy import ALL_CHANNELS
from harness.actors.reports import Logged, PacketSeen
from harness.actors.setup import Setup
from harness.adapters.ncp_options import OPTIONS, Examined, cannot, demand, device_of
from harness.adapters.ncp_process import NcpProcess
from harness.adapters.virtual_esi import VirtualEsi
from harness.errors import BenchError
from harness.ncp.libraries import INSTALL_CODE
from harness.ncp.line import masked
from harness.ports import Message, Pdu
from harness.stack.packet_core import PacketCore
from harness.stack.packets import (
    DeviceCame,
    DeviceWent,
    Form,
    PacketReceived,
    PacketSent,
    Permit,
    RawSent,
    Remove,
    Request,
    SendPacket,
    SendRaw,
    ShareKey,
    Told,
)
from harness.stack.policy import Policy
from harness.usecase import Actor, Point
from harness.values import Eui64

OPEN_LIMIT = 30.0  # seconds to reach a stick: it is reset, and read out
FORM_LIMIT = 90.0  # seconds to form a network: the stick's memory is rewritten and it is reset twice
LIMIT = 30.0  # seconds for anything else: a packet to a sleeping device is retried for half of that


class ZigpyEsi:
    """One ESI on a stick. Options: `radio` (bellows, znp, deconz, xbee, zigate, or `module:Class`), `port`, `baudrate`, `flow_control`
    (hardware, software, none), and those of `VirtualEsi`.

    Without `eui64` the ESI has the stick's own address, and a certificate for that from our test authority.
    """

    channel = VirtualEsi.channel
    blind_to = (Point.MAC,)  # what nobody sees where this is the only one on the air; a sniffer beside it does

    @staticmethod
    def check(actor: Actor, options: Mapping[str, Any]) -> None:
        """Raises ValueError for a wrong option, and for a library that is not installed or lets nobody in with a key of his own."""
        device_of(options)
        demand(options["radio"], INSTALL_CODE)

    @staticmethod
    def examine(options: Mapping[str, Any]) -> Examined:
        """Reach the stick, have it listen for noise, and let go of it again; nothing is formed. Raises BenchError."""
        radio, device = options["radio"], device_of(options)
        process, levels, unknown = NcpProcess(f"{radio} on {device['path']}", lambda: None), {}, ""
        try:
            stick = process.call("open", OPEN_LIMIT, radio=radio, device=device)
            try:
                levels = process.call("scan", LIMIT, channels=list(ALL_CHANNELS))["levels"]
            except BenchError as fault:
                unknown = str(fault)
        finally:
            process.close()
        heard = {int(channel): float(level) for channel, level in levels.items()}
        return Examined({**stick["about"], "exercised on hardware": "no"}, cannot(radio), heard, unknown)

    @staticmethod
    def live(options: Mapping[str, Any]) -> bool:
        """A stick works in real time."""
        return True

    def __init__(self, setup: Setup) -> None:
        """Raises ValueError naming the option that is wrong, BenchError for a stick that cannot be had."""
        device, radio = device_of(setup.options), setup.options["radio"]
        self._name = f"{radio} on {device['path']}"
        self._seen: list[Any] = []
        self._sent: dict[int, int] = {}  # the process's numbers to the stack's handles
        self._ordered = {order.device for order in setup.orders}
        self._process = NcpProcess(self._name, setup.interrupt)
        try:
            self._begin(setup, radio, device)
        except BaseException:
            self._process.close()
            raise

    def _begin(self, setup: Setup, radio: str, device: dict[str, Any]) -> None:
        stick = self._process.call("open", OPEN_LIMIT, radio=radio, device=device)
        self.about: dict[str, str] = {**stick["about"], "exercised on hardware": "no"}
        self._seen.append(Logged(f"radio: {', '.join(f'{name} {said}' for name, said in sorted(self.about.items()))}", Actor.ESI))
        address = setup.options.get("eui64", stick["device"])
        if address is None:
            raise BenchError(f"{self._name} does not tell its address before it has a network; right would be `eui64: ...` beside `port`")
        offers, answered = frozenset(stick["offers"]), frozenset(stick["answered_below"])
        own = {name: given for name, given in setup.options.items() if name not in OPTIONS}

        def lower_layers(policy: Policy) -> PacketCore:
            return PacketCore(
                ieee=Eui64.parse(address), policy=policy, name=self._name, offers=offers, answered_below=answered,
            )

        self._esi = VirtualEsi(replace(setup, options={**own, "eui64": address, "lower_layers": lower_layers}))
        (form,) = self._esi.transmit(0.0)
        assert isinstance(form, Form)
        formed = self._process.call(
            "form", FORM_LIMIT, channel=form.channel, pan_id=form.pan_id, extended_pan_id=str(form.extended_pan_id),
            network_key=form.network_key.hex(), key_sequence=form.key_sequence, frame_counter=form.frame_counter,
            device=None if address == stick["device"] else str(Eui64.parse(address)), endpoints=self._endpoints(),
        )
        if Eui64.parse(formed["device"]) != Eui64.parse(address):
            raise BenchError(
                f"{self._name} has the address {formed['device']} and does not take another; right would be no `eui64`, "
                "or that one with a certificate for it"
            )

    # -- the five verbs

    def receive(self, pdu: Pdu, now: float) -> None:
        """Take a leg message."""
        if isinstance(pdu, Message):
            self._esi.receive(pdu, now)

    def transmit(self, now: float) -> list[Pdu]:
        """What is to go out on leg 10, after what the stick has told was taken and what it is to do was asked of it."""
        messages: list[Pdu] = []
        told = [self._read(line) for line in self._process.told()]
        for each in told:
            if isinstance(each, PacketReceived):
                self._see(each)
            if each is not None:
                self._esi.receive(each, now)  # type: ignore[arg-type]
        for pdu in self._esi.transmit(now):
            if isinstance(pdu, Message):
                messages.append(pdu)
            else:
                self._ask(pdu, now)  # type: ignore[arg-type]
        return messages

    def deadline(self) -> float | None:
        """When the ESI is next to be woken, or an answer of the stick is too late."""
        due = (self._esi.deadline(), self._process.deadline())
        return min((each for each in due if each is not None), default=None)

    def wake(self, now: float) -> None:
        """Timers have run out. Raises BenchError where the stick's process hangs."""
        self._process.expire(now)
        self._esi.wake(now)

    def events(self) -> list[Any]:
        """What happened, and every packet."""
        seen, self._seen = self._seen, []
        return [*seen, *self._esi.events()]

    # -- the role's verbs

    def power_cycle(self, now: float) -> None:
        """The ESI's application loses power and comes back; the stick keeps its own."""
        self._esi.power_cycle(now)

    def renew_network_key(self, now: float) -> None:
        """Raises Unsupported: no zigpy radio library distributes a further network key."""
        self._esi.renew_network_key(now)

    def switch_network_key(self, now: float) -> None:
        """Raises Unsupported."""
        self._esi.switch_network_key(now)

    def put(self, name: str, given: Mapping[str, Any], now: float) -> None:
        """Put a named stimulus to the ordered device. Raises Unsupported for one that packets cannot make."""
        self._esi.put(name, given, now)

    def greet(self, now: float) -> None:
        """Ask the ordered device whether it is there."""
        self._esi.greet(now)

    @property
    def greeted(self) -> bool:
        """Whether it answered."""
        return self._esi.greeted

    @property
    def putting(self) -> bool:
        """Whether a stimulus is not yet over."""
        return self._esi.putting

    def address_of(self, actor: str) -> str:
        """Nothing on the back office's wires leads through it."""
        return ""

    def close(self) -> None:
        """Let go of the stick; its process ends."""
        self._process.close()

    # -- towards the stick

    def _ask(self, request: Request, now: float) -> None:
        due = now + LIMIT
        match request:
            case SendPacket():
                self._see(request)
                fields = {**vars(request), "asdu": request.asdu.hex()}
                handle = fields.pop("handle")
                self._sent[self._process.post("send", due, **fields)] = handle
            case Permit(seconds, expected):
                devices = [[str(device), key.hex()] for device, key in expected.items()]
                self._process.post("permit", due, seconds=seconds, devices=devices)
            case ShareKey(device, key) if key is not None:
                self._process.post("share", due, device=str(device), key=key.hex())
            case ShareKey(device):
                self._process.post("forget", due, device=str(device))
            case SendRaw(mpdu):
                self._process.post("raw", due, mpdu=mpdu.hex())
            case Remove(device, short):
                self._process.post("remove", due, device=str(device), address=short)

    def _read(self, line: dict[str, Any]) -> Told | None:
        """A line of the process as the stack takes it. Raises BenchError for one that is none."""
        try:
            match line:
                case {"operation": "send", "n": number, "done": {"status": status}}:
                    return PacketSent(self._sent.pop(number), status)
                case {"operation": "raw", "done": {"status": status}}:
                    return RawSent(status)
                case {"operation": _}:
                    return None
                case {"packet": packet}:
                    device = packet.pop("device")
                    return PacketReceived(**{
                        **packet, "source_ieee": None if device is None else Eui64.parse(device), "asdu": bytes.fromhex(packet["asdu"]),
                    })
                case {"join": came}:
                    return DeviceCame(Eui64.parse(came["device"]), came["address"], came["how"])
                case {"leave": went}:
                    return DeviceWent(Eui64.parse(went["device"]), went["address"])
                case {"missed": {"why": why}}:
                    raise BenchError(f"{self._name} has lost packets: {masked(str(why))}")
                case {"lost": _}:
                    raise BenchError(f"{self._name} is lost: it was unplugged, or its firmware was reset")
        except (LookupError, TypeError, ValueError, AttributeError) as fault:
            raise BenchError(f"{self._name}: its process told of something that is none: {type(fault).__name__}") from None
        raise BenchError(f"{self._name}: its process told of what nobody knows: {', '.join(map(repr, line))[:80]}")

    def _see(self, packet: PacketReceived | SendPacket) -> None:
        about = {name: said for name, said in vars(packet).items() if name not in ("asdu", "handle") and said is not None}
        if "source_ieee" in about:
            about["source_ieee"] = str(about["source_ieee"])
        if isinstance(packet, SendPacket):
            self._seen.append(PacketSeen(packet.asdu, Actor.ESI, self._called(packet.dest, None), about))
        else:
            self._seen.append(PacketSeen(packet.asdu, self._called(packet.source, packet.source_ieee), Actor.ESI, about))

    def _called(self, short: int | None, ieee: Eui64 | None) -> str | None:
        """An actor, or a device that nobody ordered by its address; None for several, or for nobody known."""
        named = ieee or (None if short is None else self._esi.node.application.core.ieee_of(short))
        return Actor.HAN_DEVICE if named in self._ordered else None if named is None else str(named)

    def _endpoints(self) -> list[dict[str, Any]]:
        return [
            {
                "endpoint": each.endpoint, "profile": each.profile, "device": each.device, "in": list(each.in_clusters),
                "out": list(each.out_clusters),
            }
            for each in self._esi.node.node.device_object.descriptors.endpoints.values()
        ]
