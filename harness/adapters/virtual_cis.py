"""A virtual CIS: knows premises and meters, registers the meters, takes the linkage of step 14, hears events; sans-I/O."""

from __future__ import annotations

from typing import Any

from harness.actors.reports import StateChanged, Unanswered
from harness.actors.setup import Setup
from harness.adapters.back_office_policy import policy_of
from harness.cim import end_device_events, master_data_linkage_config, meter_config
from harness.cim.correspondent import Correspondent, Incoming
from harness.cim.end_device_events import DeviceEvent
from harness.cim.envelope import OK, Kind
from harness.cim.master_data_linkage_config import Linkage
from harness.cim.nouns import END_DEVICE_EVENTS, MASTER_DATA_LINKAGE_CONFIG, METER_CONFIG
from harness.cim.originator import Originator
from harness.cim.refusal import refused
from harness.cim.reply_codes import ReplyCode
from harness.ports import Message, Pdu
from harness.usecase import Actor
from harness.values import Eui64


class VirtualCis:
    """One CIS. Options: `registers` (whether it sends its meters' records to the head-end at t = 0), `reply_wait`, `tries`.
    """

    def __init__(self, setup: Setup) -> None:
        self.policy = policy_of(setup)
        self.cim = setup.cim
        self.meter_at = {order.premise: order.meter for order in setup.orders}
        self.linkages: list[Linkage] = []
        self.heard: list[DeviceEvent] = []
        self._bus = Correspondent(
            Originator(Actor.CIS, setup.epoch, setup.chance, setup.cim), self.policy, (MASTER_DATA_LINKAGE_CONFIG,),
            wait=setup.options.get("reply_wait", 10.0), tries=setup.options.get("tries", 3),
            addresses=setup.reply_addresses,
        )
        self._unregistered = dict.fromkeys(self.meter_at.values()) if setup.options.get("registers", True) else {}
        self._events: list[Any] = []

    # -- role verbs

    def register_meter(self, meter: str, now: float) -> None:
        """Send the meter's record to the head-end."""
        self._bus.request(Actor.AMI_HEAD_END, METER_CONFIG, meter_config.payload(meter, self.cim), now)

    def devices_at(self, premise: str) -> tuple[Eui64, ...]:
        """The HAN devices at a premise by their newest linkage, each once, in the order they were linked."""
        newest = {linkage.device: linkage.premise for linkage in self.linkages}
        linked = dict.fromkeys(linkage.device for linkage in self.linkages if linkage.premise == premise)
        return tuple(device for device in linked if newest[device] == premise or not self.policy.moves_devices)

    def enrolled_in(self, premise: str) -> tuple[str, ...]:
        """The programmes that the customer at a premise is enrolled in."""
        return self.policy.programmes if premise in self.meter_at else ()

    # -- the five verbs

    def receive(self, pdu: Pdu, now: float) -> None:
        """Take a CIM message."""
        incoming = self._bus.receive(pdu, now) if isinstance(pdu, Message) else None
        if incoming is None or incoming.message.payload is None:
            return
        if incoming.message.kind is Kind.REQUEST:
            self._linked(incoming, now)
        elif incoming.message.noun == END_DEVICE_EVENTS:
            self.heard += end_device_events.read(incoming.message.payload, self.cim)

    def transmit(self, now: float) -> list[Pdu]:
        """What is to go out now."""
        return list(self._bus.transmit())

    def deadline(self) -> float | None:
        """When meters are to be registered, or an unanswered request is due again."""
        return 0.0 if self._unregistered else self._bus.deadline()

    def wake(self, now: float) -> None:
        """Register the meters; send again, or give up."""
        for meter in self._unregistered:
            self.register_meter(meter, now)
        self._unregistered = {}
        self._bus.wake(now)
        self._events += [Unanswered(each.noun or "", each.message_id or "", now) for each in self._bus.unanswered]
        self._bus.unanswered.clear()

    def events(self) -> list[Any]:
        """What happened since the last call."""
        events, self._events = self._events, []
        return events

    # -- inside

    def _linked(self, request: Incoming, now: float) -> None:
        """Step 14."""
        assert request.message.payload is not None
        try:
            linkage = master_data_linkage_config.read(request.message.payload, self.cim)
        except ValueError as fault:
            self._bus.answer(request, refused(ReplyCode.PAYLOAD_ELEMENT_MISSING, str(fault)), now)
            return
        objection = self._objection(linkage) if self.policy.checks_linkage else None
        if objection is not None:
            self._bus.answer(request, refused(*objection), now)
            return
        if self.policy.keeps_linkage:
            self.linkages.append(linkage)
            self._events.append(StateChanged(linkage.device, linkage.status, now))
        self._bus.answer(request, OK, now)

    def _objection(self, linkage: Linkage) -> tuple[ReplyCode, str] | None:
        if linkage.premise not in self.meter_at:
            return ReplyCode.SERVICE_LOCATION, "no such premise"
        if linkage.meter != self.meter_at[linkage.premise]:
            return ReplyCode.METER_AND_LOCATION, "that meter is not at that premise"
        known = {(each.device, each.premise, each.effective) for each in self.linkages}
        if (linkage.device, linkage.premise, linkage.effective) in known:
            return ReplyCode.RELATIONSHIP, "this linkage is known already"
        return None
