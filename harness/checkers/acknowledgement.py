"""What is taken at once and dealt with later: requests with a ReplyAddress, events that want an acknowledgement.

Knows requests, events and what answers them, no content. The times are those of every answer.
"""

from __future__ import annotations

from collections.abc import Iterator

from harness.checkers.cim_dialogue import ANSWER_TIME, answers_to, astray_answers, nothing, objections, requests
from harness.checkers.cim_message import METER_RECORD, STEP_1, STEP_13, STEP_14, Route, arrival
from harness.checkers.correspondence import Letter, letters
from harness.checkers.reading import attested
from harness.cim.envelope import Kind
from harness.trace import Trace
from harness.usecase import Actor, Point
from harness.verdict import Finding, failed, noted, passed

ROUTES = (STEP_1, METER_RECORD, STEP_13, STEP_14)


def answers_later(trace: Trace, judged: Actor) -> Iterator[Finding]:
    """INT-ASYNC: a request that asks for it is acknowledged at once, and its result goes to the ReplyAddress."""
    for route in (each for each in ROUTES if each.receiver is judged):
        for request, times in requests(trace, route):
            if request.message is not None and request.message.is_asynchronous:
                yield from _judged(trace, route, request, times)


def _judged(trace: Trace, route: Route, request: Letter, times: int) -> Iterator[Finding]:
    said = answers_to(trace, route, request, acknowledgements=True)
    results = answers_to(trace, route, request)
    first = said[0] if said else None
    if first is None:
        if attested(trace, Point.CIM, arrival(request), arrival(request) + ANSWER_TIME):
            yield failed(
                "a request that wants its result later was not answered", request.number,
                expected=f"an acknowledgement within {ANSWER_TIME:g} s", observed="none", hint="unanswered",
            )
        return
    numbers = (request.number, *(each.number for each in said))
    reply = first.message.reply if first.message is not None else None
    if reply is None or reply.result == "FAILED":
        return  # refused at once: there is nothing to follow
    acknowledgements = [each for each in said if each not in results]
    if not acknowledgements and len(results) > times:
        yield noted("acknowledged with another code", *numbers, expected="0.3", observed=", ".join(e.code for e in reply.errors))
        acknowledgements, results = results[:1], results[1:]
    if not acknowledgements:
        yield failed(
            "a request that wants its result later was not acknowledged", *numbers, observed="the result alone",
            expected="OK with 0.3 (acknowledgement only) at once, the result later", hint="answered-on-the-spot",
        )
    elif len(acknowledgements) > times:
        yield failed(
            "one request was acknowledged more than once", *numbers, expected=f"{times} times",
            observed=f"{len(acknowledgements)} times", hint="request-acknowledged-twice",
        )
    elif first not in acknowledgements:
        yield failed(
            "the result came before the acknowledgement", *numbers, expected="the acknowledgement first", observed="the result first",
            hint="result-before-acknowledgement",
        )
    elif results:
        yield _addressed(request, results[0], numbers)
    elif attested(trace, Point.CIM, arrival(request), arrival(request) + ANSWER_TIME):
        yield failed(
            "what was acknowledged had no result", *numbers, observed="none",
            expected=f"a response with the CorrelationID of the request within {ANSWER_TIME:g} s",
            hint="stranger" if any(astray_answers(trace, route, request)) else "result-never-comes",
        )


def _addressed(request: Letter, result: Letter, numbers: tuple[int, ...]) -> Finding:
    """Where the result went, as far as the wire shows it."""
    wanted = request.message.header.reply_address if request.message is not None and request.message.header else ""
    about = result.exchange.about
    address, transport = about.get("address"), about.get("transport") or {}
    if "status" in transport or "answers" in about:
        return failed(
            "the result was sent back the way the request came", *numbers, expected=f"a message to {wanted}",
            observed="the answer of an exchange", hint="answered-on-the-spot",
        )
    if address is not None and address != wanted:
        return failed("the result went elsewhere", *numbers, expected=str(wanted), observed=str(address), hint="result-elsewhere")
    return passed("acknowledged, and answered later", *numbers)


def acknowledges(trace: Trace, judged: Actor) -> Iterator[Finding]:
    """INT-ACKNOWLEDGES: an event that wants it is acknowledged once, before anything else is said about it."""
    said = [each for each in letters(trace, judged) if "instead_of" not in each.exchange.about and each.message is not None]
    spare = [each for each in said if each.message is not None and each.message.kind is Kind.RESPONSE]
    for event in _events(trace, judged):
        assert event.message is not None
        at = arrival(event)
        mine = [each for each in spare if _answers(each, event)]
        if not mine:
            if attested(trace, Point.CIM, at, at + ANSWER_TIME):
                yield failed(
                    "an event that wants an acknowledgement got none", event.number, observed="none",
                    expected=f"one response within {ANSWER_TIME:g} s", hint="event-not-acknowledged",
                )
            continue
        first = mine[0]
        spare.remove(first)
        yield from _judged_acknowledgement(trace, event, first, said)
    for each in spare:
        if any(_answers(each, event) for event in _events(trace, judged)):
            yield failed(
                "an event was acknowledged more than once", each.number, expected="one response to each arrival",
                observed="a further one", hint="event-acknowledged-twice",
            )


def _events(trace: Trace, judged: Actor) -> list[Letter]:
    """The events that reached the actor and want an acknowledgement, by arrival, each arrival for itself."""
    came = (each for each in letters(trace, receiver=judged, kind=Kind.EVENT) if each.arrived)
    return sorted((each for each in came if each.message is not None and each.message.wants_acknowledgement), key=arrival)


def _answers(response: Letter, event: Letter) -> bool:
    assert event.message is not None
    identifiers = {event.message.correlation_id, event.message.message_id} - {None, ""}
    return (
        response.message is not None and response.message.correlation_id in identifiers
        and response.exchange.receiver == event.exchange.producer and response.message.noun == event.message.noun
        and response.exchange.time >= arrival(event)
    )


def _judged_acknowledgement(trace: Trace, event: Letter, response: Letter, said: list[Letter]) -> Iterator[Finding]:
    assert event.message is not None
    assert response.message is not None
    at, numbers = arrival(event), (event.number, response.number)
    reply = response.message.reply
    before = [
        each for each in said if at <= each.exchange.time and each.number < response.number and each.message is not None
        and each.message.kind is not Kind.RESPONSE and each.message.correlation_id == event.message.correlation_id
    ]
    wrong = objections(trace, event, nothing)
    if response.exchange.time > at + ANSWER_TIME:
        yield failed(
            "an event was acknowledged late", *numbers, expected=f"within {ANSWER_TIME:g} s",
            observed=f"after {response.exchange.time - at:.1f} s", hint="event-acknowledged-late",
        )
    elif before:
        yield failed(
            "something followed before the acknowledgement", *numbers, *(each.number for each in before),
            expected="the acknowledgement first", observed=f"{before[0].message and before[0].message.verb} first",
            hint="event-acknowledged-late",
        )
    elif not wrong and (reply is None or reply.result != "OK"):
        yield failed(
            "a right event was not acknowledged but refused", *numbers, expected="OK",
            observed=f"{reply.result if reply else 'no reply'}", hint="right-event-refused",
        )
    else:
        yield passed("the event was acknowledged", *numbers)
