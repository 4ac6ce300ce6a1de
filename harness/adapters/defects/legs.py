"""Defects of the actors on the way between head-end and ESI, steps 2 to 4 and 10 to 12; the same for every leg."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any

from harness.adapters.back_office_policy import on_leg
from harness.adapters.defects import Defect
from harness.backhaul.message import LegKind, LegMessage, LegState
from harness.usecase import Actor
from harness.values import DeviceType, Eui64

Change = Callable[[LegMessage], Any]

DOWN = {"02": Actor.AMI_HEAD_END, "03": Actor.AMI_NETWORK, "04": Actor.NIC}
UP = {"10": Actor.ESI, "11": Actor.NIC, "12": Actor.AMI_NETWORK}
NOWHERE = "METER-9999"  # a meter that nobody serves
AN_HOUR = timedelta(hours=1)
A_WHILE = 90.0  # seconds


def _reversed(message: LegMessage) -> LegMessage:
    return replace(message, device=Eui64(int.from_bytes(Eui64(message.device or 0).octets, "little")))


def _other_type(message: LegMessage) -> LegMessage:
    others = {DeviceType.PCT: DeviceType.LOAD_CONTROL, DeviceType.LOAD_CONTROL: DeviceType.PCT}
    return replace(message, device_type=others[message.device_type or DeviceType.PCT])


def _other_key(message: LegMessage) -> LegMessage:
    return replace(message, key_material=bytes(reversed(message.key_material or b"")))


def _longer(message: LegMessage) -> LegMessage:
    return replace(message, end=message.end and message.end + AN_HOUR)


def _elsewhere(message: LegMessage) -> LegMessage:
    return replace(message, meter=NOWHERE)


def _of_state(state: LegState, change: Change) -> Change:
    """The change, for reports of this state alone."""
    return lambda message: change(message) if message.state is state else message


def _defect(
    step: str, actor: Actor, name: str, text: str, clauses: tuple[str, ...], change: Change | None = None,
    kind: LegKind = LegKind.OPEN_WINDOW, decisions: Mapping[str, Any] | None = None, *, cause: str = "",
    also: tuple[str, ...] = (),
) -> Defect:
    """`also` are clauses of no step that it breaks beside those of its own."""
    breaks = (*(f"{step}-{clause}" for clause in clauses), *also)
    return Defect(
        f"leg{step}-{name}", actor, text, tuple(f"UC2.7-{clause}@{actor}" for clause in breaks), decisions or {},
        (on_leg(change, kind),) if change else (), cause=cause,
    )


def _outbound(step: str, actor: Actor) -> Iterator[Defect]:
    point = ("INT-HEAD-END-NETWORK",) if step == "02" else ()  # orders come to the network
    yield _defect(
        step, actor, "mac-reversed", "forwards the MAC address with its octets reversed", ("FORWARDED",), _reversed,
        cause="eui64-reversed", also=(*point, "SEQ-MAC-CHAIN"),
    )
    yield _defect(
        step, actor, "type-changed", "forwards another device type", ("FORWARDED",), _other_type, cause="altered-device-type", also=point,
    )
    yield _defect(
        step, actor, "key-reversed", "forwards the key with its octets reversed", ("FORWARDED",), _other_key, cause="code-reversed",
        also=point,
    )
    yield _defect(
        step, actor, "end-later", "forwards a window that ends an hour later", ("FORWARDED",), _longer, cause="altered-end", also=point,
    )
    yield _defect(
        step, actor, "order-lost", "forwards nothing", ("FORWARDED", "UNDELIVERABLE"), lambda message: None, cause="order-lost", also=point,
    )
    yield _defect(
        step, actor, "another-meter", "forwards to another meter", ("TARGET",), _elsewhere, cause="order-to-another-meter",
    )
    yield _defect(
        step, actor, "order-doubled", "sends every order twice", ("ONCE",), lambda message: (message, message), cause="order-sent-again",
    )
    yield _defect(
        step, actor, "repeats-obeyed", "takes an order that comes twice for two", ("ONCE",) if step != "02" else (),
        decisions={"drops_duplicates": False}, cause="order-sent-again",
    )
    yield _defect(
        step, actor, "latency-kept", "says the window that was left before the message was on its way", ("TIMELY",),
        lambda message: replace(message, window_left=(message.window_left or 0.0) + AN_HOUR.total_seconds()),
        cause="window-left-not-reckoned",
    )
    yield _defect(
        step, actor, "late-order-kept", "forwards a window that is over", ("TIMELY",),
        decisions={"drops_expired": False, "validates": False}, cause="late-order-sent",
    )
    yield _defect(
        step, actor, "key-logged", "writes the key into its log", ("CONFIDENTIAL",), decisions={"logs_keys": True}, cause="key-in-a-log",
        also=("SEQ-NO-LEAK",),
    )
    yield _defect(
        step, actor, "obstacle-kept-quiet", "does not report what cannot be delivered", ("UNDELIVERABLE",),
        decisions={"reports_undeliverable": False}, cause="obstacle-kept-quiet",
    )


def _inbound(step: str, actor: Actor) -> Iterator[Defect]:
    state, provisioned, failed = LegKind.STATE, LegState.PROVISIONED, LegState.FAILED
    reported = ("INT-HEAD-END-NETWORK",) if step == "12" else ()  # reports come back to the head-end
    yield _defect(
        step, actor, "report-mac-reversed", "reports the MAC address with its octets reversed",
        ("STATE",) if step == "10" else ("STATE", "UNALTERED"), _of_state(provisioned, _reversed), state,
        cause="eui64-reversed", also=(*reported, "SEQ-MAC-CHAIN"),
    )
    yield _defect(
        step, actor, "report-lost", "reports nothing", ("STATE",), _of_state(provisioned, lambda each: None), state,
        cause="report-not-sent", also=reported,
    )
    yield _defect(
        step, actor, "report-doubled", "reports everything twice", ("ONCE",), _of_state(provisioned, lambda each: (each, each)),
        state, cause="report-doubled",
    )
    yield _defect(
        step, actor, "report-too-early", "reports the device as provisioned before it has registered", ("AFTER-REGISTRATION",),
        decisions={"awaits_registration": False}, also=("SEQ-ORDER",),
        cause="reports-before-registration" if step == "10" else "reports-unprompted",
    )
    yield _defect(
        step, actor, "failure-beautified", "reports a failure as provisioned", ("FAILURE",),
        _of_state(failed, lambda each: replace(each, state=provisioned, reason=None)), state, cause="failure-as-success",
    )
    yield _defect(
        step, actor, "failure-kept-quiet", "reports no failure", ("FAILURE",), _of_state(failed, lambda each: None), state,
        cause="failure-kept-quiet",
    )
    yield _defect(
        step, actor, "report-late", "keeps what it has to report for a while", ("TIMELY",),
        decisions={"forwarding_delay": A_WHILE}, cause="report-kept",
    )
    if step != "10":
        yield _defect(
            step, actor, "report-time-changed", "passes a report on with another time", ("UNALTERED",),
            lambda message: replace(message, at=message.at and message.at + AN_HOUR), state, cause="report-time-altered",
        )
        yield _defect(
            step, actor, "report-repeats-obeyed", "takes a report that comes twice for two", ("ONCE",),
            decisions={"drops_duplicates": False}, cause="report-repeats-obeyed",
        )


PROVOCATIONS = (
    Defect(
        "head-end-names-another-meter", Actor.AMI_HEAD_END, "orders a window at a meter that nobody serves",
        rewrites=(on_leg(_elsewhere, LegKind.OPEN_WINDOW),),
    ),
    Defect(
        "network-reaches-no-meter", Actor.AMI_NETWORK, "has no route to any meter", decisions={"has_routes": False},
    ),
    Defect(
        "network-sends-to-every-meter", Actor.AMI_NETWORK, "sends every order to every meter",
        decisions={"routes_to_every_meter": True},
    ),
    Defect(
        "network-delivers-to-the-wrong-meter", Actor.AMI_NETWORK, "hands the NIC an order for another meter",
        rewrites=(on_leg(_elsewhere, LegKind.OPEN_WINDOW),),
    ),
)

ASTRAY = (
    _defect(
        "03", Actor.AMI_NETWORK, "past-the-nic", "sends orders to the ESI as well", ("RECEIVER",),
        decisions={"passes_the_nic_by": True}, cause="order-past-the-nic", also=("SEQ-NO-LEAK",),
    ),
    _defect(
        "03", Actor.AMI_NETWORK, "to-every-meter", "sends every order to every meter", ("TARGET",),
        decisions={"routes_to_every_meter": True}, cause="every-meter-served",
    ),
    _defect(
        "04", Actor.NIC, "of-every-meter", "hands its ESI what is for another meter", ("TARGET",),
        decisions={"serves_every_meter": True}, cause="every-meter-served",
    ),
    _defect(
        "10", Actor.ESI, "report-of-another-time", "says another time than that of the registration", ("TIMELY",),
        lambda message: replace(message, at=message.at and message.at + AN_HOUR), LegKind.STATE, cause="report-time-altered",
    ),
)

DEFECTS = (
    *ASTRAY,
    *(defect for step, actor in DOWN.items() for defect in _outbound(step, actor)),
    *(defect for step, actor in UP.items() for defect in _inbound(step, actor)),
    *PROVOCATIONS,
)
