"""Step 8: how a party of key establishment conducts its own part: order, form, times, security of what it says.

What it makes of a partner that errs stands in `key_refusal`, how it gets over failure in `key_recovery`, the arithmetic in
`key_agreement`.
Smart Energy 1.0 (075356), annex C.3.
"""

from __future__ import annotations

from collections.abc import Iterator

from dissectors import mac, zcl, zdp
from dissectors.clusters import key_establishment as cluster
from dissectors.clusters.key_establishment import (
    MAXIMUM_SECONDS,
    MINIMUM_TRANSIT,
    EphemeralData,
    InitiateKeyEstablishment,
)
from harness.checkers.attempts import (
    ANSWER_TIME,
    INITIATOR,
    TURNS,
    Attempt,
    Said,
    attempts,
    came_late,
    cause_of,
    made_within,
    numbers,
    partner_of,
    said_by,
    watched,
)
from harness.checkers.key_agreement import forged
from harness.checkers.key_messages import is_point
from harness.checkers.key_refusal import flaws
from harness.checkers.reading import Heard, air
from harness.trace import Trace
from harness.usecase import Actor
from harness.verdict import Finding, failed, passed

STARTING_TIME = 1200.0  # seconds after the network key within which a device registers: what a trust centre waits, later SE


def keeps_the_order(trace: Trace, judged: Actor) -> Iterator[Finding]:
    """08-ORDER: Initiate, Ephemeral Data, Confirm Key Data, each once and in turn with the partner's."""
    for attempt in attempts(trace):
        own = [said for said in attempt.by(judged) if said.kind in TURNS]
        stray = attempt.strays[0] if attempt.strays else None
        if stray is not None and stray.by is judged:
            yield failed(
                f"the {judged} sent {stray.name} out of its turn", *numbers(attempt.before(stray)), stray.number,
                expected=", ".join(turn.__name__ for turn in TURNS), observed=", ".join(said.name for said in own),
                hint="out-of-order",
            )
        elif stray is None and len(own) == len(TURNS):
            yield passed(f"the {judged} kept the order", *numbers(own))


def keeps_its_times(trace: Trace, judged: Actor) -> Iterator[Finding]:
    """08-TIMES: a party needs no longer for its messages than it advertised, and advertises no reserved value."""
    for attempt in attempts(trace):
        initiate = attempt.find(judged, InitiateKeyEstablishment)
        if initiate is None or initiate.command is None:
            continue
        times = (initiate.command.ephemeral_data_generate_time, initiate.command.confirm_key_generate_time)
        if max(times) > MAXIMUM_SECONDS:
            yield failed(
                f"the {judged} advertises a reserved generate time", initiate.number,
                expected=f"at most {MAXIMUM_SECONDS} s", observed=f"{times[0]} s and {times[1]} s",
                hint="reserved-generate-time",
            )
            continue
        for layer in TURNS[1:]:
            said, cause = attempt.find(judged, layer), cause_of(attempt, judged, layer)
            if said is None or cause is None or said in attempt.strays:
                continue
            taken, advertised = made_within(trace, attempt, said, cause), attempt.generate_time(judged, layer)
            if taken > advertised + MINIMUM_TRANSIT:
                yield failed(
                    f"the {judged} took longer for {said.name} than it had advertised",
                    initiate.number, cause.number, said.number,
                    expected=f"at most {advertised} s and {MINIMUM_TRANSIT} s on the way", observed=f"{taken:.2f} s",
                    hint="slower-than-advertised",
                )
            else:
                yield passed(f"the {judged} kept the time it advertised for {said.name}", initiate.number, said.number)


def waits_as_advertised(trace: Trace, judged: Actor) -> Iterator[Finding]:
    """08-PATIENCE: a message that comes as late as its sender advertised is still taken."""
    partner = partner_of(judged)
    for attempt in attempts(trace):
        late = attempt.find(partner, EphemeralData)
        cause = None if late is None else cause_of(attempt, partner, EphemeralData)
        if late is None or late.arrival is None or cause is None or late in attempt.strays:
            continue
        waited, advertised = late.arrival.time - cause.time, attempt.generate_time(partner, EphemeralData)
        if not MINIMUM_TRANSIT < waited <= advertised + MINIMUM_TRANSIT:
            continue
        wait = attempt.generate_time(judged, TURNS[-1]) + ANSWER_TIME
        after = [said for said in attempt.after(late) if said.by is judged]
        if any(said.kind in TURNS for said in after):
            yield passed(f"the {judged} waited {waited:.2f} s of the advertised {advertised} s", cause.number, late.number)
        elif after or attempt.next_at is not None or watched(trace, late.arrival, wait):
            yield failed(
                f"the {judged} had given up on a message that came in its time", cause.number, late.number,
                *numbers(after), expected=f"waits {advertised} s and {MINIMUM_TRANSIT} s on the way",
                observed=f"{waited:.2f} s were too long", hint="gives-up-too-soon",
            )


def answers_where_it_was_asked(trace: Trace, judged: Actor) -> Iterator[Finding]:
    """08-SOURCE-ENDPOINT: an answer goes to the endpoint that the request came from."""
    for request, answer in _answers(trace, judged):
        if answer.first.aps.dest_endpoint == request.first.aps.source_endpoint:
            yield passed(f"{answer.name} went to the endpoint that had asked", request.number, answer.number)
        else:
            yield failed(
                f"{answer.name} went to another endpoint than the one that had asked", request.number, answer.number,
                expected=f"endpoint {request.first.aps.source_endpoint}", observed=f"endpoint {answer.first.aps.dest_endpoint}",
                hint="answers-another-endpoint",
            )


def answers_with_the_same_sequence(trace: Trace, judged: Actor) -> Iterator[Finding]:
    """08-TRANSACTION: an answer carries the transaction sequence number of its request."""
    for request, answer in _answers(trace, judged):
        if request.header is None or answer.header is None:
            continue
        if answer.header.sequence == request.header.sequence:
            yield passed(f"{answer.name} carries the number of its request", request.number, answer.number)
        else:
            yield failed(
                f"{answer.name} carries another transaction sequence number than its request", request.number, answer.number,
                expected=str(request.header.sequence), observed=str(answer.header.sequence),
                hint="numbers-answers-itself",
            )


def answers_with_the_cluster(trace: Trace, judged: Actor) -> Iterator[Finding]:
    """08-DEFAULT-RESPONSE-INSTEAD: a request of the cluster is answered with its commands, not with a Default Response."""
    for request, answer in _answers(trace, judged):
        if answer.kind is zcl.DefaultResponse:
            yield failed(
                f"the {judged} answered {request.name} with a Default Response", request.number, answer.number,
                expected="a command of the cluster", observed="Default Response", hint="default-response-for-an-answer",
            )
        else:
            yield passed(f"the {judged} answered with {answer.name}", request.number, answer.number)


def draws_afresh(trace: Trace, judged: Actor) -> Iterator[Finding]:
    """08-FRESH-EPHEMERAL: no ephemeral key serves two exchanges."""
    seen: dict[bytes, Said] = {}
    for said in said_by(trace, judged, EphemeralData):
        assert said.command is not None
        key = bytes(said.command.ephemeral_public_key)
        if not is_point(key):
            continue
        if key in seen:
            yield failed(
                f"the {judged} used an ephemeral key twice", seen[key].number, said.number,
                expected="a new key for each exchange", observed="the same octets", hint="ephemeral-key-kept",
            )
        elif seen:
            yield passed(f"the {judged} used another ephemeral key", *numbers(seen.values()), said.number)
        seen.setdefault(key, said)


def discovers_the_server(trace: Trace) -> Iterator[Finding]:
    """08-DISCOVERS: the device asks an endpoint that the ESI named as a Key Establishment server."""
    heard = air(trace)
    asked = {
        each.zdp.sequence for each in heard.of(zdp.MatchDescReq)
        if cluster.CLUSTER.identifier in each.find(zdp.MatchDescReq).in_clusters
    }
    for attempt in attempts(trace):
        said = attempt.said[0]
        if said.kind is not InitiateKeyEstablishment:
            continue
        answers = [
            each for each in heard.of(zdp.MatchDescRsp, zdp.SimpleDescRsp)
            if each.arrived and each.number < said.number and each.nwk.source == said.first.nwk.dest
        ]
        named = {endpoint: each for each in answers for endpoint in _endpoints(each, asked)}
        endpoint = said.first.aps.dest_endpoint
        if endpoint in named:
            yield passed(f"endpoint {endpoint} was found by discovery", named[endpoint].number, said.number)
        else:
            yield failed(
                "the device began key establishment with an endpoint that nobody had named", said.number,
                expected=f"one of {sorted(named)}" if named else "a discovery before it", observed=f"endpoint {endpoint}",
                hint="endpoint-assumed",
            )


def joins_first(trace: Trace) -> Iterator[Finding]:
    """08-NOT-BEFORE-JOINED: the device announces itself under the network key before it begins key establishment."""
    heard = air(trace)
    for attempt in attempts(trace):
        said = attempt.said[0]
        if said.by is not INITIATOR:
            continue  # whatever the ESI says of it by itself, the device has not begun
        joins = [
            each for each in heard.of(mac.AssociationRequest)
            if each.number < said.number and each.mac.source_ieee == attempt.device
        ]
        if not joins:
            continue
        announced = [
            each for each in heard.of(zdp.DeviceAnnce)
            if joins[-1].number < each.number < said.number and heard.sender(each) == attempt.device
        ]
        if not announced or said.first.frame.security.nwk != "ok":
            yield failed(
                "the device began key establishment before it was a member of the network", joins[-1].number, said.number,
                expected="Device_annce first, both under the network key", observed="no Device_annce between the two",
                hint="established-before-announced",
            )
        else:
            yield passed("the device announced itself first", announced[0].number, said.number)


def brings_it_to_an_end(trace: Trace, judged: Actor) -> Iterator[Finding]:
    """08-COMPLETES: a party with a partner that does right goes on to the end of the exchange; the device begins by itself."""
    everything = attempts(trace)
    for attempt in everything:
        last, wait = attempt.said[-1], attempt.generate_time(judged, TURNS[-1]) + ANSWER_TIME
        is_asked = last.by is partner_of(judged) and last.kind in TURNS and not attempt.strays and not came_late(attempt, last)
        is_right = _is_for(attempt, last) and not flaws(trace, attempt, last) and forged(trace, attempt, last.by) is None
        if attempt.completed is not None:
            yield passed("key establishment was completed", *numbers(said for said in attempt.said if said.kind in TURNS))
        elif is_asked and is_right and last.arrival is not None and watched(trace, last.arrival, wait):
            yield failed(
                f"the {judged} left {last.name} without an answer", *numbers(attempt.said),
                expected="the exchange goes on", observed="silence", hint="request-unanswered",
            )
    if judged is INITIATOR and not everything:
        for joined in air(trace).of(zdp.DeviceAnnce):
            if joined.arrived and not air(trace).from_coordinator(joined) and watched(trace, joined, STARTING_TIME):
                yield failed(
                    "the device joined and never began key establishment", joined.number,
                    expected="Initiate Key Establishment", observed="none", hint="never-begins",
                )


def _is_for(attempt: Attempt, said: Said) -> bool:
    """Whether its receiver must take a message: it goes to the endpoint spoken from, an answer has the number of its request, and
    no link key seals it."""
    own = [each for each in attempt.before(said) if each.by is not said.by]
    if not own:
        return True
    there = bool(said.first.aps.dest_endpoint == own[-1].first.aps.source_endpoint)
    numbers_of_both = {each.header.sequence for each in (said, own[-1]) if each.header is not None}
    return there and not said.first.aps.security_enabled and (said.by is INITIATOR or len(numbers_of_both) == 1)


def _answers(trace: Trace, judged: Actor) -> Iterator[tuple[Said, Said]]:
    """Each message of the partner that drew something from a party, with the first that it drew."""
    for attempt in attempts(trace):
        request: Said | None = None
        for said in attempt.said:
            if said.is_a(zcl.DefaultResponse) and said.command is not None and said.command.status == zcl.Status.SUCCESS:
                continue  # beside the answer, where nobody has disabled it
            if said.by is not judged:
                request = request if said.kind is zcl.DefaultResponse else said
            elif request is not None:
                yield request, said
                request = None


def _endpoints(heard: Heard, asked: set[int]) -> tuple[int, ...]:
    """The endpoints that an answer names as servers of key establishment."""
    match, simple = heard.find(zdp.MatchDescRsp), heard.find(zdp.SimpleDescRsp)
    if match is not None:
        return tuple(match.endpoints or ()) if match.status == zdp.Status.SUCCESS and heard.zdp.sequence in asked else ()
    if simple is None or simple.status != zdp.Status.SUCCESS or simple.simple_descriptor is None:
        return ()
    descriptor = simple.simple_descriptor
    return (descriptor.endpoint,) if cluster.CLUSTER.identifier in descriptor.in_clusters else ()
