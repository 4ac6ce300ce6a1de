"""Taking in the packets of a capture: which frame was heard on which medium and when, and what was not heard rightly. Judges nothing.

Times are seconds since the first packet. What cannot be used is counted and leaves a gap: a frame with a wrong FCS may have been any.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from math import inf
from typing import Any

from dissectors import aps, mac
from dissectors.capture import CapturedFrame
from dissectors.frame import Frame, decode
from dissectors.keyring import KeyRing
from dissectors.security import WELL_KNOWN_LINK_KEY
from harness.audit.endings import Endings
from harness.checkers.capture_health import Gap
from harness.checkers.reading import ACK_TIME, NOBODY
from harness.trace import LINK_KEY_KINDS, Key
from harness.values import Eui64

SAME = 0.005  # seconds within which two interfaces of one capture hear the same frame: their clocks are one computer's
ACK_SPAN = 0.05  # seconds in which an acknowledgement is taken for that of the frame before it
AT_ONCE = 0.9 * ACK_TIME  # seconds
OCTET, SYNCHRONISATION = 32e-6, 6  # seconds that an octet takes, and octets before each frame (802.15.4-2006, 6.3, 6.5)
ROUNDING = 0.02  # seconds: of a clock that counts in steps, and the first frame, whose time may be that of its end
BACK = 1.0  # seconds that a stamp may lie before the one before it: more is a clock that was set
AGREEING = 4  # packets that must agree that so much time has passed
RETELLING = 64  # frames back in which the other interface's hearing of a frame is looked for


@dataclass(frozen=True)
class Taken:
    """One frame heard: `packet` is its number in the file, `time` in seconds since the first packet, `octets` with its FCS."""

    packet: int
    time: float
    medium: str
    interface: int
    octets: bytes
    frame: Frame
    channel: int | None = None
    lqi: int | None = None
    rssi: float | None = None

    @property
    def mac(self) -> Any:
        """The MAC record; None where the frame is malformed from the start."""
        return self.frame.mac


class Intake:
    """The frames of a capture as they come; `taken` has them by their places in the file, until they are forgotten."""

    def __init__(self, keys: Iterable[Key] = (), ordered: Mapping[bytes, Eui64 | None] | None = None) -> None:
        """`ordered` are the link keys that came with orders, by octets, and whose each is (None: not known); without it, those of
        `keys` that are made from install codes."""
        self.keys = tuple(keys)
        self.ordered = dict(ordered or {key.octets: key.device for key in self.keys if key.kind == "ic"})
        self.taken: dict[int, Taken] = {}
        self.counts: Counter[str] = Counter()
        self.opened: Counter[bytes] = Counter()  # how many frames each key opened
        self.flaws: list[Gap] = []
        self.ended = ""  # why the capture cannot be read to its end
        self._start: float | None = None
        self._times: deque[float] = deque(maxlen=AGREEING)  # of the last packets, seconds
        self._last = 0.0
        self._stamps: dict[int, float] = {}  # interface: its last stamp, seconds
        self._set_back: dict[int, tuple[float, Gap]] = {}  # interface: to when its clock was set back
        self._stamped: dict[str, tuple[float, float]] = {}  # medium: the first and the last of its stamps, seconds, as in the file
        self._heard: dict[str, tuple[float, float]] = {}  # medium: the first and the last of its frames, seconds
        self._airtime: Counter[str] = Counter()  # octets of each medium
        self._latest: dict[str, Taken] = {}  # of each medium
        self._endings = Endings()
        self._recent: deque[Taken] = deque(maxlen=RETELLING)
        self._ring = KeyRing()
        for key in self.keys:
            if key.kind == "nwk":
                self._ring.add_network_key(key.octets)
            elif key.kind in LINK_KEY_KINDS:
                self._ring.add_link_key(key.octets, key.device, key.kind)
        self._ring.add_link_key(WELL_KNOWN_LINK_KEY, NOBODY, "well-known")

    @property
    def epoch(self) -> str:
        """UTC of the first packet, ISO 8601; 1970 where its time stamp is none."""
        try:
            return datetime.fromtimestamp(self._start or 0.0, UTC).isoformat()
        except (OverflowError, ValueError, OSError):  # a year that no calendar has
            return datetime.fromtimestamp(0.0, UTC).isoformat()

    @property
    def now(self) -> float:
        """The time of the last packets, by the earliest of them: one stamp out of the blue is not believed. Seconds."""
        return min(self._times, default=0.0)

    @property
    def duration(self) -> float:
        """Seconds from the first packet to the last."""
        return self._last

    def take(self, packet: CapturedFrame) -> None:
        """Take one packet."""
        if self._start is None:
            self._start = packet.time
        time = packet.time - self._start
        self._times.append(time)
        self._last = max(self._last, time)
        self.counts["packets"] += 1
        self._watch_clock(packet, time)
        if packet.flaw:
            self._lose("unreadable packets", time, f"packet {packet.number} shows no frame: {packet.flaw}")
            return
        for settled in self._endings.settled(packet):
            self._take(settled)

    def end(self) -> None:
        """Take what waited for more to come."""
        for packet in self._endings.left():
            self._take(packet)

    def _take(self, packet: CapturedFrame) -> None:
        time = packet.time - (self._start or 0.0)
        octets = packet.octets if packet.fcs == "present" else packet.octets + mac.fcs(packet.octets)
        if octets[-2:] != mac.fcs(octets[:-2]):
            self._lose("frames with a wrong FCS", time, f"frame {packet.number} has a wrong FCS and was not heard rightly")
            return
        medium = f"interface {packet.interface}" if packet.channel is None else f"air:{packet.channel}"
        if self._is_known(octets, time, packet.interface):
            self.counts["frames heard on another interface as well"] += 1
            return
        frame = decode(octets, self._ring)
        first, last = self._stamped.get(medium, (time, time))
        stamped, time = time, self._as_sent(time, last, medium, octets, frame)
        self._stamped[medium] = min(first, stamped), stamped
        self.counts["frames"] += 1
        self.counts["malformed frames"] += frame.malformed is not None
        self.counts["frames that no key opens"] += any(
            outcome not in (None, "ok") for outcome in (frame.security.nwk, frame.security.aps)
        )
        self._keep(Taken(packet.number, time, medium, packet.interface, octets, frame, packet.channel, packet.lqi, packet.rssi))

    def _watch_clock(self, packet: CapturedFrame, time: float) -> None:
        before = self._stamps.get(packet.interface, time)
        if time < before - BACK:
            cause = f"the time stamps go back by {before - time:.1f} s at packet {packet.number}: which are wrong is not known"
            self._set_back.setdefault(packet.interface, (time, Gap(-inf, inf, cause)))
        self._stamps[packet.interface] = time

    def _keep(self, known: Taken) -> None:
        self.taken[self.counts["frames"] - 1] = known
        self.opened.update(key for key in (known.frame.nwk_key, known.frame.aps_key) if key is not None)
        tunnel = known.frame.find(aps.Tunnel)
        if tunnel is not None and tunnel.inner is not None and tunnel.inner.outcome == "ok":  # by which of them it does not say
            self.opened.update(key.octets for key in self.keys if key.kind == tunnel.inner.key_kind)
        first, last = self._heard.get(known.medium, (known.time, known.time))
        self._heard[known.medium] = min(first, known.time), max(last, known.time)
        self._airtime[known.medium] += len(known.octets) + SYNCHRONISATION
        self._latest[known.medium] = known
        self._recent.append(known)

    def forget(self, before: float) -> None:
        """Give up the frames, and what is told of each that was not heard rightly, from before an instant in seconds."""
        for place in [place for place, each in self.taken.items() if each.time < before]:
            del self.taken[place]
        self.flaws = [flaw for flaw in self.flaws if flaw.end >= before]
        self._set_back = {interface: told for interface, told in self._set_back.items() if told[0] >= before}

    def _as_sent(self, time: float, last: float, medium: str, octets: bytes, frame: Frame) -> float:
        """When a frame was sent: an acknowledgement right after its frame follows at once, whatever a computer's clock says; and
        what a clock of coarse steps, or a computer that reads several at once, stamps alike was sent one after another."""
        before = self._latest.get(medium)
        if before is None or time < last:
            return time
        sent: Any = frame.mac
        acknowledges = before.mac is not None and sent is not None and sent.frame_type == mac.FrameType.ACK
        if acknowledges and before.mac.sequence == sent.sequence and time - before.time <= ACK_SPAN:
            time = min(time, before.time + AT_ONCE)
        return max(time, before.time + (len(octets) + SYNCHRONISATION) * OCTET)

    def _lose(self, what: str, time: float, cause: str) -> None:
        self.counts[what] += 1
        self.flaws.append(Gap(time, time, cause))

    def _is_known(self, octets: bytes, time: float, interface: int) -> bool:
        """Whether another interface heard the same frame: each of its hearings stands for one of ours."""
        met = 0
        for other in reversed(self._recent):
            if abs(other.time - time) > SAME:
                continue
            if other.octets == octets and other.interface == interface:
                return False
            met += other.octets == octets
        return met > 0

    @property
    def useless(self) -> list[Key]:
        """The given keys that open frames by themselves and opened none."""
        return [key for key in self.keys if key.kind in ("nwk", *LINK_KEY_KINDS) and not self.opened[key.octets]]

    def missing(self) -> Iterator[Gap]:
        """What is missing from the capture as a whole, each with its reason."""
        yield from self.flaws
        yield from (gap for _, gap in self._set_back.values())
        if self.ended:
            yield Gap(self.duration, inf, self.ended)
        for medium, (first, last) in self._stamped.items():
            took = self._airtime[medium] * OCTET
            if took > last - first + ROUNDING:
                yield Gap(-inf, inf, f"the time stamps are wrong: {took:.3f} s of frames within {last - first:.3f} s on {medium}")

    def learnt(self) -> Iterator[Key]:
        """The keys that were given, and those that the traffic taught."""
        yield from self.keys
        given = {key.octets for key in self.keys}
        yield from (Key("nwk", octets) for octets in self._ring.network_keys() if octets not in given)

    def media(self) -> dict[str, tuple[float, float]]:
        """Each medium with its first and its last frame, seconds: from when to when somebody is known to have listened."""
        return dict(self._heard)
