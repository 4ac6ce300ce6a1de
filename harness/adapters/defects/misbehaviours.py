"""Misbehaviours of docs/misbehaviours.md that no step's defects show: messages wrong in one way, and wrong only beside others."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from lxml import etree

from harness.adapters.back_office_policy import on_cim
from harness.adapters.defects import Defect
from harness.adapters.wrong_messages import (
    AN_IDENTIFIER,
    Change,
    adding,
    all_of,
    as_fault,
    as_generic,
    changed,
    compressed_beside,
    first_beside,
    in_space,
    of_a_schema_of_its_own,
    payload_as_text,
    payload_elsewhere,
    said_a_hundred_times,
    says,
    with_child,
    with_nonce,
    without,
)
from harness.cim.nouns import ENVELOPE
from harness.usecase import Actor

ORDER, ORDER_ANSWER = "CreateEndDeviceControls", "EndDeviceControlsResponseMessage"
EVENTS = "CreatedEndDeviceEvents"
LINKAGE, LINKAGE_ANSWER = "CreateMasterDataLinkageConfig", "MasterDataLinkageConfigResponseMessage"
_DR, _HEAD_END, _CIS = Actor.DR_APPLICATION, Actor.AMI_HEAD_END, Actor.CIS
_DEVICE = ("EndDevice", "Names", "name")
_CORRELATION = ("Header", "CorrelationID")

Way = tuple[str, str, str, Change]  # the clause, the rule, what is done, and the change

_IN_ORDERS: Mapping[str, Way] = {
    "verb-unknown": ("ENVELOPE", "verb", "has a verb that nobody knows", says("update", "Header", "Verb")),
    "verb-of-another-element": ("ENVELOPE", "wrapper-verb", "has another verb than the element names", says("change", "Header", "Verb")),
    "reply-in-a-request": ("ENVELOPE", "reply-place", "has a Reply", with_child("Reply", {"Result": "OK"})),
    "envelope-with-www": (
        "SCHEMA", "namespace", "writes the envelope's namespace as it was before",
        in_space(lambda space: space.replace("http://iec", "http://www.iec") if space == ENVELOPE else space),
    ),
    "header-in-the-envelope": (
        "SCHEMA", "namespace", "has its Header in the namespace of the envelope", in_space(lambda space: ENVELOPE, "Header"),
    ),
    "payload-in-the-envelope": (
        "SCHEMA", "payload-namespace", "has its payload in the namespace of the envelope", payload_elsewhere(lambda space: ENVELOPE),
    ),
    "operation-without-a-number": (
        "SCHEMA", "missing", "adds an operation without a number", with_child("OperationSet", {"Operation": ""}, "Payload"),
    ),
    "compressed-beside-a-payload": (
        "SCHEMA", "compressed", "sends its payload once more beside it, compressed", compressed_beside,
    ),
    "payload-as-text": ("SCHEMA", "payload-as-text", "writes the payload as text", payload_as_text),
    "schema-of-its-own": ("SCHEMA", "payload-namespace", "points to a schema of its own for a payload of its own", of_a_schema_of_its_own),
}
_ORDERS_NOTHING = ("verb-unknown", "verb-of-another-element", "payload-as-text")  # no control that is to be created can be read
_IN_LINKAGES: Mapping[str, Way] = {
    "device-first": ("SCHEMA", "order", "has the device before the event", first_beside("EndDevice")),
    "generic-and-out-of-order": (
        "SCHEMA", "order", "has the device before the event, in an envelope that does not look",
        all_of(first_beside("EndDevice"), as_generic),
    ),
    "name-blank": ("MAC", "identity", "names the device by a blank", says(" ", *_DEVICE)),
}
_IN_ANSWERS: Mapping[str, tuple[str, str, Change]] = {
    "without-a-reply": ("reply-place", "answers without a Reply", without("Reply")),
    "partial": ("partial", "answers in part", all_of(says("PARTIAL", "Result"), says("0.2", "Error", "code"))),
    "of-code-zero": ("error-code", "writes 0 for 0.0", says("0", "Error", "code")),
    "with-a-path": ("error-xpath", "gives a path where a qualified name belongs", adding("xpath", "/a/b[1]", "code", "Error")),
    "without-a-noun": ("missing", "leaves the noun out", without("Header", "Noun")),
    "by-a-fault": ("needless-fault", "answers with a fault whatever the request", as_fault),
}


def _one_timestamp(_: Any) -> tuple[Callable[[Any], Any], ...]:
    """Every message says when the first was made; met anew for each bench."""
    met: list[str] = []

    def again(text: str) -> str:
        met.append(text)
        return met[0]

    return (on_cim(changed(again, "Header", "Timestamp")),)


def _with_one_mrid(root: etree._Element) -> etree._Element:
    for name in ("EndDevice", "Meter"):
        root = with_child("mRID", AN_IDENTIFIER, name, at=0)(root)
    return root


def _sequence(
    name: str, actor: Actor, text: str, cause: str, change: Callable[[etree._Element], Any], *documents: str, also: tuple[str, ...] = (),
) -> Defect:
    breaks = tuple(f"UC2.7-{clause}@{actor}" for clause in ("INT-SEQUENCE", *also))
    return Defect(name, actor, text, breaks, rewrites=(on_cim(change, *documents),), cause=cause)


_EVENTS_TOLD = ("INT-HEAD-END-CIS", "INT-HEAD-END-ODS")

DEFECTS = (
    *(
        Defect(
            f"01-{name}", _DR, f"{text} (order)",
            (f"UC2.7-01-{clause}@{_DR}", *([f"UC2.7-01-COMMAND@{_DR}"] if name in _ORDERS_NOTHING else [])),
            rewrites=(on_cim(change, ORDER),), cause=rule,
        )
        for name, (clause, rule, text, change) in _IN_ORDERS.items()
    ),
    *(
        Defect(f"13-{name}", _HEAD_END, text, (f"UC2.7-13-{clause}@{_HEAD_END}",), rewrites=(on_cim(change, LINKAGE),), cause=rule)
        for name, (clause, rule, text, change) in _IN_LINKAGES.items()
    ),
    *(
        Defect(
            f"01-answer-{name}", _HEAD_END, text,
            tuple(f"UC2.7-{clause}@{_HEAD_END}" for clause in (
                "01-REPLY", "INT-HEAD-END-DR", *(["INT-SEQUENCE"] if name in ("partial", "by-a-fault") else []),
            )),
            rewrites=(on_cim(change, ORDER_ANSWER),), cause=rule,
        )
        for name, (rule, text, change) in _IN_ANSWERS.items()
    ),
    Defect(
        "01-answer-of-an-event", _HEAD_END, "answers with an event's verb, which is noted and no more",
        rewrites=(on_cim(says("created", "Header", "Verb"), ORDER_ANSWER),),
    ),
    Defect(
        "13-message-id-of-four-digits", _HEAD_END, "has no UUID for a MessageID, which breaks a rule of 2018",
        rewrites=(on_cim(says("1001", "Header", "MessageID"), LINKAGE),),
    ),
    _sequence(
        "dr-one-correlation", _DR, "gives all orders one CorrelationID", "correlation-reuse", says(AN_IDENTIFIER, *_CORRELATION), ORDER,
    ),
    _sequence("head-end-one-nonce", _HEAD_END, "gives all its messages one nonce", "replayed", with_nonce),
    _sequence("head-end-one-mrid", _HEAD_END, "gives device and meter one mRID", "same-object", _with_one_mrid, LINKAGE),
    _sequence(
        "cis-answers-in-capitals", _CIS, "writes identifiers big", "reply-correlation", changed(str.upper, *_CORRELATION),
        LINKAGE_ANSWER, also=("14-REPLY",),
    ),
    _sequence(
        "head-end-floods", _HEAD_END, "tells every event a hundred times over", "flood", said_a_hundred_times, EVENTS, also=_EVENTS_TOLD,
    ),
    Defect(  # which is older than what the later ones tell
        "head-end-one-timestamp", _HEAD_END, "gives all its messages the timestamp of the first",
        tuple(f"UC2.7-{clause}@{_HEAD_END}" for clause in ("INT-SEQUENCE", "13-TIME-LOGIC", *_EVENTS_TOLD)),
        made=_one_timestamp, cause="timestamp-constant",
    ),
)
