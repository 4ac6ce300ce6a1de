"""EndDeviceConfig: what a utility's systems tell each other of one HAN device, its address, key, type and state; payload alone.

By HANproof's profile (docs/cim-profile.md) a HAN device is an `EndDevice` with `isPan` true, written as in EndDeviceControls: its
EUI-64 in `electronicAddress/mac`, its key in `installCode`. `type` says by our own words which device it is.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime

from lxml import etree

from harness.cim.finding import CimFinding
from harness.cim.identity import (
    add_name,
    check_identity,
    check_key,
    check_mac,
    element,
    eui64_of,
    is_pan,
)
from harness.cim.instant import fault_of
from harness.cim.nouns import END_DEVICE_CONFIG, payload_namespace
from harness.cim.tree import child, children, parts, path_of, text
from harness.cim_profile import DEFAULT, CimProfile
from harness.values import DeviceType, Eui64

NOUN = END_DEVICE_CONFIG
TYPE_WORDS = {DeviceType.PCT: "PCT", DeviceType.LOAD_CONTROL: "LoadControlDevice"}


@dataclass(frozen=True)
class DeviceRecord:
    """One HAN device. `device_type` None is one of untold type, `status` empty one of which nothing is said."""

    device: Eui64
    device_type: DeviceType | None = None
    key_material: bytes = field(default=b"", repr=False)
    status: str = ""


def payload(record: DeviceRecord, mrid: str, profile: CimProfile = DEFAULT) -> etree._Element:
    """The payload's tree; `mrid` identifies the device's record."""
    space = payload_namespace(NOUN)
    root = etree.Element(f"{{{space}}}{NOUN}", nsmap={"m": space})
    device = element(root, "EndDevice")
    element(device, "mRID", mrid)
    if record.key_material:
        element(device, "installCode", record.key_material.hex())
    element(device, "isPan", "true")
    if record.device_type is not None:
        element(device, "type", TYPE_WORDS[record.device_type])
    element(element(device, "electronicAddress"), "mac", str(record.device))
    add_name(device, str(record.device), profile.mac)
    if record.status:
        element(element(device, "status"), "value", record.status)
    return root


def read(root: etree._Element) -> list[DeviceRecord]:
    """The HAN devices of a payload that passed `check`, in its order; what has no EUI-64 or no readable key is left out."""
    records = (_read(device) for device in children(root, "EndDevice") if is_pan(parts(device)))
    return [record for record in records if record is not None]


def check(
    root: etree._Element, made: datetime | None, now: datetime | None, profile: CimProfile = DEFAULT,
) -> Iterator[CimFinding]:
    """The rules of this payload; neither the header's timestamp `made` nor `now` matters here."""
    if not len(root):
        yield CimFinding("linkage-ends", "records nothing", path_of(root))
    for device in children(root, "EndDevice"):
        told = parts(device)
        of_a_han = is_pan(told)
        yield from check_identity(device, profile.mac if of_a_han else None, profile)
        if of_a_han:
            yield from _check_han_device(device, told)
        since = text(told.get("status"), "dateTime")
        if (fault := fault_of(since)) is not None:
            yield CimFinding(*fault, path_of(device, "status", "dateTime"))


def _check_han_device(device: etree._Element, told: dict[str, etree._Element]) -> Iterator[CimFinding]:
    mac, key = text(told.get("electronicAddress"), "mac"), text(told.get("installCode"))
    if not mac:
        yield CimFinding("incomplete", "the HAN device has no electronicAddress/mac", path_of(device))
    else:
        yield from check_mac(mac, device)
    if key is not None:
        yield from check_key(key, device)


def _read(device: etree._Element) -> DeviceRecord | None:
    eui64, word = eui64_of(text(device, "electronicAddress", "mac")), text(device, "type")
    try:
        key = bytes.fromhex(text(device, "installCode") or "")
    except ValueError:
        return None
    if eui64 is None:
        return None
    told = next((device_type for device_type, known in TYPE_WORDS.items() if known == word), None)
    return DeviceRecord(eui64, told, key, text(child(device, "status"), "value") or "")
