"""Step 7: how ESI and HAN Device find each other's services and bind to them. Knows frames, no bench.

Clauses: 05-3474, 2.4 (numbering of r17 to r20). Where revisions differ, every answer that one of them allows passes.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from dissectors import zdp
from dissectors.clusters import drlc, key_establishment, messaging, price
from dissectors.layer import Layer, Record
from dissectors.smart_energy import MANDATORY_SERVERS, PROFILE, DeviceId
from dissectors.zdp import Status
from harness.checkers.answering import answered_wrongly, unanswered, words
from harness.checkers.dialogue import ANSWER_TIME, Dialogue, Said, dialogue
from harness.trace import Trace
from harness.usecase import Actor
from harness.verdict import Finding, failed, passed

NO_MATCH = (Status.SUCCESS, Status.NO_MATCH, Status.NO_DESCRIPTOR)  # with no endpoint, or silence (2.4.4.1.7.1; r17, r21)
BOUND_OR_REFUSED = (
    Status.SUCCESS, Status.NOT_SUPPORTED, Status.INVALID_ENDPOINT, Status.TABLE_FULL, Status.OLD_TABLE_FULL,
    Status.NOT_AUTHORIZED, Status.DEVICE_BINDING_TABLE_FULL,
)
SMART_ENERGY_CLUSTERS = {each.CLUSTER.identifier for each in (key_establishment, price, drlc, messaging)}
SERVICE_TIME = 120.0  # seconds in which a device in service says something on its own: it asks for time, events, prices


def matching(trace: Trace, actor: Actor) -> Iterator[Finding]:
    """07-MATCH-DESC: endpoints that serve what is looked for are named, and no others; never for another profile."""
    talk = dialogue(trace)
    described = _descriptors(talk, actor)
    for question in [*talk.to(actor, zdp.MatchDescReq), *_broadcast_to(talk, actor, zdp.MatchDescReq)]:
        wanted = question.command
        if wanted.profile == zdp.WILDCARD_PROFILE:
            continue  # r17 to r18 match nothing, later ones everything: both are right
        answers = [each for each in talk.answers(question) if each.by is actor]
        answer = answers[0] if answers else None
        named = () if answer is None or answer.malformed else tuple(answer.command.endpoints or ())
        due = {endpoint for endpoint, descriptor in described.items() if _in_common(descriptor, wanted)}
        wrong = [endpoint for endpoint in named if endpoint in described and endpoint not in due]
        if answer is not None and named and (wrong or (_is_foreign(wanted) and not due)):
            turned = any(set(described[each].out_clusters) & set(wanted.in_clusters) for each in wrong)
            hint = "cluster-on-the-wrong-side" if turned else "anything-matched"
            if wanted.profile != PROFILE:
                hint = "any-profile-matched"
            yield answered_wrongly(question, answer, _endpoints(due), _endpoints(named), hint)
        elif due or _must_match(actor, wanted):
            yield from _match_due(talk, question, answer, named, due)
        elif answer is None:
            if talk.watched(question, ANSWER_TIME):
                yield passed("nothing matches: no answer", question.number)
        elif question.broadcast and not named:
            yield answered_wrongly(question, answer, "silence: nothing matches", words(answer), "unmatched-broadcast-answered")
        elif not named and answer.command.status in NO_MATCH:
            yield passed("nothing matches: no endpoint named", question.number, answer.number)
        elif not named:
            expected = "silence, or status 00, 86 or 89 without an endpoint"
            yield answered_wrongly(question, answer, expected, words(answer), "unmatched-status")


def bindings(trace: Trace, actor: Actor) -> Iterator[Finding]:
    """07-BIND: a Bind_req is answered, accepted or refused with a status that a refusal has."""
    talk = dialogue(trace)
    for question in talk.to(actor, zdp.BindReq):
        answer = talk.answer(question)
        if answer is None:
            yield from unanswered(talk, question, "a Bind_rsp", "binding-not-answered")
        elif answer.malformed or answer.command.status not in BOUND_OR_REFUSED:
            yield answered_wrongly(
                question, answer, "SUCCESS, or a status of 2.4.4.2.2", words(answer), "binding-status-of-another-request",
            )
        else:
            yield passed("the binding was answered", question.number, answer.number, observed=words(answer))


def refused_binding_is_survived(trace: Trace, actor: Actor) -> Iterator[Finding]:
    """07-BIND: a device whose binding is refused goes on all the same, into step 9."""
    talk = dialogue(trace)
    for answer in talk.to(actor, zdp.BindRsp):
        if answer.command.status == Status.SUCCESS:
            continue
        onward = next((each for each in talk.by(actor) if each.number > answer.number and each.key == "link"), None)
        if onward is not None:
            yield passed("a refused binding did not keep it from going on", answer.number, onward.number)
        elif talk.watched(answer, SERVICE_TIME):
            yield failed(
                "after a refused binding nothing more came of the device", answer.number,
                expected="application data under the link key: a refusal is tolerated", observed="none", hint="binding-insisted-on",
            )
        return


def endpoints_are_discovered(trace: Trace, actor: Actor) -> Iterator[Finding]:
    """07-ENDPOINTS: commands go to endpoints that the partner named or spoke from; no number is taken for granted."""
    talk = dialogue(trace)
    known: set[int] = set()
    asked: set[int] = set()
    for each in talk.said:
        if each.to is actor or (each.by is not actor and each.broadcast):
            known |= _named(each)
        elif each.by is actor and not each.broadcast and each.aps.profile != zdp.PROFILE:
            there = each.aps.dest_endpoint
            if there == zdp.BROADCAST_ENDPOINT or there in asked:
                continue
            asked.add(there)
            if there in known:
                yield passed(f"endpoint {there} was discovered", each.number)
            else:
                yield failed(
                    f"endpoint {there} was taken for granted", each.number,
                    expected="an endpoint that Match_Desc_rsp, Active_EP_rsp or Simple_Desc_rsp named",
                    observed=f"endpoint {there}; named so far: {', '.join(map(str, sorted(known))) or 'none'}",
                    hint="any-endpoint-assumed",
                )


def _descriptors(talk: Dialogue, actor: Actor) -> dict[int, Record]:
    return {
        answer.command.simple_descriptor.endpoint: answer.command.simple_descriptor
        for answer in talk.by(actor, zdp.SimpleDescRsp)
        if answer.command.status == Status.SUCCESS and answer.command.simple_descriptor is not None
    }


def _broadcast_to(talk: Dialogue, actor: Actor, layer: type[Layer]) -> Iterator[Said]:
    """Broadcast questions of others that an actor heard: the coordinator hears its children's; of the rest nobody can tell."""
    if actor is Actor.ESI:
        others = (each for each in talk.said if each.broadcast and each.by is not Actor.ESI)
        yield from (each for each in others if each.is_a(layer) and each.arrival is not None)


def _in_common(descriptor: Record, wanted: Record) -> bool:
    """2.4.4.1.7.1: the same profile, and one input or one output cluster in common."""
    return descriptor.profile == wanted.profile and bool(
        set(descriptor.in_clusters) & set(wanted.in_clusters) or set(descriptor.out_clusters) & set(wanted.out_clusters)
    )


def _is_foreign(wanted: Record) -> bool:
    """Whether clusters that only Smart Energy has are looked for in another profile."""
    return wanted.profile != PROFILE and set(wanted.in_clusters) <= SMART_ENERGY_CLUSTERS


def _must_match(actor: Actor, wanted: Record) -> bool:
    """Whether an actor that never described itself has a match all the same, by what its device must serve."""
    everybody = {key_establishment.CLUSTER.identifier}
    served = MANDATORY_SERVERS[DeviceId.ENERGY_SERVICE_PORTAL] if actor is Actor.ESI else everybody
    return wanted.profile == PROFILE and bool(set(wanted.in_clusters) & served)


def _named(said: Said) -> set[int]:
    """The endpoints that a message of the partner names, and the one it came from."""
    if said.is_a(zdp.MatchDescRsp, zdp.ActiveEpRsp):
        return set(said.command.endpoints or ())
    if said.is_a(zdp.SimpleDescRsp) and said.command.simple_descriptor is not None:
        return {said.command.simple_descriptor.endpoint}
    if said.is_a(zdp.BindReq) and said.command.dest_endpoint is not None:
        return {said.command.dest_endpoint}
    return set() if said.aps.profile == zdp.PROFILE else {said.aps.source_endpoint}


def _match_due(
    talk: Dialogue, question: Said, answer: Said | None, named: tuple[int, ...], due: set[int],
) -> Iterator[Finding]:
    if answer is None:
        yield from unanswered(talk, question, "a Match_Desc_rsp", "match-not-told")
    elif not named or due - set(named) or answer.command.status != Status.SUCCESS:
        expected = f"SUCCESS and {_endpoints(due) if due else 'an endpoint that serves it'}"
        yield answered_wrongly(question, answer, expected, f"{words(answer)}, {_endpoints(named)}", "match-not-told")
    elif named != tuple(sorted(set(named))):
        yield answered_wrongly(question, answer, "endpoints ascending, each once", ", ".join(map(str, named)), "endpoints-not-ascending")
    else:
        yield passed("the endpoints that serve it were named", question.number, answer.number)


def _endpoints(numbers: Iterable[int]) -> str:
    return f"endpoint(s) {', '.join(map(str, sorted(numbers))) or 'none'}"
