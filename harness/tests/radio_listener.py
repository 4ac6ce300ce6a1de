"""A radio of its own clock, for tests: what it told, and when; waits for more. Knows no radio by name."""

from __future__ import annotations

from collections.abc import Callable
from math import inf
from typing import Any

import pytest

from harness.clock import LiveClock
from harness.errors import BenchError


class RadioListener:
    """Whoever listens to one radio; waits for at most `within` seconds, and looks at least every `glance` seconds."""

    def __init__(self, made: Callable[[Callable[[], None]], Any], within: float, glance: float = inf) -> None:
        """`made` opens the radio that is to interrupt as it is told."""
        self.clock = LiveClock()
        self.radio = made(self.clock.interrupt)
        self.heard: list[tuple[float, Any]] = []
        self._within, self._glance = within, glance

    def until(self, condition: Callable[[], bool]) -> None:
        """Take what it tells until that holds. Raises what breaks it."""
        end = self.clock.now() + self._within
        while not condition():
            assert self.clock.now() < end, f"only {self.heard} came within {self._within:g} s"
            self.clock.wait_until(min(end, self.clock.now() + self._glance))
            self.heard += self.radio.told(self.clock.now())

    def end(self) -> str:
        """What breaks it."""
        with pytest.raises(BenchError) as fault:
            self.until(lambda: False)
        return str(fault.value)
