"""What a transceiver does by itself: read a frame's addresses, accept it or not, acknowledge it. Knows nothing above MAC.

IEEE 802.15.4-2006: frame format 7.2.1, filtering 7.5.6.2, acknowledgement 7.5.6.4. Reads by hand what `dissectors.mac`
declares, because an air full of virtual devices looks at every frame.
"""

from __future__ import annotations

from dataclasses import dataclass

from dissectors.mac import BROADCAST, COMMANDS, AddressMode, DataRequest, FrameType, fcs
from harness.ports import RadioSettings

OCTET = 32e-6  # seconds on the air, 6.5.1 (250 kb/s)
FCS_LENGTH = 2
ACK_LENGTH = 5  # octets: frame control, sequence number, FCS, 7.2.2.3
_ADDRESS_LENGTH = {AddressMode.NONE: 0, AddressMode.SHORT: 2, AddressMode.EXTENDED: 8}
_POLL = next(identifier for identifier, layer in COMMANDS.items() if layer is DataRequest)
_FRAME_TYPE, _ADDRESS_MODE = 0x07, 0x03  # masks, 7.2.1.1
_DEST_MODE_SHIFT, _SOURCE_MODE_SHIFT = 2, 6  # in the frame control's second octet
_PENDING = 0x10  # of the frame control's first octet
_ACK_REQUEST = 0x20
_COMPRESSION = 0x40


@dataclass(frozen=True, slots=True)
class Addressing:
    """The part of a MAC header that a transceiver acts on; absent addresses and PANs are None."""

    frame_type: int
    ack_request: bool
    sequence: int
    dest_pan: int | None
    dest: int | None
    dest_mode: int
    source_pan: int | None
    source: int | None
    is_poll: bool


def glance(psdu: bytes) -> Addressing | None:
    """The addressing of a PSDU (with its FCS); None where the header is cut short or uses a reserved address mode."""
    if len(psdu) < ACK_LENGTH:
        return None
    low, high, sequence = psdu[0], psdu[1], psdu[2]
    dest_mode, source_mode = high >> _DEST_MODE_SHIFT & _ADDRESS_MODE, high >> _SOURCE_MODE_SHIFT & _ADDRESS_MODE
    if dest_mode not in _ADDRESS_LENGTH or source_mode not in _ADDRESS_LENGTH:
        return None
    at = 3
    dest_pan = dest = source_pan = source = None
    if dest_mode:
        width = _ADDRESS_LENGTH[AddressMode(dest_mode)]
        dest_pan = int.from_bytes(psdu[at : at + 2], "little")
        dest = int.from_bytes(psdu[at + 2 : at + 2 + width], "little")
        at += 2 + width
    if source_mode:
        width = _ADDRESS_LENGTH[AddressMode(source_mode)]
        source_pan = dest_pan
        if not low & _COMPRESSION:
            source_pan = int.from_bytes(psdu[at : at + 2], "little")
            at += 2
        source = int.from_bytes(psdu[at : at + width], "little")
        at += width
    if at > len(psdu) - FCS_LENGTH:
        return None
    frame_type = low & _FRAME_TYPE
    is_poll = frame_type == FrameType.COMMAND and psdu[at] == _POLL and at < len(psdu) - FCS_LENGTH
    return Addressing(
        frame_type, bool(low & _ACK_REQUEST), sequence, dest_pan, dest, dest_mode, source_pan, source, is_poll
    )


def accepts(settings: RadioSettings, frame: Addressing) -> bool:
    """Whether a transceiver with these settings hands the frame up (7.5.6.2, third level); acknowledgements never go up."""
    if frame.frame_type == FrameType.ACK:
        return False
    if frame.dest_pan is None:  # a beacon, or a frame for the PAN coordinator, which has the short address 0
        if frame.frame_type == FrameType.BEACON:
            return settings.pan_id == BROADCAST or frame.source_pan == settings.pan_id
        return frame.source_pan == settings.pan_id and settings.short_address == 0
    if frame.dest_pan not in (settings.pan_id, BROADCAST):
        return False
    if frame.dest_mode == AddressMode.EXTENDED:
        return frame.dest == settings.extended_address
    return frame.dest in (settings.short_address, BROADCAST)


def is_acknowledged(settings: RadioSettings, frame: Addressing) -> bool:
    """Whether a transceiver that accepted the frame acknowledges it."""
    to_all = frame.dest_mode == AddressMode.SHORT and frame.dest == BROADCAST
    return frame.ack_request and not to_all and not settings.promiscuous


def acknowledgement(settings: RadioSettings, frame: Addressing) -> bytes:
    """The PSDU that answers the frame; frame pending is set for a data request of a device for whom a frame waits (7.5.6.3)."""
    return _ack(frame.sequence, frame.is_poll and (settings.always_pending or frame.source in settings.pending_for))


def answer_to(psdu: bytes, pending: bool) -> bytes:
    """The acknowledgement that a sent PSDU got, from what its radio says of it; nothing where it asks for none."""
    frame = glance(psdu)
    if frame is None or not frame.ack_request:
        return b""
    return _ack(frame.sequence, pending)


def _ack(sequence: int, pending: bool) -> bytes:
    mpdu = bytes([FrameType.ACK | (_PENDING if pending else 0), 0, sequence])
    return mpdu + fcs(mpdu)


def is_acknowledgement_of(psdu: bytes, sequence: int) -> bool:
    """Whether a PSDU acknowledges the frame of this sequence number."""
    return len(psdu) == ACK_LENGTH and psdu[0] & _FRAME_TYPE == FrameType.ACK and psdu[2] == sequence


def says_pending(ack: bytes) -> bool:
    """The frame-pending bit of an acknowledgement."""
    return bool(ack[0] & _PENDING)


def has_right_fcs(psdu: bytes) -> bool:
    """Whether the last two octets are the FCS of the others."""
    return len(psdu) > FCS_LENGTH and fcs(psdu[:-FCS_LENGTH]) == psdu[-FCS_LENGTH:]
