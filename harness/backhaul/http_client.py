"""The calling half of the HTTP carrier: posts a parcel on a connection of its own, and delivers whatever becomes of it.

Knows addresses and octets; no message format. Runs in the carrier's event loop, and only there. Redirects are not followed: where
a message goes is the bench's to say.
"""

from __future__ import annotations

import asyncio
import socket
import ssl
from typing import NamedTuple
from urllib.parse import urlsplit
from weakref import WeakValueDictionary

import h11

from harness.backhaul.authentication import Credentials, octets_to_show
from harness.backhaul.carrier import Deliver, Parcel
from harness.backhaul.errands import Errands
from harness.backhaul.http_bounds import HttpBounds
from harness.backhaul.http_wire import READ, HttpWire, about, body, fields
from harness.backhaul.tls import reason_of

TIMED_OUT = 408  # what `Arrived.status` says of a peer that kept us waiting


class _Address(NamedTuple):
    encrypted: bool
    host: str
    port: int
    authority: str
    target: str


class HttpClient:
    """Sends to whoever a parcel names, `waiting` at most at once. `shows` goes with every request."""

    def __init__(
        self, encryption: ssl.SSLContext | None, shows: Credentials | None, bounds: HttpBounds, deliver: Deliver, errands: Errands,
    ) -> None:
        self._encryption, self._shows, self._bounds, self._deliver, self._errands = encryption, shows, bounds, deliver, errands
        self._under_way = 0
        self._turns: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    def send(self, parcel: Parcel) -> None:
        """Post it; returns at once."""
        if self._under_way >= self._bounds.waiting:
            self._tell(parcel, f"{self._under_way} parcels are on their way already; it was not sent", unsent=True)
            return
        self._under_way += 1
        self._errands.start(self._post(parcel))

    def _tell(self, parcel: Parcel, flaw: str, octets: bytes = b"", *, unsent: bool = False) -> None:
        about = {"name": "http"}
        self._deliver(Parcel(octets, parcel.place, answers=parcel.exchange, about=about, flaw=flaw, unsent=unsent))

    async def _post(self, parcel: Parcel) -> None:
        try:
            address = _address(parcel.address)
            wire = await self._say(parcel, address)
            try:
                await self._hear(parcel, wire, encrypted=address.encrypted)
            finally:
                wire.abort()
        except _Unsent as fault:
            self._tell(parcel, str(fault), unsent=True)
        finally:
            self._under_way -= 1

    async def _say(self, parcel: Parcel, address: _Address) -> HttpWire:
        """Connect and write the request. One at a time to one peer: what is sent first shall arrive first."""
        turn = self._turns.setdefault(address.authority, asyncio.Lock())
        async with turn:
            wire = await self._connected(address)
            headers = {"host": address.authority, "connection": "close"}
            if self._shows is not None:
                headers["authorization"] = self._shows.header()
            headers |= {str(name).lower(): str(value) for name, value in parcel.about.get("headers", {}).items()}
            try:
                request = h11.Request(method="POST", target=address.target, headers=fields(headers, parcel.octets))
                wire.say(request, *body(parcel.octets))
            except (h11.LocalProtocolError, ValueError):  # their words may repeat a header's
                wire.abort()
                raise _Unsent("its target or a header is none in HTTP; it was not sent") from None
            return wire

    async def _connected(self, address: _Address) -> HttpWire:
        where = f"{address.host}:{address.port}"
        try:
            async with asyncio.timeout(self._bounds.connect):
                reader, writer = await asyncio.open_connection(
                    address.host, address.port, limit=READ, ssl=self._encryption if address.encrypted else None,
                )
        except TimeoutError:
            raise _Unsent(f"no connection to {where} within {self._bounds.connect:g} s") from None
        except (socket.gaierror, UnicodeError):
            raise _Unsent(f"the name {address.host} is unknown") from None
        except ConnectionRefusedError:
            raise _Unsent(f"{where} refuses connections") from None
        except ssl.SSLError as fault:
            raise _Unsent(f"the TLS handshake with {where} failed: {reason_of(fault)}") from None
        except OSError as fault:
            raise _Unsent(f"no connection to {where}: {reason_of(fault)}") from None
        return HttpWire(h11.CLIENT, reader, writer, self._bounds)

    async def _hear(self, parcel: Parcel, wire: HttpWire, *, encrypted: bool) -> None:
        """Deliver the answer, and what comes after it, which nobody asked for."""
        arrived = await wire.arrive(self._bounds.answer)
        if encrypted and arrived.flaw and not (arrived.head or arrived.octets or arrived.status == TIMED_OUT):  # how TLS 1.3 shuts us out
            self._tell(parcel, f"{arrived.flaw}; it may not have taken our certificate, or the lack of one", unsent=True)
            return
        self._deliver(Parcel(arrived.octets, parcel.place, answers=parcel.exchange, about=about(arrived.head), flaw=arrived.flaw))
        if not arrived.flaw and (surplus := octets_to_show(await wire.rest())):
            self._tell(parcel, f"{len(surplus)} octets came after the answer was complete", surplus)
        await wire.part()


class _Unsent(Exception):
    """Why a parcel could not be sent, in one sentence."""


def _address(url: str) -> _Address:
    """Where a URL leads. Raises _Unsent for one that is none of HTTP; its message never repeats a password."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise _Unsent("the address is no URL") from None
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise _Unsent("the address is no http:// or https:// URL with a host")
    if "@" in parts.netloc:
        raise _Unsent("the address holds a user or password; credentials are given to the carrier instead")
    encrypted = parts.scheme == "https"
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    return _Address(encrypted, parts.hostname, port or (443 if encrypted else 80), parts.netloc, target)
