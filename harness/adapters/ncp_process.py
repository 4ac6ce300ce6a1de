"""The bench's end of a radio library in a child process: start, ask, be told, and say by name what became of it. Knows no ZigBee.

A library that crashes, hangs or talks nonsense is a BenchError of the operation that it came in; the bench itself goes on.
"""

from __future__ import annotations

import io
import os
import subprocess
import sys
import threading
from collections import deque
from collections.abc import Callable, Mapping
from typing import Any

from harness.errors import BenchError
from harness.ncp.line import LONGEST, VERSION, NotALine, masked, read, written

MODULE = "harness.ncp"
ROOM = 4096  # lines that may wait to be looked at: a network co-processor on a serial line fills that in minutes
START_LIMIT = 30.0  # seconds until the child says hello: a slow machine that reads the library for the first time needs ten
FAREWELL = 5.0  # seconds for letting go of the stick


class NcpProcess:
    """One child process. `name` is what errors call it, `interrupt` is called from a thread of its own when something has come."""

    def __init__(self, name: str, interrupt: Callable[[], None], *, module: str = MODULE, start_limit: float = START_LIMIT) -> None:
        """Raises BenchError where it does not start, or is not what it should be."""
        self.name = name
        self._interrupt = interrupt
        self._changed = threading.Condition()
        self._waiting: deque[dict[str, Any]] = deque()
        self._ended = ""  # why nothing more will come
        self._number = 0
        self._asked: dict[int, tuple[str, float]] = {}  # operations without an answer yet, with when that is too late
        search = os.pathsep.join(each for each in sys.path if each)
        try:
            self._process = subprocess.Popen(
                [sys.executable, "-m", module], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
                env={**os.environ, "PYTHONPATH": search}, bufsize=0,
                start_new_session=True,  # Ctrl-C, and the signal of `timeout`, are for the bench: the stick is let go of in order
            )
        except OSError as fault:
            raise BenchError(f"{name}: its process cannot be started: {fault.strerror}") from None
        assert self._process.stdin is not None
        os.set_blocking(self._process.stdin.fileno(), False)
        self._reading = threading.Thread(target=self._read, name=f"{name} process", daemon=True)
        self._reading.start()
        try:
            hello = self._next(start_limit)
            if hello is None:
                raise BenchError(f"{name}: its process did not start within {start_limit:g} s")
            if hello.get("hello") != VERSION:
                raise BenchError(f"{name}: its process speaks {masked(str(hello.get('hello')))!r}; right would be {VERSION}")
        except BenchError:
            self.close()
            raise

    @property
    def pid(self) -> int:
        """The process identifier."""
        return self._process.pid

    def call(self, operation: str, within: float, **given: Any) -> dict[str, Any]:
        """Ask, and wait so many real seconds for the answer. Raises BenchError; what comes meanwhile waits for `told`."""
        number = self._post(operation, given)
        passed_over: list[dict[str, Any]] = []
        try:
            while (line := self._next(within)) is not None:
                if line.get("n") == number:
                    return self._done(operation, line)
                passed_over.append(line)
        finally:
            with self._changed:
                self._waiting.extendleft(reversed(passed_over))
        raise BenchError(f"{self.name} does not answer `{operation}` within {within:g} s")

    def post(self, operation: str, due: float, **given: Any) -> int:
        """Ask, and wait for nothing: the answer comes by `told`, before the bench's instant `due`. Returns its number."""
        number = self._post(operation, given)
        self._asked[number] = operation, due
        return number

    def told(self) -> list[dict[str, Any]]:
        """What has come since the last call; of answers those that were posted for, as `{"n": ..., "operation": ..., "done": {...}}`.

        Raises BenchError once all has been told and nothing more will come, and for an operation that failed.
        """
        lines: list[dict[str, Any]] = []
        while (line := self._next(0.0, lines)) is not None:
            if lines and "failed" in line:  # what came before is taken first: it may be why
                with self._changed:
                    self._waiting.appendleft(line)
                break
            if "n" in line:
                number = line["n"]
                if not isinstance(number, int) or number not in self._asked:
                    raise BenchError(f"{self.name}: its process {self.pid} answers what nobody asked")
                operation, _ = self._asked.pop(number)
                line = {"n": number, "operation": operation, "done": self._done(operation, line)}
            lines.append(line)
        return lines

    def deadline(self) -> float | None:
        """When an answer is too late."""
        return min((due for _, due in self._asked.values()), default=None)

    def expire(self, now: float) -> None:
        """Raises BenchError for an answer that is too late at the bench's instant `now`."""
        for operation, due in self._asked.values():
            if due <= now:
                raise BenchError(f"{self.name} does not answer `{operation}`: its process {self.pid} hangs")

    def close(self) -> None:
        """Let go of the stick and end the process, by force where it does not end; may be called twice."""
        assert self._process.stdin is not None
        self._process.stdin.close()  # which it takes for its end
        try:
            self._process.wait(FAREWELL)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._reading.join()

    # -- inside

    def _post(self, operation: str, given: Mapping[str, Any]) -> int:
        self._number += 1
        assert self._process.stdin is not None
        line = written({"n": self._number, "do": operation, **given})
        try:
            taken = self._process.stdin.write(line)
        except OSError:
            self._reading.join(FAREWELL)  # which finds out why
            raise BenchError(f"{self._ended or f'{self.name}: its process takes nothing'}; asked for was `{operation}`") from None
        if taken != len(line):  # the pipe is full: it has not read for long
            raise BenchError(f"{self.name} does not take `{operation}`: its process {self.pid} hangs")
        return self._number

    def _done(self, operation: str, line: Mapping[str, Any]) -> dict[str, Any]:
        done = line.get("done")
        if isinstance(done, dict):
            return done
        raise BenchError(f"{self.name}: `{operation}` failed: {masked(str(line.get('failed', 'no reason is given')))}")

    def _next(self, wait: float, already: list[dict[str, Any]] | None = None) -> dict[str, Any] | None:
        """The next line, None where none comes within so many seconds; what is `already` taken is given before an end is told."""
        with self._changed:
            self._changed.wait_for(lambda: bool(self._waiting or self._ended), wait)
            if self._waiting:
                return self._waiting.popleft()
            if self._ended and not already:
                pending = ", ".join(sorted({f"`{operation}`" for operation, _ in self._asked.values()}))
                raise BenchError(self._ended + (f"; unanswered: {pending}" if pending else ""))
            return None

    def _read(self) -> None:
        """In a thread: lines come in until there are no more, or one that is none."""
        assert isinstance(self._process.stdout, io.FileIO)
        why = ""
        with io.BufferedReader(self._process.stdout) as lines:
            while not why and (line := lines.readline(LONGEST + 1)):
                try:
                    fields = read(line)
                except NotALine as fault:
                    why = f"{self.name}: its process {self.pid} sent {fault}"
                    break
                with self._changed:
                    if len(self._waiting) >= ROOM:
                        why = f"{self.name}: its process {self.pid} sent more than {ROOM} lines that nobody had time for"
                    else:
                        self._waiting.append(fields)
                    self._changed.notify_all()
                self._interrupt()
            if why:
                self._process.kill()
        status = self._process.wait()
        how = f"was ended by signal {-status}" if status < 0 else f"ended with code {status}"
        with self._changed:
            self._ended = why or f"{self.name}: its process {self.pid} {how}"
            self._changed.notify_all()
        self._interrupt()
