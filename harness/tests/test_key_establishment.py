"""Key establishment on the virtual air: the worked example, every refusal of both parties, silence, the tables."""

from __future__ import annotations

from collections.abc import Callable
from itertools import product
from random import Random
from typing import Any

import pytest

from dissectors import zcl
from dissectors.clusters.key_establishment import (
    ConfirmKeyData,
    EphemeralData,
    InitiateKeyEstablishment,
    Suite,
    TerminateKeyEstablishment,
    TerminateStatus,
)
from dissectors.layer import Layer, Record
from dissectors.tests.vectors import read
from harness.crypto import cbke
from harness.crypto.ecqv import CertificateAuthority, Credentials
from harness.faults import drop
from harness.stack import key_establishment_initiator, key_establishment_responder
from harness.stack.application import Asdu, Path
from harness.stack.commissioning import KEY_ESTABLISHMENT
from harness.stack.esi import EsiSettings
from harness.stack.han_device import HanDeviceSettings
from harness.stack.happenings import DeviceProvisioned, JoinFailed, KeyEstablishmentFailed, KeyLearnt, Registered
from harness.stack.policy import Policy, Rewrite
from harness.stack.primitives import LinkKeyKind
from harness.stack.startup import State
from harness.tests.home_network import CHANNEL, ESI, LINK_KEY, PCT, Home, credentials
from harness.values import Eui64

ANNEX_C = read("cbke", "zse_annex_c")
MESSAGES = (InitiateKeyEstablishment, EphemeralData, ConfirmKeyData)
FOREIGN = CertificateAuthority(private_key=12345, issuer=b"NOBODYCA")
SETTINGS = HanDeviceSettings(channels=(CHANNEL,))


def _home(
    esi_policy: Policy | None = None, device_policy: Policy | None = None, *, esi_own: Credentials | None = None,
    device_own: Credentials | None = None,
) -> Home:
    """A home in which the device has been let in and has just announced itself."""
    home = Home()
    esi = home.esi(esi_policy, own=esi_own)
    device = home.device(device_policy, own=device_own)
    esi.open_window(PCT, LINK_KEY, 3000.0, home.now)
    device.start_joining(home.now)
    assert home.run(5.0, lambda: device.state is State.ANNOUNCED)
    return home


def _rewriting(layer: type[Layer], change: Callable[[Record], Record | None]) -> Policy:
    return Policy(rewrites=(lambda record: change(record) if record.is_a(layer) else record,))


def _codes(home: Home, sender: str) -> list[int]:
    return [record.status for record in home.find(TerminateKeyEstablishment, sender)]


def _short_asdu(command: int, to_server: bool, length: int) -> Rewrite:
    """Cut (or lengthen) the ASDU of one key establishment command to `length` octets more or less."""

    def change(record: Record) -> Record:
        if not record.is_a(Asdu) or record.cluster != KEY_ESTABLISHMENT:
            return record
        header = zcl.read(KEY_ESTABLISHMENT, record.octets)
        wanted = header.frame_type == zcl.FrameType.CLUSTER and header.command_identifier == command
        if not wanted or header.direction == int(to_server):
            return record
        return record.replace(octets=record.octets[:length] if length < 0 else record.octets + bytes(length))

    return change


# -- the tables


@pytest.mark.parametrize("machine", [key_establishment_initiator, key_establishment_responder])
def test_every_state_has_an_entry_for_every_event(machine: Any) -> None:
    pairs = set(product(machine.State, machine.Event))
    assert set(machine.TRANSITIONS) == pairs
    assert {action for _, action in machine.TRANSITIONS.values()} == set(machine.Action)


@pytest.mark.parametrize("machine", [key_establishment_initiator, key_establishment_responder])
def test_no_busy_state_is_without_a_way_out(machine: Any) -> None:
    for state in machine.State:
        if state.name not in ("IDLE", "CONFIRMED"):
            assert machine.TRANSITIONS[state, machine.Event.TIMEOUT][0] is machine.State.IDLE


# -- the worked example, over the air


def _annex_c(name: str) -> tuple[Credentials, Callable[[], cbke.EphemeralKey]]:
    fields = ANNEX_C[name] | {"ca_public_key": ANNEX_C["ca_public_key"]}
    ephemeral = cbke.ephemeral_key(int(fields["ephemeral_private_key"], 16))
    return Credentials.read(fields), lambda: ephemeral


def test_the_air_shows_the_worked_example_and_both_go_on_under_its_key() -> None:
    home = Home()
    (esi_own, esi_ephemeral), (device_own, device_ephemeral) = _annex_c("responder"), _annex_c("initiator")
    esi = home.esi(ieee=esi_own.subject, own=esi_own, new_ephemeral_key=esi_ephemeral)
    device = home.device(ieee=device_own.subject, own=device_own, new_ephemeral_key=device_ephemeral)
    esi.open_window(device.ieee, LINK_KEY, 600.0, home.now)
    device.start_joining(home.now)
    assert home.run(20.0, lambda: any(home.happened(DeviceProvisioned)))
    assert home.run(2.0, lambda: device.time.utc(home.now) is not None)
    request, response = home.find(ConfirmKeyData)
    assert request.message_authentication_code.hex() == ANNEX_C["mac_u"]
    assert response.message_authentication_code.hex() == ANNEX_C["mac_v"]
    public = [record.ephemeral_public_key.hex() for record in home.find(EphemeralData)]
    assert public == [ANNEX_C["initiator"]["ephemeral_public_key"], ANNEX_C["responder"]["ephemeral_public_key"]]
    key = bytes.fromhex(ANNEX_C["key_data"])
    assert esi.application.core.link_key(device.ieee) == (key, LinkKeyKind.ESTABLISHED)
    assert device.application.core.link_key(esi.ieee) == (key, LinkKeyKind.ESTABLISHED)
    secured = [each.frame for each in home.heard() if each.frame.zcl is not None and each.frame.security.aps == "ok"]
    assert secured
    assert {frame.aps_key for frame in secured} == {key}


def test_each_message_goes_once_in_order_acknowledged_and_under_the_network_key_alone() -> None:
    home = _home()
    assert home.run(20.0, lambda: any(home.happened(Registered)))
    frames = [each.frame for each in home.heard() if any(each.frame.find(layer) for layer in MESSAGES)]
    assert [(frame.zcl.command.layer, frame.zcl.direction) for frame in frames if frame.zcl] == [
        (layer, direction) for layer in MESSAGES for direction in zcl.Direction
    ]
    assert all(frame.aps.ack_request and not frame.aps.security for frame in frames if frame.aps)
    requests, responses = frames[::2], frames[1::2]
    for request, response in zip(requests, responses, strict=True):
        assert request.zcl is not None
        assert response.zcl is not None
        assert request.aps is not None
        assert response.aps is not None
        assert (request.zcl.sequence, request.aps.source_endpoint) == (response.zcl.sequence, response.aps.dest_endpoint)
    assert all(record.suite == Suite.CBKE_ECMQV_K163 for record in home.find(InitiateKeyEstablishment))


# -- what the responder refuses


@pytest.mark.parametrize(("own", "code"), [
    (FOREIGN.issue(PCT, Random(1)), TerminateStatus.UNKNOWN_ISSUER),
    (credentials(Eui64(0x99)), TerminateStatus.BAD_MESSAGE),
], ids=["unknown issuer", "another's certificate"])
def test_the_responder_refuses_the_certificate(own: Credentials, code: TerminateStatus) -> None:
    home = _home(device_own=own)
    assert home.run(10.0, lambda: bool(_codes(home, "esi")))
    assert _codes(home, "esi") == [code]
    assert not any(home.happened(DeviceProvisioned))


def _corrupt_mac(record: Record) -> Record:
    return record.replace(message_authentication_code=bytes(16))


@pytest.mark.parametrize(("policy", "code"), [
    (_rewriting(ConfirmKeyData, _corrupt_mac), TerminateStatus.BAD_KEY_CONFIRM),
    (_rewriting(InitiateKeyEstablishment, lambda record: record.replace(suite=3)), TerminateStatus.UNSUPPORTED_SUITE),
    (_rewriting(InitiateKeyEstablishment, lambda record: record.replace(suite=0)), TerminateStatus.UNSUPPORTED_SUITE),
    (_rewriting(EphemeralData, lambda record: record.replace(ephemeral_public_key=bytes(22))), TerminateStatus.BAD_MESSAGE),
    *((Policy(rewrites=(_short_asdu(command, True, length),)), TerminateStatus.BAD_MESSAGE)
      for command in range(3) for length in (-1, 1)),
    (Policy(key_agreement_mistake="cofactor-left-out"), TerminateStatus.BAD_KEY_CONFIRM),
    (Policy(key_agreement_mistake="tags-exchanged"), TerminateStatus.BAD_KEY_CONFIRM),
], ids=["MACU", "two suites", "no suite", "no point", "Initiate -1", "Initiate +1", "Ephemeral -1", "Ephemeral +1",
        "Confirm -1", "Confirm +1", "cofactor", "tags"])
def test_the_responder_refuses_the_message_and_stores_no_key(policy: Policy, code: TerminateStatus) -> None:
    home = _home(device_policy=policy)
    assert home.run(12.0, lambda: bool(_codes(home, "esi")))
    assert _codes(home, "esi") == [code]
    assert home.portal.application.core.link_key(PCT) == (LINK_KEY, LinkKeyKind.PRECONFIGURED)
    assert not any(key.kind == "link" for key in home.happened(KeyLearnt))


# -- what the initiator refuses


@pytest.mark.parametrize(("own", "code"), [
    (FOREIGN.issue(ESI, Random(1)), TerminateStatus.UNKNOWN_ISSUER),
    (credentials(Eui64(0x99)), TerminateStatus.BAD_MESSAGE),
], ids=["unknown issuer", "another's certificate"])
def test_the_initiator_refuses_the_certificate(own: Credentials, code: TerminateStatus) -> None:
    home = _home(Policy(checks_issuer=False), esi_own=own)
    assert home.run(10.0, lambda: bool(_codes(home, "device")))
    assert _codes(home, "device") == [code]


@pytest.mark.parametrize(("policy", "code"), [
    (_rewriting(ConfirmKeyData, _corrupt_mac), TerminateStatus.BAD_KEY_CONFIRM),
    (_rewriting(InitiateKeyEstablishment, lambda record: record.replace(suite=2)), TerminateStatus.BAD_MESSAGE),
    *((Policy(rewrites=(_short_asdu(command, False, length),)), TerminateStatus.BAD_MESSAGE)
      for command in range(3) for length in (-1, 1)),
], ids=["MACV", "suite 2", "Initiate -1", "Initiate +1", "Ephemeral -1", "Ephemeral +1", "Confirm -1", "Confirm +1"])
def test_the_initiator_refuses_the_message_and_stores_no_key(policy: Policy, code: TerminateStatus) -> None:
    home = _home(policy)
    assert home.run(12.0, lambda: bool(_codes(home, "device")))
    assert _codes(home, "device") == [code]
    held = home.joiner.application.core.link_key(ESI)
    assert held == (LINK_KEY, LinkKeyKind.PRECONFIGURED)
    assert not any(home.happened(Registered))


def test_a_refused_confirmation_takes_the_key_from_the_responder_again() -> None:
    home = _home(_rewriting(ConfirmKeyData, _corrupt_mac))
    assert home.run(12.0, lambda: bool(list(home.happened(KeyEstablishmentFailed, "esi"))))
    assert home.portal.application.core.link_key(PCT) == (LINK_KEY, LinkKeyKind.PRECONFIGURED)


def test_a_device_that_is_told_of_an_unknown_issuer_leaves_the_network() -> None:
    home = _home(device_own=FOREIGN.issue(PCT, Random(1)))
    assert home.run(10.0, lambda: any(home.happened(JoinFailed)))
    home.run(0.2)
    assert home.joiner.application.core.network_key is None


# -- turns, resources, silence


@pytest.mark.parametrize("message", [
    EphemeralData.of(ephemeral_public_key=bytes.fromhex(ANNEX_C["initiator"]["ephemeral_public_key"])), ConfirmKeyData.of(),
], ids=["Ephemeral Data", "Confirm Key Data"])
def test_a_message_without_an_exchange_is_out_of_turn(message: Record) -> None:
    home = _home(device_policy=_rewriting(InitiateKeyEstablishment, lambda record: None))
    device, esi = home.joiner, home.portal
    path = Path(0, esi.settings.endpoint, device.settings.endpoint, KEY_ESTABLISHMENT)
    device.send_zcl(path, message, home.now)
    assert home.run(3.0, lambda: bool(_codes(home, "esi")))
    assert _codes(home, "esi") == [TerminateStatus.BAD_MESSAGE]


@pytest.mark.parametrize("early", [
    InitiateKeyEstablishment.of(certificate=bytes(credentials(PCT).certificate)), ConfirmKeyData.of(),
], ids=["Initiate again", "Confirm too early"])
def test_a_message_out_of_turn_ends_the_exchange_and_the_next_one_succeeds(early: Record) -> None:
    home = _home()
    device, esi = home.joiner, home.portal
    path = Path(0, esi.settings.endpoint, device.settings.endpoint, KEY_ESTABLISHMENT)
    assert home.run(3.0, lambda: bool(home.find(InitiateKeyEstablishment, "esi")))
    device.send_zcl(path, early, home.now)
    assert home.run(3.0, lambda: bool(_codes(home, "esi")))
    assert _codes(home, "esi") == [TerminateStatus.BAD_MESSAGE]
    assert home.run(60.0, lambda: any(home.happened(DeviceProvisioned)))


def test_a_second_initiator_is_told_to_come_back_and_does() -> None:
    home = Home()
    esi = home.esi()
    other = Eui64(0x0022080000000009)
    first_comer, second_comer = home.device(), home.device(ieee=other, name="other")
    for device in (first_comer, second_comer):
        esi.open_window(device.ieee, LINK_KEY, 600.0, home.now)
    first_comer.start_joining(home.now)
    home.run(0.3)
    second_comer.start_joining(home.now)
    assert home.run(60.0, lambda: len(list(home.happened(DeviceProvisioned))) == 2)
    refusals = home.find(TerminateKeyEstablishment, "esi")
    assert [record.status for record in refusals] == [TerminateStatus.NO_RESOURCES]
    first, second = (happening.at for happening in home.happened(Registered))
    assert second - first >= refusals[0].wait_time - 6.0
    assert {happening.device for happening in home.happened(DeviceProvisioned)} == {PCT, other}


@pytest.mark.parametrize("layer", MESSAGES)
@pytest.mark.parametrize("silent", ["esi", "device"])
def test_a_partner_that_falls_silent_is_given_up_without_a_word_and_tried_again(layer: type[Layer], silent: str) -> None:
    home = _home()
    with home.air.suffering(drop(layer, sender=silent, times=4)):
        home.run(25.0, lambda: any(home.happened(KeyEstablishmentFailed)))
    assert not home.find(TerminateKeyEstablishment)
    assert home.run(60.0, lambda: any(home.happened(DeviceProvisioned)))


def test_a_lost_message_is_repeated_by_aps_and_no_restart() -> None:
    home = _home()
    with home.air.suffering(*(drop(layer, sender="esi", times=1) for layer in MESSAGES)):
        assert home.run(30.0, lambda: any(home.happened(DeviceProvisioned)))
    assert not any(home.happened(KeyEstablishmentFailed))


def test_a_default_response_instead_of_a_response_is_a_failure() -> None:
    home = _home(_rewriting(InitiateKeyEstablishment, lambda record: None))
    device, esi = home.joiner, home.portal
    assert home.run(3.0, lambda: bool(home.find(InitiateKeyEstablishment, "device")))
    home.run(0.05)
    address, endpoint = device.application.core.short_address, device.settings.endpoint
    path = Path(address, endpoint, esi.settings.endpoint, KEY_ESTABLISHMENT, to_server=False)
    esi.send_zcl(path, zcl.DefaultResponse.of(command=0, status=zcl.Status.FAILURE), home.now)
    assert home.run(1.0, lambda: any(home.happened(KeyEstablishmentFailed, "device")))
    assert next(iter(home.happened(KeyEstablishmentFailed))).cause == "default_response"


def test_after_ten_failures_the_device_rests_a_quarter_of_an_hour() -> None:
    home = _home(_rewriting(ConfirmKeyData, _corrupt_mac))
    home.run(700.0)
    times = [happening.at for happening in home.happened(KeyEstablishmentFailed, "device")]
    assert len(times) == 10
    home.run(900.0)
    assert len(list(home.happened(KeyEstablishmentFailed, "device"))) > 10


def test_no_ephemeral_key_is_used_twice() -> None:
    home = _home(_rewriting(ConfirmKeyData, _corrupt_mac))
    home.run(60.0)
    keys = [record.ephemeral_public_key for record in home.find(EphemeralData)]
    assert len(keys) >= 6
    assert len(set(keys)) == len(keys)


def test_key_establishment_may_have_an_endpoint_of_its_own() -> None:
    home = Home()
    esi = home.esi(settings=EsiSettings(endpoint=0x44, key_establishment_endpoint=0x77))
    device = home.device(settings=HanDeviceSettings(endpoint=0xC1, channels=(CHANNEL,)))
    esi.open_window(PCT, LINK_KEY, 600.0, home.now)
    device.start_joining(home.now)
    assert home.run(20.0, lambda: any(home.happened(DeviceProvisioned)))
