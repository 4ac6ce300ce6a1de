"""What crosses the edge of a sans-I/O machine: the five verbs, what a radio is asked and tells, a message on a wire.

Nothing here knows a protocol. A machine never reads a clock: `now` (seconds since the bench started) is an argument.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol


@dataclass(frozen=True)
class RadioSettings:
    """The whole state a machine wants of its radio; the radio filters, acknowledges and keeps silent by it.

    `pending_for` holds the short addresses (int < 65536) and EUI-64s of children for whom a frame waits: the radio sets the
    frame-pending bit when it acknowledges their data requests. `always_pending` is of a radio that keeps no such list and sets
    the bit for everybody, as it may (IEEE 802.15.4-2006, 7.5.6.3).
    """

    channel: int = 11
    pan_id: int = 0xFFFF
    short_address: int = 0xFFFF
    extended_address: int = 0
    receiver_on: bool = True
    promiscuous: bool = False
    pending_for: frozenset[int] = frozenset()
    always_pending: bool = False


@dataclass(frozen=True)
class Transmit:
    """Send this PSDU (with its 2 FCS octets); the radio does CSMA-CA, waits for an ack that is requested, and retries.

    `handle` comes back in `Transmitted`.
    """

    psdu: bytes
    handle: int
    csma: bool = True
    retries: int = 3


@dataclass(frozen=True)
class Received:
    """The radio heard this PSDU (FCS right, addressed to us or broadcast); `now` of the call is when its last octet came."""

    psdu: bytes
    channel: int
    lqi: int = 255
    rssi: int = -40


CHANNEL_BUSY = "channel_busy"  # the status of a frame that never went on the air


@dataclass(frozen=True)
class Transmitted:
    """What became of a `Transmit`: `status` is ok, no_ack or channel_busy; `frame_pending` as in the ack."""

    handle: int
    status: str
    frame_pending: bool = False


@dataclass(frozen=True)
class Message:
    """One message on a wire other than the air: `wire` names it ("cim" or "leg"), `producer` and `receiver` are actors.

    `octets` is what really travels; `about` carries what the transport adds: "transport" (as `Parcel.about` of
    `harness.backhaul.carrier`), "exchange" (the token of a transport's exchange that waits for an answer), "answers" (the token of
    the one that this message answers), "address" (where an answer goes that is not to go back the way the request came), "flaw"
    (what went wrong at the transport).
    """

    wire: str
    producer: str
    receiver: str
    octets: bytes
    about: dict[str, Any] = field(default_factory=dict, hash=False)


Pdu = RadioSettings | Transmit | Received | Transmitted | Message


class Chance(Protocol):
    """The part of `random.Random` that machines use; only a bench makes one, from the run's seed."""

    def random(self) -> float:
        """Uniform in [0, 1)."""

    def uniform(self, a: float, b: float) -> float:
        """Uniform in [a, b]."""

    def randrange(self, start: int, stop: int) -> int:
        """Uniform integer in [start, stop)."""

    def getrandbits(self, k: int) -> int:
        """k random bits."""


class Machine(Protocol):
    """A sans-I/O state machine: what came in, what is to go out, when to be woken, what it has to report."""

    def receive(self, pdu: Pdu, now: float) -> None:
        """Take what came in at `now`."""

    def transmit(self, now: float) -> list[Pdu]:
        """Everything that is to go out at `now`, in order; the list is handed over and forgotten."""

    def deadline(self) -> float | None:
        """When `wake` wants to be called next; None for never."""

    def wake(self, now: float) -> None:
        """Timers up to `now` have run out."""

    def events(self) -> list[Any]:
        """What happened since the last call, oldest first."""


class Radio(Protocol):
    """A real transceiver behind a port, made as `Radio(options, interrupt)` and opened by that.

    `options` are its mapping in the bench file; `interrupt` is called, from any thread, when `told` has something new. Whatever
    event loop it needs runs in a thread of its own. All raise BenchError naming the port and what to do about it.

    A sniffer may have `garbage` (how many frames it may have lost: nothing is attested over the gap) and `speaks` (whether it is known
    to be there: nothing is attested before). A class whose radio no bench can tune says `tuned_elsewhere = True`, and is told `channel`;
    one that can only be a sniffer says `listens_only = True`, and takes nothing but promiscuous settings.
    LQI and RSSI of what it heard count where it offers them.
    """

    offers: frozenset[str]
    """What it can, by name: "raw", "promiscuous", "source-match", "timestamps", "lqi", "ack-pending" ...; after opening."""
    about: Mapping[str, str]
    """What it says of itself: firmware, protocol and API versions, "exercised on hardware" ("no", or when and on which)."""

    def submit(self, pdu: RadioSettings | Transmit, now: float) -> None:
        """Take new settings, or a frame to send after those before it; returns at once."""

    def told(self, now: float) -> list[tuple[float, Received | Transmitted]]:
        """What it told since the last call, each with the bench time at which it happened, by its own clock where it has one."""

    def perform(self, operation: str, **given: object) -> object:
        """Anything beyond ("energy_scan" ...). Raises Unsupported, by name, for what it cannot."""

    def close(self) -> None:
        """Leave the port; raises nothing, and may be called twice."""
