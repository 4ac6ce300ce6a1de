"""The RCP radio over aiospinel against our own endpoint, whose framing and types are not aiospinel's; in real time, over TCP."""

from __future__ import annotations

import asyncio
import random
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from statistics import median

import aiospinel
import pytest
import serialx
from hypothesis import given
from hypothesis import strategies as st

from dissectors.frame import encode_mpdu
from dissectors.mac import FrameType, fcs
from harness.errors import BenchError, Unsupported
from harness.ports import RadioSettings, Received, Transmit, Transmitted
from harness.radio.rcp import Rcp
from harness.radio.rcp_session import LONGEST_QUEUE
from harness.radio.spinel import Command, Deframer, Property, SpinelFrame, Status, encode, pack
from harness.radio.spinel_endpoint import PROPERTIES, SpinelEndpoint
from harness.radio.spinel_port import SpinelPort
from harness.serving_air import ServedAir
from harness.stack.mac_frames import addressed
from harness.tests.radio_listener import RadioListener

WITHIN = 15.0  # seconds for each thing that is waited for, on a machine that is busy
PAN = 0x1234
DATA = encode_mpdu(addressed(FrameType.DATA, (PAN, 0), (PAN, 7), True), b"\x7e\x7d\x11\x13\xf8")
POLL = encode_mpdu(addressed(FrameType.COMMAND, (PAN, 0), (PAN, 7), True), b"\x04")
TO_ALL = encode_mpdu(addressed(FrameType.DATA, (PAN, 0xFFFF), (PAN, 7), False), b"all")
PARENT = RadioSettings(20, PAN, 0, 0xA1)
CHILD = RadioSettings(20, PAN, 7, 0xB2)


class Listener(RadioListener):
    """One co-processor, and what it told with when."""

    def __init__(self, address: str, **options: str) -> None:
        super().__init__(partial(Rcp, {"port": address, **options}), WITHIN)

    def set(self, settings: RadioSettings) -> None:
        self.radio.submit(settings, self.clock.now())

    def send(self, psdu: bytes, handle: int = 1) -> Transmitted:
        self.radio.submit(Transmit(psdu, handle), self.clock.now())
        self.until(lambda: any(isinstance(pdu, Transmitted) and pdu.handle == handle for _, pdu in self.heard))
        return next(pdu for _, pdu in self.heard if isinstance(pdu, Transmitted) and pdu.handle == handle)

    def frames(self) -> list[bytes]:
        return [pdu.psdu for _, pdu in self.heard if isinstance(pdu, Received)]


class Laboratory:
    """A served air in a thread, and listeners on it."""

    def __init__(self) -> None:
        self.air = ServedAir(random.Random(1))
        self.listeners: list[Listener] = []
        self._over = threading.Event()
        self._thread = threading.Thread(target=lambda: self.air.run(lambda: not self._over.is_set()))

    def start(self, ports: int) -> list[SpinelPort]:
        made = [self.air.port() for _ in range(ports)]
        self._thread.start()
        return made

    def listener(self, port: SpinelPort, **options: str) -> Listener:
        return self.listen(port.address, **options)

    def listen(self, address: str, **options: str) -> Listener:
        self.listeners.append(Listener(address, **options))
        return self.listeners[-1]

    def close_listeners(self) -> None:
        while self.listeners:
            self.listeners.pop().radio.close()

    def close(self) -> None:
        self.close_listeners()
        self._over.set()
        self.air.clock.interrupt()
        self._thread.join(WITHIN)
        self.air.close()
        assert not self._thread.is_alive()


@pytest.fixture
def laboratory() -> Iterator[Laboratory]:
    """An air that ends with the test."""
    made = Laboratory()
    try:
        yield made
    finally:
        made.close()


@pytest.fixture
def pair(laboratory: Laboratory) -> tuple[Listener, Listener]:
    """A parent and a child of one network."""
    parent, child = (laboratory.listener(port) for port in laboratory.start(2))
    parent.set(PARENT)
    child.set(CHILD)
    return parent, child


def test_what_came_while_time_stood_still_is_not_lost_and_came_when_it_stopped(
    pair: tuple[Listener, Listener], monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("harness.radio.telling.STANDSTILL", 0.0)  # so that a short one is one
    parent, child = pair
    child.send(DATA, 0)
    parent.until(lambda: parent.frames() == [DATA])
    stopped = parent.clock.now()
    with parent.clock.standing_still():
        for handle in (1, 2):
            child.send(DATA, handle)
    parent.until(lambda: parent.frames() == [DATA, DATA, DATA])
    assert [at >= stopped for at, pdu in parent.heard if isinstance(pdu, Received)] == [False, True, True]


def test_it_says_what_it_is_and_what_it_can(laboratory: Laboratory) -> None:
    (port,) = laboratory.start(1)
    radio = laboratory.listener(port, interface="0", patience="3").radio
    assert radio.offers >= {"raw", "promiscuous", "source-match", "timestamps", "lqi", "ack-pending", "energy-scan"}
    assert radio.about["firmware"] == "HANPROOF virtual radio"
    assert (radio.about["Spinel"], radio.about["API"], radio.about["exercised on hardware"]) == ("4.3", "11", "no")
    assert radio.perform("energy_scan", channels=(11, 15)) == {11: -100, 15: -100}
    assert radio.perform("noise") == -100
    with pytest.raises(Unsupported, match="has no antenna_diversity"):
        radio.perform("antenna_diversity")


def test_a_frame_goes_from_radio_to_radio_and_is_acknowledged(pair: tuple[Listener, Listener]) -> None:
    parent, child = pair
    assert child.send(DATA) == Transmitted(1, "ok")
    parent.until(lambda: bool(parent.frames()))
    assert parent.heard == [(parent.heard[0][0], Received(DATA, 20))]
    assert [len(each) for each in child.frames()] == [5], "the acknowledgement is what its radio heard"


def test_nobody_acknowledges_what_is_for_nobody(pair: tuple[Listener, Listener]) -> None:
    parent, child = pair
    parent.set(replace(PARENT, channel=21))
    assert parent.send(POLL, 1).status == "no_ack"
    assert child.send(DATA, 2).status == "no_ack"


def test_it_says_frame_pending_to_those_for_whom_a_frame_waits(pair: tuple[Listener, Listener]) -> None:
    parent, child = pair
    assert child.send(POLL, 1) == Transmitted(1, "ok")
    for number, waiting in enumerate((frozenset({7}), frozenset({0xB2}), frozenset({7, 9, 0xB2}), frozenset[int]()), start=2):
        parent.set(replace(PARENT, pending_for=waiting))
        parent.radio.perform("noise")  # by then everything before has been taken
        assert child.send(POLL, number) == Transmitted(number, "ok", frame_pending=7 in waiting)


def test_a_sniffer_hears_what_is_for_others_with_its_acknowledgement(laboratory: Laboratory) -> None:
    parent, child, sniffer = (laboratory.listener(port) for port in laboratory.start(3))
    parent.set(PARENT)
    child.set(CHILD)
    sniffer.set(RadioSettings(20, promiscuous=True))
    sniffer.radio.perform("noise")
    for handle in range(20):
        child.send(DATA, handle)
    sniffer.until(lambda: len(sniffer.frames()) == 40)
    assert [len(each) for each in sniffer.frames()] == [len(DATA), 5] * 20
    times = [at for at, _ in sniffer.heard]
    between = median(ack - frame for frame, ack in zip(times[::2], times[1::2], strict=True))
    assert between == pytest.approx(192e-6 + 11 * 32e-6, abs=5e-6), "by the radio's clock, whenever the line brought them"


def test_a_frame_goes_out_on_the_channel_it_was_given_for(laboratory: Laboratory) -> None:
    scanner, sniffer = (laboratory.listener(port) for port in laboratory.start(2))
    scanner.set(CHILD)
    sniffer.set(replace(PARENT, promiscuous=True))
    sniffer.until(lambda: sniffer.radio.perform("noise") is not None)  # it has taken its settings
    for handle in (1, 2):
        scanner.radio.submit(Transmit(TO_ALL, handle), 0.0)
    scanner.set(replace(CHILD, channel=21))
    scanner.until(lambda: len(scanner.heard) == 2)
    sniffer.until(lambda: sniffer.frames() == [TO_ALL] * 2)


def test_malformed_frames_go_out_as_they_are(pair: tuple[Listener, Listener]) -> None:
    parent, child = pair
    odd = [b"\xff" * 125, b"\x00", DATA[:7]]  # a reserved type, one octet, an address cut short
    parent.set(replace(PARENT, promiscuous=True))
    parent.radio.perform("noise")
    for number, each in enumerate(odd):
        child.send(each + fcs(each), number)
    parent.until(lambda: len(set(parent.frames())) >= len(odd))  # some are repeated, since nobody acknowledges them
    assert list(dict.fromkeys(parent.frames())) == [each + fcs(each) for each in odd]
    for bad in (DATA[:-1] + b"\0", b"", bytes(128)):
        with pytest.raises(Unsupported, match="co-processor"):
            child.radio.submit(Transmit(bad, 99), 0.0)


# -- aiospinel as a peer: nothing of it was built by us


@given(st.builds(SpinelFrame, st.sampled_from(Command), st.binary(max_size=60), st.integers(0, 15), st.integers(0, 3)))
def test_aiospinel_and_our_codec_frame_alike(frame: SpinelFrame) -> None:
    theirs = aiospinel.SpinelFrame(
        aiospinel.SpinelHeader(frame.transaction, frame.interface, 0b10), aiospinel.CommandID(frame.command), frame.payload,
    )
    line = aiospinel.HDLCLiteFrame(theirs.serialize()).serialize()
    assert line == encode(frame)
    assert Deframer().feed(line) == [frame]
    assert aiospinel.SpinelFrame.from_bytes(aiospinel.HDLCLiteFrame.from_bytes(encode(frame)).data) == theirs


def test_every_property_is_read_by_aiospinel_as_it_is(laboratory: Laboratory) -> None:
    (port,) = laboratory.start(1)

    async def read() -> dict[int, bytes]:
        loop = asyncio.get_running_loop()
        _, peer = await serialx.create_serial_connection(loop, aiospinel.SpinelProtocol, port.address, baudrate=115200)
        assert isinstance(peer, aiospinel.SpinelProtocol)
        await peer.reset(aiospinel.ResetReason.STACK)
        read: dict[int, bytes] = {}
        for name in PROPERTIES:
            answer = await peer.send_command(aiospinel.CommandID.PROP_VALUE_GET, aiospinel.PackedUInt21(name).serialize())
            number, read[name] = aiospinel.PackedUInt21.deserialize(answer.data)
            assert int(number) == name
        await peer.disconnect()
        return read

    assert asyncio.run(read()) == dict(PROPERTIES)


# -- what goes wrong


@contextmanager
def listening(answers: Callable[[bytes], bytes]) -> Iterator[str]:
    """A port whose every octet is answered as told."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        def serve() -> None:
            line, _ = server.accept()
            with line:
                while octets := line.recv(4096):
                    line.sendall(answers(octets))
        thread = threading.Thread(target=serve)
        thread.start()
        yield f"socket://127.0.0.1:{server.getsockname()[1]}"
        thread.join(WITHIN)
        assert not thread.is_alive()


def test_a_port_that_is_not_there_is_named() -> None:
    with pytest.raises(BenchError, match=r"radio at /dev/no-such-port: the port does not open: .*is it plugged in"):
        Rcp({"port": "/dev/no-such-port"}, lambda: None)
    with socket.create_server(("127.0.0.1", 0)) as server:
        gone = f"socket://127.0.0.1:{server.getsockname()[1]}"
    with pytest.raises(BenchError, match=f"radio at {gone}: the port does not open"):
        Rcp({"port": gone}, lambda: None)


@pytest.mark.parametrize(("option", "said"), [
    ({"baudrate": "fast"}, "baudrate is 'fast'"), ({"interface": "4"}, "from 0 to 3"), ({"colour": "red"}, "no option colour"),
    ({"flow_control": "some"}, "one of none, hardware, software"), ({"port": ""}, "port is missing"),
])
def test_an_option_that_is_wrong_is_named(option: dict[str, str], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        Rcp({"port": "/dev/null", **option}, lambda: None)


def test_what_is_no_co_processor_is_told_apart() -> None:
    deframer = Deframer()

    def ncp(octets: bytes) -> bytes:
        return b"".join(
            encode(SpinelFrame(Command.IS, pack("iD", frame.payload[0], answers.get(frame.payload[0], b"\0")), frame.transaction))
            for frame in deframer.feed(octets)
        )

    answers = {Property.LAST_STATUS: b"\x72", Property.NCP_VERSION: b"ZIGBEE NCP\0", 2: b"ZIGBEE NCP\0", Property.PROTOCOL_VERSION: b"\4\3"}
    with listening(ncp) as port, pytest.raises(BenchError, match="'ZIGBEE NCP' is no radio co-processor; right would be OpenThread RCP"):
        Rcp({"port": port}, lambda: None)


def test_a_radio_that_says_nothing_is_not_waited_for_for_ever() -> None:
    with listening(lambda octets: b"") as port, pytest.raises(BenchError, match=f"radio at {port}: does not answer"):
        Rcp({"port": port, "patience": "1"}, lambda: None)


def test_a_stick_that_its_reset_unplugs_is_waited_for() -> None:
    endpoint, lines = SpinelEndpoint(), 0
    with socket.create_server(("127.0.0.1", 0)) as server:
        def serve() -> None:
            nonlocal lines
            for lines in (1, 2):
                line, _ = server.accept()
                with line:
                    while octets := line.recv(4096):
                        if lines == 1:
                            break
                        endpoint.host_says(octets)
                        line.sendall(endpoint.for_host())
        thread = threading.Thread(target=serve)
        thread.start()
        radio = Rcp({"port": f"socket://127.0.0.1:{server.getsockname()[1]}"}, lambda: None)
        radio.close()
        thread.join(WITHIN)
    assert (lines, radio.about["firmware"]) == (2, "HANPROOF virtual radio")
    radio.close()


def broken(listener: Listener) -> str:
    """What the radio says of itself when it is asked until it breaks."""
    said = listener.end()
    with pytest.raises(BenchError):  # and it stays so
        listener.radio.submit(CHILD, 0.0)
    return said


def test_garbage_on_the_line_is_counted_and_what_follows_is_heard(laboratory: Laboratory) -> None:
    ports = laboratory.start(2)
    parent, child = (laboratory.listener(port) for port in ports)
    parent.set(PARENT)
    child.set(CHILD)
    ports[1].say(b"\x7e\0\0\x7e")  # a frame without content: its check sequence is right
    ports[1].say(b"\x7ehello\x7e" + bytes(range(256)) * 20 + b"\x7e")
    assert child.send(DATA).status == "ok"
    assert child.radio.garbage >= 3


@pytest.mark.parametrize(("octets", "cause"), [
    (encode(SpinelFrame(Command.IS, pack("ii", Property.LAST_STATUS, Status.RESET_WATCHDOG))), "has reset, unasked (RESET_WATCHDOG)"),
    (encode(SpinelFrame(Command.IS, pack("ii", Property.LAST_STATUS, 116))), "has reset, unasked (status 116)"),
])
def test_a_radio_that_resets_unasked_is_an_error(laboratory: Laboratory, octets: bytes, cause: str) -> None:
    (port,) = laboratory.start(1)
    listener = laboratory.listener(port)
    port.say(octets)
    assert f"radio at {port.address}: the radio {cause}" in broken(listener)


def test_a_fault_of_what_speaks_to_a_radio_is_an_error_and_no_silence(
    pair: tuple[Listener, Listener], monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("harness.radio.rcp_session.outcome", {}.__getitem__)
    with pytest.raises(BenchError, match=f"radio at {pair[0].radio.port}: what speaks to it failed: KeyError"):
        pair[0].send(DATA)


def test_a_port_that_is_closed_is_an_error(laboratory: Laboratory) -> None:
    (port,) = laboratory.start(1)
    listener = laboratory.listener(port)
    port.drop()
    assert broken(listener).startswith(f"radio at {port.address}: the port was closed (")


def flood(listener: Listener) -> None:
    """Give the radio more than it takes, and see what it says."""
    for handle in range(2 * LONGEST_QUEUE):
        listener.radio.submit(Transmit(DATA, handle), 0.0)
    listener.until(lambda: False)


def test_a_full_buffer_is_an_error(laboratory: Laboratory) -> None:
    (port,) = laboratory.start(1)
    listener = laboratory.listener(port)
    listener.set(CHILD)
    with pytest.raises(BenchError, match=f"radio at {port.address}: its transmit buffer is full: 64 frames wait"):
        flood(listener)
