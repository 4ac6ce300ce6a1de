"""The default leg codec: every message there and back, every malformed one refused with a reason and without a key."""

from __future__ import annotations

from dataclasses import fields, replace
from datetime import UTC, datetime
from zlib import crc32

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.backhaul.codec import MAGIC, Kind, Tag, TlvCodec
from harness.backhaul.message import NEEDED, LegKind, LegMessage, LegState
from harness.errors import LocalProtocolError, RemoteProtocolError
from harness.values import DeviceType, Eui64

END = datetime(2026, 1, 15, 13, tzinfo=UTC)
KEY = bytes.fromhex("83fed3407a939723a5c639b26916d505c3b5")
ORDER = LegMessage(
    LegKind.OPEN_WINDOW, 7, "METER-0001", Eui64(0x0013500500A1B2C3), DeviceType.PCT, "install_code", KEY, END, 3599.5,
)
CODEC = TlvCodec()
MESSAGES = [
    ORDER, replace(ORDER, kind=LegKind.CANCEL_WINDOW, key_material=None), ORDER.window_opened(END), ORDER.provisioned(END),
    ORDER.window_closed(END, "cancelled"), ORDER.failed(END, "never_seen"),
    ORDER.report(LegKind.UNDELIVERABLE, END, reason="no_route"), LegMessage(LegKind.STATE, 0, None, None),
]


@pytest.mark.parametrize("message", MESSAGES, ids=lambda message: message.kind)
def test_there_and_back(message: LegMessage) -> None:
    assert CODEC.decode(CODEC.encode(message)) == message


@given(st.builds(
    LegMessage, st.sampled_from(LegKind), st.integers(0, 2**32 - 1), st.none() | st.text(max_size=40),
    st.none() | st.builds(Eui64, st.integers(0, 2**64 - 1)), st.none() | st.sampled_from(DeviceType),
    key_material=st.none() | st.binary(max_size=40), state=st.none() | st.sampled_from(LegState),
    window_left=st.none() | st.integers(0, 2**32 - 1).map(lambda milliseconds: milliseconds / 1000),
))
def test_anything_there_and_back(message: LegMessage) -> None:
    assert CODEC.decode(CODEC.encode(message)) == message


def test_the_octets_are_as_documented() -> None:
    octets = CODEC.encode(LegMessage(LegKind.CANCEL_WINDOW, 7, "M1", Eui64(0x0013500500A1B2C3)))
    body = bytes.fromhex("484c 01 02 00000007 01 0002 4d31 02 0008 0013500500a1b2c3")
    assert octets == body + crc32(body).to_bytes(4, "big")


def test_tags_and_kinds_are_called_as_the_message_calls_them() -> None:
    assert {tag.name.lower() for tag in Tag} == {field.name for field in fields(LegMessage)} - {"kind", "sequence"}
    assert {kind.name.lower() for kind in Kind} == set(LegKind) == set(NEEDED)


def sealed(body: bytes) -> bytes:
    return body + crc32(body).to_bytes(4, "big")


HEAD = MAGIC + b"\x01\x01\x00\x00\x00\x07"


@pytest.mark.parametrize(("octets", "reason"), [
    (b"", "too few"), (HEAD, "too few"), (sealed(b"XX" + HEAD[2:]), "begins with 5858"),
    (sealed(MAGIC + b"\x02" + HEAD[3:]), "version 2"),
    (sealed(MAGIC + b"\x01\x09" + HEAD[4:]), "unknown kind 9"), (HEAD + bytes(4), "CRC is wrong"),
    (CODEC.encode(ORDER)[:-1], "CRC is wrong"), (sealed(HEAD + b"\x01\x00"), "inside an element's head"),
    (sealed(HEAD + b"\x01\x00\x03M1"), "METER says 3 octets, 2 are left"), (sealed(HEAD + b"\x63\x00\x00"), "unknown tag 99"),
    (sealed(HEAD + b"\x01\x00\x01M\x01\x00\x01M"), "METER is repeated"),
    (sealed(HEAD + b"\x01\x00\x01\xff"), "METER is unreadable"),
    (sealed(HEAD + b"\x02\x00\x01M"), "DEVICE is unreadable"), (sealed(HEAD + b"\x03\x00\x01M"), "DEVICE_TYPE is unreadable"),
    (sealed(HEAD + b"\x06\x00\x08" + b"\xff" * 8), "END is unreadable"), (sealed(HEAD + b"\x07\x00\x01M"), "WINDOW_LEFT"),
    (sealed(HEAD + b"\x08\x00\x04open"), "STATE is unreadable"),
    (sealed(HEAD + b"\x09\x00\x01x\x08\x00\x06opened"), "STATE is repeated or out of order"),
])
def test_malformed_octets_are_refused_with_a_reason(octets: bytes, reason: str) -> None:
    with pytest.raises(RemoteProtocolError, match=reason):
        CODEC.decode(octets)


@given(st.binary(max_size=80))
def test_noise_is_refused_in_no_other_way(octets: bytes) -> None:
    for attempt in (octets, sealed(HEAD + octets)):
        try:
            message = CODEC.decode(attempt)
        except RemoteProtocolError:
            continue
        assert CODEC.encode(message) == attempt  # exactly one encoding


@pytest.mark.parametrize("message", [replace(ORDER, sequence=-1), replace(ORDER, meter="M" * 70000)])
def test_what_does_not_fit_is_our_fault(message: LegMessage) -> None:
    with pytest.raises(LocalProtocolError, match="cannot be encoded") as raised:
        CODEC.encode(message)
    assert KEY.hex() not in str(raised.value)


def test_what_is_missing_is_known() -> None:
    assert ORDER.missing == ()
    assert replace(ORDER, key_material=None, end=None).missing == ("key_material", "end")
    assert LegMessage(LegKind.STATE, 1, None, None).missing == ("meter", "device", "state", "at")


def test_a_report_carries_no_key() -> None:
    for report in (ORDER.provisioned(END), ORDER.failed(END, "x"), ORDER.window_opened(END), ORDER.window_closed(END)):
        assert report.key_material is None
        assert (report.sequence, report.meter, report.device) == (7, "METER-0001", ORDER.device)
        assert not report.goes_down
    assert ORDER.goes_down
    assert KEY.hex() not in repr(ORDER)
    assert repr(KEY) not in repr(ORDER)
