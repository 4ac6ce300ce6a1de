"""A radio as its host sees it through Spinel: the answers of an OpenThread radio co-processor. Knows no ZigBee and no socket.

Sans-I/O, between two sides: `host_says` takes octets from the line, `radio_says` what the radio tells; what that gives waits
in `for_host` and `for_radio` until it is taken. Put before a radio of the virtual air, somebody else's stack becomes a node on
it; it is also what an adapter for a real co-processor can be tried against. draft-rquattle-spinel-unified-00, 4 and 5.
"""

from __future__ import annotations

from itertools import count
from typing import Any

from dissectors.mac import BROADCAST, MAX_PSDU, fcs
from dissectors.smart_energy import ALL_CHANNELS
from harness.ports import RadioSettings, Received, Transmit, Transmitted
from harness.radio.filtering import FCS_LENGTH, answer_to
from harness.radio.spinel import Command, Deframer, Property, SpinelError, SpinelFrame, Status, encode, pack, unpack
from harness.radio.stream_raw import (
    CONFIG_RADIO,
    ENERGY_SCAN,
    HOST_API,
    INTERFACE_THREAD,
    MAC_RAW,
    OUTCOME,
    OUTCOMES,
    RCP_API,
    RCP_MIN_HOST_API,
    TRANSMISSION,
    heard,
)

RETRIES = 3  # where the host does not say
SILENCE = -100  # dBm, and no frame is weaker than that
LONGEST_QUEUE = 8  # frames that wait to be sent; a further one finds the buffer full

PROPERTIES: dict[Property, bytes] = {  # the value of each after a reset
    Property.LAST_STATUS: pack("i", Status.RESET_POWER_ON),
    Property.PROTOCOL_VERSION: pack("ii", 4, 3),
    Property.NCP_VERSION: pack("U", "HANPROOF virtual radio"),
    Property.INTERFACE_TYPE: pack("i", INTERFACE_THREAD),
    Property.CAPS: b"".join(pack("i", each) for each in (CONFIG_RADIO, RCP_API, RCP_MIN_HOST_API, MAC_RAW)),
    Property.HWADDR: pack("E", 0),
    Property.RCP_API_VERSION: pack("i", HOST_API),
    Property.RCP_MIN_HOST_API_VERSION: pack("i", 4),
    Property.PHY_ENABLED: pack("b", False),
    Property.PHY_CHAN: pack("C", RadioSettings.channel),
    Property.PHY_CHAN_SUPPORTED: bytes(ALL_CHANNELS),
    Property.PHY_CCA_THRESHOLD: pack("c", -75),
    Property.PHY_TX_POWER: pack("c", 0),
    Property.PHY_RSSI: pack("c", SILENCE),
    Property.PHY_RX_SENSITIVITY: pack("c", SILENCE),
    Property.MAC_SCAN_STATE: pack("C", 0),
    Property.MAC_SCAN_MASK: bytes(ALL_CHANNELS),
    Property.MAC_SCAN_PERIOD: pack("S", 200),
    Property.MAC_15_4_LADDR: pack("E", 0),
    Property.MAC_15_4_SADDR: pack("S", BROADCAST),
    Property.MAC_15_4_PANID: pack("S", BROADCAST),
    Property.MAC_RAW_STREAM_ENABLED: pack("b", False),
    Property.MAC_PROMISCUOUS_MODE: pack("C", 0),
    Property.MAC_RX_ON_WHEN_IDLE_MODE: pack("b", True),
    Property.MAC_SRC_MATCH_ENABLED: pack("b", False),
    Property.MAC_SRC_MATCH_SHORT_ADDRESSES: b"",
    Property.MAC_SRC_MATCH_EXTENDED_ADDRESSES: b"",
}
SHAPES = {  # of what a host may set
    Property.PHY_ENABLED: "b", Property.PHY_CHAN: "C", Property.PHY_CCA_THRESHOLD: "c", Property.PHY_TX_POWER: "c",
    Property.MAC_SCAN_STATE: "C", Property.MAC_SCAN_MASK: "D", Property.MAC_SCAN_PERIOD: "S",
    Property.MAC_15_4_LADDR: "E", Property.MAC_15_4_SADDR: "S", Property.MAC_15_4_PANID: "S",
    Property.MAC_RAW_STREAM_ENABLED: "b", Property.MAC_PROMISCUOUS_MODE: "C", Property.MAC_RX_ON_WHEN_IDLE_MODE: "b",
    Property.MAC_SRC_MATCH_ENABLED: "b",
}
LISTS = {  # what a host may set, insert into and remove from, by what they are lists of
    Property.MAC_SRC_MATCH_SHORT_ADDRESSES: "S", Property.MAC_SRC_MATCH_EXTENDED_ADDRESSES: "E",
}


class SpinelEndpoint:
    """One radio co-processor. Without source matching it says frame pending to every poll, as OpenThread's radios do."""

    def __init__(self) -> None:
        self._deframer = Deframer()
        self._values = dict(PROPERTIES)
        self._told: RadioSettings | None = None
        self._handles = count(1)
        self._underway: dict[int, tuple[SpinelFrame, bytes]] = {}
        self._for_host: list[bytes] = []
        self._for_radio: list[RadioSettings | Transmit] = []

    def host_says(self, octets: bytes) -> None:
        """Take what came over the line, however it is cut."""
        for frame in self._deframer.feed(octets):
            try:
                self._obey(frame)
            except SpinelError:
                self._status(frame, Status.PARSE_ERROR)

    def radio_says(self, pdu: Received | Transmitted, now: float) -> None:
        """Take what the radio heard, or what became of a frame; `now` in seconds becomes the timestamp."""
        if isinstance(pdu, Received):
            self._tell(Command.IS, Property.STREAM_RAW, heard(pdu, now))
            return
        frame, psdu = self._underway.pop(pdu.handle, (None, b""))
        if frame is not None:
            status = OUTCOMES[pdu.status]
            answer = answer_to(psdu, pdu.frame_pending) if status is Status.OK else b""
            ack = heard(Received(answer, self.settings.channel), now) if status is Status.OK else b""
            self._tell(Command.IS, Property.LAST_STATUS, pack(OUTCOME, status, pdu.frame_pending, False) + ack, frame)

    def for_host(self) -> bytes:
        """What is to go over the line; it is handed over and forgotten."""
        octets, self._for_host = b"".join(self._for_host), []
        return octets

    def for_radio(self) -> list[RadioSettings | Transmit]:
        """What the radio is to do, in order; it is handed over and forgotten."""
        pdus, self._for_radio = self._for_radio, []
        return pdus

    @property
    def settings(self) -> RadioSettings:
        """What the properties make of the radio."""
        def value(name: Property) -> int:
            return int(unpack(SHAPES[name], self._values[name])[0])

        return RadioSettings(
            channel=value(Property.PHY_CHAN), pan_id=value(Property.MAC_15_4_PANID),
            short_address=value(Property.MAC_15_4_SADDR), extended_address=value(Property.MAC_15_4_LADDR),
            receiver_on=bool(value(Property.PHY_ENABLED) and value(Property.MAC_RAW_STREAM_ENABLED)),
            promiscuous=bool(value(Property.MAC_PROMISCUOUS_MODE)),
            always_pending=not value(Property.MAC_SRC_MATCH_ENABLED),
            pending_for=frozenset(address for name in LISTS for address in self._addresses(name)),
        )

    # -- commands

    def _obey(self, frame: SpinelFrame) -> None:
        if frame.command == Command.RESET:
            self._values = dict(PROPERTIES)
            self._underway.clear()
            self._publish()
            self._tell(Command.IS, Property.LAST_STATUS, self._values[Property.LAST_STATUS])
            return
        number, value = unpack("iD", frame.payload)
        if frame.command == Command.SET and number == Property.STREAM_RAW:
            self._transmit(frame, value)
        elif number not in self._values:
            self._status(frame, Status.PROP_NOT_FOUND)
        elif frame.command == Command.GET:
            self._tell(Command.IS, Property(number), self._values[Property(number)], frame)
        elif frame.command == Command.SET and (number in SHAPES or number in LISTS):
            self._set(frame, Property(number), value)
        elif frame.command in (Command.INSERT, Command.REMOVE) and number in LISTS:
            self._change(frame, Property(number), value)
        else:
            known = frame.command in (Command.SET, Command.INSERT, Command.REMOVE)
            self._status(frame, Status.INVALID_COMMAND_FOR_PROP if known else Status.INVALID_COMMAND)

    def _set(self, frame: SpinelFrame, name: Property, value: bytes) -> None:
        shape = SHAPES.get(name)
        if shape is not None:
            value = pack(shape, *_whole(shape, value))
        self._values[name] = value
        self._publish()
        self._tell(Command.IS, name, value, frame)
        if name is Property.MAC_SCAN_STATE and value == pack("C", ENERGY_SCAN):
            self._scan(self._values[Property.MAC_SCAN_MASK])

    def _change(self, frame: SpinelFrame, name: Property, value: bytes) -> None:
        (address,) = _whole(LISTS[name], value)
        others = [each for each in self._addresses(name) if each != address]
        inserted = frame.command == Command.INSERT
        self._values[name] = b"".join(pack(LISTS[name], each) for each in (*others, *([address] if inserted else [])))
        self._publish()
        self._tell(Command.INSERTED if inserted else Command.REMOVED, name, value, frame)

    def _addresses(self, name: Property) -> list[int]:
        rest, addresses = self._values[name], []
        while rest:
            address, rest = unpack(f"{LISTS[name]}D", rest)
            addresses.append(int(address))
        return addresses

    def _transmit(self, frame: SpinelFrame, value: bytes) -> None:
        """The radio writes the FCS: the host only leaves room for it."""
        given = unpack(TRANSMISSION, value)
        psdu, channel, _, retries, csma = given + (b"", None, None, RETRIES, True)[len(given):]
        if not unpack("b", self._values[Property.PHY_ENABLED])[0]:
            self._status(frame, Status.INVALID_STATE)
        elif len(self._underway) >= LONGEST_QUEUE:
            self._status(frame, Status.NOMEM)
        elif channel != self.settings.channel or not FCS_LENGTH < len(psdu) <= MAX_PSDU:
            self._status(frame, Status.INVALID_ARGUMENT)
        else:
            handle = next(self._handles)
            mpdu = psdu[:-FCS_LENGTH]
            sent = Transmit(mpdu + fcs(mpdu), handle, csma=bool(csma), retries=retries)
            self._underway[handle] = frame, sent.psdu
            self._for_radio.append(sent)

    def _scan(self, channels: bytes) -> None:
        """Nothing is ever heard between frames, and at once."""
        for channel in channels:
            self._tell(Command.IS, Property.MAC_ENERGY_SCAN_RESULT, pack("Cc", channel, SILENCE))
        self._values[Property.MAC_SCAN_STATE] = pack("C", 0)
        self._tell(Command.IS, Property.MAC_SCAN_STATE, self._values[Property.MAC_SCAN_STATE])

    # -- answers

    def _publish(self) -> None:
        if self.settings != self._told:
            self._told = self.settings
            self._for_radio.append(self._told)

    def _status(self, asked: SpinelFrame, status: Status) -> None:
        self._tell(Command.IS, Property.LAST_STATUS, pack("i", status), asked)

    def _tell(self, command: Command, name: Property, value: bytes, asked: SpinelFrame | None = None) -> None:
        transaction, interface = (asked.transaction, asked.interface) if asked is not None else (0, 0)
        self._for_host.append(encode(SpinelFrame(command, pack("iD", name, value), transaction, interface)))


def _whole(shape: str, octets: bytes) -> tuple[Any, ...]:
    values = unpack(shape, octets)
    if not values:
        raise SpinelError("a value is wanting")
    return values
