"""Identities inside payloads: an mRID or Names with a NameType, and the words that our profile uses for the kinds of names.

Knows no noun. The standard fixes no name types; these four are HANproof's profile (docs/cim-profile.md).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from enum import StrEnum
from uuid import UUID

from lxml import etree

from harness.cim.finding import CimFinding
from harness.cim.tree import children, path_of, space, text
from harness.values import Eui64


class NameType(StrEnum):
    """What kind of name a name is."""

    MAC = "MACAddress"
    METER = "MeterNumber"
    PREMISE = "PremiseId"
    AGREEMENT = "CustomerAgreementId"


NAME_TYPE_OF = {
    "EndDevice": NameType.MAC, "Meter": NameType.METER, "ServiceLocation": NameType.PREMISE,
    "CustomerAgreement": NameType.AGREEMENT,
}

_EUI64 = re.compile(r"[0-9A-Fa-f]{16}")


def element(parent: etree._Element, name: str, content: str | None = None) -> etree._Element:
    """A new last child in the parent's namespace, with this text."""
    made = etree.SubElement(parent, f"{{{space(parent)}}}{name}")
    made.text = content
    return made


def add_name(parent: etree._Element, name: str, name_type: NameType) -> None:
    """Give `parent` a name of that type."""
    names = element(parent, "Names")
    element(names, "name", name)
    element(element(names, "NameType"), "name", name_type)


def name_in(holder: etree._Element | None, name_type: NameType) -> str | None:
    """The name of that type, None when there is none."""
    if holder is None:
        return None
    return next((
        text(names, "name") for names in children(holder, "Names") if text(names, "NameType", "name") == name_type
    ), None)


def eui64_of(written: str | None) -> Eui64 | None:
    """The EUI-64 that 16 hex digits name, None for anything else."""
    return Eui64.parse(written) if written and _EUI64.fullmatch(written) else None


def check_mac(written: str, holder: etree._Element) -> Iterator[CimFinding]:
    """Whether an EUI-64 is written as the profile says; does not repeat it, for it may be a key in the wrong place."""
    if eui64_of(written) is None:
        yield CimFinding("mac", f"not 16 hex digits without separators ({len(written)} characters)", path_of(holder))


def check_identity(holder: etree._Element, name_type: NameType | None = None) -> Iterator[CimFinding]:
    """Whether an object can be identified at all, and in the profile's way when it prescribes a name type."""
    mrid = text(holder, "mRID")
    named = [names for names in children(holder, "Names") if text(names, "name")]
    if not mrid and not named:
        yield CimFinding("identity", "neither an mRID nor a name", path_of(holder))
        return
    if mrid and not _is_uuid(mrid):
        yield CimFinding("mrid", "the mRID is not a UUID; addresses and numbers of the utility are names", path_of(holder))
    elif name_type is not None and name_in(holder, name_type) is None:
        yield CimFinding("name-type", f"no name of the type {name_type}", path_of(holder))
    name = name_in(holder, name_type) if name_type is NameType.MAC else None
    if name is not None:
        yield from check_mac(name, holder)


def _is_uuid(written: str) -> bool:
    try:
        UUID(written)
    except ValueError:
        return False
    return True
