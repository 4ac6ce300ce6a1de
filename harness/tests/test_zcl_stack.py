"""The cluster library: the security rule in both directions, Default Responses, general commands, malformed frames."""

from __future__ import annotations

from collections.abc import Callable
from itertools import product

import pytest

from dissectors import zcl
from dissectors.clusters import all_clusters, basic, drlc, identify, price, tunneling
from dissectors.clusters import time as time_cluster
from dissectors.layer import Layer, Record
from dissectors.smart_energy import requires_link_key
from dissectors.zcl import DataType, Status
from harness.stack.application import Asdu, Path
from harness.stack.happenings import ApplicationDone, DeviceProvisioned
from harness.stack.policy import Policy
from harness.stack.primitives import AsduIndication, LinkKeyKind
from harness.stack.zcl import TREATMENTS, Treatment, default_response_due, treatment, unsupported
from harness.tests.home_network import LINK_KEY, PCT, START_OF_TIME, Home

TIME, BASIC, PRICE, IDENTIFY = 0x000A, 0x0000, 0x0700, 0x0003


def _home(esi_policy: Policy | None = None, device_policy: Policy | None = None) -> Home:
    home = Home()
    esi, device = home.esi(esi_policy), home.device(device_policy)
    esi.open_window(PCT, LINK_KEY, 600.0, home.now)
    device.start_joining(home.now)
    assert home.run(30.0, lambda: any(home.happened(DeviceProvisioned)))
    home.run(4.0)
    return home


@pytest.fixture(scope="module")
def home() -> Home:
    """A home with a thermostat in service."""
    home = _home()
    assert any(home.happened(ApplicationDone))
    return home


def _path(home: Home, cluster: int, to_esi: bool = True, to_server: bool | None = None) -> Path:
    esi, device = home.portal.settings.endpoint, home.joiner.settings.endpoint
    server = to_esi if to_server is None else to_server
    if to_esi:
        return Path(0, esi, device, cluster, server)
    return Path(home.joiner.application.core.short_address, device, esi, cluster, server)


def _ask(home: Home, path: Path, command: Record, *, link_key: bool | None = None, quiet: bool = False) -> Record | None:
    """Send a command and give what is answered within two seconds: the ZCL header joined with its command."""
    answers: list[Record | None] = []
    asker = home.nodes["device" if path.dest == 0 else "esi"].application
    asker.send_zcl(
        path, command, home.now, then=lambda answer, now: answers.append(answer), link_key=link_key,
        disable_default_response=quiet,
    )
    asker.core.wake(home.now)
    home.run(2.0, lambda: bool(answers))
    return answers[0] if answers else None


def _status(answer: Record | None) -> Status | None:
    if answer is None:
        return None
    assert answer.command.is_a(zcl.DefaultResponse)
    return Status(answer.command.status)


# -- the security rule


@pytest.mark.parametrize(("needs", "key"), list(product((True, False), (None, *LinkKeyKind))))
def test_the_security_rule_is_complete(needs: bool, key: LinkKeyKind | None) -> None:
    admitted = not needs or key is LinkKeyKind.ESTABLISHED
    assert TREATMENTS[needs, key] is (Treatment.ADMITTED if admitted else Treatment.REFUSED)
    cluster = TIME if needs else BASIC
    indication = AsduIndication(1, None, 1, 1, 0x0109, cluster, b"", 0, key)
    assert treatment(indication, Policy()) is TREATMENTS[needs, key]


@pytest.mark.parametrize(("policy", "cluster", "key"), [
    (Policy(requires_link_key=False), TIME, None),
    (Policy(accepts_preconfigured_key=True), TIME, LinkKeyKind.PRECONFIGURED),
])
def test_a_lax_policy_admits_what_the_rule_refuses(policy: Policy, cluster: int, key: LinkKeyKind | None) -> None:
    assert treatment(AsduIndication(1, None, 1, 1, 0x0109, cluster, b"", 0, key), policy) is Treatment.ADMITTED


def test_a_strict_policy_refuses_what_the_rule_admits() -> None:
    indication = AsduIndication(1, None, 1, 1, 0x0109, BASIC, b"", 0, None)
    assert treatment(indication, Policy(demands_link_key_always=True)) is Treatment.REFUSED


def test_five_clusters_do_without_the_link_key() -> None:
    free = {cluster.name for cluster in all_clusters() if not requires_link_key(cluster.identifier)}
    assert free == {"Basic", "Power Configuration", "Identify", "Alarms", "Key Establishment"}


@pytest.mark.parametrize("to_esi", [True, False], ids=["ESI", "device"])
def test_data_under_the_network_key_alone_is_refused_under_the_network_key(home: Home, to_esi: bool) -> None:
    path = _path(home, TIME if to_esi else drlc.CLUSTER.identifier, to_esi)
    before = len(home.heard())
    answer = _ask(home, path, zcl.ReadAttributes.of(attributes=(0,)), link_key=False)
    assert _status(answer) is Status.FAILURE
    frames = [each.frame for each in home.heard()[before:] if each.frame.find(zcl.DefaultResponse)]
    assert [frame.security.aps for frame in frames] == [None]


def test_data_under_the_install_code_key_is_refused() -> None:
    policy = Policy(installs_established_key=False)
    home = _home(policy, policy)
    reads = [each.frame for each in home.heard() if each.frame.find(zcl.ReadAttributes) and each.frame.aps_key_kind == "ic"]
    assert reads
    statuses = {record.status for record in home.find(zcl.DefaultResponse, "esi")}
    assert statuses == {Status.FAILURE}
    assert not home.find(price.PublishPrice)


def test_a_refused_command_is_not_executed() -> None:
    for policy, shown in ((Policy(), False), (Policy(executes_refused_commands=True), True)):
        home = _home(None, policy)
        home.joiner.prices.forget()
        command = price.PublishPrice.of(issuer_event_id=77)
        _ask(home, _path(home, PRICE, to_esi=False, to_server=False), command, link_key=False)
        assert (77 in home.joiner.prices.prices) is shown


@pytest.mark.parametrize("cluster", [BASIC, IDENTIFY, 0x0800])
def test_what_the_network_key_is_enough_for_is_answered_under_it(home: Home, cluster: int) -> None:
    answer = _ask(home, _path(home, cluster), zcl.ReadAttributes.of(attributes=(0,)))
    assert answer is not None
    assert answer.command.records[0].status == Status.SUCCESS


def test_a_response_is_secured_like_its_request(home: Home) -> None:
    before = len(home.heard())
    assert _ask(home, _path(home, BASIC), zcl.ReadAttributes.of(attributes=(0,)), link_key=True) is not None
    frames = [each.frame for each in home.heard()[before:] if each.frame.find(zcl.ReadAttributesResponse)]
    assert [frame.security.aps for frame in frames] == ["ok"]


# -- Default Responses


def _header(**fields: object) -> Record:
    return zcl.Zcl.of(**{"frame_type": zcl.FrameType.CLUSTER, "disable_default_response": 0, **fields})


@pytest.mark.parametrize(("header", "status", "broadcast", "due"), [
    (_header(), Status.SUCCESS, False, True),
    (_header(disable_default_response=1), Status.SUCCESS, False, False),
    (_header(disable_default_response=1), Status.FAILURE, False, True),
    (_header(), Status.FAILURE, True, False),
    (_header(frame_type=zcl.FrameType.GENERAL, command_identifier=0x0B), Status.FAILURE, False, False),
    (_header(command_identifier=0x0B), Status.SUCCESS, False, True),
])
def test_when_a_default_response_is_due(header: Record, status: Status, broadcast: bool, due: bool) -> None:
    assert default_response_due(header, status, broadcast, Policy()) is due
    assert not default_response_due(header, status, broadcast, Policy(sends_default_response=False))


@pytest.mark.parametrize(("fields", "status"), [
    ({"frame_type": 0}, Status.UNSUP_GENERAL_COMMAND),
    ({"frame_type": 0, "manufacturer_specific": 1}, Status.UNSUP_MANUF_GENERAL_COMMAND),
    ({}, Status.UNSUP_CLUSTER_COMMAND),
    ({"manufacturer_specific": 1}, Status.UNSUP_MANUF_CLUSTER_COMMAND),
])
def test_the_status_of_an_unknown_command_names_its_kind(fields: dict[str, int], status: Status) -> None:
    assert unsupported(_header(**fields)) is status


@pytest.mark.parametrize("quiet", [False, True])
def test_an_accepted_report_draws_a_default_response_unless_it_forbids_one(home: Home, quiet: bool) -> None:
    answer = _ask(home, _path(home, drlc.CLUSTER.identifier), drlc.ReportEventStatus.of(event_status_time=5), quiet=quiet)
    assert _status(answer) is (None if quiet else Status.SUCCESS)


def test_a_default_response_goes_back_the_way_the_command_came(home: Home) -> None:
    answer = _ask(home, _path(home, drlc.CLUSTER.identifier), drlc.ReportEventStatus.of(event_status_time=5))
    assert answer is not None
    assert (answer.direction, answer.frame_type) == (zcl.Direction.SERVER_TO_CLIENT, zcl.FrameType.GENERAL)
    assert answer.command.command == 0


# -- general commands


def _one(answer: Record | None) -> Record:
    assert answer is not None
    return answer.command.records[0]  # type: ignore[no-any-return]


def test_reading_known_and_unknown_attributes(home: Home) -> None:
    answer = _ask(home, _path(home, TIME), zcl.ReadAttributes.of(attributes=(0, 0x4242)))
    assert answer is not None
    known, unknown = answer.command.records
    assert (known.type, known.value) == (DataType.UTC_TIME, START_OF_TIME + int(home.now))
    assert (unknown.status, unknown.type) == (Status.UNSUPPORTED_ATTRIBUTE, None)


@pytest.mark.parametrize(("cluster", "attribute", "kind", "value", "status"), [
    (TIME, time_cluster.TIME, DataType.UTC_TIME, 5, Status.READ_ONLY),
    (BASIC, basic.DEVICE_ENABLED, DataType.BOOLEAN, True, Status.SUCCESS),
    (BASIC, basic.DEVICE_ENABLED, DataType.UINT8, 1, Status.INVALID_DATA_TYPE),
    (BASIC, 0x4242, DataType.UINT8, 1, Status.UNSUPPORTED_ATTRIBUTE),
    (IDENTIFY, identify.IDENTIFY_TIME, DataType.UINT16, 3, Status.SUCCESS),
])
@pytest.mark.parametrize("command", [zcl.WriteAttributes, zcl.WriteAttributesUndivided])
def test_writing(
    home: Home, command: type[Layer], cluster: int, attribute: int, kind: DataType, value: object, status: Status
) -> None:
    record = zcl.AttributeValue.of(attribute=attribute, type=kind, value=value)
    answer = _ask(home, _path(home, cluster), command.of(records=(record,)))
    assert _one(answer).status == status


def test_writing_all_or_nothing(home: Home) -> None:
    good = zcl.AttributeValue.of(attribute=basic.DEVICE_ENABLED, type=DataType.BOOLEAN, value=False)
    bad = zcl.AttributeValue.of(attribute=basic.ZCL_VERSION, type=DataType.UINT8, value=9)
    _ask(home, _path(home, BASIC), zcl.WriteAttributesUndivided.of(records=(good, bad)))
    read = zcl.ReadAttributes.of(attributes=(basic.DEVICE_ENABLED,))
    assert _one(_ask(home, _path(home, BASIC), read)).value is True


def test_a_device_may_refuse_to_change_its_class(home: Home) -> None:
    record = zcl.AttributeValue.of(attribute=drlc.DEVICE_CLASS_VALUE, type=DataType.UINT16, value=1)
    path = _path(home, drlc.CLUSTER.identifier, to_esi=False, to_server=False)
    assert _one(_ask(home, path, zcl.WriteAttributes.of(records=(record,)))).status == Status.NOT_AUTHORIZED
    group = zcl.AttributeValue.of(attribute=drlc.UTILITY_ENROLLMENT_GROUP, type=DataType.UINT8, value=0)
    assert _one(_ask(home, path, zcl.WriteAttributes.of(records=(group,)))).status == Status.SUCCESS


def test_reporting_is_refused_attribute_by_attribute(home: Home) -> None:
    wanted = zcl.ReportingConfiguration.of(
        direction=0, attribute=0, type=DataType.UTC_TIME, minimum_interval=1, maximum_interval=2, reportable_change=1,
    )
    answer = _ask(home, _path(home, TIME), zcl.ConfigureReporting.of(records=(wanted,)))
    assert _one(answer).status == Status.UNREPORTABLE_ATTRIBUTE
    asked = zcl.ReadReportingConfiguration.of(records=(zcl.ReportedAttribute.of(direction=0, attribute=0x4242),))
    assert _one(_ask(home, _path(home, TIME), asked)).status == Status.UNSUPPORTED_ATTRIBUTE


def test_discovering_attributes(home: Home) -> None:
    answer = _ask(home, _path(home, TIME), zcl.DiscoverAttributes.of(start=0, maximum=2))
    assert answer is not None
    assert answer.command.complete == 0
    assert [record.attribute for record in answer.command.records] == [0, 1]


# -- what is not supported, and what cannot be read


@pytest.mark.parametrize(("cluster", "command", "status"), [
    (PRICE, price.PriceAcknowledgement.of(), Status.UNSUP_CLUSTER_COMMAND),
    (tunneling.CLUSTER.identifier, zcl.ReadAttributes.of(attributes=(0,)), Status.UNSUP_GENERAL_COMMAND),
])
def test_what_a_1_0_esi_does_not_have(home: Home, cluster: int, command: Record, status: Status) -> None:
    assert _status(_ask(home, _path(home, cluster), command)) is status


def _altered(octets: Callable[[bytes], bytes]) -> Policy:
    """A device whose reads of the Time cluster are altered, and nothing else it sends."""

    def change(record: Record) -> Record:
        if not record.is_a(Asdu) or record.cluster != IDENTIFY:
            return record
        return record.replace(octets=octets(record.octets))

    return Policy(rewrites=(change,))


@pytest.mark.parametrize(("octets", "status"), [
    (lambda asdu: asdu[:-1], Status.MALFORMED_COMMAND),
    (lambda asdu: asdu[:2], None),
    (lambda asdu: asdu[:3] + b"\x01", Status.MALFORMED_COMMAND),
    (lambda asdu: bytes([asdu[0] | 3]) + asdu[1:], Status.MALFORMED_COMMAND),
], ids=["one octet short", "no header", "half an attribute", "reserved frame type"])
def test_malformed_frames_draw_a_status_or_silence_and_the_esi_lives_on(
    octets: Callable[[bytes], bytes], status: Status | None
) -> None:
    home = _home(None, _altered(octets))
    assert _status(_ask(home, _path(home, IDENTIFY), zcl.ReadAttributes.of(attributes=(0,)))) is status
    assert _ask(home, _path(home, TIME), zcl.ReadAttributes.of(attributes=(0,))) is not None


def test_an_esi_that_hangs_on_a_malformed_frame() -> None:
    home = _home(Policy(hangs_on_malformed=True), _altered(lambda asdu: asdu[:-1]))
    assert _ask(home, _path(home, IDENTIFY), zcl.ReadAttributes.of(attributes=(0,))) is None
    assert _ask(home, _path(home, TIME), zcl.ReadAttributes.of(attributes=(0,))) is None
