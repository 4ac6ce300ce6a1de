"""What one party has asked and not yet had answered: how long it waits for each, and for what; knows no noun and no role.

A request waits for its answer; one that wants its result later, first for the acknowledgement and then for the result; an event
that wants an acknowledgement, for that alone.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType

from harness.cim.envelope import CimMessage, Header
from harness.ports import Message


class State(StrEnum):
    """How far an exchange has come, as its producer knows it."""

    ASKED = "asked"
    ACKNOWLEDGED = "acknowledged"
    SETTLED = "settled"
    GIVEN_UP = "given up"


class Event(StrEnum):
    """What moves it on."""

    ACKNOWLEDGE = "acknowledge"
    ANSWER = "answer"
    GIVE_UP = "give up"


TRANSITIONS: Mapping[tuple[State, Event], State] = MappingProxyType({
    (State.ASKED, Event.ACKNOWLEDGE): State.ACKNOWLEDGED,
    (State.ASKED, Event.ANSWER): State.SETTLED,
    (State.ASKED, Event.GIVE_UP): State.GIVEN_UP,
    (State.ACKNOWLEDGED, Event.ANSWER): State.SETTLED,
    (State.ACKNOWLEDGED, Event.GIVE_UP): State.GIVEN_UP,
})
"""What is not here changes nothing: a second acknowledgement, anything after the end."""

OVER = (State.SETTLED, State.GIVEN_UP)


@dataclass
class Pending:
    """One message that waits. `header` is the one that went out, whatever a policy made of it; `due` is in seconds."""

    header: Header
    message: Message
    due: float
    tries_left: int
    is_asynchronous: bool
    state: State = State.ASKED

    def move(self, event: Event) -> None:
        """Change the state as the table says."""
        self.state = TRANSITIONS.get((self.state, event), self.state)

    def is_answered_by(self, producer: str, answer: Header) -> bool:
        """Whether that header is of an answer to this: replies echo CorrelationID or MessageID."""
        asked, echoed = self.header, answer.correlation_id
        whom = self.message.receiver == producer and asked.noun == answer.noun
        return whom and echoed is not None and echoed in (asked.correlation_id, asked.message_id)


class Outstanding:
    """All that waits, oldest first. `wait` is for an answer or an acknowledgement, `result_wait` for a later result, seconds."""

    def __init__(self, wait: float, result_wait: float, tries: int) -> None:
        self.wait = wait
        self.result_wait = result_wait
        self.tries = tries
        self._waiting: list[Pending] = []

    def add(self, sent: CimMessage, message: Message, now: float) -> None:
        """Wait for the answer to a message with a header."""
        if sent.header is not None:
            self._waiting.append(Pending(sent.header, message, now + self.wait, self.tries - 1, sent.is_asynchronous))

    def settle(self, producer: str, answer: CimMessage, now: float) -> Header | None:
        """The header of what this answers, which then waits no longer; None for an acknowledgement, and for what nobody asked."""
        if answer.header is None:
            return None
        pending = next((each for each in self._waiting if each.is_answered_by(producer, answer.header)), None)
        if pending is None:
            return None
        if pending.is_asynchronous and answer.is_acknowledgement:
            pending.move(Event.ACKNOWLEDGE)
            pending.due = now + self.result_wait
            return None
        pending.move(Event.ANSWER)
        self._waiting.remove(pending)
        return pending.header

    def deadline(self) -> float | None:
        """When the next of them has waited long enough."""
        return min((each.due for each in self._waiting), default=None)

    def overdue(self, now: float, *, retries: bool) -> Iterator[Pending]:
        """What is to be sent again, and what is given up (its state says which); nobody asks again what was acknowledged."""
        for each in [each for each in self._waiting if each.due <= now]:
            if each.tries_left <= 0 or not retries or each.state is State.ACKNOWLEDGED:
                each.move(Event.GIVE_UP)
                self._waiting.remove(each)
            else:
                each.tries_left -= 1
                each.due = now + self.wait
            yield each
