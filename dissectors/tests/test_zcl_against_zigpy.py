"""ZCL headers, general commands and data types against zigpy, an implementation that is not ours.

zigpy is an installed package of the test environment, so nothing here is skipped. Of the strings it knows only the short
character string as invalid; it has no invalid boolean.
"""

from __future__ import annotations

from typing import Any

import pytest
from zigpy.zcl import foundation

from dissectors import zcl
from dissectors.layer import Record, encode, parse_whole
from dissectors.tests.zcl_examples import GENERAL, VALUES
from dissectors.zcl import DataType, Zcl, decode_value

CONFIGURE_REPORTING = 0x06
ARRAYS = (DataType.ARRAY, DataType.SET, DataType.BAG)
FIELDS_OF = {  # what zigpy calls them, in our order
    DataType.TIME_OF_DAY: ("hours", "minutes", "seconds", "hundredths"),
    DataType.DATE: ("years_since_1900", "month", "day", "day_of_week"),
}


def python_type(kind: DataType) -> Any:
    return foundation.DataType.from_type_id(foundation.DataTypeId(kind)).python_type


@pytest.mark.parametrize("kind", DataType, ids=lambda kind: kind.name)
def test_zigpy_knows_the_same_types(kind: DataType) -> None:
    theirs = foundation.DataType.from_type_id(foundation.DataTypeId(kind))
    assert zcl.is_analogue(kind) == (theirs.type_class is foundation.DataClass.Analog)
    assert {int(each) for each in foundation.DataTypeId} == {int(each) for each in DataType}


@pytest.mark.parametrize(("kind", "octets", "value"), VALUES, ids=lambda value: getattr(value, "name", None))
def test_zigpy_reads_and_builds_the_same_values(kind: DataType, octets: str, value: Any) -> None:
    theirs, rest = python_type(kind).deserialize(bytes.fromhex(octets))
    assert not rest
    assert theirs.serialize().hex() == octets
    if isinstance(value, (int, float)):
        assert (int.from_bytes(theirs.serialize(), "little") if kind == DataType.IEEE_ADDRESS else theirs) == value
    elif isinstance(value, bytes):
        assert (theirs.encode() if isinstance(theirs, str) else bytes(theirs)) == value
    elif kind in ARRAYS:
        assert theirs.type == value.element_type
        assert [each.encode() if isinstance(each, str) else each for each in theirs.value] == list(value.elements)
    elif kind in FIELDS_OF:
        assert [int(getattr(theirs, name)) for name in FIELDS_OF[kind]] == list(value.plain().values())
    else:
        assert kind in (DataType.NO_DATA, DataType.UNKNOWN, DataType.STRUCTURE)


def test_zigpy_takes_the_same_string_for_invalid() -> None:
    theirs, rest = python_type(DataType.CHARACTER_STRING).deserialize(b"\xff")
    assert (theirs.invalid, rest) == (True, b"")
    assert decode_value(DataType.CHARACTER_STRING, b"\xff") == (None, b"")


@pytest.mark.parametrize("row", VALUES, ids=lambda row: row[0].name)
def test_zigpy_reads_an_attribute_of_every_type(row: tuple[DataType, str, Any]) -> None:
    kind, octets, value = row
    ours = encode(zcl.ReadAttributeStatus.of(attribute=0x1234, status=0, type=kind, value=value))
    theirs, rest = foundation.ReadAttributeRecord.deserialize(ours)
    assert (theirs.attrid, theirs.status, rest) == (0x1234, 0, b"")
    assert theirs.serialize() == ours
    assert ours.endswith(bytes.fromhex(octets))


@pytest.mark.parametrize(("identifier", "command"), [pytest.param(*item, id=item[1].name) for item in GENERAL.items()])
def test_zigpy_reads_a_general_command_and_builds_it_again(identifier: int, command: Record) -> None:
    schema = foundation.GENERAL_COMMANDS[foundation.GeneralCommand(identifier)].schema
    ours = encode(command)
    theirs, rest = schema.deserialize(ours)
    assert not rest
    first, name = next(iter(theirs)), next(iter(command))
    if identifier == CONFIGURE_REPORTING:  # the whole command has a flaw in zigpy: it wants a change of discrete types too
        assert b"".join(record.serialize() for record in first) == ours
    else:
        assert theirs.serialize() == ours
        assert parse_whole(command.layer, theirs.serialize()) == command
    if isinstance(first, list):
        assert len(first) == len(getattr(command, name))
        assert [_attribute(each) for each in first] == [getattr(each, "attribute", each) for each in getattr(command, name)]
    else:
        assert int(first) == getattr(command, name)


def _attribute(theirs: Any) -> int:
    """The attribute identifier in one of zigpy's records."""
    record = getattr(theirs, "config", theirs)
    return int(getattr(record, "attrid", record))


@pytest.mark.parametrize("manufacturer", [None, 0x1037])
@pytest.mark.parametrize("direction", zcl.Direction)
@pytest.mark.parametrize("frame_type", zcl.FrameType)
def test_zigpy_reads_and_builds_the_same_header(
    frame_type: zcl.FrameType, direction: zcl.Direction, manufacturer: int | None
) -> None:
    make = foundation.ZCLHeader.general if frame_type == zcl.FrameType.GENERAL else foundation.ZCLHeader.cluster
    theirs = make(tsn=0x5A, command_id=0x0B, manufacturer=manufacturer, direction=foundation.Direction(direction))
    ours = Zcl.of(
        frame_type=frame_type, direction=direction, disable_default_response=int(direction),  # zigpy's choice
        manufacturer_specific=int(manufacturer is not None), manufacturer_code=manufacturer, sequence=0x5A,
        command_identifier=0x0B,
    )
    assert theirs.serialize() == encode(ours)
    assert parse_whole(Zcl, theirs.serialize()) == ours
    assert foundation.ZCLHeader.deserialize(encode(ours)) == (theirs, b"")


@pytest.mark.parametrize("status", zcl.Status)
def test_status_names(status: zcl.Status) -> None:
    assert foundation.Status(int(status)).name == status.name
