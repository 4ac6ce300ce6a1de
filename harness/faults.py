"""What the air can do to a frame after it was sealed: lose, repeat, delay, corrupt it. Knows frames; no bench, no verdict.

A fault is asked about every transmission and says what arrives in its stead. Faults that look inside see through encryption
with the key ring that the air gave to the frame. Delays are seconds.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property

from dissectors.aps import FrameType as ApsFrameType
from dissectors.frame import Frame, decode
from dissectors.keyring import KeyRing
from dissectors.layer import Layer
from dissectors.mac import FrameType, fcs

FCS_LENGTH = 2  # octets, 802.15.4-2006, 7.2.1.9
FRAME_TYPE_BITS = 0x07  # of a frame's first octet, 7.2.1.1
TOO_LATE = 4.0  # seconds
RETRANSMISSION_SPAN = 0.1  # seconds within which the same octets from the same sender are a MAC retransmission


@dataclass(frozen=True)
class SeenFrame:
    """One transmission: `time` is when its last octet was out (seconds since the bench started), `number` counts from 1.

    `fate` is arrived, lost or altered: what faults made of it, not who heard it. What arrived instead of an altered frame, or
    once more after it, is a later SeenFrame that carries its number in `instead_of`. `sender` is empty where nobody knows it.
    """

    number: int
    time: float
    channel: int
    sender: str
    psdu: bytes
    fate: str = "arrived"
    instead_of: int | None = None
    keyring: KeyRing | None = field(default=None, repr=False, compare=False)
    lqi: int | None = None  # as the radio that heard it says
    rssi: int | None = None  # dBm

    @cached_property
    def frame(self) -> Frame:
        """The frame, decoded on first use with the bench's keys."""
        return decode(self.psdu, self.keyring)


Arrival = tuple[float, bytes]
"""After how many seconds (0 for at once) which PSDU arrives."""

Fault = Callable[[SeenFrame], list[Arrival] | None]
"""What arrives instead of this transmission; an empty list loses it, None has nothing to do with it."""

Choice = type[Layer] | Callable[[Frame], bool] | None
"""Which frames: those with this structure, those for which the predicate holds, or (None) all but MAC acknowledgements."""


def drop(what: Choice = None, *, times: int | None = 1, sender: str | None = None, skip: int = 0) -> Fault:
    """Lose the chosen frames, each with all its MAC retransmissions."""
    return _on(what, times, sender, skip, lambda psdu: [])


def duplicate(
    what: Choice = None, *, times: int | None = 1, sender: str | None = None, skip: int = 0, after: float = 0.02
) -> Fault:
    """Let the chosen frames arrive, and once more `after` seconds."""
    return _on(what, times, sender, skip, lambda psdu: [(0.0, psdu), (after, psdu)])


def delay(
    what: Choice = None, *, by: float, times: int | None = 1, sender: str | None = None, skip: int = 0
) -> Fault:
    """Let the chosen frames arrive `by` seconds late; MAC retransmissions are lost, so that the late one is the only one."""
    return _on(what, times, sender, skip, lambda psdu: [(by, psdu)], again=list)


def thin(every: int) -> Fault:
    """Lose one transmission of every so many, acknowledgements included, as a busy channel does: MAC retries make up for it."""
    return lambda seen: [] if seen.number % every == 0 else None


def too_late(what: Choice) -> Fault:
    """Let the chosen frames arrive when nobody waits for a network key any more (apsSecurityTimeOutPeriod is 1.7 s)."""
    return delay(what, by=TOO_LATE, times=None)


def replay(
    what: Choice = None, *, after: float, times: int | None = 1, sender: str | None = None, skip: int = 0
) -> Fault:
    """Let the chosen frames arrive, and send the same octets again `after` seconds: a recorded frame played by an attacker."""
    return _on(what, times, sender, skip, lambda psdu: [(0.0, psdu), (after, psdu)])


def corrupt(
    what: Choice = None, *, octet: int = -1, flip: int = 0x01, fcs_right: bool = True, times: int | None = 1,
    sender: str | None = None, skip: int = 0,
) -> Fault:
    """Flip the bits `flip` of one octet, counted in the frame without its FCS (negative from the end: -1 is in a MIC).

    With `fcs_right` the FCS is made right again, so that the frame reaches the receiver's stack; else its radio drops it.
    """

    def damaged(psdu: bytes) -> list[Arrival]:
        body = bytearray(psdu[:-FCS_LENGTH])
        body[octet] ^= flip
        return [(0.0, bytes(body) + (fcs(bytes(body)) if fcs_right else psdu[-FCS_LENGTH:]))]

    return _on(what, times, sender, skip, damaged)


def spoil_acknowledgements(cluster: int, *, sender: str | None = None) -> Fault:
    """Spoil the first APS acknowledgement of each frame of a cluster, so that each is sent again with its APS counter.

    The MIC is damaged and not the FCS: the radio takes the frame, and a parent does not keep it for a child that sleeps.
    """
    spoilt: dict[tuple[int, int], bytes] = {}  # by source and APS counter

    def fault(seen: SeenFrame) -> list[Arrival] | None:
        header, network = seen.frame.aps, seen.frame.nwk
        if header is None or network is None or header.frame_type != ApsFrameType.ACK or header.cluster != cluster:
            return None
        if sender not in (None, seen.sender) or spoilt.setdefault((network.source, header.counter), seen.psdu) != seen.psdu:
            return None
        body = seen.psdu[:-FCS_LENGTH - 1] + bytes([seen.psdu[-FCS_LENGTH - 1] ^ 1])
        return [(0.0, body + fcs(body))]

    return fault


def a_block(frame: Frame) -> bool:
    """A choice: blocks of fragmented application messages."""
    header = frame.aps
    return header is not None and header.frame_type == ApsFrameType.DATA and bool(header.extended_header_present)


def unacknowledged_block(*, skip: int = 0) -> Fault:
    """Spoil the acknowledgement of one block, so that it comes twice: as a device without the first would get it."""
    return corrupt(_acknowledges_a_block, skip=skip)


def _acknowledges_a_block(frame: Frame) -> bool:
    header = frame.aps
    return header is not None and header.frame_type == ApsFrameType.ACK and bool(header.extended_header_present)


def until(what: Choice, fault: Fault, *, times: int = 1) -> Fault:
    """Apply a fault until so many of the chosen frames have begun to go by."""
    met = 0
    newest: SeenFrame | None = None

    def limited(seen: SeenFrame) -> list[Arrival] | None:
        nonlocal met, newest
        if met < times and _is_chosen(what, seen) and not (newest is not None and _is_retransmission(seen, newest)):
            met, newest = met + 1, seen
        return fault(seen) if met < times else None

    return limited


def asks_for_acknowledgement(frame: Frame) -> bool:
    """A choice: application frames that want an APS acknowledgement, so that it shows whether they were taken."""
    return frame.aps is not None and frame.aps.frame_type == ApsFrameType.DATA and bool(frame.aps.ack_request)


def silence(sender: str, start: float = 0.0, end: float = float("inf")) -> Fault:
    """Nothing that `sender` transmits between `start` and `end` arrives, its acknowledgements included."""

    def fault(seen: SeenFrame) -> list[Arrival] | None:
        return [] if seen.sender == sender and start <= seen.time <= end else None

    return fault


def _on(
    what: Choice, times: int | None, sender: str | None, skip: int, first: Callable[[bytes], list[Arrival]],
    again: Callable[[], list[Arrival]] | None = None,
) -> Fault:
    """Apply `first` to `times` chosen frames (None: to all) after leaving `skip` alone.

    A MAC retransmission is not another frame: it is treated as its first transmission was, or as `again` says.
    """
    met = 0
    newest: SeenFrame | None = None  # the newest chosen frame, and whether it was one to act on
    acting = False

    def fault(seen: SeenFrame) -> list[Arrival] | None:
        nonlocal met, newest, acting
        if sender is not None and seen.sender != sender:
            return None
        if newest is not None and _is_retransmission(seen, newest):
            if not acting:
                return None
            return first(seen.psdu) if again is None else again()
        if not _is_chosen(what, seen):
            return None
        met += 1
        newest, acting = seen, met > skip and (times is None or met <= skip + times)
        return first(seen.psdu) if acting else None

    return fault


def _is_retransmission(seen: SeenFrame, before: SeenFrame) -> bool:
    """The same octets again, soon; an acknowledgement is never one, though two of them may be alike."""
    return not _is_ack(seen) and seen.psdu == before.psdu and seen.time - before.time <= RETRANSMISSION_SPAN


def _is_ack(seen: SeenFrame) -> bool:
    return seen.psdu[0] & FRAME_TYPE_BITS == FrameType.ACK


def _is_chosen(what: Choice, seen: SeenFrame) -> bool:
    if what is None:
        return not _is_ack(seen)
    if isinstance(what, type):
        return seen.frame.find(what) is not None
    return what(seen.frame)
