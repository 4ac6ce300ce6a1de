"""Rejoin and leave: who asks, who answers, and what is left."""

from __future__ import annotations

from dataclasses import replace

import pytest

from dissectors.layer import Record
from dissectors.mac import AssociationRequest
from dissectors.nwk import BroadcastAddress, Leave, Nwk, RejoinRequest, RejoinResponse
from harness.errors import LocalProtocolError
from harness.faults import drop
from harness.stack.policy import Policy
from harness.stack.primitives import (
    AsduConfirm,
    AssociateConfirm,
    JoinIndication,
    LeaveIndication,
    ParentLost,
)
from harness.tests.virtual_party import (
    NETWORK_KEY,
    PCT,
    SWITCH,
    Party,
    asdu,
)


@pytest.fixture
def party() -> Party:
    return Party()


# -- rejoin


@pytest.mark.parametrize("sleepy", [False, True])
@pytest.mark.parametrize("secured", [True, False])
def test_rejoin(party: Party, secured: bool, sleepy: bool) -> None:
    esi, pct = party.pair(sleepy=sleepy)
    esi.permit_association(False)
    address = pct.short_address
    pct.rejoin(party.now, secured=secured)
    assert party.run(3.0, lambda: party.last("pct", AssociateConfirm) is not None and not pct.is_busy)
    party.run(0.1)
    assert party.last("pct", AssociateConfirm) == AssociateConfirm(0, address)
    assert party.last("esi", JoinIndication) == JoinIndication(PCT, address, 0x00 if sleepy else 0x0C, True, secured)
    [request] = party.frames(lambda frame: frame.find(RejoinRequest) is not None)
    [response] = party.frames(lambda frame: frame.find(RejoinResponse) is not None)
    for frame in (request, response):
        assert frame.nwk is not None
        assert bool(frame.nwk.security_enabled) is secured
        assert frame.nwk.source_ieee_present
    assert (pct.network_key is not None) is secured
    if not secured:
        party.give_key()
    assert pct.network_key == (NETWORK_KEY, 0)
    pct.data(asdu(0, b"back"), party.now)
    party.run(1.0)
    assert party.received("esi") == [b"back"]
    assert len(party.frames(lambda frame: frame.find(AssociationRequest) is not None)) == 1


def test_a_rejoin_that_nobody_answers(party: Party) -> None:
    _, pct = party.pair(Policy(answers_rejoin=False), sleepy=True)
    pct.rejoin(party.now)
    assert pct.is_busy
    party.run(3.0)
    assert party.last("pct", AssociateConfirm) == AssociateConfirm(None)
    assert not pct.is_busy


def test_a_rejoin_into_a_full_house(party: Party) -> None:
    esi = party.formed(child_capacity=1)
    party.device()
    pct = party.joined()
    esi.dismiss(PCT, party.now, announce=False)
    party.device("switch", SWITCH)
    party.joined("switch")
    pct.rejoin(party.now)
    party.run(3.0)
    assert party.last("pct", AssociateConfirm).status == 1


def test_rejoin_through_a_network_that_a_scan_found(party: Party) -> None:
    """The coordinator came back on another channel."""
    esi, pct = party.pair()
    memory = esi.snapshot()
    assert memory.network is not None
    memory.network = replace(memory.network, channel=25)
    party.coordinator().restore(memory, party.now)
    pct.rejoin(party.now)
    party.run(3.0)
    assert party.last("pct", AssociateConfirm).status is None
    pct.scan((15, 20, 25), party.now)
    party.run(1.0)
    [network] = party.told["pct"][-1].networks
    pct.rejoin(party.now, network=network)
    party.run(3.0)
    assert party.last("pct", AssociateConfirm).status == 0
    assert pct.channel == 25


def test_there_must_be_something_to_rejoin(party: Party) -> None:
    with pytest.raises(LocalProtocolError):
        party.device().rejoin(party.now)


# -- leave


def test_a_device_that_leaves_says_so(party: Party) -> None:
    esi, pct = party.pair()
    short = pct.short_address
    pct.leave(party.now)
    party.run(1.0)
    assert pct.network is None
    assert pct.network_key is None
    assert party.last("esi", LeaveIndication) == LeaveIndication(PCT, short, False)
    assert esi.children == ()
    [frame] = party.frames(lambda frame: frame.find(Leave) is not None)
    assert frame.nwk is not None
    assert (frame.nwk.dest, frame.nwk.radius, frame.octets[:2].hex()) == (BroadcastAddress.RX_ON_WHEN_IDLE, 1, "6188")


@pytest.mark.parametrize("sleepy", [False, True])
@pytest.mark.parametrize("rejoin", [False, True])
def test_a_device_obeys_its_parents_leave(party: Party, rejoin: bool, sleepy: bool) -> None:
    esi, pct = party.pair(sleepy=sleepy)
    esi.dismiss(PCT, party.now, rejoin=rejoin)
    party.run(9.0)
    assert party.last("pct", LeaveIndication) == LeaveIndication(None, 0, rejoin)
    assert (pct.network is not None) is rejoin
    assert party.last("esi", LeaveIndication).device == PCT
    assert esi.children == ()


@pytest.mark.parametrize(("policy", "obeyed"), [(Policy(), False), (Policy(obeys_strangers_leave=True), True)])
def test_a_stranger_cannot_make_a_device_leave(party: Party, policy: Policy, obeyed: bool) -> None:
    def orders(record: Record) -> Record:
        return record.replace(request=1) if record.is_a(Leave) else record

    def far(record: Record) -> Record:
        return record.replace(radius=5) if record.is_a(Nwk) else record

    _, pct = party.pair(pct_policy=policy)
    party.device("switch", SWITCH, policy=Policy(rewrites=(orders, far)))
    party.joined("switch")
    party.nodes["switch"].leave(party.now)
    party.run(2.0)
    assert (pct.network is None) is obeyed


def test_a_device_may_be_disobedient(party: Party) -> None:
    esi, pct = party.pair(pct_policy=Policy(obeys_leave=False))
    esi.dismiss(PCT, party.now)
    party.run(2.0)
    assert pct.network is not None
    assert party.all("pct", LeaveIndication) == []


def test_off_the_network_nothing_is_sent(party: Party) -> None:
    _, pct = party.pair()
    pct.leave(party.now, announce=False)
    before = len(party.frames(sender="pct"))
    handle = pct.data(asdu(0, b"x"), party.now)
    party.run(1.0)
    assert party.last("pct", AsduConfirm) == AsduConfirm(handle, "no_network")
    assert len(party.frames(sender="pct")) == before


def test_a_vanished_parent_is_noticed(party: Party) -> None:
    _, pct = party.pair(sleepy=True)
    with party.air.suffering(drop(lambda frame: True, sender="esi", times=None)):
        party.run(40.0)
    assert len(party.all("pct", ParentLost)) == 1
    assert pct.network is not None


def test_who_leaves_and_joins_in_one_breath_joins(party: Party) -> None:
    _, pct = party.pair()
    network = party.found()
    pct.leave(party.now)
    pct.associate(network, party.now)
    party.run(2.0)
    assert party.last("pct", AssociateConfirm).status == 0
    assert pct.network is not None
