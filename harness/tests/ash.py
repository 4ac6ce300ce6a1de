"""The stick's end of ASH, the line protocol under EZSP (Silicon Labs UG101), for tests: written from that, not from bellows.

Octets in, EZSP frames out, and the other way round; it opens nothing and has no timers: who is not acknowledged is sent again when
the host asks for it.
"""

from __future__ import annotations

from binascii import crc_hqx
from collections import deque

FLAG, ESCAPE, XON, XOFF, SUBSTITUTE, CANCEL = 0x7E, 0x7D, 0x11, 0x13, 0x18, 0x1A
RESERVED = (FLAG, ESCAPE, XON, XOFF, SUBSTITUTE, CANCEL)
ACK, NAK, RST, RSTACK, ERROR = 0x80, 0xA0, 0xC0, 0xC1, 0xC2
VERSION = 2
POWERED_ON, ASKED_TO, ASSERTED = 0x02, 0x0B, 0x0C  # why a stick was reset
WINDOW = 5  # frames that may be on their way without an acknowledgement


class Ash:
    """One stick's end of the line; `out` is what goes to the host."""

    def __init__(self) -> None:
        self.out = bytearray()
        self.corrupted = 0  # frames of the host's that came spoilt
        self._piece = bytearray()
        self._spoilt = False
        self._restart()

    def _restart(self) -> None:
        self._expected = self._sent = 0  # sequence numbers: of the next frame to come, of the next to go
        self._unacknowledged: deque[tuple[int, bytes]] = deque()
        self._waiting: deque[bytes] = deque()

    def reset(self, why: int) -> None:
        """The firmware begins anew, and says so."""
        self._restart()
        self._write(bytes([RSTACK, VERSION, why]))

    def fail(self, why: int) -> None:
        """The firmware has stopped for good, and says so."""
        self._write(bytes([ERROR, VERSION, why]))

    def send(self, frame: bytes) -> None:
        """An EZSP frame to the host."""
        self._waiting.append(frame)
        self._go_on()

    def feed(self, octets: bytes) -> list[bytes | None]:
        """What the host says: its EZSP frames, and None where it resets the stick."""
        frames: list[bytes | None] = []
        for octet in octets:
            if octet == CANCEL:
                self._piece.clear()
            elif octet == SUBSTITUTE:
                self._spoilt = True
            elif octet == FLAG:
                frames += self._take(bytes(self._piece))
                self._piece.clear()
                self._spoilt = False
            elif octet not in (XON, XOFF):
                self._piece.append(octet)
        return frames

    def _take(self, stuffed: bytes) -> list[bytes | None]:
        piece = _unstuffed(stuffed)
        if not piece:
            return []
        if self._spoilt or len(piece) < 3 or crc_hqx(piece[:-2], 0xFFFF) != int.from_bytes(piece[-2:], "big"):
            self.corrupted += 1
            self._write(bytes([NAK | self._expected]))
            return []
        control, data = piece[0], piece[1:-2]
        if control == RST:
            self.reset(ASKED_TO)
            return [None]
        self._acknowledged(control & 7)
        if control & 0x80:
            if control & 0xE0 == NAK:
                for number, frame in self._unacknowledged:
                    self._data(number, frame, again=True)
            return []
        if control >> 4 & 7 != self._expected:  # one that came already, or behind one that was spoilt
            self._write(bytes([(ACK if control & 8 else NAK) | self._expected]))
            return []
        self._expected = (self._expected + 1) % 8
        self._write(bytes([ACK | self._expected]))
        return [_randomized(data)]

    def _acknowledged(self, upto: int) -> None:
        while self._unacknowledged and self._unacknowledged[0][0] != upto and (upto - self._unacknowledged[0][0]) % 8 <= WINDOW:
            self._unacknowledged.popleft()
        self._go_on()

    def _go_on(self) -> None:
        while self._waiting and len(self._unacknowledged) < WINDOW:
            frame, number = self._waiting.popleft(), self._sent
            self._sent = (self._sent + 1) % 8
            self._unacknowledged.append((number, frame))
            self._data(number, frame, again=False)

    def _data(self, number: int, frame: bytes, *, again: bool) -> None:
        self._write(bytes([number << 4 | again << 3 | self._expected]) + _randomized(frame))

    def _write(self, piece: bytes) -> None:
        whole = piece + crc_hqx(piece, 0xFFFF).to_bytes(2, "big")
        for octet in whole:
            self.out += bytes([ESCAPE, octet ^ 0x20]) if octet in RESERVED else bytes([octet])
        self.out.append(FLAG)


def _unstuffed(stuffed: bytes) -> bytes:
    whole, escaped = bytearray(), 0
    for octet in stuffed:
        if octet == ESCAPE:
            escaped = 0x20
        else:
            whole.append(octet ^ escaped)
            escaped = 0
    return bytes(whole)


def _randomized(data: bytes) -> bytes:
    """Its own inverse."""
    made, random = bytearray(), 0x42
    for octet in data:
        made.append(octet ^ random)
        random = random >> 1 ^ (0xB8 if random & 1 else 0)
    return bytes(made)
