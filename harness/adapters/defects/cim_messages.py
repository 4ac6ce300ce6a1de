"""Defects in the form of CIM messages and in how they are answered and repeated; the same for steps 1, 13 and 14."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from lxml import etree

from harness.adapters.back_office_policy import on_cim
from harness.adapters.defects import Defect
from harness.adapters.wrong_messages import (
    AN_IDENTIFIER,
    LONG_AGO,
    Change,
    adding,
    all_of,
    changed,
    first_beside,
    payload_elsewhere,
    said_twice,
    says,
    without,
)
from harness.cim.nouns import END_DEVICE_CONTROLS, MASTER_DATA_LINKAGE_CONFIG, METER_CONFIG
from harness.usecase import Actor


@dataclass(frozen=True)
class Told:
    """Who sends requests about which noun in a step, and who answers them."""

    step: str
    producer: Actor
    receiver: Actor
    noun: str
    holder: str  # an object of the payload that has an mRID, and what comes after it
    asking: str  # the clause of the step that wants it asked or announced, by create
    point: str = ""  # the integration point that consists in its answers, where there is one

    @property
    def request(self) -> str:
        """The document element of a request."""
        return f"Create{self.noun}"

    @property
    def response(self) -> str:
        """The document element of an answer."""
        return f"{self.noun}ResponseMessage"

    def broken(self, actor: Actor, *clauses: str) -> tuple[str, ...]:
        """These clauses of the step, or of an integration point, and what is broken wherever they are."""
        point = (self.point,) if "REPLY" in clauses and self.point else ()
        return tuple(
            f"UC2.7-{clause if clause.startswith('INT-') else f'{self.step}-{clause}'}@{actor}" for clause in (*clauses, *point)
        )


ROUTES = (
    Told("01", Actor.DR_APPLICATION, Actor.AMI_HEAD_END, END_DEVICE_CONTROLS, "EndDeviceControl", "COMMAND", "INT-HEAD-END-DR"),
    Told(
        "13", Actor.AMI_HEAD_END, Actor.DR_APPLICATION, MASTER_DATA_LINKAGE_CONFIG, "ConfigurationEvent", "MESSAGE", "INT-HEAD-END-DR",
    ),
    Told("14", Actor.DR_APPLICATION, Actor.CIS, MASTER_DATA_LINKAGE_CONFIG, "ConfigurationEvent", "MESSAGE"),
)


def _in_requests(told: Told) -> Iterator[Defect]:
    """Requests that break a rule of their form, one rule each: by name the clause, the rule, what is done, and the change."""
    ways: Mapping[str, tuple[str, str, str, Change]] = {
        "verb-capitalised": ("ENVELOPE", "verb", "writes the verb with a capital", changed(str.capitalize, "Header", "Verb")),
        "verb-of-an-event": ("ENVELOPE", "wrapper-verb", "has an event's verb", changed(lambda verb: f"{verb}d", "Header", "Verb")),
        "noun-of-another": ("ENVELOPE", "noun", "names another noun than the payload's", says(METER_CONFIG, "Header", "Noun")),
        "header-out-of-order": ("ENVELOPE", "order", "sends the header's elements out of order", first_beside("Header", "Source")),
        "revision-unknown": ("ENVELOPE", "revision", "says a revision that nobody knows", adding("Revision", "9.9", "Noun", "Header")),
        "context-of-production": ("ENVELOPE", "context", "says that a test is real", adding("Context", "PRODUCTION", "Noun", "Header")),
        "nobody-to-reply-to": (
            "ENVELOPE", "async-address", "asks for a later answer and says no address",
            adding("AsyncReplyFlag", "true", "Source", "Header"),
        ),
        "timestamp-missing": ("HEADER-PROFILE", "header-profile", "sends no timestamp", without("Header", "Timestamp")),
        "timestamp-without-zone": (
            "HEADER-PROFILE", "time-zone", "leaves the zone of the timestamp open",
            changed(lambda text: text.removesuffix("Z"), "Header", "Timestamp"),
        ),
        "timestamp-stale": ("HEADER-PROFILE", "freshness", "sends a timestamp of long ago", says(LONG_AGO, "Header", "Timestamp")),
        "source-missing": ("HEADER-PROFILE", "header-profile", "does not say who sends", without("Header", "Source")),
        "message-id-missing": ("HEADER-PROFILE", "header-profile", "sends no MessageID", without("Header", "MessageID")),
        "payload-namespace": (
            "SCHEMA", "payload-namespace", "leaves the # out of the payload's namespace",
            payload_elsewhere(lambda space: space.removesuffix("#")),
        ),
        "own-element": (
            "SCHEMA", "extension", "puts an element of its own into the standard's namespace", adding("vendor", "x", "mRID", told.holder),
        ),
        "timestamp-with-a-space": (
            "SCHEMA", "date-time", "writes no xs:dateTime", changed(lambda text: text.replace("T", " "), "Header", "Timestamp"),
        ),
    }
    also = {
        "verb-of-an-event": (told.asking, *((told.point,) if told.step == "13" else ())),  # which wants linkages told as well
        "timestamp-stale": () if told.step == "01" else ("TIME-LOGIC",),  # it is older than what the message tells
    }
    for name, (clause, rule, text, change) in ways.items():
        yield Defect(
            f"{told.step}-{name}", told.producer, f"{text} in {told.request}",
            told.broken(told.producer, clause, *also.get(name, ())), rewrites=(on_cim(change, told.request),), cause=rule,
        )


def _in_answers(told: Told) -> Iterator[Defect]:
    """Answers that are not what the request asked for: by name the cause, what is done, and the change."""
    correlation = ("Header", "CorrelationID")
    ways: Mapping[str, tuple[str, str, Any]] = {
        "answer-missing": ("unanswered", "answers nothing", lambda root: None),
        "answer-doubled": ("answered-twice", "answers every request twice", said_twice),
        "answer-to-nobody": ("stranger", "answers with a CorrelationID of its own", says(AN_IDENTIFIER, *correlation)),
        "answer-without-correlation": ("correlation", "answers without a CorrelationID", without(*correlation)),
        "answer-success": ("result", "answers SUCCESS, which is no result", says("SUCCESS", "Result")),
        "answer-ok-and-fatal": ("result-error", "answers OK with a fatal error", says("5.3", "Error", "code")),
        "answer-failed": (
            "right-request-refused", "refuses what is right", all_of(says("FAILED", "Result"), says("5.2", "Error", "code")),
        ),
        "answer-about-another-noun": ("noun", "answers about another noun", says(METER_CONFIG, "Header", "Noun")),
    }
    contradicting = {"answer-doubled", "answer-to-nobody", "answer-without-correlation"}
    if told.step != "14":
        contradicting.add("answer-failed")  # the next step follows what was refused
    for name, (cause, text, change) in ways.items():
        clauses = ("REPLY", *(["INT-SEQUENCE"] if name in contradicting else []))
        yield Defect(
            f"{told.step}-{name}", told.receiver, f"{text} ({told.response})", told.broken(told.receiver, *clauses),
            rewrites=(on_cim(change, told.response),), cause=cause,
        )
    yield Defect(
        f"{told.step}-refusal-unfitting", told.receiver, "refuses everything with the code for an overload",
        (f"UC2.7-{told.step}-REJECTS@{told.receiver}",),
        rewrites=(on_cim(_every_code("5.1"), told.response),), cause="refusal-code-unfitting",
    )


def _every_code(code: str) -> Change:
    def change(root: etree._Element) -> etree._Element:
        for each in root.iter("{*}code"):
            each.text = code if each.text != "0.0" else each.text
        return root

    return change


def _by_decisions(told: Told) -> Iterator[Defect]:
    answers_all = ("INT-CIS-HEAD-END",) if told.receiver is Actor.AMI_HEAD_END else ()
    ways: Mapping[str, tuple[Actor, tuple[str, ...], str, str, Mapping[str, Any]]] = {
        "never-answers": (told.receiver, ("REPLY", *answers_all), "unanswered", "answers nobody", {"replies": False}),
        "believes-everything": (
            told.receiver, ("REJECTS",), "rules-not-checked", "takes whatever it can read", {"validates": False},
        ),
        "one-prefix-known": (
            told.receiver, ("TOLERANT",), "unusual-taken-for-wrong", "finds a payload by its prefix alone", {"reads_any_prefix": False},
        ),
        "no-memory": (
            told.receiver, ("IDEMPOTENT",), "repeated-request-obeyed-again" if told.step == "01" else "repetition-answered-otherwise",
            "takes a repeated request for a new one", {"recognises_repeats": False},
        ),
        "gives-up": (told.producer, ("RETRY",), "asks-only-once", "asks only once", {"retries": False}),
        "renumbers": (told.producer, ("RETRY",), "repeats-altered", "asks again under another MessageID", {"keeps_message_id": False}),
    }
    for name, (actor, clauses, cause, text, decisions) in ways.items():
        yield Defect(f"{told.step}-{name}", actor, text, told.broken(actor, *clauses), decisions, cause=cause)


def _one_identifier(root: etree._Element) -> etree._Element:
    return says(AN_IDENTIFIER, "Header", "MessageID")(root)


DEFECTS = (
    *(defect for told in ROUTES for part in (_in_requests, _in_answers, _by_decisions) for defect in part(told)),
    *(
        Defect(
            f"{step}-one-message-id", actor, "gives all its messages one MessageID",
            (f"UC2.7-{step}-UNIQUE@{actor}", f"UC2.7-INT-SEQUENCE@{actor}"), rewrites=(on_cim(_one_identifier),), cause="message-id",
        )
        for step, actor in (("13", Actor.AMI_HEAD_END), ("14", Actor.DR_APPLICATION))
    ),
)
