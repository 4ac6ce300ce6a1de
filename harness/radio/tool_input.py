"""Where a capturing tool's packets come in: a pipe, the output of a command, a UDP port. Knows no bench and no time."""

from __future__ import annotations

import os
import shlex
import signal
import subprocess
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, BinaryIO, Protocol, cast
from urllib.parse import urlsplit

from dissectors.capture import CapturedFrame, frames_of
from dissectors.encapsulation import ZEP_PORT
from dissectors.smart_energy import ALL_CHANNELS
from harness.errors import BenchError, InputError
from harness.live_capture import ZEP, Growing, bound, datagrams, opened

LONGEST_PATIENCE = 60.0  # seconds
ENDING = 2.0  # seconds that a command may take to end when it is told to
CAPTURE = "its capture"


class ToolInput(Protocol):
    """One input, open as soon as it is made; `name` is what errors call it, `is_stamped` whether its packets have their own times."""

    name: str
    is_stamped: bool

    def packets(self, turn: Callable[[], None], began: Callable[[], None]) -> Iterator[CapturedFrame]:
        """What comes, until it ends; `began` is called once it is known that somebody is there, `turn` while nothing comes."""

    def ended(self) -> str:
        """How what has no more packets ended, where there is something to say."""

    def close(self) -> None:
        """Let go of it, once nobody reads any more."""


@dataclass
class _Begun(Growing):
    """A capture as it comes; who reads on has found right what it begins with."""

    began: Callable[[], None] = lambda: None
    reads: int = 0

    def read(self, size: int = -1) -> bytes:
        """As of any that grows."""
        self.reads += 1
        if self.reads > 1:
            self.began()
        return super().read(size)

    def packets(self, turn: Callable[[], None], began: Callable[[], None]) -> Iterator[CapturedFrame]:
        """What comes in it, with these called."""
        self.turn, self.began = turn, began
        return frames_of(cast(BinaryIO, self), CAPTURE)


class Pipe:
    """A FIFO, as extcap gives its tools one. Nobody need be writing to it yet."""

    is_stamped = True

    def __init__(self, path: str) -> None:
        """Raises BenchError."""
        self.name = path
        try:
            self._file = _Begun(opened(path), lambda: None)
        except InputError as fault:
            raise BenchError(f"listening tool at {fault}; right would be a FIFO (mkfifo {path}), with the tool writing to it") from fault

    def packets(self, turn: Callable[[], None], began: Callable[[], None]) -> Iterator[CapturedFrame]:
        """As of every input."""
        return self._file.packets(turn, began)

    def ended(self) -> str:
        """Nothing: a pipe has ended when nobody writes to it."""
        return ""

    def close(self) -> None:
        """As of every input."""
        self._file.close()


class Command:
    """A tool that writes its capture to its standard output. It is a process group of its own, which is ended as a whole; what it
    says otherwise is not shown, since it may hold a key."""

    is_stamped = True

    def __init__(self, command: str) -> None:
        """Raises BenchError for one that cannot be run."""
        ours, its = os.pipe()
        self._file = _Begun(ours, lambda: None)
        try:
            words = shlex.split(command)
            self.name = f"`{words[0]}`"
            self._process = subprocess.Popen(
                words, stdin=subprocess.DEVNULL, stdout=its, stderr=subprocess.DEVNULL, start_new_session=True,
            )
        except (OSError, ValueError, IndexError) as fault:
            self._file.close()
            raise BenchError(f"listening tool: its command cannot be run: {fault}; right would be a program and its arguments") from fault
        finally:
            os.close(its)

    def packets(self, turn: Callable[[], None], began: Callable[[], None]) -> Iterator[CapturedFrame]:
        """As of every input."""
        return self._file.packets(turn, began)

    def ended(self) -> str:
        """Its exit code; it is given a moment, since its output ends before it does."""
        with suppress(subprocess.TimeoutExpired):
            return f" (exit code {self._process.wait(ENDING)})"
        return " (it still runs)"

    def close(self) -> None:
        """As of every input. What still runs is told to end, and then made to."""
        self._file.close()
        for how in (signal.SIGTERM, signal.SIGKILL):
            if self._process.poll() is None:
                os.killpg(self._process.pid, how)
                with suppress(subprocess.TimeoutExpired):
                    self._process.wait(ENDING)


class Datagrams:
    """ZEP over UDP: several senders may speak, and none says when he begins or ends."""

    is_stamped = False

    def __init__(self, address: str) -> None:
        """Raises BenchError for a port that cannot be had, ValueError for what is no address."""
        parts = urlsplit(f"{ZEP}{address}")
        if parts.hostname is None:
            raise ValueError(f"listen is {address!r}; right would be HOST:{ZEP_PORT}, as 0.0.0.0:{ZEP_PORT}")
        self._endpoint = bound(parts.hostname, ZEP_PORT if parts.port is None else parts.port)
        self.name = "{}:{}".format(*self._endpoint.getsockname())

    def packets(self, turn: Callable[[], None], began: Callable[[], None]) -> Iterator[CapturedFrame]:
        """As of every input."""
        began()
        return datagrams(self._endpoint, turn)

    def ended(self) -> str:
        """Nothing: it has no end."""
        return ""

    def close(self) -> None:
        """As of every input."""
        self._endpoint.close()


WAYS: Mapping[str, tuple[Callable[[str], ToolInput], str]] = {
    "pipe": (Pipe, "a FIFO that the tool writes to"), "command": (Command, "whose output is a capture"),
    "listen": (Datagrams, f"HOST:{ZEP_PORT}, for ZEP"),
}


@dataclass(frozen=True)
class ToolOptions:
    """What a bench file says of a listening tool. `patience` is how many seconds it may take to begin."""

    channel: int
    open: Callable[[], ToolInput]
    patience: float

    @classmethod
    def of(cls, options: Mapping[str, Any]) -> ToolOptions:
        """Raises ValueError saying which option is wrong, and what would be right."""
        left = {name: str(value) for name, value in options.items()}
        channel, patience = left.pop("channel", ""), left.pop("patience", "10")
        if channel not in map(str, ALL_CHANNELS):
            raise ValueError("channel is missing; right would be the one that the tool itself is set to, 11 to 26")
        if not patience.isdecimal() or not 1 <= int(patience) <= LONGEST_PATIENCE:
            raise ValueError(f"patience is {patience!r}; right would be a whole number of seconds from 1 to {LONGEST_PATIENCE:g}")
        if len(left) != 1 or not WAYS.keys() & left.keys():
            ways = ", or ".join(f"{name} ({what})" for name, (_, what) in WAYS.items())
            raise ValueError(f"it has {', '.join(left) or 'no input'}; right would be one of {ways}")
        ((way, value),) = left.items()
        return cls(int(channel), lambda: WAYS[way][0](value), float(patience))
