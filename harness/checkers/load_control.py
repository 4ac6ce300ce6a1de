"""Step 9: what the device does with load control events, and what the ESI offers of them. Knows frames, no bench.

Clause: SE 1.0 (075356r15), annex D.3.
"""

from __future__ import annotations

from collections.abc import Iterator

from dissectors import zcl
from dissectors.clusters import drlc
from dissectors.clusters.drlc import EventStatus
from dissectors.zcl import Status
from harness.checkers.answering import answered_wrongly, requested, words
from harness.checkers.dialogue import ANSWER_TIME, Dialogue, Said, dialogue
from harness.checkers.load_events import (
    REJECTIONS,
    SECONDS_A_MINUTE,
    TOLERANCE,
    Event,
    cancels,
    events,
    instant,
    is_crowded_out,
    knows_time,
    strays,
    unreadable_reports,
)
from harness.checkers.reading import attested
from harness.trace import Trace
from harness.usecase import Actor, Point
from harness.verdict import Finding, failed, noted, passed

EXECUTED = (EventStatus.COMMAND_RECEIVED, EventStatus.STARTED, EventStatus.COMPLETED)
USER = (  # reports of an event that its customer declined
    EventStatus.OPT_OUT, EventStatus.OPT_IN, EventStatus.PARTIALLY_COMPLETED_WITH_OPT_OUT,
    EventStatus.PARTIALLY_COMPLETED_WITH_OPT_IN, EventStatus.COMPLETED_WITHOUT_PARTICIPATION,
)


def events_are_asked_for(trace: Trace, actor: Actor) -> Iterator[Finding]:
    """09-EVENTS of the HAN Device: having registered, it asks which events are scheduled."""
    talk = dialogue(trace)
    yield from requested(talk, talk.by(actor, drlc.GetScheduledEvents), "its events", "events-never-asked-for")


def events_are_given(trace: Trace, actor: Actor) -> Iterator[Finding]:
    """09-EVENTS of the ESI: Get Scheduled Events draws what is pending, each event legal, no more than asked for."""
    talk = dialogue(trace)
    for question in talk.to(actor, drlc.GetScheduledEvents):
        if question.key != "link":
            continue
        given = [each for each in talk.answers(question) if each.is_a(drlc.LoadControlEvent)]
        wrong = next((fault for each in given if (fault := _illegal(trace, question, each))), None)
        limit = question.command.number_of_events
        missing = sorted(_pending(trace, talk, question) - {each.command.issuer_event_id for each in given})
        if wrong is not None:
            yield wrong
        elif limit and len(given) > limit:
            yield answered_wrongly(question, given[-1], f"{limit} event(s) at most", f"{len(given)} events", "more-events-than-asked-for")
        elif missing and not (limit and len(given) == limit):
            if talk.watched(question, ANSWER_TIME):
                yield failed(
                    "events that are pending were not given", question.number, *(each.number for each in given),
                    expected=f"event(s) {', '.join(map(str, missing))}", observed=f"{len(given)} event(s)",
                    hint="event-withheld",
                )
        elif given:
            yield passed(f"{len(given)} event(s) given", question.number, *(each.number for each in given))


def events_are_reported(trace: Trace, actor: Actor) -> Iterator[Finding]:
    """09-EVENT-STATUS: an event that concerns the device is reported received, started and completed, when it is."""
    talk = dialogue(trace)
    for event in events(trace):
        if not _takes(talk, event) or not event.legal or event.reported(*USER) or is_crowded_out(trace, event):
            continue
        disturbed, had = _disturbed(trace, event), event.arrived_at
        faults = [
            _report_missing(trace, event, EventStatus.COMMAND_RECEIVED, had, had, disturbed),
            # Whoever hears of an event only when it is under way starts it then.
            _report_missing(trace, event, EventStatus.STARTED, max(event.start, had), max(event.start + event.shift, had), disturbed),
            _report_missing(
                trace, event, EventStatus.COMPLETED, event.end, event.end + event.shift + event.extension, disturbed,
            ),
            *(_time_fault(trace, talk, report) for report in event.reports),
        ]
        wrong = [fault for fault in faults if fault is not None]
        yield from wrong[:1]
        if not wrong and event.reported(*EXECUTED):
            reports = event.reported(*EXECUTED)
            yield passed(f"event {event.identifier} was reported", event.issues[0].number, *(each.number for each in reports))


def events_beyond_limits_are_refused(trace: Trace, actor: Actor) -> Iterator[Finding]:
    """09-DURATION: an event of up to a day and of any criticality that is not reserved is taken, any other is not executed."""
    talk = dialogue(trace)
    for event in events(trace):
        if not _takes(talk, event):
            continue
        said = f"{event.command.duration_in_minutes} min, criticality {event.command.criticality_level}"
        taken, rejected = event.reported(*EXECUTED), event.reported(*REJECTIONS)
        error = _error(talk, event.issues[0])
        if event.legal and is_crowded_out(trace, event):
            yield passed(f"an event inside the limits ({said}) was answered", event.issues[0].number, rejected[0].number)
            yield noted(
                "an event was rejected while others were pending: what a device does whose table is full is open",
                event.issues[0].number, rejected[0].number, expected="the event is taken, or rejected for want of room",
                observed=_status(rejected[0]),
            )
        elif event.legal and (rejected or error is not None):
            answer = rejected[0] if rejected else error
            assert answer is not None
            yield failed(
                f"an event inside the limits ({said}) was rejected", event.issues[0].number, answer.number,
                expected="the event is taken", observed=_status(answer), hint="legal-event-rejected",
            )
        elif event.legal and taken:
            yield passed(f"an event inside the limits ({said}) was taken", event.issues[0].number, taken[0].number)
        elif not event.legal and taken:
            yield failed(
                f"an event beyond the limits ({said}) was executed", event.issues[0].number, taken[0].number,
                expected=f"status {EventStatus.REJECTED:02x}, an error status, or silence", observed=_status(taken[0]),
                hint="limits-not-checked",
            )
        elif not event.legal and talk.watched(event.issues[0], ANSWER_TIME):
            yield passed(f"an event beyond the limits ({said}) was not executed", event.issues[0].number)


def events_for_others_are_ignored(trace: Trace, actor: Actor) -> Iterator[Finding]:
    """09-DEVICE-CLASS: an event for other device classes draws no report and no error."""
    talk = dialogue(trace)
    for event in events(trace):
        if event.concerns is not False:
            continue
        answer = next(iter(event.reports), None) or _error(talk, event.issues[0])
        if answer is not None:
            yield failed(
                "an event for others was not ignored", event.issues[0].number, answer.number,
                expected="no report; no Default Response, or one of success", observed=_status(answer),
                hint="event-of-others-taken" if event.reports else "event-of-others-an-error",
            )
        elif talk.watched(event.issues[0], ANSWER_TIME):
            yield passed("an event for others was ignored", event.issues[0].number)


def events_are_executed_once(trace: Trace, actor: Actor) -> Iterator[Finding]:
    """09-DUPLICATE-EVENT: an event that comes again is not reported, or executed, again."""
    talk = dialogue(trace)
    for event in events(trace):
        if len(event.issues) == 1 or not event.concerns:
            continue
        again = next((status for status in EXECUTED if len(event.reported(status)) > 1), None)
        told = event.reported(EventStatus.REJECTED_DUPLICATE)
        if again is not None:
            reports = event.reported(again)
            yield failed(
                f"event {event.identifier} came twice and was reported {again.name.lower().replace('_', ' ')} twice",
                *(each.number for each in (*event.issues, *reports)), expected="one report", observed=f"{len(reports)} reports",
                hint="duplicate-taken",
            )
        elif event.reported(*EXECUTED) and talk.watched(event.issues[-1], ANSWER_TIME):
            yield passed(f"event {event.identifier} came twice and was taken once", *(each.number for each in event.issues))
        if told:
            yield noted(
                "a duplicate event was rejected with a status that one implementation invented", told[0].number,
                expected="silence, or a Default Response of success", observed=_status(told[0]),
            )


# -- what the ESI offers


def _illegal(trace: Trace, question: Said, said: Said) -> Finding | None:
    command = said.command
    faults = {
        "it is for no device class": command.device_class == 0,
        f"it lasts {command.duration_in_minutes} minutes": command.duration_in_minutes > drlc.MAXIMUM_DURATION,
        f"criticality {command.criticality_level} is reserved": command.criticality_level not in tuple(drlc.Criticality),
        "it never starts": command.start_time == drlc.NEVER,
        "it is over": command.start_time != 0 and _end(trace, said) < question.time - TOLERANCE,
        "it ends before the time that was asked for": (
            command.start_time != 0 and _end(trace, said) < instant(trace, question.command.start_time) - TOLERANCE
            if question.command.start_time else False
        ),
    }
    wrong = [fault for fault, there in faults.items() if there]
    if not wrong:
        return None
    return answered_wrongly(question, said, "an event that is legal and pending", "; ".join(wrong), "event-field-illegal")


def _end(trace: Trace, said: Said) -> float:
    command = said.command
    start = said.time if command.start_time == 0 else instant(trace, command.start_time)
    return start + float(command.duration_in_minutes * SECONDS_A_MINUTE)


def _pending(trace: Trace, talk: Dialogue, question: Said) -> set[int]:
    """The events that the ESI issued before and that are not over, not cancelled, and not before what is asked for."""
    wanted = instant(trace, question.command.start_time) if question.command.start_time else question.time
    cancelled = {identity for said, identity in cancels(trace) if said.time < question.time}
    if None in cancelled:
        return set()
    return {
        said.command.issuer_event_id for said in talk.by(Actor.ESI, drlc.LoadControlEvent)
        if said.time < question.time and said.key == "link" and said.command.start_time
        and _end(trace, said) > max(wanted, question.time) + TOLERANCE and said.command.issuer_event_id not in cancelled
    }


# -- what the device reports


def _takes(talk: Dialogue, event: Event) -> bool:
    """Whether a device has a reason to take an event: it concerns it, is not over, and starts when the device can tell."""
    start = event.command.start_time
    told = start == 0 or (start != drlc.NEVER and knows_time(talk, event.arrived_at))
    return bool(event.concerns) and told and event.end > event.arrived_at


def _disturbed(trace: Trace, event: Event) -> float:
    """When something arrived that changes an event's course: a cancel, or an event that supersedes it."""
    changes = [
        *(said.arrived_at for said, identity in cancels(trace) if identity in (None, event.identifier)),
        *(other.arrived_at for other in events(trace) if other.arrived_at > event.arrived_at and event.overlaps(other)),
    ]
    return min((change for change in changes if change >= event.arrived_at), default=float("inf"))


def _report_missing(
    trace: Trace, event: Event, status: EventStatus, earliest: float, latest: float, disturbed: float,
) -> Finding | None:
    """The report of a status that should come between two instants, give or take a minute."""
    reports = event.reported(status)
    name = status.name.lower().replace("_", " ")
    issue = event.issues[0]
    if reports:
        when = reports[0].time
        if earliest - TOLERANCE <= when <= latest + TOLERANCE:
            return None
        return failed(
            f"event {event.identifier} was reported {name} at the wrong time", issue.number, reports[0].number,
            expected=f"between {earliest:.0f} s and {latest:.0f} s", observed=f"{when:.0f} s",
            hint="reported-at-the-wrong-time",
        )
    if latest + TOLERANCE >= disturbed or not _watched(trace, issue, latest + TOLERANCE):
        return None
    other = event.reports[0] if event.reports else None
    return failed(
        f"event {event.identifier} was not reported {name}", issue.number, *((other.number,) if other else ()),
        expected=f"Report Event Status {status:02x}", observed=_status(other) if other else "no report",
        hint=_missing_cause(dialogue(trace), status),
    )


def _missing_cause(talk: Dialogue, status: EventStatus) -> str:
    """Why a report is missing: it cannot be read, it names an event that nobody issued, or it was not made."""
    if unreadable_reports(talk):
        return "report-of-another-length"
    return "report-of-another-event" if strays(talk) else f"{status.name.lower().replace('_', '-')}-not-reported"


def _watched(trace: Trace, said: Said, until: float) -> bool:
    return attested(trace, Point.MAC, said.arrived_at, until, said.first.channel)


def _time_fault(trace: Trace, talk: Dialogue, report: Said) -> Finding | None:
    """The status time is never 0, and that of the ESI's clock where the device was told it."""
    said = report.command.event_status_time
    if said == 0:
        return failed(
            "a report carries no time", report.number, expected="a status time other than 0", observed="0",
            hint="status-time-left-out",
        )
    if knows_time(talk, report.time) and abs(instant(trace, said) - report.time) > TOLERANCE:
        return failed(
            "a report carries a wrong time", report.number, expected=f"that of {report.time:.0f} s",
            observed=f"that of {instant(trace, said):.0f} s", hint="status-time-wrong",
        )
    return None


def _error(talk: Dialogue, issue: Said) -> Said | None:
    """A Default Response that refuses an event."""
    return next(
        (
            each for each in talk.answers(issue)
            if each.is_a(zcl.DefaultResponse) and each.command.status != Status.SUCCESS
        ), None,
    )


def _status(said: Said) -> str:
    if said.is_a(drlc.ReportEventStatus):
        return f"Report Event Status {said.command.event_status:02x}"
    return words(said)
