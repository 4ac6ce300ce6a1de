"""A sequence of questions to a partner, each waiting for its answer: the shape of commissioning. Knows no question of its own.

A script is a generator that yields questions and is sent the answers; it reads like the document's list of steps.
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from dataclasses import dataclass

from dissectors import zdp
from dissectors.layer import Record
from harness.stack.application import Application, Path

ATTEMPTS = 3  # for each question
RETRY_PAUSE = 2.0  # seconds between two


@dataclass(frozen=True)
class ZdpQuestion:
    """Ask a node, or by a broadcast address every node, for a ZDP response."""

    dest: int
    record: Record


@dataclass(frozen=True)
class ZclQuestion:
    """Ask one side of a cluster; the answer is the ZCL header joined with its command."""

    path: Path
    command: Record


@dataclass(frozen=True)
class Tell:
    """Do something at once and wait for no answer: `say` is given the time."""

    say: Callable[[float], None]


@dataclass(frozen=True)
class Pause:
    """Wait so many seconds."""

    seconds: float


Turn = ZdpQuestion | ZclQuestion | Tell | Pause
Script = Generator[Turn, Record | None, None]
Done = Callable[[float], None]


def greeting(dest: int, answered: Callable[[], None]) -> Script:
    """Ask a node for its descriptor, which every node has to give (05-3474, 2.4.3.1.3); `answered` is called when it does."""
    if (yield ZdpQuestion(dest, zdp.NodeDescReq.of(nwk_addr_of_interest=dest))) is not None:
        answered()


class Conversation:
    """Runs one script at a time; an unanswered question is repeated, and at last answered with None."""

    def __init__(self, application: Application, name: str) -> None:
        self._application = application
        self._name = name
        self._script: Script | None = None
        self._question: Turn | None = None
        self._attempts = 0
        self._done: Done = lambda now: None

    @property
    def running(self) -> bool:
        """Whether a script is not yet at its end."""
        return self._script is not None

    def start(self, script: Script, done: Done, now: float) -> None:
        """Run a script from its beginning; `done` is called after its last question."""
        self.stop()
        self._script, self._done = script, done
        self._advance(None, now)

    def stop(self) -> None:
        """Leave off; answers that still come go nowhere."""
        self._script = self._question = None
        self._application.agenda.cancel(self._name)

    def _advance(self, answer: Record | None, now: float) -> None:
        script = self._script
        if script is None:
            return
        try:
            self._question = next(script) if self._question is None else script.send(answer)
        except StopIteration:
            self.stop()
            self._done(now)
            return
        if isinstance(self._question, Pause):
            self._application.agenda.set(self._name, now + self._question.seconds, lambda now: self._advance(None, now))
        elif isinstance(self._question, Tell):
            self._question.say(now)
            self._advance(None, now)
        else:
            self._attempts = 0
            self._ask(now)

    def _ask(self, now: float) -> None:
        question = self._question
        if question is None:
            return
        self._attempts += 1

        def take(answer: Record | None, now: float) -> None:
            if self._question is not question:
                return  # the script has been stopped or is further on
            if answer is None and self._attempts < ATTEMPTS:
                self._application.agenda.set(self._name, now + RETRY_PAUSE, self._ask)
            else:
                self._advance(answer, now)

        if isinstance(question, ZdpQuestion):
            self._application.send_zdp(question.dest, question.record, now, then=take)
        elif isinstance(question, ZclQuestion):
            self._application.send_zcl(question.path, question.command, now, then=take)
