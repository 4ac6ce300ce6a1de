"""Legs over TCP: connections accepted and made, in one event loop; knows octets and addresses, no message and no role.

A connection serves both directions. One that we made is kept, and made anew when it is gone by the time of the next message: TCP
does not say whether what was handed to it arrived.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass, field
from itertools import count
from typing import Any

from harness.backhaul.addresses import joined, parted
from harness.backhaul.carrier import Deliver, Parcel
from harness.backhaul.leg_bounds import LegBounds, Pace
from harness.backhaul.leg_framing import Length, Splitter, framed

CHUNK = 65_536  # octets that are read at once
Spawn = Callable[[Coroutine[Any, Any, None]], None]


@dataclass
class Line:
    """What goes to one address on behalf of one place: messages that wait, and the connection while there is one."""

    place: str
    address: str
    waiting: asyncio.Queue[Parcel]
    writer: asyncio.StreamWriter | None = None


@dataclass
class TcpLegs:
    """Every end of a carrier; lives in its event loop. `spawn` runs a coroutine beside the others until the loop ends."""

    deliver: Deliver
    length: Length | None
    bounds: LegBounds
    spawn: Spawn
    refused: int = 0  # connections beyond the bound
    _lines: dict[tuple[str, str], Line] = field(default_factory=dict)
    _open: dict[str, asyncio.StreamWriter] = field(default_factory=dict)  # by token
    _accepted: set[str] = field(default_factory=set)
    _full: bool = False
    _servers: list[asyncio.Server] = field(default_factory=list)
    _tokens: count[int] = field(default_factory=lambda: count(1))

    async def start(self, listeners: Mapping[str, socket.socket]) -> None:
        """Accept connections for each place on its socket."""
        for place, listener in listeners.items():
            self._servers.append(await asyncio.start_server(self._accepts(place), sock=listener, limit=CHUNK))

    def stop(self) -> None:
        """Accept no more."""
        for server in self._servers:
            server.close()

    def send(self, parcel: Parcel) -> None:
        """Queue a message for its address, or write it on the connection that it answers."""
        if parcel.answers:
            self.spawn(self._answer(parcel))
            return
        line = self._lines.get((parcel.place, parcel.address))
        if line is None:
            line = Line(parcel.place, parcel.address, asyncio.Queue(self.bounds.waiting))
            self._lines[parcel.place, parcel.address] = line
            self.spawn(self._work(line))
        try:
            line.waiting.put_nowait(parcel)
        except asyncio.QueueFull:
            self._tell(parcel, f"{self.bounds.waiting} messages wait for {parcel.address} already")

    def drop(self, token: str) -> None:
        """Close a connection as a peer would that fell silent for good."""
        writer = self._open.get(token)
        if writer is not None:
            writer.close()

    # -- what we send

    async def _work(self, line: Line) -> None:
        while True:
            parcel = await line.waiting.get()
            self._tell(parcel, await self._carried(line, parcel))

    async def _carried(self, line: Line, parcel: Parcel) -> str:
        """Write one message, on a new connection where there is none; returns what went wrong."""
        flaw = ""
        for attempt in range(self.bounds.tries):
            if attempt:
                await asyncio.sleep(self.bounds.pause)
            try:
                if line.writer is None or line.writer.is_closing():
                    await self._connect(line)
                assert line.writer is not None
                await self._write(line.writer, parcel.octets)
                return ""
            except (OSError, ValueError) as fault:
                flaw = f"{line.address}: {_told(fault)}"
                if line.writer is not None:
                    line.writer.transport.abort()
                    line.writer = None
        return flaw

    async def _connect(self, line: Line) -> None:
        host, port = parted(line.address)
        async with asyncio.timeout(self.bounds.connecting):
            reader, line.writer = await asyncio.open_connection(host, port, limit=CHUNK)
        self.spawn(self._read(line.place, reader, line.writer))

    async def _write(self, writer: asyncio.StreamWriter, octets: bytes) -> None:
        writer.write(framed(octets, self.length))
        async with asyncio.timeout(self.bounds.writing):
            await writer.drain()

    async def _answer(self, parcel: Parcel) -> None:
        writer = self._open.get(parcel.answers)
        if writer is None or writer.is_closing():
            self._tell(parcel, "the connection that this answers is gone")
            return
        try:
            await self._write(writer, parcel.octets)
        except OSError as fault:
            writer.transport.abort()
            self._tell(parcel, _told(fault))
        else:
            self._tell(parcel, "")

    def _tell(self, parcel: Parcel, flaw: str) -> None:
        """What became of a message that we sent; that all went well is told to those alone who gave it a token."""
        if flaw or parcel.exchange:
            about = {"name": "tcp"}
            self.deliver(Parcel(b"", parcel.place, parcel.address, "", parcel.exchange, about, flaw, unsent=bool(flaw)))

    # -- what others send

    def _accepts(self, place: str) -> Callable[[asyncio.StreamReader, asyncio.StreamWriter], None]:
        return lambda reader, writer: self.spawn(self._serve(place, reader, writer))

    async def _serve(self, place: str, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if len(self._accepted) >= self.bounds.connections:
            writer.transport.abort()
            self.refused += 1
            if not self._full:  # told once, or a flood of connections would be one of parcels
                self._full = True
                flaw = f"more than {self.bounds.connections} connections at a time: further ones are refused"
                self.deliver(Parcel(b"", place, _peer(writer), about={"name": "tcp"}, flaw=flaw))
            return
        token = self._token(writer)
        self._accepted.add(token)
        try:
            await self._read(place, reader, writer, token)
        finally:
            self._accepted.discard(token)
            self._full = False

    def _token(self, writer: asyncio.StreamWriter) -> str:
        token = f"tcp/{next(self._tokens)}"
        self._open[token] = writer
        return token

    async def _read(
        self, place: str, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, token: str = "",
    ) -> None:
        """Deliver what comes over a connection until it ends or cannot be taken apart any more."""
        token = token or self._token(writer)
        peer = _peer(writer)
        splitter, pace = Splitter(self.length, self.bounds.largest), Pace(self.bounds.a_second)
        now = asyncio.get_running_loop().time

        def give(octets: bytes, flaw: str) -> None:
            self.deliver(Parcel(octets, place, peer, token, about={"name": "tcp", "peer": peer}, flaw=flaw))

        try:
            limit: float | None = None  # by when the message that has begun must be whole
            while not splitter.broken:
                octets, end = await self._some(reader, limit)
                for piece in splitter.feed(octets):
                    limit = None
                    give(*piece)
                    pause = pace.after_one(now())
                    if pause:
                        await asyncio.sleep(pause)
                if end:
                    if splitter.pending:
                        give(splitter.rest(), f"half a message: {end}")
                    return
                if splitter.pending and limit is None:
                    limit = now() + self.bounds.whole
        finally:
            self._open.pop(token, None)
            writer.close()

    async def _some(self, reader: asyncio.StreamReader, limit: float | None) -> tuple[bytes, str]:
        """The next octets, or none and how the connection ended."""
        try:
            async with asyncio.timeout_at(limit):
                octets = await reader.read(CHUNK)
        except TimeoutError:
            return b"", f"the rest did not come within {self.bounds.whole:g} s"
        except OSError as fault:
            return b"", f"the connection broke: {_told(fault)}"
        return octets, "" if octets else "the connection was closed"


def _peer(writer: asyncio.StreamWriter) -> str:
    return joined(writer.get_extra_info("peername") or ("?", 0))


def _told(fault: Exception) -> str:
    if isinstance(fault, TimeoutError) and not fault.args:
        return "took too long"
    return (getattr(fault, "strerror", None) or str(fault) or type(fault).__name__).lower()
