"""The layers of one node wired together: what each has for the one above is carried there. Knows no frame and no application.

Every request to a layer is followed by `settle`, which carries indications upwards until nothing is left and then sets the pace
of polling. Clauses: 05-3474.
"""

from __future__ import annotations

from typing import TypeVar

from harness.ports import Chance
from harness.stack.agenda import Agenda
from harness.stack.aps import Aps
from harness.stack.counters import LinkKeys, NetworkKeys
from harness.stack.joining import Joining, JoinState
from harness.stack.mac import Mac
from harness.stack.mac_frames import AssociationAnswered, AssociationAsked, MacData, MacIndication, OrphanHeard, PollOver
from harness.stack.membership import Membership, ToldToLeave
from harness.stack.neighbours import Neighbours
from harness.stack.nwk import Network, Nwk, NwkCommand
from harness.stack.policy import Policy
from harness.stack.polling import PollEvent
from harness.stack.primitives import Indication, JoinIndication, LeaveIndication, LinkKeyKind, NetworkFound, ParentLost
from harness.values import Eui64

T = TypeVar("T")

FAST_POLL = 0.25  # seconds between polls while something is expected
FULL_FUNCTION = 0x02  # bit of the capability octet: a router (802.15.4-2006, 7.3.1.2)
LOST_AFTER = 3  # polls in a row without an acknowledgement, each with its MAC retries


class Layers:
    """MAC, NWK, membership and APS of one node, and the timers and tables they share; `up` is what they have to tell."""

    def __init__(
        self, *, ieee: Eui64, capability: int, chance: Chance, policy: Policy, coordinator: bool,
        poll_interval: float | None, child_capacity: int, max_transfer: int,
    ) -> None:
        self.up: list[Indication] = []
        self.fast = False  # a response is expected
        self.agenda = Agenda()
        self.network_keys, self.link_keys, self.neighbours = NetworkKeys(), LinkKeys(), Neighbours()
        self._ieee, self._poll_interval = ieee, poll_interval
        self._routes = coordinator or bool(capability & FULL_FUNCTION)
        self._failed_polls = 0
        sleepy = poll_interval is not None
        self.mac = Mac(ieee=ieee, chance=chance, policy=policy, agenda=self.agenda, sleepy=sleepy)
        self.joining = Joining(mac=self.mac, agenda=self.agenda, policy=policy, capability=capability)
        self.nwk = Nwk(
            ieee=ieee, mac=self.mac, keys=self.network_keys, neighbours=self.neighbours, policy=policy, chance=chance,
            agenda=self.agenda, routes=self._routes, sleepy=sleepy,
        )
        self.membership = Membership(
            nwk=self.nwk, mac=self.mac, joining=self.joining, policy=policy, chance=chance, agenda=self.agenda,
            routes=self._routes, capability=capability, child_capacity=child_capacity,
            registered=lambda: any(each.kind is LinkKeyKind.ESTABLISHED for each in self.link_keys.held.values()),
        )
        self.aps = Aps(
            ieee=ieee, nwk=self.nwk, link_keys=self.link_keys, policy=policy, chance=chance, agenda=self.agenda,
            max_transfer=max_transfer,
        )

    def enter(self, network: Network, now: float) -> None:
        """Be part of a network."""
        self.nwk.network = network
        self.neighbours.remember(network.short_address, self._ieee)
        if network.parent is not None and network.parent_ieee is not None:
            self.neighbours.remember(network.parent, network.parent_ieee)
        self.tune()
        if self._routes:
            self.membership.start(now)

    def tune(self) -> None:
        """Set the radio to our network again, if we have one."""
        network = self.nwk.network
        if network is not None:
            self.mac.settle(
                channel=network.channel, pan_id=network.pan_id, short_address=network.short_address, parent=network.parent
            )

    def forget_network(self, now: float) -> None:
        """Be part of no network: addresses and network keys are gone, what is under way fails. Link keys stay."""
        self.nwk.network = None
        self.joining.abandon()
        self.membership.stop()
        self.network_keys.take(NetworkKeys())
        self.neighbours.forget_all()
        self.aps.abandon()
        self.mac.unsettle(now)

    def settle(self, now: float) -> None:
        """Carry what each layer has for the one above; then poll as often as is needed now."""
        while self.mac.up or self.nwk.up or self.membership.up or self.aps.up:
            for indication in _taken(self.mac.up):
                self._from_mac(indication, now)
            for frame in _taken(self.nwk.up):
                if isinstance(frame, NwkCommand):
                    self.membership.command(frame, now)
                else:
                    self.aps.receive(frame, now)
            for member in _taken(self.membership.up):
                self._from_membership(member, now)
            arrived = _taken(self.aps.up)
            self.up.extend(arrived)
        self.mac.polling.every(self._pace(), now)

    def _from_mac(self, indication: MacIndication, now: float) -> None:
        match indication:
            case MacData():
                self.nwk.receive(indication, now)
            case AssociationAsked():
                self.membership.association_asked(indication, now)
            case AssociationAnswered():
                self.joining.answer(indication, now)
            case OrphanHeard(device):
                self.membership.orphan_heard(device, now)
            case PollOver(event):
                self.joining.poll_over(now)
                self._count_poll(event)
            case NetworkFound():
                self.joining.heard(indication)

    def _from_membership(self, member: JoinIndication | LeaveIndication | ToldToLeave, now: float) -> None:
        if isinstance(member, ToldToLeave):
            if self.nwk.network != member.network:
                return  # meanwhile we left by ourselves
            if not member.rejoin:
                self.forget_network(now)
            self.up.append(LeaveIndication(None, member.source, member.rejoin))
            return
        if isinstance(member, JoinIndication):
            self.aps.forget(member.short_address)
        self.up.append(member)

    def _count_poll(self, event: PollEvent) -> None:
        self._failed_polls = self._failed_polls + 1 if event is PollEvent.UNACKNOWLEDGED else 0
        if self._failed_polls == LOST_AFTER and self.nwk.network is not None:
            self.up.append(ParentLost(self._failed_polls))

    def _pace(self) -> float | None:
        """Seconds between polls: None where the receiver is on or there is no parent, few while something is expected."""
        if self._poll_interval is None or self.nwk.network is None or self.joining.state is JoinState.SCANNING:
            return None
        rejoining = self.joining.state is JoinState.REJOINING
        if self.fast or rejoining or self.aps.is_expecting or self.network_keys.current is None:
            return min(FAST_POLL, self._poll_interval)
        return self._poll_interval


def _taken(waiting: list[T]) -> list[T]:
    """What waits, handed over and forgotten."""
    taken = list(waiting)
    waiting.clear()
    return taken
