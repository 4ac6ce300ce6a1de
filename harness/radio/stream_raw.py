"""STREAM_RAW, and what else a host of a radio co-processor packs by itself: metadata of frames, outcomes, capabilities. No line.

Spinel (draft-rquattle-spinel-unified-00, 5.6.6) leaves the metadata of raw frames open; the order here is that of OpenThread's
radio co-processors. What is wanting at the end has its default, and what follows is of later versions.
"""

from __future__ import annotations

from dataclasses import dataclass

from dissectors.mac import fcs
from harness.ports import CHANNEL_BUSY, Received, Transmit
from harness.radio.filtering import FCS_LENGTH, OCTET
from harness.radio.spinel import Status, pack, unpack

TRANSMISSION = "dCCCb"  # PSDU, channel, backoffs, retries, CSMA-CA
_AND_THE_REST = "bbbLL"  # header updated, retransmission, security processed, delay, and from when
RECEPTION = "dccSt(CCX)t(i)t(CL)"  # PSDU, RSSI, noise, flags, (channel, LQI, microseconds), (error), (key of the ack)
OUTCOME = "ibb"  # status, frame pending, header updated; then the acknowledgement as a reception
BACKOFFS = 4  # macMaxCSMABackoffs, 802.15.4-2006, 7.4.2
UNKNOWN = -128  # dBm: noise is not measured
BAD_FCS = 0x0004  # of a reception's flags
OUTCOMES = {"ok": Status.OK, "no_ack": Status.NO_ACK, CHANNEL_BUSY: Status.CCA_FAILURE}
ENERGY_SCAN = 2  # of MAC_SCAN_STATE; 0 is idle

INTERFACE_THREAD = 3  # INTERFACE_TYPE of everything that OpenThread is built into
CONFIG_RADIO, RCP_API, RCP_MIN_HOST_API, MAC_RAW = 34, 64, 65, 513  # of CAPS
HOST_API = 11  # the version of OpenThread's radio co-processor API that is spoken here


@dataclass(frozen=True)
class Reception:
    """A frame as a co-processor heard it. `at` is when its last octet was in, in seconds of the radio's own clock; 0 where it
    has none."""

    frame: Received
    at: float
    fcs_right: bool = True


def transmission(frame: Transmit, channel: int) -> bytes:
    """What STREAM_RAW is set to; the radio secures nothing and delays nothing."""
    sent = pack(TRANSMISSION, frame.psdu, channel, BACKOFFS, frame.retries, frame.csma)
    return sent + pack(_AND_THE_REST, False, False, True, 0, 0)


def reception(value: bytes) -> Reception:
    """What STREAM_RAW is. Some radios leave their own measurements in the place of an FCS that they found right, so that it is
    written anew. Raises SpinelError."""
    given = unpack(RECEPTION, value)
    psdu, rssi, _, flags, phy, *_ = given + (b"", Received.rssi, UNKNOWN, 0, ())[len(given):]
    channel, lqi, instant = phy + (0, Received.lqi, 0)[len(phy):]
    right = not flags & BAD_FCS
    if right and len(psdu) > FCS_LENGTH:
        psdu = psdu[:-FCS_LENGTH] + fcs(psdu[:-FCS_LENGTH])
    at = instant * 1e-6 + (1 + len(psdu)) * OCTET if instant else 0.0  # it is stamped where its length begins
    return Reception(Received(psdu, channel, lqi, rssi), at, right)


def heard(frame: Received, now: float) -> bytes:
    """The other way round, for a frame whose last octet was in at `now` of the radio's clock."""
    stamp = round((now - (1 + len(frame.psdu)) * OCTET) * 1e6)
    return pack(RECEPTION, frame.psdu, frame.rssi, UNKNOWN, 0, (frame.channel, frame.lqi, max(stamp, 0)), (0,), (0, 0))


def outcome(value: bytes) -> tuple[int, bool, Reception | None]:
    """The status of a transmission, frame pending, and the acknowledgement that ended it. Raises SpinelError."""
    given = unpack(f"{OUTCOME}D", value)
    status, pending, _, ack = given + (Status.INVALID_STATE, False, False, b"")[len(given):]
    answer = reception(ack) if ack else None
    return status, bool(pending), answer if answer is not None and answer.frame.psdu else None


def numbers(value: bytes) -> frozenset[int]:
    """A list of packed integers, as capabilities are. Raises SpinelError."""
    found = set()
    while value:
        number, value = unpack("iD", value)
        found.add(int(number))
    return frozenset(found)
