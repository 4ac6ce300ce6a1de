"""The machine that a bench runs on: its clock, and the programmes that evidence is looked at with."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from harness.clock import wall_utc
from harness.doctor.finding import Finding, Grade

SYNCHRONISED = Path("/run/systemd/timesync/synchronized")
TOOLS = {
    "tshark": ("captures are checked by an independent dissector in our own tests", "apt install tshark"),
    "node": ("the report is made with Allure as well", "install node 20 or later, or do without"),
}


def examine_host() -> Iterator[Finding]:
    """Clock and programmes."""
    yield _clock(wall_utc(), datetime.fromtimestamp(Path(__file__).stat().st_mtime, UTC))
    for tool, (serves, todo) in TOOLS.items():
        found = shutil.which(tool)
        if found is None:
            yield Finding(Grade.NOTE, tool, f"is not here; with it {serves}", todo)
        else:
            yield Finding(Grade.FINE, tool, found)


def _clock(now: datetime, written: datetime) -> Finding:
    """The time of day goes into CIM messages and into what the ESI says of time."""
    if now < written:
        return Finding(Grade.PROBLEM, "clock", f"says {now:%Y-%m-%d %H:%M} UTC, before these programmes were written", "set the clock")
    if not SYNCHRONISED.exists():
        return Finding(Grade.NOTE, "clock", f"says {now:%Y-%m-%d %H:%M} UTC; nobody here knows whether it is synchronised",
                       "compare it, or run systemd-timesyncd or chrony")
    return Finding(Grade.FINE, "clock", f"says {now:%Y-%m-%d %H:%M} UTC and is synchronised")
