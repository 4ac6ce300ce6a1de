"""Steps 1, 13 and 14: how a wrong, an unusual, a repeated or a hostile CIM request is taken. Knows requests and answers, no content.

A checker is made for a route and told what makes a request wrong beyond the rules of one message, and what would follow.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace

from harness.checkers.cim_dialogue import (
    ANSWER_TIME,
    Objection,
    Objections,
    answers_to,
    either,
    nothing,
    objections,
    requests,
)
from harness.checkers.cim_message import Route, arrival, named
from harness.checkers.correspondence import Letter, letters
from harness.checkers.reading import attested
from harness.cim.reply_codes import is_success
from harness.trace import Trace
from harness.usecase import Check, Point
from harness.verdict import Finding, failed, inconclusive, noted, passed

BAD_REQUEST = 400  # HTTP: from here on a status says that something was not taken

Effects = Callable[[Trace, Letter], Iterable[int]]
"""The exchanges in which a request of that step takes effect, from its arrival on."""


def refuses(route: Route, more: Objections, effects: Effects) -> Check:
    """NN-REJECTS: a request that is wrong is refused with a fitting code, and has no effect."""

    def check(trace: Trace) -> Iterator[Finding]:
        wrong, right = [], False
        for request, _ in requests(trace, route):
            why = [each for each in objections(trace, request, more) if each.binding]
            right = right or not why
            if not why:
                continue
            wrong.append(request)
            answers = answers_to(trace, route, request)
            if answers:
                yield from _judged_refusal(request, answers[0], why)
            elif attested(trace, Point.CIM, arrival(request), arrival(request) + ANSWER_TIME):
                yield failed(
                    "a wrong request was not answered", request.number, observed="no answer",
                    expected=f"a refusal: {either(code for each in why for code in each.codes)} ({why[0].why})",
                    hint="wrong-request-unanswered",
                )
        followed = [] if right else sorted({number for each in wrong for number in effects(trace, each)})
        if followed:
            yield failed(
                "a wrong request took effect", *(each.number for each in wrong), *followed, expected="no effect",
                observed=f"{len(followed)} messages in consequence", hint="wrong-request-obeyed",
            )

    return named(check, "refuses", route)


def _judged_refusal(request: Letter, answer: Letter, why: list[Objection]) -> Iterator[Finding]:
    numbers = (request.number, answer.number)
    reply = answer.message.reply if answer.message is not None else None
    said = set() if reply is None else {error.code for error in reply.errors}
    fitting = {code for each in why for code in each.codes}
    expected = f"FAILED with {either(fitting)} ({why[0].why})"
    if reply is None or reply.result != "FAILED" or all(map(is_success, said)):
        observed = f"{reply.result if reply else 'no reply'} with {either(said)}"
        yield failed("a wrong request was not refused", *numbers, expected=expected, observed=observed, hint=why[0].overlooked)
    elif said & fitting:
        yield passed(f"refused: {why[0].why}", *numbers)
    elif any(each.has_no_code for each in why):
        yield noted("refused with a code other than the profile's", *numbers, expected=expected, observed=either(said))
        yield passed(f"refused: {why[0].why}", *numbers)
    else:
        observed = f"FAILED with {either(said)}"
        yield failed(
            "refused with a code that says something else", *numbers, expected=expected, observed=observed,
            hint="refusal-code-unfitting",
        )


def takes_once(route: Route, effects: Effects) -> Check:
    """NN-IDEMPOTENT: a request that comes again, octet for octet, gets the same answer and takes effect once."""

    def check(trace: Trace) -> Iterator[Finding]:
        for request, times in requests(trace, route):
            answers = answers_to(trace, route, request)
            results = [each.message.reply.result for each in answers if each.message is not None and each.message.reply]
            if times < 2 or not results:
                continue
            numbers = (request.number, *(each.number for each in answers))
            followed = list(effects(trace, request)) if results[0] == "OK" else []
            if len(set(results)) > 1:
                yield failed(
                    "a request that came again was answered otherwise", *numbers, expected="the same answer",
                    observed=" and ".join(map(str, results)), hint="repetition-answered-otherwise",
                )
            elif len(followed) > 1:
                yield failed(
                    "a request that came again took effect again", *numbers, *followed, expected="one effect",
                    observed=f"{len(followed)} of them", hint="repeated-request-obeyed-again",
                )
            else:
                yield passed(f"the request came {times} times and was taken once", *numbers, *followed)

    return named(check, "takes once", route)


def takes_the_unusual(route: Route, more: Objections) -> Check:
    """NN-TOLERANT: a request that arrives otherwise than it was sent, and is right all the same, is granted like any other."""

    def check(trace: Trace) -> Iterator[Finding]:
        for request, _ in requests(trace, route):
            original = request.exchange.about.get("instead_of")
            if original is None or trace[original].fate != "altered" or objections(trace, request, more):
                continue
            answers = answers_to(trace, route, request)
            replies = [each.message.reply for each in answers if each.message is not None and each.message.reply is not None]
            if replies and replies[0].result == "OK":
                yield passed("a request that is written as nobody writes it was granted", request.number, answers[0].number)
            elif replies:
                said = {error.code for error in replies[0].errors}
                yield failed(
                    "a request that is unusual and right was not granted", request.number, answers[0].number,
                    expected="the result OK", observed=f"{replies[0].result} with {either(said)}", hint="unusual-taken-for-wrong",
                )
            elif attested(trace, Point.CIM, arrival(request), arrival(request) + ANSWER_TIME):
                yield failed(
                    "a request that is unusual and right was not answered", request.number, expected="the result OK",
                    observed="no answer", hint="unusual-request-unanswered",
                )

    return named(check, "takes the unusual", route)


def outlives(route: Route) -> Check:
    """NN-HOSTILE-XML: what is no XML, or a danger to who reads it, is refused in good time, and the next request answered."""

    def check(trace: Trace) -> Iterator[Finding]:
        for hostile, _ in requests(trace, route):
            if hostile.message is not None:
                continue
            at, answers = arrival(hostile), answers_to(trace, route, hostile)
            why = replace(objections(trace, hostile, nothing)[0], overlooked="unreadable-unanswered")
            turned_away = _turned_away(trace, route, hostile)
            if turned_away is not None:
                status = turned_away.exchange.about["transport"]["status"]
                yield passed(f"turned away by the transport, HTTP {status}: {why.why}", hostile.number, turned_away.number)
                yield from _answers_still(trace, route, hostile)
                continue
            if answers and answers[0].exchange.time <= at + ANSWER_TIME:
                yield from _judged_refusal(hostile, answers[0], [why])
            elif attested(trace, Point.CIM, at, at + ANSWER_TIME):
                yield failed(
                    "what cannot be read was not answered", hostile.number, expected=f"a refusal ({why.why})",
                    observed=f"none within {ANSWER_TIME:g} s", hint=why.overlooked,
                )
            else:
                continue
            yield from _answers_still(trace, route, hostile)

    return named(check, "outlives", route)


def _turned_away(trace: Trace, route: Route, hostile: Letter) -> Letter | None:
    """The transport's own refusal of a document that it did not even pass on: an HTTP error that says nothing, in good time."""
    at = arrival(hostile)
    return next((
        letter for letter in letters(trace, route.receiver, route.producer)
        if letter.message is None and at <= letter.exchange.time <= at + ANSWER_TIME
        and letter.exchange.about.get("transport", {}).get("status", 0) >= BAD_REQUEST
    ), None)


def _answers_still(trace: Trace, route: Route, hostile: Letter) -> Iterator[Finding]:
    later = (each for each, _ in requests(trace, route, again=True) if arrival(each) > arrival(hostile))
    request = next((each for each in later if each.message is not None), None)
    if request is None:
        yield inconclusive("nothing was asked afterwards", hostile.number, expected="a request that can be read")
    elif answers := answers_to(trace, route, request):
        yield passed("answers as before", hostile.number, request.number, answers[0].number)
    elif attested(trace, Point.CIM, arrival(request), arrival(request) + ANSWER_TIME):
        yield failed(
            f"the {route.receiver} answers no more", hostile.number, request.number, expected="an answer", observed="none",
            hint="hostile-document-silences",
        )
