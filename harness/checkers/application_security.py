"""Step 9: which key application data needs, and what becomes of data that comes without it. Knows frames, no bench.

Clause: SE 1.0 (075356r15), 5.4.6. ZDP and a few clusters are content with NWK security; whatever else belongs to the profile
needs APS security with the link key that key establishment made.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from math import inf

from dissectors import zcl
from dissectors.clusters import key_establishment
from dissectors.smart_energy import HOME_AUTOMATION, requires_link_key
from dissectors.zcl import Status
from harness.checkers.answering import words
from harness.checkers.attempts import attempts
from harness.checkers.dialogue import ANSWER_TIME, ANSWERS, Dialogue, Said, dialogue
from harness.checkers.discovery import SMART_ENERGY_CLUSTERS
from harness.checkers.foundation import UNKNOWN_CLUSTER
from harness.checkers.reading import claimed
from harness.trace import Trace
from harness.usecase import Actor
from harness.verdict import Finding, Verdict, failed, noted, passed

REFUSALS = (Status.FAILURE, Status.NOT_AUTHORIZED)
LINK, INSTALL_CODE = "link", "ic"  # kinds of link key, as the trace names them
KEYS = {LINK: "the link key of key establishment", INSTALL_CODE: "the install-code key", None: "the network key alone"}


def data_is_sealed(trace: Trace, actor: Actor) -> Iterator[Finding]:
    """09-LINK-KEY-REQUIRED: data of these clusters goes out APS-secured; an answer to data that was not may be like it."""
    talk = dialogue(trace)
    sealed: list[Said] = []
    for said in _data(talk, actor):
        if said.key is None and not _answers_unsealed(talk, said):
            yield failed(
                f"{said.name} was sent without APS security", said.number, expected=KEYS[LINK], observed=KEYS[None],
                hint="sent-unsecured",
            )
        elif said.key is not None:
            sealed.append(said)
    yield from _all(sealed, "message(s) APS-secured")


def install_code_key_is_retired(trace: Trace, actor: Actor) -> Iterator[Finding]:
    """09-NOT-INSTALL-KEY: no data goes out under the install-code key, and none that comes under it has an effect."""
    talk = dialogue(trace)
    right: list[Said] = []
    answers = {each.number for question in _questions(talk, actor, INSTALL_CODE) for each in talk.answers(question)}
    for said in _data(talk, actor):
        if said.key == INSTALL_CODE:
            yield failed(
                f"{said.name} was secured with the install-code key", said.number, expected=KEYS[LINK],
                observed=KEYS[INSTALL_CODE],
                hint="install-code-key-taken" if said.number in answers else "install-code-key-kept",
            )
        else:
            right.append(said)
    for question in _questions(talk, actor, INSTALL_CODE):
        yield from _without_effect(trace, talk, question, actor)
    yield from _all(right, "message(s) not under the install-code key")


def old_key_is_retired(trace: Trace, actor: Actor) -> Iterator[Finding]:
    """08-OLD-KEY-RETIRED: what comes under the install-code key after another one was established has no effect."""
    talk = dialogue(trace)
    ends = [attempt.completed.number for attempt in attempts(trace) if attempt.completed is not None]
    for question in _questions(talk, actor, INSTALL_CODE):
        if question.number < min(ends, default=question.number + 1):
            continue
        for finding in _without_effect(trace, talk, question, actor):
            yield replace(finding, hint="old-key-taken") if finding.verdict is Verdict.FAIL else finding


def unsealed_data_is_refused(trace: Trace, actor: Actor) -> Iterator[Finding]:
    """09-REFUSES-UNSECURED: data under the network key alone draws Default Response FAILURE and nothing else."""
    talk = dialogue(trace)
    for question in _questions(talk, actor, None):
        yield from _without_effect(trace, talk, question, actor)


def network_key_is_enough(trace: Trace, actor: Actor) -> Iterator[Finding]:
    """09-NETWORK-KEY-ENOUGH: Basic, Identify and the like answer a question under the network key; under the link key they may."""
    talk = dialogue(trace)
    for question in talk.to(actor):
        exempt = question.smart_energy and not requires_link_key(question.cluster)
        if not exempt or question.cluster == key_establishment.CLUSTER.identifier or question.zcl is None:
            continue
        answer = talk.answer(question)
        refusal = answer is not None and _status_of(answer) in REFUSALS
        if answer is None:
            continue
        if refusal and question.key is None:
            yield failed(
                f"{question.name} under {KEYS[None]} was refused", question.number, answer.number,
                expected="an answer: this cluster needs no link key", observed=words(answer), hint="link-key-demanded",
            )
            continue
        yield passed(f"{question.name} under {KEYS[question.key]} was answered", question.number, answer.number)
        if refusal:
            yield noted(
                "more security than is needed was refused, as stacks of that time do", question.number, answer.number,
                expected="an answer", observed=words(answer),
            )


def other_profiles_have_no_effect(trace: Trace, actor: Actor) -> Iterator[Finding]:
    """09-PROFILE: a command of a cluster that only Smart Energy has is not obeyed when it comes in another profile."""
    talk = dialogue(trace)
    for question in talk.said:
        came = question.to is actor and any(each.arrived for block in question.blocks for each in block)
        if not came or question.aps.profile != HOME_AUTOMATION or question.cluster not in SMART_ENERGY_CLUSTERS:
            continue
        answers = [each for each in talk.answers(question) if each.by is actor and not _passes_over(each)]
        effects = answers or (list(_consequences(talk, question, actor)) if question.command is not None else [])
        if effects:
            yield failed(
                f"{question.name} in profile {HOME_AUTOMATION:04x} had an effect", question.number, effects[0].number,
                expected="silence, or a status that refuses", observed=words(effects[0]), hint="any-profile-taken",
            )
        elif talk.watched(question, ANSWER_TIME):
            yield passed(f"{question.name} in profile {HOME_AUTOMATION:04x} had no effect", question.number)


def answers_are_sealed_like_questions(trace: Trace, actor: Actor) -> Iterator[Finding]:
    """09-SAME-SECURITY: an answer is secured like its question. A refusal of the install-code key has the network key only."""
    talk = dialogue(trace)
    alike: list[Said] = []
    for question in talk.to(actor):
        if question.zcl is None or not question.smart_energy or question.key == INSTALL_CODE:
            continue
        for answer in talk.answers(question):
            if answer.by is not actor or (question.key is None and _refuses(answer)):
                continue  # how a refusal is secured is 09-REFUSES-UNSECURED's question
            if answer.key != question.key:
                yield failed(
                    f"{answer.name} is secured otherwise than its question", question.number, answer.number,
                    expected=KEYS[question.key], observed=KEYS[answer.key],
                    hint="sent-unsecured" if answer.key is None else "answers-always-secured",
                )
            else:
                alike.append(answer)
    yield from _all(alike, "answer(s) secured like their questions")


def _data(talk: Dialogue, actor: Actor) -> Iterator[Said]:
    """Unicasts of an actor that need the link key."""
    yield from (
        each for each in talk.by(actor)
        if each.smart_energy and requires_link_key(each.cluster) and not each.broadcast and each.zcl is not None
    )


def _questions(talk: Dialogue, actor: Actor, key: str | None) -> Iterator[Said]:
    """Commands to an actor that need the link key and came with another one; a Default Response draws nothing anyway."""
    yield from (
        each for each in talk.to(actor)
        if each.smart_energy and requires_link_key(each.cluster) and each.key == key and each.zcl is not None
        and not each.is_a(zcl.DefaultResponse)
    )


def _answers_unsealed(talk: Dialogue, said: Said) -> bool:
    """Whether a message answers one that was not APS-secured either, or refuses one."""
    if _refuses(said):
        return True
    others = (each for each in talk.said if each.to is said.by and each.key is None and each.time < said.time)
    return any(said in talk.answers(each) for each in others if each.cluster == said.cluster and each.sequence == said.sequence)


def _status_of(said: Said) -> int | None:
    """The status of a Default Response; None for anything else."""
    return int(said.command.status) if said.is_a(zcl.DefaultResponse) else None


def _refuses(said: Said) -> bool:
    return _status_of(said) == Status.FAILURE


def _passes_over(said: Said) -> bool:
    return _status_of(said) in UNKNOWN_CLUSTER


def _without_effect(trace: Trace, talk: Dialogue, question: Said, actor: Actor) -> Iterator[Finding]:
    """No answer but a refusal, and no message that shows that the command was taken."""
    answers = [each for each in talk.answers(question) if each.by is actor]
    refusals = [each for each in answers if _refuses(each) or (question.key == INSTALL_CODE and _status_of(each) in REFUSALS)]
    others = [each for each in answers if each not in refusals] or list(_consequences(talk, question, actor))
    expected = f"Default Response, status {Status.FAILURE:02x}, under the network key, and no effect"
    how = KEYS[question.key]
    if others:
        yield failed(
            f"{question.name} under {how} had an effect", question.number, others[0].number, expected=expected,
            observed=words(others[0]), hint=_effect_cause(question, others[0], bool(refusals)),
        )
    elif refusals and refusals[0].key is not None and question.key is None:
        yield failed(
            f"{question.name} under {how} was refused under another key", question.number, refusals[0].number,
            expected=expected, observed=KEYS[refusals[0].key], hint="refusal-secured",
        )
    elif refusals:
        yield passed(f"{question.name} under {how} was refused", question.number, refusals[0].number)
    elif talk.watched(question, ANSWER_TIME):
        yield from _silent(trace, question, expected)


def _effect_cause(question: Said, effect: Said, refused: bool) -> str:
    """What is behind an effect that a command under the wrong key had."""
    if refused:
        return "refused-and-executed"
    if _status_of(effect) not in (None, Status.SUCCESS, Status.NOT_FOUND):
        return "refused-with-another-status"
    return "install-code-key-taken" if question.key == INSTALL_CODE else "unsecured-data-taken"


def _silent(trace: Trace, question: Said, expected: str) -> Iterator[Finding]:
    """Silence: sources disagree for the install-code key; without any, the refusal is due where Default Responses are."""
    if question.key is None and not question.header.disable_default_response and claimed(trace, "zcl_r03"):
        yield failed(
            f"{question.name} under {KEYS[None]} was not refused", question.number, expected=expected, observed="silence",
            hint="refusal-left-out",
        )
        return
    yield passed(f"{question.name} under {KEYS[question.key]} had no effect", question.number, observed="silence")
    if question.key is None:
        yield noted("it was not refused either", question.number, expected=expected, observed="silence")


def _consequences(talk: Dialogue, question: Said, actor: Actor) -> Iterator[Said]:
    """Messages that a command leads to without answering it: they name the same event or message, of which nothing came rightly."""
    names = [name for name in ("issuer_event_id", "message_id") if name in question.command]
    if question.command.layer in ANSWERS or not names:
        return
    identity = getattr(question.command, names[0])
    same = [each for each in talk.said if each.command is not None and getattr(each.command, names[0], None) == identity]
    told = (each.number for each in same if each.to is actor and each.key == LINK and each.is_a(question.command.layer))
    rightly = min(told, default=inf)
    yield from (each for each in same if each.by is actor and question.number < each.number < rightly)


def _all(said: list[Said], what: str) -> Iterator[Finding]:
    if said:
        yield passed(f"{len(said)} {what}", *(each.number for each in said[:3]))
