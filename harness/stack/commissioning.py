"""What a device asks after it has joined, and an ESI of a device that it has registered: each a script of questions in order.

Smart Energy 1.0 (075356), 5.5 and 6; 05-3474, 2.4.3. Knows no state machine: `conversation` runs the scripts.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import Enum, auto

from dissectors import zcl, zdp
from dissectors.clusters import basic, drlc, key_establishment, messaging, metering, price
from dissectors.clusters import time as time_cluster
from dissectors.layer import Record
from dissectors.nwk import COORDINATOR, BroadcastAddress
from dissectors.smart_energy import PROFILE
from harness.stack.application import Application, Path
from harness.stack.conversation import Pause, Script, ZclQuestion, ZdpQuestion
from harness.stack.general_commands import values
from harness.stack.network_time import WANTED, NetworkTime
from harness.values import Eui64

KEY_ESTABLISHMENT = key_establishment.CLUSTER.identifier
LOAD_CONTROL = drlc.CLUSTER.identifier
TIME = time_cluster.CLUSTER.identifier
PRICE = price.CLUSTER.identifier
MESSAGING = messaging.CLUSTER.identifier
METERING = metering.CLUSTER.identifier
PUBLISHED = (LOAD_CONTROL, PRICE, MESSAGING)  # clusters on which an ESI sends without being asked: worth a binding
READINGS = (
    metering.CURRENT_SUMMATION_DELIVERED, metering.STATUS, metering.UNIT_OF_MEASURE, metering.SUMMATION_FORMATTING,
)

INSISTENCE = 30.0  # seconds after which a device that does not take a refusal tries again


class Find(Enum):
    """A part of discovery (05-3474, 2.4.3). In which order, how often and whether at all is a device's choice."""

    NODE = auto()  # the partner's node descriptor
    SERVICE_PORTALS = auto()  # a broadcast Match_Desc for the load control server, which only an ESI has
    ADDRESS = auto()  # the partner's EUI-64
    SERVERS = auto()  # a Match_Desc for each cluster
    ENDPOINTS = auto()  # Active_EP, and the simple descriptor of each endpoint: finds servers as well
    DESCRIPTORS = auto()  # the simple descriptors of the endpoints found
    BINDINGS = auto()


DISCOVERY = (Find.NODE, Find.SERVICE_PORTALS, Find.ADDRESS, Find.SERVERS, Find.DESCRIPTORS, Find.BINDINGS)

Clock = Callable[[], float]
"""The time now, seconds since the bench started."""


@dataclass
class Partner:
    """What a node has found out about another: its addresses, and on which endpoint it serves or uses a cluster."""

    address: int = COORDINATOR
    ieee: Eui64 | None = None
    endpoints: dict[int, int] = field(default_factory=dict)
    clients: dict[int, int] = field(default_factory=dict)

    def path(self, cluster: int, own_endpoint: int) -> Path | None:
        """The path to its server of a cluster, None where it has none."""
        endpoint = self.endpoints.get(cluster)
        return None if endpoint is None else Path(self.address, endpoint, own_endpoint, cluster)


def find_key_establishment(partner: Partner, own_endpoint: int, application: Application) -> Script:
    """Where the trust centre serves Key Establishment, and with which suites (SE 1.0, 5.5 and annex C)."""
    yield from match(partner, KEY_ESTABLISHMENT, application)
    path = partner.path(KEY_ESTABLISHMENT, own_endpoint)
    if path is not None:
        # whatever it answers is tolerated: old trust centres report no suite at all
        yield ZclQuestion(path, zcl.ReadAttributes.of(attributes=(key_establishment.KEY_ESTABLISHMENT_SUITE,)))
    if application.policy.asks_before_registering:
        yield from match(partner, TIME, application)
        early = partner.path(TIME, own_endpoint)
        if early is not None:
            yield ZclQuestion(early, zcl.ReadAttributes.of(attributes=WANTED))


def commission(
    partner: Partner, own_endpoint: int, clients: tuple[int, ...], application: Application, parts: tuple[Find, ...] = DISCOVERY,
) -> Script:
    """Descriptors, services and bindings of the ESI (step 7), for the clusters of which the device is a client."""
    scripts: dict[Find, Callable[[], Script]] = {
        Find.NODE: lambda: _node_descriptor(partner.address, application),
        Find.SERVICE_PORTALS: lambda: _service_portal(partner),
        Find.ADDRESS: lambda: _address(partner, application),
        Find.SERVERS: lambda: _servers(partner, clients, application),
        Find.ENDPOINTS: lambda: _endpoints(partner),
        Find.DESCRIPTORS: lambda: _descriptors(partner),
        Find.BINDINGS: lambda: _bindings(partner, own_endpoint, clients, application),
    }
    for part in parts:
        yield from scripts[part]()


def _service_portal(partner: Partner) -> Script:
    found = yield ZdpQuestion(BroadcastAddress.RX_ON_WHEN_IDLE, zdp.MatchDescReq.of(
        nwk_addr_of_interest=BroadcastAddress.RX_ON_WHEN_IDLE, profile=PROFILE, in_clusters=(LOAD_CONTROL,),
    ))
    if found is not None and found.status == zdp.Status.SUCCESS and found.endpoints:
        partner.address = found.nwk_addr_of_interest


def _address(partner: Partner, application: Application) -> Script:
    answer = yield ZdpQuestion(partner.address, zdp.IeeeAddrReq.of(nwk_addr_of_interest=partner.address))
    if answer is not None and answer.status == zdp.Status.SUCCESS:
        partner.ieee = Eui64(answer.ieee_addr)
        application.core.remember_address(partner.address, partner.ieee)


def _servers(partner: Partner, clients: tuple[int, ...], application: Application) -> Script:
    for cluster in clients:
        yield from match(partner, cluster, application)


def _endpoints(partner: Partner) -> Script:
    active = yield ZdpQuestion(partner.address, zdp.ActiveEpReq.of(nwk_addr_of_interest=partner.address))
    for endpoint in active.endpoints if active is not None and active.status == zdp.Status.SUCCESS else ():
        answer = yield _simple_descriptor(partner, endpoint)
        _note(partner, endpoint, answer)


def _descriptors(partner: Partner) -> Script:
    for endpoint in sorted(set(partner.endpoints.values())):
        yield _simple_descriptor(partner, endpoint)


def _bindings(partner: Partner, own_endpoint: int, clients: tuple[int, ...], application: Application) -> Script:
    for cluster in clients:
        if cluster in PUBLISHED and cluster in partner.endpoints and partner.ieee is not None:
            bind = ZdpQuestion(partner.address, zdp.BindReq.of(  # a refusal changes nothing: the device asks then
                source_ieee=partner.ieee, source_endpoint=partner.endpoints[cluster], cluster_id=cluster,
                dest_ieee=application.core.ieee, dest_endpoint=own_endpoint,
            ))
            answer = yield bind
            while application.policy.insists_on_binding and answer is not None and answer.status != zdp.Status.SUCCESS:
                yield Pause(INSISTENCE)
                answer = yield bind


def first_exchange(
    partner: Partner, own_endpoint: int, asks: tuple[int, ...], time: NetworkTime, now: Clock, receiver_on: bool,
) -> Script:
    """One question to each of these clusters: time, events, price, message, meter (step 9)."""
    questions = {
        TIME: zcl.ReadAttributes.of(attributes=WANTED),
        LOAD_CONTROL: drlc.GetScheduledEvents.of(start_time=0, number_of_events=0),
        PRICE: price.GetCurrentPrice.of(requestor_rx_on_when_idle=int(receiver_on)),
        MESSAGING: messaging.GetLastMessage.of(),
        METERING: zcl.ReadAttributes.of(attributes=READINGS),
    }
    for cluster in asks:
        path = partner.path(cluster, own_endpoint)
        asked = cluster == TIME and time.utc(now()) is not None  # once a day is enough
        if path is not None and not asked:
            answer = yield ZclQuestion(path, questions[cluster])
            if cluster == TIME:
                time.take(values(answer), now())


def read_time(partner: Partner, own_endpoint: int, time: NetworkTime, now: Clock) -> Script:
    """The daily look at the clock."""
    path = partner.path(TIME, own_endpoint)
    if path is not None:
        answer = yield ZclQuestion(path, zcl.ReadAttributes.of(attributes=WANTED))
        time.take(values(answer), now())


def inspect(partner: Partner, own_endpoint: int, application: Application) -> Script:
    """What an ESI asks of a device that it has registered: who it is and what it can do (step 7)."""
    address = partner.address
    yield from _node_descriptor(address, application)
    active = yield ZdpQuestion(address, zdp.ActiveEpReq.of(nwk_addr_of_interest=address))
    endpoints = active.endpoints if active is not None and active.status == zdp.Status.SUCCESS else ()
    for endpoint in endpoints:
        answer = yield _simple_descriptor(partner, endpoint)
        _note(partner, endpoint, answer)
        if _serves(answer, basic.CLUSTER.identifier):
            wanted = (basic.ZCL_VERSION, basic.POWER_SOURCE, basic.DEVICE_ENABLED)
            path = Path(address, endpoint, own_endpoint, basic.CLUSTER.identifier)
            yield ZclQuestion(path, zcl.ReadAttributes.of(attributes=wanted))


def _simple_descriptor(partner: Partner, endpoint: int) -> ZdpQuestion:
    return ZdpQuestion(partner.address, zdp.SimpleDescReq.of(nwk_addr_of_interest=partner.address, endpoint=endpoint))


def _serves(answer: Record | None, cluster: int) -> bool:
    if answer is None or answer.status != zdp.Status.SUCCESS or answer.simple_descriptor is None:
        return False
    return answer.simple_descriptor.profile == PROFILE and cluster in answer.simple_descriptor.in_clusters


def _note(partner: Partner, endpoint: int, answer: Record | None) -> None:
    """Remember which sides of clusters an endpoint of our profile has; the first endpoint counts."""
    if answer is None or answer.status != zdp.Status.SUCCESS or answer.simple_descriptor is None:
        return
    if answer.simple_descriptor.profile == PROFILE:
        for cluster in answer.simple_descriptor.in_clusters:
            partner.endpoints.setdefault(cluster, endpoint)
        for cluster in answer.simple_descriptor.out_clusters:
            partner.clients.setdefault(cluster, endpoint)


def _node_descriptor(address: int, application: Application) -> Script:
    answer = yield ZdpQuestion(address, zdp.NodeDescReq.of(nwk_addr_of_interest=address))
    if answer is not None and answer.status == zdp.Status.SUCCESS:
        application.transfer_sizes[address] = answer.node_descriptor.maximum_incoming_transfer_size


def match(partner: Partner, cluster: int, application: Application) -> Script:
    """Find the endpoint of a server; a device with a habit takes one for granted."""
    policy = application.policy
    assumed = policy.assumed_endpoint if cluster == KEY_ESTABLISHMENT else policy.assumed_service_endpoint or policy.assumed_endpoint
    if assumed is not None:
        partner.endpoints[cluster] = assumed
        return
    answer = yield ZdpQuestion(partner.address, zdp.MatchDescReq.of(
        nwk_addr_of_interest=partner.address, profile=PROFILE, in_clusters=(cluster,),
    ))
    if answer is not None and answer.status == zdp.Status.SUCCESS and answer.endpoints:
        partner.endpoints[cluster] = answer.endpoints[0]
