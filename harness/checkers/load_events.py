"""Reading load control events in a trace: what was issued to the device, when it is in force, what the device reported of it.

Gives no verdict. SE 1.0 (075356r15), annex D.3. Instants are seconds since the bench started.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime

from dissectors import zcl
from dissectors.clusters import drlc
from dissectors.clusters import time as time_cluster
from dissectors.clusters.drlc import CancelControl, Criticality, EventControl, EventStatus
from dissectors.layer import Record
from harness.checkers.dialogue import Dialogue, Said, dialogue
from harness.checkers.reading import demand, restarted
from harness.clock import smart_energy_time
from harness.trace import Trace, Unknown
from harness.usecase import Actor

SECONDS_A_MINUTE = 60
FEWEST_EVENTS = 2  # that a device holds in any case (PROFILE: what an ESI must hold, SE 1.0, annex D.3)
TOLERANCE = 60.0  # seconds: a device's clock may be off by a minute in 24 h (SE 1.0, 5.4.2)
EVERY_CLASS = int(sum(drlc.DeviceClass))
REJECTIONS = frozenset(status for status in EventStatus if status >= EventStatus.REJECTED_INVALID_CANCEL_COMMAND)


@dataclass(frozen=True, eq=False)
class Event:
    """One event: every time it was issued and arrived, when it is in force, what was reported with its identifier.

    `shift` is by how much the device may move the start, `extension` by how much the end beyond that, seconds. `concerns` says
    whether the device must take part; None where its class or group is not known well enough.
    """

    issues: tuple[Said, ...]
    start: float
    shift: float
    extension: float
    concerns: bool | None
    reports: tuple[Said, ...]

    @property
    def command(self) -> Record:
        """The event as it was first issued."""
        command: Record = self.issues[0].command
        return command

    @property
    def identifier(self) -> int:
        """Its issuer event id."""
        return int(self.command.issuer_event_id)

    @property
    def arrived_at(self) -> float:
        """When the device first had it."""
        return self.issues[0].arrived_at

    @property
    def end(self) -> float:
        """When it ends where nothing is shifted."""
        return self.start + float(self.command.duration_in_minutes * SECONDS_A_MINUTE)

    @property
    def last_met(self) -> float:
        """When it is over, or was last issued or spoken of after that."""
        return max(self.end + self.shift + self.extension, *(each.time for each in (*self.issues, *self.reports)))

    @property
    def legal(self) -> bool:
        """Whether it is one that a device may take: a day at most, a criticality that is not reserved, a start."""
        command = self.command
        lasts = command.duration_in_minutes <= drlc.MAXIMUM_DURATION
        return bool(lasts and command.criticality_level in tuple(Criticality) and command.start_time != drlc.NEVER)

    def reported(self, *statuses: EventStatus) -> list[Said]:
        """The reports of one of these statuses."""
        return [report for report in self.reports if report.command.event_status in statuses]

    def overlaps(self, other: Event) -> bool:
        """Whether both are in force at some time, for devices of one class."""
        return (
            self.start < other.end and other.start < self.end and bool(self.command.device_class & other.command.device_class)
        )


def events(trace: Trace) -> list[Event]:
    """The events that arrived at the device under the link key, by when each first did; none that it may have forgotten, because it
    lost power or was reset while it had it."""
    talk = dialogue(trace)
    own = client_attributes(talk)
    issued: dict[int, list[Said]] = {}
    for said in talk.to(Actor.HAN_DEVICE, drlc.LoadControlEvent):
        if said.by is Actor.ESI and said.key == "link":
            issued.setdefault(said.command.issuer_event_id, []).append(said)
    known = (_event(trace, talk, tuple(issues), own) for issues in issued.values())
    return [each for each in known if not restarted(trace, Actor.HAN_DEVICE, each.arrived_at, each.last_met)]


def is_crowded_out(trace: Trace, event: Event) -> bool:
    """Whether an event was rejected while the device had others: how many it can hold, and which it gives up, is open."""
    others = [
        each for each in events(trace)
        if each.identifier != event.identifier and each.reported(EventStatus.COMMAND_RECEIVED)
        and each.arrived_at < event.arrived_at < each.end + each.shift + each.extension
    ]
    return bool(event.reported(EventStatus.REJECTED)) and len(others) >= FEWEST_EVENTS


def strays(talk: Dialogue) -> list[Said]:
    """Reports of events that nobody issued or cancelled."""
    issued = (drlc.LoadControlEvent, drlc.CancelLoadControlEvent)
    known = {each.command.issuer_event_id for each in talk.said if each.is_a(*issued)}
    return [each for each in talk.by(Actor.HAN_DEVICE, drlc.ReportEventStatus) if each.command.issuer_event_id not in known]


def unreadable_reports(talk: Dialogue) -> list[Said]:
    """What has the header of a report, and is too short for one."""
    command = next(number for number, layer in drlc.CLUSTER.client_commands.items() if layer is drlc.ReportEventStatus)
    return [
        each for each in talk.by(Actor.HAN_DEVICE)
        if each.malformed and each.cluster == drlc.CLUSTER.identifier and each.header is not None
        and each.header.frame_type == zcl.FrameType.CLUSTER and each.header.command_identifier == command
    ]


def cancels(trace: Trace) -> Iterator[tuple[Said, int | None]]:
    """Each cancel that arrived at the device, with the event it names; None for all."""
    talk = dialogue(trace)
    for said in talk.to(Actor.HAN_DEVICE, drlc.CancelLoadControlEvent, drlc.CancelAllLoadControlEvents):
        if said.key == "link":
            yield said, said.command.issuer_event_id if said.is_a(drlc.CancelLoadControlEvent) else None


def client_attributes(talk: Dialogue) -> Mapping[int, int]:
    """What the device said of its own class, group and limits, the last word; the defaults of the rest."""
    known = {
        number: declared.default
        for number, declared in drlc.CLUSTER.client_attributes.items() if declared.default is not None
    }
    for said in talk.by(Actor.HAN_DEVICE, zcl.ReadAttributesResponse):
        if said.cluster == drlc.CLUSTER.identifier:
            known |= {each.attribute: each.value for each in said.command.records if each.status == zcl.Status.SUCCESS}
    return known


def instant(trace: Trace, utc: int) -> float:
    """When a UTCTime of the ESI is: by what it last told the device, else by the laboratory's clock."""
    for said in reversed(dialogue(trace).by(Actor.ESI, zcl.ReadAttributesResponse)):
        for record in said.command.records if said.cluster == time_cluster.CLUSTER.identifier else ():
            if record.attribute == time_cluster.TIME and record.value not in (None, time_cluster.INVALID_TIME):
                return said.time + float(utc - record.value)
    demand(trace, Unknown.CLOCK)
    return float(utc - smart_energy_time(datetime.fromisoformat(trace.header.epoch), 0.0))


def knows_time(talk: Dialogue, when: float) -> bool:
    """Whether the device had been told a time by then that is valid and that a server vouches for."""
    good = time_cluster.TimeStatus.MASTER | time_cluster.TimeStatus.SYNCHRONIZED
    for said in talk.to(Actor.HAN_DEVICE, zcl.ReadAttributesResponse):
        if said.arrived_at < when and said.cluster == time_cluster.CLUSTER.identifier and said.key == "link":
            told = {each.attribute: each.value for each in said.command.records if each.value is not None}
            valid = told.get(time_cluster.TIME, time_cluster.INVALID_TIME) != time_cluster.INVALID_TIME
            if valid and told.get(time_cluster.TIME_STATUS, 0) & good:
                return True
    return False


def cancel_delay(talk: Dialogue, cancel: Record) -> float:
    """By how much a running event's end may be put off where the cancel asks for chance, seconds."""
    if not cancel.cancel_control & CancelControl.TERMINATE_WITH_RANDOMIZATION:
        return 0.0
    own = client_attributes(talk)
    return float((own[drlc.STOP_RANDOMIZE_MINUTES] or own[drlc.START_RANDOMIZE_MINUTES]) * SECONDS_A_MINUTE)


def _event(trace: Trace, talk: Dialogue, issues: tuple[Said, ...], own: Mapping[int, int]) -> Event:
    command = issues[0].command
    control = command.event_control
    return Event(
        issues,
        issues[0].arrived_at if command.start_time == 0 else instant(trace, command.start_time),
        own[drlc.START_RANDOMIZE_MINUTES] * SECONDS_A_MINUTE if control & EventControl.RANDOMIZE_START else 0.0,
        own[drlc.STOP_RANDOMIZE_MINUTES] * SECONDS_A_MINUTE if control & EventControl.RANDOMIZE_END else 0.0,
        _concerns(command, own),
        tuple(
            each for each in talk.by(Actor.HAN_DEVICE, drlc.ReportEventStatus)
            if each.command.issuer_event_id == command.issuer_event_id and each.number > issues[0].number
        ),
    )


def _concerns(command: Record, own: Mapping[int, int]) -> bool | None:
    group = own[drlc.UTILITY_ENROLLMENT_GROUP]
    if command.utility_enrollment_group not in (drlc.EVERY_GROUP, group):
        return False if group != drlc.EVERY_GROUP else None  # what a device of no group in particular makes of one is open
    if drlc.DEVICE_CLASS_VALUE in own:
        return bool(command.device_class & own[drlc.DEVICE_CLASS_VALUE])
    return True if command.device_class & EVERY_CLASS == EVERY_CLASS else None
