"""What code does behind our back while it runs: clocks it reads, keys it shows, what it opens. Knows no adapter.

Watching ends with the process of the question: an audit hook cannot be taken away again.
"""

from __future__ import annotations

import io
import logging
import random
import re
import sys
import threading
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from datetime import date, datetime
from types import FrameType
from typing import Any

CLOCKS = {"time": None, "posix": {"urandom"}, "nt": {"urandom"}}  # modules of C functions, and which of theirs; None: all
CONVERSIONS = {"gmtime", "localtime", "mktime", "strftime", "strptime", "asctime", "ctime"}  # of `time`: they convert, given a time
NOT_THE_MACHINES = ("scapy.", "hypothesis.")  # the one stamps packets, which nobody here reads; the other times garbage collection
EVERYBODYS_CHANCE = random.random.__self__  # type: ignore[attr-defined]  # what the functions of that module draw from
OUTWARD = ("socket.bind", "socket.connect", "subprocess.Popen", "os.system", "os.fork", "os.remove", "os.mkdir")  # audit events


@contextmanager
def clocks_read(found: set[str]) -> Iterator[None]:
    """Collects the names of what tells time, waits or draws chance beside the machine's own, of this thread."""

    def note(frame: FrameType, event: str, called: Any) -> None:
        if event != "c_call" or frame.f_globals.get("__name__", "").startswith(NOT_THE_MACHINES):
            return
        name, module = getattr(called, "__name__", ""), getattr(called, "__module__", None)
        if getattr(called, "__self__", None) is EVERYBODYS_CHANCE:
            found.add(f"random.{name}")
        if module in CLOCKS:
            wanted = CLOCKS[module]
            if name not in CONVERSIONS if wanted is None else name in wanted:
                found.add(f"{module}.{name}")
        elif name in ("now", "utcnow", "today") and getattr(called, "__self__", None) in (datetime, date):
            found.add(f"datetime.{name}")

    sys.setprofile(note)
    try:
        yield
    finally:
        sys.setprofile(None)


@contextmanager
def overheard() -> Iterator[io.StringIO]:
    """All that is logged or printed."""
    heard = io.StringIO()
    handler, root = logging.StreamHandler(heard), logging.getLogger()
    level, out, err = root.level, sys.stdout, sys.stderr
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    sys.stdout = sys.stderr = heard
    try:
        yield heard
    finally:
        sys.stdout, sys.stderr = out, err
        root.removeHandler(handler)
        root.setLevel(level)


def shows(text: str, keys: Collection[bytes]) -> bool:
    """Whether a text shows a key, in hex however it is spaced, or as Python writes octets."""
    packed = re.sub(r"[\s:,-]|0x", "", text).lower()
    return any(key.hex() in packed or repr(key)[2:-1] in text or repr(list(key))[1:-1] in text for key in keys)


def deeds_of_importing(name: str) -> set[str]:
    """What importing this module anew does to the world: ports, processes, files, threads."""
    deeds: set[str] = set()
    watching = True

    def hook(event: str, arguments: tuple[Any, ...]) -> None:
        if not watching:
            return
        if event in OUTWARD:
            deeds.add(event)
        elif event == "open" and isinstance(arguments[1], str) and set(arguments[1]) & set("wax+"):
            deeds.add("a file opened for writing")

    writes, sys.dont_write_bytecode = sys.dont_write_bytecode, True
    threads = threading.active_count()
    sys.modules.pop(name, None)
    sys.addaudithook(hook)
    try:
        __import__(name)
    finally:
        watching = False
        sys.dont_write_bytecode = writes
    if threading.active_count() > threads:
        deeds.add("a thread started")
    return deeds
