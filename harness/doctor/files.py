"""Device files and the secrets beside them: is what is real declared by file or environment, and read by its owner alone?"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from pathlib import Path

from harness.declarations import BenchFile, Device
from harness.declared import read_fields
from harness.doctor.finding import Finding, Grade
from harness.usecase import ACROSS_THE_HAN

SECRETS = ("install_code", "link_key", "private_key")
OTHERS = stat.S_IRWXG | stat.S_IRWXO


def examine_files(file: BenchFile) -> Iterator[Finding]:
    """Every device file, which could be read or there were no bench; and where its secrets stand."""
    yield Finding(Grade.FINE, str(file.path), f"can be read: {', '.join(device.name for device in file.devices)}")
    real = any(actor in ACROSS_THE_HAN for actor in file.dut) and bool(file.radios)
    for device in file.devices:
        yield from _secrets(device, real=real)


def _secrets(device: Device, *, real: bool) -> Iterator[Finding]:
    pixit = read_fields(device.path).need("pixit", "").fields()
    for name in SECRETS:
        given = pixit.take(name)
        if given is None:
            continue
        about = f"{device.path}: {name}"
        if not given.is_mapping():
            if real:
                yield Finding(Grade.NOTE, about, "stands in the file itself, and so will in the evidence",
                              "for a key that matters, write {file: PATH} or {env: NAME}")
            continue
        source = given.fields().take("file")
        if source is not None:
            yield _mode(about, given.path.parent / source.text())


def _mode(about: str, path: Path) -> Finding:
    mode = stat.S_IMODE(os.stat(path).st_mode)
    if mode & OTHERS:
        return Finding(Grade.PROBLEM, about, f"{path} may be read or written by others (mode {mode:03o})", f"chmod 600 {path}")
    return Finding(Grade.FINE, about, f"{path} is its owner's alone")
