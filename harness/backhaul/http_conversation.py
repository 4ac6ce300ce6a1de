"""What is said on one connection that a peer opened: request after request, each passed on, answered from a table, or refused.

Knows places, documents and credentials; no message format. Whatever is refused is delivered as well, with the flaw.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Any, Protocol
from urllib.parse import unquote

import h11

from harness.backhaul.authentication import Credentials, octets_to_show
from harness.backhaul.carrier import Deliver, Parcel
from harness.backhaul.http_bounds import HttpBounds
from harness.backhaul.http_wire import Arrived, HttpWire, about, response

Document = tuple[str, bytes]  # content type, octets

_TARGET = re.compile(r"(?:https?://[^/?]*)?(?P<path>[^?]*)(?P<query>(?:\?.*)?)", re.DOTALL)
_EARLY = "it came before the request before it was answered (pipelined)"
_CHALLENGE = {"www-authenticate": 'Basic realm="HANproof", charset="UTF-8"'}


@dataclass(frozen=True)
class Service:
    """What is served: at which places, with which documents beside them, to whom, within which bounds.

    A document is asked for by its target, with the path decoded and the query in lower case: "/ami head-end?wsdl".
    """

    places: Collection[str]
    documents: Callable[[str], Document | None]
    asks: Credentials | None
    bounds: HttpBounds


class Exchanges(Protocol):
    """Who keeps the exchanges that wait for an answer."""

    def hold(self) -> tuple[str, asyncio.Future[Parcel | None]]:
        """A new exchange: its token, and what becomes of it (None: dropped)."""

    def release(self, token: str) -> None:
        """The exchange is over, whether it was answered or not."""


class Conversation:
    """One connection from its first request to its end."""

    def __init__(self, wire: HttpWire, service: Service, exchanges: Exchanges, deliver: Deliver) -> None:
        self._wire, self._service, self._exchanges, self._deliver = wire, service, exchanges, deliver

    async def run(self) -> None:
        """Until one side has enough; what then still came is delivered as it came."""
        goes_on, within = True, self._service.bounds.arrival  # who connects has something to say; later it may take its time
        while goes_on:
            early = _EARLY if self._wire.unread else ""
            if not await self._wire.begins(within):
                break
            within = self._service.bounds.idle
            arrived = await self._wire.arrive(self._service.bounds.arrival)
            goes_on = await self._treat(arrived, early)
            if not goes_on and not arrived.flaw and (surplus := octets_to_show(self._wire.unread)):
                self._deliver(Parcel(surplus, flaw=f"{len(surplus)} octets came after the last request that was read of a connection"))
        await self._wire.part()

    async def _treat(self, arrived: Arrived, early: str) -> bool:
        """Pass one request on and see to its answer, or refuse it; whether the connection goes on."""
        request = arrived.head if isinstance(arrived.head, h11.Request) else None
        path, query = ("", "") if request is None else _split(request.target)
        place = path.strip("/")
        parcel = Parcel(
            arrived.octets, place if place in self._service.places else "", about=about(request), flaw=arrived.flaw or early,
        )
        if request is None or arrived.flaw:
            await self._refuse(parcel, arrived.status, {"connection": "close"})
            await self._wire.part(patiently=True)
            return False
        if self._service.asks and not self._service.asks.match(dict(request.headers).get(b"authorization", b"")):
            return await self._refuse(replace(parcel, flaw="no credentials, or wrong ones"), 401, _CHALLENGE)
        if request.method == b"GET":
            document = self._service.documents(path + query.lower())  # tools spell it ?WSDL as well
            if document is not None:
                return await self._respond(parcel, 200, {"content-type": document[0]}, document[1])
            return await self._refuse(replace(parcel, flaw="there is no such document"), 404)
        if request.method != b"POST":
            return await self._refuse(replace(parcel, flaw="only POST and GET are served"), 405, {"allow": "GET, POST"})
        if not parcel.place:
            return await self._refuse(replace(parcel, flaw="there is no such place"), 404)
        return await self._hold(parcel)

    async def _hold(self, parcel: Parcel) -> bool:
        """Deliver a request and wait until it is answered or dropped, watching whether the peer stays."""
        token, waiting = self._exchanges.hold()
        watching = asyncio.create_task(self._wire.watch())
        limit = self._service.bounds.hold
        try:
            async with asyncio.timeout(limit):
                self._deliver(replace(parcel, exchange=token))
                both: list[asyncio.Future[Any]] = [waiting, watching]
                await asyncio.wait(both, return_when=asyncio.FIRST_COMPLETED)
                if not waiting.done() and (left := watching.result()):
                    self._deliver(Parcel(b"", parcel.place, answers=token, flaw=left))
                    if self._wire.gone():
                        return False
                answer = await waiting  # a peer that closed its own side only may still be listening
        except TimeoutError:
            flaw = f"we did not answer it within {limit:g} s, and closed it"
            self._deliver(Parcel(b"", parcel.place, answers=token, flaw=flaw, unsent=True))
            return False
        finally:
            self._exchanges.release(token)
            watching.cancel()
            await asyncio.wait([watching])  # the next request is read by somebody else
        if answer is None:
            return False
        status = answer.about.get("status", 200 if answer.octets else 202)
        return await self._respond(replace(parcel, answers=token), status, answer.about.get("headers", {}), answer.octets)

    async def _refuse(self, parcel: Parcel, status: int, headers: Mapping[str, str] = MappingProxyType({})) -> bool:
        """Deliver a request with its flaw, and tell the peer the same in words."""
        self._deliver(parcel)
        words = b"" if parcel.about.get("method") == "HEAD" else f"{parcel.flaw}\n".encode()
        return bool(status) and await self._respond(parcel, status, {"content-type": "text/plain", **headers}, words)

    async def _respond(self, parcel: Parcel, status: int | str, headers: Mapping[str, str], octets: bytes) -> bool:
        """Send a response; whether another request can follow. What goes wrong comes back as a flaw on the exchange."""
        try:
            self._wire.say(*response(int(status), headers, octets))
            flaw = await self._wire.taken()
        except (h11.LocalProtocolError, ValueError) as fault:
            flaw = f"our answer is none in HTTP, so the connection was closed instead: {fault}"
        if flaw:
            self._deliver(Parcel(b"", parcel.place, answers=parcel.answers, flaw=flaw))
        return not flaw and self._wire.next_cycle()


def _split(target: bytes) -> tuple[str, str]:
    """Path and query (with its question mark) of a request's target; urllib would raise on what a peer may send."""
    found = _TARGET.fullmatch(target.decode("latin-1"))
    return (unquote(found["path"]), found["query"]) if found else ("", "")
