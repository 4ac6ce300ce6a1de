"""Defects in step 6 of admission, network key and membership, and what provokes them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from dissectors import aps, mac, nwk, zdp
from dissectors.layer import Layer, Record
from dissectors.security import WELL_KNOWN_LINK_KEY
from harness.adapters.defects import Defect
from harness.usecase import Actor

NO_UNICAST = nwk.MAX_UNICAST + 1  # the first short address that no device has


def _always(layer: type[Layer], **fields: Any) -> Callable[[Record], Record]:
    return lambda record: record.replace(**fields) if record.is_a(layer) else record


def _never(layer: type[Layer]) -> Callable[[Record], Record | None]:
    return lambda record: None if record.is_a(layer) else record


def _other_pan(record: Record) -> Record:
    """The association response is sent in the neighbouring PAN."""
    command = getattr(record, "command", None) if record.is_a(mac.Mac) else None
    if command is None or not command.is_a(mac.AssociationResponse):
        return record
    return record.replace(dest_pan=record.dest_pan ^ 1)


def _unsecured_announcement(record: Record) -> Record:
    """Device_annce goes out without NWK security."""
    if not record.is_a(nwk.Nwk) or record.dest != nwk.BroadcastAddress.RX_ON_WHEN_IDLE:
        return record
    return record.replace(security_enabled=0)


def _unnamed(record: Record) -> Record:
    """What is sealed with a key-transport key does not carry its sender's EUI-64."""
    if not record.is_a(nwk.AuxiliaryHeader) or record.key_identifier != nwk.KeyIdentifier.KEY_TRANSPORT:
        return record
    return record.replace(extended_nonce=0, source_ieee=None)


def _naming_both(provoked_with: Any) -> tuple[Callable[[Record], Record], ...]:
    """The NWK header around a Transport-Key carries the EUI-64s that the key names."""
    newest: list[Record] = []

    def rewrite(record: Record) -> Record:
        if record.is_a(aps.TransportKey):
            newest[:] = [record]
        elif record.is_a(nwk.Nwk) and not record.security_enabled and record.frame_type == nwk.FrameType.DATA and newest:
            key = newest.pop()
            return record.replace(
                source_ieee_present=1, source_ieee=key.source, dest_ieee_present=1, dest_ieee=key.dest,
            )
        return record

    return (rewrite,)


ESI_DEFECTS = (
    Defect(
        "06-admits-strangers", Actor.ESI, "sends the network key to a device that nobody ordered",
        ("UC2.7-06-AUTHORISED@ESI", "UC2.7-04-AUTHORISES@ESI", "UC2.7-04-OVERLAP@ESI", "UC2.7-06-TUNNEL@ESI"), {"admits_strangers": True},
        cause="admits-anybody", misbehaviours=("M-07",),
    ),
    Defect(
        "06-address-out-of-range", Actor.ESI, "gives an address that no device has", ("UC2.7-06-SHORT-ADDRESS@ESI",),
        rewrites=(_always(mac.AssociationResponse, short_address=NO_UNICAST),),
        cause="address-out-of-range",
    ),
    Defect(
        "06-address-of-coordinator", Actor.ESI, "gives its own short address away", ("UC2.7-06-SHORT-ADDRESS@ESI",),
        rewrites=(_always(mac.AssociationResponse, short_address=nwk.COORDINATOR),),
        cause="address-of-coordinator",
    ),
    Defect(
        "06-other-pan", Actor.ESI, "answers an association in another PAN", ("UC2.7-06-PAN@ESI",), rewrites=(_other_pan,),
        cause="another-pan",
    ),
    Defect(
        "06-key-under-data-key", Actor.ESI, "seals the network key with the link key itself",
        ("UC2.7-06-KEY-SEALED@ESI",),
        {"transport_key_identifier": nwk.KeyIdentifier.DATA},
        cause="sealed-with-key-0", misbehaviours=("M-08",),
    ),
    Defect(
        "06-key-under-key-load-key", Actor.ESI, "seals the network key with the key-load key",
        ("UC2.7-06-KEY-SEALED@ESI",),
        {"transport_key_identifier": nwk.KeyIdentifier.KEY_LOAD},
        cause="sealed-with-key-3", misbehaviours=("M-08",),
    ),
    Defect(
        "06-key-in-the-clear", Actor.ESI, "sends the network key without APS security",
        (
            "UC2.7-06-KEY-SEALED@ESI", "UC2.7-06-KEY-NEVER-CLEAR@ESI", "UC2.7-06-WRONG-CODE@ESI", "UC2.7-04-AUTHORISES@ESI",
            "UC2.7-SEQ-NO-LEAK@ESI",
        ),
        {"transport_key_identifier": None},
        cause="key-in-the-clear", misbehaviours=("M-07",),
    ),
    Defect(
        "06-well-known-key", Actor.ESI, "seals the network key with the key that everybody knows",
        (
            "UC2.7-06-KEY-SEALED@ESI", "UC2.7-06-KEY-NEVER-CLEAR@ESI", "UC2.7-06-WRONG-CODE@ESI", "UC2.7-04-AUTHORISES@ESI",
            "UC2.7-SEQ-KEY-CHAIN@ESI",
        ),
        {"transports_under": WELL_KNOWN_LINK_KEY},
        cause="sealed-with-the-well-known-key", misbehaviours=("M-07",),
    ),
    Defect(
        "06-key-once", Actor.ESI, "sends a device the network key once and never again", ("UC2.7-06-KEY-AGAIN@ESI",),
        {"sends_key_again": False},
        cause="key-sent-once",
    ),
    Defect(
        "06-stale-key", Actor.ESI, "does not let a registered device in again with its install code",
        ("UC2.7-06-KEY-AGAIN@ESI",), {"readmits_registered": False},
        cause="stale-link-key", misbehaviours=("M-60",),
    ),
    Defect(
        "06-clear-key-as-a-favour", Actor.ESI, "sends the network key in the clear when the sealed one was not taken",
        ("UC2.7-06-WRONG-CODE@ESI",), {"falls_back_to_clear_key": True},
        cause="clear-key-as-a-favour", misbehaviours=("M-07",),
    ),
    Defect(
        "06-address-given-twice", Actor.ESI, "gives every device the same short address", ("UC2.7-06-SHORT-ADDRESS@ESI",),
        {"assigns_unique_addresses": False}, cause="address-given-twice",
    ),
    Defect(
        "06-unregistered-has-access", Actor.ESI, "asks for no link key where a device has not registered",
        ("UC2.7-06-UNREGISTERED@ESI",), {"serves_unregistered": True},
        cause="unregistered-has-access", misbehaviours=("M-59",),
    ),
    Defect(
        "06-esi-network-forgotten", Actor.ESI, "loses its network with its power", ("UC2.7-06-RETURNS@ESI",),
        {"keeps_keys_over_power_cycle": False}, cause="network-forgotten", misbehaviours=("M-46",),
    ),
    Defect(
        "06-ignores-routers", Actor.ESI, "sends nothing for a device that joined through a router", ("UC2.7-06-TUNNEL@ESI",),
        {"listens_to_routers": False}, cause="update-device-ignored", misbehaviours=("M-10",),
    ),
    Defect(
        "06-key-past-the-router", Actor.ESI, "sends a device behind a router its key as if it were a neighbour",
        ("UC2.7-06-TUNNEL@ESI",), {"tunnels_keys": False}, cause="key-past-the-router", misbehaviours=("M-10",),
    ),
    Defect(
        "06-tunnel-without-nonce", Actor.ESI, "does not say inside a Tunnel who sealed the key", ("UC2.7-06-TUNNEL@ESI",),
        rewrites=(_unnamed,), cause="tunnel-without-nonce",
    ),
)

DEVICE_DEFECTS = (
    Defect(
        "06-no-announcement", Actor.HAN_DEVICE, "does not announce itself",
        ("UC2.7-06-JOINED@HAN Device", "UC2.7-08-NOT-BEFORE-JOINED@HAN Device"),
        rewrites=(_never(zdp.DeviceAnnce),),
        cause="announces-nothing",
    ),
    Defect(
        "06-announcement-unsecured", Actor.HAN_DEVICE, "announces itself without NWK security", ("UC2.7-06-JOINED@HAN Device",),
        rewrites=(_unsecured_announcement,),
        cause="announcement-unsecured",
    ),
    Defect(
        "06-announces-another", Actor.HAN_DEVICE, "announces another EUI-64",
        ("UC2.7-06-JOINED@HAN Device", "UC2.7-SEQ-MAC-CHAIN@HAN Device"),
        rewrites=(_always(zdp.DeviceAnnce, ieee_addr=1),),
        cause="announces-another",
    ),
    Defect(
        "06-announces-to-all", Actor.HAN_DEVICE, "broadcasts its announcement itself, though it is an end device",
        ("UC2.7-06-JOINED@HAN Device",), {"broadcasts_through_parent": False},
        cause="announced-to-all",
    ),
    Defect(
        "06-no-key-from-a-router", Actor.HAN_DEVICE, "takes no network key that comes by a router",
        ("UC2.7-06-TUNNEL@HAN Device",), {"takes_key_from_router": False}, cause="no-key-from-a-router", misbehaviours=("M-10",),
    ),
    Defect(
        "06-takes-clear-key", Actor.HAN_DEVICE, "takes a network key that comes in the clear",
        ("UC2.7-06-REFUSES-CLEAR-KEY@HAN Device",), {"accepts_clear_network_key": True},
        cause="takes-clear-key", misbehaviours=("M-09",),
    ),
    Defect(
        "06-waits-for-ever", Actor.HAN_DEVICE, "waits for the network key without end",
        ("UC2.7-06-LEAVES-WITHOUT-KEY@HAN Device",), {"gives_up_without_key": False},
        cause="waits-for-a-key-for-ever", misbehaviours=("M-06",),
    ),
    Defect(
        "06-associates-anew", Actor.HAN_DEVICE, "associates anew when its power returns", ("UC2.7-06-REJOIN@HAN Device",),
        {"rejoins_after_power_cycle": False},
        cause="associates-anew", misbehaviours=("M-46",),
    ),
    Defect(
        "06-takes-dummy-key", Actor.HAN_DEVICE, "takes the all-zero key for a network key", ("UC2.7-06-REJOIN@HAN Device",),
        {"installs_zero_key": True},
        cause="takes-dummy-key",
    ),
    Defect(
        "06-leaves-by-itself", Actor.HAN_DEVICE, "leaves soon after it came into service", ("UC2.7-06-STAYS@HAN Device",),
        {"leaves_by_itself": True}, cause="leaves-by-itself", misbehaviours=("M-45",),
    ),
    Defect(
        "06-leaves-when-told", Actor.HAN_DEVICE, "obeys a NWK Leave, though it claims the revision that is past that",
        ("UC2.7-06-STAYS@HAN Device",), {"obeys_leave_when_registered": True}, cause="leave-obeyed", misbehaviours=("M-45",),
    ),
    Defect(
        "06-besieges", Actor.HAN_DEVICE, "rejoins again and again without a pause", ("UC2.7-06-REJOIN-PACE@HAN Device",),
        {"pauses_between_rejoins": False}, cause="rejoins-besiege", misbehaviours=("M-47",),
    ),
    Defect(
        "06-forgets-the-network", Actor.HAN_DEVICE, "loses network and keys with its power", ("UC2.7-06-REJOIN@HAN Device",),
        {"keeps_keys_over_power_cycle": False}, cause="associates-anew", misbehaviours=("M-46",),
    ),
    Defect(
        "06-holds-a-wrong-key", Actor.HAN_DEVICE, "holds another key than the one that its install code makes",
        ("UC2.7-06-JOINED@HAN Device", "UC2.7-06-TUNNEL@HAN Device"), {"turns_own_key": True}, cause="key-not-taken",
        misbehaviours=("M-01", "M-02", "M-04", "M-05", "M-06"),
    ),
    Defect(
        "06-takes-well-known-key", Actor.HAN_DEVICE, "takes a network key under the key that everybody knows",
        ("UC2.7-06-REFUSES-CLEAR-KEY@HAN Device",), {"takes_well_known_key": True}, cause="takes-well-known-key",
        misbehaviours=("M-09",),
    ),
    Defect(
        "06-plain-headers-alone", Actor.HAN_DEVICE, "takes no network key whose NWK header names EUI-64s",
        ("UC2.7-06-JOINED@HAN Device",), {"takes_extended_addresses": False}, cause="key-not-taken", misbehaviours=("M-10",),
    ),
    Defect(
        "06-ignores-new-key", Actor.HAN_DEVICE, "does not take a network key update", ("UC2.7-06-KEY-SWITCH@HAN Device",),
        {"follows_network_key_update": False},
        cause="new-key-not-used",
    ),
    Defect(
        "06-ignores-switch", Actor.HAN_DEVICE, "goes on under the old key when told to switch",
        ("UC2.7-06-KEY-SWITCH@HAN Device",), {"follows_switch_key": False, "follows_newer_key": False},
        cause="new-key-not-used",
    ),
)

PROVOCATIONS = (
    Defect(
        "06-provoke-well-known-key", Actor.ESI, "seals the network key with the key that everybody knows", (),
        {"transports_under": WELL_KNOWN_LINK_KEY}, misbehaviours=("M-07", "M-09"),
    ),
    Defect(
        "06-provoke-extended-addresses", Actor.ESI, "names EUI-64s in the header of what it sends to a joining device", (),
        made=_naming_both, misbehaviours=("M-10",),
    ),
    Defect(
        "06-device-forgets", Actor.HAN_DEVICE, "loses network and keys with its power", (),
        {"keeps_keys_over_power_cycle": False}, misbehaviours=("M-46", "M-60"),
    ),
    Defect(
        "06-never-establishes", Actor.HAN_DEVICE, "asks for data as soon as it has joined, and never establishes a key", (),
        {"asks_before_registering": True, "establishes_keys": False, "uses_link_key": False},
        misbehaviours=("M-59",),
    ),
    Defect(
        "06-provoke-clear-key", Actor.ESI, "sends the network key without APS security", (), {"transport_key_identifier": None},
        misbehaviours=("M-07", "M-09"),
    ),
    Defect("06-provoke-dummy-key", Actor.ESI, "answers a rejoin with the all-zero key", (), {"sends_dummy_key": True}),
)

DEFECTS = (*ESI_DEFECTS, *DEVICE_DEFECTS, *PROVOCATIONS)
