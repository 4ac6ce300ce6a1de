"""A device or a meter that is replaced: whether everybody follows the new pair, and lets the old one be. Knows no bench."""

from __future__ import annotations

from collections.abc import Iterator
from math import inf

from harness.checkers.apart import apart, orders_of, swapped_at
from harness.checkers.associations import associations
from harness.checkers.course import POINTS, PRODUCERS, Shown, course
from harness.checkers.orders import windows
from harness.checkers.reading import attested, marks
from harness.checkers.whole_run import BEFORE
from harness.composite import step_inside
from harness.inquiry import DEVICES_AT, answers
from harness.trace import Trace
from harness.usecase import Actor, Point
from harness.verdict import Finding, failed, passed

FOLLOWING_TIME = 90.0  # seconds; PROFILE: in which a step of the new pair comes about, once those that it rests on have


def follows_the_new_pair(trace: Trace, judged: Actor) -> Iterator[Finding]:
    """SEQ-SWAP: after a device or a meter was replaced, each step comes about for the new pair, and no message is of the old."""
    at, told = swapped_at(trace), trace.header.about.get("second")
    if told is None or at == inf or judged in told["places"]:
        return  # nothing was replaced, or what is judged went with it
    part = apart(trace)[1]
    for step in (each for each, producer in PRODUCERS.items() if producer is judged and not step_inside(part.header.dut, each)):
        yield from _followed(part, step, at)
    about_new = {each.number for each in part}
    about_old = [each for each in trace.at(Point.CIM, Point.LEG) if each.time >= at and each.number not in about_new]
    told_of_it = min((each.number for each in about_old if each.receiver == judged), default=inf)  # it passes that on, or answers
    stale = [each.number for each in about_old if each.producer == judged and each.number < told_of_it]
    if stale:
        yield failed(
            f"the {judged} speaks of what was replaced", *stale, expected=f"nothing of it after {at:.3f} s",
            observed=f"{len(stale)} messages", hint="first-pair-kept",
        )


def _followed(part: Trace, step: int, at: float) -> Iterator[Finding]:
    order = part.header.order
    visible = [
        each for each in BEFORE.get(step, ()) if POINTS[each] in part.observed() and not step_inside(part.header.dut, each)
    ]
    over = [_first_over(part, earlier, at) for earlier in visible]
    shown = [each for each in course(part, step) if each.begun >= at]
    right = next((each for each in shown if each.device == order.device), None)
    if right is not None:
        yield passed(f"step {step} came about for the new pair", right.number)
    elif max(over, default=at) < inf and attested(part, POINTS[step], at, max(over, default=at) + FOLLOWING_TIME):
        yield failed(
            f"step {step} did not come about for the new pair", *(each.number for each in shown[:1]),
            expected=f"{order.device} at {order.meter}", observed=str(shown[0].device) if shown else "nothing",
            hint="first-pair-kept" if shown else "new-pair-refused",
        )


def _first_over(part: Trace, step: int, at: float) -> float:
    seen: list[Shown] = [each for each in course(part, step) if each.begun >= at and each.device == part.header.order.device]
    return min((each.over for each in seen), default=inf)


def joins_the_new_meter(trace: Trace) -> Iterator[Finding]:
    """SEQ-SWAP of the HAN Device: reset and taken to another meter, it asks to be let in there."""
    at, told = swapped_at(trace), trace.header.about.get("second")
    if told is None or at == inf or Actor.HAN_DEVICE in told["places"]:
        return
    part = apart(trace)[1]
    started = next((each for each in marks(part, "start_joining", Actor.HAN_DEVICE) if each >= at), inf)
    asked = next((each for each in associations(part) if each.request.time >= started), None)
    if asked is not None:
        yield passed("the device asked to be let in at the new meter", asked.request.number)
    elif windows(part) and attested(part, Point.MAC, started, started + FOLLOWING_TIME):
        yield failed(
            "the device did not ask to be let in at the new meter", expected="an association request", observed="none",
            hint="membership-kept-over-reset",
        )


def a_device_is_at_one_premise(trace: Trace) -> Iterator[Finding]:
    """SEQ-SWAP of the CIS: asked when a device was taken to another meter, it has the device there and no longer where it was."""
    orders, at = orders_of(trace), swapped_at(trace)
    if at == inf or orders[0].device != orders[-1].device or not course(apart(trace)[1], 14):
        return
    device = orders[0].device
    said = {
        exchange.about["of"]: (exchange.number, text.split()) for exchange, text in answers(trace, Actor.CIS, DEVICES_AT)
        if exchange.time >= at
    }
    if not {order.premise for order in orders} <= said.keys():
        return
    numbers = [said[order.premise][0] for order in orders]
    held = [order.premise for order in orders if str(device) in said[order.premise][1]]
    if held == [orders[1].premise]:
        yield passed(f"{device} is at its new premise alone", *numbers)
    else:
        yield failed(
            f"{device} is not at its new premise alone", *numbers, expected=orders[1].premise,
            observed=", ".join(held) or "at no premise", hint="device-at-every-premise" if len(held) > 1 else "linkage-forgotten",
        )
