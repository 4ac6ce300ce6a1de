"""A HAN device as one node: a thermostat or a load control device that joins, registers and takes part. Knows no bench.

How it gets into service is the affair of `lifecycle`; this module puts the device together. Smart Energy 1.0 (075356), 6.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from dissectors.clusters import basic, drlc
from dissectors.layer import Record
from dissectors.nwk import COORDINATOR
from dissectors.smart_energy import ALL_CHANNELS, DeviceId
from harness.crypto import cbke
from harness.crypto.ecqv import Credentials
from harness.ports import Chance, Pdu
from harness.stack import happenings
from harness.stack.agenda import Agenda
from harness.stack.application import Application, Path, Then
from harness.stack.commissioning import (
    DISCOVERY,
    LOAD_CONTROL,
    MESSAGING,
    METERING,
    PRICE,
    TIME,
    Find,
    Partner,
    commission,
    first_exchange,
    read_time,
)
from harness.stack.conversation import Conversation, greeting
from harness.stack.core import Core, Memory
from harness.stack.demand_response import DemandResponse, Enrolment
from harness.stack.descriptors import Descriptors, end_device_descriptor, power_descriptor, router_descriptor
from harness.stack.endpoint import Attributes, ClusterSide, Endpoint, Heard, client_side, with_attributes
from harness.stack.happenings import Happening
from harness.stack.key_establishment import NewEphemeralKey, Timing, held, told
from harness.stack.key_establishment_initiator import Initiator
from harness.stack.key_establishment_responder import Responder
from harness.stack.lifecycle import SETTLING, Lifecycle, Service
from harness.stack.messaging_client import MessagingClient
from harness.stack.network_time import NetworkTime
from harness.stack.node import Node
from harness.stack.policy import Policy
from harness.stack.price_client import PriceClient
from harness.stack.primitives import (
    AssociateConfirm,
    CommandIndication,
    JoinIndication,
    LeaveIndication,
    LinkKeyKind,
    ParentLost,
    ScanConfirm,
)
from harness.stack.registrar import NobodyRegisters
from harness.stack.routing import CAPABILITY as ROUTER
from harness.stack.routing import Router
from harness.stack.smart_energy_servers import basic_side, identify_side
from harness.stack.startup import Event, State
from harness.stack.stimulus import Asker, Stimulus
from harness.stack.zcl import ClusterLibrary
from harness.stack.zdo import DeviceObject
from harness.values import DeviceType, Eui64

SLEEPY = 0x80  # capability: battery, receiver off when idle, allocates an address
MAINS = 0x04  # and mains powered (802.15.4-2006, 7.3.1.2)
RECEIVER_ON = 0x08  # and with the receiver on when idle
POLL_INTERVAL = 7.5  # seconds, the recommended limit of normal operation (08006r03, 7.7)

DEVICES: dict[DeviceType, tuple[DeviceId, tuple[int, ...], drlc.DeviceClass]] = {  # device id, clients, device class
    DeviceType.PCT: (
        DeviceId.PROGRAMMABLE_COMMUNICATING_THERMOSTAT, (TIME, LOAD_CONTROL, PRICE, MESSAGING, METERING),
        drlc.DeviceClass.HVAC_COMPRESSOR_OR_FURNACE | drlc.DeviceClass.STRIP_OR_BASEBOARD_HEATER,
    ),
    DeviceType.LOAD_CONTROL: (
        DeviceId.LOAD_CONTROL_DEVICE, (TIME, LOAD_CONTROL, PRICE),
        drlc.DeviceClass.WATER_HEATER | drlc.DeviceClass.SIMPLE_MISC,
    ),
}


@dataclass(frozen=True)
class HanDeviceSettings:
    """What may differ from one device to another. `clients` None: every client cluster that its device type may have."""

    endpoint: int = 0x13
    channels: tuple[int, ...] = ALL_CHANNELS
    sleepy: bool = False
    mains: bool | None = None  # None: unless it is sleepy
    joins_by_itself: bool = False  # also when it has power for the first time; else its button is pressed
    router: bool = False  # lets devices join through itself; never sleepy then
    poll_interval: float = POLL_INTERVAL
    key_establishment_endpoint: int | None = None  # None: the same endpoint
    settling: float = SETTLING  # seconds between its announcement and its first question
    announcements: int = 1  # how often it announces itself
    discovery: tuple[Find, ...] = DISCOVERY
    asks: tuple[int, ...] = (TIME, LOAD_CONTROL, PRICE, MESSAGING, METERING)  # in which order, of what it is a client of
    first_sequence: int = 0  # of its ZDP and ZCL transactions
    clients: tuple[int, ...] | None = None
    timing: Timing = field(default_factory=Timing)
    model: bytes = b"virtual HAN device"
    attributes: Attributes = field(default_factory=dict, hash=False)
    further_sides: tuple[ClusterSide, ...] = ()  # beside those that its device type must have, and its clients
    further_endpoints: tuple[Endpoint, ...] = ()

    @property
    def capability(self) -> int:
        """The capability octet that it joins with; it always allocates an address."""
        if self.router:
            return ROUTER
        mains = not self.sleepy if self.mains is None else self.mains
        return SLEEPY | (0 if self.sleepy else RECEIVER_ON) | (MAINS if mains else 0)


class HanDeviceNode:
    """A virtual HAN device: the five verbs of a machine, and the verbs of its role."""

    def __init__(
        self, ieee: Eui64, device_type: DeviceType, link_key: bytes, credentials: Credentials, chance: Chance, policy: Policy,
        *, settings: HanDeviceSettings | None = None, new_ephemeral_key: NewEphemeralKey | None = None,
    ) -> None:
        """`link_key` is the one made from the device's install code. `new_ephemeral_key` replaces chance, for examples."""
        self.ieee = ieee
        self.settings = settings or HanDeviceSettings()
        self._policy = policy
        link_key = link_key[::-1] if policy.turns_own_key else link_key
        self._device, clients, device_class = DEVICES[device_type]
        self._clients = clients if self.settings.clients is None else self.settings.clients
        capability = self.settings.capability
        self._make_core: Callable[[], Core] = lambda: Core(
            ieee=ieee, capability=capability, chance=chance, policy=policy, coordinator=False,
            poll_interval=(policy.polls_every or self.settings.poll_interval) if self.settings.sleepy else None,
        )
        self.application = Application(self._make_core(), policy, Agenda(), first_sequence=self.settings.first_sequence)
        self.application.core.install_link_key(None, link_key, LinkKeyKind.PRECONFIGURED)
        own = held(credentials, policy)
        draw = told(new_ephemeral_key or (lambda: cbke.ephemeral_key(chance)), own, ieee, self._report)
        self.initiator = Initiator(
            self.application, own, self.settings.timing, draw,
            lambda result, now: self.lifecycle.key_establishment_over(result, now),
        )
        self.responder = Responder(self.application, own, NobodyRegisters(), self.settings.timing, draw)
        self.time = NetworkTime(policy)
        self.demand_response = DemandResponse(
            self.application, self.time, Enrolment(int(device_class)), credentials, chance, self._took,
        )
        self.prices = PriceClient(self.application, self._took)
        self.messages = MessagingClient(self.application, self.time, self._took)
        self.lifecycle = Lifecycle(
            self.application, self.initiator, self._service(), self._report, link_key=link_key, capability=capability,
            endpoint=self._key_endpoint, channels=self.settings.channels, chance=chance, settling=self.settings.settling,
            announcements=self.settings.announcements,
        )
        self._daily = Conversation(self.application, "daily time")
        self._stimulus = Conversation(self.application, "stimulus")
        self.greeted = False
        self._link_key = link_key
        self._hurried = False
        self._router = Router(self.application) if self.settings.router else None
        self.node = self._wired(capability)

    # -- the five verbs

    def receive(self, pdu: Pdu, now: float) -> None:
        """Take a Received or Transmitted from the radio."""
        self.node.receive(pdu, now)

    def transmit(self, now: float) -> list[Pdu]:
        """What is for the radio, in order."""
        return self.node.transmit(now)

    def deadline(self) -> float | None:
        """When `wake` is next needed."""
        return self.node.deadline()

    def wake(self, now: float) -> None:
        """Timers up to `now` have run out."""
        self.node.wake(now)

    def events(self) -> list[Happening]:
        """What happened since the last call."""
        return self.node.events()

    # -- the role's verbs

    @property
    def state(self) -> State:
        """Where the device stands on its way into service."""
        return self.lifecycle.state

    def start_joining(self, now: float) -> None:
        """The device is powered up for the first time, or its button is pressed."""
        self.lifecycle.begin()
        self.lifecycle.fire(Event.START, now)
        self.node.settle(now)

    def factory_reset(self, now: float) -> None:
        """Forget the network and every key but the install code's; what was in the air is lost."""
        if not self._policy.forgets_on_factory_reset:
            self.power_cycle(now)
            return
        self._restart(None, now)
        self.lifecycle.fire(Event.RESET, now)
        self.node.settle(now)

    def power_cycle(self, now: float) -> None:
        """Power fails and returns: network, keys and counters are kept, all else is not."""
        self._restart(self.application.core.snapshot(), now)
        member = self.application.core.network_key is not None
        if member and self._policy.rejoins_after_power_cycle:
            self.lifecycle.fire(Event.POWER_RETURNED_MEMBER, now)
        elif self.state is not State.IDLE or (self.settings.joins_by_itself and self._policy.joins_when_powered):
            self.lifecycle.begin()
            self.lifecycle.fire(Event.POWER_RETURNED, now)
        self.node.settle(now)

    def opt(self, event: int, out: bool, now: float) -> None:
        """The user declines a load control event (by its issuer event id), or takes it up again."""
        self.demand_response.opt(event, out, now)
        self.node.settle(now)

    def decline(self, now: float) -> None:
        """The user declines whatever load control event is on, or to come."""
        self.demand_response.decline(now)
        self.node.settle(now)

    def send_zcl(self, path: Path, command: Record, now: float, then: Then | None = None, link_key: bool | None = None) -> None:
        """Any ZCL command, as a stimulus; `link_key` None secures it as its cluster demands."""
        self.application.send_zcl(path, command, now, then=then, link_key=link_key)
        self.node.settle(now)

    def send_zdp(self, dest: int, record: Record, now: float, then: Then | None = None) -> None:
        """Any ZDP structure, as a stimulus."""
        self.application.send_zdp(dest, record, now, then=then)
        self.node.settle(now)

    def put(self, stimulus: Stimulus, now: float) -> None:
        """Put a stimulus to the ESI."""
        partner, endpoint = self.lifecycle.partner, self.settings.endpoint
        asker = Asker(self.application, partner, endpoint, lambda now: self.time.utc(now) or 0, self._link_key)
        self._stimulus.start(stimulus(asker), lambda now: None, now)
        self.node.settle(now)

    def greet(self, now: float) -> None:
        """Ask the ESI, on whose network the device is, whether it is there; `greeted` tells, when `putting` is over."""
        self.greeted = False
        if self.application.core.network_key is not None:
            self.application.core.skip_counters(self.application.policy.greets_ahead_by)
            self._stimulus.start(greeting(COORDINATOR, self._answered), lambda now: None, now)
            self.node.settle(now)

    def _answered(self) -> None:
        self.greeted = True

    @property
    def putting(self) -> bool:
        """Whether a stimulus is not yet over."""
        return self._stimulus.running

    # -- what it is made of

    def _service(self) -> Service:
        endpoint, clients = self.settings.endpoint, self._clients
        asks = tuple(cluster for cluster in self.settings.asks if cluster in clients)
        return Service(
            commission=lambda partner: commission(partner, endpoint, clients, self.application, self.settings.discovery),
            first_exchange=lambda partner: first_exchange(
                partner, endpoint, asks, self.time, lambda: self.node.now, not self.settings.sleepy,
            ),
            begun=self._begin_daily_round, forgotten=self._forget,
        )

    @property
    def _key_endpoint(self) -> int:
        apart = self.settings.key_establishment_endpoint
        return self.settings.endpoint if apart is None else apart

    def _endpoints(self, capability: int) -> tuple[Endpoint, ...]:
        powered = basic.PowerSource.MAINS_SINGLE_PHASE if capability & MAINS else basic.PowerSource.BATTERY
        agreement: tuple[ClusterSide, ...] = (self.initiator.side(), self.responder.side())
        sides: tuple[ClusterSide, ...] = (
            basic_side(powered, self.settings.model),
            identify_side(self.application.agenda),
            *(side for side in (
                client_side(TIME), self.demand_response.side(), self.prices.side(), self.messages.side(), client_side(METERING),
            ) if side.cluster.identifier in self._clients),
            *self.settings.further_sides,
        )
        sides, agreement = (with_attributes(each, self.settings.attributes) for each in (sides, agreement))
        number, apart, others = self.settings.endpoint, self._key_endpoint, self.settings.further_endpoints
        if apart == number:
            return (Endpoint(number, self._device, sides + agreement), *others)
        return (Endpoint(number, self._device, sides), Endpoint(apart, self._device, agreement), *others)

    def _wired(self, capability: int) -> Node:
        endpoints = self._endpoints(capability)
        node_descriptor = (end_device_descriptor if self._router is None else router_descriptor)(capability)
        descriptors = Descriptors(
            node_descriptor, power_descriptor(), {each.number: each.descriptor for each in endpoints},
        )
        device_object = DeviceObject(
            self.application, descriptors, coordinator=False, noticed=lambda indication, record, now: None,
        )
        return Node(
            self.application, device_object, ClusterLibrary(self.application, endpoints),
            {
                ScanConfirm: self.lifecycle.scanned,
                AssociateConfirm: self.lifecycle.associated,
                CommandIndication: self._commanded,
                JoinIndication: self._joined,
                LeaveIndication: self._left,
                ParentLost: self.lifecycle.parent_lost,
            },
            settled=self._hurry,
        )

    def _hurry(self, now: float) -> None:
        """Poll fast while something is expected, slowly otherwise (SE 1.0, 5.4.2)."""
        if self.lifecycle.expecting != self._hurried:
            self._hurried = not self._hurried
            self.application.own_layers.fast_poll(self._hurried, now)

    def _begin_daily_round(self, partner: Partner, now: float) -> None:
        def again(now: float) -> None:
            script = read_time(partner, self.settings.endpoint, self.time, lambda: self.node.now)
            self._daily.start(script, lambda now: None, now)
            self.application.agenda.set("next day", now + self.time.interval, again)

        self.application.agenda.set("next day", now + self.time.interval, again)

    def _restart(self, memory: Memory | None, now: float) -> None:
        """A fresh core with what survived; nothing that was going on goes on."""
        self.application.core = self._make_core()
        self.application.agenda.clear()
        self.application.forget()
        self.initiator.forget()
        self.responder.forget()
        self.lifecycle.interrupt()
        self._daily.stop()
        self._stimulus.stop()
        self._hurried = False
        self._forget()
        if memory is not None:
            self.application.core.restore(memory, now)

    def _forget(self) -> None:
        self.application.agenda.cancel("next day")
        self.time.forget()
        self.demand_response.forget()
        self.prices.forget()
        self.messages.forget()

    def _commanded(self, indication: CommandIndication, now: float) -> None:
        self.lifecycle.commanded(indication, now)
        if self._router is not None:
            self._router.commanded(indication, now)

    def _joined(self, indication: JoinIndication, now: float) -> None:
        if self._router is not None:
            self._router.joined(indication, now)

    def _left(self, indication: LeaveIndication, now: float) -> None:
        self.lifecycle.told_to_leave(indication, now)
        if self._router is not None:
            self._router.left(indication, now)

    def _report(self, happening: Happening) -> None:
        if self._router is not None and isinstance(happening, happenings.Announced):
            self._router.open()
        self.node.report(happening)

    def _took(self, command: Record, heard: Heard) -> None:
        self._report(happenings.Received(self.ieee, command, heard.now))
