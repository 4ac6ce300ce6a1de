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


TRANSPORT: Mapping[str, tuple[str, Rewrite]] = {
    "action-of-another": (
        "names another operation as its action",
        on_wire(lambda message, _: _told(message, {"soapaction": '"urn:other"'}), Kind.REQUEST, Kind.EVENT),
    ),
    "action-missing": (
        "names no action", on_wire(lambda message, _: _told(message, {"soapaction": '""'}), Kind.REQUEST, Kind.EVENT),
    ),
    "content-type-of-the-other": ("says SOAP 1.2 and sends 1.1", _of_every_kind({"content-type": "application/soap+xml"})),
    "charset-of-another": ("says another charset", _of_every_kind({"content-type": "text/xml; charset=iso-8859-1"})),
    "answer-as-failure": ("answers with the status 500", on_wire(lambda message, _: _told(message, status=500), Kind.RESPONSE)),
    "fault-as-success": ("sends faults with the status 200", on_wire(lambda message, _: _told(message, status=200), Kind.FAULT)),
    "two-in-one": ("puts every message twice into the Body", _bodies(lambda body: body.append(deepcopy(body[0])))),
    "nothing-in-it": ("leaves the Body out", _bodies(lambda body: body.getparent().remove(body))),  # type: ignore[union-attr]
    "bare": ("sends its messages without SOAP", on_wire(_bare)),
}
"""What can be wrong with how a message travels, in words, and the change."""


def _if_later(change: Callable[[Message], Any]) -> Rewrite:
    """A change to the results that go to a ReplyAddress."""
    return on_wire(lambda message, _: change(message) if "address" in message.about else message, Kind.RESPONSE)


LATER: Mapping[str, tuple[str, Rewrite]] = {
    "result-missing": ("acknowledges and never says more", _if_later(lambda message: None)),
    "result-elsewhere": (
        "sends the result elsewhere",
        _if_later(lambda message: replace(message, about={**message.about, "address": "urn:elsewhere"})),
    ),
    "result-of-nobody": (
        "sends the result under another CorrelationID",
        _if_later(lambda message: replace(message, octets=serialise(
            says(AN_IDENTIFIER, "CorrelationID")(etree.fromstring(message.octets)),
        ))),
    ),
    "acknowledged-twice": (
        "acknowledges every request twice",
        on_wire(lambda message, said: (message, message) if said.is_acknowledgement else message, Kind.RESPONSE),
    ),
}


def _defects() -> Iterator[Defect]:
    for actor, name in SPEAKERS.items():
        for way, (text, rewrite) in TRANSPORT.items():
            yield Defect(f"{name}-{way}", actor, text, (f"UC2.7-INT-TRANSPORT@{actor}",), rewrites=(rewrite,))
        for way, (text, rewrite) in LATER.items():
            yield Defect(f"{name}-{way}", actor, text, (f"UC2.7-INT-ASYNC@{actor}",), rewrites=(rewrite,))
        yield Defect(
            f"{name}-answers-on-the-spot", actor, "answers at once what wants its answer later", (f"UC2.7-INT-ASYNC@{actor}",),
            {"answers_later": False},
        )
    for actor, name in LISTENERS.items():
        yield Defect(
            f"{name}-acknowledges-nothing", actor, "acknowledges nothing",
            (f"UC2.7-INT-ACKNOWLEDGES@{actor}", *([f"UC2.7-INT-ASYNC@{actor}"] if actor in SPEAKERS else [])),
            {"acknowledges": False},
        )
        yield Defect(
            f"{name}-events-acknowledged-twice", actor, "acknowledges every event twice", (f"UC2.7-INT-ACKNOWLEDGES@{actor}",),
            rewrites=(on_cim(said_twice, ACKNOWLEDGEMENT),),
        )


PROVOCATIONS = (
    Defect(
        "events-want-acknowledgement", Actor.AMI_HEAD_END, "wants every event acknowledged",
        rewrites=(on_cim(adding("AckRequired", "true", "Source", "Header"), EVENTS),),
    ),
)

DEFECTS = (*_defects(), *PROVOCATIONS)
