"""Defects in step 5: devices that look for a network, choose or ask wrongly, ESIs that show themselves or answer wrongly."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from dissectors.layer import Layer, Record
from dissectors.mac import AssociationRequest, AssociationResponse, AssociationStatus, Beacon, BeaconRequest, Mac
from dissectors.zdp import DeviceAnnce, NodeDescRsp
from harness.adapters.defects import Defect
from harness.usecase import Actor

RECEIVER_ON, FULL_FUNCTION, ALLOCATE = 0x08, 0x02, 0x80  # bits of the capability octet (802.15.4-2006, 7.3.1.2)
ANOTHER_PROFILE = 1  # ZigBee without PRO
NO_EXTENDED_PAN = 0
SOME_ADDRESS = 1


def _always(layer: type[Layer], **fields: Any) -> Callable[[Record], Record]:
    return lambda record: record.replace(**fields) if record.is_a(layer) else record


def _never(layer: type[Layer]) -> Callable[[Record], Record | None]:
    return lambda record: None if record.is_a(layer) else record


def _capability(flip: int) -> Callable[[Record], Record]:
    """One bit is told wrong wherever the device tells its capability: once told, it stays with it."""

    def rewrite(record: Record) -> Record:
        if record.is_a(AssociationRequest) or record.is_a(DeviceAnnce):
            return record.replace(capability=record.capability ^ flip)
        if record.is_a(NodeDescRsp) and record.node_descriptor is not None:
            descriptor = record.node_descriptor
            return record.replace(node_descriptor=descriptor.replace(capability=descriptor.capability ^ flip))
        return record

    return rewrite


def _address_reversed(record: Record) -> Record:
    """The request names the device with its octets the other way round."""
    command = getattr(record, "command", None) if record.is_a(Mac) else None
    if command is None or not command.is_a(AssociationRequest):
        return record
    return record.replace(source_ieee=int.from_bytes(record.source_ieee.to_bytes(8, "big"), "little"))


DEFECTS = (
    Defect(
        "05-ascending-scan", Actor.HAN_DEVICE, "scans the channels without preference", ("UC2.7-05-SCANS@HAN Device",),
        {"scans_preferred_channels_first": False},
        cause="channels-without-preference",
    ),
    Defect(
        "05-no-scan", Actor.HAN_DEVICE, "asks for no beacons", ("UC2.7-05-SCANS@HAN Device",),
        rewrites=(_never(BeaconRequest),),
        cause="never-scans",
    ),
    Defect(
        "05-no-beacon", Actor.ESI, "answers no beacon request", ("UC2.7-05-BEACON@ESI",), {"answers_beacon_requests": False},
        cause="beacon-requests-ignored",
    ),
    Defect(
        "05-wrong-stack-profile", Actor.ESI, "says in its beacon that it is no ZigBee PRO network", ("UC2.7-05-BEACON@ESI",),
        rewrites=(_always(Beacon, stack_profile=ANOTHER_PROFILE),),
        cause="beacon-of-another-profile",
    ),
    Defect(
        "05-no-extended-pan", Actor.ESI, "names no extended PAN id in its beacon", ("UC2.7-05-BEACON@ESI",),
        rewrites=(_always(Beacon, extended_pan_id=NO_EXTENDED_PAN),),
        cause="beacon-without-extended-pan",
    ),
    Defect(
        "05-asks-closed-networks", Actor.HAN_DEVICE, "asks networks that permit no association",
        ("UC2.7-05-CHOOSES@HAN Device",), {"requires_association_permit": False},
        cause="asks-closed-networks",
    ),
    Defect(
        "05-capability-of-a-router", Actor.HAN_DEVICE, "calls itself a full-function device",
        ("UC2.7-05-ASSOCIATES@HAN Device",), rewrites=(_capability(FULL_FUNCTION),),
        cause="capability-of-a-router",
    ),
    Defect(
        "05-receiver-misstated", Actor.HAN_DEVICE, "says the contrary of whether its receiver is on when idle",
        ("UC2.7-05-ASSOCIATES@HAN Device",), rewrites=(_capability(RECEIVER_ON),),
        cause="receiver-misstated",
    ),
    Defect(
        "05-asks-no-address", Actor.HAN_DEVICE, "does not ask for an address", ("UC2.7-05-ASSOCIATES@HAN Device",),
        rewrites=(_capability(ALLOCATE),),
        cause="asks-no-address",
    ),
    Defect(
        "05-address-reversed", Actor.HAN_DEVICE, "sends its EUI-64 in the wrong octet order",
        ("UC2.7-05-ASSOCIATES@HAN Device",), rewrites=(_address_reversed,),
        cause="eui64-reversed",
    ),
    Defect(
        "05-no-poll", Actor.HAN_DEVICE, "never fetches the association response", ("UC2.7-05-POLLS@HAN Device",),
        {"waits_for_association_response": False},
        cause="never-polls",
    ),
    Defect(
        "05-scans-without-end", Actor.HAN_DEVICE, "scans again and again without a pause",
        ("UC2.7-05-SCAN-ATTEMPTS@HAN Device",), {"pauses_between_scans": False},
        cause="scans-without-pause",
    ),
    Defect(
        "05-never-backs-off", Actor.HAN_DEVICE, "goes on scanning every second", ("UC2.7-05-SCAN-ATTEMPTS@HAN Device",),
        {"backs_off_scans": False}, cause="scans-never-back-off", misbehaviours=("M-47",),
    ),
    Defect(
        "05-needs-a-button", Actor.HAN_DEVICE, "waits for a button although it is said to need none",
        ("UC2.7-05-BUTTON@HAN Device",), {"joins_when_powered": False}, cause="needs-a-button",
    ),
    Defect(
        "05-asks-full-networks", Actor.HAN_DEVICE, "asks to be let in although a network has no room",
        ("UC2.7-05-CHOOSES@HAN Device",), {"requires_capacity": False}, cause="asks-full-networks",
    ),
    Defect(
        "05-admits-when-closed", Actor.ESI, "lets devices in when association is not permitted", ("UC2.7-05-CLOSED@ESI",),
        {"closed_association_status": AssociationStatus.SUCCESS},
        cause="admits-when-closed",
    ),
    Defect(
        "05-admits-without-room", Actor.ESI, "gives away addresses when it has no room", ("UC2.7-05-CAPACITY@ESI",),
        {"honours_child_capacity": False},
        cause="admits-without-room",
    ),
    Defect(
        "05-full-with-address", Actor.ESI, "refuses a device and gives it an address", ("UC2.7-05-CAPACITY@ESI",),
        rewrites=(_always(AssociationResponse, short_address=SOME_ADDRESS),),
        cause="refusal-with-address",
    ),
    Defect(
        "05-stays-without-key", Actor.HAN_DEVICE, "stays in a network whose key it cannot read",
        ("UC2.7-05-NOT-ELSEWHERE@HAN Device",), {"gives_up_without_key": False},
        cause="waits-for-a-key-for-ever", misbehaviours=("M-06",),
    ),
    Defect(
        "05-never-elsewhere", Actor.HAN_DEVICE, "tries the same network for ever",
        ("UC2.7-05-NOT-ELSEWHERE@HAN Device",), {"tries_elsewhere": False},
        cause="same-network-again",
    ),
    Defect(
        "05-device-asks-full-networks", Actor.HAN_DEVICE, "asks to be let in although the ESI has no room", (),
        {"requires_capacity": False},
    ),
    Defect(
        "05-device-asks-closed-networks", Actor.HAN_DEVICE, "asks to be let in although association is not permitted", (),
        {"requires_association_permit": False},
    ),
)
