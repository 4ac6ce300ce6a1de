"""What a packet of a capture wraps around an IEEE 802.15.4 frame: TAP, or ZEP in UDP in IP. Decodes no frame, reads no file.

Link types by the registry of tcpdump.org: 195 (frames with FCS), 230 (without), 283 (TAP: TLVs with channel, RSSI and LQI before the
frame); 0, 1, 101, 108, 113, 228, 229 and 276 (IP by itself, on Ethernet, on a BSD's loopback, Linux cooked) where they carry ZEP, which is
UDP on port 17754 (IANA) and otherwise described by the programs that speak it: https://wiki.wireshark.org/ZEP.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass, replace
from math import isfinite

IEEE802_15_4 = 195
IEEE802_15_4_NO_FCS = 230
IEEE802_15_4_TAP = 283
ETHERNET, RAW_IP, LINUX_COOKED, LINUX_COOKED_2 = 1, 101, 113, 276
BSD_LOOPBACK, OPENBSD_LOOPBACK, RAW_IPV4, RAW_IPV6 = 0, 108, 228, 229
ZEP_PORT = 17754
TAP_FCS_TYPE, TAP_RSS, TAP_CHANNEL, TAP_LQI = 0, 1, 3, 10  # TLV types
TAP_NO_FCS, TAP_FCS_16 = 0, 1
_PROTOCOL = {ETHERNET: (12, 14), LINUX_COOKED: (14, 16), LINUX_COOKED_2: (0, 20)}  # where it stands, and where what it names begins
_IP_STARTS = {RAW_IP: 0, RAW_IPV4: 0, RAW_IPV6: 0, BSD_LOOPBACK: 4, OPENBSD_LOOPBACK: 4}  # the IP packet tells its version itself
_VLANS, _IPV4, _IPV6 = (0x8100, 0x88A8), 0x0800, 0x86DD  # EtherTypes; 802.1Q, and 802.1ad around it
_UDP, _UDP_HEADER, _IPV6_HEADER = 17, 8, 40  # RFC 768, RFC 8200
_ZEP_1, _ZEP_2 = 16, 32  # octets of the headers of ZEP v1 and v2 (data)
_ZEP_DATA = 1
_ZEP_SEQUENCE = 17  # where it begins in the header of v2, 4 octets


class Flaw(ValueError):
    """Why a packet shows no frame; the message is a phrase that goes on after the packet's number."""


@dataclass(frozen=True)
class Unwrapped:
    """A frame as its packet carried it: `octets` is the PSDU, without its last two where `fcs` is "absent".

    `sequence` counts the datagrams of a ZEP v2 sender, where he counts them.
    """

    octets: bytes
    fcs: str = "absent"
    channel: int | None = None
    lqi: int | None = None
    rssi: float | None = None
    sequence: int | None = None


def unwrap(link_type: int, octets: bytes) -> Unwrapped | None:
    """The frame in a packet; None for a packet of an IP network that carries none. Raises Flaw."""
    if link_type == IEEE802_15_4:
        return Unwrapped(octets, "present")
    if link_type == IEEE802_15_4_NO_FCS:
        return Unwrapped(octets)
    if link_type == IEEE802_15_4_TAP:
        return _without_tap(octets)
    if link_type in _IP_STARTS or link_type in _PROTOCOL:
        datagram = _datagram(_ip_packet(link_type, octets))
        return None if datagram is None else unwrap_zep(datagram)
    raise Flaw(f"link type {link_type} is not IEEE 802.15.4 (195, 230 or 283), nor one that may carry ZEP "
               f"({', '.join(map(str, sorted((*_IP_STARTS, *_PROTOCOL))))})")


def unwrap_zep(datagram: bytes) -> Unwrapped | None:
    """The frame in a ZEP datagram; None for its acknowledgements and for what is not ZEP. Raises Flaw where it is cut short."""
    if len(datagram) < 4 or datagram[:2] != b"EX" or datagram[2] not in (1, 2) or (datagram[2] == 2 and datagram[3] != _ZEP_DATA):
        return None
    size = _ZEP_1 if datagram[2] == 1 else _ZEP_2
    octets = datagram[size:]
    if len(datagram) < size or len(octets) < datagram[size - 1]:
        raise Flaw("its ZEP datagram is cut short")
    channel, with_fcs, lqi = struct.unpack_from("<BxxBB", datagram, 3 if size == _ZEP_1 else 4)
    octets = octets[: datagram[size - 1]]
    sequence = struct.unpack_from(">I", datagram, _ZEP_SEQUENCE)[0] if size == _ZEP_2 else None
    if with_fcs:
        return Unwrapped(octets, "present", channel, lqi, sequence=sequence)
    return Unwrapped(octets[:-2], "absent", channel, lqi, sequence=sequence)  # the radio put its own figures where the FCS was


def tlvs(octets: bytes, order: str) -> Iterator[tuple[int, bytes]]:
    """Type, length (2 octets each), value padded to 4 octets: how pcapng writes options and TAP its header. Raises Flaw."""
    while octets:
        if len(octets) < 4 or len(octets) < 4 + (length := struct.unpack_from(order + "2xH", octets)[0]):
            raise Flaw("an option or TLV is cut short")
        yield struct.unpack_from(order + "H", octets)[0], octets[4 : 4 + length]
        octets = octets[4 + length + -length % 4 :]


def _level(value: bytes) -> float | None:
    """dBm; a tool that did not measure it may say so by what is no number."""
    level: float = struct.unpack_from("<f", value)[0]
    return level if isfinite(level) else None


def _without_tap(octets: bytes) -> Unwrapped:
    """The frame behind its TAP header, with what the header says of it; TLVs of other types are passed over."""
    if len(octets) < 4 or not 4 <= (length := int.from_bytes(octets[2:4], "little")) <= len(octets):
        raise Flaw("its TAP header is cut short")
    found = dict(tlvs(octets[4:length], "<"))
    try:
        fcs_type = found.get(TAP_FCS_TYPE, bytes([TAP_NO_FCS]))[0]
        frame = Unwrapped(
            octets[length:],
            channel=struct.unpack_from("<H", found[TAP_CHANNEL])[0] if TAP_CHANNEL in found else None,
            lqi=found[TAP_LQI][0] if TAP_LQI in found else None,
            rssi=_level(found[TAP_RSS]) if TAP_RSS in found else None,
        )
    except (struct.error, IndexError):
        raise Flaw("a TLV of its TAP header is shorter than its type") from None
    if fcs_type not in (TAP_NO_FCS, TAP_FCS_16):
        raise Flaw(f"its TAP header names FCS type {fcs_type}; ZigBee frames have 0 (none) or 1 (16 bits)")
    return replace(frame, fcs="present" if fcs_type == TAP_FCS_16 else "absent")


def _ip_packet(link_type: int, octets: bytes) -> bytes:
    if link_type in _IP_STARTS:
        return octets[_IP_STARTS[link_type] :]
    place, start = _PROTOCOL[link_type]
    protocol = int.from_bytes(octets[place : place + 2], "big")
    while protocol in _VLANS:
        protocol, start = int.from_bytes(octets[start + 2 : start + 4], "big"), start + 4
    return octets[start:] if protocol in (_IPV4, _IPV6) else b""


def _datagram(packet: bytes) -> bytes | None:
    """What a whole UDP datagram from or to the port of ZEP carries (RFC 791, 8200, 768); fragments are not put together."""
    version = packet[0] >> 4 if packet else 0
    if version == 4 and len(packet) >= 20 and packet[9] == _UDP and not int.from_bytes(packet[6:8], "big") & 0x3FFF:
        udp = packet[4 * (packet[0] & 0x0F) :]
    elif version == 6 and len(packet) >= _IPV6_HEADER and packet[6] == _UDP:
        udp = packet[_IPV6_HEADER:]
    else:
        return None
    if len(udp) < _UDP_HEADER or ZEP_PORT not in struct.unpack_from(">HH", udp):
        return None
    return udp[_UDP_HEADER : max(_UDP_HEADER, int.from_bytes(udp[4:6], "big"))]
