"""Captures in and out: pcap and pcapng files of IEEE 802.15.4 frames, with comments on packets. Decodes no frame.

What a packet wraps around a frame, by link type, is read by `dissectors.encapsulation`. pcap in either octet order, with micro- or
nanoseconds; pcapng as its Internet-Draft (draft-ietf-opsawg-pcapng) describes it. Written files depend on their contents alone, never
on the moment of writing.
"""

from __future__ import annotations

import os
import struct
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from itertools import count, takewhile
from typing import BinaryIO

from dissectors.encapsulation import (
    IEEE802_15_4,
    IEEE802_15_4_NO_FCS,
    IEEE802_15_4_TAP,
    TAP_CHANNEL,
    TAP_FCS_16,
    TAP_FCS_TYPE,
    TAP_LQI,
    TAP_NO_FCS,
    TAP_RSS,
    Flaw,
    tlvs,
    unwrap,
)
from dissectors.key_file import FILE_NAME, KeyEntry, KeyFileError, read_key_file, write_key_file

__all__ = [
    "FILE_NAME", "IEEE802_15_4", "IEEE802_15_4_NO_FCS", "IEEE802_15_4_TAP", "CaptureError", "CapturedFrame", "KeyEntry",
    "KeyFileError", "frames_of", "read_capture", "read_key_file", "write_key_file", "write_pcapng",
]

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


class CaptureError(ValueError):
    """A capture that cannot be read further; the message is one line: file, packet, what is wrong."""


@dataclass(frozen=True)
class CapturedFrame:
    """One frame off the air: `octets` is the PSDU, whose last two are the FCS where `fcs` is "present".

    `number` counts the packets of the file from 1, frames or not, as Wireshark does; `time` is UTC in seconds since 1970; `rssi` is
    in dBm; `interface` counts the interfaces of the file from 0. `flaw` is empty, or why this packet shows no frame.
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
    interface: int = 0
    flaw: str = ""


class _Damage(Exception):
    """What is wrong at this point of the file."""


def read_capture(path: str | os.PathLike[str]) -> Iterator[CapturedFrame]:
    """The frames of a pcap or pcapng file, in its order.

    Raises CaptureError at the first packet that cannot be read, after yielding those before it; OSError where the file cannot
    be opened.
    """
    with open(path, "rb") as file:
        for frame in frames_of(file, os.fspath(path)):
            if frame.flaw:
                raise CaptureError(f"{os.fspath(path)}: packet {frame.number}: {frame.flaw}")
            yield frame


def frames_of(file: BinaryIO, name: str) -> Iterator[CapturedFrame]:
    """The frames of an open pcap or pcapng, each as soon as it is read; a packet that shows none comes with its `flaw`.

    `name` is what messages call the file. Raises CaptureError where it cannot be read further, after yielding what came before.
    """
    packets = _packets(file)
    for number in count(1):
        try:
            packet = next(packets, None)
        except (_Damage, Flaw) as damage:
            raise CaptureError(f"{name}: packet {number}: {damage}") from None
        if packet is None:
            return
        try:
            frame = _frame(packet)
        except Flaw as flaw:
            frame = replace(packet, octets=b"", flaw=str(flaw))
        if frame is not None:
            yield replace(frame, number=number)


def _packets(file: BinaryIO) -> Iterator[CapturedFrame]:
    """Packets as they stand in the file, with whatever their link type wraps around the frame."""
    magic = file.read(4)
    if magic == _PCAPNG_MAGIC:
        yield from _pcapng_packets(file)
    elif magic in _PCAP_MAGIC:
        yield from _pcap_packets(file, *_PCAP_MAGIC[magic])
    else:
        raise _Damage("the file is neither pcap nor pcapng, or is empty")


def _exactly(file: BinaryIO, length: int, what: str) -> bytes:
    if length > _MAX_LENGTH:
        raise _Damage(f"{what} claims {length} octets, so the file is damaged")
    octets = file.read(length)
    if len(octets) < length:
        raise _Damage(f"the file ends in the {what}, after {len(octets)} of {length} octets")
    return octets


def _pcap_packets(file: BinaryIO, order: str, ticks: int) -> Iterator[CapturedFrame]:
    header = _exactly(file, 20, "file header")
    (network,) = struct.unpack(order + "16xI", header)
    while first := file.read(1):
        seconds, fraction, length, original = struct.unpack(order + "IIII", first + _exactly(file, 15, "packet header"))
        octets = _exactly(file, length, "packet")
        yield _packet_of(_Interface(0, network & 0xFFFF, 0), (seconds * ticks + fraction) / ticks, octets, original, "")


@dataclass(frozen=True)
class _Interface:
    number: int
    link_type: int
    snap_length: int
    ticks: int = 10**6  # a second
    offset: int = 0  # seconds


def _pcapng_packets(file: BinaryIO) -> Iterator[CapturedFrame]:
    order = ""
    interfaces: list[_Interface] = []
    before = 0  # interfaces of earlier sections
    kind = _PCAPNG_MAGIC
    while kind:
        kind += _exactly(file, 4 - len(kind), "block type")
        length_octets = _exactly(file, 4, "block length")
        body = b""
        if kind == _PCAPNG_MAGIC:
            body = _exactly(file, 4, "section header")
            if body not in _BYTE_ORDER_MAGIC:
                raise _Damage("the section header has no byte order")
            order, before, interfaces = _BYTE_ORDER_MAGIC[body], before + len(interfaces), []
        (length,) = struct.unpack(order + "I", length_octets)
        if length % 4 or length < 12 + len(body):
            raise _Damage(f"a block of {length} octets cannot be")
        body += _exactly(file, length - 12 - len(body), "block")
        if _exactly(file, 4, "block") != length_octets:
            raise _Damage("a block has two different lengths")
        try:
            yield from _block_packets(struct.unpack(order + "I", kind)[0], body, order, interfaces, before)
        except (struct.error, IndexError):
            raise _Damage("a block is too short for its type, or names an interface that the file does not have") from None
        kind = file.read(1)


def _block_packets(kind: int, body: bytes, order: str, interfaces: list[_Interface], before: int) -> Iterator[CapturedFrame]:
    """The packet of one block, if it has one; an interface description is added to `interfaces`."""
    if kind == _INTERFACE:
        link_type, snap_length = struct.unpack_from(order + "HxxI", body)
        options = dict(_options(body[8:], order))
        resolution = options.get(_TIME_RESOLUTION, b"\x06")[0]
        ticks = 1 << (resolution & 0x7F) if resolution & 0x80 else 10**resolution
        (offset,) = struct.unpack(order + "q", options.get(_TIME_OFFSET, bytes(8)))
        interfaces.append(_Interface(before + len(interfaces), link_type, snap_length, ticks, offset))
    elif kind in (_PACKET, _OLD_PACKET):
        number, high, low, length, original = struct.unpack_from(order + ("I" if kind == _PACKET else "Hxx") + "IIII", body)
        interface = interfaces[number]
        octets, rest = body[20 : 20 + length], body[20 + length + -length % 4 :]
        comments = (value.decode("utf-8", "replace") for code, value in _options(rest, order) if code == _COMMENT)
        time = interface.offset + (high << 32 | low) / interface.ticks
        yield _packet_of(interface, time, _full(octets, length), original, "\n".join(comments))
    elif kind == _SIMPLE_PACKET:  # it has no time
        (original,) = struct.unpack_from(order + "I", body)
        interface = interfaces[0]
        length = min(original, interface.snap_length or original)
        yield _packet_of(interface, 0.0, _full(body[4 : 4 + length], length), original, "")


def _full(octets: bytes, length: int) -> bytes:
    if len(octets) < length:
        raise _Damage(f"{length} octets are announced, its block has {len(octets)}")
    return octets


def _options(octets: bytes, order: str) -> Iterator[tuple[int, bytes]]:
    return takewhile(lambda option: option[0] != _END, tlvs(octets, order))


def _packet_of(interface: _Interface, time: float, octets: bytes, original: int, comment: str) -> CapturedFrame:
    short = f"only {len(octets)} of its {original} octets were captured" if original > len(octets) else ""
    return CapturedFrame(0, time, interface.link_type, octets, comment, interface=interface.number, flaw=short)


def _frame(packet: CapturedFrame) -> CapturedFrame | None:
    """The frame that a packet carries, None where it carries something else. Raises Flaw."""
    if packet.flaw:
        raise Flaw(packet.flaw)
    found = unwrap(packet.link_type, packet.octets)
    if found is None:
        return None
    return replace(packet, octets=found.octets, channel=found.channel, lqi=found.lqi, rssi=found.rssi, fcs=found.fcs)


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
    tlvs = _tlv(TAP_FCS_TYPE, bytes([TAP_FCS_16 if frame.fcs == "present" else TAP_NO_FCS]))
    if frame.rssi is not None:
        tlvs += _tlv(TAP_RSS, struct.pack("<f", frame.rssi))
    if frame.channel is not None:
        tlvs += _tlv(TAP_CHANNEL, struct.pack("<HB", frame.channel, 0))  # channel page 0
    if frame.lqi is not None:
        tlvs += _tlv(TAP_LQI, bytes([frame.lqi]))
    return struct.pack("<BxH", 0, 4 + len(tlvs)) + tlvs  # version 0


def _block(kind: int, body: bytes) -> bytes:
    length = struct.pack("<I", 12 + len(body))
    return struct.pack("<I", kind) + length + body + length


def _tlv(code: int, value: bytes) -> bytes:
    return struct.pack("<HH", code, len(value)) + _padded(value)


def _padded(octets: bytes) -> bytes:
    return octets + bytes(-len(octets) % 4)
