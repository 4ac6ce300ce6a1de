"""A real HAN Device or ESI on the bench: its role verbs by command, person and class, and what a bench does not ask of it."""

from __future__ import annotations

import random
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from harness.actors.prompt import Prompt
from harness.actors.reports import Logged
from harness.actors.setup import Setup
from harness.adapters.control import Control
from harness.adapters.real_device import RealDevice
from harness.adapters.virtual_esi import VirtualEsi
from harness.adapters.virtual_han_device import VirtualHanDevice
from harness.asking import ASKED_OF_OPERATOR, Answer
from harness.bench import Bench
from harness.clock import LiveClock, VirtualClock
from harness.declarations import BenchFile, read_bench
from harness.errors import BenchError, Inconclusive, InputError, Unsupported
from harness.plan import Plan
from harness.plugin.bench_building import check
from harness.ports import Pdu
from harness.role_verbs import Way
from harness.silent_device import APPLICATION_TIME
from harness.stack.happenings import DeviceProvisioned
from harness.tests.back_office import EPOCH, ORDER
from harness.tests.served import serving
from harness.trace import Trace
from harness.usecase import Actor, Order, Point
from harness.values import Eui64

BENCHES = Path(__file__).parents[2] / "fixtures" / "benches"
FILE = read_bench(BENCHES / "virtual.yaml")
OWN = FILE.devices[0].eui64


class Button:
    """A vendor's class that performs verbs."""

    made: list[Button] = []

    def __init__(self, options: Mapping[str, str]) -> None:
        self.options, self.done, self.closed = options, list[tuple[Any, ...]](), 0
        self.made.append(self)

    def start_joining(self, now: float) -> None:
        self.done.append(("start_joining", now))
        if self.options.get("port") == "none":
            raise RuntimeError("no answer of the relay")

    def open_window(self, order: Order, now: float) -> None:
        self.done.append((order, now))
        if self.options.get("port") == "none":
            raise LookupError(f"no menu for {order.key_material!r}")

    def close(self) -> None:
        self.closed += 1


class Person:
    """An operator who is never asked twice in the same way."""

    def __init__(self, *answers: str, then: Callable[[Prompt], None] = lambda prompt: None) -> None:
        self.answers, self.asked, self.then = list(answers), list[Prompt](), then

    def ask(self, prompt: Prompt, scenario: str = "") -> Answer:
        self.asked.append(prompt)
        self.then(prompt)
        return Answer(prompt.accept(self.answers.pop(0) if self.answers else ""), "Ada", datetime(2026, 1, 1, tzinfo=UTC), 2.5)


def device(actor: Actor = Actor.HAN_DEVICE, person: Person | None = None, **options: Any) -> RealDevice:
    ask = (person or Person()).ask
    return RealDevice(Setup(
        actor, (ORDER,), EPOCH, random.Random(1), {"eui64": OWN} if actor is Actor.HAN_DEVICE else {}, options,
        ask=lambda prompt: ask(prompt).text,
    ))


@pytest.fixture(autouse=True)
def buttons() -> list[Button]:
    Button.made.clear()
    return Button.made


NO_RESET = Way(command="true")
BUTTON = Way(adapter=f"{__name__}:Button", options={"port": "/dev/null"})


def test_a_person_is_told_what_is_to_be_done_and_when() -> None:
    person = Person()
    real = device(person=person, factory_reset=Way(person="Hold the button.", limit=7), start_joining=Way(person="press it on {device}"))
    real.start_joining(3.0)
    assert [each.shown for each in person.asked] == [
        "Hold the button; press Enter when it is done", f"when you are ready, press Enter, and then at once: press it on {OWN}",
    ]
    assert [each.limit for each in person.asked] == [7, 300]
    assert [each.text for each in real.events() if isinstance(each, Logged)] == [
        "factory_reset was performed by a person", "start_joining was performed by a person",
    ]


def test_each_bench_begins_with_one_reset_and_no_more() -> None:
    person = Person()
    real = device(person=person, factory_reset=Way(person="reset"), start_joining=Way(person="press"))
    real.start_joining(0.0)
    real.start_joining(9.0)
    assert [each.verb for each in person.asked] == ["factory_reset", "start_joining", "start_joining"]


def test_what_a_person_did_not_do_is_inconclusive() -> None:
    real = device(person=Person("no"), power_cycle=Way(person="unplug"))
    with pytest.raises(Inconclusive, match=r"HAN Device.power_cycle: the operator says that it was not done"):
        real.power_cycle(0.0)
    assert real.events() == []


def test_what_nobody_performs_is_inconclusive_and_names_verb_and_remedy() -> None:
    with pytest.raises(Inconclusive, match=r"nobody performs factory_reset for the HAN Device.*`factory_reset: {person: ...}`"):
        device(start_joining=Way(person="press")).start_joining(0.0)


def test_a_key_is_shown_to_the_person_who_types_it_in_and_recorded_nowhere() -> None:
    person = Person()
    real = device(Actor.ESI, person, open_window=Way(person="type {key_material}"))
    real.open_window(ORDER, 0.0)
    (prompt,) = person.asked
    assert ORDER.key_material.hex() in prompt.shown
    assert ORDER.key_material.hex() not in repr(prompt) + prompt.text
    assert [type(each).__name__ for each in real.events()] == ["Logged", "WindowOpened"]


def test_a_class_of_the_vendors_is_made_once_for_all_its_verbs_and_closed_once(buttons: list[Button]) -> None:
    real = device(factory_reset=NO_RESET, start_joining=BUTTON)
    real.start_joining(1.0)
    real.start_joining(2.0)
    real.close()
    real.close()
    (button,) = buttons
    assert (button.options, button.done, button.closed) == ({"port": "/dev/null"}, [("start_joining", 1.0), ("start_joining", 2.0)], 1)


def test_a_class_is_given_the_order(buttons: list[Button]) -> None:
    device(Actor.ESI, open_window=BUTTON).open_window(ORDER, 4.0)
    assert buttons[0].done == [(ORDER, 4.0)]


def test_a_class_that_fails_is_an_error_of_the_bench_and_shows_no_key(buttons: list[Button]) -> None:
    broken = Way(adapter=f"{__name__}:Button", options={"port": "none"})
    with pytest.raises(BenchError, match=r"HAN Device: start_joining: .*:Button failed: RuntimeError: no answer of the relay$"):
        device(factory_reset=NO_RESET, start_joining=broken).start_joining(3.0)
    with pytest.raises(BenchError, match=r"ESI: open_window: .* failed: LookupError: no menu for <octets>$"):
        device(Actor.ESI, open_window=broken).open_window(ORDER, 4.0)


def test_a_class_is_let_go_when_another_cannot_be_had(buttons: list[Button]) -> None:
    with pytest.raises(BenchError, match="Absent"):
        device(factory_reset=NO_RESET, start_joining=BUTTON, power_cycle=Way(adapter=f"{__name__}:Absent"))
    assert [button.closed for button in buttons] == [1]


def test_a_class_without_the_verb_is_refused_when_the_bench_is_built() -> None:
    with pytest.raises(ValueError, match=r"power_cycle: .*Button has no power_cycle"):
        device(power_cycle=BUTTON)


def test_a_command_knows_which_device_and_is_waited_for_where_what_follows_needs_its_end(tmp_path: Path) -> None:
    told = tmp_path / "told"
    device(factory_reset=f"sh -c 'echo $HANPROOF_ABOUT > {told}'").factory_reset(0.0)
    assert told.read_text().strip() == str(OWN)


def test_time_stands_still_for_what_is_waited_for_and_not_for_what_begins(tmp_path: Path) -> None:
    entered: list[str] = []

    @contextmanager
    def aside() -> Iterator[None]:
        entered.append("stopped")
        yield

    options = {"factory_reset": "true", "power_cycle": "true"}
    real = RealDevice(Setup(Actor.HAN_DEVICE, (ORDER,), EPOCH, random.Random(1), {}, options, aside=aside))
    real.factory_reset(0.0)
    real.power_cycle(0.0)
    real.close()
    assert entered == ["stopped"]


def test_a_button_that_is_still_pressed_does_not_hold_the_bench_up(tmp_path: Path) -> None:
    pressed, release = tmp_path / "pressed", tmp_path / "release"
    release_it = f"import os, time; open({str(pressed)!r}, 'w').close()\nwhile not os.path.exists({str(release)!r}): time.sleep(0.01)"
    (tmp_path / "press.py").write_text(release_it)
    real = device(power_cycle=Way(command=f"{sys.executable} {tmp_path / 'press.py'}", limit=20))
    real.power_cycle(0.0)
    assert not release.exists()
    assert real.transmit(0.0) == []
    release.touch()
    real.close()
    assert pressed.exists()


def test_a_command_that_fails_beside_the_bench_is_told_at_the_next_look_or_at_the_end() -> None:
    real = device(power_cycle="false")
    real.power_cycle(0.0)
    with pytest.raises(BenchError, match="HAN Device: power_cycle: the command ended with exit code 1"):
        real.close()
    real.close()


@pytest.mark.parametrize(("actor", "options", "said"), [
    (Actor.HAN_DEVICE, {"open_window": "true"}, "open_window: the HAN Device has no such role verb; right would be one of factory_reset"),
    (Actor.NIC, {}, "the NIC has no role verbs"),
])
def test_an_option_that_is_no_verb_is_refused(actor: Actor, options: Mapping[str, Any], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        device(actor, **options)


def written(folder: Path, options: str, actor: str = "HAN Device", dut: str = "[HAN Device]") -> Path:
    text = (BENCHES / "virtual.yaml").read_text().replace("../devices/", f"{BENCHES.parent}/devices/").replace("dut: []", f"dut: {dut}")
    lines = [line for line in text.splitlines() if not line.startswith(f"  {actor}: ")]
    (folder / "bench.yaml").write_text("\n".join([*lines, f"  {actor}: {options}\n"]))
    return folder / "bench.yaml"


REAL = "harness.adapters.real_device:RealDevice"


@pytest.mark.parametrize(("options", "said"), [
    ("start_joining: {person: press, command: x}", "start_joining: needs exactly one of command, person and adapter"),
    ("start_joining: {limit: 3}", "needs exactly one"),
    ("start_joining: {person: press, limit: 0}", "limit: 0 is out of range"),
    ("start_joining: {person: press, speed: 3}", "speed: there is no such field"),
    ("start_joining: {adapter: Button}", "names no class"),
    ("start_joining: {adapter: 'a:B', limit: 3}", "belongs to a command or a person"),
    ("start_joining: {person: ''}", "is no line of text"),
    ("press: {person: press}", "press: the HAN Device has no such role verb"),
])
def test_a_wrong_way_is_one_line_with_its_place(tmp_path: Path, options: str, said: str) -> None:
    path = written(tmp_path, f"{{adapter: '{REAL}', {options}}}")
    with pytest.raises(InputError, match=said) as raised:
        check(read_bench(path))
    assert str(raised.value).startswith(f"{path}:")
    assert "\n" not in str(raised.value)


# -- on a bench, in virtual time: the device on the air is one of ours, and nobody else's verb makes it do anything


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
    path = written(tmp_path, f"{{adapter: '{REAL}', open_window: {{adapter: '{__name__}:Button'}}}}", "ESI", "[NIC, ESI]")
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
