"""The APS layer of one node: data, commands, acknowledgements, duplicates, fragments. Knows no cluster.

Clauses: 05-3474, 2.2. Commands are decrypted and handed up; what they ask for is the affair of whoever is above.
"""

from __future__ import annotations

from itertools import count

from dissectors import aps as wire
from dissectors.layer import Layer, Malformed, Record, encode, parse, parse_whole
from dissectors.nwk import KeyIdentifier
from harness.ports import Chance
from harness.stack.agenda import Agenda
from harness.stack.counters import LinkKey, LinkKeys
from harness.stack.fragmentation import (
    INTERFRAME_DELAY,
    MAX_BLOCKS,
    Reassembly,
    acknowledgement,
    block_index,
    extended_header,
    is_fragment,
    split,
)
from harness.stack.mac_frames import SEQUENCE_NUMBERS
from harness.stack.nwk import FIRST_BROADCAST, Nwk, NwkData
from harness.stack.policy import Policy
from harness.stack.primitives import AsduConfirm, AsduIndication, AsduRequest, CommandIndication, CommandRequest, LinkKeyKind
from harness.stack.security import APS_OVERHEAD, ApsSecurity, Opened
from harness.stack.transmission import STATUS, SendEvent, SendState, Transmission
from harness.values import Eui64

IDENTIFIERS: dict[type[Layer], int] = {layer: identifier for identifier, layer in wire.COMMANDS.items()}
DUPLICATE_LIFE = 8.0  # seconds; no clause says how long, a retried frame comes within 3 x 1.6 s
DEFAULT_TRANSFER = 128  # octets a partner takes whose node descriptor was not read, SE table 5-8


class Aps:
    """The APS layer of one node."""

    def __init__(
        self, *, ieee: Eui64, nwk: Nwk, link_keys: LinkKeys, policy: Policy, chance: Chance, agenda: Agenda, max_transfer: int,
    ) -> None:
        self.up: list[AsduConfirm | AsduIndication | CommandIndication] = []
        self.link_keys = link_keys
        self._nwk, self._policy, self._agenda = nwk, policy, agenda
        self._security = ApsSecurity(ieee, link_keys, nwk.neighbours, policy)
        self._max_transfer = max_transfer
        self._counter = chance.randrange(0, SEQUENCE_NUMBERS)
        self._handles = count(1)
        self._underway: dict[int, Transmission] = {}
        self._seen: dict[tuple[int, int, int | None], float] = {}  # source, APS counter, block; until when
        self._reassemblies: dict[tuple[int, int], Reassembly] = {}

    @property
    def is_expecting(self) -> bool:
        """Whether an acknowledgement or a further block is to come."""
        return bool(self._reassemblies) or any(each.header.ack_request for each in self._underway.values())

    # -- sending

    def data(self, request: AsduRequest, now: float) -> int:
        """APSDE-DATA.request."""
        broadcast = request.dest >= FIRST_BROADCAST
        header = wire.Aps.of(
            frame_type=wire.FrameType.DATA,
            delivery_mode=wire.DeliveryMode.BROADCAST if broadcast else wire.DeliveryMode.UNICAST,
            security_enabled=int(request.link_key), ack_request=int(request.ack and not broadcast),
            dest_endpoint=request.dest_endpoint, cluster=request.cluster, profile=request.profile,
            source_endpoint=request.source_endpoint, counter=self._next_counter(),
        )
        blocks = self._blocks(header, request)
        if not blocks:
            return self._refuse("too_long")
        return self._begin(Transmission(
            next(self._handles), request.dest, None if broadcast else self._nwk.neighbours.ieee_of(request.dest),
            header.replace(ack_request=1) if len(blocks) > 1 else header, blocks,
            KeyIdentifier.DATA if request.link_key else None,
            order=tuple(range(len(blocks)))[:: 1 if self._policy.blocks_in_order else -1],
        ), now)

    def command(self, request: CommandRequest, now: float) -> int:
        """Send an APS command; network key transport names its sender in the auxiliary header (extended nonce)."""
        outgoing = self._policy.rewritten(request.command)
        if outgoing is None:
            return self._refuse("success")
        broadcast = request.dest >= FIRST_BROADCAST
        header = wire.Aps.of(
            frame_type=wire.FrameType.COMMAND,
            delivery_mode=wire.DeliveryMode.BROADCAST if broadcast else wire.DeliveryMode.UNICAST,
            security_enabled=int(request.key_identifier is not None), ack_request=int(request.ack and not broadcast),
            counter=self._next_counter(),
        )
        return self._begin(Transmission(
            next(self._handles), request.dest, request.dest_ieee, header,
            (bytes([IDENTIFIERS[outgoing.layer]]) + encode(outgoing),), request.key_identifier, request.nwk_secured, outgoing,
        ), now)

    def tunnel(self, request: CommandRequest, parent: int, now: float) -> int:
        """The command, sealed with its auxiliary header for `request.dest_ieee`, inside a Tunnel for the parent (4.4.9.8).

        Tunnel itself is not APS-secured. Without a key, or where the policy sends nothing, nothing goes out.
        """
        outgoing = self._policy.rewritten(request.command)
        key = self.link_keys.shared_with(request.dest_ieee)
        if outgoing is None or (key is None and request.key_identifier is not None):
            return self._refuse("success" if outgoing is None else "no_key")
        header = wire.Aps.of(
            frame_type=wire.FrameType.COMMAND, security_enabled=int(request.key_identifier is not None),
            counter=self._next_counter(),
        )
        body = bytes([IDENTIFIERS[outgoing.layer]]) + encode(outgoing)
        inner = self._apdu(header, body, key, request.key_identifier)
        if inner is None:
            return self._refuse("success")
        carrier = wire.Tunnel.of(dest=request.dest_ieee, command_frame=inner)
        return self.command(CommandRequest(parent, request.dest_ieee, carrier, None), now)

    def _next_counter(self) -> int:
        self._counter = (self._counter + 1) % SEQUENCE_NUMBERS
        return self._counter

    def _refuse(self, status: str) -> int:
        handle = next(self._handles)
        self.up.append(AsduConfirm(handle, status))
        return handle

    def _blocks(self, header: Record, request: AsduRequest) -> tuple[bytes, ...]:
        """The ASDU in as many blocks as it needs; none where it may not be sent at all."""
        room = self._nwk.room(secured=True) - len(encode(header))
        if request.link_key:
            room -= APS_OVERHEAD
        if len(request.asdu) <= room:
            return (request.asdu,)
        longest = DEFAULT_TRANSFER if request.max_transfer is None else request.max_transfer
        room -= len(encode(header.replace(**extended_header(0, MAX_BLOCKS)))) - len(encode(header))
        blocks = split(request.asdu, room)
        unicast = request.dest < FIRST_BROADCAST
        return blocks if unicast and len(request.asdu) <= longest and len(blocks) <= MAX_BLOCKS else ()

    def _begin(self, transmission: Transmission, now: float) -> int:
        self._underway[transmission.handle] = transmission
        self._transmit(transmission, now)
        return transmission.handle

    def _transmit(self, transmission: Transmission, now: float) -> None:
        """Send the current block, or send it again: each time with a new frame counter (2.2.8.4.4)."""
        if self._nwk.network is None:
            self._underway.pop(transmission.handle, None)
            self.up.append(AsduConfirm(transmission.handle, "no_network"))
            return
        header, body = transmission.frame
        key_identifier = transmission.key_identifier
        if transmission.block and not self._policy.secures_every_block:
            header, key_identifier = header.replace(security_enabled=0), None
        link_key = None if key_identifier is None else self.link_keys.shared_with(transmission.device)
        established = link_key is not None and link_key.kind is LinkKeyKind.ESTABLISHED
        if key_identifier is not None and (link_key is None or (transmission.established and not established)):
            self._happened(transmission, SendEvent.NO_KEY, now)  # where the device joined anew meanwhile, no less a key will do
            return
        transmission.established |= established
        outgoing = self._policy.rewritten(header.joined(payload=body, command=transmission.command))
        apdu = None if outgoing is None else self._apdu(outgoing, body, link_key, key_identifier)
        if apdu is None:
            self._handed_over(transmission, True, now)
        else:
            self._nwk.data(
                apdu, transmission.dest, lambda sent, at: self._handed_over(transmission, sent, at), now,
                secured=transmission.nwk_secured,
            )
            after = self._policy.replays_link_after
            if after is not None and link_key is not None and transmission.nwk_secured:
                self._agenda.set(("replay", apdu), now + after, lambda at: self._again(apdu, transmission.dest, at))

    def _again(self, apdu: bytes, dest: int, now: float) -> None:
        """A node that replays: what it has sealed once goes out once more, in another NWK frame."""
        self._nwk.data(apdu, dest, lambda sent, at: None, now)

    def _apdu(self, header: Record, body: bytes, key: LinkKey | None, key_identifier: int | None) -> bytes | None:
        octets = encode(header)
        if key is None or key_identifier is None:
            return octets + body
        return self._security.seal(octets, body, key, key_identifier)

    def _handed_over(self, transmission: Transmission, sent: bool, now: float) -> None:
        """The acknowledgement timer runs from when the next hop has the frame: a sleepy child fetches it only later."""
        if transmission.header.ack_request:
            if not self._policy.waits_for_each_block and transmission.acknowledged is SendEvent.BLOCK_ACKNOWLEDGED:
                transmission.happened(SendEvent.BLOCK_ACKNOWLEDGED)
                self._happened(transmission, SendEvent.PAUSED, now)
            elif transmission.happened(SendEvent.SENT_FOR_ACK):
                timer = ("ack", transmission.handle)
                self._agenda.set(timer, now + self._policy.aps_ack_wait, lambda at: self._timeout(transmission, at))
        else:
            self._happened(transmission, SendEvent.SENT if sent else SendEvent.LOST, now)

    def _timeout(self, transmission: Transmission, now: float) -> None:
        exhausted = transmission.retries >= self._policy.aps_retries
        self._happened(transmission, SendEvent.EXHAUSTED if exhausted else SendEvent.TIMEOUT, now)

    def _happened(self, transmission: Transmission, event: SendEvent, now: float) -> None:
        """Take an event, and do what the new state asks for."""
        if not transmission.happened(event):
            return
        timer = ("ack", transmission.handle)
        self._agenda.cancel(timer)
        if transmission.state is SendState.DONE:
            self._underway.pop(transmission.handle, None)
            self.up.append(AsduConfirm(transmission.handle, STATUS[event]))
        elif transmission.state is SendState.SENDING:
            self._transmit(transmission, now)
        elif transmission.state is SendState.PAUSING:
            self._agenda.set(
                timer, now + INTERFRAME_DELAY, lambda at: self._happened(transmission, SendEvent.PAUSED, at)
            )

    # -- receiving

    def receive(self, data: NwkData, now: float) -> None:
        """One APS frame; what is malformed or does not pass security has no effect."""
        try:
            header, rest = parse(wire.Aps, data.payload)
            if header.delivery_mode == wire.DeliveryMode.INDIRECT or header.frame_type == wire.FrameType.INTER_PAN:
                return
            opened: Opened | None = Opened(rest, self._nwk.neighbours.ieee_of(data.source))
            if header.security_enabled:
                opened = self._security.open(data.payload[: len(data.payload) - len(rest)], rest, data.source)
            if opened is None:
                return
            if header.frame_type == wire.FrameType.ACK:
                self._acknowledged(header, data.source, now)
            elif header.frame_type == wire.FrameType.COMMAND:
                self._command(header, opened, data, now)
            else:
                self._data(header, opened, data, now)
        except Malformed:
            return

    def _acknowledged(self, ack: Record, source: int, now: float) -> None:
        for transmission in list(self._underway.values()):
            if transmission.is_acknowledged_by(source, ack):
                self._happened(transmission, transmission.acknowledged, now)
                return

    def _command(self, header: Record, opened: Opened, data: NwkData, now: float) -> None:
        layer = wire.COMMANDS.get(opened.payload[0]) if opened.payload else None
        if layer is None:
            return
        command = parse_whole(layer, opened.payload[1:])
        if self._is_due(header, data, None, opened.key, now):
            self.up.append(CommandIndication(data.source, opened.sender, command, opened.key_identifier, data.secured))

    def _data(self, header: Record, opened: Opened, data: NwkData, now: float) -> None:
        key = opened.key
        kind = None if key is None else key.kind
        whole: bytes | None = None
        if is_fragment(header):
            reassembly = self._reassembled(header, opened.payload, data, key, now)
            if reassembly is not None:
                whole, kind = reassembly.whole, reassembly.kind
        elif self._is_due(header, data, None, key, now):
            whole = opened.payload
        if whole is not None:
            self.up.append(AsduIndication(
                source=data.source, source_ieee=opened.sender, source_endpoint=header.source_endpoint,
                dest_endpoint=header.dest_endpoint, profile=header.profile, cluster=header.cluster, asdu=whole,
                counter=header.counter, key=kind, broadcast=data.broadcast,
                nwk_secured=data.secured,
            ))

    def _is_due(self, header: Record, data: NwkData, block: int | None, key: LinkKey | None, now: float) -> bool:
        """Acknowledge, and say whether the frame is to be delivered: once (2.2.8.4.2), however often it is acknowledged."""
        self._seen = {each: until for each, until in self._seen.items() if until > now}
        entry = (data.source, header.counter, block)
        duplicate = entry in self._seen
        self._seen[entry] = now + DUPLICATE_LIFE
        if not data.broadcast and header.ack_request and (not duplicate or self._policy.acknowledges_duplicates):
            self._acknowledge(header, data, key, now)
        return not (duplicate and self._policy.rejects_duplicates)

    def _acknowledge(self, header: Record, data: NwkData, key: LinkKey | None, now: float) -> None:
        """2.2.5.2.3: the endpoints exchanged, cluster, profile and counter copied; for a command, the counter alone."""
        if not self._policy.acknowledges:
            return
        secure = key is not None and self._policy.secures_acknowledgements
        ack = wire.Aps.of(frame_type=wire.FrameType.ACK, security_enabled=int(secure), counter=header.counter, ack_format=1)
        if header.frame_type == wire.FrameType.DATA:
            ack = wire.Aps.of(
                frame_type=wire.FrameType.ACK, security_enabled=int(secure), dest_endpoint=header.source_endpoint,
                source_endpoint=header.dest_endpoint, cluster=header.cluster, profile=header.profile, counter=header.counter,
                **(acknowledgement(header) if is_fragment(header) else {}),
            )
        outgoing = self._policy.rewritten(ack)
        if outgoing is None:
            return
        apdu = self._apdu(outgoing, b"", key if secure else None, KeyIdentifier.DATA)
        if apdu is not None:
            self._nwk.data(apdu, data.source, lambda sent, at: None, now, secured=data.secured)

    def _reassembled(
        self, header: Record, block: bytes, data: NwkData, key: LinkKey | None, now: float,
    ) -> Reassembly | None:
        """Take one block; the whole when it was the last one missing. 2.2.8.4.5.2."""
        if not self._policy.reassembles:
            return None
        name = (data.source, header.counter)
        limit = self._max_transfer if self._policy.checks_reassembly_limit else MAX_BLOCKS * MAX_BLOCKS
        kind = None if key is None else key.kind
        reassembly = self._reassemblies.get(name) or Reassembly(limit, kind)
        if self._policy.checks_every_block and reassembly.kind != kind:
            return None
        if not reassembly.takes(header, block):
            return None
        if not self._is_due(header, data, block_index(header), key, now):
            return None
        reassembly.add(header, block)
        timer = ("reassembly", name)
        if reassembly.whole is None:
            self._reassemblies[name] = reassembly
            patience = self._policy.aps_ack_wait * (1 + self._policy.aps_retries)
            self._agenda.set(timer, now + patience, lambda at: self._drop(name))
        else:
            self._reassemblies.pop(name, None)
            self._agenda.cancel(timer)
        return reassembly if reassembly.whole is not None else None

    def _drop(self, name: tuple[int, int]) -> None:
        self._reassemblies.pop(name, None)

    def forget(self, source: int) -> None:
        """A device joined or came back: its APS counters may be those of frames seen before."""
        self._seen = {each: until for each, until in self._seen.items() if each[0] != source}

    def abandon(self) -> None:
        """Off the network: nothing under way gets anywhere."""
        for transmission in self._underway.values():
            self._agenda.cancel(("ack", transmission.handle))
            transmission.state = SendState.DONE
            self.up.append(AsduConfirm(transmission.handle, "no_network"))
        for name in self._reassemblies:
            self._agenda.cancel(("reassembly", name))
        self._underway.clear()
        self._reassemblies.clear()
        self._seen.clear()
