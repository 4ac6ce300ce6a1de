"""Wrong CIM messages made of right ones: changes to one place of a message's tree, by local names, and the requests they spoil.

For defects and provocations; knows no actor and no clause. A change is given a tree that is its own, and returns it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from copy import deepcopy
from typing import Any
from uuid import UUID

from lxml import etree

from harness.cim.nouns import METER_CONFIG
from harness.cim.tree import child, local

Change = Callable[[etree._Element], etree._Element]

NOWHERE = "METER-9999"  # a meter that nobody registered
STRANGER = "acde480000000001"  # a device that nobody imported
NO_PREMISE = "000000000"
LONG_AGO, FAR_AHEAD = "2020-01-01T00:00:00.000Z", "2099-01-01T00:00:00.000Z"
AN_IDENTIFIER = "00000000-0000-4000-8000-000000000000"


def place(root: etree._Element, *names: str) -> etree._Element | None:
    """The first element of the first name, and from there down the others; None where there is none."""
    return child(next(root.iter(f"{{*}}{names[0]}"), None), *names[1:])


def says(text: str, *names: str) -> Change:
    """The element there says something else."""
    return changed(lambda _: text, *names)


def changed(how: Callable[[str], str], *names: str) -> Change:
    """What the element there says is made into something else."""

    def change(root: etree._Element) -> etree._Element:
        element = place(root, *names)
        if element is not None:
            element.text = how(element.text or "")
        return root

    return change


def without(*names: str) -> Change:
    """The element there is missing."""

    def change(root: etree._Element) -> etree._Element:
        element = place(root, *names)
        parent = None if element is None else element.getparent()
        if element is not None and parent is not None:
            parent.remove(element)
        return root

    return change


def empty(*names: str) -> Change:
    """The element there has nothing in it."""

    def change(root: etree._Element) -> etree._Element:
        element = place(root, *names)
        for inner in [] if element is None else list(element):
            inner.getparent().remove(inner)  # type: ignore[union-attr]
        return root

    return change


def with_attribute(name: str, how: Callable[[str], str], *names: str) -> Change:
    """An attribute of the element there is made into something else."""

    def change(root: etree._Element) -> etree._Element:
        element = place(root, *names)
        if element is not None:
            element.set(name, how(element.get(name, "")))
        return root

    return change


def first_beside(*names: str) -> Change:
    """The element there stands before all others of its parent."""

    def change(root: etree._Element) -> etree._Element:
        element = place(root, *names)
        parent = None if element is None else element.getparent()
        if element is not None and parent is not None:
            parent.insert(0, element)
        return root

    return change


def twice(*names: str, differing: Change = lambda copy: copy) -> Change:
    """The element there is there once more, changed."""

    def change(root: etree._Element) -> etree._Element:
        element = place(root, *names)
        if element is not None:
            element.addnext(differing(deepcopy(element)))
        return root

    return change


def adding(name: str, text: str, after: str, *names: str) -> Change:
    """A further element, in the namespace of the one there that it comes after."""

    def change(root: etree._Element) -> etree._Element:
        before = place(root, *names, after)
        if before is not None:
            added = etree.Element(f"{{{etree.QName(before).namespace}}}{name}")
            added.text = text
            before.addnext(added)
        return root

    return change


def payload_elsewhere(how: Callable[[str], str]) -> Change:
    """The payload stands in another namespace."""

    def change(root: etree._Element) -> etree._Element:
        payload = place(root, "Payload")
        for element in [] if payload is None else payload.iterdescendants():
            qualified = etree.QName(element)
            element.tag = f"{{{how(qualified.namespace or '')}}}{qualified.localname}"
        return root

    return change


def payload_as_text(root: etree._Element) -> etree._Element:
    """The payload is markup written as text."""
    payload = place(root, "Payload")
    if payload is not None and len(payload):
        written = etree.tostring(payload[0], encoding="unicode")
        payload.remove(payload[0])
        payload.text = written
    return root


def all_of(*changes: Change) -> Change:
    """Several changes, one after the other."""

    def change(root: etree._Element) -> etree._Element:
        for each in changes:
            root = each(root)
        return root

    return change


def renumbered(root: etree._Element, number: int, *names: str) -> etree._Element:
    """The message with a MessageID and a CorrelationID of its own, or with those of them that are named."""
    for name in names or ("MessageID", "CorrelationID"):
        element = place(root, "Header", name)
        if element is not None:
            element.text = str(UUID(int=UUID(element.text or AN_IDENTIFIER).int ^ number))
    return root


def in_every_way(ways: Mapping[str, Change]) -> Callable[[etree._Element], Any]:
    """In place of a request, the same spoilt in each of these ways, each a message of its own."""

    def rewrite(root: etree._Element) -> tuple[etree._Element, ...]:
        return tuple(change(renumbered(deepcopy(root), number)) for number, change in enumerate(ways.values(), start=1))

    return rewrite


def and_once_more(root: etree._Element) -> tuple[etree._Element, ...]:
    """A request, and the same with other identifiers."""
    return root, renumbered(deepcopy(root), 1)


def said_twice(root: etree._Element) -> tuple[etree._Element, ...]:
    """A message, and the same with another MessageID."""
    return root, renumbered(deepcopy(root), 1, "MessageID")


def and_under_its_id(change: Change) -> Callable[[etree._Element], Any]:
    """A request, and another one with the same MessageID."""

    def rewrite(root: etree._Element) -> tuple[etree._Element, etree._Element]:
        other = renumbered(deepcopy(root), 1)
        message_id = place(root, "Header", "MessageID")
        return root, says(message_id.text or "" if message_id is not None else "", "Header", "MessageID")(change(other))

    return rewrite


_SWAPPED = {"19": "16", "16": "19"}


def of_another_type(code: str) -> str:
    """The code for the other of the two device types."""
    kind, _, rest = code.partition(".")
    return f"{_SWAPPED.get(kind, kind)}.{rest}"


def _of_kind(kind: int) -> Callable[[str], str]:
    return lambda code: f"{kind}.{code.partition('.')[2]}"


A_METER = _of_kind(3)

ANY_REQUEST: Mapping[str, Change] = {
    "verb-capitalised": changed(str.capitalize, "Header", "Verb"),
    "verb-unknown": says("update", "Header", "Verb"),
    "verb-of-an-event": changed(lambda verb: f"{verb}d", "Header", "Verb"),
    "verb-other-than-the-element": says("change", "Header", "Verb"),
    "noun-of-another-message": says(METER_CONFIG, "Header", "Noun"),
    "noun-singular": changed(lambda noun: noun.removesuffix("s") + "X", "Header", "Noun"),
    "noun-missing": without("Header", "Noun"),
    "header-missing": without("Header"),
    "header-out-of-order": first_beside("Header", "MessageID"),
    "timestamp-missing": without("Header", "Timestamp"),
    "timestamp-without-zone": changed(lambda text: text.removesuffix("Z"), "Header", "Timestamp"),
    "timestamp-with-a-space": changed(lambda text: text.replace("T", " "), "Header", "Timestamp"),
    "timestamp-stale": says(LONG_AGO, "Header", "Timestamp"),
    "timestamp-ahead": says(FAR_AHEAD, "Header", "Timestamp"),
    "message-id-missing": without("Header", "MessageID"),
    "correlation-id-missing": without("Header", "CorrelationID"),
    "revision-unknown": adding("Revision", "9.9", "Noun", "Header"),
    "context-of-production": adding("Context", "PRODUCTION", "Noun", "Header"),
    "nobody-to-reply-to": adding("AsyncReplyFlag", "true", "Source", "Header"),
    "payload-missing": without("Payload"),
    "payload-namespace-without-hash": payload_elsewhere(lambda space: space.removesuffix("#")),
    "payload-as-text": payload_as_text,
}
"""What spoils a request of any noun."""

_CONTROL = ("EndDeviceControl",)
_TIMING = (*_CONTROL, "primaryDeviceTiming")


def _meter(control: etree._Element) -> etree._Element | None:
    return next((each for each in control.iter("{*}EndDevices") if child(each, "Names") is not None), None)


def meter_says(name: str) -> Change:
    """The order is for another meter."""

    def change(root: etree._Element) -> etree._Element:
        element = child(_meter(root), "Names", "name")
        if element is not None:
            element.text = name
        return root

    return change


def without_meter(root: etree._Element) -> etree._Element:
    """The order names no meter."""
    meter = _meter(root)
    if meter is not None:
        meter.getparent().remove(meter)  # type: ignore[union-attr]
    return root


def ends_otherwise(root: etree._Element) -> etree._Element:
    """The window's end contradicts its duration."""
    interval = place(root, *_TIMING, "interval")
    start = child(interval, "start")
    if interval is not None and start is not None:
        end = etree.Element(f"{{{etree.QName(start).namespace}}}end")
        end.text = FAR_AHEAD
        interval.insert(0, end)
    return root


AN_ORDER: Mapping[str, Change] = {
    "device-without-mac": without("electronicAddress"),
    "mac-of-48-bits": changed(lambda mac: mac[:6] + mac[10:], "mac"),
    "mac-with-colons": changed(lambda mac: ":".join(mac[at:at + 2] for at in range(0, len(mac), 2)), "mac"),
    "key-missing": without("installCode"),
    "key-not-hex": changed(lambda key: f"{key[:-1]}Z", "installCode"),
    "start-missing": without(*_TIMING, "interval", "start"),
    "start-without-zone": changed(lambda text: text.removesuffix("Z"), *_TIMING, "interval", "start"),
    "duration-missing": without(*_TIMING, "duration"),
    "duration-negative": changed(lambda minutes: f"-{minutes}", *_TIMING, "duration"),
    "end-and-duration-disagree": ends_otherwise,
    "window-over": says(LONG_AGO, *_TIMING, "interval", "start"),
    "meter-missing": without_meter,
    "meter-unknown": meter_says(NOWHERE),
    "code-missing": with_attribute("ref", lambda _: "", *_CONTROL, "EndDeviceControlType"),
    "code-of-a-meter": with_attribute("ref", A_METER, *_CONTROL, "EndDeviceControlType"),
    "two-commands": twice(*_CONTROL),
    "two-devices": twice("EndDevices"),
}
"""What spoils the order of step 1."""

_DEVICE = ("EndDevice", "Names", "name")
_METER = ("Meter", "Names", "name")
_STATUS = ("ConfigurationEvent", "status")

A_LINKAGE: Mapping[str, Change] = {
    "nothing-in-it": empty("Payload", "MasterDataLinkageConfig"),
    "device-alone": without("Meter"),
    "device-missing": without("EndDevice"),
    "device-without-a-name": says("", *_DEVICE),
    "mac-of-48-bits": changed(lambda mac: mac[:6] + mac[10:], *_DEVICE),
    "two-devices": twice("EndDevice", differing=says(STRANGER, "Names", "name")),
    "name-without-a-type": without("EndDevice", "Names", "NameType"),
    "status-of-another-word": changed(str.lower, *_STATUS, "value"),
    "status-without-a-time": without(*_STATUS, "dateTime"),
    "no-configuration-event": without("ConfigurationEvent"),
    "in-force-after-its-record": says(FAR_AHEAD, "ConfigurationEvent", "effectiveDateTime"),
}
"""What spoils a linkage of step 13 or 14."""

A_LINKAGE_FOR_DR: Mapping[str, Change] = {
    **A_LINKAGE, "device-unknown": says(STRANGER, *_DEVICE), "meter-unknown": says(NOWHERE, *_METER),
}
A_LINKAGE_FOR_CIS: Mapping[str, Change] = {
    **A_LINKAGE, "premise-missing": without("ServiceLocation"), "meter-of-another-premise": says(NOWHERE, *_METER),
    "premise-unknown": says(NO_PREMISE, "ServiceLocation", "Names", "name"),
}


def is_request(root: etree._Element) -> bool:
    """Whether a message asks for something to be created."""
    return local(root).startswith("Create") and not local(root).startswith("Created")
