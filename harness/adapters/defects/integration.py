"""Defects at the integration points, and of what must hold before the use case and after it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from lxml import etree

from harness.adapters.back_office_policy import on_cim, on_leg
from harness.adapters.defects import Defect
from harness.adapters.wrong_messages import (
    LONG_AGO,
    NOWHERE,
    Change,
    changed,
    place,
    said_twice,
    says,
    with_attribute,
    without,
)
from harness.backhaul.message import LegKind, LegState
from harness.inquiry import DEMAND_RESPONSE, REAL_TIME_PRICING
from harness.usecase import Actor

EVENTS, METER_RECORD, LINKAGE = "CreatedEndDeviceEvents", "CreateMeterConfig", "CreateMasterDataLinkageConfig"
_HEAD_END, _CIS, _DR, _ODS = Actor.AMI_HEAD_END, Actor.CIS, Actor.DR_APPLICATION, Actor.ODS
_TYPE = ("EndDeviceEvent", "EndDeviceEventType")
_BOTH = (f"UC2.7-INT-HEAD-END-CIS@{_HEAD_END}", f"UC2.7-INT-HEAD-END-ODS@{_HEAD_END}")


def _if_window(happening: str, made: Callable[[etree._Element], Any]) -> Callable[[etree._Element], Any]:
    """Do it to the events whose code ends so."""

    def rewrite(root: etree._Element) -> Any:
        kind = place(root, *_TYPE)
        return made(root) if kind is not None and kind.get("ref", "").endswith(happening) else root

    return rewrite


def _other_happening(code: str) -> str:
    return f"{code.rpartition('.')[0]}.42"


_EVENTS: Mapping[str, tuple[str, str, Callable[[etree._Element], Any]]] = {
    "closing-kept-quiet": ("event-kept-quiet", "does not tell when a window closes", _if_window(".73.16", lambda root: None)),
    "pairing-kept-quiet": ("event-kept-quiet", "does not tell that a device is paired", _if_window(".0.58", lambda root: None)),
    "events-of-another-kind": ("event-of-another-kind", "tells events under another code", with_attribute("ref", _other_happening, *_TYPE)),
    "events-of-another-meter": (
        "event-of-another-meter", "tells events of another meter", _if_window(".39", says(NOWHERE, "Assets", "Names", "name")),
    ),
    "events-of-long-ago": ("event-of-another-time", "tells events with another time", says(LONG_AGO, "EndDeviceEvent", "createdDateTime")),
    "events-of-nobody": ("identity", "does not say what an event happened to", without("Assets")),
    "events-twice": ("event-told-again", "tells every event twice", said_twice),
    "events-with-a-capital": ("verb", "writes the verb of events with a capital", changed(str.capitalize, "Header", "Verb")),
}


def _of_cis(
    name: str, text: str, change: Change | Callable[[etree._Element], Any], cause: str, breaks: str = "INT-CIS-HEAD-END",
) -> Defect:
    return Defect(f"cis-{name}", _CIS, text, (f"UC2.7-{breaks}@{_CIS}",), rewrites=(on_cim(change, METER_RECORD),), cause=cause)


DEFECTS = (
    *(
        Defect(f"head-end-{name}", _HEAD_END, text, _BOTH, rewrites=(on_cim(change, EVENTS),), cause=cause)
        for name, (cause, text, change) in _EVENTS.items()
    ),
    Defect("head-end-without-ods", _HEAD_END, "tells the ODS nothing", _BOTH[1:], {"informs_ods": False}, cause="event-kept-quiet"),
    Defect("head-end-without-cis", _HEAD_END, "tells the CIS nothing", _BOTH[:1], {"publishes_to_cis": False}, cause="event-kept-quiet"),
    _of_cis("meter-another", "tells the head-end of another meter", says(NOWHERE, "Meter", "Names", "name"), "record-of-another-meter"),
    _of_cis("meter-without-type", "does not say what kind of name it is", without("Meter", "Names", "NameType"), "name-type"),
    _of_cis("meter-capitalised", "writes the verb with a capital", changed(str.capitalize, "Header", "Verb"), "verb"),
    Defect(
        "head-end-takes-no-meters", _HEAD_END, "does not answer the CIS", (f"UC2.7-INT-CIS-HEAD-END@{_HEAD_END}",),
        rewrites=(on_cim(lambda root: None, "MeterConfigResponseMessage"),), cause="unanswered",
    ),
    Defect(
        "head-end-without-network", _HEAD_END, "keeps its orders to itself",
        tuple(f"UC2.7-{clause}@{_HEAD_END}" for clause in ("INT-HEAD-END-NETWORK", "02-FORWARDED", "02-UNDELIVERABLE")),
        rewrites=(on_leg(lambda leg: None, LegKind.OPEN_WINDOW),), cause="order-lost",
    ),
    Defect(
        "network-without-head-end", Actor.AMI_NETWORK, "keeps its reports to itself",
        (f"UC2.7-INT-HEAD-END-NETWORK@{Actor.AMI_NETWORK}", f"UC2.7-12-STATE@{Actor.AMI_NETWORK}"),
        rewrites=(on_leg(lambda leg: None if leg.state is LegState.PROVISIONED else leg, LegKind.STATE),), cause="report-not-sent",
    ),
    Defect(
        "head-end-without-dr", _HEAD_END, "tells the DR Application nothing",
        (f"UC2.7-INT-HEAD-END-DR@{_HEAD_END}", f"UC2.7-13-MESSAGE@{_HEAD_END}"), rewrites=(on_cim(lambda root: None, LINKAGE),),
        cause="linkage-not-told",
    ),
    Defect(
        "dr-without-head-end", _DR, "answers the head-end nothing",
        (f"UC2.7-INT-HEAD-END-DR@{_DR}", f"UC2.7-13-REPLY@{_DR}"),
        rewrites=(on_cim(lambda root: None, "MasterDataLinkageConfigResponseMessage"),), cause="unanswered",
    ),
    Defect(
        "dr-forgets", _DR, "takes a linkage and forgets it", (f"UC2.7-POST-STATE-IN-DRMS@{_DR}",), {"updates_state": False},
        cause="linkage-forgotten",
    ),
    Defect(
        "cis-forgets", _CIS, "takes a linkage, keeps none", (f"UC2.7-POST-CONFIG-IN-CIS@{_CIS}",), {"keeps_linkage": False},
        cause="linkage-forgotten",
    ),
    Defect(
        "dr-without-enrolment", _DR, "does not pass the enrolment on", (f"UC2.7-POST-ENROLMENT-PASSED@{_DR}",),
        rewrites=(on_cim(without("CustomerAgreement"), LINKAGE),), cause="agreement-left-out",
    ),
    Defect(
        "head-end-without-meters", _HEAD_END, "has no meter registered", (f"UC2.7-PRE-METER-REGISTERED@{_HEAD_END}",),
        {"registers_meters": False}, cause="meter-not-registered",
    ),
    Defect(
        "cis-without-enrolment", _CIS, "has the customer in no programme", (f"UC2.7-PRE-ENROLLED@{_CIS}",), {"programmes": ()},
        cause="not-enrolled",
    ),
    Defect(
        "cis-with-real-time-prices", _CIS, "has the customer in RTP as well", (f"UC2.7-PRE-ENROLLED@{_CIS}",),
        {"programmes": (DEMAND_RESPONSE, REAL_TIME_PRICING)}, cause="not-enrolled",
    ),
    _of_cis("without-meters", "has no record of any meter", lambda root: None, "meter-not-recorded", "PRE-METER-IN-CIS"),
    Defect(
        "dr-without-devices", _DR, "has imported no device", (f"UC2.7-PRE-DEVICE-IMPORTED@{_DR}",),
        {"imports_devices": False}, cause="device-not-imported",
    ),
)
