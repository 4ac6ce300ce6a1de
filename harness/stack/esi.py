"""The energy services interface as one node: coordinator, trust centre, Smart Energy servers. Knows no back office.

The bench gives it windows and a programme and hears what becomes of them as `happenings`. Smart Energy 1.0 (075356).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from dissectors import zdp
from dissectors.clusters import basic, drlc, key_establishment, messaging, price
from dissectors.clusters import time as time_cluster
from dissectors.layer import Layer, Record
from dissectors.nwk import MAX_UNICAST
from dissectors.smart_energy import DeviceId
from harness.crypto import cbke
from harness.crypto.ecqv import Credentials
from harness.ports import Chance, Pdu
from harness.stack import happenings
from harness.stack.agenda import Agenda
from harness.stack.application import Application, Path, Then
from harness.stack.commissioning import Partner, inspect
from harness.stack.conversation import Conversation, greeting
from harness.stack.core import Core
from harness.stack.descriptors import Descriptors, coordinator_descriptor, power_descriptor
from harness.stack.endpoint import Attributes, ClusterSide, Endpoint, Heard, constant, with_attributes
from harness.stack.happenings import Happening
from harness.stack.key_establishment import NewEphemeralKey, Timing, held, told
from harness.stack.key_establishment_responder import Responder
from harness.stack.lower_layers import LowerLayers
from harness.stack.node import Node
from harness.stack.policy import Policy
from harness.stack.primitives import AsduIndication, CommandIndication, JoinIndication, LeaveIndication, LinkKeyKind
from harness.stack.programme import Programme
from harness.stack.smart_energy_servers import (
    Utc,
    basic_side,
    identify_side,
    load_control_side,
    messaging_side,
    metering_side,
    price_side,
    time_side,
)
from harness.stack.stimulus import Asker, Stimulus
from harness.stack.trust_center import LONGEST_PERMIT, TrustCenter
from harness.stack.zcl import ClusterLibrary
from harness.stack.zdo import DeviceObject
from harness.values import Eui64

CAPABILITY = 0x0F | 0x80  # coordinator-capable, full-function, mains, receiver on, allocates addresses
CLUSTERS: dict[type[Layer], int] = {
    price.PublishPrice: price.CLUSTER.identifier,
    drlc.LoadControlEvent: drlc.CLUSTER.identifier,
    messaging.DisplayMessage: messaging.CLUSTER.identifier,
}


@dataclass(frozen=True)
class EsiSettings:
    """What may differ from one ESI to another. Any endpoint from 1 to 240 would do; 10 is one that careless devices assume."""

    endpoint: int = 0x29
    key_establishment_endpoint: int | None = None  # None: the same endpoint
    timing: Timing = field(default_factory=Timing)
    latency: float = 0.0  # seconds that an answer takes it, key establishment apart
    child_capacity: int = 20
    inspects_devices: bool = True
    inspects_after: float = 0.5  # seconds between a registration and its first question about the device
    longest_permit: int = LONGEST_PERMIT  # seconds in one Mgmt_Permit_Joining_req, up to 254 (SE 5.4.1)
    frame_counter: int = 0  # of its first frame under the network key
    first_sequence: int = 0  # of its ZDP and ZCL transactions
    time_status: time_cluster.TimeStatus = time_cluster.TimeStatus.MASTER
    model: bytes = b"virtual ESI"
    attributes: Attributes = field(default_factory=dict, hash=False)
    further_sides: tuple[ClusterSide, ...] = ()  # beside those that an ESI must have
    further_endpoints: tuple[Endpoint, ...] = ()


class EsiNode:
    """A virtual ESI: the five verbs of a machine, and the verbs of its role."""

    def __init__(
        self, ieee: Eui64, credentials: Credentials, chance: Chance, policy: Policy, utc: Utc, *,
        programme: Programme | None = None, settings: EsiSettings | None = None,
        new_ephemeral_key: NewEphemeralKey | None = None, lower_layers: Callable[[Policy], LowerLayers] | None = None,
    ) -> None:
        """`utc` gives the UTCTime at an instant of the bench. `new_ephemeral_key` replaces chance, for published examples.
        `lower_layers` None are our own MAC, NWK and APS."""
        self.ieee = ieee
        self.settings = settings or EsiSettings()
        self.programme = programme or Programme()
        self._utc = utc
        self._make_core: Callable[[], LowerLayers] = lambda: lower_layers(policy) if lower_layers is not None else Core(
            ieee=ieee, capability=CAPABILITY, chance=chance, policy=policy, coordinator=True,
            child_capacity=self.settings.child_capacity,
        )
        self.application = Application(
            self._make_core(), policy, Agenda(), first_sequence=self.settings.first_sequence, latency=self.settings.latency,
        )
        self.trust_center = TrustCenter(
            self.application, self._report, lambda: self.responder.unsettled, self.settings.longest_permit,
        )
        own = held(credentials, policy)
        self.responder = Responder(
            self.application, own, self.trust_center, self.settings.timing,
            told(new_ephemeral_key or (lambda: cbke.ephemeral_key(chance)), own, ieee, self._report),
        )
        endpoints = self._endpoints()
        descriptors = Descriptors(
            coordinator_descriptor(CAPABILITY), power_descriptor(), {each.number: each.descriptor for each in endpoints},
        )
        device_object = DeviceObject(self.application, descriptors, coordinator=True, noticed=self._noticed)
        self.node = Node(
            self.application, device_object, ClusterLibrary(self.application, endpoints),
            {
                AsduIndication: self._indicated,
                JoinIndication: self.trust_center.joined,
                LeaveIndication: self.trust_center.left,
                CommandIndication: self.trust_center.commanded,
            },
        )
        self._inspections: dict[Eui64, Conversation] = {}
        self._partners: dict[Eui64, Partner] = {}
        self._stimulus = Conversation(self.application, "stimulus")
        self.greeted = False

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

    def form(
        self, *, channel: int, pan_id: int, extended_pan_id: Eui64, network_key: bytes, now: float, key_sequence: int = 0,
    ) -> None:
        """Start the network, closed to newcomers."""
        self.application.core.form(
            channel=channel, pan_id=pan_id, extended_pan_id=extended_pan_id, network_key=network_key,
            key_sequence=key_sequence, now=now, frame_counter=self.settings.frame_counter,
        )
        self._report(happenings.KeyLearnt("nwk", network_key))
        self.node.settle(now)

    def open_window(self, device: Eui64, link_key: bytes, end: float, now: float) -> None:
        """Let an ordered device join until `end`; `link_key` is the one made from its install code."""
        self.trust_center.open_window(device, link_key, end, now)
        self.node.settle(now)

    def close_window(self, device: Eui64, now: float) -> None:
        """Withdraw a device's window."""
        self.trust_center.close_window(device, now)
        self.node.settle(now)

    def publish(self, offer: Record, now: float) -> None:
        """Add a price, an event or a message to the programme and send it to every device bound to its cluster."""
        self.programme = self.programme.with_one_more(offer)
        self.send_to_bound(CLUSTERS[offer.layer], offer, now)

    def send_to_bound(self, cluster: int, command: Record, now: float) -> None:
        """Send a command of a cluster's server to every device that bound itself to it."""
        for binding in self.node.device_object.bound_to(cluster):
            address = self.application.core.short_of(Eui64(binding.dest_ieee or 0))
            if address is not None:
                path = Path(address, binding.dest_endpoint, binding.source_endpoint, cluster, to_server=False)
                self.application.send_zcl(path, command, now, disable_default_response=True)
        self.node.settle(now)

    def renew_network_key(self, key: bytes, sequence: int, now: float) -> None:
        """Distribute a further network key; `switch_network_key` makes it the one in use."""
        self.trust_center.transport_new_network_key(key, sequence, now)
        self.node.settle(now)

    def switch_network_key(self, sequence: int, now: float) -> None:
        """Have everybody use the network key of that sequence number."""
        self.trust_center.switch_network_key(sequence, now)
        self.node.settle(now)

    def send_zcl(self, path: Path, command: Record, now: float, then: Then | None = None, link_key: bool | None = None) -> None:
        """Any ZCL command, as a stimulus; `link_key` None secures it as its cluster demands."""
        self.application.send_zcl(path, command, now, then=then, link_key=link_key)
        self.node.settle(now)

    def send_zdp(self, dest: int, record: Record, now: float, then: Then | None = None) -> None:
        """Any ZDP structure, as a stimulus."""
        self.application.send_zdp(dest, record, now, then=then)
        self.node.settle(now)

    def put(self, stimulus: Stimulus, device: Eui64, install_key: bytes, now: float, *, unmet: bool = False) -> None:
        """Put a stimulus to a device that was inspected, or (`unmet`) has an address. Raises LookupError for any other."""
        partner, address, endpoint = self._partners.get(device), self.application.core.short_of(device), self.settings.endpoint
        if partner is None and unmet and address is not None:
            partner = Partner(address, device)
        if partner is None:
            raise LookupError(f"the ESI knows nothing of {device}")
        asker = Asker(self.application, partner, endpoint, self._utc, install_key, self._keep)
        self._stimulus.start(stimulus(asker), lambda now: None, now)
        self.node.settle(now)

    def greet(self, device: Eui64, now: float) -> None:
        """Ask a device that is on the network whether it is there; `greeted` tells, when `putting` is over."""
        address = self.application.core.short_of(device)
        self.greeted = False
        if address is not None:
            self.application.core.skip_counters(self.application.policy.greets_ahead_by)
            self._stimulus.start(greeting(address, self._answered), lambda now: None, now)
            self.node.settle(now)

    def _answered(self) -> None:
        self.greeted = True

    def _keep(self, offer: Record) -> None:
        self.programme = self.programme.with_one_more(offer)

    @property
    def putting(self) -> bool:
        """Whether a stimulus is not yet over."""
        return self._stimulus.running

    def power_cycle(self, now: float) -> None:
        """Power fails and returns: network, keys, children and windows are kept; exchanges are not."""
        memory = self.application.core.snapshot()
        self.application.core = self._make_core()
        self.application.agenda.clear()
        self.application.forget()
        self.responder.forget()
        self._inspections.clear()
        self._stimulus.stop()
        self.application.core.restore(memory, now)
        self.trust_center.restart(now)
        self.node.settle(now)

    # -- what it is made of

    def _endpoints(self) -> tuple[Endpoint, ...]:
        agreement: tuple[ClusterSide, ...] = (
            self.responder.side(),
            ClusterSide(
                key_establishment.CLUSTER, False,
                {key_establishment.KEY_ESTABLISHMENT_SUITE: constant(key_establishment.Suite.CBKE_ECMQV_K163)},
            ),
        )
        sides: tuple[ClusterSide, ...] = (
            basic_side(basic.PowerSource.MAINS_SINGLE_PHASE, self.settings.model),
            identify_side(self.application.agenda),
            time_side(self._utc, self.settings.time_status),
            price_side(lambda: self.programme, self._utc),
            load_control_side(lambda: self.programme, self._utc, self._took),
            messaging_side(lambda: self.programme, self._utc, self._took),
        )
        if self.programme.meter is not None:
            sides += (metering_side(dict(self.programme.meter)),)
        number, portal = self.settings.endpoint, DeviceId.ENERGY_SERVICE_PORTAL
        sides = with_attributes((*sides, *self.settings.further_sides), self.settings.attributes)
        agreement = with_attributes(agreement, self.settings.attributes)
        apart, others = self.settings.key_establishment_endpoint, self.settings.further_endpoints
        if apart is None or apart == number:
            return (Endpoint(number, portal, sides + agreement), *others)
        return (Endpoint(number, portal, sides), Endpoint(apart, portal, agreement), *others)

    def _report(self, happening: Happening) -> None:
        self.node.report(happening)
        if isinstance(happening, happenings.DeviceProvisioned) and self.settings.inspects_devices:
            device, at = happening.device, happening.at + self.settings.inspects_after
            self.application.agenda.set(("inspect", device), at, lambda now: self._inspect(device, now))

    def _inspect(self, device: Eui64, now: float) -> None:
        address = self.application.core.short_of(device)
        if address is None:
            return
        conversation = self._inspections.setdefault(device, Conversation(self.application, f"inspection of {device}"))
        partner = self._partners.setdefault(device, Partner(ieee=device))
        partner.address = address
        script = inspect(partner, self.settings.endpoint, self.application)
        conversation.start(script, lambda now: None, now)

    def _indicated(self, indication: AsduIndication, now: float) -> None:
        if indication.key is LinkKeyKind.ESTABLISHED:
            self.trust_center.used(indication.source_ieee or self.application.core.ieee_of(indication.source), now)
        self.node.indicated(indication, now)

    def _noticed(self, indication: AsduIndication, record: Record, now: float) -> None:
        if record.is_a(zdp.DeviceAnnce) and record.nwk_addr <= MAX_UNICAST:
            self.trust_center.announced(Eui64(record.ieee_addr), record.nwk_addr, now)

    def _took(self, heard: Heard) -> None:
        device = heard.indication.source_ieee or self.application.core.ieee_of(heard.indication.source)
        if device is not None:
            self._report(happenings.Received(device, heard.command, heard.now))
