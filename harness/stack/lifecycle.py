"""A HAN device's life on the network: does what the actions of `startup.TRANSITIONS` say. Knows only one cluster's name.

Smart Energy 1.0 (075356), 5.4.1 and 5.5; 05-3474, 3.6.1.4 and 4.6.3.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from dissectors import aps, nwk, zdp
from dissectors.mac import AssociationStatus
from harness.ports import Chance
from harness.stack import happenings
from harness.stack.application import Application
from harness.stack.commissioning import KEY_ESTABLISHMENT, Partner, find_key_establishment
from harness.stack.conversation import Conversation, Script
from harness.stack.core import Core
from harness.stack.happenings import Happening
from harness.stack.key_establishment_initiator import MINIMUM_PAUSE, Established, Failed, Initiator
from harness.stack.primitives import (
    AssociateConfirm,
    CommandIndication,
    LeaveIndication,
    LinkKeyKind,
    NetworkFound,
    ParentLost,
    ScanConfirm,
)
from harness.stack.startup import (
    KEY_ATTEMPTS,
    KEY_PAUSE,
    LONGEST_REJOIN_INTERVAL,
    MEMBERS,
    REJOIN_ATTEMPTS,
    REJOIN_INTERVAL,
    SECURITY_TIMEOUT,
    TRANSITIONS,
    Action,
    Choice,
    Event,
    State,
    scan_order,
)
from harness.values import Eui64

SETTLING = 0.25  # seconds between the announcement and the first question
ANNOUNCED_AGAIN = 0.6  # seconds between two announcements of a device that repeats them
DISCOVERY_PAUSE = 30.0  # seconds until Key Establishment is looked for again
LEAVING = 0.5  # seconds for a NWK Leave to get out before another network is tried
DESERTING = 200.0  # seconds in service after which a device that leaves by itself does so
EVERYBODY = 0  # destination of a Transport-Key that is broadcast (4.4.9.2.3.2)
NO_KEY = bytes(16)  # the dummy network key (05-3474, 4.6.3.2.2.1)


@dataclass(frozen=True)
class Service:
    """What the device does once it has a link key: the questions of step 7, then those of step 9, then its daily round."""

    commission: Callable[[Partner], Script]
    first_exchange: Callable[[Partner], Script]
    begun: Callable[[Partner, float], None]
    forgotten: Callable[[], None]


class Lifecycle:
    """The machine over `startup.TRANSITIONS` for one device."""

    def __init__(
        self, application: Application, initiator: Initiator, service: Service, report: Callable[[Happening], None], *,
        link_key: bytes, capability: int, endpoint: int, channels: tuple[int, ...], chance: Chance, settling: float,
        announcements: int,
    ) -> None:
        """`endpoint` is that of Key Establishment. `settling` seconds lie between the announcement, made `announcements` times in
        all, and the first question."""
        self.state = State.IDLE
        self.partner = Partner()
        self.done_once = False  # the first exchange has been completed
        self._application = application
        self._policy = application.policy
        self._agenda = application.agenda
        self._initiator = initiator
        self._service = service
        self._report = report
        self._link_key = link_key
        self._capability = capability
        self._endpoint = endpoint
        self._channels = channels
        self._settling, self._announcements = settling, announcements
        self._conversation = Conversation(application, "commissioning")
        self._choice = Choice(application.policy, chance)
        self._network: NetworkFound | None = None
        self._trust_center: Eui64 | None = None
        self._failures = 0  # of key establishment in a row
        self._key_pause = 0.0
        self._rejoins = 0
        self._secured = True  # how the last rejoin was tried
        self._actions: dict[Action, Callable[[float], None]] = {
            Action.NOTHING: lambda now: None,
            Action.FORGET: self._forget,
            Action.SCAN: self._scan,
            Action.PAUSE_SCAN: lambda now: self._pause(self._choice.pause(), now),
            Action.ASSOCIATE: self._associate,
            Action.CHOOSE_AGAIN: self._choose_again,
            Action.AWAIT_KEY: self._await_key,
            Action.LEAVE_AND_CHOOSE: self._leave_and_choose,
            Action.ANNOUNCE: self._announce,
            Action.DISCOVER: self._discover,
            Action.ESTABLISH: self._establish,
            Action.PAUSE_KEY: lambda now: self._pause(self._key_pause, now),
            Action.COMMISSION: self._commission,
            Action.RUN: self._run,
            Action.REJOIN: self._rejoin,
            Action.PAUSE_REJOIN: self._pause_rejoin,
        }

    @property
    def _core(self) -> Core:
        return self._application.own_layers  # another one after a power failure

    @property
    def expecting(self) -> bool:
        """Whether something is to come from the parent soon."""
        return self._application.waiting or self._initiator.busy or self._conversation.running

    @property
    def registered(self) -> bool:
        """Whether an established link key is shared with the trust centre."""
        held = self._core.link_key(self._trust_center)
        return held is not None and held[1] is LinkKeyKind.ESTABLISHED

    def fire(self, event: Event, now: float) -> None:
        """Let an event happen."""
        self.state, action = TRANSITIONS[self.state, event]
        self._actions[action](now)

    def begin(self) -> None:
        """Forget which networks were tried: the user wants it to look again."""
        self._choice.begin()

    # -- what the core tells

    def scanned(self, confirm: ScanConfirm, now: float) -> None:
        """A scan is over."""
        self._choice.scanned(confirm.networks)
        self._choose(now)

    def associated(self, confirm: AssociateConfirm, now: float) -> None:
        """An association or a rejoin is over."""
        success = confirm.status == AssociationStatus.SUCCESS
        if self.state is State.REJOINING:
            good = Event.REJOINED if self._secured else Event.REJOINED_UNSECURED
            self.fire(good if success else Event.NOT_REJOINED, now)
        elif self.state is State.ASSOCIATING:
            self.fire(Event.ASSOCIATED if success else Event.NOT_ASSOCIATED, now)

    def commanded(self, indication: CommandIndication, now: float) -> None:
        """An APS command of the trust centre (4.4.3 and 4.4.6)."""
        command = indication.command
        if command.is_a(aps.TransportKey) and command.key_type == aps.KeyType.STANDARD_NETWORK_KEY:
            self._transport_key(indication, now)
        elif command.is_a(aps.SwitchKey) and self.state in MEMBERS and self._policy.follows_switch_key:
            self._core.switch_key(command.key_sequence)

    def told_to_leave(self, indication: LeaveIndication, now: float) -> None:
        """A NWK Leave for us, or from somebody else."""
        if indication.device is None:
            self.fire(Event.TOLD_TO_REJOIN if indication.rejoin else Event.TOLD_TO_LEAVE, now)

    def parent_lost(self, indication: ParentLost, now: float) -> None:
        """The parent does not answer."""
        self.fire(Event.PARENT_LOST, now)

    def key_establishment_over(self, result: Established | Failed, now: float) -> None:
        """An exchange that we began has ended."""
        if isinstance(result, Established):
            self._failures = 0
            if self._policy.installs_established_key:
                self._core.install_link_key(result.partner, result.key, LinkKeyKind.ESTABLISHED)
            self._report(happenings.KeyLearnt("link", result.key, self._core.ieee))
            self._report(happenings.Registered(self._core.ieee, now))
            self.fire(Event.KEY_ESTABLISHED, now)
            return
        self._report(happenings.KeyEstablishmentFailed(self._core.ieee, result.cause, now))
        self._failures += 1
        self._key_pause = result.wait if self._policy.respects_wait_time else MINIMUM_PAUSE
        if self._failures >= KEY_ATTEMPTS and self._policy.pauses_after_retries:
            self._failures, self._key_pause = 0, max(KEY_PAUSE, self._key_pause)
        foreign = result.foreign_issuer and self._policy.leaves_unknown_issuer
        self.fire(Event.FOREIGN_ISSUER if foreign else Event.KEY_FAILED, now)

    # -- finding a network

    def _scan(self, now: float) -> None:
        self._core.scan(scan_order(self._channels, self._policy), now)

    def _choose(self, now: float) -> None:
        if self.state is not State.SCANNING:
            return
        self._network = self._choice.next()
        self.fire(Event.NOTHING_FOUND if self._network is None else Event.NETWORK_CHOSEN, now)

    def _choose_again(self, now: float) -> None:
        self._gave_up("refused", now)
        self._choose(now)

    def _associate(self, now: float) -> None:
        assert self._network is not None
        self._drop_membership()
        self._core.associate(self._network, now)

    def _leave_and_choose(self, now: float) -> None:
        """4.6.3.2.3: without a key the device resets and sends nothing; one that holds the network key says that it leaves."""
        member = self._core.network_key is not None
        self._agenda.cancel("security timeout")
        self._initiator.forget()
        self._core.leave(now, announce=member)
        self._gave_up("foreign_issuer" if member else "no_key", now)
        if member:
            self._agenda.set("leaving", now + LEAVING, self._choose)
        else:
            self._choose(now)

    def _gave_up(self, cause: str, now: float) -> None:
        if self._network is not None:
            self._choice.fails(self._network)
        self._report(happenings.JoinFailed(self._core.ieee, cause, now))

    def _drop_membership(self) -> None:
        """A fresh join begins with the key of the install code, whoever the trust centre is (SE 1.0, 5.4.1)."""
        if self._trust_center is not None:
            self._core.forget_link_key(self._trust_center)
        self._trust_center = None
        self.partner = Partner()

    # -- the network key

    def _await_key(self, now: float) -> None:
        if self._policy.gives_up_without_key:
            self._agenda.set("security timeout", now + SECURITY_TIMEOUT, lambda now: self.fire(Event.NO_KEY, now))

    def _transport_key(self, indication: CommandIndication, now: float) -> None:
        command = indication.command
        if command.key == NO_KEY and not self._policy.installs_zero_key:
            return
        if self.state in (State.AWAITING_KEY, State.AWAITING_NEW_KEY):
            sealed = indication.key_identifier == nwk.KeyIdentifier.KEY_TRANSPORT
            if not (sealed or self._policy.accepts_clear_network_key) or command.dest != self._core.ieee:
                return
            if indication.source != nwk.COORDINATOR and not self._policy.takes_key_from_router:
                return
            self._agenda.cancel("security timeout")
            self._trust_center = Eui64(command.source)
            self._core.remember_address(nwk.COORDINATOR, self._trust_center)
            self._core.install_network_key(command.key, command.key_sequence, now)
            self._report(happenings.KeyLearnt("nwk", command.key))
            self.fire(Event.KEY_ACCEPTED, now)
        elif self.state in MEMBERS and self._policy.follows_network_key_update and self._is_update(indication):
            self._core.install_network_key(command.key, command.key_sequence, now)
            self._report(happenings.KeyLearnt("nwk", command.key))

    def _is_update(self, indication: CommandIndication) -> bool:
        """4.6.3.4.2: from our trust centre, to us or to everybody, under the network key in use."""
        ours = indication.command.dest in (EVERYBODY, self._core.ieee)
        return ours and indication.nwk_secured and indication.command.source == self._trust_center

    # -- from the announcement to service

    def _announce(self, now: float) -> None:
        if self._policy.announces_before_establishing:
            self._send_announcement(now)
        for further in range(1, self._announcements):
            self._agenda.set(("announcement", further), now + further * ANNOUNCED_AGAIN, self._send_announcement)
        self._agenda.set("settling", now + self._settling, self._settled)

    def _send_announcement(self, now: float) -> None:
        core, rejoined = self._core, self._rejoins > 0
        self._rejoins = 0
        announcement = zdp.DeviceAnnce.of(
            nwk_addr=core.short_address, ieee_addr=core.ieee, capability=self._capability,
        )
        self._application.send_zdp(nwk.BroadcastAddress.RX_ON_WHEN_IDLE, announcement, now)
        self._report(happenings.Announced(core.ieee, core.short_address, now, rejoined))

    def _settled(self, now: float) -> None:
        known = self.registered and bool(self.partner.endpoints)
        self.fire(Event.SETTLED_REGISTERED if known else Event.SETTLED, now)

    def _discover(self, now: float) -> None:
        script = find_key_establishment(self.partner, self._endpoint, self._application)
        self._conversation.start(script, self._discovered, now)

    def _discovered(self, now: float) -> None:
        found = KEY_ESTABLISHMENT in self.partner.endpoints
        if not found:
            self._key_pause = DISCOVERY_PAUSE
        elif self.registered:
            self.fire(Event.ALREADY_REGISTERED, now)
            return
        self.fire(Event.SERVER_FOUND if found else Event.NO_SERVER, now)

    def _establish(self, now: float) -> None:
        if not self._policy.establishes_keys:
            return
        path = self.partner.path(KEY_ESTABLISHMENT, self._endpoint)
        assert path is not None
        assert self._trust_center is not None
        self._initiator.start(path, self._trust_center, now)

    def _commission(self, now: float) -> None:
        if not self._policy.announces_before_establishing:
            self._send_announcement(now)
        script = self._service.commission(self.partner)
        self._conversation.start(script, lambda now: self.fire(Event.COMMISSIONED, now), now)

    def _run(self, now: float) -> None:
        self._conversation.start(self._service.first_exchange(self.partner), self._in_service, now)

    def _in_service(self, now: float) -> None:
        self.done_once = True
        self._report(happenings.ApplicationDone(self._core.ieee, now))
        self._service.begun(self.partner, now)
        if self._policy.leaves_by_itself:
            self._agenda.set("deserting", now + DESERTING, self._desert)

    def _desert(self, now: float) -> None:
        """A device that leaves although nobody told it to."""
        self._core.leave(now)
        self._agenda.set("leaving", now + LEAVING, lambda now: self.fire(Event.TOLD_TO_LEAVE, now))

    # -- rejoining and forgetting

    def _rejoin(self, now: float) -> None:
        self._quiet()
        self._secured = self._core.network_key is not None and self._rejoins < REJOIN_ATTEMPTS
        self._rejoins += 1
        self._core.rejoin(now, secured=self._secured)

    def _pause_rejoin(self, now: float) -> None:
        """Rejoin intervals grow from seconds to a quarter of an hour (table 5-2)."""
        self._agenda.cancel("security timeout")
        if not self._policy.pauses_between_rejoins:
            self._pause(0.0, now)
            return
        self._pause(min(REJOIN_INTERVAL * 2 ** max(0, self._rejoins - REJOIN_ATTEMPTS), LONGEST_REJOIN_INTERVAL), now)

    def _pause(self, seconds: float, now: float) -> None:
        if self.state is State.KEY_PAUSE and not self._policy.retries_key_establishment:
            return
        self._agenda.set("pause", now + seconds, lambda now: self.fire(Event.PAUSE_OVER, now))

    def interrupt(self) -> None:
        """Power fails."""
        self._quiet()

    def _quiet(self) -> None:
        """Leave off whatever was going on."""
        self._conversation.stop()
        self._initiator.forget()
        for name in ("pause", "settling", "security timeout", "leaving"):
            self._agenda.cancel(name)
        for further in range(1, self._announcements):
            self._agenda.cancel(("announcement", further))

    def _forget(self, now: float) -> None:
        """Off the network and no member of it any more."""
        self._quiet()
        self._drop_membership()
        self._service.forgotten()
        self._core.leave(now, announce=False)
        self._core.install_link_key(None, self._link_key, LinkKeyKind.PRECONFIGURED)
        self._rejoins = self._failures = 0
        self.done_once = False
        self._report(happenings.DeviceLeft(self._core.ieee, now))
