"""Step 6 through a router: the network key comes by Tunnel to the parent, which hands it on. Knows no bench.

A router stands between the device and its ESI; what the ESI does shows in its answer to the router's Update-Device, what the device
does in what it sends to its parent. Both look at the whole trace: it is about a router and a device at once.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from dissectors import aps, mac, nwk, zdp
from dissectors.layer import Malformed, Record, parse
from dissectors.sealing import derived_key, unseal
from harness.checkers.associations import Association, carries_network_key, is_by_esi, of_the_device
from harness.checkers.orders import REACTION, Window, windows
from harness.checkers.reading import Air, Heard, air, attested, demand
from harness.crypto.install_code import ordered_link_key
from harness.trace import Trace, Unknown
from harness.usecase import Point
from harness.values import Eui64
from harness.verdict import Finding, failed, inconclusive, passed

KEY_TIME = 1.7  # seconds, apsSecurityTimeOutPeriod: a key that comes later finds nobody waiting for it (08006r03, table 4)
ANNOUNCE_TIME = 10.0  # PROFILE: seconds in which a device that has the network key announces itself


def network_key_goes_by_tunnel(trace: Trace) -> Iterator[Finding]:
    """06-TUNNEL, the ESI: told by a router of an ordered device, it sends that router the network key in a Tunnel."""
    heard = air(trace)
    updates = _updates(heard)
    for place, update in enumerate(updates):
        said = update.find(aps.UpdateDevice)
        device, router = Eui64(said.device), update.nwk.source
        again = (each.time for each in updates[place + 1 :] if each.find(aps.UpdateDevice).device == said.device)
        limit = min(next(again, float("inf")), update.time + KEY_TIME)
        own = [each for each in heard.between(update.time, limit) if each.sent and is_by_esi(each)]
        tunnels = [each for each in own if (told := each.find(aps.Tunnel)) is not None and Eui64(told.dest) == device]
        bare = [each for each in own if _is_bare_key(each) and each.nwk.dest == said.short_address]
        mine = [window for window in windows(trace) if window.device == device]
        window = next((each for each in mine if each.is_open(update.time, REACTION)), None)
        heard_all = attested(trace, Point.MAC, update.time, limit, update.channel)
        if window is not None:
            if heard_all and not tunnels and not bare:
                demand(trace, Unknown.ORDER)
            yield from _for_the_ordered(window, router, update, (tunnels, bare), heard_all)
        elif not any(each.is_open(update.time, -REACTION) for each in mine):
            yield from _for_a_stranger(device, update, tunnels + bare, heard_all)


def _for_the_ordered(
    window: Window, router: int, update: Heard, sent: tuple[list[Heard], list[Heard]], heard_all: bool,
) -> Iterator[Finding]:
    tunnels, bare = sent
    wanted = f"a Tunnel to {router:04x} with the network key for {window.device}"
    if bare:
        yield failed(
            "the network key for a device behind a router was sent past that router", update.number, bare[0].number,
            expected=wanted, observed=f"a Transport-Key to {bare[0].nwk.dest:04x}", hint="key-past-the-router",
        )
    elif tunnels:
        yield _judged(window, router, update, tunnels[0])
    elif heard_all:
        yield failed(
            "a router told of an ordered device that joined through it, and no network key came for it", update.number,
            expected=wanted, observed=f"none in {KEY_TIME:g} s", hint="update-device-ignored",
        )


def _for_a_stranger(device: Eui64, update: Heard, keys: list[Heard], heard_all: bool) -> Iterator[Finding]:
    if keys:
        yield failed(
            f"{device}, which has no window, was sent the network key through a router", update.number, keys[0].number,
            expected="no network key", observed="one", hint="admits-anybody",
        )
    elif heard_all:
        yield passed(f"{device}, which has no window, was sent no network key through a router", update.number)


def _judged(window: Window, router: int, update: Heard, tunnel: Heard) -> Finding:
    inner: Any = tunnel.find(aps.Tunnel).inner
    numbers = (update.number, tunnel.number)
    wanted = f"for router {router:04x}, NWK-secured, the key sealed with the key-transport key of what was ordered"
    if tunnel.nwk.dest != router or tunnel.frame.security.nwk != "ok":
        observed = f"to {tunnel.nwk.dest:04x}, NWK security {tunnel.frame.security.nwk or 'none'}"
        return failed("a Tunnel does not reach the router as it must", *numbers, expected=wanted, observed=observed)
    if inner is None or inner.security is None:
        return failed(
            "the network key inside a Tunnel is not sealed", *numbers, expected=wanted, observed="no APS security",
            hint="key-in-the-clear",
        )
    if inner.security.key_identifier != nwk.KeyIdentifier.KEY_TRANSPORT:
        return failed(
            "the network key inside a Tunnel is sealed with the wrong kind of key", *numbers, expected=wanted,
            observed=f"key identifier {inner.security.key_identifier}", hint=f"sealed-with-key-{inner.security.key_identifier}",
        )
    if not inner.security.extended_nonce:
        return failed(
            "what is sealed inside a Tunnel does not name who sealed it", *numbers, expected="the extended nonce, 4.4.9.8.3",
            observed="none", hint="tunnel-without-nonce",
        )
    if window.link_key is None:
        return inconclusive("the ordered key was withheld from the evidence", *numbers, expected=wanted)
    if not _opens(tunnel.find(aps.Tunnel), window.link_key):
        return failed(
            "the network key inside a Tunnel is sealed with another key than the one ordered", *numbers, expected=wanted,
            observed=f"a {inner.key_kind} key" if inner.key_kind else "an unknown key", hint="sealed-with-another-key",
        )
    return passed("the network key went to the router in a Tunnel, sealed for the device", *numbers)


def _opens(tunnel: Record, link_key: bytes) -> bool:
    """Whether the key-transport key of a link key opens what a Tunnel carries."""
    octets = tunnel.command_frame
    try:
        _, rest = parse(aps.Aps, octets)
        auxiliary, sealed = parse(nwk.AuxiliaryHeader, rest)
    except Malformed:
        return False
    header = octets[: len(octets) - len(rest)]
    key = derived_key(link_key, nwk.KeyIdentifier.KEY_TRANSPORT)
    return unseal(header, auxiliary, sealed, key, auxiliary.source_ieee) is not None


def _is_bare_key(each: Heard) -> bool:
    """Whether it is a network key for a joining device, or may be one, without a Tunnel around it."""
    command = each.aps is not None and each.aps.frame_type == aps.FrameType.COMMAND
    return command and not each.nwk.security_enabled and carries_network_key(each)


def _updates(heard: Air) -> list[Heard]:
    """What routers told the ESI of devices that joined through them, each once, as far as it took them."""
    met: set[tuple[int, int]] = set()
    found: list[Heard] = []
    for each in heard.of(aps.UpdateDevice):
        new = (each.nwk.source, each.nwk.sequence) not in met
        joins = each.find(aps.UpdateDevice).status == aps.DeviceStatus.UNSECURED_JOIN
        if new and joins and each.arrived and each.mac.dest_short == nwk.COORDINATOR and heard.is_acknowledged(each):
            met.add((each.nwk.source, each.nwk.sequence))
            found.append(each)
    return found


def network_key_is_taken_from_a_router(trace: Trace) -> Iterator[Finding]:
    """06-TUNNEL, the device: it takes the network key that its parent, a router, hands on to it, and goes on through it."""
    heard = air(trace)
    for each in of_the_device(trace):
        parent = each.request.mac.dest_short
        if each.granted is None or parent == nwk.COORDINATOR:
            continue
        key = next((other for other in heard.between(each.granted.time, each.until) if _is_handed_on(trace, other, each)), None)
        if key is None or not heard.is_acknowledged(key):
            continue
        limit = min(each.until, key.time + ANNOUNCE_TIME)
        announcement = next((
            other for other in heard.between(key.time, limit)
            if other.find(zdp.DeviceAnnce) is not None and other.mac.source_short == each.short_address
        ), None)
        if announcement is not None:
            yield passed("the device took the network key from a router and announced itself", key.number, announcement.number)
        elif attested(trace, Point.MAC, key.time, limit, key.channel):
            yield failed(
                "the device did not take the network key that a router handed on to it", key.number,
                expected="a NWK-secured Device_annce", observed=f"none in {limit - key.time:.1f} s",
                hint="no-key-from-a-router",
            )


def _is_handed_on(trace: Trace, other: Heard, association: Association) -> bool:
    """Whether it is the network key for the device, sealed as it must be, from the router that let it in."""
    if other.aps is None or not carries_network_key(other) or other.nwk.security_enabled or not other.arrived:
        return False
    ends = (other.mac.source_short, other.nwk.dest)
    if ends != (association.request.mac.dest_short, association.short_address) or other.mac.dest_short == mac.BROADCAST:
        return False
    order = trace.header.order
    sealed = other.frame.security.aps == "ok" and other.frame.aps_key_identifier == nwk.KeyIdentifier.KEY_TRANSPORT
    fits = not order.key_material or other.frame.aps_key == ordered_link_key(order.key_form, order.key_material)
    return sealed and fits and not trace.header.about.get("other_key")
