"""The integration points beside the fourteen steps: events from the head-end to CIS and ODS, meter records from the CIS.

Each is judged by what it carries, not by a connection that opens. Knows messages and legs, no bench.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from math import inf

from harness.backhaul.message import LegKind, LegMessage, LegState
from harness.checkers.cim_dialogue import ANSWER_TIME
from harness.checkers.cim_message import METER_RECORD, STEP_1, Route, received, sent
from harness.checkers.correspondence import Letter, carried, profile_of, withdrawn_orders
from harness.checkers.linkage import arrived_at, told_by_network
from harness.checkers.reading import attested
from harness.checkers.window_granted import command_in
from harness.cim import codes, end_device_events, meter_config
from harness.cim.codes import Kind
from harness.cim.end_device_events import DeviceEvent
from harness.trace import Trace
from harness.usecase import Actor, Check, Point
from harness.verdict import Finding, failed, passed

TOLERANCE = timedelta(seconds=1)  # PROFILE: what the time of an event may be off by
_OF_A_METER = (Kind.PAN_GATEWAY, Kind.ELECTRIC_METER)
_TOLD_AS = {
    LegState.OPENED: codes.WINDOW_OPENED.about, LegState.CLOSED: codes.WINDOW_CLOSED.about,
    LegState.PROVISIONED: codes.PAIRED, LegState.FAILED: codes.PAIRING_FAILED,
}


@dataclass(frozen=True)
class Told:
    """One event and the message it came in."""

    letter: Letter
    event: DeviceEvent

    @property
    def number(self) -> int:
        """The exchange's number, for evidence."""
        return self.letter.number


def events_reach(route: Route) -> Check:
    """INT-HEAD-END-CIS, INT-HEAD-END-ODS: whatever step 12 tells of window and device is published, once."""

    def check(trace: Trace) -> Iterator[Finding]:
        published = list(_published(trace, route))
        for report in _reports(trace):
            yield from _judged(trace, route, report, [each for each in published if each.letter.exchange.time >= report[1]])

    check.__name__ = f"events reach the {route.receiver}"
    return check


Report = tuple[int, float, LegMessage]  # the exchange, when it reached the head-end (seconds), and what it says


def _reports(trace: Trace) -> Iterator[Report]:
    """What step 12 brings that is news: each thing once; no failure of a device that was reported provisioned after that order was
    given, be it for an order before, nor of an order that was withdrawn: whoever withdrew it knows."""
    known, withdrawn = set[object](), withdrawn_orders(trace)
    orders = carried(trace, Actor.AMI_HEAD_END, Actor.AMI_NETWORK, LegKind.OPEN_WINDOW)
    given = {each.message.sequence: each.exchange.time for each in orders if each.message is not None}
    provisioned = -inf
    for each in sorted(told_by_network(trace, LegKind.WINDOW_STATE, LegKind.STATE), key=arrived_at):
        message = each.message
        if message is None or message.state not in _TOLD_AS:
            continue
        news = each.exchange.octets if message.kind is LegKind.WINDOW_STATE else (message.sequence, message.state)
        over = provisioned >= given.get(message.sequence, 0.0) or message.sequence in withdrawn
        if news not in known and not (message.state is LegState.FAILED and over):
            yield each.number, arrived_at(each), message
        if message.state is LegState.PROVISIONED:
            provisioned = arrived_at(each)
        known.add(news)


def _judged(trace: Trace, route: Route, report: Report, published: list[Told]) -> Iterator[Finding]:
    number, at, message = report
    assert message.state is not None
    about = _TOLD_AS[message.state]
    kinds = _OF_A_METER if message.kind is LegKind.WINDOW_STATE else (*_kinds_ordered(trace), Kind.PAN_DEVICE)
    expected = f"{kinds[0].value}.{'.'.join(str(int(part)) for part in about)} of {message.device} at {message.meter}"
    alike = [each for each in published if each.event.code.about == about]
    strange = [each for each in published if each.event.code.about not in _TOLD_AS.values()]
    right = [each for each in alike if each.event.code.kind in kinds and _names(each.event, message, message.at)]
    if len(right) == 1:
        yield passed(f"the {route.receiver} was told: {message.state}", number, right[0].number)
    elif right:
        yield failed(
            f"the {route.receiver} was told the same more than once", number, *(each.number for each in right), expected="once",
            observed=f"{len(right)} times", hint="event-told-again",
        )
    elif alike:
        event = alike[0].event
        yield failed(
            f"the {route.receiver} was told otherwise than it happened", number, alike[0].number,
            expected=f"{expected}, {message.at and message.at.isoformat()}",
            observed=f"{event.code} of {event.device} at {event.meter}, {event.created.isoformat()}",
            hint=_mistake(event, message),
        )
    elif attested(trace, Point.CIM, at, at + ANSWER_TIME):
        yield failed(
            f"the {route.receiver} was not told: {message.state}", number, expected=f"{expected} within {ANSWER_TIME:g} s",
            observed="no such event", hint="event-of-another-kind" if strange else "event-kept-quiet",
        )


def _mistake(event: DeviceEvent, message: LegMessage) -> str:
    if event.meter not in (message.meter, None):
        return "event-of-another-meter"
    return "event-of-another-device" if event.device not in (message.device, None) else "event-of-another-time"


def _kinds_ordered(trace: Trace) -> list[Kind]:
    """As what the device was ordered: the head-end knows its type from there alone."""
    commands = (command_in(trace, letter) for letter in received(trace, STEP_1))
    types = [command.device_type for command in commands if command is not None and command.device_type is not None]
    return [codes.KIND_OF[device_type] for device_type in types or [trace.header.order.device_type]]


def _names(event: DeviceEvent, message: LegMessage, at: datetime | None) -> bool:
    """Whether an event speaks of this device at this meter and of this instant; what it is not about it may leave out."""
    return (
        event.device in (message.device, None) and event.meter in (message.meter, None)
        and (at is None or abs(event.created - at) <= TOLERANCE)
    )


def _published(trace: Trace, route: Route) -> Iterator[Told]:
    for letter in sent(trace, route):
        payload = letter.message.payload if letter.message is not None else None
        if payload is not None:
            yield from (Told(letter, event) for event in end_device_events.read(payload, profile_of(trace)))


def meter_is_told(trace: Trace) -> Iterator[Finding]:
    """INT-CIS-HEAD-END: the CIS tells the head-end of the meter that the device is ordered for."""
    wanted = trace.header.order.meter
    records = {letter.number: meters_in(trace, letter) for letter in sent(trace, METER_RECORD)}
    if any(wanted in meters for meters in records.values()):
        yield passed(f"the head-end was told of {wanted}", *(number for number, meters in records.items() if wanted in meters))
    elif records:
        yield failed(
            "the head-end was told of other meters alone", *records, expected=wanted,
            observed=", ".join(meter for meters in records.values() for meter in meters) or "no meter", hint="record-of-another-meter",
        )


def meters_in(trace: Trace, letter: Letter) -> list[str]:
    """The meters that a record of the CIS names."""
    payload = letter.message.payload if letter.message is not None else None
    return [] if payload is None else meter_config.read(payload, profile_of(trace))
