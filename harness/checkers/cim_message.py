"""Steps 1, 13 and 14: the form that a CIM message has whatever it says. Knows one message format, no step's content.

The rules stand in `harness.cim`; here each of them is laid to the door of one clause. Checkers are made for a route: who sends
whom requests about which noun.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from harness.checkers.correspondence import Letter, instant, letters, profile_of
from harness.cim.check import check_message
from harness.cim.envelope import CimMessage, Kind
from harness.cim.finding import RULES, CimFinding, Layer
from harness.cim.nouns import END_DEVICE_CONTROLS, END_DEVICE_EVENTS, MASTER_DATA_LINKAGE_CONFIG, METER_CONFIG, NOUNS
from harness.cim.tree import local
from harness.trace import Trace
from harness.usecase import Actor, Check
from harness.verdict import Finding, Verdict, failed, inconclusive, noted, passed


@dataclass(frozen=True)
class Route:
    """What one actor tells or asks another about one noun; answers go the other way."""

    producer: Actor
    receiver: Actor
    noun: str


STEP_1 = Route(Actor.DR_APPLICATION, Actor.AMI_HEAD_END, END_DEVICE_CONTROLS)
STEP_13 = Route(Actor.AMI_HEAD_END, Actor.DR_APPLICATION, MASTER_DATA_LINKAGE_CONFIG)
STEP_14 = Route(Actor.DR_APPLICATION, Actor.CIS, MASTER_DATA_LINKAGE_CONFIG)
METER_RECORD = Route(Actor.CIS, Actor.AMI_HEAD_END, METER_CONFIG)
EVENTS_TO_DR = Route(Actor.AMI_HEAD_END, Actor.DR_APPLICATION, END_DEVICE_EVENTS)
EVENTS_TO_CIS = Route(Actor.AMI_HEAD_END, Actor.CIS, END_DEVICE_EVENTS)
EVENTS_TO_ODS = Route(Actor.AMI_HEAD_END, Actor.ODS, END_DEVICE_EVENTS)


class Part(StrEnum):
    """What of a message a rule is about."""

    BINDING = "what is around it"  # INT-TRANSPORT asks about it, and no clause of a step
    ENVELOPE = "the envelope"
    HEADER_PROFILE = "what the profile wants of the header"
    SCHEMA = "the schemas"
    CONTENT = "what the payload says"


_OF_ENVELOPE = frozenset({
    "verb", "noun", "wrapper-verb", "kind-verb", "reply-verb", "reply-place", "payload-missing", "correlation", "async-address",
    "operation-set", "replay-detection", "revision", "context", "result", "result-error", "error-code", "secret",
})
_OF_HEADER_ORDER = ("order", "missing")
_BEFORE_MEANING = (Layer.XML, Layer.SCHEMA)
_OF_HEADER_PROFILE = ("header-profile", "freshness", "time-zone")


def part_of(finding: CimFinding) -> Part:
    """The part of a message that a broken rule is about: each rule, at each place, is of exactly one."""
    in_payload = "/Payload/" in finding.path
    if finding.layer is Layer.TRANSPORT:
        return Part.BINDING
    if finding.rule == "secret" and not finding.path.endswith("/ReplyAddress"):
        return Part.CONTENT  # a key that stands somewhere else, in the header or not: 01-SECRET
    if finding.rule in _OF_ENVELOPE or (finding.rule in _OF_HEADER_ORDER and "/Header" in finding.path):
        return Part.ENVELOPE
    if finding.rule in _OF_HEADER_PROFILE and not in_payload:
        return Part.HEADER_PROFILE
    return Part.SCHEMA if finding.layer in _BEFORE_MEANING else Part.CONTENT


def sent(trace: Trace, route: Route) -> Iterator[Letter]:
    """What the producer put on this route itself, whatever became of it; an unreadable message may have been of it."""
    for letter in letters(trace, route.producer, route.receiver):
        if "instead_of" not in letter.exchange.about and concerns(letter, route):
            yield letter


def received(trace: Trace, route: Route) -> Iterator[Letter]:
    """What reached the receiver on this route, by arrival; what the bench altered on the way is there as it arrived."""
    arrived = (each for each in letters(trace, route.producer, route.receiver) if each.arrived and concerns(each, route))
    return iter(sorted(arrived, key=arrival))


def concerns(letter: Letter, route: Route) -> bool:
    """Whether a message is of this route: by noun, document element or payload; one that names no noun at all may be of any."""
    message = letter.message
    if message is None or message.kind in (Kind.RESPONSE, Kind.FAULT):
        return message is None and "answers" not in letter.exchange.about  # what answers something is no request
    return route.noun in nouns_of(message) or not (message.noun or message.wrapper or message.payload is not None)


def nouns_of(message: CimMessage) -> set[str]:
    """The known nouns that a message names anywhere."""
    named = {message.noun, message.wrapper and message.wrapper[1], None if message.payload is None else local(message.payload)}
    return {noun for noun in named if noun in NOUNS}


def arrival(letter: Letter) -> float:
    """When a message reached its receiver, seconds; when it was sent, where it never did."""
    arrives: float | None = letter.exchange.about.get("arrives")
    return letter.exchange.time if arrives is None else arrives


def faults_of(trace: Trace, letter: Letter, at: float | None = None) -> list[CimFinding]:
    """Everything that the rules say about a message, as of `at` (default: when it was sent), seconds.

    Nothing is said about a key that was kept out of the evidence.
    """
    arrived = instant(trace, letter.exchange.time if at is None else at)
    findings = check_message(letter.exchange.octets, arrived, profile=profile_of(trace))
    return [finding for finding in findings if finding.rule != "key" or trace.header.order.key_material]


def obeys(route: Route, part: Part) -> Check:
    """NN-ENVELOPE, NN-HEADER-PROFILE, NN-SCHEMA: every message of the route keeps the rules about that part."""

    def check(trace: Trace) -> Iterator[Finding]:
        for letter in sent(trace, route):
            findings = faults_of(trace, letter)
            concerned = [finding for finding in findings if part_of(finding) is part]
            yield from told(letter, concerned)
            if not any(finding.failed for finding in concerned) and _looked_at(findings, part):
                yield passed(f"keeps the rules about {part}", letter.number)

    return named(check, str(part), route)


def keeps(route: Route, *rules: str, of: str = "") -> Check:
    """Every message of the route keeps these rules about its content; `of` narrows them to a payload's objects of that name."""

    def check(trace: Trace) -> Iterator[Finding]:
        for letter in sent(trace, route):
            findings = faults_of(trace, letter)
            concerned = [
                finding for finding in findings
                if finding.rule in rules and part_of(finding) is Part.CONTENT and f"/{of}" in finding.path
            ]
            yield from told(letter, concerned)
            if not any(finding.failed for finding in concerned) and _looked_at(findings, Part.CONTENT):
                yield passed(f"keeps the rules: {', '.join(rules)}", letter.number)

    return named(check, f"{', '.join(rules)} in", route)


def breaks_nothing(route: Route) -> Check:
    """INT: every message of the route keeps every rule, whatever is around it."""

    def check(trace: Trace) -> Iterator[Finding]:
        for letter in sent(trace, route):
            findings = [each for each in faults_of(trace, letter) if part_of(each) is not Part.BINDING]
            yield from told(letter, findings)
            if letter.message is not None and not any(finding.failed for finding in findings):
                yield passed("keeps all rules of one message", letter.number)

    return named(check, "every rule in", route)


def named(check: Check, name: str, route: Route) -> Check:
    """The check under a name that says what it was made for."""
    check.__name__ = f"{name} {route.noun} from the {route.producer}"
    return check


def told(letter: Letter, findings: list[CimFinding]) -> Iterator[Finding]:
    """What the rules say about a message, in the words of a judgement."""
    for each in findings:
        if each.failed:
            observed = f"{each.message}{f' ({each.path})' if each.path else ''}"
            yield failed(
                f"breaks the rule {each.rule}", letter.number, expected=RULES[each.rule][1], observed=observed, hint=each.rule,
            )
        elif each.verdict is Verdict.INCONC:
            yield inconclusive(each.message, letter.number, expected=RULES[each.rule][1])
        else:
            yield noted(f"{each.rule}: {each.message}", letter.number, expected=RULES[each.rule][1])


def _looked_at(findings: list[CimFinding], part: Part) -> bool:
    """Whether the rules came as far as this part: what fails one layer is not looked at by the next."""
    invalid = [finding for finding in findings if finding.failed and finding.layer in _BEFORE_MEANING]
    if any(finding.failed and part_of(finding) is Part.BINDING for finding in findings):
        return False
    if part is Part.SCHEMA:
        return True
    return not invalid if part is Part.CONTENT else all("/Payload/" in finding.path for finding in invalid)


def unique_ids(producer: Actor) -> Check:
    """NN-UNIQUE: no two messages of this actor have one MessageID, but for the same octets sent again."""

    def check(trace: Trace) -> Iterator[Finding]:
        first: dict[str, Letter] = {}
        repeated = False
        for letter in letters(trace, producer):
            identifier = None if letter.message is None else letter.message.message_id
            if identifier is None or "instead_of" in letter.exchange.about:
                continue
            before = first.setdefault(identifier, letter)
            if before.exchange.octets != letter.exchange.octets:
                repeated = True
                yield failed(
                    f"two messages of the {producer} have the same MessageID", before.number, letter.number,
                    expected="a MessageID of its own for every message", observed=identifier, hint="message-id",
                )
        if len(first) > 1 and not repeated:
            yield passed(f"{len(first)} messages, each with its own MessageID", *(each.number for each in first.values()))

    check.__name__ = f"unique MessageIDs of the {producer}"
    return check
