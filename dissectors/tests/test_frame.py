"""Decoding whole frames: real and computed ones with their keys, and what is left of them when octets are missing or wrong."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dissectors import aps, mac, nwk, zdp
from dissectors.clusters import price
from dissectors.frame import Frame, Security, decode, decode_asdu, encode_mpdu
from dissectors.keyring import KeyRing
from dissectors.layer import Malformed, encode
from dissectors.sealing import additional_data, nonce_of, seal
from dissectors.tests.frames import PUBLISHERS, rebuild, recording
from dissectors.tests.vectors import read

COMPUTED = recording("hanproof")
TAUGHT = COMPUTED.taught()
NETWORK_KEY = bytes.fromhex("01030507090b0d0f00020406080a0c0d")


def heard(publisher: str, summary: str) -> Frame:
    """The first frame of that summary, decoded by a key ring that has seen the whole recording."""
    source = recording(publisher)
    octets = next(octets for octets, row in zip(source.octets, source.rows, strict=True) if row["summary"] == summary)
    return decode(octets, source.taught(), fcs=source.fcs)


@pytest.mark.parametrize("publisher", PUBLISHERS)
def test_every_frame_opens_in_order_and_encodes_to_its_own_octets(publisher: str) -> None:
    source = recording(publisher)
    ring = source.keyring()
    for octets, row in zip(source.octets, source.rows, strict=True):
        frame = decode(octets, ring, fcs=source.fcs)
        assert (frame.malformed, frame.fcs) == (None, {"present": "ok"}.get(source.fcs, source.fcs))
        security = {"nwk": frame.security.nwk, "aps": frame.security.aps, "key_kind": frame.aps_key_kind}
        assert (frame.summary(), security) == (row["summary"], row["security"])
        innermost = frame.aps if frame.security.aps else frame.nwk if frame.security.nwk else frame.mac
        assert innermost is not None
        plaintext = innermost.payload if publisher != "hanproof" or frame.aps is None else frame.aps.payload
        assert plaintext.hex() == row["plaintext"]
        assert rebuild(frame, ring) == octets


@pytest.mark.parametrize("row", read("frames", "zigbee_on_host")["intermediates"], ids=lambda row: row["layer"])
def test_nonce_and_additional_data_on_the_way(row: dict[str, str]) -> None:
    frame = heard("zigbee_on_host", row["frame"])
    header = getattr(frame, row["layer"])
    assert nonce_of(header.security, header.security.source_ieee).hex() == row["nonce"]
    assert additional_data(encode(header), header.security).hex() == row["additional_data"]


def test_fields_are_joined_with_what_follows_them() -> None:
    frame = heard("hanproof", "Publish Price")
    assert frame.layers == ("mac", "nwk", "aps", "zcl")
    assert frame.nwk is not None
    assert frame.aps is not None
    assert frame.zcl is not None
    assert (frame.nwk.security.key_identifier, frame.nwk.command, frame.aps.security.key_identifier) == (1, None, 0)
    assert (frame.aps_key_identifier, frame.aps_key_kind, frame.nwk_key) == (nwk.KeyIdentifier.DATA, "link", NETWORK_KEY)
    assert frame.find(price.PublishPrice) == frame.zcl.command
    assert (frame.find(aps.Aps), frame.find(mac.Beacon)) == (frame.aps, None)


def test_the_beacon_is_found_and_named() -> None:
    beacon = heard("killerbee", "Beacon").find(mac.Beacon)
    assert beacon is not None
    assert (beacon.extended_pan_id, beacon.stack_profile, beacon.association_permit) == (0x8EF977C6D190B006, 2, 1)


def test_json_shows_addresses_and_never_a_key() -> None:
    for publisher in PUBLISHERS:
        source = recording(publisher)
        ring = source.taught()
        secrets = [key.hex() for key in ring.network_keys()] + [key.octets.hex() for key in ring.link_keys()]
        assert secrets
        for octets in source.octets:
            frame = decode(octets, ring, fcs=source.fcs)
            shown = json.dumps(frame.as_json()) + repr(frame) + frame.summary()
            assert not [secret for secret in secrets if secret in shown or repr(bytes.fromhex(secret)) in shown]


def test_json_has_the_specifications_names() -> None:
    shown = heard("killerbee", "Transport-Key (network key)").as_json()
    assert shown["aps"]["command"] == {
        "key_type": 1, "key_sequence": 0, "dest": "000fff0000415b1a", "source": "ffffffffffffffff", "partner": None,
        "initiator": None,
    }
    assert (shown["layers"], shown["fcs"], shown["malformed"]) == (["mac", "nwk", "aps"], "ok", None)
    assert shown["security"] == {"nwk": None, "aps": None}


def test_the_scapy_view_holds_the_frame_in_the_clear() -> None:
    frame = heard("zigbee_on_host", "Device_annce")
    assert frame.packet is not None
    assert [type(layer) for layer in frame.packet.iterpayloads()] == [
        mac.Mac, nwk.Nwk, nwk.AuxiliaryHeader, aps.Aps, zdp.DeviceAnnce
    ]
    assert frame.packet[zdp.DeviceAnnce].nwk_addr == 0xA18F
    assert decode(b"", fcs="absent").packet is None


def test_a_wrong_fcs_ends_decoding_and_teaches_nothing() -> None:
    octets = COMPUTED.octets[0]
    ring = COMPUTED.keyring()
    frame = decode(octets[:-1] + bytes([octets[-1] ^ 1]), ring)
    assert (frame.fcs, frame.malformed, frame.layers, ring.network_keys()) == ("bad", "bad FCS", (), ())
    assert decode(octets, ring).fcs == "ok"
    assert ring.network_keys() == (NETWORK_KEY,)


def test_without_learning_the_key_ring_stays_as_it_is() -> None:
    ring = COMPUTED.keyring()
    before = ring.version
    assert decode(COMPUTED.octets[0], ring, learn=False).security.aps == "ok"
    assert (ring.version, ring.network_keys()) == (before, ())


def test_wrong_keys_and_no_keys() -> None:
    publish = COMPUTED.octets[10]
    assert decode(publish).security.nwk == "no-key"
    wrong = KeyRing()
    wrong.add_network_key(bytes(16), sequence=1)
    assert decode(publish, wrong).security.nwk == "no-key"  # it is said to be sealed with key 0, which is not held
    wrong.add_network_key(bytes(range(16)), sequence=0)
    frame = decode(publish, wrong)
    assert (frame.security.nwk, frame.aps, frame.malformed, frame.nwk_key) == ("bad-mic", None, None, None)
    wrong.add_network_key(NETWORK_KEY, sequence=0)
    assert decode(publish, wrong).security == Security("ok", "no-key")
    wrong.add_link_key(bytes(16), device=0x77)
    assert decode(publish, wrong).security.aps == "bad-mic"  # who 1234 is, is not known: it might be 77
    wrong.learn_address(0x1A62, 0x1234, 2)
    assert decode(publish, wrong).security.aps == "no-key"
    wrong.add_link_key(bytes(16), device=2)
    frame = decode(publish, wrong)
    assert (frame.security.aps, frame.zcl, frame.aps_key_kind, frame.malformed) == ("bad-mic", None, None, None)


@pytest.mark.parametrize("octets", COMPUTED.octets + recording("killerbee").octets, ids=bytes.hex)
def test_a_frame_cut_short_anywhere_is_malformed_or_does_not_open(octets: bytes) -> None:
    ring = COMPUTED.taught() if octets in COMPUTED.octets else recording("killerbee").taught()
    for length in range(len(octets) - 2):
        assert decode(octets[:length], ring, learn=False).malformed == "bad FCS" or length == 0
        frame = decode(octets[:length], ring, fcs="absent", learn=False)
        whole = frame.mac is not None and frame.mac.frame_type == mac.FrameType.DATA and not frame.mac.payload  # an empty frame
        assert frame.malformed or whole or "bad-mic" in (frame.security.nwk, frame.security.aps) or frame.nwk is None


@pytest.mark.parametrize("octets", [*COMPUTED.octets, *recording("zigbee_on_host").octets[4:]], ids=bytes.hex)
def test_a_frame_whose_plaintext_is_cut_short_is_malformed_or_is_just_that(octets: bytes) -> None:
    source = COMPUTED if octets in COMPUTED.octets else recording("zigbee_on_host")
    ring = source.taught()
    frame = decode(octets, ring, fcs=source.fcs)
    assert frame.mac is not None
    assert frame.nwk is not None
    for length in range(len(frame.nwk.payload)):
        body = frame.nwk.payload[:length]
        network = encode(frame.nwk) + body
        if frame.nwk.security is not None:
            network = seal(encode(frame.nwk), frame.nwk.security, body, NETWORK_KEY, frame.nwk.security.source_ieee)
        cut = decode(encode_mpdu(frame.mac, network), ring)
        assert cut.security.nwk == frame.security.nwk
        assert cut.malformed or cut.security.aps == "bad-mic" or rebuild(cut, ring) == cut.octets


@given(st.binary(max_size=140), st.sampled_from(["present", "absent"]))
def test_any_octets_are_decoded_or_malformed(octets: bytes, fcs: str) -> None:
    _decode_any(octets, fcs)


@given(st.sampled_from(COMPUTED.octets), st.lists(st.tuples(st.integers(0, 60), st.integers(1, 255)), max_size=3))
def test_a_real_frame_with_wrong_octets_is_decoded_or_malformed(octets: bytes, errors: list[tuple[int, int]]) -> None:
    altered = bytearray(octets[:-2])
    for place, error in errors:
        altered[place % len(altered)] ^= error
    _decode_any(bytes(altered), "absent")


@given(st.binary(min_size=1, max_size=90), st.booleans())
def test_any_sealed_payload_is_decoded_or_malformed(payload: bytes, command: bool) -> None:
    header = nwk.Nwk.of(frame_type=nwk.FrameType(command), security_enabled=1, dest=0x1234)
    auxiliary = nwk.AuxiliaryHeader.of(frame_counter=1, source_ieee=1)
    sealed = seal(encode(header), auxiliary, payload, NETWORK_KEY, 1)
    envelope = mac.Mac.of(source_mode=2, dest_mode=2, pan_id_compression=1, dest_pan=0x1A62, dest_short=0x1234, source_short=0)
    frame = _decode_any(encode_mpdu(envelope, sealed), "present")
    assert frame.security.nwk == "ok"


def _decode_any(octets: bytes, fcs: str) -> Frame:
    ring = COMPUTED.taught()
    frame = decode(octets, ring, fcs=fcs)
    assert json.dumps(frame.as_json())
    assert frame.summary()
    assert frame.malformed != ""
    if frame.malformed is None and not {"bad-mic", "no-key"} & {frame.security.nwk, frame.security.aps}:
        assert rebuild(frame, ring) == octets
    return frame


def test_the_fcs_is_there_or_not() -> None:
    with pytest.raises(ValueError, match="present or absent"):
        decode(b"", fcs="ok")


def test_a_frame_longer_than_the_air_allows() -> None:
    header = mac.Mac.of(dest_mode=2, source_mode=2, pan_id_compression=1)
    network = encode(nwk.Nwk.of()) + encode(aps.Aps.of(profile=0xC105, cluster=0xFFFF)) + b"\xff"
    assert decode(encode_mpdu(header, network + bytes(127 - 11 - len(network)))).malformed is None
    frame = decode(encode_mpdu(header, network + bytes(128 - 11 - len(network))))
    assert frame.malformed == "128 octets with the FCS; a frame has 127 at most"


@pytest.mark.parametrize(("octets", "reason"), [  # octets of an MPDU without its FCS
    ("0500 01", "reserved frame type"),
    ("0120 01", "reserved"),
    ("0104 01 3412", "address mode"),
    ("4988 01 621a 3412 0000 00", "MAC security"),
    ("0200 01 00", "an acknowledgement ends with its header"),
    ("0300 01", "without a command identifier"),
    ("0300 01 99", "command 99 is not known"),
    ("4188 01 621a 3412 0000 02", "Nwk is cut short"),
    ("4188 01 621a 3412 0000 0a00 3412 0000 1e 01", "frame type 2 is reserved"),
    ("4188 01 621a 3412 0000 0900 3412 0000 1e 01", "without a command identifier"),
    ("4188 01 621a 3412 0000 0800 3412 0000 1e 01 03 0007 0901", "does not belong in this kind of network frame"),
    ("4188 01 621a 3412 0000 0b00 00 01 0007 0901 01 01", "does not belong in this kind of network frame"),
    ("4188 01 621a 3412 0000 0802 3412 0000 1e 01 28 00000000 0100000000000000 00 aabbcc", "a MIC alone has 4"),
    ("4188 01 621a 3412 0000 0800 3412 0000 1e 01 01 05 11", "command 11 is not known"),
    ("4188 01 621a 3412 0000 0800 3412 0000 1e 01 01 05 07", "RemoveDevice: target needs 8 octets, 0 are left"),
])
def test_what_cannot_be_read_has_a_reason(octets: str, reason: str) -> None:
    frame = decode(bytes.fromhex(octets.replace(" ", "")), fcs="absent")
    assert frame.malformed is not None
    assert reason in frame.malformed


def test_reserved_bits_are_decoded() -> None:
    header = mac.Mac.of(reserved_low=1, reserved_high=1, dest_mode=2, source_mode=2, pan_id_compression=1)
    network = encode(nwk.Nwk.of(reserved=3, protocol_version=5)) + encode(aps.Aps.of(profile=0, cluster=0x0013))
    frame = decode(encode_mpdu(header, network + bytes(12)))
    assert (frame.malformed, frame.layers) == (None, ("mac", "nwk", "aps", "zdp"))
    assert frame.nwk is not None
    assert (frame.nwk.protocol_version, frame.nwk.reserved) == (5, 3)


def test_an_inter_pan_frame() -> None:
    header = mac.Mac.of(dest_mode=2, source_mode=3, dest_pan=0x1A62, dest_short=0xFFFF, source_pan=0x1A62, source_ieee=5)
    network = encode(nwk.InterPan.of()) + encode(
        aps.Aps.of(frame_type=aps.FrameType.INTER_PAN, delivery_mode=aps.DeliveryMode.BROADCAST, cluster=0x0700, profile=0x0109)
    )
    frame = decode(encode_mpdu(header, network + bytes.fromhex("01050001")))
    assert (frame.malformed, frame.summary()) == (None, "Get Current Price")
    assert frame.nwk is not None
    assert frame.nwk.is_a(nwk.InterPan)


@pytest.mark.parametrize(("fragmentation", "block", "summary"), [
    (aps.Fragmentation.FIRST, 2, "APS block 0 of 2"), (aps.Fragmentation.PART, 1, "APS block 1"),
    (aps.Fragmentation.FIRST, 1, "Get Current Price"), (aps.Fragmentation.NONE, None, "Get Current Price"),
])
def test_only_whole_asdus_are_decoded(fragmentation: int, block: int | None, summary: str) -> None:
    header = mac.Mac.of(dest_mode=2, source_mode=2, pan_id_compression=1)
    application = aps.Aps.of(
        extended_header_present=1, fragmentation=fragmentation, block_number=block, cluster=0x0700, profile=0x0109
    )
    octets = encode_mpdu(header, encode(nwk.Nwk.of()) + encode(application) + bytes.fromhex("01050001"))
    frame = decode(octets)
    assert (frame.malformed, frame.summary()) == (None, summary)
    assert frame.as_json()["aps"].get("payload") == ("01050001" if "block" in summary else None)


def test_a_reassembled_asdu_is_decoded_by_its_profile() -> None:
    annce, _ = decode_asdu(zdp.PROFILE, 0x0013, bytes.fromhex("008fa1df0f289b6d38c1a48e"))
    assert annce is not None
    assert (annce.nwk_addr, annce.ieee_addr, annce.sequence) == (0xA18F, 0xA4C1386D9B280FDF, 0)
    _, current = decode_asdu(0x0109, 0x0700, bytes.fromhex("01050001"))
    assert current is not None
    assert current.command.is_a(price.GetCurrentPrice)
    assert decode_asdu(0xC105, 0x0011, b"hello") == (None, None)
    with pytest.raises(Malformed):
        decode_asdu(0x0109, 0x0700, b"")
