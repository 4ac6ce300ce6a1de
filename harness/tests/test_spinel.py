"""Spinel: framing and types against known octets, and an endpoint that answers as a radio co-processor does."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dissectors.frame import encode_mpdu
from dissectors.mac import FrameType
from harness.ports import RadioSettings, Received, Transmit, Transmitted
from harness.radio.filtering import acknowledgement, glance, says_pending
from harness.radio.spinel import Command, Deframer, Property, SpinelError, SpinelFrame, Status, encode, hdlc_fcs, pack, unpack
from harness.radio.spinel_endpoint import LONGEST_QUEUE, PROPERTIES, SpinelEndpoint
from harness.radio.stream_raw import reception
from harness.stack.mac_frames import addressed

RESET_DONE = bytes.fromhex("7e80060070ee747e")  # what every OpenThread co-processor says first
PSDU = encode_mpdu(addressed(FrameType.DATA, (0x1234, 2), (0x1234, 0), True), b"\x7e\x7d\x11\x13\xf8")
POLL = encode_mpdu(addressed(FrameType.COMMAND, (0x1234, 0), (0x1234, 7), True), b"\x04")


# -- the line


def test_the_check_sequence_is_that_of_rfc_1662() -> None:
    assert hdlc_fcs(b"123456789") == (0x906E).to_bytes(2, "little")


def test_a_frame_is_what_a_co_processor_sends() -> None:
    frame = SpinelFrame(Command.IS, pack("ii", Property.LAST_STATUS, Status.RESET_POWER_ON))
    assert encode(frame) == RESET_DONE
    assert Deframer().feed(RESET_DONE) == [frame]


@pytest.mark.parametrize(("value", "octets"), [(0, "00"), (127, "7f"), (128, "8001"), (1337, "b90a"), (2_097_151, "ffff7f")])
def test_packed_integers(value: int, octets: str) -> None:
    assert pack("i", value).hex() == octets
    assert unpack("i", bytes.fromhex(octets)) == (value,)


def test_types() -> None:
    values = (True, 0xA5, -40, 0x1234, 0x0022080000000001, "radio", b"\x01\x02", (15, 200, 1 << 40), b"\xff")
    octets = pack("bCcSEUdt(CCX)D", *values)
    assert octets.hex() == "01a5d834120022080000000001726164696f00020001020a000fc80000000000010000ff"
    assert unpack("bCcSEUdt(CCX)D", octets) == values
    assert unpack("bCcS", octets[:3]) == values[:3]
    with pytest.raises(SpinelError):
        unpack("bCcS", octets[:4])


@given(frames=st.lists(st.binary(max_size=40), max_size=4), cuts=st.lists(st.integers(1, 9), max_size=40))
def test_frames_come_whole_out_of_any_stream(frames: list[bytes], cuts: list[int]) -> None:
    sent = [SpinelFrame(Command.SET, payload, transaction=number + 1) for number, payload in enumerate(frames)]
    line = b"".join(map(encode, sent))
    deframer, heard = Deframer(), []
    for cut in cuts:
        heard += deframer.feed(line[:cut])
        line = line[cut:]
    assert heard + deframer.feed(line) == sent
    assert deframer.dropped == 0


@given(octets=st.binary(max_size=200))
def test_noise_is_dropped_and_what_follows_is_heard(octets: bytes) -> None:
    deframer = Deframer()
    before = deframer.feed(octets)
    assert deframer.feed(b"\x7e" + RESET_DONE)[-1:] == Deframer().feed(RESET_DONE)
    assert before == []


# -- the endpoint


class Host:
    """Speaks to an endpoint, and keeps what its radio was told."""

    def __init__(self) -> None:
        self.endpoint = SpinelEndpoint()
        self.radio: list[RadioSettings | Transmit] = []
        self._transactions = 0
        self._deframer = Deframer()

    def say(self, command: Command, payload: bytes) -> list[SpinelFrame]:
        self._transactions = self._transactions % 15 + 1
        self.endpoint.host_says(encode(SpinelFrame(command, payload, self._transactions)))
        return self.told()

    def told(self) -> list[SpinelFrame]:
        self.radio += self.endpoint.for_radio()
        return self._deframer.feed(self.endpoint.for_host())

    def put(self, name: Property, shape: str, *values: object, command: Command = Command.SET) -> tuple[int, int, bytes]:
        """Set a property; the answer's command, property and value."""
        (answer,) = self.say(command, pack("i", name) + pack(shape, *values))
        assert answer.transaction == self._transactions
        number, value = unpack("iD", answer.payload)
        return answer.command, number, value

    def start(self) -> None:
        for name, shape, value in (
            (Property.PHY_ENABLED, "b", True), (Property.PHY_CHAN, "C", 20), (Property.MAC_15_4_PANID, "S", 0x1234),
            (Property.MAC_15_4_SADDR, "S", 0), (Property.MAC_15_4_LADDR, "E", 0xA1),
            (Property.MAC_RAW_STREAM_ENABLED, "b", True),
        ):
            assert self.put(name, shape, value) == (Command.IS, name, pack(shape, value))

    def status(self, answer: tuple[int, int, bytes]) -> Status:
        command, name, value = answer
        assert (command, name) == (Command.IS, Property.LAST_STATUS)
        return Status(unpack("i", value)[0])


@pytest.fixture
def host() -> Host:
    """A host whose radio is on, on channel 20."""
    host = Host()
    host.start()
    return host


@pytest.mark.parametrize("name", PROPERTIES, ids=lambda name: name.name)
def test_every_property_can_be_read(name: Property) -> None:
    (answer,) = Host().say(Command.GET, pack("i", name))
    assert (answer.command, answer.payload) == (Command.IS, pack("iD", name, PROPERTIES[name]))


def test_the_properties_make_the_radio(host: Host) -> None:
    assert host.radio[-1] == RadioSettings(
        channel=20, pan_id=0x1234, short_address=0, extended_address=0xA1, receiver_on=True, always_pending=True,
    )
    assert not any(settings.receiver_on for settings in host.radio[:-1] if isinstance(settings, RadioSettings))


def test_after_a_reset_everything_is_as_it_was_before(host: Host) -> None:
    (answer,) = host.say(Command.RESET, b"\x02")
    assert encode(answer) == RESET_DONE
    assert host.radio[-1] == SpinelEndpoint().settings
    assert not host.endpoint.settings.receiver_on


@pytest.mark.parametrize(("sent", "status"), [
    ("ok", Status.OK), ("no_ack", Status.NO_ACK), ("channel_busy", Status.CCA_FAILURE),
])
def test_a_transmission_gets_its_check_sequence_and_its_outcome(host: Host, sent: str, status: Status) -> None:
    assert host.say(Command.SET, pack("idCCCb", Property.STREAM_RAW, PSDU[:-2] + b"\0\0", 20, 4, 2, True)) == []
    assert host.radio[-1] == Transmit(PSDU, 1, csma=True, retries=2)
    host.endpoint.radio_says(Transmitted(1, sent, frame_pending=sent == "ok"), 1.5)
    (answer,) = host.told()
    assert unpack("iib", answer.payload) == (Property.LAST_STATUS, status, sent == "ok")
    assert answer.transaction == 7


def test_what_the_radio_hears_goes_to_the_host_unasked(host: Host) -> None:
    host.endpoint.radio_says(Received(PSDU, 20, lqi=190, rssi=-61), 2.25)
    (heard,) = host.told()
    assert (heard.command, heard.transaction) == (Command.IS, 0)
    name, value = unpack("iD", heard.payload)
    told = reception(value)
    assert (name, told.frame, told.fcs_right) == (Property.STREAM_RAW, Received(PSDU, 20, lqi=190, rssi=-61), True)
    assert told.at == pytest.approx(2.25, abs=1e-6)


def test_source_matching_decides_who_hears_of_pending_frames(host: Host) -> None:
    poll = glance(POLL)
    assert poll is not None

    def pending() -> bool:
        return says_pending(acknowledgement(host.endpoint.settings, poll))

    assert pending()
    host.put(Property.MAC_SRC_MATCH_ENABLED, "b", True)
    assert not pending()
    short, extended = Property.MAC_SRC_MATCH_SHORT_ADDRESSES, Property.MAC_SRC_MATCH_EXTENDED_ADDRESSES
    assert host.put(short, "S", 7, command=Command.INSERT) == (Command.INSERTED, short, pack("S", 7))
    assert host.put(extended, "E", 0xB2, command=Command.INSERT)[0] == Command.INSERTED
    assert pending()
    assert host.endpoint.settings.pending_for == {7, 0xB2}
    assert host.put(short, "S", 7, command=Command.REMOVE)[0] == Command.REMOVED
    assert not pending()
    host.put(extended, "EE", 1, 2)
    assert host.endpoint.settings.pending_for == {1, 2}


def test_what_cannot_be_done_is_refused_by_name(host: Host) -> None:
    assert host.status(host.put(Property.RCP_API_VERSION, "i", 9)) is Status.INVALID_COMMAND_FOR_PROP
    assert host.status(host.put(Property.PHY_CHAN, "C", 11, command=Command.INSERT)) is Status.INVALID_COMMAND_FOR_PROP
    assert host.status(host.put(Property.PHY_CHAN, "")) is Status.PARSE_ERROR
    assert host.status(host.put(Property.STREAM_RAW, "dC", PSDU, 11)) is Status.INVALID_ARGUMENT
    assert host.status(host.put(Property.STREAM_RAW, "dC", bytes(128), 20)) is Status.INVALID_ARGUMENT
    (unknown,) = host.say(Command.GET, pack("i", 8000))
    assert unpack("ii", unknown.payload) == (Property.LAST_STATUS, Status.PROP_NOT_FOUND)
    (odd,) = host.say(Command.INSERTED, pack("i", Property.PHY_CHAN))
    assert unpack("ii", odd.payload) == (Property.LAST_STATUS, Status.INVALID_COMMAND)
    for _ in range(LONGEST_QUEUE):
        assert host.say(Command.SET, pack("idC", Property.STREAM_RAW, PSDU, 20)) == []
    assert host.status(host.put(Property.STREAM_RAW, "dC", PSDU, 20)) is Status.NOMEM
    host.put(Property.PHY_ENABLED, "b", False)
    assert host.status(host.put(Property.STREAM_RAW, "dC", PSDU, 20)) is Status.INVALID_STATE
