"""NWK structures: the header in all its widths, the auxiliary header, the commands."""

from __future__ import annotations

import pytest

from dissectors import nwk
from dissectors.layer import Layer, Malformed, Record, encode, parse_whole

H = bytes.fromhex
A, B = 0x000FFF0000415B1A, 0x000FFF00001F0222


@pytest.mark.parametrize(("octets", "fields"), [  # the first three are headers of sniffed frames
    ("0802 fdff 8fa1 1e 1b", {"dest": 0xFFFD, "source": 0xA18F, "radius": 30, "sequence": 0x1B, "security_enabled": 1}),
    ("091a 0000 e4b7 0a ea 22021f0000ff0f00 1a5b410000ff0f00", {"frame_type": 1, "dest_ieee": B, "source_ieee": A}),
    ("0806 c018 0000 1e d8 00 00", {"source_route_present": 1, "relay_count": 0, "relay_index": 0, "relays": ()}),
    ("0804 c018 0000 1e d8 02 01 0100 0200", {"relay_count": 2, "relay_index": 1, "relays": (1, 2)}),
    ("0801 0100 0000 1e d8 05", {"multicast": 1, "multicast_control": 5}),
    ("48e0 0000 0100 1e 01", {"discover_route": 1, "reserved": 3, "end_device_initiator": 1, "security_enabled": 0}),
    ("0c00 0000 0100 1e 01", {"protocol_version": 3}),
])
def test_headers(octets: str, fields: dict[str, object]) -> None:
    header = parse_whole(nwk.Nwk, H(octets))
    assert {name: getattr(header, name) for name in fields} == fields
    assert encode(header) == H(octets)


def test_the_count_of_relays_is_worked_out() -> None:
    assert encode(nwk.Nwk.of(source_route_present=1, relays=(1, 2, 3)))[8:10] == H("0300")


@pytest.mark.parametrize(("octets", "fields"), [
    ("28 cc820000 df0f289b6d38c1a4 00", {"frame_counter": 33484, "source_ieee": 0xA4C1386D9B280FDF, "key_sequence": 0}),
    ("30 06500100 f99905feff504b80", {"key_identifier": nwk.KeyIdentifier.KEY_TRANSPORT, "key_sequence": None}),
    ("18 01000000", {"key_identifier": nwk.KeyIdentifier.KEY_LOAD, "source_ieee": None, "extended_nonce": 0}),
    ("05 01000000", {"key_identifier": nwk.KeyIdentifier.DATA, "security_level": 5}),
    ("68 01000000 0100000000000000 07", {"reserved": 1, "key_sequence": 7, "source_ieee": 1}),
])
def test_auxiliary_headers(octets: str, fields: dict[str, int | None]) -> None:
    header = parse_whole(nwk.AuxiliaryHeader, H(octets))
    assert {name: getattr(header, name) for name in fields} == fields
    assert encode(header) == H(octets)


@pytest.mark.parametrize(("identifier", "octets", "record"), [
    (0x01, "08 0a fcff 00", nwk.RouteRequest.of(many_to_one=1, request_id=0x0A, dest=0xFFFC)),
    (0x01, "20 01 3412 00 1a5b410000ff0f00", nwk.RouteRequest.of(dest_ieee_present=1, request_id=1, dest=0x1234, dest_ieee=A)),
    (0x02, "30 01 0000 3412 03 22021f0000ff0f00 1a5b410000ff0f00", nwk.RouteReply.of(
        originator_ieee_present=1, responder_ieee_present=1, request_id=1, responder=0x1234, path_cost=3, originator_ieee=B,
        responder_ieee=A)),
    (0x03, "0d 3412", nwk.NetworkStatus.of(status=0x0D, dest=0x1234)),
    (0x03, "06", nwk.NetworkStatus.of(status=6)),
    (0x04, "40", nwk.Leave.of(request=1)),
    (0x04, "a0", nwk.Leave.of(remove_children=1, rejoin=1)),
    (0x05, "01 c018", nwk.RouteRecord.of(relay_count=1, relays=(0x18C0,))),
    (0x06, "80", nwk.RejoinRequest.of(capability=0x80)),
    (0x07, "3412 00", nwk.RejoinResponse.of(short_address=0x1234)),
    (0x08, "61 c018 13", nwk.LinkStatus.of(
        count=1, entries=(nwk.LinkStatusEntry.of(neighbour=0x18C0, outgoing_cost=1, incoming_cost=3),))),
    (0x08, "60", nwk.LinkStatus.of(count=0)),
    (0x09, "02 1a5b410000ff0f00 621a 0100", nwk.NetworkReport.of(count=2, extended_pan_id=A, pan_ids=(0x1A62, 1))),
    (0x0A, "01 1a5b410000ff0f00 05 621a", nwk.NetworkUpdate.of(extended_pan_id=A, update_id=5, pan_id=0x1A62)),
    (0x0B, "08 00", nwk.EndDeviceTimeoutRequest.of(requested_timeout=8)),
    (0x0C, "00 01", nwk.EndDeviceTimeoutResponse.of(parent_information=1)),
])
def test_commands(identifier: int, octets: str, record: Record) -> None:
    assert nwk.COMMANDS[identifier] is record.layer
    assert parse_whole(record.layer, H(octets)) == record
    assert encode(record) == H(octets)


@pytest.mark.parametrize(("layer", "octets"), [
    (nwk.LinkStatus, "62 c018 13"), (nwk.LinkStatus, "62 c018 13 00"), (nwk.LinkStatus, "61 c018 13 00"),
    (nwk.RouteRecord, "02 c018"), (nwk.RejoinResponse, "3412"), (nwk.NetworkReport, "02 1a5b410000ff0f00 621a"),
    (nwk.Nwk, "0804 c018 0000 1e d8 02 01 0100 02"), (nwk.RouteRequest, "20 01 3412 00 1a5b410000ff0f"),
])
def test_a_list_must_be_as_long_as_its_count(layer: type[Layer], octets: str) -> None:
    with pytest.raises(Malformed):
        parse_whole(layer, H(octets))
