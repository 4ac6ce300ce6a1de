"""Leg messages on a stream: where one ends and the next begins; sans-I/O, knows no message and no socket.

A codec that frames its messages itself says how long each is (`LegCodec.length`). All others are preceded by their length, 4
octets, most significant first. What cannot be taken apart ends the stream, for nobody knows where the next message begins.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import NamedTuple

from harness.errors import BenchError, RemoteProtocolError

PREFIX = 4  # octets of our own length field
Length = Callable[[bytes], int | None]


class Piece(NamedTuple):
    """One message off a stream, or (with a flaw) what came in place of one."""

    octets: bytes
    flaw: str = ""


def framed(message: bytes, length: Length | None) -> bytes:
    """A message as it goes onto a stream."""
    return message if length is not None else len(message).to_bytes(PREFIX, "big") + message


class Splitter:
    """One stream, taken apart as it comes. Holds no more than `largest` octets and what came with the last of them.

    `broken` is true once nothing further can be taken from it.
    """

    def __init__(self, length: Length | None, largest: int) -> None:
        self._length = length
        self._largest = largest
        self._came = bytearray()
        self._expected: int | None = None  # octets of the message that is coming, its prefix included
        self.broken = False

    @property
    def pending(self) -> int:
        """How many octets have come of a message that is not yet whole."""
        return len(self._came)

    def feed(self, octets: bytes) -> Iterator[Piece]:
        """Every message that is whole now, and one last piece where the stream breaks."""
        if self.broken:
            return
        self._came += octets
        while self._came:
            flaw = self._measure()
            if flaw:
                self.broken = True
                yield Piece(self.rest(), flaw)
            elif self._expected is None or len(self._came) < self._expected:
                return
            else:
                whole = bytes(self._came[0 if self._length is not None else PREFIX: self._expected])
                del self._came[: self._expected]
                self._expected = None
                yield Piece(whole, "" if whole else "an empty message")

    def rest(self) -> bytes:
        """What came of a message that will never be whole; it is handed over and forgotten."""
        came = bytes(self._came)
        self._came.clear()
        return came

    def _measure(self) -> str:
        """Learn how long the message at the beginning is; returns what is wrong with it."""
        if self._expected is not None:
            return ""
        if self._length is None:
            length = int.from_bytes(self._came[:PREFIX], "big") if len(self._came) >= PREFIX else None
            before = PREFIX
        else:
            before = 0
            try:
                length = self._length(bytes(self._came))
            except (RemoteProtocolError, BenchError) as fault:
                return f"begins no message: {fault}"
            if length is not None and length <= 0:
                return f"begins no message: its codec gives it {length} octets"
        if length is None:
            too_long = len(self._came) > self._largest + before
            return f"no message ends within {self._largest} octets" if too_long else ""
        if length > self._largest:
            return f"announces a message of {length} octets; at most {self._largest} are taken"
        self._expected = before + length
        return ""
