"""Keys, counters and addresses of a node: key update, what a power failure leaves, who has which address."""

from __future__ import annotations

import pytest

from dissectors.frame import Frame
from harness.stack.core import Core
from harness.stack.counters import LinkKeys, NetworkKeys
from harness.stack.neighbours import Neighbours
from harness.stack.policy import Policy
from harness.stack.primitives import (
    LinkKeyKind,
)
from harness.tests.virtual_party import (
    LINK_KEY,
    NETWORK_KEY,
    PCT,
    SWITCH,
    Party,
    asdu,
)
from harness.values import Eui64

NEW_KEY = bytes(range(16, 32))


@pytest.fixture
def party() -> Party:
    return Party()


def nwk_frames(party: Party, sender: str) -> list[Frame]:
    return party.frames(lambda frame: frame.nwk is not None, sender)


def counter_of(node: Core) -> int:
    key = node.snapshot().network_keys.current
    assert key is not None
    return key.counters.outgoing


# -- keys


def test_a_key_update_is_followed_by_a_switch(party: Party) -> None:
    esi, pct = party.pair()
    party.keyring.add_network_key(NEW_KEY, 1)
    for node in (esi, pct):
        node.install_network_key(NEW_KEY, 1, party.now)
        assert node.network_key == (NETWORK_KEY, 0)
    esi.switch_key(1)
    esi.data(asdu(pct.short_address, b"under the new key"), party.now)
    party.run(1.0)
    assert party.received("pct") == [b"under the new key"]
    assert pct.network_key == (NEW_KEY, 1)  # switched by the frame, 4.3.1.2
    last = nwk_frames(party, "esi")[-1].nwk
    assert last is not None
    assert (last.security.key_sequence, last.security.frame_counter) == (1, 0)


@pytest.mark.parametrize(("restarts", "counter"), [(True, 0), (False, 1)])
def test_the_counter_restarts_with_a_new_key(party: Party, restarts: bool, counter: int) -> None:
    _, pct = party.pair(pct_policy=Policy(restarts_nwk_counter=restarts))
    pct.data(asdu(0, b"x", ack=False), party.now)
    pct.install_network_key(NEW_KEY, 1, party.now)
    pct.switch_key(1)
    assert counter_of(pct) == counter


def test_the_same_key_again_changes_nothing(party: Party) -> None:
    _, pct = party.pair()
    pct.data(asdu(0, b"x", ack=False), party.now)
    before = counter_of(pct)
    pct.install_network_key(NETWORK_KEY, 0, party.now)
    assert counter_of(pct) == before > 0


@pytest.mark.parametrize(("sequence", "newer"), [(0, False), (1, True), (127, True), (128, False), (255, False)])
def test_which_sequence_number_is_newer(sequence: int, newer: bool) -> None:
    keys = NetworkKeys()
    keys.install(NETWORK_KEY, 0)
    assert keys.is_newer(sequence) is newer


def test_an_unknown_key_cannot_be_switched_to() -> None:
    keys = NetworkKeys()
    keys.install(NETWORK_KEY, 3)
    keys.switch(4)
    assert keys.active == 3


def test_of_several_keys_two_are_kept() -> None:
    keys = NetworkKeys()
    for sequence in range(4):
        keys.install(bytes(16), sequence)
    assert sorted(keys.held) == [0, 3]


def test_a_device_has_its_own_link_key_or_the_one_for_anybody() -> None:
    keys = LinkKeys()
    keys.install(None, LINK_KEY, LinkKeyKind.PRECONFIGURED)
    keys.install(PCT, NEW_KEY, LinkKeyKind.ESTABLISHED)
    assert keys.shared_with(SWITCH) is keys.held[None]
    assert keys.shared_with(PCT) is keys.held[PCT]
    keys.forget(PCT)
    assert keys.shared_with(PCT) is keys.held[None]


# -- power


@pytest.mark.parametrize("keeps", [True, False])
def test_counters_survive_a_power_failure(party: Party, keeps: bool) -> None:
    _, pct = party.pair(pct_policy=Policy(keeps_counters_over_power_cycle=keeps))
    for octets in (b"a", b"b"):
        pct.data(asdu(0, octets, ack=False), party.now)
        party.run(1.0)
    memory = pct.snapshot()
    again = party.device(policy=Policy(keeps_counters_over_power_cycle=keeps))
    again.restore(memory, party.now)
    assert again.short_address == pct.short_address
    again.data(asdu(0, b"c", ack=False), party.now)
    party.run(1.0)
    assert party.received("esi") == [b"a", b"b"] + [b"c"] * keeps


def test_a_device_may_lose_its_keys(party: Party) -> None:
    _, pct = party.pair(pct_policy=Policy(keeps_keys_over_power_cycle=False))
    pct.install_link_key(Eui64(1), NEW_KEY, LinkKeyKind.ESTABLISHED)
    again = party.device()
    again.restore(pct.snapshot(), party.now)
    assert (again.network, again.network_key) == (None, None)
    assert again.link_key(Eui64(1)) == (LINK_KEY, LinkKeyKind.PRECONFIGURED)


def test_a_coordinator_comes_back_closed_with_its_children(party: Party) -> None:
    esi, pct = party.pair(sleepy=True)
    memory = esi.snapshot()
    again = party.coordinator()
    again.restore(memory, party.now)
    assert again.children == esi.children
    again.data(asdu(pct.short_address, b"still here"), party.now)
    party.run(9.0)
    assert party.received("pct") == [b"still here"]
    party.device("switch", SWITCH)
    assert not party.found("switch").association_permit


def test_a_snapshot_is_a_copy(party: Party) -> None:
    _, pct = party.pair()
    memory = pct.snapshot()
    pct.leave(party.now, announce=False)
    assert memory.network is not None
    assert memory.network_keys.current is not None


def test_a_fresh_join_starts_afresh(party: Party) -> None:
    """The device was reset to factory settings: its counters are 0 again, and the coordinator takes them."""
    esi, pct = party.pair()
    for octets in (b"a", b"b", b"c"):
        pct.data(asdu(0, octets, ack=False), party.now)
        party.run(1.0)
    party.device()
    again = party.joined()
    again.data(asdu(0, b"new", ack=False), party.now)
    party.run(1.0)
    assert party.received("esi")[-1] == b"new"
    assert len(esi.children) == 1


# -- addresses


def test_an_address_belongs_to_one_device_and_a_device_has_one() -> None:
    table = Neighbours()
    table.remember(5, PCT)
    table.remember(5, SWITCH)
    assert (table.ieee_of(5), table.short_of(PCT), table.short_of(SWITCH)) == (SWITCH, None, 5)
    table.remember(6, SWITCH)
    assert (table.ieee_of(5), table.ieee_of(6)) == (None, SWITCH)
    table.remember(0xFFFD, PCT)
    assert table.ieee_of(0xFFFD) is None


def test_wanted_addresses_are_given_when_free(party: Party) -> None:
    table = Neighbours()
    assert table.assign(PCT, party.chance, wanted=77) == 77
    assert table.assign(PCT, party.chance) == 77
    assert table.assign(SWITCH, party.chance, wanted=77) not in (0, 77)


def test_a_node_may_wait_for_switch_key(party: Party) -> None:
    esi, pct = party.pair(pct_policy=Policy(follows_newer_key=False))
    for node in (esi, pct):
        node.install_network_key(NEW_KEY, 1, party.now)
    esi.switch_key(1)
    esi.data(asdu(pct.short_address, b"under the new key", ack=False), party.now)
    party.run(1.0)
    assert party.received("pct") == [b"under the new key"]
    assert pct.network_key == (NETWORK_KEY, 0)


def test_what_waits_for_a_sleeping_child_keeps_its_key_and_gets_its_counter_when_sent(party: Party) -> None:
    esi, pct = party.pair(sleepy=True)
    party.run(1.0)
    esi.data(asdu(pct.short_address, b"waited", ack=False), party.now)
    esi.data(asdu(0xFFFD, b"overtakes it", ack=False), party.now)
    for node in (esi, pct):
        node.install_network_key(NEW_KEY, 1, party.now)
    esi.switch_key(1)
    party.run(9.0)
    assert party.received("pct") == [b"waited"]
    first, second = [frame.nwk.security for frame in nwk_frames(party, "esi") if frame.nwk and frame.nwk.frame_type == 0][-2:]
    assert (first.key_sequence, second.key_sequence) == (0, 0)
    assert first.frame_counter < second.frame_counter
