"""What was worked out of a trace goes with the trace, whatever refers to whatever."""

from __future__ import annotations

import gc
from pathlib import Path
from weakref import ref

from cases.table import clauses
from harness.bench import Bench
from harness.declarations import read_bench
from harness.judge import judge
from harness.remembered import Remembered

BENCH = Path(__file__).parents[2] / "fixtures" / "benches" / "virtual.yaml"


class Owner:
    """Anything that results can be worked out of."""


def test_a_result_is_known_by_its_kind_and_its_owner() -> None:
    one, other, lengths, names = Owner(), Owner(), Remembered[Owner, int](), Remembered[Owner, str]()
    lengths[one] = 3
    assert (lengths.get(one), lengths.get(other), names.get(one)) == (3, None, None)


def test_a_result_that_refers_to_its_owner_does_not_keep_it() -> None:
    owner, known = Owner(), Remembered[Owner, list[Owner]]()
    known[owner] = [owner]
    alive = ref(owner)
    del owner
    gc.collect()
    assert alive() is None


def test_nothing_keeps_a_trace_that_was_judged() -> None:
    file = read_bench(BENCH)
    bench = Bench(file, file.devices[0])
    bench.play()
    bench.close()
    assert judge(bench.trace, clauses().values())
    alive = ref(bench.trace)
    del bench
    gc.collect()
    assert alive() is None
