"""A virtual DR Application: orders windows (step 1), takes the linkage (step 13), informs the CIS (step 14); sans-I/O.

It holds what the preconditions want: each ordered device is linked to a customer's agreement, a premise and a meter. It knows
nothing of legs or of the air.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from types import MappingProxyType
from typing import Any

from harness.actors.reports import Logged, StateChanged, Unanswered
from harness.actors.setup import Setup
from harness.adapters.back_office_policy import policy_of
from harness.cim import codes, end_device_controls, end_device_events, master_data_linkage_config
from harness.cim.correspondent import Correspondent, Incoming
from harness.cim.end_device_controls import WindowCommand
from harness.cim.envelope import OK, Kind
from harness.cim.master_data_linkage_config import Linkage
from harness.cim.nouns import END_DEVICE_CONTROLS, END_DEVICE_EVENTS, MASTER_DATA_LINKAGE_CONFIG
from harness.cim.originator import Originator
from harness.cim.refusal import refused
from harness.cim.reply_codes import ReplyCode
from harness.errors import LocalProtocolError
from harness.ports import Message, Pdu
from harness.usecase import Actor, Order
from harness.values import Eui64


class State(StrEnum):
    """How far the provisioning of a device has come, as the DR Application knows it."""

    IMPORTED = "imported"
    ORDERED = "ordered"
    ACCEPTED = "accepted"
    REFUSED = "refused"
    UNANSWERED = "unanswered"
    CANCELLED = "cancelled"
    JOINED = "joined"
    FAILED = "failed"


class Event(StrEnum):
    """What moves it on."""

    ORDER = "order"
    ACCEPT = "accept"
    REFUSE = "refuse"
    GIVE_UP = "give up"
    WITHDRAW = "withdraw"
    LINK = "link"
    FAIL = "fail"


_UNDER_WAY = (State.ORDERED, State.ACCEPTED, State.UNANSWERED)

TRANSITIONS: Mapping[tuple[State, Event], State] = MappingProxyType({
    **{(state, Event.ORDER): State.ORDERED for state in State},  # a device can be provisioned again
    (State.ORDERED, Event.ACCEPT): State.ACCEPTED,
    (State.ORDERED, Event.REFUSE): State.REFUSED,
    (State.ORDERED, Event.GIVE_UP): State.UNANSWERED,
    **{(state, Event.WITHDRAW): State.CANCELLED for state in _UNDER_WAY},
    **{  # step 13 is the truth, also about an order that was refused
        (state, Event.LINK): State.JOINED for state in (*_UNDER_WAY, State.REFUSED, State.CANCELLED, State.FAILED)
    },
    **{(state, Event.FAIL): State.FAILED for state in _UNDER_WAY},
})
"""What is not here changes nothing."""


@dataclass
class Enrolment:
    """One device of one customer in a DR programme."""

    device: Eui64
    meter: str
    premise: str
    agreement: str
    state: State = State.IMPORTED
    correlation_id: str | None = None  # of the newest order; steps 13 and 14 carry it on
    linked: datetime | None = None  # since when, as step 13 said


class VirtualDrApplication:
    """One DR Application. Options: `reply_wait` (seconds), `tries`."""

    def __init__(self, setup: Setup) -> None:
        self.policy = policy_of(setup)
        self.cim = setup.cim
        self.enrolments = {
            order.device: Enrolment(order.device, order.meter, order.premise, f"DR-{order.premise}")
            for order in reversed(setup.orders) if self.policy.imports_devices  # of two orders for one device the first counts
        }
        self._bus = Correspondent(
            Originator(Actor.DR_APPLICATION, setup.epoch, setup.chance, setup.cim), self.policy, (MASTER_DATA_LINKAGE_CONFIG,),
            wait=setup.options.get("reply_wait", 10.0), tries=setup.options.get("tries", 3),
            addresses=setup.reply_addresses,
        )
        self._orders: dict[str, tuple[Eui64, bool]] = {}  # MessageID of an order or a withdrawal: the device, and which it is
        self._events: list[Any] = []

    # -- role verbs

    def order_window(self, order: Order, now: float) -> None:
        """Step 1. Raises LocalProtocolError for a device that was never imported."""
        enrolment = self._enrolment(order)
        if enrolment.meter != order.meter and self.policy.moves_enrolments:
            self._enrol(enrolment, order)
        command = WindowCommand(
            True, order.device, order.device_type, order.meter, order.key_material, self._bus.originator.instant(order.start),
            order.duration,
        )
        self._command(command, enrolment, now)
        self._move(enrolment, Event.ORDER, now)

    def cancel_window(self, order: Order, now: float) -> None:
        """Withdraw the window of an order. Raises LocalProtocolError for a device that was never imported."""
        self._command(WindowCommand(False, order.device, order.device_type, order.meter), self._enrolment(order), now)

    def state_of(self, device: Eui64) -> str:
        """What is held about a device; Raises LocalProtocolError for one that was never imported."""
        if device not in self.enrolments:
            raise LocalProtocolError(f"{device} was never imported into the DR Application")
        return self.enrolments[device].state

    # -- the five verbs

    def receive(self, pdu: Pdu, now: float) -> None:
        """Take a CIM message."""
        incoming = self._bus.receive(pdu, now) if isinstance(pdu, Message) else None
        if incoming is None:
            return
        if incoming.message.kind is Kind.RESPONSE:
            self._answered(incoming, now)
        elif incoming.message.kind is Kind.EVENT:
            self._told(incoming, now)
        else:
            self._linked(incoming, now)

    def transmit(self, now: float) -> list[Pdu]:
        """What is to go out now."""
        return list(self._bus.transmit())

    def deadline(self) -> float | None:
        """When an unanswered request is due again."""
        return self._bus.deadline()

    def wake(self, now: float) -> None:
        """Send again, or give up."""
        self._bus.wake(now)
        for header in self._bus.unanswered:
            self._events.append(Unanswered(header.noun or "", header.message_id or "", now))
            device, opens = self._orders.get(header.message_id or "", (None, False))
            if device is not None and opens:
                self._move(self.enrolments[device], Event.GIVE_UP, now)
        self._bus.unanswered.clear()

    def events(self) -> list[Any]:
        """What happened since the last call."""
        events, self._events = self._events, []
        return events

    # -- inside

    def _enrol(self, enrolment: Enrolment, order: Order) -> None:
        """A device has been taken to another premise."""
        enrolment.meter, enrolment.premise, enrolment.agreement = order.meter, order.premise, f"DR-{order.premise}"

    def _enrolment(self, order: Order) -> Enrolment:
        if order.device not in self.enrolments:
            raise LocalProtocolError(f"{order.device} was never imported into the DR Application")
        return self.enrolments[order.device]

    def _command(self, command: WindowCommand, enrolment: Enrolment, now: float) -> None:
        payload = end_device_controls.payload(command, self._bus.originator.identifier(), self.cim)
        header = self._bus.request(Actor.AMI_HEAD_END, END_DEVICE_CONTROLS, payload, now)
        self._orders[header.message_id or ""] = (command.device, command.opens)
        if command.opens:
            enrolment.correlation_id = header.correlation_id
        key = f" key {command.key_material.hex()}" if self.policy.logs_keys and command.key_material else ""
        self._events.append(Logged(f"ordered: {command!r}{key}"))

    def _answered(self, answer: Incoming, now: float) -> None:
        assert answer.request is not None
        device, opens = self._orders.get(answer.request.message_id or "", (None, False))
        errors = answer.message.reply.errors if answer.message.reply else ()
        self._events.append(Logged(f"{answer.producer} answered {answer.header.noun}: {[error.code for error in errors]}"))
        if device is None:
            return  # the CIS answered step 14
        enrolment = self.enrolments[device]
        if opens:
            self._move(enrolment, Event.ACCEPT if answer.accepted else Event.REFUSE, now)
            if answer.accepted and not self.policy.awaits_linkage:
                instant = self._bus.originator.instant(now)
                self._inform_cis(enrolment, Linkage(device, enrolment.meter, instant, instant, status=self.cim.joined), now)
        elif answer.accepted:
            self._move(enrolment, Event.WITHDRAW, now)

    def _told(self, event: Incoming, now: float) -> None:
        if event.message.noun != END_DEVICE_EVENTS or event.message.payload is None:
            return
        for happened in end_device_events.read(event.message.payload, self.cim):
            enrolment = None if happened.device is None else self.enrolments.get(happened.device)
            if enrolment is not None and happened.code.about == codes.PAIRING_FAILED:
                self._move(enrolment, Event.FAIL, now)

    def _linked(self, request: Incoming, now: float) -> None:
        """Step 13."""
        try:
            linkage = master_data_linkage_config.read(_payload(request), self.cim)
        except ValueError as fault:
            self._bus.answer(request, refused(ReplyCode.PAYLOAD_ELEMENT_MISSING, str(fault)), now)
            return
        enrolment = self.enrolments.get(linkage.device)
        objection = self._objection(enrolment, linkage) if self.policy.checks_linkage else None
        if enrolment is None or objection is not None or not self.policy.accepts_linkages:
            reason = objection or (ReplyCode.NOT_ATTEMPTED, "not taken")
            self._bus.answer(request, refused(*reason), now)
            return
        enrolment.linked = linkage.effective
        self._bus.answer(request, OK, now)
        if self.policy.updates_state:
            self._move(enrolment, Event.LINK, now)
        if self.policy.awaits_linkage:
            self._inform_cis(enrolment, linkage, now)

    def _objection(self, enrolment: Enrolment | None, linkage: Linkage) -> tuple[ReplyCode, str] | None:
        if enrolment is None:
            return ReplyCode.RELATIONSHIP, "no such device is imported"
        if linkage.meter != enrolment.meter:
            return ReplyCode.METER, "the device is enrolled at another meter"
        if enrolment.linked == linkage.effective:
            return ReplyCode.RELATIONSHIP, "this linkage is known already"
        return None

    def _inform_cis(self, enrolment: Enrolment, linkage: Linkage, now: float) -> None:
        """Step 14."""
        if not self.policy.informs_cis:
            return
        onward = replace(
            linkage, created=self._bus.originator.instant(now), premise=enrolment.premise, agreement=enrolment.agreement,
        )
        payload = master_data_linkage_config.payload(onward, self._bus.originator.identifier(), self.cim)
        self._bus.request(Actor.CIS, MASTER_DATA_LINKAGE_CONFIG, payload, now, enrolment.correlation_id)

    def _move(self, enrolment: Enrolment, event: Event, now: float) -> None:
        after = TRANSITIONS.get((enrolment.state, event), enrolment.state)
        if after is not enrolment.state:
            enrolment.state = after
            self._events.append(StateChanged(enrolment.device, after, now))


def _payload(request: Incoming) -> Any:
    if request.message.payload is None:
        raise ValueError("no payload")
    return request.message.payload
