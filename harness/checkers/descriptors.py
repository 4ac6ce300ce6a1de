"""Step 7: what ESI and HAN Device say of themselves: node descriptor, endpoints, simple descriptors. Knows frames, no bench.

Clauses: 05-3474, 2.3.2 and 2.4 (numbering of r17 to r20); devices and their clusters: SE 1.0 (075356r15), 6.
"""

from __future__ import annotations

from collections.abc import Iterator

from dissectors import mac, zdp
from dissectors.clusters import messaging, metering, price
from dissectors.layer import Record, parse_whole
from dissectors.smart_energy import MANDATORY_CLIENTS, MANDATORY_SERVERS, PROFILE, DeviceId
from dissectors.zdp import Status
from harness.checkers.answering import answered_wrongly, refused, unanswered, words
from harness.checkers.dialogue import Dialogue, Said, dialogue
from harness.checkers.reading import air, demand
from harness.trace import UNKNOWN, Trace, Unknown
from harness.usecase import Actor
from harness.values import DeviceType
from harness.verdict import Finding, failed, noted, passed

DEVICE_IDS = {
    DeviceType.PCT: DeviceId.PROGRAMMABLE_COMMUNICATING_THERMOSTAT, DeviceType.LOAD_CONTROL: DeviceId.LOAD_CONTROL_DEVICE,
}
OPTIONAL_CLIENTS = {  # by PICS item
    "price": price.CLUSTER.identifier, "messaging": messaging.CLUSTER.identifier, "metering": metering.CLUSTER.identifier,
}
DRAFT_CLUSTERS = {0x0704, 0x0705, 0x0706}  # registration, tunnelling and prepayment in drafts; from 1.1 on otherwise
NODE_DESCRIPTOR_CAUSES = {  # by how a fault's words begin
    "no trust centre": "trust-centre-not-told", "capability": "capability-not-as-joined", "logical type": "logical-type-of-another",
}
NOT_MINE = {  # the statuses for somebody else's descriptor (2.4.4.1.3)
    Actor.HAN_DEVICE: (Status.INVALID_REQUEST_TYPE,), Actor.ESI: (Status.DEVICE_NOT_FOUND, Status.NO_DESCRIPTOR),
}


def node_descriptor(trace: Trace, actor: Actor) -> Iterator[Finding]:
    """07-NODE-DESC: its own node descriptor says what it is; somebody else's is refused with the fitting status."""
    talk = dialogue(trace)
    for question in talk.to(actor, zdp.NodeDescReq):
        answer = talk.answer(question)
        if question.command.nwk_addr_of_interest != question.first.nwk.dest:
            yield from refused(talk, question, answer, NOT_MINE[actor], "somebody-else-described")
        elif answer is None:
            yield from unanswered(talk, question, "a Node_Desc_rsp")
        elif answer.malformed or answer.command.status != Status.SUCCESS:
            yield answered_wrongly(question, answer, "SUCCESS and a node descriptor of 13 octets", words(answer))
        else:
            yield from _node_descriptor(trace, actor, question, answer)


def active_endpoints(trace: Trace, actor: Actor) -> Iterator[Finding]:
    """07-ACTIVE-EP: the application endpoints, at least one, in ascending order, each once."""
    talk = dialogue(trace)
    for question in talk.to(actor, zdp.ActiveEpReq):
        answer = talk.answer(question)
        if question.command.nwk_addr_of_interest != question.first.nwk.dest:
            continue
        if answer is None:
            yield from unanswered(talk, question, "an Active_EP_rsp")
            continue
        endpoints = () if answer.malformed else tuple(answer.command.endpoints or ())
        right = endpoints and endpoints == tuple(sorted(set(endpoints)))
        if right and endpoints[0] >= zdp.FIRST_ENDPOINT and endpoints[-1] <= zdp.LAST_ENDPOINT:
            yield passed(f"{len(endpoints)} active endpoint(s)", question.number, answer.number)
        else:
            expected = f"endpoints from {zdp.FIRST_ENDPOINT} to {zdp.LAST_ENDPOINT}, ascending, each once"
            observed = f"{words(answer)}, endpoints {', '.join(map(str, endpoints)) or 'none'}"
            hint = "device-object-counted" if zdp.ENDPOINT in endpoints else "endpoints-not-ascending" if endpoints else None
            yield answered_wrongly(question, answer, expected, observed, hint)


def simple_descriptors(trace: Trace, actor: Actor) -> Iterator[Finding]:
    """07-SIMPLE-DESC: the endpoints together are the device that is claimed; an endpoint that is not there is refused."""
    talk = dialogue(trace)
    active = _active(talk, actor)
    described: list[tuple[Said, Record]] = []
    for question in talk.to(actor, zdp.SimpleDescReq):
        if question.command.nwk_addr_of_interest != question.first.nwk.dest:
            continue
        answer, endpoint = talk.answer(question), question.command.endpoint
        if active is not None and endpoint not in active:
            yield from refused(talk, question, answer, _refusals(endpoint))
        elif answer is None:
            yield from unanswered(talk, question, "a Simple_Desc_rsp")
        elif answer.malformed or answer.command.status != Status.SUCCESS or answer.command.simple_descriptor is None:
            if active is not None:
                yield answered_wrongly(question, answer, "SUCCESS and a simple descriptor", words(answer))
        elif answer.command.simple_descriptor.endpoint != endpoint:
            observed = f"that of endpoint {answer.command.simple_descriptor.endpoint}"
            yield answered_wrongly(question, answer, f"the descriptor of endpoint {endpoint}", observed)
        else:
            described.append((answer, answer.command.simple_descriptor))
    if active is not None and {descriptor.endpoint for _, descriptor in described} >= set(active):
        yield from _claims(trace, actor, described)


def _active(talk: Dialogue, actor: Actor) -> tuple[int, ...] | None:
    """The application endpoints that an actor said it has; None while it said nothing."""
    for answer in talk.by(actor, zdp.ActiveEpRsp):
        if answer.command.status == Status.SUCCESS:
            return tuple(endpoint for endpoint in answer.command.endpoints or () if endpoint != zdp.ENDPOINT)
    return None


def _node_descriptor(trace: Trace, actor: Actor, question: Said, answer: Said) -> Iterator[Finding]:
    described = answer.command.node_descriptor
    kinds = (zdp.LogicalType.COORDINATOR,) if actor is Actor.ESI else (zdp.LogicalType.END_DEVICE, zdp.LogicalType.ROUTER)
    joined_with = _capability(trace, actor)
    faults = {
        "the descriptor of another address": answer.command.nwk_addr_of_interest != answer.first.nwk.source,
        f"logical type {described.logical_type}": described.logical_type not in kinds,
        f"APS flags {described.aps_flags}": described.aps_flags != 0,
        f"frequency band {described.frequency_band:05b}": described.frequency_band != zdp.BAND_2400_MHZ,
        f"buffer size {described.maximum_buffer_size}": described.maximum_buffer_size > zdp.MAXIMUM_BUFFER_SIZE,
        "a transfer size above 7fff": max(
            described.maximum_incoming_transfer_size, described.maximum_outgoing_transfer_size
        ) > zdp.MAXIMUM_TRANSFER_SIZE,
        "a descriptor capability that is reserved": bool(described.descriptor_capability & ~zdp.DESCRIPTOR_CAPABILITY),
        f"capability {described.capability:02x}": joined_with is not None and _kind(described.capability) != _kind(joined_with),
        "no trust centre in the server mask": (
            actor is Actor.ESI and not described.server_mask & zdp.ServerMask.PRIMARY_TRUST_CENTER
        ),
    }
    wrong = [fault for fault, there in faults.items() if there]
    if wrong:
        known = (hint for fault, hint in NODE_DESCRIPTOR_CAUSES.items() if wrong[0].startswith(fault))
        wanted = "" if joined_with is None else f", capability {joined_with:02x} as it joined"
        expected = f"{' or '.join(kind.name.lower().replace('_', ' ') for kind in kinds)}{wanted}, reserved bits 0 (2.3.2.3)"
        yield answered_wrongly(question, answer, expected, "; ".join(wrong), next(known, None))
    else:
        yield passed("the node descriptor is right", question.number, answer.number)
    if described.server_mask & ~int(sum(zdp.ServerMask)):
        yield noted(
            "the server mask carries a stack revision, so the stack is of r21 or later", answer.number,
            expected="bits 7 to 15 are 0 before r21", observed=f"{described.server_mask:04x}",
        )


def _capability(trace: Trace, actor: Actor) -> int | None:
    """The capability octet that a device associated with last; None for the ESI, or where that was not heard."""
    device = trace.header.order.device
    requests = air(trace).of(mac.AssociationRequest) if actor is Actor.HAN_DEVICE else ()
    asked = [int(each.find(mac.AssociationRequest).capability) for each in requests if each.mac.source_ieee == device]
    return asked[-1] if asked else None


def _kind(capability: int) -> tuple[int, int, int]:
    """What a descriptor must repeat of the capability octet: the kind of device, its power, its receiver."""
    octet = parse_whole(mac.Capability, bytes([capability]))
    return octet.full_function_device, octet.mains_powered, octet.receiver_on_when_idle


def _claims(trace: Trace, actor: Actor, described: list[tuple[Said, Record]]) -> Iterator[Finding]:
    """The device identifier, and the clusters it makes mandatory, each on its side, over all endpoints of the profile."""
    ours = [(answer, descriptor) for answer, descriptor in described if descriptor.profile == PROFILE]
    wanted = DeviceId.ENERGY_SERVICE_PORTAL if actor is Actor.ESI else _ordered_kind(trace, ours)
    served = {cluster for _, descriptor in ours for cluster in descriptor.in_clusters}
    used = {cluster for _, descriptor in ours for cluster in descriptor.out_clusters}
    claimed = {cluster for item, cluster in OPTIONAL_CLIENTS.items() if trace.header.pics.get(item)}
    clients = MANDATORY_CLIENTS[wanted] | (claimed if actor is Actor.HAN_DEVICE else set())
    lacking = [
        *(f"no server of {cluster:04x}" for cluster in sorted(MANDATORY_SERVERS[wanted] - served)),
        *(f"no client of {cluster:04x}" for cluster in sorted(clients - used)),
    ]
    if wanted not in {descriptor.device for _, descriptor in ours}:
        lacking.insert(0, f"device {', '.join(f'{descriptor.device:04x}' for _, descriptor in ours) or 'none'}")
    evidence = [answer.number for answer, _ in ours]
    if lacking:
        turned = MANDATORY_SERVERS[wanted] & used - served or clients & served - used
        hint = "device-id-of-another" if "device" in lacking[0] else "cluster-on-the-wrong-side" if turned else "cluster-missing"
        yield failed(
            f"the endpoints do not make {_device(wanted)}", *evidence,
            expected=f"device {wanted.value:04x} of profile {PROFILE:04x} with its clusters", observed="; ".join(lacking), hint=hint,
        )
    else:
        if actor is Actor.HAN_DEVICE:
            demand(trace, Unknown.KIND)
        yield passed(f"the endpoints make {_device(wanted)}", *evidence)
    drafted = sorted(DRAFT_CLUSTERS & (served | used))
    if drafted and not trace.header.pics.get("smart_energy_1_1"):
        yield noted(
            "clusters are listed that Smart Energy 1.0 does not have, under numbers that drafts gave them", *evidence,
            expected="none of them before Smart Energy 1.1", observed=", ".join(f"{cluster:04x}" for cluster in drafted),
        )
    astray = sorted((served & clients) - MANDATORY_SERVERS[wanted])
    if astray:
        yield noted(
            "clusters of which the device is a client stand in its list of servers, too", *evidence,
            expected="clients in the output list alone", observed=", ".join(f"{cluster:04x}" for cluster in astray),
        )


def _ordered_kind(trace: Trace, described: list[tuple[Said, Record]]) -> DeviceId:
    """What was ordered; where nobody knows it, what the device says it is, which its clusters have to agree with."""
    said = {descriptor.device for _, descriptor in described}
    if Unknown.KIND not in trace.header.about.get(UNKNOWN, ()):
        return DEVICE_IDS[trace.header.order.device_type]
    known = [each for each in DEVICE_IDS.values() if each in said]
    if not known:
        demand(trace, Unknown.KIND)
    return known[0]


def _device(device: DeviceId) -> str:
    return f"{'an' if device.name[0] in 'AEIO' else 'a'} {device.name.lower().replace('_', ' ')}"


def _refusals(endpoint: int) -> tuple[Status, ...]:
    """The statuses for an endpoint that is not there; revisions draw the line between both at 240 or at 254."""
    if zdp.FIRST_ENDPOINT <= endpoint <= zdp.LAST_ENDPOINT:
        return (Status.NOT_ACTIVE,)
    if endpoint in (zdp.ENDPOINT, zdp.BROADCAST_ENDPOINT):
        return (Status.INVALID_ENDPOINT,)
    return (Status.INVALID_ENDPOINT, Status.NOT_ACTIVE)
