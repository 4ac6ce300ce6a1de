"""The sums over a run's evidence, by which `judge` knows that it is what the run left. Knows files and digests, no verdict.

`SHA256SUMS` is what `sha256sum --check` reads. It tells of damage and of changes by hand, not of a forger who writes it anew.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from pathlib import Path

from harness.errors import InputError
from harness.evidence import junit, results
from harness.evidence.scenario import FOLDER

FILE = "SHA256SUMS"
_LINE = re.compile(r"([0-9a-f]{64})  (.+)")
_DRAWN = "ladder.*"  # drawn from the rest, as often as anyone asks


def write_sums(run: Path) -> None:
    """Write `SHA256SUMS` over everything that was judged and every verdict."""
    lines = (f"{_sum(run / name)}  {name}\n" for name in _names(run))
    (run / FILE).write_text("".join(lines), encoding="utf-8")


def changed(run: Path) -> Iterator[str]:
    """What is not as the run left it, a line each. Raises InputError where there are no sums to tell by."""
    try:
        lines = (run / FILE).read_text(encoding="utf-8").splitlines()
    except OSError as fault:
        raise InputError(f"{run / FILE}: cannot be read: {fault.strerror}; right would be a run with its sums") from fault
    except UnicodeDecodeError as fault:
        raise InputError(f"{run / FILE}: not a text file: octet {fault.start} is no UTF-8") from None
    told: set[str] = set()
    for number, line in enumerate(lines, start=1):
        entry = _LINE.fullmatch(line)
        if entry is None:
            raise InputError(f"{run / FILE}:{number}: right would be a SHA-256 sum, two spaces and a file")
        expected, name = entry.groups()
        told.add(name)
        path = run / name
        if not path.resolve().is_relative_to(run.resolve()) or not path.is_file():
            yield f"{name}: is missing"
        elif _sum(path) != expected:
            yield f"{name}: is not as the run left it"
    yield from (f"{name}: was not there when the run ended" for name in _names(run) if name not in told)


def _names(run: Path) -> Iterator[str]:
    yield from (name for name in (results.FILE, junit.FILE) if (run / name).is_file())
    for path in sorted((run / FOLDER).rglob("*")):
        hidden = any(part.startswith(".") for part in path.relative_to(run).parts)  # the draft of a worker that was killed
        if path.is_file() and not path.match(_DRAWN) and not hidden:
            yield path.relative_to(run).as_posix()


def _sum(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
