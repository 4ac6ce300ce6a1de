"""The child process: one radio library behind lines on standard input and output. It ends when its input does.

Started as `python -m harness.ncp`; everything it has to know, keys included, comes by those lines. What the library prints goes to
standard error, which nobody shows.
"""

from __future__ import annotations

import asyncio
import importlib
import logging
import os
import sys
from collections.abc import Awaitable, Callable
from contextlib import suppress
from importlib.metadata import PackageNotFoundError, version
from typing import Any

import zigpy.config
import zigpy.state
import zigpy.types as t
from zigpy.exceptions import DeliveryError

from harness.ncp import others
from harness.ncp.capture import Capture, can_capture
from harness.ncp.libraries import INSTALL_CODE, LIBRARIES, NEEDS
from harness.ncp.line import LONGEST, VERSION, NotALine, masked, read, written
from harness.ncp.orphan import end_with_the_bench
from harness.ncp.quiet import eui64, ieee_of, packet_of, quiet

BLOCKING = 2.0  # seconds after which permit_with_link_key is left to itself: some libraries stay in it for the whole window
FAREWELL = 2.0  # seconds for the last request to a stick, and for letting go of it
MOST_SENDS = 32  # packets on their way at the same time


class Radio:
    """The library of one stick, and what it is asked."""

    def __init__(self, tell: Callable[[dict[str, Any]], None]) -> None:
        self._tell = tell
        self._application: Any = None
        self._permitting: set[asyncio.Task[Any]] = set()
        self._capture: Capture | None = None
        self._is_closed = False

    async def open(self, radio: str, device: dict[str, Any]) -> dict[str, Any]:
        """Reach the stick. `radio` is a name of `LIBRARIES` or `module:Class`."""
        library, package = _library(radio)
        await self._connect(library, device)
        known = LIBRARIES.get(radio)
        offers = getattr(self._application, "offers", {*NEEDS} - known.cannot.keys() if known is not None else {INSTALL_CODE})
        return {
            "device": await self._application.own_address(), "offers": sorted(offers),
            "answered_below": list(getattr(self._application, "answered_below", ())), "about": self._about(package),
        }

    async def listen(self, radio: str, device: dict[str, Any]) -> dict[str, Any]:
        """Reach a stick that is to capture and nothing else. Raises NotImplementedError for a library that has no capture."""
        library, package = _library(radio)
        if not can_capture(library):
            raise NotImplementedError(f"{package} has no packet capture")
        await self._connect(library, device)
        self._capture = Capture(self._application, self._tell)
        return {"about": self._about(package)}

    async def tune(self, channel: int) -> dict[str, Any]:
        """Capture on this channel from now on."""
        assert self._capture is not None
        await self._capture.tune(channel)
        return {}

    async def still(self) -> dict[str, Any]:
        """Whether it captures, and on which channel."""
        assert self._capture is not None
        return {"channel": await self._capture.still()}

    async def _connect(self, library: type[Any], device: dict[str, Any]) -> None:
        package = library.__module__.partition(".")[0]
        made, own = quiet(library, self._happened), others.CONFIG.get(package, {})
        if package in others.OVER:
            made = others.OVER[package](made)
        if package == "bellows":
            from harness.ncp import ezsp

            made, own = ezsp.over_ezsp(made), ezsp.CONFIG
        self._application = made({
            zigpy.config.CONF_DATABASE: None, zigpy.config.CONF_DEVICE: device, zigpy.config.CONF_STARTUP_ENERGY_SCAN: False,
            zigpy.config.CONF_OTA: {zigpy.config.CONF_OTA_ENABLED: False}, **own,
        })
        await self._application.connect()

    def _about(self, package: str) -> dict[str, str]:
        return {"library": f"{package} {_version(package)}", "zigpy": _version("zigpy"), **getattr(self._application, "about", {})}

    async def form(
        self, channel: int, pan_id: int, extended_pan_id: str, network_key: str, key_sequence: int, frame_counter: int,
        device: str | None, endpoints: list[dict[str, Any]],
    ) -> dict[str, Any]:
        """Form the network; `device` is the EUI-64 that the coordinator is to have, None for the one it has.

        The stick is reached a second time then: what forming it has reset, its endpoints among it, is set up anew.
        """
        network = zigpy.state.NetworkInfo(
            channel=t.uint8_t(channel), channel_mask=t.Channels.from_channel_list([channel]), pan_id=t.PanId(pan_id),
            extended_pan_id=t.ExtendedPanId(ieee_of(extended_pan_id)), security_level=t.uint8_t(5),
            network_key=zigpy.state.Key(
                key=t.KeyData(bytes.fromhex(network_key)), seq=t.uint8_t(key_sequence), tx_counter=t.uint32_t(frame_counter),
            ),
        )
        node = zigpy.state.NodeInfo(ieee=t.EUI64.UNKNOWN if device is None else ieee_of(device), nwk=t.NWK(0))
        await self._application.write_network_info(network_info=network, node_info=node)
        self._application.endpoints, self._application.closing = tuple(endpoints), True
        await self._application.disconnect()
        await self._application.connect()
        self._application.closing = False
        await self._application.start_network()
        return {"device": eui64(self._application.state.node_info.ieee)}

    async def permit(self, seconds: int, devices: list[list[str]]) -> dict[str, Any]:
        """Let these devices join, each with its link key, for so many seconds; 0 ends it."""
        await self._end_permitting()
        if not seconds or not devices:
            await self._close_window()
            return {}
        for device, key in devices:
            asked = self._application.permit_with_link_key(ieee_of(device), t.KeyData(bytes.fromhex(key)), seconds)
            task = asyncio.ensure_future(asked)
            done, _ = await asyncio.wait({task}, timeout=BLOCKING)
            for ended in done:
                ended.result()
            if not done:
                self._permitting.add(task)
                task.add_done_callback(self._permitting.discard)
        return {}

    async def share(self, device: str, key: str) -> dict[str, Any]:
        """Set the link key shared with a device."""
        await self._application.share_link_key(ieee_of(device), t.KeyData(bytes.fromhex(key)))
        return {}

    async def forget(self, device: str) -> dict[str, Any]:
        """Forget it."""
        await self._application.drop_link_key(ieee_of(device))
        return {}

    async def remove(self, device: str, address: int) -> dict[str, Any]:
        """Have the co-processor tell a device to leave."""
        departing = type("Departing", (), {"ieee": ieee_of(device), "nwk": t.NWK(address)})()
        await self._application.force_remove(departing)
        return {}

    async def send(self, **packet: Any) -> dict[str, Any]:
        """Send a packet; an unacknowledged one is no failure of ours."""
        try:
            await self._application.send_packet(packet_of(packet))
        except (DeliveryError, TimeoutError):
            return {"status": "no_ack"}
        return {"status": "success"}

    async def raw(self, mpdu: str) -> dict[str, Any]:
        """Put a MAC frame on the air, without its FCS; that nobody acknowledged it is no failure of ours."""
        return {"status": "success" if await self._application.send_raw(bytes.fromhex(mpdu)) else "no_ack"}

    async def scan(self, channels: list[int]) -> dict[str, Any]:
        """What is heard on these channels, before a network is formed. Raises NotImplementedError where that is not told in dBm."""
        levels = getattr(self._application, "levels", None)
        if levels is None:
            raise NotImplementedError("its library scans in no dBm")
        return {"levels": {str(channel): level for channel, level in (await levels(channels)).items()}}

    async def close(self) -> dict[str, Any]:
        """Let nobody in any more, and let go of the stick, once; one that is gone cannot be told."""
        if self._application is not None and not self._is_closed:
            self._is_closed = True
            with suppress(Exception):
                ending = self._let_nobody_in() if self._capture is None else self._capture.close()
                await asyncio.wait_for(ending, FAREWELL)
            self._application.closing = True
            await asyncio.wait_for(self._application.disconnect(), FAREWELL)  # a bench that is gone kills nobody
        return {}

    async def _let_nobody_in(self) -> None:
        await self._end_permitting()
        await self._close_window()

    async def _close_window(self) -> None:
        await getattr(self._application, "close_window", lambda: self._application.permit_ncp(0))()

    async def _end_permitting(self) -> None:
        """A library that stays in it for a whole window undoes then what would stand in the way of the next."""
        for task in tuple(self._permitting):
            task.cancel()
            with suppress(Exception, asyncio.CancelledError):
                await task

    def _happened(self, what: str, fields: dict[str, Any]) -> None:
        self._tell({what: fields})


OPERATIONS: dict[str, Callable[..., Awaitable[dict[str, Any]]]] = {
    "open": Radio.open, "listen": Radio.listen, "tune": Radio.tune, "still": Radio.still, "form": Radio.form, "permit": Radio.permit,
    "share": Radio.share, "forget": Radio.forget,
    "remove": Radio.remove, "send": Radio.send, "raw": Radio.raw, "scan": Radio.scan, "close": Radio.close,
}


async def serve(reader: asyncio.StreamReader, tell: Callable[[dict[str, Any]], None]) -> None:
    """Do what is asked, in order; only packets on their way overtake each other. Raises NotALine."""
    radio = Radio(tell)
    sends: set[asyncio.Task[None]] = set()
    tell({"hello": VERSION, "python": sys.version.split()[0], "process": os.getpid()})
    try:
        while line := await _next(reader):
            asked = read(line)
            number, operation = asked.pop("n"), asked.pop("do")
            if operation == "send":
                if len(sends) >= MOST_SENDS:
                    await asyncio.wait(sends, return_when=asyncio.FIRST_COMPLETED)
                task = asyncio.ensure_future(_perform(radio, operation, number, asked, tell))
                sends.add(task)
                task.add_done_callback(sends.discard)
            else:
                await _perform(radio, operation, number, asked, tell)
                if operation == "close":
                    return
    finally:  # also where the bench went amid a line, or before it was answered
        await radio.close()


async def _perform(
    radio: Radio, operation: str, number: int, given: dict[str, Any], tell: Callable[[dict[str, Any]], None],
) -> None:
    try:
        done = await OPERATIONS[operation](radio, **given)
    except Exception as fault:  # the library's own, of any kind: the bench says whose it is
        tell({"n": number, "failed": masked(": ".join(filter(None, (type(fault).__name__, str(fault)))))})
    else:
        tell({"n": number, "done": done})


async def _next(reader: asyncio.StreamReader) -> bytes:
    try:
        return await reader.readline()
    except ValueError:  # longer than the reader's limit
        raise NotALine(f"a line longer than {LONGEST} octets") from None


def _library(radio: str) -> tuple[type[Any], str]:
    """The class, and the name of its package."""
    known = LIBRARIES.get(radio)
    module, _, name = (radio if known is None else known.application).partition(":")
    return getattr(importlib.import_module(module), name), module.partition(".")[0]


def _version(package: str) -> str:
    try:
        return version(package.replace("_", "-"))
    except PackageNotFoundError:
        return "of its own"


async def _main() -> None:
    told = os.fdopen(os.dup(1), "wb", buffering=0)
    end_with_the_bench()
    os.dup2(2, 1)  # whatever prints does not print between our lines
    reader = asyncio.StreamReader(limit=LONGEST)
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    await serve(reader, lambda fields: _write(told, written(fields)))


def _write(told: Any, line: bytes) -> None:
    while line:
        line = line[told.write(line):]


if __name__ == "__main__":
    logging.disable(logging.CRITICAL)  # libraries log keys
    asyncio.run(_main())
