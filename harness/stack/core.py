"""One ZigBee node below its application: MAC, NWK and APS wired together. Knows no ZDO, no cluster, no trust centre.

`Core` is sans-I/O: `receive`, `transmit`, `deadline`, `wake` and `events` over the pdus of `harness.ports` (Received and
Transmitted in, RadioSettings and Transmit out). Times are seconds since the bench started. What happens is told by `events()`,
as the indications of `harness.stack.primitives`. Clauses are those of 05-3474 unless another document is named.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from copy import deepcopy
from dataclasses import replace

from dissectors.layer import Record
from dissectors.mac import BROADCAST, AssociationStatus
from dissectors.nwk import COORDINATOR
from harness.errors import LocalProtocolError
from harness.ports import Chance, Pdu, Received, Transmitted
from harness.stack.counters import Counters, LinkKey
from harness.stack.joining import JoinState
from harness.stack.layers import Layers
from harness.stack.mac_frames import AssociationAnswered
from harness.stack.memory import Memory, remembered
from harness.stack.neighbours import Child
from harness.stack.nwk import Network
from harness.stack.policy import Policy
from harness.stack.primitives import (
    AsduRequest,
    AssociateConfirm,
    CommandRequest,
    Indication,
    LinkKeyKind,
    NetworkFound,
    ScanConfirm,
)
from harness.values import Eui64

__all__ = ["Child", "Core", "Memory"]


class Core:
    """MAC, NWK and APS of one node: a coordinator, a router (by its capability) or an end device."""

    def __init__(
        self, *, ieee: Eui64, capability: int, chance: Chance, policy: Policy, coordinator: bool,
        poll_interval: float | None = None, child_capacity: int = 20, max_transfer: int = 128,
    ) -> None:
        """`capability` is the octet sent when associating. `poll_interval` (seconds) makes an end device sleepy, None is for a
        receiver that is on. `child_capacity` is how many children a coordinator takes; `max_transfer` the longest ASDU, in
        octets, that is reassembled from fragments (it should be what the node descriptor says)."""
        self.ieee = ieee
        self.policy = policy
        self._coordinator = coordinator
        self._layers = Layers(
            ieee=ieee, capability=capability, chance=chance, policy=policy, coordinator=coordinator,
            poll_interval=poll_interval, child_capacity=child_capacity, max_transfer=max_transfer,
        )

    # -- the five verbs

    def receive(self, pdu: Pdu, now: float) -> None:
        """Take a Received or Transmitted from the radio."""
        self._layers.agenda.run(now)
        if isinstance(pdu, Received):
            self._layers.mac.receive(pdu, now)
        elif isinstance(pdu, Transmitted):
            self._layers.mac.transmitted(pdu, now)
        self._layers.settle(now)

    def transmit(self, now: float) -> list[Pdu]:
        """RadioSettings and Transmit, in the order in which they must take effect."""
        out, self._layers.mac.out = self._layers.mac.out, []
        return out

    def deadline(self) -> float | None:
        """When `wake` is next needed, None for never."""
        return self._layers.agenda.deadline()

    def wake(self, now: float) -> None:
        """Timers up to `now` have run out."""
        self._layers.agenda.run(now)
        self._layers.settle(now)

    def events(self) -> list[Indication]:
        """What happened since the last call, oldest first."""
        events, self._layers.up = self._layers.up, []
        return events

    # -- what it is and where

    @property
    def network(self) -> Network | None:
        """The network and our place in it, None off the network. It stays while we rejoin."""
        return self._layers.nwk.network

    @property
    def channel(self) -> int | None:
        """The channel of the network (11 to 26), None off the network."""
        return None if self.network is None else self.network.channel

    @property
    def pan_id(self) -> int | None:
        """The PAN identifier, None off the network."""
        return None if self.network is None else self.network.pan_id

    @property
    def extended_pan_id(self) -> Eui64 | None:
        """The extended PAN identifier, None off the network."""
        return None if self.network is None else self.network.extended_pan_id

    @property
    def short_address(self) -> int:
        """Our NWK address; ffff off the network."""
        return BROADCAST if self.network is None else self.network.short_address

    @property
    def parent(self) -> int | None:
        """The NWK address of the parent, None for a coordinator and off the network."""
        return None if self.network is None else self.network.parent

    @property
    def network_key(self) -> tuple[bytes, int] | None:
        """The active network key and its sequence number; None before one is installed (associated, not authenticated)."""
        key = self._layers.network_keys.current
        return None if key is None else (key.key, key.sequence)

    @property
    def children(self) -> tuple[Child, ...]:
        """The devices that joined through us, oldest first."""
        return tuple(self._layers.neighbours.children.values())

    @property
    def is_busy(self) -> bool:
        """Whether a scan, an association or a rejoin is under way."""
        return self._layers.joining.state is not JoinState.IDLE

    # -- forming, joining, leaving

    def form(
        self, *, channel: int, pan_id: int, extended_pan_id: Eui64, network_key: bytes, key_sequence: int = 0, now: float,
        frame_counter: int = 0,
    ) -> None:
        """Coordinator: start the network on `channel` with association permit off (NLME-NETWORK-FORMATION, 3.2.2.3).

        `frame_counter` is that of our first frame: a network that has been there for long has used others."""
        if not self._coordinator:
            raise LocalProtocolError("only a coordinator forms a network")
        self._layers.network_keys.install(network_key, key_sequence)
        self._layers.network_keys.switch(key_sequence)
        self._layers.network_keys.held[key_sequence].counters.outgoing = frame_counter
        self._layers.enter(Network(channel, pan_id, extended_pan_id, COORDINATOR), now)

    def skip_counters(self, count: int) -> None:
        """Leave out so many NWK frame counters of the active key, where there is one: any greater value is taken (4.3.1.2)."""
        if self._layers.network_keys.current is not None:
            self._layers.network_keys.current.counters.outgoing += count

    def permit_association(self, permit: bool, expected: Mapping[Eui64, bytes] | None = None) -> None:
        """Parent: set the association permit of our beacons (NLME-PERMIT-JOINING, 3.2.2.5). While it is off, association
        requests are ignored (802.15.4-2006, 7.5.3.1); rejoins are not affected. Who is `expected`, with which link key, is of use
        only to lower layers that give out network keys themselves."""
        self._layers.mac.permit = permit

    def scan(self, channels: tuple[int, ...], now: float) -> None:
        """Active scan of these channels in this order; a ScanConfirm follows. Raises LocalProtocolError when busy."""

        def scanned(networks: tuple[NetworkFound, ...], at: float) -> None:
            self._layers.tune()
            self._layers.up.append(ScanConfirm(networks))

        self._layers.joining.scan(channels, scanned, now)
        self._layers.settle(now)

    def associate(self, network: NetworkFound, now: float) -> None:
        """MAC association with that network's coordinator; an AssociateConfirm follows. The link keys' incoming counters are
        forgotten: this is a fresh join. Network keys of an earlier stay are dropped. Raises LocalProtocolError when busy."""

        def answered(answer: AssociationAnswered | None, at: float) -> None:
            if answer is not None and answer.status == AssociationStatus.SUCCESS:
                self._layers.link_keys.forget_senders()
                self._layers.enter(Network(
                    network.channel, network.pan_id, network.extended_pan_id, answer.short_address, network.coordinator,
                    answer.parent, network.update_id,
                ), at)
            self._confirm(answer)

        if self.is_busy:
            raise LocalProtocolError("a node cannot associate while it scans or joins")
        self._layers.forget_network(now)
        self._layers.joining.associate(network, answered, now)
        self._layers.settle(now)

    def rejoin(self, now: float, secured: bool = True, network: NetworkFound | None = None) -> None:
        """NWK rejoin of the network we belong(ed) to, through `network`'s sender where given (else the old parent, on the old
        channel); an AssociateConfirm follows. Unsecured is the trust-centre rejoin: a Transport-Key is to follow.
        Raises LocalProtocolError when busy or when there is no network (or, secured, no network key) to return to."""
        if self.network is None or self.network.parent is None or (secured and self.network_key is None):
            raise LocalProtocolError("there is no network, or no network key, to rejoin with")

        def answered(answer: AssociationAnswered | None, at: float) -> None:
            if answer is not None and answer.status == AssociationStatus.SUCCESS and self.network is not None:
                if not secured:
                    self._layers.network_keys.suspend()
                self._layers.enter(replace(self.network, short_address=answer.short_address, parent_ieee=answer.parent), at)
            self._confirm(answer)

        def request() -> None:
            if network is not None and self.network is not None:
                self._layers.nwk.network = replace(
                    self.network, channel=network.channel, pan_id=network.pan_id, parent=network.coordinator,
                    parent_ieee=self._layers.neighbours.ieee_of(network.coordinator), update_id=network.update_id,
                )
            self._layers.tune()
            self._layers.membership.ask_rejoin(secured, now)

        self._layers.joining.rejoin(request, answered, now)
        self._layers.settle(now)

    def leave(self, now: float, announce: bool = True) -> None:
        """Leave the network: announce it with a NWK Leave (3.6.1.10.1) if asked, then forget network, addresses, network keys.
        Link keys stay; drop them with `forget_link_key`. No indication follows for a leave asked for here, and no confirm for a
        scan or join that it cuts short."""
        left = self.network

        def forget(sent: bool, at: float) -> None:
            if self.network is left:  # else another join has begun
                self._layers.forget_network(at)

        if announce and left is not None and self.network_key is not None:
            self._layers.membership.announce_leave(False, forget, now)
        else:
            forget(False, now)
        self._layers.settle(now)

    def dismiss(self, device: Eui64, now: float, rejoin: bool = False, announce: bool = True) -> None:
        """Tell a child to leave, with a NWK Leave (3.6.1.10.2), and forget it; without `announce`, forget it silently."""
        self._layers.membership.dismiss(device, now, rejoin, announce)
        self._layers.settle(now)

    def ask_to_leave(self, dest: int, now: float) -> None:
        """Say to any node that it is to leave, with a NWK Leave (3.4.4), and forget nobody: nothing but a parent's is obeyed."""
        self._layers.membership.ask_to_leave(dest, now)
        self._layers.settle(now)

    # -- data

    def data(self, request: AsduRequest, now: float) -> int:
        """APSDE-DATA.request; returns the handle that the AsduConfirm will carry."""
        handle = self._layers.aps.data(request, now)
        self._layers.settle(now)
        return handle

    def command(self, request: CommandRequest, now: float) -> int:
        """Send an APS command; returns the handle that the AsduConfirm will carry."""
        handle = self._layers.aps.command(request, now)
        self._layers.settle(now)
        return handle

    def network_command(self, command: Record, device: Eui64, now: float, secured: bool) -> None:
        """Send a neighbour any network command, as a stimulus."""
        short = self._layers.neighbours.short_of(device)
        if short is not None:
            self._layers.nwk.command(command, short, lambda sent, at: None, now, secured=secured, dest_ieee=device)
            self._layers.settle(now)

    def tunnel(self, request: CommandRequest, parent: int, now: float) -> int:
        """Send an APS command to a device that has no network key yet, sealed inside a Tunnel to its parent, a router
        (4.6.3.7.1); returns the handle that the AsduConfirm will carry."""
        handle = self._layers.aps.tunnel(request, parent, now)
        self._layers.settle(now)
        return handle

    def hand_on(self, apdu: bytes, device: Eui64, now: float) -> None:
        """Router: send a child that has no network key what came for it in a Tunnel, without NWK security (4.6.3.7.2)."""
        child = self._layers.neighbours.children.get(device)
        if child is not None:
            self._layers.nwk.data(apdu, child.short_address, lambda sent, at: None, now, secured=False)
            self._layers.settle(now)

    # -- keys and addresses

    def install_network_key(self, key: bytes, sequence: int, now: float) -> None:
        """Accept a network key; its counters start at 0 both ways (4.6.3.4.2). The first one becomes active at once, also after
        an unsecured rejoin; a further one with `switch_key`, or when a frame under it arrives (4.3.1.2). The key that is in
        use already changes nothing."""
        if self.network_key == (key, sequence):
            return
        before = self._layers.network_keys.held.get(sequence) or self._layers.network_keys.current
        self._layers.network_keys.install(key, sequence)
        if before is not None and not self.policy.restarts_nwk_counter:
            self._layers.network_keys.held[sequence].counters.outgoing = before.counters.outgoing
        self._layers.settle(now)

    def switch_key(self, sequence: int) -> None:
        """Make the installed network key of that sequence number the active one; an unknown number changes nothing."""
        self._layers.network_keys.switch(sequence)

    def install_link_key(self, device: Eui64 | None, key: bytes, kind: LinkKeyKind) -> None:
        """Share `key` with `device`; both counters start at 0 (4.5.3). It replaces a key shared with that device before.
        Device None is a joiner's preconfigured key: shared with any device for which there is no other (the trust centre, whose
        address a joiner learns only with its network key)."""
        self._layers.link_keys.install(device, key, kind)

    def forget_link_key(self, device: Eui64 | None) -> None:
        """Drop the link key shared with `device`; none is no error."""
        self._layers.link_keys.forget(device)

    @contextmanager
    def sharing(self, device: Eui64, key: bytes, kind: LinkKeyKind, counter: int) -> Iterator[None]:
        """While this lasts, frames to `device` are sealed with another link key, from that frame counter on: a stimulus.

        The key shared before comes back with its counters; whatever is to be sent so must be sent at once, and once.
        """
        held = self._layers.link_keys.held
        before = held.get(device)
        held[device] = LinkKey(key, kind, Counters(counter))
        try:
            yield
        finally:
            if before is None:
                del held[device]
            else:
                held[device] = before

    def link_key(self, device: Eui64 | None) -> tuple[bytes, LinkKeyKind] | None:
        """The link key that would be used with `device` (its own, else the one installed for None)."""
        held = self._layers.link_keys.shared_with(device)
        return None if held is None else (held.key, held.kind)

    def remember_address(self, short: int, ieee: Eui64, behind: int | None = None) -> None:
        """Note who has which NWK address, and `behind` which router it is; the core also learns from associations, rejoins and
        security headers."""
        self._layers.neighbours.remember(short, ieee)
        if behind is not None:
            self._layers.nwk.learn_way(short, behind)

    def ieee_of(self, short: int) -> Eui64 | None:
        """Whose NWK address it is."""
        return self._layers.neighbours.ieee_of(short)

    def short_of(self, ieee: Eui64) -> int | None:
        """The NWK address of a device."""
        return self._layers.neighbours.short_of(ieee)

    # -- sleeping and power

    def fast_poll(self, on: bool, now: float) -> None:
        """Sleepy end device: poll every 0.25 s while a response is expected. (While the network key, an APS ack, a fragment or
        a rejoin response is outstanding the core does so by itself.) No effect where the receiver is on."""
        self._layers.fast = on
        self._layers.settle(now)

    def snapshot(self) -> Memory:
        """What survives a power failure now; a copy, for `restore`."""
        layers = self._layers
        now = Memory(self.network, layers.neighbours, layers.network_keys, layers.link_keys)
        return remembered(now, self.policy)

    def restore(self, memory: Memory, now: float) -> None:
        """Power up a fresh Core with what `snapshot` gave: back on the network, association permit off, nothing sent by itself.
        An end device should then `rejoin`."""
        memory = deepcopy(memory)
        self._layers.neighbours.take(memory.neighbours)
        self._layers.network_keys.take(memory.network_keys)
        self._layers.link_keys.held = memory.link_keys.held
        if memory.network is not None:
            self._layers.enter(memory.network, now)
        self._layers.settle(now)

    def _confirm(self, answer: AssociationAnswered | None) -> None:
        """Tell how an association or a rejoin ended."""
        status, short = (None, BROADCAST) if answer is None else (answer.status, answer.short_address)
        self._layers.up.append(AssociateConfirm(status, short))
