"""EndDeviceEvents: a joining window opened or closed at a meter, a HAN device paired or not; knows the payload alone.

By HANproof's profile `EndDeviceEventType/@ref` says what happened; `Assets` is the object its first number speaks of (7, the
meter with the ESI; 16 or 19, the HAN device), and an `EndDeviceEventDetails` named after the name type gives the other one.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from lxml import etree

from harness.cim.codes import Code, Kind
from harness.cim.finding import CimFinding
from harness.cim.identity import add_name, check_identity, check_mac, element, eui64_of, name_in
from harness.cim.instant import fault_of, instant_of, written
from harness.cim.nouns import END_DEVICE_EVENTS, payload_namespace
from harness.cim.tree import child, children, parts, path_of, text
from harness.cim_profile import DEFAULT, CimProfile
from harness.values import Eui64

NOUN = END_DEVICE_EVENTS


@dataclass(frozen=True)
class DeviceEvent:
    """One thing that happened; `reason` is empty where there is nothing to explain.

    HANproof names both device and meter; another sender may leave out the one that the event is not about.
    """

    code: Code
    device: Eui64 | None
    meter: str | None
    created: datetime
    reason: str = ""


def payload(event: DeviceEvent, mrid: str, profile: CimProfile = DEFAULT) -> etree._Element:
    """The payload's tree; `mrid` identifies this one event."""
    space = payload_namespace(NOUN)
    root = etree.Element(f"{{{space}}}{NOUN}", nsmap={"m": space})
    parent = element(root, "EndDeviceEvent")
    element(parent, "mRID", mrid)
    element(parent, "createdDateTime", written(event.created))
    if event.reason:
        element(parent, "reason", event.reason)
    names = {profile.mac: str(event.device) if event.device is not None else None, profile.meter: event.meter}
    asset = _asset_type(event.code, profile)
    add_name(element(parent, "Assets"), names.pop(asset) or "", asset)
    for name_type, name in names.items():
        if name is None:
            continue
        details = element(parent, "EndDeviceEventDetails")
        element(details, "name", name_type)
        element(details, "value", name)
    element(parent, "EndDeviceEventType").set("ref", str(event.code))
    return root


def read(root: etree._Element, profile: CimProfile = DEFAULT) -> list[DeviceEvent]:
    """The events of a payload, in its order; one without a code or a time is left out."""
    events = (_read(event, profile) for event in children(root, "EndDeviceEvent"))
    return [event for event in events if event is not None]


def check(
    root: etree._Element, made: datetime | None, now: datetime | None, profile: CimProfile = DEFAULT,
) -> Iterator[CimFinding]:
    """The rules of this payload; `made` is the header's timestamp, `now` (when the message came) is not used."""
    for event in children(root, "EndDeviceEvent"):
        told = parts(event)
        kind, created = told.get("EndDeviceEventType"), text(told.get("createdDateTime"))
        ref = "" if kind is None else kind.get("ref") or ""
        try:
            code = Code.parse(ref)
        except ValueError as fault:
            yield CimFinding("control-code", str(fault), path_of(event, "EndDeviceEventType"))
        else:
            if code.fault:
                yield CimFinding("control-code", f"{ref}: {code.fault}", path_of(event, "EndDeviceEventType"))
            yield from _check_names(event, told.get("Assets"), _asset_type(code, profile), profile)
        instant = instant_of(created)
        if (open_or_far := fault_of(created)) is not None:
            yield CimFinding(*open_or_far, path_of(event, "createdDateTime"))
        elif instant is not None and made is not None and instant > made:
            yield CimFinding("time-order", "recorded after the message was made", path_of(event, "createdDateTime"))


def _asset_type(code: Code, profile: CimProfile) -> str:
    """Whose name the asset has: gateways and meters have numbers, everything else on a HAN has an address."""
    return profile.meter if code.kind in (Kind.PAN_GATEWAY, Kind.ELECTRIC_METER) else profile.mac


def _check_names(
    event: etree._Element, asset: etree._Element | None, asset_type: str, profile: CimProfile,
) -> Iterator[CimFinding]:
    if asset is None:
        yield CimFinding("identity", "no Assets: it is not said what it happened to", path_of(event))
    else:
        yield from check_identity(asset, asset_type, profile)
    mac = _detail(event, profile.mac)
    if mac is not None:
        yield from check_mac(mac, event)


def _read(event: etree._Element, profile: CimProfile) -> DeviceEvent | None:
    kind, created = child(event, "EndDeviceEventType"), instant_of(text(event, "createdDateTime"))
    try:
        code = Code.parse("" if kind is None else kind.get("ref") or "")
    except ValueError:
        return None
    names = {
        name_type: name_in(child(event, "Assets"), name_type) or _detail(event, name_type)
        for name_type in (profile.mac, profile.meter)
    }
    if created is None:
        return None
    return DeviceEvent(
        code, eui64_of(names[profile.mac]), names[profile.meter], created, text(event, "reason") or "",
    )


def _detail(event: etree._Element, name: str) -> str | None:
    details = map(parts, children(event, "EndDeviceEventDetails"))
    return next((text(told.get("value")) for told in details if text(told.get("name")) == name), None)
