"""The clusters: every command back and forth and cut short, what revisions append, and the tables of attributes."""

from __future__ import annotations

import pytest

from dissectors import clusters, zcl
from dissectors.clusters import Access, Cluster, alarms, basic, drlc, key_establishment, metering, price, time
from dissectors.layer import Layer, Malformed, Record, encode, packet_of, parse, parse_whole
from dissectors.tests.cluster_examples import BASE_PRICE, EXAMPLES, R15_PRICE, SE11_PRICE
from dissectors.zcl import Direction, FrameType, Zcl

Command = tuple[Cluster, Direction, int, type[Layer]]

COMMANDS: list[Command] = [
    (cluster, direction, identifier, layer)
    for cluster in clusters.all_clusters()
    for direction, commands in zip(Direction, (cluster.client_commands, cluster.server_commands), strict=True)
    for identifier, layer in commands.items()
]

each_command = pytest.mark.parametrize(
    "command", [pytest.param(command, id=f"{command[0].name}-{command[1]}-{command[3].__name__}") for command in COMMANDS]
)


def frame(command: Command, record: Record) -> tuple[Record, bytes]:
    """The header of a cluster's command, and the ASDU."""
    cluster, direction, identifier, _ = command
    header = Zcl.of(frame_type=FrameType.CLUSTER, direction=direction, sequence=7, command_identifier=identifier)
    assert cluster.identifier_of(direction, record.layer) == identifier
    return header, zcl.build(header, record)


@each_command
def test_a_default_of_every_command_back_and_forth(command: Command) -> None:
    header, asdu = frame(command, command[3].of())
    assert zcl.read(command[0].identifier, asdu) == header.joined(command=command[3].of(), surplus=b"")


@each_command
def test_cut_short_it_is_malformed(command: Command) -> None:
    _, asdu = frame(command, command[3].of())
    for length in range(3, len(asdu)):
        with pytest.raises(Malformed):
            zcl.read(command[0].identifier, asdu[:length])


def test_every_command_has_an_example() -> None:
    assert {example.command.layer for example in EXAMPLES} == {command[3] for command in COMMANDS}


@pytest.mark.parametrize("record", [pytest.param(example.command, id=example.command.name) for example in EXAMPLES])
def test_examples_back_and_forth(record: Record) -> None:
    assert parse_whole(record.layer, encode(record)) == record
    assert bytes(packet_of(record)) == encode(record)  # Scapy's own view of the same structure


def test_the_package_finds_its_clusters() -> None:
    assert [cluster.identifier for cluster in clusters.all_clusters()] == [
        0x0000, 0x0001, 0x0003, 0x0009, 0x000A, 0x0015, 0x0700, 0x0701, 0x0702, 0x0703, 0x0704, 0x0705, 0x0800,
    ]
    assert clusters.by_identifier(0x0701) is drlc.CLUSTER
    assert clusters.by_identifier(0xFC00) is None


@pytest.mark.parametrize("cluster", clusters.all_clusters(), ids=lambda cluster: cluster.name)
def test_attributes_have_names_of_their_own_and_defaults_of_their_type(cluster: Cluster) -> None:
    for attributes in (cluster.attributes, cluster.client_attributes):
        assert len({attribute.name for attribute in attributes.values()}) == len(attributes)
        assert list(attributes) == sorted(attributes)
        for attribute in attributes.values():
            if attribute.default is not None:
                assert zcl.decode_value(attribute.type, zcl.encode_value(attribute.type, attribute.default)) == (
                    attribute.default, b"",
                )


@pytest.mark.parametrize(
    ("cluster", "mandatory"),
    [
        (basic.CLUSTER, {0x0000, 0x0007, 0x0012}),
        (time.CLUSTER, {0x0000, 0x0001}),
        (metering.CLUSTER, {0x0000, 0x0200, 0x0300, 0x0303, 0x0306}),
        (key_establishment.CLUSTER, {0x0000}),
        (price.CLUSTER, set()),
        (drlc.CLUSTER, set()),
    ],
    ids=lambda value: getattr(value, "name", ""),
)
def test_mandatory_attributes(cluster: Cluster, mandatory: set[int]) -> None:
    assert {identifier for identifier, attribute in cluster.attributes.items() if attribute.mandatory} == mandatory


def test_drlc_has_attributes_on_the_client_alone() -> None:
    assert not drlc.CLUSTER.attributes
    assert [(attribute.access, attribute.mandatory) for attribute in drlc.CLUSTER.client_attributes.values()] == 4 * [
        (Access.READ_WRITE, True)
    ]
    assert drlc.CLUSTER.client_attributes[drlc.START_RANDOMIZE_MINUTES].default == 30


def test_tier_attributes_of_metering() -> None:
    names = {identifier: metering.CLUSTER.attributes[identifier].name for identifier in (0x0100, 0x0101, 0x010A, 0x010B)}
    assert names == {
        0x0100: "CurrentTier1SummationDelivered", 0x0101: "CurrentTier1SummationReceived",
        0x010A: "CurrentTier6SummationDelivered", 0x010B: "CurrentTier6SummationReceived",
    }


@pytest.mark.parametrize(
    ("record", "octets"), [(BASE_PRICE, 34), (R15_PRICE, 40), (SE11_PRICE, 42)], ids=["base", "r15", "1.1"]
)
def test_a_price_is_as_long_as_its_revision_makes_it(record: Record, octets: int) -> None:
    assert len(encode(record)) == octets + len(record.rate_label)


def test_a_price_with_more_than_we_know_keeps_it() -> None:
    header, asdu = frame((price.CLUSTER, Direction.SERVER_TO_CLIENT, 0x00, price.PublishPrice), SE11_PRICE)
    assert zcl.read(0x0700, asdu + b"\x01\x02") == header.joined(command=SE11_PRICE, surplus=b"\x01\x02")


@pytest.mark.parametrize(
    ("layer", "octets"),
    [
        (drlc.LoadControlEvent, 23),
        (drlc.CancelLoadControlEvent, 12),
        (drlc.CancelAllLoadControlEvents, 1),
        (drlc.ReportEventStatus, 60),
        (drlc.GetScheduledEvents, 5),
        (key_establishment.InitiateKeyEstablishment, 52),
        (key_establishment.EphemeralData, 22),
        (key_establishment.ConfirmKeyData, 16),
        (key_establishment.TerminateKeyEstablishment, 4),
    ],
    ids=lambda value: getattr(value, "__name__", value),
)
def test_commands_are_as_long_as_the_profile_says(layer: type[Layer], octets: int) -> None:
    assert len(encode(layer.of())) == octets


def test_unused_values_of_an_event() -> None:
    assert encode(drlc.LoadControlEvent.of())[14:].hex() == "ffff00800080" "80ff00"


@pytest.mark.parametrize(
    ("suite", "size", "certificate"),
    [
        (key_establishment.Suite.CBKE_ECMQV_K163, 60, 48),
        (key_establishment.Suite.CBKE_ECMQV_K283, 74, 74),
        (0x0003, 48, 48),  # two bits set: by what is there
        (0x0003, 74, 74),
        (0x0000, 60, 48),
    ],
)
def test_a_certificate_is_as_long_as_its_suite_makes_it(suite: int, size: int, certificate: int) -> None:
    record, rest = parse(key_establishment.InitiateKeyEstablishment, bytes([suite, 0, 3, 6]) + bytes(size))
    assert (len(record.certificate), len(rest)) == (certificate, size - certificate)


@pytest.mark.parametrize("size", [22, 37])
def test_an_ephemeral_key_of_either_suite(size: int) -> None:
    key = bytes(range(size))
    assert parse_whole(key_establishment.EphemeralData, key) == key_establishment.EphemeralData.of(ephemeral_public_key=key)


def test_a_second_suite_certificate_needs_74_octets() -> None:
    with pytest.raises(Malformed, match="74"):
        parse(key_establishment.InitiateKeyEstablishment, bytes([2, 0, 3, 6]) + bytes(73))


def test_an_alarm_that_was_not_found_ends_with_its_status() -> None:
    response = alarms.GetAlarmResponse
    assert encode(response.of(status=0x8B)) == b"\x8b"
    assert parse_whole(response, b"\x8b").alarm_code is None
