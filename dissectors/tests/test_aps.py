"""APS structures: which fields a header has by its frame type and delivery mode, and the security commands."""

from __future__ import annotations

import pytest

from dissectors import aps
from dissectors.layer import Malformed, Record, encode, parse_whole

H = bytes.fromhex
KEY = bytes(range(16))


@pytest.mark.parametrize(("octets", "fields"), [
    ("08 00 1300 0000 00 7b", {"delivery_mode": 2, "dest_endpoint": 0, "cluster": 0x13, "profile": 0, "counter": 0x7B}),
    ("40 01 0007 0901 02 05", {"ack_request": 1, "dest_endpoint": 1, "cluster": 0x0700, "profile": 0x0109, "counter": 5}),
    ("0c 3412 0007 0901 02 05", {"dest_endpoint": None, "group": 0x1234, "source_endpoint": 2, "counter": 5}),
    ("02 c5 0100 5cc2 c5 30", {"frame_type": aps.FrameType.ACK, "dest_endpoint": 0xC5, "counter": 0x30}),
    ("12 30", {"frame_type": aps.FrameType.ACK, "ack_format": 1, "cluster": None, "dest_endpoint": None, "counter": 0x30}),
    ("21 6a", {"frame_type": aps.FrameType.COMMAND, "security_enabled": 1, "counter": 0x6A, "cluster": None}),
    ("0b 0007 0901", {"frame_type": aps.FrameType.INTER_PAN, "cluster": 0x0700, "profile": 0x0109, "counter": None}),
    ("0f 0100 0007 0901", {"group": 1, "cluster": 0x0700}),
    ("c0 01 0007 0901 02 05 01 03", {"fragmentation": aps.Fragmentation.FIRST, "block_number": 3, "ack_bitfield": None}),
    ("c0 01 0007 0901 02 05 02 01", {"fragmentation": aps.Fragmentation.PART, "block_number": 1}),
    ("c0 01 0007 0901 02 05 00", {"fragmentation": aps.Fragmentation.NONE, "block_number": None}),
    ("82 01 0007 0901 02 05 01 00 ff", {"fragmentation": 1, "block_number": 0, "ack_bitfield": 0xFF}),
])
def test_headers(octets: str, fields: dict[str, int | None]) -> None:
    header = parse_whole(aps.Aps, H(octets))
    assert {name: getattr(header, name) for name in fields} == fields
    assert encode(header) == H(octets)


@pytest.mark.parametrize(("identifier", "length", "record"), [  # length with the identifier, 4.4.9
    (0x05, 35, aps.TransportKey.of(key=KEY, key_sequence=1, dest=2, source=1)),
    (0x05, 35, aps.TransportKey.of(key_type=aps.KeyType.HIGH_SECURITY_NETWORK_KEY, key=KEY, key_sequence=1, dest=2, source=1)),
    (0x05, 34, aps.TransportKey.of(key_type=aps.KeyType.TRUST_CENTER_LINK_KEY, key=KEY, dest=2, source=1)),
    (0x05, 27, aps.TransportKey.of(key_type=aps.KeyType.APPLICATION_LINK_KEY, key=KEY, partner=2, initiator=1)),
    (0x06, 12, aps.UpdateDevice.of(device=2, short_address=0x1234, status=1)),
    (0x07, 9, aps.RemoveDevice.of(target=2)),
    (0x08, 10, aps.RequestKey.of(key_type=aps.KeyType.APPLICATION_MASTER_KEY, partner=2)),
    (0x08, 2, aps.RequestKey.of(key_type=aps.KeyType.TRUST_CENTER_LINK_KEY)),
    (0x09, 2, aps.SwitchKey.of(key_sequence=1)),
    (0x0E, 12, aps.Tunnel.of(dest=2, command_frame=b"abc")),
    (0x0F, 26, aps.VerifyKey.of(source=2, hash=KEY)),
    (0x10, 11, aps.ConfirmKey.of(dest=2)),
    (0x01, 4, aps.HighSecurityCommand.of(octets=b"abc")),
])
def test_commands(identifier: int, length: int, record: Record) -> None:
    octets = encode(record)
    assert aps.COMMANDS[identifier] is record.layer
    assert 1 + len(octets) == length
    assert parse_whole(record.layer, octets) == record


def test_the_wire_order_of_a_transported_network_key() -> None:
    octets = H("01 01030507090b0d0f00020406080a0c0d 00 df0f289b6d38c1a4 f99905feff504b80")  # of a real join
    record = parse_whole(aps.TransportKey, octets)
    assert (record.key_type, record.key_sequence) == (aps.KeyType.STANDARD_NETWORK_KEY, 0)
    assert (record.dest, record.source) == (0xA4C1386D9B280FDF, 0x804B50FFFE0599F9)
    assert encode(record) == octets
    assert "key" not in record.plain()
    with pytest.raises(Malformed):
        parse_whole(aps.TransportKey, octets[:-1])


def test_a_tunnelled_frame_is_not_shown() -> None:
    assert aps.Tunnel.of(dest=2, command_frame=KEY).plain() == {"dest": "0000000000000002"}
