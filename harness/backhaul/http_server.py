"""The listening half of the HTTP carrier: lets peers in, and keeps the exchanges that wait for an answer.

Knows connections and tokens; what is said on a connection is `http_conversation`'s. Runs in the carrier's event loop, and only there.
"""

from __future__ import annotations

import asyncio
import socket
import ssl

import h11

from harness.backhaul.carrier import Deliver, Parcel
from harness.backhaul.errands import Errands
from harness.backhaul.http_conversation import Conversation, Service
from harness.backhaul.http_wire import READ, HttpWire, response
from harness.backhaul.tls import reason_of


class HttpServer:
    """Takes the connections of one listening socket. `refused` counts those that were too many."""

    def __init__(
        self, listener: socket.socket, encryption: ssl.SSLContext | None, service: Service, deliver: Deliver, errands: Errands,
    ) -> None:
        self.refused = 0
        self._listener, self._encryption, self._service, self._deliver, self._errands = listener, encryption, service, deliver, errands
        self._bounds = service.bounds
        host, port = listener.getsockname()[:2]
        self._name, self._count = f"{host}:{port}", 0
        self._open = self._leaving = 0
        self._flooded = False
        self._held: dict[str, asyncio.Future[Parcel | None]] = {}

    async def serve(self) -> None:
        """Accept connections until cancelled."""
        loop = asyncio.get_running_loop()
        while True:
            try:
                peer, _ = await loop.sock_accept(self._listener)
            except OSError as fault:  # out of file descriptors: when something of ours has ended, there may be one again
                self._deliver(Parcel(b"", flaw=f"a connection could not be accepted: {reason_of(fault)}", unsent=True))
                await self._errands.one_done(self._bounds.linger)
            else:
                self._let_in(peer)

    def hold(self) -> tuple[str, asyncio.Future[Parcel | None]]:
        """A new exchange: its token, and what becomes of it (None: dropped)."""
        self._count += 1
        token = f"http {self._name} #{self._count}"
        self._held[token] = waiting = asyncio.get_running_loop().create_future()
        return token, waiting

    def release(self, token: str) -> None:
        """The exchange is over, whether it was answered or not."""
        self._held.pop(token, None)

    def answer(self, parcel: Parcel) -> None:
        """Answer the exchange that a parcel names; where nobody waits for it (any more), that comes back as a flaw."""
        waiting = self._held.pop(parcel.answers, None)
        if waiting is None or waiting.done():
            flaw = "nobody waits for this answer; it was not sent"
            self._deliver(Parcel(b"", parcel.place, answers=parcel.answers, flaw=flaw, unsent=True))
        else:
            waiting.set_result(parcel)

    def drop(self, token: str) -> None:
        """Close the connection of an exchange without an answer."""
        waiting = self._held.pop(token, None)
        if waiting is not None and not waiting.done():
            waiting.set_result(None)

    def _let_in(self, peer: socket.socket) -> None:
        if self._open < self._bounds.connections:
            self._open += 1
            self._errands.start(self._attend(peer))
            return
        self.refused += 1
        if not self._flooded:
            self._flooded = True
            many = self._bounds.connections
            self._deliver(Parcel(b"", flaw=f"more than {many} connections at once: those that come now are refused with 503"))
        if self._encryption is None and self._leaving < self._bounds.connections:
            self._leaving += 1
            self._errands.start(self._turn_away(peer))
        else:
            peer.close()  # a handshake, or waiting until the 503 is heard, would cost what there is too little of

    async def _attend(self, peer: socket.socket) -> None:
        try:
            wire = await self._wire(peer, self._encryption)
            try:
                await Conversation(wire, self._service, self, self._deliver).run()
            finally:
                wire.abort()
        except OSError as fault:  # only from before the conversation, which turns its own into flaws
            self._deliver(Parcel(b"", flaw=f"a connection came to nothing: {reason_of(fault)}"))
        finally:
            peer.close()
            self._open -= 1
            if self._open <= self._bounds.connections // 2:
                self._flooded = False  # the burst is over; the next one is told again

    async def _turn_away(self, peer: socket.socket) -> None:
        try:
            wire = await self._wire(peer, None)
            wire.say(*response(503, {"connection": "close"}, b""))
            await wire.part(patiently=True)
        finally:
            self._leaving -= 1

    async def _wire(self, peer: socket.socket, encryption: ssl.SSLContext | None) -> HttpWire:
        """The streams of an accepted socket; by hand, since asyncio's own server keeps quiet about failed handshakes."""
        loop, reader = asyncio.get_running_loop(), asyncio.StreamReader(limit=READ)
        protocol = asyncio.StreamReaderProtocol(reader)
        limit = None if encryption is None else self._bounds.connect
        transport, _ = await loop.connect_accepted_socket(lambda: protocol, peer, ssl=encryption, ssl_handshake_timeout=limit)
        return HttpWire(h11.SERVER, reader, asyncio.StreamWriter(transport, protocol, reader, loop), self._bounds)
