"""MeterConfig as far as the use case's precondition needs it: the CIS tells the head-end that a meter exists; payload alone."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from lxml import etree

from harness.cim.finding import CimFinding
from harness.cim.identity import add_name, check_identity, element, name_in
from harness.cim.nouns import METER_CONFIG, payload_namespace
from harness.cim.tree import children, path_of
from harness.cim_profile import DEFAULT, CimProfile

NOUN = METER_CONFIG


def payload(meter: str, profile: CimProfile = DEFAULT) -> etree._Element:
    """The payload's tree for one meter, named by its number."""
    space = payload_namespace(NOUN)
    root = etree.Element(f"{{{space}}}{NOUN}", nsmap={"m": space})
    add_name(element(root, "Meter"), meter, profile.meter)
    return root


def read(root: etree._Element, profile: CimProfile = DEFAULT) -> list[str]:
    """The numbers of the meters that a payload names."""
    names = (name_in(meter, profile.meter) for meter in children(root, "Meter"))
    return [name for name in names if name]


def check(
    root: etree._Element, made: datetime | None, now: datetime | None, profile: CimProfile = DEFAULT,
) -> Iterator[CimFinding]:
    """The rules of this payload; neither the header's timestamp `made` nor `now` matters here."""
    meters = children(root, "Meter")
    if not meters:
        yield CimFinding("linkage-ends", "names no meter", path_of(root))
    for meter in meters:
        yield from check_identity(meter, profile.meter, profile)
