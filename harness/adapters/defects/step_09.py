"""Step 9: wrong behaviours of a HAN Device and of an ESI with application data, and how either is provoked."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from dissectors import zcl
from dissectors.clusters import drlc, messaging, metering, price
from dissectors.clusters.drlc import EventStatus
from dissectors.layer import Layer, Record
from dissectors.zcl import DataType, Status
from harness.adapters.defects import Defect
from harness.adapters.defects.step_07 import SIDES, changed, read
from harness.stack.policy import Rewrite
from harness.usecase import Actor

ESI, DEVICE = Actor.ESI, Actor.HAN_DEVICE
TOO_LONG_A_LABEL = b"THIRTEEN HERE"  # one octet more than a label may have
RESERVED_TRANSMISSION = max(messaging.Transmission) + 1


def _of(
    actor: Actor, name: str, text: str, clauses: str, *rewrites: Rewrite, decisions: Mapping[str, Any] | None = None,
) -> Defect:
    broken = tuple(f"UC2.7-09-{clause}@{actor}" for clause in clauses.split())
    return Defect(f"09-{SIDES[actor]}-{name}", actor, text, broken, decisions or {}, rewrites)


def _of_both(
    name: str, text: str, clause: str, *rewrites: Rewrite, decisions: Mapping[str, Any] | None = None,
) -> tuple[Defect, ...]:
    return tuple(_of(actor, name, text, clause, *rewrites, decisions=decisions) for actor in SIDES)


def _never(*layers: type[Layer]) -> Rewrite:
    """These are not sent."""
    return lambda record: None if record.layer in layers else record


def _reports(change: Callable[[Record], Record | None]) -> Rewrite:
    return changed(drlc.ReportEventStatus, change)


def _only_unless(status: EventStatus) -> Callable[[Record], Record | None]:
    """The report of one status is left out."""
    return lambda report: None if report.event_status == status else report


def _unreadable_meter(header: Record) -> Record | None:
    """What it asks of the meter is not sent."""
    return None if header.cluster == metering.CLUSTER.identifier and header.command.is_a(zcl.ReadAttributes) else header


def _nothing_is_failure(answer: Record) -> Record:
    return answer.replace(status=Status.FAILURE) if answer.status == Status.NOT_FOUND else answer


DEFECTS: tuple[Defect, ...] = (
    _of(ESI, "clear-data", "answers with application data under the network key", "LINK-KEY-REQUIRED SAME-SECURITY",
        decisions={"uses_link_key": False}),
    _of(DEVICE, "clear-data", "sends application data under the network key", "LINK-KEY-REQUIRED",
        decisions={"uses_link_key": False}),
    *_of_both("takes-clear-data", "takes application data under the network key", "REFUSES-UNSECURED",
              decisions={"requires_link_key": False}),
    _of(DEVICE, "executes-what-it-refuses", "refuses data under the network key, and does what it asks", "REFUSES-UNSECURED",
        decisions={"executes_refused_commands": True}),
    *_of_both("takes-install-code-key", "takes application data under the install-code key", "NOT-INSTALL-KEY",
              decisions={"accepts_preconfigured_key": True}),
    _of(DEVICE, "keeps-install-code-key", "goes on with the install-code key after step 8", "NOT-INSTALL-KEY",
        decisions={"installs_established_key": False}),
    *_of_both("answers-sealed", "secures every answer with the link key", "SAME-SECURITY",
              decisions={"answers_with_same_security": False}),
    _of(DEVICE, "asks-no-price", "never asks for the price", "PRICE", _never(price.GetCurrentPrice, price.GetScheduledPrices)),
    _of(ESI, "long-label", "gives a price whose label is too long", "PRICE",
        changed(price.PublishPrice, lambda record: record.replace(rate_label=TOO_LONG_A_LABEL))),
    _of(ESI, "old-price", "gives a price without the current time", "PRICE",
        changed(price.PublishPrice, lambda record: record.replace(current_time=0))),
    _of(DEVICE, "refuses-later-price", "refuses a price with fields of a later revision", "PRICE-NEW-FIELDS",
        decisions={"accepts_longer_price": False}),
    _of(DEVICE, "asks-no-events", "never asks for its events", "EVENTS", _never(drlc.GetScheduledEvents)),
    _of(ESI, "gives-no-event", "gives no event to a device that asks", "EVENTS", _never(drlc.LoadControlEvent)),
    _of(ESI, "reserved-criticality", "gives events a criticality that is reserved", "EVENTS",
        changed(drlc.LoadControlEvent, lambda event: event.replace(criticality_level=0))),
    _of(DEVICE, "start-unreported", "does not report that an event started", "EVENT-STATUS",
        _reports(_only_unless(EventStatus.STARTED))),
    _of(DEVICE, "no-status-time", "reports without a time that it signed", "EVENT-STATUS EVENT-SIGNATURE",
        _reports(lambda report: report.replace(event_status_time=0))),
    _of(DEVICE, "other-event-id", "reports another event id than it signed", "EVENT-STATUS EVENT-SIGNATURE",
        _reports(lambda report: report.replace(issuer_event_id=report.issuer_event_id + 1))),
    _of(DEVICE, "unsigned", "signs nothing, and says that it does", "EVENT-SIGNATURE",
        _reports(lambda report: report.replace(signature=drlc.NO_SIGNATURE))),
    _of(DEVICE, "ignores-cancel", "ignores that an event is cancelled", "CANCEL", decisions={"honours_event_cancel": False}),
    _of(DEVICE, "ignores-newer", "lets overlapping events run beside each other", "SUPERSEDE",
        decisions={"honours_superseding": False}),
    _of(DEVICE, "hasty-opt-out", "reports an opt-out before the event starts", "OPT-OUT", decisions={"delays_opt_out": False}),
    _of(DEVICE, "no-chance", "starts every event at once", "RANDOMISATION", decisions={"honours_randomisation": False}),
    _of(DEVICE, "no-limits", "executes events of any duration and criticality", "DURATION",
        decisions={"checks_event_limits": False}),
    _of(DEVICE, "any-class", "takes events for other device classes", "DEVICE-CLASS",
        decisions={"honours_device_class": False}),
    _of(DEVICE, "every-copy", "takes an event that comes again for another", "DUPLICATE-EVENT",
        decisions={"ignores_duplicate_event": False}),
    _of(DEVICE, "asks-no-messages", "never asks for its messages", "MESSAGE", _never(messaging.GetLastMessage)),
    _of(ESI, "reserved-transmission", "gives a message for a transmission that is reserved", "MESSAGE",
        changed(messaging.DisplayMessage, lambda record: record.replace(transmission=RESERVED_TRANSMISSION))),
    _of(DEVICE, "never-confirms", "confirms no message", "CONFIRMATION", _never(messaging.MessageConfirmation)),
    _of(DEVICE, "confirms-another", "confirms another message", "CONFIRMATION",
        changed(messaging.MessageConfirmation, lambda record: record.replace(message_id=record.message_id + 1))),
    _of(DEVICE, "asks-no-meter", "never reads the meter", "METERING", changed(zcl.Zcl, _unreadable_meter)),
    Defect(
        "pre-device-without-metering", DEVICE, "claims the metering cluster and never uses it",
        (f"UC2.7-PRE-METERING-CLUSTER@{DEVICE}",), rewrites=(changed(zcl.Zcl, _unreadable_meter),),
    ),
    _of(ESI, "meter-type", "gives the summation with another data type", "METERING",
        read(metering.CLUSTER.identifier, metering.CURRENT_SUMMATION_DELIVERED, type=DataType.UINT32)),
    _of(ESI, "nothing-is-failure", "says FAILURE where there is nothing to give", "NONE-PENDING",
        changed(zcl.DefaultResponse, _nothing_is_failure)),
    Defect("09-asks-before-registering", DEVICE, "asks for data before it has registered",
           decisions={"asks_before_registering": True}),
)
