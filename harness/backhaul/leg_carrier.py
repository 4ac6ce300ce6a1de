"""The proprietary legs on a real network, TCP or UDP, as a `Carrier`: sockets and one thread; knows no message and no role.

What a peer does wrong is delivered with its flaw, and so is what of ours could not be sent (docs/leg-codec.md).
"""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import Coroutine, Mapping
from contextlib import suppress
from typing import Any

from harness.backhaul.addresses import joined
from harness.backhaul.carrier import Deliver, Parcel
from harness.backhaul.leg_bounds import LegBounds
from harness.backhaul.leg_framing import Length
from harness.backhaul.leg_tcp import TcpLegs
from harness.backhaul.leg_udp import UdpLegs
from harness.errors import BenchError

TCP, UDP = "tcp", "udp"
CLOSING = 5.0  # seconds that closing may take
BACKLOG = 128


class LegCarrier:
    """A `Carrier` of leg messages. `listen` says under which host and port each local place is reached (port 0: any free one).

    `length` is the codec's own framing on a stream, None for ours (`leg_framing`). Raises BenchError where a port cannot be had.
    """

    def __init__(
        self, deliver: Deliver, carriage: str, listen: Mapping[str, tuple[str, int]], *, length: Length | None = None,
        bounds: LegBounds | None = None,
    ) -> None:
        if carriage not in (TCP, UDP):
            raise BenchError(f"legs: nothing carries them over {carriage!r}; there are {TCP} and {UDP}")
        self._deliver = deliver
        self._closed, self._closing = False, threading.Lock()
        self._ends: dict[str, socket.socket] = {}
        try:
            for place, (host, port) in listen.items():
                self._ends[place] = _bound(host, port, carriage)
        except BenchError:
            self._let_go()
            raise
        self._addresses = {place: joined(own.getsockname()) for place, own in self._ends.items()}
        self._loop = asyncio.new_event_loop()
        self._tasks: set[asyncio.Task[None]] = set()
        self._legs: TcpLegs | UdpLegs = (
            TcpLegs(deliver, length, bounds or LegBounds(), self._spawn) if carriage == TCP
            else UdpLegs(deliver, bounds or LegBounds(), self._spawn)
        )
        self._thread = threading.Thread(target=self._run, name=f"legs over {carriage}", daemon=True)
        self._thread.start()

    @property
    def refused(self) -> int:
        """How many connections were refused because there were too many."""
        return self._legs.refused

    def address_of(self, place: str) -> str:
        """HOST:PORT under which others reach a local place. Raises BenchError for one that does not listen."""
        if place not in self._addresses:
            raise BenchError(f"legs: {place} has no end here")
        return self._addresses[place]

    def send(self, parcel: Parcel) -> None:
        """Send to `address`, or over the connection that it `answers`; returns at once.

        Once it is handed to the transport, an empty parcel answers the token of a parcel that has one; a flaw is told in any case.
        """
        self._call(self._legs.send, parcel)

    def drop(self, exchange: str) -> None:
        """Close the connection that a message came by."""
        self._call(self._legs.drop, exchange)

    def close(self) -> None:
        """Let go of sockets and thread. May be called twice; never raises."""
        with self._closing:
            if self._closed:
                return
            self._closed = True
            self._loop.call_soon_threadsafe(self._loop.stop)
        if threading.current_thread() is not self._thread:
            self._thread.join(CLOSING)

    # -- inside

    def _call(self, verb: Any, given: Any) -> None:
        with self._closing:
            if not self._closed:
                self._loop.call_soon_threadsafe(verb, given)
                return
        if isinstance(given, Parcel):
            self._deliver(Parcel(b"", given.place, given.address, answers=given.exchange, flaw="the carrier is closed", unsent=True))

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        task = self._loop.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[None]) -> None:
        """Our own mistake must not pass for a silent peer."""
        self._tasks.discard(task)
        fault = None if task.cancelled() else task.exception()
        if fault is not None:
            self._deliver(Parcel(b"", flaw=f"the carrier broke down: {type(fault).__name__}: {fault}", unsent=True))

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        self._spawn(self._legs.start(self._ends))
        try:
            self._loop.run_forever()
            self._legs.stop()
            left = asyncio.all_tasks(self._loop)
            for task in left:
                task.cancel()
            self._loop.run_until_complete(asyncio.gather(*left, return_exceptions=True))
        finally:
            self._let_go()
            self._loop.close()

    def _let_go(self) -> None:
        for own in self._ends.values():
            with suppress(OSError):
                own.close()


def _bound(host: str, port: int, carriage: str) -> socket.socket:
    kind = socket.SOCK_STREAM if carriage == TCP else socket.SOCK_DGRAM
    own = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, kind)
    try:
        if kind is socket.SOCK_STREAM:
            own.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        own.bind((host, port))
        own.setblocking(False)
        if kind is socket.SOCK_STREAM:
            own.listen(BACKLOG)
    except OSError as fault:
        own.close()
        raise BenchError(f"legs: {host}:{port} cannot be listened on: {(fault.strerror or str(fault)).lower()}") from fault
    return own
