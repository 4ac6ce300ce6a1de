"""Pairs of windows: they meet in the way that is asked for, and each device comes in its own."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import find, given

from harness.overlap_strategies import FIRST_REPORTS, Meeting, Pair, pairs, reorderings, rivals
from harness.strategies import SCANNING_TIME, Window


def in_order(pair: Pair) -> tuple[Window, Window]:
    first, later = sorted((pair.first.window, pair.second.window), key=lambda window: (window.start, -window.duration))
    return first, later


def meets(pair: Pair) -> bool:
    first, later = in_order(pair)
    return {
        Meeting.APART: later.start > first.end,
        Meeting.TOUCHING: later.start == first.end,
        Meeting.OVERLAPPING: first.start < later.start < first.end < later.end,
        Meeting.INSIDE: first.start <= later.start and later.end <= first.end,
        Meeting.TOGETHER: (first.start, first.end) == (later.start, later.end),
    }[pair.meeting]


@given(pairs())
def test_two_windows_meet_as_they_say_and_each_device_comes_in_its_own(pair: Pair) -> None:
    assert meets(pair)
    for arrival in (pair.first, pair.second):
        window = arrival.window
        assert window.start + window.latency <= arrival.comes <= window.end - SCANNING_TIME
    assert pair.planned["joins_at"] == pair.first.comes


@pytest.mark.parametrize("meeting", Meeting)
def test_either_window_may_be_the_first(meeting: Meeting) -> None:
    for first in (True, False) if meeting is not Meeting.TOGETHER else ():
        pair = find(pairs(meeting), lambda pair, first=first: (in_order(pair)[0] is pair.first.window) is first)  # type: ignore[misc]
        assert pair.meeting is meeting


@given(rivals())
def test_of_rivals_the_second_comes_right_behind_the_first(planned: dict[str, Any]) -> None:
    assert planned["window_start"] < planned["joins_at"] < planned["second_joins_at"] < planned["joins_at"] + SCANNING_TIME
    assert planned["second_joins_at"] < planned["second_start"] + planned["second_duration"] - SCANNING_TIME


@given(reorderings())
def test_one_of_the_first_reports_is_overtaken(reordering: tuple[int, float]) -> None:
    which, by = reordering
    assert 0 <= which < FIRST_REPORTS
    assert by > 0
