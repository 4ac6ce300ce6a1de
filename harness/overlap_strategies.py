"""Hypothesis strategies for two joining windows side by side, each with its device; not what is done with them."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from harness.strategies import LONGEST_REPETITION, SCANNING_TIME, Arrival, Window, eui64s

SHORTEST, LONGEST = 60, 240  # seconds of one window: the shortest lets a device come, be let in and register
LATENCIES = (0.0, 0.4, 4.0)  # seconds of an order on its whole way
_HEADSTARTS = st.floats(0.25, 1.5)  # seconds that a device is ahead: the other one comes to key establishment before it is through
FIRST_REPORTS = 4  # of two devices: both windows are open, both are provisioned; what comes later closes windows


class Meeting(StrEnum):
    """How two windows lie to each other."""

    APART = "apart"
    TOUCHING = "touching"
    OVERLAPPING = "overlapping"
    INSIDE = "inside"  # one in the other
    TOGETHER = "together"  # from the same instant to the same instant


@dataclass(frozen=True)
class Pair:
    """Two windows ordered at time 0, each with the instant at which its device is switched on, seconds."""

    first: Arrival
    second: Arrival
    meeting: Meeting

    @property
    def planned(self) -> dict[str, Any]:
        """The changes of a plan that play it; who the second device is, is not said."""
        one, other = self.first.window, self.second.window
        return {
            "window_start": one.start, "window_duration": one.duration, "joins_at": self.first.comes, "latency": one.latency,
            "second_start": other.start, "second_duration": other.duration, "second_joins_at": self.second.comes,
        }


@st.composite
def pairs(draw: st.DrawFn, *meetings: Meeting) -> Pair:
    """Two windows that meet in one of these ways (all by default), either of them first; each device comes in its own."""
    meeting = draw(st.sampled_from(meetings or tuple(Meeting)))
    latency = draw(st.sampled_from(LATENCIES))
    start, duration = draw(_whole(SCANNING_TIME, 60)), draw(_whole(2 * SHORTEST, LONGEST))
    later, length = start, duration
    if meeting in (Meeting.APART, Meeting.TOUCHING):
        later, length = start + duration + (draw(_whole(1, SHORTEST)) if meeting is Meeting.APART else 0.0), draw(_length())
    elif meeting is Meeting.OVERLAPPING:
        later = start + draw(_whole(1, duration - 1))
        length = start + duration - later + draw(_length())
    elif meeting is Meeting.INSIDE:
        later = start + draw(_whole(0, duration - SHORTEST))
        length = draw(_whole(SHORTEST, start + duration - later))
    two = [draw(_arrivals(Window(start, duration, latency))), draw(_arrivals(Window(later, length, latency)))]
    if draw(st.booleans()):
        two.reverse()
    return Pair(two[0], two[1], meeting)


@st.composite
def rivals(draw: st.DrawFn) -> dict[str, Any]:
    """The changes of a plan in which a second device comes while the first establishes its key."""
    window = Window(draw(_whole(SCANNING_TIME, 60)), float(SHORTEST), 0.0)
    comes = window.start + SCANNING_TIME
    arrival = Arrival(window, comes)
    return Pair(arrival, Arrival(window, comes + draw(_HEADSTARTS)), Meeting.TOGETHER).planned


@st.composite
def behind_a_router(draw: st.DrawFn) -> dict[str, Any]:
    """The changes of a plan in which a second device, a router, comes first, and the device after it joins through it."""
    start = draw(_whole(SCANNING_TIME, 60))
    router = start + draw(_whole(0, SHORTEST))
    comes = router + draw(_whole(SHORTEST, 2 * SHORTEST))
    return {
        "second": draw(eui64s()), "router": True, "window_start": start, "window_duration": 2.0 * LONGEST,
        "second_joins_at": router, "joins_at": comes,
    }


def reorderings() -> SearchStrategy[tuple[int, float]]:
    """Which of the first reports about two devices is overtaken, and for how many seconds it is on its way meanwhile."""
    return st.tuples(st.integers(0, FIRST_REPORTS - 1), st.floats(0.1, LONGEST_REPETITION))


def _arrivals(window: Window) -> SearchStrategy[Arrival]:
    """A device that comes when its window has opened, and in time to be let in."""
    first, last = window.start + window.latency, window.end - 2 * SCANNING_TIME
    return st.one_of(st.sampled_from([first, last]), st.floats(first, last)).map(lambda comes: Arrival(window, comes))


def _length() -> SearchStrategy[float]:
    return _whole(SHORTEST, LONGEST)


def _whole(least: float, most: float) -> SearchStrategy[float]:
    return st.integers(int(least), int(most)).map(float)
