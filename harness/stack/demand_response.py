"""The client of Demand Response and Load Control: takes events, lives through them, reports. Knows no load.

SE 1.0 (075356), annex D.3. Reports are signed with the device's private key, as SE 1.0 asks and 1.1 no longer does.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from dissectors.clusters import drlc
from dissectors.clusters.drlc import CancelControl, Criticality, EventControl, EventStatus, SignatureType
from dissectors.layer import Record, encode
from dissectors.zcl import Status
from harness.crypto import ecdsa
from harness.crypto.ecqv import Credentials
from harness.ports import Chance
from harness.stack.application import Application
from harness.stack.demand_response_events import Scheduled, State, Step
from harness.stack.endpoint import Answer, ClusterSide, Heard, Held, Serve
from harness.stack.network_time import NetworkTime
from harness.stack.programme import SECONDS_A_MINUTE

MANDATORY = (Criticality.EMERGENCY, Criticality.PLANNED_OUTAGE, Criticality.SERVICE_DISCONNECT)
EARLIEST = 1  # UTCTime of a status report while no time is known: 0 would be invalid
SUPERSEDED_BEFORE = 1.0  # seconds before the new event's start that a running one ends, annex D.3

Report = Callable[[Record, Heard], None]
"""Is told of an event that was taken."""


@dataclass
class Enrolment:
    """The client attributes: which events concern the device, and how far it may shift them (minutes)."""

    device_class: int
    group: int = drlc.EVERY_GROUP
    start_randomize: int = 0x1E
    stop_randomize: int = 0


class DemandResponse:
    """Load control events at one device; the ESI's events are told apart by their issuer event id."""

    def __init__(
        self, application: Application, time: NetworkTime, enrolment: Enrolment, credentials: Credentials, chance: Chance,
        taken: Report,
    ) -> None:
        self.enrolment = enrolment
        self.events: dict[int, Scheduled] = {}
        self._application = application
        self._policy = application.policy
        self._agenda = application.agenda
        self._time = time
        self._credentials = credentials
        self._chance = chance
        self._taken = taken
        self._esi: Heard | None = None  # the last command of the ESI: where reports go

    def side(self) -> ClusterSide:
        """The client side of the cluster."""
        commands: dict[Any, Serve] = {
            drlc.LoadControlEvent: self._event,
            drlc.CancelLoadControlEvent: self._cancel,
            drlc.CancelAllLoadControlEvents: self._cancel_all,
        }
        return ClusterSide(
            drlc.CLUSTER, False,
            {
                drlc.UTILITY_ENROLLMENT_GROUP: self._attribute("group", 0xFF),
                drlc.START_RANDOMIZE_MINUTES: self._attribute("start_randomize", drlc.MAXIMUM_RANDOMIZE_MINUTES),
                drlc.STOP_RANDOMIZE_MINUTES: self._attribute("stop_randomize", drlc.MAXIMUM_RANDOMIZE_MINUTES),
                drlc.DEVICE_CLASS_VALUE: Held(
                    lambda now: self.enrolment.device_class, lambda value, now: Status.NOT_AUTHORIZED
                ),
            },
            commands,
        )

    def forget(self) -> None:
        """Drop all events, as a factory reset does."""
        for event in self.events:
            self._agenda.cancel(("event", event))
        self.events.clear()
        self._esi = None

    def opt(self, event: int, out: bool, now: float) -> None:
        """The user declines an event, or takes it up again; a mandatory event cannot be declined."""
        scheduled = self.events[event]
        if out and scheduled.command.criticality_level in MANDATORY:
            return
        status = scheduled.step(Step.OPT_OUT if out else Step.OPT_IN)
        if out and scheduled.state is State.SCHEDULED_OUT and not self._policy.delays_opt_out:
            status = EventStatus.OPT_OUT
        self._report(scheduled.command, status, now)

    def decline(self, now: float) -> None:
        """The user declines whatever event is on, or to come."""
        for identity in [each for each, scheduled in self.events.items() if scheduled.alive]:
            self.opt(identity, True, now)

    # -- commands

    def _event(self, heard: Heard) -> Answer:
        self._esi, command, now = heard, heard.command, heard.now
        if not self._concerns(command):
            return Status.FAILURE if self._policy.refuses_events_for_others else Status.SUCCESS
        if command.issuer_event_id in self.events and self._policy.ignores_duplicate_event:
            return Status.SUCCESS
        refusal = self._refusal(command, now)
        if refusal is not None:
            self._report(command, refusal, now, applied=False)
            return Status.SUCCESS
        start, end = self._span(command, now)
        self._supersede(command, start, end, now)
        scheduled = Scheduled(command, *self._randomised(command, start, end))
        self.events[command.issuer_event_id] = scheduled
        self._taken(command, heard)
        self._report(command, EventStatus.COMMAND_RECEIVED, now)
        self._set(scheduled, Step.START, max(scheduled.start, now))
        return Status.SUCCESS

    def _cancel(self, heard: Heard) -> Answer:
        self._esi, command, now = heard, heard.command, heard.now
        scheduled = self.events.get(command.issuer_event_id)
        if not self._concerns(command) or not self._policy.honours_event_cancel:
            return Status.SUCCESS
        if scheduled is None or not scheduled.alive:
            self._report(command, EventStatus.REJECTED_UNDEFINED_EVENT, now, applied=False)
            return Status.SUCCESS
        effective = now if command.effective_time == 0 else self._time.instant(command.effective_time)
        if command.effective_time == drlc.NEVER or effective is None or effective > scheduled.end:
            self._report(scheduled.command, EventStatus.REJECTED_INVALID_CANCEL_TIME, now, applied=False)
            return Status.SUCCESS
        self._end(scheduled, command.cancel_control, max(effective, now), now)
        return Status.SUCCESS

    def _cancel_all(self, heard: Heard) -> Answer:
        self._esi = heard
        for scheduled in self.events.values():
            if scheduled.alive and self._policy.honours_event_cancel:
                self._end(scheduled, heard.command.cancel_control, heard.now, heard.now)
        return Status.SUCCESS

    # -- what a command means for us

    def _concerns(self, command: Record) -> bool:
        group = command.utility_enrollment_group in (drlc.EVERY_GROUP, self.enrolment.group)
        ours = bool(command.device_class & self.enrolment.device_class)
        return (group or not self._policy.honours_enrollment_group) and (ours or not self._policy.honours_device_class)

    def _refusal(self, command: Record, now: float) -> EventStatus | None:
        limits = (
            command.duration_in_minutes <= drlc.MAXIMUM_DURATION
            and min(Criticality) <= command.criticality_level <= max(Criticality)
        )
        if not limits and self._policy.checks_event_limits:
            return EventStatus.REJECTED
        room = self._policy.event_table
        if room is not None and sum(each.alive for each in self.events.values()) >= room:
            return EventStatus.REJECTED
        if command.start_time == drlc.NEVER or (command.start_time and self._time.utc(now) is None):
            return EventStatus.REJECTED
        return EventStatus.REJECTED_EXPIRED if self._span(command, now)[1] <= now else None

    def _span(self, command: Record, now: float) -> tuple[float, float]:
        start = now if command.start_time == 0 else self._time.instant(command.start_time)
        assert start is not None
        return start, start + command.duration_in_minutes * SECONDS_A_MINUTE

    def _randomised(self, command: Record, start: float, end: float) -> tuple[float, float]:
        """A shifted start shifts the end with it; the end may be shifted further (annex D.3)."""
        if self._policy.honours_randomisation and command.event_control & EventControl.RANDOMIZE_START:
            longest, share = self.enrolment.start_randomize * SECONDS_A_MINUTE, self._policy.randomised_share
            shift = self._chance.uniform(0, longest) if share is None else share * longest
            start, end = start + shift, end + shift
        if self._policy.honours_randomisation and command.event_control & EventControl.RANDOMIZE_END:
            end += self._chance.uniform(0, self.enrolment.stop_randomize * SECONDS_A_MINUTE)
        return start, end

    def _supersede(self, command: Record, start: float, end: float, now: float) -> None:
        for older in self.events.values():
            same = older.command.device_class & command.device_class & self.enrolment.device_class
            if not (older.alive and same and older.overlaps(start, end) and self._policy.honours_superseding):
                continue
            started = older.state not in (State.SCHEDULED, State.SCHEDULED_OUT)
            if started and start - SUPERSEDED_BEFORE > now and self._policy.runs_until_superseded:
                older.end = start - SUPERSEDED_BEFORE
                self._set(older, Step.SUPERSEDE, older.end)
            else:
                self._step(older, Step.SUPERSEDE, now)

    # -- the life of an event

    def _set(self, scheduled: Scheduled, step: Step, instant: float) -> None:
        name = ("event", scheduled.command.issuer_event_id)
        self._agenda.set(name, instant, lambda now: self._step(scheduled, step, now))

    def _step(self, scheduled: Scheduled, step: Step, now: float) -> None:
        self._agenda.cancel(("event", scheduled.command.issuer_event_id))
        self._report(scheduled.command, scheduled.step(step), now)
        if step is Step.START:
            self._set(scheduled, Step.END, scheduled.end)

    def _end(self, scheduled: Scheduled, control: int, effective: float, now: float) -> None:
        """Cancel: at once, at the time given, or, while it runs, after a randomised delay where that is asked for."""
        started = scheduled.state not in (State.SCHEDULED, State.SCHEDULED_OUT)
        if started and control & CancelControl.TERMINATE_WITH_RANDOMIZATION and self._policy.honours_randomisation:
            minutes = self.enrolment.stop_randomize or self.enrolment.start_randomize
            effective += self._chance.uniform(0, minutes * SECONDS_A_MINUTE)
        if effective <= now:
            self._step(scheduled, Step.CANCEL, now)
        else:
            name = ("cancel", scheduled.command.issuer_event_id)
            self._agenda.set(name, effective, lambda now: self._step(scheduled, Step.CANCEL, now))

    # -- reports

    def _report(self, command: Record, status: EventStatus | None, now: float, applied: bool = True) -> None:
        if status is None or self._esi is None:
            return
        told = applied and self._policy.reports_applied_values
        values = {
            "cooling_temperature_set_point_applied": command.cooling_temperature_set_point,
            "heating_temperature_set_point_applied": command.heating_temperature_set_point,
            "average_load_adjustment_applied": command.average_load_adjustment,
            "duty_cycle_applied": command.duty_cycle,
        } if told else {}
        fields = {
            "criticality_level_applied": command.criticality_level, "event_control": command.event_control, **values,
        } if applied else {}
        report = drlc.ReportEventStatus.of(
            issuer_event_id=command.issuer_event_id, event_status=status,
            event_status_time=self._time.utc(now) or EARLIEST, **fields,
        )
        self._application.send_zcl(self._esi.back(), self._signed(report), now)

    def _signed(self, report: Record) -> Record:
        if not self._policy.signs_event_status:
            return report.replace(signature_type=SignatureType.NONE, signature=drlc.NO_SIGNATURE)
        signed = encode(report.replace(signature_type=SignatureType.ECDSA))[: -drlc.SIGNATURE_SIZE]
        return report.replace(
            signature_type=SignatureType.ECDSA,
            signature=ecdsa.sign(self._credentials.private_key, signed, self._chance),
        )

    def _attribute(self, name: str, largest: int) -> Held:
        def write(value: Any, now: float) -> Status:
            if not 0 <= value <= largest:
                return Status.INVALID_VALUE
            setattr(self.enrolment, name, value)
            return Status.SUCCESS

        return Held(lambda now: getattr(self.enrolment, name), write)


