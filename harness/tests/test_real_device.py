"""A real HAN Device or ESI: its role verbs by command, person and class."""

from __future__ import annotations

import os
import random
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from harness.actors.reports import Logged
from harness.actors.setup import Setup
from harness.adapters.real_device import RealDevice
from harness.declarations import read_bench
from harness.errors import BenchError, Inconclusive, InputError
from harness.plugin.bench_building import check
from harness.role_verbs import Way
from harness.tests.at_the_device import BUTTON, NO_RESET, OWN, REAL, Button, Person, written
from harness.tests.back_office import EPOCH, ORDER
from harness.usecase import Actor


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
    real = device(person=Person("no"), factory_reset="true", power_cycle=Way(person="unplug"))
    real.factory_reset(0.0)
    real.events()
    with pytest.raises(Inconclusive, match=r"HAN Device.power_cycle: the operator says that it was not done"):
        real.power_cycle(0.0)
    assert real.events() == []


def test_what_nobody_performs_is_inconclusive_and_names_verb_and_remedy() -> None:
    with pytest.raises(Inconclusive, match=r"nobody performs factory_reset for the HAN Device.*`factory_reset: {person: ...}`"):
        device(start_joining=Way(person="press")).start_joining(0.0)


@pytest.mark.parametrize("verb", ["start_joining", "power_cycle"])
def test_a_device_that_begins_by_its_button_or_by_its_power_was_reset_before_and_once(verb: str) -> None:
    """Or it would be in the network of an earlier case, and its silence, or its search for that one, be held against it."""
    person = Person()
    real = device(person=person, factory_reset=Way(person="hold"), start_joining=Way(person="press"), power_cycle=Way(person="cut"))
    getattr(real, verb)(0.0)
    real.power_cycle(1.0)
    assert [each.text.split(" ")[0] for each in real.events()] == ["factory_reset", verb, "power_cycle"]


def test_an_esi_whose_power_is_cut_keeps_its_network() -> None:
    real = device(Actor.ESI, factory_reset=Way(person="menu"), power_cycle=Way(person="cut"))
    real.power_cycle(1.0)
    assert [each.text for each in real.events()] == ["power_cycle was performed by a person"]


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
    broken = Way(adapter=f"{Button.__module__}:Button", options={"port": "none"})
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
    os.mkfifo(release)
    hold = os.open(release, os.O_RDWR)  # so that nobody waits for the other to open it
    (tmp_path / "press.py").write_text(f"open({str(pressed)!r}, 'w').close(); open({str(release)!r}, 'rb').read(1)")
    real = device(factory_reset="true", power_cycle=Way(command=f"{sys.executable} {tmp_path / 'press.py'}", limit=20))
    real.power_cycle(0.0)
    assert real.transmit(0.0) == [], "nobody has let it go yet"
    os.write(hold, b"let go")
    real.close()
    os.close(hold)
    assert pressed.exists()


def test_a_command_that_fails_beside_the_bench_is_told_at_the_next_look_or_at_the_end() -> None:
    real = device(factory_reset="true", power_cycle="false")
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
