"""Captures in and out: pcap and pcapng files of IEEE 802.15.4 frames, with comments on packets. Decodes no frame.

Link types, as the registry of tcpdump.org numbers them: 195 (frames with FCS), 230 (without), 283 (TAP: TLVs with channel, RSSI
and LQI before the frame). pcap in either octet order, with micro- or nanoseconds; pcapng as its Internet-Draft
(draft-ietf-opsawg-pcapng) describes it. Written files depend on their contents alone, never on the moment of writing.
"""

from __future__ import annotations

import os
import struct
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from itertools import count, takewhile
from typing import BinaryIO

from dissectors.key_file import FILE_NAME, KeyEntry, KeyFileError, read_key_file, write_key_file

__all__ = [
    "FILE_NAME", "IEEE802_15_4", "IEEE802_15_4_NO_FCS", "IEEE802_15_4_TAP", "CaptureError", "CapturedFrame", "KeyEntry",
    "KeyFileError", "read_capture", "read_key_file", "write_key_file", "write_pcapng",
]

IEEE802_15_4 = 195
IEEE802_15_4_NO_FCS = 230
IEEE802_15_4_TAP = 283
_MAX_LENGTH = 1 << 24  # octets; a packet or block that claims more means that the file is damaged
_PCAP_MAGIC = {  # first four octets: octet order, ticks a second
    bytes.fromhex("a1b2c3d4"): (">", 10**6),
    bytes.fromhex("d4c3b2a1"): ("<", 10**6),
    bytes.fromhex("a1b23c4d"): (">", 10**9),
    bytes.fromhex("4d3cb2a1"): ("<", 10**9),
}
_PCAPNG_MAGIC = bytes.fromhex("0a0d0d0a")  # type of a section header block, the same in both octet orders
_BYTE_ORDER_MAGIC = {bytes.fromhex("1a2b3c4d"): ">", bytes.fromhex("4d3c2b1a"): "<"}
_INTERFACE, _OLD_PACKET, _SIMPLE_PACKET, _PACKET = 1, 2, 3, 6  # block types
_END, _COMMENT, _TIME_RESOLUTION, _TIME_OFFSET = 0, 1, 9, 14  # option codes
_TAP_FCS_TYPE, _TAP_RSS, _TAP_CHANNEL, _TAP_LQI = 0, 1, 3, 10  # TLV types
_TAP_NO_FCS, _TAP_FCS_16 = 0, 1


class CaptureError(ValueError):
    """A capture that cannot be read further; the message is one line: file, packet, what is wrong."""


@dataclass(frozen=True)
class CapturedFrame:
    """One frame off the air: `octets` is the PSDU, whose last two are the FCS where `fcs` is "present".

    `number` counts the packets of the file from 1; `time` is UTC in seconds since 1970; `rssi` is in dBm.
    """

    number: int
    time: float
    link_type: int
    octets: bytes
    comment: str = ""
    channel: int | None = None
    lqi: int | None = None
    rssi: float | None = None
    fcs: str = "present"  # or "absent"


class _Damage(Exception):
    """What is wrong at this point of the file."""


def read_capture(path: str | os.PathLike[str]) -> Iterator[CapturedFrame]:
    """The frames of a pcap or pcapng file, in its order.

    Raises CaptureError at the first packet that cannot be read, after yielding those before it; OSError where the file cannot
    be opened.
    """
    with open(path, "rb") as file:
        frames = _frames(file)
        for number in count(1):
            try:
                frame = next(frames, None)
            except _Damage as damage:
                raise CaptureError(f"{os.fspath(path)}: packet {number}: {damage}") from None
            if frame is None:
                return
            yield replace(frame, number=number)


def _frames(file: BinaryIO) -> Iterator[CapturedFrame]:
    magic = file.read(4)
    if magic == _PCAPNG_MAGIC:
        yield from _pcapng_frames(file)
    elif magic in _PCAP_MAGIC:
        yield from _pcap_frames(file, *_PCAP_MAGIC[magic])
    else:
        raise _Damage("the file is neither pcap nor pcapng, or is empty")


def _exactly(file: BinaryIO, length: int, what: str) -> bytes:
    if length > _MAX_LENGTH:
        raise _Damage(f"{what} claims {length} octets, so the file is damaged")
    octets = file.read(length)
    if len(octets) < length:
        raise _Damage(f"the file ends in the {what}, after {len(octets)} of {length} octets")
    return octets


def _pcap_frames(file: BinaryIO, order: str, ticks: int) -> Iterator[CapturedFrame]:
    header = _exactly(file, 20, "file header")
    (network,) = struct.unpack(order + "16xI", header)
    while first := file.read(1):
        seconds, fraction, length, original = struct.unpack(order + "IIII", first + _exactly(file, 15, "packet header"))
        octets = _exactly(file, length, "packet")
        yield _frame(network & 0xFFFF, (seconds * ticks + fraction) / ticks, octets, original, "")


@dataclass(frozen=True)
class _Interface:
    link_type: int
    snap_length: int
    ticks: int = 10**6  # a second
    offset: int = 0  # seconds


def _pcapng_frames(file: BinaryIO) -> Iterator[CapturedFrame]:
    order = ""
    interfaces: list[_Interface] = []
    kind = _PCAPNG_MAGIC
    while kind:
        kind += _exactly(file, 4 - len(kind), "block type")
        length_octets = _exactly(file, 4, "block length")
        body = b""
        if kind == _PCAPNG_MAGIC:
            body = _exactly(file, 4, "section header")
            if body not in _BYTE_ORDER_MAGIC:
                raise _Damage("the section header has no byte order")
            order, interfaces = _BYTE_ORDER_MAGIC[body], []
        (length,) = struct.unpack(order + "I", length_octets)
        if length % 4 or length < 12 + len(body):
            raise _Damage(f"a block of {length} octets cannot be")
        body += _exactly(file, length - 12 - len(body), "block")
        if _exactly(file, 4, "block") != length_octets:
            raise _Damage("a block has two different lengths")
        try:
            yield from _block_frames(struct.unpack(order + "I", kind)[0], body, order, interfaces)
        except (struct.error, IndexError):
            raise _Damage("a block is too short for its type, or names an interface that the file does not have") from None
        kind = file.read(1)


def _block_frames(kind: int, body: bytes, order: str, interfaces: list[_Interface]) -> Iterator[CapturedFrame]:
    """The frame of one block, if it has one; an interface description is added to `interfaces`."""
    if kind == _INTERFACE:
        link_type, snap_length = struct.unpack_from(order + "HxxI", body)
        options = dict(_options(body[8:], order))
        resolution = options.get(_TIME_RESOLUTION, b"\x06")[0]
        ticks = 1 << (resolution & 0x7F) if resolution & 0x80 else 10**resolution
        (offset,) = struct.unpack(order + "q", options.get(_TIME_OFFSET, bytes(8)))
        interfaces.append(_Interface(link_type, snap_length, ticks, offset))
    elif kind in (_PACKET, _OLD_PACKET):
        number, high, low, length, original = struct.unpack_from(order + ("I" if kind == _PACKET else "Hxx") + "IIII", body)
        interface = interfaces[number]
        octets, rest = body[20 : 20 + length], body[20 + length + -length % 4 :]
        comments = (value.decode("utf-8", "replace") for code, value in _options(rest, order) if code == _COMMENT)
        time = interface.offset + (high << 32 | low) / interface.ticks
        yield _frame(interface.link_type, time, _full(octets, length), original, "\n".join(comments))
    elif kind == _SIMPLE_PACKET:  # it has no time
        (original,) = struct.unpack_from(order + "I", body)
        interface = interfaces[0]
        length = min(original, interface.snap_length or original)
        yield _frame(interface.link_type, 0.0, _full(body[4 : 4 + length], length), original, "")


def _full(octets: bytes, length: int) -> bytes:
    if len(octets) < length:
        raise _Damage(f"{length} octets are announced, its block has {len(octets)}")
    return octets


def _tlvs(octets: bytes, order: str) -> Iterator[tuple[int, bytes]]:
    """Type, length (2 octets each), value padded to 4 octets: how pcapng writes options and TAP its header."""
    while octets:
        if len(octets) < 4 or len(octets) < 4 + (length := struct.unpack_from(order + "2xH", octets)[0]):
            raise _Damage("an option or TLV is cut short")
        yield struct.unpack_from(order + "H", octets)[0], octets[4 : 4 + length]
        octets = octets[4 + length + -length % 4 :]


def _options(octets: bytes, order: str) -> Iterator[tuple[int, bytes]]:
    return takewhile(lambda option: option[0] != _END, _tlvs(octets, order))


def _frame(link_type: int, time: float, octets: bytes, original: int, comment: str) -> CapturedFrame:
    if original > len(octets):
        raise _Damage(f"only {len(octets)} of its {original} octets were captured")
    if link_type == IEEE802_15_4:
        return CapturedFrame(0, time, link_type, octets, comment)
    if link_type == IEEE802_15_4_NO_FCS:
        return CapturedFrame(0, time, link_type, octets, comment, fcs="absent")
    if link_type == IEEE802_15_4_TAP:
        return _without_tap(CapturedFrame(0, time, link_type, octets, comment, fcs="absent"))
    raise _Damage(f"link type {link_type} is not IEEE 802.15.4 (195, 230 or 283)")


def _without_tap(frame: CapturedFrame) -> CapturedFrame:
    """The frame behind its TAP header, with what the header says of it; TLVs of other types are passed over."""
    if len(frame.octets) < 4 or not 4 <= (length := int.from_bytes(frame.octets[2:4], "little")) <= len(frame.octets):
        raise _Damage("its TAP header is cut short")
    found = dict(_tlvs(frame.octets[4:length], "<"))
    try:
        fcs_type = found.get(_TAP_FCS_TYPE, bytes([_TAP_NO_FCS]))[0]
        channel = struct.unpack_from("<H", found[_TAP_CHANNEL])[0] if _TAP_CHANNEL in found else None
        lqi = found[_TAP_LQI][0] if _TAP_LQI in found else None
        rssi = struct.unpack_from("<f", found[_TAP_RSS])[0] if _TAP_RSS in found else None
    except (struct.error, IndexError):
        raise _Damage("a TLV of its TAP header is shorter than its type") from None
    if fcs_type not in (_TAP_NO_FCS, _TAP_FCS_16):
        raise _Damage(f"its TAP header names FCS type {fcs_type}; ZigBee frames have 0 (none) or 1 (16 bits)")
    fcs = "present" if fcs_type == _TAP_FCS_16 else "absent"
    return replace(frame, octets=frame.octets[length:], channel=channel, lqi=lqi, rssi=rssi, fcs=fcs)


def write_pcapng(path: str | os.PathLike[str], frames: Iterable[CapturedFrame], link_type: int = IEEE802_15_4) -> None:
    """Write a pcapng file with link type 195, or 283 where channel, LQI and RSSI are to be kept; times to the microsecond.

    `number` and `link_type` of the frames do not matter. Raises ValueError for another link type, for a time before 1970, and
    for a frame without FCS where the link type (195) demands one.
    """
    if link_type not in (IEEE802_15_4, IEEE802_15_4_TAP):
        raise ValueError(f"a capture is written with link type 195 or 283, not {link_type}")
    with open(path, "wb") as file:
        file.write(_block(int.from_bytes(_PCAPNG_MAGIC, "little"), bytes.fromhex("4d3c2b1a") + struct.pack("<HHq", 1, 0, -1)))
        file.write(_block(_INTERFACE, struct.pack("<HxxI", link_type, 0)))
        for frame in frames:
            file.write(_block(_PACKET, _packet(frame, link_type)))


def _packet(frame: CapturedFrame, link_type: int) -> bytes:
    if frame.time < 0:
        raise ValueError(f"frame {frame.number}: {frame.time} lies before 1970")
    if link_type == IEEE802_15_4 and frame.fcs != "present":
        raise ValueError(f"frame {frame.number}: link type 195 demands an FCS")
    octets = (_tap_header(frame) if link_type == IEEE802_15_4_TAP else b"") + frame.octets
    ticks = round(frame.time * 10**6)
    header = struct.pack("<5I", 0, ticks >> 32, ticks & 0xFFFFFFFF, len(octets), len(octets))
    options = _tlv(_COMMENT, frame.comment.encode()) + _tlv(_END, b"") if frame.comment else b""
    return header + _padded(octets) + options


def _tap_header(frame: CapturedFrame) -> bytes:
    tlvs = _tlv(_TAP_FCS_TYPE, bytes([_TAP_FCS_16 if frame.fcs == "present" else _TAP_NO_FCS]))
    if frame.rssi is not None:
        tlvs += _tlv(_TAP_RSS, struct.pack("<f", frame.rssi))
    if frame.channel is not None:
        tlvs += _tlv(_TAP_CHANNEL, struct.pack("<HB", frame.channel, 0))  # channel page 0
    if frame.lqi is not None:
        tlvs += _tlv(_TAP_LQI, bytes([frame.lqi]))
    return struct.pack("<BxH", 0, 4 + len(tlvs)) + tlvs  # version 0


def _block(kind: int, body: bytes) -> bytes:
    length = struct.pack("<I", 12 + len(body))
    return struct.pack("<I", kind) + length + body + length


def _tlv(code: int, value: bytes) -> bytes:
    return struct.pack("<HH", code, len(value)) + _padded(value)


def _padded(octets: bytes) -> bytes:
    return octets + bytes(-len(octets) % 4)
