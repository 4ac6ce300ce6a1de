"""The MAC of one node: frames to and from the radio, beacons, indirect transmission, polls. Knows no NWK frame and no key.

Clauses: IEEE 802.15.4-2006; ZigBee's choices are 05-3474 annex D. What came in is collected in `up` for the layer above; what
became of a frame is told to the function given with it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from itertools import count

from dissectors import mac as wire
from dissectors.frame import encode_mpdu
from dissectors.layer import Malformed, Record, encode, parse, parse_whole
from harness.ports import Chance, Pdu, RadioSettings, Received, Transmit, Transmitted
from harness.stack.agenda import Agenda
from harness.stack.indirect import DeviceAddress, IndirectQueue, Payload, Sent, Waiting
from harness.stack.mac_frames import (
    FCS_LENGTH,
    IDENTIFIERS,
    SEQUENCE_NUMBERS,
    AssociationAnswered,
    AssociationAsked,
    MacData,
    MacIndication,
    OrphanHeard,
    PollOver,
    addressed,
)
from harness.stack.policy import Policy
from harness.stack.polling import PollEvent, Polling
from harness.stack.primitives import NetworkFound
from harness.values import Eui64

RETRIES = 3  # macMaxFrameRetries, 7.4.2
BEACON_JITTER = 0.02  # seconds at most before a beacon, so that the beacons of several coordinators are spread
NEWEST_VERSION = 1  # frame version of 802.15.4-2006, 7.2.1.1.7


class Mac:
    """The MAC sublayer of one node."""

    def __init__(self, *, ieee: Eui64, chance: Chance, policy: Policy, agenda: Agenda, sleepy: bool) -> None:
        self.ieee = ieee
        self.up: list[MacIndication] = []
        self.out: list[Pdu] = []
        self.beacon: Record | None = None  # what a coordinator answers a beacon request with
        self.permit = False
        self.polling = Polling(agenda, self._ask, self._poll_over)
        self._chance, self._policy, self._agenda = chance, policy, agenda
        self._sleepy = sleepy
        self._awake: set[str] = set()  # why the receiver is on although the node sleeps
        self._sequence = chance.randrange(0, SEQUENCE_NUMBERS)
        self._handles = count(1)
        self._underway: dict[int, Callable[[Transmitted, float], None]] = {}
        self._queue = IndirectQueue()
        self._parent: tuple[int, int] | None = None  # PAN and short address to poll
        self._station = RadioSettings(extended_address=ieee, receiver_on=not sleepy)
        self._told: RadioSettings | None = None

    # -- the radio

    @property
    def settings(self) -> RadioSettings:
        """What the radio is to be set to."""
        return replace(
            self._station, receiver_on=not self._sleepy or bool(self._awake), pending_for=self._queue.devices()
        )

    def settle(self, *, channel: int, pan_id: int, short_address: int, parent: int | None) -> None:
        """Tune in: these addresses, this channel, and whom to poll (None for a coordinator)."""
        self._station = replace(self._station, channel=channel, pan_id=pan_id, short_address=short_address)
        self._parent = None if parent is None else (pan_id, parent)
        self.publish()

    def unsettle(self, now: float) -> None:
        """Off the network: no addresses, nobody to poll; what waits for children is lost."""
        for device in self._queue.devices():
            self.forget(device, now)
        self.settle(channel=self._station.channel, pan_id=wire.BROADCAST, short_address=wire.BROADCAST, parent=None)

    def stay_awake(self, reason: str, on: bool) -> None:
        """Keep a sleepy node's receiver on for a reason, or no longer."""
        (self._awake.add if on else self._awake.discard)(reason)
        self.publish()

    def publish(self) -> None:
        """Tell the radio when its settings are to change."""
        if self.settings != self._told:
            self._told = self.settings
            self.out.append(self._told)

    def receive(self, pdu: Received, now: float) -> None:
        """A frame from the radio; what cannot be read is dropped, as a radio does with what it cannot hear."""
        try:
            header, payload = parse(wire.Mac, pdu.psdu[:-FCS_LENGTH])
            if header.security_enabled or header.frame_version > NEWEST_VERSION:
                return
            if header.frame_type == wire.FrameType.BEACON:
                self._beacon_heard(header, parse_whole(wire.Beacon, payload), pdu)
            elif header.frame_type == wire.FrameType.COMMAND and payload:
                layer = wire.COMMANDS.get(payload[0])
                if layer is not None:
                    self._command(header, parse_whole(layer, payload[1:]), now)
            elif header.frame_type == wire.FrameType.DATA and header.source_short is not None:
                if payload:
                    self.up.append(MacData(payload, header.source_short))
                self._fetched(header, now)
        except Malformed:
            return

    def transmitted(self, pdu: Transmitted, now: float) -> None:
        """What became of a frame given to the radio."""
        then = self._underway.pop(pdu.handle, None)
        if then is not None:
            then(pdu, now)

    # -- sending

    def send(self, payload: bytes, dest: int, then: Sent, now: float) -> None:
        """A data frame to a neighbour, with acknowledgement and retries."""
        self._transmit(self._data_header(dest, ack=True), payload, lambda sent, at: then(sent.status == "ok", at), now)

    def send_indirect(self, payload: Payload, dest: int, then: Sent, now: float) -> None:
        """A data frame that waits until its sleepy neighbour polls; its payload is made then, None counts as sent."""
        self._let_wait(dest, self._data_header(dest, ack=True), payload, then, now)

    def broadcast(self, payload: bytes, then: Sent, now: float) -> None:
        """A data frame to everybody in the PAN."""
        header = self._data_header(wire.BROADCAST, ack=False)
        self._transmit(header, payload, lambda sent, at: then(sent.status == "ok", at), now)

    def request_beacons(self, now: float) -> None:
        """Ask for beacons on the channel we are tuned to (7.3.7)."""
        header = addressed(wire.FrameType.COMMAND, (wire.BROADCAST, wire.BROADCAST), None, False)
        self._send_command(header, wire.BeaconRequest.of(), lambda sent, at: None, now)

    def request_association(self, coordinator: int, capability: int, then: Sent, now: float) -> None:
        """7.3.1; the source PAN is ffff, since we belong to none yet (05-3474 annex D.3)."""
        header = addressed(
            wire.FrameType.COMMAND, (self._station.pan_id, coordinator), (wire.BROADCAST, self.ieee), True
        )
        request = wire.AssociationRequest.of(capability=capability)
        self._send_command(header, request, lambda sent, at: then(sent.status == "ok", at), now)

    def answer_association(self, device: Eui64, short: int, status: int, then: Sent, now: float) -> None:
        """7.3.2: waits until the device polls with its EUI-64. What waited for the device before is of no use any more."""
        self.forget(device, now)
        header = addressed(wire.FrameType.COMMAND, (self._station.pan_id, device), (self._station.pan_id, self.ieee), True)
        response = self._policy.rewritten(wire.AssociationResponse.of(short_address=short, status=status))
        if response is None:
            return
        body = bytes([IDENTIFIERS[response.layer]]) + encode(response)
        self._let_wait(device, header.joined(command=response), lambda: body, then, now)

    def realign(self, device: Eui64, short: int, now: float) -> None:
        """7.3.8: tell an orphan that it is still our child."""
        header = addressed(wire.FrameType.COMMAND, (wire.BROADCAST, device), (self._station.pan_id, self.ieee), True)
        command = wire.CoordinatorRealignment.of(
            pan_id=self._station.pan_id, coordinator_short=self._station.short_address, channel=self._station.channel,
            short_address=short,
        )
        self._send_command(header, command, lambda sent, at: None, now)

    def forget(self, device: DeviceAddress, now: float) -> None:
        """Drop what waits for a device."""
        for frame in self._queue.take_for(device):
            frame.then(False, now)
        self.publish()
        self._watch_queue()

    def _data_header(self, dest: int, ack: bool) -> Record:
        pan = self._station.pan_id
        return addressed(wire.FrameType.DATA, (pan, dest), (pan, self._station.short_address), ack)

    def _send_command(
        self, header: Record, command: Record, then: Callable[[Transmitted, float], None], now: float,
    ) -> None:
        outgoing = self._policy.rewritten(command)
        if outgoing is None:
            then(Transmitted(0, "ok"), now)
        else:
            body = bytes([IDENTIFIERS[outgoing.layer]]) + encode(outgoing)
            self._transmit(header.joined(command=outgoing), body, then, now)

    def _transmit(
        self, header: Record, payload: bytes, then: Callable[[Transmitted, float], None], now: float,
        retries: int = RETRIES, sequence: int | None = None,
    ) -> None:
        """To the radio; a frame that the policy suppresses, or that no radio could send, ends here."""
        if sequence is None:
            sequence = self._next_sequence()
        outgoing = self._policy.rewritten(header.replace(sequence=sequence))
        psdu = b"" if outgoing is None else encode_mpdu(outgoing, payload)
        if outgoing is None or len(psdu) > wire.MAX_PSDU:
            then(Transmitted(0, "ok" if outgoing is None else "too_long"), now)
            return
        handle = next(self._handles)
        self._underway[handle] = then
        self.publish()
        self.out.append(Transmit(psdu, handle, retries=retries))

    def _next_sequence(self) -> int:
        sequence, self._sequence = self._sequence, (self._sequence + 1) % SEQUENCE_NUMBERS
        return sequence

    # -- a parent's part

    def _let_wait(self, device: DeviceAddress, header: Record, payload: Payload, then: Sent, now: float) -> None:
        expires = now + self._policy.indirect_persistence
        numbered = header.replace(sequence=self._next_sequence())  # the number it keeps until it is delivered
        self._queue.add(Waiting(device, numbered, payload, then, expires))
        self.publish()
        self._watch_queue()

    def _watch_queue(self) -> None:
        deadline = self._queue.deadline()
        if deadline is None:
            self._agenda.cancel("indirect")
        else:
            self._agenda.set("indirect", deadline, self._expire)

    def _expire(self, now: float) -> None:
        for frame in self._queue.expired(now):
            frame.then(False, now)
        self.publish()
        self._watch_queue()

    def _polled(self, device: DeviceAddress, now: float) -> None:
        frame = self._queue.first_for(device)
        if frame is None or frame.in_flight:
            return
        frame.in_flight = True

        def sent(outcome: Transmitted, at: float) -> None:
            frame.in_flight = False
            if outcome.status == "ok":
                self._queue.remove(frame)
                frame.then(True, at)
            self._expire(at)

        payload = frame.payload()
        if payload is None:
            sent(Transmitted(0, "ok"), now)
            return
        header = frame.header.replace(frame_pending=int(self._queue.count_for(device) > 1))
        self._transmit(header, payload, sent, now, retries=0, sequence=header.sequence)

    def _source(self) -> tuple[int, int]:
        return self._station.pan_id, self._station.short_address

    def _command(self, header: Record, command: Record, now: float) -> None:
        device = Eui64(header.source_ieee) if header.source_ieee is not None else None
        if command.is_a(wire.DataRequest):
            sender = header.source_short if device is None else device
            if sender is not None:
                self._polled(sender, now)
        elif command.is_a(wire.BeaconRequest):
            if self.beacon is not None and self._policy.answers_beacon_requests:
                self._agenda.set("beacon", now + self._chance.uniform(0, BEACON_JITTER), self._send_beacon)
        elif command.is_a(wire.AssociationRequest) and device is not None:
            self.up.append(AssociationAsked(device, command.capability))
        elif command.is_a(wire.OrphanNotification) and device is not None:
            self.up.append(OrphanHeard(device))
        elif command.is_a(wire.AssociationResponse) and device is not None:
            self.up.append(AssociationAnswered(command.short_address, command.status, device))
            self._fetched(header, now)

    def _send_beacon(self, now: float) -> None:
        if self.beacon is None:
            return
        outgoing = self._policy.rewritten(self.beacon.replace(association_permit=int(self.permit)))
        if outgoing is not None:
            header = addressed(wire.FrameType.BEACON, None, self._source(), False)
            self._transmit(header.joined(beacon=outgoing), encode(outgoing), lambda sent, at: None, now)

    # -- a child's part

    def _ask(self, now: float) -> None:
        """One data request: with the short address once there is one, else with the EUI-64 and source PAN ffff (annex D.3)."""
        if self._parent is None:
            self.polling.happened(PollEvent.NOTHING, now)
            return
        self.stay_awake("poll", True)
        joined = self._station.short_address < wire.NO_SHORT_ADDRESS
        source = self._source() if joined else (wire.BROADCAST, self.ieee)
        header = addressed(wire.FrameType.COMMAND, self._parent, source, True)

        def sent(outcome: Transmitted, at: float) -> None:
            if outcome.status != "ok":
                self.polling.happened(PollEvent.UNACKNOWLEDGED, at)
            else:
                self.polling.happened(PollEvent.PENDING if outcome.frame_pending else PollEvent.NOTHING, at)

        self._send_command(header, wire.DataRequest.of(), sent, now)

    def _fetched(self, header: Record, now: float) -> None:
        if header.ack_request:
            self.polling.happened(PollEvent.MORE if header.frame_pending else PollEvent.FRAME, now)

    def _poll_over(self, event: PollEvent, now: float) -> None:
        self.stay_awake("poll", False)
        self.up.append(PollOver(event))

    def _beacon_heard(self, header: Record, beacon: Record, pdu: Received) -> None:
        if header.source_short is None:
            return
        self.up.append(NetworkFound(
            channel=pdu.channel, pan_id=header.source_pan, extended_pan_id=Eui64(beacon.extended_pan_id),
            coordinator=header.source_short, association_permit=bool(beacon.association_permit),
            end_device_capacity=bool(beacon.end_device_capacity), router_capacity=bool(beacon.router_capacity),
            stack_profile=beacon.stack_profile, protocol_version=beacon.protocol_version, update_id=beacon.update_id,
            lqi=pdu.lqi,
        ))
