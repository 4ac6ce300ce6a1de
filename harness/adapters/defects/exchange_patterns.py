"""Defects of the way in which CIM messages travel: the binding, answers that come later, acknowledgements of events."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from copy import deepcopy
from dataclasses import replace
from typing import Any

from lxml import etree

from harness.adapters.back_office_policy import Rewrite, on_cim, on_wire
from harness.adapters.defects import Defect
from harness.adapters.wrong_messages import AN_IDENTIFIER, adding, said_twice, says
from harness.cim.envelope import CimMessage, Kind, serialise
from harness.ports import Message
from harness.usecase import Actor

EVENTS, ACKNOWLEDGEMENT = "CreatedEndDeviceEvents", "EndDeviceEventsResponseMessage"
SPEAKERS = {Actor.DR_APPLICATION: "dr", Actor.AMI_HEAD_END: "head-end", Actor.CIS: "cis"}
LISTENERS = {Actor.DR_APPLICATION: "dr", Actor.CIS: "cis", Actor.ODS: "ods"}


def _told(message: Message, headers: Mapping[str, str] | None = None, **changes: Any) -> Message:
    """The message with something else said beside it."""
    transport = message.about["transport"]
    said = {**transport, **changes, "headers": {**transport["headers"], **(headers or {})}}
    return replace(message, about={**message.about, "transport": said})


def _of_every_kind(headers: Mapping[str, str]) -> Rewrite:
    return on_wire(lambda message, _: _told(message, headers))


def _bodies(change: Callable[[etree._Element], None]) -> Rewrite:
    """A change to the Body of every SOAP envelope."""

    def rewrite(message: Message, _: CimMessage) -> Message:
        root = etree.fromstring(message.octets)
        for body in root.findall("{*}Body"):
            change(body)
        return replace(message, octets=serialise(root))

    return on_wire(rewrite)


def _bare(message: Message, said: CimMessage) -> Message:
    return replace(message, octets=serialise(deepcopy(said.root)))


TRANSPORT: Mapping[str, tuple[str, str, Rewrite]] = {
    "action-of-another": (
        "soap-action", "names another operation as its action",
        on_wire(lambda message, _: _told(message, {"soapaction": '"urn:other"'}), Kind.REQUEST, Kind.EVENT),
    ),
    "action-missing": (
        "soap-action", "names no action", on_wire(lambda message, _: _told(message, {"soapaction": '""'}), Kind.REQUEST, Kind.EVENT),
    ),
    "content-type-of-the-other": ("content-type", "says SOAP 1.2 and sends 1.1", _of_every_kind({"content-type": "application/soap+xml"})),
    "charset-of-another": ("charset", "says another charset", _of_every_kind({"content-type": "text/xml; charset=iso-8859-1"})),
    "answer-as-failure": (
        "http-status", "answers with the status 500", on_wire(lambda message, _: _told(message, status=500), Kind.RESPONSE),
    ),
    "fault-as-success": (
        "http-status", "sends faults with the status 200", on_wire(lambda message, _: _told(message, status=200), Kind.FAULT),
    ),
    "two-in-one": ("soap-body", "puts every message twice into the Body", _bodies(lambda body: body.append(deepcopy(body[0])))),
    "nothing-in-it": ("soap-body", "leaves the Body out", _bodies(lambda body: body.getparent().remove(body))),  # type: ignore[union-attr]
    "bare": ("binding", "sends its messages without SOAP", on_wire(_bare)),
}
"""What can be wrong with how a message travels: the rule, in words, and the change."""

SAID = {
    Actor.DR_APPLICATION: ("01-COMMAND",),
    Actor.AMI_HEAD_END: (
        "01-REPLY", "13-MESSAGE", "INT-HEAD-END-DR", "INT-CIS-HEAD-END", "INT-HEAD-END-CIS", "INT-HEAD-END-ODS",
    ),
    Actor.CIS: ("14-REPLY", "INT-CIS-HEAD-END"),
}
"""What each of them has to say in a run: whoever sends messages with nothing in them says nothing of it."""


def _if_later(change: Callable[[Message], Any]) -> Rewrite:
    """A change to the results that go to a ReplyAddress."""
    return on_wire(lambda message, _: change(message) if "address" in message.about else message, Kind.RESPONSE)


LATER: Mapping[str, tuple[str, str, Rewrite]] = {
    "result-missing": ("result-never-comes", "acknowledges and never says more", _if_later(lambda message: None)),
    "result-elsewhere": (
        "result-elsewhere", "sends the result elsewhere",
        _if_later(lambda message: replace(message, about={**message.about, "address": "urn:elsewhere"})),
    ),
    "result-of-nobody": (
        "stranger", "sends the result under another CorrelationID",
        _if_later(lambda message: replace(message, octets=serialise(
            says(AN_IDENTIFIER, "CorrelationID")(etree.fromstring(message.octets)),
        ))),
    ),
    "acknowledged-twice": (
        "request-acknowledged-twice", "acknowledges every request twice",
        on_wire(lambda message, said: (message, message) if said.is_acknowledgement else message, Kind.RESPONSE),
    ),
}


def _defects() -> Iterator[Defect]:
    for actor, name in SPEAKERS.items():
        for way, (rule, text, rewrite) in TRANSPORT.items():
            clauses = ("INT-TRANSPORT", *(SAID[actor] if way == "nothing-in-it" else ()))
            breaks = tuple(f"UC2.7-{clause}@{actor}" for clause in clauses)
            yield Defect(f"{name}-{way}", actor, text, breaks, rewrites=(rewrite,), cause=rule)
        for way, (cause, text, rewrite) in LATER.items():
            yield Defect(f"{name}-{way}", actor, text, (f"UC2.7-INT-ASYNC@{actor}",), rewrites=(rewrite,), cause=cause)
        yield Defect(
            f"{name}-answers-on-the-spot", actor, "answers at once what wants its answer later", (f"UC2.7-INT-ASYNC@{actor}",),
            {"answers_later": False}, cause="answered-on-the-spot",
        )
    for actor, name in LISTENERS.items():
        yield Defect(
            f"{name}-acknowledges-nothing", actor, "acknowledges nothing",
            (f"UC2.7-INT-ACKNOWLEDGES@{actor}", *([f"UC2.7-INT-ASYNC@{actor}"] if actor in SPEAKERS else [])),
            {"acknowledges": False}, cause="event-not-acknowledged",
        )
        yield Defect(
            f"{name}-events-acknowledged-twice", actor, "acknowledges every event twice", (f"UC2.7-INT-ACKNOWLEDGES@{actor}",),
            rewrites=(on_cim(said_twice, ACKNOWLEDGEMENT),), cause="event-acknowledged-twice",
        )


PROVOCATIONS = (
    Defect(
        "events-want-acknowledgement", Actor.AMI_HEAD_END, "wants every event acknowledged",
        rewrites=(on_cim(adding("AckRequired", "true", "Source", "Header"), EVENTS),),
    ),
)

DEFECTS = (*_defects(), *PROVOCATIONS)
