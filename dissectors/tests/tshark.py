"""Asks tshark what stands in a capture: an implementation that is not ours, with no settings but those the test gives it."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

PROGRAM = shutil.which("tshark")
needs_tshark = pytest.mark.skipif(PROGRAM is None, reason="tshark is not installed, so nobody but us reads what we write")


def ask(capture: Path, *fields: str, configuration: Path) -> list[dict[str, str]]:
    """The named fields of every packet; `configuration` is the directory that Wireshark takes its key file from."""
    assert PROGRAM is not None
    chosen = [part for field in fields for part in ("-e", field)]
    command = [PROGRAM, "-n", "-r", str(capture), "-T", "fields", "-E", "separator=|", *chosen]
    environment = {**os.environ, "WIRESHARK_CONFIG_DIR": str(configuration), "HOME": str(configuration), "TZ": "UTC"}
    answer = subprocess.run(command, env=environment, capture_output=True, text=True, check=True, timeout=60)
    return [dict(zip(fields, line.split("|"), strict=True)) for line in answer.stdout.splitlines()]
