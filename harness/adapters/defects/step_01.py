"""Defects of step 1: wrong orders of the DR Application, by mistake and on purpose, and a head-end that takes them wrongly."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from lxml import etree

from harness.adapters.back_office_policy import on_cim
from harness.adapters.defects import Defect
from harness.adapters.spoilt_requests import AN_ORDER, ANY_REQUEST, ends_otherwise, meter_says, without_meter
from harness.adapters.wrong_messages import (
    A_METER,
    FAR_AHEAD,
    LONG_AGO,
    NOWHERE,
    and_under_its_id,
    changed,
    in_every_way,
    of_another_type,
    place,
    says,
    twice,
    under_one_nonce,
    with_attribute,
    without,
)
from harness.backhaul.message import LegMessage
from harness.cim.redaction import PLACEHOLDER
from harness.crypto.install_code import InstallCode, InstallCodeError
from harness.usecase import Actor

ORDER = "CreateEndDeviceControls"
_TYPE = ("EndDeviceControl", "EndDeviceControlType")
_TIMING = ("EndDeviceControl", "primaryDeviceTiming")
_START = (*_TIMING, "interval", "start")
_A_TEXT_MESSAGE = "13.112.77"  # VideoDisplay.TextMessage.Display: a legal code of another command
CRC_DIGITS = 4


def _reversed(digits: str) -> str:
    return bytes.fromhex(digits)[::-1].hex()


def _as_link_key(digits: str) -> str:
    try:
        return InstallCode.parse(digits).link_key.hex()
    except InstallCodeError:
        return digits


def _with_the_crc_turned(digits: str) -> str:
    return digits[:-CRC_DIGITS] + digits[-2:] + digits[-CRC_DIGITS:-2]


def _key_said_again(root: etree._Element) -> etree._Element:
    """The key stands in the order's reason as well."""
    key, control = place(root, "installCode"), place(root, "EndDeviceControl", "mRID")
    if key is not None and control is not None:
        reason = etree.Element(f"{{{etree.QName(control).namespace}}}reason")
        reason.text = f"with the key {key.text}"
        control.addnext(reason)
    return root


_ORDERS: Mapping[str, tuple[str, str, str, Callable[[etree._Element], Any]]] = {
    "order-missing": ("COMMAND", "orders-nothing", "orders nothing", lambda root: None),
    "command-another": (
        "COMMAND", "orders-something-else", "orders something else than a window",
        with_attribute("ref", lambda code: f"{code.partition('.')[0]}.{_A_TEXT_MESSAGE}", *_TYPE),
    ),
    "command-without-a-code": ("COMMAND", "control-code", "does not say what it orders", with_attribute("ref", lambda _: "", *_TYPE)),
    "command-doubled": ("COMMAND", "one-command", "orders two windows in one message", twice("EndDeviceControl")),
    "mac-reversed": ("MAC", "eui64-reversed", "writes the MAC address with its octets reversed", changed(_reversed, "mac")),
    "mac-of-48-bits": ("MAC", "mac", "writes a MAC address of 48 bits", changed(lambda mac: mac[:6] + mac[10:], "mac")),
    "mac-with-dashes": (
        "MAC", "mac", "writes the MAC address with dashes",
        changed(lambda mac: "-".join(mac[at:at + 2] for at in range(0, len(mac), 2)), "mac"),
    ),
    "mac-missing": ("MAC", "mac", "leaves the MAC address out", without("electronicAddress")),
    "type-another": ("TYPE", "orders-another-type", "orders another type of device", with_attribute("ref", of_another_type, *_TYPE)),
    "type-of-a-meter": ("TYPE", "device-type", "orders a meter", with_attribute("ref", A_METER, *_TYPE)),
    "key-missing": ("KEY", "incomplete", "leaves the key out", without("installCode")),
    "key-reversed": ("KEY", "code-reversed", "writes the key with its octets reversed", changed(_reversed, "installCode")),
    "key-without-crc": (
        "KEY", "crc-left-out", "leaves the CRC out of the install code", changed(lambda key: key[:-CRC_DIGITS], "installCode"),
    ),
    "key-with-crc-turned": (
        "KEY", "crc-most-significant-first", "turns the install code's CRC around", changed(_with_the_crc_turned, "installCode"),
    ),
    "key-derived": (
        "KEY", "link-key-for-install-code", "sends the link key where the install code was agreed on", changed(_as_link_key, "installCode"),
    ),
    "window-without-zone": ("WINDOW", "time-zone", "leaves the start's zone open", changed(lambda text: text.removesuffix("Z"), *_START)),
    "window-another": ("WINDOW", "orders-another-window", "orders another start", says(FAR_AHEAD, *_START)),
    "window-over": ("WINDOW", "window", "orders a window that is over", says(LONG_AGO, *_START)),
    "window-in-seconds": (
        "WINDOW", "seconds-for-minutes", "writes seconds where minutes belong",
        changed(lambda minutes: repr(float(minutes) * 60), *_TIMING, "duration"),
    ),
    "window-without-duration": ("WINDOW", "incomplete", "leaves the duration out", without(*_TIMING, "duration")),
    "window-that-contradicts": ("WINDOW", "window", "gives an end that contradicts the duration", ends_otherwise),
    "meter-another": ("METER", "orders-at-another-meter", "orders at another meter", meter_says(NOWHERE)),
    "meter-missing": ("METER", "target", "names no meter", without_meter),
    "key-said-again": ("SECRET", "key-in-a-message", "writes the key into the order's reason as well", _key_said_again),
}


def _tells_the_key(_: Any) -> tuple[Callable[[Any], Any], ...]:
    """What it read in an order it says in the reason of every event; met anew for each bench."""
    met: list[bytes] = []

    def listen(structure: Any) -> Any:
        if isinstance(structure, LegMessage) and structure.key_material:
            met.append(structure.key_material)
        return structure

    def tell(root: etree._Element) -> etree._Element:
        kind = place(root, "EndDeviceEvent", "createdDateTime")
        if kind is not None and met:
            reason = etree.Element(f"{{{etree.QName(kind).namespace}}}reason")
            reason.text = f"opened with {met[-1].hex()}"
            kind.addnext(reason)
        return root

    return listen, on_cim(tell, "CreatedEndDeviceEvents")


_DR, _HEAD_END = Actor.DR_APPLICATION, Actor.AMI_HEAD_END

PROVOCATIONS = (
    Defect(
        "orders-in-wrong-envelopes", _DR, "orders in every wrong envelope",
        rewrites=(on_cim(in_every_way(ANY_REQUEST), ORDER),),
    ),
    Defect("orders-spoilt", _DR, "orders in every wrong way", rewrites=(on_cim(in_every_way(AN_ORDER), ORDER),)),
    Defect(
        "order-with-another-key", _DR, "orders with the key material it is given",
        made=lambda printed: (on_cim(says(printed or PLACEHOLDER.decode(), "installCode"), ORDER),),
    ),
    Defect(
        "another-order-under-the-same-id", _DR, "orders twice under one MessageID",
        rewrites=(on_cim(and_under_its_id(changed(lambda minutes: f"1{minutes}", *_TIMING, "duration")), ORDER),),
    ),
    Defect("orders-under-one-nonce", _DR, "orders twice with one nonce", rewrites=(on_cim(under_one_nonce, ORDER),)),
)


_ALSO = {"mac-reversed": ("SEQ-MAC-CHAIN",), "key-said-again": ("SEQ-NO-LEAK",)}
"""What an order breaks beside the clause of its step."""


def _breaks(actor: Actor, *clauses: str) -> tuple[str, ...]:
    return tuple(f"UC2.7-{clause}@{actor}" for clause in clauses)


DEFECTS = (
    *(
        Defect(
            f"01-{name}", _DR, text, _breaks(_DR, f"01-{clause}", *_ALSO.get(name, ())), rewrites=(on_cim(change, ORDER),), cause=cause,
        )
        for name, (clause, cause, text, change) in _ORDERS.items()
    ),
    Defect(
        "01-key-logged", _DR, "writes the key into its log", _breaks(_DR, "01-SECRET", "SEQ-NO-LEAK"), {"logs_keys": True},
        cause="key-in-a-log",
    ),
    Defect(
        "01-key-told", _HEAD_END, "tells the key in its events", _breaks(_HEAD_END, "01-SECRET", "SEQ-NO-LEAK"), made=_tells_the_key,
        cause="key-in-a-message",
    ),
    Defect(
        "01-meter-unchecked", _HEAD_END, "takes orders for meters that nobody registered", (f"UC2.7-01-REJECTS@{_HEAD_END}",),
        {"checks_meter": False}, cause="meter-not-looked-up",
    ),
    Defect(
        "01-install-code-unchecked", _HEAD_END, "takes install codes with a wrong CRC", (f"UC2.7-01-REJECTS@{_HEAD_END}",),
        {"checks_install_code": False}, cause="install-code-not-checked",
    ),
    Defect(
        "01-withdrawal-ignored", _HEAD_END, "says yes to a withdrawal and forgets it", (f"UC2.7-01-CANCEL@{_HEAD_END}",),
        {"obeys_cancel": False}, cause="withdrawal-kept",
    ),
    Defect(
        "01-hostile-silences", _HEAD_END, "answers nothing any more once it got a hostile document",
        (f"UC2.7-01-HOSTILE-XML@{_HEAD_END}",), {"survives_hostile_xml": False}, cause="hostile-document-silences",
    ),
    Defect(
        "01-hostile-unanswered", _HEAD_END, "keeps quiet about a hostile document", (f"UC2.7-01-HOSTILE-XML@{_HEAD_END}",),
        rewrites=(on_cim(lambda root: None, "FaultMessage"),), cause="unreadable-unanswered",
    ),
    Defect(
        "01-nonce-unchecked", _HEAD_END, "takes a nonce as often as it comes", (f"UC2.7-01-REJECTS@{_HEAD_END}",),
        {"recognises_replays": False}, cause="nonce-not-remembered",
    ),
    *PROVOCATIONS,
)
