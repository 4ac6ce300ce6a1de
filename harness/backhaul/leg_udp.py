"""Legs over UDP: one message a datagram, in one event loop; knows octets and addresses, no message and no role.

Whether a datagram arrives, and how often, UDP does not say: lost and repeated messages are the leg's affair.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass, field
from typing import Any

from harness.backhaul.addresses import joined, parted
from harness.backhaul.carrier import Deliver, Parcel
from harness.backhaul.leg_bounds import LegBounds, Pace

LARGEST_DATAGRAM = 65_535  # octets that one can have at all
Spawn = Callable[[Coroutine[Any, Any, None]], None]


@dataclass
class UdpLegs:
    """Every end of a carrier; lives in its event loop. `spawn` runs a coroutine beside the others until the loop ends."""

    deliver: Deliver
    bounds: LegBounds
    spawn: Spawn
    refused: int = 0
    _ends: dict[str, socket.socket] = field(default_factory=dict)
    _waiting: asyncio.Queue[Parcel] = field(default_factory=asyncio.Queue)  # one after the other, so that order is kept

    async def start(self, listeners: Mapping[str, socket.socket]) -> None:
        """Take datagrams for each place on its socket."""
        for place, own in listeners.items():
            self._ends[place] = own
            self.spawn(self._read(place, own))
        self.spawn(self._work())

    def stop(self) -> None:
        """There is nothing beside the sockets."""

    def send(self, parcel: Parcel) -> None:
        """Send a datagram from the socket of its place to its address, or back to where the one came from that it answers."""
        if self._waiting.qsize() < self.bounds.waiting:
            self._waiting.put_nowait(parcel)
        else:
            self._tell(parcel, parcel.address, f"{self.bounds.waiting} messages wait already")

    def drop(self, token: str) -> None:
        """There is no connection to close."""

    async def _work(self) -> None:
        while True:
            parcel = await self._waiting.get()
            address = parcel.answers.rpartition(" ")[2] if parcel.answers else parcel.address
            self._tell(parcel, address, await self._sent(parcel, address))

    async def _sent(self, parcel: Parcel, address: str) -> str:
        """Send one datagram; returns what went wrong."""
        own = self._ends.get(parcel.place)
        if own is None:
            return f"{parcel.place} has no end here"
        if not 0 < len(parcel.octets) <= self.bounds.largest:
            return f"{len(parcel.octets)} octets; a datagram has 1 to {self.bounds.largest}"
        loop = asyncio.get_running_loop()
        try:
            host, port = parted(address)
            async with asyncio.timeout(self.bounds.writing):
                found = await loop.getaddrinfo(host, port, family=own.family, type=socket.SOCK_DGRAM)
                await loop.sock_sendto(own, parcel.octets, found[0][4])
        except (OSError, ValueError) as fault:
            return f"{address}: {(getattr(fault, 'strerror', None) or str(fault) or 'took too long').lower()}"
        return ""

    def _tell(self, parcel: Parcel, address: str, flaw: str) -> None:
        if flaw or parcel.exchange:
            self.deliver(Parcel(b"", parcel.place, address, "", parcel.exchange, {"name": "udp"}, flaw, unsent=bool(flaw)))

    async def _read(self, place: str, own: socket.socket) -> None:
        loop, pace = asyncio.get_running_loop(), Pace(self.bounds.a_second)
        while True:
            try:
                octets, peer = await loop.sock_recvfrom(own, LARGEST_DATAGRAM)
            except ConnectionError:  # what some systems say when an earlier datagram of ours reached nobody
                continue
            name = joined(peer)
            flaw = "" if octets else "an empty datagram"
            if len(octets) > self.bounds.largest:
                flaw = f"a datagram of {len(octets)} octets; at most {self.bounds.largest} are taken"
            self.deliver(Parcel(octets, place, name, f"udp {name}", about={"name": "udp", "peer": name}, flaw=flaw))
            pause = pace.after_one(loop.time())
            if pause:
                await asyncio.sleep(pause)
