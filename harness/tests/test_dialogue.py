"""Reading a dialogue: every message once, whatever became of its transmissions, with its own answers and no others."""

from __future__ import annotations

from pathlib import Path

import pytest

from dissectors import zcl, zdp
from dissectors.clusters import drlc
from harness import faults
from harness.bench import Bench
from harness.checkers.dialogue import Dialogue, dialogue
from harness.declarations import read_bench
from harness.usecase import Actor

BENCH = Path(__file__).parents[2] / "fixtures" / "benches" / "virtual.yaml"


def bench() -> Bench:
    """A thermostat's bench, not played."""
    file = read_bench(BENCH)
    return Bench(file, file.device("pct"), scenario="dialogue")


@pytest.fixture(scope="module")
def talk() -> Dialogue:
    """What was said in an undisturbed provisioning."""
    played = bench()
    played.play()
    return dialogue(played.trace)


def test_a_question_has_the_answer_with_its_sequence_number(talk: Dialogue) -> None:
    questions = [*talk.to(Actor.ESI, zcl.ReadAttributes), *talk.to(Actor.HAN_DEVICE, zcl.ReadAttributes)]
    assert len(questions) >= 4
    for question in questions:
        (answer,) = talk.answers(question)
        assert answer.is_a(zcl.ReadAttributesResponse)
        assert (answer.sequence, answer.by, answer.to) == (question.sequence, question.to, question.by)


def test_a_broadcast_question_has_the_answer_of_whoever_answers(talk: Dialogue) -> None:
    (question,) = [said for said in talk.by(Actor.HAN_DEVICE, zdp.MatchDescReq) if said.broadcast]
    assert [answer.by for answer in talk.answers(question)] == [Actor.ESI]


def test_a_report_is_no_answer_to_the_event_it_is_about(talk: Dialogue) -> None:
    (event,) = talk.to(Actor.HAN_DEVICE, drlc.LoadControlEvent)
    assert talk.answers(event) == []


def test_the_device_is_registered_with_its_first_message_under_the_new_key(talk: Dialogue) -> None:
    registered = talk.registered()
    assert registered is not None
    assert registered.is_a(zcl.ReadAttributes)


def test_a_message_that_is_repeated_is_one_message() -> None:
    played = bench()
    with played.air.suffering(faults.drop(drlc.GetScheduledEvents)):
        played.play()
    (question,) = dialogue(played.trace).by(Actor.HAN_DEVICE, drlc.GetScheduledEvents)
    assert len(question.blocks[0]) > 1
    assert question.arrival is not None
    assert question.arrival.number > question.number


def test_a_message_that_never_arrives_was_not_asked() -> None:
    played = bench()
    with played.air.suffering(faults.drop(drlc.GetScheduledEvents, times=None)):
        played.play()
    talk = dialogue(played.trace)
    assert talk.by(Actor.HAN_DEVICE, drlc.GetScheduledEvents) != []
    assert talk.to(Actor.ESI, drlc.GetScheduledEvents) == []
