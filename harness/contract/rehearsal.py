"""A machine that is played its script, alone and in virtual time: everything that it said, and what it did wrong at its edge.

Knows the Machine protocol and plays the radio for it; no concrete adapter, and not what any of it means.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from harness.actors.reports import Logged
from harness.contract.script import Given, Script
from harness.errors import Inconclusive
from harness.ports import Message, Pdu, RadioSettings, Received, Transmit, Transmitted
from harness.radio.filtering import accepts, glance
from harness.radio.virtual import ACK_WAIT, airtime

SAME_INSTANT = 100  # wakes at one instant, after which a machine is taken not to come to rest
STEPS = 200_000  # of one rehearsal: more is a machine that runs in circles

# what a machine may do wrong at its edge, as `Recording.flaws` names it
LATE, RESTLESS, ASKED_TWICE, SAID_TWICE, TOLD_TWICE, HANDLES = "late", "restless", "asked twice", "said twice", "told twice", "handles"


@dataclass
class Recording:
    """What a machine said in one rehearsal: each pdu and each line of its log with its instant, flaws by kind with their first text.

    What is no pdu is there by the name of its type.
    """

    said: list[tuple[float, Pdu | str]] = field(default_factory=list)
    logged: list[tuple[float, str]] = field(default_factory=list)
    flaws: dict[str, str] = field(default_factory=dict)
    again: list[tuple[float, Pdu | str]] = field(default_factory=list)  # said by a second machine in the same process
    elsewhere: list[tuple[float, Pdu | str]] = field(default_factory=list)  # said by one in another process
    clocks: set[str] = field(default_factory=set)  # what it called that tells time or draws chance
    shown: set[str] = field(default_factory=set)  # where it shows a key


class Rehearsal:
    """One machine, its script and its radio."""

    def __init__(self, machine: Any, script: Script, doing: Callable[[str], None]) -> None:
        self._machine, self._script, self._doing = machine, script, doing
        self._recording = Recording()
        self._settings = RadioSettings(receiver_on=False)
        self._on_air: list[tuple[float, int]] = []  # frames that it was given: when each is answered, and its handle

    def play(self) -> Recording:
        """The whole script. Raises what the machine raises."""
        given, now, wakes = list(self._script.given), 0.0, Counter[float]()
        self._listen(now)
        for _ in range(STEPS):
            due = self._deadline(now)
            now = min(due, self._on_air[0][0] if self._on_air else math.inf, given[0].at if given else math.inf)
            if now > self._script.end:
                return self._recording
            if self._on_air and self._on_air[0][0] <= now:
                self._receive(Transmitted(self._on_air.pop(0)[1], "ok"), now)
            elif given and given[0].at <= now:
                self._give(given.pop(0), now)
            else:
                wakes[now] += 1
                if wakes[now] > SAME_INSTANT:
                    self._flaw(RESTLESS, f"wants to be woken at {now:.6f} s again and again")
                    return self._recording
                self._doing("wake")
                self._machine.wake(now)
            self._listen(now)
        self._flaw(RESTLESS, f"does not come to rest: {STEPS} steps by {now:.3f} s")
        return self._recording

    def _give(self, given: Given, now: float) -> None:
        if given.verb:
            self._doing(given.verb)
            with suppress(Inconclusive):  # what a machine cannot do it may refuse
                getattr(self._machine, given.verb)(*given.arguments, now)
        elif isinstance(given.pdu, Received):
            addressing = glance(given.pdu.psdu)
            listens = self._settings.receiver_on and self._settings.channel == given.pdu.channel
            if listens and addressing is not None and accepts(self._settings, addressing):
                self._receive(given.pdu, now)
        elif given.pdu is not None:
            self._receive(given.pdu, now)

    def _receive(self, pdu: Pdu, now: float) -> None:
        self._doing("receive")
        self._machine.receive(pdu, now)

    def _deadline(self, now: float) -> float:
        self._doing("deadline")
        due, again = self._machine.deadline(), self._machine.deadline()
        if due != again:
            self._flaw(ASKED_TWICE, f"asked twice at {now:.6f} s when it wants to be woken it says {due} and {again}")
        if due is not None and due < now:
            self._flaw(LATE, f"at {now:.6f} s, with all timers run out, it wants to be woken at {due:.6f} s")
        return math.inf if due is None else max(due, now)

    def _listen(self, now: float) -> None:
        """Everything that it has to say now, and once more: that must be nothing."""
        self._doing("transmit")
        for pdu in self._machine.transmit(now):
            self._recording.said.append((now, pdu if isinstance(pdu, RadioSettings | Transmit | Message) else type(pdu).__name__))
            if isinstance(pdu, RadioSettings):
                self._settings = pdu
            elif isinstance(pdu, Transmit):
                if pdu.handle in (handle for _, handle in self._on_air):
                    self._flaw(HANDLES, f"at {now:.6f} s two frames are on their way under the handle {pdu.handle}")
                begins = max(now, self._on_air[-1][0] if self._on_air else now)
                self._on_air.append((begins + airtime(pdu.psdu) + ACK_WAIT, pdu.handle))
        self._doing("events")
        events = list(self._machine.events())
        self._recording.logged += [(now, event.text) for event in events if isinstance(event, Logged)]
        if events and self._machine.events():
            self._flaw(TOLD_TWICE, f"asked again at {now:.6f} s for what happened it tells {len(events)} event(s) again")
        self._doing("transmit")
        if self._machine.transmit(now):
            self._flaw(SAID_TWICE, f"asked again at {now:.6f} s for what is to go out it hands over something again")

    def _flaw(self, kind: str, text: str) -> None:
        self._recording.flaws.setdefault(kind, text)

