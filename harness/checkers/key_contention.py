"""Step 8: what the ESI makes of a second device that begins while it is busy with the first. Smart Energy 1.0 (075356), annex C.3."""

from __future__ import annotations

from collections.abc import Iterator

from dissectors.clusters.key_establishment import (
    MINIMUM_TRANSIT,
    InitiateKeyEstablishment,
    TerminateKeyEstablishment,
    TerminateStatus,
)
from harness.checkers.apart import at_the_meter
from harness.checkers.attempts import (
    ANSWER_TIME,
    INITIATOR,
    RESPONDER,
    TURNS,
    Attempt,
    Said,
    attempts,
    cause_of,
    numbers,
    watched,
)
from harness.checkers.key_refusal import flaws
from harness.trace import Trace
from harness.verdict import Finding, failed, passed


def has_resources_or_says_so(trace: Trace) -> Iterator[Finding]:
    """08-NO-RESOURCES: whoever begins while the ESI is busy is told to wait, or served beside the first; the first is not dropped."""
    for attempt in attempts(trace):
        begun = attempt.said[0]
        first = first_of_two(trace, attempt)
        if first is None or begun.arrival is None or flaws(trace, attempt, begun):
            continue
        answer = next(iter(attempt.by(RESPONDER)), None)
        if answer is None and not watched(trace, begun.arrival, ANSWER_TIME):
            continue
        dropped = _dropped(trace, first, begun)
        if dropped is not None:
            yield failed(
                "the ESI dropped an exchange for another device's", *numbers(first.before(begun)), begun.number, *dropped,
                expected="the first exchange goes on", observed="it ended", hint="busy-drops-the-first",
            )
        elif answer is None:
            yield failed(
                "the ESI did not answer a device that began while it was busy", begun.number,
                expected="Terminate Key Establishment, NO_RESOURCES", observed="silence", hint="busy-without-a-word",
            )
        elif answer.is_a(InitiateKeyEstablishment) or _says_no_resources(answer):
            yield passed(f"the ESI answered with {answer.name} and went on with the first", begun.number, answer.number)
        else:
            yield failed(
                f"the ESI answered a device that began while it was busy with {answer.name}", begun.number, answer.number,
                expected="Terminate Key Establishment, NO_RESOURCES", observed=_words(answer), hint="busy-with-another-status",
            )


def first_of_two(trace: Trace, attempt: Attempt) -> Attempt | None:
    """The exchange of another device in which the ESI is in the middle when this one begins."""
    begun = attempt.said[0]
    if not begun.is_a(InitiateKeyEstablishment):
        return None
    for other in attempts(at_the_meter(trace)):
        answered = other.find(RESPONDER, InitiateKeyEstablishment)
        going_on = answered is not None and answered.number < begun.number and _goes_on(other, begun)
        if other.device != attempt.device and going_on:
            return other
    return None


def _goes_on(attempt: Attempt, begun: Said) -> bool:
    """Whether an exchange has been ended by nobody before an instant, and has more to come."""
    over = any(said.kind is TerminateKeyEstablishment or said is attempt.completed for said in attempt.before(begun))
    return not over and any(said.kind in TURNS for said in attempt.after(begun))


def _dropped(trace: Trace, first: Attempt, begun: Said) -> tuple[int, ...] | None:
    """What shows that the ESI let go of the first exchange, whose device did nothing wrong, and fast; None where it did not."""
    later = first.after(begun)
    if any(said.kind not in TURNS or _takes_time(first, said) or flaws(trace, first, said) for said in first.by(INITIATOR)):
        return None
    ends = [said for said in later if said.by is RESPONDER and said.kind is TerminateKeyEstablishment]
    asks = later[-1]
    wait = first.generate_time(RESPONDER, TURNS[-1]) + ANSWER_TIME
    if not ends and asks.by is INITIATOR and asks.kind in TURNS and asks.arrival is not None and watched(trace, asks.arrival, wait):
        return (asks.number,)
    return numbers(ends) if ends else None


def _takes_time(attempt: Attempt, said: Said) -> bool:
    """Whether a message came so late that an ESI without patience might have given up; whether it has that is another question."""
    cause = None if said.kind is None or said.kind not in TURNS else cause_of(attempt, said.by, said.kind)
    return cause is not None and said.arrival is not None and said.arrival.time - cause.time > MINIMUM_TRANSIT


def _says_no_resources(said: Said) -> bool:
    terminate = said.is_a(TerminateKeyEstablishment) and said.command is not None
    return terminate and said.command is not None and bool(said.command.status == TerminateStatus.NO_RESOURCES)


def _words(said: Said) -> str:
    status = f", status {said.command.status:02x}" if said.is_a(TerminateKeyEstablishment) and said.command is not None else ""
    return said.name + status
