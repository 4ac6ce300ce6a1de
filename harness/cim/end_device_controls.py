"""EndDeviceControls of step 1: the command that opens or closes a joining window at one meter for one HAN device.

Knows the payload alone. Where the use case's data go is HANproof's profile (docs/cim-profile.md): the command is
`EndDeviceControlType/@ref`, whose first number is the device type; the HAN device is the `EndDevices` with `isPan` true, its
EUI-64 in `electronicAddress/mac` and its key in `installCode`; the meter is the `EndDevices` that has a meter's name; the window
is `primaryDeviceTiming` (`duration` in minutes, `interval/start`).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import NamedTuple

from lxml import etree

from harness.cim import codes
from harness.cim.codes import Code
from harness.cim.finding import CimFinding, note
from harness.cim.identity import (
    LINK_KEY_OCTETS,
    add_name,
    check_identity,
    check_key,
    check_mac,
    element,
    eui64_of,
    is_pan,
    name_in,
)
from harness.cim.instant import after, fault_of, instant_of, written
from harness.cim.nouns import END_DEVICE_CONTROLS, payload_namespace
from harness.cim.tree import children, parts, path_of, text
from harness.cim_profile import DEFAULT, CimProfile
from harness.values import DeviceType, Eui64

NOUN = END_DEVICE_CONTROLS
_MINUTE = 60.0
_OPENS = [str(int(part)) for part in codes.OPEN_WINDOW]


@dataclass(frozen=True)
class WindowCommand:
    """What step 1 says. On closing there is neither key nor window; `device_type` None is a HAN device of untold type."""

    opens: bool
    device: Eui64
    device_type: DeviceType | None
    meter: str
    key_material: bytes = field(default=b"", repr=False)
    start: datetime | None = None
    duration: float = 0.0  # seconds

    @property
    def key_form(self) -> str:
        """ "link_key" for 16 octets, else "install_code": an install code with its CRC never has 16."""
        return "link_key" if len(self.key_material) == LINK_KEY_OCTETS else "install_code"


@dataclass(frozen=True)
class ControlText:
    """The same as it is written, for judging: None for what is not there."""

    code: str | None
    mac: str | None
    install_code: str | None = field(repr=False)
    meter: str | None
    start: str | None
    end: str | None
    duration: str | None


class _Device(NamedTuple):
    """One `EndDevices` of a control, with its parts by name, and whether it is the HAN device."""

    element: etree._Element
    told: dict[str, etree._Element]
    is_pan: bool


def payload(command: WindowCommand, mrid: str, profile: CimProfile = DEFAULT) -> etree._Element:
    """The payload's tree; `mrid` identifies this one command."""
    space = payload_namespace(NOUN)
    root = etree.Element(f"{{{space}}}{NOUN}", nsmap={"m": space})
    control = element(root, "EndDeviceControl")
    element(control, "mRID", mrid)
    about = codes.OPEN_WINDOW if command.opens else codes.CLOSE_WINDOW
    element(control, "EndDeviceControlType").set("ref", str(codes.device_code(command.device_type, about, profile)))
    device = element(control, "EndDevices")
    if command.key_material:
        element(device, "installCode", command.key_material.hex())
    element(device, "isPan", "true")
    element(element(device, "electronicAddress"), "mac", str(command.device))
    meter = element(control, "EndDevices")
    element(meter, "isPan", "false")
    add_name(meter, command.meter, profile.meter)
    if command.start is not None:
        timing = element(control, "primaryDeviceTiming")
        element(timing, "duration", repr(command.duration / _MINUTE))
        element(element(timing, "interval"), "start", written(command.start))
    return root


def texts(root: etree._Element, profile: CimProfile = DEFAULT) -> list[ControlText]:
    """Every control of a payload as it is written."""
    return [_text(control, _devices(control), profile) for control in children(root, "EndDeviceControl")]


def read(root: etree._Element, profile: CimProfile = DEFAULT) -> WindowCommand:
    """The one command of a payload that passed `check`. Raises ValueError for one that would not have."""
    (told,) = texts(root, profile)
    code, device = Code.parse(told.code or ""), eui64_of(told.mac)
    if code.about not in (codes.OPEN_WINDOW, codes.CLOSE_WINDOW) or device is None or told.meter is None:
        raise ValueError(f"{NOUN} is not a command to a pairing window")
    return WindowCommand(
        code.about == codes.OPEN_WINDOW, device, codes.device_type_of(code.kind), told.meter,
        bytes.fromhex(told.install_code or ""), instant_of(told.start), _seconds(told) or 0.0,
    )


def check(
    root: etree._Element, made: datetime | None, now: datetime | None, profile: CimProfile = DEFAULT,
) -> Iterator[CimFinding]:
    """The rules of this payload; `made` is the header's timestamp (not used), `now` when the message came, if that is known."""
    controls = children(root, "EndDeviceControl")
    if len(controls) != 1:
        yield CimFinding("one-command", f"{len(controls)} controls in one message", path_of(root))
    for control in controls[:1]:
        devices = _devices(control)
        told = _text(control, devices)
        yield from _placed(_check_code(told, profile), control, "EndDeviceControlType")
        yield from _check_target(control, devices, told, profile)
        if told.code and told.code.split(".")[1:] == _OPENS:
            if told.mac is not None or told.install_code is not None:
                yield from _check_key(control, told)
            yield from _placed(_check_window(told, now), control, "primaryDeviceTiming")


def _placed(findings: Iterator[CimFinding], control: etree._Element, name: str) -> Iterator[CimFinding]:
    """The same with their path, which takes long to tell and so is told only of what is found."""
    for each in findings:
        yield replace(each, path=path_of(control, name))


def _devices(control: etree._Element) -> list[_Device]:
    told = [(each, parts(each)) for each in children(control, "EndDevices")]
    return [_Device(each, inside, is_pan(inside)) for each, inside in told]


def _text(control: etree._Element, devices: list[_Device], profile: CimProfile | None = None) -> ControlText:
    """What a control says; the meter only to whom it is named by a profile."""
    told = parts(control)
    kind, timing = told.get("EndDeviceControlType"), parts(told.get("primaryDeviceTiming"))
    han = next((each.told for each in devices if each.is_pan), {})
    meters = [] if profile is None else [name_in(each.element, profile.meter) for each in devices]
    interval = parts(timing.get("interval"))
    return ControlText(
        None if kind is None else kind.get("ref"), text(han.get("electronicAddress"), "mac"), text(han.get("installCode")),
        next(filter(None, meters), None), text(interval.get("start")), text(interval.get("end")), text(timing.get("duration")),
    )


def _check_code(told: ControlText, profile: CimProfile) -> Iterator[CimFinding]:
    if not told.code:
        yield CimFinding("control-code", "no code: ref is missing or empty")
        return
    try:
        code = Code.parse(told.code)
    except ValueError as fault:
        yield CimFinding("control-code", str(fault))
        return
    if code.fault:
        yield CimFinding("control-code", f"{told.code}: {code.fault}")
    elif code.about not in (codes.OPEN_WINDOW, codes.CLOSE_WINDOW):
        yield note("control-code", f"{told.code} ({code.name}) is no command to a pairing window")
    elif code.kind == codes.Kind.PAN_DEVICE:
        if profile.device_code == "specific":
            yield note("device-type", f"{told.code} says only that it is some PAN device")
    elif codes.device_type_of(code.kind) is None:
        yield CimFinding("device-type", f"{told.code} ({code.name}) is no HAN device of the use case")


def _check_target(
    control: etree._Element, devices: list[_Device], told: ControlText, profile: CimProfile,
) -> Iterator[CimFinding]:
    others = [each.element for each in devices if not each.is_pan]
    if (pans := len(devices) - len(others)) != 1:
        yield CimFinding("target", f"{pans} EndDevices with isPan true; one is the HAN device", path_of(control))
        return
    if not told.mac:
        yield CimFinding("incomplete", "the HAN device has no electronicAddress/mac", path_of(control))
    else:
        yield from check_mac(told.mac, control)
    if len(others) != 1:
        yield CimFinding("target", f"{len(others)} EndDevices without isPan; one is the meter", path_of(control))
    for other in others:
        yield from check_identity(other, profile.meter, profile)


def _check_key(control: etree._Element, told: ControlText) -> Iterator[CimFinding]:
    if not told.install_code:
        yield CimFinding("incomplete", "the HAN device has no installCode", path_of(control))
    else:
        yield from check_key(told.install_code, control)


def _check_window(told: ControlText, now: datetime | None) -> Iterator[CimFinding]:
    if (fault := fault_of(told.start) or fault_of(told.end)) is not None:
        yield CimFinding(*fault)
        return
    start, end, seconds = instant_of(told.start), instant_of(told.end), _seconds(told)
    if start is None or seconds is None:
        yield CimFinding("incomplete", "start or duration is missing")
    elif seconds <= 0.0:
        yield CimFinding("window", f"lasts {seconds:g} s")
    elif end is not None and abs((end - start).total_seconds() - seconds) > 1.0:
        yield CimFinding("window", f"end and duration disagree: {told.end}, {told.duration} min from {told.start}")
    elif (over := after(start, seconds)) is None:
        yield CimFinding("window", f"lasts {seconds:g} s, and so ends at no instant that has a name")
    elif now is not None and over <= now:
        yield CimFinding("window", "is already over")


def _seconds(told: ControlText) -> float | None:
    """How long the window is; milliseconds, for minutes of an xs:float carry no more. None when it is not said."""
    try:
        return round(float(told.duration or "") * _MINUTE, 3)
    except ValueError:
        return None
