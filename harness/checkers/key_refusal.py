"""Step 8: what a party of key establishment makes of a partner's message that errs.

A check looks for the partner's fault on the air first; where there is none, the question was not put. How a party gets over an
exchange that failed stands in `key_recovery`.
Smart Energy 1.0 (075356), annex C.3.
"""

from __future__ import annotations

from collections.abc import Iterator
from enum import Enum, auto

from dissectors import zcl
from dissectors.clusters.key_establishment import (
    ConfirmKeyData,
    InitiateKeyEstablishment,
    Suite,
    TerminateKeyEstablishment,
    TerminateStatus,
)
from harness.checkers.attempts import (
    ANSWER_TIME,
    INITIATOR,
    RESPONDER,
    TURNS,
    Attempt,
    Said,
    address,
    attempts,
    numbers,
    partner_of,
    watched,
)
from harness.checkers.key_agreement import cause_of_use, forged, is_wrong, uses_of_the_key
from harness.checkers.parties import PartyCheck
from harness.checkers.reading import restarted
from harness.crypto.ecqv import Certificate
from harness.trace import Trace
from harness.usecase import Actor
from harness.values import Eui64
from harness.verdict import Finding, failed, inconclusive, noted, passed


class Flaw(Enum):
    """What a partner's message can do wrong."""

    LENGTH = auto()
    TURN = auto()
    SUITE = auto()
    ISSUER = auto()
    SUBJECT = auto()
    CONFIRMATION = auto()


STATUSES: dict[Flaw, frozenset[TerminateStatus]] = {  # with which Terminate says that it was noticed
    Flaw.LENGTH: frozenset({TerminateStatus.BAD_MESSAGE}),
    Flaw.TURN: frozenset({TerminateStatus.BAD_MESSAGE}),
    Flaw.SUITE: frozenset({TerminateStatus.UNSUPPORTED_SUITE}),
    Flaw.ISSUER: frozenset({TerminateStatus.UNKNOWN_ISSUER}),
    Flaw.SUBJECT: frozenset(TerminateStatus),  # no status is named for it
    Flaw.CONFIRMATION: frozenset({TerminateStatus.BAD_KEY_CONFIRM}),
}


OVERLOOKED: dict[Flaw, str] = {  # the cause where a party goes on as if nothing were wrong
    Flaw.LENGTH: "length-not-checked", Flaw.TURN: "order-not-checked", Flaw.SUITE: "suite-not-checked",
    Flaw.ISSUER: "issuer-not-checked", Flaw.SUBJECT: "subject-not-checked", Flaw.CONFIRMATION: "confirmation-not-compared",
}


def flaws(trace: Trace, attempt: Attempt, said: Said) -> frozenset[Flaw]:
    """What is wrong with a message of key establishment, as its receiver can tell at once."""
    if said.kind not in TURNS:
        return frozenset()
    found = {Flaw.TURN} if said in attempt.strays else set()
    if said.command is None or said.surplus:
        found.add(Flaw.LENGTH)
    elif said.is_a(InitiateKeyEstablishment):
        found |= _flaws_of_initiate(trace, attempt, said)
    elif said.is_a(ConfirmKeyData) and is_wrong(trace, attempt, said):
        found.add(Flaw.CONFIRMATION)
    return frozenset(found)


def refuses(flaw: Flaw) -> PartyCheck:
    """08-BAD-MESSAGE, -OUT-OF-SEQUENCE, -UNSUPPORTED-SUITE, -UNKNOWN-ISSUER, -BAD-SUBJECT, -BAD-CONFIRM: Terminate says so."""

    def check(trace: Trace, judged: Actor) -> Iterator[Finding]:
        for attempt in attempts(trace):
            for said in attempt.by(partner_of(judged)):
                found = flaws(trace, attempt, said)
                if flaw in found and said.arrival is not None:
                    fitting = frozenset[TerminateStatus]().union(*(STATUSES[each] for each in found))
                    if flaw is Flaw.SUITE and said.command is not None and not said.command.suite:
                        fitting |= {TerminateStatus.BAD_MESSAGE}  # it names none that could be unsupported
                    yield from _reaction(trace, attempt, said, judged, flaw, fitting)
                    break

    check.__name__ = f"refuses_{flaw.name.lower()}"
    return check


def _reaction(
    trace: Trace, attempt: Attempt, said: Said, judged: Actor, flaw: Flaw, fitting: frozenset[TerminateStatus]
) -> Iterator[Finding]:
    assert said.arrival is not None
    what = f"{said.name} with a wrong {flaw.name.lower()}"
    wanted = "Terminate Key Establishment, " + " or ".join(sorted(status.name for status in fitting))
    answer = next((each for each in attempt.after(said) if each.by is judged and each.number > said.arrival.number), None)
    patience = attempt.generate_time(judged, TURNS[-1]) + ANSWER_TIME
    if answer is None and restarted(trace, judged, said.arrival.time, said.arrival.time + patience):
        return  # what was going on when power failed nobody takes up again
    if answer is None:
        if not watched(trace, said.arrival, patience):
            yield inconclusive(f"the {judged} was not listened to for long enough after {what}", said.number, expected=wanted)
        elif flaw is Flaw.SUBJECT:
            yield passed(f"the {judged} did not go on after {what}", said.number, observed="silence")
        elif flaw is Flaw.TURN and judged is INITIATOR and _is_idle(attempt, said):
            yield noted(
                f"the {judged} kept silent after {said.name} when no exchange was going on", said.number,
                expected="no source says what an initiator makes of it", observed="silence",
            )
        else:
            yield failed(
                f"the {judged} kept silent after {what}", said.number, expected=wanted, observed="silence",
                hint=_silent(judged, flaw),
            )
    elif answer.is_a(TerminateKeyEstablishment) and answer.command is not None and answer.command.status in fitting:
        yield from _without_key(trace, attempt, said, answer, judged, what)
    else:
        status = f", status {answer.command.status:02x}" if answer.is_a(TerminateKeyEstablishment) and answer.command else ""
        yield failed(
            f"the {judged} answered {what} with {answer.name}", *numbers(attempt.before(said)), said.number, answer.number,
            expected=wanted, observed=answer.name + status, hint=_overlooked(trace, attempt, said, answer, flaw),
        )


def _is_idle(attempt: Attempt, said: Said) -> bool:
    """Whether no exchange was going on when this was said: none had begun, or it had ended, well or by Terminate."""
    before, end = attempt.before(said), attempt.completed
    ended = (end is not None and end.number < said.number) or any(each.kind is TerminateKeyEstablishment for each in before)
    return ended or not any(each.by is INITIATOR and each.is_a(InitiateKeyEstablishment) for each in before)


def _silent(judged: Actor, flaw: Flaw) -> str:
    """The cause of silence after a flaw; the ESI's confirmation is the last message, so that whoever takes it says nothing."""
    if flaw is Flaw.CONFIRMATION and judged is INITIATOR:
        return OVERLOOKED[flaw]
    return "hangs-on-wrong-length" if flaw is Flaw.LENGTH else "flaw-passed-over"


def _overlooked(trace: Trace, attempt: Attempt, said: Said, answer: Said, flaw: Flaw) -> str:
    """The cause of a wrong answer to a message with a flaw."""
    if answer.kind is zcl.DefaultResponse:
        return "default-response-for-terminate"
    if answer.kind is TerminateKeyEstablishment:
        known = answer.command is not None and answer.command.status in tuple(TerminateStatus)
        return "terminate-with-another-status" if known else "terminate-status-unknown"
    if flaw is Flaw.SUBJECT and _is_reversed(said, address(trace, attempt, said.by)):
        return "subject-compared-reversed"
    return OVERLOOKED[flaw]


def _is_reversed(initiate: Said, owner: Eui64 | None) -> bool:
    """Whether the certificate's subject is the sender's EUI-64 with its octets in the order of the air."""
    assert initiate.command is not None
    return owner is not None and Certificate(initiate.command.certificate).subject.octets == owner.octets[::-1]


def _without_key(
    trace: Trace, attempt: Attempt, said: Said, answer: Said, judged: Actor, what: str
) -> Iterator[Finding]:
    """A refused exchange leaves no key behind that its party would use."""
    used = next(uses_of_the_key(trace, attempt, answer.first, judged), None)
    earlier = [each.completed for each in attempts(trace) if each.device == attempt.device]
    if used is None:
        yield passed(f"the {judged} refused {what}", said.number, answer.number)
    elif any(end is not None and end.number < said.number for end in earlier):
        return  # it is the key that was made before, and that stays in force
    else:
        yield failed(
            f"the {judged} refused {what} and used the key all the same", said.number, answer.number, used.number,
            expected="no new key", observed="a frame under an established link key",
            hint=cause_of_use(trace, attempt, judged, answer, "refused-key-kept"),
        )


def falls_for_no_forgery(trace: Trace, judged: Actor) -> Iterator[Finding]:
    """08-FORGED: no key comes of a certificate or an ephemeral key that is not the partner's own."""
    for attempt in attempts(trace):
        said = forged(trace, attempt, partner_of(judged))
        if said is None or said.arrival is None:
            continue
        ends = [each for each in attempt.after(said) if each.kind is TerminateKeyEstablishment]
        last, patience = attempt.said[-1], attempt.generate_time(judged, TURNS[-1]) + ANSWER_TIME
        if any(each.by is judged for each in ends):
            yield passed(f"the {judged} ended the exchange", said.number, *numbers(ends))
        elif not ends and attempt.find(RESPONDER, ConfirmKeyData) is not None:
            yield failed(
                f"the {judged} took a key that comes of a forged {said.name}", *numbers(attempt.said),
                expected="Terminate Key Establishment", observed="the exchange was completed",
                hint="confirmation-not-compared",
            )
        elif last.by is not judged and not ends and watched(trace, last.first, patience):
            yield failed(
                f"the {judged} fell silent after a forged {said.name}", *numbers(attempt.said),
                expected="Terminate Key Establishment", observed="silence", hint="hangs-on-a-forged-key",
            )


def _flaws_of_initiate(trace: Trace, attempt: Attempt, said: Said) -> set[Flaw]:
    assert said.command is not None
    if said.command.suite != Suite.CBKE_ECMQV_K163:
        return set() if said.command.suite & sum(Suite) else {Flaw.SUITE}  # of several bits one may be taken; nothing says
    certificate = Certificate(said.command.certificate)
    issuer, owner = trace.header.pixit.get("issuer"), address(trace, attempt, said.by)
    found = {Flaw.ISSUER} if issuer is not None and certificate.issuer.hex() != issuer else set()
    return found | ({Flaw.SUBJECT} if owner is not None and certificate.subject != owner else set())
