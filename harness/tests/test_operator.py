"""Prompts to a person: what counts as an answer, at a terminal of its own and from a file, with limits; and runs that ask nobody."""

from __future__ import annotations

import getpass
import json
import os
import pty
import select
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from cases import step_06_membership
from harness.actors.prompt import Kind, Prompt
from harness.asking import Answer
from harness.errors import BenchError, Inconclusive, InputError
from harness.operator import AtTerminal, ByFile, read_answers
from harness.plugin import operating
from harness.tests.small_run import BENCH, ROOT, SMALL_BENCH, write_project

PRESS = Prompt("HAN Device", "start_joining", "press it on {device}", words={"device": "acde"}, limit=20)


@pytest.mark.parametrize(("prompt", "said", "answer"), [
    (PRESS, "\n", "done"), (PRESS, "Yes\n", "done"), (PRESS, "done", "done"), (PRESS, "n\n", "no"), (PRESS, " NO ", "no"),
    (Prompt("", "role", "?", Kind.CHOICE, choices=("esi", "pct")), "2\n", "pct"),
    (Prompt("", "role", "?", Kind.CHOICE, choices=("esi", "pct")), "esi", "esi"),
    (Prompt("", "role", "?", Kind.CHOICE, choices=("esi", "pct"), default="pct"), "\n", "pct"),
    (Prompt("", "channel", "?", Kind.TEXT, pattern=r"1[1-9]|2[0-6]"), "26\n", "26"),
    (Prompt("", "code", "?", Kind.FILE), __file__, __file__),
])
def test_what_is_an_answer(prompt: Prompt, said: str, answer: str) -> None:
    assert prompt.accept(said) == answer


@pytest.mark.parametrize(("prompt", "said", "right"), [
    (PRESS, "perhaps", "Enter or `done`, or `no`"),
    (Prompt("", "role", "?", Kind.CHOICE, choices=("esi", "pct")), "3", "one of esi, pct"),
    (Prompt("", "role", "?", Kind.CHOICE, choices=("esi", "pct")), "", "one of esi, pct"),
    (Prompt("", "channel", "?", Kind.TEXT, pattern=r"1[1-9]|2[0-6]"), "27", "text that fits 1[1-9]"),
    (Prompt("", "name", "?", Kind.TEXT), "", "a line of text"),
    (Prompt("", "name", "?", Kind.TEXT), "\x1b[A", "a line of text"),
    (Prompt("", "code", "?", Kind.FILE), "/no/such", "the path of a file"),
])
def test_what_is_none(prompt: Prompt, said: str, right: str) -> None:
    with pytest.raises(ValueError, match="is no answer"):
        prompt.accept(said)
    assert right in prompt.right


class Typist:
    """Whoever sits at the other end of a pseudo-terminal."""

    def __init__(self) -> None:
        self.end, self.terminal = pty.openpty()
        self.name = os.ttyname(self.terminal)
        self.seen = ""

    def reads(self, words: str, within: float = 20.0) -> None:
        """Until the words are on the screen."""
        while words not in self.seen:
            assert select.select([self.end], [], [], within)[0], f"{words!r} is not in {self.seen!r}"
            self.seen += os.read(self.end, 4096).decode()
        self.seen = self.seen.partition(words)[2]

    def types(self, words: str) -> None:
        os.write(self.end, words.encode())


@pytest.fixture
def typist() -> Iterator[Typist]:
    one = Typist()
    yield one
    os.close(one.end)
    os.close(one.terminal)


def asked(typist: Typist, prompt: Prompt, then: Callable[[], None]) -> Answer:
    """What comes of a prompt while somebody reads and types."""
    came: list[Answer] = []
    asking = threading.Thread(target=lambda: came.append(AtTerminal(typist.name).ask(prompt, "step_05-joins-pct")), daemon=True)
    asking.start()
    then()
    asking.join(20)
    (answer,) = came
    return answer


def test_a_person_at_the_terminal_sees_who_is_asked_what_and_answers(typist: Typist) -> None:
    def sits_there() -> None:
        typist.reads("step_05-joins-pct: HAN Device: press it on acde")
        typist.reads("(Enter or `done`, or `no`; within 20 s)\r\n> ")
        typist.types("\n")

    answer = asked(typist, PRESS, sits_there)
    assert (answer.text, answer.by) == ("done", getpass.getuser())
    assert answer.when.tzinfo is not None


def test_what_is_no_answer_is_asked_again_within_the_same_limit(typist: Typist) -> None:
    def mumbles() -> None:
        typist.reads("> ")
        typist.types("perhaps\n")
        typist.reads("no answer; right would be Enter")
        typist.types("no\n")

    assert asked(typist, PRESS, mumbles).text == "no"


def test_what_was_typed_before_the_question_is_no_answer(typist: Typist) -> None:
    typist.types("done\n")
    prompt = Prompt("HAN Device", "start_joining", "press it", limit=0.2)
    with pytest.raises(Inconclusive, match=r"HAN Device.start_joining: nobody answered 'press it' within 0.2 s"):
        AtTerminal(typist.name).ask(prompt, "")


def test_a_terminal_that_closes_has_not_answered(typist: Typist) -> None:
    def leaves() -> None:
        typist.reads("> ")
        typist.types("\x04")  # the end of a file, to a terminal

    came: list[BaseException] = []

    def asks() -> None:
        try:
            AtTerminal(typist.name).ask(PRESS, "")
        except Inconclusive as fault:
            came.append(fault)

    asking = threading.Thread(target=asks, daemon=True)
    asking.start()
    leaves()
    asking.join(10)
    assert "nobody answered" in str(came)


def test_where_there_is_no_terminal_the_laboratory_is_at_fault() -> None:
    assert not AtTerminal("/no/such/terminal").is_there()
    with pytest.raises(BenchError, match=r"no terminal to ask at .*right would be --answers FILE"):
        AtTerminal("/no/such/terminal").ask(PRESS, "")


ANSWERS = """
by: Ada
answers:
  step_06*: {HAN Device.start_joining: "no"}
  "*": {start_joining: done, ESI.open_window: done}
"""


def test_a_file_answers_by_case_and_verb(tmp_path: Path) -> None:
    (tmp_path / "answers.yaml").write_text(ANSWERS)
    by_file = ByFile(read_answers(tmp_path / "answers.yaml"))
    assert [by_file.ask(PRESS, case).text for case in ("step_05-joins-pct", "step_06-refused-pct-bench2")] == ["done", "no"]
    assert by_file.ask(PRESS, "any").by == "Ada"
    with pytest.raises(Inconclusive, match=r"HAN Device.open_window: .*answers.yaml has no answer for any to 'open'"):
        by_file.ask(Prompt("HAN Device", "open_window", "open"), "any")


@pytest.mark.parametrize(("text", "said"), [
    ("answers: {}", "by: is missing"), ("by: Ada\n", "answers: is missing"), ("by: Ada\nanswers: [x]", "answers: has no fields"),
    ("by: Ada\nanswers: {'*': {power_cycle: [done]}}", r"power_cycle: is not a single value"),
    ("by: Ada\nanswers:\n  '*':\n    power_cycle:\n", r"power_cycle: '' is no line of text"),
    ("by: Ada\nanswers: {}\nwho: Bob", "who: there is no such field"),
])
def test_a_wrong_file_is_one_line(tmp_path: Path, text: str, said: str) -> None:
    (tmp_path / "answers.yaml").write_text(text)
    with pytest.raises(InputError, match=said):
        read_answers(tmp_path / "answers.yaml")


def test_an_answer_that_is_none_names_its_line(tmp_path: Path) -> None:
    (tmp_path / "answers.yaml").write_text(ANSWERS.replace('"no"', "perhaps"))
    with pytest.raises(InputError, match=r"answers.yaml:4: answers.*start_joining: is no answer; right would be Enter"):
        ByFile(read_answers(tmp_path / "answers.yaml")).ask(PRESS, "step_06")


# -- a run that needs a person


def test_a_case_is_known_to_need_a_verb_by_what_it_calls() -> None:
    found = {
        name for name, function in vars(step_06_membership).items()
        if name.startswith("test_") and "power_cycle" in set(operating._names(function))
    }
    written = (ROOT / "cases" / "step_06_membership.py").read_text().split("\ndef test_")
    assert found == {f"test_{each.partition('(')[0]}" for each in written[1:] if ".power_cycle(" in each}
    assert len(found) > 2


ASKING_BENCH = SMALL_BENCH + '''

from cases import step_06_membership
from harness.actors.prompt import Prompt
from harness.asking import asked_of
from harness.clock import VirtualClock

class Asking(Bench):
    def __init__(self, planned):
        super().__init__(planned)
        self._ask = asked_of(planned.operator, VirtualClock(), self.trace)

    def ask(self, verb):
        if self._ask(Prompt("HAN Device", verb, f"{verb} it", limit=20)) != "done":
            raise Inconclusive(f"{verb} was not done")

    def play(self):
        self.ask("start_joining")
        super().play()

    def power_cycle(self):
        self.ask("power_cycle")

def build(planned):
    return Asking(planned)
'''
CASES = '''
import pytest
from hypothesis import given, strategies as st
from harness.usecase import Actor, Step
from small_table import find

pytestmark = pytest.mark.step(Step(6, "", "", Actor.ESI, Actor.HAN_DEVICE, ""))

def clause(name):
    return pytest.mark.clause(find("UC2.7-" + name))

def interrupted(bench):
    bench.power_cycle()

@clause("06-WORD")
def test_judges(provisioned, verify):
    verify(provisioned)

@clause("06-WORD")
def test_plays(bench, verify):
    bench.play(); verify(bench.trace)

@clause("06-WORD")
@given(number=st.just("1"))
def test_power_fails(benches, verify, number):
    bench = benches(says=number); interrupted(bench); bench.play(); verify(bench.trace)

@clause("07-PRICE")
def test_not_claimed(bench, verify):
    raise AssertionError("must not be played")
'''
REAL = """  HAN Device:
    adapter: harness.adapters.real_device:RealDevice
    start_joining: {person: press it}
    power_cycle: {person: unplug it}
"""


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = write_project(tmp_path_factory.mktemp("asking"), CASES, BENCH.replace(
        "adapters: {ESI: small_bench:Anything}", "adapters:\n  ESI: small_bench:Anything\n" + REAL,
    ).replace(", load_control.yaml", ""))
    (folder / "small_bench.py").write_text(ASKING_BENCH)
    (folder / "answers.yaml").write_text('by: Ada\nanswers: {"*": {start_joining: done, power_cycle: done}}\n')
    (folder / "some.yaml").write_text('by: Ada\nanswers: {"*": {start_joining: done}}\n')
    return folder


def verdicts(folder: Path) -> dict[str, str]:
    cases: list[dict[str, Any]] = json.loads((folder / "verdicts.json").read_text())["cases"]
    return {case["id"].partition("::test_")[2]: case["verdict"] for case in cases}


RUNS = {
    "nobody": ["--no-input"], "some": ["--no-input", "--answers=some.yaml"], "wrong": ["--answers=wrong.yaml"],
    "workers": ["-n1", "--bench=bench.yaml"], "no terminal": [], "answered": ["--no-input", "--answers=answers.yaml", "--run-dir=answered"],
}


@pytest.fixture(scope="module")
def ran(project: Path) -> dict[str, tuple[int, str]]:
    """Exit code and output of runs, one after the other in one process that has no terminal."""
    (project / "wrong.yaml").write_text('by: Ada\nanswers: {"*": {start_joining: perhaps, power_cycle: done}}\n')
    script = (
        "import contextlib, io, json, os, pytest, sys\nos.setsid()\ntold = {}\n"
        f"for name, given in {RUNS!r}.items():\n"
        "    with contextlib.redirect_stdout(io.StringIO()) as out, contextlib.redirect_stderr(out):\n"
        "        code = int(pytest.main(['--run-dir=refused', *given]))\n"
        "    told[name] = code, out.getvalue()\n"
        "print(json.dumps(told))\n"
    )
    process = subprocess.run(
        [sys.executable, "-c", script], cwd=project, capture_output=True, text=True, check=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join((str(ROOT), str(project))), "COLUMNS": "200"},
    )
    told: dict[str, tuple[int, str]] = json.loads(process.stdout.splitlines()[-1])
    return told


def test_no_input_refuses_at_the_start_and_lists_the_cases(ran: dict[str, tuple[int, str]]) -> None:
    code, said = ran["nobody"]
    assert code == 4
    assert [line.strip() for line in said.splitlines() if "step_06.py::" in line] == [
        "step_06.py::test_judges[pct]: HAN Device.start_joining", "step_06.py::test_plays[pct]: HAN Device.start_joining",
        "step_06.py::test_power_fails[pct]: HAN Device.start_joining, HAN Device.power_cycle",
    ]
    assert "--no-input: nobody may be asked, and 3 cases need a person" in said


@pytest.mark.parametrize(("run", "says", "listed"), [
    ("some", "--no-input: nobody may be asked, and 1 case needs a person", 1),
    ("no terminal", "there is no terminal to ask at, and 3 cases need a person", 3),
    ("workers", "-n: parallel workers cannot ask a person (HAN Device.start_joining, HAN Device.power_cycle); right would be -n 0", 0),
    ("wrong", "wrong.yaml:2: answers.'*'.start_joining: is no answer; right would be Enter or `done`, or `no`", 0),
])
def test_what_else_is_refused_at_the_start(ran: dict[str, tuple[int, str]], run: str, says: str, listed: int) -> None:
    code, said = ran[run]
    assert code == 4
    assert says in said
    assert said.count("step_06.py::") == listed


def test_a_refused_run_leaves_nothing_behind(project: Path, ran: dict[str, tuple[int, str]]) -> None:
    assert set(ran) == set(RUNS)
    assert not (project / "refused").exists()


def test_a_wrong_file_of_answers_is_refused() -> None:
    config: Any = SimpleNamespace(getoption=lambda name, default=None: "nowhere.yaml" if name == "answers" else default)
    with pytest.raises(pytest.UsageError, match=r"--answers: nowhere.yaml: cannot be read"):
        operating.pytest_sessionstart(SimpleNamespace(config=config))  # type: ignore[arg-type]


def in_allure(folder: Path) -> dict[str, list[tuple[str, str]]]:
    """By case, the steps of what was done by hand, each with its status."""
    results = [json.loads(path.read_text()) for path in (folder / "allure-results").glob("*-result.json")]
    return {
        each["name"].removeprefix("test_").partition("[")[0]: [
            (step["name"], step["status"]) for step in each.get("steps", ()) if step["name"].startswith("by hand")
        ] for each in results
    }


def test_a_run_answered_by_a_file_passes_and_keeps_the_answers(project: Path, ran: dict[str, tuple[int, str]]) -> None:
    assert ran["answered"][0] == 0, ran["answered"][1]
    assert verdicts(project / "answered") == {
        "judges[pct]": "pass", "plays[pct]": "pass", "power_fails[pct]": "pass", "not_claimed[pct]": "none",
    }
    (trace,) = (project / "answered").glob("scenarios/*power_fails*/trace.jsonl")
    operator = json.loads(trace.read_text().splitlines()[0])["about"]["operator"]
    assert [(each["verb"], each["answer"], each["by"]) for each in operator] == [
        ("power_cycle", "done", "Ada"), ("start_joining", "done", "Ada"),
    ]
    assert in_allure(project / "answered")["power_fails"] == [
        ("by hand: HAN Device.power_cycle: done, by Ada", "passed"), ("by hand: HAN Device.start_joining: done, by Ada", "passed"),
    ]


def test_a_person_answers_a_run_at_its_terminal_under_pytests_capture(project: Path, typist: Typist) -> None:
    arguments = [sys.executable, "-m", "pytest", "-k", "judges or power_fails", "--run-dir=typed"]
    launch = (
        "import fcntl, os, sys, termios; os.setsid(); fcntl.ioctl(os.open(sys.argv[1], os.O_RDWR), termios.TIOCSCTTY, 0); "
        f"os.execv(sys.executable, {arguments!r})"
    )
    with subprocess.Popen(
        [sys.executable, "-c", launch, typist.name], cwd=project, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join((str(ROOT), str(project)))},
    ) as run:
        typist.reads("provisioned-pct: HAN Device: start_joining it", 60)
        typist.reads("> ")
        typist.types("\n")
        typist.reads("power_fails-pct: HAN Device: power_cycle it")
        typist.reads("> ")
        typist.types("no\n")
        output = run.communicate(timeout=60)[0]
    assert run.returncode == 6, output
    assert verdicts(project / "typed") == {"judges[pct]": "pass", "power_fails[pct]": "inconc"}
    ((step, status),) = in_allure(project / "typed")["power_fails"]
    assert (step, status) == (f"by hand: HAN Device.power_cycle: no, by {getpass.getuser()}", "broken")
