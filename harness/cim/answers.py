"""Which message of an exchange answers which, and the rules about it: once, in time, by the right one; knows no step.

A request, and an event that wants to be acknowledged, is answered by what the transport says answers it, else by what echoes its
CorrelationID; a fault, which has no header, answers the oldest request that still waits.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from urllib.parse import urlsplit

from harness.cim.envelope import Kind
from harness.cim.record import Record, RecordedFinding, Recording, found
from harness.cim.tree import children

ANSWER_TIME = 30.0  # seconds; docs/cim-profile.md, what is asked of an exchange
ACKNOWLEDGED = "0.3"  # the reply code of an acknowledgement and nothing more


@dataclass
class Asked:
    """Something that wants an answer: what came first, how often it came, and what was answered."""

    first: Record
    arrivals: list[Record] = field(default_factory=list)
    answers: list[Record] = field(default_factory=list)

    @property
    def asynchronous(self) -> bool:
        """Whether the answer is to come later, at an address of its own."""
        return self.first.header("async_reply_flag") in ("true", "1")

    @property
    def wants_acknowledgement(self) -> bool:
        """Whether an acknowledgement is asked for."""
        return self.first.header("ack_required") in ("true", "1")

    @property
    def numbers(self) -> set[int]:
        """The records of all its arrivals."""
        return {record.number for record in self.arrivals}

    @property
    def refused(self) -> bool:
        """Whether the first answer is that it was not taken."""
        return bool(self.answers) and is_refusal(self.answers[0])


def is_refusal(record: Record) -> bool:
    """Whether an answer says that something was not done: a fault, or the result FAILED."""
    reply = None if record.message is None else record.message.reply
    return record.kind is Kind.FAULT or (reply is not None and reply.result == "FAILED")


@lru_cache(maxsize=2)
def paired(recording: Recording) -> tuple[list[Asked], list[Record]]:
    """Everything that wants an answer with its answers, and the answers that belong to nothing. They are shared: change none."""
    pairing = _Pairing()
    for record in recording:
        if _may_be_answered(record):
            if record.arrives is not None:
                pairing.ask(record)
        elif not record.disturbed and (record.kind in (Kind.RESPONSE, Kind.FAULT) or record.answers is not None):
            pairing.answer(record)
    return pairing.asked, pairing.strangers


def _may_be_answered(record: Record) -> bool:
    """Whether a message wants an answer, or may get one: nobody can tell of what cannot be read, and is no answer itself."""
    if record.kind is None:
        return bool(record.octets and record.receiver) and record.answers is None
    return record.kind is Kind.REQUEST or (record.kind is Kind.EVENT and record.header("ack_required") in ("true", "1"))


class _Pairing:
    """Who waits for what, while the records go by; each look-up is by a key, however many wait."""

    def __init__(self) -> None:
        self.asked: list[Asked] = []
        self.strangers: list[Record] = []
        self._by_octets: dict[tuple[bytes, str, str], Asked] = {}
        self._by_number: dict[int, Asked] = {}
        self._by_identifier: dict[tuple[str, str, str], list[Asked]] = {}
        self._waiting: dict[tuple[str, str], deque[Asked]] = {}

    def ask(self, record: Record) -> None:
        """Something arrived that wants an answer: news, or what came before."""
        key = (record.octets, record.producer, record.receiver)
        known = self._by_octets.get(key)
        if known is None:
            known = self._by_octets[key] = Asked(record)
            self.asked.append(known)
            identifiers = (record.header("correlation_id"), record.header("message_id"))
            for identifier in {each.casefold() for each in identifiers if each}:
                self._by_identifier.setdefault((record.producer, record.receiver, identifier), []).append(known)
        known.arrivals.append(record)
        self._waiting.setdefault((record.producer, record.receiver), deque()).append(known)
        self._by_number[record.number] = known

    def answer(self, record: Record) -> None:
        """Something was answered."""
        question = self._question(record)
        if question is not None:
            question.answers.append(record)
        elif record.kind in (Kind.RESPONSE, Kind.FAULT):
            self.strangers.append(record)

    def _question(self, record: Record) -> Asked | None:
        if record.answers in self._by_number:
            return self._by_number[record.answers]
        echoed = record.header("correlation_id")
        if echoed is None:
            return self._oldest(record)
        alike = self._by_identifier.get((record.receiver, record.producer, echoed.casefold()), [])
        echoing = [each for each in alike if asks_with(each.first) == echoed] or alike
        waiting = (each for each in echoing if len(each.answers) < len(each.arrivals))
        return next(waiting, min(echoing, key=lambda each: len(each.answers) / len(each.arrivals), default=None))

    def _oldest(self, record: Record) -> Asked | None:
        """The oldest request between these two that still waits; what cannot be read may be as many, all of the same octets."""
        waiting = self._waiting.get((record.receiver, record.producer), deque())
        while waiting and len(waiting[0].answers) >= (1 if waiting[0].first.kind is not None else len(waiting[0].arrivals)):
            waiting.popleft()
        return waiting[0] if waiting else None


def asks_with(request: Record) -> str | None:
    """What an answer has to echo: the CorrelationID, failing that the MessageID."""
    return request.header("correlation_id") or request.header("message_id")


# -- the rules


def answered_in_time(recording: Recording) -> Iterator[RecordedFinding]:
    """unanswered: nobody is left without an answer for longer than ANSWER_TIME."""
    for each in paired(recording)[0]:
        came = each.first.arrives or 0.0
        if each.first.kind is not Kind.REQUEST:
            continue
        if not each.answers and recording.until >= came + ANSWER_TIME:
            yield found("unanswered", f"no answer within {ANSWER_TIME:g} s", each.first.receiver, each.first)
        elif each.answers and each.answers[0].at > came + ANSWER_TIME:
            late = each.answers[0].at - came
            yield found("unanswered", f"an answer only after {late:g} s", each.first.receiver, each.answers[0], each.first)


def answered_once(recording: Recording) -> Iterator[RecordedFinding]:
    """answered-twice: one answer for each time the request came; a later one only where it was asked for."""
    for each in paired(recording)[0]:
        answers = [answer for answer in each.answers if answer.kind in (Kind.RESPONSE, Kind.FAULT)]
        due = len(each.arrivals) * (2 if each.asynchronous and not each.refused else 1)
        if each.first.kind is Kind.REQUEST and len(answers) > due:
            said = f"{len(answers)} answers to what came {len(each.arrivals)} times"
            yield found("answered-twice", said, each.first.receiver, answers[due], each.first, *answers[:due])


def answers_the_question(recording: Recording) -> Iterator[RecordedFinding]:
    """reply-correlation, stranger: an answer has its request's CorrelationID, letter for letter, and answers a request at all."""
    asked, strangers = paired(recording)
    for each in asked:
        wanted = asks_with(each.first)
        for answer in each.answers:
            said = answer.header("correlation_id")
            if answer.kind is not Kind.RESPONSE or said is None or said == wanted or each.first.kind is None:
                continue
            others = [other.first for other in asked if other is not each and asks_with(other.first) == said]
            if others:
                yield found("stranger", "answers somebody else's request", answer.producer, answer, each.first, *others[:1])
            else:
                yield found("reply-correlation", _muddled(each.first, said), answer.producer, answer, each.first)
    for answer in strangers:
        yield found("stranger", "answers a request that nobody made of its sender", answer.producer, answer)


def _muddled(request: Record, said: str) -> str:
    wanted = request.header("correlation_id")
    if said == request.header("message_id"):
        return "echoes the request's MessageID, which has a CorrelationID"
    return f"the request's CorrelationID is {wanted}" + (", in other letters" if said.casefold() == (wanted or "").casefold() else "")


def faults_are_for_the_unreadable(recording: Recording) -> Iterator[RecordedFinding]:
    """needless-fault: a request whose header can be read is answered by a response, also where it is refused."""
    for each in paired(recording)[0]:
        for answer in each.answers:
            if answer.kind is Kind.FAULT and each.first.header("verb") and each.first.header("noun"):
                yield found("needless-fault", "the request's header can be read", answer.producer, answer, each.first)


def nothing_is_half_done(recording: Recording) -> Iterator[RecordedFinding]:
    """partial: who was asked for one thing did it or did not."""
    for each in paired(recording)[0]:
        payload = None if each.first.message is None else each.first.message.payload
        items = 1 if payload is None else max(len(children(payload, name)) for name in ("EndDeviceControl", "EndDevice", "Meter"))
        for answer in each.answers:
            reply = None if answer.message is None else answer.message.reply
            if reply is not None and reply.result == "PARTIAL" and items <= 1:
                yield found("partial", "PARTIAL, where one thing was asked for", answer.producer, answer, each.first)


def acknowledged(recording: Recording) -> Iterator[RecordedFinding]:
    """acknowledgement: what asks for one is acknowledged once, in time, and before what comes of it."""
    for each in paired(recording)[0]:
        if not each.wants_acknowledgement:
            continue
        by, came = each.first.receiver, each.first.arrives or 0.0
        if not each.answers:
            if each.first.kind is Kind.EVENT and recording.until >= came + ANSWER_TIME:
                yield found("acknowledgement", f"none within {ANSWER_TIME:g} s", by, each.first)
            continue
        if each.first.kind is Kind.EVENT and len(each.answers) > len(each.arrivals):
            yield found("acknowledgement", f"{len(each.answers)} of them", by, each.answers[-1], each.first)
        early = [record for record in outcomes(recording, each) if record.at < each.answers[0].at]
        if early:
            yield found("acknowledgement", "only after the outcome was told", by, each.answers[0], early[0], each.first)


def outcomes(recording: Recording, asked: Asked) -> list[Record]:
    """The events by which the receiver of a request tells what came of it: about the same noun, with the same CorrelationID."""
    return [
        record for record in recording.made()
        if record.kind is Kind.EVENT and (record.producer, record.receiver) == (asked.first.receiver, asked.first.producer)
        and record.header("noun") == asked.first.header("noun")
        and record.header("correlation_id") == asks_with(asked.first)
    ]


def answered_later(recording: Recording) -> Iterator[RecordedFinding]:
    """async-reply: who asks for a later answer gets it at its address, and no more than an acknowledgement on the spot."""
    for each in paired(recording)[0]:
        if not each.asynchronous or each.refused or not each.answers:
            continue
        later = [*each.answers[1:], *outcomes(recording, each)]
        address = each.first.header("reply_address") or ""
        elsewhere = [record for record in later if not _goes_to(record, address)]
        by = each.first.receiver
        if elsewhere:
            yield found("async-reply", f"the answer did not go to {address}", by, elsewhere[0], each.first)
        elif not later and not _only_acknowledges(each.answers[0]):
            yield found("async-reply", "answered on the spot", by, each.answers[0], each.first)
        elif not later and recording.until >= (each.first.arrives or 0.0) + ANSWER_TIME:
            yield found("async-reply", f"acknowledged, and not answered within {ANSWER_TIME:g} s", by, each.first)


def _goes_to(record: Record, address: str) -> bool:
    """Whether a message goes to an address, as far as its transport tells where it goes."""
    told = record.transport
    return told.get("address") in (None, address) and told.get("target") in (None, urlsplit(address).path)


def _only_acknowledges(answer: Record) -> bool:
    reply = None if answer.message is None else answer.message.reply
    return reply is not None and {error.code for error in reply.errors} <= {ACKNOWLEDGED}
