"""Defects of step 14: what the DR Application tells the CIS, and how the CIS takes it."""

from __future__ import annotations

from collections.abc import Mapping

from harness.adapters.back_office_policy import on_cim
from harness.adapters.defects import Defect
from harness.adapters.defects.step_13 import CONTENT, LINKAGE, Way, wrong_content
from harness.adapters.spoilt_requests import A_LINKAGE_FOR_CIS, ANY_REQUEST
from harness.adapters.wrong_messages import (
    NO_PREMISE,
    and_once_more,
    in_every_way,
    says,
    under_one_nonce,
    without,
)
from harness.usecase import Actor

_DR, _CIS = Actor.DR_APPLICATION, Actor.CIS

PREMISE: Mapping[str, Way] = {
    "premise-missing": ("PREMISE", "names no premise", without("ServiceLocation"), "name-left-out", "INT-SEQUENCE"),
    "premise-another": (
        "PREMISE", "names another premise", says(NO_PREMISE, "ServiceLocation", "Names", "name"), "premise-of-another",
    ),
    "premise-without-type": (
        "PREMISE", "does not say of what kind it is", without("ServiceLocation", "Names", "NameType"), "name-type", "INT-SEQUENCE",
    ),
}

PROVOCATIONS = (
    Defect(
        "registrations-in-wrong-envelopes", _DR, "tells the CIS in every wrong envelope",
        rewrites=(on_cim(in_every_way(ANY_REQUEST), LINKAGE),),
    ),
    Defect(
        "registrations-spoilt", _DR, "tells the CIS in every wrong way",
        rewrites=(on_cim(in_every_way(A_LINKAGE_FOR_CIS), LINKAGE),),
    ),
    Defect(
        "registered-again-under-another-id", _DR, "tells the CIS the same linkage twice",
        rewrites=(on_cim(and_once_more, LINKAGE),),
    ),
    Defect("registered-under-one-nonce", _DR, "tells the CIS twice with one nonce", rewrites=(on_cim(under_one_nonce, LINKAGE),)),
)

DEFECTS = (
    *wrong_content("14", _DR, {**CONTENT, **PREMISE}),
    Defect(
        "14-told-too-early", _DR, "tells the CIS as soon as the order is granted",
        tuple(f"UC2.7-{each}@{_DR}" for each in ("14-AFTER-13", "SEQ-ORDER", "INT-SEQUENCE")), {"awaits_linkage": False},
        cause="linkage-unprompted",
    ),
    Defect(
        "14-never-told", _DR, "does not tell the CIS", (f"UC2.7-14-MESSAGE@{_DR}",), {"informs_cis": False},
        cause="linkage-not-told",
    ),
    Defect(
        "14-repeats-told", _DR, "tells the CIS of a linkage each time it comes", (f"UC2.7-14-ONE-LINKAGE@{_DR}",),
        {"recognises_repeats": False, "checks_linkage": False}, cause="linkage-told-again",
    ),
    Defect(
        "14-linkage-unchecked", _CIS, "takes any premise, any meter, and known linkages", (f"UC2.7-14-REJECTS@{_CIS}",),
        {"checks_linkage": False}, cause="linkage-not-looked-up",
    ),
    Defect(
        "14-nonce-unchecked", _CIS, "takes a nonce as often as it comes", (f"UC2.7-14-REJECTS@{_CIS}",),
        {"recognises_replays": False}, cause="nonce-not-remembered",
    ),
    *PROVOCATIONS,
)
