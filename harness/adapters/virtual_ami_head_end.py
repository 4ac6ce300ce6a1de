"""A virtual AMI Head-End: judges and answers orders, forwards them (step 2), reports what became of them (step 13); sans-I/O.

A window is known by its meter and device. It waits here for its start (the head-end manages schedules), so that an order on the
legs always means *now*. What comes back as step 12 becomes a linkage (step 13) or a pairing-failed event, and events to CIS and
ODS.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from types import MappingProxyType
from typing import Any

from harness.actors.reports import Logged, StateChanged, Unanswered
from harness.actors.setup import Setup
from harness.adapters.back_office_policy import policy_of
from harness.backhaul.codec import TlvCodec
from harness.backhaul.message import LONGEST_WINDOW, LegKind, LegMessage, LegState, Obstacle
from harness.backhaul.wires import LEG
from harness.cim import codes, end_device_controls, end_device_events, master_data_linkage_config, meter_config
from harness.cim.codes import Code
from harness.cim.correspondent import Correspondent, Incoming
from harness.cim.end_device_controls import WindowCommand
from harness.cim.end_device_events import DeviceEvent
from harness.cim.envelope import OK, Kind, Reply
from harness.cim.master_data_linkage_config import Linkage
from harness.cim.nouns import END_DEVICE_CONTROLS, END_DEVICE_EVENTS, MASTER_DATA_LINKAGE_CONFIG, METER_CONFIG
from harness.cim.originator import Originator
from harness.cim.refusal import refused
from harness.cim.reply_codes import ReplyCode
from harness.crypto.install_code import InstallCode, InstallCodeError
from harness.errors import RemoteProtocolError
from harness.ports import Message, Pdu
from harness.usecase import Actor
from harness.values import DeviceType, Eui64

NO_REPORT = "no_report"  # why a window failed of which nobody reported anything


class State(StrEnum):
    """What has become of a window, as the head-end knows it."""

    SCHEDULED = "scheduled"
    FORWARDED = "forwarded"
    OPEN = "open"
    PROVISIONED = "provisioned"
    FAILED = "failed"
    CANCELLED = "cancelled"


class Event(StrEnum):
    """What moves it on."""

    START = "start"
    OPENED = "opened"
    PROVISION = "provision"
    FAIL = "fail"
    CANCEL = "cancel"


TRANSITIONS: Mapping[tuple[State, Event], State] = MappingProxyType({
    (State.SCHEDULED, Event.START): State.FORWARDED,
    (State.FORWARDED, Event.OPENED): State.OPEN,
    **{(state, Event.PROVISION): State.PROVISIONED for state in (State.FORWARDED, State.OPEN, State.FAILED, State.CANCELLED)},
    **{(state, Event.FAIL): State.FAILED for state in (State.FORWARDED, State.OPEN)},
    **{(state, Event.CANCEL): State.CANCELLED for state in (State.SCHEDULED, State.FORWARDED, State.OPEN)},
})
"""What is not here changes nothing: a repeated report, a failure after a withdrawal, a withdrawal that comes too late."""


@dataclass
class Window:
    """One window that was ordered and accepted; times are seconds since the bench started."""

    command: WindowCommand
    sequence: int
    correlation_id: str | None
    orderer: str
    start: float
    end: float
    state: State = State.SCHEDULED

    @property
    def leg_type(self) -> DeviceType:
        """The type that travels on the legs; a device of untold type is taken for a load control device."""
        return self.command.device_type or DeviceType.LOAD_CONTROL


class VirtualAmiHeadEnd:
    """One AMI Head-End.

    Options: `meters` (those it knows at first; by default the ordered ones), `key_form` (which alone it takes), `report_grace`
    (seconds after a window's end in which it waits for a report), `reply_wait` (seconds), `tries`.
    """

    def __init__(self, setup: Setup) -> None:
        self.policy = policy_of(setup)
        self.cim = setup.cim
        self.epoch = setup.epoch
        self.codec = setup.options.get("codec") or TlvCodec()
        self.key_form: str | None = setup.options.get("key_form")
        self.report_grace: float = setup.options.get("report_grace", 180.0)
        self.meters = set(setup.options.get("meters", [order.meter for order in setup.orders]))
        if not self.policy.registers_meters:
            self.meters.clear()
        self.windows: dict[tuple[str, Eui64], Window] = {}
        self._bus = Correspondent(
            Originator(Actor.AMI_HEAD_END, setup.epoch, setup.chance, setup.cim), self.policy,
            (END_DEVICE_CONTROLS, METER_CONFIG), wait=setup.options.get("reply_wait", 10.0), tries=setup.options.get("tries", 3),
            addresses=setup.reply_addresses,
        )
        self._sequence = 0
        self._met: set[bytes] = set()
        self._legs: list[Message] = []
        self._events: list[Any] = []

    # -- role verbs

    def knows_meter(self, meter: str) -> bool:
        """Whether a meter is registered here."""
        return meter in self.meters

    # -- the five verbs

    def receive(self, pdu: Pdu, now: float) -> None:
        """Take a CIM message or, from the AMI Network, a leg message."""
        if isinstance(pdu, Message) and pdu.wire == LEG:
            self._reported(pdu, now)
        elif isinstance(pdu, Message):
            incoming = self._bus.receive(pdu, now)
            if incoming is not None and incoming.message.kind is Kind.REQUEST:
                self._requested(incoming, now)

    def transmit(self, now: float) -> list[Pdu]:
        """What is to go out now: legs, then the CIM bus."""
        legs, self._legs = self._legs, []
        return [*legs, *self._bus.transmit()]

    def deadline(self) -> float | None:
        """When a window begins or is overdue, or an unanswered request is due again."""
        due = [instant for window in self.windows.values() if (instant := self._due(window)) is not None]
        replies = self._bus.deadline()
        return min([*due, *([] if replies is None else [replies])], default=None)

    def wake(self, now: float) -> None:
        """Begin what begins, give up what is overdue, ask again what was not answered."""
        for window in list(self.windows.values()):
            due = self._due(window)
            if due is not None and due <= now:
                if window.state is State.SCHEDULED:
                    self._forward(window, now)
                else:
                    self._failed(window, NO_REPORT, self._instant(now), now)
        self._bus.wake(now)
        self._events += [Unanswered(each.noun or "", each.message_id or "", now) for each in self._bus.unanswered]
        self._bus.unanswered.clear()

    def events(self) -> list[Any]:
        """What happened since the last call."""
        events, self._events = self._events, []
        return events

    # -- requests from the back office

    def _requested(self, request: Incoming, now: float) -> None:
        payload = request.message.payload
        if payload is None:
            reply = refused(ReplyCode.PAYLOAD_ELEMENT_MISSING, "no payload")
        elif request.message.noun == METER_CONFIG:
            self.meters.update(meter_config.read(payload, self.cim) if self.policy.registers_meters else ())
            reply = OK
        else:
            try:
                command = end_device_controls.read(payload, self.cim)
            except ValueError as fault:
                reply = refused(ReplyCode.LOCAL_CODE, str(fault))
            else:
                self._log(f"ordered by {request.producer}: {command!r}", command.key_material)
                reply = self._ordered(command, request, now) if command.opens else self._withdrawn(command, now)
        self._bus.answer(request, reply, now)
        self.wake(now)

    def _ordered(self, command: WindowCommand, request: Incoming, now: float) -> Reply:
        objection = self._objection(command)
        if objection is not None:
            return refused(*objection)
        start = self._seconds(command.start) if command.start and self.policy.waits_for_start else now
        end = (self._seconds(command.start) if command.start else now) + command.duration
        self._sequence += 1
        self.windows[command.meter, command.device] = Window(
            command, self._sequence, request.header.correlation_id, request.producer, max(start, now), end,
        )
        return OK

    def _objection(self, command: WindowCommand) -> tuple[ReplyCode, str] | None:
        if command.duration > LONGEST_WINDOW:
            return ReplyCode.LOCAL_WINDOW, f"no leg can carry a window of {command.duration:g} s"
        if self.policy.checks_meter and command.meter not in self.meters:
            return ReplyCode.METER, f"no meter {command.meter} is registered"
        if not self.policy.checks_install_code:
            return None
        if self.key_form is not None and command.key_form != self.key_form:
            return ReplyCode.LOCAL_KEY, f"an {self.key_form} is wanted, not an {command.key_form}"
        if command.key_form == "install_code":
            try:
                InstallCode.parse(command.key_material)
            except InstallCodeError as fault:  # its text may show a CRC, which belongs to the secret
                return ReplyCode.LOCAL_KEY, f"the install code is refused: {fault.flaw}"
        return None

    def _withdrawn(self, command: WindowCommand, now: float) -> Reply:
        window = self.windows.get((command.meter, command.device))
        if window is None or window.end <= now:
            return refused(ReplyCode.NOT_ATTEMPTED, "no window of that device is ordered at that meter")
        if self.policy.obeys_cancel:
            if window.state is not State.SCHEDULED:
                self._send(LegMessage(LegKind.CANCEL_WINDOW, window.sequence, command.meter, command.device, window.leg_type))
            self._move(window, Event.CANCEL, now)
        return OK

    # -- the legs

    def _forward(self, window: Window, now: float) -> None:
        """Step 2."""
        instant, command = self._instant(now), window.command
        self._move(window, Event.START, now)
        if window.end <= now and self.policy.drops_expired:
            self._undeliverable(window, Obstacle.EXPIRED, instant, now)
            return
        left = window.end - now if self.policy.subtracts_latency else command.duration
        self._send(LegMessage(
            LegKind.OPEN_WINDOW, window.sequence, command.meter, command.device, window.leg_type, command.key_form,
            command.key_material, self._instant(window.end), left,
        ))
        if not self.policy.awaits_registration:
            self._link(window, instant, now)

    def _reported(self, pdu: Message, now: float) -> None:
        """Step 12."""
        try:
            report = self.codec.decode(pdu.octets)
        except RemoteProtocolError as fault:
            self._log(f"refused from {pdu.producer}: {fault}")
            return
        self._log(f"received from {pdu.producer}: {report!r}")
        repeated = pdu.octets in self._met
        self._met.add(pdu.octets)
        window = None if report.meter is None or report.device is None else self.windows.get((report.meter, report.device))
        if window is None or (repeated and self.policy.drops_duplicates):
            return
        at = report.at or self._instant(now)
        if report.kind is LegKind.UNDELIVERABLE:
            self._undeliverable(window, report.reason or report.kind, at, now)
        elif report.state is LegState.OPENED:
            self._move(window, Event.OPENED, now)
            self._publish(window, codes.WINDOW_OPENED, at, now)
        elif report.state is LegState.CLOSED:
            self._publish(window, codes.WINDOW_CLOSED, at, now, report.reason or "")
        elif report.state is LegState.FAILED and self.policy.tells_failure_apart:
            self._failed(window, report.reason or "", at, now)
        elif report.state is not None:
            self._provisioned(window, at, now)

    def _send(self, leg: LegMessage) -> None:
        for each in self.policy.rewritten(leg):
            self._log(f"sent to {Actor.AMI_NETWORK}: {each!r}", each.key_material)
            self._legs.append(Message(LEG, Actor.AMI_HEAD_END, Actor.AMI_NETWORK, self.codec.encode(each)))

    # -- what the back office is told

    def _provisioned(self, window: Window, at: datetime, now: float) -> None:
        if not self._move(window, Event.PROVISION, now) and self.policy.links_once:
            return
        self._link(window, at, now)
        self._publish(window, codes.device_code(window.command.device_type, codes.PAIRED, self.cim), at, now)

    def _link(self, window: Window, effective: datetime, now: float) -> None:
        """Step 13."""
        linkage = Linkage(window.command.device, window.command.meter, self._instant(now), effective, status=self.cim.joined)
        payload = master_data_linkage_config.payload(linkage, self._bus.originator.identifier(), self.cim)
        self._bus.request(window.orderer, MASTER_DATA_LINKAGE_CONFIG, payload, now, window.correlation_id)

    def _undeliverable(self, window: Window, reason: str, at: datetime, now: float) -> None:
        if self.policy.reports_undeliverable:
            self._failed(window, reason, at, now)

    def _failed(self, window: Window, reason: str, at: datetime, now: float) -> None:
        """In place of step 13."""
        if self._move(window, Event.FAIL, now):
            code = codes.device_code(window.command.device_type, codes.PAIRING_FAILED, self.cim)
            self._publish(window, code, at, now, reason, to=(window.orderer,))

    def _publish(
        self, window: Window, code: Code, at: datetime, now: float, reason: str = "", to: tuple[str, ...] = (),
    ) -> None:
        listeners = [
            *to, *([Actor.CIS] if self.policy.publishes_to_cis else []), *([Actor.ODS] if self.policy.informs_ods else []),
        ]
        event = DeviceEvent(code, window.command.device, window.command.meter, at, reason)
        payload = end_device_events.payload(event, self._bus.originator.identifier(), self.cim)
        self._bus.announce(listeners, END_DEVICE_EVENTS, payload, now, window.correlation_id)

    # -- inside

    def _due(self, window: Window) -> float | None:
        if window.state is State.SCHEDULED:
            return window.start
        return window.end + self.report_grace if window.state in (State.FORWARDED, State.OPEN) else None

    def _move(self, window: Window, event: Event, now: float) -> bool:
        """Whether the event changed anything."""
        after = TRANSITIONS.get((window.state, event))
        if after is None:
            return False
        window.state = after
        self._events.append(StateChanged(window.command.device, after, now))
        return True

    def _log(self, text: str, key: bytes | None = None) -> None:
        self._events.append(Logged(f"{text} key {key.hex()}" if key and self.policy.logs_keys else text))

    def _instant(self, now: float) -> datetime:
        return self._bus.originator.instant(now)

    def _seconds(self, instant: datetime) -> float:
        return (instant - self.epoch) / timedelta(seconds=1)
