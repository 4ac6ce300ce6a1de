"""`hanproof serve` in a process of its own, for tests: what it printed about where it is, a bench with it as the DUT, and a run."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from threading import Thread
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
VIRTUAL = (ROOT / "fixtures" / "benches" / "virtual.yaml").read_text(encoding="utf-8")
ROLES = {"dr-application": "DR Application", "ami-head-end": "AMI Head-End", "cis": "CIS", "ods": "ODS"}
HEAD_END = ROLES["ami-head-end"]
REMOTE = "harness.adapters.remote_actor:RemoteActor"


@dataclass(frozen=True)
class ServedProcess:
    """Where a served actor is, by what is there ("AMI Head-End", "WSDL", "leg", "control"), and the lines it has said since.

    `listeners` are called at each of these, from a thread of their own."""

    where: dict[str, str]
    lines: list[str] = field(default_factory=list)
    listeners: list[Callable[[], None]] = field(default_factory=list)

    def hear_all(self, lines: Iterable[str]) -> None:
        """Whatever it will say."""
        for line in lines:
            self.lines.append(line.strip())
            for listener in self.listeners:
                listener()


@contextmanager
def serving(role: str, *options: str, until: str = "control") -> Iterator[ServedProcess]:
    """Run it with these options until the context ends; it is ready once it has printed its address `until`."""
    command = [sys.executable, "-m", "harness.cli", "serve", role, *options]
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    assert process.stdout is not None
    where: dict[str, str] = {}
    said: list[str] = []
    for line in process.stdout:
        name, _, address = line.strip().partition(": ")
        where[name] = address
        said.append(line.strip())
        if name == until:
            break
    else:
        raise AssertionError(f"it ended before it was ready: {said}")
    served, said_later = ServedProcess(where), process.stdout
    reader = Thread(target=lambda: served.hear_all(said_later), daemon=True)
    reader.start()
    try:
        yield served
    finally:
        process.terminate()
        process.wait(timeout=10)
        reader.join(timeout=10)
        process.stdout.close()


def bench_of(folder: Path, remote: Mapping[str, Mapping[str, str]], *lines: str, legs: str = "") -> Path:
    """The virtual bench with these actors, all under test, behind wires with these options; `lines` stand instead of its own.

    `legs` is where the head-end takes what comes on leg 12, where it is to have one.
    """
    instead = {line.partition(":")[0]: line for line in lines} | {"dut": f"dut: [{', '.join(remote)}]"}
    if legs:
        instead["dut"] += f"\nlegs: {{carriage: tcp, listen: {{AMI Network: 0}}, peers: {{{HEAD_END}: '{legs}'}}}}"
    for actor, options in remote.items():
        filled = f"  {actor}:\n    adapter: {REMOTE}\n" + "".join(f"    {name}: {value}\n" for name, value in options.items())
        instead[f"  {actor}"] = filled.rstrip()
    text = "\n".join(instead.get(line.partition(":")[0], line) for line in VIRTUAL.splitlines())
    path = folder / "bench.yaml"
    path.write_text(text.replace("../devices", str(ROOT / "fixtures" / "devices")) + "\n", encoding="utf-8")
    return path


def bench_file(folder: Path, actor: str, served: ServedProcess, *lines: str, **options: str) -> Path:
    """The virtual bench with the served actor under test in its place."""
    options = {"address": served.where[actor], "control": served.where["control"], **options}
    return bench_of(folder, {actor: options}, *lines, legs=served.where.get("leg", ""))


def run(folder: Path, bench: Path, *arguments: str) -> tuple[int, dict[str, Any], str]:
    """A run of the cases on this bench in a process of its own: exit code, verdicts, output."""
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:xdist", "-p", "no:cacheprovider", f"--bench={bench}", "--device=pct",
         f"--run-dir={folder / 'run'}", "--examples=2", *arguments],
        cwd=ROOT, capture_output=True, text=True, timeout=600, check=False,
    )
    path = folder / "run" / "verdicts.json"
    return done.returncode, json.loads(path.read_text()) if path.is_file() else {}, done.stdout[-4000:] + done.stderr[-2000:]


def cases_of(*steps: str) -> list[str]:
    """The files with the cases of these steps, "INT" and "PRE" among them."""
    found = {"INT": ["integration_points.py"], "PRE": ["preconditions.py"]}
    return [
        f"cases/{name}" for step in steps
        for name in found.get(step) or sorted(path.name for path in (ROOT / "cases").glob(f"step_{step}_*.py"))
    ]


def wrong(verdicts: dict[str, Any]) -> list[str]:
    """The cases that neither passed nor were none of this DUT's, and why."""
    return [
        f"{case['id']}: {case['verdict']}: {case.get('reason')}" for case in verdicts["cases"] if case["verdict"] not in ("pass", "none")
    ]


def passed(verdicts: dict[str, Any]) -> int:
    """How many cases passed."""
    return sum(case["verdict"] == "pass" for case in verdicts["cases"])
