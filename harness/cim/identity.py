"""Identities inside payloads: an mRID or Names with a NameType. Knows no noun.

The standard fixes no name types; which words are right is the bench's profile (docs/cim-profile.md).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from uuid import UUID

from lxml import etree

from harness.cim.finding import CimFinding
from harness.cim.tree import children, parts, path_of, space, text
from harness.cim_profile import CimProfile
from harness.values import Eui64

INSTALL_CODE_OCTETS = (8, 10, 14, 18)  # 6, 8, 12 or 16 octets and 2 of CRC; whether it is right is not for this package
LINK_KEY_OCTETS = 16

_WORDS = {"EndDevice": "mac", "Meter": "meter", "ServiceLocation": "premise", "CustomerAgreement": "agreement"}
_EUI64 = re.compile(r"[0-9A-Fa-f]{16}")


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
    return next((name for name, kind in _names(holder) if kind == name_type), None)


def eui64_of(written: str | None) -> Eui64 | None:
    """The EUI-64 that 16 hex digits name, None for anything else."""
    return Eui64.parse(written) if written and _EUI64.fullmatch(written) else None


def check_mac(written: str, holder: etree._Element) -> Iterator[CimFinding]:
    """Whether an EUI-64 is written as the profile says; does not repeat it, for it may be a key in the wrong place."""
    if eui64_of(written) is None:
        yield CimFinding("mac", f"not 16 hex digits without separators ({len(written)} characters)", path_of(holder))


def is_pan(device: etree._Element) -> bool:
    """Whether an end device says that it is a device of a home's network."""
    return text(device, "isPan") in ("true", "1")


def check_key(written: str, holder: etree._Element) -> Iterator[CimFinding]:
    """Whether an installCode is an install code with its CRC, or a link key, by its form; never says what it is."""
    lengths = (*INSTALL_CODE_OCTETS, LINK_KEY_OCTETS)
    try:
        octets = len(bytes.fromhex(written))
    except ValueError:
        yield CimFinding("key", "installCode is not made of pairs of hex digits", path_of(holder))
        return
    if octets not in lengths:
        allowed = ", ".join(map(str, lengths))
        reason = f"installCode has {octets} octets; an install code with CRC or a link key has {allowed}"
        yield CimFinding("key", reason, path_of(holder))


def check_identity(holder: etree._Element, name_type: str | None, profile: CimProfile) -> Iterator[CimFinding]:
    """Whether an object can be identified at all, and in the profile's way when it prescribes a name type."""
    mrid, names = text(holder, "mRID"), list(_names(holder))
    if not mrid and not any(name for name, _ in names):
        yield CimFinding("identity", "neither an mRID nor a name", path_of(holder))
        return
    name = next((name for name, kind in names if kind == name_type), None)
    if mrid and not _is_uuid(mrid):
        yield CimFinding("mrid", "the mRID is not a UUID; addresses and numbers of the utility are names", path_of(holder))
    elif name_type is not None and name is None:
        yield CimFinding("name-type", f"no name of the type {name_type}", path_of(holder))
    if name is not None and name_type == profile.mac:
        yield from check_mac(name, holder)


def _names(holder: etree._Element) -> Iterator[tuple[str | None, str | None]]:
    """Every name of an object, and of what type it is."""
    for names in children(holder, "Names"):
        told = parts(names)
        yield text(told.get("name")), text(told.get("NameType"), "name")


def _is_uuid(written: str) -> bool:
    try:
        UUID(written)
    except ValueError:
        return False
    return True
