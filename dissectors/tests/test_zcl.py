"""ZCL header, general commands and data types: logged frames, every command back and forth, what is malformed."""

from __future__ import annotations

from typing import Any

import pytest

from dissectors import zcl
from dissectors.layer import Malformed, Record, encode, packet_of, parse_whole
from dissectors.tests.vectors import rows
from dissectors.tests.zcl_examples import GENERAL, INVALID, VALUES
from dissectors.zcl import DataType, FrameType, Status, Zcl, decode_value, encode_value
from dissectors.zcl_values import MAX_NESTING, Array

BASIC, PRICE = 0x0000, 0x0700

each_command = pytest.mark.parametrize(
    ("identifier", "command"), [pytest.param(*item, id=item[1].name) for item in GENERAL.items()]
)


@pytest.mark.parametrize("row", rows("zcl"))
def test_frames_of_networks(row: dict[str, Any]) -> None:
    frame = zcl.read(row["cluster"], bytes.fromhex(row["octets"]))
    header = {name: value for name, value in frame.plain().items() if value and name != "command"}
    assert header == row["header"]
    assert frame.command.name == row["command"]
    assert _present(frame.command.plain()) == row["fields"]
    assert zcl.build(frame, frame.command).hex() == row["octets"]


def _present(value: Any) -> Any:
    if isinstance(value, list):
        return [_present(item) for item in value]
    return {name: _present(item) for name, item in value.items() if item is not None} if isinstance(value, dict) else value


def test_every_general_command_has_an_example() -> None:
    assert GENERAL.keys() == zcl.GENERAL_COMMANDS.keys()
    assert all(zcl.GENERAL_COMMANDS[identifier] is command.layer for identifier, command in GENERAL.items())


@each_command
def test_round_trip(identifier: int, command: Record) -> None:
    header = Zcl.of(sequence=0x7F, command_identifier=identifier, disable_default_response=1)
    manufacturers = header.replace(manufacturer_specific=1, manufacturer_code=0x1037)
    for each in (header, manufacturers):  # a manufacturer's attributes are read with the same commands
        assert zcl.read(BASIC, zcl.build(each, command)) == each.joined(command=command, surplus=b"")
    assert bytes(packet_of(command)) == encode(command)  # Scapy's own view of the same structure


@each_command
def test_cut_short_it_is_malformed_but_between_records(identifier: int, command: Record) -> None:
    whole = encode(command)
    lists = [name for name in command if isinstance(getattr(command, name), tuple)]
    ends = {
        len(encode(command.replace(**{name: getattr(command, name)[:count]})))
        for name in lists for count in range(len(getattr(command, name)))
    }
    if command.layer in (zcl.WriteAttributesResponse, zcl.ConfigureReportingResponse):
        ends.remove(0)  # one record at least
    for length in range(len(whole)):
        if length in ends:
            assert encode(parse_whole(command.layer, whole[:length])) == whole[:length]
        else:
            with pytest.raises(Malformed):
                parse_whole(command.layer, whole[:length])


@pytest.mark.parametrize("octets", ["", "18", "1801", "1c34", "1c341201"])
def test_a_header_cut_short_is_malformed(octets: str) -> None:
    with pytest.raises(Malformed):
        zcl.read(BASIC, bytes.fromhex(octets))


@pytest.mark.parametrize("frame_type", [2, 3])
def test_a_reserved_frame_type_is_malformed(frame_type: int) -> None:
    with pytest.raises(Malformed, match=f"type {frame_type} is reserved"):
        zcl.read(BASIC, bytes([frame_type, 0, 0]))


def test_octets_after_a_general_command_are_malformed() -> None:
    with pytest.raises(Malformed, match="unread"):
        zcl.read(BASIC, bytes.fromhex("18070b0086aa"))


def test_octets_after_a_cluster_command_are_kept() -> None:
    assert zcl.read(PRICE, bytes.fromhex("01050001aabb")).surplus == b"\xaa\xbb"


@pytest.mark.parametrize(
    ("cluster", "octets"),
    [(BASIC, "0007ee0102"), (PRICE, "0107ee0102"), (0xFC00, "0107000102"), (PRICE, "053412 07 00 0102")],
    ids=["general", "of-the-cluster", "of-an-unknown-cluster", "of-a-manufacturer"],
)
def test_a_command_that_nobody_declares_keeps_its_octets(cluster: int, octets: str) -> None:
    frame = zcl.read(cluster, bytes.fromhex(octets))
    assert frame.command == zcl.UnknownCommand.of(octets=b"\x01\x02")
    assert frame.sequence == 0x07
    assert zcl.build(frame, frame.command) == bytes.fromhex(octets)


def test_a_complete_success_is_one_octet() -> None:
    success = zcl.WriteAttributesResponse.of(records=(zcl.AttributeStatus.of(),))
    assert encode(success) == bytes([Status.SUCCESS])
    assert parse_whole(zcl.WriteAttributesResponse, b"\0") == success


def test_a_success_that_names_its_attribute_is_read_too() -> None:
    response = parse_whole(zcl.WriteAttributesResponse, bytes.fromhex("000300 860400"))
    assert [(record.status, record.attribute) for record in response.records] == [(0, 3), (0x86, 4)]


def test_a_failure_that_names_no_attribute_is_malformed() -> None:
    with pytest.raises(Malformed):
        parse_whole(zcl.WriteAttributesResponse, b"\x86")
    with pytest.raises(Malformed, match="attribute is missing"):
        encode(zcl.AttributeStatus.of(status=Status.UNSUPPORTED_ATTRIBUTE))


@pytest.mark.parametrize(("kind", "octets", "value"), VALUES, ids=lambda value: getattr(value, "name", None))
def test_a_value_of_every_type(kind: DataType, octets: str, value: Any) -> None:
    assert encode_value(kind, value).hex() == octets
    assert decode_value(kind, bytes.fromhex(octets) + b"rest") == (value, b"rest")
    for length in range(len(octets) // 2):
        with pytest.raises(Malformed):
            decode_value(kind, bytes.fromhex(octets)[:length])


@pytest.mark.parametrize(("kind", "octets"), INVALID)
def test_an_invalid_value_is_none(kind: DataType, octets: str) -> None:
    assert decode_value(kind, bytes.fromhex(octets)) == (None, b"")
    assert encode_value(kind, None).hex() == octets


def test_an_invalid_array_has_no_elements() -> None:
    assert decode_value(DataType.ARRAY, bytes.fromhex("20ffff")) == (Array.of(element_type=DataType.UINT8, elements=None), b"")
    assert encode_value(DataType.ARRAY, Array.of(element_type=DataType.UINT8, elements=None)).hex() == "20ffff"


@pytest.mark.parametrize("kind", sorted(set(range(256)) - set(DataType)))
def test_a_type_of_unknown_length_is_malformed_with_the_reason(kind: int) -> None:
    with pytest.raises(Malformed, match=f"data type {kind:02x} is not known"):
        zcl.read(BASIC, bytes.fromhex("180001040000") + bytes([kind]) + bytes(8))


def test_a_boolean_is_0_1_or_invalid() -> None:
    with pytest.raises(Malformed, match="not 02"):
        decode_value(DataType.BOOLEAN, b"\x02")


def test_arrays_nest_as_deep_as_the_library_allows() -> None:
    level = bytes([DataType.ARRAY, 1, 0])
    assert decode_value(DataType.ARRAY, level * (MAX_NESTING - 1) + bytes.fromhex("20010005"))[1] == b""
    with pytest.raises(Malformed, match="deep"):
        decode_value(DataType.ARRAY, level * MAX_NESTING + bytes.fromhex("20010005"))


@pytest.mark.parametrize(
    ("kind", "value"), [(DataType.UINT8, 256), (DataType.INT8, 128), (DataType.ENUM8, -1), (DataType.UINT16, "x")]
)
def test_a_value_that_does_not_fit_is_not_encoded(kind: DataType, value: Any) -> None:
    with pytest.raises(Malformed):
        encode_value(kind, value)


def test_a_missing_value_is_not_encoded() -> None:
    with pytest.raises(Malformed, match="data type 21 is missing"):
        encode(zcl.AttributeValue.of(attribute=0, type=DataType.UINT16))


def test_json_shows_addresses_and_text_but_no_key() -> None:
    octets = bytes.fromhex("18000110000042026f6b" "100000f00807060504030201" "120000f1") + bytes(range(16))
    frame = zcl.read(0x0015, octets)
    assert [record["value"] for record in frame.plain()["command"]["records"]] == ["ok", "0102030405060708", "(key)"]
    assert "0001020304" not in repr(frame)
    assert frame.frame_type == FrameType.GENERAL
