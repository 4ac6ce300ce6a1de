"""Step 7: wrong behaviours of a HAN Device and of an ESI in commissioning, and how either is provoked."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from dissectors import aps, zcl, zdp
from dissectors.clusters import basic, key_establishment
from dissectors.clusters import time as time_cluster
from dissectors.clusters.key_establishment import Suite
from dissectors.clusters.time import INVALID_TIME, TimeStatus
from dissectors.layer import Layer, Record, encode
from dissectors.smart_energy import MAXIMUM_INCOMING_TRANSFER_SIZE, DeviceId
from dissectors.zcl import DataType, Status
from harness.adapters.defects import Defect
from harness.stack.policy import Rewrite
from harness.usecase import Actor

SIDES = {Actor.ESI: "esi", Actor.HAN_DEVICE: "device"}
BASIC, TIME = basic.CLUSTER.identifier, time_cluster.CLUSTER.identifier
SUITES, SUITE = key_establishment.CLUSTER.identifier, key_establishment.KEY_ESTABLISHMENT_SUITE
CARELESSLY_ASSUMED = 10  # the endpoint of one manufacturer's samples
RECEIVER_ON = 1 << 3  # of the capability octet (802.15.4-2006, 7.3.1.2)

CLUSTERS_OF_A_DRAFT = (0x0705, 0x0706)  # tunnelling and prepayment, which Smart Energy 1.0 does not have
_WHAT_BASIC_HAS = encode(zcl.ReadAttributes.of(attributes=(basic.ZCL_VERSION, basic.POWER_SOURCE, basic.DEVICE_ENABLED)))

Change = Callable[[Record], Record | None]


def changed(layer: type[Layer], change: Change) -> Rewrite:
    """A change to every outgoing structure of one layer."""
    return lambda record: change(record) if record.is_a(layer) else record


def described(change: Change) -> Rewrite:
    """A change to the node descriptor that is told."""

    def told(answer: Record) -> Record:
        return answer if answer.node_descriptor is None else answer.replace(node_descriptor=change(answer.node_descriptor))

    return changed(zdp.NodeDescRsp, told)


def simply_described(change: Change) -> Rewrite:
    """A change to every simple descriptor that is told."""

    def told(answer: Record) -> Record:
        known = answer.simple_descriptor
        return answer if known is None else answer.replace(simple_descriptor=change(known))

    return changed(zdp.SimpleDescRsp, told)


def read(cluster: int, attribute: int | None, **changes: Any) -> Rewrite:
    """Changes to one attribute, or (None) to whatever is unknown, in what a reader of that cluster is answered."""

    def wrong(record: Record) -> Record:
        unknown = attribute is None and record.status == Status.UNSUPPORTED_ATTRIBUTE
        return record.replace(**changes) if unknown or record.attribute == attribute else record

    def rewrite(header: Record) -> Record:
        command = header.command
        if header.cluster != cluster or not command.is_a(zcl.ReadAttributesResponse):
            return header
        return header.replace(command=command.replace(records=tuple(wrong(record) for record in command.records)))

    return changed(zcl.Zcl, rewrite)


def _twice(answer: Record) -> Record:
    return answer.replace(endpoints=tuple(endpoint for endpoint in answer.endpoints or () for _ in range(2)))


def _with_device_object(answer: Record) -> Record:
    return answer.replace(endpoints=(zdp.ENDPOINT, *(answer.endpoints or ())))


def _time_on_the_wrong_side(descriptor: Record) -> Record:
    return descriptor.replace(
        in_clusters=tuple(cluster for cluster in descriptor.in_clusters if cluster != TIME),
        out_clusters=(*descriptor.out_clusters, TIME),
    )


def _own_descriptor(answer: Record) -> Record:
    if answer.status == zdp.Status.SUCCESS:
        return answer
    return answer.replace(status=zdp.Status.SUCCESS, node_descriptor=zdp.NodeDescriptor.of())


def _block_lost(ack: Record) -> Record:
    return ack.replace(ack_bitfield=0) if ack.frame_type == aps.FrameType.ACK and ack.ack_bitfield is not None else ack


def _one_block_further(header: Record) -> Record:
    """Blocks after the first, numbered one too high."""
    later = header.frame_type == aps.FrameType.DATA and header.fragmentation == aps.Fragmentation.PART
    return header.replace(block_number=header.block_number + 1) if later else header


def _to_the_usual_endpoint(header: Record) -> Record:
    """What is read of Basic goes to the endpoint that careless devices have it on; nothing else does."""
    read_basic = header.frame_type == aps.FrameType.DATA and header.cluster == BASIC and header.payload.endswith(_WHAT_BASIC_HAS)
    return header.replace(dest_endpoint=CARELESSLY_ASSUMED) if read_basic else header


def _thermostat_for_switch(descriptor: Record) -> Record:
    thermostat, switch = DeviceId.PROGRAMMABLE_COMMUNICATING_THERMOSTAT, DeviceId.LOAD_CONTROL_DEVICE
    return descriptor.replace(device={thermostat: switch, switch: thermostat}.get(descriptor.device, descriptor.device))


def _with_clusters_of_a_draft(descriptor: Record) -> Record:
    return descriptor.replace(in_clusters=(*descriptor.in_clusters, *CLUSTERS_OF_A_DRAFT))


def _malformed_is_success(answer: Record) -> Record:
    return answer.replace(status=Status.SUCCESS) if answer.status == Status.MALFORMED_COMMAND else answer


def _time_of_nobody(given: Any) -> tuple[Rewrite, ...]:
    """A provocation: the time is off by hours, and its server is neither Master nor Synchronized."""

    def told(header: Record) -> Record:
        if header.cluster != TIME or not header.command.is_a(zcl.ReadAttributesResponse):
            return header
        records = tuple(
            record.replace(value=record.value + given.off) if record.attribute == time_cluster.TIME
            else record.replace(value=given.status) for record in header.command.records
        )
        return header.replace(command=header.command.replace(records=records))

    return (changed(zcl.Zcl, told),)


def _of(
    actor: Actor, name: str, text: str, clauses: str, cause: str, *rewrites: Rewrite,
    decisions: Mapping[str, Any] | None = None, misbehaviours: tuple[str, ...] = (),
) -> Defect:
    broken = tuple(f"UC2.7-07-{clause}@{actor}" for clause in clauses.split())
    return Defect(
        f"07-{SIDES[actor]}-{name}", actor, text, broken, decisions or {}, rewrites, cause=cause, misbehaviours=misbehaviours,
    )


def _of_both(
    name: str, text: str, clause: str, cause: str, *rewrites: Rewrite, decisions: Mapping[str, Any] | None = None,
    misbehaviours: tuple[str, ...] = (),
) -> tuple[Defect, ...]:
    return tuple(
        _of(actor, name, text, clause, cause, *rewrites, decisions=decisions, misbehaviours=misbehaviours) for actor in SIDES
    )


ESI, DEVICE = Actor.ESI, Actor.HAN_DEVICE
TOO_SMALL = MAXIMUM_INCOMING_TRANSFER_SIZE - 1
LESS = 100  # octets: what needs two blocks fits, or does not

DEFECTS: tuple[Defect, ...] = (
    _of(ESI, "no-trust-center", "does not say that it is the trust centre", "NODE-DESC", "trust-centre-not-told",
        described(lambda node: node.replace(server_mask=0))),
    _of(DEVICE, "other-capability", "describes itself otherwise than it joined", "NODE-DESC", "capability-not-as-joined",
        described(lambda node: node.replace(capability=node.capability ^ RECEIVER_ON))),
    *_of_both("any-address", "gives a node descriptor for every address", "NODE-DESC", "somebody-else-described",
              changed(zdp.NodeDescRsp, _own_descriptor)),
    _of(ESI, "endpoint-0", "counts the device object among its endpoints", "ACTIVE-EP", "device-object-counted",
        changed(zdp.ActiveEpRsp, _with_device_object)),
    _of(DEVICE, "endpoints-twice", "names every endpoint twice", "ACTIVE-EP", "endpoints-not-ascending",
        changed(zdp.ActiveEpRsp, _twice)),
    _of(ESI, "a-meter", "says that it is a metering device", "SIMPLE-DESC", "device-id-of-another",
        simply_described(lambda known: known.replace(device=DeviceId.METERING_DEVICE)), misbehaviours=("M-58",)),
    _of(ESI, "time-client", "lists its time server as a client", "SIMPLE-DESC MATCH-DESC", "cluster-on-the-wrong-side",
        simply_described(_time_on_the_wrong_side)),
    _of(DEVICE, "a-display", "says that it is an in-premise display", "SIMPLE-DESC", "device-id-of-another",
        simply_described(lambda known: known.replace(device=DeviceId.IN_PREMISE_DISPLAY)), misbehaviours=("M-58",)),
    _of(DEVICE, "thermostat-or-switch", "takes the device id of a thermostat for that of a switch, and the other way round",
        "SIMPLE-DESC", "device-id-of-another", simply_described(_thermostat_for_switch), misbehaviours=("M-58",)),
    *_of_both("any-profile", "matches any profile", "MATCH-DESC", "any-profile-matched",
              decisions={"matches_foreign_profile": True}, misbehaviours=("M-40",)),
    *_of_both("any-cluster", "matches any cluster", "MATCH-DESC", "anything-matched",
              decisions={"matches_any_cluster": True}, misbehaviours=("M-41",)),
    _of(ESI, "version-type", "gives ZCLVersion as an enumeration", "BASIC", "attribute-type",
        read(BASIC, basic.ZCL_VERSION, type=DataType.ENUM8)),
    _of(DEVICE, "no-power-source", "has no PowerSource", "BASIC", "attribute-missing",
        read(BASIC, basic.POWER_SOURCE, status=Status.UNSUPPORTED_ATTRIBUTE, type=None, value=None)),
    _of(ESI, "second-suite", "names suite 2 alone", "SUITE", "suite-of-another",
        read(SUITES, SUITE, value=int(Suite.CBKE_ECMQV_K283))),
    _of(DEVICE, "no-suite", "has no suite attribute", "SUITE", "attribute-missing",
        read(SUITES, SUITE, status=Status.UNSUPPORTED_ATTRIBUTE, type=None, value=None)),
    *_of_both("suite-0", "names no suite, which is noted and no more", "", "", read(SUITES, SUITE, value=0),
              misbehaviours=("M-16",)),
    _of(ESI, "invalid-time", "tells an invalid time", "TIME", "time-invalid",
        read(TIME, time_cluster.TIME, value=INVALID_TIME), misbehaviours=("M-56",)),
    _of(DEVICE, "reads-time-often", "reads the time every few minutes", "TIME", "time-read-too-often",
        decisions={"reads_time_once_a_day": False}, misbehaviours=("M-56",)),
    _of(ESI, "master-synchronized", "is Master and Synchronized", "TIME-STATUS", "master-and-synchronized",
        read(TIME, time_cluster.TIME_STATUS, value=int(TimeStatus.MASTER | TimeStatus.SYNCHRONIZED))),
    _of(DEVICE, "trusts-any-time", "uses the time of any server", "TIME-STATUS", "untrusted-time-used",
        decisions={"uses_unsynchronised_time": True}, misbehaviours=("M-56",)),
    _of(DEVICE, "trusts-invalid-time", "uses ffffffff for a time", "TIME-STATUS", "invalid-time-used",
        decisions={"uses_invalid_time": True}, misbehaviours=("M-56",)),
    *_of_both("takes-little", "advertises a smaller transfer size than it must", "TRANSFER-SIZE", "transfer-size-too-small",
              described(lambda node: node.replace(maximum_incoming_transfer_size=TOO_SMALL)), misbehaviours=("M-43",)),
    *_of_both("sends-too-much", "sends more than its partner takes", "TRANSFER-SIZE", "transfer-size-ignored",
              decisions={"respects_transfer_size": False}, misbehaviours=("M-43",)),
    *_of_both("clear-blocks", "secures the first block of a message alone", "FRAGMENTS", "later-block-unsecured",
              decisions={"secures_every_block": False}, misbehaviours=("M-44",)),
    *_of_both("takes-clear-blocks", "looks at the security of the first block of a message alone", "FRAGMENTS",
              "unsecured-block-taken", decisions={"checks_every_block": False}, misbehaviours=("M-44",)),
    *_of_both("counts-blocks-from-2", "numbers the second block of a message 2", "FRAGMENTS", "block-numbers",
              changed(aps.Aps, _one_block_further), misbehaviours=("M-44",)),
    *_of_both("hasty-blocks", "sends the next block before the one before is acknowledged", "FRAGMENTS", "window-above-one",
              decisions={"waits_for_each_block": False}, misbehaviours=("M-44",)),
    *_of_both("gives-up-blocks", "never sends a block again", "FRAGMENTS", "lost-block-given-up", decisions={"aps_retries": 0}),
    *_of_both("blocks-unacknowledged", "says of every block that it was lost", "FRAGMENTS", "block-said-to-be-lost",
              changed(aps.Aps, _block_lost)),
    *_of_both("binding-status", "answers a binding with a status of another request", "BIND",
              "binding-status-of-another-request",
              changed(zdp.BindRsp, lambda answer: answer.replace(status=zdp.Status.NO_MATCH))),
    _of(DEVICE, "insists-on-binding", "does not go on before it is bound", "BIND", "binding-insisted-on",
        decisions={"insists_on_binding": True}),
    _of(DEVICE, "assumes-endpoint", "assumes an endpoint at the ESI", "ENDPOINTS", "any-endpoint-assumed",
        decisions={"assumed_service_endpoint": CARELESSLY_ASSUMED}, misbehaviours=("M-30",)),
    _of(ESI, "assumes-endpoint", "assumes an endpoint at the device when it reads Basic", "ENDPOINTS", "any-endpoint-assumed",
        changed(aps.Aps, _to_the_usual_endpoint), misbehaviours=("M-30",)),
    *_of_both("attribute-not-found", "says of an unknown attribute that it was not found", "UNSUPPORTED",
              "status-of-another-refusal", read(BASIC, None, status=Status.NOT_FOUND)),
    *_of_both("default-response-always", "sends a Default Response beside every response", "DEFAULT-RESPONSE",
              "default-response-always", decisions={"sends_needless_default_response": True}),
    *_of_both("default-response-never", "sends no Default Response", "DEFAULT-RESPONSE", "default-response-missing",
              decisions={"sends_default_response": False}),
    *_of_both("hangs", "hangs after a malformed message", "MALFORMED", "malformed-not-survived",
              decisions={"hangs_on_malformed": True}),
    *_of_both("malformed-is-success", "answers a malformed message with success", "MALFORMED", "malformed-obeyed",
              changed(zcl.DefaultResponse, _malformed_is_success)),
    _of(DEVICE, "polls-fast", "polls every second, which is noted and no more", "", "", decisions={"polls_every": 1.0},
        misbehaviours=("M-42",)),
    *_of_both("draft-clusters", "lists clusters by the numbers of a draft, which is noted and no more", "", "",
              simply_described(_with_clusters_of_a_draft), misbehaviours=("M-57",)),
    Defect("07-bindings-refused", ESI, "refuses every binding",
           rewrites=(changed(zdp.BindRsp, lambda answer: answer.replace(status=zdp.Status.NOT_SUPPORTED)),)),
    Defect("07-time-of-nobody", ESI, "tells a wrong time that nobody vouches for", made=_time_of_nobody,
           misbehaviours=("M-56",)),
    Defect("07-time-invalid", ESI, "tells an invalid time",
           rewrites=(read(TIME, time_cluster.TIME, value=INVALID_TIME),), misbehaviours=("M-56",)),
    Defect("07-suite-of-nobody", ESI, "names no suite", rewrites=(read(SUITES, SUITE, value=0),), misbehaviours=("M-16",)),
    *(
        provocation for actor, side in SIDES.items() for provocation in (
            Defect(f"07-{side}-clears-later-blocks", actor, "secures the first block of a message alone, to see it refused",
                   decisions={"secures_every_block": False}, misbehaviours=("M-44",)),
            Defect(f"07-{side}-turns-blocks-round", actor, "sends the last block first", decisions={"blocks_in_order": False},
                   misbehaviours=("M-44",)),
            Defect(f"07-{side}-takes-less", actor, "takes no more than 100 octets",
                   rewrites=(described(lambda node: node.replace(maximum_incoming_transfer_size=LESS)),),
                   misbehaviours=("M-43",)),
        )
    ),
)
