"""What the key ring learns from traffic, and which key it offers first."""

from __future__ import annotations

import pytest

from dissectors import aps, mac, nwk, zdp
from dissectors.frame import Frame, Security, decode, encode_mpdu
from dissectors.keyring import KeyRing
from dissectors.layer import Record, encode
from dissectors.sealing import seal
from dissectors.security import key_load_key, key_transport_key
from dissectors.tests.frames import recording

PAN, COORDINATOR, PARENT, DEVICE = 0x1A62, 1, 3, 2  # EUI-64s of the trust centre, a router and the joining device
NETWORK_KEY, LINK_KEY, NEW_KEY = bytes(range(16)), bytes(range(16, 32)), bytes(range(32, 48))


def over_the_air(network: bytes, dest: int = 0x1234, source: int = 0) -> bytes:
    header = mac.Mac.of(dest_mode=2, source_mode=2, pan_id_compression=1, dest_pan=PAN, dest_short=dest, source_short=source)
    return encode_mpdu(header, network)


def secured(application: bytes, *, dest: int = 0x1234, source: int = 0, source_ieee: int = COORDINATOR) -> bytes:
    """A NWK-secured data frame."""
    header = nwk.Nwk.of(security_enabled=1, dest=dest, source=source)
    auxiliary = nwk.AuxiliaryHeader.of(frame_counter=1, source_ieee=source_ieee)
    return over_the_air(seal(encode(header), auxiliary, application, NETWORK_KEY, source_ieee), dest, source)


def sealed_command(identifier: int, command: Record, key: bytes, key_identifier: int, *, extended: bool = True) -> bytes:
    """An APS command frame of the trust centre under a key derived from a link key."""
    header = aps.Aps.of(frame_type=aps.FrameType.COMMAND, security_enabled=1, counter=1)
    auxiliary = nwk.AuxiliaryHeader.of(
        key_identifier=key_identifier, extended_nonce=extended, frame_counter=1, source_ieee=COORDINATOR if extended else None
    )
    return seal(encode(header), auxiliary, bytes([identifier]) + encode(command), key, COORDINATOR)


NETWORK_KEY_FOR_DEVICE = aps.TransportKey.of(key=NETWORK_KEY, key_sequence=0, dest=DEVICE, source=COORDINATOR)
ANNCE = secured(
    encode(aps.Aps.of(delivery_mode=2, cluster=0x0013, profile=0)) + zdp.build(
        zdp.DeviceAnnce.of(nwk_addr=0x1234, ieee_addr=DEVICE, capability=0x80), 1),
    dest=0xFFFD, source=0x1234, source_ieee=DEVICE,
)


def association(ring: KeyRing, *, short: int = 0x1234, status: int = 0) -> None:
    asked = mac.Mac.of(
        frame_type=mac.FrameType.COMMAND, dest_mode=2, source_mode=3, dest_pan=PAN, dest_short=0, source_pan=0xFFFF,
        source_ieee=DEVICE,
    )
    answered = mac.Mac.of(
        frame_type=mac.FrameType.COMMAND, dest_mode=3, source_mode=3, pan_id_compression=1, dest_pan=PAN, dest_ieee=DEVICE,
        source_ieee=COORDINATOR,
    )
    decode(encode_mpdu(asked, b"\1" + encode(mac.AssociationRequest.of(capability=0x80))), ring)
    decode(encode_mpdu(answered, b"\2" + encode(mac.AssociationResponse.of(short_address=short, status=status))), ring)


def test_association_teaches_the_addresses_of_both() -> None:
    ring = KeyRing()
    association(ring)
    assert (ring.ieee_of(PAN, 0x1234), ring.ieee_of(PAN, 0)) == (DEVICE, COORDINATOR)
    assert ring.ieee_of(PAN + 1, 0) is None
    refused = KeyRing()
    association(refused, short=0xFFFF, status=1)
    assert refused.ieee_of(PAN, 0xFFFF) is None


@pytest.mark.parametrize("extended", [True, False])
def test_the_network_key_comes_under_the_install_codes_key(extended: bool) -> None:
    ring = KeyRing()
    ring.add_link_key(LINK_KEY, DEVICE, "ic")
    association(ring)  # without the extended nonce, only this says who the sender is
    before = decode(ANNCE, ring)
    command = sealed_command(5, NETWORK_KEY_FOR_DEVICE, key_transport_key(LINK_KEY), 2, extended=extended)
    transport = decode(over_the_air(encode(nwk.Nwk.of(dest=0x1234)) + command), ring)
    assert (transport.security.aps, transport.aps_key_kind, transport.aps_key) == ("ok", "ic", LINK_KEY)
    assert transport.find(aps.TransportKey) == NETWORK_KEY_FOR_DEVICE
    assert (before.security.nwk, decode(ANNCE, ring).security.nwk) == ("no-key", "ok")


def test_who_sealed_a_frame_without_extended_nonce_must_be_known() -> None:
    ring = KeyRing()
    ring.add_link_key(LINK_KEY, DEVICE, "ic")
    command = sealed_command(5, NETWORK_KEY_FOR_DEVICE, key_transport_key(LINK_KEY), 2, extended=False)
    frame = decode(over_the_air(encode(nwk.Nwk.of(dest=0x1234)) + command), ring)
    assert (frame.security.aps, frame.malformed) == ("no-key", None)


def test_a_tunnelled_network_key_is_learnt() -> None:
    ring = KeyRing()
    ring.add_network_key(NETWORK_KEY, 0)
    ring.add_link_key(LINK_KEY, DEVICE, "ic")
    newer = NETWORK_KEY_FOR_DEVICE.replace(key=NEW_KEY, key_sequence=1)
    inside = sealed_command(5, newer, key_transport_key(LINK_KEY), 2)
    tunnel = b"\x0e" + encode(aps.Tunnel.of(dest=DEVICE, command_frame=inside))
    frame = decode(secured(encode(aps.Aps.of(frame_type=aps.FrameType.COMMAND)) + tunnel, dest=0x0003), ring)
    assert frame.malformed is None
    assert frame.aps is not None
    inner = frame.aps.command.inner
    assert (inner.command, inner.outcome, inner.key_kind, inner.security.key_identifier) == (newer, "ok", "ic", 2)
    assert (frame.summary(), frame.security) == ("Tunnel: Transport-Key (network key)", Security("ok", None))
    assert frame.find(aps.TransportKey) is None
    assert ring.network_keys(1) == (NEW_KEY, NETWORK_KEY)
    assert ring.network_keys(0) == (NETWORK_KEY, NEW_KEY)


@pytest.mark.parametrize("kept", [0, 1, 5, 20, -1])
def test_a_tunnel_with_a_broken_frame_is_malformed_or_sealed(kept: int) -> None:
    ring = KeyRing()
    ring.add_network_key(NETWORK_KEY, 0)
    ring.add_link_key(LINK_KEY, DEVICE, "ic")
    inside = sealed_command(5, NETWORK_KEY_FOR_DEVICE, key_transport_key(LINK_KEY), 2)[:kept]
    tunnel = b"\x0e" + encode(aps.Tunnel.of(dest=DEVICE, command_frame=inside))
    frame = decode(secured(encode(aps.Aps.of(frame_type=aps.FrameType.COMMAND)) + tunnel, dest=0x0003), ring)
    assert frame.aps is not None
    inner = frame.aps.command.inner
    assert frame.malformed if kept in (0, 1, 5) else (frame.malformed, inner.outcome) == (None, "bad-mic")
    assert (inner is None) is (kept in (0, 1))


def test_a_network_key_in_the_clear_is_learnt() -> None:
    source = recording("killerbee")
    assert source.keyring().network_keys() == ()
    assert len(source.taught().network_keys()) == 1


def test_a_link_key_comes_under_the_key_load_key() -> None:
    ring = KeyRing()
    ring.add_network_key(NETWORK_KEY)
    ring.add_link_key(LINK_KEY, DEVICE, "ic")
    transported = aps.TransportKey.of(key_type=aps.KeyType.TRUST_CENTER_LINK_KEY, key=NEW_KEY, dest=DEVICE, source=COORDINATOR)
    frame = decode(secured(sealed_command(5, transported, key_load_key(LINK_KEY), 3)), ring)
    assert (frame.summary(), frame.aps_key_identifier) == ("Transport-Key (trust centre link key)", nwk.KeyIdentifier.KEY_LOAD)
    assert [(key.octets, key.kind) for key in ring.link_keys(DEVICE)] == [(NEW_KEY, "link"), (LINK_KEY, "ic")]


def test_addresses_come_from_every_layer() -> None:
    ring = KeyRing()
    ring.add_network_key(NETWORK_KEY)
    decode(ANNCE, ring)
    assert ring.ieee_of(PAN, 0x1234) == DEVICE
    relayed = nwk.Nwk.of(security_enabled=1, dest=0, source=0x4321, source_ieee_present=1, source_ieee=9)
    auxiliary = nwk.AuxiliaryHeader.of(frame_counter=1, source_ieee=PARENT)
    update = aps.UpdateDevice.of(device=8, short_address=0x0808)
    command = encode(aps.Aps.of(frame_type=aps.FrameType.COMMAND)) + b"\6" + encode(update)
    decode(over_the_air(seal(encode(relayed), auxiliary, command, NETWORK_KEY, PARENT), 0, 0x3333), ring)
    assert [ring.ieee_of(PAN, short) for short in (0x3333, 0x4321, 0x0808)] == [PARENT, 9, 8]
    answer = nwk.Nwk.of(
        frame_type=nwk.FrameType.COMMAND, dest=0xFFFD, source=0, dest_ieee_present=1, dest_ieee=7, source_ieee_present=1,
        source_ieee=COORDINATOR,
    )
    decode(over_the_air(encode(answer) + b"\7" + encode(nwk.RejoinResponse.of(short_address=0x0707))), ring)
    assert (ring.ieee_of(PAN, 0x0707), ring.ieee_of(PAN, 0xFFFD)) == (7, None)


def test_nothing_is_learnt_from_what_did_not_open() -> None:
    ring = KeyRing()
    ring.add_network_key(NEW_KEY)
    assert decode(ANNCE, ring).security.nwk == "bad-mic"
    assert ring.ieee_of(PAN, 0x1234) is None


def test_the_keys_of_the_device_concerned_come_first() -> None:
    ring = KeyRing()
    ring.add_link_key(bytes([1] * 16), device=8)
    ring.add_link_key(bytes([2] * 16))
    ring.add_link_key(bytes([3] * 16), device=7, kind="ic")
    ring.add_link_key(bytes([4] * 16), device=7)
    ring.add_link_key(bytes([3] * 16), device=7, kind="link")
    offered = [(key.octets[0], key.kind) for key in ring.link_keys(COORDINATOR, 7)]
    assert offered == [(4, "link"), (3, "ic"), (2, "link"), (1, "link")]
    assert [key.octets[0] for key in ring.link_keys(8, None)] == [1, 2, 4, 3]
    assert repr(ring.link_keys()[0]) == "LinkKey(device=None, kind='link')"


def test_the_version_tells_when_something_was_learnt() -> None:
    ring = KeyRing()
    versions = [ring.version]
    for _ in range(2):
        ring.add_network_key(NETWORK_KEY, 0)
        versions.append(ring.version)
        ring.add_link_key(LINK_KEY, DEVICE)
        versions.append(ring.version)
        ring.learn_address(PAN, 0, COORDINATOR)
        versions.append(ring.version)
    assert versions == [0, 1, 2, 3, 3, 3, 3]
    ring.add_network_key(NETWORK_KEY)  # says less than what is known
    assert (ring.version, ring.has_network_key(1)) == (3, False)


@pytest.mark.parametrize("key", [b"", bytes(15), bytes(17)])
def test_a_key_has_sixteen_octets(key: bytes) -> None:
    with pytest.raises(ValueError, match="16 octets"):
        KeyRing().add_network_key(key)
    with pytest.raises(ValueError, match="16 octets"):
        KeyRing().add_link_key(key)


def test_a_frame_shows_no_keys() -> None:
    frame: Frame = decode(ANNCE, recording("hanproof").taught())
    assert "nwk_key" not in repr(frame)
