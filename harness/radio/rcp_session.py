"""A conversation with one radio co-processor, inside an event loop: opening, settings in order, frames one by one. Knows no thread.

What it hears goes to `tell`, what breaks it to `fail`, once, as a cause in words.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Coroutine
from contextlib import suppress
from dataclasses import replace
from typing import Any

from aiospinel import CommandID

from harness.ports import RadioSettings, Received, Transmit, Transmitted
from harness.radio.rcp_line import Asked, Line, Refused, connect
from harness.radio.rcp_options import RcpOptions
from harness.radio.spinel import Property, SpinelError, Status, pack, unpack
from harness.radio.stream_raw import (
    CONFIG_RADIO,
    ENERGY_SCAN,
    HOST_API,
    INTERFACE_THREAD,
    MAC_RAW,
    OUTCOMES,
    RCP_MIN_HOST_API,
    numbers,
    outcome,
    reception,
    transmission,
)

RESET_LIMIT = 2.0  # seconds after a reset until the radio says that it is over; some never say so
REOPENING_LIMIT, REOPENING = 5.0, 0.25  # seconds for a port to come back that a reset took away, and between two tries
SENDING_LIMIT = 3.0  # seconds from a frame's going to the radio until it says what became of it
LEAVING_LIMIT = 1.0  # seconds to switch the radio off
LONGEST_QUEUE = 64  # frames that wait for the radio; more means that it does not keep up
SCAN_PERIOD = 0.1  # seconds on each channel
PROMISCUOUS = 2  # MAC_PROMISCUOUS_MODE: every frame that has a right FCS
STATUSES = {status: name for name, status in OUTCOMES.items()}
RESET_END = 128  # the statuses below it, from RESET_POWER_ON, say that the radio has reset; draft-rquattle-spinel-unified-00, 7
FULL = (Status.NOMEM, Status.BUSY)

_SETTINGS: tuple[tuple[Property, str, Callable[[RadioSettings], int]], ...] = (
    (Property.MAC_15_4_LADDR, "E", lambda wanted: wanted.extended_address),
    (Property.MAC_15_4_SADDR, "S", lambda wanted: wanted.short_address),
    (Property.MAC_15_4_PANID, "S", lambda wanted: wanted.pan_id),
    (Property.PHY_CHAN, "C", lambda wanted: wanted.channel),
    (Property.MAC_PROMISCUOUS_MODE, "C", lambda wanted: PROMISCUOUS if wanted.promiscuous else 0),
    (Property.MAC_SRC_MATCH_ENABLED, "b", lambda wanted: not wanted.always_pending),
    (Property.MAC_RAW_STREAM_ENABLED, "b", lambda wanted: wanted.receiver_on),
)
_SHORT, _EXTENDED = Property.MAC_SRC_MATCH_SHORT_ADDRESSES, Property.MAC_SRC_MATCH_EXTENDED_ADDRESSES
_LONGEST_SHORT = 0xFFFF


class Session:
    """All of it belongs to the loop's thread."""

    def __init__(
        self, options: RcpOptions, tell: Callable[[Received | Transmitted, float], None], fail: Callable[[str], None],
    ) -> None:
        """`tell` is also given when something happened by the radio's own clock, seconds; 0 where it does not say."""
        self.offers: frozenset[str] = frozenset()
        self.about: dict[str, str] = {}
        self.channels = b""
        self._options, self._tell, self._fail = options, tell, fail
        self._queue: deque[RadioSettings | Transmit] = deque()
        self._settings: RadioSettings | None = None
        self._is_open = False
        self._reset = asyncio.Event()
        self._tasks: set[asyncio.Task[None]] = set()
        self._settling: set[asyncio.Task[None]] = set()  # those of them that set something
        self._line: Line | None = None
        self._garbage_before = 0  # on lines that a reset took away

    @property
    def garbage(self) -> int:
        """How many pieces of the line were no frame."""
        return self._garbage_before + (self._line.garbage if self._line is not None else 0)

    def _start(self, work: Coroutine[Any, Any, None], *kept: set[asyncio.Task[None]]) -> None:
        task = asyncio.get_running_loop().create_task(self._attempt(work))
        for tasks in (self._tasks, *kept):
            tasks.add(task)
            task.add_done_callback(tasks.discard)

    async def _attempt(self, work: Coroutine[Any, Any, None]) -> None:
        try:
            await work
        except (Refused, OSError, ValueError, IndexError) as fault:
            self._break(str(fault))
        except Exception as fault:  # of the library's or ours: unnoticed, nothing would be sent any more and the silence be the device's
            self._break(f"what speaks to it failed: {type(fault).__name__}: {fault}")

    def _break(self, cause: str) -> None:
        if self._is_open:
            self._fail(cause)

    @property
    def _speaks(self) -> Line:
        assert self._line is not None
        return self._line

    async def open(self) -> None:
        """Open the port, reset the radio, ask what it is. Raises Refused, TimeoutError, or ValueError for what cannot be read."""
        await self._connect()
        self._speaks.say(CommandID.RESET, pack("C", self._options.reset))
        with suppress(TimeoutError):
            await asyncio.wait_for(self._reset.wait(), RESET_LIMIT)
        if not self._speaks.is_connected:  # a stick with USB of its own is unplugged by its reset
            await asyncio.wait_for(self._connect_again(), REOPENING_LIMIT)
        await self._introduce()
        self._is_open = True

    async def _connect(self) -> None:
        line = await connect(self._options, self._lost)
        self._garbage_before, self._line = self.garbage, line
        line.on(Property.STREAM_RAW, self._heard)
        line.on(Property.LAST_STATUS, self._status)

    async def _connect_again(self) -> None:
        while not self._speaks.is_connected:
            with suppress(Refused):
                await self._connect()
                return
            await asyncio.sleep(REOPENING)

    async def _introduce(self) -> None:
        protocol = unpack("ii", await self.get(Property.PROTOCOL_VERSION))
        self.about["Spinel"] = ".".join(map(str, protocol))
        self.about["firmware"] = str(unpack("U", await self.get(Property.NCP_VERSION))[0])
        capabilities = numbers(await self.get(Property.CAPS))
        interface = unpack("i", await self.get(Property.INTERFACE_TYPE))
        if interface != (INTERFACE_THREAD,) or not {CONFIG_RADIO, MAC_RAW} <= capabilities:
            raise Refused(f"{self.about['firmware']!r} is no radio co-processor; right would be OpenThread RCP firmware (ot-rcp)")
        if RCP_MIN_HOST_API in capabilities:
            (least,) = unpack("i", await self.get(Property.RCP_MIN_HOST_API_VERSION))
            self.about["API"] = str(unpack("i", await self.get(Property.RCP_API_VERSION))[0])
            if least > HOST_API:
                raise Refused(f"its firmware wants a host of API version {least}, here is {HOST_API}; right would be older firmware")
        self.about["EUI-64"] = f"{unpack('E', await self.get(Property.HWADDR))[0]:016x}"
        self.channels = await self.get(Property.PHY_CHAN_SUPPORTED)
        await self._set(Property.PHY_ENABLED, "b", True)
        offers = {"raw", "promiscuous", "timestamps", "lqi", "rssi", "noise"}
        for offered, name, shape, value in (
            ("source-match", Property.MAC_SRC_MATCH_ENABLED, "b", True),
            ("energy-scan", Property.MAC_SCAN_PERIOD, "S", round(SCAN_PERIOD * 1000)),
        ):
            with suppress(Refused):  # of which the radio simply does not have it
                await self._set(name, shape, value)
                offers.add(offered)
        self.offers = frozenset(offers | ({"ack-pending"} if "source-match" in offers else set()))

    async def leave(self) -> None:
        """Switch the radio off, where it still hears us, and leave the port."""
        self._is_open = False
        for task in self._tasks:
            task.cancel()
        if self._line is not None and self._line.is_connected:
            with suppress(Refused, TimeoutError, SpinelError):
                await asyncio.wait_for(self._set(Property.PHY_ENABLED, "b", False), LEAVING_LIMIT)
            await self._line.disconnect()

    def _lost(self, cause: str) -> None:
        self._reset.set()
        self._break(f"the port was closed ({cause or 'at the other end'}): is the radio still plugged in?")
        for task in self._tasks:
            task.cancel()

    def take(self, pdu: RadioSettings | Transmit) -> None:
        """New settings, or a frame to send after those before it. Another channel waits for the frames that are to go out on this one."""
        if isinstance(pdu, RadioSettings) and not (self._queue and self._leaves(pdu.channel)):
            self._settle(pdu)
        elif len(self._queue) >= LONGEST_QUEUE:
            self._break(f"its transmit buffer is full: {LONGEST_QUEUE} frames wait to be sent")
        else:
            self._queue.append(pdu)
            if len(self._queue) == 1:
                self._start(self._send_all())

    def _leaves(self, channel: int) -> bool:
        waits = any(isinstance(each, RadioSettings) for each in self._queue)
        return waits or self._settings is None or channel != self._settings.channel

    def _settle(self, wanted: RadioSettings) -> None:
        """Everything that differs goes out at once, in order; answers are awaited meanwhile."""
        before, self._settings = self._settings, wanted
        lacks_match = "source-match" not in self.offers
        for name, shape, of in _SETTINGS:
            if (before is None or of(before) != of(wanted)) and not (name is Property.MAC_SRC_MATCH_ENABLED and lacks_match):
                self._start(self._set(name, shape, of(wanted)), self._settling)
        if lacks_match:
            return
        earlier = frozenset[int]() if before is None else before.pending_for
        for address, command in (
            *((each, CommandID.PROP_VALUE_REMOVE) for each in earlier - wanted.pending_for),
            *((each, CommandID.PROP_VALUE_INSERT) for each in wanted.pending_for - earlier),
        ):
            name, shape = (_SHORT, "S") if address <= _LONGEST_SHORT else (_EXTENDED, "E")
            self._start(self._change(command, name, pack(shape, address)), self._settling)

    async def _send_all(self) -> None:
        while self._queue:
            first = self._queue[0]
            if isinstance(first, RadioSettings):
                self._settle(first)
            else:
                await self._send(first)
            self._queue.popleft()

    async def _send(self, frame: Transmit) -> None:
        while self._settling:  # the settings that it is to go out with come first
            await asyncio.wait(set(self._settling))
        channel = self._settings.channel if self._settings is not None else RadioSettings.channel
        payload = pack("iD", Property.STREAM_RAW, transmission(frame, channel))
        answer = await self._speaks.ask(Asked(CommandID.PROP_VALUE_SET, payload, retries=0, patience=SENDING_LIMIT))
        name, value = unpack("iD", answer)
        if name != Property.LAST_STATUS:
            raise Refused(f"it answers a frame to send with property {name}")
        status, pending, ack = outcome(value)
        if status in FULL:
            raise Refused(f"its transmit buffer is full ({Status(status).name})")
        if status not in STATUSES:
            raise Refused(f"it does not send a frame of {len(frame.psdu)} octets: {_named(status)}")
        told = Transmitted(frame.handle, STATUSES[Status(status)], pending)
        if ack is not None:
            self._tell(replace(ack.frame, channel=ack.frame.channel or channel), ack.at)
        self._tell(told, ack.at if ack is not None else 0.0)

    def _heard(self, value: bytes) -> None:
        try:
            heard = reception(value)
        except SpinelError:
            self._speaks.garbage += 1
            return
        if heard.fcs_right:
            self._tell(heard.frame, heard.at)

    def _status(self, value: bytes) -> None:
        status = unpack("i", value)[0] if value else Status.OK
        if Status.RESET_POWER_ON <= status < RESET_END:
            self._reset.set()
            self._break(f"the radio has reset, unasked ({_named(status)}): power, cable or firmware")

    async def get(self, name: Property) -> bytes:
        """The value of a property. Raises as `open` does."""
        return await self._ask(CommandID.PROP_VALUE_GET, name, b"")

    async def _set(self, name: Property, shape: str, value: object) -> None:
        await self._ask(CommandID.PROP_VALUE_SET, name, pack(shape, value))

    async def _change(self, command: CommandID, name: Property, value: bytes) -> None:
        await self._ask(command, name, value)

    async def _ask(self, command: CommandID, name: Property, value: bytes) -> bytes:
        asked = Asked(command, pack("iD", name, value), patience=self._options.patience)
        told, answer = unpack("iD", await self._speaks.ask(asked))
        if told != name:
            status = unpack("i", answer)[0] if told == Property.LAST_STATUS and answer else told
            raise Refused(f"it refuses {name.name} {value.hex()}: {_named(status)}")
        return bytes(answer)

    async def scan(self, channels: bytes) -> dict[int, int]:
        """The energy on each of these channels, dBm. Raises as `open` does."""
        levels: dict[int, int] = {}
        over = asyncio.Event()

        def found(value: bytes) -> None:
            channel, level = unpack("Cc", value)
            levels[channel] = level
            if len(levels) == len(set(channels)):
                over.set()

        self._speaks.on(Property.MAC_ENERGY_SCAN_RESULT, found)
        try:
            await self._set(Property.MAC_SCAN_MASK, "D", channels)
            await self._set(Property.MAC_SCAN_STATE, "C", ENERGY_SCAN)
            await over.wait()
        finally:
            self._speaks.off(Property.MAC_ENERGY_SCAN_RESULT, found)
        return levels


def _named(status: int) -> str:
    return Status(status).name if status in set(Status) else f"status {status}"
