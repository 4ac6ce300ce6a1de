"""The trust centre's windows: who gets in, until when, what the air shows of it, what the bench is told in the end."""

from __future__ import annotations

from itertools import product

import pytest

from dissectors.aps import SwitchKey, TransportKey
from dissectors.mac import AssociationResponse, Beacon
from dissectors.nwk import KeyIdentifier
from dissectors.zdp import DeviceAnnce, MgmtPermitJoiningReq
from harness.faults import drop
from harness.stack.han_device import HanDeviceSettings
from harness.stack.happenings import (
    DeviceJoined,
    DeviceProvisioned,
    DeviceRefused,
    FailureReason,
    ProvisioningFailed,
    WindowClosed,
)
from harness.stack.policy import Policy
from harness.stack.primitives import LinkKeyKind
from harness.stack.startup import State
from harness.stack.window import FAILURES, TRANSITIONS, Registration, Step
from harness.tests.home_network import CHANNEL, LINK_KEY, LOAD, NETWORK_KEY, PCT, Home

OTHER_KEY = bytes(range(16))


def test_every_registration_has_an_entry_for_every_step() -> None:
    assert set(TRANSITIONS) == set(product(Registration, Step))
    assert set(FAILURES) == set(Registration)
    assert [state for state in Registration if FAILURES[state] is None] == [Registration.REGISTERED]


@pytest.mark.parametrize(("state", "step", "after"), [
    (Registration.REGISTERED, Step.ASSOCIATED, Registration.ADMITTED),
    (Registration.REGISTERED, Step.ANNOUNCED, Registration.REGISTERED),
    (Registration.ESTABLISHING, Step.WITHDRAWN, Registration.ANNOUNCED),
    (Registration.ANNOUNCED, Step.ACKNOWLEDGED, Registration.ANNOUNCED),
    (Registration.ADMITTED, Step.LEFT, Registration.ORDERED),
])
def test_a_registration_moves(state: Registration, step: Step, after: Registration) -> None:
    assert TRANSITIONS[state, step] is after


def _permits(home: Home) -> list[tuple[int, int]]:
    """When permit-join was broadcast, in whole seconds, and for how long; repetitions of one broadcast count once."""
    shown: list[tuple[int, int]] = []
    for each in home.heard():
        request = each.frame.find(MgmtPermitJoiningReq)
        if request is not None and (not shown or each.time - shown[-1][0] > 2):
            shown.append((int(each.time), request.duration))
    return shown


# -- what the air shows of a window


def test_a_long_window_is_permitted_again_every_240_seconds_and_closed_at_its_end() -> None:
    home = Home()
    home.esi().open_window(PCT, LINK_KEY, 600.0, home.now)
    home.run(700.0)
    assert _permits(home) == [(0, 254), (240, 254), (480, 120), (600, 0)]
    assert [happening.at for happening in home.happened(WindowClosed)] == [600.0]


def test_a_window_shows_in_beacons_and_is_gone_after_its_end() -> None:
    home = Home()
    esi, device = home.esi(), home.device(Policy(requires_association_permit=False), link_key=OTHER_KEY)
    device.start_joining(home.now)
    home.run(0.2)
    esi.open_window(LOAD, LINK_KEY, 20.0, home.now)
    home.run(25.0)
    device.start_joining(home.now)
    home.run(5.0)
    permits = [(each.time > 20.0, beacon.association_permit) for each in home.heard() if (beacon := each.frame.find(Beacon))]
    assert set(permits) == {(False, 0), (False, 1), (True, 0)}


def test_outside_a_window_no_association_succeeds() -> None:
    home = Home()
    home.esi()
    device = home.device(Policy(requires_association_permit=False))
    device.start_joining(home.now)
    home.run(20.0)
    assert not home.find(AssociationResponse)
    assert not home.find(TransportKey)


def test_two_windows_end_each_at_its_own_end() -> None:
    home = Home()
    esi, early, late = home.esi(), home.device(name="early"), home.device(ieee=LOAD, name="late")
    esi.open_window(PCT, LINK_KEY, 10.0, home.now)
    esi.open_window(LOAD, LINK_KEY, 400.0, home.now)
    home.run(11.0)
    early.start_joining(home.now)
    late.start_joining(home.now)
    home.run(30.0)
    assert [happening.device for happening in home.happened(DeviceProvisioned)] == [LOAD]
    assert PCT in [happening.device for happening in home.happened(DeviceRefused)]
    assert _permits(home)[-1][1] != 0


def test_a_cancelled_window_closes_at_once() -> None:
    home = Home()
    esi, device = home.esi(), home.device()
    esi.open_window(PCT, LINK_KEY, 600.0, home.now)
    home.run(3.0)
    esi.close_window(PCT, home.now)
    home.run(3.0)
    device.start_joining(home.now)
    home.run(30.0)
    assert _permits(home)[-1] == (3, 0)
    assert not home.find(AssociationResponse)
    assert [failure.reason for failure in home.happened(ProvisioningFailed)] == [FailureReason.CANCELLED]


def test_windows_survive_a_power_failure() -> None:
    home = Home()
    esi, device = home.esi(), home.device()
    esi.open_window(PCT, LINK_KEY, 600.0, home.now)
    home.run(5.0)
    esi.power_cycle(home.now)
    device.start_joining(home.now)
    assert home.run(30.0, lambda: any(home.happened(DeviceProvisioned)))


# -- who gets the key


def test_the_network_key_goes_out_sealed_with_the_key_transport_key_only() -> None:
    home = Home()
    esi, device = home.esi(), home.device()
    esi.open_window(PCT, LINK_KEY, 600.0, home.now)
    device.start_joining(home.now)
    assert home.run(10.0, lambda: any(home.happened(DeviceJoined)))
    home.run(0.1)
    frames = [each.frame for each in home.heard() if each.frame.find(TransportKey)]
    assert [frame.aps_key_identifier for frame in frames] == [KeyIdentifier.KEY_TRANSPORT]
    assert [(frame.aps_key, frame.aps_key_kind) for frame in frames] == [(LINK_KEY, "ic")]
    sent = home.find(TransportKey)[0]
    assert (sent.key, sent.dest, sent.source) == (NETWORK_KEY, PCT, esi.ieee)
    assert all(NETWORK_KEY not in each.frame.octets for each in home.heard())


def test_a_stranger_gets_an_address_and_no_key() -> None:
    home = Home()
    esi, stranger = home.esi(), home.device(ieee=LOAD)
    esi.open_window(PCT, LINK_KEY, 600.0, home.now)
    stranger.start_joining(home.now)
    home.run(20.0)
    assert home.find(AssociationResponse)
    assert not home.find(TransportKey)
    assert not home.find(DeviceAnnce)
    assert {happening.device for happening in home.happened(DeviceRefused)} == {LOAD}
    assert esi.application.core.children == ()


def test_a_device_with_another_install_code_never_gets_onto_the_network() -> None:
    home = Home()
    esi, device = home.esi(), home.device(link_key=OTHER_KEY)
    esi.open_window(PCT, LINK_KEY, 30.0, home.now)
    device.start_joining(home.now)
    home.run(200.0)
    assert home.find(TransportKey)
    assert not home.find(DeviceAnnce)
    assert [failure.reason for failure in home.happened(ProvisioningFailed)] == [FailureReason.KEY_NOT_TAKEN]


def test_a_lost_key_is_had_by_joining_again() -> None:
    home = Home()
    esi, device = home.esi(), home.device()
    esi.open_window(PCT, LINK_KEY, 600.0, home.now)
    device.start_joining(home.now)
    with home.air.suffering(drop(TransportKey)):
        home.run(2.0)
    assert device.state is not State.ANNOUNCED
    assert home.run(20.0, lambda: any(home.happened(DeviceProvisioned)))


def test_a_registered_device_may_be_reset_and_join_again() -> None:
    home = Home()
    esi, device = home.esi(), home.device()
    esi.open_window(PCT, LINK_KEY, 600.0, home.now)
    device.start_joining(home.now)
    assert home.run(20.0, lambda: any(home.happened(DeviceProvisioned)))
    device.factory_reset(home.now)
    device.start_joining(home.now)
    assert home.run(20.0, lambda: len(list(home.happened(DeviceProvisioned))) == 2)
    held = esi.application.core.link_key(PCT)
    assert held is not None
    assert held[1] is LinkKeyKind.ESTABLISHED


@pytest.mark.parametrize(("start", "policy", "reason"), [
    (False, Policy(), FailureReason.NEVER_SEEN),
    (True, Policy(retries_key_establishment=False, checks_issuer=True, key_agreement_mistake="tags-exchanged"),
     FailureReason.KEY_ESTABLISHMENT),
])
def test_what_was_not_provisioned_is_told_when_the_window_is_over(start: bool, policy: Policy, reason: FailureReason) -> None:
    home = Home()
    esi, device = home.esi(), home.device(policy)
    esi.open_window(PCT, LINK_KEY, 60.0, home.now)
    if start:
        device.start_joining(home.now)
    home.run(400.0)
    assert [failure.reason for failure in home.happened(ProvisioningFailed)] == [reason]
    assert esi.application.core.link_key(PCT) is None


@pytest.mark.parametrize("policy", [
    Policy(honours_window_end=False), Policy(admits_strangers=True), Policy(transport_key_identifier=None),
    Policy(transport_key_identifier=KeyIdentifier.KEY_LOAD), Policy(loads_key_reversed=True), Policy(opens_association=False),
    Policy(windows_are_separate=False), Policy(extends_permit=False), Policy(sends_key_again=False),
], ids=lambda policy: next(name for name, value in vars(policy).items() if value != getattr(Policy(), name)))
def test_a_trust_centre_with_a_defect_still_runs(policy: Policy) -> None:
    home = Home()
    esi, device, stranger = home.esi(policy), home.device(), home.device(ieee=LOAD, name="stranger")
    esi.open_window(PCT, LINK_KEY, 300.0, home.now)
    device.start_joining(home.now)
    stranger.start_joining(home.now)
    home.run(700.0)
    assert all(each.frame.malformed is None for each in home.heard())


# -- renewing the network key


@pytest.mark.parametrize("sleepy", [False, True])
def test_a_new_network_key_reaches_the_device_and_is_switched_to(sleepy: bool) -> None:
    home = Home()
    esi = home.esi()
    device = home.device(settings=HanDeviceSettings(channels=(CHANNEL,), sleepy=sleepy))
    esi.open_window(PCT, LINK_KEY, 600.0, home.now)
    device.start_joining(home.now)
    assert home.run(60.0, lambda: device.lifecycle.done_once)
    esi.renew_network_key(bytes(range(16)), 1, home.now)
    home.run(30.0)
    esi.switch_network_key(1, home.now)
    home.run(30.0)
    assert home.find(SwitchKey, "esi")
    assert device.application.core.network_key == (bytes(range(16)), 1)
