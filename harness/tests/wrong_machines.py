"""Machines that each break the contract in one way, with the promises that this breaks. They are virtual actors but for that."""

from __future__ import annotations

import os
import random
import sys
import threading
import time
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from harness.actors.reports import Logged
from harness.actors.setup import Setup
from harness.adapters.virtual_cis import VirtualCis
from harness.adapters.virtual_han_device import VirtualHanDevice
from harness.adapters.virtual_nic import VirtualNic
from harness.errors import RemoteProtocolError
from harness.ports import Message, Pdu, Transmit
from harness.usecase import Actor

if "HANPROOF_IMPORTED" in os.environ:  # so that one test has a module that does something when it is imported
    threading.Thread(target=threading.Event().wait, daemon=True).start()


class Deaf:
    """Lacks a verb."""

    def __init__(self, setup: Setup) -> None:
        """Nothing."""


class SaysPerhaps(VirtualNic):
    """Hides a point that there is not."""

    @staticmethod
    def hides(actor: Actor, legs: object) -> tuple[str, ...]:
        """A word of its own."""
        return ("EVERYTHING",)


class LacksAVerb(VirtualCis):
    """Has no word for the programmes of a customer."""

    enrolled_in = None  # type: ignore[assignment]


class TakesOffence(VirtualNic):
    """What it cannot read ends it."""

    def receive(self, pdu: Pdu, now: float) -> None:
        """With an exception."""
        if isinstance(pdu, Message) and len(pdu.octets) < 4:
            raise RemoteProtocolError("too short")
        super().receive(pdu, now)


class HangsOnClosing(VirtualNic):
    """Waits for an answer that does not come."""

    def close(self) -> None:
        """Never ends."""
        threading.Event().wait()


class CrashesOnClosing(VirtualNic):
    """Takes the process along when it is closed again."""

    _closed = False

    def close(self) -> None:
        """Once."""
        if self._closed:
            os._exit(3)
        self._closed = True


class SpeaksAfterClosing(VirtualNic):
    """Has a last word."""

    _last: tuple[str, ...] = ()

    def close(self) -> None:
        """Goes on."""
        self._last = ("closed",)

    def events(self) -> list[Any]:
        """And a line more."""
        return [*super().events(), *(Logged(line) for line in self._last)]


class LeavesThreads(VirtualNic):
    """Something of it goes on."""

    def __init__(self, setup: Setup) -> None:
        super().__init__(setup)
        threading.Thread(target=threading.Event().wait, daemon=True).start()


class RunsInCircles(VirtualNic):
    """Wants to be woken now, always."""

    def wake(self, now: float) -> None:
        """Remembers."""
        self._now = now
        super().wake(now)

    def deadline(self) -> float | None:
        """Now."""
        return getattr(self, "_now", 1.0)


class Hangs(VirtualNic):
    """Waits for an answer in the middle of its work."""

    def receive(self, pdu: Pdu, now: float) -> None:
        """Never ends."""
        if now > 1.0:
            threading.Event().wait()


class IsLate(VirtualNic):
    """When it has heard something it should have been woken a second ago."""

    _due: float | None = None

    def receive(self, pdu: Pdu, now: float) -> None:
        """And sets its timer."""
        self._due = now - 1.0
        super().receive(pdu, now)

    def deadline(self) -> float | None:
        """In the past."""
        return super().deadline() if self._due is None else self._due

    def wake(self, now: float) -> None:
        """At last."""
        self._due = None
        super().wake(now)


class DelaysEachTime(VirtualNic):
    """Puts its deadline off when asked."""

    _asked = 0

    def deadline(self) -> float | None:
        """Later and later."""
        self._asked += 1
        return 1e6 + self._asked


class RepeatsItself(VirtualNic):
    """Hands over what it keeps."""

    _kept: list[Pdu] = []

    def transmit(self, now: float) -> list[Pdu]:
        """Again, until there is something else."""
        self._kept = super().transmit(now) or self._kept
        return self._kept


class TellsTwice(VirtualNic):
    """Tells what happened until something else does."""

    _kept: list[Any] = []

    def events(self) -> list[Any]:
        """Again."""
        self._kept = super().events() or self._kept
        return self._kept


class SignsForAnother(VirtualNic):
    """Sends under the name of the head-end."""

    def transmit(self, now: float) -> list[Pdu]:
        """As somebody else."""
        return [replace(pdu, producer=Actor.AMI_HEAD_END) if isinstance(pdu, Message) else pdu for pdu in super().transmit(now)]


class HandsOverOctets(VirtualNic):
    """Hands over octets as they are."""

    def transmit(self, now: float) -> list[Any]:
        """No pdu."""
        return [pdu.octets if isinstance(pdu, Message) else pdu for pdu in super().transmit(now)]


class ForgetsTheFcs(VirtualHanDevice):
    """Leaves the FCS to the radio."""

    def transmit(self, now: float) -> list[Pdu]:
        """Two octets short."""
        return [replace(pdu, psdu=pdu.psdu[:-2]) if isinstance(pdu, Transmit) else pdu for pdu in super().transmit(now)]


class HasOneHandle(VirtualHanDevice):
    """Every frame has the handle 1, and there are two at a time."""

    def transmit(self, now: float) -> list[Pdu]:
        """The same again."""
        return [
            each for pdu in super().transmit(now)
            for each in ((replace(pdu, handle=1),) * 2 if isinstance(pdu, Transmit) else (pdu,))
        ]


class DrawsItsOwnChance(VirtualNic):
    """Numbers its messages by chance of its own."""

    def transmit(self, now: float) -> list[Pdu]:
        """With another number each time."""
        drawn = random.SystemRandom().getrandbits(32).to_bytes(4, "big")
        return [replace(pdu, octets=drawn + pdu.octets) if isinstance(pdu, Message) else pdu for pdu in super().transmit(now)]


class DrawsEverybodysChance(VirtualNic):
    """Numbers its messages by the chance that a whole process has in common."""

    def transmit(self, now: float) -> list[Pdu]:
        """With another number each time."""
        drawn = random.randrange(1 << 32).to_bytes(4, "big")
        return [replace(pdu, octets=drawn + pdu.octets) if isinstance(pdu, Message) else pdu for pdu in super().transmit(now)]


class SeedsEverybodysChance(DrawsEverybodysChance):
    """And begins it anew, so that it says the same whatever its seed is."""

    def __init__(self, setup: Setup) -> None:
        super().__init__(setup)
        random.seed(1)


class ReadsTheClock(VirtualNic):
    """Looks at the time."""

    def receive(self, pdu: Pdu, now: float) -> None:
        """The real one."""
        time.monotonic()
        super().receive(pdu, now)


class RemembersTheLast(VirtualNic):
    """What it heard, all of its kind have heard."""

    _heard: set[bytes] = set()

    def receive(self, pdu: Pdu, now: float) -> None:
        """Once in a process."""
        if isinstance(pdu, Message) and pdu.octets not in self._heard:
            self._heard.add(pdu.octets)
            super().receive(pdu, now)


class Chatters(VirtualHanDevice):
    """Prints what it was given, its key with it."""

    def __init__(self, setup: Setup) -> None:
        super().__init__(setup)
        print("joining with", setup.identity["link_key"].hex(":"), file=sys.stderr)


NIC, CIS, HAN_DEVICE = "NIC", "CIS", "HAN Device"
BREAKS: Mapping[type[Any], tuple[str, frozenset[str]]] = {
    wrong: (place, frozenset(f"MACHINE-{each}" for each in promises.split()))
    for wrong, place, promises in (
        (Deaf, NIC, "MADE"),
        (SaysPerhaps, NIC, "DECLARES"),
        (LacksAVerb, CIS, "ROLE-VERBS"),
        (TakesOffence, NIC, "NOISE"),
        (HangsOnClosing, NIC, "CLOSES SILENT ENDS-THREADS"),
        (CrashesOnClosing, NIC, "CLOSES"),
        (SpeaksAfterClosing, NIC, "SILENT"),
        (LeavesThreads, NIC, "ENDS-THREADS"),
        (RunsInCircles, NIC, "REHEARSES"),
        (Hangs, NIC, "REHEARSES"),
        (IsLate, NIC, "DEADLINE"),
        (DelaysEachTime, NIC, "DEADLINE-ASKED"),
        (RepeatsItself, NIC, "HANDS-OVER"),
        (TellsTwice, NIC, "EVENTS-ONCE"),
        (SignsForAnother, NIC, "PDUS"),
        (HandsOverOctets, NIC, "PDUS"),
        (ForgetsTheFcs, HAN_DEVICE, "FRAMES"),
        (HasOneHandle, HAN_DEVICE, "HANDLES"),
        (DrawsItsOwnChance, NIC, "REPEATABLE NO-CLOCK"),
        (DrawsEverybodysChance, NIC, "REPEATABLE NO-CLOCK"),
        (SeedsEverybodysChance, NIC, "NO-CLOCK"),
        (ReadsTheClock, NIC, "NO-CLOCK"),
        (RemembersTheLast, NIC, "STARTS-CLEAN"),
        (Chatters, HAN_DEVICE, "NO-KEY"),
    )
}
