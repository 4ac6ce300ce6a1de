"""What a stick hears when it takes part in no network: frames, told as they come. Runs in the child process only; knows no ZigBee.

zigpy's own way to capture is used, so that any radio library which has one can listen; of those that we know bellows alone has.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from zigpy.application import ControllerApplication

STILL = 3.0  # seconds in which a stick says on which channel it listens


def can_capture(library: type[Any]) -> bool:
    """Whether a radio library's application has a capture of its own; zigpy's ends at once and tells nothing."""
    return library._packet_capture is not ControllerApplication._packet_capture


class Capture:
    """One capture of an application that is connected, and has started no network."""

    def __init__(self, application: Any, tell: Callable[[dict[str, Any]], None]) -> None:
        self._application, self._tell = application, tell
        self._channel = 0
        self._listening: asyncio.Task[None] | None = None

    async def tune(self, channel: int) -> None:
        """Listen to this channel from now on: what comes after this returns is told. Raises whatever the library does."""
        self._channel = channel
        if self._listening is None:
            self._listening = asyncio.ensure_future(self._listen(channel))
            await asyncio.sleep(0)  # its first command is under way now, and ours comes after it
            await self._told_to(channel)  # as it is told itself next, before it takes in what comes
        await self._told_to(channel)

    async def still(self) -> int:
        """The channel that it listens to, by the stick's own word where that gives one. Raises TimeoutError for one that says nothing."""
        if self._listening is not None and self._listening.done():
            self._listening.result()
            raise EOFError("the library ended its capture")
        asked = getattr(self._application, "captured_channel", None)
        if asked is None:
            return self._channel
        try:
            return int(await asyncio.wait_for(asked(), STILL))
        except TimeoutError:
            raise TimeoutError(f"the stick does not answer within {STILL:g} s") from None

    async def close(self) -> None:
        """Have the stick listen no more; one that is gone cannot be told."""
        if self._listening is not None:
            self._listening.cancel()
            with suppress(Exception, asyncio.CancelledError):
                await self._listening

    async def _told_to(self, channel: int) -> None:
        asked = asyncio.ensure_future(self._application.packet_capture_change_channel(channel))
        assert self._listening is not None
        done, _ = await asyncio.wait({asked, self._listening}, return_when=asyncio.FIRST_COMPLETED)
        if self._listening in done:
            asked.cancel()
            self._listening.result()
            raise EOFError("the library ended its capture")
        await asked

    async def _listen(self, channel: int) -> None:
        clock = asyncio.get_running_loop().time
        async for packet in self._application.packet_capture(channel):
            self._tell({"frame": {
                "mpdu": bytes(packet.data).hex(), "channel": int(packet.channel), "lqi": int(packet.lqi), "rssi": round(packet.rssi),
                "at": clock(),
            }})
