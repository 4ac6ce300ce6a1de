"""The rules that no message can break alone, and what all messages of an exchange say together; pure functions over records.

The same functions judge a recorded file and a run: `SEQUENCE` lists them all, each a generator of findings over a `Recording`.
Here are those about identifiers and instants; `answers` has those about answers, `course` those about the use case's steps.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta

from lxml import etree

from harness.cim import answers, course
from harness.cim.answers import Asked, paired
from harness.cim.envelope import Kind
from harness.cim.instant import instant_of
from harness.cim.record import Record, RecordedFinding, Recording, found
from harness.cim.rules import AHEAD, STALE
from harness.cim.tree import child, children, local, text

SAME_INSTANT = 5.0  # seconds that lie at most between messages of one timestamp: they may be sent later than made
FLOOD = 100  # messages of one sender to one receiver within a second, and no more

Rule = Callable[[Recording], Iterator[RecordedFinding]]


def message_ids_are_unique(recording: Recording) -> Iterator[RecordedFinding]:
    """message-id: no two messages have one MessageID, but for the same octets sent again."""
    first: dict[str, Record] = {}
    for record in recording.made():
        identifier = record.header("message_id")
        if identifier is None:
            continue
        before = first.setdefault(identifier.casefold(), record)
        if before.octets != record.octets:
            yield found("message-id", "another message had this MessageID", record.producer, record, before)


def orders_are_told_apart(recording: Recording) -> Iterator[RecordedFinding]:
    """correlation-reuse: requests that could be mistaken for each other have a CorrelationID each."""
    alike: dict[tuple[str | None, ...], list[Asked]] = {}
    for each in paired(recording)[0]:
        record = each.first
        correlation = record.header("correlation_id")
        if record.kind is Kind.REQUEST and not record.disturbed and correlation is not None:
            alike.setdefault((record.producer, record.receiver, record.header("noun"), correlation), []).append(each)
    for before, *others in alike.values():
        for later in others:
            if _may_cross(before, later, recording):
                said = "an earlier request has this CorrelationID"
                yield found("correlation-reuse", said, later.first.producer, later.first, before.first)


def _may_cross(before: Asked, later: Asked, recording: Recording) -> bool:
    one, other = before.first, later.first
    if one.header("message_id") == other.header("message_id"):
        return False  # `message-id` speaks of it
    waits = not before.answers or before.answers[0].at > other.at
    return waits or course.devices_of(one, recording.profile) != course.devices_of(other, recording.profile)


def timestamps_advance(recording: Recording) -> Iterator[RecordedFinding]:
    """timestamp-constant: messages that were made at different times do not say the same time."""
    first: dict[tuple[str, str], Record] = {}
    sent: set[tuple[str, bytes]] = set()
    for record in recording.made():
        made = record.header("timestamp")
        if made is None or (record.producer, record.octets) in sent:
            continue  # what is sent again was made when it was sent first
        sent.add((record.producer, record.octets))
        before = first.setdefault((record.producer, made), record)
        if record.at - before.at > SAME_INSTANT:
            said = f"made {record.at - before.at:g} s later than another with this timestamp"
            yield found("timestamp-constant", said, record.producer, record, before)


def nonces_are_fresh(recording: Recording) -> Iterator[RecordedFinding]:
    """replayed: a nonce is used once (but while its message still waits for an answer), and made just before."""
    first: dict[tuple[str, str], Record] = {}
    answered = {
        each.first.octets: min(answer.arrives for answer in each.answers if answer.arrives is not None)
        for each in paired(recording)[0] if any(answer.arrives is not None for answer in each.answers)
    }
    for record in recording.made():
        header = None if record.message is None else child(record.message.root, "Header")
        nonce = text(header, "ReplayDetection", "Nonce")
        if nonce is None:
            continue
        before = first.setdefault((record.producer, nonce), record)
        if before is not record and (before.octets != record.octets or answered.get(record.octets, record.at) < record.at):
            yield found("replayed", "this nonce was used before", record.producer, record, before)
        made, now = instant_of(text(header, "ReplayDetection", "Created")), recording.instant(record.at)
        if made is not None and not now - STALE <= made <= now + AHEAD:
            yield found("replayed", f"the nonce is {(now - made) / timedelta(minutes=1):.0f} min old", record.producer, record)


def mrids_stand_for_one_object(recording: Recording) -> Iterator[RecordedFinding]:
    """same-object: an mRID and the names beside it speak of one object, in all messages."""
    known: dict[tuple[str, str], tuple[str, Record]] = {}
    for record in recording.made():
        payload = None if record.message is None else record.message.payload
        here: dict[str, str] = {}
        for holder in () if payload is None else payload.iter(etree.Element):
            mrid = text(holder, "mRID")
            other_here = here.setdefault(mrid, local(holder)) if mrid else local(holder)
            if other_here != local(holder):
                said = f"one mRID for a {other_here} and a {local(holder)}"
                yield found("same-object", said, record.producer, record)
            for name_type, name in _names(holder).items() if mrid else ():
                other, before = known.setdefault((mrid or "", name_type), (name, record))
                if other != name:
                    said = f"the mRID of this {local(holder)} stands for another {name_type}"
                    yield found("same-object", said, record.producer, record, before)


def _names(holder: etree._Element) -> dict[str, str]:
    told = {text(each, "NameType", "name"): text(each, "name") for each in children(holder, "Names")}
    return {name_type: name for name_type, name in told.items() if name_type and name}


def arrives_whole(recording: Recording) -> Iterator[RecordedFinding]:
    """broken-off: what was sent arrives whole, and who waits for an answer is not left with a closed connection."""
    for record in recording.made():
        if record.flaw:
            yield found("broken-off", record.flaw, record.producer, record)


def nobody_floods(recording: Recording) -> Iterator[RecordedFinding]:
    """flood: no sender heaps messages on a receiver faster than anybody could mean them."""
    lately: dict[tuple[str, str], list[Record]] = {}
    told = set()
    for record in recording.made():
        way = (record.producer, record.receiver)
        if way in told or not record.receiver:
            continue
        window = [each for each in lately.get(way, []) if each.at > record.at - 1.0] + [record]
        lately[way] = window
        if len(window) > FLOOD:
            told.add(way)
            yield found("flood", f"more than {FLOOD} messages within a second", record.producer, record, window[0])


SEQUENCE: dict[str, Rule] = {
    "unanswered": answers.answered_in_time, "answered-twice": answers.answered_once,
    "reply-correlation": answers.answers_the_question, "stranger": answers.answers_the_question,
    "needless-fault": answers.faults_are_for_the_unreadable, "partial": answers.nothing_is_half_done,
    "acknowledgement": answers.acknowledged, "async-reply": answers.answered_later,
    "message-id": message_ids_are_unique, "correlation-reuse": orders_are_told_apart,
    "timestamp-constant": timestamps_advance, "replayed": nonces_are_fresh, "same-object": mrids_stand_for_one_object,
    "flood": nobody_floods,
    "step-order": course.steps_in_order, "passed-on-once": course.passed_on_once, "device-chain": course.one_device,
    "premise-chain": course.one_premise, "in-force": course.in_force_inside_the_window, "key-told": course.key_is_kept,
}
"""The rules of the layer `sequence`, and what finds each."""


def check_sequence(recording: Recording) -> list[RecordedFinding]:
    """What is wrong between the messages of an exchange, and with their way, in the order of the records."""
    rules = (arrives_whole, *dict.fromkeys(SEQUENCE.values()))
    return sorted((finding for rule in rules for finding in rule(recording)), key=lambda finding: finding.records[0])
