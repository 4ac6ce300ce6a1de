"""Reading a trace: its octets decoded once, with the keys of the run, for every checker. Knows no clause, gives no verdict."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from itertools import islice
from typing import Any

from dissectors import mac, nwk, zdp
from dissectors.frame import Frame, decode
from dissectors.keyring import KeyRing
from dissectors.layer import Layer
from dissectors.security import WELL_KNOWN_LINK_KEY
from harness.errors import Inconclusive
from harness.remembered import Remembered
from harness.trace import LINK_KEY_KINDS, MISSING, UNKNOWN, Exchange, Trace, Unknown
from harness.usecase import Actor, Point
from harness.values import Eui64

NOBODY = Eui64(0)  # whose the key is that everybody knows
ACK_TIME = 0.002  # seconds in which a MAC acknowledgement is out: turnaround and airtime (802.15.4-2006, 7.5.6.4.2)


@dataclass(frozen=True)
class Heard:
    """One frame of the air: the exchange it came in and what it says."""

    exchange: Exchange
    frame: Frame

    @property
    def number(self) -> int:
        """The exchange's number, for evidence."""
        return self.exchange.number

    @property
    def time(self) -> float:
        """When its last octet was out, seconds since the bench started."""
        return self.exchange.time

    @property
    def mac(self) -> Any:
        """The MAC record; None where the frame is malformed from the start."""
        return self.frame.mac

    @property
    def nwk(self) -> Any:
        """The NWK record, None where there is none."""
        return self.frame.nwk

    @property
    def aps(self) -> Any:
        """The APS record, None where there is none or it stays sealed."""
        return self.frame.aps

    @property
    def zdp(self) -> Any:
        """The ZDP record, None where there is none."""
        return self.frame.zdp

    @property
    def zcl(self) -> Any:
        """The ZCL record, None where there is none."""
        return self.frame.zcl

    @property
    def arrived(self) -> bool:
        """Whether the bench's faults let it through unaltered."""
        return self.exchange.fate == "arrived"

    @property
    def sent(self) -> bool:
        """Whether a device sent it; else it is what the bench's faults made arrive in a frame's stead, or once more."""
        return "instead_of" not in self.exchange.about

    @property
    def channel(self) -> str:
        """The medium it was heard on."""
        return self.exchange.medium

    def find(self, layer: type[Layer]) -> Any:
        """The structure of that layer which the frame carries (a Record), or None."""
        return self.frame.find(layer)


class Air:
    """Every frame of a trace in the order it was heard, and who is who on the network."""

    def __init__(self, trace: Trace) -> None:
        ring = KeyRing()
        for key in trace.keys:
            if key.kind == "nwk":
                ring.add_network_key(key.octets)
            elif key.kind in LINK_KEY_KINDS:
                ring.add_link_key(key.octets, key.device, key.kind)
        ring.add_link_key(WELL_KNOWN_LINK_KEY, NOBODY, "well-known")
        self._of: dict[tuple[type[Layer], ...], tuple[Heard, ...]] = {}
        decoded = _DECODED.get(trace) or {}
        self.heard = tuple(
            Heard(exchange, _learnt(decoded[exchange.number], ring) if exchange.number in decoded else decode(exchange.octets, ring))
            for exchange in trace.at(Point.MAC)
        )

    def __iter__(self) -> Iterator[Heard]:
        return iter(self.heard)

    def of(self, *layers: type[Layer]) -> tuple[Heard, ...]:
        """The frames that carry one of these structures."""
        if layers not in self._of:
            self._of[layers] = tuple(heard for heard in self.heard if any(heard.find(layer) is not None for layer in layers))
        return self._of[layers]

    def after(self, heard: Heard) -> tuple[Heard, ...]:
        """The frames heard later than this one."""
        return self.heard[self._places[heard.number] + 1 :]

    def numbered(self, number: int) -> Heard | None:
        """The frame of that exchange, None where it is no frame."""
        place = self._places.get(number)
        return None if place is None else self.heard[place]

    def between(self, start: float, end: float) -> tuple[Heard, ...]:
        """The frames heard after `start` and not after `end`, seconds."""
        return self.heard[bisect_right(self.heard, start, key=_time) : bisect_right(self.heard, end, key=_time)]

    def is_acknowledged(self, heard: Heard) -> bool:
        """Whether a MAC acknowledgement with its sequence number came at once: a radio took the frame."""
        for other in islice(self.heard, self._places[heard.number] + 1, None):
            if other.time - heard.time > ACK_TIME:
                return False
            header = other.mac
            if other.channel == heard.channel and header is not None and header.frame_type == mac.FrameType.ACK:
                return bool(header.sequence == heard.mac.sequence)
        return False

    @cached_property
    def _places(self) -> dict[int, int]:
        return {heard.number: place for place, heard in enumerate(self.heard)}

    @cached_property
    def short_addresses(self) -> dict[int, Eui64]:
        """Short address to EUI-64, as association responses gave them, and Device_annce where none did (the last word wins); of a
        device that was there before the first frame, as its own secured frames name it."""
        given: dict[int, Eui64] = {}
        known: dict[int, Eui64] = {}
        for heard in self.heard:
            response = heard.find(mac.AssociationResponse)
            if response is not None and response.status == mac.AssociationStatus.SUCCESS:
                given[response.short_address] = known[response.short_address] = Eui64(heard.mac.dest_ieee)
            announcement = heard.find(zdp.DeviceAnnce)
            if announcement is not None and announcement.nwk_addr not in given:
                known[announcement.nwk_addr] = Eui64(announcement.ieee_addr)
        for short, device in self._named_by_themselves():
            known.setdefault(short, device)
        return known

    def _named_by_themselves(self) -> Iterator[tuple[int, Eui64]]:
        """Each hop seals a frame anew, so that its auxiliary header names the MAC source."""
        for heard in self.heard:
            header = heard.nwk
            if heard.frame.security.nwk != "ok" or header.source == nwk.COORDINATOR or header.source != heard.mac.source_short:
                continue
            if header.security.source_ieee is not None:
                yield header.source, Eui64(header.security.source_ieee)

    def sender(self, heard: Heard) -> Eui64 | None:
        """Who made the frame (its NWK source, else its MAC source); None for unknown short addresses."""
        frame = heard.frame
        if frame.nwk is not None and "source" in frame.nwk:
            return self.short_addresses.get(frame.nwk.source)
        if frame.mac is None:
            return None
        if frame.mac.source_ieee is not None:
            return Eui64(frame.mac.source_ieee)
        return self.short_addresses.get(frame.mac.source_short)

    def from_coordinator(self, heard: Heard) -> bool:
        """Whether the ESI, being the coordinator (NWK address 0), made the frame."""
        frame = heard.frame
        if frame.nwk is not None and "source" in frame.nwk:
            return bool(frame.nwk.source == nwk.COORDINATOR)
        return frame.mac is not None and frame.mac.source_short == nwk.COORDINATOR


def _time(heard: Heard) -> float:
    return heard.time


def marks(trace: Trace, verb: str, actor: Actor) -> list[float]:
    """When the bench did that to an actor (start_joining, power_cycle, factory_reset), seconds; nothing in a field capture."""
    noted = trace.header.about.get("marks", ())
    return [mark["at"] for mark in noted if (mark["verb"], mark["actor"]) == (verb, actor)]


def restarted(trace: Trace, actor: Actor, start: float, end: float) -> bool:
    """Whether power failed at an actor, or it was reset, between two instants: it need not know then what it knew before."""
    return any(start <= at <= end for verb in ("power_cycle", "factory_reset") for at in marks(trace, verb, actor))


def demand(trace: Trace, what: Unknown) -> None:
    """Raise Inconclusive, naming it, where whoever made the trace does not know what a clause cannot be decided without."""
    if what in trace.header.about.get(UNKNOWN, ()):
        raise Inconclusive(f"not known here: {what}")


def claimed(trace: Trace, item: str) -> bool | None:
    """What the PICS says of an item. Raises Inconclusive, naming it, where whoever made the trace knows no PICS."""
    claim = trace.header.pics.get(item)
    if claim is None and Unknown.CLAIMS in trace.header.about.get(UNKNOWN, ()):
        raise Inconclusive(f"PICS item {item} is unset")
    return claim


def attested(trace: Trace, point: Point, start: float, end: float, medium: str | None = None) -> bool:
    """Whether a tap attests that it missed nothing of the medium (None: of any there) from `start` to `end`, seconds, and nothing is
    known to be missing."""
    if any(begun <= end and over >= start for begun, over, _ in trace.header.about.get(MISSING, ())):
        return False
    last = trace.exchanges[-1].time if trace.exchanges else 0.0
    return any(
        each.point is point and medium in (None, each.medium)
        and each.start <= start and end <= (last if each.end is None else each.end)
        for each in trace.attestations
    )


def take_as_decoded(trace: Trace, frames: Mapping[int, Frame]) -> None:
    """Let a trace's air have frames, by exchange number, as they were decoded before: those that no key shows more of."""
    _DECODED[trace] = frames


def _learnt(frame: Frame, ring: KeyRing) -> Frame:
    ring.learn(frame)
    return frame


_DECODED: Remembered[Trace, Mapping[int, Frame]] = Remembered()
_AIRS: Remembered[Trace, tuple[tuple[int, int], Air]] = Remembered()


def air(trace: Trace) -> Air:
    """The trace's air, decoded once for all checkers; decoded anew when the trace has grown."""
    size = (len(trace.exchanges), len(trace.keys))
    known = _AIRS.get(trace)
    if known is None or known[0] != size:
        known = (size, Air(trace))
        _AIRS[trace] = known
    return known[1]
