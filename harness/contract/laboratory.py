"""A radio and its peer, opened, driven and listened to in real time: what every contract test of a radio is made of.

Knows the Radio protocol and the MAC frames it sends for the purpose; no adapter in particular, and no promise. Whatever else is on
the channel is overheard: only frames of `PAN` count.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import cache
from typing import Any

from dissectors.mac import COMMANDS, AddressMode, DataRequest, FrameType, Mac, fcs
from harness.building import load
from harness.clock import WallClock
from harness.contract.promise import NotApplicable
from harness.ports import RadioSettings, Received, Transmit, Transmitted
from harness.radio.filtering import ACK_LENGTH
from harness.radio.listening import SETTLING
from harness.radio_declaration import passed_on

PAN, ANOTHER_PAN = 0x4850, 0x4851
OWN, PEER, NOBODY = 0x0001, 0x0002, 0x0BAD  # short addresses
OWN_EUI64, PEER_EUI64 = 0xACDE48000AC00001, 0xACDE48000AC00002
CHANNEL, ANOTHER_CHANNEL = 26, 25  # the least disturbed by wireless LANs
MARK = 1000  # the handle of a frame that is sent to nobody, so that what came before it has been done
FENCE = 200  # the sequence number of a frame that must be heard
FEW = 4  # frames
LONGEST = 108  # octets of payload in the longest frame between short addresses that fills a PSDU
LOOK = 0.05  # seconds after which a radio that does not interrupt is asked all the same
SHARE = 0.3  # of a question's limit, that one wait may take: none has more than three
DATA_REQUEST = next(identifier for identifier, layer in COMMANDS.items() if layer is DataRequest)

AT_OWN = RadioSettings(CHANNEL, PAN, OWN, OWN_EUI64)
AT_PEER = RadioSettings(CHANNEL, PAN, PEER, PEER_EUI64)


@dataclass(frozen=True)
class Place:
    """One radio of a bench file: its name, the adapter `module:Class`, its options."""

    name: str
    adapter: str
    options: Mapping[str, Any] = field(default_factory=dict)


@cache
def frame(
    number: int, source: int = OWN, dest: int = PEER, *, pan: int = PAN, ack: bool = False, payload: bytes = b"HANproof contract",
    frame_type: int = FrameType.DATA,
) -> bytes:
    """A PSDU between short addresses, with its FCS; `number` is its sequence number."""
    mac = Mac(
        frame_type=frame_type, pan_id_compression=1, ack_request=ack, dest_mode=AddressMode.SHORT, source_mode=AddressMode.SHORT,
        sequence=number, dest_pan=pan, dest_short=dest, source_short=source,
    )
    octets = bytes(mac) + payload
    return octets + fcs(octets)


MARKING = frame(0, OWN, NOBODY)  # what is sent to nobody under the handle MARK; one that hears everything hears it, too


def poll(number: int, source: int, dest: int) -> bytes:
    """A data request, which is acknowledged with frame pending where something waits for its sender."""
    return frame(number, source, dest, ack=True, frame_type=FrameType.COMMAND, payload=bytes([DATA_REQUEST]))


def is_ours(psdu: bytes) -> bool:
    """Whether a frame is of the two PANs that the tests use; an acknowledgement is of none."""
    return len(psdu) > ACK_LENGTH and int.from_bytes(psdu[3:5], "little") in (PAN, ANOTHER_PAN)


class End:
    """One opened radio, and all that it told."""

    def __init__(self, place: Place, clock: WallClock, doing: Callable[[str], None], arrived: threading.Event) -> None:
        self.name = place.name
        self.interrupts = 0
        self.closed = False
        self.log: list[tuple[float, Received | Transmitted]] = []
        self.asked = 0  # frames that it was given
        self.marked = False
        self._clock, self._doing, self._arrived = clock, doing, arrived
        make: Any = load(place.adapter)
        self.listens_only = bool(getattr(make, "listens_only", False))
        doing(f"{place.name}: opening")
        self.radio = make(passed_on(make, place.options), self._interrupt)

    def _interrupt(self) -> None:
        self.interrupts += 1
        self._arrived.set()

    def set(self, settings: RadioSettings) -> None:
        """Have it take these settings, of which one that only listens takes the channel."""
        self._submit(replace(settings, promiscuous=True) if self.listens_only else settings)

    def send(self, *psdus: bytes) -> None:
        """Have it send frames, each under a handle of its own: 1, 2 ... Raises NotApplicable where it sends none."""
        takes_part(self)
        for psdu in psdus:
            self.asked += 1
            self._submit(Transmit(psdu, self.asked))

    def mark(self, settings: RadioSettings) -> None:
        """Have it take settings, and then send a frame to nobody: when that is answered they are in effect."""
        self.marked = False
        self._submit(settings)
        self._submit(Transmit(MARKING, MARK))

    def _submit(self, pdu: RadioSettings | Transmit) -> None:
        self._doing(f"{self.name}: submit")
        self.radio.submit(pdu, self._clock.now())

    def listen(self) -> None:
        """Take what it has to tell."""
        self._doing(f"{self.name}: told")
        told = self.radio.told(self._clock.now())
        self.marked |= any(isinstance(pdu, Transmitted) and pdu.handle == MARK for _, pdu in told)
        self.log += [each for each in told if not (isinstance(each[1], Transmitted) and each[1].handle == MARK)]

    def perform(self, operation: str, **given: object) -> object:
        """Have it do something beyond sending and hearing."""
        self._doing(f"{self.name}: perform {operation}")
        return self.radio.perform(operation, **given)

    def close(self) -> None:
        """Close it."""
        self.closed = True
        self._doing(f"{self.name}: close")
        self.radio.close()

    @property
    def answers(self) -> list[Transmitted]:
        """What it told of frames it was to send."""
        return [pdu for _, pdu in self.log if isinstance(pdu, Transmitted)]

    @property
    def heard(self) -> list[Received]:
        """The frames of ours that it told."""
        return [pdu for _, pdu in self.log if isinstance(pdu, Received) and is_ours(pdu.psdu)]

    @property
    def psdus(self) -> list[bytes]:
        """Their octets."""
        return [pdu.psdu for pdu in self.heard]


class Laboratory:
    """What a question about a radio is given. It opens nothing unasked."""

    def __init__(self, subject: Place, peer: Place | None, doing: Callable[[str], None], limit: float) -> None:
        self.subject, self._peer = subject, peer
        self.clock = WallClock()
        self._doing, self._patience = doing, limit * SHARE
        self._arrived = threading.Event()
        self._open: list[End] = []

    def opened(self, **options: str) -> End:
        """The subject alone; `options` replace those of the bench file."""
        return self._end(Place(self.subject.name, self.subject.adapter, {**self.subject.options, **options}))

    def peer(self) -> End:
        """The other radio alone, told who and where it is. Raises NotApplicable where there is none."""
        if self._peer is None:
            raise NotApplicable("needs a second radio")
        end = self._end(self._peer)
        self.settle(end, AT_PEER)
        return end

    def both(self) -> tuple[End, End]:
        """The subject and its peer, both told who and where they are. Raises NotApplicable where there is no second radio."""
        peer, own = self.peer(), self.opened()
        self.settle(own, AT_OWN)
        return own, peer

    def settle(self, end: End, settings: RadioSettings) -> None:
        """Have a radio take settings, and wait until they are in effect: one that only listens is taken to listen by then."""
        if end.listens_only:
            end.set(settings)
            self.pass_time(SETTLING)
        else:
            end.mark(settings)
            self.until(lambda: end.marked)

    def pass_time(self, seconds: float) -> None:
        """Let so much time go by."""
        end = self.clock.now() + seconds
        while (left := end - self.clock.now()) > 0:
            self._arrived.wait(left)
            self._arrived.clear()

    def _end(self, place: Place) -> End:
        end = End(place, self.clock, self._doing, self._arrived)
        self._open.append(end)
        return end

    def close(self) -> None:
        """Close whatever is open."""
        for end in self._open:
            if not end.closed:
                end.close()

    def until(self, condition: Callable[[], bool], *ends: End) -> bool:
        """Listen to these, or to all that is open, until the condition holds (True), or for as long as patience lasts nothing more
        came of what counts (False)."""
        came, limit = -1, 0.0
        while True:
            self._arrived.clear()
            listening = ends or tuple(each for each in self._open if not each.closed)
            for end in listening:
                end.listen()
            if condition():
                return True
            if came != (came := sum(len(end.answers) + len(end.heard) for end in listening)):
                limit = self.clock.now() + self._patience
            left = limit - self.clock.now()
            if left <= 0:
                return False
            self._arrived.wait(min(left, LOOK))

    def through(self, sender: End, receiver: End, psdu: bytes) -> bool:
        """Send a frame that must be heard, and wait until it is: what was to come before it has come then."""
        sender.send(psdu)
        return self.until(lambda: psdu in receiver.psdus)


def needs(end: End, *features: str) -> None:
    """Raises NotApplicable where a radio does not offer a feature."""
    for feature in features:
        if feature not in end.radio.offers:
            raise NotApplicable(f"{end.name} does not offer {feature}")


def takes_part(end: End) -> None:
    """Raises NotApplicable where a radio can only listen."""
    if end.listens_only:
        raise NotApplicable(f"{end.name} only listens")
