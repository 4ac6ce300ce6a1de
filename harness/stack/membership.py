"""Who belongs to the network: letting devices in, rejoin, leave, link status. Knows no APS frame and no trust centre.

Clauses: IEEE 802.15.4-2006, 7.5.3.1 (association at the coordinator); 05-3474, 3.6.1.4.2 (rejoin), 3.6.1.10 (leave), 3.6.3.4.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from dissectors.layer import Record
from dissectors.mac import BROADCAST, AssociationStatus, Beacon
from dissectors.nwk import BroadcastAddress, Leave, LinkStatus, LinkStatusEntry, RejoinRequest, RejoinResponse
from harness.ports import Chance
from harness.stack.agenda import Agenda
from harness.stack.indirect import Sent
from harness.stack.joining import Joining
from harness.stack.mac import Mac
from harness.stack.mac_frames import AssociationAnswered, AssociationAsked
from harness.stack.neighbours import Child
from harness.stack.nwk import Hop, Network, Nwk, NwkCommand
from harness.stack.policy import Policy
from harness.stack.primitives import JoinIndication, LeaveIndication
from harness.values import Eui64

LINK_STATUS_PERIOD = 15.0  # seconds, nwkLinkStatusPeriod, 3.5.2
NEIGHBOUR_COST = 1  # of a link on a perfect air, 3.6.3.1
ALLOCATE_ADDRESS = 0x80  # of the capability octet; 0 in a rejoin request, 3.6.1.4.2.1


@dataclass(frozen=True)
class ToldToLeave:
    """We obeyed a Leave and have announced it; what is left is to forget the network, unless we are to rejoin."""

    network: Network
    source: int
    rejoin: bool


class Membership:
    """Children in and out of a coordinator or router; a device's own leave and rejoin requests."""

    def __init__(
        self, *, nwk: Nwk, mac: Mac, joining: Joining, policy: Policy, chance: Chance, agenda: Agenda, routes: bool,
        capability: int, child_capacity: int, registered: Callable[[], bool],
    ) -> None:
        self.up: list[JoinIndication | LeaveIndication | ToldToLeave] = []
        self.rejoining_secured = True
        self._nwk, self._mac, self._joining = nwk, mac, joining
        self._policy, self._chance, self._agenda = policy, chance, agenda
        self._routes, self._capability, self._child_capacity = routes, capability, child_capacity
        self._registered = registered
        self._welcomed: set[Eui64] = set()  # who was given an address and has not fetched it yet

    # -- a parent's part

    def start(self, now: float) -> None:
        """The network is up: beacons can be asked for, link status goes out."""
        self._refresh_beacon()
        self._agenda.set("link status", now + self._chance.uniform(0, LINK_STATUS_PERIOD), self._link_status)

    def stop(self) -> None:
        """The network is gone."""
        self._agenda.cancel("link status")
        self._refresh_beacon()

    def association_asked(self, asked: AssociationAsked, now: float) -> None:
        """Answer an association request, or (while permit is off) do not."""
        if not self._routes or self._nwk.network is None:
            return
        status: int = AssociationStatus.SUCCESS
        if not self._mac.permit:
            if self._policy.closed_association_status is None:
                return
            status = self._policy.closed_association_status
        elif self._is_full_for(asked.device):
            status = AssociationStatus.PAN_AT_CAPACITY
        if status != AssociationStatus.SUCCESS:
            self._mac.answer_association(asked.device, BROADCAST, status, lambda sent, at: None, now)
            return
        child = Child(asked.device, self._address_for(asked.device), asked.capability)
        self._mac.forget(child.short_address, now)
        self._welcomed.add(child.ieee)

        def then(delivered: bool, at: float) -> None:
            self._welcomed.discard(child.ieee)
            if delivered:
                self._adopt(child, rejoin=False, secured=False)

        self._mac.answer_association(child.ieee, child.short_address, status, then, now)

    def orphan_heard(self, device: Eui64, now: float) -> None:
        """Take an orphaned child back (7.5.2.1.4)."""
        child = self._nwk.neighbours.children.get(device)
        if child is not None:
            self._mac.realign(device, child.short_address, now)

    def dismiss(self, device: Eui64, now: float, rejoin: bool, announce: bool) -> None:
        """Tell a child to leave, and forget it when it was told."""
        child = self._nwk.neighbours.children.get(device)
        if child is None:
            return

        def forget(sent: bool, at: float) -> None:
            self._nwk.neighbours.dismiss(device)
            self._mac.forget(child.short_address, at)
            self._refresh_beacon()

        if announce:
            command = Leave.of(request=1, rejoin=int(rejoin))
            self._nwk.command(command, child.short_address, forget, now, dest_ieee=device)
        else:
            forget(True, now)

    def _address_for(self, device: Eui64, wanted: int | None = None) -> int:
        neighbours = self._nwk.neighbours
        if not self._policy.assigns_unique_addresses and neighbours.children and device not in neighbours.children:
            return next(iter(neighbours.children.values())).short_address
        return neighbours.assign(device, self._chance, self._policy.prefers_address if wanted is None else wanted)

    def _is_full_for(self, device: Eui64) -> bool:
        children = self._nwk.neighbours.children
        others = self._welcomed.union(children) - {device}
        return self._policy.honours_child_capacity and device not in children and len(others) >= self._child_capacity

    def _adopt(self, child: Child, rejoin: bool, secured: bool) -> None:
        if not secured:
            self._nwk.keys.forget_sender(child.ieee)  # it starts at 0 with the key it is about to get
        self._nwk.neighbours.adopt(child)
        self._refresh_beacon()
        self.up.append(JoinIndication(child.ieee, child.short_address, child.capability, rejoin, secured))

    def _refresh_beacon(self) -> None:
        network = self._nwk.network
        if not self._routes or network is None:
            self._mac.beacon = None
            return
        room = int(len(self._nwk.neighbours.children) < self._child_capacity)
        self._mac.beacon = Beacon.of(
            pan_coordinator=int(network.parent is None), device_depth=int(network.parent is not None),
            end_device_capacity=room, router_capacity=room, extended_pan_id=network.extended_pan_id, update_id=network.update_id,
        )

    def _link_status(self, now: float) -> None:
        self._agenda.set("link status", now + LINK_STATUS_PERIOD, self._link_status)
        if not self._policy.sends_link_status:
            return
        entries = tuple(
            LinkStatusEntry.of(neighbour=short, incoming_cost=NEIGHBOUR_COST, outgoing_cost=NEIGHBOUR_COST)
            for short in sorted(child.short_address for child in self._nwk.neighbours.children.values() if child.router)
        )
        command = LinkStatus.of(count=len(entries), entries=entries)
        self._nwk.command(command, BroadcastAddress.ROUTERS, lambda sent, at: None, now)

    def _rejoin_asked(self, command: NwkCommand, now: float) -> None:
        if not self._routes or not self._policy.answers_rejoin or not command.header.source_ieee_present:
            return
        device, old = Eui64(command.header.source_ieee), command.header.source
        status, short = int(AssociationStatus.SUCCESS), BROADCAST
        if self._is_full_for(device):
            status = AssociationStatus.PAN_AT_CAPACITY
        else:
            short = self._address_for(device, wanted=old)
        child = Child(device, short, command.command.capability)

        def then(delivered: bool, at: float) -> None:
            if delivered and status == AssociationStatus.SUCCESS:
                self._adopt(child, rejoin=True, secured=command.secured)

        answer = RejoinResponse.of(short_address=short, status=status)
        hop = Hop(command.previous_hop, child.sleepy)
        self._nwk.command(answer, old, then, now, secured=command.secured, dest_ieee=device, hop=hop)

    # -- an end device's part

    def ask_rejoin(self, secured: bool, now: float) -> None:
        """Send the rejoin request to the parent (3.4.6)."""
        self.rejoining_secured = secured
        network = self._nwk.network
        assert network is not None
        assert network.parent is not None
        request = RejoinRequest.of(capability=self._capability & ~ALLOCATE_ADDRESS)
        self._nwk.command(
            request, network.parent, lambda sent, at: None, now, secured=secured, dest_ieee=network.parent_ieee
        )

    def announce_leave(self, rejoin: bool, then: Sent, now: float) -> None:
        """Say that we leave (3.6.1.10.1)."""
        self._nwk.command(Leave.of(rejoin=int(rejoin)), BroadcastAddress.RX_ON_WHEN_IDLE, then, now)

    def ask_to_leave(self, dest: int, now: float) -> None:
        """Say to any node that it is to leave, whoever's child it is."""
        self._nwk.command(Leave.of(request=1), dest, lambda sent, at: None, now)

    # -- commands

    def command(self, command: NwkCommand, now: float) -> None:
        """A network command arrived; the ones not named here need nothing of a coordinator or end device."""
        is_rejoin = command.command.is_a(RejoinRequest) or command.command.is_a(RejoinResponse)
        if not (command.secured or is_rejoin or self._policy.takes_unsecured_commands):
            return
        if command.command.is_a(RejoinRequest):
            self._rejoin_asked(command, now)
        elif command.command.is_a(RejoinResponse):
            self._rejoin_answered(command, now)
        elif command.command.is_a(Leave):
            self._leave_heard(command.command, command, now)

    def _rejoin_answered(self, command: NwkCommand, now: float) -> None:
        header = command.header
        meant = not header.dest_ieee_present or header.dest_ieee == self._nwk.ieee
        if meant and command.secured == self.rejoining_secured and header.source_ieee_present:
            answer = command.command
            self._joining.answer(AssociationAnswered(answer.short_address, answer.status, Eui64(header.source_ieee)), now)

    def _leave_heard(self, leave: Record, command: NwkCommand, now: float) -> None:
        source, rejoin = command.header.source, bool(leave.rejoin)
        if leave.request:
            self._told_to_leave(source, command.previous_hop, rejoin, now)
            return
        device = self._nwk.neighbours.ieee_of(source)
        if device is not None:
            self.dismiss(device, now, rejoin=False, announce=False)
            self.up.append(LeaveIndication(device, source, rejoin))

    def _told_to_leave(self, source: int, previous_hop: int, rejoin: bool, now: float) -> None:
        """3.6.1.10.3: a device obeys its parent, a coordinator has none."""
        network = self._nwk.network
        if network is None or not self._policy.obeys_leave:
            return
        if self._registered() and not self._policy.obeys_leave_when_registered:
            return
        if network.parent is None and not self._policy.coordinator_obeys_leave:
            return
        if network.parent is None or {source, previous_hop} == {network.parent} or self._policy.obeys_strangers_leave:
            self.announce_leave(rejoin, lambda sent, at: self.up.append(ToldToLeave(network, source, rejoin)), now)
