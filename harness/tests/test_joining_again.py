"""A device that is reset and joins again is right, and the ESI that lets it in: no clause of steps 5 to 9 fails either of them.

An ESI that goes on repeating what was under way, now under the install-code key, is failed for that; the device that refuses it is not.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache

import pytest

from harness.bench import Bench
from harness.judge import Judgement, judge
from harness.stack.transmission import Transmission
from harness.tests.field_captures import DEVICES, asked, audited, judgements
from harness.tests.test_defects import bench_file
from harness.trace import Trace
from harness.verdict import Verdict


@cache
def joined_twice(device: str, *, careless: bool = False) -> Trace:
    """Where the ESI is `careless`, a retry goes out under whatever link key it shares with the device by then."""
    bench = Bench(bench_file(), bench_file().device(device))
    with pytest.MonkeyPatch.context() as patch:
        if careless:
            patch.setattr(Transmission, "established", property(lambda self: False, lambda self, value: None))
        bench.open()
        bench.join()
        bench.join_again()
        bench.settle()
    bench.close()
    return bench.trace


def failing(found: Iterable[Judgement]) -> set[str]:
    return {each.id for each in found if each.verdict >= Verdict.FAIL}


@pytest.mark.parametrize("device", DEVICES)
def test_nobody_fails(device: str) -> None:
    trace = joined_twice(device)
    assert failing(judge(trace, asked())) == set()
    assert failing(judgements(audited(trace))) == set()


@pytest.mark.parametrize("device", DEVICES)
def test_who_repeats_data_under_the_install_code_key_fails_alone(device: str) -> None:
    assert failing(judge(joined_twice(device, careless=True), asked())) == {
        "UC2.7-09-NOT-INSTALL-KEY@ESI", "UC2.7-09-SAME-SECURITY@ESI",
    }
