"""The virtual air behaves as radios do: timing, filtering, acknowledgements, retries; and the tap sees all of it."""

from __future__ import annotations

import random
from itertools import pairwise
from typing import Any

import pytest

from dissectors.frame import decode, encode_mpdu
from dissectors.mac import BROADCAST, FrameType, fcs
from harness.faults import SeenFrame, drop
from harness.ports import RadioSettings, Received, Transmit, Transmitted
from harness.radio.filtering import ACK_LENGTH, accepts, glance
from harness.radio.virtual import ACK_WAIT, BACKOFF, TURNAROUND, VirtualAir, airtime
from harness.stack.mac_frames import addressed
from harness.values import Eui64

CHANNEL, PAN = 20, 0x1234
NEAR, FAR = Eui64(0xA1), Eui64(0xB2)


def psdu(dest: Any, source: Any, frame_type: FrameType = FrameType.DATA, ack: bool = True, payload: bytes = bytes(10)) -> bytes:
    """A frame with an FCS between (PAN, address) pairs; its sequence number is 0."""
    return encode_mpdu(addressed(frame_type, dest, source, ack), payload)


UNICAST = psdu((PAN, 2), (PAN, 1))
TO_ALL = psdu((PAN, BROADCAST), (PAN, 1), ack=False)
POLL = psdu((PAN, 2), (PAN, 1), frame_type=FrameType.COMMAND, payload=b"\x04")


class Lab:
    """One air, and what happened on it, with times."""

    def __init__(self, **stations: RadioSettings) -> None:
        self.seen: list[SeenFrame] = []
        self.air = VirtualAir(random.Random(3), tap=self.seen.append)
        self.told: list[tuple[float, str, Received | Transmitted]] = []
        for name, settings in stations.items():
            self.air.submit(name, settings, 0.0)

    def run(self) -> None:
        while (now := self.air.deadline()) is not None:
            self.told += [(now, name, pdu) for name, pdu in self.air.wake(now)]

    def of(self, name: str, kind: type) -> list[tuple[float, Any]]:
        return [(at, pdu) for at, who, pdu in self.told if who == name and isinstance(pdu, kind)]


def station(short: int, ieee: Eui64, **changes: Any) -> RadioSettings:
    return RadioSettings(**{"channel": CHANNEL, "pan_id": PAN, "short_address": short, "extended_address": ieee, **changes})


def pair(**far: Any) -> Lab:
    return Lab(near=station(1, NEAR), far=station(2, FAR, **far))


def test_a_unicast_is_heard_and_acknowledged_in_time() -> None:
    lab = pair()
    lab.air.submit("near", Transmit(UNICAST, 7), 0.0)
    lab.run()
    [(heard, received)] = lab.of("far", Received)
    [(done, transmitted)] = lab.of("near", Transmitted)
    assert received.psdu == UNICAST
    assert transmitted == Transmitted(7, "ok", False)
    assert done - heard == pytest.approx(TURNAROUND + airtime(bytes(5)))
    assert airtime(UNICAST) < heard < airtime(UNICAST) + 8 * BACKOFF + 400e-6
    assert [frame.sender for frame in lab.seen] == ["near", "far"]


def test_airtime_is_32_microseconds_an_octet_with_the_physical_header() -> None:
    assert airtime(bytes(127)) == pytest.approx(4.256e-3)


def test_nobody_there_means_three_retries_and_no_ack() -> None:
    lab = pair(receiver_on=False)
    lab.air.submit("near", Transmit(UNICAST, 1), 0.0)
    lab.run()
    assert len(lab.seen) == 4
    assert [pdu.status for _, pdu in lab.of("near", Transmitted)] == ["no_ack"]
    gaps = [later.time - earlier.time for earlier, later in zip(lab.seen, lab.seen[1:], strict=False)]
    assert all(gap >= ACK_WAIT + airtime(UNICAST) for gap in gaps)


def test_retries_are_as_many_as_asked_for() -> None:
    lab = pair(receiver_on=False)
    lab.air.submit("near", Transmit(UNICAST, 1, retries=0), 0.0)
    lab.run()
    assert len(lab.seen) == 1


def test_a_lost_acknowledgement_is_a_retransmission_that_is_heard_twice() -> None:
    lab = pair()
    with lab.air.suffering(drop(lambda frame: len(frame.octets) == ACK_LENGTH)):
        lab.air.submit("near", Transmit(UNICAST, 1), 0.0)
        lab.run()
    assert len(lab.of("far", Received)) == 2
    assert [frame.fate for frame in lab.seen] == ["arrived", "lost", "arrived", "arrived"]
    assert [pdu.status for _, pdu in lab.of("near", Transmitted)] == ["ok"]


@pytest.mark.parametrize(("pending_for", "pending"), [(frozenset(), False), (frozenset({1}), True), (frozenset({NEAR}), False)])
def test_a_poll_is_acknowledged_with_frame_pending_for_whom_a_frame_waits(pending_for: frozenset[int], pending: bool) -> None:
    lab = pair(pending_for=pending_for)
    lab.air.submit("near", Transmit(POLL, 1), 0.0)
    lab.run()
    assert [pdu.frame_pending for _, pdu in lab.of("near", Transmitted)] == [pending]


def test_frame_pending_is_for_polls_alone() -> None:
    lab = pair(pending_for=frozenset({1}))
    lab.air.submit("near", Transmit(UNICAST, 1), 0.0)
    lab.run()
    assert [pdu.frame_pending for _, pdu in lab.of("near", Transmitted)] == [False]


def test_a_promiscuous_radio_hears_everything_and_acknowledges_nothing() -> None:
    lab = Lab(near=station(1, NEAR), far=station(2, FAR), ear=station(9, Eui64(9), promiscuous=True))
    lab.air.submit("near", Transmit(UNICAST, 1), 0.0)
    lab.run()
    assert [len(pdu.psdu) for _, pdu in lab.of("ear", Received)] == [len(UNICAST), 5]
    lab.air.submit("far", RadioSettings(receiver_on=False), 1.0)
    lab.air.submit("near", Transmit(UNICAST, 2), 1.0)
    lab.run()
    assert lab.of("near", Transmitted)[-1][1].status == "no_ack"


def test_another_channel_is_another_world() -> None:
    lab = pair(channel=CHANNEL + 1)
    lab.air.submit("near", Transmit(TO_ALL, 1), 0.0)
    lab.run()
    assert lab.of("far", Received) == []
    assert [frame.channel for frame in lab.seen] == [CHANNEL]


def test_a_frame_with_a_wrong_fcs_is_heard_by_nobody() -> None:
    lab = pair()
    lab.air.submit("near", Transmit(UNICAST[:-1] + bytes([UNICAST[-1] ^ 1]), 1, retries=0), 0.0)
    lab.run()
    assert lab.of("far", Received) == []
    assert lab.seen[0].fate == "arrived"


def test_stations_take_turns() -> None:
    """Clear channel assessment keeps transmissions apart, acknowledgements included."""
    stations = {f"s{number}": station(number, Eui64(number)) for number in range(1, 6)}
    lab = Lab(**stations, sink=station(99, Eui64(99)))
    for number in range(1, 6):
        lab.air.submit(f"s{number}", Transmit(psdu((PAN, 99), (PAN, number)), 1), 0.0)
    lab.run()
    spans = [(frame.time - airtime(frame.psdu), frame.time) for frame in lab.seen]
    assert all(earlier[1] <= later[0] + 1e-9 for earlier, later in pairwise(spans))
    assert [pdu.status for number in range(1, 6) for _, pdu in lab.of(f"s{number}", Transmitted)] == ["ok"] * 5


def test_a_channel_that_stays_busy_is_reported() -> None:
    lab = pair()
    for count in range(60):
        lab.air.submit("far", Transmit(psdu((PAN, BROADCAST), (PAN, 2), ack=False, payload=bytes(100)), count, csma=False), 0.0)
    for count in range(20):
        lab.air.submit("near", Transmit(UNICAST, count, retries=0), 0.0)
    lab.run()
    assert "channel_busy" in {pdu.status for _, pdu in lab.of("near", Transmitted)}


@pytest.mark.parametrize(("retries", "status"), [(0, "channel_busy"), (3, "ok")])
def test_a_frame_that_finds_the_channel_busy_is_tried_again_before_what_comes_behind_it(retries: int, status: str) -> None:
    lab = pair()
    for count in range(10):
        lab.air.submit("far", Transmit(psdu((PAN, BROADCAST), (PAN, 2), ack=False, payload=bytes(100)), count, csma=False), 0.0)
    for handle in (1, 2):
        lab.air.submit("near", Transmit(UNICAST, handle, retries=retries), 0.0)
    lab.run()
    assert next(pdu for _, pdu in lab.of("near", Transmitted)) == Transmitted(1, status)


def test_power_off_empties_the_queue() -> None:
    lab = pair()
    lab.air.submit("near", Transmit(UNICAST, 1), 0.0)
    lab.air.switch_off("near")
    lab.run()
    assert lab.seen == []
    assert lab.told == []


def test_an_injected_frame_is_heard_and_acknowledged_as_any_other() -> None:
    lab = pair()
    lab.air.inject(UNICAST, CHANNEL, 1.0)
    lab.run()
    assert [pdu.psdu for _, pdu in lab.of("far", Received)] == [UNICAST]
    assert [frame.sender for frame in lab.seen] == ["injected", "far"]


HERE = station(2, FAR)
COORDINATOR = station(0, FAR)
UNASSOCIATED = RadioSettings(channel=CHANNEL, extended_address=FAR)
ACCEPTANCE = [  # settings, destination, source, frame type, accepted
    (HERE, (PAN, 2), (PAN, 1), FrameType.DATA, True),
    (HERE, (PAN, 3), (PAN, 1), FrameType.DATA, False),
    (HERE, (PAN + 1, 2), (PAN, 1), FrameType.DATA, False),
    (HERE, (BROADCAST, 2), (PAN, 1), FrameType.DATA, True),
    (HERE, (PAN, BROADCAST), (PAN, 1), FrameType.DATA, True),
    (HERE, (PAN, FAR), (PAN, 1), FrameType.DATA, True),
    (HERE, (PAN, NEAR), (PAN, 1), FrameType.DATA, False),
    (HERE, (BROADCAST, BROADCAST), None, FrameType.COMMAND, True),  # beacon request
    (HERE, None, (PAN, 0), FrameType.BEACON, True),
    (HERE, None, (PAN + 1, 0), FrameType.BEACON, False),
    (UNASSOCIATED, None, (PAN + 1, 0), FrameType.BEACON, True),
    (UNASSOCIATED, (PAN, FAR), (PAN, NEAR), FrameType.COMMAND, False),
    (HERE, None, (PAN, NEAR), FrameType.COMMAND, False),  # for the PAN coordinator
    (COORDINATOR, None, (PAN, NEAR), FrameType.COMMAND, True),
    (COORDINATOR, None, (PAN + 1, NEAR), FrameType.COMMAND, False),
    (HERE, None, None, FrameType.ACK, False),
]


@pytest.mark.parametrize(("settings", "dest", "source", "frame_type", "accepted"), ACCEPTANCE)
def test_the_third_level_filter(settings: RadioSettings, dest: Any, source: Any, frame_type: FrameType, accepted: bool) -> None:
    frame = glance(psdu(dest, source, frame_type=frame_type))
    assert frame is not None
    assert accepts(settings, frame) is accepted


@pytest.mark.parametrize("octets", [b"", b"\x02\x00", UNICAST[:10], b"\x01\x04\x00\x00\x00\x00\x00"])
def test_a_header_that_cannot_be_read_is_no_header(octets: bytes) -> None:
    assert glance(octets) is None


def test_the_glance_agrees_with_the_dissector() -> None:
    for address in [((PAN, 2), (PAN, 1)), ((PAN, FAR), (PAN, NEAR)), ((PAN, 0), (BROADCAST, NEAR)), (None, (PAN, 0))]:
        octets = psdu(*address)
        quick, whole = glance(octets), decode(octets).mac
        assert quick is not None
        assert whole is not None
        assert quick.dest_pan == whole.dest_pan
        assert quick.dest == (whole.dest_short if whole.dest_ieee is None else whole.dest_ieee)
        assert quick.source == (whole.source_short if whole.source_ieee is None else whole.source_ieee)
    assert fcs(UNICAST[:-2]) == UNICAST[-2:]
