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

    @property
    def request(self) -> str:
        """The document element of a request."""
        return f"Create{self.noun}"

    @property
    def response(self) -> str:
        """The document element of an answer."""
        return f"{self.noun}ResponseMessage"


ROUTES = (
    Told("01", Actor.DR_APPLICATION, Actor.AMI_HEAD_END, END_DEVICE_CONTROLS, "EndDeviceControl"),
    Told("13", Actor.AMI_HEAD_END, Actor.DR_APPLICATION, MASTER_DATA_LINKAGE_CONFIG, "ConfigurationEvent"),
    Told("14", Actor.DR_APPLICATION, Actor.CIS, MASTER_DATA_LINKAGE_CONFIG, "ConfigurationEvent"),
)


def _in_requests(told: Told) -> Iterator[Defect]:
    """Requests that break a rule of their form, one rule each."""
    ways: Mapping[str, tuple[str, str, Change]] = {
        "verb-capitalised": ("ENVELOPE", "writes the verb with a capital", changed(str.capitalize, "Header", "Verb")),
        "verb-of-an-event": ("ENVELOPE", "has an event's verb", changed(lambda verb: f"{verb}d", "Header", "Verb")),
        "noun-of-another": ("ENVELOPE", "names another noun than the payload's", says(METER_CONFIG, "Header", "Noun")),
        "header-out-of-order": ("ENVELOPE", "sends the header's elements out of order", first_beside("Header", "Source")),
        "revision-unknown": ("ENVELOPE", "says a revision that nobody knows", adding("Revision", "9.9", "Noun", "Header")),
        "context-of-production": ("ENVELOPE", "says that a test is real", adding("Context", "PRODUCTION", "Noun", "Header")),
        "nobody-to-reply-to": (
            "ENVELOPE", "asks for a later answer and says no address", adding("AsyncReplyFlag", "true", "Source", "Header"),
        ),
        "timestamp-missing": ("HEADER-PROFILE", "sends no timestamp", without("Header", "Timestamp")),
        "timestamp-without-zone": (
            "HEADER-PROFILE", "leaves the zone of the timestamp open",
            changed(lambda text: text.removesuffix("Z"), "Header", "Timestamp"),
        ),
        "timestamp-stale": ("HEADER-PROFILE", "sends a timestamp of long ago", says(LONG_AGO, "Header", "Timestamp")),
        "source-missing": ("HEADER-PROFILE", "does not say who sends", without("Header", "Source")),
        "message-id-missing": ("HEADER-PROFILE", "sends no MessageID", without("Header", "MessageID")),
        "payload-namespace": (
            "SCHEMA", "leaves the # out of the payload's namespace", payload_elsewhere(lambda space: space.removesuffix("#")),
        ),
        "own-element": (
            "SCHEMA", "puts an element of its own into the standard's namespace", adding("vendor", "x", "mRID", told.holder),
        ),
        "timestamp-with-a-space": (
            "SCHEMA", "writes no xs:dateTime", changed(lambda text: text.replace("T", " "), "Header", "Timestamp"),
        ),
    }
    for name, (clause, text, change) in ways.items():
        yield Defect(
            f"{told.step}-{name}", told.producer, f"{text} in {told.request}", (f"UC2.7-{told.step}-{clause}@{told.producer}",),
            rewrites=(on_cim(change, told.request),),
        )


def _in_answers(told: Told) -> Iterator[Defect]:
    """Answers that are not what the request asked for."""
    correlation = ("Header", "CorrelationID")
    ways: Mapping[str, tuple[str, Any]] = {
        "answer-missing": ("answers nothing", lambda root: None),
        "answer-doubled": ("answers every request twice", said_twice),
        "answer-to-nobody": ("answers with a CorrelationID of its own", says(AN_IDENTIFIER, *correlation)),
        "answer-without-correlation": ("answers without a CorrelationID", without(*correlation)),
        "answer-success": ("answers SUCCESS, which is no result", says("SUCCESS", "Result")),
        "answer-ok-and-fatal": ("answers OK with a fatal error", says("5.3", "Error", "code")),
        "answer-failed": (
            "refuses what is right", all_of(says("FAILED", "Result"), says("5.2", "Error", "code")),
        ),
        "answer-about-another-noun": ("answers about another noun", says(METER_CONFIG, "Header", "Noun")),
    }
    for name, (text, change) in ways.items():
        yield Defect(
            f"{told.step}-{name}", told.receiver, f"{text} ({told.response})", (f"UC2.7-{told.step}-REPLY@{told.receiver}",),
            rewrites=(on_cim(change, told.response),),
        )
    yield Defect(
        f"{told.step}-refusal-unfitting", told.receiver, "refuses everything with the code for an overload",
        (f"UC2.7-{told.step}-REJECTS@{told.receiver}",),
        rewrites=(on_cim(_every_code("5.1"), told.response),),
    )


def _every_code(code: str) -> Change:
    def change(root: etree._Element) -> etree._Element:
        for each in root.iter("{*}code"):
            each.text = code if each.text != "0.0" else each.text
        return root

    return change


def _by_decisions(told: Told) -> Iterator[Defect]:
    ways: Mapping[str, tuple[Actor, str, str, Mapping[str, Any]]] = {
        "never-answers": (told.receiver, "REPLY", "answers nobody", {"replies": False}),
        "believes-everything": (told.receiver, "REJECTS", "takes whatever it can read", {"validates": False}),
        "one-prefix-known": (
            told.receiver, "TOLERANT", "finds a payload by its prefix alone", {"reads_any_prefix": False},
        ),
        "no-memory": (told.receiver, "IDEMPOTENT", "takes a repeated request for a new one", {"recognises_repeats": False}),
        "gives-up": (told.producer, "RETRY", "asks only once", {"retries": False}),
        "renumbers": (told.producer, "RETRY", "asks again under another MessageID", {"keeps_message_id": False}),
    }
    for name, (actor, clause, text, decisions) in ways.items():
        yield Defect(f"{told.step}-{name}", actor, text, (f"UC2.7-{told.step}-{clause}@{actor}",), decisions)


def _one_identifier(root: etree._Element) -> etree._Element:
    return says(AN_IDENTIFIER, "Header", "MessageID")(root)


DEFECTS = (
    *(defect for told in ROUTES for part in (_in_requests, _in_answers, _by_decisions) for defect in part(told)),
    *(
        Defect(
            f"{step}-one-message-id", actor, "gives all its messages one MessageID", (f"UC2.7-{step}-UNIQUE@{actor}",),
            rewrites=(on_cim(_one_identifier),),
        )
        for step, actor in (("13", Actor.AMI_HEAD_END), ("14", Actor.DR_APPLICATION))
    ),
)
