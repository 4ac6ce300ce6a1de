"""Puts a question in a process of its own, so that an adapter may hang, crash or leak and the next question finds a clean start.

Knows nothing of adapters: a question is told by what it yields or raises, and by whether its process lives and ends. What an
exception of an adapter's says is not repeated, for it may show a key; only that of an error raised on purpose is.
"""

from __future__ import annotations

import os
import signal
import sys
import traceback
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing import connection, get_context
from multiprocessing.connection import Connection
from typing import Any

from harness.clock import wall_seconds
from harness.contract.promise import ERROR, FAIL, INCONC, NOT_APPLICABLE, PASS, Asked, NotApplicable
from harness.errors import BenchError, Inconclusive

FORK = get_context("fork")  # the process begins with everything imported, and none of the adapter's threads
GRACE = 2.0  # seconds that a process may take to let go of everything when its question is answered

Doing = Callable[[str], None]
Put = Callable[[Doing], tuple[Iterator[str] | Asked, Callable[[], None]]]
"""Makes a question, and what lets go of all that it opened, of a function that is told what is being done now."""


@dataclass(frozen=True)
class Told:
    """What became of a question: a verdict, why, and what it returned in the end."""

    verdict: str
    reason: str = ""
    product: Any = None


@dataclass
class Asker:
    """Puts questions one after another. `limit` is how many seconds one may take."""

    limit: float
    _lingers: bool = False  # one did not end by itself: the others are not waited for

    def ask(self, put: Put) -> Told:
        """What becomes of a question; a fail where its process hangs or dies."""
        here, there = FORK.Pipe(duplex=False)
        process = FORK.Process(target=_answer, args=(put, there))
        process.start()
        there.close()
        try:
            told = self._told(here, process.sentinel)
            process.join(0 if self._lingers else min(GRACE, self.limit))
            self._lingers |= process.is_alive()
        finally:
            with suppress(ProcessLookupError):  # whatever it started goes with it
                os.killpg(process.pid or 0, signal.SIGKILL)
            process.kill()
            process.join()
            here.close()
        return told if told.verdict else Told(FAIL, f"{told.reason} ended the process (exit code {process.exitcode})")

    def _told(self, pipe: Connection, ended: int) -> Told:
        """What the process told of its question; no verdict, and what it was doing, where it died of that."""
        doing, until = "opening", wall_seconds() + self.limit
        while True:
            ready = connection.wait([pipe, ended], max(0.0, until - wall_seconds()))
            if not ready:
                return Told(FAIL, f"{doing} did not end within {self.limit:g} s")
            try:
                said = pipe.recv() if pipe.poll() else Told("", doing)
            except (EOFError, OSError):
                return Told("", doing)
            if isinstance(said, Told):
                return said
            doing = said


def told_by(make: Callable[[], Iterator[str] | Asked]) -> Told:
    """What becomes of a question in this process."""
    try:
        return Told(FAIL, next(make()))
    except StopIteration as end:
        return Told(PASS, product=end.value)
    except NotApplicable as why:
        return Told(NOT_APPLICABLE, str(why))
    except Inconclusive as why:
        return Told(INCONC, str(why))
    except BenchError as fault:
        return Told(ERROR, str(fault))
    except BaseException as fault:  # an adapter may raise anything
        place = traceback.extract_tb(fault.__traceback__)[-1]
        return Told(FAIL, f"{type(fault).__name__} raised in {place.name} ({os.path.basename(place.filename)}:{place.lineno})")


def _answer(put: Put, pipe: Connection) -> None:
    """The whole life of a question's process."""
    os.setsid()
    nowhere = os.open(os.devnull, os.O_RDWR)
    for stream in (0, 1, 2):
        os.dup2(nowhere, stream)
    sys.stdout = sys.stderr = open(os.devnull, "w")  # noqa: SIM115
    close: list[Callable[[], None]] = []

    def make() -> Iterator[str] | Asked:
        question, closing = put(pipe.send)
        close.append(closing)
        return question

    pipe.send(told_by(make))
    with suppress(BaseException):  # what closing does is a question of its own
        for closing in close:
            closing()
    os._exit(0)
