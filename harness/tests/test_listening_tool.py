"""Any other tool as the sniffer of a bench: a pipe, a command, ZEP; what it may do wrong; and verdicts on what it alone heard."""

from __future__ import annotations

import os
import socket
import struct
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import replace
from functools import partial
from math import nan
from pathlib import Path
from typing import Any

import pytest

from cases.table import clauses
from dissectors.capture import CapturedFrame
from dissectors.encapsulation import ETHERNET, IEEE802_15_4, IEEE802_15_4_NO_FCS, IEEE802_15_4_TAP
from dissectors.frame import encode_mpdu
from dissectors.mac import FrameType, fcs
from harness.airs import open_radio
from harness.bench import Bench
from harness.declarations import BenchFile, read_bench
from harness.errors import BenchError, Unsupported
from harness.judge import judge
from harness.ports import RadioSettings, Received, Transmit
from harness.radio import tool_input
from harness.radio.filtering import answer_to
from harness.radio.listening_tool import NONE_RIGHT, ListeningTool
from harness.radio.real import RealAir
from harness.radio.virtual import airtime
from harness.radio_declaration import Plugged
from harness.stack.mac_frames import addressed
from harness.tests.field_captures import STEPS, pcap, zep
from harness.tests.packet_world import packet_world
from harness.tests.parity import VIRTUAL, bench_of, differences, play, virtual
from harness.tests.radio_listener import RadioListener
from harness.tests.served import serving
from harness.tests.test_zigpy_esi import PCT, bench_file, in_service
from harness.usecase import Actor, Point
from harness.verdict import Verdict

TOOL = "harness.radio.listening_tool:ListeningTool"
DEVICE = VIRTUAL.device("load_control")
TRIES = 3  # as in test_real_air
WITHIN = 10.0  # seconds for each thing that is waited for
CHANNEL = "15"
EPOCH = 1_700_000_000.0
HEADER = len(pcap(0, ()))
DATA = encode_mpdu(addressed(FrameType.DATA, (0x1234, 0), (0x1234, 7), False), b"data")
WRONG = DATA[:-1] + bytes([DATA[-1] ^ 1])
TAP = bytes.fromhex("0000 1c00 0000 0100 01000000 0100 0400 000048c2 0300 0300 0f000000")  # FCS of 16 bits, -50 dBm, channel 15
RSSI = struct.pack("<f", -50.0)


class Ear(RadioListener):
    """A tool that is listened to."""

    def __init__(self, **options: str) -> None:
        super().__init__(partial(ListeningTool, {"channel": CHANNEL, **options}), WITHIN)

    def frames(self, number: int) -> list[Received]:
        self.until(lambda: len(self.heard) >= number)
        return [pdu for _, pdu in self.heard]

    def let_pass(self, seconds: float) -> None:
        end = self.clock.now() + seconds
        while self.clock.now() < end:
            self.clock.wait_until(end)


@contextmanager
def listening(**options: str) -> Iterator[Ear]:
    ear = Ear(**options)
    try:
        yield ear
    finally:
        ear.radio.close()
        assert not ear.radio._thread.is_alive()


def udp() -> socket.socket:
    return socket.socket(socket.AF_INET, socket.SOCK_DGRAM)


def address_of(about: Mapping[str, Any]) -> tuple[str, int]:
    """Where a tool listens."""
    host, _, port = about["tool"].rpartition(":")
    return host, int(port)


@pytest.fixture
def pipe(tmp_path: Path) -> Iterator[tuple[str, int]]:
    """A FIFO, and a tool's end of it."""
    path = str(tmp_path / "fifo")
    os.mkfifo(path)
    keeper = os.open(path, os.O_RDWR)
    yield path, keeper
    os.close(keeper)


def record(octets: bytes, at: float = 0.0) -> bytes:
    return pcap(0, [(EPOCH + at, octets)])[HEADER:]


@pytest.mark.parametrize(("link_type", "packet", "wanted"), [
    (IEEE802_15_4_NO_FCS, DATA[:-2], Received(DATA, 15)), (IEEE802_15_4, DATA, Received(DATA, 15)),
    (IEEE802_15_4_TAP, TAP + DATA, Received(DATA, 15, rssi=-50)),
    (IEEE802_15_4_TAP, TAP.replace(RSSI, struct.pack("<f", nan)) + DATA, Received(DATA, 15)),
])
def test_a_pipe_is_heard_with_a_right_fcs_at_the_tool_s_own_pace(
    pipe: tuple[str, int], link_type: int, packet: bytes, wanted: Received,
) -> None:
    path, writer = pipe
    os.write(writer, pcap(link_type, ()))
    with listening(pipe=path) as ear:
        assert ear.radio.speaks
        os.write(writer, record(packet))
        ear.frames(1)
        ear.let_pass(0.1)
        os.write(writer, record(packet, 0.05) + record(packet, 0.055))
        assert ear.frames(3) == [wanted] * 3
        begun, first, second = (at for at, _ in ear.heard)
        assert (first - begun, second - begun) == pytest.approx((0.05, 0.055), abs=1e-4), "but for some drift"
        assert ear.radio.offers >= {"promiscuous", "timestamps"}
        assert ("rssi" in ear.radio.offers) is (wanted.rssi == -50)


def test_an_acknowledgement_follows_its_frame_at_once_whatever_the_tool_s_clock_says(pipe: tuple[str, int]) -> None:
    path, writer = pipe
    asking = encode_mpdu(addressed(FrameType.DATA, (0x1234, 0), (0x1234, 7), True), b"data")
    ack = answer_to(asking, False)
    another = ack[:2] + b"\x77" + fcs(ack[:2] + b"\x77")
    os.write(writer, pcap(IEEE802_15_4, ()))
    with listening(pipe=path) as ear:
        os.write(writer, record(DATA))
        ear.frames(1)
        ear.let_pass(0.1)
        os.write(writer, record(asking, 0.02) + record(ack, 0.05) + record(another, 0.06))
        ear.frames(4)
        _, sent, answered, foreign = (at for at, _ in ear.heard)
        assert answered - sent == pytest.approx(192e-6 + airtime(ack), abs=1e-6)
        assert foreign - sent == pytest.approx(0.04, abs=1e-4)


def test_what_has_a_wrong_fcs_is_dropped_and_a_packet_without_a_frame_is_counted_as_lost(pipe: tuple[str, int]) -> None:
    path, writer = pipe
    os.write(writer, pcap(IEEE802_15_4, [(EPOCH, WRONG), (EPOCH, DATA), (EPOCH, b"\x01"), (EPOCH, bytes(128)), (EPOCH, DATA)]))
    with listening(pipe=path) as ear:
        assert ear.frames(2) == [Received(DATA, 15)] * 2
        assert ear.radio.garbage == 2
        assert ear.radio.about["frames with a wrong FCS"] == "1"
        assert ear.radio.about["packets that cannot be read"] == "2"


@pytest.mark.parametrize(("given", "frames", "says"), [
    (pcap(IEEE802_15_4, [(EPOCH, DATA)]), 1, "its capture has ended"),
    (pcap(IEEE802_15_4, [(EPOCH, DATA), (EPOCH, DATA)])[:-3], 1, "its capture: packet 2: "),
    (pcap(IEEE802_15_4, [(EPOCH, DATA)]) + b"\xff" * 16, 1, "its capture: packet 2: "),
    (pcap(IEEE802_15_4, [(EPOCH, WRONG)] * NONE_RIGHT), 0, f"of {NONE_RIGHT} frames none has a right FCS"),
    (pcap(ETHERNET + 1, [(EPOCH, DATA)]), 0, "its first packet shows no frame: link type 2 "),
    (pcap(IEEE802_15_4_TAP, [(EPOCH, TAP.replace(b"\x0f", b"\x14") + DATA)]), 0, "it hears channel 20; right would be the tool"),
])
def test_what_ends_a_capture_is_told_by_name_after_what_came_before(tmp_path: Path, given: bytes, frames: int, says: str) -> None:
    path = tmp_path / "given"
    path.write_bytes(given)
    with listening(command=f"cat {path}") as ear:
        told = ear.end()
    assert told.startswith("listening tool at `cat`: ")
    assert says in told
    assert told.endswith("(exit code 0)") is says.startswith("its capture")
    assert [pdu for _, pdu in ear.heard] == [Received(DATA, 15)] * frames


@pytest.mark.parametrize(("options", "says"), [
    ({"command": "/no/such/tool"}, "its command cannot be run: .*No such file"),
    ({"command": "'"}, "its command cannot be run: No closing"),
    ({"command": "echo no capture at all"}, r"`echo`: its capture: .* \(exit code 0\)"),
    ({"command": "false"}, "exit code 1"), ({"command": "sleep 60", "patience": "1"}, "does not begin within 1 s"),
    ({"pipe": "/no/such/fifo"}, "right would be a FIFO"),
])
def test_a_tool_that_cannot_be_had_is_an_error_by_name(options: dict[str, str], says: str) -> None:
    with pytest.raises(BenchError, match=says):
        Ear(**options)


def test_a_pipe_to_which_nobody_writes_is_not_waited_for_without_end(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "fifo")
    with pytest.raises(BenchError, match=r"fifo: its capture does not begin within 1 s"):
        Ear(pipe=str(tmp_path / "fifo"), patience="1")


@pytest.mark.parametrize("stubborn", ["", "trap '' TERM; "])
def test_a_command_is_ended_with_all_that_it_started(tmp_path: Path, stubborn: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tool_input, "ENDING", 0.2 if stubborn else tool_input.ENDING)
    header, told = tmp_path / "header", tmp_path / "told"
    header.write_bytes(pcap(IEEE802_15_4, ()))
    with listening(command=f"sh -c \"{stubborn}cat {header}; sleep 60 & echo $$ $! >{told}; wait; wait; sleep 60\"") as ear:
        ear.clock.wait_until(ear.clock.now() + 0.1)
        assert ear.radio.speaks
    ids = [int(each) for each in told.read_text().split()]
    assert len(ids) == 2
    assert not [each for each in ids if Path(f"/proc/{each}/status").exists() and "zombie" not in Path(f"/proc/{each}/status").read_text()]


def test_what_fails_in_a_way_that_nobody_thought_of_is_no_silence(pipe: tuple[str, int], monkeypatch: pytest.MonkeyPatch) -> None:
    path, writer = pipe
    os.write(writer, pcap(IEEE802_15_4, [(EPOCH, DATA)]))

    def fail(*given: Any) -> None:
        raise LookupError("of our own")

    monkeypatch.setattr(ListeningTool, "_tell", fail)
    with listening(pipe=path) as ear:
        assert ear.end() == f"listening tool at {path}: what reads it failed: LookupError: of our own"


def test_zep_is_there_once_it_has_spoken_and_counts_what_is_missing() -> None:
    frames = [CapturedFrame(number, 0.0, IEEE802_15_4, DATA, channel=15) for number in range(8)]
    with listening(listen="127.0.0.1:0") as ear, udp() as sender:
        sender.connect(address_of(ear.radio.about))

        def send(*datagrams: bytes) -> None:
            for each in datagrams:
                sender.send(each)

        send(b"not ZEP")
        air = RealAir({}, {"sniffer": ear.radio}, channel=15)
        air.wake(1.0)
        assert [(each.start, each.end) for each in air.listening.attested(1.0)] == [(0.0, 0.0)], "nobody may be there"
        send(*map(zep, frames[:2]))
        assert ear.frames(2) == [Received(DATA, 15, lqi=200)] * 2
        air.wake(3.0)
        assert [(each.start, each.end) for each in air.listening.attested(3.0)] == [(0.0, 3.0)]
        send(zep(frames[5]))
        ear.frames(3)
        assert ear.radio.garbage == 1
        air.wake(4.0)
        air.wake(5.0)
        assert [(each.start, each.end) for each in air.listening.attested(5.0)] == [(0.0, 3.0), (4.0, 5.0)]
        assert "timestamps" not in ear.radio.offers


def test_it_sends_nothing_and_nobody_tunes_it() -> None:
    with listening(listen="127.0.0.1:0") as ear:
        ear.radio.submit(RadioSettings(15, promiscuous=True), 0.0)
        with pytest.raises(Unsupported, match="stays on channel 15; no bench tunes it to 20"):
            ear.radio.submit(RadioSettings(20, promiscuous=True), 0.0)
        for pdu in (Transmit(DATA, 1), RadioSettings(15)):
            with pytest.raises(Unsupported, match="it only listens"):
                ear.radio.submit(pdu, 0.0)
        with pytest.raises(Unsupported, match="it has no energy_scan"):
            ear.radio.perform("energy_scan")


@pytest.mark.parametrize(("options", "says"), [
    ({"listen": "127.0.0.1:0"}, "channel is missing"), ({"channel": "15"}, "it has no input; right would be one of pipe"),
    ({"channel": "15", "pipe": "a", "listen": "b"}, "it has pipe, listen"),
    ({"channel": "15", "listen": ":17754"}, "right would be HOST:17754"),
    ({"channel": "15", "listen": "127.0.0.1:http"}, "Port could not be cast"),
    ({"channel": "15", "pipe": "a", "patience": "0"}, "patience is '0'"),
])
def test_a_wrong_option_is_said_with_its_place(options: dict[str, str], says: str) -> None:
    with pytest.raises(BenchError, match=f"bench.yaml:7: radio {TOOL}: .*{says}"):
        open_radio(Plugged(TOOL, options, "bench.yaml:7: "), lambda: None)


# -- beside a bench


def on_paper(sniffer: str, path: Path) -> BenchFile:
    """The virtual bench with a sniffer, in a file."""
    virtual = VIRTUAL.path.read_text(encoding="utf-8").replace("../devices", str(VIRTUAL.path.parent.parent / "devices"))
    path.write_text(f"{virtual}radios: {{sniffer: {sniffer}}}\n", encoding="utf-8")
    return read_bench(path)


def test_a_command_beside_a_device_beyond_a_radio_decides_the_clauses_of_the_air_as_a_co_processor_does(tmp_path: Path) -> None:
    expected = virtual(Actor.HAN_DEVICE, DEVICE)
    for _ in range(TRIES):
        with serving("air", "--radios", "2", "--han-device", DEVICE.name, "--control") as there:
            tool = f"{sys.executable} -m harness.tests.peers.tool_on_air {there.where['radio 2']} {CHANNEL}"
            written = on_paper(f"{{adapter: '{TOOL}', channel: {CHANNEL}, command: '{tool}'}}", tmp_path / "bench.yaml")
            file = bench_of(there, Actor.HAN_DEVICE)
            played = play(replace(file, radios={**file.radios, **written.radios}), DEVICE)
        assert not {Verdict.FAIL, Verdict.ERROR} & set(played.verdicts().values())
        if not (found := list(differences(expected, played))):
            break
    assert found == []
    said = played.trace.header.about["radios"]["sniffer"]
    assert said["exercised on hardware"] == "no"
    assert abs(said["clock"]["median skew in us"]) < 50_000, "though the tool's clock is years away"
    assert {each.medium for each in played.trace.attestations if each.point is Point.MAC and (each.end or 0.0) > 1.0} == {"air:15"}


class OverZep:
    """A radio on an air of a test, whose tool sends what it hears as ZEP."""

    def __init__(self, line: socket.socket) -> None:
        self._line = line
        self._settings = [RadioSettings(int(CHANNEL), promiscuous=True)]
        self._count = 0

    def receive(self, pdu: Any, now: float) -> None:
        if isinstance(pdu, Received):
            self._count += 1
            with suppress(ConnectionRefusedError):  # nobody listens any more
                self._line.send(zep(CapturedFrame(self._count, now, 0, pdu.psdu, channel=pdu.channel)))

    def transmit(self, now: float) -> list[Any]:
        settings, self._settings = self._settings, []
        return settings

    def deadline(self) -> None:
        return None

    def events(self) -> list[Any]:
        return []


def test_zep_beside_a_network_co_processor_gives_its_frames_back() -> None:
    device = replace(PCT, pics={**PCT.pics, "sleepy": False})  # as the one of that world is
    with udp() as line, packet_world(link_key=PCT.link_key, device=PCT.eui64, beside=OverZep(line)) as world:
        sniffer = Plugged(TOOL, {"channel": CHANNEL, "listen": "127.0.0.1:0"})
        bench = Bench(replace(bench_file(world.place), radios={"sniffer": sniffer}), device)
        try:
            assert isinstance(bench.air, RealAir)
            bench.air.listening.attested(0.0)
            line.connect(address_of(bench.air.listening.about["sniffer"]))
            bench.open()
            bench.switch_on()
            assert bench.wait_until(in_service(bench, world), 60.0), bench.happenings
        finally:
            bench.close()
        judged = judge(bench.trace, [clause for clause in clauses().values() if clause.step in STEPS])
    judged = [each for each in judged if each.actor is Actor.HAN_DEVICE]
    assert not [each for each in judged if each.verdict >= Verdict.FAIL or "MAC" in (each.not_applicable or "")]
    assert {each.clause for each in judged if each.verdict is Verdict.PASS} >= {
        "UC2.7-05-ASSOCIATES", "UC2.7-08-MAC-U", "UC2.7-09-EVENTS", "UC2.7-09-LINK-KEY-REQUIRED",
    }
    (heard,) = (each for each in bench.trace.attestations if each.point is Point.MAC)
    assert (heard.medium, heard.start) == ("air:15", 0.0)
    assert list(bench.trace.at(Point.APS)), "which the stick told, as ever"
