"""`hanproof serve` in a process of its own, for tests: what it printed about where it is, and a way to end it."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from threading import Thread

ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class ServedProcess:
    """Where a served actor is, by what is there ("AMI Head-End", "WSDL", "leg", "control"), and the lines it has said since."""

    where: dict[str, str]
    lines: list[str]


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
    lines: list[str] = []
    said_later = process.stdout
    reader = Thread(target=lambda: lines.extend(line.strip() for line in said_later), daemon=True)
    reader.start()
    try:
        yield ServedProcess(where, lines)
    finally:
        process.terminate()
        process.wait(timeout=10)
        reader.join(timeout=10)
        process.stdout.close()
