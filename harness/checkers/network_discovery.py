"""Step 5: which network the HAN Device asks to be let in, and how the ESI shows itself and answers. Knows no bench."""

from __future__ import annotations

from collections.abc import Iterator

from dissectors import mac, nwk
from dissectors.layer import Record, parse_whole
from harness.checkers.associations import Association, associations, is_by_esi, of_the_device, own_address
from harness.checkers.orders import REACTION, windows
from harness.checkers.reading import Heard, air, attested, claimed, demand
from harness.checkers.scanning import beacon_requests
from harness.trace import Trace, Unknown
from harness.usecase import Actor, Point
from harness.values import Eui64
from harness.verdict import Finding, failed, inconclusive, noted, passed

STACK_PROFILE = 2  # ZigBee PRO (05-3474, 3.6.7)
ZIGBEE = 0  # the beacon payload's protocol identifier (3.6.7)
NO_BEACONS = 15  # beacon and superframe order of a network without periodic beacons (802.15.4-2006, 7.2.2.1.2)
NO_OFFSET = 0xFFFFFF  # the transmission offset of such a network (3.6.7)
NO_NETWORK = (0, 0xFFFF_FFFF_FFFF_FFFF)  # extended PAN identifiers that no network has (3.5.2)
BEACON_CAUSES = {"stack profile": "beacon-of-another-profile", "extended PAN id": "beacon-without-extended-pan"}
BEACON_TIME = 1.0  # seconds in which a beacon request is answered: more than any scan listens
RESPONSE_TIME = 10.0  # seconds in which an association is over: a response waits 7.68 s for its poll (05-3474, 3.5.2)
LEAVING_TIME = 2.0  # seconds after which a device without a key is gone: apsSecurityTimeOutPeriod is 1.7 s (08006r03, table 4)
SEARCH_TIME = 30.0  # PROFILE: seconds in which it goes on to another network that it knows


def beacons_are_right(trace: Trace) -> Iterator[Finding]:
    """05-BEACON: the ESI answers beacon requests, and its beacons say what they must; what they permit is step 4's affair."""
    own = [each for each in air(trace) if each.sent and is_by_esi(each)]
    beacons = [each for each in own if each.find(mac.Beacon) is not None]
    channels = {each.channel for each in own}
    requests = [each for each in air(trace).of(mac.BeaconRequest) if each.arrived and each.channel in channels]
    answered = any(0 < beacon.time - each.time < BEACON_TIME for each in requests for beacon in beacons)
    if requests and not answered:
        if attested(trace, Point.MAC, requests[0].time, requests[0].time + BEACON_TIME, requests[0].channel):
            demand(trace, Unknown.REACH)
            yield failed(
                "the ESI answers no beacon request", requests[0].number, expected="a beacon",
                observed=f"none to {len(requests)} requests", hint="beacon-requests-ignored",
            )
        return
    identities = {each.find(mac.Beacon).extended_pan_id for each in beacons}
    for beacon in beacons:
        wrong = dict(_wrong_in_beacon(beacon.find(mac.Beacon)))
        if len(identities) > 1:
            wrong["extended PAN id"] = "another in each of several beacons"
        if wrong:
            yield failed(
                f"a beacon says wrong: {', '.join(wrong)}", beacon.number, expected="what 05-3474, 3.6.7 says",
                observed="; ".join(f"{name} {value}" for name, value in wrong.items()),
                hint=BEACON_CAUSES.get(next(iter(wrong)), "beacon-field"),
            )
            return
    if beacons:
        yield passed("the ESI's beacons are right", beacons[0].number)


def _wrong_in_beacon(beacon: Record) -> Iterator[tuple[str, str]]:
    wanted = {
        "protocol_id": ZIGBEE, "stack_profile": STACK_PROFILE, "protocol_version": nwk.PROTOCOL_VERSION, "device_depth": 0,
        "beacon_order": NO_BEACONS, "superframe_order": NO_BEACONS, "pan_coordinator": 1, "tx_offset": NO_OFFSET,
    }
    for name, value in wanted.items():
        if getattr(beacon, name) != value:
            yield name.replace("_", " "), f"{getattr(beacon, name):x}"
    if beacon.extended_pan_id in NO_NETWORK:
        yield "extended PAN id", f"{Eui64(beacon.extended_pan_id)}"


def device_chooses_an_open_network(trace: Trace) -> Iterator[Finding]:
    """05-CHOOSES: the device asks only a network whose last beacon permitted association and had room, of ZigBee PRO."""
    beacons = [each for each in air(trace).of(mac.Beacon) if each.arrived]
    asked = tuple(of_the_device(trace))
    for each in asked:
        last = next((beacon for beacon in reversed(beacons) if _is_of(beacon, each) and beacon.time < each.request.time), None)
        if last is None:
            continue
        said = last.find(mac.Beacon)
        if not said.association_permit:
            wrong, hint = "that permits no association", "asks-closed-networks"
        elif not said.end_device_capacity and not said.router_capacity:
            wrong, hint = "that has no room", "asks-full-networks"
        elif said.stack_profile != STACK_PROFILE:
            wrong, hint = "of another stack profile", "asks-other-profiles"
        else:
            yield passed("the device asked a network that permits association", last.number, each.request.number)
            continue
        yield failed(
            f"the device asked a network {wrong}", last.number, each.request.number,
            expected="association with a network that permits it and has room", observed=f"a request to PAN {each.pan:04x}",
            hint=hint,
        )
    shut = [each for each in beacons if not _is_inviting(each.find(mac.Beacon))]
    if shut and not asked and beacon_requests(trace):
        yield passed("the device asked no network that permits no association or has no room", shut[0].number)


def _is_inviting(beacon: Record) -> bool:
    return bool(beacon.association_permit and (beacon.end_device_capacity or beacon.router_capacity))


def association_request_is_right(trace: Trace) -> Iterator[Finding]:
    """05-ASSOCIATES: the request carries the device's own EUI-64 and says truly what the device is."""
    address = own_address(trace)
    for each in associations(trace):
        if each.device != address and each.request.exchange.producer != Actor.HAN_DEVICE:
            continue
        request = each.request
        capability = parse_whole(mac.Capability, bytes([request.find(mac.AssociationRequest).capability]))
        wrong = dict(_wrong_in_capability(capability, trace))
        if each.device != address:
            wrong["EUI-64"] = (f"{address}", f"{each.device}")
        if not request.mac.ack_request:
            wrong["acknowledgement request"] = ("1", "0")
        if wrong:
            yield failed(
                f"the association request says wrong: {', '.join(wrong)}", request.number,
                expected="; ".join(f"{name} {right}" for name, (right, _) in wrong.items()),
                observed="; ".join(f"{name} {said}" for name, (_, said) in wrong.items()),
                hint=_cause_in_request(next(iter(wrong)), each.device, address),
            )
            continue
        if request.mac.source_pan != mac.BROADCAST:
            yield noted(
                "the association request names a source PAN", request.number, expected="ffff, which 05-3474 annex D.3 prefers",
                observed="none of its own" if request.mac.source_pan is None else f"{request.mac.source_pan:04x}",
            )
        for item in ("sleepy", "router"):
            claimed(trace, item)
        yield passed("the association request is right", request.number)


def _wrong_in_capability(capability: Record, trace: Trace) -> Iterator[tuple[str, tuple[str, str]]]:
    sleepy, router = trace.header.pics.get("sleepy"), trace.header.pics.get("router")
    wanted: dict[str, bool | None] = {
        "allocate_address": True, "alternate_pan_coordinator": False, "security_capability": False, "reserved": False,
        "receiver_on_when_idle": None if sleepy is None else not sleepy, "full_function_device": router,
    }
    for name, value in wanted.items():
        if value is not None and bool(getattr(capability, name)) != value:
            yield name.replace("_", " "), (str(int(value)), str(getattr(capability, name)))


def device_polls_for_the_response(trace: Trace) -> Iterator[Finding]:
    """05-POLLS: the device fetches the association response with a data request that carries its EUI-64."""
    heard = air(trace)
    for each in of_the_device(trace):
        if not each.request.arrived or not heard.is_acknowledged(each.request):
            continue
        limit = min(each.until, each.request.time + RESPONSE_TIME)
        during = heard.between(each.request.time, limit)
        poll = next((other for other in during if _is_poll_by(other, each.device)), None)
        if poll is not None:
            yield passed("the device polled for the association response", each.request.number, poll.number)
        elif each.responses:
            yield passed("the device had its response without a poll", each.request.number, each.responses[0].number)
        elif attested(trace, Point.MAC, each.request.time, limit, each.request.channel):
            yield failed(
                "the device asked to be let in and never polled for the answer", each.request.number,
                expected="a data request with its EUI-64", observed=f"none in {limit - each.request.time:.1f} s",
                hint="never-polls",
            )


def nobody_is_let_in_outside_a_window(trace: Trace) -> Iterator[Finding]:
    """05-CLOSED: when no window is open no association succeeds; silence is right, a refusal is allowed."""
    heard, ordered, pan = air(trace), windows(trace), _pan_of_esi(trace)
    decided, unheard = False, None
    for each in associations(trace):
        if not each.request.arrived or each.pan != pan:
            continue
        demand(trace, Unknown.ORDER)
        if any(window.is_open(each.request.time, -REACTION) for window in ordered):
            continue
        answers = {response.find(mac.AssociationResponse).status: response for response in each.responses}
        if mac.AssociationStatus.SUCCESS in answers:
            decided = True
            yield failed(
                f"{each.device} was let in at {each.request.time:.3f} s, when no window was open", each.request.number,
                answers[mac.AssociationStatus.SUCCESS].number, expected="no answer, or access denied", observed="success",
                hint="admits-when-closed",
            )
        elif not heard.is_acknowledged(each.request) and not answers:
            continue  # nothing shows that the ESI had the request
        elif answers or attested(trace, Point.MAC, each.request.time, each.request.time + RESPONSE_TIME, each.request.channel):
            decided = True
            yield passed(f"{each.device} was not let in, no window being open", each.request.number)
        else:
            unheard = each
    if unheard is not None and not decided:
        yield inconclusive("what became of an association was not heard", unheard.request.number)


def full_network_says_so(trace: Trace) -> Iterator[Finding]:
    """05-CAPACITY: an ESI that has no room, by its beacon, answers an association with status 01 and no short address."""
    beacons = [each for each in air(trace).of(mac.Beacon) if each.sent and is_by_esi(each)]
    for each in associations(trace):
        last = next((beacon for beacon in reversed(beacons) if _is_of(beacon, each) and beacon.time < each.request.time), None)
        if last is None or last.find(mac.Beacon).end_device_capacity or not each.responses:
            continue
        answer = each.responses[0].find(mac.AssociationResponse)
        said, wanted = (answer.status, answer.short_address), (mac.AssociationStatus.PAN_AT_CAPACITY, mac.BROADCAST)
        if said == wanted:
            yield passed("the ESI said that it has no room", last.number, each.responses[0].number)
        elif last.find(mac.Beacon).association_permit:
            yield failed(
                "the ESI has no room and does not say so", last.number, each.responses[0].number,
                expected=f"status {wanted[0]:02x}, short address {wanted[1]:04x}",
                observed=f"status {said[0]:02x}, short address {said[1]:04x}",
                hint="refusal-with-address" if said[0] == wanted[0] else "admits-without-room",
            )


def device_leaves_a_network_whose_key_does_not_fit(trace: Trace) -> Iterator[Finding]:
    """05-NOT-ELSEWHERE: let into another network and given a key that does not fit, the device leaves it and goes on."""
    heard, pan = air(trace), _pan_of_esi(trace)
    for each in of_the_device(trace):
        if each.granted is None or pan is None or each.pan == pan:
            continue
        demand(trace, Unknown.HELD)
        given = each.granted.time
        stays = next((
            other for other in heard.between(given + LEAVING_TIME, each.until)
            if other.mac is not None and (other.mac.dest_pan, other.mac.source_short) == (each.pan, each.short_address)
        ), None)
        if stays is not None:
            yield failed(
                "the device stays in a network whose key does not fit", each.request.number, stays.number,
                expected=f"nothing from {each.short_address:04x} in PAN {each.pan:04x} after {LEAVING_TIME:g} s",
                observed=f"a frame at {stays.time:.3f} s", hint="waits-for-a-key-for-ever",
            )
        elif any(later.pan == pan for later in of_the_device(trace) if later.request.time > given):
            yield passed("the device left a network whose key does not fit, and went on to another", each.request.number)
        elif _invites(trace, given + SEARCH_TIME) and attested(trace, Point.MAC, given, given + SEARCH_TIME):
            yield failed(
                "the device did not go on to another network when a key did not fit", each.request.number,
                expected=f"an association with PAN {pan:04x}", observed=f"none in {SEARCH_TIME:g} s",
                hint="same-network-again" if _comes_again(trace, each) else "waits-for-a-key-for-ever",
            )


def _comes_again(trace: Trace, association: Association) -> bool:
    """Whether the device asks the same network once more."""
    return any(
        later.pan == association.pan for later in of_the_device(trace) if later.request.time > association.request.time
    )


def _cause_in_request(wrong: str, said: Eui64, own: Eui64) -> str:
    """What explains the first thing that an association request says wrong."""
    if wrong == "EUI-64":
        return "eui64-reversed" if said.octets == own.octets[::-1] else "eui64-of-another"
    return {
        "full function device": "capability-of-a-router", "receiver on when idle": "receiver-misstated",
        "allocate address": "asks-no-address",
    }.get(wrong, "capability-wrong")


def _invites(trace: Trace, before: float) -> bool:
    """Whether the ESI showed itself to the device as a network that it could join."""
    beacons = (each for each in air(trace).of(mac.Beacon) if each.arrived and each.time < before and is_by_esi(each))
    return any(
        said.association_permit and said.stack_profile == STACK_PROFILE
        for said in (each.find(mac.Beacon) for each in beacons)
    )


def _is_of(beacon: Heard, association: Association) -> bool:
    parent = association.request.mac.dest_short
    asked = nwk.COORDINATOR if parent is None else parent  # a PAN coordinator need not be named (05-3474 annex D.3)
    return (beacon.mac.source_pan, beacon.mac.source_short) == (association.pan, asked)


def _is_poll_by(heard: Heard, device: Eui64) -> bool:
    return heard.find(mac.DataRequest) is not None and heard.mac.source_ieee == device


def _pan_of_esi(trace: Trace) -> int | None:
    return next((int(each.frame.pan) for each in air(trace) if is_by_esi(each) and each.frame.pan is not None), None)
