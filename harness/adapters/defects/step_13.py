"""Defects of the linkage: step 13 as the AMI Head-End announces it, step 14 as the DR Application passes it on."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from lxml import etree

from harness.adapters.back_office_policy import on_cim, on_wire
from harness.adapters.defects import Defect
from harness.adapters.spoilt_requests import A_LINKAGE_FOR_DR, ANY_REQUEST
from harness.adapters.wrong_messages import (
    AN_IDENTIFIER,
    FAR_AHEAD,
    LONG_AGO,
    NOWHERE,
    STRANGER,
    all_of,
    and_once_more,
    changed,
    empty,
    in_every_way,
    said_twice,
    says,
    twice,
    under_one_nonce,
    without,
)
from harness.cim.envelope import Kind
from harness.usecase import Actor

LINKAGE = "CreateMasterDataLinkageConfig"
_DEVICE = ("EndDevice", "Names", "name")
_EVENT = ("ConfigurationEvent",)
_EFFECTIVE, _SINCE = (*_EVENT, "effectiveDateTime"), (*_EVENT, "status", "dateTime")

Way = tuple[str, str, Callable[[etree._Element], Any], str, *tuple[str, ...]]
_CHAIN = ("SEQ-MAC-CHAIN", "INT-SEQUENCE")
_NOT_OF = {"13": ("14-", "POST-"), "14": ("13-",)}  # how clauses begin that the other step's producer is asked about
_NO_ENDS = ("13-MAC", "13-METER", "14-MAC", "14-METER", "14-PREMISE", "POST-ENROLMENT-PASSED")

CONTENT: Mapping[str, Way] = {
    "linkage-missing": ("MESSAGE", "announces nothing", lambda root: None, "linkage-not-told"),
    "mac-reversed": (
        "MAC", "writes the MAC address with its octets reversed", changed(lambda mac: bytes.fromhex(mac)[::-1].hex(), *_DEVICE),
        "eui64-reversed", *_CHAIN,
    ),
    "mac-with-colons": (
        "MAC", "writes the MAC address with colons",
        changed(lambda mac: ":".join(mac[at:at + 2] for at in range(0, len(mac), 2)), *_DEVICE), "mac",
    ),
    "mac-without-type": ("MAC", "does not say what kind of name it is", without("EndDevice", "Names", "NameType"), "name-type"),
    "meter-another": ("METER", "links another meter", says(NOWHERE, "Meter", "Names", "name"), "meter-of-another"),
    "meter-missing": ("METER", "links no meter", without("Meter"), "name-left-out", "13-ONE-LINKAGE"),
    "status-in-small-letters": ("STATUS", "writes the status small", changed(str.lower, *_EVENT, "status", "value"), "status"),
    "status-of-another-word": ("STATUS", "calls it provisioned", says("Provisioned", *_EVENT, "status", "value"), "status"),
    "status-without-time": ("STATUS", "does not say since when", without(*_SINCE), "status"),
    "correlation-lost": ("CORRELATION", "begins a chain of its own", says(AN_IDENTIFIER, "Header", "CorrelationID"), "chain-of-its-own"),
    "effective-ahead": ("TIME-LOGIC", "has it in force after its record", says(FAR_AHEAD, *_EFFECTIVE), "time-order"),
    "effective-long-ago": (
        "TIME-LOGIC", "has it in force before the window", all_of(says(LONG_AGO, *_EFFECTIVE), says(LONG_AGO, *_SINCE)),
        "linkage-in-force-elsewhen",
    ),
    "created-without-zone": (
        "TIME-LOGIC", "leaves a zone open", changed(lambda text: text.removesuffix("Z"), *_EVENT, "createdDateTime"),
        "time-zone",
    ),
    "two-devices": (
        "ONE-LINKAGE", "links two devices at once", twice("EndDevice", differing=says(STRANGER, "Names", "name")),
        "one-linkage",
    ),
    "nothing-linked": ("ONE-LINKAGE", "links nothing", empty("Payload", "MasterDataLinkageConfig"), "linkage-ends", *_NO_ENDS),
    "linked-twice": ("ONE-LINKAGE", "announces the same linkage twice", said_twice, "linkage-told-again", "INT-SEQUENCE"),
}
"""What can be wrong with a linkage in either step: the clause it breaks, in words, the change, the cause, and what else it breaks (of the
step's own, where the clause is of one)."""


def wrong_content(step: str, actor: Actor, ways: Mapping[str, Way]) -> Iterator[Defect]:
    """The defects of one step's producer."""
    for name, (clause, text, change, cause, *also) in ways.items():
        named = [f"{step}-{clause}", *(each for each in also if not each.startswith(_NOT_OF[step]))]
        if step == "13" and clause == "MESSAGE":
            named.append("INT-HEAD-END-DR")  # which wants the DR Application told of linkages
        breaks = tuple(f"UC2.7-{each}@{actor}" for each in named)
        yield Defect(f"{step}-{name}", actor, text, breaks, rewrites=(on_cim(change, LINKAGE),), cause=cause)


_HEAD_END, _DR = Actor.AMI_HEAD_END, Actor.DR_APPLICATION

PROVOCATIONS = (
    Defect(
        "announcements-in-wrong-envelopes", _HEAD_END, "announces in every wrong envelope",
        rewrites=(on_cim(in_every_way(ANY_REQUEST), LINKAGE),),
    ),
    Defect(
        "announcements-spoilt", _HEAD_END, "announces in every wrong way",
        rewrites=(on_cim(in_every_way(A_LINKAGE_FOR_DR), LINKAGE),),
    ),
    Defect(
        "announced-again-under-another-id", _HEAD_END, "announces the same linkage twice",
        rewrites=(on_cim(and_once_more, LINKAGE),),
    ),
    Defect("announced-under-one-nonce", _HEAD_END, "announces twice with one nonce", rewrites=(on_cim(under_one_nonce, LINKAGE),)),
)

DEFECTS = (
    *wrong_content("13", _HEAD_END, CONTENT),
    Defect(
        "13-announced-too-early", _HEAD_END, "announces the linkage when it forwards the order",
        (f"UC2.7-13-AFTER-12@{_HEAD_END}", f"UC2.7-SEQ-ORDER@{_HEAD_END}"), {"awaits_registration": False},
        cause="linkage-unprompted",
    ),
    Defect(
        "13-failure-as-success", _HEAD_END, "takes every report for a success", (f"UC2.7-13-FAILURE@{_HEAD_END}",),
        {"tells_failure_apart": False}, cause="failure-as-success",
    ),
    Defect(
        "13-failure-kept-quiet", _HEAD_END, "tells the DR Application of no failure", (f"UC2.7-13-FAILURE@{_HEAD_END}",),
        rewrites=(on_wire(lambda message, _: None if message.receiver == _DR else message, Kind.EVENT),), cause="failure-kept-quiet",
    ),
    Defect(
        "13-repeats-linked", _HEAD_END, "makes a linkage of every report", (f"UC2.7-13-ONE-LINKAGE@{_HEAD_END}",),
        {"links_once": False, "drops_duplicates": False}, cause="linkage-told-again",
    ),
    Defect(
        "13-linkage-unchecked", _DR, "takes linkages of strangers, and known ones", (f"UC2.7-13-REJECTS@{_DR}",),
        {"checks_linkage": False}, cause="linkage-not-looked-up",
    ),
    Defect(
        "13-taken-twice", _DR, "takes a repeated linkage for a new one, and passes it on", (f"UC2.7-13-IDEMPOTENT@{_DR}",),
        {"recognises_repeats": False, "checks_linkage": False}, cause="repeated-request-obeyed-again",
    ),
    Defect(
        "13-never-taken", _DR, "takes no linkage", (f"UC2.7-13-REPLY@{_DR}", f"UC2.7-INT-HEAD-END-DR@{_DR}"),
        {"accepts_linkages": False}, cause="right-request-refused",
    ),
    Defect(
        "13-nonce-unchecked", _DR, "takes a nonce as often as it comes", (f"UC2.7-13-REJECTS@{_DR}",),
        {"recognises_replays": False}, cause="nonce-not-remembered",
    ),
    *PROVOCATIONS,
)
