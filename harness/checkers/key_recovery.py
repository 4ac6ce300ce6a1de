"""Step 8: how a party of key establishment gets over an exchange that failed: silence, Terminate, wait times, repetitions.

A check looks for the partner's fault on the air first; where there is none, the question was not put.
Smart Energy 1.0 (075356), annex C.3.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

from dissectors import mac, nwk, zcl
from dissectors.clusters.key_establishment import (
    MAXIMUM_SECONDS,
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
    attempts,
    came_late,
    ends_of,
    made_within,
    numbers,
    partner_of,
    watched,
)
from harness.checkers.key_agreement import cause_of_use, uses_of_the_key
from harness.checkers.key_contention import first_of_two
from harness.checkers.key_messages import DIRECTIONS
from harness.checkers.key_refusal import flaws
from harness.checkers.orders import windows
from harness.checkers.reading import Heard, air, attested, demand, restarted
from harness.checkers.standstill import surest
from harness.trace import Trace, Unknown
from harness.usecase import Actor, Point
from harness.verdict import Finding, failed, passed

LONGEST_PAUSE = 1200.0  # seconds: a quarter of an hour after many failures (known from SE 1.4), and the longest wait time
CLOCK_TOLERANCE = 1.0  # seconds; wait times are whole seconds
LEAVING_TIME = 30.0  # seconds within which a device is off a network that it has to leave
ON_ITS_WAY = 0.25  # seconds in which a message that was made before the partner's Terminate came may still go out
RETRIES = 10  # after an exchange that failed, and then a pause of so many seconds (known from SE 1.4)
PAUSE = 900.0


def outlasts_silence(trace: Trace, judged: Actor) -> Iterator[Finding]:
    """08-SILENCE: a party whose partner falls silent, or is too late, ends the exchange without Terminate and can have another."""
    for attempt, following in _with_next(trace):
        yield from _ends_without_a_word(trace, attempt, judged)
        turns = [said for said in attempt.said if said.kind in TURNS]
        if not turns or attempt.strays:
            continue
        late = next((said for said in turns if said.by is not judged and came_late(attempt, said)), None)
        last = turns[-1] if late is None else late
        if late is not None and attempt.completed:
            yield passed(f"the {judged} took {late.name} though it came late", late.number)
        elif attempt.completed or (late is None and (last.by is not judged or attempt.after(last))):
            continue
        elif judged is RESPONDER:
            if attempt.next_at is not None or watched(trace, last.first, ANSWER_TIME):
                yield passed("the ESI gave up without a word", last.number)
            yield from _takes(trace, following, (last.number,), "never-gives-up")
        else:
            yield from _begins_again(trace, attempt, attempt.said[-1].first, (last.number,), "never-gives-up")


def _ends_without_a_word(trace: Trace, attempt: Attempt, judged: Actor) -> Iterator[Finding]:
    """Terminate right behind one's own message says that patience is at its end."""
    for before, said in pairwise(attempt.said):
        own = before.by is said.by is judged and before.kind in TURNS and said.kind is TerminateKeyEstablishment
        if own and attested(trace, Point.MAC, before.time, said.time, said.first.channel):
            yield failed(
                f"the {judged} sent {said.name} when nothing had come", before.number, said.number,
                expected="an end without a word", observed=said.name, hint="terminate-on-own-timeout",
            )


def begins_anew(trace: Trace, judged: Actor) -> Iterator[Finding]:
    """08-RESTART: after an exchange that was ended by Terminate or a Default Response, another one is begun and answered."""
    for attempt, following in _with_next(trace):
        ends = [said for said in attempt.said if said.kind is TerminateKeyEstablishment or _refuses(said)]
        if not ends or any(_says(said, TerminateStatus.UNKNOWN_ISSUER) for said in ends):
            continue
        if judged is RESPONDER:
            yield from _takes(trace, following, numbers(ends), "refuses-after-failure")
        elif ends[-1].arrival is not None:
            yield from _begins_again(trace, attempt, ends[-1].arrival, numbers(ends), "never-tries-again")


def ends_when_told(trace: Trace, judged: Actor) -> Iterator[Finding]:
    """08-TERMINATE-MIDWAY: after the partner's Terminate no further message of the exchange comes, and no key."""
    for attempt, following in _with_next(trace):
        end = _told(attempt, partner_of(judged))
        if end is None or end.arrival is None:
            continue
        goes_on = next((
            said for said in attempt.after(end)
            if said.by is judged and said.kind in TURNS and made_within(trace, attempt, said, end.arrival) > ON_ITS_WAY
        ), None)
        first = None if following is None else following.said[0]
        if goes_on is None and first is not None and first.by is judged and first.kind in TURNS[1:]:
            goes_on = first if first.time - end.arrival.time > ON_ITS_WAY else None
        used = next(uses_of_the_key(trace, attempt, end.arrival, judged), None)
        if goes_on is None and used is None:
            if attempt.next_at is not None or watched(trace, end.arrival, ANSWER_TIME):
                yield passed(f"the {judged} ended the exchange", end.number)
            continue
        what, number = (goes_on.name, goes_on.number) if goes_on is not None else ("a frame under the key", _number(used))
        yield failed(
            f"the {judged} went on with an exchange that its partner had ended", end.number, number,
            expected="no further message of it, and no key", observed=what,
            hint=cause_of_use(trace, attempt, judged, end, "goes-on-after-terminate"),
        )


def respects_wait_time(trace: Trace) -> Iterator[Finding]:
    """08-NO-RESOURCES: a device that is told to wait does not begin again before the wait time is over."""
    for attempt, following in _with_next(trace):
        said = _told(attempt, RESPONDER)
        if said is None or said.arrival is None or said.command is None or following is None:
            continue
        again = following.said[0]
        wait, waited = said.command.wait_time, again.time - said.arrival.time
        if wait > MAXIMUM_SECONDS or _says(said, TerminateStatus.UNKNOWN_ISSUER):
            continue
        if waited < wait - CLOCK_TOLERANCE:
            yield failed(
                "the device began again before the wait time was over", said.number, again.number,
                expected=f"after {wait} s", observed=f"after {waited:.1f} s", hint="wait-time-ignored",
            )
        else:
            yield passed("the device waited", said.number, observed=f"{waited:.1f} s of {wait} s")


def pauses_after_many(trace: Trace) -> Iterator[Finding]:
    """08-RETRY-PAUSE: an exchange that fails is tried again at most ten times in a row; then the device pauses."""
    row: list[Attempt] = []
    wrong: list[Finding] = []
    for attempt in attempts(trace):
        if row and (_is_fresh(row[-1], attempt) or _pause(row[-1], attempt) >= PAUSE - CLOCK_TOLERANCE):
            if len(row) >= RETRIES:
                yield passed("the device paused", row[-1].said[0].number, attempt.said[0].number)
            row = []
        row.append(attempt)
        if len(row) >= RETRIES + 2:
            wrong.append(failed(
                f"the device tried again more than {RETRIES} times in a row", *(each.said[0].number for each in row[-RETRIES - 2:]),
                expected=f"a pause of {PAUSE:.0f} s", observed=f"{_pause(row[-2], attempt):.1f} s", hint="retries-without-pause",
            ))
    yield from surest(trace, wrong)


def _is_fresh(before: Attempt, after: Attempt) -> bool:
    """Whether an exchange is no further try: another device's, after one that was completed, or on the network joined anew."""
    foreign = any(_says(said, TerminateStatus.UNKNOWN_ISSUER) for said in before.said)
    return before.device != after.device or before.completed is not None or foreign


def _pause(before: Attempt, after: Attempt) -> float:
    return after.said[0].time - before.said[-1].time


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
                expected="it leaves", observed=stays[0].frame.summary(), hint="stays-on-a-foreign-network",
            )
        elif watched(trace, said.arrival, 2 * LEAVING_TIME):
            yield passed("the device left the network", said.number)


def takes_a_repetition_once(trace: Trace, judged: Actor) -> Iterator[Finding]:
    """08-DUPLICATE: a message that comes again with the same APS counter is no new one."""
    for attempt in attempts(trace):
        for said in attempt.by(partner_of(judged)):
            came = {each.nwk.security.frame_counter: each for each in said.transmissions if each.arrived}
            if said.kind not in TURNS or len(came) < 2 or flaws(trace, attempt, said):
                continue
            repeated = list(came.values())[1]
            wrong = _taken_as_new(attempt, repeated, judged)
            if wrong is not None and restarted(trace, judged, said.time, wrong.time):
                continue  # which APS counters it has met nobody keeps over that
            if wrong is not None:
                yield failed(
                    f"the {judged} took a repeated {said.name} for a new one", said.number, repeated.number, wrong.number,
                    expected="an APS acknowledgement and nothing more", observed=wrong.name, hint="repetition-taken-as-new",
                )
            else:
                yield passed(f"the {judged} took {said.name} once", said.number, repeated.number)


def _taken_as_new(attempt: Attempt, repeated: Heard, judged: Actor) -> Said | None:
    """What a party said out of its turn, or to end the exchange, before it had anything else from its partner."""
    for said in attempt.said:
        if said.number > repeated.number:
            if said.by is not judged:
                return None
            if said in attempt.strays or said.kind is TerminateKeyEstablishment:
                return said
    return None


def _refuses(said: Said) -> bool:
    """Whether it is a Default Response that says that something was wrong."""
    return said.is_a(zcl.DefaultResponse) and said.command is not None and bool(said.command.status != zcl.Status.SUCCESS)


def _told(attempt: Attempt, by: Actor) -> Said | None:
    """A party's Terminate; one with a wrong direction bit need not be heeded."""
    return next((
        said for said in attempt.by(by)
        if said.is_a(TerminateKeyEstablishment) and said.header is not None and said.header.direction == DIRECTIONS[by]
    ), None)


def _number(heard: Heard | None) -> int:
    assert heard is not None
    return heard.number


def _with_next(trace: Trace) -> Iterator[tuple[Attempt, Attempt | None]]:
    """Each attempt with the device's next one."""
    everything = (*attempts(trace), None)
    for attempt, following in pairwise(everything):
        if attempt is not None:
            yield attempt, following if attempt.next_at is not None else None


def _takes(trace: Trace, following: Attempt | None, before: tuple[int, ...], cause: str) -> Iterator[Finding]:
    """Whether the ESI answers a device's new beginning, where that is without fault."""
    begun = None if following is None else following.said[0]
    if following is None or begun is None or begun.arrival is None or not begun.is_a(InitiateKeyEstablishment):
        return
    assert begun.command is not None
    if begun.command.suite != Suite.CBKE_ECMQV_K163 or flaws(trace, following, begun) or first_of_two(trace, following) is not None:
        return
    answer = next((said for said in following.by(RESPONDER)), None)
    if answer is not None and answer.kind is zcl.DefaultResponse:
        return  # in place of an answer: that is another question
    if answer is not None and _says(answer, TerminateStatus.NO_RESOURCES):
        demand(trace, Unknown.ORDER)
        if not _may_register(trace, begun):
            return  # whoever is not let in need not be registered
    if answer is not None and answer.kind is InitiateKeyEstablishment:
        yield passed("the ESI answered the device's new beginning", *before, begun.number, answer.number)
    elif answer is not None or watched(trace, begun.arrival, ANSWER_TIME):
        yield failed(
            "the ESI did not take a new exchange after one that failed", *before, begun.number,
            expected="Initiate Key Establishment", observed="silence" if answer is None else answer.name,
            hint=cause,
        )


def _may_register(trace: Trace, said: Said) -> bool:
    """Whether a window was open when this was said."""
    return any(window.is_open(said.time) for window in windows(trace))


def _begins_again(trace: Trace, attempt: Attempt, end: Heard, before: tuple[int, ...], cause: str) -> Iterator[Finding]:
    """Whether the device begins a new exchange."""
    if attempt.next_at is not None:
        yield passed("the device began a new exchange", *before, observed=f"after {attempt.next_at - end.time:.1f} s")
    elif watched(trace, end, LONGEST_PAUSE):
        yield failed(
            "the device never began another exchange", *before, expected=f"a new one within {LONGEST_PAUSE:.0f} s",
            observed="none", hint=cause,
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
