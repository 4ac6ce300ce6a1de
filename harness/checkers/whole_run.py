"""The whole run: one order, one device, one window, one key from step 1 to step 14, each step after those it rests on.

A step that nobody listens to is left out of what is asked: a bench with a real meter does not see leg 4. Of a step inside the
DUT the ones are asked that it rests on.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress

from dissectors import aps, mac, nwk, zdp
from harness.backhaul.message import LegKind
from harness.checkers.associations import mistake_in_sealing
from harness.checkers.attempts import ANSWER_TIME, Attempt, attempts
from harness.checkers.confidentiality import tells, without_its_place
from harness.checkers.correspondence import carried, letters
from harness.checkers.course import POINTS, PRODUCERS, Shown, course
from harness.checkers.key_agreement import agreement
from harness.checkers.legs import LEG_2, LEG_3, LEG_4
from harness.checkers.orders import REACTION, windows
from harness.checkers.reading import Heard, air, attested, marks, restarted
from harness.checkers.standstill import stopped_within
from harness.composite import step_inside
from harness.crypto.install_code import InstallCodeError, ordered_link_key
from harness.trace import Trace
from harness.usecase import Actor, Point
from harness.values import Eui64
from harness.verdict import Finding, failed, inconclusive, passed

BEFORE: dict[int, tuple[int, ...]] = {  # what is over before a step begins; rows 7 and 8 may come in either order
    2: (1,), 3: (2,), 4: (3,), 5: (4,), 6: (5,), 7: (6,), 8: (6,), 9: (7, 8), 10: (8,), 11: (10,), 12: (11,), 13: (12,),
    14: (13,),
}
CARRYING = (1, 2, 3, 4, 6, 10, 11, 12, 13, 14)  # the steps whose message names the device
INSTANT = 1e-6  # seconds
EARLY = {  # causes, by the step that begins too early
    9: "asks-before-registering", 10: "reports-before-registration", 11: "reports-unprompted", 12: "reports-unprompted",
    13: "linkage-unprompted", 14: "linkage-unprompted",
}
RETURNING = {  # causes, by where the joining of a device that was reset ended
    "it did not associate": "membership-kept-over-reset", "it was sent no network key": "stale-link-key",
}
JOINING_TIME = 120.0  # seconds from switching a device on again to the end of its registration


def keeps_the_order(trace: Trace, judged: Actor) -> Iterator[Finding]:
    """SEQ-ORDER: none of an actor's steps begins before those that it rests on are over."""
    seen = trace.observed()
    wanted = (trace.header.order.device, None)
    for step in (each for each, producer in PRODUCERS.items() if producer is judged and each in BEFORE):
        own = (each for each in course(trace, step) if step not in CARRYING or each.device in wanted)  # else SEQ-MAC-CHAIN asks
        begun = next(own, None)
        for earlier in (each for each in _rests_on(trace, step) if begun is not None and POINTS[each] in seen):
            assert begun is not None
            over = min(course(trace, earlier), key=lambda each: each.over, default=None)
            if over is None or over.over > begun.begun:
                yield failed(
                    f"step {step} began before step {earlier} was over", begun.number,
                    expected=f"step {earlier} first", observed=f"step {step} at {begun.begun:.3f} s",
                    hint=EARLY.get(step),
                )
            else:
                yield passed(f"step {step} came after step {earlier}", over.number, begun.number)


def _rests_on(trace: Trace, step: int) -> tuple[int, ...]:
    """The steps that a step rests on; in place of one that lies inside the DUT, those which that rests on."""
    found: dict[int, None] = {}
    for each in BEFORE.get(step, ()):
        found |= dict.fromkeys(_rests_on(trace, each) if step_inside(trace.header.dut, each) else (each,))
    return tuple(found)


def follows_the_device(trace: Trace, judged: Actor) -> Iterator[Finding]:
    """SEQ-MAC-CHAIN: every step is about the device that was ordered in step 1; whoever is told of another may say so."""
    wanted = trace.header.order.device
    shown = [(each, step) for step in CARRYING if PRODUCERS[step] is judged for each in course(trace, step)]
    if judged is Actor.HAN_DEVICE:
        shown = [(each, 0) for each in _announcements(trace)]
    for each, step in shown:
        if each.device is None:
            continue  # an address that cannot be read is its step's own affair
        told = {before.device for earlier in _rests_on(trace, step) for before in course(trace, earlier)}
        if each.device == wanted:
            yield passed(f"it is about {wanted}", each.number)
        elif each.device not in told:
            yield failed(
                f"the {judged} speaks of another device than the one ordered", each.number, expected=str(wanted),
                observed=str(each.device), hint=_whose(each.device, wanted, judged),
            )


def _whose(said: Eui64, wanted: Eui64, judged: Actor) -> str:
    if said == Eui64(int.from_bytes(wanted.octets, "little")):
        return "eui64-reversed"
    return "announces-another" if judged is Actor.HAN_DEVICE else "reports-another"


def stays_in_the_window(trace: Trace) -> Iterator[Finding]:
    """SEQ-WINDOW-CHAIN: the network key is given inside the window that was ordered in step 1, and not outside it."""
    order = trace.header.order
    window = f"{order.start:.0f} s to {order.end:.0f} s"
    admitted = [each for each in course(trace, 6) if each.device == order.device]
    for each in admitted:
        if order.start - stopped_within(trace, 0.0, each.begun) <= each.begun <= order.end + REACTION:
            yield passed("the device was let in inside the window ordered", each.number, observed=f"{each.begun:.1f} s")
        else:
            yield failed(
                "the device was let in outside the window ordered", each.number,
                expected=window, observed=f"{each.begun:.1f} s",
                hint="window-end-ignored" if each.begun > order.end else None,
            )
    for started in marks(trace, "start_joining", Actor.HAN_DEVICE):
        looks = next((each for each in air(trace).of(mac.BeaconRequest) if each.time > started), None)
        outside = started >= order.end and not any(each.begun > started for each in admitted)
        if looks is not None and outside and attested(trace, Point.MAC, started, looks.time + ANSWER_TIME):
            yield passed("the device came when the window ordered was over and was not let in", looks.number)


def seals_with_the_ordered_key(trace: Trace) -> Iterator[Finding]:
    """SEQ-KEY-CHAIN: the key ordered in step 1 opens the Transport-Key of step 6."""
    order = trace.header.order
    wanted = b""
    with suppress(InstallCodeError):
        wanted = ordered_link_key(order.key_form, order.key_material)
    told = {window.link_key for window in windows(trace)}
    for heard in _sealed_for_joiners(trace):
        if wanted and heard.frame.aps_key != wanted and heard.frame.aps_key in told:
            continue  # whoever is told of another key seals with that
        if not wanted:
            yield inconclusive("the key that was ordered is not in the evidence", heard.number, expected="the order's key")
        elif heard.frame.aps_key == wanted:
            yield passed("the key ordered in step 1 opens the network key", heard.number)
        else:
            yield failed(
                "the network key is not sealed with the key ordered in step 1", heard.number,
                expected="the key-transport key of the ordered key", observed=_sealing(heard),
                hint=mistake_in_sealing(trace, heard),
            )


def leaks_nothing(trace: Trace, judged: Actor) -> Iterator[Finding]:
    """SEQ-NO-LEAK: no key of the run stands in what an actor sends or logs but where it belongs."""
    keys = [key.octets for key in trace.keys]
    order = trace.header.order
    secrets = [secret for secret in (order.key_material, *keys) if secret]
    own = [each for each in trace if each.producer == judged and "instead_of" not in each.about]
    if own and not order.key_material:
        yield inconclusive("the key that was ordered is not in the evidence", own[0].number, expected="the order's key")
        return
    proper = _proper_places(trace, judged)
    telling = [each.number for each in own if tells(proper.get(each.number, each.octets), secrets)]
    own_points = {each.point for each in own if each.number in telling}
    if telling:
        yield failed(
            f"the {judged} tells a key of the run", *telling, expected="keys in orders and sealed frames alone",
            observed=f"{len(telling)} exchanges with one in the clear",
            hint="key-in-the-clear" if own_points == {Point.MAC} else "key-in-a-log" if own_points == {Point.LOG} else None,
        )
    elif own:
        yield passed(f"the {judged} tells no key", own[0].number, own[-1].number)


def provisions_again(trace: Trace, judged: Actor) -> Iterator[Finding]:
    """SEQ-RE-PROVISION: a device that was reset joins and registers like a new one, and gets another key."""
    device = trace.header.order.device
    reset = next(iter(marks(trace, "factory_reset", Actor.HAN_DEVICE)), None)
    mine = [each for each in attempts(trace) if each.device == device]
    before = [each for each in mine if reset is not None and each.completed and each.said[0].time < reset]
    begun = next((at for at in marks(trace, "start_joining", Actor.HAN_DEVICE) if reset is not None and at >= reset), None)
    if reset is None or begun is None or not before:
        return
    again = [each for each in mine if each.said[0].time > reset]
    done = next((each for each in again if each.completed), None)
    if done is not None:
        yield from _with_another_key(trace, before[-1], done)
        return
    asked = [
        each for each in air(trace).of(mac.AssociationRequest)
        if each.time > reset and each.mac.source_ieee == device and each.arrived
    ]
    keyed = [each for each in course(trace, 6) if each.device == device and each.begun > reset]
    stage, at_fault = _where_it_ended(bool(asked), bool(keyed), again[-1] if again else None)
    disturbed = restarted(trace, Actor.HAN_DEVICE, reset + INSTANT, begun + JOINING_TIME)
    if at_fault is judged and not disturbed and attested(trace, Point.MAC, reset, begun + JOINING_TIME):
        yield failed(
            f"a device that had been reset was not provisioned again: {stage}", before[-1].said[-1].number,
            *[each.number for each in asked[:1]], *[each.number for each in keyed[:1]],
            expected="another link key", observed="none", hint=RETURNING.get(stage, "returning-broken-off"),
        )


def _where_it_ended(asked: bool, keyed: bool, attempt: Attempt | None) -> tuple[str, Actor]:
    """How far a joining went that came to nothing, and by whom it was left there."""
    if not asked:
        return "it did not associate", Actor.HAN_DEVICE
    if not keyed:
        return "it was sent no network key", Actor.ESI
    if attempt is None:
        return "it did not begin key establishment", Actor.HAN_DEVICE
    return "key establishment came to nothing", attempt.said[-1].by


def _with_another_key(trace: Trace, first: Attempt, second: Attempt) -> Iterator[Finding]:
    old, new = agreement(trace, first), agreement(trace, second)
    numbers = first.said[-1].number, second.said[-1].number
    if old is not None and new is not None and old.right.key_data == new.right.key_data:
        yield failed(
            "the device got the key again that it had before its reset", *numbers, expected="another link key",
            observed="the same", hint="link-key-again",
        )
    else:
        yield passed("the device was provisioned again", *numbers)


def _announcements(trace: Trace) -> Iterator[Shown]:
    """What devices that were let in say of themselves: in Device_annce, and in the certificate of step 8."""
    heard = air(trace)
    for each in heard.of(zdp.DeviceAnnce):
        if each.mac.source_short != nwk.COORDINATOR:  # which sends on what its children announce
            yield Shown(each.number, each.time, each.time, Eui64(each.find(zdp.DeviceAnnce).ieee_addr))


def _sealed_for_joiners(trace: Trace) -> Iterator[Heard]:
    """Secured APS commands from the ESI to a device that has no network key yet."""
    for each in air(trace):
        if each.aps is None or each.nwk is None or each.frame.security.nwk is not None or not air(trace).from_coordinator(each):
            continue
        if each.aps.frame_type == aps.FrameType.COMMAND and each.aps.security_enabled:
            yield each


def _sealing(heard: Heard) -> str:
    kind = {"ic": "another key made from an install code", "link": "an established key"}.get(str(heard.frame.aps_key_kind))
    return kind or f"a key that opens nothing: {heard.frame.security.aps}"


def _proper_places(trace: Trace, judged: Actor) -> dict[int, bytes]:
    """Orders without their key element, by exchange: there, and only there, a key belongs."""
    places = {letter.number: without_its_place(letter) for letter in letters(trace, judged)}
    for leg in (LEG_2, LEG_3, LEG_4):
        for each in carried(trace, leg.producer, leg.receiver, LegKind.OPEN_WINDOW) if leg.producer is judged else ():
            key = each.message.key_material if each.message is not None else None
            places[each.number] = each.exchange.octets.replace(key or b"", b"", 1) if key else each.exchange.octets
    return places
