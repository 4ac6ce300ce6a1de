"""An OpenThread radio co-processor (RCP) behind a port, as a Radio: aiospinel speaks to it in a thread. Knows nothing above MAC.

The port is whatever serialx opens: a device file, `socket://HOST:PORT`, `rfc2217://HOST:PORT`. Declared, not exercised on
hardware: what it was tried against is `harness.radio.spinel_endpoint`, whose framing and types are not aiospinel's.
"""

from __future__ import annotations

import asyncio
import threading
from collections import deque
from collections.abc import Callable, Coroutine, Mapping
from contextlib import suppress
from dataclasses import replace
from typing import Any

from aiospinel import CommandID

from dissectors.mac import MAX_PSDU
from harness.errors import BenchError, Unsupported
from harness.ports import RadioSettings, Received, Transmit, Transmitted
from harness.radio.alignment import Alignment
from harness.radio.filtering import FCS_LENGTH, has_right_fcs
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

OPENING_LIMIT = 12.0  # seconds for a port to open and its radio to say who it is
RESET_LIMIT = 2.0  # seconds after a reset until the radio says that it is over; some never say so
SENDING_LIMIT = 3.0  # seconds from a frame's going to the radio until it says what became of it
SCAN_LIMIT = 10.0  # seconds for an energy scan of all channels
CLOSING_LIMIT = 2.0  # seconds to leave the port
LONGEST_QUEUE = 64  # frames that wait for the radio; more means that it does not keep up
STANDSTILL = 0.5  # seconds that the bench's clock falls behind at once when it has been stopped, and not only been busy
SCAN_PERIOD = 0.1  # seconds on each channel
PROMISCUOUS = 2  # MAC_PROMISCUOUS_MODE: every frame that has a right FCS
STATUSES = {status: name for name, status in OUTCOMES.items()}
FULL = (Status.NOMEM, Status.BUSY)
NOT_EXERCISED = "no"

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


class Rcp:
    """One co-processor. Options: `port`, and `baudrate`, `flow_control`, `interface` where they are not as usual."""

    def __init__(self, options: Mapping[str, Any], interrupt: Callable[[], None]) -> None:
        """Open the port and reset the radio. Raises BenchError naming the port, ValueError for an option that cannot be read."""
        self._options = RcpOptions.of(options)
        self.port = self._options.port
        self.offers: frozenset[str] = frozenset()
        self._about = {"port": self.port, "exercised on hardware": NOT_EXERCISED}
        self.about: Mapping[str, str] = self._about
        self.clock = Alignment()
        self._interrupt = interrupt
        self._told: deque[tuple[float, float, Received | Transmitted]] = deque()  # host's clock, radio's clock (0: none)
        self._queue: deque[Transmit] = deque()
        self._settings: RadioSettings | None = None
        self._fault: BenchError | None = None
        self._bench_ahead = float("-inf")  # the bench's clock minus the host's
        self._is_open = False
        self._tasks: set[asyncio.Task[None]] = set()
        self._settling: set[asyncio.Task[None]] = set()  # those of them that set something
        self._line: Line | None = None
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name=f"RCP {self.port}", daemon=True)
        self._thread.start()
        try:
            self._await(self._open(), OPENING_LIMIT)
        except BaseException:
            self.close()
            raise
        self._is_open = True

    # -- the Radio

    def submit(self, pdu: RadioSettings | Transmit, now: float) -> None:
        """Take new settings, or a frame to send. Raises Unsupported for a frame that no co-processor sends."""
        self._raise()
        if isinstance(pdu, Transmit):
            self._check(pdu)
        self._loop.call_soon_threadsafe(self._take, pdu)

    def told(self, now: float) -> list[tuple[float, Received | Transmitted]]:
        """What it told since the last call, with bench times that are never ahead of `now`. Raises what broke it."""
        ahead = now - self._loop.time()  # less than it really is where the bench, which stands still while it works, lags behind
        self._bench_ahead = ahead if ahead < self._bench_ahead - STANDSTILL else max(self._bench_ahead, ahead)
        came = [self._told.popleft() for _ in range(len(self._told))]
        for host, radio, _ in came:
            if radio:
                self.clock.learn(radio, host)
        if not came:
            self._raise()
        told = [(min(self.clock.host_time(radio), host) if radio else host, pdu) for host, radio, pdu in came]
        return [(min(max(at + self._bench_ahead, 0.0), now), pdu) for at, pdu in told]

    def perform(self, operation: str, **given: object) -> object:
        """`energy_scan` (`channels`: dBm by channel) and `noise` (dBm on this channel). Raises Unsupported for anything else."""
        self._raise()
        if operation == "noise":
            value = self._await(self._get(Property.PHY_RSSI), self._options.patience)
            return int(unpack("c", value)[0])
        if operation == "energy_scan" and "energy-scan" in self.offers:
            channels = given.get("channels") or self._channels
            return self._await(self._scan(bytes(channels)), SCAN_LIMIT)  # type: ignore[call-overload]
        raise Unsupported(f"{self.port}: an OpenThread co-processor has no {operation}")

    def close(self) -> None:
        """Switch the radio off, where it still hears us, and leave the port."""
        if not self._thread.is_alive():
            return
        self._is_open = False
        with suppress(BenchError):
            self._await(self._leave(), CLOSING_LIMIT)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(CLOSING_LIMIT)
        if not self._thread.is_alive():
            self._loop.close()

    @property
    def garbage(self) -> int:
        """How many pieces of the line were no frame."""
        return self._line.garbage if self._line is not None else 0

    # -- called by the bench's thread

    def _await(self, work: Coroutine[Any, Any, Any], limit: float) -> Any:
        future = asyncio.run_coroutine_threadsafe(asyncio.wait_for(work, limit), self._loop)
        try:
            return future.result(limit + CLOSING_LIMIT)
        except TimeoutError:
            future.cancel()
            raise self._broken(f"does not answer within {limit:g} s") from None
        except (SpinelError, Refused) as fault:
            raise self._broken(str(fault)) from fault

    def _check(self, frame: Transmit) -> None:
        if not FCS_LENGTH < len(frame.psdu) <= MAX_PSDU:
            raise Unsupported(f"{self.port}: an OpenThread co-processor sends no frame of {len(frame.psdu)} octets")
        if not has_right_fcs(frame.psdu):
            raise Unsupported(f"{self.port}: an OpenThread co-processor writes the FCS itself, so that none goes out wrong")

    def _raise(self) -> None:
        if self._fault is not None:
            raise self._fault

    def _broken(self, cause: str) -> BenchError:
        return BenchError(f"radio at {self.port}: {cause}")

    # -- called by the loop

    def _fail(self, cause: str) -> None:
        """What comes first is the cause; what follows from it is not told."""
        if self._fault is None and self._is_open:
            self._fault = self._broken(cause)
            self._interrupt()

    def _start(self, work: Coroutine[Any, Any, None], *kept: set[asyncio.Task[None]]) -> None:
        task = self._loop.create_task(self._attempt(work))
        for tasks in (self._tasks, *kept):
            tasks.add(task)
            task.add_done_callback(tasks.discard)

    async def _attempt(self, work: Coroutine[Any, Any, None]) -> None:
        try:
            await work
        except TimeoutError:
            self._fail(f"does not answer within {self._options.patience:g} s; {self.garbage} pieces of garbage came")
        except (Refused, SpinelError, OSError) as fault:
            self._fail(str(fault))

    @property
    def _speaks(self) -> Line:
        assert self._line is not None
        return self._line

    async def _open(self) -> None:
        self._line = await connect(self._options, self._lost)
        self._line.on(Property.STREAM_RAW, self._heard)
        self._line.on(Property.LAST_STATUS, self._status)
        self._reset = asyncio.Event()
        self._line.say(CommandID.RESET, pack("C", self._options.reset))
        with suppress(TimeoutError):
            await asyncio.wait_for(self._reset.wait(), RESET_LIMIT)
        protocol = unpack("ii", await self._get(Property.PROTOCOL_VERSION))
        self._about["Spinel"] = ".".join(map(str, protocol))
        self._about["firmware"] = str(unpack("U", await self._get(Property.NCP_VERSION))[0])
        capabilities = numbers(await self._get(Property.CAPS))
        interface = unpack("i", await self._get(Property.INTERFACE_TYPE))
        if interface != (INTERFACE_THREAD,) or not {CONFIG_RADIO, MAC_RAW} <= capabilities:
            raise Refused(f"{self.about['firmware']!r} is no radio co-processor; right would be OpenThread RCP firmware (ot-rcp)")
        if RCP_MIN_HOST_API in capabilities:
            (least,) = unpack("i", await self._get(Property.RCP_MIN_HOST_API_VERSION))
            self._about["API"] = str(unpack("i", await self._get(Property.RCP_API_VERSION))[0])
            if least > HOST_API:
                raise Refused(f"its firmware wants a host of API version {least}, here is {HOST_API}; right would be older firmware")
        self._about["EUI-64"] = f"{unpack('E', await self._get(Property.HWADDR))[0]:016x}"
        self._channels = await self._get(Property.PHY_CHAN_SUPPORTED)
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

    async def _leave(self) -> None:
        for task in self._tasks:
            task.cancel()
        if self._line is not None and self._line.is_connected:
            with suppress(Refused, TimeoutError, SpinelError):
                await asyncio.wait_for(self._set(Property.PHY_ENABLED, "b", False), CLOSING_LIMIT / 2)
            await self._line.disconnect()

    def _lost(self, cause: str) -> None:
        self._fail(f"the port was closed ({cause or 'at the other end'}): is the radio still plugged in?")
        for task in self._tasks:
            task.cancel()

    def _take(self, pdu: RadioSettings | Transmit) -> None:
        if isinstance(pdu, RadioSettings):
            self._settle(pdu)
        elif len(self._queue) >= LONGEST_QUEUE:
            self._fail(f"its transmit buffer is full: {LONGEST_QUEUE} frames wait to be sent")
        else:
            self._queue.append(pdu)
            if len(self._queue) == 1:
                self._start(self._send_all())

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
            await self._send(self._queue[0])
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

    def _tell(self, pdu: Received | Transmitted, at: float) -> None:
        self._told.append((self._loop.time(), at, pdu))
        self._interrupt()

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
        if status >= Status.RESET_POWER_ON:
            self._reset.set()
            self._fail(f"the radio has reset, unasked ({_named(status)}): power, cable or firmware")

    async def _get(self, name: Property) -> bytes:
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

    async def _scan(self, channels: bytes) -> dict[int, int]:
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
