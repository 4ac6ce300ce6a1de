"""A wait ends at its limit however much is heard meanwhile, and a bench that runs in circles is told from one that is busy."""

from __future__ import annotations

from typing import Any

import pytest

from harness.bench_time import Meanwhile
from harness.clock import VirtualClock
from harness.errors import BenchError
from harness.loop import Loop
from harness.tests.sample_run import trace


class Always:
    """Machines, airs and wires in one, that are due again so many seconds after each wake."""

    is_behind = False

    def __init__(self, every: float) -> None:
        self.every, self.due, self.woken = every, 0.0, 0

    def change(self, *_: Any) -> None:
        """Nobody says anything."""

    def changed(self) -> tuple[()]:
        return ()

    def deadline(self) -> float:
        return self.due

    def deadlines(self) -> tuple[float, ...]:
        return (self.due,)

    def wake(self, now: float) -> tuple[()]:
        self.due = now + self.every
        self.woken += 1
        return ()


def running(always: Any) -> Loop:
    clock = VirtualClock()
    return Loop(always, always, always, clock, Meanwhile(clock, trace("loop")), give=lambda *_: None, note=lambda *_: None)


def test_a_channel_that_is_never_quiet_is_listened_to_for_as_long_as_was_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("harness.loop.STEP_LIMIT", 10)
    always = Always(0.001)
    assert running(always).run_until(lambda: False, 2.0) is False
    assert always.woken > 2000


@pytest.mark.parametrize("every", [0.0, 0.0001])
def test_what_runs_in_circles_is_an_error_of_the_bench(every: float, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("harness.loop.STEP_LIMIT", 1000)
    with pytest.raises(BenchError, match="the bench does not come to rest at 0"):
        running(Always(every)).run_until(lambda: False, 60.0)
