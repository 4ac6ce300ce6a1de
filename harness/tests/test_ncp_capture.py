"""The capture of a radio library as its process has it: what comes once it is tuned is heard, and how it ends is told."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from harness.ncp.capture import Capture

CHANNEL = 15


class Application:
    """A library's, whose commands go out one after another, each answered a while later."""

    def __init__(self, start: Exception | None = None, ends: bool = False) -> None:
        self.is_listening = False
        self._start, self._ends = start, ends
        self._line = asyncio.Lock()

    async def _command(self) -> None:
        async with self._line:
            for _ in range(3):
                await asyncio.sleep(0)

    async def packet_capture(self, channel: int) -> Any:
        await self._command()
        if self._start is not None:
            raise self._start
        await self.packet_capture_change_channel(channel)
        self.is_listening = True
        if not self._ends:
            await asyncio.Event().wait()
        for packet in tuple[Any, ...]():
            yield packet

    async def packet_capture_change_channel(self, channel: int) -> None:
        await self._command()


def test_what_comes_once_it_is_tuned_is_heard() -> None:
    async def course() -> None:
        application = Application()
        capture = Capture(application, lambda told: None)
        await capture.tune(CHANNEL)
        assert application.is_listening
        assert await capture.still() == CHANNEL
        await capture.close()

    asyncio.run(course())


@pytest.mark.parametrize(("application", "fault"), [
    (Application(start=ValueError("in a network")), ValueError), (Application(ends=True), EOFError),
])
def test_a_capture_that_does_not_begin_or_ends_is_an_error(application: Application, fault: type[Exception]) -> None:
    async def course() -> None:
        capture = Capture(application, lambda told: None)
        await capture.tune(CHANNEL)
        await asyncio.sleep(0.01)
        await capture.still()

    with pytest.raises(fault):
        asyncio.run(course())
