"""Radios that can only listen and each break the contract in one way, with the promises that this breaks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from harness.contract.laboratory import frame
from harness.ports import RadioSettings, Received, Transmit, Transmitted
from harness.tests.air_pair import OnlyListens, OnTheAir

Told = list[tuple[float, Received | Transmitted]]


class ListensWhereItLikes(OnlyListens):
    """A sniffer that stays on the channel it was set to first."""

    _first: int | None = None

    def submit(self, pdu: RadioSettings | Transmit, now: float) -> None:
        """On that one."""
        if isinstance(pdu, RadioSettings):
            self._first = self._first or 26
            pdu = replace(pdu, channel=self._first)
        super().submit(pdu, now)


class ListensAndSpeaks(OnlyListens):
    """A sniffer that acknowledges itself to be there."""

    def submit(self, pdu: RadioSettings | Transmit, now: float) -> None:
        """And says so."""
        super().submit(pdu, now)
        self._ether.submit(self._name, Transmit(frame(77), 4242))

    def told(self, now: float) -> Told:
        """And tells nobody of it."""
        return [each for each in super().told(now) if isinstance(each[1], Received)]


BREAKS: Mapping[type[OnTheAir], frozenset[str]] = {
    ListensWhereItLikes: frozenset({"RADIO-CHANNEL"}), ListensAndSpeaks: frozenset({"RADIO-NOTHING-UNASKED"}),
}
