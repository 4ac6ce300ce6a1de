"""MasterDataLinkageConfig of steps 13 and 14: a HAN device is linked to a meter, and to a customer's premise; payload alone.

What belongs together is said by being in one message. By HANproof's profile the device is `EndDevice` named by its EUI-64,
the ESI's meter is `Meter`, the premise is `ServiceLocation`, the enrolment is `CustomerAgreement`, and the joined state is
`ConfigurationEvent/status` (value and dateTime); `createdDateTime` is when the sender recorded it, `effectiveDateTime` since
when it holds. All linked classes are identities and nothing more.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from lxml import etree

from harness.cim.finding import CimFinding
from harness.cim.identity import add_name, check_identity, element, eui64_of, name_in, name_type_of
from harness.cim.instant import fault_of, instant_of, written
from harness.cim.nouns import MASTER_DATA_LINKAGE_CONFIG, payload_namespace
from harness.cim.tree import child, local, parts, path_of, text
from harness.cim_profile import DEFAULT, CimProfile
from harness.values import Eui64

NOUN = MASTER_DATA_LINKAGE_CONFIG
_NOT_LINKED = "ConfigurationEvent"  # the one child of the root that is no linked object
_PLACED = frozenset({"UsagePoint", "UsagePointLocation", "Customer", "CustomerAccount", "CustomerAgreement"})


@dataclass(frozen=True)
class Linkage:
    """One HAN device and what it is linked to. Step 13 has the meter; step 14 has premise and agreement as well."""

    device: Eui64
    meter: str
    created: datetime
    effective: datetime
    premise: str | None = None
    agreement: str | None = None
    status: str = DEFAULT.joined


def payload(linkage: Linkage, mrid: str, profile: CimProfile = DEFAULT) -> etree._Element:
    """The payload's tree; `mrid` identifies the configuration event."""
    space = payload_namespace(NOUN)
    root = etree.Element(f"{{{space}}}{NOUN}", nsmap={"m": space})
    event = element(root, "ConfigurationEvent")
    element(event, "mRID", mrid)
    element(event, "createdDateTime", written(linkage.created))
    element(event, "effectiveDateTime", written(linkage.effective))
    status = element(event, "status")
    element(status, "dateTime", written(linkage.effective))
    element(status, "value", linkage.status)
    names = {
        "CustomerAgreement": linkage.agreement, "EndDevice": str(linkage.device), "Meter": linkage.meter,
        "ServiceLocation": linkage.premise,
    }
    for name, value in names.items():  # in the order of the sequence
        name_type = name_type_of(name, profile)
        if value is not None and name_type is not None:
            add_name(element(root, name), value, name_type)
    return root


def read(root: etree._Element, profile: CimProfile = DEFAULT) -> Linkage:
    """The linkage of a payload that passed `check`. Raises ValueError for one that would not have, or that names no meter."""
    event = child(root, _NOT_LINKED)
    device = eui64_of(name_in(child(root, "EndDevice"), profile.mac))
    meter = name_in(child(root, "Meter"), profile.meter)
    created, effective = (instant_of(text(event, name)) for name in ("createdDateTime", "effectiveDateTime"))
    if device is None or meter is None or created is None:
        raise ValueError(f"{NOUN} does not link a device to a meter, or does not say when")
    return Linkage(
        device, meter, created, effective or created, name_in(child(root, "ServiceLocation"), profile.premise),
        name_in(child(root, "CustomerAgreement"), profile.agreement), text(event, "status", "value") or "",
    )


def check(
    root: etree._Element, made: datetime | None, now: datetime | None, profile: CimProfile = DEFAULT,
) -> Iterator[CimFinding]:
    """The rules of this payload; `made` is the header's timestamp, `now` (when the message came) is not used."""
    told = [(each, local(each)) for each in root[:]]
    linked = [(each, name) for each, name in told if name != _NOT_LINKED]
    names = [name for _, name in linked]
    if len(linked) < 2:
        yield CimFinding("linkage-ends", f"links {len(linked)} objects; a linkage has two ends", path_of(root))
    for each, name in linked:
        yield from check_identity(each, name_type_of(name, profile), profile)
    if "EndDevice" not in names:
        return  # a linkage of other objects of the utility: the profile of the use case says nothing about it
    for name in ("EndDevice", "Meter", "ServiceLocation"):
        if names.count(name) > 1:
            yield CimFinding("one-linkage", f"{names.count(name)} x {name}: which belongs to which?", path_of(root))
    if not _PLACED.isdisjoint(names) and "ServiceLocation" not in names:
        yield CimFinding("premise", "no ServiceLocation names the premise", path_of(root))
    event = next((each for each, name in told if name == _NOT_LINKED), None)
    if event is None:
        yield CimFinding("status", "no ConfigurationEvent, so no status", path_of(root))
    else:
        yield from _check_event(event, made, profile)


def _check_event(event: etree._Element, made: datetime | None, profile: CimProfile) -> Iterator[CimFinding]:
    told = parts(event)
    status = parts(told.get("status"))
    value, since = text(status.get("value")), text(status.get("dateTime"))
    if value != profile.joined:
        yield CimFinding("status", f"{value!r} is not {profile.joined}", path_of(event, "status"))
    elif since is None:
        yield CimFinding("status", "no dateTime: since when?", path_of(event, "status"))
    recorded, in_force = text(told.get("createdDateTime")), text(told.get("effectiveDateTime"))
    for name, instant in (("createdDateTime", recorded), ("effectiveDateTime", in_force), ("status/dateTime", since)):
        if (fault := fault_of(instant)) is not None:
            yield CimFinding(*fault, path_of(event, name))
    created, effective = instant_of(recorded), instant_of(in_force)
    if not recorded:
        yield CimFinding("status", "no createdDateTime: recorded when?", path_of(event))
    if created and made and created > made:
        yield CimFinding("time-order", "recorded after the message was made", path_of(event, "createdDateTime"))
    if created and effective and effective > created:
        yield CimFinding("time-order", "in force after it was recorded as joined", path_of(event, "effectiveDateTime"))
