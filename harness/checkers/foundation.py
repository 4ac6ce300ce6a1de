"""Step 7: the rules of the cluster library that hold for every cluster: refusals, Default Responses, malformed messages.

Knows frames, no bench. Clauses: ZCL 075123, 2.4 and 2.5.3; 05-3474, 2.4.4 for ZDP.
"""

from __future__ import annotations

from collections.abc import Iterator

from dissectors import clusters, zcl, zdp
from dissectors.clusters import key_establishment
from dissectors.layer import Layer
from dissectors.smart_energy import requires_link_key
from dissectors.zcl import FrameType, Status
from harness.checkers.answering import answered_wrongly, refused, unanswered, words
from harness.checkers.dialogue import ANSWER_TIME, ANSWERS, Dialogue, Said, dialogue
from harness.checkers.reading import air, claimed
from harness.trace import Trace
from harness.usecase import Actor
from harness.verdict import Finding, failed, noted, passed

PERSISTENCE = 7.68  # seconds that a frame waits for the poll of a child that sleeps (05-3474, 3.5.2)
DEFAULT_RESPONSE = next(number for number, layer in zcl.GENERAL_COMMANDS.items() if layer is zcl.DefaultResponse)
UNKNOWN_COMMAND = {  # by frame type and whether it is a manufacturer's (2.5.3)
    (FrameType.GENERAL, 0): Status.UNSUP_GENERAL_COMMAND, (FrameType.CLUSTER, 0): Status.UNSUP_CLUSTER_COMMAND,
    (FrameType.GENERAL, 1): Status.UNSUP_MANUF_GENERAL_COMMAND, (FrameType.CLUSTER, 1): Status.UNSUP_MANUF_CLUSTER_COMMAND,
}
UNKNOWN_CLUSTER = (*UNKNOWN_COMMAND.values(), Status.FAILURE, Status.UNSUPPORTED_CLUSTER, Status.UNSUPPORTED_ATTRIBUTE)
UNREADABLE = (Status.MALFORMED_COMMAND, Status.INVALID_FIELD)  # which of them is the implementer's choice
UNREADABLE_TOO = (  # and what else refuses a message that is wrong in more than one way
    *UNREADABLE, *UNKNOWN_COMMAND.values(), Status.FAILURE, Status.NOT_AUTHORIZED, Status.INVALID_VALUE,
    Status.INVALID_DATA_TYPE, Status.UNSUPPORTED_ATTRIBUTE, Status.READ_ONLY,
)


def what_is_not_there_is_refused(trace: Trace, actor: Actor) -> Iterator[Finding]:
    """07-UNSUPPORTED: an attribute, command, cluster or ZDP request that is not there draws the status that says so."""
    talk = dialogue(trace)
    for question in talk.to(actor):
        if question.aps.profile == zdp.PROFILE:
            if question.sequence is not None and question.cluster not in zdp.CLUSTERS and not question.cluster & zdp.RESPONSE:
                yield from _zdp_refused(talk, question)
        elif question.zcl is None or not question.smart_energy or _badly_secured(question):
            continue
        elif clusters.by_identifier(question.cluster) is None or _astray(talk, question):
            if not _is_listed(talk, question):
                yield from _cluster_refused(talk, question)
        elif question.is_a(zcl.UnknownCommand):
            yield from _command_refused(talk, question)
        elif question.is_a(zcl.ReadAttributes):
            yield from _attributes_refused(talk, question)


def default_responses(trace: Trace, actor: Actor) -> Iterator[Finding]:
    """07-DEFAULT-RESPONSE: where it is due, with the right header, and nowhere else.

    A missing one is a fail only for a device that claims ZCL r03 or later: the rule was not tested strictly before.
    """
    talk = dialogue(trace)
    right: list[Said] = []
    for question in [*talk.to(actor), *_broadcast_to(talk, actor)]:
        if question.zcl is None or not question.smart_energy or question.cluster == key_establishment.CLUSTER.identifier:
            continue
        answers = [each for each in talk.answers(question) if each.by is actor]
        said = [each for each in answers if each.is_a(zcl.DefaultResponse)]
        series = talk.series(question)
        fault = _needless(question, said, len(answers) > len(said), max(series, 1))
        if fault:
            yield failed(
                "a Default Response was sent where none is due", question.number, said[0].number, expected=fault,
                observed=words(said[0]), hint=_needless_cause(question),
            )
        elif said:
            yield from _header(question, said[0])
            right.append(question)
        elif not answers and series <= 1 and _is_due(question) and talk.watched(question, ANSWER_TIME):
            if not _may_have_expired(trace, question):
                yield _absent(trace, question)
        elif answers or talk.watched(question, ANSWER_TIME):
            right.append(question)
    if right:
        numbers = (each.number for each in right[:3])
        yield passed(f"{len(right)} message(s) drew a Default Response, or none, as is due", *numbers)


def unreadable_is_survived(trace: Trace, actor: Actor) -> Iterator[Finding]:
    """07-MALFORMED: what cannot be read is refused or passed over, not obeyed, and the next question is answered."""
    talk = dialogue(trace)
    for question in talk.to(actor):
        fault = question.malformed or _type_fault(question)
        surplus = bool(question.zcl is not None and question.zcl.surplus)  # of a later revision: to be ignored, or refused
        if not (fault or surplus) or question.cluster == key_establishment.CLUSTER.identifier:
            continue
        answer = talk.answer(question)
        refusal = not fault or answer is None or _refuses(answer)
        if not refusal:
            assert answer is not None
            yield failed(
                "a malformed message was obeyed", question.number, answer.number,
                expected=f"silence, or status {UNREADABLE[0]:02x} or {UNREADABLE[1]:02x} ({fault})", observed=words(answer),
                hint="malformed-obeyed",
            )
        else:
            yield from _still_alive(talk, question, actor)


# -- refusals


def _zdp_refused(talk: Dialogue, question: Said) -> Iterator[Finding]:
    answer = talk.answer(question)
    if answer is None:
        yield from unanswered(talk, question, f"status {zdp.Status.NOT_SUPPORTED:02x}", "unknown-passed-over")
    elif answer.asdu[1:2] != bytes([zdp.Status.NOT_SUPPORTED]):
        expected, observed = f"status {zdp.Status.NOT_SUPPORTED:02x}", f"status {answer.asdu[1:2].hex()}"
        yield answered_wrongly(question, answer, expected, observed, "status-of-another-refusal")
    else:
        yield passed("an unknown ZDP request was refused", question.number, answer.number)


def _cluster_refused(talk: Dialogue, question: Said) -> Iterator[Finding]:
    """Sources disagree on what an unknown cluster draws, silence included."""
    answer = talk.answer(question)
    if answer is None:
        if talk.watched(question, ANSWER_TIME):
            yield passed("an unknown cluster was passed over in silence", question.number)
        return
    statuses = [answer.command.status] if answer.is_a(zcl.DefaultResponse) else _record_statuses(answer)
    if statuses and set(statuses) <= set(UNKNOWN_CLUSTER):
        yield passed("an unknown cluster was refused", question.number, answer.number, observed=words(answer))
    else:
        yield answered_wrongly(question, answer, "silence, or a status that refuses", words(answer), "unknown-obeyed")


def _command_refused(talk: Dialogue, question: Said) -> Iterator[Finding]:
    header, answer = question.header, talk.answer(question)
    kind = (FrameType(header.frame_type), header.manufacturer_specific)
    if answer is not None:
        yield from refused(talk, question, answer, (UNKNOWN_COMMAND[kind],), "status-of-another-refusal")
    elif talk.watched(question, ANSWER_TIME):  # whether a Default Response is due is 07-DEFAULT-RESPONSE's question
        yield passed("an unknown command was passed over in silence", question.number)


def _attributes_refused(talk: Dialogue, question: Said) -> Iterator[Finding]:
    cluster = clusters.by_identifier(question.cluster)
    assert cluster is not None
    server = question.header.direction == zcl.Direction.CLIENT_TO_SERVER
    known = cluster.attributes if server else cluster.client_attributes
    absent = [attribute for attribute in question.command.attributes if attribute not in known]
    if not absent or question.header.manufacturer_specific:
        return
    answer = talk.answer(question)
    expected = f"a record of 3 octets for each of them, status {Status.UNSUPPORTED_ATTRIBUTE:02x}"
    if answer is None:
        yield from unanswered(talk, question, expected, "unknown-passed-over")
    elif not answer.is_a(zcl.ReadAttributesResponse):
        yield answered_wrongly(question, answer, expected, words(answer), "status-of-another-refusal")
    else:
        given = {record.attribute: record.status for record in answer.command.records}
        wrong = [attribute for attribute in absent if given.get(attribute) != Status.UNSUPPORTED_ATTRIBUTE]
        if wrong:
            observed = ", ".join(f"{attribute:04x}: {_status(given.get(attribute))}" for attribute in wrong)
            yield answered_wrongly(question, answer, expected, observed, "status-of-another-refusal")
        else:
            yield passed("an unknown attribute was refused", question.number, answer.number)


def _is_listed(talk: Dialogue, question: Said) -> bool:
    """Whether its addressee says that it has the cluster: one of a later revision, of which nothing is known here."""
    told = (each.command.simple_descriptor for each in talk.by(question.to, zdp.SimpleDescRsp)) if question.to else ()
    described = [each for each in told if each is not None and each.endpoint == question.aps.dest_endpoint]
    return any(question.cluster in (*each.in_clusters, *each.out_clusters) for each in described)


def _astray(talk: Dialogue, question: Said) -> bool:
    """Whether a question went to an endpoint that its addressee says it does not have: nobody is there to answer it."""
    told = [each.command.endpoints or () for each in talk.said if each.is_a(zdp.ActiveEpRsp) and each.by is question.to]
    there = question.aps.dest_endpoint
    return bool(told) and there != zdp.BROADCAST_ENDPOINT and all(there not in endpoints for endpoints in told)


def _status(status: int | None) -> str:
    return "no record" if status is None else f"status {status:02x}"


def _record_statuses(answer: Said) -> list[int]:
    return [record.status for record in getattr(answer.command, "records", ()) if "status" in record]


def _badly_secured(question: Said) -> bool:
    """Whether the security rule, and not what is asked, decides on the answer (SE 1.0, 5.4.6)."""
    alike = all(block[0].frame.aps_key_kind == question.key for block in question.blocks)
    return question.smart_energy and requires_link_key(question.cluster) and not (question.key == "link" and alike)


# -- Default Responses


def _broadcast_to(talk: Dialogue, actor: Actor) -> Iterator[Said]:
    """Broadcasts of others, which draw no Default Response whoever heard them."""
    yield from (each for each in talk.said if each.broadcast and each.by is not actor)


def _needless(question: Said, said: list[Said], answered: bool, allowed: int) -> str:
    """Why a Default Response that was sent is not due; nothing where it is. `allowed` is how many may be due."""
    if not said:
        return ""
    if question.broadcast:
        return "none for a broadcast"
    if question.is_a(zcl.DefaultResponse):
        return "none for a Default Response"
    if answered:
        return "none beside a response"
    if len(said) > allowed:
        return "one"
    if question.header.disable_default_response and said[0].command.status == Status.SUCCESS:
        return "none for success, since it was disabled"
    return ""


def _needless_cause(question: Said) -> str:
    """Which rule is not known to whoever sent a needless Default Response."""
    if question.broadcast:
        return "broadcast-answered"
    return "default-response-answered" if question.is_a(zcl.DefaultResponse) else "default-response-always"


def _is_due(question: Said) -> bool:
    """Whether a unicast that drew nothing should have: one that did not disable it, and that asks for no response itself."""
    if question.broadcast or question.header.disable_default_response or question.is_a(zcl.DefaultResponse):
        return False
    return not question.is_a(*_RESPONDED, zcl.WriteAttributesNoResponse) and not _badly_secured(question)


_RESPONDED: tuple[type[Layer], ...] = tuple(ANSWERS)


def _may_have_expired(trace: Trace, question: Said) -> bool:
    """Whether an answer to a device that sleeps may have waited in vain: behind a frame that did not reach the device, whose place
    it takes only at a later poll, until nobody keeps it any longer (05-3474, 3.5.2)."""
    if question.by is not Actor.HAN_DEVICE or trace.header.pics.get("sleepy") is False:
        return False
    heard = air(trace)
    return any(
        each.sent and heard.from_coordinator(each) and each.mac.ack_request and not heard.is_acknowledged(each)
        for each in heard.between(question.time, question.time + PERSISTENCE)
    )


def _header(question: Said, said: Said) -> Iterator[Finding]:
    asked, header = question.header, said.header
    if (header.manufacturer_specific, header.manufacturer_code) != (asked.manufacturer_specific, asked.manufacturer_code):
        yield noted(
            "a Default Response does not repeat the manufacturer code", question.number, said.number,
            expected=f"manufacturer code {asked.manufacturer_code}", observed=f"{header.manufacturer_code}",
        )


def _absent(trace: Trace, question: Said) -> Finding:
    if claimed(trace, "zcl_r03"):
        return failed(
            "a Default Response is missing", question.number, expected=f"one for {question.name}", observed="silence",
            hint="default-response-missing",
        )
    return noted(
        "a Default Response is missing, which was tested strictly only from ZCL r03 on", question.number,
        expected=f"one for {question.name}", observed="silence",
    )


# -- malformed messages


def _type_fault(question: Said) -> str:
    """Why a message that can be read is malformed all the same: it writes a value of another data type."""
    if not question.is_a(zcl.WriteAttributes, zcl.WriteAttributesUndivided):
        return ""
    cluster = clusters.by_identifier(question.cluster)
    known = {} if cluster is None else cluster.attributes
    wrong = [each for each in question.command.records if each.attribute in known and each.type != known[each.attribute].type]
    return f"data type {wrong[0].type:02x} for {known[wrong[0].attribute].name}" if wrong else ""


def _refuses(answer: Said) -> bool:
    """Whether an answer says, in whatever form, that a message was not obeyed."""
    if answer.aps.profile == zdp.PROFILE:
        return answer.asdu[1:2] != bytes([zdp.Status.SUCCESS])
    if answer.is_a(zcl.DefaultResponse):
        return answer.command.status in UNREADABLE_TOO
    statuses = _record_statuses(answer)
    return bool(statuses) and set(statuses) <= set(UNREADABLE_TOO)


def _still_alive(talk: Dialogue, question: Said, actor: Actor) -> Iterator[Finding]:
    of_zdp = question.aps.profile == zdp.PROFILE  # whose clusters hang may answer ZDP all the same
    later = [
        each for each in talk.said
        if each.to is actor and (each.aps.profile == zdp.PROFILE) == of_zdp and each.number > question.number
        and each.is_a(*_ALWAYS_ANSWERED) and not _badly_secured(each)
        and any(copy.arrived for block in each.blocks for copy in block)  # taken or not: a dead stack takes nothing
    ]
    answered = next((each for each in later if talk.answer(each) is not None), None)
    if answered is not None:
        yield passed("a malformed message was survived", question.number, answered.number)
    elif later and talk.watched(later[0], ANSWER_TIME):
        yield failed(
            "after a malformed message nothing is answered any more", question.number, *(each.number for each in later),
            expected="an answer to the next question", observed="silence", hint="malformed-not-survived",
        )


_ALWAYS_ANSWERED = (zcl.ReadAttributes, zdp.NodeDescReq, zdp.ActiveEpReq)
