"""Somebody and something at a real device: an operator, a vendor's class that presses buttons, bench files with such a device."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from harness.actors.prompt import Prompt
from harness.asking import Answer
from harness.declarations import read_bench
from harness.role_verbs import Way
from harness.usecase import Order

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


def written(folder: Path, options: str, actor: str = "HAN Device", dut: str = "[HAN Device]") -> Path:
    text = (BENCHES / "virtual.yaml").read_text().replace("../devices/", f"{BENCHES.parent}/devices/").replace("dut: []", f"dut: {dut}")
    lines = [line for line in text.splitlines() if not line.startswith(f"  {actor}: ")]
    (folder / "bench.yaml").write_text("\n".join([*lines, f"  {actor}: {options}\n"]))
    return folder / "bench.yaml"


NO_RESET = Way(command="true")
BUTTON = Way(adapter=f"{__name__}:Button", options={"port": "/dev/null"})
REAL = "harness.adapters.real_device:RealDevice"
