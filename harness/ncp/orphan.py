"""The end of a child whose bench is gone while its radio library hangs. Runs in the child process only; knows no radio.

A library that waits for a stick for ever, or blocks the event loop, keeps the child from seeing that its input has ended.
"""

from __future__ import annotations

import os
import select
import sys
import threading

GRACE = 10.0  # seconds for letting go of the stick: a bench that is there waits half as long, and then ends the child itself
LEFT = 1  # exit code


def end_with_the_bench(grace: float = GRACE) -> None:
    """From now on this process ends so many seconds after its standard input, a pipe, at the latest."""
    threading.Thread(target=_watch, args=(sys.stdin.fileno(), grace), name="bench", daemon=True).start()


def _watch(bench: int, grace: float) -> None:
    ended = select.poll()
    ended.register(bench, 0)  # which tells of an end alone, also where lines wait that nobody reads
    ended.poll()
    threading.Event().wait(grace)
    os._exit(LEFT)
