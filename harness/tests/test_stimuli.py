"""Stimuli: each is used, each name that a case says is one, and each comes to an end with its partner still there."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from harness.adapters.stimuli import all_stimuli, secured, stimulus
from harness.bench import Bench
from harness.checkers.dialogue import dialogue
from harness.declarations import read_bench
from harness.stack.stimulus import Security
from harness.usecase import Actor

ROOT = Path(__file__).parents[2]
VERBS = {"ask": 1, "publish": 0, "decline": 0}  # which argument names the stimulus


def named_in_cases() -> set[str]:
    """The stimuli that cases put by name; where a strategy names them, what it may draw."""
    names: set[str] = set()
    for path in [*(ROOT / "cases").glob("*.py"), ROOT / "harness" / "application_strategies.py"]:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in VERBS:
                place = VERBS[node.func.attr]
                argument = node.args[place] if len(node.args) > place else None
                if isinstance(argument, ast.Constant):
                    names.add(str(argument.value))
            elif isinstance(node, ast.FunctionDef) and node.name == "questions_to_the_esi":
                names |= {str(each.value) for each in ast.walk(node) if isinstance(each, ast.Constant)} - {ast.get_docstring(node)}
    return names


def test_cases_and_stimuli_know_each_other() -> None:
    assert named_in_cases() | {"key-message"} == set(all_stimuli())  # that one is said by fuzzing alone


def test_an_unknown_stimulus_is_an_error() -> None:
    with pytest.raises(LookupError, match="no stimulus 'nothing'"):
        stimulus("nothing")


def test_a_case_says_how_a_question_is_secured() -> None:
    assert secured(None) is Security.DUE
    assert secured("network key") is Security.NETWORK_KEY
    with pytest.raises(ValueError, match="no key"):
        secured("no key")


@pytest.fixture(scope="module", params=["pct", "load_control"])
def bench(request: pytest.FixtureRequest) -> Bench:
    """A bench on which the device is provisioned."""
    file = read_bench(ROOT / "fixtures" / "benches" / "virtual.yaml")
    played = Bench(file, file.device(request.param), scenario="stimuli")
    played.play()
    played.sound_out()  # else the first stimulus would be preceded by it
    return played


@pytest.mark.parametrize("actor", [Actor.ESI, Actor.HAN_DEVICE])
def test_a_long_message_is_one_message(bench: Bench, actor: Actor) -> None:
    known = len(dialogue(bench.trace).said)
    bench.ask(actor, "many-attributes", count=40)
    question, answer = dialogue(bench.trace).said[known:]
    assert (len(question.blocks), len(question.asdu)) == (2, 83)
    assert (len(answer.blocks), len(answer.asdu)) == (2, 123)
    assert dialogue(bench.trace).answers(question) == [answer]
    assert answer.by is actor


def test_the_install_code_key_is_used_for_one_message_alone(bench: Bench) -> None:
    known = len(dialogue(bench.trace).said)
    bench.publish("event", under="install key")
    bench.ask(Actor.HAN_DEVICE, "many-attributes", count=1)
    assert [said.key for said in dialogue(bench.trace).said[known:]] == ["ic", "link", "link"]
