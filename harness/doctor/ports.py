"""A serial port before anybody opens it: is it there, may we use it, and does somebody else? Knows no radio."""

from __future__ import annotations

import getpass
import grp
import os
import stat
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from harness.doctor.finding import Finding, Grade

PROC = Path("/proc")


def examine_port(about: str, port: str) -> Iterator[Finding]:
    """What is wrong with a port that is a device file; nothing is said of one behind an address."""
    if "://" in port:
        return
    path = Path(port)
    if not path.exists():
        yield Finding(Grade.PROBLEM, about, f"{port} is not there",
                      f"plug it in; there {_there(path)}; /dev/serial/by-id/ has names that stay the same")
    elif not stat.S_ISCHR(path.stat().st_mode):
        yield Finding(Grade.PROBLEM, about, f"{port} is no serial port", "name the port, as /dev/ttyACM0")
    elif not os.access(path, os.R_OK | os.W_OK):
        yield Finding(Grade.PROBLEM, about, f"{port} may not be opened by {_user()}", _permission(path))
    elif holders := list(holders_of(path)):
        yield Finding(Grade.PROBLEM, about, f"{port} is in use by {', '.join(holders)}", "end that programme, or name another port")
    elif not port.startswith("/dev/serial/"):
        yield Finding(Grade.NOTE, about, f"{port} may be another device after the next start",
                      "take its name below /dev/serial/by-id/ if it has one")


def holders_of(path: Path, proc: Path = PROC) -> Iterator[str]:
    """The programmes that have a file open, as far as we may know: `name (process id)`."""
    there = os.path.realpath(path)
    for process in sorted(proc.glob("[0-9]*")):
        with suppress(OSError):  # of another user, or gone meanwhile
            if process.name != str(os.getpid()) and any(os.path.realpath(each) == there for each in (process / "fd").iterdir()):
                yield f"{(process / 'comm').read_text().strip()} ({process.name})"


def _there(path: Path) -> str:
    found = sorted(str(each) for pattern in ("ttyACM*", "ttyUSB*") for each in path.parent.glob(pattern))
    return f"are {', '.join(found)}" if found else "is no ttyACM or ttyUSB at all"


def _permission(path: Path) -> str:
    status = path.stat()
    try:
        group = grp.getgrgid(status.st_gid).gr_name
    except KeyError:
        group = str(status.st_gid)
    if status.st_mode & stat.S_IRGRP and status.st_mode & stat.S_IWGRP:
        return f"sudo usermod -aG {group} {_user()}, and log in again"
    return f"have the administrator give the group {group} access (a udev rule), and {_user()} that group"


def _user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return f"user {os.getuid()}"
