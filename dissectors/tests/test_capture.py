"""Captures: what we write, Scapy and tshark read; what Scapy writes, we read; damaged files end with a line that says where."""

from __future__ import annotations

import struct
from collections.abc import Callable
from pathlib import Path

import pytest
from scapy.utils import RawPcapNgReader, RawPcapWriter

from dissectors.capture import CapturedFrame, CaptureError, read_capture, write_pcapng
from dissectors.tests.frames import recording
from dissectors.tests.tshark import ask, needs_tshark

ACK = bytes.fromhex("02000707c1")
POLL = bytes.fromhex("63c896593300001a5b410000ff0f00049257")
FRAMES = (
    CapturedFrame(1, 0.0, 195, POLL, "first: Grüße\nsecond line", channel=11, lqi=255, rssi=-40.5),
    CapturedFrame(2, 1281120790.000056, 195, ACK, channel=26),
    CapturedFrame(3, 4102444800.25, 195, POLL, "the year 2100", lqi=0),
)
NUMBERED = pytest.mark.parametrize("link_type", [195, 283])


def options(*pairs: tuple[int, bytes], order: str = "<") -> bytes:
    octets = (struct.pack(order + "HH", code, len(value)) + value + bytes(-len(value) % 4) for code, value in pairs)
    return b"".join(octets) + struct.pack(order + "HH", 0, 0)


def block(kind: int, body: bytes, order: str = "<") -> bytes:
    length = struct.pack(order + "I", 12 + len(body))
    return struct.pack(order + "I", kind) + length + body + length


def section(order: str = "<") -> bytes:
    return block(0x0A0D0D0A, struct.pack(order + "IHHq", 0x1A2B3C4D, 1, 0, -1), order)


def interface(link_type: int, *pairs: tuple[int, bytes], order: str = "<") -> bytes:
    return block(1, struct.pack(order + "HHI", link_type, 0, 0) + (options(*pairs, order=order) if pairs else b""), order)


def packet(octets: bytes, ticks: int = 0, *pairs: tuple[int, bytes], number: int = 0, order: str = "<") -> bytes:
    head = struct.pack(order + "5I", number, ticks >> 32, ticks & 0xFFFFFFFF, len(octets), len(octets))
    return block(6, head + octets + bytes(-len(octets) % 4) + (options(*pairs, order=order) if pairs else b""), order)


@pytest.fixture
def written(tmp_path: Path) -> Callable[[bytes], Path]:
    def write(octets: bytes) -> Path:
        path = tmp_path / "made.cap"
        path.write_bytes(octets)
        return path

    return write


def test_a_file_reads_back_as_it_was_written(tmp_path: Path) -> None:
    write_pcapng(tmp_path / "air.pcapng", FRAMES, link_type=283)
    assert list(read_capture(tmp_path / "air.pcapng")) == [
        CapturedFrame(1, 0.0, 283, POLL, "first: Grüße\nsecond line", channel=11, lqi=255, rssi=-40.5),
        CapturedFrame(2, 1281120790.000056, 283, ACK, channel=26),
        CapturedFrame(3, 4102444800.25, 283, POLL, "the year 2100", lqi=0),
    ]


def test_link_type_195_keeps_no_more_than_octets_time_and_comment(tmp_path: Path) -> None:
    write_pcapng(tmp_path / "air.pcapng", FRAMES)
    plain = [CapturedFrame(frame.number, frame.time, 195, frame.octets, frame.comment) for frame in FRAMES]
    assert list(read_capture(tmp_path / "air.pcapng")) == plain


@NUMBERED
def test_the_same_frames_make_the_same_octets(tmp_path: Path, link_type: int) -> None:
    for name in ("one", "two"):
        write_pcapng(tmp_path / name, FRAMES, link_type)
    assert (tmp_path / "one").read_bytes() == (tmp_path / "two").read_bytes()


def test_a_frame_without_fcs_can_be_kept_in_link_type_283_alone(tmp_path: Path) -> None:
    bare = CapturedFrame(7, 0.0, 230, POLL[:-2], fcs="absent")
    write_pcapng(tmp_path / "air.pcapng", [bare], link_type=283)
    assert [(frame.octets, frame.fcs) for frame in read_capture(tmp_path / "air.pcapng")] == [(POLL[:-2], "absent")]
    with pytest.raises(ValueError, match="frame 7: link type 195 demands an FCS"):
        write_pcapng(tmp_path / "air.pcapng", [bare])


def test_what_cannot_be_written_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="195 or 283, not 230"):
        write_pcapng(tmp_path / "air.pcapng", [], link_type=230)
    with pytest.raises(ValueError, match=r"frame 1: -0\.5 lies before 1970"):
        write_pcapng(tmp_path / "air.pcapng", [CapturedFrame(1, -0.5, 195, ACK)])


@pytest.mark.parametrize("nano", [False, True], ids=["us", "ns"])
@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize(("link_type", "fcs"), [(195, "present"), (230, "absent")])
def test_pcap_files_that_scapy_wrote(tmp_path: Path, link_type: int, fcs: str, order: str, nano: bool) -> None:
    path = str(tmp_path / "made.pcap")
    with RawPcapWriter(path, linktype=link_type, nano=nano, endianness=order) as writer:
        writer.write_header(None)
        writer.write_packet(POLL, sec=1281120790, usec=56_000 if nano else 56)
        writer.write_packet(ACK, sec=1281120791, usec=0)
    assert list(read_capture(path)) == [
        CapturedFrame(1, 1281120790.000056, link_type, POLL, fcs=fcs), CapturedFrame(2, 1281120791.0, link_type, ACK, fcs=fcs),
    ]


def test_scapy_reads_what_we_wrote(tmp_path: Path) -> None:
    write_pcapng(tmp_path / "air.pcapng", FRAMES)
    with RawPcapNgReader(str(tmp_path / "air.pcapng")) as reader:
        read = [(octets, meta.linktype, meta.tshigh << 32 | meta.tslow, meta.comments) for octets, meta in reader]
    assert read == [
        (frame.octets, 195, round(frame.time * 10**6), [frame.comment.encode()] if frame.comment else None) for frame in FRAMES
    ]


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize(
    ("resolution", "offset", "ticks"),
    [(b"\x06", 0, 1500000), (b"\x09", 0, 1500000000), (b"\x8a", 0, 1536), (b"\x00", -3, 4), (b"\x03", 1, 500)],
    ids=["us", "ns", "1024ths", "s", "ms-later"],
)
def test_pcapng_times_of_every_resolution(
    written: Callable[[bytes], Path], order: str, resolution: bytes, offset: int, ticks: int
) -> None:
    pairs = ((9, resolution), (14, struct.pack(order + "q", offset)))
    path = written(section(order) + interface(195, *pairs, order=order) + packet(ACK, ticks, order=order))
    assert [frame.time for frame in read_capture(path)] == [1.0 if resolution == b"\x00" else 1.5]


def test_pcapng_files_of_several_sections_interfaces_and_kinds_of_block(written: Callable[[bytes], Path]) -> None:
    simple = block(3, struct.pack("<I", len(ACK)) + ACK + bytes(3))
    old = block(2, struct.pack("<HH4I", 1, 0, 0, 2000000, len(ACK), len(ACK)) + ACK + bytes(3) + options((1, b"old")))
    path = written(
        section() + interface(195) + block(4, bytes(8)) + simple + interface(230) + old
        + packet(POLL[:-2], 3000000, (2, bytes(4)), (1, b"one"), (1, b"two"), number=1)
        + section(">") + interface(195, order=">") + packet(POLL, 4000000, order=">")
    )
    assert list(read_capture(path)) == [
        CapturedFrame(1, 0.0, 195, ACK),
        CapturedFrame(2, 2.0, 230, ACK, "old", fcs="absent", interface=1),
        CapturedFrame(3, 3.0, 230, POLL[:-2], "one\ntwo", fcs="absent", interface=1),
        CapturedFrame(4, 4.0, 195, POLL, interface=2),
    ]


@NUMBERED
def test_a_truncated_file_gives_what_is_whole_then_says_where_it_ends(tmp_path: Path, link_type: int) -> None:
    path = tmp_path / "air.pcapng"
    ends = []
    for count in range(len(FRAMES) + 1):
        write_pcapng(path, FRAMES[:count], link_type)
        ends.append(path.stat().st_size)
    whole = path.read_bytes()
    first_interface = 28  # the section header alone is a whole file too
    for length in range(len(whole)):
        path.write_bytes(whole[:length])
        expected = max(sum(length >= end for end in ends) - 1, 0)
        frames: list[CapturedFrame] = []
        if length in (first_interface, *ends):
            frames.extend(read_capture(path))
        else:
            with pytest.raises(CaptureError, match=rf"air\.pcapng: packet {expected + 1}: "):
                frames.extend(read_capture(path))
        assert [frame.octets for frame in frames] == [frame.octets for frame in FRAMES[:expected]]


def test_a_truncated_pcap_file_too(written: Callable[[bytes], Path]) -> None:
    header = struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, 195)
    record = struct.pack("<IIII", 1, 2, len(ACK), len(ACK)) + ACK
    for length in range(1, len(record)):
        frames: list[CapturedFrame] = []
        with pytest.raises(CaptureError, match=r"made\.cap: packet 2: the file ends in the packet"):
            frames.extend(read_capture(written(header + record + record[:length])))
        assert [frame.octets for frame in frames] == [ACK]


@pytest.mark.parametrize(
    ("octets", "reason"),
    [
        (b"", "neither pcap nor pcapng"),
        (b"PK\x03\x04 a zip file", "neither pcap nor pcapng"),
        (section() + interface(127) + packet(ACK), "link type 127 is not IEEE 802.15.4"),
        (section() + packet(ACK), "an interface that the file does not have"),
        (section() + block(6, b"1234"), "too short for its type"),
        (section() + interface(195) + block(6, struct.pack("<5I", 0, 0, 0, 5, 9) + ACK + bytes(3)), "only 5 of its 9 octets"),
        (section() + interface(195) + block(6, struct.pack("<5I", 0, 0, 0, 9, 9) + ACK + bytes(3)), "9 octets are announced"),
        (section() + struct.pack("<II", 6, 7), "a block of 7 octets cannot be"),
        (section() + struct.pack("<II", 6, 1 << 30), "damaged"),
        (section()[:-4] + bytes(4), "two different lengths"),
        (section()[:8] + bytes(20), "no byte order"),
        (section() + interface(283) + packet(b"\0\0\x08\0"), "TAP header is cut short"),
        (section() + interface(283) + packet(bytes.fromhex("00000c00 0a000100")), "TAP header is cut short"),
        (section() + interface(283) + packet(bytes.fromhex("00000c00 0a000500 ff000000")), "TLV is cut short"),
        (section() + interface(283) + packet(bytes.fromhex("00000c00 01000100 ff000000")), "shorter than its type"),
        (section() + interface(283) + packet(bytes.fromhex("00000c00 00000100 02000000")), "FCS type 2"),
    ],
)
def test_what_is_wrong_is_said_in_one_line(written: Callable[[bytes], Path], octets: bytes, reason: str) -> None:
    path = written(octets)
    with pytest.raises(CaptureError, match=reason) as caught:
        list(read_capture(path))
    assert str(caught.value).startswith(f"{path}: packet 1: ")
    assert "\n" not in str(caught.value)


def test_a_tap_header_of_others_is_understood(written: Callable[[bytes], Path]) -> None:
    tlvs = bytes.fromhex("0600080000000000010000000a0001007f000000030003000f00000099000200abcd0000")
    path = written(section() + interface(283) + packet(struct.pack("<HH", 0, 4 + len(tlvs)) + tlvs + ACK[:3]))
    assert list(read_capture(path)) == [CapturedFrame(1, 0.0, 283, ACK[:3], channel=15, lqi=127, fcs="absent")]


@needs_tshark
@NUMBERED
def test_tshark_reads_what_we_wrote(tmp_path: Path, link_type: int) -> None:
    write_pcapng(tmp_path / "air.pcapng", FRAMES[1:], link_type)
    fields = ("frame.time_epoch", "frame.comment", "wpan.fcs_ok", "wpan-tap.ch_num", "wpan-tap.lqi", "_ws.malformed")
    tap = link_type == 283
    assert [tuple(row.values()) for row in ask(tmp_path / "air.pcapng", *fields, configuration=tmp_path)] == [
        ("1281120790.000056000", "", "1", "26" * tap, "", ""),
        ("4102444800.250000000", "the year 2100", "1", "", "0" * tap, ""),
    ]


@needs_tshark
def test_tshark_reads_the_signal_strength(tmp_path: Path) -> None:
    write_pcapng(tmp_path / "air.pcapng", FRAMES[:1], 283)
    assert ask(tmp_path / "air.pcapng", "wpan-tap.rss", configuration=tmp_path) == [{"wpan-tap.rss": "-40.5"}]


@needs_tshark
def test_tshark_takes_the_frames_of_a_recording(tmp_path: Path) -> None:
    octets = recording("killerbee").octets
    write_pcapng(tmp_path / "air.pcapng", [CapturedFrame(0, float(number), 195, each) for number, each in enumerate(octets)])
    rows = ask(tmp_path / "air.pcapng", "wpan.fcs_ok", configuration=tmp_path)
    assert [row["wpan.fcs_ok"] for row in rows] == ["1"] * len(octets)
