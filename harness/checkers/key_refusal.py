"""Step 8: what a party of key establishment makes of a partner that errs, refuses, repeats itself or falls silent.

A check looks for the partner's fault on the air first; where there is none, the question was not put.
Smart Energy 1.0 (075356), annex C.3.
"""

from __future__ import annotations

from collections.abc import Iterator
from enum import Enum, auto
from itertools import pairwise

from dissectors import mac, nwk, zcl
from dissectors.clusters.key_establishment import (
    MAXIMUM_SECONDS,
    ConfirmKeyData,
    InitiateKeyEstablishment,
    Suite,
    TerminateKeyEstablishment,
    TerminateStatus,
)
from harness.checkers.attempts import (
    ANSWER_TIME,
    RESPONDER,
    TURNS,
    Attempt,
    Said,
    address,
    attempts,
    ends_of,
    numbers,
    partner_of,
    watched,
)
from harness.checkers.key_agreement import agreement, forged
from harness.checkers.parties import PartyCheck
from harness.checkers.reading import Heard, air
from harness.crypto.ecqv import Certificate
from harness.trace import Trace
from harness.usecase import Actor
from harness.verdict import Finding, failed, inconclusive, passed

LONGEST_PAUSE = 1200.0  # seconds: a quarter of an hour after many failures (known from SE 1.4), and the longest wait time
CLOCK_TOLERANCE = 1.0  # seconds; wait times are whole seconds
LEAVING_TIME = 30.0  # seconds within which a device is off a network that it has to leave


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


def flaws(trace: Trace, attempt: Attempt, said: Said) -> frozenset[Flaw]:
    """What is wrong with a message of key establishment, as its receiver can tell at once."""
    if said.kind not in TURNS:
        return frozenset()
    found = {Flaw.TURN} if said in attempt.strays else set()
    if said.command is None or said.surplus:
        found.add(Flaw.LENGTH)
    elif said.is_a(InitiateKeyEstablishment):
        found |= _flaws_of_initiate(trace, attempt, said)
    elif said.is_a(ConfirmKeyData):
        agreed = agreement(trace, attempt)
        if agreed is not None and said.command.message_authentication_code != agreed.confirmation(said.by):
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
    if answer is None:
        if not watched(trace, said.arrival, attempt.generate_time(judged, TURNS[-1]) + ANSWER_TIME):
            yield inconclusive(f"the {judged} was not listened to for long enough after {what}", said.number, expected=wanted)
        elif flaw is Flaw.SUBJECT:
            yield passed(f"the {judged} did not go on after {what}", said.number, observed="silence")
        else:
            yield failed(f"the {judged} kept silent after {what}", said.number, expected=wanted, observed="silence")
    elif answer.is_a(TerminateKeyEstablishment) and answer.command is not None and answer.command.status in fitting:
        yield from _without_key(trace, attempt, said, answer, judged, what)
    else:
        status = f", status {answer.command.status:02x}" if answer.is_a(TerminateKeyEstablishment) and answer.command else ""
        yield failed(
            f"the {judged} answered {what} with {answer.name}", *numbers(attempt.before(said)), said.number, answer.number,
            expected=wanted, observed=answer.name + status,
        )


def _without_key(
    trace: Trace, attempt: Attempt, said: Said, answer: Said, judged: Actor, what: str
) -> Iterator[Finding]:
    """A refused exchange leaves no key behind that its party would use."""
    used = next((
        each for each in air(trace).after(answer.first)
        if each.frame.aps_key_kind == "link" and ends_of(each) == ends_of(said.first)
        and air(trace).from_coordinator(each) is (judged is RESPONDER)
        and (attempt.next_at is None or each.time < attempt.next_at)
    ), None)
    if used is None:
        yield passed(f"the {judged} refused {what}", said.number, answer.number)
    else:
        yield failed(
            f"the {judged} refused {what} and used the key all the same", said.number, answer.number, used.number,
            expected="no new key", observed="a frame under an established link key",
        )


def falls_for_no_forgery(trace: Trace, judged: Actor) -> Iterator[Finding]:
    """08-FORGED: no key comes of a certificate or an ephemeral key that is not the partner's own."""
    for attempt in attempts(trace):
        said = forged(trace, attempt, partner_of(judged))
        if said is None or said.arrival is None:
            continue
        ends = [each for each in attempt.after(said) if each.kind is TerminateKeyEstablishment]
        last = attempt.said[-1]
        if any(each.by is judged for each in ends):
            yield passed(f"the {judged} ended the exchange", said.number, *numbers(ends))
        elif not ends and attempt.find(RESPONDER, ConfirmKeyData) is not None:
            yield failed(
                f"the {judged} took a key that comes of a forged {said.name}", *numbers(attempt.said),
                expected="Terminate Key Establishment", observed="the exchange was completed",
            )
        elif last.by is not judged and not ends and watched(trace, last.first, ANSWER_TIME):
            yield failed(
                f"the {judged} fell silent after a forged {said.name}", *numbers(attempt.said),
                expected="Terminate Key Establishment", observed="silence",
            )


def outlasts_silence(trace: Trace, judged: Actor) -> Iterator[Finding]:
    """08-SILENCE: a party whose partner falls silent ends the exchange without Terminate, and is ready for another."""
    for attempt, following in _with_next(trace):
        turns = [said for said in attempt.said if said.kind in TURNS]
        if not turns or turns[-1].by is not judged or attempt.completed or attempt.strays:
            continue
        last = turns[-1]
        after = attempt.after(last)
        if any(said.by is not judged for said in after):
            continue
        if after:
            yield failed(
                f"the {judged} sent {after[0].name} when nothing had come", last.number, after[0].number,
                expected="an end without a word", observed=after[0].name,
            )
        elif judged is RESPONDER:
            yield passed("the ESI gave up without a word", last.number)
            yield from _takes(trace, following, (last.number,))
        else:
            yield from _begins_again(trace, attempt, last.first, (last.number,))


def begins_anew(trace: Trace, judged: Actor) -> Iterator[Finding]:
    """08-RESTART: after an exchange that was ended by Terminate or a Default Response, another one is begun and answered."""
    for attempt, following in _with_next(trace):
        ends = [said for said in attempt.said if said.kind in (TerminateKeyEstablishment, zcl.DefaultResponse)]
        if not ends or any(_says(said, TerminateStatus.UNKNOWN_ISSUER) for said in ends):
            continue
        if judged is RESPONDER:
            yield from _takes(trace, following, numbers(ends))
        elif ends[-1].arrival is not None:
            yield from _begins_again(trace, attempt, ends[-1].arrival, numbers(ends))


def respects_wait_time(trace: Trace) -> Iterator[Finding]:
    """08-NO-RESOURCES: a device that is told to wait does not begin again before the wait time is over."""
    for attempt in attempts(trace):
        said = attempt.find(RESPONDER, TerminateKeyEstablishment)
        if said is None or said.arrival is None or said.command is None or attempt.next_at is None:
            continue
        wait, waited = said.command.wait_time, attempt.next_at - said.arrival.time
        if wait > MAXIMUM_SECONDS or _says(said, TerminateStatus.UNKNOWN_ISSUER):
            continue
        if waited < wait - CLOCK_TOLERANCE:
            yield failed(
                "the device began again before the wait time was over", said.number,
                expected=f"after {wait} s", observed=f"after {waited:.1f} s",
            )
        else:
            yield passed("the device waited", said.number, observed=f"{waited:.1f} s of {wait} s")


def leaves_a_foreign_network(trace: Trace) -> Iterator[Finding]:
    """08-LEAVES: a device whose authority is not the trust centre's leaves the network."""
    heard = air(trace)
    for attempt in attempts(trace):
        said = next((said for said in attempt.said if _says(said, TerminateStatus.UNKNOWN_ISSUER)), None)
        if said is None or said.arrival is None:
            continue
        later = [each for each in heard.after(said.arrival) if _is_from(each, attempt)]
        ends = [each.time for each in later if each.find(mac.AssociationRequest) is not None]
        stays = [
            each for each in later
            if each.time > said.arrival.time + LEAVING_TIME and each.time < min(ends, default=each.time + 1)
            and each.find(nwk.Leave) is None
        ]
        if stays:
            yield failed(
                "the device stayed on a network whose authority it does not share", said.number, stays[0].number,
                expected="it leaves", observed=stays[0].frame.summary(),
            )
        elif watched(trace, said.arrival, 2 * LEAVING_TIME):
            yield passed("the device left the network", said.number)


def takes_a_repetition_once(trace: Trace, judged: Actor) -> Iterator[Finding]:
    """08-DUPLICATE: a message that comes again with the same APS counter is no new one."""
    for attempt in attempts(trace):
        for said in attempt.by(partner_of(judged)):
            came = {each.nwk.security.frame_counter: each for each in said.transmissions if each.arrived}
            if said.kind not in TURNS or len(came) < 2:
                continue
            repeated = list(came.values())[1]
            wrong = [
                each for each in attempt.by(judged)
                if each.number > repeated.number and (each in attempt.strays or each.kind is TerminateKeyEstablishment)
            ]
            if wrong:
                yield failed(
                    f"the {judged} took a repeated {said.name} for a new one", said.number, repeated.number, wrong[0].number,
                    expected="an APS acknowledgement and nothing more", observed=wrong[0].name,
                )
            else:
                yield passed(f"the {judged} took {said.name} once", said.number, repeated.number)


def _flaws_of_initiate(trace: Trace, attempt: Attempt, said: Said) -> set[Flaw]:
    assert said.command is not None
    if said.command.suite != Suite.CBKE_ECMQV_K163:
        return {Flaw.SUITE} if said.command.suite and not said.command.suite & sum(Suite) else set()
    certificate = Certificate(said.command.certificate)
    issuer, owner = trace.header.pixit.get("issuer"), address(trace, attempt, said.by)
    found = {Flaw.ISSUER} if issuer is not None and certificate.issuer.hex() != issuer else set()
    return found | ({Flaw.SUBJECT} if owner is not None and certificate.subject != owner else set())


def _with_next(trace: Trace) -> Iterator[tuple[Attempt, Attempt | None]]:
    """Each attempt with the device's next one."""
    everything = (*attempts(trace), None)
    for attempt, following in pairwise(everything):
        if attempt is not None:
            yield attempt, following if attempt.next_at is not None else None


def _takes(trace: Trace, following: Attempt | None, before: tuple[int, ...]) -> Iterator[Finding]:
    """Whether the ESI answers a device's new beginning, where that is without fault."""
    begun = None if following is None else following.said[0]
    if following is None or begun is None or begun.arrival is None or not begun.is_a(InitiateKeyEstablishment):
        return
    if flaws(trace, following, begun):
        return
    answer = next((said for said in following.by(RESPONDER)), None)
    if answer is not None and answer.kind is InitiateKeyEstablishment:
        yield passed("the ESI answered the device's new beginning", *before, begun.number, answer.number)
    elif answer is not None or watched(trace, begun.arrival, ANSWER_TIME):
        yield failed(
            "the ESI did not take a new exchange after one that failed", *before, begun.number,
            expected="Initiate Key Establishment", observed="silence" if answer is None else answer.name,
        )


def _begins_again(trace: Trace, attempt: Attempt, end: Heard, before: tuple[int, ...]) -> Iterator[Finding]:
    """Whether the device begins a new exchange."""
    if attempt.next_at is not None:
        yield passed("the device began a new exchange", *before, observed=f"after {attempt.next_at - end.time:.1f} s")
    elif watched(trace, end, LONGEST_PAUSE):
        yield failed(
            "the device never began another exchange", *before, expected=f"a new one within {LONGEST_PAUSE:.0f} s",
            observed="none",
        )


def _says(said: Said, status: TerminateStatus) -> bool:
    return said.is_a(TerminateKeyEstablishment) and said.command is not None and bool(said.command.status == status)


def _is_from(heard: Heard, attempt: Attempt) -> bool:
    """Whether the device of an attempt made the frame, by its EUI-64 or the short address it had then."""
    if heard.mac is None:
        return False
    short = ends_of(attempt.said[0].first)
    if heard.nwk is not None and heard.nwk.is_a(nwk.Nwk):
        return bool(heard.nwk.source == short)
    return bool(heard.mac.source_ieee == attempt.device or (short is not None and heard.mac.source_short == short))
