"""Steps 13 and 14: what a linkage of a HAN device says, to the DR Application and on to the CIS. Knows messages, no bench.

Both steps are asked alike, so a checker is made for a route; the order of the trace's header says what is right.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from harness.backhaul.message import LegKind, LegState
from harness.checkers.cim_message import STEP_1, STEP_13, Route, arrival, named, received, sent
from harness.checkers.correspondence import Carried, Letter, carried, instant, profile_of
from harness.checkers.window_granted import command_in
from harness.cim.identity import eui64_of, name_in
from harness.cim.instant import instant_of
from harness.cim.tree import child, text
from harness.cim_profile import CimProfile
from harness.trace import Trace
from harness.usecase import Actor, Check
from harness.values import Eui64
from harness.verdict import Finding, failed, passed

TOLERANCE = timedelta(seconds=1)  # PROFILE: what an instant may be off by on its way from step 10 to step 14
TO_REGISTER = timedelta(seconds=60)  # PROFILE: a device that is inside when the window closes has so long to register


@dataclass(frozen=True)
class LinkageText:
    """What a linkage says, as it is written: None for what is not there."""

    device: str | None
    meter: str | None
    premise: str | None
    agreement: str | None
    effective: str | None
    since: str | None


def text_of(letter: Letter, profile: CimProfile) -> LinkageText | None:
    """What a message says as a linkage, None where it has no payload."""
    payload = letter.message.payload if letter.message is not None else None
    if payload is None:
        return None
    event = child(payload, "ConfigurationEvent")
    device, meter, premise, agreement = (
        name_in(child(payload, linked), name_type) for linked, name_type in (
            ("EndDevice", profile.mac), ("Meter", profile.meter), ("ServiceLocation", profile.premise),
            ("CustomerAgreement", profile.agreement),
        )
    )
    effective, since = text(event, "effectiveDateTime"), text(event, "status", "dateTime")
    return LinkageText(device, meter, premise, agreement, effective, since)


# -- what a linkage says


def names_the_device(route: Route) -> Check:
    """NN-MAC: the EndDevice is the HAN device that was ordered in step 1."""

    def check(trace: Trace) -> Iterator[Finding]:
        wanted = trace.header.order.device
        backwards = Eui64(int.from_bytes(wanted.octets, "little"))
        for letter, told in linkages(trace, route):
            if eui64_of(told.device) == wanted:
                yield passed(f"the linkage is of {wanted}", letter.number)
            else:
                said = eui64_of(told.device)
                unreadable = "mac" if told.device else "name-left-out"
                yield failed(
                    "the linkage is not of the device that was ordered", letter.number,
                    expected=f"EndDevice with the {profile_of(trace).mac} {wanted}, 16 hex digits", observed=told.device or "no address",
                    hint=unreadable if said is None else "eui64-reversed" if said == backwards else "reports-another",
                )

    return named(check, "names the device", route)


def names_the_meter(route: Route) -> Check:
    """NN-METER: the device is linked to the meter that it was ordered for."""
    return _names(route, "meter", lambda told: told.meter, lambda trace: trace.header.order.meter, "meter-of-another")


def names_the_premise(route: Route) -> Check:
    """14-PREMISE: the device is linked to the premise of its customer's enrolment."""
    return _names(route, "premise", lambda told: told.premise, lambda trace: trace.header.order.premise, "premise-of-another")


def _names(
    route: Route, what: str, found: Callable[[LinkageText], str | None], wanted: Callable[[Trace], str], cause: str,
) -> Check:
    def check(trace: Trace) -> Iterator[Finding]:
        for letter, told in linkages(trace, route):
            if found(told) == wanted(trace):
                yield passed(f"the device is linked to the {what} {wanted(trace)}", letter.number)
            else:
                yield failed(
                    f"the device is not linked to its {what}", letter.number, expected=wanted(trace),
                    observed=found(told) or f"no {what}", hint=cause if found(told) else "name-left-out",
                )

    return named(check, f"names the {what}", route)


def times_fit(route: Route) -> Check:
    """NN-TIME-LOGIC: in force since when the step before said so, which in step 12 is inside the window ordered."""

    def check(trace: Trace) -> Iterator[Finding]:
        earliest, latest = _window(trace)
        reported = _reported(trace, route)
        for letter, told in linkages(trace, route):
            effective, since = instant_of(told.effective), instant_of(told.since)
            known = [happened for at, happened in reported if at <= letter.exchange.time]
            if effective is None or (reported and not known):
                continue  # that it is missing, or has no zone, is what the rules say; that it comes too early another clause
            hint = "linkage-in-force-elsewhen"
            if not known and not earliest <= effective <= latest:
                yield failed(
                    "joined outside the window ordered", letter.number, observed=effective.isoformat(),
                    expected=f"between {earliest.isoformat()} and {latest.isoformat()}", hint=hint,
                )
            elif since is not None and since != effective:
                yield failed(
                    "the status is not as old as the linkage", letter.number, expected=str(told.effective),
                    observed=str(told.since), hint=hint,
                )
            elif known and min(abs(happened - effective) for happened in known) > TOLERANCE:
                yield failed(
                    "in force since another time than was reported", letter.number, expected=known[0].isoformat(),
                    observed=effective.isoformat(), hint=hint,
                )
            else:
                yield passed(f"in force since {effective.isoformat()}, as reported", letter.number)

    return named(check, "times fit", route)


def _window(trace: Trace) -> tuple[datetime, datetime]:
    """Between which instants a device of the order can have registered."""
    order = trace.header.order
    return instant(trace, order.start), instant(trace, order.end) + TO_REGISTER


def _reported(trace: Trace, route: Route) -> list[tuple[float, datetime]]:
    """Since when it is so, as the step before says it; and when that said so, seconds."""
    if route is STEP_13:
        return [(arrived_at(each), each.message.at) for each in reported_provisioned(trace) if each.message and each.message.at]
    told = ((arrival(letter), instant_of(linkage.effective)) for letter, linkage in linkages(trace, STEP_13))
    return [(at, effective) for at, effective in told if effective is not None]


def belongs_to_the_order(route: Route) -> Check:
    """NN-CORRELATION: a linkage has the CorrelationID of the order of step 1, so that one chain runs to step 14."""

    def check(trace: Trace) -> Iterator[Finding]:
        orders = {
            letter.message.correlation_id: letter.number for letter in received(trace, STEP_1)
            if letter.message is not None and (command := command_in(trace, letter)) is not None and command.opens
            and letter.message.correlation_id and command.device == trace.header.order.device
        }
        for letter, _ in linkages(trace, route):
            said = letter.message.correlation_id if letter.message is not None else None
            if said in orders:
                yield passed("has the CorrelationID of the order", orders[said], letter.number)
            elif orders:
                yield failed(
                    "does not have the CorrelationID of the order", *orders.values(), letter.number,
                    expected=" or ".join(map(str, orders)), observed=said or "none", hint="chain-of-its-own",
                )

    return named(check, "belongs to the order", route)


# -- reading


def linkages(trace: Trace, route: Route) -> list[tuple[Letter, LinkageText]]:
    """The linkages that the producer sent."""
    profile = profile_of(trace)
    told = ((letter, text_of(letter, profile)) for letter in sent(trace, route))
    return [(letter, linkage) for letter, linkage in told if linkage is not None]


def arrived_at(each: Carried) -> float:
    """When a leg message reached its receiver, seconds."""
    arrives: float | None = each.exchange.about.get("arrives")
    return each.exchange.time if arrives is None else arrives


def told_by_network(trace: Trace, *kinds: LegKind) -> Iterator[Carried]:
    """What step 12 brought to the head-end about the device of the order, at its meter."""
    order = trace.header.order
    for each in carried(trace, Actor.AMI_NETWORK, Actor.AMI_HEAD_END, *kinds):
        message = each.message
        if each.arrived and message is not None and (message.device, message.meter) == (order.device, order.meter):
            yield each


def reported_provisioned(trace: Trace) -> list[Carried]:
    states = told_by_network(trace, LegKind.STATE)
    return [each for each in states if each.message is not None and each.message.state is LegState.PROVISIONED]
