"""One APS frame on its way: handed down, acknowledged or sent again, block by block. Knows no key and no lower layer.

05-3474, 2.2.8.4.3 and 2.2.8.4.4 (acknowledgements, retries), 2.2.8.4.5 (fragments).
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, auto

from dissectors.aps import FrameType
from dissectors.layer import Record
from harness.stack.fragmentation import acknowledges, extended_header
from harness.values import Eui64


class SendState(Enum):
    """Where a transmission stands."""

    SENDING = auto()  # a block was given to the NWK layer
    AWAITING_ACK = auto()
    PAUSING = auto()  # between two blocks
    DONE = auto()


class SendEvent(Enum):
    """What happens to a transmission."""

    SENT = auto()  # the next hop has it, and no acknowledgement was asked for
    SENT_FOR_ACK = auto()  # handed over (or not: the acknowledgement timer decides)
    LOST = auto()  # the next hop does not have it, and no acknowledgement was asked for
    BLOCK_ACKNOWLEDGED = auto()
    ALL_ACKNOWLEDGED = auto()
    TIMEOUT = auto()
    EXHAUSTED = auto()  # a timeout, and no retry is left
    PAUSED = auto()  # the interframe delay is over
    NO_KEY = auto()


TRANSITIONS: dict[tuple[SendState, SendEvent], SendState] = {  # what is not here changes nothing
    (SendState.SENDING, SendEvent.SENT): SendState.DONE,
    (SendState.SENDING, SendEvent.LOST): SendState.DONE,
    (SendState.SENDING, SendEvent.NO_KEY): SendState.DONE,
    (SendState.SENDING, SendEvent.SENT_FOR_ACK): SendState.AWAITING_ACK,  # 2.2.8.4.4
    (SendState.SENDING, SendEvent.BLOCK_ACKNOWLEDGED): SendState.PAUSING,  # an earlier attempt's acknowledgement
    (SendState.SENDING, SendEvent.ALL_ACKNOWLEDGED): SendState.DONE,
    (SendState.AWAITING_ACK, SendEvent.BLOCK_ACKNOWLEDGED): SendState.PAUSING,  # 2.2.8.4.5.1
    (SendState.AWAITING_ACK, SendEvent.ALL_ACKNOWLEDGED): SendState.DONE,
    (SendState.AWAITING_ACK, SendEvent.TIMEOUT): SendState.SENDING,
    (SendState.AWAITING_ACK, SendEvent.EXHAUSTED): SendState.DONE,
    (SendState.PAUSING, SendEvent.PAUSED): SendState.SENDING,
}

STATUS: dict[SendEvent, str] = {  # how a transmission ends
    SendEvent.SENT: "success",
    SendEvent.ALL_ACKNOWLEDGED: "success",
    SendEvent.LOST: "no_ack",
    SendEvent.EXHAUSTED: "no_ack",
    SendEvent.NO_KEY: "no_key",
}


@dataclass
class Transmission:
    """`header` is that of every block but for the extended header; `key_identifier` None leaves APS security off."""

    handle: int
    dest: int
    device: Eui64 | None
    header: Record
    blocks: tuple[bytes, ...]
    key_identifier: int | None
    nwk_secured: bool = True
    command: Record | None = None
    order: tuple[int, ...] = ()  # in which the blocks go
    index: int = 0  # of the current one in that order
    retries: int = 0  # of the current block
    established: bool = False  # whether it went out under a link key that key establishment made
    state: SendState = SendState.SENDING

    def happened(self, event: SendEvent) -> bool:
        """Take one event; False when it changes nothing."""
        following = TRANSITIONS.get((self.state, event))
        if following is None:
            return False
        self.state = following
        if event is SendEvent.TIMEOUT:
            self.retries += 1
        elif event is SendEvent.PAUSED:
            self.index, self.retries = self.index + 1, 0
        return True

    @property
    def frame(self) -> tuple[Record, bytes]:
        """Header and payload of the current block."""
        return self.header.replace(**extended_header(self.block, len(self.blocks))), self.blocks[self.block]

    @property
    def block(self) -> int:
        """The number of the current block."""
        return self.order[self.index] if self.order else self.index

    def is_acknowledged_by(self, source: int, ack: Record) -> bool:
        """2.2.8.4.4: same counter, from whom it was sent to; for data, same cluster and endpoints exchanged."""
        if source != self.dest or ack.counter != self.header.counter or not self.header.ack_request:
            return False
        if self.header.frame_type == FrameType.COMMAND:
            return bool(ack.ack_format)
        return (
            not ack.ack_format
            and ack.cluster == self.header.cluster
            and ack.source_endpoint == self.header.dest_endpoint
            and acknowledges(ack, self.block, len(self.blocks))
        )

    @property
    def acknowledged(self) -> SendEvent:
        """What an acknowledgement of the current block means."""
        last = self.index == len(self.blocks) - 1
        return SendEvent.ALL_ACKNOWLEDGED if last else SendEvent.BLOCK_ACKNOWLEDGED

