"""MAC structures against frames that were sniffed, and against each other."""

from __future__ import annotations

import pytest

from dissectors import mac
from dissectors.layer import Layer, Malformed, Record, encode, parse, parse_whole
from dissectors.tests.frames import recording

H = bytes.fromhex


@pytest.mark.parametrize("octets", recording("killerbee").octets + recording("hanproof").octets, ids=bytes.hex)
def test_fcs_of_sniffed_and_computed_frames(octets: bytes) -> None:
    assert mac.fcs(octets[:-2]) == octets[-2:]


@pytest.mark.parametrize(("octets", "fields"), [  # frame control of 05-3474 annex D.3 and IEEE 802.15.4 7.2.1.1
    ("0308 64 ffff ffff", {"frame_type": 3, "dest_pan": 0xFFFF, "dest_short": 0xFFFF, "source_mode": 0}),
    ("0080 ba 641a 0000", {"frame_type": 0, "source_pan": 0x1A64, "source_short": 0, "dest_pan": None, "dest_short": None}),
    ("23c8 74 641a 0000 ffff df0f289b6d38c1a4", {"source_pan": 0xFFFF, "source_ieee": 0xA4C1386D9B280FDF, "ack_request": 1}),
    ("63c8 96 5933 0000 1a5b410000ff0f00", {"source_pan": None, "source_ieee": 0x000FFF0000415B1A, "pan_id_compression": 1}),
    ("23c0 01 ffff 1a5b410000ff0f00", {"dest_pan": None, "source_pan": 0xFFFF, "source_ieee": 0x000FFF0000415B1A}),
    ("63cc bb 641a df0f289b6d38c1a4 f99905feff504b80", {"dest_ieee": 0xA4C1386D9B280FDF, "source_ieee": 0x804B50FFFE0599F9}),
    ("6188 01 621a 3412 0000", {"frame_type": 1, "dest_pan": 0x1A62, "dest_short": 0x1234, "source_short": 0, "sequence": 1}),
    ("1200 96", {"frame_type": 2, "frame_pending": 1, "sequence": 0x96, "dest_pan": None, "source_pan": None}),
])
def test_headers(octets: str, fields: dict[str, int | None]) -> None:
    header = parse_whole(mac.Mac, H(octets))
    assert {name: getattr(header, name) for name in fields} == fields
    assert encode(header) == H(octets)


@pytest.mark.parametrize(("layer", "octets", "record"), [
    (mac.AssociationRequest, "8e", mac.AssociationRequest.of(capability=0x8E)),
    (mac.AssociationResponse, "8fa1 00", mac.AssociationResponse.of(short_address=0xA18F, status=0)),
    (mac.DisassociationNotification, "02", mac.DisassociationNotification.of(reason=2)),
    (mac.DataRequest, "", mac.DataRequest.of()),
    (mac.CoordinatorRealignment, "621a 0000 0b 3412", mac.CoordinatorRealignment.of(pan_id=0x1A62, short_address=0x1234)),
    (mac.Capability, "8e", mac.Capability.of(receiver_on_when_idle=1, mains_powered=1, full_function_device=1)),
    (mac.Capability, "80", mac.Capability.of()),
])
def test_commands(layer: type[Layer], octets: str, record: Record) -> None:
    assert parse_whole(layer, H(octets)) == record
    assert encode(record) == H(octets)


def test_a_beacon_of_a_real_network() -> None:
    beacon = parse_whole(mac.Beacon, H("ffcf0000002284ddddddddddddddddffffff00"))
    assert beacon == mac.Beacon.of(
        association_permit=1, pan_coordinator=1, end_device_capacity=1, router_capacity=1, extended_pan_id=0xDDDDDDDDDDDDDDDD
    )
    assert (beacon.beacon_order, beacon.superframe_order, beacon.final_cap_slot, beacon.tx_offset) == (15, 15, 15, 0xFFFFFF)


def test_a_beacon_that_lists_pending_addresses_and_guaranteed_slots() -> None:
    octets = H("ffcf 81 01 3412f1 11 3412 1a5b410000ff0f00 00 22 84 dddddddddddddddd ffffff 00")
    beacon = parse_whole(mac.Beacon, octets)
    assert (beacon.pending_short, beacon.pending_extended, beacon.gts) == ((0x1234,), (0x000FFF0000415B1A,), H("013412f1"))
    assert encode(beacon) == octets
    with pytest.raises(Malformed):
        parse(mac.Beacon, octets[:9])
