"""Step 5: how the HAN Device begins, and how it looks for networks: on which channels, and with which pauses. Knows no bench.

Beacon requests carry no source: where a capture cannot tell who sent one, it counts as the device's.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise

from dissectors import mac
from dissectors.smart_energy import ALL_CHANNELS, PREFERRED_CHANNELS, SCAN_ATTEMPTS, TIME_BETWEEN_SCANS
from harness.checkers.associations import of_the_device
from harness.checkers.reading import Heard, air, attested, demand, marks, restarted
from harness.checkers.standstill import surest
from harness.errors import Inconclusive
from harness.trace import Trace, Unknown
from harness.usecase import Actor, Point
from harness.verdict import Finding, failed, inconclusive, passed

START_TIME = 60.0  # PROFILE: seconds in which a device that is switched on begins to look for a network
DWELL = 0.5  # seconds within which a second beacon request on the same channel belongs to the same scan
PUNCTUALITY = 0.9  # share of a pause that must have passed: clocks differ
BACK_OFF = 10 * TIME_BETWEEN_SCANS  # PROFILE: less than this is no backing off; Smart Energy 1.1 says a minute or so


def device_starts_as_claimed(trace: Trace) -> Iterator[Finding]:
    """05-BUTTON: with power, a device that joins by itself looks for a network, and one that has a button waits for that."""
    if beacon_requests(trace):
        demand(trace, Unknown.BY_HAND)
    claimed, pressed = trace.header.pics.get("joins_by_itself"), marks(trace, "start_joining", Actor.HAN_DEVICE)
    for powered in marks(trace, "power_cycle", Actor.HAN_DEVICE):
        if any(start <= powered for start in pressed):
            continue
        limit = min([powered + START_TIME, *pressed])
        first = next((each for each in beacon_requests(trace) if powered < each.time <= limit), None)
        if claimed is None:
            yield inconclusive("PICS item joins_by_itself is unset", expected="yes or no", observed="unset")
        elif first is not None and claimed:
            yield passed("the device looked for a network by itself when it had power", first.number)
        elif first is not None:
            yield failed(
                "the device looked for a network before its button was pressed", first.number,
                expected="nothing, as PICS item joins_by_itself says", observed="a beacon request", hint="joins-without-button",
            )
        elif attested(trace, Point.MAC, powered, limit) and claimed:
            yield failed(
                "the device had power and did not look for a network by itself", expected="beacon requests, as PICS item "
                "joins_by_itself says", observed=f"none in {limit - powered:g} s on the channels heard", hint="needs-a-button",
            )
        elif attested(trace, Point.MAC, powered, limit):
            yield passed("the device waited for its button")


def device_scans(trace: Trace) -> Iterator[Finding]:
    """05-SCANS: the device asks for beacons, on the preferred channels of Smart Energy first."""
    requests = beacon_requests(trace)
    if not requests:
        yield from _silent_starts(trace)
        return
    order = tuple(dict.fromkeys(_channel(each) for each in requests))
    heard = [channel for channel in ALL_CHANNELS if _is_heard(trace, channel, requests[0].time)]
    missing = [channel for channel in PREFERRED_CHANNELS if channel in heard]
    for channel in order:
        if channel in missing:
            missing.remove(channel)
        elif missing and channel not in PREFERRED_CHANNELS:
            demand(trace, Unknown.BY_HAND)  # without it nobody knows with which request the scan began
            yield failed(
                f"the device looked for networks on channel {channel} before it did on preferred ones", requests[0].number,
                expected=f"first {', '.join(map(str, PREFERRED_CHANNELS))}", observed=", ".join(map(str, order)),
                hint="channels-without-preference",
            )
            return
    seen = "" if len(heard) > 1 else "; in which order channels are scanned cannot be seen"
    yield passed(f"the device asked for beacons{seen}", requests[0].number, observed=", ".join(map(str, order)))


def _silent_starts(trace: Trace) -> Iterator[Finding]:
    for start in marks(trace, "start_joining", Actor.HAN_DEVICE):
        broken_off = restarted(trace, Actor.HAN_DEVICE, start, start + START_TIME)
        if not broken_off and attested(trace, Point.MAC, start, start + START_TIME):
            yield failed(
                "the device was switched on and looked for no network", expected="beacon requests",
                observed=f"none in {START_TIME:g} s on the channels heard", hint="never-scans",
            )


def device_scans_with_pauses(trace: Trace) -> Iterator[Finding]:
    """05-SCAN-ATTEMPTS: a device that finds nothing scans three times with pauses of a second, then backs off."""
    series = [_scans(each) for each in _series(trace)]
    wrong = list(surest(trace, (fail for scans in series for fail in _without_pause(scans))))
    yield from wrong
    if wrong:
        return
    paused = [scans for scans in series if len(scans) > 1]
    for scans in paused:
        yield passed("the device pauses between its scans", scans[0][0].number, scans[-1][0].number)
    if not paused and len(air(trace).of(mac.BeaconRequest)) > len(beacon_requests(trace)):
        demand(trace, Unknown.SENDER)


def _without_pause(scans: list[list[Heard]]) -> Iterator[Finding]:
    burst = 1
    for place, (earlier, later) in enumerate(pairwise(scans)):
        pause = later[0].time - earlier[-1].time
        burst = burst + 1 if pause < BACK_OFF else 1
        numbers = (earlier[-1].number, later[0].number)
        if pause < TIME_BETWEEN_SCANS * PUNCTUALITY:
            yield failed(
                "the device scanned again without a pause", *numbers, expected=f"{TIME_BETWEEN_SCANS:g} s between scans",
                observed=f"{pause:.3f} s", hint="scans-without-pause",
            )
        elif burst > SCAN_ATTEMPTS:
            first = scans[place + 1 - SCAN_ATTEMPTS][0].number  # of as many as are too many: what was before need not be seen
            yield failed(
                "the device goes on scanning without backing off", first, *numbers,
                expected=f"{SCAN_ATTEMPTS} scans, then a longer pause", observed=f"{burst} scans, {pause:.3f} s apart",
                hint="scans-never-back-off",
            )


def _series(trace: Trace) -> Iterator[list[Heard]]:
    """The beacon requests between one attempt to associate, or being switched on, and the next."""
    edges = sorted([
        *(each.request.time for each in of_the_device(trace)), *marks(trace, "start_joining", Actor.HAN_DEVICE),
        *marks(trace, "power_cycle", Actor.HAN_DEVICE), float("inf"),
    ])
    requests = beacon_requests(trace)
    for start, end in pairwise([float("-inf"), *edges]):
        during = [each for each in requests if start < each.time <= end]
        if during:
            yield during


def _scans(requests: Sequence[Heard]) -> list[list[Heard]]:
    """Beacon requests by scan: a new one begins where a channel comes again."""
    scans: list[list[Heard]] = []
    for each in requests:
        current = scans[-1] if scans else []
        again = any(_channel(other) == _channel(each) for other in current)
        repeated = bool(current) and _channel(current[-1]) == _channel(each) and each.time - current[-1].time < DWELL
        if not current or (again and not repeated):
            scans.append([each])
        else:
            current.append(each)
    return scans


def beacon_requests(trace: Trace) -> list[Heard]:
    """The beacon requests that the device sent, or may have sent."""
    requests = air(trace).of(mac.BeaconRequest)
    return [each for each in requests if each.sent and each.exchange.producer in (None, Actor.HAN_DEVICE)]


def _channel(heard: Heard) -> int:
    channel = heard.channel.rpartition(":")[2]
    if not channel.isdecimal():
        raise Inconclusive("on which channel beacons were asked for is not in the capture")
    return int(channel)


def _is_heard(trace: Trace, channel: int, at: float) -> bool:
    media = {each.medium for each in trace.attestations if each.medium.rpartition(":")[2] == str(channel)}
    return any(attested(trace, Point.MAC, at, at, medium) for medium in media)
