"""Step 4, the ESI's side: whether association is permitted when the windows ordered say so, and for whom. Knows no bench.

What an ESI permits shows in its beacons and in the permit-join broadcasts that it sends to routers. Within REACTION seconds of
an edge nothing is judged.
"""

from __future__ import annotations

from collections.abc import Iterator

from dissectors import mac, zdp
from harness.backhaul.message import LegKind, LegState
from harness.checkers.associations import Association, associations, carries_network_key, is_by_esi, mistake_in_sealing
from harness.checkers.correspondence import Carried, carried
from harness.checkers.legs import LEG_10, LEG_11, LEG_12
from harness.checkers.orders import REACTION, Window, arrival, flaw, orders, windows
from harness.checkers.reading import Heard, air, attested, marks
from harness.composite import inside
from harness.trace import Trace
from harness.usecase import Actor, Point
from harness.verdict import Finding, failed, inconclusive, noted, passed

LONGEST_PERMIT = 254  # seconds that one Mgmt_Permit_Joining_req asks for at most (SE 1.0, 5.4.1)
WITHOUT_END = 255  # its duration that never runs out (05-3474, 2.4.3.3.7)
ANSWER_TIME = 60.0  # PROFILE: seconds in which an ESI reports that it refused an order


def window_opens(trace: Trace) -> Iterator[Finding]:
    """04-OPENS: while a window is new, beacons permit association."""
    for window in windows(trace):
        yield from _permitted(trace, window, window.opens, window.opens + LONGEST_PERMIT)


def window_is_extended(trace: Trace) -> Iterator[Finding]:
    """04-EXTENDS: a window longer than one permit-join stays open to its end."""
    for window in windows(trace):
        yield from _permitted(trace, window, window.opens + LONGEST_PERMIT, window.ends)


def window_closes(trace: Trace) -> Iterator[Finding]:
    """04-CLOSES: before every window, after its end and after its withdrawal nothing permits association."""
    ordered = windows(trace)
    wrong = [each for each in _beacons(trace) if _is_closed(ordered, each.time) and _permits(each)]
    right = [
        each for each in _beacons(trace)
        if not _permits(each) and not any(window.is_open(each.time) for window in ordered)
    ]
    for beacon in wrong[:1]:
        yield failed(
            f"a beacon permits association outside of every window, at {beacon.time:.3f} s", *_numbers(ordered), beacon.number,
            expected=f"no permission; windows: {_spans(ordered)}", observed=f"permitted, {len(wrong)} times in all",
            hint=_why_open(trace, ordered, beacon),
        )
    if right and not wrong:
        yield passed("outside of the windows beacons permit no association", *_numbers(ordered), right[-1].number)
    yield from _routers_are_closed(trace, ordered)


def _routers_are_closed(trace: Trace, ordered: tuple[Window, ...]) -> Iterator[Finding]:
    """What was broadcast to routers: it has run out, or was taken back, when the last of the windows is over."""
    broadcasts = [each for each in air(trace).of(zdp.MgmtPermitJoiningReq) if each.sent and is_by_esi(each)]
    endless = next((each for each in broadcasts if _duration(each) == WITHOUT_END), None)
    if endless is not None:
        yield noted(
            "joining was permitted without end in a broadcast", endless.number,
            expected=f"at most {LONGEST_PERMIT} s, as later revisions of Smart Energy say", observed=str(WITHOUT_END),
        )
    over = max((window.ends for window in ordered), default=None)
    if over is None or not attested(trace, Point.MAC, over, over + REACTION):
        return
    last = next((each for each in reversed(broadcasts) if each.time <= over + REACTION), None)
    if last is None:
        return
    permitted_until = float("inf") if _duration(last) == WITHOUT_END else last.time + _duration(last)
    if permitted_until > over + REACTION:
        yield failed(
            "routers go on permitting association when the window is over", *_numbers(ordered), last.number,
            expected=f"no permission after {over:.3f} s", observed=f"permitted until {permitted_until:.3f} s",
            hint=next((_why_open(trace, ordered, each) for each in _beyond(trace, ordered)), "routers-left-open"),
        )
    else:
        yield passed("no router goes on permitting association", *_numbers(ordered), last.number)


def only_the_ordered_device_is_admitted(trace: Trace) -> Iterator[Finding]:
    """04-AUTHORISES: the network key goes to devices that were ordered, sealed with the key that came with the order."""
    ordered = {window.device: window for window in windows(trace)}
    for each in associations(trace) if ordered else ():
        window = ordered.get(each.device)
        keys = [key for key in each.transports if key.sent and is_by_esi(key) and carries_network_key(key)]
        if window is None and keys:
            yield failed(
                f"{each.device} was not ordered and was sent the network key", each.request.number, keys[0].number,
                expected=f"no Transport-Key but for {', '.join(map(str, ordered))}", observed=f"one for {each.device}",
                hint="admits-anybody",
            )
        elif window is None and each.granted is not None:
            yield passed(f"{each.device} was not ordered and was sent no network key", each.request.number)
        elif window is not None:
            for key in keys:
                yield _sealed_as_ordered(trace, window, key)


def _sealed_as_ordered(trace: Trace, window: Window, key: Heard) -> Finding:
    numbers = [number for number in (window.number, key.number) if number]
    if window.link_key is None:
        return inconclusive("the ordered key was withheld from the evidence", *numbers, expected="the ordered key")
    if key.frame.aps_key == window.link_key:
        return passed("the network key was sealed with the ordered key", *numbers)
    return failed(
        "the network key was not sealed with the key that was ordered", *numbers,
        expected=f"the key ordered for {window.device}", hint=mistake_in_sealing(trace, key),
        observed="no APS security" if key.frame.security.aps is None else "another key",
    )


def flawed_code_opens_nothing(trace: Trace) -> Iterator[Finding]:
    """04-BAD-CODE: an install code whose length or CRC is wrong is refused; no window opens for it, and that is reported."""
    ordered = windows(trace)
    for each in orders(trace):
        message, at = each.message, arrival(each)
        assert message is not None
        fault = flaw(message) if message.kind is LegKind.OPEN_WINDOW else None
        if fault is None:
            continue
        states = [
            report for report in _reports(trace)
            if report.message is not None and report.message.sequence == message.sequence
        ]
        opened = next((report.number for report in states if report.message and report.message.state is LegState.OPENED), None)
        if opened is None:
            permitted = (beacon for beacon in _beacons(trace) if beacon.time > at and _permits(beacon))
            opened = next((beacon.number for beacon in permitted if _is_closed(ordered, beacon.time)), None)
        refused = next((report for report in states if report.message and _is_refusal(report.message.kind)), None)
        if opened is not None:
            yield failed(
                "a window was opened for an install code that is wrong", each.number, opened,
                expected=f"a refusal: {fault.flaw}", observed="the window is open",
                hint="install-code-not-checked" if _means_it(trace, at + ANSWER_TIME) else "permit-always-set",
            )
        elif refused is not None:
            yield passed("an install code that is wrong was refused", each.number, refused.number)
        elif attested(trace, Point.LEG, at, at + ANSWER_TIME):
            yield failed(
                "an install code that is wrong opened nothing, and nobody was told", each.number,
                expected="a report of the failure", observed="none", hint="refusal-not-reported",
            )


def _reports(trace: Trace) -> Iterator[Carried]:
    """What the ESI reports, or the DUT that it is a part of."""
    for leg in (LEG_10, LEG_11, LEG_12):
        if not inside(trace.header.dut, (leg.producer, leg.receiver)):
            return carried(trace, leg.producer, leg.receiver)
    return iter(())


def each_window_ends_by_itself(trace: Trace) -> Iterator[Finding]:
    """04-OVERLAP: a device is admitted until the end of its own window, whatever other window is open."""
    ordered = windows(trace)
    for each in associations(trace):
        own = [window for window in ordered if window.device == each.device]
        others = [window for window in ordered if window.device != each.device and window.is_open(each.request.time, REACTION)]
        if not own or not others:
            continue
        keys = [key.number for key in each.transports if key.sent and is_by_esi(key) and carries_network_key(key)]
        numbers = [number for number in (own[-1].number, others[0].number, each.request.number) if number]
        if any(window.is_open(each.request.time, REACTION) for window in own) and each.granted is not None:
            yield _admitted_beside_others(each, keys, numbers)
        elif not any(window.is_open(each.request.time, -REACTION) for window in own):
            if keys:
                yield failed(
                    f"{each.device} was admitted in another device's window", *numbers, keys[0],
                    expected=f"no network key outside of {_spans(tuple(own))}", observed=f"one at {each.request.time:.3f} s",
                    hint="window-end-ignored" if any(_beyond(trace, ordered)) else "windows-merged",
                )
            else:
                yield passed(f"{each.device} was not admitted in another device's window", *numbers)


def _admitted_beside_others(each: Association, keys: list[int], numbers: list[int]) -> Finding:
    if keys:
        return passed(f"{each.device} was admitted in its own window", *numbers, keys[0])
    return failed(
        f"{each.device} was not admitted in its own window", *numbers, expected="the network key", observed="none",
        hint="windows-merged",
    )


def window_survives_a_restart(trace: Trace) -> Iterator[Finding]:
    """04-SURVIVES-RESTART: a window that was open when the ESI lost power is open again when it is back."""
    for at in marks(trace, "power_cycle", Actor.ESI):
        for window in windows(trace):
            if window.opens <= at < window.ends - REACTION:
                yield from _permitted(trace, window, at, window.ends, "window-lost-on-restart")


def _permitted(trace: Trace, window: Window, start: float, end: float, lost: str = "permit-lapses") -> Iterator[Finding]:
    """Whether beacons permit association between `start` and `end`, as far as the window is open then.

    Closing when the ordered device has joined, and before the window's end, is no more than remarkable. `lost` is the cause where
    a window that was open before is open no more.
    """
    beacons = [each for each in _beacons(trace) if start < each.time < end and window.is_open(each.time)]
    permitting = [each for each in beacons if _permits(each)]
    closed = [
        each for each in beacons
        if not _permits(each) and start + REACTION < each.time < end - REACTION and window.is_open(each.time, REACTION)
    ]
    numbers = (window.number,) if window.number else ()
    early = [each for each in closed if not _has_joined(trace, window, each.time)]
    if early:
        yield failed(
            f"a beacon permits no association inside the window, at {early[0].time:.3f} s", *numbers, early[0].number,
            expected=f"association permitted from {window.opens:.3f} s to {window.ends:.3f} s",
            observed=f"not permitted, {len(early)} times in all",
            hint=lost if lost != "permit-lapses" or any(map(_permits, _beacons(trace))) else "permit-never-set",
        )
    elif closed:
        yield noted(
            "the window was closed as soon as its device had joined", *numbers, closed[0].number,
            expected=f"association permitted until {window.ends:.3f} s", observed=f"not permitted at {closed[0].time:.3f} s",
        )
    elif permitting:
        yield passed("beacons permit association inside the window", *numbers, permitting[0].number)


def _why_open(trace: Trace, ordered: tuple[Window, ...], beacon: Heard) -> str:
    """The cause by what was told last: nothing yet, the withdrawal of an order, or the order alone, whose end has passed."""
    told = [each for each in orders(trace) if arrival(each) < beacon.time and each.message is not None]
    last = next((each.message for each in reversed(told) if each.message), None)
    if last is None or not _means_it(trace, beacon.time) or _permitted_before(trace, min(arrival(each) for each in told)):
        return "permit-always-set"
    if last.kind is LegKind.CANCEL_WINDOW:
        return "withdrawal-ignored"
    known = any(window.number == told[-1].number for window in ordered)
    withdrawn = any(each.message.sequence == last.sequence for each in told[:-1] if each.message)
    if withdrawn and not known:
        return "late-order-obeyed"
    return "window-end-ignored"


def _means_it(trace: Trace, at: float) -> bool:
    """Whether the ESI had its routers permit joining when it last told them: its beacons say no more than it knows."""
    told = [each for each in air(trace).of(zdp.MgmtPermitJoiningReq) if each.sent and is_by_esi(each) and each.time < at]
    return bool(told) and _duration(told[-1]) > 0


def _permitted_before(trace: Trace, at: float) -> bool:
    return any(_permits(beacon) for beacon in _beacons(trace) if beacon.time < at)


def _beyond(trace: Trace, ordered: tuple[Window, ...]) -> Iterator[Heard]:
    """Beacons that permit association when every window is over."""
    last = max(window.ends for window in ordered) + REACTION
    return (beacon for beacon in _beacons(trace) if beacon.time > last and _permits(beacon))


def _has_joined(trace: Trace, window: Window, at: float) -> bool:
    announced = air(trace).of(zdp.DeviceAnnce)
    return any(each.time < at and each.find(zdp.DeviceAnnce).ieee_addr == window.device for each in announced)


def _beacons(trace: Trace) -> list[Heard]:
    return [each for each in air(trace).of(mac.Beacon) if each.sent and is_by_esi(each)]


def _permits(beacon: Heard) -> bool:
    return bool(beacon.find(mac.Beacon).association_permit)


def _is_closed(ordered: tuple[Window, ...], at: float) -> bool:
    return not any(window.is_open(at, -REACTION) for window in ordered)


def _duration(broadcast: Heard) -> int:
    return int(broadcast.find(zdp.MgmtPermitJoiningReq).duration)


def _is_refusal(kind: LegKind) -> bool:
    return kind in (LegKind.STATE, LegKind.UNDELIVERABLE)


def _numbers(ordered: tuple[Window, ...]) -> list[int]:
    return [window.number for window in ordered if window.number]


def _spans(ordered: tuple[Window, ...]) -> str:
    return ", ".join(f"{window.opens:.3f} s to {window.ends:.3f} s" for window in ordered) or "none"
