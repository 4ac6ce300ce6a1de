"""A carrier to a queue broker, whatever the broker speaks; knows addresses, queues, threads and sockets, no protocol and no role.

Its event loop runs in a thread of its own. The connection is made again whenever it is lost; what was under way then comes back with
a flaw, so that nobody waits for it. See docs/wires.md.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Sequence
from contextlib import suppress
from typing import Any
from urllib.parse import quote, unquote, urlsplit

from harness.backhaul.broker_dialect import Accepted, Arrived, Broker, BrokerBounds, Dialect, Failed, Happening, Ready, Refused, Speak
from harness.backhaul.broker_ledger import REPLIES, Ledger
from harness.backhaul.carrier import Deliver, Parcel
from harness.backhaul.tls import reason_of
from harness.errors import BenchError

CHUNK = 1 << 16
FAREWELL = 0.5  # seconds for the broker to close the connection after we have said goodbye
CLOSING = 5.0  # seconds that closing may take; only a `deliver` that hangs needs more
RETRY = 0.25, 2.0  # seconds between two attempts to connect, at first and at most


class BrokerCarrier:
    """One side of a broker: listens at the queue of each place and at its queue of replies, and publishes to any queue.

    `name` is what parcels call the transport and the scheme of an address ("amqp", "stomp"; with TLS "amqps", "stomps"). Raises
    InputError for certificates that do not do.
    """

    def __init__(self, name: str, speak: Speak, deliver: Deliver, places: Sequence[str], broker: Broker, bounds: BrokerBounds) -> None:
        self._broker, self._bounds, self._speak, self._deliver = broker, bounds, speak, deliver
        self._tls = broker.tls.for_client() if broker.tls else None
        self._scheme = name + ("s" if broker.tls else "")
        self._places = {broker.prefix + place: place for place in places}
        self._ledger = Ledger(name, bounds)
        self._waiting: list[Parcel] = []  # for a connection
        self._dialect: Dialect | None = None
        self._writer: asyncio.StreamWriter | None = None
        self._ready = False
        self._failure = f"{self._where} has not answered yet"
        self._final = False
        self._stop = asyncio.Event()
        self._wake = asyncio.Event()  # something has a new deadline
        self._known = threading.Condition()  # of `_ready` and `_final`
        self._closed = False
        self._lock = threading.Lock()  # of `_closed` against a loop that ends
        self._fault: Exception | None = None  # what `deliver` raised, or a mistake of ours
        self._loop = asyncio.new_event_loop()
        self._loop.set_exception_handler(self._broken)
        self._thread = threading.Thread(target=self._run, name=f"{name} carrier", daemon=True)
        self._thread.start()

    # -- from any thread

    def address_of(self, place: str) -> str:
        """The address under which others reach a local party, as `amqp://host:port/queue`."""
        return f"{self._where}/{quote(self._broker.prefix + place, safe='')}"

    def send(self, parcel: Parcel) -> None:
        """Publish a request (with `exchange`), an event (without) or an answer (with `answers`); see `Carrier.send`.

        `about["properties"]` may set "content-type", "subject", "message-id", "correlation-id" and "reply-to", and has whatever
        else is to travel as a property of the application. Where "reply-to" is set to anything but our own queue of replies, no
        answer is waited for: the broker's acceptance comes back as an empty body.
        """
        with self._lock:
            if not self._closed:
                self._loop.call_soon_threadsafe(self._post, parcel)
                return
        self._deliver(self._ledger.refusal(parcel, "the carrier is closed"))

    def drop(self, exchange: str) -> None:
        """Forget an exchange, which is how a peer at a broker falls silent."""
        with self._lock:
            if not self._closed:
                self._loop.call_soon_threadsafe(self._ledger.drop, exchange)

    def wait_until_connected(self, seconds: float | None = None) -> None:
        """Return when every queue is listened at. Raises BenchError saying why that is not so after `seconds` (or `connect_within`)."""
        with self._known:
            self._known.wait_for(lambda: self._ready or self._final, self._bounds.connect_within if seconds is None else seconds)
            if not self._ready:
                raise BenchError(self._failure)

    def close(self) -> None:
        """Let go of the socket and the thread. May be called twice; never raises."""
        with self._lock:
            if not self._closed:
                self._closed = True
                self._loop.call_soon_threadsafe(self._stop.set)
        if threading.current_thread() is not self._thread:
            self._thread.join(CLOSING)

    # -- the thread

    @property
    def _where(self) -> str:
        host = f"[{self._broker.host}]" if ":" in self._broker.host else self._broker.host
        return f"{self._scheme}://{host}:{self._broker.port}"

    def _run(self) -> None:
        try:
            self._loop.run_until_complete(self._live())
        finally:
            with self._lock:
                self._closed = True
            self._loop.close()

    async def _live(self) -> None:
        tasks = [asyncio.ensure_future(each) for each in (self._stay_connected(), self._watch_deadlines(), self._stop.wait())]
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        with self._lock:
            self._closed = True
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        self._lost("the carrier was closed")
        for task in done:
            task.result()
        if self._fault is not None:
            raise self._fault

    def _broken(self, loop: asyncio.AbstractEventLoop, told: dict[str, Any]) -> None:
        self._fault = told.get("exception") or RuntimeError(told["message"])
        self._stop.set()

    async def _stay_connected(self) -> None:
        pause = RETRY[0]
        while not self._final:
            try:
                async with asyncio.timeout(self._bounds.connect_within):
                    reader, self._writer = await asyncio.open_connection(
                        self._broker.host, self._broker.port, ssl=self._tls, limit=CHUNK,
                    )
            except (OSError, TimeoutError) as fault:  # ssl.SSLError is an OSError
                self._lost(f"{self._where} cannot be reached: {'no answer' if isinstance(fault, TimeoutError) else reason_of(fault)}")
            else:
                self._dialect = self._speak(self._broker, [*self._places, *(queue + REPLIES for queue in self._places)], self._bounds)
                try:
                    why = await self._converse(reader, self._dialect)
                    pause = RETRY[0] if self._ready else pause
                    self._lost(why)
                finally:
                    await self._hang_up(reader)
            if not self._final:
                await asyncio.sleep(pause)
                pause = min(2 * pause, RETRY[1])
        await self._stop.wait()

    async def _converse(self, reader: asyncio.StreamReader, dialect: Dialect) -> str:
        """Until the connection is of no use; says why it is not."""
        dialect.begin()
        until = self._loop.time() + self._bounds.connect_within
        while True:
            try:
                async with asyncio.timeout_at(None if self._ready else until):
                    await self._flush()
                    octets = await reader.read(CHUNK)
            except TimeoutError:
                return f"{self._where}: no connection within {self._bounds.connect_within:g} s"
            except OSError as fault:
                return f"{self._where}: the connection broke ({reason_of(fault)})"
            if not octets:
                return f"{self._where}: the broker closed the connection"
            for happening in dialect.receive(octets, self._loop.time()):
                if isinstance(happening, Failed):
                    self._final = happening.final
                    return f"{self._where}: {happening.reason}"
                self._happened(happening, dialect)

    def _happened(self, happening: Happening, dialect: Dialect) -> None:
        back: Parcel | None = None
        match happening:
            case Ready():
                self._ready = True
                with self._known:
                    self._known.notify_all()
                waiting, self._waiting = self._waiting, []
                for parcel in waiting:
                    self._post(parcel)
            case Arrived(letter, delivery, flaw):
                if (place := self._places.get(letter.queue)) is not None:
                    back = self._ledger.arrival(place, letter, flaw)
                else:
                    back = self._ledger.answer(self._places[letter.queue.removesuffix(REPLIES)], letter, flaw)
                self._deliver(back)
                dialect.acknowledge(delivery)  # only now: until then it is the broker's
                return
            case Accepted(tag):
                back = self._ledger.accepted(tag)
            case Refused(tag, reason):
                back = self._ledger.refused(tag, f"{self._where} refused it: {reason}")
        if back is not None:
            self._deliver(back)

    async def _flush(self) -> None:
        self._push()
        if self._writer is not None:
            await self._writer.drain()

    def _push(self) -> None:
        """Hand over to the socket what the dialect has to say."""
        if self._dialect is not None and self._writer is not None:
            self._writer.write(self._dialect.to_send(self._loop.time()))
            self._wake.set()

    def _post(self, parcel: Parcel) -> None:
        if self._final or self._ledger.full() or len(self._waiting) >= self._bounds.waiting:
            why = self._failure if self._final else f"more than {self._bounds.waiting} parcels wait at {self._where}"
            self._deliver(self._ledger.refusal(parcel, why))
        elif not self._ready or self._dialect is None:
            self._waiting.append(parcel)
        else:
            queue, why = self._queue_for(parcel)
            if why:
                self._deliver(self._ledger.refusal(parcel, why))
                return
            own_replies = self._broker.prefix + parcel.place + REPLIES
            self._dialect.publish(*self._ledger.put(parcel, queue, own_replies, self._loop.time()))
            self._push()

    def _queue_for(self, parcel: Parcel) -> tuple[str, str]:
        """Where a parcel goes, or why it goes nowhere."""
        if parcel.answers:
            exchange = self._ledger.exchange(parcel.answers)
            return (exchange.reply_to, "") if exchange else ("", f"{parcel.answers!r} is no exchange that can be answered")
        if parcel.exchange and self._broker.prefix + parcel.place not in self._places:
            return "", f"nobody listens for answers to {parcel.place!r}"
        if "://" not in parcel.address:
            return parcel.address, "" if parcel.address else "a parcel without an address"
        try:
            parts = urlsplit(parcel.address)
            at, queue = (parts.scheme, parts.hostname, parts.port), unquote(parts.path.removeprefix("/"))
        except ValueError as fault:
            return "", f"{parcel.address}: {fault}"
        if at != (self._scheme, self._broker.host.lower(), self._broker.port) or not queue:
            return "", f"{parcel.address} is no queue at {self._where}"
        return queue, ""

    def _lost(self, why: str) -> None:
        """There is no connection: everything under way comes back."""
        with self._known:
            self._ready, self._failure = False, why
            self._known.notify_all()
        waiting, self._waiting = self._waiting, []
        for parcel in [*self._ledger.lost(why), *(self._ledger.refusal(each, why) for each in waiting)]:
            self._deliver(parcel)

    async def _hang_up(self, reader: asyncio.StreamReader) -> None:
        writer, dialect, self._writer, self._dialect = self._writer, self._dialect, None, None
        if writer is None or dialect is None:
            return
        with suppress(OSError, TimeoutError):
            async with asyncio.timeout(FAREWELL):
                dialect.end()
                writer.write(dialect.to_send(self._loop.time()))
                while octets := await reader.read(CHUNK):  # a message that comes now is not ours: the broker keeps it
                    if any(isinstance(happening, Failed) for happening in dialect.receive(octets, self._loop.time())):
                        break
        writer.transport.abort()

    async def _watch_deadlines(self) -> None:
        while True:
            due = [each for each in (self._ledger.deadline(), self._dialect and self._dialect.deadline()) if each]
            with suppress(TimeoutError):
                async with asyncio.timeout_at(min(due, default=None)):
                    await self._wake.wait()
            self._wake.clear()
            for parcel in list(self._ledger.overdue(self._loop.time())):
                self._deliver(parcel)
            if self._dialect is not None and (due_at := self._dialect.deadline()) and due_at <= self._loop.time():
                self._push()
