"""Which cases of a run need a person, and who answers: `--answers`, the terminal, or nobody. Knows no terminal and asks nothing itself.

What nobody could answer is known before the first case runs: `--no-input`, a machine without a terminal and parallel workers are
refused with the cases concerned.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import CodeType, FunctionType
from typing import Any

import pytest

from harness.actors.prompt import Prompt
from harness.declarations import BenchFile
from harness.errors import InputError
from harness.operator import Answers, AtTerminal, ByFile, read_answers
from harness.plugin.campaign import PROVISIONED, provisioned_scenario
from harness.plugin.case import CaseRun, case_name
from harness.plugin.collection import clauses_of, device_of, is_case
from harness.plugin.options import DEFAULT_BENCH, Run, current_run, is_worker
from harness.role_verbs import VERBS, asks_a_person
from harness.usecase import Actor

CALLS: Mapping[str, tuple[str, ...]] = {  # role verbs beside those of every play, and what a case calls to have them performed
    "power_cycle": ("power_cycle",), "opt_out": ("decline",), "close_window": ("cancel",),
    "renew_network_key": ("renew_network_key",), "switch_network_key": ("renew_network_key",),
}


@dataclass(frozen=True)
class Need:
    """What one case needs a person for: verbs, each with its actor. `scenario` is the name under which it will be asked."""

    case: str
    scenario: str
    verbs: tuple[tuple[Actor, str], ...]

    def __str__(self) -> str:
        return f"{self.case}: {', '.join(f'{actor}.{verb}' for actor, verb in self.verbs)}"


def persons(file: BenchFile) -> tuple[tuple[Actor, str], ...]:
    """The role verbs that a person performs on this bench."""
    return tuple(
        (actor, verb) for actor, filled in file.adapters.items() if filled.along is None for verb in asks_a_person(filled.options)
    )


def needs(run: Run, items: Iterable[pytest.Item]) -> Iterator[Need]:
    """The cases among these that need a person, if they are played at all."""
    asked = persons(run.bench)
    for item in items if asked else ():
        if not is_case(item):
            continue
        function: Any = item.function  # type: ignore[attr-defined]
        device = run.bench.device(device_of(item))
        if CaseRun(case_name(function), clauses_of(item), run.campaign, device).decided_unplayed() is not None:
            continue
        called = frozenset(_names(function))
        verbs = tuple(each for each in asked if _is_called(each[1], VERBS.get(each[0], {}), called))
        shared = PROVISIONED in item.fixturenames  # type: ignore[attr-defined]
        if verbs:
            yield Need(item.nodeid, provisioned_scenario(device) if shared else f"{case_name(function)}-{device.name}", verbs)


def _is_called(verb: str, known: Mapping[str, Any], called: frozenset[str]) -> bool:
    return verb not in known or known[verb].preamble or verb not in CALLS or not called.isdisjoint(CALLS[verb])


def _names(function: Callable[..., Any]) -> Iterator[str]:
    """Every name that a case uses, its module's own functions included."""
    ahead = [getattr(getattr(function, "hypothesis", None), "inner_test", function)]
    known: set[int] = set()
    while ahead:
        one = ahead.pop()
        if isinstance(one, FunctionType) and id(one) not in known:
            known.add(id(one))
            for name in _names_of(one.__code__):
                yield name
                found = one.__globals__.get(name)
                if getattr(found, "__module__", None) == one.__module__:
                    ahead.append(found)


def _names_of(code: CodeType) -> Iterator[str]:
    yield from code.co_names
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from _names_of(constant)


def pytest_addoption(parser: pytest.Parser) -> None:
    """Who answers."""
    group = parser.getgroup("hanproof")
    group.addoption("--answers", metavar="FILE", help="answers to what a person is asked, by case and verb (docs/real-devices.md)")
    group.addoption("--no-input", action="store_true", help="ask nobody: refuse at the start what needs a person, and list the cases")


def pytest_sessionstart(session: pytest.Session) -> None:
    """A file of answers is read at once. Raises UsageError for parallel workers of a bench that asks a person."""
    config = session.config
    if config.getoption("answers") is not None and not is_worker(config):
        _answers(config)
    named = config.getoption("bench") is not None or config.getini("bench") != DEFAULT_BENCH
    if named and config.getoption("dist", "no") != "no" and config.getoption("answers") is None:
        asked = persons(current_run(config).bench)
        if asked:
            told = ", ".join(f"{actor}.{verb}" for actor, verb in asked)
            raise pytest.UsageError(f"-n: parallel workers cannot ask a person ({told}); right would be -n 0, or --answers FILE")


@pytest.hookimpl(tryfirst=True)  # before anybody makes a folder for what will not run
def pytest_collection_finish(session: pytest.Session) -> None:
    """Give the run its operator. Raises UsageError where a case needs a person whom nobody may or can ask."""
    config = session.config
    if not any(map(is_case, session.items)) or not persons(current_run(config).bench):
        return
    answers = _answers(config)
    terminal = None if config.getoption("no_input") or is_worker(config) or not AtTerminal().is_there() else AtTerminal()
    current_run(config).campaign.operator = ByFile(answers, terminal) if answers is not None else terminal
    if answers is not None:
        _check(answers, needs(current_run(config), session.items))
    if terminal is None and not is_worker(config) and not config.getoption("collectonly"):
        _refuse(config, session.items, answers)


def _check(answers: Answers, needed: Iterable[Need]) -> None:
    """What answers a role verb says that it is done, or not. Raises UsageError for anything else: now, and not in the middle."""
    for need in needed:
        for actor, verb in need.verbs:
            given, prompt = answers.find(actor, verb, need.scenario), Prompt(actor, verb, "")
            try:
                if given is not None:
                    given.read(prompt.accept, prompt.right)
            except InputError as fault:
                raise pytest.UsageError(f"--answers: {fault}") from fault


def _refuse(config: pytest.Config, items: Sequence[pytest.Item], answers: Answers | None) -> None:
    unanswered = [
        need for need in needs(current_run(config), items)
        if answers is None or any(answers.find(actor, verb, need.scenario) is None for actor, verb in need.verbs)
    ]
    if unanswered:
        why = "--no-input: nobody may be asked" if config.getoption("no_input") else "there is no terminal to ask at"
        right = "right would be a terminal, --answers FILE with an answer to each, or a command in the bench file"
        count = f"{len(unanswered)} case{'s need' if len(unanswered) > 1 else ' needs'} a person; {right}:"
        raise pytest.UsageError("\n".join([f"{why}, and {count}", *(f"  {need}" for need in unanswered)]))


def _answers(config: pytest.Config) -> Answers | None:
    given = config.getoption("answers")
    try:
        return read_answers(Path(given)) if given is not None else None
    except InputError as fault:
        raise pytest.UsageError(f"--answers: {fault}") from fault
