"""The NWK layer of a node: security and frame counters, broadcasts, forwarding."""

from __future__ import annotations

from itertools import pairwise

import pytest

from dissectors.frame import Frame
from dissectors.layer import Record
from dissectors.nwk import BroadcastAddress, LinkStatus, Nwk
from harness.errors import LocalProtocolError
from harness.faults import corrupt, replay
from harness.stack.broadcasts import BroadcastTable
from harness.stack.core import Core
from harness.stack.counters import INVALID, Counters
from harness.stack.policy import Policy
from harness.stack.primitives import (
    AsduConfirm,
)
from harness.tests.virtual_party import (
    PCT,
    ROUTER,
    SWITCH,
    Party,
    asdu,
)


@pytest.fixture
def party() -> Party:
    return Party()


def nwk_frames(party: Party, sender: str) -> list[Frame]:
    return party.frames(lambda frame: frame.nwk is not None, sender)


def counter_of(node: Core) -> int:
    key = node.snapshot().network_keys.current
    assert key is not None
    return key.counters.outgoing


def advance(node: Core, by: int) -> None:
    """As if the node had sent so many frames that nobody heard."""
    memory = node.snapshot()
    for key in memory.network_keys.held.values():
        key.counters.outgoing += by
    node.restore(memory, 0.0)


# -- security


@pytest.mark.parametrize("sleepy", [False, True])
def test_secured_data_goes_both_ways_under_a_plain_header(party: Party, sleepy: bool) -> None:
    esi, pct = party.pair(sleepy=sleepy)
    pct.data(asdu(0, b"up"), party.now)
    esi.data(asdu(pct.short_address, b"down"), party.now)
    party.run(10.0)
    assert (party.received("esi"), party.received("pct")) == ([b"up"], [b"down"])
    for frame in nwk_frames(party, "esi") + nwk_frames(party, "pct"):
        assert frame.nwk is not None
        if frame.nwk.frame_type == 0:
            assert not frame.nwk.source_ieee_present
            assert not frame.nwk.dest_ieee_present
            assert frame.nwk.radius == 30


def test_counters_start_at_0_with_the_key_and_rise_by_one(party: Party) -> None:
    _, pct = party.pair()
    for octets in (b"a", b"b", b"c"):
        pct.data(asdu(0, octets), party.now)
        party.run(1.0)
    counters = [frame.nwk.security.frame_counter for frame in nwk_frames(party, "pct") if frame.nwk and frame.nwk.security]
    assert counters == [0, 1, 2]


@pytest.mark.parametrize(("checks", "delivered"), [(True, 1), (False, 2)])
def test_a_replay_is_refused(party: Party, checks: bool, delivered: int) -> None:
    party.pair(Policy(checks_nwk_counter=checks))
    with party.air.suffering(replay(sender="pct", after=20.0)):
        party.nodes["pct"].data(asdu(0, b"once", ack=False), party.now)
        party.run(30.0)
    assert party.received("esi") == [b"once"] * delivered


@pytest.mark.parametrize(("largest", "delivered"), [(None, [b"far"]), (1000, [])])
def test_any_greater_counter_is_taken(party: Party, largest: int | None, delivered: list[bytes]) -> None:
    _, pct = party.pair(Policy(largest_nwk_jump=largest))
    pct.data(asdu(0, b"near", ack=False), party.now)
    party.run(1.0)
    advance(pct, 4096)
    pct.data(asdu(0, b"far", ack=False), party.now)
    party.run(1.0)
    assert party.received("esi") == [b"near", *delivered]


def test_the_last_counter_value_is_never_sent_and_never_taken(party: Party) -> None:
    _, pct = party.pair()
    advance(pct, INVALID - counter_of(pct))
    with pytest.raises(LocalProtocolError):
        pct.data(asdu(0, b"x"), party.now)
    assert not Counters().is_fresh(PCT, INVALID)


@pytest.mark.parametrize(("checks", "delivered"), [(True, []), (False, [b"damaged"])])
def test_a_bad_mic_has_no_effect(party: Party, checks: bool, delivered: list[bytes]) -> None:
    _, pct = party.pair(Policy(checks_nwk_mic=checks))
    advance(pct, 5000)
    with party.air.suffering(corrupt(sender="pct")):
        pct.data(asdu(0, b"damaged", ack=False), party.now)
        party.run(1.0)
    assert party.received("esi") == delivered
    if checks:
        advance(pct, -4000)  # its counter was not taken either
        pct.data(asdu(0, b"whole", ack=False), party.now)
        party.run(1.0)
        assert party.received("esi") == [b"whole"]


@pytest.mark.parametrize("field", [{"protocol_version": 1}, {"frame_type": 3}])
def test_a_header_of_another_kind_is_dropped(party: Party, field: dict[str, int]) -> None:
    def other(record: Record) -> Record:
        return record.replace(**field) if record.is_a(Nwk) else record

    _, pct = party.pair(pct_policy=Policy(rewrites=(other,)))
    pct.data(asdu(0, b"x", ack=False), party.now)
    party.run(1.0)
    assert party.received("esi") == []


def in_the_clear(record: Record) -> Record:
    return record.replace(security_enabled=0) if record.is_a(Nwk) else record


@pytest.mark.parametrize(("takes", "delivered"), [(True, [b"clear"]), (False, [])])
def test_unsecured_data_is_marked_as_such_or_dropped(party: Party, takes: bool, delivered: list[bytes]) -> None:
    _, pct = party.pair(Policy(takes_unsecured_data=takes), Policy(rewrites=(in_the_clear,)))
    pct.data(asdu(0, b"clear", ack=False), party.now)
    party.run(1.0)
    assert party.received("esi") == delivered
    assert not any(each.nwk_secured for each in party.told["esi"] if hasattr(each, "nwk_secured"))


@pytest.mark.parametrize("takes", [False, True])
def test_unsecured_commands_are_dropped(party: Party, takes: bool) -> None:
    esi, pct = party.pair(Policy(takes_unsecured_commands=takes), Policy(rewrites=(in_the_clear,)))
    pct.leave(party.now)
    party.run(1.0)
    assert (esi.children == ()) is takes


# -- broadcasts and forwarding


@pytest.mark.parametrize(("dest", "awake", "asleep"), [
    (BroadcastAddress.ALL, True, True),
    (BroadcastAddress.RX_ON_WHEN_IDLE, True, False),
    (BroadcastAddress.ROUTERS, False, False),
])
def test_who_hears_a_broadcast_of_the_coordinator(party: Party, dest: int, awake: bool, asleep: bool) -> None:
    esi, _ = party.pair()
    party.device("switch", SWITCH, sleepy=True)
    party.joined("switch")
    before = len(party.seen)
    esi.data(asdu(dest, b"to you"), party.now)
    party.run(8.0)
    assert (party.received("pct") == [b"to you"]) is awake
    assert (party.received("switch") == [b"to you"]) is asleep
    at_once = [seen for seen in party.seen[before:] if seen.sender == "esi" and seen.frame.aps is not None]
    assert at_once[0].psdu[:2].hex() == "4188"
    assert len(at_once) == 1 + asleep


@pytest.mark.parametrize("relays", [True, False])
def test_an_end_devices_broadcast_goes_through_its_parent(party: Party, relays: bool) -> None:
    _, pct = party.pair(Policy(relays_broadcasts=relays))
    party.device("switch", SWITCH)
    party.joined("switch")
    before = len(party.seen)
    pct.data(asdu(BroadcastAddress.RX_ON_WHEN_IDLE, b"hello all"), party.now)
    party.run(5.0)
    frames = [seen for seen in party.seen[before:] if seen.frame.aps is not None]
    assert [(seen.sender, seen.psdu[:2].hex()) for seen in frames] == [("pct", "6188"), ("esi", "4188")][: 1 + relays]
    assert party.received("esi") == [b"hello all"]
    assert party.received("switch") == ([b"hello all"] if relays else [])
    assert party.received("pct") == []
    if relays:
        assert [seen.frame.nwk.radius for seen in frames if seen.frame.nwk] == [30, 29]


def test_a_broadcast_is_sent_again_for_a_router_that_does_not_pass_it_on(party: Party) -> None:
    esi = party.formed()
    policy = Policy(relays_broadcasts=False)
    party.add("pct", Core(ieee=PCT, capability=ROUTER, chance=party.chance, policy=policy, coordinator=False))
    party.joined()
    before = len(party.seen)
    esi.data(asdu(BroadcastAddress.ALL, b"again and again"), party.now)
    party.run(5.0)
    times = [seen.time for seen in party.seen[before:] if seen.sender == "esi" and seen.frame.aps is not None]
    assert len(times) == 3
    assert [later - earlier for earlier, later in pairwise(times)] == pytest.approx([0.5, 0.5], abs=0.05)
    assert party.received("pct") == [b"again and again"]


def test_the_broadcast_table_forgets_after_its_time() -> None:
    table = BroadcastTable()
    assert [table.is_new((1, 1), now) for now in (0.0, 8.9, 9.1)] == [True, False, True]
    table.heard_from((1, 1), 7)
    assert table.is_passed_on((1, 1), {7})
    assert not table.is_passed_on((1, 1), {7, 8})


def test_a_coordinator_forwards_from_child_to_child(party: Party) -> None:
    _, pct = party.pair()
    switch = party.device("switch", SWITCH)
    party.joined("switch")
    pct.data(asdu(switch.short_address, b"neighbour"), party.now)
    party.run(2.0)
    assert party.received("switch") == [b"neighbour"]
    assert party.last("pct", AsduConfirm).status == "success"


@pytest.mark.parametrize("sends", [True, False])
def test_link_status_every_fifteen_seconds(party: Party, sends: bool) -> None:
    party.formed(Policy(sends_link_status=sends))
    party.run(100.0)
    times = [seen.time for seen in party.seen if seen.frame.find(LinkStatus)]
    assert all(later - earlier == pytest.approx(15.0, abs=0.01) for earlier, later in pairwise(times))
    assert (len(times) >= 6) is sends


@pytest.mark.parametrize(("discards", "delivered"), [(True, []), (False, [b"x"])])
def test_the_protocol_version_is_looked_at(party: Party, discards: bool, delivered: list[bytes]) -> None:
    def older(record: Record) -> Record:
        return record.replace(protocol_version=1) if record.is_a(Nwk) else record

    _, pct = party.pair(Policy(discards_other_versions=discards), Policy(rewrites=(older,)))
    pct.data(asdu(0, b"x", ack=False), party.now)
    party.run(1.0)
    assert party.received("esi") == delivered


def test_an_end_device_that_broadcasts_by_itself_is_a_policy(party: Party) -> None:
    _, pct = party.pair(pct_policy=Policy(broadcasts_through_parent=False))
    pct.data(asdu(BroadcastAddress.RX_ON_WHEN_IDLE, b"x"), party.now)
    party.run(1.0)
    assert party.frames(sender="pct")[-1].octets[:2].hex() == "4188"
    assert party.received("esi") == [b"x"]
