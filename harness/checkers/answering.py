"""What is found of a question and its answer, in the same words for every checker. Knows no particular question."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from dissectors import zcl
from harness.checkers.associations import of_the_device
from harness.checkers.dialogue import ANSWER_TIME, Dialogue, Said
from harness.checkers.reading import attested
from harness.usecase import Point
from harness.verdict import Finding, failed, passed

REQUEST_TIME = 200.0  # seconds (PROFILE) in which a device that has registered asks for everything it wants to know


def unanswered(talk: Dialogue, question: Said, expected: str, hint: str | None = None) -> Iterator[Finding]:
    """A question that arrived drew nothing: a fail once the time for an answer was watched to its end."""
    if talk.watched(question, ANSWER_TIME):
        yield failed(f"{question.name} was not answered", question.number, expected=expected, observed="silence", hint=hint)


def answered_wrongly(question: Said, answer: Said, expected: str, observed: str, hint: str | None = None) -> Finding:
    """The answer is not what the question must draw."""
    return failed(
        f"{question.name} was answered wrongly", question.number, answer.number, expected=expected, observed=observed, hint=hint,
    )


def refused(
    talk: Dialogue, question: Said, answer: Said | None, statuses: Iterable[int], hint: str | None = None,
) -> Iterator[Finding]:
    """What is asked for is not there: ZDP answers so, with one of these statuses."""
    expected = " or ".join(f"status {status:02x}" for status in statuses)
    if answer is None:
        yield from unanswered(talk, question, expected)
    elif answer.malformed or answer.command.status not in statuses:
        yield answered_wrongly(question, answer, expected, words(answer), hint)
    else:
        yield passed("what is not there was refused", question.number, answer.number, observed=words(answer))


def requested(talk: Dialogue, requests: Sequence[Said], what: str, hint: str | None = None) -> Iterator[Finding]:
    """In service, the device asks for what it is a client of (use case 2.7, rows 7 and 9): one of these requests is there."""
    registered = talk.registered()
    if requests:
        yield passed(f"the device asked for {what}", requests[0].number)
    elif registered is not None and _watched_since_it_joined(talk, registered):
        yield failed(
            f"the device registered and never asked for {what}", registered.number,
            expected=f"a request within {REQUEST_TIME:.0f} s", observed="none", hint=hint,
        )


def _watched_since_it_joined(talk: Dialogue, registered: Said) -> bool:
    """Whether nothing was missed from the device's association on: its first request may be what showed that it had registered."""
    joined = [each.request.time for each in of_the_device(talk.trace) if each.request.time < registered.time]
    since = min(joined, default=registered.time)
    return attested(talk.trace, Point.MAC, since, registered.arrived_at + REQUEST_TIME, registered.first.channel)


def words(answer: Said) -> str:
    """An answer in words: why it cannot be read, its status, or what it is."""
    if answer.command is None:
        return answer.malformed or "nothing that can be read"
    if answer.is_a(zcl.DefaultResponse):
        return f"Default Response, status {answer.command.status:02x}"
    return f"status {answer.command.status:02x}" if "status" in answer.command else answer.name
