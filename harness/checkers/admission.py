"""Step 6: how the ESI lets a HAN Device onto the network, and how the device takes what it is given. Knows frames, no bench."""

from __future__ import annotations

from collections.abc import Iterator

from dissectors import aps, mac, nwk, zdp
from harness.checkers.reading import Air, Heard, air
from harness.trace import Trace
from harness.values import Eui64
from harness.verdict import Finding, failed, passed


def only_the_ordered_device_gets_a_key(trace: Trace) -> Iterator[Finding]:
    """06-AUTHORISED: a device that associated and that nobody ordered is sent no network key."""
    heard = air(trace)
    strangers = {
        Eui64(each.mac.source_ieee): each
        for each in heard.of(mac.AssociationRequest)
        if each.arrived and each.mac.source_ieee not in (None, trace.header.order.device)
    }
    for stranger, request in strangers.items():
        key = next((each for each in _key_transports(heard) if _addressee(heard, each) == stranger), None)
        if key is None:
            yield passed(f"{stranger} was not ordered and was sent no network key", request.number)
        else:
            yield failed(
                f"{stranger} was not ordered and was sent a network key", request.number, key.number,
                expected=f"a Transport-Key for {trace.header.order.device} alone", observed=f"a Transport-Key for {stranger}",
            )


def short_addresses_are_unique_and_unicast(trace: Trace) -> Iterator[Finding]:
    """06-SHORT-ADDRESS: each association gives an address from 0001 to fff7 that no other device of the network has."""
    given: dict[int, Eui64] = {nwk.COORDINATOR: Eui64(0)}
    for heard in air(trace).of(mac.AssociationResponse):
        response = heard.find(mac.AssociationResponse)
        if response is None or response.status != mac.AssociationStatus.SUCCESS:
            continue
        device, short = Eui64(heard.mac.dest_ieee), response.short_address
        if not nwk.COORDINATOR < short <= nwk.MAX_UNICAST:
            yield failed(
                f"{device} was given an address outside the unicast range", heard.number,
                expected="0001 to fff7", observed=f"{short:04x}",
            )
        elif given.get(short, device) != device:
            yield failed(
                f"{device} was given an address that is taken", heard.number,
                expected="an address of its own", observed=f"{short:04x}, which {given[short]} has",
            )
        else:
            yield passed(f"{device} was given {short:04x}", heard.number)
        given.setdefault(short, device)


def network_key_is_sealed_for_the_joiner(trace: Trace) -> Iterator[Finding]:
    """06-KEY-SEALED: the network key goes to a joining device under the key-transport key of its pre-configured link key."""
    for heard in _key_transports(air(trace)):
        frame = heard.frame
        wanted = f"APS security with key identifier {nwk.KeyIdentifier.KEY_TRANSPORT.value}, made from the ordered key"
        if frame.security.aps is None:
            yield failed("the network key was sent in the clear", heard.number, expected=wanted, observed="no APS security")
        elif frame.security.aps != "ok":
            yield failed(
                "a joining device was sent a command that its pre-configured key does not open", heard.number,
                expected=wanted, observed=f"key identifier {frame.aps_key_identifier}, {frame.security.aps}",
            )
        elif (frame.aps_key_identifier, frame.aps_key_kind) != (nwk.KeyIdentifier.KEY_TRANSPORT, "ic"):
            yield failed(
                "the network key was sealed with the wrong key", heard.number,
                expected=wanted, observed=f"key identifier {frame.aps_key_identifier} of a {frame.aps_key_kind} key",
            )
        else:
            yield passed("the network key was sealed with the key-transport key", heard.number)


def device_announces_itself(trace: Trace) -> Iterator[Finding]:
    """06-JOINED: given its key, the device sends a NWK-secured Device_annce with its own addresses to its parent."""
    heard = air(trace)
    device = trace.header.order.device
    sent = [each for each in _key_transports(heard) if each.arrived and _addressee(heard, each) == device]
    if not sent:
        return
    announcements = [each for each in heard.of(zdp.DeviceAnnce) if each.number > sent[0].number]
    if not announcements:
        yield failed(
            "the device was given the network key and never announced itself", sent[0].number,
            expected="a NWK-secured Device_annce", observed="none",
        )
        return
    first = announcements[0]
    said = first.find(zdp.DeviceAnnce)
    assert said is not None
    if first.frame.security.nwk != "ok":
        yield failed("Device_annce is not NWK-secured", first.number, expected="NWK security", observed="none")
    elif Eui64(said.ieee_addr) != device or said.nwk_addr != first.nwk.source:
        yield failed(
            "Device_annce does not carry the device's own addresses", first.number,
            expected=f"{device}, {first.nwk.source:04x}", observed=f"{Eui64(said.ieee_addr)}, {said.nwk_addr:04x}",
        )
    elif first.mac.dest_short == mac.BROADCAST:
        yield failed(
            "an end device's Device_annce reached the air as a MAC broadcast", first.number,
            expected="a MAC unicast to the parent", observed="destination ffff",
        )
    else:
        yield passed("the device announced itself", first.number)


def _key_transports(heard: Air) -> list[Heard]:
    """APS commands to a device that has no network key yet: Transport-Key, sealed or not, without NWK security."""
    return [
        each for each in heard
        if each.aps is not None and each.aps.frame_type == aps.FrameType.COMMAND
        and each.frame.security.nwk is None and heard.from_coordinator(each)
    ]


def _addressee(heard: Air, transport: Heard) -> Eui64 | None:
    command = transport.find(aps.TransportKey)
    if command is not None and command.dest is not None:
        return Eui64(command.dest)
    return heard.short_addresses.get(transport.nwk.dest)
