"""Identities inside payloads: an mRID or Names with a NameType. Knows no noun.

The standard fixes no name types; which words are right is the bench's profile (docs/cim-profile.md).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from uuid import UUID

from lxml import etree

from harness.cim.finding import CimFinding
from harness.cim.tree import local, parts, path_of, space, text
from harness.cim_profile import CimProfile
from harness.values import Eui64

INSTALL_CODE_OCTETS = (8, 10, 14, 18)  # 6, 8, 12 or 16 octets and 2 of CRC; whether it is right is not for this package
LINK_KEY_OCTETS = 16
_KEY_LENGTHS = (*INSTALL_CODE_OCTETS, LINK_KEY_OCTETS)

_WORDS = {"EndDevice": "mac", "Meter": "meter", "ServiceLocation": "premise", "CustomerAgreement": "agreement"}
_EUI64 = re.compile(r"[0-9A-Fa-f]{16}")
_UUID = re.compile(r"[0-9A-Fa-f]{8}(?:-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}")


def name_type_of(linked: str, profile: CimProfile) -> str | None:
    """The name type of a linked object of that class ("Meter"), None where the profile prescribes none."""
    word = _WORDS.get(linked)
    return None if word is None else str(getattr(profile, word))


def element(parent: etree._Element, name: str, content: str | None = None) -> etree._Element:
    """A new last child in the parent's namespace, with this text."""
    made = etree.SubElement(parent, f"{{{space(parent)}}}{name}")
    made.text = content
    return made


def add_name(parent: etree._Element, name: str, name_type: str) -> None:
    """Give `parent` a name of that type."""
    names = element(parent, "Names")
    element(names, "name", name)
    element(element(names, "NameType"), "name", name_type)


def name_in(holder: etree._Element | None, name_type: str) -> str | None:
    """The name of that type, None when there is none."""
    if holder is None:
        return None
    return _of_type(_identity(holder)[1], name_type)


def eui64_of(written: str | None) -> Eui64 | None:
    """The EUI-64 that 16 hex digits name, None for anything else."""
    return Eui64.parse(written) if written and _EUI64.fullmatch(written) else None


def check_mac(written: str, holder: etree._Element) -> list[CimFinding]:
    """Whether an EUI-64 is written as the profile says; does not repeat it, for it may be a key in the wrong place."""
    if _EUI64.fullmatch(written):
        return []
    return [CimFinding("mac", f"not 16 hex digits without separators ({len(written)} characters)", path_of(holder))]


def is_pan(told: Mapping[str, etree._Element]) -> bool:
    """Whether an end device, of which this is told, says that it is a device of a home's network."""
    return text(told.get("isPan")) in ("true", "1")


def check_key(written: str, holder: etree._Element) -> Iterator[CimFinding]:
    """Whether an installCode is an install code with its CRC, or a link key, by its form; never says what it is."""
    try:
        octets = len(bytes.fromhex(written))
    except ValueError:
        yield CimFinding("key", "installCode is not made of pairs of hex digits", path_of(holder))
        return
    if octets not in _KEY_LENGTHS:
        allowed = ", ".join(map(str, _KEY_LENGTHS))
        reason = f"installCode has {octets} octets; an install code with CRC or a link key has {allowed}"
        yield CimFinding("key", reason, path_of(holder))


def check_identity(holder: etree._Element, name_type: str | None, profile: CimProfile) -> list[CimFinding]:
    """Whether an object can be identified at all, and in the profile's way when it prescribes a name type."""
    mrid, names = _identity(holder)
    name = _of_type(names, name_type)
    if not (mrid or name) and not any(each for each, _ in names):
        return [CimFinding("identity", "neither an mRID nor a name", path_of(holder))]
    findings = []
    if mrid and not _is_uuid(mrid):
        reason = "the mRID is not a UUID; addresses and numbers of the utility are names"
        findings.append(CimFinding("mrid", reason, path_of(holder)))
    elif name_type is not None and name is None:
        findings.append(CimFinding("name-type", f"no name of the type {name_type}", path_of(holder)))
    if name is not None and name_type == profile.mac:
        findings += check_mac(name, holder)
    return findings


def _of_type(names: list[tuple[str | None, str | None]], name_type: str | None) -> str | None:
    """The first name of that type."""
    for name, kind in names:
        if kind == name_type:
            return name
    return None


def _identity(holder: etree._Element) -> tuple[str | None, list[tuple[str | None, str | None]]]:
    """The mRID of an object, and every name it has with its type: all of it in one look at its children."""
    mrid, names = None, []
    for each in holder[:]:
        what = local(each)
        if what == "Names":
            told = parts(each)
            names.append((text(told.get("name")), text(told.get("NameType"), "name")))
        elif what == "mRID" and mrid is None:
            mrid = text(each)
    return mrid, names


def _is_uuid(written: str) -> bool:
    if _UUID.fullmatch(written):  # as nearly all write it
        return True
    try:
        UUID(written)
    except ValueError:
        return False
    return True
