"""Step 6, the ESI's side: who is given a short address and the network key, and how the key is protected. Knows no bench."""

from __future__ import annotations

from collections.abc import Iterator

from dissectors import mac, nwk
from dissectors.layer import parse_whole
from dissectors.mac import Capability
from dissectors.security import WELL_KNOWN_LINK_KEY
from harness.checkers.associations import (
    Association,
    associations,
    carries_network_key,
    has_registered,
    is_by_esi,
    mistake_in_sealing,
    of_the_device,
)
from harness.checkers.orders import REACTION, windows
from harness.checkers.reading import Air, Heard, air, attested, demand
from harness.trace import Trace, Unknown
from harness.usecase import Actor, Point
from harness.values import Eui64
from harness.verdict import Finding, failed, inconclusive, passed

KEY_TIME = 1.7  # seconds, apsSecurityTimeOutPeriod: a key that comes later finds nobody waiting for it (08006r03, table 4)
RESPONSE_TIME = 10.0  # seconds in which an association and what follows it are over: 7.68 s wait for a poll (05-3474, 3.5.2)


def only_the_ordered_device_gets_a_key(trace: Trace) -> Iterator[Finding]:
    """06-AUTHORISED: a device that associated and that nobody ordered is sent no network key."""
    ordered = {trace.header.order.device, *(window.device for window in windows(trace))}
    decided, unheard = False, None
    for each in associations(trace):
        if each.granted is not None:
            demand(trace, Unknown.ORDER)
        if each.device in ordered or each.granted is None:
            continue
        key = next(_keys(each), None)
        decided = decided or key is not None
        if key is not None:
            yield failed(
                f"{each.device} was not ordered and was sent a network key", each.request.number, key.number,
                expected=f"a Transport-Key for {', '.join(map(str, ordered))} alone",
                observed=f"a Transport-Key for {each.device}", hint="admits-anybody",
            )
        elif attested(trace, Point.MAC, each.granted.time, each.granted.time + KEY_TIME, each.request.channel):
            decided = True
            yield passed(f"{each.device} was not ordered and was sent no network key", each.request.number)
        else:
            unheard = each
    if unheard is not None and not decided:
        yield inconclusive("whether a stranger was sent the network key was not heard", unheard.request.number)


def short_addresses_are_unique_and_unicast(trace: Trace) -> Iterator[Finding]:
    """06-SHORT-ADDRESS: each association gives an address from 0001 to fff7 that no other device of the network has."""
    given: dict[int, Eui64] = {nwk.COORDINATOR: Eui64(0)}
    for heard in air(trace).of(mac.AssociationResponse):
        response = heard.find(mac.AssociationResponse)
        if response is None or response.status != mac.AssociationStatus.SUCCESS or not _is_response_of_esi(heard):
            continue
        device, short = Eui64(heard.mac.dest_ieee), response.short_address
        if not nwk.COORDINATOR < short <= nwk.MAX_UNICAST:
            yield failed(
                f"{device} was given an address outside the unicast range", heard.number,
                expected="0001 to fff7", observed=f"{short:04x}",
                hint="address-of-coordinator" if short == nwk.COORDINATOR else "address-out-of-range",
            )
        elif given.get(short, device) != device:
            yield failed(
                f"{device} was given an address that is taken", heard.number,
                expected="an address of its own", observed=f"{short:04x}, which {given[short]} has", hint="address-given-twice",
            )
        else:
            yield passed(f"{device} was given {short:04x}", heard.number)
        given.setdefault(short, device)


def pan_is_the_same_throughout(trace: Trace) -> Iterator[Finding]:
    """06-PAN: the response to an association, and what follows it, name the PAN that the device asked to be let into."""
    heard = air(trace)
    for each in associations(trace):
        frames = [response for response in each.responses if response.sent and _is_response_of_esi(response)]
        if each.granted is not None:
            frames += [
                other for other in heard.between(each.granted.time, each.until)
                if other.sent and is_by_esi(other) and other.mac.dest_short == each.short_address
            ]
        wrong = next((other for other in frames if not _names_pan(other, each.pan)), None)
        if wrong is not None:
            yield failed(
                "the ESI's frames do not name the PAN that the device asked for", each.request.number, wrong.number,
                expected=f"{each.pan:04x}", observed=f"{wrong.mac.dest_pan:04x}", hint="another-pan",
            )
        elif frames:
            yield passed(f"every frame names PAN {each.pan:04x}", each.request.number, frames[0].number)


def network_key_is_sealed_for_the_joiner(trace: Trace) -> Iterator[Finding]:
    """06-KEY-SEALED: the network key goes to a joining device under the key-transport key of its pre-configured link key."""
    ordered = {window.device: window.link_key for window in windows(trace)}
    wanted = f"APS security with key identifier {nwk.KeyIdentifier.KEY_TRANSPORT.value}, made from the ordered key"
    for each in associations(trace):
        for key in _keys(each) if each.device in ordered else ():
            frame = key.frame
            if frame.security.aps is None:
                yield failed(
                    "the network key was sent in the clear", key.number, expected=wanted, observed="no APS security",
                    hint=mistake_in_sealing(trace, key),
                )
            elif frame.aps_key_identifier != nwk.KeyIdentifier.KEY_TRANSPORT:
                yield failed(
                    "the network key was sealed with the wrong kind of key", key.number,
                    expected=wanted, observed=f"key identifier {frame.aps_key_identifier}", hint=mistake_in_sealing(trace, key),
                )
            elif ordered[each.device] is None:
                demand(trace, Unknown.HELD)
                yield inconclusive("the ordered key was withheld from the evidence", key.number, expected=wanted)
            elif frame.aps_key != ordered[each.device]:
                yield failed(
                    "the network key was sealed with another key than the one ordered", key.number,
                    expected=wanted, observed=frame.security.aps if frame.aps_key is None else f"a {frame.aps_key_kind} key",
                    hint=mistake_in_sealing(trace, key),
                )
            else:
                yield passed("the network key was sealed with the key-transport key", key.number)


def network_key_is_never_in_the_clear(trace: Trace) -> Iterator[Finding]:
    """06-KEY-NEVER-CLEAR: the ESI sends the network key nowhere unprotected, nor under a key that everybody knows."""
    keys = {key.octets for key in trace.keys if key.kind == "nwk" and any(key.octets)}
    shown = [key for known in keys for key in (known, known[::-1])]
    transports = {key.number: key for each in associations(trace) for key in _keys(each)}
    for heard in air(trace):
        if not heard.sent or not is_by_esi(heard):
            continue
        unsealed = heard.number in transports and heard.frame.security.aps is None
        clear = unsealed or any(key in heard.exchange.octets for key in shown)
        if clear or heard.frame.aps_key == WELL_KNOWN_LINK_KEY:
            yield failed(
                "the network key can be read by anybody", heard.number, expected="a network key for its receiver alone",
                observed="the network key in the clear" if clear else "the network key under a key that everybody knows",
                hint="key-in-the-clear" if clear else "sealed-with-the-well-known-key",
            )
            return
    if transports:
        yield passed("no frame shows the network key", *transports)


def each_association_gets_the_key(trace: Trace) -> Iterator[Finding]:
    """06-KEY-AGAIN: a device that was sent the network key and associates again inside its window is sent it again."""
    heard, ordered = air(trace), windows(trace)
    keyed: set[Eui64] = set()
    for each in associations(trace):
        keys = [key.number for key in _keys(each)]
        inside = any(window.device == each.device and window.is_open(each.request.time, REACTION) for window in ordered)
        if each.device in keyed and inside and each.granted is not None:
            limit = min(each.until, each.granted.time + KEY_TIME)
            if keys:
                yield passed("the network key was sent again", each.request.number, keys[0])
            elif _listens(heard, each, limit) and attested(trace, Point.MAC, each.granted.time, limit, each.request.channel):
                demand(trace, Unknown.ORDER)
                yield failed(
                    "a device that associated again inside its window was not sent the network key", each.request.number,
                    expected="a Transport-Key after each association", observed=f"none in {limit - each.granted.time:.1f} s",
                    hint="stale-link-key" if has_registered(trace, each) else "key-sent-once",
                )
        if keys:
            keyed.add(each.device)


def device_with_another_code_stays_outside(trace: Trace) -> Iterator[Finding]:
    """06-WRONG-CODE: the ESI shows the network key in no form that a device with another install code can read."""
    heard = air(trace)
    ordered = {window.device for window in windows(trace)}
    if any(each.granted is not None for each in of_the_device(trace)):
        demand(trace, Unknown.HELD)
    for each in of_the_device(trace) if trace.header.about.get("other_key") else ():
        if each.device not in ordered or each.granted is None:
            continue
        readable = next((key for key in _keys(each) if _is_readable(key)), None)
        if readable is not None:
            yield failed(
                "a device that could not read the network key was sent it in another way", each.request.number, readable.number,
                expected="the network key under the ordered key alone",
                observed="no APS security" if readable.frame.security.aps is None else "the key that everybody knows",
                hint=_why_readable(trace, each, readable),
            )
            continue
        inside = next((other for other in heard.between(each.granted.time, each.until) if _is_secured_by(other, each)), None)
        if inside is not None:
            yield failed(
                "a device with another install code got onto the network", each.request.number, inside.number,
                expected="nothing from it under the network key", observed=f"a frame at {inside.time:.3f} s",
                hint="sealed-with-another-key",
            )
        elif attested(trace, Point.MAC, each.granted.time, each.granted.time + KEY_TIME, each.request.channel):
            yield passed("a device with another install code did not get onto the network", each.request.number)


def _keys(association: Association) -> Iterator[Heard]:
    """The network keys that the ESI sent after an association."""
    return (key for key in association.transports if key.sent and is_by_esi(key) and carries_network_key(key))


def _is_response_of_esi(response: Heard) -> bool:
    return response.exchange.producer in (None, Actor.ESI)


def _names_pan(heard: Heard, pan: int) -> bool:
    return bool(heard.mac.dest_pan == pan and heard.mac.source_pan in (None, pan, mac.BROADCAST))


def _listens(heard: Air, association: Association, limit: float) -> bool:
    """Whether the device's receiver was on, or it polled under its new address."""
    assert association.granted is not None
    capability = association.request.find(mac.AssociationRequest).capability
    return bool(parse_whole(Capability, bytes([capability])).receiver_on_when_idle) or any(
        other.find(mac.DataRequest) is not None and other.mac.source_short == association.short_address
        for other in heard.between(association.granted.time, limit)
    )


def _why_readable(trace: Trace, association: Association, key: Heard) -> str:
    """Only where a sealed one came before, it is a favour to who could not read that."""
    earlier = [other for each in associations(trace) if each.request.time < association.request.time for other in _keys(each)]
    return "clear-key-as-a-favour" if any(not _is_readable(other) for other in earlier) else mistake_in_sealing(trace, key)


def _is_readable(key: Heard) -> bool:
    """Whether anybody can read it."""
    return key.frame.security.aps is None or key.frame.aps_key == WELL_KNOWN_LINK_KEY


def _is_secured_by(other: Heard, association: Association) -> bool:
    """Whether the device sent it under the network key."""
    if other.frame.security.nwk != "ok" or other.exchange.producer == Actor.ESI:
        return False
    return (other.mac.dest_pan, other.mac.source_short) == (association.pan, association.short_address)
