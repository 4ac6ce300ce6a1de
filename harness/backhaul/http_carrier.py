"""HTTP/1.1 as a real wire: one listening socket and any number of calls, in one thread; knows octets, headers and addresses only.

What a peer does wrong, and what fails on the way, is delivered as a parcel with a flaw. What a message means is nobody's here.
"""

from __future__ import annotations

import asyncio
import socket
import sys
import threading
from collections.abc import Callable, Collection, Mapping
from types import MappingProxyType
from typing import Any
from urllib.parse import quote

from harness.backhaul.authentication import Credentials
from harness.backhaul.carrier import Deliver, Parcel
from harness.backhaul.errands import Errands
from harness.backhaul.http_bounds import DEFAULT_BOUNDS, HttpBounds
from harness.backhaul.http_client import HttpClient
from harness.backhaul.http_conversation import Document, Service
from harness.backhaul.http_server import HttpServer
from harness.backhaul.tls import Tls, public, reason_of
from harness.errors import BenchError, InputError

LOOPBACK = "127.0.0.1"
BACKLOG = 128  # connections that the system holds until they are accepted: Linux' own upper limit was that for long
CLOSING = 5.0  # seconds that closing may take; only a name look-up that hangs needs more, and it is left alone then

Documents = Mapping[str, Document] | Callable[[str], Document | None]  # as `Service` asks for them

_EVERYWHERE = ("", "0.0.0.0", "::")


class HttpCarrier:
    """A `Carrier`. `places` are the local parties that can be posted to; GET is answered from `documents`.

    `host` and `port` are listened on (port 0: any free one); `known_as` is the host that others are told, where it is another.
    With `tls` the server speaks HTTPS; calls go by the scheme of their address, and trust the system's authorities where no
    `tls` says whom. `asks` is demanded of every request, `shows` goes with each of ours. Raises BenchError when the port cannot be
    had, InputError for settings that do not fit together.
    """

    def __init__(
        self, deliver: Deliver, places: Collection[str] = (), *, host: str = LOOPBACK, port: int = 0, known_as: str = "",
        documents: Documents = MappingProxyType({}), tls: Tls | None = None, asks: Credentials | None = None,
        shows: Credentials | None = None, bounds: HttpBounds = DEFAULT_BOUNDS,
    ) -> None:
        if host in _EVERYWHERE and not known_as:
            raise InputError("http: listening on every interface needs `known_as`, the name under which others reach this host")
        served = tls.for_server() if tls is not None and tls.certificate is not None else None
        called = tls.for_client() if tls is not None else public()
        self._deliver_to, self._closed, self._closing = deliver, False, threading.Lock()
        listener = _listen(host, port)
        self._scheme = "https" if served is not None else "http"
        self._authority = f"{_bracketed(known_as or host)}:{listener.getsockname()[1]}"
        errands = Errands(self._astray)
        found = documents.get if isinstance(documents, Mapping) else documents
        service = Service(frozenset(places), found, asks, bounds)
        self._server = HttpServer(listener, served, service, self._deliver, errands)
        self._client = HttpClient(called, shows, bounds, self._deliver, errands)
        self._loop = asyncio.new_event_loop()
        self._loop.set_exception_handler(lambda _, told: self._astray(told.get("exception"), told["message"]))
        self._stop = asyncio.Event()
        self._thread = threading.Thread(target=self._run, args=(listener, errands), name=f"http {self._authority}", daemon=True)
        self._thread.start()

    @property
    def refused(self) -> int:
        """How many connections were refused because there were too many."""
        return self._server.refused

    def address_of(self, place: str) -> str:
        """The URL under which others reach a local party."""
        return f"{self._scheme}://{self._authority}/{quote(place)}"

    def send(self, parcel: Parcel) -> None:
        """Send a request or an event to its `address`, or answer the exchange that it `answers`; returns at once.

        An answer takes `about` "status" (200, or 202 without a body, where it says none) and "headers"; a request takes "headers".
        """
        self._call(self._server.answer if parcel.answers else self._client.send, parcel, parcel.answers or parcel.exchange)

    def drop(self, exchange: str) -> None:
        """Close an exchange without an answer."""
        self._call(self._server.drop, exchange, "")

    def close(self) -> None:
        """Let go of sockets and the thread; nothing is delivered after that."""
        with self._closing:
            if not self._closed:
                self._closed = True
                self._loop.call_soon_threadsafe(self._stop.set)
        if threading.current_thread() is not self._thread:
            self._thread.join(CLOSING)

    def _call(self, what: Callable[[Any], None], with_this: Any, token: str) -> None:
        with self._closing:
            if not self._closed:
                self._loop.call_soon_threadsafe(what, with_this)
                return
        if token:
            self._deliver_to(Parcel(b"", answers=token, flaw="this side of the wire is closed; it was not sent", unsent=True))

    def _run(self, listener: socket.socket, errands: Errands) -> None:
        try:
            self._loop.run_until_complete(self._serve(errands))
            self._loop.run_until_complete(self._loop.shutdown_default_executor())
        finally:
            listener.close()
            self._loop.close()

    async def _serve(self, errands: Errands) -> None:
        errands.start(self._server.serve())
        await self._stop.wait()
        await errands.end()

    def _deliver(self, parcel: Parcel) -> None:
        if self._closed:
            return
        try:
            self._deliver_to(parcel)
        except Exception:  # who receives is at fault, and nobody here can tell him: shown like any fault of a thread
            threading.excepthook(threading.ExceptHookArgs((*sys.exc_info(), self._thread)))

    def _astray(self, fault: BaseException | None, said: str = "") -> None:
        """What went wrong on our side and nobody waits for; it shall be seen, and the wire shall go on."""
        reason = reason_of(fault) if isinstance(fault, Exception) else said
        self._deliver(Parcel(b"", flaw=f"a fault of HANproof's own in the carrier: {type(fault).__name__}: {reason}", unsent=True))


def _listen(host: str, port: int) -> socket.socket:
    try:
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        listener = socket.create_server((host, port), family=family, backlog=BACKLOG)
    except (OSError, OverflowError) as fault:
        raise BenchError(f"http: {host}:{port} cannot be listened on: {reason_of(fault)}") from fault
    listener.setblocking(False)
    return listener


def _bracketed(host: str) -> str:
    return f"[{host}]" if ":" in host else host
