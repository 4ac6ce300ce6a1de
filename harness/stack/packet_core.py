"""A coordinator below its application where a network co-processor does MAC, NWK, APS and the joining itself: packets only.

It has what the application asks of `Core`, out of what such a stick can; what it cannot raises Unsupported by name. The trust centre
above stays the one that decides: the stick is told beforehand whom to let in with which key, and whom to throw out.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from dissectors import aps, nwk, zdp
from dissectors.frame import encode_mpdu
from dissectors.layer import Layer, Record, encode
from dissectors.mac import FrameType
from dissectors.nwk import COORDINATOR, MAX_UNICAST
from harness.errors import Inconclusive, Unsupported
from harness.stack.counters import LinkKeys, NetworkKeys
from harness.stack.mac_frames import FCS_LENGTH, addressed
from harness.stack.memory import Memory, remembered
from harness.stack.neighbours import Child, Neighbours
from harness.stack.nwk import Network
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
from harness.stack.primitives import (
    AsduConfirm,
    AsduIndication,
    AsduRequest,
    CommandRequest,
    Indication,
    JoinIndication,
    LeaveIndication,
    LinkKeyKind,
)
from harness.values import Eui64

COMMAND_IDENTIFIERS: dict[type[Layer], int] = {layer: identifier for identifier, layer in nwk.COMMANDS.items()}
ANY_STICK = 1  # the endpoint that every stick sends from
LONGEST_PERMIT = 254  # seconds in one request to the stick; the trust centre renews it in time


class PacketCore:
    """The lower layers of one coordinator. `name` is what Unsupported calls the stick."""

    def __init__(
        self, *, ieee: Eui64, policy: Policy, name: str, offers: frozenset[str], answered_below: frozenset[int] = frozenset(),
    ) -> None:
        """`offers` is what the stick can: install-code, link-key, how-joined, removes, aps-security, endpoints, raw. `answered_below` are
        the ZDP clusters whose requests it answers by itself, so that nobody else may."""
        self.ieee = ieee
        self.policy = policy
        self._name, self._offers, self._answered_below = name, offers, answered_below
        self._network: Network | None = None
        self._network_keys, self._link_keys, self._neighbours = NetworkKeys(), LinkKeys(), Neighbours()
        self._expected: dict[Eui64, bytes] = {}
        self._inside: set[Eui64] = set()  # whom the stick has given the network key
        self._handles = self._counter = 0
        self._out: list[Request] = []
        self._up: list[Indication] = []

    # -- the five verbs

    def receive(self, pdu: Told | Any, now: float) -> None:
        """Take what the stick tells."""
        match pdu:
            case PacketReceived():
                self._arrived(pdu)
            case PacketSent(handle, status):
                self._up.append(AsduConfirm(handle, status))
            case RawSent("no_ack"):
                raise Inconclusive(f"{self._name} sent a frame of ours that nobody acknowledged: it keeps none for a device that sleeps")
            case DeviceCame():
                self._came(pdu)
            case DeviceWent(device, short):
                self._inside.discard(device)
                self._up.append(LeaveIndication(device, short, rejoin=False))

    def transmit(self, now: float) -> list[Any]:
        """What is for the stick, in order."""
        out, self._out = self._out, []
        return list(out)

    def deadline(self) -> float | None:
        """Never: the stick has the timers."""
        return None

    def wake(self, now: float) -> None:
        """Nothing is ever due."""

    def events(self) -> list[Indication]:
        """What happened since the last call, oldest first."""
        events, self._up = self._up, []
        return events

    # -- what it is and where

    @property
    def short_address(self) -> int:
        """A coordinator's."""
        return COORDINATOR

    @property
    def network_key(self) -> tuple[bytes, int] | None:
        """The network key and its sequence number; None before the network is formed."""
        key = self._network_keys.current
        return None if key is None else (key.key, key.sequence)

    @property
    def children(self) -> tuple[Child, ...]:
        """Nobody: whose children they are is not told."""
        return ()

    # -- forming, joining, leaving

    def form(
        self, *, channel: int, pan_id: int, extended_pan_id: Eui64, network_key: bytes, key_sequence: int = 0, now: float,
        frame_counter: int = 0,
    ) -> None:
        """Start the network on `channel`, closed to newcomers."""
        self._network_keys.install(network_key, key_sequence)
        self._network = Network(channel, pan_id, extended_pan_id, COORDINATOR)
        self._neighbours.remember(COORDINATOR, self.ieee)
        self._out.append(Form(channel, pan_id, extended_pan_id, network_key, key_sequence, frame_counter))

    def permit_association(self, permit: bool, expected: Mapping[Eui64, bytes] | None = None) -> None:
        """Have the stick let in whom is expected, each with its own link key. Raises Unsupported where it takes no such keys."""
        self._expected = dict(expected or {}) if permit else {}
        if self._expected and "install-code" not in self._offers:
            raise self._unsupported("let a device join with a link key of its own")
        self._out.append(Permit(LONGEST_PERMIT if self._expected else 0, dict(self._expected)))

    def dismiss(self, device: Eui64, now: float, rejoin: bool = False, announce: bool = True) -> None:
        """Have a device that was let in leave; whom the stick refused need not be told."""
        short = self._neighbours.short_of(device)
        if device in self._inside and short is not None:
            if "removes" not in self._offers:
                raise self._unsupported("make a device leave")
            self._inside.discard(device)
            self._out.append(Remove(device, short))

    def ask_to_leave(self, dest: int, now: float) -> None:
        """Raises Unsupported."""
        raise self._unsupported("send a NWK Leave to a device that stays")

    def skip_counters(self, count: int) -> None:
        """Nothing: the counters are the stick's, and are right."""

    # -- data

    def data(self, request: AsduRequest, now: float) -> int:
        """Send a packet; returns the handle that the AsduConfirm will carry. Raises Unsupported for one that the stick cannot send."""
        if request.link_key and "aps-security" not in self._offers:
            raise self._unsupported("send and tell APS security")
        if request.source_endpoint not in (zdp.ENDPOINT, ANY_STICK) and "endpoints" not in self._offers:
            raise self._unsupported(f"send from endpoint {request.source_endpoint}")
        self._handles += 1
        self._counter = (self._counter + 1) % 256
        self._out.append(SendPacket(
            self._handles, request.dest, request.source_endpoint, request.dest_endpoint, request.profile, request.cluster,
            request.asdu, self._counter, request.link_key, request.ack and request.dest <= MAX_UNICAST,
        ))
        return self._handles

    def command(self, request: CommandRequest, now: float) -> int:
        """An APS command. The stick sends a joiner's Transport-Key itself. Raises Unsupported for what is neither that nor a removal."""
        command = request.command
        if command.is_a(aps.RemoveDevice):
            self.dismiss(Eui64(command.target), now)
        elif not (command.is_a(aps.TransportKey) and request.dest <= MAX_UNICAST):
            raise self._unsupported(f"send {command.layer.__name__}")
        self._handles += 1
        return self._handles

    def tunnel(self, request: CommandRequest, parent: int, now: float) -> int:
        """The stick tunnels keys to devices behind routers itself."""
        return self.command(request, now)

    def network_command(self, command: Record, device: Eui64, now: float, secured: bool) -> None:
        """Send a neighbour a network command, as a stimulus. Raises Unsupported where it is to be secured, for the frame counter is the
        stick's, and where the stick sends no frame of ours."""
        if secured:
            raise self._unsupported("send a network command of ours under the network key, whose frame counter is its own")
        if "raw" not in self._offers:
            raise self._unsupported("send a frame of ours")
        short = self._neighbours.short_of(device)
        if short is not None and self._network is not None:
            self._counter = (self._counter + 1) % 256
            header = nwk.Nwk.of(
                frame_type=nwk.FrameType.COMMAND, dest=short, source=COORDINATOR, radius=1, sequence=self._counter,
                source_ieee_present=1, source_ieee=self.ieee, dest_ieee_present=1, dest_ieee=device,
            )
            body = encode(header) + bytes([COMMAND_IDENTIFIERS[command.layer]]) + encode(command)
            ends = (self._network.pan_id, short), (self._network.pan_id, COORDINATOR)
            mac = addressed(FrameType.DATA, *ends, ack=True).replace(sequence=self._counter)
            self._out.append(SendRaw(encode_mpdu(mac, body)[:-FCS_LENGTH]))

    # -- keys and addresses

    def install_network_key(self, key: bytes, sequence: int, now: float) -> None:
        """Raises Unsupported."""
        raise self._unsupported("take a further network key")

    def switch_key(self, sequence: int) -> None:
        """Raises Unsupported."""
        raise self._unsupported("switch the network key")

    def install_link_key(self, device: Eui64 | None, key: bytes, kind: LinkKeyKind) -> None:
        """Share a key. The stick has had a preconfigured one since it was told whom to expect; one of key establishment it is told
        now. Raises Unsupported where it cannot be told."""
        assert device is not None
        before = self._link_keys.held.get(device)
        if kind is LinkKeyKind.ESTABLISHED:
            if "link-key" not in self._offers:
                raise self._unsupported("take the link key that key establishment made")
            self._out.append(ShareKey(device, key))
        elif before is not None and before.kind is LinkKeyKind.ESTABLISHED:
            self._out.append(ShareKey(device, None))
        self._link_keys.install(device, key, kind)

    def forget_link_key(self, device: Eui64 | None) -> None:
        """Drop the link key shared with `device`; none is no error."""
        held = None if device is None else self._link_keys.held.get(device)
        if device is not None and held is not None and held.kind is LinkKeyKind.ESTABLISHED:
            self._out.append(ShareKey(device, None))
        self._link_keys.forget(device)

    def link_key(self, device: Eui64 | None) -> tuple[bytes, LinkKeyKind] | None:
        """The link key shared with `device`."""
        held = self._link_keys.shared_with(device)
        return None if held is None else (held.key, held.kind)

    @contextmanager
    def sharing(self, device: Eui64, key: bytes, kind: LinkKeyKind, counter: int) -> Iterator[None]:
        """Raises Unsupported."""
        raise self._unsupported("secure one frame with another key")
        yield

    def remember_address(self, short: int, ieee: Eui64, behind: int | None = None) -> None:
        """Note who has which NWK address."""
        self._neighbours.remember(short, ieee)

    def ieee_of(self, short: int) -> Eui64 | None:
        """Whose NWK address it is."""
        return self._neighbours.ieee_of(short)

    def short_of(self, ieee: Eui64) -> int | None:
        """The NWK address of a device."""
        return self._neighbours.short_of(ieee)

    # -- power

    def snapshot(self) -> Memory:
        """What the application still knows after its power failed; the stick's does not."""
        return remembered(Memory(self._network, self._neighbours, self._network_keys, self._link_keys), self.policy)

    def restore(self, memory: Memory, now: float) -> None:
        """Go on with a stick that went on by itself; association is off until it is permitted anew."""
        self._network, self._network_keys, self._link_keys = memory.network, memory.network_keys, memory.link_keys
        self._neighbours.take(memory.neighbours)

    # -- inside

    def _arrived(self, packet: PacketReceived) -> None:
        if packet.profile == zdp.PROFILE and packet.dest_endpoint == zdp.ENDPOINT and packet.cluster in self._answered_below:
            return
        ieee = packet.source_ieee or (None if packet.source is None else self._neighbours.ieee_of(packet.source))
        source = packet.source if packet.source is not None or ieee is None else self._neighbours.short_of(ieee)
        if source is None:
            return  # an EUI-64 that nobody has introduced: there is no way back to it
        held = self._link_keys.shared_with(ieee)
        kind = None if not packet.secured else LinkKeyKind.PRECONFIGURED if held is None else held.kind
        self._up.append(AsduIndication(
            source, ieee, packet.source_endpoint, packet.dest_endpoint, packet.profile, packet.cluster, packet.asdu,
            packet.counter, kind, packet.broadcast,
        ))

    def _came(self, came: DeviceCame) -> None:
        """Where the stick does not say how, who is not expected and shares a key has rejoined."""
        self._neighbours.remember(came.short_address, came.device)
        if came.how != "refused":
            self._inside.add(came.device)
        untold = came.how is None and came.device not in self._expected and self.link_key(came.device) is not None
        self._up.append(JoinIndication(
            came.device, came.short_address, 0, rejoin=untold or came.how in ("rejoin", "secured-rejoin"),
            secured=came.how == "secured-rejoin",
        ))

    def _unsupported(self, what: str) -> Unsupported:
        return Unsupported(f"{self._name} cannot {what}")
