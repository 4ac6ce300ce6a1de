"""Step 7: wrong behaviours of a HAN Device and of an ESI in commissioning, and how either is provoked."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from dissectors import aps, zcl, zdp
from dissectors.clusters import basic, key_establishment
from dissectors.clusters import time as time_cluster
from dissectors.clusters.key_establishment import Suite
from dissectors.clusters.time import INVALID_TIME, TimeStatus
from dissectors.layer import Layer, Record
from dissectors.smart_energy import MAXIMUM_INCOMING_TRANSFER_SIZE, DeviceId
from dissectors.zcl import DataType, Status
from harness.adapters.defects import Defect
from harness.stack.policy import Rewrite
from harness.usecase import Actor

SIDES = {Actor.ESI: "esi", Actor.HAN_DEVICE: "device"}
BASIC, TIME = basic.CLUSTER.identifier, time_cluster.CLUSTER.identifier
SUITES = key_establishment.CLUSTER.identifier
CARELESSLY_ASSUMED = 10  # the endpoint of one manufacturer's samples
RECEIVER_ON = 1 << 3  # of the capability octet (802.15.4-2006, 7.3.1.2)

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
    actor: Actor, name: str, text: str, clauses: str, *rewrites: Rewrite, decisions: Mapping[str, Any] | None = None,
) -> Defect:
    broken = tuple(f"UC2.7-07-{clause}@{actor}" for clause in clauses.split())
    return Defect(f"07-{SIDES[actor]}-{name}", actor, text, broken, decisions or {}, rewrites)


def _of_both(
    name: str, text: str, clause: str, *rewrites: Rewrite, decisions: Mapping[str, Any] | None = None,
) -> tuple[Defect, ...]:
    return tuple(_of(actor, name, text, clause, *rewrites, decisions=decisions) for actor in SIDES)


ESI, DEVICE = Actor.ESI, Actor.HAN_DEVICE
TOO_SMALL = MAXIMUM_INCOMING_TRANSFER_SIZE - 1

DEFECTS: tuple[Defect, ...] = (
    _of(ESI, "no-trust-center", "does not say that it is the trust centre", "NODE-DESC",
        described(lambda node: node.replace(server_mask=0))),
    _of(DEVICE, "other-capability", "describes itself otherwise than it joined", "NODE-DESC",
        described(lambda node: node.replace(capability=node.capability ^ RECEIVER_ON))),
    *_of_both("any-address", "gives a node descriptor for every address", "NODE-DESC",
              changed(zdp.NodeDescRsp, _own_descriptor)),
    _of(ESI, "endpoint-0", "counts the device object among its endpoints", "ACTIVE-EP",
        changed(zdp.ActiveEpRsp, _with_device_object)),
    _of(DEVICE, "endpoints-twice", "names every endpoint twice", "ACTIVE-EP", changed(zdp.ActiveEpRsp, _twice)),
    _of(ESI, "a-meter", "says that it is a metering device", "SIMPLE-DESC",
        simply_described(lambda known: known.replace(device=DeviceId.METERING_DEVICE))),
    _of(ESI, "time-client", "lists its time server as a client", "SIMPLE-DESC MATCH-DESC",
        simply_described(_time_on_the_wrong_side)),
    _of(DEVICE, "a-display", "says that it is an in-premise display", "SIMPLE-DESC",
        simply_described(lambda known: known.replace(device=DeviceId.IN_PREMISE_DISPLAY))),
    *_of_both("any-profile", "matches any profile", "MATCH-DESC", decisions={"matches_foreign_profile": True}),
    _of(ESI, "version-type", "gives ZCLVersion as an enumeration", "BASIC",
        read(BASIC, basic.ZCL_VERSION, type=DataType.ENUM8)),
    _of(DEVICE, "no-power-source", "has no PowerSource", "BASIC",
        read(BASIC, basic.POWER_SOURCE, status=Status.UNSUPPORTED_ATTRIBUTE, type=None, value=None)),
    _of(ESI, "second-suite", "names suite 2 alone", "SUITE",
        read(SUITES, key_establishment.KEY_ESTABLISHMENT_SUITE, value=int(Suite.CBKE_ECMQV_K283))),
    _of(DEVICE, "no-suite", "has no suite attribute", "SUITE",
        read(SUITES, key_establishment.KEY_ESTABLISHMENT_SUITE, status=Status.UNSUPPORTED_ATTRIBUTE, type=None, value=None)),
    _of(ESI, "invalid-time", "tells an invalid time", "TIME", read(TIME, time_cluster.TIME, value=INVALID_TIME)),
    _of(DEVICE, "reads-time-often", "reads the time every few minutes", "TIME", decisions={"reads_time_once_a_day": False}),
    _of(ESI, "master-synchronized", "is Master and Synchronized", "TIME-STATUS",
        read(TIME, time_cluster.TIME_STATUS, value=int(TimeStatus.MASTER | TimeStatus.SYNCHRONIZED))),
    _of(DEVICE, "trusts-any-time", "uses the time of any server", "TIME-STATUS", decisions={"uses_unsynchronised_time": True}),
    *_of_both("takes-little", "advertises a smaller transfer size than it must", "TRANSFER-SIZE",
              described(lambda node: node.replace(maximum_incoming_transfer_size=TOO_SMALL))),
    *_of_both("sends-too-much", "sends more than its partner takes", "TRANSFER-SIZE",
              decisions={"respects_transfer_size": False}),
    *_of_both("clear-blocks", "secures the first block of a message alone", "FRAGMENTS",
              decisions={"secures_every_block": False}),
    *_of_both("blocks-unacknowledged", "says of every block that it was lost", "FRAGMENTS", changed(aps.Aps, _block_lost)),
    *_of_both("binding-status", "answers a binding with a status of another request", "BIND",
              changed(zdp.BindRsp, lambda answer: answer.replace(status=zdp.Status.NO_MATCH))),
    _of(DEVICE, "insists-on-binding", "does not go on before it is bound", "BIND", decisions={"insists_on_binding": True}),
    _of(DEVICE, "assumes-endpoint", "assumes an endpoint at the ESI", "ENDPOINTS",
        decisions={"assumed_endpoint": CARELESSLY_ASSUMED}),
    *_of_both("attribute-not-found", "says of an unknown attribute that it was not found", "UNSUPPORTED",
              read(BASIC, None, status=Status.NOT_FOUND)),
    *_of_both("default-response-always", "sends a Default Response beside every response", "DEFAULT-RESPONSE",
              decisions={"sends_needless_default_response": True}),
    *_of_both("default-response-never", "sends no Default Response", "DEFAULT-RESPONSE",
              decisions={"sends_default_response": False}),
    *_of_both("hangs", "hangs after a malformed message", "MALFORMED", decisions={"hangs_on_malformed": True}),
    Defect("07-bindings-refused", ESI, "refuses every binding",
           rewrites=(changed(zdp.BindRsp, lambda answer: answer.replace(status=zdp.Status.NOT_SUPPORTED)),)),
    Defect("07-time-of-nobody", ESI, "tells a wrong time that nobody vouches for", made=_time_of_nobody),
)
