"""Faults do to the air what their names say, to the frames chosen and to no others."""

from __future__ import annotations

import pytest

from dissectors.aps import Aps, FrameType, TransportKey
from dissectors.frame import encode_mpdu
from dissectors.layer import encode
from dissectors.mac import AssociationRequest, BeaconRequest, Mac, fcs
from dissectors.nwk import Nwk
from harness.faults import (
    Fault,
    SeenFrame,
    corrupt,
    delay,
    drop,
    duplicate,
    replay,
    silence,
    spoil_acknowledgements,
    too_late,
    until,
)
from harness.stack.primitives import AssociateConfirm, JoinIndication
from harness.stack.startup import SECURITY_TIMEOUT
from harness.tests.virtual_party import CHANNEL, NETWORK_KEY, PCT, Party, asdu

BEACON_REQUEST = bytes.fromhex("030864ffffffff07")
FRAME = BEACON_REQUEST + fcs(BEACON_REQUEST)


def seen(time: float = 1.0, sender: str = "pct", psdu: bytes = FRAME) -> SeenFrame:
    return SeenFrame(1, time, CHANNEL, sender, psdu)


def test_drop_acts_so_many_times_and_then_no_more() -> None:
    fault = drop(BeaconRequest, times=2, skip=1)
    assert [fault(seen(time)) for time in (1, 2, 3, 4)] == [None, [], [], None]


def test_drop_without_a_limit_never_ends() -> None:
    fault = drop(times=None)
    assert [fault(seen(time)) for time in range(5)] == [[]] * 5


def test_a_retransmission_shares_the_fate_of_its_first_transmission() -> None:
    fault = drop(BeaconRequest, times=1)
    assert [fault(seen(time)) for time in (1.0, 1.005, 1.01, 2.0)] == [[], [], [], None]


@pytest.mark.parametrize(("fault", "arrivals"), [
    (duplicate(after=0.5), [(0.0, FRAME), (0.5, FRAME)]),
    (delay(by=2.0), [(2.0, FRAME)]),
    (replay(after=60.0), [(0.0, FRAME), (60.0, FRAME)]),
    (drop(AssociationRequest), None),
    (drop(sender="esi"), None),
    (drop(lambda frame: frame.pan == 0xFFFF), []),
])
def test_what_arrives(fault: Fault, arrivals: list[tuple[float, bytes]] | None) -> None:
    assert fault(seen()) == arrivals


def test_a_delayed_frame_is_the_only_one_that_arrives() -> None:
    fault = delay(by=2.0)
    assert [fault(seen(time)) for time in (1.0, 1.005)] == [[(2.0, FRAME)], []]


def test_a_fault_lasts_until_so_many_frames_have_gone_by() -> None:
    fault = until(BeaconRequest, drop(BeaconRequest, times=None), times=3)
    assert [fault(seen(time)) for time in (1.0, 1.005, 2.0, 3.0, 4.0)] == [[], [], [], None, None]


def test_what_comes_too_late_comes_when_a_joining_device_has_given_up() -> None:
    arrivals = too_late(BeaconRequest)(seen())
    assert arrivals is not None
    assert [wait > SECURITY_TIMEOUT for wait, _ in arrivals] == [True]


def acknowledgement(cluster: int, sequence: int, frame_type: int = FrameType.ACK) -> bytes:
    inner = encode(Nwk.of(sequence=sequence)) + encode(Aps.of(frame_type=frame_type, cluster=cluster, counter=7))
    return encode_mpdu(Mac.of(frame_type=1, dest_mode=2, source_mode=2, pan_id_compression=1, dest_pan=1), inner)


def test_the_first_acknowledgement_of_each_frame_of_a_cluster_is_spoilt() -> None:
    fault = spoil_acknowledgements(0x0800, sender="pct")
    first, second = acknowledgement(0x0800, 1), acknowledgement(0x0800, 2)
    spoilt = fault(seen(psdu=first))
    assert spoilt is not None
    assert spoilt[0][1] != first
    assert len(spoilt[0][1]) == len(first)
    assert fault(seen(psdu=first)) == spoilt  # transmitted again by the MAC
    assert fault(seen(psdu=second)) is None  # of the repeated frame
    others = [acknowledgement(0x0700, 3), acknowledgement(0x0800, 4, FrameType.DATA), FRAME]
    assert [fault(seen(psdu=other)) for other in others] == [None] * 3
    assert fault(seen(sender="esi", psdu=acknowledgement(0x0800, 5))) is None


@pytest.mark.parametrize("right", [True, False])
def test_corrupt_flips_what_it_is_told_to(right: bool) -> None:
    arrivals = corrupt(octet=2, flip=0x0F, fcs_right=right)(seen())
    assert arrivals is not None
    [(wait, psdu)] = arrivals
    assert wait == 0.0
    assert psdu[2] == FRAME[2] ^ 0x0F
    assert psdu[:2] + psdu[3:-2] == FRAME[:2] + FRAME[3:-2]
    assert (fcs(psdu[:-2]) == psdu[-2:]) is right


def test_silence_has_a_beginning_and_an_end_and_a_sender() -> None:
    fault = silence("pct", 1.0, 2.0)
    assert [fault(seen(time)) for time in (0.5, 1.0, 2.0, 2.5)] == [None, [], [], None]
    assert fault(seen(1.5, "esi")) is None


def test_no_fault_takes_an_acknowledgement_for_a_frame() -> None:
    ack = bytes.fromhex("020064") + fcs(bytes.fromhex("020064"))
    assert drop()(seen(psdu=ack)) is None


def test_faults_see_through_encryption() -> None:
    party = Party()
    party.formed()
    party.device()
    party.associated()
    with party.air.suffering(drop(TransportKey, times=None)):
        party.give_key()
    assert party.nodes["pct"].network_key is None
    assert [frame.fate for frame in party.seen if frame.frame.find(TransportKey)] == ["lost"] * 4
    party.give_key()
    assert party.nodes["pct"].network_key == (NETWORK_KEY, 0)


def test_suffering_ends_with_its_context() -> None:
    party = Party()
    party.formed()
    party.device()
    with party.air.suffering(silence("pct")):
        party.nodes["pct"].scan((CHANNEL,), party.now)
        party.run(1.0)
    assert party.last("pct", AssociateConfirm) is None
    assert party.air.faults == []
    assert party.found().pan_id


def test_the_tap_tells_what_was_sent_from_what_arrived() -> None:
    party = Party()
    party.formed()
    party.device()
    network = party.found()
    party.seen.clear()
    with party.air.suffering(corrupt(AssociationRequest, fcs_right=False, times=None)):
        party.nodes["pct"].associate(network, party.now)
        party.run(2.0)
    assert party.last("pct", AssociateConfirm).status is None
    sent, arrived = party.seen[0], party.seen[1]
    assert (sent.fate, arrived.fate) == ("altered", "arrived")
    assert arrived.instead_of == sent.number
    assert sent.psdu != arrived.psdu


def test_a_duplicate_of_a_secured_frame_has_no_effect() -> None:
    party = Party()
    esi, pct = party.formed(), party.device()
    party.joined()
    with party.air.suffering(duplicate(sender="pct")):
        pct.data(asdu(esi.short_address, b"once"), party.now)
        party.run(1.0)
    assert party.received("esi") == [b"once"]
    assert len(party.all("esi", JoinIndication)) == 1
    assert party.last("esi", JoinIndication).device == PCT
