"""The MAC of a node: letting in, waiting, polling, every state and every event of its tables."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from typing import Any

import pytest

from dissectors.frame import encode_mpdu
from dissectors.layer import Record, encode
from dissectors.mac import (
    BROADCAST,
    AssociationRequest,
    AssociationResponse,
    AssociationStatus,
    Beacon,
    CoordinatorRealignment,
    DataRequest,
    FrameType,
    OrphanNotification,
)
from harness.errors import LocalProtocolError
from harness.faults import drop
from harness.ports import RadioSettings, Received
from harness.stack import joining, polling
from harness.stack.agenda import Agenda
from harness.stack.joining import RESPONSE_WAIT, JoinEvent, Joining, JoinState
from harness.stack.mac import Mac
from harness.stack.mac_frames import IDENTIFIERS, addressed
from harness.stack.policy import Policy
from harness.stack.polling import PollEvent, Polling, PollState
from harness.stack.primitives import AssociateConfirm, JoinIndication, NetworkFound, ScanConfirm
from harness.tests.virtual_party import CHANNEL, EXTENDED_PAN, PAN, PCT, RX_ON, SWITCH, Party, asdu
from harness.values import Eui64


@pytest.fixture
def party() -> Party:
    return Party()


# -- tables


@pytest.mark.parametrize("state", PollState)
@pytest.mark.parametrize("event", PollEvent)
def test_every_poll_state_takes_every_event(state: PollState, event: PollEvent) -> None:
    asked: list[float] = []
    ended: list[PollEvent] = []
    machine = Polling(Agenda(), asked.append, lambda how, now: ended.append(how))
    machine.state = state
    machine.happened(event, 1.0)
    expected = polling.TRANSITIONS.get((state, event), state)
    moved = (state, event) in polling.TRANSITIONS
    assert machine.state is expected
    assert asked == ([1.0] if moved and expected is PollState.ASKING else [])
    assert ended == ([event] if moved and expected is PollState.IDLE else [])


@pytest.mark.parametrize("state", JoinState)
@pytest.mark.parametrize("event", JoinEvent)
def test_every_join_state_takes_every_event(party: Party, state: JoinState, event: JoinEvent) -> None:
    machine = joining_machine(party)
    machine.state = state
    moved = machine._happened(event)
    assert moved == ((state, event) in joining.TRANSITIONS)
    assert machine.state is joining.TRANSITIONS.get((state, event), state)


def joining_machine(party: Party) -> Joining:
    agenda = Agenda()
    mac = Mac(ieee=PCT, chance=party.chance, policy=Policy(), agenda=agenda, sleepy=False)
    return Joining(mac=mac, agenda=agenda, policy=Policy(), capability=RX_ON)


@pytest.mark.parametrize("state", [state for state in JoinState if state is not JoinState.IDLE])
def test_a_busy_node_starts_nothing_else(party: Party, state: JoinState) -> None:
    machine = joining_machine(party)
    machine.state = state
    with pytest.raises(LocalProtocolError):
        machine.scan((11,), lambda networks, now: None, 0.0)


# -- scanning and beacons


def test_a_scan_finds_what_the_coordinator_says_of_itself(party: Party) -> None:
    party.formed()
    party.device()
    party.nodes["pct"].scan((11, CHANNEL, 20), party.now)
    party.run(2.0)
    [network] = party.last("pct", ScanConfirm).networks
    assert network == NetworkFound(
        channel=CHANNEL, pan_id=PAN, extended_pan_id=EXTENDED_PAN, coordinator=0, association_permit=True,
        end_device_capacity=True, router_capacity=True, stack_profile=2, protocol_version=2, update_id=0, lqi=255,
    )
    assert [frame.channel for frame in party.seen if frame.sender == "pct"] == [11, CHANNEL, 20]


@pytest.mark.parametrize("permit", [True, False])
def test_the_beacon_shows_the_permit(party: Party, permit: bool) -> None:
    party.formed().permit_association(permit)
    party.device()
    assert party.found().association_permit is permit


def test_a_policy_may_rewrite_the_beacon(party: Party) -> None:
    def lies(record: Record) -> Record:
        return record.replace(stack_profile=1) if record.is_a(Beacon) else record

    party.formed(Policy(rewrites=(lies,)))
    party.device()
    assert party.found().stack_profile == 1


def test_silence_is_an_empty_scan(party: Party) -> None:
    party.formed(Policy(answers_beacon_requests=False))
    party.device()
    party.nodes["pct"].scan((CHANNEL,), party.now)
    party.run(1.0)
    assert party.last("pct", ScanConfirm).networks == ()


# -- association


def test_association_in_the_preferred_forms(party: Party) -> None:
    party.formed()
    party.device()
    confirm = party.associated()
    assert confirm.status == AssociationStatus.SUCCESS
    assert 0 < confirm.short_address <= 0xFFF7
    controls = {frame.summary(): frame.octets[:2].hex() for frame in party.frames()}
    assert controls["Association Request"] == controls["Data Request"] == "23c8"
    assert controls["Association Response"] == "63cc"
    assert party.last("esi", JoinIndication) == JoinIndication(PCT, confirm.short_address, RX_ON)


def test_the_first_poll_comes_after_the_response_wait_time(party: Party) -> None:
    party.formed()
    party.device()
    party.associated()
    request = next(seen for seen in party.seen if seen.frame.find(AssociationRequest))
    poll = next(seen for seen in party.seen if seen.frame.find(DataRequest))
    assert RESPONSE_WAIT < poll.time - request.time < RESPONSE_WAIT + 0.01


SOURCES = [  # destination and source of an association request and of the poll after it, 05-3474 annex D.3
    ((PAN, 0), (BROADCAST, SWITCH)),
    ((PAN, 0), (PAN, SWITCH)),
    (None, (PAN, SWITCH)),
]


@pytest.mark.parametrize("spelled_out", [False, True], ids=["compressed", "both PANs"])
@pytest.mark.parametrize(("dest", "source"), SOURCES)
def test_a_coordinator_takes_every_form_of_the_request_and_of_the_poll(
    party: Party, dest: tuple[int, int] | None, source: tuple[int, Eui64], spelled_out: bool,
) -> None:
    esi = party.formed()
    party.air.submit("other", RadioSettings(CHANNEL, PAN, BROADCAST, SWITCH), 0.0)
    for command in (AssociationRequest.of(capability=RX_ON), DataRequest.of()):
        header = addressed(FrameType.COMMAND, dest, source, True)
        if spelled_out and header.pan_id_compression:
            header = header.replace(pan_id_compression=0, source_pan=PAN)
        body = bytes([IDENTIFIERS[command.layer]]) + encode(command)
        party.air.inject(encode_mpdu(header, body), CHANNEL, party.now, "other")
        party.run(0.5)
    assert [child.ieee for child in esi.children] == [SWITCH]


def test_with_permit_off_a_request_is_ignored(party: Party) -> None:
    party.formed().permit_association(False)
    party.device()
    assert party.associated().status is None
    assert party.nodes["esi"].children == ()
    assert not party.frames(lambda frame: frame.find(AssociationResponse) is not None)


def test_with_permit_off_a_refusal_is_another_policy(party: Party) -> None:
    party.formed(Policy(closed_association_status=AssociationStatus.PAN_ACCESS_DENIED)).permit_association(False)
    party.device()
    assert party.associated() == AssociateConfirm(AssociationStatus.PAN_ACCESS_DENIED, BROADCAST)


@pytest.mark.parametrize(("honours", "status"), [(True, AssociationStatus.PAN_AT_CAPACITY), (False, AssociationStatus.SUCCESS)])
def test_a_full_house(party: Party, honours: bool, status: AssociationStatus) -> None:
    party.formed(Policy(honours_child_capacity=honours), child_capacity=1)
    party.device()
    party.device("switch", SWITCH)
    party.associated()
    party.run(0.1)
    assert not party.found("switch").end_device_capacity
    assert party.associated("switch").status == status
    assert party.associated("pct").status == AssociationStatus.SUCCESS  # who is in is let in again


def test_a_device_keeps_its_address_as_long_as_it_is_known(party: Party) -> None:
    party.formed()
    party.device()
    first = party.associated()
    assert party.associated() == first


@pytest.mark.parametrize("unique", [True, False])
def test_each_device_gets_its_own_address(party: Party, unique: bool) -> None:
    party.formed(Policy(assigns_unique_addresses=unique))
    party.device()
    party.device("switch", SWITCH)
    assert (party.associated().short_address != party.associated("switch").short_address) is unique


def test_a_device_that_does_not_poll_gets_nothing(party: Party) -> None:
    party.formed()
    party.device(policy=Policy(waits_for_association_response=False))
    assert party.associated().status is None
    party.run(10.0)
    assert party.nodes["esi"].children == ()


def test_a_lost_response_is_a_failed_association_and_the_next_attempt_succeeds(party: Party) -> None:
    party.formed()
    party.device()
    with party.air.suffering(drop(AssociationResponse)):
        assert party.associated().status is None
    assert party.associated().status == AssociationStatus.SUCCESS


def test_nobody_there(party: Party) -> None:
    party.formed()
    party.device().associate(replace(NETWORK, coordinator=7), party.now)
    party.run(2.0)
    assert party.last("pct", AssociateConfirm) == AssociateConfirm(None)


NETWORK = NetworkFound(CHANNEL, PAN, EXTENDED_PAN, 0, True, True, True, 2, 2, 0, 255)


def test_an_orphan_is_taken_back(party: Party) -> None:
    esi = party.formed()
    party.device()
    party.joined()
    for device in (PCT, SWITCH):
        header = addressed(FrameType.COMMAND, (BROADCAST, BROADCAST), (BROADCAST, device), False)
        party.air.inject(encode_mpdu(header, bytes([IDENTIFIERS[OrphanNotification]])), CHANNEL, party.now)
        party.run(0.1)
    [realignment] = party.frames(lambda frame: frame.find(CoordinatorRealignment) is not None)
    assert realignment.mac is not None
    assert realignment.mac.dest_ieee == PCT
    assert realignment.mac.command.short_address == esi.short_of(PCT)


# -- indirect transmission


def test_what_is_for_a_sleeping_child_waits_for_its_poll(party: Party) -> None:
    esi, pct = party.formed(), party.device(sleepy=True)
    party.joined()
    party.run(1.0)
    started = party.now
    esi.data(asdu(pct.short_address, b"wake up"), party.now)
    assert party.run(8.0, lambda: party.received("pct") == [b"wake up"])
    assert party.now - started > 5.0
    poll = [seen for seen in party.seen if seen.frame.find(DataRequest)][-1]
    assert poll.psdu[:2].hex() == "6388"


@pytest.mark.parametrize(("interval", "delivered"), [(7.5, True), (8.5, False)])
def test_it_does_not_wait_longer_than_the_persistence_time(party: Party, interval: float, delivered: bool) -> None:
    esi, pct = party.formed(), party.device(sleepy=True, poll_interval=interval)
    party.joined()
    party.run(1.0)
    last = [seen for seen in party.seen if seen.frame.find(DataRequest)][-1].time
    assert party.run(10.0, lambda: [seen for seen in party.seen if seen.frame.find(DataRequest)][-1].time > last)
    esi.data(asdu(pct.short_address, b"in time", ack=False), party.now)
    party.run(10.0)
    assert party.received("pct") == ([b"in time"] if delivered else [])
    assert party.told["esi"][-1].status == ("success" if delivered else "no_ack")


def test_several_frames_are_fetched_one_after_the_other(party: Party) -> None:
    esi, pct = party.formed(), party.device(sleepy=True)
    party.joined()
    party.run(1.0)
    for octets in (b"one", b"two", b"three"):
        esi.data(asdu(pct.short_address, octets, ack=False), party.now)
    assert party.run(8.0, lambda: party.received("pct") == [b"one", b"two", b"three"])
    waiting = [frame.mac.frame_pending for frame in party.frames(lambda frame: frame.aps is not None, "esi") if frame.mac]
    assert waiting[-3:] == [1, 1, 0]


def test_an_unacknowledged_indirect_frame_keeps_its_sequence_number(party: Party) -> None:
    esi, pct = party.formed(), party.device(sleepy=True)
    party.joined()
    party.run(1.0)
    esi.data(asdu(pct.short_address, b"twice", ack=False), party.now)
    pct.fast_poll(True, party.now)
    with party.air.suffering(drop(lambda frame: frame.aps is not None, sender="esi")):
        assert party.run(3.0, lambda: party.received("pct") == [b"twice"])
    first, second = [seen for seen in party.seen if seen.sender == "esi" and seen.frame.aps is not None][-2:]
    assert (first.fate, second.fate) == ("lost", "arrived")
    assert first.psdu[2] == second.psdu[2]


def test_a_sleeping_radio_is_off_between_polls(party: Party) -> None:
    esi, pct = party.formed(), party.device(sleepy=True)
    party.joined()
    party.run(2.0)
    radio = party.air.radio("pct")
    assert not radio.settings.receiver_on
    esi.data(asdu(pct.short_address, b"x", ack=False), party.now)
    party.run(0.001)
    assert party.air.radio("esi").settings.pending_for == {pct.short_address}
    assert party.run(8.0, lambda: radio.settings.receiver_on)
    party.run(0.5)
    assert not radio.settings.receiver_on
    assert party.received("pct") == [b"x"]
    assert party.air.radio("esi").settings.pending_for == frozenset()


def test_polls_come_at_their_interval_and_fast_when_told(party: Party) -> None:
    party.formed()
    pct = party.device(sleepy=True, poll_interval=5.0)
    party.joined()
    party.run(60.0)
    slow = intervals(party)[-8:]
    pct.fast_poll(True, party.now)
    party.run(5.0)
    fast = intervals(party)[-8:]
    assert all(gap == pytest.approx(5.0, abs=0.02) for gap in slow)
    assert all(gap == pytest.approx(0.25, abs=0.02) for gap in fast)


def intervals(party: Party) -> list[float]:
    polls = [seen.time for seen in party.seen if seen.sender == "pct" and seen.psdu[0] & 7 == FrameType.COMMAND]
    return [later - earlier for earlier, later in pairwise(polls)]


def test_a_receiver_that_is_on_does_not_poll(party: Party) -> None:
    party.formed()
    party.device()
    party.joined()
    before = len(intervals(party))
    party.run(60.0)
    assert len(intervals(party)) == before


@pytest.mark.parametrize("octets", ["", "03", "0308", "2388000000", "03c8aa621a0000ffff", "010800", "ffffffffffffffff"])
def test_rubbish_has_no_effect(party: Party, octets: str) -> None:
    esi = party.formed()
    esi.receive(Received(bytes.fromhex(octets) + b"\x00\x00", CHANNEL), party.now)
    assert esi.events() == []


def test_a_suppressed_request_is_never_sent(party: Party) -> None:
    def mute(record: Record) -> Record | None:
        return None if record.is_a(AssociationRequest) else record

    party.formed()
    party.device(policy=Policy(rewrites=(mute,)))
    network: Any = party.found()
    party.nodes["pct"].associate(network, party.now)
    party.run(2.0)
    assert party.last("pct", AssociateConfirm) == AssociateConfirm(None)
    assert not party.frames(lambda frame: frame.find(AssociationRequest) is not None)
