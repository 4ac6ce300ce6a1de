"""The NWK layer of one node: headers, broadcasts, forwarding to children. Knows no APS frame and no trust centre.

Clauses: 05-3474 chapter 3. What membership is about (rejoin, leave, link status) stands in `membership`.
"""

from __future__ import annotations

from dataclasses import dataclass

from dissectors import nwk as wire
from dissectors.layer import Layer, Malformed, Record, encode, parse, parse_whole
from dissectors.mac import MAX_PSDU
from harness.ports import Chance
from harness.stack.agenda import Agenda
from harness.stack.broadcasts import JITTER, MAX_RETRIES, PASSIVE_ACK_TIMEOUT, BroadcastTable
from harness.stack.counters import NetworkKeys
from harness.stack.indirect import Payload, Sent
from harness.stack.mac import Mac
from harness.stack.mac_frames import DATA_OVERHEAD, SEQUENCE_NUMBERS, MacData
from harness.stack.neighbours import Neighbours
from harness.stack.policy import Policy
from harness.stack.security import NWK_OVERHEAD, NwkSecurity
from harness.values import Eui64

IDENTIFIERS: dict[type[Layer], int] = {layer: identifier for identifier, layer in wire.COMMANDS.items()}
FIRST_BROADCAST = wire.MAX_UNICAST + 1


@dataclass(frozen=True)
class Network:
    """The network a node belongs to and its place in it; a coordinator has no parent."""

    channel: int
    pan_id: int
    extended_pan_id: Eui64
    short_address: int
    parent: int | None = None
    parent_ieee: Eui64 | None = None
    update_id: int = 0


@dataclass(frozen=True)
class Hop:
    """A neighbour to whom a frame is handed, and whether it must wait there until it is asked for."""

    short_address: int
    sleepy: bool


@dataclass(frozen=True)
class NwkData:
    """NLDE-DATA.indication: an APS frame, who sent it, and how."""

    payload: bytes
    source: int
    broadcast: bool
    secured: bool


@dataclass(frozen=True)
class NwkCommand:
    """A network command for us: `header` with its addresses, `previous_hop` the short address it came from at MAC level."""

    command: Record
    header: Record
    previous_hop: int
    secured: bool


class Nwk:
    """The NWK layer of a coordinator, a router or an end device; `network` is None off the network."""

    def __init__(
        self, *, ieee: Eui64, mac: Mac, keys: NetworkKeys, neighbours: Neighbours, policy: Policy, chance: Chance,
        agenda: Agenda, routes: bool, sleepy: bool,
    ) -> None:
        self.ieee = ieee
        self.network: Network | None = None
        self.up: list[NwkData | NwkCommand] = []
        self.neighbours, self.keys = neighbours, keys
        self._mac, self._policy, self._chance, self._agenda = mac, policy, chance, agenda
        self._routes, self._sleepy = routes, sleepy
        self._on_the_way: dict[int, int] = {}  # by whom a device that is nobody's child of ours is reached
        self._security = NwkSecurity(ieee, keys, neighbours, policy)
        self._sequence = chance.randrange(0, SEQUENCE_NUMBERS)
        self._broadcasts = BroadcastTable()

    # -- sending

    def room(self, secured: bool) -> int:
        """The octets that an NWK payload may have to fit into one PSDU."""
        header = len(encode(wire.Nwk.of()))
        return MAX_PSDU - DATA_OVERHEAD - header - (NWK_OVERHEAD if secured else 0)

    def data(self, payload: bytes, dest: int, then: Sent, now: float, *, secured: bool = True) -> None:
        """NLDE-DATA.request. The header is plain, without IEEE addresses: every child understands it."""
        header = self._header(wire.FrameType.DATA, dest, secured, wire.DEFAULT_RADIUS)
        self.send(header.joined(payload=payload), payload, then, now)

    def command(
        self, command: Record, dest: int, then: Sent, now: float, *, secured: bool = True, radius: int = 1,
        dest_ieee: Eui64 | None = None, hop: Hop | None = None,
    ) -> None:
        """Send a network command; `hop` names the next hop where it is not (yet) a child."""
        outgoing = self._policy.rewritten(command)
        if outgoing is None:
            then(True, now)
            return
        header = self._header(wire.FrameType.COMMAND, dest, secured, radius).replace(
            source_ieee_present=1, source_ieee=self.ieee, dest_ieee_present=int(dest_ieee is not None), dest_ieee=dest_ieee,
            discover_route=0,
        )
        body = bytes([IDENTIFIERS[outgoing.layer]]) + encode(outgoing)
        self.send(header.joined(command=outgoing), body, then, now, hop)

    def send(self, header: Record, body: bytes, then: Sent, now: float, hop: Hop | None = None) -> None:
        """Rewrite, secure and send one NWK frame; without a network or a key it is not sent."""
        outgoing = self._policy.rewritten(header)
        if outgoing is None:
            then(True, now)
        elif self.network is None or (outgoing.security_enabled and self.keys.current is None):
            then(False, now)
        elif outgoing.dest >= FIRST_BROADCAST:
            self._broadcasts.is_new((outgoing.source, outgoing.sequence), now)
            self._broadcast(outgoing, body, then, now)
        else:
            self._unicast(outgoing, body, then, now, hop or self.next_hop(outgoing.dest))

    def _header(self, frame_type: wire.FrameType, dest: int, secured: bool, radius: int) -> Record:
        sequence, self._sequence = self._sequence, (self._sequence + 1) % SEQUENCE_NUMBERS
        return wire.Nwk.of(
            frame_type=frame_type, dest=dest, source=self.network.short_address if self.network else 0, radius=radius,
            sequence=sequence, security_enabled=int(secured), discover_route=int(secured and dest < FIRST_BROADCAST),
        )

    def _npdu(self, header: Record, body: bytes) -> Payload:
        """How to make the frame, under the key that is active now and with the counter that is next when it is sent."""
        octets = encode(header)
        key = self.keys.current
        if not header.security_enabled:
            return lambda: octets + body
        return lambda: None if key is None else self._security.seal(octets, body, key)

    def next_hop(self, dest: int) -> Hop | None:
        """To whom a unicast frame is handed: a child, the one behind whom the destination is, else the parent."""
        if self.network is None:
            return None
        for address in (dest, self._on_the_way.get(dest, dest)) if self._routes else ():
            child = self.neighbours.child_at(address)
            if child is not None:
                return Hop(child.short_address, child.sleepy)
        return None if self.network.parent is None else Hop(self.network.parent, False)

    def _unicast(self, header: Record, body: bytes, then: Sent, now: float, hop: Hop | None) -> None:
        if hop is None:
            then(False, now)
            return
        make = self._npdu(header, body)
        if self._policy.replays_after is not None and header.security_enabled:
            make, then = self._recorded(make, then, hop, self._policy.replays_after)
        self._hand_over(make, hop, then, now)

    def _hand_over(self, make: Payload, hop: Hop, then: Sent, now: float) -> None:
        if hop.sleepy:
            self._mac.send_indirect(make, hop.short_address, then, now)
        elif (npdu := make()) is not None:
            self._mac.send(npdu, hop.short_address, then, now)
        else:
            then(True, now)

    def _recorded(self, make: Payload, then: Sent, hop: Hop, after: float) -> tuple[Payload, Sent]:
        """A node that replays: what got to the next hop goes there once more, octet for octet, `after` seconds later."""
        made: list[bytes] = []

        def kept() -> bytes | None:
            npdu = make()
            made.extend([npdu] if npdu is not None else [])
            return npdu

        def then_again(sent: bool, at: float) -> None:
            then(sent, at)
            if sent and made:
                npdu = made[-1]
                self._agenda.set(
                    ("replay", npdu), at + after, lambda when: self._hand_over(lambda: npdu, hop, lambda sent, at: None, when)
                )

        return kept, then_again

    def _broadcast(self, header: Record, body: bytes, then: Sent, now: float, retries: int = MAX_RETRIES) -> None:
        """A router sends to all (to sleepy children when they are meant too), an end device to its parent."""
        make = self._npdu(header, body)
        npdu = make()
        if npdu is None:
            then(True, now)
            return
        if not self._routes and self._policy.broadcasts_through_parent:
            assert self.network is not None
            assert self.network.parent is not None
            self._mac.send(npdu, self.network.parent, then, now)
            return
        self._mac.broadcast(npdu, then, now)
        if retries == MAX_RETRIES and header.dest == wire.BroadcastAddress.ALL:
            for child in self.neighbours.children.values():
                if child.sleepy and child.short_address != header.source:
                    self._mac.send_indirect(make, child.short_address, lambda sent, at: None, now)
        self._await_passive_acks(header, body, now, retries)

    def _await_passive_acks(self, header: Record, body: bytes, now: float, retries: int) -> None:
        """3.6.5: send again while a router neighbour has not passed it on. Radius 1 is passed on by nobody."""
        routers = {child.short_address for child in self.neighbours.children.values() if child.router} - {header.source}
        if not routers or not retries or header.radius <= 1:
            return
        key = (header.source, header.sequence)

        def check(at: float) -> None:
            if not self._broadcasts.is_passed_on(key, routers):
                self._broadcast(header, body, lambda sent, when: None, at, retries - 1)

        self._agenda.set(("passive ack", key), now + PASSIVE_ACK_TIMEOUT, check)

    # -- receiving

    def receive(self, data: MacData, now: float) -> None:
        """One NWK frame from a neighbour; what is malformed, of another version or does not pass security has no effect."""
        try:
            header, rest = parse(wire.Nwk, data.payload)
            if header.protocol_version != wire.PROTOCOL_VERSION and self._policy.discards_other_versions:
                return
            if self.network is None or header.frame_type not in (wire.FrameType.DATA, wire.FrameType.COMMAND):
                return
            key = (header.source, header.sequence)
            if header.dest >= FIRST_BROADCAST:
                self._broadcasts.heard_from(key, data.source)
            if header.source == self.network.short_address and header.dest != self.network.short_address:
                return  # our own, passed on by a neighbour
            body: bytes | None = rest
            if header.security_enabled:
                octets = data.payload[: len(data.payload) - len(rest)]
                body = self._security.open(octets, rest, data.source, self._neighbours_counted())
                if body is not None:
                    self._learn(header, data.source)
            if body is not None:
                self._accepted(header, body, data, now)
        except Malformed:
            return

    def _learn(self, header: Record, previous_hop: int) -> None:
        """Who sent it, and by whom it came: the way back is the same (no route is asked for here, 3.6.3)."""
        if header.source_ieee_present:
            self.neighbours.remember(header.source, Eui64(header.source_ieee))
        self.learn_way(header.source, previous_hop)

    def learn_way(self, dest: int, hop: int) -> None:
        """By whom a device is reached; by itself where it is a neighbour."""
        if dest == hop:
            self._on_the_way.pop(dest, None)
        else:
            self._on_the_way[dest] = hop

    def _neighbours_counted(self) -> frozenset[int]:
        """Whose counters are kept: those of children and of the parent."""
        parent = None if self.network is None else self.network.parent_ieee
        children = frozenset(self.neighbours.children) if self._routes else frozenset()
        return children if parent is None else children | {parent}

    def _accepted(self, header: Record, body: bytes, data: MacData, now: float) -> None:
        network = self.network
        assert network is not None
        secured = bool(header.security_enabled)
        if not secured and header.source_ieee_present and not self._policy.takes_extended_addresses:
            return
        if header.dest >= FIRST_BROADCAST:
            if not self._broadcasts.is_new((header.source, header.sequence), now):
                return
            if self._is_meant_for_us(header.dest):
                self._deliver(header, body, data.source, secured)
            if self._routes and secured and header.radius > 1 and self._policy.relays_broadcasts:
                self._relay(self._onward(header), body, now)
        elif header.dest == network.short_address:
            self._deliver(header, body, data.source, secured)
        elif self._routes and secured and header.radius > 1:
            self._unicast(self._onward(header), body, lambda sent, at: None, now, self.next_hop(header.dest))

    def _deliver(self, header: Record, body: bytes, previous_hop: int, secured: bool) -> None:
        if header.frame_type == wire.FrameType.DATA:
            if secured or self._policy.takes_unsecured_data:
                broadcast = header.dest >= FIRST_BROADCAST
                self.up.append(NwkData(body, header.source, broadcast, secured))
        elif body and body[0] in wire.COMMANDS:
            command = parse_whole(wire.COMMANDS[body[0]], body[1:])
            self.up.append(NwkCommand(command, header, previous_hop, secured))

    def _is_meant_for_us(self, dest: int) -> bool:
        meant = {wire.BroadcastAddress.ALL}
        if not self._sleepy:
            meant.add(wire.BroadcastAddress.RX_ON_WHEN_IDLE)
        if self._routes:
            meant |= {wire.BroadcastAddress.ROUTERS, wire.BroadcastAddress.LOW_POWER_ROUTERS}
        return dest in meant

    def _onward(self, header: Record) -> Record:
        return header.replace(radius=header.radius - 1)

    def _relay(self, header: Record, body: bytes, now: float) -> None:
        at = now + self._chance.uniform(0, JITTER)
        name = ("relay", header.source, header.sequence)
        self._agenda.set(name, at, lambda when: self._broadcast(header, body, lambda sent, after: None, when))

