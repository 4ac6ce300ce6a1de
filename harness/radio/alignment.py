"""Two clocks made one: when something happened by the bench's clock that a radio stamped by its own. Reads no clock itself.

Whatever a radio tells comes some time after it happened, sooner or later as the line is free; never before. The smallest difference
between the two readings is therefore the nearest to the truth, and is held until a smaller one comes; since quartzes differ it
creeps upwards meanwhile by the most that they can differ.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import inf

DRIFT = 100e-6  # seconds a second; 802.15.4-2006, 6.9.6 allows a radio 40e-6, and a computer's clock is no better

ANEW = 5.0  # seconds of difference that no delay explains: the radio's clock began anew


@dataclass
class Alignment:
    """Of one radio's clock with the host's; readings in seconds, `offset` is host minus radio as far as is known."""

    offset: float = inf
    largest: float = 0.0  # seconds by which something came later than what came soonest
    first: float = inf  # the offset that was found first, and when by the host's clock
    began: float = 0.0
    _last: float = 0.0

    def learn(self, radio: float, host: float) -> None:
        """Something that happened at `radio` by the radio's clock came at `host` by the host's."""
        sample = host - radio
        crept = self.offset + DRIFT * max(0.0, host - self._last)
        if self.offset == inf or abs(sample - self.offset) > ANEW:
            self.first, self.began, crept = sample, host, sample
        self.offset, self._last = min(sample, crept), host
        self.largest = max(self.largest, sample - self.offset)

    def host_time(self, radio: float) -> float:
        """When by the host's clock it was `radio` by the radio's, as far as is known now."""
        return radio + self.offset

    @property
    def drift(self) -> float:
        """How much faster the host's clock runs than the radio's, seconds a second; as exact as the run is long."""
        return 0.0 if self._last <= self.began else (self.offset - self.first) / (self._last - self.began)
