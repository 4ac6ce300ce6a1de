"""Step 9: wrong behaviours of a HAN Device and of an ESI with application data, and how either is provoked."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from dissectors import zcl
from dissectors.clusters import drlc, messaging, metering, price
from dissectors.clusters.drlc import EventStatus, SignatureType
from dissectors.layer import Layer, Record, encode
from dissectors.zcl import DataType, Status
from harness.adapters.defects import Defect
from harness.adapters.defects.step_07 import SIDES, changed, read
from harness.stack.application import Asdu
from harness.stack.policy import Rewrite
from harness.usecase import Actor

ESI, DEVICE = Actor.ESI, Actor.HAN_DEVICE
TOO_LONG_A_LABEL = b"THIRTEEN HERE"  # one octet more than a label may have
WHOLE_REPORT = len(encode(drlc.ReportEventStatus.of()))  # octets
RESERVED_TRANSMISSION = max(messaging.Transmission) + 1


def _of(
    actor: Actor, name: str, text: str, clauses: str, cause: str, *rewrites: Rewrite,
    decisions: Mapping[str, Any] | None = None, misbehaviours: tuple[str, ...] = (),
) -> Defect:
    broken = tuple(f"UC2.7-09-{clause}@{actor}" for clause in clauses.split())
    return Defect(
        f"09-{SIDES[actor]}-{name}", actor, text, broken, decisions or {}, rewrites, cause=cause, misbehaviours=misbehaviours,
    )


def _of_both(
    name: str, text: str, clause: str, cause: str, *rewrites: Rewrite, decisions: Mapping[str, Any] | None = None,
    misbehaviours: tuple[str, ...] = (),
) -> tuple[Defect, ...]:
    return tuple(
        _of(actor, name, text, clause, cause, *rewrites, decisions=decisions, misbehaviours=misbehaviours) for actor in SIDES
    )


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


def _refused_with(status: Status | None) -> Rewrite:
    """FAILURE becomes another status, or is not sent."""

    def change(answer: Record) -> Record | None:
        if answer.status != Status.FAILURE:
            return answer
        return None if status is None else answer.replace(status=status)

    return changed(zcl.DefaultResponse, change)


def _without_signature(asdu: Record) -> Record:
    """A report as long as later revisions would have it if they had dropped the signature with its octets."""
    header = zcl.Zcl.of(frame_type=zcl.FrameType.CLUSTER, direction=zcl.Direction.CLIENT_TO_SERVER)
    report = asdu.cluster == drlc.CLUSTER.identifier and len(asdu.octets) == len(encode(header)) + WHOLE_REPORT
    return asdu.replace(octets=asdu.octets[: -drlc.SIGNATURE_SIZE - 1]) if report else asdu


def _unsigned_but_filled(report: Record) -> Record:
    return report.replace(signature_type=SignatureType.NONE, signature=bytes(drlc.SIGNATURE_SIZE))


def _cancel_of_nothing(report: Record) -> Record:
    undefined = report.event_status == EventStatus.REJECTED_UNDEFINED_EVENT
    return report.replace(event_status=EventStatus.CANCELLED) if undefined else report


DEFECTS: tuple[Defect, ...] = (
    _of(ESI, "clear-data", "answers with application data under the network key", "LINK-KEY-REQUIRED SAME-SECURITY",
        "sent-unsecured", decisions={"uses_link_key": False}, misbehaviours=("M-36",)),
    _of(DEVICE, "clear-data", "sends application data under the network key", "LINK-KEY-REQUIRED", "sent-unsecured",
        decisions={"uses_link_key": False}, misbehaviours=("M-36",)),
    *_of_both("takes-clear-data", "takes application data under the network key", "REFUSES-UNSECURED", "unsecured-data-taken",
              decisions={"requires_link_key": False}, misbehaviours=("M-36",)),
    _of(DEVICE, "executes-what-it-refuses", "refuses data under the network key, and does what it asks", "REFUSES-UNSECURED",
        "refused-and-executed", decisions={"executes_refused_commands": True}, misbehaviours=("M-38",)),
    *_of_both("refuses-otherwise", "refuses data under the network key with another status", "REFUSES-UNSECURED",
              "refused-with-another-status", _refused_with(Status.NOT_AUTHORIZED), misbehaviours=("M-38",)),
    *_of_both("refuses-in-silence", "passes over data under the network key in silence", "REFUSES-UNSECURED",
              "refusal-left-out", _refused_with(None), misbehaviours=("M-38",)),
    *_of_both("refuses-secured", "refuses data under the network key with a refusal under the link key", "REFUSES-UNSECURED",
              "refusal-secured", decisions={"refuses_under_network_key": False}, misbehaviours=("M-38",)),
    *_of_both("takes-install-code-key", "takes application data under the install-code key", "NOT-INSTALL-KEY",
              "install-code-key-taken", decisions={"accepts_preconfigured_key": True}, misbehaviours=("M-37",)),
    Defect(
        "09-device-keeps-install-code-key", DEVICE, "goes on with the install-code key after step 8",
        (f"UC2.7-08-KEY-INSTALLED@{DEVICE}", f"UC2.7-09-NOT-INSTALL-KEY@{DEVICE}"), {"installs_established_key": False},
        cause="install-code-key-kept", misbehaviours=("M-37",),
    ),
    *_of_both("answers-sealed", "secures every answer with the link key", "SAME-SECURITY", "answers-always-secured",
              decisions={"answers_with_same_security": False}, misbehaviours=("M-39",)),
    *_of_both("demands-link-key", "wants the link key for Basic as well", "NETWORK-KEY-ENOUGH", "link-key-demanded",
              decisions={"demands_link_key_always": True}, misbehaviours=("M-39",)),
    *_of_both("any-profile", "obeys commands of any profile", "PROFILE", "any-profile-taken",
              decisions={"takes_foreign_profile": True}, misbehaviours=("M-40",)),
    _of(DEVICE, "asks-no-price", "never asks for the price", "PRICE", "price-never-asked-for",
        _never(price.GetCurrentPrice, price.GetScheduledPrices)),
    _of(DEVICE, "refuses-base-price", "refuses a price without the fields that r15 appended", "PRICE", "offer-refused",
        decisions={"accepts_base_price": False}, misbehaviours=("M-48",)),
    _of(ESI, "long-label", "gives a price whose label is too long", "PRICE", "label-too-long",
        changed(price.PublishPrice, lambda record: record.replace(rate_label=TOO_LONG_A_LABEL))),
    _of(ESI, "old-price", "gives a price without the current time", "PRICE", "current-time-left-out",
        changed(price.PublishPrice, lambda record: record.replace(current_time=0))),
    _of(DEVICE, "refuses-later-price", "refuses a price with fields of a later revision", "PRICE-NEW-FIELDS",
        "later-fields-refused", decisions={"accepts_longer_price": False}, misbehaviours=("M-48",)),
    _of(DEVICE, "asks-no-events", "never asks for its events", "EVENTS", "events-never-asked-for",
        _never(drlc.GetScheduledEvents)),
    _of(ESI, "gives-no-event", "gives no event to a device that asks", "EVENTS", "event-withheld",
        _never(drlc.LoadControlEvent)),
    _of(ESI, "reserved-criticality", "gives events a criticality that is reserved", "EVENTS", "event-field-illegal",
        changed(drlc.LoadControlEvent, lambda event: event.replace(criticality_level=0)), misbehaviours=("M-55",)),
    *(
        _of(DEVICE, f"{name}-unreported", f"does not report that an event {what}", "EVENT-STATUS",
            f"{status.name.lower().replace('_', '-')}-not-reported", _reports(_only_unless(status)))
        for name, what, status in (
            ("arrival", "arrived", EventStatus.COMMAND_RECEIVED), ("start", "started", EventStatus.STARTED),
            ("end", "ended", EventStatus.COMPLETED),
        )
    ),
    _of(DEVICE, "no-status-time", "reports without a time that it signed", "EVENT-STATUS EVENT-SIGNATURE",
        "status-time-left-out", _reports(lambda report: report.replace(event_status_time=0)), misbehaviours=("M-49",)),
    _of(DEVICE, "other-event-id", "reports another event id than it signed", "EVENT-STATUS EVENT-SIGNATURE",
        "report-of-another-event", _reports(lambda report: report.replace(issuer_event_id=report.issuer_event_id + 1)),
        misbehaviours=("M-49",)),
    _of(DEVICE, "short-report", "leaves the signature and its type out of its reports", "EVENT-STATUS",
        "report-of-another-length", changed(Asdu, _without_signature), misbehaviours=("M-49",)),
    _of(DEVICE, "unsigned", "signs nothing, and says that it does", "EVENT-SIGNATURE", "signature-only-claimed",
        _reports(lambda report: report.replace(signature=drlc.NO_SIGNATURE)), misbehaviours=("M-49",)),
    _of(DEVICE, "signs-nothing", "claims to sign its reports and does not", "EVENT-SIGNATURE", "signature-left-out",
        decisions={"signs_event_status": False}, misbehaviours=("M-49",)),
    _of(DEVICE, "signature-type", "gives a signature type that is none", "EVENT-SIGNATURE", "signature-type-unknown",
        _reports(lambda report: report.replace(signature_type=max(SignatureType) + 1)), misbehaviours=("M-49",)),
    _of(DEVICE, "signature-of-zeros", "fills a signature that it does not make with zeros", "EVENT-SIGNATURE",
        "signature-wrongly-filled", _reports(_unsigned_but_filled), misbehaviours=("M-49",)),
    _of(DEVICE, "ignores-cancel", "ignores that an event is cancelled", "CANCEL", "cancel-ignored",
        decisions={"honours_event_cancel": False}),
    _of(DEVICE, "cancels-nothing", "reports cancelled what was never there", "CANCEL", "cancel-of-nothing-taken",
        _reports(_cancel_of_nothing)),
    _of(DEVICE, "ignores-newer", "lets overlapping events run beside each other", "SUPERSEDE", "superseding-ignored",
        decisions={"honours_superseding": False}, misbehaviours=("M-52",)),
    _of(DEVICE, "ends-at-once", "ends a running event as soon as it hears of the newer one", "SUPERSEDE",
        "superseded-at-the-wrong-moment", decisions={"runs_until_superseded": False}, misbehaviours=("M-52",)),
    _of(DEVICE, "hasty-opt-out", "reports an opt-out before the event starts", "OPT-OUT", "opt-out-at-the-wrong-time",
        decisions={"delays_opt_out": False}, misbehaviours=("M-53",)),
    _of(DEVICE, "opt-out-unreported", "does not report that its customer declined", "OPT-OUT", "opt-out-not-reported",
        _reports(_only_unless(EventStatus.OPT_OUT)), misbehaviours=("M-53",)),
    _of(DEVICE, "no-chance", "starts every event at once", "RANDOMISATION", "randomisation-ignored",
        decisions={"honours_randomisation": False}, misbehaviours=("M-54",)),
    _of(DEVICE, "always-alike", "shifts every event alike", "RANDOMISATION", "shifted-always-alike",
        decisions={"randomised_share": 0.5}, misbehaviours=("M-54",)),
    _of(DEVICE, "shifts-far", "shifts events beyond its own limit", "RANDOMISATION", "shifted-beyond-the-limit",
        decisions={"randomised_share": 1.3}, misbehaviours=("M-54",)),
    _of(DEVICE, "no-limits", "executes events of any duration and criticality", "DURATION", "limits-not-checked",
        decisions={"checks_event_limits": False}, misbehaviours=("M-55",)),
    _of(DEVICE, "any-class", "takes events for other device classes", "DEVICE-CLASS", "event-of-others-taken",
        decisions={"honours_device_class": False}, misbehaviours=("M-50",)),
    _of(DEVICE, "any-group", "takes events for other enrolment groups", "DEVICE-CLASS", "event-of-others-taken",
        decisions={"honours_enrollment_group": False}, misbehaviours=("M-50",)),
    _of(DEVICE, "class-is-an-error", "answers events for others with an error", "DEVICE-CLASS", "event-of-others-an-error",
        decisions={"refuses_events_for_others": True}, misbehaviours=("M-50",)),
    _of(DEVICE, "every-copy", "takes an event that comes again for another", "DUPLICATE-EVENT", "duplicate-taken",
        decisions={"ignores_duplicate_event": False}, misbehaviours=("M-51",)),
    _of(DEVICE, "asks-no-messages", "never asks for its messages", "MESSAGE", "messages-never-asked-for",
        _never(messaging.GetLastMessage)),
    _of(ESI, "reserved-transmission", "gives a message for a transmission that is reserved", "MESSAGE",
        "message-field-reserved",
        changed(messaging.DisplayMessage, lambda record: record.replace(transmission=RESERVED_TRANSMISSION))),
    _of(DEVICE, "never-confirms", "confirms no message", "CONFIRMATION", "message-never-confirmed",
        _never(messaging.MessageConfirmation)),
    _of(DEVICE, "confirms-another", "confirms another message", "CONFIRMATION", "confirmed-another-message",
        changed(messaging.MessageConfirmation, lambda record: record.replace(message_id=record.message_id + 1))),
    _of(DEVICE, "asks-no-meter", "never reads the meter", "METERING", "meter-never-read", changed(zcl.Zcl, _unreadable_meter)),
    Defect(
        "pre-device-without-metering", DEVICE, "claims the metering cluster and never uses it",
        (f"UC2.7-PRE-METERING-CLUSTER@{DEVICE}", f"UC2.7-09-METERING@{DEVICE}"), rewrites=(changed(zcl.Zcl, _unreadable_meter),),
        cause="meter-never-read",
    ),
    _of(ESI, "meter-type", "gives the summation with another data type", "METERING", "attribute-type",
        read(metering.CLUSTER.identifier, metering.CURRENT_SUMMATION_DELIVERED, type=DataType.UINT32)),
    _of(ESI, "meter-of-a-draft", "gives a value under the number that a draft gave it", "METERING", "attribute-of-a-draft",
        read(metering.CLUSTER.identifier, metering.PARTIAL_PROFILE[1], status=Status.SUCCESS, type=DataType.UINT24, value=0),
        misbehaviours=("M-57",)),
    _of(ESI, "nothing-is-failure", "says FAILURE where there is nothing to give", "NONE-PENDING", "nothing-is-an-error",
        changed(zcl.DefaultResponse, _nothing_is_failure)),
    Defect("09-device-small-table", DEVICE, "holds two events and rejects the next, which is noted and no more",
           decisions={"event_table": 2}),
    _of(ESI, "obeys-leave", "leaves its network when a device says so", "LEAVE-IGNORED", "leave-obeyed-after-registration",
        decisions={"coordinator_obeys_leave": True}, misbehaviours=("M-45",)),
    Defect("09-asks-before-registering", DEVICE, "asks for data before it has registered",
           decisions={"asks_before_registering": True}, misbehaviours=("M-36", "M-37")),
)
