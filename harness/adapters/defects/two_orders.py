"""Two devices at once, and one in the place of another: actors that take the first one for every one."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from harness.adapters.back_office_policy import on_cim, on_leg
from harness.adapters.defects import Defect
from harness.adapters.defects.whole_run import DEVICE, DR, ESI, HEAD_END, LINKAGE, NAMES, NETWORK, NIC
from harness.adapters.wrong_messages import changed
from harness.backhaul.message import LegKind, LegMessage, LegState
from harness.usecase import Actor

REPORTED_IN = {  # the step, and what else of it is broken: the second device is not reported, and the first twice
    ESI: ("10", "STATE", "ONCE"), NIC: ("11", "STATE", "UNALTERED", "ONCE"), NETWORK: ("12", "STATE", "UNALTERED", "ONCE"),
}


def _first_met() -> Callable[[Any], Any]:
    """Whatever comes, the first that came."""
    met: list[Any] = []

    def remember(value: Any) -> Any:
        met.append(value)
        return met[0]

    return remember


def _in_reports(field: str) -> Callable[[Any], tuple[Callable[[Any], Any], ...]]:
    """Every report of a provisioned device with what the first one had in this field."""

    def made(_: Any) -> tuple[Callable[[Any], Any], ...]:
        remembered = _first_met()

        def change(report: LegMessage) -> LegMessage:
            if report.state is not LegState.PROVISIONED:
                return report
            return replace(report, **{field: remembered(getattr(report, field))})

        return (on_leg(change, LegKind.STATE),)

    return made


def _in_linkages(*names: str) -> Callable[[Any], tuple[Callable[[Any], Any], ...]]:
    """Every linkage with what the first one said there."""
    return lambda _: (on_cim(changed(_first_met(), *names), LINKAGE),)


def _defect(actor: Actor, name: str, text: str, *clauses: str, **how: Any) -> Defect:
    return Defect(f"two-{NAMES[actor]}-{name}", actor, text, tuple(f"UC2.7-{clause}@{actor}" for clause in clauses), **how)


DEFECTS = (
    *(
        _defect(
            actor, "one-device-for-all", "reports the first device in the place of every other", "SEQ-TWO-DEVICES", "SEQ-SWAP",
            f"{step}-RIGHT-DEVICE", *(f"{step}-{each}" for each in also), made=_in_reports("device"), cause="device-of-the-first",
        )
        for actor, (step, *also) in REPORTED_IN.items()
    ),
    *(
        _defect(
            actor, "one-device-for-all", "announces the first device in the place of every other", "SEQ-TWO-DEVICES", "SEQ-SWAP",
            made=_in_linkages("EndDevice", "Names", "name"), cause="device-of-the-first",
        )
        for actor in (HEAD_END, DR)
    ),
    *(
        _defect(
            actor, "one-meter-for-all", "links every device to the meter of the first", "SEQ-TWO-DEVICES", "SEQ-SWAP",
            made=_in_linkages("Meter", "Names", "name"), cause="meter-of-the-first",
        )
        for actor in (HEAD_END, DR)
    ),
    _defect(
        DR, "one-premise-for-all", "links every device to the premise of the first", "SEQ-TWO-DEVICES",
        made=_in_linkages("ServiceLocation", "Names", "name"), cause="premise-of-the-first",
    ),
    _defect(
        NETWORK, "one-meter-for-all", "reports every device at the meter of the first", "SEQ-TWO-DEVICES", "SEQ-SWAP",
        made=_in_reports("meter"), cause="meter-of-the-first",
    ),
    _defect(
        DR, "enrolled-for-good", "takes no linkage of a device that has moved to another meter", "SEQ-SWAP",
        decisions={"moves_enrolments": False}, cause="new-pair-refused",
    ),
    Defect(
        "two-cis-everywhere", Actor.CIS, "keeps a device at every premise where it has ever been",
        (f"UC2.7-SEQ-SWAP@{Actor.CIS}",), {"moves_devices": False}, cause="device-at-every-premise",
    ),
    _defect(
        DEVICE, "keeps-its-network", "keeps network and keys when it is taken to another meter", "SEQ-SWAP",
        decisions={"forgets_on_factory_reset": False}, cause="membership-kept-over-reset",
    ),
)
