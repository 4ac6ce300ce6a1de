"""A real HAN Device or ESI on a bench: what is done to it and when, what the trace keeps of it, what it is not asked to be."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from harness.actors.prompt import Prompt
from harness.actors.reports import Happened
from harness.actors.setup import Setup
from harness.adapters.control import Control
from harness.adapters.real_device import RealDevice
from harness.adapters.virtual_esi import VirtualEsi
from harness.adapters.virtual_han_device import VirtualHanDevice
from harness.adapters.virtual_nic import VirtualNic
from harness.bench import LONGEST_PAUSE, Bench
from harness.clock import LiveClock, VirtualClock
from harness.declarations import BenchFile, read_bench
from harness.errors import Inconclusive, Unsupported
from harness.plan import Plan
from harness.plugin.bench_building import check
from harness.ports import Pdu
from harness.silent_device import APPLICATION_TIME
from harness.stack.happenings import DeviceLeft, DeviceProvisioned
from harness.tests.at_the_device import REAL, Button, Person, written
from harness.tests.served import serving
from harness.trace import ASKED_OF_OPERATOR, STOOD, Trace
from harness.usecase import Actor, Point
from harness.values import Eui64


@pytest.fixture(autouse=True)
def buttons() -> list[Button]:
    Button.made.clear()
    return Button.made


class OnTheAir(RealDevice):
    """What would stand beside the radio."""

    tells_nothing = False

    def __init__(self, setup: Setup) -> None:
        super().__init__(setup)
        self.machine: Any = (VirtualHanDevice if setup.actor is Actor.HAN_DEVICE else VirtualEsi)(replace(setup, options={
            name: value for name, value in setup.options.items() if name in ("codec", "legs")
        }))

    def receive(self, pdu: Pdu, now: float) -> None:
        self.machine.receive(pdu, now)

    def transmit(self, now: float) -> list[Pdu]:
        return [*super().transmit(now), *self.machine.transmit(now)]

    def deadline(self) -> float | None:
        due: float | None = self.machine.deadline()
        return due

    def wake(self, now: float) -> None:
        self.machine.wake(now)

    def events(self) -> list[Any]:
        return [*super().events(), *self.machine.events()]


def bench_of(
    folder: Path, person: Person | None, plan: Plan | None = None, ways: str = "", clock: Any = None, adapter: str = "OnTheAir",
) -> Bench:
    ways = ways or "factory_reset: {person: reset it}, start_joining: {person: press it}"
    file = read_bench(written(folder, f"{{adapter: '{__name__}:{adapter}', {ways}}}"))
    return Bench(file, file.devices[0], plan, operator=person, clock=clock or VirtualClock(file.epoch))


def test_a_person_joins_a_device_and_every_answer_is_in_the_trace(tmp_path: Path) -> None:
    def does(prompt: Prompt) -> None:
        machine = bench.machines[Actor.HAN_DEVICE].machine
        getattr(machine, prompt.verb)(bench.now)

    person = Person(then=does)
    bench = bench_of(tmp_path, person)
    bench.play()
    bench.close()
    assert [type(each.event).__name__ for each in bench.happenings].count("ApplicationDone") == 1
    asked = Trace.read(_kept(bench.trace, tmp_path)).header.about[ASKED_OF_OPERATOR]
    assert [(each["actor"], each["verb"], each["answer"], each["by"]) for each in asked] == [
        ("HAN Device", "factory_reset", "done", "Ada"), ("HAN Device", "start_joining", "done", "Ada"),
    ]
    assert {each["when"] for each in asked} == {"2026-01-01T00:00:00+00:00"}
    assert asked[1]["at"] == next(mark["at"] for mark in bench.trace.header.about["marks"] if mark["verb"] == "start_joining")


class Silent(OnTheAir):
    """As a real one is: it tells nothing but what was done to it."""

    tells_nothing = True

    def events(self) -> list[Any]:
        self.machine.events()
        return RealDevice.events(self)


def test_the_join_of_a_device_that_tells_nothing_ends_before_its_window(tmp_path: Path) -> None:
    def does(prompt: Prompt) -> None:
        getattr(bench.machines[Actor.HAN_DEVICE].machine, prompt.verb)(bench.now)

    ways = "factory_reset: {person: reset it}, start_joining: {person: press it}, opt_out: {person: decline}"
    bench = bench_of(tmp_path, Person(then=does), ways=ways, adapter="Silent")
    bench.open()
    bench.join()
    (registered,) = [each.at for each in bench.happenings if isinstance(each.event, DeviceProvisioned)]
    assert bench.now == registered + APPLICATION_TIME < bench.order.end
    begun = bench.now
    bench.decline("event", starts_in=60)
    declined = [mark["at"] for mark in bench.trace.header.about["marks"] if mark["verb"] == "opt_out"]
    assert [each < begun + 60.0 for each in declined] == [True], "before the event begins, so that there is something to decline"
    bench.close()


def test_a_device_that_did_not_get_in_is_not_waited_for_when_its_window_is_over(tmp_path: Path) -> None:
    bench = bench_of(tmp_path, Person(), adapter="Silent")
    bench.play()
    over = bench.now
    bench.wait_out()
    bench.close()
    assert bench.now == over >= bench.order.end


def test_one_that_is_inside_may_try_again_for_as_long_as_it_does(tmp_path: Path) -> None:
    def does(prompt: Prompt) -> None:
        getattr(bench.machines[Actor.HAN_DEVICE].machine, prompt.verb)(bench.now)

    bench = bench_of(tmp_path, Person(then=does), Plan(provocation="esi-is-always-busy"), adapter="Silent")
    bench.play()
    over = bench.now
    bench.wait_out()
    assert bench.now == over + LONGEST_PAUSE
    bench.happenings.append(Happened(Actor.ESI, DeviceLeft(bench.device.eui64, bench.now), bench.now))
    over = bench.now
    bench.wait_out()
    bench.close()
    assert bench.now == over, "it has left"


class BehindALeg(VirtualNic):
    """As a NIC is that is reached over its leg."""

    @staticmethod
    def live(options: Any) -> bool:
        return False

    def address_of(self, actor: str) -> str:
        return ""


def test_a_meter_whose_window_nobody_ever_tells_of_is_inconclusive_at_once(tmp_path: Path) -> None:
    path = written(tmp_path, f"{{adapter: '{REAL}', open_window: {{person: open it}}}}", "ESI", "[NIC, ESI]")
    path.write_text(path.read_text().replace("harness.adapters.virtual_nic:VirtualNic", f"{__name__}:BehindALeg"))
    file = read_bench(path)
    bench = Bench(file, file.devices[0], operator=Person(), clock=VirtualClock(file.epoch))
    with pytest.raises(Inconclusive, match=r"nobody on this bench says when the window of the ESI is open.*NIC: {with: ESI}"):
        bench.open()
    bench.close()
    assert bench.now == 0.0


def _kept(trace: Trace, folder: Path) -> Path:
    (folder / "trace.jsonl").write_text("\n".join(trace.lines()))
    return folder / "trace.jsonl"


def test_without_an_operator_the_play_is_inconclusive_by_name(tmp_path: Path) -> None:
    bench = bench_of(tmp_path, None)
    with pytest.raises(Inconclusive, match=r"HAN Device.factory_reset: nobody is there to be asked 'reset it; press"):
        bench.play()
    bench.close()


def test_a_prompt_that_was_not_answered_is_in_the_trace_as_well(tmp_path: Path) -> None:
    def silent(prompt: Prompt) -> None:
        raise Inconclusive(f"{prompt.name}: nobody answered")

    bench = bench_of(tmp_path, Person(then=silent))
    with pytest.raises(Inconclusive, match="factory_reset"):
        bench.play()
    (asked,) = bench.trace.header.about[ASKED_OF_OPERATOR]
    assert asked["verb"] == "factory_reset"
    assert "answer" not in asked
    bench.close()


@pytest.mark.parametrize(("plan", "said"), [
    (Plan(han_device=Eui64(7)), "has its own address and key"), (Plan(han_device_key=bytes(16)), "has its own address and key"),
    (Plan(second=Eui64(7), second_joins_at=9.0), "there is no second one beside it"),
    (Plan(stranger=Eui64(7)), "there is no second one beside it"),
])
def test_what_is_real_is_not_asked_to_be_another(tmp_path: Path, plan: Plan, said: str) -> None:
    with pytest.raises(Unsupported, match=said):
        bench_of(tmp_path, Person(), plan)


@pytest.mark.parametrize(("dut", "nic"), [("[ESI]", True), ("[NIC, ESI]", False)])
def test_a_person_opens_the_window_of_a_meter_when_the_order_has_come_that_far(tmp_path: Path, dut: str, nic: bool) -> None:
    ways = "open_window: {person: open it}, close_window: {person: close it}"
    path = written(tmp_path, f"{{adapter: '{__name__}:OnTheAir', {ways}}}", "ESI", dut)
    if not nic:
        path.write_text(path.read_text().replace("  NIC: harness.adapters.virtual_nic:VirtualNic", "  NIC: {with: ESI}"))
    person = Person()
    file = read_bench(path)
    bench = Bench(file, file.devices[0], operator=person, clock=VirtualClock(file.epoch))
    bench.open()
    bench.cancel()
    bench.close()
    assert [each.verb for each in person.asked] == ["open_window", "close_window"]
    assert [mark["verb"] for mark in bench.trace.header.about["marks"] if mark["actor"] == Actor.ESI] == ["open_window", "close_window"]
    assert Point.LEG not in bench.trace.observed()  # what the meter reports on its legs nobody sees, and so nobody judges
    assert bench.now < bench.order.end


def test_a_meter_that_is_real_is_made_once(tmp_path: Path, buttons: list[Button]) -> None:
    path = written(tmp_path, f"{{adapter: '{REAL}', open_window: {{adapter: '{Button.__module__}:Button'}}}}", "ESI", "[NIC, ESI]")
    path.write_text(path.read_text().replace("  NIC: harness.adapters.virtual_nic:VirtualNic", "  NIC: {with: ESI}"))
    file: BenchFile = read_bench(path)
    Bench(file, file.devices[0], clock=VirtualClock(file.epoch)).close()
    assert [button.closed for button in buttons] == [1]


def test_time_stands_still_while_a_person_is_asked(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    reading = [100.0]
    monkeypatch.setattr("harness.clock.time.monotonic", lambda: reading[0])
    clock = LiveClock()

    def takes_a_minute(prompt: Prompt) -> None:
        reading[0] += 60.0

    bench = bench_of(tmp_path, Person(then=takes_a_minute), clock=clock)
    reading[0] += 4.0
    clock.interrupt()
    clock.wait_until(10.0)
    bench.switch_on()
    bench.close()
    assert [each["at"] for each in bench.trace.header.about[ASKED_OF_OPERATOR]] == [4.0, 4.0]
    reading[0] += 1.0
    clock.interrupt()
    clock.wait_until(10.0)
    assert clock.now() == 5.0
    assert [clock.at(each) for each in (102.0, 104.0, 120.0, 190.0, 224.0, 225.0)] == [2.0, 4.0, 4.0, 4.0, 4.0, 5.0]


def test_a_person_joins_a_device_that_stands_beyond_a_radio(tmp_path: Path) -> None:
    path = written(tmp_path, f"{{adapter: '{REAL}', factory_reset: {{person: reset it}}, start_joining: {{person: press it}}}}")
    text = path.read_text().replace("window: {start: 60, duration: 300}", "window: {start: 0, duration: 30}")
    with serving("air", "--radios", "1", "--han-device", "load_control", "--control") as air:
        path.write_text(f"{text}radios:\n  ESI: {{adapter: 'harness.radio.rcp:Rcp', port: '{air.where['radio 1']}'}}\n")
        file = read_bench(path)
        check(file)
        button = Control(air.where["control"])

        def does(prompt: Prompt) -> None:
            if prompt.verb == "start_joining":
                button.call("start_joining", actor=Actor.HAN_DEVICE)

        bench = Bench(replace(file, latencies={}), file.device("load_control"), operator=Person(then=does))
        try:
            bench.open()
            bench.switch_on()
            assert bench.wait_until(lambda: bench.happened(DeviceProvisioned), 30.0)
        finally:
            bench.close()
            button.close()
    assert [each["verb"] for each in bench.trace.header.about[ASKED_OF_OPERATOR]] == ["factory_reset", "start_joining"]
    assert bench.trace.header.about["radios"]["ESI"]["exercised on hardware"] == "no"
    assert len(bench.trace.header.about[STOOD]) == 3, "and for how long the clock stood still, first while the radios were opened"
