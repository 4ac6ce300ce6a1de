"""Radios that each break the contract in one way, with the promises that this breaks. They are the right one but for that."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Mapping
from dataclasses import replace
from itertools import count
from typing import Any

from harness.ports import RadioSettings, Received, Transmit, Transmitted
from harness.tests.air_pair import OnTheAir

Told = list[tuple[float, Received | Transmitted]]
Interrupt = Callable[[], None]


class SaysNotWhatItOffers(OnTheAir):
    """Its offers are no set of words."""

    offers = None  # type: ignore[assignment]


class Nameless(OnTheAir):
    """Says neither its firmware nor whether it was ever tried."""

    about: Mapping[str, str] = {"vendor": "ACME"}


class SaysYesToAll(OnTheAir):
    """Does nothing of what it does not know, and does not say so."""

    def perform(self, operation: str, **given: object) -> object:
        """Nothing."""
        return None


class LiesAboutScanning(OnTheAir):
    """Offers what it then cannot do."""

    offers = OnTheAir.offers | {"channel_hopping"}


class BlamesTheProgrammer(OnTheAir):
    """Where its port is not there it raises whatever came."""

    def __init__(self, options: Mapping[str, Any], interrupt: Interrupt) -> None:
        if "nowhere" in options["port"] or "127.0.0.1" in options["port"]:
            raise FileNotFoundError(options["port"])
        super().__init__(options, interrupt)


class HangsOnClosing(OnTheAir):
    """Waits for an answer that does not come."""

    def close(self) -> None:
        """Never ends."""
        threading.Event().wait()


class CrashesOnClosing(OnTheAir):
    """Takes the whole process along when it is closed again."""

    def close(self) -> None:
        """Once."""
        if not self._open:
            os._exit(3)
        super().close()


class NeverCloses(OnTheAir):
    """Stays on the air, and goes on to tell."""

    def close(self) -> None:
        """Nothing."""


class KeepsItsPort(OnTheAir):
    """Can be opened once."""

    _taken: set[str] = set()

    def __init__(self, options: Mapping[str, Any], interrupt: Interrupt) -> None:
        super().__init__(options, interrupt)
        if self._name in self._taken:
            raise OSError("busy")
        self._taken.add(self._name)


class LeavesThreads(OnTheAir):
    """A reader of its own goes on when it is closed."""

    def __init__(self, options: Mapping[str, Any], interrupt: Interrupt) -> None:
        super().__init__(options, interrupt)
        threading.Thread(target=threading.Event().wait, daemon=True).start()


class LeaksSettings(OnTheAir):
    """Begins as the one before it was left."""

    _last: list[RadioSettings] = []

    def __init__(self, options: Mapping[str, Any], interrupt: Interrupt) -> None:
        super().__init__(options, interrupt)
        for settings in self._last[-1:]:
            super().submit(settings, 0.0)

    def submit(self, pdu: RadioSettings | Transmit, now: float) -> None:
        """Remember."""
        if isinstance(pdu, RadioSettings):
            self._last.append(pdu)
        super().submit(pdu, now)


class LeaksAnswers(OnTheAir):
    """Tells the next case what the last one did not collect."""

    _left: Told = []

    def __init__(self, options: Mapping[str, Any], interrupt: Interrupt) -> None:
        super().__init__(options, interrupt)
        self._log += self._left

    def close(self) -> None:
        """Keep."""
        self._left += self._log
        super().close()


class DropsAnswers(OnTheAir):
    """Every third frame is sent, and nothing said of it."""

    def told(self, now: float) -> Told:
        """Without those."""
        return [each for each in super().told(now) if not isinstance(each[1], Transmitted) or each[1].handle % 3]


class AnswersTwice(OnTheAir):
    """Every third frame is answered twice."""

    def told(self, now: float) -> Told:
        """With those."""
        return [
            each for each in super().told(now)
            for _ in range(1 if not isinstance(each[1], Transmitted) or each[1].handle % 3 else 2)
        ]


class MixesHandlesUp(OnTheAir):
    """Answers to the second and third frame change places."""

    def told(self, now: float) -> Told:
        """With each other's handles."""
        changed = {2: 3, 3: 2}
        return [
            (at, replace(pdu, handle=changed.get(pdu.handle, pdu.handle)) if isinstance(pdu, Transmitted) else pdu)
            for at, pdu in super().told(now)
        ]


class DropsFrames(OnTheAir):
    """Every third frame is said to be sent, and is not."""

    def submit(self, pdu: RadioSettings | Transmit, now: float) -> None:
        """All but those."""
        if isinstance(pdu, Transmit) and not pdu.handle % 3:
            self.deliver(self._ether.clock.now(), Transmitted(pdu.handle, "ok"))
        else:
            super().submit(pdu, now)


class LosesWhatDoesNotFit(OnTheAir):
    """Has room for twenty frames; what is more is lost in silence."""

    def submit(self, pdu: RadioSettings | Transmit, now: float) -> None:
        """All that fits."""
        if not isinstance(pdu, Transmit) or len(self._ether.air.radio(self._name).queue) < 20:
            super().submit(pdu, now)


class SpeaksUnasked(OnTheAir):
    """Says hello when it is set up."""

    def submit(self, pdu: RadioSettings | Transmit, now: float) -> None:
        """And more."""
        super().submit(pdu, now)
        if isinstance(pdu, RadioSettings) and not pdu.receiver_on:
            super().submit(Transmit(bytes.fromhex("4188005048ffff01004869"), 4242), now)


class KeepsWaiting(OnTheAir):
    """Returns when a frame is on the air, not before."""

    def submit(self, pdu: RadioSettings | Transmit, now: float) -> None:
        """And wait."""
        super().submit(pdu, now)
        while isinstance(pdu, Transmit) and self._ether.air.radio(self._name).queue:
            with self._ether.changed:
                self._ether.changed.wait(0.005)


class AlwaysContent(OnTheAir):
    """Whatever became of a frame, it is ok."""

    def told(self, now: float) -> Told:
        """All is well."""
        return [(at, replace(pdu, status="ok") if isinstance(pdu, Transmitted) else pdu) for at, pdu in super().told(now)]


class SendsWellFormedOnly(OnTheAir):
    """Offers raw, and leaves out what it does not understand."""

    def submit(self, pdu: RadioSettings | Transmit, now: float) -> None:
        """All that is in order."""
        if isinstance(pdu, Transmit) and pdu.psdu[0] & 7 > 3:
            self.deliver(self._ether.clock.now(), Transmitted(pdu.handle, "ok"))
        else:
            super().submit(pdu, now)


class ForgetsPending(OnTheAir):
    """Offers ack-pending, and keeps it for itself."""

    def told(self, now: float) -> Told:
        """Without it."""
        return [(at, replace(pdu, frame_pending=False) if isinstance(pdu, Transmitted) else pdu) for at, pdu in super().told(now)]


class TellsTwice(OnTheAir):
    """Every frame is heard twice."""

    def told(self, now: float) -> Told:
        """And again."""
        return [each for each in super().told(now) for _ in range(1 + isinstance(each[1], Received))]


class CutsFrames(OnTheAir):
    """Hands long frames up without what does not fit into its buffer."""

    def told(self, now: float) -> Told:
        """Shortened."""
        return [(at, replace(pdu, psdu=pdu.psdu[:100]) if isinstance(pdu, Received) else pdu) for at, pdu in super().told(now)]


class MistakesTheChannel(OnTheAir):
    """Counts channels from 0."""

    def told(self, now: float) -> Told:
        """On another."""
        return [(at, replace(pdu, channel=pdu.channel - 11) if isinstance(pdu, Received) else pdu) for at, pdu in super().told(now)]


class MistakesLevels(OnTheAir):
    """Hands the octet of RSSI up as if it had no sign."""

    def told(self, now: float) -> Told:
        """Far too loud."""
        return [(at, replace(pdu, rssi=pdu.rssi & 0xFF) if isinstance(pdu, Received) else pdu) for at, pdu in super().told(now)]


class SwapsTimes(OnTheAir):
    """Every second of what it tells is told as earlier than it was."""

    _number = count()

    def told(self, now: float) -> Told:
        """With 50 ms taken off, within what clocks may be apart."""
        return [(at - 0.05 * (next(self._number) % 2), pdu) for at, pdu in super().told(now)]


class LivesInAnotherTime(OnTheAir):
    """Tells the times of its own clock, which began when it was plugged in."""

    def told(self, now: float) -> Told:
        """An hour ahead."""
        return [(at + 3600.0, pdu) for at, pdu in super().told(now)]


class StampsWhenAsked(OnTheAir):
    """Offers timestamps, and takes the time at which it is asked."""

    def told(self, now: float) -> Told:
        """Now."""
        return [(now, pdu) for _, pdu in super().told(now)]


class NeverInterrupts(OnTheAir):
    """Waits to be asked."""

    def __init__(self, options: Mapping[str, Any], interrupt: Interrupt) -> None:
        super().__init__(options, lambda: None)


class StaysOnItsChannel(OnTheAir):
    """Takes the channel that it was set to first."""

    _first: RadioSettings | None = None

    def submit(self, pdu: RadioSettings | Transmit, now: float) -> None:
        """On that one."""
        if isinstance(pdu, RadioSettings):
            self._first = self._first or pdu
            pdu = replace(pdu, channel=26)
        super().submit(pdu, now)


class NeverSleeps(OnTheAir):
    """Its receiver is always on."""

    def submit(self, pdu: RadioSettings | Transmit, now: float) -> None:
        """Awake."""
        super().submit(replace(pdu, receiver_on=True) if isinstance(pdu, RadioSettings) else pdu, now)


class HearsEverybody(OnTheAir):
    """Filters nothing, and acknowledges nothing."""

    def submit(self, pdu: RadioSettings | Transmit, now: float) -> None:
        """With open ears."""
        super().submit(replace(pdu, promiscuous=True) if isinstance(pdu, RadioSettings) else pdu, now)


class IsNeverPromiscuous(OnTheAir):
    """Offers promiscuous, and goes on to filter."""

    def submit(self, pdu: RadioSettings | Transmit, now: float) -> None:
        """As usual."""
        super().submit(replace(pdu, promiscuous=False) if isinstance(pdu, RadioSettings) else pdu, now)


class StarvesChildren(OnTheAir):
    """Offers source-match, and has no list."""

    def submit(self, pdu: RadioSettings | Transmit, now: float) -> None:
        """Nothing pending."""
        super().submit(replace(pdu, pending_for=frozenset()) if isinstance(pdu, RadioSettings) else pdu, now)


WILD = (HangsOnClosing, CrashesOnClosing, NeverCloses, KeepsItsPort, LeavesThreads, LeaksSettings, LeaksAnswers)
"""Those that leave something behind: they are asked in a process of its own for each question, as every adapter is by the command."""

BREAKS: Mapping[type[OnTheAir], frozenset[str]] = {
    wrong: frozenset(f"RADIO-{each}" for each in promises.split())
    for wrong, promises in {
        SaysNotWhatItOffers: "OPENS",
        Nameless: "ABOUT",
        SaysYesToAll: "UNSUPPORTED OFFERS",
        LiesAboutScanning: "OFFERS",
        BlamesTheProgrammer: "NO-PORT",
        HangsOnClosing: "CLOSES SILENT OPENS-AGAIN ENDS-THREADS STARTS-CLEAN",
        CrashesOnClosing: "CLOSES",
        NeverCloses: "SILENT ENDS-THREADS STARTS-CLEAN",
        KeepsItsPort: "OPENS-AGAIN STARTS-CLEAN",
        LeavesThreads: "ENDS-THREADS",
        LeaksSettings: "STARTS-CLEAN",
        LeaksAnswers: "STARTS-CLEAN",
        DropsAnswers: "ONE-ANSWER FULL-QUEUE",
        AnswersTwice: "ONE-ANSWER",
        MixesHandlesUp: "ANSWER-ORDER",
        DropsFrames: "ON-THE-AIR FULL-QUEUE ANSWER-ORDER",
        LosesWhatDoesNotFit: "FULL-QUEUE",
        SpeaksUnasked: "NOTHING-UNASKED",
        KeepsWaiting: "AT-ONCE",
        AlwaysContent: "NO-ACK",
        SendsWellFormedOnly: "RAW",
        ForgetsPending: "ACK-PENDING",
        TellsTwice: "HEARS",
        CutsFrames: "HEARS",
        MistakesTheChannel: "HEARS",
        MistakesLevels: "LEVELS",
        SwapsTimes: "TIME",
        LivesInAnotherTime: "TIME",
        StampsWhenAsked: "TIMESTAMPS",
        NeverInterrupts: "INTERRUPTS",
        StaysOnItsChannel: "CHANNEL",
        NeverSleeps: "RECEIVER-OFF",
        HearsEverybody: "FILTER ACKNOWLEDGES SOURCE-MATCH",
        IsNeverPromiscuous: "PROMISCUOUS",
        StarvesChildren: "SOURCE-MATCH",
    }.items()
}
