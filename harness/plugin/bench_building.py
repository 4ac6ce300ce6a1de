"""From a plan of the campaign to the harness's own bench; the one place of the plugin that knows `harness.bench`."""

from __future__ import annotations

from harness.bench import Bench
from harness.plan import Plan
from harness.plugin.campaign import Planned


def build(planned: Planned) -> Bench:
    """The bench of a plan. Raises TypeError for a change that no plan knows."""
    return Bench(
        planned.bench, planned.device, Plan(**planned.changes), seed=planned.seed, scenario=planned.scenario,
        defects=(planned.defect,) if planned.defect is not None else (),
    )
