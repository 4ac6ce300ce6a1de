"""The APS layer of a node: acknowledgements, retries, duplicates, link keys, commands; every state of a transmission."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import pytest

from dissectors.aps import Aps, FrameType, KeyType, RemoveDevice, SwitchKey, TransportKey, UpdateDevice
from dissectors.frame import Frame
from dissectors.layer import Record
from dissectors.nwk import AuxiliaryHeader, BroadcastAddress, KeyIdentifier
from harness.faults import corrupt, drop, replay
from harness.stack import transmission
from harness.stack.core import Core
from harness.stack.policy import Policy
from harness.stack.primitives import AsduConfirm, AsduIndication, CommandIndication, CommandRequest, LinkKeyKind
from harness.stack.transmission import SendEvent, SendState, Transmission
from harness.tests.virtual_party import ESI, LINK_KEY, NETWORK_KEY, PCT, Party, asdu, transport_key

CBKE_KEY = bytes.fromhex("86d58aaa998e2faefaf9fef49606543a")


@pytest.fixture
def party() -> Party:
    return Party()


def registered(party: Party, esi_policy: Policy | None = None, pct_policy: Policy | None = None) -> tuple[Core, Core]:
    """And both share a link key as if made by key establishment."""
    esi, pct = party.pair(esi_policy, pct_policy)
    esi.install_link_key(PCT, CBKE_KEY, LinkKeyKind.ESTABLISHED)
    pct.install_link_key(ESI, CBKE_KEY, LinkKeyKind.ESTABLISHED)
    party.keyring.add_link_key(CBKE_KEY, PCT)
    return esi, pct


def aps_frames(party: Party, sender: str, frame_type: FrameType = FrameType.DATA) -> list[Frame]:
    return party.frames(lambda frame: frame.aps is not None and frame.aps.frame_type == frame_type, sender)


def headers(party: Party, sender: str, frame_type: FrameType = FrameType.DATA) -> list[Record]:
    return [frame.aps for frame in aps_frames(party, sender, frame_type) if frame.aps is not None]


@pytest.mark.parametrize("state", SendState)
@pytest.mark.parametrize("event", SendEvent)
def test_every_send_state_takes_every_event(state: SendState, event: SendEvent) -> None:
    machine = Transmission(1, 0, None, Aps.of(), (b"",), None, state=state)
    moved = machine.happened(event)
    assert moved == ((state, event) in transmission.TRANSITIONS)
    assert machine.state is transmission.TRANSITIONS.get((state, event), state)


def test_every_end_has_a_status() -> None:
    ends = {event for (_, event), state in transmission.TRANSITIONS.items() if state is SendState.DONE}
    assert ends == set(transmission.STATUS)


# -- acknowledgements


def test_an_acknowledgement_exchanges_endpoints_and_copies_the_rest(party: Party) -> None:
    _, pct = party.pair()
    handle = pct.data(asdu(0, b"hello"), party.now)
    party.run(1.0)
    [data], [ack] = headers(party, "pct"), headers(party, "esi", FrameType.ACK)
    assert (ack.dest_endpoint, ack.source_endpoint) == (data.source_endpoint, data.dest_endpoint) == (1, 2)
    assert (ack.cluster, ack.profile, ack.counter) == (data.cluster, data.profile, data.counter)
    assert not ack.ack_format
    assert not ack.ack_request
    assert party.last("pct", AsduConfirm) == AsduConfirm(handle, "success")


def test_without_ack_request_there_is_none(party: Party) -> None:
    _, pct = party.pair()
    pct.data(asdu(0, b"hello", ack=False), party.now)
    party.run(1.0)
    assert headers(party, "esi", FrameType.ACK) == []
    assert party.last("pct", AsduConfirm).status == "success"


def test_three_retries_and_then_no_more(party: Party) -> None:
    _, pct = registered(party, Policy(acknowledges=False))
    pct.data(asdu(0, b"hello", link_key=True), party.now)
    party.run(20.0)
    sent = [seen for seen in party.seen if seen.sender == "pct" and seen.frame.aps is not None]
    gaps = [later.time - earlier.time for earlier, later in pairwise(sent)]
    assert gaps == pytest.approx([1.6, 1.6, 1.6], abs=0.02)
    assert len({seen.frame.aps.counter for seen in sent if seen.frame.aps}) == 1
    assert [seen.frame.aps.security.frame_counter for seen in sent if seen.frame.aps] == [0, 1, 2, 3]
    assert party.last("pct", AsduConfirm).status == "no_ack"
    assert party.received("esi") == [b"hello"]  # once, however often it came


def is_ack(frame: Frame) -> bool:
    return frame.aps is not None and frame.aps.frame_type == FrameType.ACK


@pytest.mark.parametrize("again", [True, False])
def test_a_lost_acknowledgement_is_a_retry_and_one_delivery(party: Party, again: bool) -> None:
    _, pct = party.pair(Policy(acknowledges_duplicates=again))
    with party.air.suffering(drop(is_ack)):
        pct.data(asdu(0, b"hello"), party.now)
        party.run(10.0)
    assert party.received("esi") == [b"hello"]
    assert party.last("pct", AsduConfirm).status == ("success" if again else "no_ack")


def test_a_node_may_take_duplicates(party: Party) -> None:
    _, pct = party.pair(Policy(rejects_duplicates=False))
    with party.air.suffering(drop(is_ack)):
        pct.data(asdu(0, b"hello"), party.now)
        party.run(10.0)
    assert party.received("esi") == [b"hello"] * 2


def test_a_lost_frame_is_sent_again(party: Party) -> None:
    _, pct = party.pair()
    with party.air.suffering(drop(lambda frame: frame.aps is not None, sender="pct", times=2)):
        pct.data(asdu(0, b"hello"), party.now)
        party.run(10.0)
    assert party.received("esi") == [b"hello"]
    assert party.last("pct", AsduConfirm).status == "success"


WRONG = [{"counter": 99}, {"cluster": 1}, {"source_endpoint": 9}]


@pytest.mark.parametrize("field", WRONG)
def test_an_acknowledgement_of_something_else_is_none(party: Party, field: dict[str, int]) -> None:
    def wrong(record: Record) -> Record:
        return record.replace(**field) if record.is_a(Aps) and record.frame_type == FrameType.ACK else record

    _, pct = party.pair(Policy(rewrites=(wrong,)))
    pct.data(asdu(0, b"hello"), party.now)
    party.run(10.0)
    assert party.last("pct", AsduConfirm).status == "no_ack"


def test_a_sleeping_device_fetches_its_acknowledgement_quickly(party: Party) -> None:
    _, pct = party.pair(sleepy=True)
    started = party.now
    pct.data(asdu(0, b"hello"), party.now)
    assert party.run(5.0, lambda: party.last("pct", AsduConfirm) is not None)
    assert party.now - started < 0.5


def test_the_timer_for_a_sleeping_device_runs_from_its_poll(party: Party) -> None:
    esi, pct = party.pair(sleepy=True)
    party.run(1.0)
    esi.data(asdu(pct.short_address, b"hello"), party.now)
    party.run(9.0)
    assert party.last("esi", AsduConfirm).status == "success"
    assert len(headers(party, "esi")) == 1


def test_a_broadcast_asks_for_no_acknowledgement(party: Party) -> None:
    esi, _ = party.pair()
    esi.data(asdu(BroadcastAddress.ALL, b"all"), party.now)
    party.run(1.0)
    [header] = headers(party, "esi")
    assert (header.ack_request, header.delivery_mode) == (0, 2)
    assert party.last("pct", AsduIndication).broadcast
    assert headers(party, "pct", FrameType.ACK) == []


# -- link keys


def test_data_under_the_link_key_both_ways(party: Party) -> None:
    esi, pct = registered(party)
    pct.data(asdu(0, b"up", link_key=True), party.now)
    esi.data(asdu(pct.short_address, b"down", link_key=True), party.now)
    party.run(2.0)
    for name in ("esi", "pct"):
        assert party.last(name, AsduIndication).key is LinkKeyKind.ESTABLISHED
        assert party.last(name, AsduConfirm).status == "success"
        [data] = aps_frames(party, name)
        assert data.security.aps == "ok"
        assert data.aps is not None
        assert not data.aps.security.extended_nonce
        assert data.aps.security.frame_counter == 0 or name == "esi"
        assert headers(party, name, FrameType.ACK)[0].security.key_identifier == KeyIdentifier.DATA


def test_network_security_alone_says_so(party: Party) -> None:
    _, pct = registered(party)
    pct.data(asdu(0, b"up"), party.now)
    party.run(1.0)
    assert party.last("esi", AsduIndication).key is None
    assert party.last("esi", AsduIndication).source_ieee == PCT


def test_the_preconfigured_key_serves_until_there_is_another(party: Party) -> None:
    _, pct = party.pair()
    pct.data(asdu(0, b"up", link_key=True), party.now)
    party.run(1.0)
    assert party.last("esi", AsduIndication).key is LinkKeyKind.PRECONFIGURED


@pytest.mark.parametrize("secures", [True, False])
def test_whether_acknowledgements_are_secured_is_a_decision(party: Party, secures: bool) -> None:
    _, pct = registered(party, Policy(secures_acknowledgements=secures))
    pct.data(asdu(0, b"up", link_key=True), party.now)
    party.run(1.0)
    [ack] = headers(party, "esi", FrameType.ACK)
    assert bool(ack.security_enabled) is secures
    assert party.last("pct", AsduConfirm).status == "success"


def test_no_key_no_frame(party: Party) -> None:
    esi, pct = party.pair()
    esi.forget_link_key(PCT)
    handle = esi.data(asdu(pct.short_address, b"x", link_key=True), party.now)
    party.run(1.0)
    assert party.status("esi", handle) == "no_key"
    assert headers(party, "esi") == []


def test_what_began_under_an_established_key_is_not_sent_again_under_an_install_code_key(party: Party) -> None:
    esi, pct = registered(party)
    with party.air.suffering(drop(Aps, times=None)):
        handle = esi.data(asdu(pct.short_address, b"x", link_key=True), party.now)
        party.run(1.0)
        tries = len(headers(party, "esi"))
        esi.install_link_key(PCT, LINK_KEY, LinkKeyKind.PRECONFIGURED)
        party.run(10.0)
    assert party.status("esi", handle) == "no_key"
    assert len(headers(party, "esi")) == tries > 0


@pytest.mark.parametrize(("checks", "delivered"), [(True, 1), (False, 2)])
def test_an_aps_replay_is_refused(party: Party, checks: bool, delivered: int) -> None:
    _, pct = registered(party, Policy(checks_nwk_counter=False, checks_aps_counter=checks))
    with party.air.suffering(replay(sender="pct", after=20.0)):
        pct.data(asdu(0, b"once", link_key=True, ack=False), party.now)
        party.run(30.0)
    assert party.received("esi") == [b"once"] * delivered


@pytest.mark.parametrize(("largest", "delivered"), [(None, [b"near", b"far"]), (1000, [b"near"])])
def test_any_greater_aps_counter_is_taken(party: Party, largest: int | None, delivered: list[bytes]) -> None:
    _, pct = registered(party, Policy(largest_aps_jump=largest))
    pct.data(asdu(0, b"near", link_key=True, ack=False), party.now)
    party.run(1.0)
    memory = pct.snapshot()
    memory.link_keys.held[ESI].counters.outgoing += 4096
    pct.restore(memory, party.now)
    pct.data(asdu(0, b"far", link_key=True, ack=False), party.now)
    party.run(1.0)
    assert party.received("esi") == delivered


@pytest.mark.parametrize(("checks", "delivered"), [(True, 0), (False, 1)])
def test_a_bad_aps_mic_has_no_effect(party: Party, checks: bool, delivered: int) -> None:
    """Under a wrong key: the network key is right, the link key is another's."""
    esi, pct = registered(party, Policy(checks_aps_mic=checks))
    esi.install_link_key(PCT, bytes(16), LinkKeyKind.ESTABLISHED)
    pct.data(asdu(0, b"x", link_key=True, ack=False), party.now)
    party.run(1.0)
    assert len(party.received("esi")) == delivered
    assert b"x" not in party.received("esi")


def test_a_corrupted_secured_frame_has_no_effect_and_is_sent_again(party: Party) -> None:
    _, pct = registered(party)
    with party.air.suffering(corrupt(sender="pct")):
        pct.data(asdu(0, b"x", link_key=True), party.now)
        party.run(5.0)
    assert party.received("esi") == [b"x"]
    assert party.last("pct", AsduConfirm).status == "success"


def test_rewrites_see_the_auxiliary_header_before_it_is_sealed(party: Party) -> None:
    def extended(record: Record) -> Record:
        if record.is_a(AuxiliaryHeader) and record.key_identifier == KeyIdentifier.DATA:
            return record.replace(extended_nonce=1, source_ieee=PCT)
        return record

    _, pct = registered(party, pct_policy=Policy(rewrites=(extended,)))
    pct.data(asdu(0, b"x", link_key=True), party.now)
    party.run(1.0)
    assert party.received("esi") == [b"x"]
    assert aps_frames(party, "pct")[0].security.aps == "ok"


# -- commands


def test_the_network_key_travels_under_the_key_transport_key(party: Party) -> None:
    party.pair()
    [frame] = party.frames(lambda frame: frame.find(TransportKey) is not None)
    assert frame.nwk is not None
    assert frame.aps is not None
    assert not frame.nwk.security_enabled
    assert frame.aps.security.key_identifier == KeyIdentifier.KEY_TRANSPORT
    assert frame.aps.security.extended_nonce
    assert frame.security.aps == "ok"
    command = TransportKey.of(key=NETWORK_KEY, dest=PCT, source=ESI)
    assert party.last("pct", CommandIndication) == CommandIndication(0, ESI, command, KeyIdentifier.KEY_TRANSPORT, False)


@pytest.mark.parametrize("key_identifier", [None, KeyIdentifier.DATA, KeyIdentifier.KEY_LOAD])
def test_how_a_command_was_secured_is_told(party: Party, key_identifier: int | None) -> None:
    esi, pct = party.pair()
    command = TransportKey.of(key_type=KeyType.APPLICATION_LINK_KEY, key=CBKE_KEY, partner=PCT, initiator=1)
    esi.command(CommandRequest(pct.short_address, PCT, command, key_identifier), party.now)
    party.run(1.0)
    assert party.last("pct", CommandIndication) == CommandIndication(0, ESI, command, key_identifier, True)


@pytest.mark.parametrize("command", [
    SwitchKey.of(key_sequence=1), RemoveDevice.of(target=PCT), UpdateDevice.of(device=PCT, short_address=1, status=1),
])
def test_commands_can_be_acknowledged(party: Party, command: Record) -> None:
    esi, pct = registered(party)
    esi.command(CommandRequest(pct.short_address, PCT, command, KeyIdentifier.DATA, ack=True), party.now)
    party.run(1.0)
    assert party.last("pct", CommandIndication).command == command
    assert party.last("esi", AsduConfirm).status == "success"
    [ack] = headers(party, "pct", FrameType.ACK)
    assert ack.ack_format
    assert ack.cluster is None


def test_a_broadcast_command(party: Party) -> None:
    esi, _ = party.pair()
    esi.command(CommandRequest(BroadcastAddress.ALL, PCT, SwitchKey.of(key_sequence=0), None), party.now)
    party.run(1.0)
    assert party.last("pct", CommandIndication).command.key_sequence == 0


@pytest.mark.parametrize("sleepy", [False, True])
def test_a_device_with_another_key_gets_nothing(party: Party, sleepy: bool) -> None:
    esi = party.formed()
    pct = party.device(sleepy=sleepy)
    party.associated()
    pct.install_link_key(None, CBKE_KEY, LinkKeyKind.PRECONFIGURED)
    esi.install_link_key(PCT, LINK_KEY, LinkKeyKind.PRECONFIGURED)
    esi.command(transport_key(esi, PCT), party.now)
    party.run(3.0)
    assert party.all("pct", CommandIndication) == []
    assert pct.network_key is None


def test_a_new_join_takes_a_key_whose_counter_started_again(party: Party) -> None:
    """The window was opened anew: the trust centre's counter is 0 once more."""
    esi, pct = party.pair()
    party.associated()
    assert pct.network_key is None
    esi.install_link_key(PCT, LINK_KEY, LinkKeyKind.PRECONFIGURED)
    esi.command(transport_key(esi, PCT), party.now)
    party.run(1.0)
    assert len(party.all("pct", CommandIndication)) == 2


@pytest.mark.parametrize("change", [{"delivery_mode": 1}, {"frame_type": 3}])
def test_a_frame_of_another_kind_is_dropped(party: Party, change: dict[str, Any]) -> None:
    def other(record: Record) -> Record:
        return record.replace(**change) if record.is_a(Aps) else record

    _, pct = party.pair(pct_policy=Policy(rewrites=(other,)))
    pct.data(asdu(0, b"x", ack=False), party.now)
    party.run(1.0)
    assert party.received("esi") == []
