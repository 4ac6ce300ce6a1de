"""Tasks of a carrier's event loop that nobody waits for: kept, ended together, and never failing unheard; knows no protocol."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any


class Errands:
    """Started and forgotten; what one raises reaches `astray`."""

    def __init__(self, astray: Callable[[BaseException], None]) -> None:
        self._astray = astray
        self._running: set[asyncio.Task[None]] = set()

    def start(self, work: Coroutine[Any, Any, None]) -> None:
        """Run this until it is done."""
        task = asyncio.get_running_loop().create_task(work)
        self._running.add(task)
        task.add_done_callback(self._done)

    async def one_done(self, within: float) -> None:
        """Called by one of them: wait until another is done, at most so many seconds."""
        await asyncio.wait(set(self._running), timeout=within, return_when=asyncio.FIRST_COMPLETED)

    async def end(self) -> None:
        """Cancel all, and wait until they have let go of what they held."""
        for task in self._running:
            task.cancel()
        await asyncio.gather(*self._running, return_exceptions=True)

    def _done(self, task: asyncio.Task[None]) -> None:
        self._running.discard(task)
        fault = None if task.cancelled() else task.exception()
        if fault is not None:
            self._astray(fault)
