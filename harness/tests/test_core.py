"""The core as a whole: a long day of a small network, seen from the air, from the policy and from the bench."""

from __future__ import annotations

from itertools import pairwise

import pytest

from dissectors.aps import TransportKey
from dissectors.layer import Record
from dissectors.nwk import BroadcastAddress
from harness.errors import LocalProtocolError
from harness.ports import Message, RadioSettings, Transmitted
from harness.stack.core import Core
from harness.stack.policy import Policy
from harness.stack.primitives import AssociateConfirm, NetworkFound
from harness.tests.virtual_party import CHANNEL, EXTENDED_PAN, NETWORK_KEY, PAN, PCT, RX_ON, SWITCH, Party, asdu


def a_day(seed: int = 1, policy: Policy | None = None) -> Party:
    """Two devices join, talk, rejoin, lose power and leave."""
    party = Party(seed)
    esi = party.formed(policy, max_transfer=256)
    pct = party.device(policy=policy)
    switch = party.device("switch", SWITCH, sleepy=True, policy=policy)
    party.joined("pct")
    party.joined("switch")
    for octets in (b"short", bytes(200)):
        pct.data(asdu(0, octets, link_key=True, max_transfer=256), party.now)
        esi.data(asdu(switch.short_address, octets[:100], max_transfer=256), party.now)
        party.run(20.0)
    switch.data(asdu(pct.short_address, b"through the parent"), party.now)
    esi.data(asdu(BroadcastAddress.ALL, b"to all"), party.now)
    pct.data(asdu(BroadcastAddress.RX_ON_WHEN_IDLE, b"to all who listen"), party.now)
    party.run(20.0)
    for secured in (True, False):
        switch.rejoin(party.now, secured=secured)
        party.run(3.0)
    party.give_key("switch")
    memory = pct.snapshot()
    pct = party.device(policy=policy)
    pct.restore(memory, party.now)
    pct.rejoin(party.now)
    party.run(3.0)
    esi.dismiss(PCT, party.now)
    switch.leave(party.now)
    party.run(20.0)
    return party


@pytest.fixture(scope="module")
def day() -> Party:
    return a_day()


def test_every_frame_on_the_air_decodes(day: Party) -> None:
    assert len(day.seen) > 100
    assert [frame.malformed for frame in day.frames() if frame.malformed] == []
    assert {frame.fcs for frame in day.frames()} == {"ok"}
    assert {frame.security.nwk for frame in day.frames()} == {"ok", None}
    assert {frame.security.aps for frame in day.frames()} == {"ok", None}


def test_everything_arrived(day: Party) -> None:
    assert sorted(day.received("pct")) == [b"through the parent", b"to all"]
    assert sorted(day.received("switch")) == [bytes(100), b"short", b"to all"]
    assert day.received("esi") == [b"short", bytes(200), b"to all who listen"]
    assert day.nodes["esi"].children == ()


def test_frame_counters_of_a_stay_only_rise(day: Party) -> None:
    """Both start at 0 again where the network key was accepted anew; here the switch did so once, after its second rejoin."""
    restarts: dict[int, int] = {}
    for name, ieee in (("esi", day.nodes["esi"].ieee), ("pct", PCT), ("switch", SWITCH)):
        frames = [seen.frame for seen in day.seen if seen.sender == name]
        counters = [frame.nwk.security.frame_counter for frame in frames if frame.nwk and frame.nwk.security]
        restarts[ieee] = sum(later < earlier for earlier, later in pairwise(counters))
    assert restarts == {day.nodes["esi"].ieee: 0, PCT: 0, SWITCH: 1}


def test_the_same_seed_gives_the_same_octets_at_the_same_times(day: Party) -> None:
    again = a_day()
    assert [(seen.time, seen.psdu) for seen in again.seen] == [(seen.time, seen.psdu) for seen in day.seen]
    assert [seen.psdu for seen in a_day(seed=2).seen] != [seen.psdu for seen in day.seen]


def test_the_policy_sees_every_structure_before_it_is_sealed() -> None:
    shown: set[str] = set()

    def note(record: Record) -> Record:
        shown.add(record.name)
        return record

    a_day(policy=Policy(rewrites=(note,)))
    assert shown >= {
        "Mac", "Beacon", "BeaconRequest", "AssociationRequest", "AssociationResponse", "DataRequest", "Nwk", "LinkStatus",
        "Leave", "RejoinRequest", "RejoinResponse", "AuxiliaryHeader", "Aps", "TransportKey",
    }


def test_a_header_is_shown_with_what_it_carries() -> None:
    shown: list[Record] = []

    def note(record: Record) -> Record:
        shown.append(record)
        return record

    party = Party()
    party.formed(Policy(rewrites=(note,)))
    party.device()
    party.joined()
    aps = next(record for record in shown if record.name == "Aps")
    assert aps.command.is_a(TransportKey)
    inner = [record.name for record in shown[shown.index(aps) - 1 :]][:4]
    assert inner == ["TransportKey", "Aps", "AuxiliaryHeader", "Nwk"]


@pytest.mark.parametrize("silenced", ["Mac", "Nwk", "Aps", "AuxiliaryHeader"])
def test_a_policy_can_keep_a_node_silent(silenced: str) -> None:
    party = Party()
    esi = party.formed()
    party.device(policy=Policy(rewrites=(lambda record: None if record.name == silenced else record,)))
    if silenced == "Mac":
        party.nodes["pct"].scan((CHANNEL,), party.now)
        party.run(1.0)
        assert party.frames(sender="pct") == []
        return
    pct = party.joined()
    before = len(party.frames(sender="pct"))
    pct.data(asdu(0, b"x"), party.now)
    party.run(10.0)
    assert len(party.frames(sender="pct")) == before
    assert esi.children


def test_settings_come_before_the_frames_they_are_for() -> None:
    party = Party()
    node = party.coordinator()
    node.form(channel=CHANNEL, pan_id=PAN, extended_pan_id=EXTENDED_PAN, network_key=NETWORK_KEY, now=0.0)
    [settings] = node.transmit(0.0)
    assert settings == RadioSettings(CHANNEL, PAN, 0, node.ieee)
    assert node.transmit(0.0) == []


def test_only_a_coordinator_forms_a_network() -> None:
    with pytest.raises(LocalProtocolError):
        Party().device().form(channel=11, pan_id=1, extended_pan_id=EXTENDED_PAN, network_key=NETWORK_KEY, now=0.0)


def test_where_a_node_is() -> None:
    party = Party()
    esi = party.formed()
    pct = party.device()
    assert (pct.channel, pct.pan_id, pct.extended_pan_id, pct.short_address, pct.parent, pct.network_key) == (
        None, None, None, 0xFFFF, None, None
    )
    party.joined()
    assert (pct.channel, pct.pan_id, pct.extended_pan_id, pct.parent) == (CHANNEL, PAN, EXTENDED_PAN, 0)
    assert (esi.short_address, esi.parent) == (0, None)
    assert esi.short_of(PCT) == pct.short_address
    assert pct.ieee_of(0) == esi.ieee
    assert [(child.ieee, child.capability, child.sleepy) for child in esi.children] == [(PCT, RX_ON, False)]


def test_one_thing_at_a_time() -> None:
    party = Party()
    party.formed()
    pct = party.device()
    network: NetworkFound = party.found()
    pct.associate(network, party.now)
    assert pct.is_busy
    with pytest.raises(LocalProtocolError):
        pct.associate(network, party.now)
    with pytest.raises(LocalProtocolError):
        pct.scan((11,), party.now)
    pct.leave(party.now)
    assert not pct.is_busy
    party.run(2.0)
    assert party.all("pct", AssociateConfirm) == []


def test_a_quiet_hour_is_a_few_hundred_frames() -> None:
    party = Party()
    party.formed()
    party.device(sleepy=True)
    party.joined()
    before = len(party.seen)
    party.run(3600.0)
    assert 3600 / 7.5 * 2 * 0.99 < len(party.seen) - before - 240 < 3600 / 7.5 * 2 * 1.01


def test_unknown_pdus_and_stray_confirmations_are_ignored() -> None:
    node = Core(ieee=PCT, capability=RX_ON, chance=Party().chance, policy=Policy(), coordinator=False)
    node.receive(Transmitted(77, "ok"), 0.0)
    node.receive(Message("cim", "a", "b", b""), 0.0)
    assert (node.events(), node.transmit(0.0), node.deadline()) == ([], [], None)
