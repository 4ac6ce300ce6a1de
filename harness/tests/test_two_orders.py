"""Two devices, two meters, and one in the place of another, on the virtual bench: each order's part of the run is a run of its own."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

import pytest

from cases.table import clauses
from harness.bench import Bench
from harness.checkers.apart import apart, at_the_meter, orders_of, swapped_at
from harness.checkers.correspondence import leg_message
from harness.checkers.orders import windows
from harness.declarations import read_bench
from harness.judge import judge
from harness.plan import Plan
from harness.trace import Trace
from harness.usecase import Point
from harness.values import Eui64
from harness.verdict import Verdict

FILE = read_bench(Path(__file__).parents[2] / "fixtures" / "benches" / "virtual.yaml")
OTHER = Eui64(0xACDE480000000002)
PLANS: dict[str, dict[str, Any]] = {
    "two devices": {"second": OTHER, "second_joins_at": 62.5},
    "two meters": {"second": OTHER, "second_joins_at": 62.5, "second_meter": True},
    "another device": {"second": OTHER, "swap": "device"},
    "another meter": {"swap": "meter"},
}
ASKED_OF_EACH = (
    "01-MAC", "01-TYPE", "01-KEY", "01-WINDOW", "01-METER", "02-FORWARDED", "02-TARGET", "03-FORWARDED", "04-FORWARDED",
    "04-AUTHORISES", "06-KEY-SEALED", "10-STATE", "11-STATE", "12-STATE", "13-MAC", "13-METER", "13-CORRELATION", "14-PREMISE",
    "INT-HEAD-END-CIS", "SEQ-ORDER", "SEQ-MAC-CHAIN", "SEQ-KEY-CHAIN", "SEQ-WINDOW-CHAIN",
)


@cache
def played(name: str, device: str = "pct") -> Trace:
    bench = Bench(FILE, FILE.device(device), Plan(**PLANS[name]))
    bench.play()
    bench.close()
    return bench.trace


@pytest.mark.parametrize("device", [device.name for device in FILE.devices])
@pytest.mark.parametrize("name", PLANS)
def test_nobody_is_confused_by_the_other_order(name: str, device: str) -> None:
    judgements = judge(played(name, device), clauses().values())
    assert [each for each in judgements if each.verdict > Verdict.PASS] == []
    assert sum(each.verdict is Verdict.PASS for each in judgements) > len(ASKED_OF_EACH)


@pytest.mark.parametrize("name", PLANS)
def test_what_is_asked_of_an_order_is_asked_of_each(name: str) -> None:
    asked = [clauses()[f"UC2.7-{each}"] for each in ASKED_OF_EACH]
    for part, order in zip(apart(played(name)), orders_of(played(name)), strict=True):
        assert part.header.order == order
        assert {each.id: str(each.verdict) for each in judge(part, asked) if each.verdict is not Verdict.PASS} == {}


@pytest.mark.parametrize("name", ["two devices", "two meters"])
def test_a_part_speaks_of_its_own_device_alone(name: str) -> None:
    parts = apart(played(name))
    for part, other in zip(parts, reversed(parts), strict=True):
        told = {leg.device for each in part.at(Point.LEG) if (leg := leg_message(part, each)) is not None}
        assert told == {part.header.order.device}
        assert not [each for each in part.at(Point.CIM) if str(other.header.order.device).encode() in each.octets]
        assert {each.number for each in part} <= {each.number for each in played(name)}


def test_windows_of_both_devices_are_known_at_their_meter_and_not_at_another() -> None:
    one_meter, two_meters = apart(played("two devices"))[0], apart(played("two meters"))
    assert {window.device for window in windows(one_meter)} == {order.device for order in orders_of(played("two devices"))}
    assert [{window.device for window in windows(part)} for part in two_meters] == [{part.header.order.device} for part in two_meters]
    assert len(at_the_meter(one_meter)) > len(one_meter)


def test_frames_of_the_other_han_are_not_heard() -> None:
    first, then = apart(played("two meters"))
    heard = [{each.number for each in part.at(Point.MAC)} for part in (first, then)]
    assert not heard[0] & heard[1]
    assert all(each.medium.startswith("air:") for part in (first, then) for each in part.at(Point.MAC))


@pytest.mark.parametrize("name", ["another device", "another meter"])
def test_what_was_replaced_is_not_judged_by_what_came_after(name: str) -> None:
    whole = played(name)
    first = apart(whole)[0]
    assert 0 < max(each.time for each in first) < swapped_at(whole) < max(each.time for each in whole)
    assert max(each.end or 0.0 for each in first.attestations) == swapped_at(whole)


def test_a_trace_with_two_orders_reads_back_as_it_was(tmp_path: Path) -> None:
    whole = played("two meters")
    path = tmp_path / "trace.jsonl"
    path.write_text("\n".join(whole.lines()))
    again = Trace.read(path, whole.keys, whole.header.order.key_material)
    assert [part.exchanges for part in apart(again)] == [part.exchanges for part in apart(whole)]
    assert orders_of(again) == orders_of(whole)


def test_a_second_order_is_another_device_with_another_key_or_another_meter() -> None:
    first, then = orders_of(played("two devices"))
    assert (first.meter, first.premise) == (then.meter, then.premise)
    assert first.key_material != then.key_material
    assert first.device_type is not then.device_type
    first, then = orders_of(played("another meter"))
    assert (first.device, first.key_material) == (then.device, then.key_material)
    assert first.meter != then.meter
    assert first.premise != then.premise
