"""How the frames of an interface end: with their FCS, or with what a radio put in its place. Decodes no frame, judges nothing.

Some radios (TI's CC24xx and what was modelled on them) overwrite the FCS with RSSI, correlation and, in the highest bit, whether the FCS
was right, and their captures call that link type 195 all the same; others leave noughts there.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import replace

from dissectors import mac
from dissectors.capture import CapturedFrame

DOUBTS = 16  # frames of an interface, its first ones, of which none has a right FCS, so that it has none
SAYING_RIGHT = 12  # of these must say by their figures that they were heard rightly; of figures that are an FCS half would
RIGHT = 0x80  # in the last octet: the FCS was right
NOUGHTS = bytes(2)


class Endings:
    """Frames of each interface as soon as it is known how they end; what is in doubt waits for those after it."""

    def __init__(self) -> None:
        self._replaced: dict[int, bool] = {}  # by interface: whether something else stands in the place of the FCS
        self._doubted: dict[int, list[CapturedFrame]] = defaultdict(list)

    def settled(self, packet: CapturedFrame) -> Iterator[CapturedFrame]:
        """What can be read by now, this packet and those that waited: where an FCS was replaced and they were right, without any."""
        interface = packet.interface
        if packet.fcs != "present":
            yield packet
            return
        if interface not in self._replaced:
            doubted = self._doubted[interface]
            doubted.append(packet)
            if not _is_right(packet) and len(doubted) < DOUBTS:
                return
            saying = sum(map(_says_right, doubted)) >= SAYING_RIGHT
            self._replaced[interface] = len(doubted) == DOUBTS and saying and not any(map(_is_right, doubted))
            yield from (self._read(each) for each in self._doubted.pop(interface))
            return
        yield self._read(packet)

    def left(self) -> Iterator[CapturedFrame]:
        """What is still in doubt when nothing more comes, as it is."""
        for doubted in self._doubted.values():
            yield from doubted
        self._doubted.clear()

    def _read(self, packet: CapturedFrame) -> CapturedFrame:
        if self._replaced[packet.interface] and _says_right(packet):
            return replace(packet, octets=packet.octets[:-2], fcs="absent")
        return packet


def _is_right(packet: CapturedFrame) -> bool:
    return packet.octets[-2:] == mac.fcs(packet.octets[:-2])


def _says_right(packet: CapturedFrame) -> bool:
    return packet.octets[-2:] == NOUGHTS or bool(packet.octets[-1:] and packet.octets[-1] & RIGHT)
