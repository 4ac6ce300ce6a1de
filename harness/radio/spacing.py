"""When frames of one channel were over that are told as of too early an instant, or of the same: one after the other, as they must have
been. Knows no radio.
"""

from __future__ import annotations

from math import inf

from dissectors.mac import FrameType
from harness.radio.filtering import glance, is_acknowledgement_of
from harness.radio.virtual import TURNAROUND, airtime

ACK_SPAN = 0.05  # seconds in which an acknowledgement is taken for that of the frame before it


class Spacing:
    """Of what is told in order, by a computer's clock or by a bench's that stood still or was behind."""

    def __init__(self) -> None:
        self._before, self._sequence = -inf, -1

    def over(self, psdu: bytes, at: float) -> float:
        """When this was over: not before it has gone out after what was told before it, and an acknowledgement at once after its frame."""
        soonest = self._before + airtime(psdu)
        if is_acknowledgement_of(psdu, self._sequence) and at - self._before <= ACK_SPAN:
            at = soonest + TURNAROUND
        frame = glance(psdu)
        self._before, self._sequence = max(at, soonest), -1 if frame is None or frame.frame_type == FrameType.ACK else frame.sequence
        return self._before
