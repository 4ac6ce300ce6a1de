"""Steps 13 and 14: whether a linkage is announced, when, and how often; and what a receiver has against one. Knows no bench."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from harness.backhaul.message import LegKind, LegState
from harness.checkers.cim_dialogue import ANSWER_TIME, Objection, result_of
from harness.checkers.cim_message import EVENTS_TO_DR, STEP_13, STEP_14, Route, arrival, named, received, sent
from harness.checkers.correspondence import Carried, Letter, instant, profile_of, withdrawn_orders
from harness.checkers.legs import LEG_2, withheld_orders
from harness.checkers.linkage import arrived_at, linkages, reported_provisioned, text_of, told_by_network
from harness.checkers.reading import attested
from harness.cim import codes, end_device_events
from harness.cim.correspondent import CREATE
from harness.cim.identity import eui64_of
from harness.cim.reply_codes import ReplyCode
from harness.trace import Trace
from harness.usecase import Check, Point
from harness.verdict import Finding, failed, passed

Causes = Callable[[Trace], list[tuple[int, float]]]
"""What linkages rest on: exchanges, each once however often it came, and when they reached the producer (seconds)."""


def follows(route: Route, causes: Causes) -> Check:
    """NN-MESSAGE: what has to be announced is, by create MasterDataLinkageConfig."""

    def check(trace: Trace) -> Iterator[Finding]:
        for cause, at in causes(trace)[:1]:
            ever = [letter for letter, _ in linkages(trace, route)]
            announced = [letter for letter in ever if letter.exchange.time >= at]
            for letter in announced[:1]:
                verb = (letter.message and letter.message.verb) or ""
                if verb.lower() == CREATE:  # that it is written small is the envelope's affair
                    yield passed("the linkage was announced", cause, letter.number)
                else:
                    yield failed(
                        "the linkage was not announced by create", cause, letter.number, expected=CREATE, observed=verb,
                        hint="kind-verb",
                    )
            if not ever and attested(trace, Point.CIM, at, at + ANSWER_TIME):  # one that comes too early is another question
                yield failed(
                    f"the {route.producer} did not announce the linkage", cause, observed="none",
                    expected=f"create {route.noun} to the {route.receiver} within {ANSWER_TIME:g} s", hint="linkage-not-told",
                )

    return named(check, "follows", route)


def not_before(route: Route, causes: Causes) -> Check:
    """13-AFTER-12, 14-AFTER-13: no linkage is announced before what it rests on has come."""

    def check(trace: Trace) -> Iterator[Finding]:
        known = causes(trace)
        for letter, _ in linkages(trace, route):
            before = [number for number, at in known if at <= letter.exchange.time]
            if before:
                yield passed("announced after what it rests on", before[0], letter.number)
            else:
                yield failed(
                    f"the {route.producer} announced a linkage that nobody had told it of", letter.number,
                    expected="a linkage after the step before", observed="a linkage before it", hint="linkage-unprompted",
                )

    return named(check, "not before its cause", route)


def announced_once(route: Route, causes: Causes) -> Check:
    """NN-ONE-LINKAGE: one provisioning is one linkage, however often it was told. What was announced before it is not counted."""

    def check(trace: Trace) -> Iterator[Finding]:
        known = causes(trace)
        told = [number for number, _ in known]
        first = {
            letter.message and letter.message.message_id: letter.number for letter, _ in reversed(linkages(trace, route))
            if known and letter.exchange.time >= known[0][1]
        }
        if told and 0 < len(first) <= len(told):
            yield passed("announced once", *told, *sorted(first.values()))
        elif told and first:
            yield failed(
                "one provisioning was announced more than once", *told, *sorted(first.values()),
                expected=f"{len(told)} linkages", observed=f"{len(first)} linkages", hint="linkage-told-again",
            )

    return named(check, "announced once", route)


def failure_is_told_apart(trace: Trace) -> Iterator[Finding]:
    """13-FAILURE: a device that was not provisioned is linked to nothing; a pairing-failed event says so in its stead."""
    if reported_provisioned(trace):
        return
    for report in _failures(trace):
        at = arrived_at(report)
        claimed = [letter.number for letter, _ in linkages(trace, STEP_13)]
        events = [letter for letter in sent(trace, EVENTS_TO_DR) if letter.exchange.time >= at and _says_failed(trace, letter)]
        if claimed:
            yield failed(
                "a device that was not provisioned was announced as linked", report.number, *claimed,
                expected="no linkage", observed=f"{len(claimed)} linkages", hint="failure-as-success",
            )
        elif events:
            yield passed("a failed provisioning was told as such", report.number, events[0].number)
        elif attested(trace, Point.CIM, at, at + ANSWER_TIME):
            yield failed(
                "nobody was told that the device was not provisioned", report.number, observed="none", hint="failure-kept-quiet",
                expected=f"an event with a code of {'.'.join(str(int(part)) for part in codes.PAIRING_FAILED)}",
            )


def undelivered_order_is_told(trace: Trace) -> Iterator[Finding]:
    """02-UNDELIVERABLE: an order that the head-end took and that reached no ESI is told as failed to who gave it."""
    ended = [(each.number, arrived_at(each)) for each in told_by_network(trace, LegKind.UNDELIVERABLE)]
    for number, at in [*withheld_orders(trace, LEG_2), *ended]:
        events = [letter for letter in sent(trace, EVENTS_TO_DR) if letter.exchange.time >= at and _says_failed(trace, letter)]
        if events:
            yield passed("an order that went no further was told as failed", number, events[0].number)
        elif attested(trace, Point.CIM, at, at + ANSWER_TIME):
            yield failed(
                "an order went no further, and the DR Application was not told", number, observed="none", hint="obstacle-kept-quiet",
                expected=f"an event with a code of {'.'.join(str(int(part)) for part in codes.PAIRING_FAILED)}",
            )


def _says_failed(trace: Trace, letter: Letter) -> bool:
    payload = letter.message.payload if letter.message is not None else None
    events = [] if payload is None else end_device_events.read(payload, profile_of(trace))
    device = trace.header.order.device
    return any(each.code.about == codes.PAIRING_FAILED and each.device == device for each in events)


# -- what a linkage rests on


def reports(trace: Trace) -> list[tuple[int, float]]:
    """What step 13 rests on: step 12 reports the device as provisioned."""
    told = {each.exchange.octets: (each.number, arrived_at(each)) for each in reversed(reported_provisioned(trace))}
    return sorted(told.values())


def linkages_taken(trace: Trace) -> list[tuple[int, float]]:
    """What step 14 rests on: a linkage of step 13 that the DR Application did not refuse."""
    taken = {
        letter.exchange.octets: (letter.number, arrival(letter)) for letter in reversed(list(received(trace, STEP_13)))
        if letter.message is not None and result_of(trace, STEP_13, letter) != "FAILED"
    }
    return sorted(taken.values())


def linkages_received(trace: Trace) -> list[tuple[int, float]]:
    """What step 14 must not come before: a linkage of step 13, also one that is refused and (13-REJECTS) goes on all the same."""
    return sorted((letter.number, arrival(letter)) for letter in received(trace, STEP_13) if letter.message is not None)


def _failures(trace: Trace) -> list[Carried]:
    states = told_by_network(trace, LegKind.STATE)
    withdrawn = withdrawn_orders(trace)  # nobody provisions what was called off
    failures = [
        each for each in states
        if each.message is not None and each.message.state is LegState.FAILED and each.message.sequence not in withdrawn
    ]
    return [*failures, *told_by_network(trace, LegKind.UNDELIVERABLE)][:1]


def as_reported(check: Check) -> Check:
    """The check, but where step 12 reported from the future: what the head-end makes of that is not its own."""

    def checked(trace: Trace) -> Iterator[Finding]:
        told = told_by_network(trace, LegKind.WINDOW_STATE, LegKind.STATE)
        if not any(each.message and each.message.at and each.message.at > instant(trace, arrived_at(each)) for each in told):
            yield from check(trace)

    checked.__name__ = check.__name__
    return checked


# -- what is wrong with a linkage, and what comes of it


def wrong_linkages(route: Route) -> Callable[[Trace, Letter], Iterator[Objection]]:
    """NN-REJECTS: another device, meter or premise than the order's, or a linkage that is known already."""

    def against(trace: Trace, letter: Letter) -> Iterator[Objection]:
        profile = profile_of(trace)
        told, order = text_of(letter, profile), trace.header.order
        if told is None:
            return
        missing = [name for name, said in (("device", told.device), ("meter", told.meter)) if not said]
        if missing:  # a linkage of other objects breaks no rule, and somebody may know what to do with it
            why = f"the {missing[0]} is missing"
            yield Objection(frozenset({ReplyCode.PAYLOAD_ELEMENT_MISSING, ReplyCode.RELATIONSHIP}), why, binding=False)
        elif route is STEP_14:
            if told.premise != order.premise:
                yield _unfitting(f"nobody enrolled a premise {told.premise}", ReplyCode.SERVICE_LOCATION)
            elif told.meter != order.meter:
                why = f"{told.meter} is not the meter of that premise"
                yield _unfitting(why, ReplyCode.METER_AND_LOCATION, ReplyCode.METER)
        elif eui64_of(told.device) != order.device:
            yield _unfitting("nobody imported such a device", ReplyCode.RELATIONSHIP)
        elif told.meter != order.meter:
            yield _unfitting(f"the device is not enrolled at {told.meter}", ReplyCode.METER)
        before = (each for each in _before(trace, route, letter) if text_of(each, profile) == told)
        if any(result_of(trace, route, each) == "OK" for each in before):
            yield _unfitting("this linkage is known already", ReplyCode.RELATIONSHIP)

    return against


def _unfitting(why: str, *codes: str) -> Objection:
    return Objection(frozenset(codes), why, overlooked="linkage-not-looked-up")


def _before(trace: Trace, route: Route, letter: Letter) -> Iterator[Letter]:
    """The other messages of the route that came before this one."""
    for earlier in received(trace, route):
        if earlier.number == letter.number:
            return
        if earlier.exchange.octets != letter.exchange.octets:
            yield earlier


def step_14s(trace: Trace, letter: Letter) -> Iterator[int]:
    """What a linkage of step 13 has for a consequence: linkages of step 14, each MessageID once."""
    first: dict[str | None, int] = {}
    for each, _ in linkages(trace, STEP_14):
        if each.exchange.time >= arrival(letter):
            first.setdefault(each.message.message_id if each.message else None, each.number)
    yield from first.values()


def unseen(trace: Trace, letter: Letter) -> Iterator[int]:
    """What a linkage of step 14 has for a consequence: nothing that goes over a wire."""
    return iter(())
