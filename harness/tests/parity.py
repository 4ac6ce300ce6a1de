"""One play twice: in virtual time, and in real time in two processes over a socket radio; the same verdicts, the same order of frames.

`python -m harness.tests.parity [REPETITIONS]` plays every pair of role and device so often, and says where two plays differ.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass, replace
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from typing import TypeVar

from cases.table import clauses
from harness.bench import Bench
from harness.declarations import BenchFile, Device, Filled, read_bench
from harness.judge import judge
from harness.plan import Plan
from harness.radio_declaration import Plugged
from harness.stack.happenings import ApplicationDone, DeviceProvisioned
from harness.tests import parity_frames as frames
from harness.tests.served import ServedProcess, serving
from harness.trace import Trace
from harness.usecase import ACROSS_THE_HAN, Actor
from harness.verdict import Verdict

VIRTUAL = read_bench(Path(__file__).parents[2] / "fixtures" / "benches" / "virtual.yaml")
RCP = "harness.radio.rcp:Rcp"
THERE = "harness.tests.peers.on_served_air:There"
CHANNEL = 15  # of our virtual ESI
WITHIN = 30.0  # seconds in which a device is provisioned
WITHOUT_DELAY = replace(VIRTUAL, window_start=0.0, latencies={})
AIR = ("05", "06", "07", "08", "09")  # the steps that the air can show
AT_ONCE = 4 * (os.cpu_count() or 1)  # plays: they wait, mostly
AGAIN = 5  # times that a play is repeated that had more hindrances than in virtual time
LATE = "were played again, since the machine was too busy"
DUTS = {Actor.HAN_DEVICE: (Actor.HAN_DEVICE,), Actor.ESI: (Actor.NIC, Actor.ESI)}


@dataclass(frozen=True)
class Played:
    """One play: its trace, and how it ended."""

    trace: Trace
    is_provisioned: bool

    def verdicts(self) -> dict[str, Verdict]:
        """By clause and actor, those of the air."""
        asked = [clause for clause in clauses().values() if clause.step in AIR]
        return {each.id: each.verdict for each in judge(self.trace, asked)}


Play = TypeVar("Play")


def in_time(play: Callable[[], Play], is_disturbed: Callable[[Play], bool]) -> tuple[Play, int]:
    """A play that was not disturbed, or the last of `AGAIN` more; and how many were played before it."""
    for times in range(AGAIN):
        played = play()
        if not is_disturbed(played):
            return played, times
    return play(), AGAIN


def virtual(judged: Actor, device: Device) -> Played:
    """In virtual time."""
    return play(replace(WITHOUT_DELAY, dut=DUTS[judged]), device)


def real(judged: Actor, device: Device) -> Played:
    """In real time, whoever is judged in another process, and a sniffer beside."""
    with serving("air", "--radios", "2", *role_of(judged, device), "--control") as there:
        return play(bench_of(there, judged), device)


def role_of(judged: Actor, device: Device) -> tuple[str, str]:
    """Who is on a served air, as its options say it."""
    return "--han-device" if judged is Actor.HAN_DEVICE else "--esi", device.name


def bench_of(there: ServedProcess, judged: Actor, file: BenchFile = WITHOUT_DELAY, beside: Sequence[str] = ()) -> BenchFile:
    """The same bench, in which who is judged is on a served air; `beside` names who of ours has a radio beside the other role and the
    sniffer."""
    filled = Filled(THERE, {"control": there.where["control"], "said": there})
    along = {Actor.NIC: replace(filled, along=Actor.ESI)} if judged is Actor.ESI else {}
    radios = {
        str(ACROSS_THE_HAN[judged]): Plugged(RCP, {"port": there.where["radio 1"]}),
        "sniffer": Plugged(RCP, {"port": there.where["radio 2"], "channel": str(CHANNEL)}),
        **{name: Plugged(RCP, {"port": there.where[f"radio {number}"]}) for number, name in enumerate(beside, start=3)},
    }
    return replace(file, dut=DUTS[judged], adapters={**file.adapters, **along, judged: filled}, radios=radios)


def play(file: BenchFile, device: Device) -> Played:
    """Have a device provisioned on a bench, and judge it."""
    bench = Bench(file, device, Plan(window_duration=WITHIN), scenario="parity")
    done = DeviceProvisioned if Actor.HAN_DEVICE in file.dut else ApplicationDone
    try:
        bench.open()
        bench.switch_on()
        provisioned = bench.wait_until(lambda: bench.happened(done), WITHIN)
        bench.wait_until(lambda: False, frames.REST)
    finally:
        bench.close()
    return Played(bench.trace, provisioned)


def differences(one: Played, other: Played) -> Iterator[str]:
    """In what two plays differ, a line each."""
    if not (one.is_provisioned and other.is_provisioned):
        yield f"provisioned: {one.is_provisioned}, {other.is_provisioned}"
    theirs = other.verdicts()
    for clause, verdict in one.verdicts().items():
        if theirs.get(clause) not in (verdict, *((Verdict.PASS,) if verdict is Verdict.NONE else ())):  # what repeats is judged as well
            yield f"{clause}: {verdict}, {theirs.get(clause)}"
    yield from frames.differences(one.trace, other.trace)


def compared(judged: Actor, name: str, expected: Played) -> tuple[list[str], int]:
    """In what a play in real time differs, and how often it was played again because of hindrances."""
    once = frames.hindrances(expected.trace)
    played, again = in_time(
        partial(real, judged, VIRTUAL.device(name)), lambda one: any(differences(expected, one)) and frames.hindrances(one.trace) > once
    )
    return list(differences(expected, played)), again


def main(repetitions: int) -> int:
    """Play all pairs, some at once; returns how many differed."""
    differed = late = 0
    with ProcessPoolExecutor(AT_ONCE, get_context("spawn")) as pool:
        expected = {(judged, device.name): virtual(judged, device) for judged in DUTS for device in VIRTUAL.devices}
        playing = {pool.submit(compared, *pair, played): pair for _ in range(repetitions) for pair, played in expected.items()}
        for done in as_completed(playing):
            found, again = done.result()
            differed, late = differed + bool(found), late + again
            print(f"{' '.join(playing[done])}: {'; '.join(found) or 'the same'}", flush=True)
    print(f"{differed} differed; {late} {LATE}")
    return differed


if __name__ == "__main__":
    sys.exit(min(main(int(sys.argv[1]) if len(sys.argv) > 1 else 1), 1))
