"""A device's way into service: the table, the choice of a network, and what becomes of it when something goes wrong."""

from __future__ import annotations

import random
from itertools import pairwise, product

import pytest

from dissectors.mac import AssociationRequest, BeaconRequest
from dissectors.nwk import Leave, RejoinRequest
from dissectors.smart_energy import ALL_CHANNELS, PREFERRED_CHANNELS
from dissectors.zdp import DeviceAnnce
from harness.faults import drop, silence
from harness.stack.han_device import HanDeviceSettings
from harness.stack.happenings import Announced, ApplicationDone, DeviceProvisioned, JoinFailed, Registered
from harness.stack.policy import Policy
from harness.stack.primitives import NetworkFound
from harness.stack.startup import MEMBERS, TRANSITIONS, Action, Choice, Event, State, scan_order
from harness.tests.home_network import ESI, LINK_KEY, NETWORK_KEY, PCT, Home, credentials
from harness.values import Eui64

# -- the table


def test_every_state_has_an_entry_for_every_event() -> None:
    assert set(TRANSITIONS) == set(product(State, Event))
    assert {action for _, action in TRANSITIONS.values()} == set(Action)


@pytest.mark.parametrize("state", list(State))
def test_a_reset_and_a_power_failure_lead_out_of_every_state(state: State) -> None:
    assert TRANSITIONS[state, Event.RESET] == (State.IDLE, Action.FORGET)
    assert TRANSITIONS[state, Event.POWER_RETURNED_MEMBER] == (State.REJOINING, Action.REJOIN)


@pytest.mark.parametrize("state", [state for state in State if state not in MEMBERS])
def test_only_a_member_obeys_a_leave(state: State) -> None:
    assert TRANSITIONS[state, Event.TOLD_TO_LEAVE] == (state, Action.NOTHING)


def test_every_state_can_be_reached_and_left() -> None:
    moves = [(before, after) for (before, _), (after, _) in TRANSITIONS.items() if before is not after]
    assert {after for _, after in moves} == set(State)
    assert {before for before, _ in moves} == set(State)


# -- choosing


def _network(**changes: object) -> NetworkFound:
    fields: dict[str, object] = {
        "channel": 15, "pan_id": 1, "extended_pan_id": Eui64(1), "coordinator": 0, "association_permit": True,
        "end_device_capacity": True, "router_capacity": True, "stack_profile": 2, "protocol_version": 2, "update_id": 0,
        "lqi": 200,
    }
    return NetworkFound(**{**fields, **changes})  # type: ignore[arg-type]


def _chosen(*networks: NetworkFound, policy: Policy | None = None, failed: int = 0) -> NetworkFound | None:
    choice = Choice(policy or Policy(), random.Random(1))
    choice.scanned(networks)
    for network in networks[:failed]:
        choice.fails(network)
    return choice.next()


@pytest.mark.parametrize("wrong", [
    {"association_permit": False}, {"end_device_capacity": False}, {"stack_profile": 1}, {"protocol_version": 1},
])
def test_a_network_that_does_not_fit_is_not_chosen(wrong: dict[str, object]) -> None:
    assert _chosen(_network(**wrong)) is None
    assert _chosen(_network(**wrong), _network(extended_pan_id=Eui64(2))) == _network(extended_pan_id=Eui64(2))


def test_the_loudest_fitting_network_is_chosen_and_after_it_another() -> None:
    quiet, loud = _network(extended_pan_id=Eui64(2), lqi=90), _network()
    assert _chosen(loud, quiet) == loud
    assert _chosen(loud, quiet, failed=1) == quiet
    assert _chosen(loud, quiet, failed=2) is None
    assert _chosen(loud, failed=1, policy=Policy(tries_elsewhere=False)) == loud


def test_pauses_follow_the_table_of_the_profile() -> None:
    choice = Choice(Policy(), random.Random(1))
    pauses = []
    for _ in range(60):
        choice.scanned(())
        pauses.append(choice.pause())
    assert pauses[:2] == [1.0, 1.0]
    assert all(45.0 <= pause <= 75.0 for pause in pauses[2:45:3])
    assert all(1800.0 <= pause <= 5400.0 for pause in pauses[47::3])


def test_preferred_channels_come_first() -> None:
    order = scan_order(ALL_CHANNELS, Policy())
    assert order[: len(PREFERRED_CHANNELS)] == PREFERRED_CHANNELS
    assert sorted(order) == list(ALL_CHANNELS)
    assert scan_order((26, 15), Policy()) == (15, 26)


# -- on the air


def test_three_scans_a_second_apart_then_a_pause() -> None:
    home = Home()
    home.device().start_joining(home.now)
    home.run(40.0)
    times = [each.time for each in home.heard() if each.frame.find(BeaconRequest)]
    assert len(times) == 3
    assert [round(after - before, 1) for before, after in pairwise(times)] == [1.1, 1.1]


def test_a_device_finds_its_network_among_strange_ones() -> None:
    home = Home()
    foreign = home.esi(name="foreign", ieee=Eui64(0x77), pan_id=0x2222)
    foreign.open_window(PCT, bytes(range(16)), 600.0, home.now)
    esi, device = home.esi(), home.device()
    esi.open_window(PCT, LINK_KEY, 600.0, home.now)
    device.start_joining(home.now)
    assert home.run(60.0, lambda: any(home.happened(DeviceProvisioned, "esi")))
    assert {request.capability for request in home.find(AssociationRequest)} == {0x8C}
    assert len(home.find(DeviceAnnce, "device")) == 1


def test_a_device_without_a_key_gives_up_after_its_time_and_says_nothing() -> None:
    home = Home()
    esi, device = home.esi(), home.device(link_key=bytes(range(16)))
    esi.open_window(PCT, LINK_KEY, 600.0, home.now)
    device.start_joining(home.now)
    assert home.run(10.0, lambda: any(home.happened(JoinFailed)))
    failed = next(iter(home.happened(JoinFailed)))
    response = next(each.time for each in home.heard() if each.frame.summary() == "Association Response")
    assert (failed.cause, round(failed.at - response, 1)) == ("no_key", 1.7)
    assert not home.find(Leave)


def test_a_clear_network_key_is_refused() -> None:
    home = Home()
    esi, device = home.esi(Policy(transport_key_identifier=None)), home.device()
    esi.open_window(PCT, LINK_KEY, 600.0, home.now)
    device.start_joining(home.now)
    home.run(20.0)
    assert not home.find(DeviceAnnce)
    assert not list(home.happened(Announced))


def _in_service(policy: Policy | None = None, sleepy: bool = False) -> Home:
    home = Home()
    esi, device = home.esi(), home.device(policy, settings=HanDeviceSettings(channels=(15,), sleepy=sleepy))
    esi.open_window(PCT, LINK_KEY, 600.0, home.now)
    device.start_joining(home.now)
    assert home.run(60.0, lambda: any(home.happened(ApplicationDone)))
    return home


@pytest.mark.parametrize("sleepy", [False, True])
def test_after_a_power_failure_it_rejoins_and_needs_no_new_key(sleepy: bool) -> None:
    home = _in_service(sleepy=sleepy)
    device = home.joiner
    device.power_cycle(home.now)
    assert home.run(60.0, lambda: len(list(home.happened(ApplicationDone))) == 2)
    assert home.find(RejoinRequest)
    assert len(home.find(AssociationRequest)) == 1
    assert len(list(home.happened(Registered))) == 1
    assert [happening.rejoin for happening in home.happened(Announced)] == [False, True]


def test_power_fails_in_the_middle_of_key_establishment() -> None:
    home = Home()
    esi, device = home.esi(), home.device()
    esi.open_window(PCT, LINK_KEY, 600.0, home.now)
    device.start_joining(home.now)
    assert home.run(10.0, lambda: device.initiator.state.name == "AWAIT_CONFIRM")
    device.power_cycle(home.now)
    assert home.run(90.0, lambda: any(home.happened(ApplicationDone)))


def test_without_the_network_key_it_asks_the_trust_centre_for_it() -> None:
    home = _in_service()
    esi, device = home.portal, home.joiner
    esi.renew_network_key(bytes(range(16)), 1, home.now)
    with home.air.suffering(silence("esi", home.now, home.now + 5)):
        home.run(5.0)  # the device misses it
    esi.switch_network_key(1, home.now)
    home.run(1.0)
    device.power_cycle(home.now)
    assert home.run(120.0, lambda: len(list(home.happened(Announced))) == 2)
    assert device.application.core.network_key == (bytes(range(16)), 1)


@pytest.mark.parametrize(("rejoin", "state"), [(False, State.IDLE), (True, State.RUNNING)])
def test_a_leave_from_the_parent_is_obeyed(rejoin: bool, state: State) -> None:
    home = _in_service()
    home.portal.application.core.dismiss(PCT, home.now, rejoin=rejoin)
    home.run(30.0)
    assert home.joiner.state is state


def test_a_dummy_network_key_is_never_installed() -> None:
    home = _in_service()
    home.portal.renew_network_key(bytes(16), 0, home.now)
    home.run(5.0)
    assert home.joiner.application.core.network_key == (NETWORK_KEY, 0)


def test_a_lost_association_response_is_asked_for_again() -> None:
    home = Home()
    esi, device = home.esi(), home.device()
    esi.open_window(PCT, LINK_KEY, 600.0, home.now)
    device.start_joining(home.now)
    with home.air.suffering(drop(AssociationRequest)):
        home.run(1.0)
    assert home.run(30.0, lambda: any(home.happened(DeviceProvisioned)))


def test_a_foreign_trust_centre_is_left_and_the_right_one_found() -> None:
    from harness.crypto.ecqv import CertificateAuthority

    other = CertificateAuthority(private_key=777, issuer=b"FOREIGN!")
    home = Home()
    foreign = home.esi(name="foreign", ieee=Eui64(0x78), pan_id=0x3333, own=other.issue(Eui64(0x78), random.Random(3)))
    esi, device = home.esi(), home.device()
    for each in (foreign, esi):
        each.open_window(PCT, LINK_KEY, 600.0, home.now)
    device.start_joining(home.now)
    assert home.run(90.0, lambda: any(home.happened(DeviceProvisioned, "esi")))
    assert device.application.core.ieee_of(0) == ESI
    assert credentials(ESI).issuer != other.issuer
