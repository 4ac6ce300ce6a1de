"""A virtual air and its radios: IEEE 802.15.4 at 2.4 GHz in virtual time. Knows nothing of what a frame carries.

A radio behaves as a radio co-processor does: it filters by its settings, acknowledges by itself, does CSMA-CA and retries.
Clear channel assessment is perfect, so that frames never collide; what is lost is lost by a fault, and the tap says so. Times
are seconds since the bench started; clauses are those of 802.15.4-2006.
"""

from __future__ import annotations

import heapq
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from dissectors.keyring import KeyRing
from harness.faults import Fault, SeenFrame
from harness.ports import Chance, RadioSettings, Received, Transmit, Transmitted
from harness.radio.filtering import (
    OCTET,
    Addressing,
    accepts,
    acknowledgement,
    glance,
    has_right_fcs,
    is_acknowledged,
    is_acknowledgement_of,
    says_pending,
)

PREFIX = 6  # octets before the PSDU: preamble, start of frame, length, 6.3
TURNAROUND = 192e-6  # aTurnaroundTime, 12 symbols, 6.4.1
ASSESSMENT = 128e-6  # clear channel assessment, 8 symbols, 6.9.9
BACKOFF = 320e-6  # aUnitBackoffPeriod, 20 symbols, 7.4.1
ACK_WAIT = 864e-6  # macAckWaitDuration, 54 symbols, 7.4.2
MIN_EXPONENT, MAX_EXPONENT, MAX_BACKOFFS = 3, 5, 4  # macMinBE, macMaxBE, macMaxCSMABackoffs, 7.4.2

OFF = RadioSettings(receiver_on=False)  # of a radio that was told nothing yet

Tap = Callable[[SeenFrame], None]
RadioPdu = Received | Transmitted


def airtime(psdu: bytes) -> float:
    """Seconds that a PSDU occupies the channel."""
    return (PREFIX + len(psdu)) * OCTET


@dataclass
class VirtualRadio:
    """One radio on a virtual air; ask it to send, and collect what it hears from `VirtualAir.wake`."""

    air: VirtualAir = field(repr=False)
    name: str
    settings: RadioSettings = OFF
    queue: deque[Transmit] = field(default_factory=deque)
    retries_left: int = 0
    awaited: int | None = None  # the sequence number whose acknowledgement is awaited
    attempt: int = 0  # counts transmissions, so that an old timeout is told from a new one

    def submit(self, pdu: RadioSettings | Transmit, now: float) -> None:
        """Take new settings (effective at once) or a frame to send."""
        self.air.submit(self.name, pdu, now)


class VirtualAir:
    """All channels at once. `tap` sees everything on the air, acknowledgements included, with its fate."""

    def __init__(
        self, chance: Chance, *, keyring: KeyRing | None = None, tap: Tap | None = None,
        apart: Iterable[frozenset[str]] = (),
    ) -> None:
        """`keyring` is what faults may decrypt with: the bench adds the keys of the run to it."""
        self.chance = chance
        self.keyring = keyring if keyring is not None else KeyRing()
        self.tap = tap
        self.faults: list[Fault] = []
        self.apart = set(apart)  # pairs of radios that do not hear each other
        self._radios: dict[str, VirtualRadio] = {}
        self._agenda: list[tuple[float, int, Callable[[float], None]]] = []
        self._order = 0
        self._busy_until: dict[int, float] = {}
        self._seen = 0
        self._up: list[tuple[str, RadioPdu]] = []

    def radio(self, name: str) -> VirtualRadio:
        """The radio of that name; made, switched off, when it is first asked for."""
        if name not in self._radios:
            self._radios[name] = VirtualRadio(self, name)
        return self._radios[name]

    def switch_off(self, name: str) -> None:
        """Power failure of one radio: deaf, silent, its queue lost."""
        radio = self.radio(name)
        radio.queue.clear()
        radio.settings, radio.awaited = OFF, None

    @contextmanager
    def suffering(self, *faults: Fault) -> Iterator[None]:
        """While the context lasts, every transmission passes these faults, in this order after those already there."""
        self.faults.extend(faults)
        try:
            yield
        finally:
            for fault in faults:
                self.faults.remove(fault)

    def submit(self, name: str, pdu: RadioSettings | Transmit, now: float) -> None:
        """Ask a radio: new settings take effect at once, frames go out in the order in which they were asked for."""
        radio = self.radio(name)
        if isinstance(pdu, RadioSettings):
            radio.settings = pdu
            return
        radio.queue.append(pdu)
        if len(radio.queue) == 1:
            self._begin(radio, now)

    def deadline(self) -> float | None:
        """When `wake` is next needed."""
        return self._agenda[0][0] if self._agenda else None

    def wake(self, now: float) -> list[tuple[str, RadioPdu]]:
        """Everything up to `now` has happened: what each radio has to tell, oldest first. Call it at every deadline, since the
        answers to a frame must be submitted when the frame was heard."""
        while self._agenda and self._agenda[0][0] <= now:
            instant, _, action = heapq.heappop(self._agenda)
            action(instant)
        told, self._up = self._up, []
        return told

    def close(self) -> None:
        """There is nothing to let go of."""

    def inject(self, psdu: bytes, channel: int, now: float, sender: str = "injected") -> None:
        """Put a frame on the air that no radio sent; the tap sees it, and nobody waits for its acknowledgement."""
        self._at(now + airtime(psdu), lambda instant: self._on_air(psdu, channel, sender, instant))

    # -- sending

    def _at(self, instant: float, action: Callable[[float], None]) -> None:
        self._order += 1
        heapq.heappush(self._agenda, (instant, self._order, action))

    def _begin(self, radio: VirtualRadio, now: float) -> None:
        radio.retries_left = radio.queue[0].retries
        self._contend(radio, now, 0)

    def _contend(self, radio: VirtualRadio, now: float, backoffs: int) -> None:
        """CSMA-CA, 7.5.1.4: wait a random number of backoff periods, then assess the channel."""
        wait = 0.0
        if radio.queue[0].csma:
            exponent = min(MIN_EXPONENT + backoffs, MAX_EXPONENT)
            wait = self.chance.randrange(0, 1 << exponent) * BACKOFF
        self._at(now + wait + ASSESSMENT, lambda instant: self._assess(radio, instant, backoffs))

    def _assess(self, radio: VirtualRadio, now: float, backoffs: int) -> None:
        if not radio.queue:  # switched off in between
            return
        transmit = radio.queue[0]
        channel = radio.settings.channel
        busy_until = self._busy_until.get(channel, 0.0)
        if busy_until > now - ASSESSMENT:
            if not transmit.csma:
                self._at(busy_until + ASSESSMENT, lambda instant: self._assess(radio, instant, 0))
            elif backoffs < MAX_BACKOFFS:
                self._contend(radio, now, backoffs + 1)
            elif radio.retries_left:  # before what comes behind it, as OpenThread's SubMac::HandleTransmitDone does
                radio.retries_left -= 1
                self._contend(radio, now, 0)
            else:
                self._finish(radio, "channel_busy", False, now)
            return
        frame = glance(transmit.psdu)
        end = now + TURNAROUND + airtime(transmit.psdu)
        self._busy_until[channel] = end + (ACK_WAIT if frame is not None and frame.ack_request else 0.0)
        radio.attempt += 1
        radio.awaited = frame.sequence if frame is not None and frame.ack_request else None
        self._at(end, lambda instant: self._sent(radio, transmit, channel, instant))

    def _sent(self, radio: VirtualRadio, transmit: Transmit, channel: int, now: float) -> None:
        if not radio.queue or radio.queue[0] is not transmit:
            return
        self._on_air(transmit.psdu, channel, radio.name, now)
        if radio.awaited is None:
            self._finish(radio, "ok", False, now)
        else:
            attempt = radio.attempt
            self._at(now + ACK_WAIT, lambda instant: self._unacknowledged(radio, attempt, instant))

    def _unacknowledged(self, radio: VirtualRadio, attempt: int, now: float) -> None:
        if radio.awaited is None or radio.attempt != attempt:
            return
        if radio.retries_left:
            radio.retries_left -= 1
            self._contend(radio, now, 0)
        else:
            self._finish(radio, "no_ack", False, now)

    def _finish(self, radio: VirtualRadio, status: str, frame_pending: bool, now: float) -> None:
        radio.awaited = None
        done = radio.queue.popleft()
        self._up.append((radio.name, Transmitted(done.handle, status, frame_pending)))
        if radio.queue:
            self._begin(radio, now)

    # -- hearing

    def _on_air(self, psdu: bytes, channel: int, sender: str, now: float) -> None:
        """A transmission is over: what do the faults make of it, and who hears that?"""
        seen = self._see(psdu, channel, sender, now)
        arrivals = [(0.0, psdu)]
        for fault in self.faults:
            arrivals = [
                (wait + more, octets)
                for wait, before in arrivals
                for more, octets in _made_of(fault, seen, before)
            ]
        arrived = (0.0, psdu) in arrivals
        self._tell_tap(seen, "arrived" if arrived else "altered" if arrivals else "lost")
        for wait, octets in arrivals:
            if arrived and (wait, octets) == (0.0, psdu):
                arrived = False  # the frame itself is on the tap already, a second one like it is not
                self._hear(octets, channel, sender, now)
            else:
                self._at(now + wait, lambda instant, octets=octets: self._again(octets, channel, seen, instant))  # type: ignore[misc]

    def _again(self, psdu: bytes, channel: int, original: SeenFrame, now: float) -> None:
        self._tell_tap(self._see(psdu, channel, original.sender, now, original.number), "arrived")
        self._hear(psdu, channel, original.sender, now)

    def _see(self, psdu: bytes, channel: int, sender: str, now: float, instead_of: int | None = None) -> SeenFrame:
        self._seen += 1
        return SeenFrame(self._seen, now, channel, sender, psdu, "arrived", instead_of, self.keyring)

    def _tell_tap(self, seen: SeenFrame, fate: str) -> None:
        if self.tap is not None:
            self.tap(seen if fate == seen.fate else SeenFrame(
                seen.number, seen.time, seen.channel, seen.sender, seen.psdu, fate, seen.instead_of, seen.keyring
            ))

    def _hear(self, psdu: bytes, channel: int, sender: str, now: float) -> None:
        if not has_right_fcs(psdu):
            return
        frame = glance(psdu)
        acknowledges: VirtualRadio | None = None
        for radio in list(self._radios.values()):
            settings = radio.settings
            if radio.name == sender or settings.channel != channel or frozenset((radio.name, sender)) in self.apart:
                continue
            if radio.awaited is not None and is_acknowledgement_of(psdu, radio.awaited):
                self._acknowledged(radio, psdu, now)
            if not settings.receiver_on:
                continue
            if settings.promiscuous:
                self._up.append((radio.name, Received(psdu, channel)))
            elif frame is not None and accepts(settings, frame):
                self._up.append((radio.name, Received(psdu, channel)))
                if acknowledges is None and is_acknowledged(settings, frame):
                    acknowledges = radio
        if acknowledges is not None and frame is not None:
            self._acknowledge(acknowledges, frame, channel, now)

    def _acknowledge(self, radio: VirtualRadio, frame: Addressing, channel: int, now: float) -> None:
        """Within the turnaround time and without CSMA-CA, 7.5.6.4.2; frame pending is what the settings say when it is sent."""

        def send(instant: float) -> None:
            ack = acknowledgement(radio.settings, frame)
            self._at(instant + airtime(ack), lambda end: self._on_air(ack, channel, radio.name, end))

        self._busy_until[channel] = max(self._busy_until.get(channel, 0.0), now + ACK_WAIT)
        self._at(now + TURNAROUND, send)

    def _acknowledged(self, radio: VirtualRadio, ack: bytes, now: float) -> None:
        if radio.queue and radio.awaited is not None:
            self._finish(radio, "ok", says_pending(ack), now)


def _made_of(fault: Fault, seen: SeenFrame, octets: bytes) -> list[tuple[float, bytes]]:
    """What one fault makes of one arrival; only what was really sent is shown to it."""
    if octets != seen.psdu:
        return [(0.0, octets)]
    made = fault(seen)
    return [(0.0, octets)] if made is None else made
