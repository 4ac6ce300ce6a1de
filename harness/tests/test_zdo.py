"""The device object: what both roles answer to each ZDP request, over the air, and where they must keep silent."""

from __future__ import annotations

import pytest

from dissectors import zdp
from dissectors.layer import Record
from dissectors.smart_energy import PROFILE, DeviceId
from dissectors.zdp import Status
from harness.stack.application import Application
from harness.stack.happenings import ApplicationDone
from harness.stack.policy import Policy
from harness.stack.primitives import AsduRequest
from harness.tests.home_network import ESI, LINK_KEY, PCT, Home

SILENCE = None
HOME_AUTOMATION = 0x0104
LOAD_CONTROL, KEY_ESTABLISHMENT, TUNNELING = 0x0701, 0x0800, 0x0704
EVERYBODY = 0xFFFD


def _home(esi_policy: Policy | None = None, device_policy: Policy | None = None) -> Home:
    home = Home()
    esi, device = home.esi(esi_policy), home.device(device_policy)
    esi.open_window(PCT, LINK_KEY, 600.0, home.now)
    device.start_joining(home.now)
    assert home.run(30.0, lambda: any(home.happened(ApplicationDone)))
    home.run(3.0)
    return home


@pytest.fixture(scope="module")
def home() -> Home:
    """A home with a thermostat in service."""
    return _home()


def _ask(home: Home, asker: str, dest: int, record: Record) -> Record | None:
    answers: list[Record | None] = []
    home.nodes[asker].send_zdp(dest, record, home.now, then=lambda answer, now: answers.append(answer))
    home.run(10.0, lambda: bool(answers))
    return answers[0]


def _short(home: Home, name: str) -> int:
    return home.nodes[name].application.core.short_address


def test_node_descriptors(home: Home) -> None:
    esi = _ask(home, "device", 0, zdp.NodeDescReq.of(nwk_addr_of_interest=0))
    device = _ask(home, "esi", _short(home, "device"), zdp.NodeDescReq.of(nwk_addr_of_interest=_short(home, "device")))
    assert esi is not None
    assert device is not None
    assert [answer.node_descriptor.logical_type for answer in (esi, device)] == [0, 2]
    assert [answer.node_descriptor.server_mask for answer in (esi, device)] == [0x41, 0]
    assert all(answer.node_descriptor.maximum_incoming_transfer_size >= 128 for answer in (esi, device))
    assert device.node_descriptor.capability == 0x8C


def test_simple_descriptors_list_what_the_profile_wants(home: Home) -> None:
    for asker, asked, device, servers, clients in (
        ("device", "esi", DeviceId.ENERGY_SERVICE_PORTAL, {0, 3, 0xA, 0x700, 0x701, 0x702, 0x703, 0x800}, {0x800}),
        ("esi", "device", DeviceId.PROGRAMMABLE_COMMUNICATING_THERMOSTAT, {0, 3, 0x800},
         {0xA, 0x700, 0x701, 0x702, 0x703, 0x800}),
    ):
        endpoint = home.nodes[asked].settings.endpoint
        answer = _ask(home, asker, _short(home, asked), zdp.SimpleDescReq.of(
            nwk_addr_of_interest=_short(home, asked), endpoint=endpoint,
        ))
        assert answer is not None
        descriptor = answer.simple_descriptor
        assert (descriptor.profile, descriptor.device, descriptor.endpoint) == (PROFILE, device, endpoint)
        assert (set(descriptor.in_clusters), set(descriptor.out_clusters)) == (servers, clients)
        assert list(descriptor.in_clusters) == sorted(descriptor.in_clusters)


@pytest.mark.parametrize(("request_", "status"), [
    (zdp.SimpleDescReq.of(nwk_addr_of_interest=0, endpoint=0), Status.INVALID_ENDPOINT),
    (zdp.SimpleDescReq.of(nwk_addr_of_interest=0, endpoint=255), Status.INVALID_ENDPOINT),
    (zdp.SimpleDescReq.of(nwk_addr_of_interest=0, endpoint=200), Status.NOT_ACTIVE),
    (zdp.NodeDescReq.of(nwk_addr_of_interest=0x4321), Status.DEVICE_NOT_FOUND),
    (zdp.ActiveEpReq.of(nwk_addr_of_interest=0x4321), Status.DEVICE_NOT_FOUND),
    (zdp.PowerDescReq.of(nwk_addr_of_interest=0), Status.SUCCESS),
    (zdp.NwkAddrReq.of(ieee_addr=ESI), Status.SUCCESS),
    (zdp.NwkAddrReq.of(ieee_addr=1), Status.DEVICE_NOT_FOUND),
    (zdp.NwkAddrReq.of(ieee_addr=ESI, request_type=7), Status.INVALID_REQUEST_TYPE),
    (zdp.IeeeAddrReq.of(nwk_addr_of_interest=0, request_type=1), Status.SUCCESS),
    (zdp.IeeeAddrReq.of(nwk_addr_of_interest=0x4321), Status.DEVICE_NOT_FOUND),
    (zdp.MgmtLqiReq.of(), Status.NOT_SUPPORTED),
    (zdp.MgmtLeaveReq.of(ieee_addr=0), Status.NOT_SUPPORTED),
    (zdp.MgmtPermitJoiningReq.of(duration=60), Status.NOT_AUTHORIZED),
    (zdp.EndDeviceBindReq.of(), Status.NOT_SUPPORTED),
    (zdp.BindReq.of(source_ieee=ESI, source_endpoint=0x29, cluster_id=0x700, dest_ieee=PCT, dest_endpoint=1), Status.SUCCESS),
    (zdp.BindReq.of(source_ieee=ESI, source_endpoint=200, cluster_id=0x700, dest_ieee=PCT), Status.INVALID_ENDPOINT),
    (zdp.BindReq.of(source_ieee=1, source_endpoint=0x29, cluster_id=0x700, dest_ieee=PCT), Status.NOT_SUPPORTED),
    (zdp.UnbindReq.of(source_ieee=ESI, source_endpoint=0x29, cluster_id=0x999, dest_ieee=PCT), Status.NO_ENTRY),
    (zdp.UnbindReq.of(source_ieee=ESI, source_endpoint=0x29, cluster_id=0x700, dest_ieee=PCT, dest_endpoint=1), Status.SUCCESS),
    (zdp.SystemServerDiscoveryReq.of(server_mask=1), Status.SUCCESS),
], ids=lambda value: value.name)
def test_what_the_esi_answers(home: Home, request_: Record, status: Status) -> None:
    answer = _ask(home, "device", 0, request_)
    assert answer is not None
    assert answer.status == status


@pytest.mark.parametrize(("request_", "status"), [
    (zdp.NodeDescReq.of(nwk_addr_of_interest=0x4321), Status.INVALID_REQUEST_TYPE),
    (zdp.MgmtLeaveReq.of(ieee_addr=0), Status.NOT_SUPPORTED),
    (zdp.MgmtPermitJoiningReq.of(duration=60), Status.NOT_SUPPORTED),
    (zdp.MgmtBindReq.of(), Status.NOT_SUPPORTED),
], ids=lambda value: value.name)
def test_what_the_device_answers(home: Home, request_: Record, status: Status) -> None:
    answer = _ask(home, "esi", _short(home, "device"), request_)
    assert answer is not None
    assert answer.status == status


@pytest.mark.parametrize(("dest", "profile", "cluster", "expected"), [
    (0, PROFILE, LOAD_CONTROL, 1), (0, PROFILE, KEY_ESTABLISHMENT, 1), (EVERYBODY, PROFILE, LOAD_CONTROL, 1),
    (0, HOME_AUTOMATION, LOAD_CONTROL, 0), (0, PROFILE, TUNNELING, 0), (0, zdp.WILDCARD_PROFILE, LOAD_CONTROL, 0),
    (EVERYBODY, PROFILE, TUNNELING, SILENCE), (EVERYBODY, HOME_AUTOMATION, LOAD_CONTROL, SILENCE),
])
def test_matching_services(home: Home, dest: int, profile: int, cluster: int, expected: int | None) -> None:
    answer = _ask(home, "device", dest, zdp.MatchDescReq.of(
        nwk_addr_of_interest=dest, profile=profile, in_clusters=(cluster,),
    ))
    assert (None if answer is None else len(answer.endpoints)) == expected


@pytest.mark.parametrize("request_", [
    zdp.NwkAddrReq.of(ieee_addr=1), zdp.NodeDescReq.of(nwk_addr_of_interest=0x4321), zdp.MgmtLqiReq.of(),
    zdp.SystemServerDiscoveryReq.of(server_mask=2),
], ids=lambda value: value.name)
def test_nobody_answers_a_broadcast_that_does_not_concern_him(home: Home, request_: Record) -> None:
    assert _ask(home, "device", EVERYBODY, request_) is None


def _raw(application: Application, cluster: int, asdu: bytes, home: Home) -> list[tuple[int, bytes]]:
    before = len(home.heard())
    application.core.data(AsduRequest(0, 0, 0, zdp.PROFILE, cluster, asdu), home.now)
    home.run(2.0)
    return [
        (each.frame.aps.cluster, each.frame.aps.payload) for each in home.heard()[before:]
        if each.sender == "esi" and each.frame.aps is not None and each.frame.aps.payload
    ]


def test_an_unknown_request_is_not_supported_and_a_malformed_one_is_passed_over(home: Home) -> None:
    application = home.joiner.application
    assert _raw(application, 0x0777, b"\x42\x01\x02", home) == [(0x8777, b"\x42" + bytes([Status.NOT_SUPPORTED]))]
    assert _raw(application, 0x0004, b"\x42\x00", home) == []
    assert _ask(home, "device", 0, zdp.ActiveEpReq.of(nwk_addr_of_interest=0)) is not None


@pytest.mark.parametrize(("policy", "dest", "profile"), [
    (Policy(matches_foreign_profile=True), 0, HOME_AUTOMATION),
    (Policy(answers_unmatched_broadcast=True), EVERYBODY, HOME_AUTOMATION),
])
def test_a_device_object_with_a_defect(policy: Policy, dest: int, profile: int) -> None:
    home = _home(policy)
    answer = _ask(home, "device", dest, zdp.MatchDescReq.of(
        nwk_addr_of_interest=dest, profile=profile, in_clusters=(LOAD_CONTROL,),
    ))
    assert answer is not None
