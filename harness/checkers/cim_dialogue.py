"""Steps 1, 13 and 14: how a CIM request is answered, and asked again where it is not. Knows requests and answers, no content.

What makes a request wrong beyond the rules of one message is each step's own: a checker is made for a route and told that.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from harness.checkers.apart import at_the_meter
from harness.checkers.cim_message import Part, Route, arrival, faults_of, named, nouns_of, part_of, received, sent, told
from harness.checkers.correspondence import Letter, letters
from harness.checkers.reading import attested
from harness.cim.correspondent import CREATE
from harness.cim.envelope import CimMessage, Kind
from harness.cim.finding import CimFinding, Layer
from harness.cim.refusal import fitting_code
from harness.cim.replay import replay_detection
from harness.cim.reply_codes import MEANINGS, ReplyCode
from harness.trace import Trace
from harness.usecase import Check, Point
from harness.verdict import Finding, failed, passed

ANSWER_TIME = 30.0  # seconds; PROFILE: how long a party may keep an answer, or whatever else it has to send on
RETRY_TIME = 60.0  # seconds; PROFILE: how long it may wait before it asks again


@dataclass(frozen=True)
class Objection:
    """Why a request must be refused, and the reply codes that say so; not `binding`: why it may be, or may not."""

    codes: frozenset[str]
    why: str
    binding: bool = True
    overlooked: str = "rules-not-checked"  # the cause (`harness.causes`) where it is not refused for that

    @property
    def has_no_code(self) -> bool:
        """Whether the standard's table has nothing of its own for it, so that any code of failure will do."""
        return not (self.codes - {ReplyCode.NOT_ATTEMPTED}) & MEANINGS.keys()


Objections = Callable[[Trace, Letter], Iterable[Objection]]
"""What a step has against a request that keeps all rules of one message: a meter that nobody registered, for one."""


def nothing(trace: Trace, letter: Letter) -> Iterable[Objection]:
    """No objection beyond the rules of one message."""
    return ()


def answers_to(trace: Trace, route: Route, request: Letter, *, acknowledgements: bool = False) -> list[Letter]:
    """The answers to a request: they echo its CorrelationID or its MessageID.

    A request that cannot be read, or has neither, is answered by the first fault that comes after it. That a request which wants
    its result later was taken is no answer, and is left out unless `acknowledgements` are wanted as well.
    """
    message = request.message
    promised = message is not None and message.is_asynchronous and not acknowledgements
    identifiers = set() if message is None else {message.correlation_id, message.message_id} - {None, ""}
    answers = [
        letter for letter in letters(trace, route.receiver, route.producer)
        if letter.message is not None and letter.message.kind in (Kind.RESPONSE, Kind.FAULT)
        and "instead_of" not in letter.exchange.about and letter.exchange.time >= arrival(request)
        and not (promised and letter.message.is_acknowledgement)
    ]
    echoing = [letter for letter in answers if letter.message is not None and letter.message.correlation_id in identifiers]
    if echoing:
        return echoing[_rivals(trace, route, request):]
    faults = [letter for letter in answers if letter.message is not None and letter.message.kind is Kind.FAULT]
    return (faults or ([] if identifiers else answers))[:1]


def _rivals(trace: Trace, route: Route, request: Letter) -> int:
    """How many other requests of the same CorrelationID arrived at the very same instant, and so are answered before this."""
    wanted = request.message.correlation_id if request.message is not None else None
    return 0 if wanted is None else sum(
        each.number < request.number and arrival(each) == arrival(request)
        and each.message is not None and each.message.correlation_id == wanted
        for each in received(trace, route)
    )


def result_of(trace: Trace, route: Route, request: Letter) -> str | None:
    """What became of a request by the first answer to it: OK, PARTIAL or FAILED; None where there is none."""
    reply = next((each.message.reply for each in answers_to(trace, route, request) if each.message is not None), None)
    return None if reply is None else reply.result


def objections(trace: Trace, request: Letter, more: Objections) -> list[Objection]:
    """Everything that a receiver must refuse a request for, as of its arrival."""
    found = [
        Objection(_codes(each), f"{each.rule}: {each.message}")
        for each in faults_of(trace, request, arrival(request)) if each.failed
    ]
    if request.message is not None and request.message.header is None:
        found.append(Objection(frozenset({ReplyCode.HEADER_ELEMENT_MISSING}), "there is no header"))
    if not found and _takes_another_id(trace, request):
        why = "another message had this MessageID"
        found.append(Objection(frozenset({ReplyCode.REQUEST_ID}), why, overlooked="message-id-not-remembered"))
    if not found and _replays(trace, request):
        found.append(Objection(frozenset({ReplyCode.REQUEST_ID}), "another message had this nonce", overlooked="nonce-not-remembered"))
    verb = request.message.verb if request.message is not None and request.message.kind is Kind.REQUEST else None
    if not found and verb not in (None, CREATE):
        found.append(Objection(frozenset({ReplyCode.VERB}), f"{verb} is a verb that no step needs", binding=False))
    return found or list(more(trace, request))


def _takes_another_id(trace: Trace, request: Letter) -> bool:
    """Whether the receiver got another request under this MessageID from the same producer before."""
    identifier = request.message and request.message.message_id
    return identifier is not None and any(each.message_id == identifier for each in _before(trace, request))


def _replays(trace: Trace, request: Letter) -> bool:
    """Whether the receiver got another message with this nonce from the same producer before."""
    said = None if request.message is None else replay_detection(request.message)
    others = (replay_detection(each) for each in _before(trace, request))
    return said is not None and any(each is not None and each.nonce == said.nonce for each in others)


def _before(trace: Trace, request: Letter) -> Iterator[CimMessage]:
    """The other requests (of an event: events) that reached the receiver from the same producer before this one."""
    seen = request.exchange
    for each in letters(at_the_meter(trace), kind=request.message.kind if request.message is not None else Kind.REQUEST):
        same_way = (each.exchange.producer, each.exchange.receiver) == (seen.producer, seen.receiver)
        if same_way and each.arrived and each.number < request.number and each.exchange.octets != seen.octets and each.message:
            yield each.message


def _codes(finding: CimFinding) -> frozenset[str]:
    """The code that fits a fault; what a schema can see may also be refused as not valid."""
    invalid = finding.layer in (Layer.TRANSPORT, Layer.XML, Layer.SCHEMA)
    return frozenset({fitting_code(finding), ReplyCode.SCHEMA} if invalid else {fitting_code(finding)})


def answered(route: Route, more: Objections = nothing) -> Check:
    """NN-REPLY: a request gets one answer, in order and of its own, and a right request is granted."""

    def check(trace: Trace) -> Iterator[Finding]:
        for request, _ in requests(trace, route):
            if request.message is None or request.message.header is None:
                continue
            answers, times = answers_to(trace, route, request), _times_asked(trace, route, request)
            astray = [] if answers else astray_answers(trace, route, request)
            if not answers and attested(trace, Point.CIM, arrival(request), arrival(request) + ANSWER_TIME):
                yield failed(
                    f"the {route.receiver} did not answer", request.number,
                    expected=f"an answer with the CorrelationID {request.message.correlation_id} within {ANSWER_TIME:g} s",
                    observed=", ".join(f"an answer with the CorrelationID {each}" for each in astray) or "none",
                    hint=why_unanswered(request, astray),
                )
            elif len(answers) > times:
                yield failed(
                    f"the {route.receiver} answered one request more than once", request.number,
                    *(each.number for each in answers), expected=f"{times} answers", observed=f"{len(answers)} answers",
                    hint="answered-twice",
                )
            elif answers:
                yield from _judged(trace, route, request, answers[0], more)

    return named(check, "answers", route)


def _judged(trace: Trace, route: Route, request: Letter, answer: Letter, more: Objections) -> Iterator[Finding]:
    asked, said = request.message, answer.message
    assert asked is not None
    assert said is not None
    numbers = (request.number, answer.number)
    echoed = {asked.correlation_id, asked.message_id}
    findings = [  # what an answer has to echo is the asker's, whatever form it has
        each for each in faults_of(trace, answer) if part_of(each) is not Part.BINDING
        and (each.rule != "uuid" or not each.path.endswith("/CorrelationID") or said.correlation_id not in echoed)
    ]
    yield from told(answer, findings)
    reply = said.reply
    if said.kind is Kind.FAULT:
        yield failed(
            "a request whose header can be read was answered by a fault", *numbers, expected="a response", observed="a fault",
            hint="needless-fault",
        )
    elif said.message_id == asked.message_id:
        yield failed(
            "the answer has the MessageID of the request", *numbers, expected="a MessageID of its own",
            observed=str(said.message_id), hint="message-id",
        )
    elif not nouns_of(said) & nouns_of(asked):
        yield failed(
            "the answer is about another noun", *numbers, expected=str(asked.noun), observed=str(said.noun),
            hint="answers-about-another-noun",
        )
    elif reply is not None and reply.result != "OK" and not objections(trace, request, more):
        yield failed(
            "a right request was not granted", *numbers, expected="the result OK",
            observed=f"{reply.result}: {', '.join(error.code for error in reply.errors)}",
            hint="partial" if reply.result == "PARTIAL" else "right-request-refused",
        )
    elif not any(finding.failed for finding in findings):
        yield passed(f"the {route.receiver} answered", *numbers)


def astray_answers(trace: Trace, route: Route, request: Letter) -> list[str]:
    """The CorrelationIDs, empty for none, that were answered with meanwhile and that nobody asked with."""
    asked = {
        identifier for letter in letters(trace, route.producer, route.receiver) if letter.message is not None
        for identifier in (letter.message.correlation_id, letter.message.message_id)
    }
    said = [
        letter.message.correlation_id or "" for letter in letters(trace, route.receiver, route.producer, Kind.RESPONSE)
        if letter.message is not None and letter.exchange.time >= arrival(request)
    ]
    return [each for each in said if each not in asked]


def why_unanswered(request: Letter, astray: list[str]) -> str:
    """The cause of a missing answer, by the answers that nobody asked for."""
    wanted = (request.message and request.message.correlation_id) or ""
    if any(each.lower() == wanted.lower() for each in astray):
        return "reply-correlation"
    return "stranger" if any(astray) else "correlation" if astray else "unanswered"


def either(codes: Iterable[str]) -> str:
    """Reply codes in words, one or the other."""
    return " or ".join(f"{code} ({MEANINGS[code]})" if code in MEANINGS else code for code in sorted(set(codes))) or "no error"


def asks_again(route: Route) -> Check:
    """NN-RETRY: a request that got no answer is sent again, octet for octet and so with the same MessageID."""

    def check(trace: Trace) -> Iterator[Finding]:
        asked: dict[str, list[Letter]] = {}
        for letter in sent(trace, route):
            if letter.message is not None and letter.message.correlation_id:
                asked.setdefault(letter.message.correlation_id, []).append(letter)
        for first, *later in asked.values():
            again = [each for each in later if each.exchange.time > first.exchange.time]
            due = again[0].exchange.time if again else first.exchange.time + RETRY_TIME
            if any(each.arrived and arrival(each) <= due for each in answers_to(trace, route, first, acknowledgements=True)):
                continue
            if again and again[0].exchange.octets == first.exchange.octets:
                yield passed("an unanswered request was sent again", first.number, again[0].number)
            elif again:
                yield failed(
                    "an unanswered request was sent again, but altered", first.number, again[0].number,
                    expected=f"the same octets, with the MessageID {first.message and first.message.message_id}",
                    observed=f"the MessageID {again[0].message and again[0].message.message_id}", hint="repeats-altered",
                )
            elif attested(trace, Point.CIM, first.exchange.time, due):
                yield failed(
                    "an unanswered request was not sent again", first.number, observed="nothing",
                    expected=f"the same request again within {RETRY_TIME:g} s", hint="asks-only-once",
                )

    return named(check, "asks again", route)


def requests(trace: Trace, route: Route, again: bool = False) -> list[tuple[Letter, int]]:
    """The requests that reached the receiver: each once, by its octets, with how often it came; or (`again`) every arrival."""
    came = [
        letter for letter in received(trace, route) if letter.message is None or letter.message.kind is not Kind.EVENT
    ]
    if again:
        return [(letter, 1) for letter in came]
    first: dict[bytes, Letter] = {}
    for letter in came:
        first.setdefault(letter.exchange.octets, letter)
    return [(letter, sum(each.exchange.octets == octets for each in came)) for octets, letter in first.items()]


def _times_asked(trace: Trace, route: Route, request: Letter) -> int:
    """How often something arrived that this request's answers may answer, from its own arrival on."""
    asked = request.message.correlation_id if request.message else None
    since = (each for each, _ in requests(at_the_meter(trace), route, again=True) if arrival(each) >= arrival(request))
    return sum(each.message is not None and each.message.correlation_id == asked for each in since)
