"""What a ladder calls a frame; the names of sniffed frames stand in their vectors."""

from __future__ import annotations

import pytest

from dissectors import aps, clusters, mac, nwk, zdp
from dissectors.frame import decode, encode_mpdu
from dissectors.layer import Layer, encode
from dissectors.sealing import seal

HEADER = mac.Mac.of(dest_mode=2, source_mode=2, pan_id_compression=1)
DATA = encode(nwk.Nwk.of())
PRICE = encode(aps.Aps.of(cluster=0x0700, profile=0x0109))
SEALED = nwk.AuxiliaryHeader.of(source_ieee=1)


@pytest.mark.parametrize(("payload", "summary"), [
    (b"", "empty MAC data"),
    (seal(encode(nwk.Nwk.of(security_enabled=1)), SEALED, b"", bytes(16), 1), "sealed NWK frame (no-key)"),
    (DATA + seal(encode(aps.Aps.of(security_enabled=1)), SEALED, b"", bytes(16), 1), "sealed APS data (no-key)"),
    (DATA + encode(aps.Aps.of(frame_type=aps.FrameType.ACK)), "APS ack"),
    (DATA + encode(aps.Aps.of(frame_type=aps.FrameType.COMMAND)) + b"\x09\x01", "Switch-Key"),
    (DATA + encode(aps.Aps.of(profile=0xC105)) + b"\xff", "APS data"),
    (DATA + PRICE + b"\x01\x07\x77", "unknown command 77 (Price)"),
    (DATA + PRICE + b"\x00\x07\x00\x00\x00", "Read Attributes (Price)"),
    (DATA + PRICE, "APS data, malformed: Zcl is cut short or unreadable at reserved, octet 0"),
    (encode(nwk.Nwk.of(frame_type=nwk.FrameType.COMMAND)) + b"\x63", "NWK frame, malformed: Nwk: command 63 is not known"),
    (b"\x08", "MAC data, malformed: Nwk is cut short or unreadable at reserved, octet 1"),
])
def test_names(payload: bytes, summary: str) -> None:
    assert decode(encode_mpdu(HEADER, payload)).summary() == summary


def test_a_frame_that_is_nothing() -> None:
    assert decode(b"\xff").summary() == "malformed: bad FCS"


@pytest.mark.parametrize(("layer", "name"), [
    (zdp.MatchDescReq, "Match_Desc_req"), (zdp.IeeeAddrReq, "IEEE_addr_req"), (zdp.ActiveEpReq, "Active_EP_req"),
    (zdp.MgmtPermitJoiningReq, "Mgmt_Permit_Joining_req"), (zdp.MgmtLeaveRsp, "Mgmt_Leave_rsp"),
])
def test_zdp_names_are_the_specifications(layer: type[Layer], name: str) -> None:
    header = DATA + encode(aps.Aps.of(cluster=zdp.cluster_of(layer), profile=zdp.PROFILE))
    frame = decode(encode_mpdu(HEADER, header + zdp.build(layer.of(), 1)))
    assert frame.summary() == name


@pytest.mark.parametrize("direction", [0, 1])
def test_every_cluster_command_has_a_name_of_its_own(direction: int) -> None:
    for cluster in clusters.all_clusters():
        commands = cluster.server_commands if direction else cluster.client_commands
        header = DATA + encode(aps.Aps.of(cluster=cluster.identifier, profile=0x0109))
        names = []
        for identifier, layer in commands.items():
            asdu = bytes([direction << 3 | 1, 7, identifier]) + encode(layer.of())
            frame = decode(encode_mpdu(HEADER, header + asdu))
            assert frame.malformed is None
            names.append(frame.summary())
        assert len(names) == len(set(names))
