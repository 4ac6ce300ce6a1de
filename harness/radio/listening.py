"""What the radios of a bench listened to and for how long, and how far their clocks were apart. Opens nothing, hears nothing."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from statistics import median
from typing import Any

from harness.ports import Radio
from harness.trace import Attestation
from harness.usecase import Point

MEDIUM = "air"  # of the only air that real radios share
SETTLING = 0.1  # seconds after which a radio that was told a channel listens to it
LONGEST = 1000  # differences that are kept of each radio
DEAF = 100  # frames of ours that pass unheard, after which a sniffer is taken to hear nothing for sure


class Listening:
    """A sniffer hears every frame of its channel; radios that take part hear what is for them, and attest nothing."""

    def __init__(self, radios: Mapping[str, Radio], sniffers: Collection[str]) -> None:
        """`radios` are all of them, `sniffers` the names of those that take no part."""
        self._radios = radios
        self._sniffers = sniffers
        self._has_sniffer = bool(sniffers)
        self._channel: int | None = None
        self._since = self._whole_until = 0.0
        self._missed = 0
        self._speaks = True
        self.heard_until = 0.0  # when the last frame on the tap was over, by a bench whose clock may lag behind
        self._before: list[Attestation] = []
        self._ours = self._not_heard = 0  # frames that our radios sent or took while sniffers listened; those that no sniffer heard
        self._caught: Counter[str] = Counter()  # how many of them each sniffer heard
        self._apart: dict[str, list[float]] = {}
        self.about: dict[str, Any] = {}

    def tune(self, channel: int, now: float) -> bool:
        """The sniffers are to listen to this channel from now on; whether they have to be told."""
        if channel == self._channel:
            return False
        if self._channel is not None:
            self._before += self._attested(now)
        self._channel = channel
        self._since = now + SETTLING if now else 0.0  # nothing has begun yet at the start
        return True

    def listened(self, now: float, missed: int, whole_until: float, speaks: bool = True) -> None:
        """What the sniffers told by now is on the tap, all of what was until `whole_until`; their lines have lost so many pieces, each
        of which may have been a frame. One that never spoke may not be there at all; once it speaks it is taken to have been."""
        if missed != self._missed and self._channel is not None:
            self._before += self._attested(self._whole_until) if self._speaks else []
            self._since = now
        self._missed, self._whole_until, self._speaks = missed, max(self._whole_until, whole_until), speaks

    def has_sniffer_on(self, channel: int) -> bool:
        """Whether a sniffer is to hear what is on that channel."""
        return self._has_sniffer and channel == self._channel

    def caught(self, sniffers: Iterable[str]) -> None:
        """These heard a frame that a radio of ours sent or took."""
        self._ours += 1
        self._caught.update(sniffers)

    def let_pass(self, start: float, end: float) -> None:
        """A radio of ours sent or took a frame between these instants, and no sniffer heard it: it may have missed others then."""
        if start < self._since:
            return
        self._ours += 1
        self._not_heard += 1
        if self._not_heard <= DEAF:
            self._before += self._attested(start)
        self._since = max(self._since, end)

    def compare(self, name: str, apart: float) -> None:
        """By this radio's clock a frame came so many seconds after it came by the clock of the one that told it first."""
        kept = self._apart.setdefault(name, [])
        if len(kept) < LONGEST:
            kept.append(apart)

    def attested(self, now: float) -> list[Attestation]:
        """What can be attested up to `now`: every channel for as long as a sniffer was on it and what it told was taken; where none
        is, that somebody was there, for no time at all. What the radios say of themselves is brought up to date as well."""
        self.about.update({name: self._said_by(name, radio) for name, radio in self._radios.items()})
        return [*self._before, *self._attested(max(now, self.heard_until))]

    def _attested(self, now: float) -> list[Attestation]:
        if self._channel is None:
            return []
        medium = f"{MEDIUM}:{self._channel}"
        if not self._has_sniffer or not self._speaks:
            return [Attestation(Point.MAC, medium, 0.0, 0.0)]
        if self._not_heard > DEAF:
            return []
        end = min(now, max(self._whole_until, self.heard_until))
        return [Attestation(Point.MAC, medium, self._since, end)] if end >= self._since else []

    def _said_by(self, name: str, radio: Radio) -> dict[str, Any]:
        said: dict[str, Any] = {**radio.about, "offers": sorted(radio.offers)}
        if apart := self._apart.get(name):
            said["clock"] = {
                "frames compared": len(apart), "median skew in us": round(median(apart) * 1e6), "largest skew in us":
                round(max(map(abs, apart)) * 1e6),
            }
        if name in self._sniffers and self._ours:
            said["of frames that our radios sent or took"] = {"while it listened": self._ours, "heard": self._caught[name]}
        return said
