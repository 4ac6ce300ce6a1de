"""Requests of steps 1, 13 and 14 spoilt in every way that a receiver must refuse, for provocations. Knows no actor."""

from __future__ import annotations

from collections.abc import Mapping

from lxml import etree

from harness.adapters.wrong_messages import (
    A_METER,
    FAR_AHEAD,
    LONG_AGO,
    NO_PREMISE,
    NOWHERE,
    STRANGER,
    Change,
    adding,
    changed,
    compressed_beside,
    empty,
    first_beside,
    of_a_schema_of_its_own,
    payload_as_text,
    payload_elsewhere,
    place,
    says,
    twice,
    with_attribute,
    with_nonce,
    without,
)
from harness.cim.nouns import METER_CONFIG
from harness.cim.tree import child

ANY_REQUEST: Mapping[str, Change] = {
    "verb-capitalised": changed(str.capitalize, "Header", "Verb"),
    "verb-unknown": says("update", "Header", "Verb"),
    "verb-of-an-event": changed(lambda verb: f"{verb}d", "Header", "Verb"),
    "verb-other-than-the-element": says("change", "Header", "Verb"),
    "noun-of-another-message": says(METER_CONFIG, "Header", "Noun"),
    "noun-unknown": changed(lambda noun: f"{noun}Request", "Header", "Noun"),
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
    "payload-of-a-schema-of-its-own": of_a_schema_of_its_own,
    "payload-compressed-as-well": compressed_beside,
    "nonce-of-nothing": lambda root: with_nonce(root, ""),
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
