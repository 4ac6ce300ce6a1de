"""MeterConfig as far as the use case's precondition needs it: the CIS tells the head-end that a meter exists; payload alone."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from lxml import etree

from harness.cim.finding import CimFinding
from harness.cim.identity import NameType, add_name, check_identity, element, name_in
from harness.cim.nouns import METER_CONFIG, payload_namespace
from harness.cim.tree import children, path_of

NOUN = METER_CONFIG


def payload(meter: str) -> etree._Element:
    """The payload's tree for one meter, named by its number."""
    space = payload_namespace(NOUN)
    root = etree.Element(f"{{{space}}}{NOUN}", nsmap={"m": space})
    add_name(element(root, "Meter"), meter, NameType.METER)
    return root


def read(root: etree._Element) -> list[str]:
    """The numbers of the meters that a payload names."""
    names = (name_in(meter, NameType.METER) for meter in children(root, "Meter"))
    return [name for name in names if name]


def check(root: etree._Element, made: datetime | None, now: datetime | None) -> Iterator[CimFinding]:
    """The rules of this payload; neither the header's timestamp `made` nor `now` matters here."""
    meters = children(root, "Meter")
    if not meters:
        yield CimFinding("linkage-ends", "names no meter", path_of(root))
    for meter in meters:
        yield from check_identity(meter, NameType.METER)
