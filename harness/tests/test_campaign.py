"""A campaign lets go of every bench that it made, whatever became of it."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.declarations import read_bench
from harness.errors import BenchError
from harness.plugin.campaign import Campaign, Planned
from harness.trace import Header, Trace

FILE = read_bench(Path(__file__).parents[2] / "fixtures" / "benches" / "virtual.yaml")


class Playing:
    """A bench that plays, or does not."""

    def __init__(self, planned: Planned, fault: Exception | None, on_closing: Exception | None) -> None:
        self.trace = Trace(Header(order=planned.bench.order(planned.device), epoch="", scenario=planned.scenario))
        self.closed = 0
        self._fault, self._on_closing = fault, on_closing

    def play(self) -> None:
        if self._fault is not None:
            raise self._fault

    def close(self) -> None:
        self.closed += 1
        if self._on_closing is not None:
            raise self._on_closing


BROKEN, STUCK = BenchError("the radio is gone"), BenchError("the port does not close")


@pytest.mark.parametrize(("fault", "on_closing", "told"), [
    (None, None, None), (BROKEN, None, BROKEN), (None, STUCK, STUCK), (BROKEN, STUCK, BROKEN),
])
def test_a_recording_lets_go_of_its_bench(fault: Exception | None, on_closing: Exception | None, told: Exception | None) -> None:
    made: list[Playing] = []

    def build(planned: Planned) -> Playing:
        made.append(Playing(planned, fault, on_closing))
        return made[-1]

    campaign = Campaign(FILE, 1, build)
    recordings = [campaign.provisioned(FILE.devices[0]) for _ in range(2)]
    assert [each.closed for each in made] == [1]
    assert [(each.trace, each.fault) for each in recordings] == 2 * [(made[0].trace, told)]
