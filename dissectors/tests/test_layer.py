"""Records and the reading and writing of declared structures, on structures made up for the purpose."""

from __future__ import annotations

import pickle
from typing import Any

import pytest
from scapy.fields import (
    BitField,
    ByteField,
    ConditionalField,
    FieldLenField,
    FieldListField,
    PacketField,
    PacketListField,
    XLEShortField,
)

from dissectors.fields import Eui64Field, KeyField, Octets, OctetString, Remaining, SecretRemaining, SignedLE, Trailing, UtcTime
from dissectors.layer import Layer, Malformed, Record, encode, packet_of, parse, parse_whole


class Point(Layer):
    fields_desc = [ByteField("x", 0), SignedLE("y", 7, 2)]


class Shape(Layer):
    fields_desc = [
        BitField("kind", 0, 3),
        BitField("named", 0, 1),
        BitField("size", 4, 12),
        ConditionalField(OctetString("label", b"none"), lambda fields: fields.named),
        FieldLenField("count", None, count_of="points", fmt="B"),
        PacketListField("points", [], Point, count_from=lambda fields: fields.count),
        PacketField("centre", Point(), Point),
    ]


class Secret(Layer):
    fields_desc = [Eui64Field("owner"), KeyField("key"), SecretRemaining("rest")]


class Growing(Layer):
    fields_desc = [UtcTime("start", 0), Trailing(XLEShortField("later", 0)), Trailing(Eui64Field("latest"))]


class Plain(Layer):
    fields_desc = [
        FieldLenField("length", None, length_of="values", fmt="B"),
        FieldListField("values", [], XLEShortField("", 0), length_from=lambda fields: fields.length),
        Remaining("rest"),
    ]


@pytest.mark.parametrize(("record", "octets"), [
    (Point.of(x=1, y=-2), "01 feff"),
    (Shape.of(), "0004 00 00 0700"),
    (Shape.of(kind=5, named=1, size=0xABC, label=b"hi"), "babc 02 6869 00 00 0700"),
    (Shape.of(named=1), "1004 04 6e6f6e65 00 00 0700"),
    (Shape.of(points=[Point.of(), Point.of(x=3)], centre=Point.of(x=9, y=0)), "0004 02 00 0700 03 0700 09 0000"),
    (Growing.of(start=1), "01000000"),
    (Growing.of(start=1, later=2), "01000000 0200"),
    (Growing.of(start=1, later=2, latest=3), "01000000 0200 0300000000000000"),
    (Plain.of(values=(1, 2), rest=b"tail"), "04 0100 0200 7461696c"),
])
def test_a_record_and_its_octets(record: Record, octets: str) -> None:
    wire = bytes.fromhex(octets)
    assert encode(record) == wire
    again = parse_whole(record.layer, wire)
    assert again.replace(**{name: None for name in ("count", "length") if name in again}) == record  # left open, worked out
    assert encode(again) == wire
    assert bytes(packet_of(again)) == wire
    with pytest.raises(Malformed):
        parse_whole(Point, wire + bytes(3))


@pytest.mark.parametrize("octets", ["00", "0004", "1004 05 6869", "0004 02 00 0700 03", "0004 02 00 0700", "0004 01 00 07"])
def test_what_is_cut_short_is_malformed(octets: str) -> None:
    with pytest.raises(Malformed, match="Shape"):
        parse(Shape, bytes.fromhex(octets))


def test_what_follows_a_structure_is_handed_back() -> None:
    point, rest = parse(Point, bytes.fromhex("010200ff"))
    assert (point, rest) == (Point.of(x=1, y=2), b"\xff")
    with pytest.raises(Malformed, match="Point leaves 1 octets unread"):
        parse_whole(Point, bytes.fromhex("010200ff"))
    with pytest.raises(Malformed, match="values needs 3 octets, 1 are left"):
        parse(Plain, bytes.fromhex("0301"))


@pytest.mark.parametrize(("layer", "fields", "reason"), [
    (Point, {"x": 256}, "x"), (Point, {"y": 40000}, "y"), (Shape, {"kind": 8}, "more than 3 bits"),
    (Shape, {"size": -1}, "more than 12 bits"),
    (Secret, {"key": bytes(15)}, "key has 15 octets, not 16"), (Shape, {"named": 1, "label": bytes(255)}, "label"),
    (Point, {"x": "1"}, "x"), (Shape, {"points": (1,)}, "points"),
])
def test_a_value_that_does_not_fit_is_malformed(layer: type[Layer], fields: dict[str, Any], reason: str) -> None:
    with pytest.raises(Malformed, match=reason):
        encode(layer.of(**fields))


def test_bits_that_do_not_fill_octets_are_a_wrong_declaration() -> None:
    class Crooked(Layer):
        fields_desc = [BitField("bits", 0, 4), ByteField("octet", 0)]

    class Backwards(Layer):
        fields_desc = [BitField("bits", 0, -16)]

    with pytest.raises(Malformed, match="do not fill octets"):
        encode(Crooked.of())
    with pytest.raises(TypeError, match="octet by octet"):
        Backwards.of()


def test_an_optional_field_is_there_when_its_condition_holds() -> None:
    assert Shape.of().label is None
    assert Shape.of(named=1).label == b"none"
    assert Shape.of(named=1).replace(named=0, label=None) == Shape.of()


def test_an_invalid_string_is_not_an_empty_one() -> None:
    wire = encode(Shape.of(named=1, label=None))
    assert wire[2] == 0xFF
    assert parse_whole(Shape, wire).label is None
    assert parse_whole(Shape, encode(Shape.of(named=1, label=b""))).label == b""


def test_records_never_change() -> None:
    point = Point.of(x=1)
    with pytest.raises(AttributeError):
        point.x = 2
    assert (point.replace(x=2), point) == (Point.of(x=2), Point.of(x=1))
    with pytest.raises(TypeError):
        point.replace(z=2)
    with pytest.raises(TypeError):
        Point.of(z=2)
    with pytest.raises(AttributeError):
        _ = point.z
    assert hash(point) == hash(Point.of(x=1))
    assert pickle.loads(pickle.dumps(point)) == point
    assert point != Growing.of()
    assert (point.name, point.is_a(Point), point.is_a(Shape), list(point)) == ("Point", True, False, ["x", "y"])


def test_a_joined_part_cannot_hide_a_field() -> None:
    joined = Point.of(x=1).joined(command=None)
    assert joined.replace(command=3).command == 3
    assert encode(joined) == encode(Point.of(x=1))
    with pytest.raises(TypeError, match="fields of its own"):
        joined.joined(x=2)


def test_what_is_shown_holds_no_key() -> None:
    key = bytes(range(16))
    record = Secret.of(owner=0xA4C1386D9B280FDF, key=key, rest=key).joined(payload=key, more=b"\1")
    assert record.plain() == {"owner": "a4c1386d9b280fdf", "more": "01"}
    assert repr(record) == "Secret(owner='a4c1386d9b280fdf', more='01')"
    assert "000102" not in packet_of(record).show(dump=True)
    assert Growing.of(start=1, later=2, latest=3).plain()["latest"] == "0000000000000003"
    assert Shape.of(points=(Point.of(),)).plain()["points"] == [{"x": 0, "y": 7}]


def test_nothing_follows_a_field_that_is_left_out() -> None:
    with pytest.raises(Malformed, match="later is left out"):
        encode(Growing.of(start=1, latest=3))


def test_an_invalid_string_before_what_follows_is_not_left_out() -> None:
    class Labelled(Layer):
        fields_desc = [ByteField("x", 0), Trailing(OctetString("first", b"")), Trailing(OctetString("second", b""))]

    wire = bytes.fromhex("01 ff 0141")
    assert parse_whole(Labelled, wire) == Labelled.of(x=1, second=b"A")
    assert encode(Labelled.of(x=1, second=b"A")) == wire
    assert encode(Labelled.of(x=1)) == b"\1"


def test_a_fixed_length_of_octets() -> None:
    class Fixed(Layer):
        fields_desc = [Octets("three", bytes(3), 3)]

    assert parse_whole(Fixed, b"abc").three == b"abc"
    with pytest.raises(Malformed, match="three needs 3 octets, 2 are left"):
        parse(Fixed, b"ab")
