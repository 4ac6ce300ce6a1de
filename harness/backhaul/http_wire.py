"""One HTTP/1.1 connection seen from either end: a message at a time, within bounds, as far as it came.

Knows octets, heads and bodies; neither places nor what a message says. Whatever the peer does ends in an `Arrived`, never in an
exception: what cannot be read as HTTP is kept as it came, with the flaw in words.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from email.utils import format_datetime
from http import HTTPStatus
from typing import Any

import h11

from harness.backhaul.authentication import header_to_show, octets_to_show
from harness.backhaul.http_bounds import HttpBounds
from harness.backhaul.tls import reason_of
from harness.clock import wall_utc

READ = 64 << 10  # octets taken from a socket at a time
_PHRASES = {each.value: each.phrase for each in HTTPStatus}


@dataclass(frozen=True)
class Arrived:
    """One message: its head where there was one, its body (without a head: the octets as they came), and what is wrong with it.

    `status` is what a server says to the flaw; 0 where nobody is left to hear it.
    """

    head: h11.Request | h11.Response | None
    octets: bytes = field(repr=False)
    flaw: str = ""
    status: int = 0


@dataclass
class _Reading:
    """How far a message has come. `fed` is what was last read, and had not been understood when the body had `understood` octets."""

    head: h11.Request | h11.Response | None = None
    body: bytearray = field(default_factory=bytearray)
    fed: bytes = b""
    understood: int = 0
    ended: bool = False
    complete: bool = False

    def octets(self) -> bytes:
        """The body until the last piece that was read, then that piece as it came, chunk lengths and all."""
        return bytes(self.body[: self.understood]) + octets_to_show(self.fed)

    def progress(self) -> str:
        """How far it came, in words."""
        if self.head is None:
            return f"{len(self.fed)} octets came, not a whole head" if self.fed else "nothing came"
        announced = announced_length(self.head)
        return f"{len(self.body)} octets of the body came" + ("" if announced is None else f" of {announced} announced")


class HttpWire:
    """A connection with its state machine; `role` is h11.SERVER or h11.CLIENT."""

    def __init__(
        self, role: type[h11.SERVER] | type[h11.CLIENT], reader: asyncio.StreamReader, writer: asyncio.StreamWriter, bounds: HttpBounds,
    ) -> None:
        self.state = h11.Connection(role, max_incomplete_event_size=bounds.head)
        self._reader, self._writer, self._bounds = reader, writer, bounds

    @property
    def unread(self) -> bytes:
        """What came and belongs to no message that was read."""
        return self.state.trailing_data[0]

    async def begins(self, within: float) -> bool:
        """Whether another message begins within that many seconds."""
        if not self.unread:
            try:
                async with asyncio.timeout(within):
                    self.state.receive_data(await self._reader.read(READ))
            except OSError:  # also the time-out: nothing came, so nothing is lost
                return False
        return bool(self.unread)

    async def arrive(self, within: float) -> Arrived:
        """The next message, complete or as far as it came within that many seconds."""
        reading = _Reading(fed=self.unread)
        try:
            async with asyncio.timeout(within):
                return await self._read(reading)
        except TimeoutError:
            return Arrived(reading.head, reading.octets(), f"not complete after {within:g} s: {reading.progress()}", 408)
        except h11.RemoteProtocolError as fault:
            return self._misread(reading, fault)
        except OSError as fault:
            return Arrived(reading.head, reading.octets(), f"the connection broke ({reason_of(fault)}): {reading.progress()}")

    async def watch(self) -> str:
        """Read what comes while it is not the peer's turn. Returns how the peer left, or nothing when it has said too much."""
        try:
            while len(self.unread) < self._bounds.ahead:
                octets = await self._reader.read(READ)
                self.state.receive_data(octets)
                if not octets:
                    return "the peer closed its side of the connection before it was answered"
        except OSError as fault:
            return f"the connection broke before it was answered ({reason_of(fault)})"
        return ""

    def gone(self) -> bool:
        """Whether nothing can be said to the peer any more."""
        return self._writer.transport.is_closing()

    def next_cycle(self) -> bool:
        """Go on to the next request, where both sides have said all and neither wants to close."""
        if self.state.our_state is not h11.DONE or self.state.their_state is not h11.DONE:
            return False
        self.state.start_next_cycle()
        return True

    def abort(self) -> None:
        """Let go at once; harmless on what is closed."""
        self._writer.transport.abort()

    def say(self, *events: h11.Event) -> None:
        """Send these, whole or not at all. Raises h11.LocalProtocolError for what HTTP does not allow."""
        self._writer.write(b"".join(self.state.send(event) or b"" for event in events))

    async def taken(self) -> str:
        """Wait until the peer's side has taken what was said; why not, where it does not within the time for an arrival."""
        try:
            async with asyncio.timeout(self._bounds.arrival):
                await self._writer.drain()
        except TimeoutError:
            self._writer.transport.abort()
            return f"the peer did not take what was sent within {self._bounds.arrival:g} s"
        except OSError as fault:
            return f"the connection broke before all was sent ({reason_of(fault)})"
        return ""

    async def rest(self) -> bytes:
        """What else the peer says before it closes: at most `ahead` octets and `linger` seconds of it."""
        more = bytearray(self.unread)
        try:
            async with asyncio.timeout(self._bounds.linger):
                while len(more) < self._bounds.ahead and (octets := await self._reader.read(READ)):
                    more += octets
        except OSError:
            pass  # the peer closed roughly, or keeps its side open: what counts is what it said
        return bytes(more[: self._bounds.ahead])

    async def part(self, *, patiently: bool = False) -> None:
        """Close; `patiently` lets a peer that is still sending read first what was said to it: a reset would erase that."""
        try:
            async with asyncio.timeout(self._bounds.linger):
                if patiently:
                    if self._writer.can_write_eof():
                        self._writer.write_eof()
                    left = self._bounds.body
                    while left > 0 and (octets := await self._reader.read(READ)):
                        left -= len(octets)
                self._writer.close()
                await self._writer.wait_closed()
        except OSError:
            pass  # gone already, or too slow: either way it is closed below
        finally:
            self._writer.transport.abort()

    async def _read(self, reading: _Reading) -> Arrived:
        while not reading.complete:
            event = self.state.next_event()
            if event is h11.NEED_DATA:
                if self.state.they_are_waiting_for_100_continue:
                    self.say(h11.InformationalResponse(status_code=100, headers=[]))
                await self._feed(reading)
            elif isinstance(event, h11.InformationalResponse):
                reading.fed = self.unread
            elif isinstance(event, h11.Request | h11.Response):
                length = len(reading.fed) - len(self.unread)
                if length > self._bounds.head or not event.http_version.startswith(b"1."):
                    return self._head_refused(reading, event.http_version, length)
                reading.head, reading.fed = event, self.unread
                if self.state.they_are_waiting_for_100_continue and (announced_length(event) or 0) > self._bounds.body:
                    return self._too_long(reading)
            elif isinstance(event, h11.Data):
                reading.body += event.data
                if len(reading.body) > self._bounds.body:
                    return self._too_long(reading)
            elif isinstance(event, h11.EndOfMessage):
                reading.complete = True
            elif isinstance(event, h11.ConnectionClosed) or event is h11.PAUSED:
                return Arrived(reading.head, reading.octets(), f"the peer closed too early: {reading.progress()}", 400)
        return Arrived(reading.head, bytes(reading.body))

    async def _feed(self, reading: _Reading) -> None:
        octets = await self._reader.read(READ)
        reading.fed, reading.understood, reading.ended = self.unread + octets, len(reading.body), not octets
        self.state.receive_data(octets)

    def _head_refused(self, reading: _Reading, version: bytes, length: int) -> Arrived:
        if length > self._bounds.head:
            flaw, status = f"a head of {length} octets, longer than {self._bounds.head}", 431
        else:
            flaw, status = f"this is not HTTP/1.1 but says it is {version.decode()}", 505
        return Arrived(None, reading.octets()[:length], flaw, status)

    def _too_long(self, reading: _Reading) -> Arrived:
        announced = announced_length(reading.head)
        kept = bytes(reading.body[: self._bounds.body])
        length = "no length" if announced is None else f"{announced} octets"
        flaw = f"the body is longer than {self._bounds.body} octets: {length} announced, {len(kept)} kept, no more read"
        return Arrived(reading.head, kept, flaw, 413)

    def _misread(self, reading: _Reading, fault: h11.RemoteProtocolError) -> Arrived:
        # h11's own words end in the offending line, which may be one that holds a password
        words, status = str(fault).partition(":")[0], fault.error_status_hint
        if reading.ended:
            flaw = f"the peer closed too early: {reading.progress()}"
        elif status == 431:
            flaw = f"a head longer than {self._bounds.head} octets: {reading.progress()}"
        elif reading.head is None:
            flaw = f"this is not HTTP/1.1 ({words}): {reading.progress()}"
        else:
            flaw = f"the body is not as its head says ({words}): {reading.progress()}"
        return Arrived(reading.head, reading.octets(), flaw, status)


def about(head: h11.Request | h11.Response | None) -> dict[str, Any]:
    """What a head says, as a parcel tells it; a header that comes several times is one with commas (RFC 9110, 5.2)."""
    told: dict[str, Any] = {"name": "http"}
    if isinstance(head, h11.Request):
        told |= {"method": head.method.decode("latin-1"), "target": head.target.decode("latin-1")}
    elif head is not None:
        told |= {"status": head.status_code}
    headers: dict[str, str] = {}
    for raw_name, raw_value in head.headers if head is not None else ():
        name, value = raw_name.decode("latin-1"), raw_value.decode("latin-1")
        shown = header_to_show(name, value)
        headers[name] = f"{headers[name]}, {shown}" if name in headers else shown
    return told | {"headers": headers}


def announced_length(head: h11.Request | h11.Response | None) -> int | None:
    """The Content-Length of a head, None where it has none (h11 lets no other than a number through)."""
    return next((int(value) for name, value in head.headers if name == b"content-length"), None) if head is not None else None


def response(status: int, headers: Mapping[str, str], octets: bytes) -> tuple[h11.Event, ...]:
    """The events of one whole response. Raises h11.LocalProtocolError or ValueError for what is none in HTTP."""
    dated = {"date": format_datetime(wall_utc(), usegmt=True), **headers}
    sent = [field for field in fields(dated, octets) if status != 204 or field[0] != "content-length"]  # RFC 9110, 8.6
    return h11.Response(status_code=status, headers=sent, reason=_PHRASES.get(status, "")), *body(octets)


def fields(headers: Mapping[str, str], octets: bytes) -> list[tuple[str, str]]:
    """Header fields in lower case, with the length of the body unless they have one of their own."""
    return list({"content-length": str(len(octets)), **{name.lower(): value for name, value in headers.items()}}.items())


def body(octets: bytes) -> tuple[h11.Event, ...]:
    """The events of a body and its end."""
    return (h11.Data(data=octets), h11.EndOfMessage()) if octets else (h11.EndOfMessage(),)
