"""Frames in ZEP in UDP in IP, in whatever a capture wraps around that; tshark finds the same frames in them."""

from __future__ import annotations

import struct
from dataclasses import replace
from pathlib import Path

import pytest

from dissectors.capture import CaptureError, frames_of, read_capture
from dissectors.encapsulation import (
    BSD_LOOPBACK,
    ETHERNET,
    LINUX_COOKED,
    LINUX_COOKED_2,
    OPENBSD_LOOPBACK,
    RAW_IP,
    RAW_IPV4,
    RAW_IPV6,
    ZEP_PORT,
    Unwrapped,
    unwrap,
    unwrap_zep,
)
from dissectors.tests.tshark import ask, needs_tshark

FIRST = 1  # what the v2 datagrams here count
ACK = bytes.fromhex("02 00 07 07 c1")  # sequence number 7, its FCS
ZEP_1 = struct.pack(">2sBBHBB7xB", b"EX", 1, 15, 1, 1, 200, len(ACK)) + ACK
ZEP_2 = struct.pack(">2sBBBHBBQI10xB", b"EX", 2, 1, 15, 1, 1, 200, 0, FIRST, len(ACK)) + ACK
LQI_MODE = struct.pack(">2sBBBHBBQI10xB", b"EX", 2, 1, 26, 1, 0, 99, 0, FIRST, len(ACK)) + ACK[:-2] + b"\xd0\xe9"
FOUND = Unwrapped(ACK, "present", 15, 200, sequence=FIRST)


def udp(datagram: bytes, port: int = ZEP_PORT) -> bytes:
    return struct.pack(">HHHH", 40000, port, 8 + len(datagram), 0) + datagram


def ipv4(payload: bytes, fragment: int = 0, options: bytes = b"", protocol: int = 17) -> bytes:
    size = 20 + len(options)
    words = 0x40 | size // 4, 0, size + len(payload), 1, fragment, 64, protocol, 0, b"\x7f\0\0\1", b"\x7f\0\0\1"
    header = struct.pack(">BBHHHBBH4s4s", *words)
    return header + options + payload


def ipv6(payload: bytes) -> bytes:
    return struct.pack(">IHBB16s16s", 0x60000000, len(payload), 17, 64, bytes(15) + b"\1", bytes(15) + b"\1") + payload


def ethernet(packet: bytes, kind: int = 0x0800, tag: bytes = b"") -> bytes:
    return bytes(12) + tag + kind.to_bytes(2, "big") + packet


def pcap(link_type: int, *packets: bytes) -> bytes:
    records = b"".join(struct.pack("<4I", 1000 + place, 0, len(each), len(each)) + each for place, each in enumerate(packets))
    return struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 1 << 16, link_type) + records


@pytest.mark.parametrize(("link_type", "octets"), [
    (RAW_IP, ipv4(udp(ZEP_2))), (RAW_IP, ipv6(udp(ZEP_2))), (RAW_IP, ipv4(udp(ZEP_2), options=bytes(4))),
    (ETHERNET, ethernet(ipv4(udp(ZEP_2)))), (ETHERNET, ethernet(ipv6(udp(ZEP_2)), 0x86DD)),
    (ETHERNET, ethernet(ipv4(udp(ZEP_2)) + bytes(6))),  # Ethernet pads what is short
    (ETHERNET, ethernet(ipv4(udp(ZEP_2)), tag=b"\x81\0\0\x05")),
    (ETHERNET, ethernet(ipv4(udp(ZEP_2)), tag=b"\x88\xa8\0\x05\x81\0\0\x06")),
    (LINUX_COOKED, bytes(14) + b"\x81\0\0\x05\x08\0" + ipv4(udp(ZEP_2))),
    (LINUX_COOKED_2, b"\x81\0" + bytes(18) + b"\0\x05\x86\xdd" + ipv6(udp(ZEP_2))),
    (BSD_LOOPBACK, b"\2\0\0\0" + ipv4(udp(ZEP_2))), (BSD_LOOPBACK, b"\0\0\0\x1e" + ipv6(udp(ZEP_2))),
    (OPENBSD_LOOPBACK, b"\0\0\0\2" + ipv4(udp(ZEP_2))), (RAW_IPV4, ipv4(udp(ZEP_2))), (RAW_IPV6, ipv6(udp(ZEP_2))),
    (LINUX_COOKED, bytes(14) + b"\x08\0" + ipv4(udp(ZEP_2))), (LINUX_COOKED_2, b"\x86\xdd" + bytes(18) + ipv6(udp(ZEP_2))),
])
def test_a_frame_in_zep_is_found(link_type: int, octets: bytes) -> None:
    assert unwrap(link_type, octets) == FOUND


def test_zep_v1_counts_no_datagrams() -> None:
    assert unwrap(RAW_IP, ipv4(udp(ZEP_1))) == replace(FOUND, sequence=None)


def test_where_the_radio_put_figures_in_the_place_of_the_fcs_there_is_none() -> None:
    assert unwrap_zep(LQI_MODE) == Unwrapped(ACK[:-2], "absent", 26, 99, sequence=FIRST)


@pytest.mark.parametrize("octets", [
    b"", ethernet(b""), ethernet(ipv4(udp(ZEP_2, port=53))), ethernet(ipv4(udp(ZEP_2), fragment=0x2000)), ethernet(ipv4(ZEP_2, protocol=6)),
    ethernet(ipv4(udp(ZEP_2)), 0x0806), ethernet(ipv4(udp(b"EX\2\2\0\0\0\1"))), ethernet(ipv4(udp(b"hello"))), ethernet(ipv4(b"\0\0")),
])
def test_packets_of_others_are_passed_over_and_counted(octets: bytes, tmp_path: Path) -> None:
    path = tmp_path / "lan.pcap"
    path.write_bytes(pcap(ETHERNET, octets, ethernet(ipv4(udp(ZEP_2)))))
    assert [(each.number, each.octets, each.channel, each.lqi) for each in read_capture(path)] == [(2, ACK, 15, 200)]


@pytest.mark.parametrize("cut", [1, 6, 20])
def test_a_datagram_that_is_cut_short_is_a_flaw_of_its_packet_alone(cut: int, tmp_path: Path) -> None:
    path = tmp_path / "lan.pcap"
    path.write_bytes(pcap(RAW_IP, ipv4(udp(ZEP_2[:-cut])), ipv4(udp(ZEP_2))))
    with path.open("rb") as file:
        first, second = frames_of(file, "lan.pcap")
    assert (first.number, first.octets, first.flaw) == (1, b"", "its ZEP datagram is cut short")
    assert (second.number, second.octets, second.flaw) == (2, ACK, "")
    with pytest.raises(CaptureError, match="packet 1: its ZEP datagram is cut short"):
        list(read_capture(path))


@needs_tshark
@pytest.mark.parametrize("datagram", [ZEP_1, ZEP_2])
def test_tshark_finds_the_same_frame(datagram: bytes, tmp_path: Path) -> None:
    path = tmp_path / "lan.pcap"
    path.write_bytes(pcap(ETHERNET, ethernet(ipv4(udp(datagram)))))
    (told,) = ask(path, "zep.channel_id", "wpan.seq_no", "wpan.fcs", configuration=tmp_path)
    assert (told["zep.channel_id"], told["wpan.seq_no"], int(told["wpan.fcs"], 16)) == ("15", "7", 0xC107)
