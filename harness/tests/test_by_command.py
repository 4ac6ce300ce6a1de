"""Role verbs that a command performs: what it is told, where, and what becomes of one that fails."""

from __future__ import annotations

import json
import random
import sys
from pathlib import Path
from typing import Any

import pytest

from harness.actors.prompt import Prompt
from harness.actors.setup import Setup
from harness.actors.verbs import order_in_words
from harness.adapters.remote_actor import RemoteActor
from harness.errors import BenchError, Inconclusive
from harness.role_verbs import Way
from harness.tests.back_office import EPOCH, ORDER
from harness.usecase import Actor

TELLS = """
import json, os, sys
told = {name[9:].lower(): value for name, value in os.environ.items() if name.startswith("HANPROOF_")}
print(json.dumps({"told": told, "arguments": sys.argv[1:]}))
"""


def dr_application(**options: Any) -> Any:
    options = {"address": "http://127.0.0.1:9/dr", **options}
    return RemoteActor(Setup(Actor.DR_APPLICATION, (ORDER,), EPOCH, random.Random(1), options=options))


@pytest.fixture
def command(tmp_path: Path) -> str:
    (tmp_path / "tells.py").write_text(TELLS)
    return f"{sys.executable} {tmp_path / 'tells.py'} --for laboratory"


def test_an_order_is_told_in_the_environment_and_nowhere_else(command: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("HANPROOF_PEERS", raising=False)
    actor = dr_application(order_window=command)
    said = json.loads(actor.order_window(ORDER, 0.0))
    actor.close()
    assert said["told"] == {name: str(value) for name, value in order_in_words(ORDER).items()}
    assert said["arguments"] == ["--for", "laboratory"]


def test_a_question_is_answered_by_what_the_command_prints(command: str) -> None:
    actor = dr_application(state_of=command)
    said = json.loads(actor.state_of(ORDER.device))
    actor.close()
    assert said["told"]["about"] == str(ORDER.device)


@pytest.mark.parametrize(("command", "said"), [
    (f"{sys.executable} -c 'import os, sys; sys.exit(os.environ[\"HANPROOF_KEY_MATERIAL\"])'", "ended with exit code 1"),
    ("/no/such/command", "cannot be run"), ("'", "cannot be run"),
])
def test_a_command_that_fails_is_the_laboratorys_and_shows_no_key(command: str, said: str) -> None:
    actor = dr_application(cancel_window=command)
    with pytest.raises(BenchError, match=said) as raised:
        actor.cancel_window(ORDER, 0.0)
    actor.close()
    assert "DR Application: cancel_window" in str(raised.value)
    assert ORDER.key_material.hex() not in str(raised.value)


def test_a_person_orders_a_window_where_the_bench_file_says_so() -> None:
    asked: list[Prompt] = []

    def ask(prompt: Prompt) -> str:
        asked.append(prompt)
        return "done"

    options = {"address": "http://127.0.0.1:9/dr", "order_window": Way(person="order it for {device}")}
    actor: Any = RemoteActor(Setup(
        Actor.DR_APPLICATION, (ORDER,), EPOCH, random.Random(1), options=options, ask=ask,
    ))
    actor.order_window(ORDER, 0.0)
    actor.close()
    assert [each.shown for each in asked] == [f"order it for {ORDER.device}; press Enter when it is done"]


def test_a_question_is_answered_by_no_person() -> None:
    with pytest.raises(ValueError, match="state_of: is a question; right would be a command"):
        dr_application(state_of=Way(person="what do you hold?"))


def test_what_nobody_performs_is_inconclusive_and_what_nobody_answers_is_not_asked() -> None:
    actor = dr_application()
    with pytest.raises(Inconclusive, match="nobody performs order_window"):
        actor.order_window(ORDER, 0.0)
    assert not hasattr(actor, "state_of")
    actor.close()
