"""Step 9: events that are cancelled, superseded, declined or shifted by chance, and how reports are signed. Knows no bench.

Clause: SE 1.0 (075356r15), annex D.3.
"""

from __future__ import annotations

from collections.abc import Iterator

from dissectors.clusters import drlc, key_establishment
from dissectors.clusters.drlc import Criticality, EventStatus, SignatureType
from dissectors.layer import encode
from harness.checkers.dialogue import ANSWER_TIME, Dialogue, Said, dialogue
from harness.checkers.load_events import (
    REJECTIONS,
    SECONDS_A_MINUTE,
    TOLERANCE,
    Event,
    cancel_delay,
    cancels,
    events,
    instant,
    strays,
)
from harness.checkers.reading import attested, claimed, demand, marks
from harness.crypto import ecdsa
from harness.crypto.ecqv import CertificateError, extract_public_key
from harness.crypto.sect163k1 import Point as CurvePoint
from harness.trace import Trace, Unknown
from harness.usecase import Actor, Point
from harness.verdict import Finding, failed, noted, passed

AT_ONCE = 10.0  # seconds that a report may take which is due at once
BEFORE_NEXT = 1.0  # seconds before the start of the newer event that a running one ends
SPREAD = 60.0  # seconds of randomisation from which on a start within the first second is told from chance
UNSHIFTED = 1.0  # seconds: the granularity of starts
TELLING = 4  # so many randomised events, all unshifted or shifted alike, are no chance
MANDATORY = (Criticality.EMERGENCY, Criticality.PLANNED_OUTAGE, Criticality.SERVICE_DISCONNECT)


def cancelled_events_end(trace: Trace, actor: Actor) -> Iterator[Finding]:
    """09-CANCEL: a cancelled event ends and is reported cancelled; one that was never issued, or a late cancel, is refused."""
    talk = dialogue(trace)
    known = {event.identifier: event for event in events(trace)}
    for cancel, identity in cancels(trace):
        if identity is None:
            for event in known.values():
                if _alive(event, cancel) and event.concerns and event.legal:
                    yield from _cancelled(trace, talk, event, cancel, cancel.arrived_at)
        elif identity not in known:
            yield from _refused(talk, cancel, EventStatus.REJECTED_UNDEFINED_EVENT)
        elif known[identity].concerns and known[identity].legal and _alive(known[identity], cancel):
            effective = instant(trace, cancel.command.effective_time) if cancel.command.effective_time else cancel.arrived_at
            if cancel.command.effective_time == drlc.NEVER or effective > known[identity].end:
                yield from _refused(talk, cancel, EventStatus.REJECTED_INVALID_CANCEL_TIME)
            else:
                yield from _cancelled(trace, talk, known[identity], cancel, max(effective, cancel.arrived_at))


def superseded_events_end(trace: Trace, actor: Actor) -> Iterator[Finding]:
    """09-SUPERSEDE: a newer event that overlaps ends the older one: at once where it has not begun, else just before."""
    gone = {identity for _, identity in cancels(trace)}
    found = [event for event in events(trace) if event.concerns and event.legal and event.identifier not in gone]
    for older in found:
        newer = next((each for each in found if each.arrived_at > older.arrived_at and older.overlaps(each)), None)
        if newer is None or None in gone or older.end <= newer.arrived_at or newer.shift or older.shift:
            continue
        running = older.start <= newer.arrived_at
        due = max(newer.start - BEFORE_NEXT, newer.arrived_at) if running else newer.arrived_at
        reports = older.reported(EventStatus.SUPERSEDED)
        evidence = (older.issues[0].number, newer.issues[0].number)
        expected = f"Report Event Status {EventStatus.SUPERSEDED:02x} at {due:.0f} s"
        late = due + (TOLERANCE if running and due > newer.arrived_at else AT_ONCE)
        if reports and due - TOLERANCE <= reports[0].time <= late:
            yield passed("a superseded event was reported so", *evidence, reports[0].number)
        elif reports:
            yield failed(
                "a superseded event was reported at the wrong time", *evidence, reports[0].number, expected=expected,
                observed=f"{reports[0].time:.0f} s", hint="superseded-at-the-wrong-moment",
            )
        elif _watched(trace, newer.issues[0], late):
            yield failed(
                "a superseded event was not reported so", *evidence, expected=expected, observed="no such report",
                hint="superseding-ignored",
            )


def starts_are_shifted_by_chance(trace: Trace, actor: Actor) -> Iterator[Finding]:
    """09-RANDOMISATION: a start that is to be randomised lies inside the device's limit, and is not always the same."""
    shifts: list[tuple[Event, Said, float]] = []
    gone = {identity for _, identity in cancels(trace)}
    for event in events(trace):
        started = event.reported(EventStatus.STARTED)
        if not event.shift or not event.concerns or not event.legal or gone & {None, event.identifier}:
            continue
        if not started:
            if _watched(trace, event.issues[0], event.start + event.shift + TOLERANCE):
                yield failed(
                    "a randomised event never started", event.issues[0].number,
                    expected=f"a start within {event.shift / SECONDS_A_MINUTE:.0f} min", observed="no report of it",
                    hint="randomised-and-never-started",
                )
            continue
        shift = started[0].time - event.start
        shifts.append((event, started[0], shift))
        if not -AT_ONCE <= shift <= event.shift + AT_ONCE:
            yield failed(
                "an event was shifted beyond the device's limit", event.issues[0].number, started[0].number,
                expected=f"0 to {event.shift:.0f} s", observed=f"{shift:.0f} s",
                hint="shifted-beyond-the-limit",
            )
    wide = [each for each in shifts if each[0].shift >= SPREAD]
    evidence = [report.number for _, report, _ in shifts]
    if len(wide) >= TELLING and all(abs(shift) < UNSHIFTED for _, _, shift in wide):
        yield failed(
            f"{len(wide)} events that were to be randomised all started at once", *evidence,
            expected=f"starts spread over {wide[0][0].shift:.0f} s", observed="no shift", hint="randomisation-ignored",
        )
    elif len(wide) >= TELLING and _alike(wide):
        yield failed(
            f"{len(wide)} events that were to be randomised were all shifted alike", *evidence,
            expected=f"starts spread over {wide[0][0].shift:.0f} s", observed=f"each after {wide[0][2]:.0f} s",
            hint="shifted-always-alike",
        )
    elif len(wide) >= TELLING:
        yield passed(
            "randomised events started inside the limit, each at its time", *evidence,
            observed=", ".join(f"{shift:.1f} s" for _, _, shift in shifts),
        )


def _alike(shifts: list[tuple[Event, Said, float]]) -> bool:
    """Whether all shifts are the same, and inside the limit: beyond it they have been judged already."""
    seconds = [shift for *_, shift in shifts]
    return max(seconds) - min(seconds) < UNSHIFTED and max(seconds) <= shifts[0][0].shift


def declined_events_are_reported(trace: Trace, actor: Actor) -> Iterator[Finding]:
    """09-OPT-OUT: an event declined before its start is reported so at its start, one declined later at once."""
    for at in marks(trace, "opt_out", actor):
        for event in events(trace):
            if not event.concerns or not event.legal or not event.arrived_at <= at < event.end or event.shift:
                continue
            reports = event.reported(EventStatus.OPT_OUT)
            due = max(at, event.start)
            if event.command.criticality_level in MANDATORY:
                continue
            if reports and due - AT_ONCE <= reports[0].time <= due + TOLERANCE:
                yield passed("a declined event was reported when it was due", event.issues[0].number, reports[0].number)
            elif reports or _watched(trace, event.issues[0], due + TOLERANCE):
                yield failed(
                    "a declined event was reported at the wrong time" if reports else "a declined event was not reported",
                    event.issues[0].number, *(each.number for each in reports),
                    expected=f"Report Event Status {EventStatus.OPT_OUT:02x} at {due:.0f} s",
                    observed=f"{reports[0].time:.0f} s" if reports else "none",
                    hint="opt-out-at-the-wrong-time" if reports else "opt-out-not-reported",
                )


def reports_are_signed(trace: Trace, actor: Actor) -> Iterator[Finding]:
    """09-EVENT-SIGNATURE: a signature that claims to be one can be verified; without one its octets are all ones."""
    talk = dialogue(trace)
    key = _public_key(trace, talk)
    for report in talk.by(actor, drlc.ReportEventStatus):
        command = report.command
        if command.signature_type == SignatureType.NONE and command.signature == drlc.NO_SIGNATURE:
            if claimed(trace, "event_signature"):
                yield _bad(report, "an ECDSA signature, as the PICS claims", "none", "signature-left-out")
            else:
                yield passed("the report carries no signature, and says so", report.number)
        elif command.signature_type == SignatureType.NONE:
            yield _bad(report, "ff in every octet that holds no signature", command.signature.hex(), "signature-wrongly-filled")
        elif command.signature_type != SignatureType.ECDSA:
            yield _bad(report, "signature type 00 or 01", f"{command.signature_type:02x}", "signature-type-unknown")
        elif key is None:
            demand(trace, Unknown.AUTHORITY)
            yield noted("the report is signed, and no certificate tells with which key", report.number)
        elif ecdsa.verify(key, encode(command)[: -drlc.SIGNATURE_SIZE], command.signature):
            yield passed("the report's signature is right", report.number)
        elif claimed(trace, "event_signature"):
            yield _bad(report, "a signature over the fields before it", "one that does not verify", _signature_cause(talk, report))
        else:
            yield passed("the report carries a signature", report.number)
            yield noted(
                "the signature does not verify: what it covers is open", report.number,
                expected="ECDSA over the fields before it", observed=command.signature.hex(),
            )


def _alive(event: Event, cancel: Said) -> bool:
    """Whether an event was issued before a cancel, is not over when it arrives, and was neither rejected nor ended before."""
    over = event.reported(EventStatus.COMPLETED, EventStatus.CANCELLED, EventStatus.SUPERSEDED, *REJECTIONS)
    ended = over and over[0].time < cancel.arrived_at
    return event.arrived_at < cancel.arrived_at < event.end + event.shift + event.extension and not ended


def _cancelled(trace: Trace, talk: Dialogue, event: Event, cancel: Said, effective: float) -> Iterator[Finding]:
    begun = bool([each for each in event.reported(EventStatus.STARTED) if each.time <= cancel.arrived_at])
    latest = effective + (cancel_delay(talk, cancel.command) if begun else 0.0)
    reports = [each for each in event.reported(EventStatus.CANCELLED) if each.time > cancel.time]
    ran_on = [
        each for each in event.reported(EventStatus.STARTED, EventStatus.COMPLETED) if each.time > latest + AT_ONCE
    ]
    evidence = (event.issues[0].number, cancel.number)
    expected = f"Report Event Status {EventStatus.CANCELLED:02x} between {effective:.0f} s and {latest:.0f} s"
    late = effective if effective == cancel.arrived_at else effective + TOLERANCE
    if ran_on:
        observed = f"status {ran_on[0].command.event_status:02x} at {ran_on[0].time:.0f} s"
        yield failed(
            "a cancelled event went on", *evidence, ran_on[0].number, expected=expected, observed=observed, hint="cancel-ignored",
        )
    elif reports and reports[0].time <= max(late, latest) + AT_ONCE:
        yield passed("a cancelled event was reported so", *evidence, reports[0].number)
    elif reports:
        observed = f"{reports[0].time:.0f} s"
        yield failed(
            "a cancelled event was reported late", *evidence, reports[0].number, expected=expected, observed=observed,
            hint="cancelled-too-late",
        )
    elif _watched(trace, cancel, max(late, latest) + AT_ONCE):
        yield failed(
            "a cancelled event was not reported so", *evidence, expected=expected, observed="no such report",
            hint="cancel-ignored",
        )


def _refused(talk: Dialogue, cancel: Said, status: EventStatus) -> Iterator[Finding]:
    identity = cancel.command.issuer_event_id
    reports = [
        each for each in talk.by(Actor.HAN_DEVICE, drlc.ReportEventStatus)
        if each.command.issuer_event_id == identity and cancel.arrived_at < each.time <= cancel.arrived_at + ANSWER_TIME
    ]
    right = [each for each in reports if each.command.event_status == status]
    expected = f"Report Event Status {status:02x}"
    if right:
        yield passed("a cancel that is not possible was refused", cancel.number, right[0].number)
    elif reports or talk.watched(cancel, ANSWER_TIME):
        yield failed(
            "a cancel that is not possible was not refused", cancel.number, *(each.number for each in reports),
            expected=expected, observed=f"{reports[0].command.event_status:02x}" if reports else "no report",
            hint="cancel-of-nothing-taken" if reports else "cancel-ignored",
        )


def _public_key(trace: Trace, talk: Dialogue) -> CurvePoint | None:
    """The device's public key, from the certificate with which it established its key."""
    ca = bytes.fromhex(trace.header.pixit.get("ca", ""))
    sent = talk.by(Actor.HAN_DEVICE, key_establishment.InitiateKeyEstablishment)
    if not sent or not ca:
        return None
    try:
        return extract_public_key(sent[-1].command.certificate, ca)
    except (CertificateError, ValueError):
        return None


def _watched(trace: Trace, said: Said, until: float) -> bool:
    return attested(trace, Point.MAC, said.arrived_at, until, said.first.channel)


def _signature_cause(talk: Dialogue, report: Said) -> str:
    """What is behind a signature that does not verify, where a field shows that it was changed after it was signed."""
    if report.command.signature == drlc.NO_SIGNATURE:
        return "signature-only-claimed"
    if report in strays(talk):
        return "report-of-another-event"
    return "status-time-left-out" if report.command.event_status_time == 0 else "signature-of-something-else"


def _bad(report: Said, expected: str, observed: str, hint: str) -> Finding:
    return failed("a report is signed wrongly", report.number, expected=expected, observed=observed, hint=hint)
