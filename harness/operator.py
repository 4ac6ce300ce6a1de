"""Who answers what a person is asked during a run: a file of answers, or somebody at the terminal. Knows no verb and no bench.

A prompt that nobody answers within its limit is Inconclusive by name: a step that a person was to do is never taken as done.
"""

from __future__ import annotations

import getpass
import os
import select
import termios
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from pathlib import Path

from harness.actors.prompt import Kind, Prompt
from harness.asking import Answer
from harness.clock import wall_seconds, wall_utc
from harness.declared import Field, read_fields
from harness.errors import BenchError, Inconclusive

TERMINAL = "/dev/tty"  # whatever pytest makes of standard input and output
LINE = 4096  # octets that are read at once, more than a terminal hands over as one line


@dataclass(frozen=True)
class Answers:
    """Answers given beforehand: by case (a pattern as of file names), then by verb, `start_joining` or `HAN Device.start_joining`."""

    by: str
    path: Path
    cases: Mapping[str, Mapping[str, Field]] = field(default_factory=dict, hash=False)

    def find(self, actor: str, verb: str, case: str) -> Field | None:
        """The answer to a verb of an actor in a case: the first case in the file that fits it and has one."""
        for pattern, verbs in self.cases.items():
            if fnmatchcase(case, pattern):
                for name in (f"{actor}.{verb}", verb):
                    if name in verbs:
                        return verbs[name]
        return None


def read_answers(path: Path) -> Answers:
    """Read a file of answers. Raises InputError."""
    fields = read_fields(path)
    by = fields.need("by", "the name of whoever answers").line()
    told = fields.need("answers", "cases, as \"*\", and `verb: answer` below each").fields().rest()
    cases = {pattern: verbs.fields().rest() for pattern, verbs in told.items()}
    fields.done()
    for verbs in cases.values():
        for answer in verbs.values():
            answer.line(LINE)  # what is none is wrong now, and not in the middle of a run; what is left empty is not done
    return Answers(by, path, cases)


class ByFile:
    """Answers from a file; what it does not answer goes to `otherwise`, without whom a prompt's default counts."""

    def __init__(self, answers: Answers, otherwise: AtTerminal | None = None) -> None:
        self._answers = answers
        self._otherwise = otherwise

    def ask(self, prompt: Prompt, scenario: str) -> Answer:
        """The answer that the file has. Raises InputError for one that is none, Inconclusive where there is none."""
        given = self._answers.find(prompt.actor, prompt.verb, scenario)
        if given is None and self._otherwise is not None:
            return self._otherwise.ask(prompt, scenario)
        if given is None and prompt.default:
            return Answer(prompt.default, self._answers.by, wall_utc())
        if given is None:
            raise Inconclusive(f"{prompt.name}: {self._answers.path} has no answer for {scenario} to {prompt.text!r}")
        return Answer(given.read(prompt.accept, prompt.right), self._answers.by, wall_utc())


class AtTerminal:
    """Asks whoever sits at the terminal, past all that catches output."""

    def __init__(self, path: str = TERMINAL) -> None:
        self._path = path

    def is_there(self) -> bool:
        """Whether there is a terminal to ask at."""
        with suppress(OSError):
            os.close(self._open())
            return True
        return False

    def ask(self, prompt: Prompt, scenario: str) -> Answer:
        """What the person says, asked again while it is no answer. Raises Inconclusive when the limit is over, BenchError without
        a terminal."""
        try:
            terminal = self._open()
        except OSError as fault:
            raise BenchError(f"{prompt.name}: there is no terminal to ask at ({fault.strerror}); right would be --answers FILE") from fault
        begun = wall_seconds()
        try:
            termios.tcflush(terminal, termios.TCIFLUSH)  # what was typed before the question is no answer to it
            _say(terminal, _question(prompt, scenario))
            while True:
                line = _line(terminal, prompt.limit - (wall_seconds() - begun))
                if line is None:
                    _say(terminal, "\n")
                    raise Inconclusive(f"{prompt.name}: nobody answered {prompt.text!r} within {prompt.limit:g} s")
                try:
                    return Answer(prompt.accept(line), _name(), wall_utc(), wall_seconds() - begun)
                except ValueError:
                    _say(terminal, f"no answer; right would be {prompt.right}\n> ")
        finally:
            os.close(terminal)

    def _open(self) -> int:
        return os.open(self._path, os.O_RDWR | os.O_NOCTTY)


def _question(prompt: Prompt, scenario: str) -> str:
    lines = [f"\n{scenario + ': ' if scenario else ''}{prompt.actor or prompt.verb}: {prompt.shown}"]
    lines += [f"  {number}  {choice}" for number, choice in enumerate(prompt.choices, start=1)]
    default = f", Enter for {prompt.default}" if prompt.default and prompt.kind is not Kind.CONFIRM else ""
    return "\n".join([*lines, f"({prompt.right}{default}; within {prompt.limit:g} s)", "> "])


def _say(terminal: int, text: str) -> None:
    octets = text.encode(errors="backslashreplace")
    while octets:
        octets = octets[os.write(terminal, octets):]


def _line(terminal: int, within: float) -> str | None:
    """One line; None where none comes in so many seconds, or the terminal is closed."""
    if not select.select([terminal], [], [], max(within, 0.0))[0]:
        return None
    octets = os.read(terminal, LINE)  # a terminal hands over whole lines
    return octets.decode(errors="replace") if octets else None


def _name() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # an account without a name, as in a container
        return f"user {os.getuid()}"
