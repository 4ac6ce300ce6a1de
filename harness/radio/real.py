"""The air of a bench with real radios: what ours send and hear, and what sniffers hear beside them, each frame once on the tap.

It has the face of `VirtualAir`. What no radio of the bench took part in is known by a sniffer alone: without one, nothing is attested,
since acknowledgements and whatever a radio filtered were heard by nobody. Knows no adapter and no port.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from itertools import count
from math import inf

from dissectors.keyring import KeyRing
from dissectors.mac import FrameType
from harness.errors import Unsupported
from harness.faults import Arrival, Fault, SeenFrame
from harness.ports import CHANNEL_BUSY, Radio, RadioSettings, Received, Transmit, Transmitted
from harness.radio.filtering import accepts, acknowledgement, glance, is_acknowledged, is_acknowledgement_of
from harness.radio.listening import Listening
from harness.radio.spacing import Spacing
from harness.radio.virtual import OFF, TURNAROUND, RadioPdu, Tap, airtime

TWIN_SPAN = 0.1  # seconds within which the same octets from another radio are the same transmission
KEPT = 1.0  # seconds for which a transmission is remembered
NOBODY = ""  # the sender of what no radio of ours sent: a frame's address may lie


@dataclass
class _Sent:
    """A frame on its way through a radio of ours; `handle` is its sender's own for it, None where nobody waits for it."""

    name: str
    psdu: bytes
    channel: int
    handle: int | None
    instead_of: int | None = None
    is_on_tap: bool = False


@dataclass
class _Heard:
    """A transmission, which radios heard it, and what the faults make of it."""

    seen: SeenFrame
    by: set[str]
    arrivals: list[Arrival] = field(default_factory=list)
    is_on_tap: bool = False
    is_counted: bool = False  # whether it is known that a sniffer heard it, or that it was none's to hear


class RealAir:
    """Radios by the names of those on the bench, and sniffers by theirs; the first radio's channel is what sniffers listen to."""

    def __init__(
        self, radios: Mapping[str, Radio], sniffers: Mapping[str, Radio], *, across: Iterable[str] = (),
        keyring: KeyRing | None = None, tap: Tap | None = None, channel: int | None = None,
    ) -> None:
        """`channel` is where sniffers listen; without one, where the first radio is. `across` names who is on the air by itself:
        where it is one alone, what no radio of ours sent is his for a fault."""
        self.keyring = keyring if keyring is not None else KeyRing()
        self.tap = tap
        self.faults: list[Fault] = []
        self.listening = Listening({**radios, **sniffers}, tuple(sniffers))
        self._radios, self._sniffers = dict(radios), dict(sniffers)
        others = tuple(across)
        self._across = others[0] if len(others) == 1 else NOBODY
        self._settings = dict.fromkeys(radios, OFF)
        self._agenda: list[tuple[float, Callable[[float], None]]] = []
        self._handles = count(1)
        self._sent: dict[int, _Sent] = {}
        self._done: list[tuple[float, _Sent]] = []  # of what was sent a moment ago, repetitions may still be told
        self._recent: list[_Heard] = []
        self._waiting: list[tuple[float, _Heard]] = []  # what a sniffer has yet to tell, and until when it may
        self._seen = 0
        self._spacing = Spacing()
        self._up: list[tuple[str, RadioPdu]] = []
        self._listened(0.0)
        self._follows = None if channel is not None else next(iter(self._radios), None)
        if channel is not None:
            self._tune(channel, 0.0)

    # -- what a bench asks of an air

    def submit(self, name: str, pdu: RadioSettings | Transmit, now: float) -> None:
        """Ask a radio. Raises Unsupported naming who has none, BenchError for a radio that is broken."""
        if name not in self._radios:
            raise Unsupported(f"the {name} has no radio on this bench; right would be one under `radios`")
        if isinstance(pdu, Transmit):
            self._send(name, pdu, now)
            return
        self._settings[name] = pdu
        self._radios[name].submit(pdu, now)
        if name == self._follows:
            self._tune(pdu.channel, now)

    def _tune(self, channel: int, now: float) -> None:
        if self.listening.tune(channel, now):
            for sniffer in self._sniffers.values():
                sniffer.submit(RadioSettings(channel, promiscuous=True), now)

    def switch_off(self, name: str) -> None:
        """Power failure: deaf, silent; what its radio has yet to send goes out, and nobody is told."""
        for sent in self._sent.values():
            if sent.name == name:
                sent.handle = None
        if name in self._radios:
            self._settings[name] = replace(OFF, channel=self._settings[name].channel)  # on which it has yet to send
            self._radios[name].submit(self._settings[name], 0.0)

    @contextmanager
    def suffering(self, *faults: Fault) -> Iterator[None]:
        """While the context lasts, what our radios send and hear passes these faults; one that would act on anything else raises
        Unsupported when it comes to that."""
        self.faults.extend(faults)
        try:
            yield
        finally:
            for fault in faults:
                self.faults.remove(fault)

    def deadline(self) -> float | None:
        """When `wake` is next needed by itself; radios interrupt whoever waits."""
        return min((instant for instant, _ in (*self._agenda, *self._waiting)), default=None)

    @property
    def is_behind(self) -> bool:
        """Whether our radios have told what a sniffer has yet to tell: that comes onto the tap within TWIN_SPAN, and not before."""
        return bool(self._waiting)

    def wake(self, now: float) -> list[tuple[str, RadioPdu]]:
        """What each radio of ours has to tell, oldest first. Raises BenchError for a radio that broke."""
        due = [action for instant, action in self._agenda if instant <= now]
        self._agenda = [each for each in self._agenda if each[0] > now]
        for action in due:
            action(now)
        told = [
            (at, name, pdu) for name, radio in (*self._sniffers.items(), *self._radios.items()) for at, pdu in radio.told(now)
        ]
        for at, name, pdu in sorted(told, key=lambda each: each[0]):
            if name in self._sniffers:
                if isinstance(pdu, Received):
                    self._hear(name, pdu, at)
            elif isinstance(pdu, Received):
                self._received(name, pdu, at)
            else:
                self._transmitted(name, pdu, at)
        self._wait_no_longer(now)
        self._forget(now)
        self._listened(now)
        up, self._up = self._up, []
        return up

    def _listened(self, now: float) -> None:
        sniffers = self._sniffers.values()
        self.listening.listened(
            now, sum(getattr(each, "garbage", 0) for each in sniffers), min((heard.seen.time for _, heard in self._waiting), default=now),
            all(getattr(each, "speaks", True) for each in sniffers),
        )

    def inject(self, psdu: bytes, channel: int, now: float, sender: str = "") -> None:
        """Raises Unsupported: on a real air every frame has a radio that sends it."""
        raise Unsupported("a real air carries no frame that no radio sends")

    def close(self) -> None:
        """Let go of every radio."""
        self._wait_no_longer(inf)
        with ExitStack() as closing:  # all of them, also where one raises
            for radio in (*self._radios.values(), *self._sniffers.values()):
                closing.callback(radio.close)

    # -- sending

    def _send(self, name: str, pdu: Transmit, now: float) -> None:
        seen = self._see(pdu.psdu, self._settings[name].channel, name, now)
        arrivals = self._suffered(seen)
        if arrivals == [(0.0, pdu.psdu)]:
            self._give(_Sent(name, pdu.psdu, seen.channel, pdu.handle), pdu, now)
            return
        self._tell_tap(replace(seen, fate="altered" if arrivals else "lost"))
        if not arrivals or arrivals[0][0]:  # which its sender learns as if nobody had heard it: a late one, nobody hears in time
            frame = glance(pdu.psdu)
            status = "no_ack" if frame is not None and frame.ack_request else "ok"
            self._agenda.append((now, lambda _: self._up.append((name, Transmitted(pdu.handle, status)))))
        for place, (wait, octets) in enumerate(arrivals):
            sent = _Sent(name, octets, seen.channel, pdu.handle if place == 0 and not wait else None, seen.number)
            made = replace(pdu, psdu=octets)
            if wait:
                self._agenda.append((now + wait, lambda at, sent=sent, made=made: self._give(sent, made, at)))  # type: ignore[misc]
            else:
                self._give(sent, made, now)

    def _give(self, sent: _Sent, pdu: Transmit, now: float) -> None:
        handle = next(self._handles)
        self._sent[handle] = sent
        self._radios[sent.name].submit(replace(pdu, handle=handle), now)

    def _transmitted(self, name: str, pdu: Transmitted, at: float) -> None:
        sent = self._sent.pop(pdu.handle, None)
        if sent is None:
            return
        if pdu.status != CHANNEL_BUSY:
            self._on_tap(sent, at)
            self._done = [*(each for each in self._done if at - each[0] < KEPT), (at, sent)]
        if sent.handle is not None:
            self._up.append((name, replace(pdu, handle=sent.handle)))

    def _on_tap(self, sent: _Sent, at: float) -> None:
        """What a radio of ours sent, unless a sniffer heard it already."""
        if not sent.is_on_tap:
            sent.is_on_tap = True
            self._note(sent.name, Received(sent.psdu, sent.channel), at, sent)

    # -- hearing

    def _received(self, name: str, pdu: Received, at: float) -> None:
        """At a radio of ours, which has acknowledged it already."""
        frame = glance(pdu.psdu)
        if frame is not None and frame.frame_type == FrameType.ACK:
            self._answered(name, pdu, at)
            if not self._settings[name].promiscuous:
                return
        heard = self._hear(name, pdu, at)
        settings = self._settings[name]
        if frame is not None and is_acknowledged(settings, frame):
            self._spare_acknowledgement(acknowledgement(settings, frame), pdu.channel, name, at)
        for wait, octets in heard.arrivals:
            arrived = replace(pdu, psdu=octets)
            if not wait:
                self._arrive(name, arrived, heard, at)
            else:
                self._agenda.append((at + wait, lambda now, it=arrived: self._arrive(name, it, heard, now)))  # type: ignore[misc]

    def _arrive(self, name: str, pdu: Received, heard: _Heard, now: float) -> None:
        if pdu.psdu != heard.seen.psdu or now > heard.seen.time + TWIN_SPAN:
            self._tell(heard)  # what comes instead of it comes after it
            self._tell_tap(replace(self._see(pdu.psdu, pdu.channel, NOBODY, now), instead_of=heard.seen.number))
        self._up.append((name, pdu))

    def _answered(self, name: str, ack: Received, at: float) -> None:
        """The acknowledgement of what one of our radios sent: that went out just before."""
        for sent in self._sent.values():
            frame = glance(sent.psdu)
            if sent.name == name and frame is not None and is_acknowledgement_of(ack.psdu, frame.sequence):
                self._on_tap(sent, at - airtime(ack.psdu) - TURNAROUND)
                break
        self._spare_acknowledgement(ack.psdu, ack.channel, self._across, at)
        self._hear(name, ack, at)

    def _hear(self, by: str, pdu: Received, at: float) -> _Heard:
        ours = (*self._sent.values(), *(each for done, each in self._done if at - done < KEPT))
        sent = next((each for each in ours if each.psdu == pdu.psdu and each.name != by), None)
        is_first = sent is not None and not sent.is_on_tap
        if sent is not None:
            sent.is_on_tap = True
        heard = self._note(by, pdu, at, sent)
        if is_first and by in self._sniffers:  # its sender will not tell of it any more
            heard.is_counted = True
            self.listening.caught((by,))
        return heard

    def _note(self, by: str, pdu: Received, at: float, sent: _Sent | None) -> _Heard:
        """A transmission as one radio tells it. A sniffer knows the order of all: where one listens, the tap has it from him."""
        self._forget(at)
        sniffs = by in self._sniffers
        for each in self._recent:
            if each.seen.psdu == pdu.psdu and by not in each.by and abs(at - each.seen.time) <= TWIN_SPAN:
                each.by.add(by)
                self._count(each)
                self.listening.compare(by, at - each.seen.time)
                if sniffs and not each.is_on_tap:
                    each.seen = self._measured(replace(each.seen, time=at), by, pdu)
                    self._tell(each)
                return each
        seen = self._see(pdu.psdu, pdu.channel, NOBODY if sent is None else sent.name, at)
        if sent is None or by != sent.name:  # nobody measures what he sends
            seen = self._measured(seen, by, pdu)
        heard = _Heard(replace(seen, instead_of=None if sent is None else sent.instead_of), {by}, [(0.0, pdu.psdu)])
        heard.is_counted = not self.listening.has_sniffer_on(pdu.channel)
        if sent is None and self.faults:
            heard.arrivals = self._made_of_foreign(replace(seen, sender=self._across))
        self._recent.append(heard)
        if sniffs or not self.listening.has_sniffer_on(pdu.channel):
            self._tell(heard)
        else:
            self._waiting.append((at + TWIN_SPAN, heard))
        return heard

    def _count(self, heard: _Heard) -> None:
        """What a radio of ours sent or took, and a sniffer heard as well."""
        sniffers = heard.by & self._sniffers.keys()
        if sniffers and sniffers != heard.by and not heard.is_counted:
            heard.is_counted = True
            self.listening.caught(sniffers)

    def _forget(self, now: float) -> None:
        """What was on the air a while ago: no sniffer will tell of it any more. One whose clock is not known yet may have, as of another
        instant."""
        for each in self._recent:
            if now - each.seen.time >= KEPT and not each.is_counted and each.by.isdisjoint(self._sniffers):
                each.is_counted = True
                alike = [other.by for other in self._recent if other.seen.psdu == each.seen.psdu and other.by <= self._sniffers.keys()]
                if alike:
                    self.listening.caught(alike[0])
                else:
                    self.listening.let_pass(each.seen.time - airtime(each.seen.psdu), each.seen.time)
        self._recent = [each for each in self._recent if now - each.seen.time < 2 * KEPT]

    def _measured(self, seen: SeenFrame, by: str, pdu: Received) -> SeenFrame:
        """With what the radio that heard it says of it, as far as it measures at all."""
        offers = (self._sniffers.get(by) or self._radios[by]).offers
        return replace(seen, lqi=pdu.lqi if "lqi" in offers else None, rssi=pdu.rssi if "rssi" in offers else None)

    def _wait_no_longer(self, now: float) -> None:
        for until, heard in self._waiting:
            if until <= now:
                self._tell(heard)
        self._waiting = [each for each in self._waiting if not each[1].is_on_tap]

    def _tell(self, heard: _Heard) -> None:
        if not heard.is_on_tap:
            heard.is_on_tap = True
            arrived = (0.0, heard.seen.psdu) in heard.arrivals
            self._tell_tap(replace(heard.seen, fate="arrived" if arrived else "altered" if heard.arrivals else "lost"))

    # -- faults

    def _made_of_foreign(self, seen: SeenFrame) -> list[Arrival]:
        frame = glance(seen.psdu)
        if frame is None or frame.frame_type == FrameType.ACK:
            return [(0.0, seen.psdu)]
        arrivals = self._suffered(seen)
        if arrivals != [(0.0, seen.psdu)] and not any(
            accepts(settings, frame) and settings.channel == seen.channel for settings in self._settings.values()
        ):
            raise Unsupported("a fault of the air wants a frame disturbed that no radio of the bench sent or was to hear")
        return arrivals

    def _spare_acknowledgement(self, ack: bytes, channel: int, sender: str, at: float) -> None:
        seen = self._see(ack, channel, sender, at) if self.faults else None
        if seen is not None and self._suffered(seen) != [(0.0, ack)]:
            raise Unsupported("a fault of the air wants a MAC acknowledgement disturbed, which real radios send by themselves")

    def _suffered(self, seen: SeenFrame) -> list[Arrival]:
        arrivals: list[Arrival] = [(0.0, seen.psdu)]
        for fault in self.faults:
            made = fault(seen) if (0.0, seen.psdu) in arrivals else None
            if made is not None:
                arrivals = [each for each in arrivals if each != (0.0, seen.psdu)] + made
        return arrivals

    # -- the tap

    def _see(self, psdu: bytes, channel: int, sender: str, at: float) -> SeenFrame:
        self._seen += 1
        return SeenFrame(self._seen, at, channel, sender, psdu, keyring=self.keyring)

    def _tell_tap(self, seen: SeenFrame) -> None:
        over = self.listening.heard_until = self._spacing.over(seen.psdu, seen.time)
        if self.tap is not None:
            self.tap(replace(seen, time=over))
