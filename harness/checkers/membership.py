"""Step 6, the HAN Device's side: taking the network key or not, announcing itself, coming back, changing keys. Knows no bench.

What a device took shows in what it sends: frames under the network key, or nothing more under the address it was given.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from math import inf

from dissectors import aps, mac, nwk, zdp
from dissectors.layer import parse_whole
from dissectors.security import WELL_KNOWN_LINK_KEY
from harness.checkers.associations import Association, carries_network_key, is_by_esi, of_the_device
from harness.checkers.reading import Air, Heard, air, attested, demand, marks
from harness.crypto.install_code import ordered_link_key
from harness.trace import Trace, Unknown
from harness.usecase import Actor, Point
from harness.values import Eui64
from harness.verdict import Finding, failed, inconclusive, noted, passed

SECURITY_TIMEOUT = 2.0  # seconds: apsSecurityTimeOutPeriod, 1.7 s, and what a device takes to act on it (08006r03, table 4)
ANNOUNCE_TIME = 10.0  # PROFILE: seconds in which a device that has the network key announces itself
RETURN_TIME = 60.0  # PROFILE: seconds in which a device whose power is back is heard
SWITCH_TIME = 10.0  # PROFILE: seconds after Switch-Key from which the old key is in use no more
DUMMY_KEY = bytes(16)  # the all-zero network key that answers a secured rejoin and is no key (05-3474, 4.6.3.2.2.1)


def device_announces_itself(trace: Trace) -> Iterator[Finding]:
    """06-JOINED: given its key, the device sends a NWK-secured Device_annce with its own addresses to its parent."""
    heard = air(trace)
    for each in of_the_device(trace):
        key = next((key for key in _arrived(heard, each) if _is_taken(trace, each, key)), None)
        if key is None:
            continue
        limit = min(each.until, key.time + ANNOUNCE_TIME)
        announcement = next((
            other for other in heard.between(key.time, limit)
            if other.find(zdp.DeviceAnnce) is not None and other.mac.source_short == each.short_address
        ), None)
        if announcement is not None:
            yield _judged_announcement(trace, each, announcement)
        elif attested(trace, Point.MAC, key.time, limit, key.channel):
            yield failed(
                "the device was given the network key and did not announce itself", key.number,
                expected="a NWK-secured Device_annce", observed=f"none in {limit - key.time:.1f} s",
                hint="announces-nothing" if _has_key(heard, each, key.time) else "key-not-taken",
            )


def _judged_announcement(trace: Trace, association: Association, announcement: Heard) -> Finding:
    said, numbers = announcement.find(zdp.DeviceAnnce), (association.request.number, announcement.number)
    if announcement.frame.security.nwk != "ok":
        return failed(
            "Device_annce is not NWK-secured", *numbers, expected="NWK security", observed="none", hint="announcement-unsecured",
        )
    if (Eui64(said.ieee_addr), said.nwk_addr) != (association.device, association.short_address):
        return failed(
            "Device_annce does not carry the device's own addresses", *numbers,
            expected=f"{association.device}, {association.short_address:04x}",
            observed=f"{Eui64(said.ieee_addr)}, {said.nwk_addr:04x}", hint=_whose(Eui64(said.ieee_addr), association.device),
        )
    asked_with = association.request.find(mac.AssociationRequest).capability
    router = bool(parse_whole(mac.Capability, bytes([asked_with])).full_function_device)
    if announcement.mac.dest_short == mac.BROADCAST and not router:
        return failed(
            "an end device's Device_annce reached the air as a MAC broadcast", *numbers,
            expected="a MAC unicast to the parent", observed="destination ffff", hint="announced-to-all",
        )
    if said.capability != asked_with:
        return failed(
            "Device_annce says something else of the device than its association request", *numbers,
            expected=f"capability {asked_with:02x}", observed=f"{said.capability:02x}", hint="capability-not-repeated",
        )
    return passed("the device announced itself", *numbers)


def clear_network_key_is_refused(trace: Trace) -> Iterator[Finding]:
    """06-REFUSES-CLEAR-KEY: a network key that is not sealed with its own link key is not taken by the device."""
    heard = air(trace)
    for each in of_the_device(trace):
        arrived = _arrived(heard, each)
        clear = next((key for key in arrived if _is_for_anybody(key)), None)
        if clear is None:
            continue
        limit = min([key.time for key in _sent(each) if _fits(trace, key)] + [each.until, clear.time + ANNOUNCE_TIME])
        taken = next((other for other in heard.between(clear.time, limit) if _is_secured_by(other, each)), None)
        if taken is not None:
            yield failed(
                "the device took a network key that was not sealed with its own key", clear.number, taken.number,
                expected="nothing under that key", observed=f"a frame at {taken.time:.3f} s",
                hint="takes-clear-key" if clear.frame.security.aps is None else "takes-well-known-key",
            )
        elif attested(trace, Point.MAC, clear.time, limit, clear.channel):
            yield passed("the device took no network key that was not sealed with its own key", clear.number)


def device_without_a_key_gives_up(trace: Trace) -> Iterator[Finding]:
    """06-LEAVES-WITHOUT-KEY: a device that was let in and had no key in time is no longer there; it need not say so."""
    heard = air(trace)
    for each in of_the_device(trace):
        if each.granted is None:
            continue
        given_up = each.granted.time + SECURITY_TIMEOUT
        arrived = [key for key in _sent(each) if heard.is_acknowledged(key) or _has_key(heard, each, key.time)]
        if any(_is_taken(trace, each, key) and key.time < given_up for key in arrived):
            continue
        limit = min(each.until, given_up + ANNOUNCE_TIME)
        if limit <= given_up:
            yield passed("the device had no key and began again", each.request.number)
            continue
        stays = next((other for other in heard.between(given_up, limit) if _is_by(other, each)), None)
        if stays is not None:
            yield failed(
                "the device had no key in time and stayed", each.request.number, each.granted.number, stays.number,
                expected=f"nothing from {each.short_address:04x} after {given_up:.3f} s",
                observed=f"a frame at {stays.time:.3f} s", hint="waits-for-a-key-for-ever",
            )
        elif attested(trace, Point.MAC, given_up, limit, each.request.channel):
            yield passed("the device had no key in time and gave up", each.request.number, each.granted.number)


def device_rejoins_with_its_key(trace: Trace) -> Iterator[Finding]:
    """06-REJOIN: when its power is back, a member rejoins under the network key; a dummy key that follows is no key."""
    heard = air(trace)
    for start, end in pairwise([*marks(trace, "power_cycle", Actor.HAN_DEVICE), inf]):
        before = [each for each in of_the_device(trace) if each.request.time < start and each.granted is not None]
        if not before or not any(_is_secured_by(other, before[-1]) for other in heard.between(before[-1].request.time, start)):
            continue  # it was no member
        member = before[-1]
        sent = [other for other in heard.between(start, end) if _returns(other, member)]
        if not sent:
            if attested(trace, Point.MAC, start, start + RETURN_TIME):
                yield inconclusive("the device was not heard again when its power was back", member.request.number)
            continue
        first = sent[0]
        rejoin = first.find(nwk.RejoinRequest)
        if first.find(mac.AssociationRequest) is not None:
            yield failed(
                "the device associated anew instead of rejoining", first.number, expected="a rejoin under the network key",
                observed="an association request", hint="associates-anew",
            )
        elif rejoin is not None and first.frame.security.nwk != "ok":
            yield failed(
                "the first rejoin request is not NWK-secured", first.number, expected="NWK security under the network key",
                observed=first.frame.security.nwk or "none", hint="network-key-forgotten",
            )
        else:
            if rejoin is not None and parse_whole(mac.Capability, bytes([rejoin.capability])).allocate_address:
                yield noted(
                    "the rejoin request asks for an address", first.number, expected="allocate address 0", observed="1",
                )
            yield _after_dummy_key(heard, member, first, end)


def _after_dummy_key(heard: Air, member: Association, first: Heard, end: float) -> Finding:
    zeroed = next((
        other for other in heard.between(first.time, end)
        if other.nwk is not None and other.frame.nwk_key == DUMMY_KEY and other.mac.dest_pan == member.pan
        and not is_by_esi(other)
    ), None)
    if zeroed is not None:
        return failed(
            "the device took the all-zero key for a network key", first.number, zeroed.number,
            expected="the network key it had", observed=f"a frame under the dummy key at {zeroed.time:.3f} s",
            hint="takes-dummy-key",
        )
    return passed("the device came back under its network key", first.number)


def device_follows_the_new_key(trace: Trace) -> Iterator[Finding]:
    """06-KEY-SWITCH: a network key update is taken, and used when Switch-Key says so."""
    heard = air(trace)
    members = [each for each in of_the_device(trace) if any(_fits(trace, key) for key in _arrived(heard, each))]
    for switch in _switches(heard, members):
        sequence = switch.find(aps.SwitchKey).key_sequence
        member = [each for each in members if each.request.time < switch.time][-1]
        sent = [
            other for other in heard.between(switch.time + SWITCH_TIME, inf)
            if other.sent and _is_by(other, member) and other.nwk is not None and other.nwk.security_enabled
        ]
        old = next((other for other in sent if other.nwk.security.key_sequence != sequence), None)
        if old is not None:
            yield failed(
                "the device goes on under the old network key", switch.number, old.number,
                expected=f"key sequence number {sequence}", observed=str(old.nwk.security.key_sequence),
                hint="new-key-not-used",
            )
        elif sent:
            yield passed("the device uses the new network key", switch.number, sent[0].number)
        return


def _switches(heard: Air, members: list[Association]) -> Iterator[Heard]:
    """Switch-Key for a key that the device was given, as far as it can be known to have taken both."""
    taken: set[int] = set()
    newest: dict[bytes | None, int] = {}  # frame counter of the ESI by key: what is not greater is not to be taken
    for other in heard:
        if other.nwk is None or other.frame.security.nwk != "ok" or not other.arrived or not is_by_esi(other):
            continue
        counter = other.nwk.security.frame_counter
        if counter <= newest.get(other.frame.nwk_key, -1):
            continue
        newest[other.frame.nwk_key] = counter
        key, switch = other.find(aps.TransportKey), other.find(aps.SwitchKey)
        if (key is None and switch is None) or not any(_reaches(heard, other, member) for member in members):
            continue
        if key is not None and key.key_type in aps.NETWORK_KEYS:
            taken.add(key.key_sequence)
        elif switch is not None and switch.key_sequence in taken:
            yield other


def _reaches(heard: Air, other: Heard, member: Association) -> bool:
    """Whether the member's radio took it: a unicast that was acknowledged, or a broadcast while its receiver is always on."""
    if other.time < member.request.time:
        return False
    if other.mac.dest_short == mac.BROADCAST:
        capability = member.request.find(mac.AssociationRequest).capability
        return bool(parse_whole(mac.Capability, bytes([capability])).receiver_on_when_idle)
    return bool(other.mac.dest_short == member.short_address) and heard.is_acknowledged(other)


def _is_for_anybody(key: Heard) -> bool:
    """Whether a network key is not sealed, or with the key that everybody knows."""
    return key.frame.security.aps is None or key.frame.aps_key == WELL_KNOWN_LINK_KEY


def _whose(said: Eui64, own: Eui64) -> str:
    return "eui64-reversed" if said.octets == own.octets[::-1] else "announces-another"


def _has_key(heard: Air, association: Association, since: float) -> bool:
    """Whether the device shows by a frame under the network key that it took it."""
    return any(_is_secured_by(other, association) for other in heard.between(since, association.until))


def _sent(association: Association) -> list[Heard]:
    """The network keys that reached the device, its radio's acknowledgement heard or not."""
    return [key for key in association.transports if key.arrived and carries_network_key(key)]


def _arrived(heard: Air, association: Association) -> list[Heard]:
    """Those of them that the device's radio took."""
    return [key for key in _sent(association) if heard.is_acknowledged(key)]


def _fits(trace: Trace, key: Heard) -> bool:
    """Whether it is protected as it must be, with the key that the device holds (the ordered one, or it was given another)."""
    order = trace.header.order
    sealed = key.frame.security.aps == "ok" and key.frame.aps_key_identifier == nwk.KeyIdentifier.KEY_TRANSPORT
    if not sealed or trace.header.about.get("other_key"):
        if key.frame.security.aps not in (None, "ok"):
            demand(trace, Unknown.HELD)
        return False
    return not order.key_material or key.frame.aps_key == ordered_link_key(order.key_form, order.key_material)


def _is_taken(trace: Trace, association: Association, key: Heard) -> bool:
    """Whether it fits the key that the device holds; where nobody knows that one, use alone shows it."""
    if not _has_key(air(trace), association, key.time):
        demand(trace, Unknown.HELD)
    return _fits(trace, key)


def _is_by(other: Heard, association: Association) -> bool:
    """Whether the device sent it under the address it was given."""
    header = other.mac
    return (
        header is not None and association.short_address not in (None, nwk.COORDINATOR) and other.exchange.producer != Actor.ESI
        and (header.dest_pan, header.source_short) == (association.pan, association.short_address)
    )


def _is_secured_by(other: Heard, association: Association) -> bool:
    return _is_by(other, association) and other.frame.security.nwk == "ok"


def _returns(other: Heard, member: Association) -> bool:
    """Whether it is a sign of what a device does about its membership: a rejoin, an association, a frame under the key."""
    if other.find(mac.AssociationRequest) is not None:
        return bool(other.mac.source_ieee == member.device)
    rejoin = other.find(nwk.RejoinRequest)
    if rejoin is not None:
        return bool(other.nwk.source_ieee == member.device)
    return _is_secured_by(other, member)
