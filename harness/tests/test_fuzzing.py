"""Fuzzing finds what is planted, complains of nothing where nothing is wrong, and every run can be made again from its token."""

from __future__ import annotations

import inspect
import json
from dataclasses import replace
from functools import cache
from pathlib import Path

import pytest
from hypothesis import given, settings

from cases.table import clauses
from harness.adapters.defects import Defect, all_defects
from harness.adapters.stimuli import stimulus
from harness.cli import main
from harness.declarations import BenchFile, read_bench
from harness.errors import InputError
from harness.fuzzing import drawing
from harness.fuzzing.machine import PROFILES, Failing, Hunt, Profile, seek
from harness.fuzzing.play import Run, replayed
from harness.fuzzing.script import OtherVocabulary, Script, Setting, read_token
from harness.fuzzing.vocabulary import GIVEN, MISTAKES, MOVES, QUESTIONS, VERSION, Move, flaw
from harness.usecase import Actor, Clause

BENCH = Path(__file__).parents[2] / "fixtures" / "benches" / "virtual.yaml"
BUDGET = 60  # runs in which a planted bug is found
IN_SERVICE = Setting(beginning="in service")


@cache
def bench_file() -> BenchFile:
    return read_bench(BENCH)


@cache
def every_clause() -> tuple[Clause, ...]:
    return tuple(clauses().values())


def hunted(defect: Defect, *, judged: bool) -> Failing | None:
    profile = Profile("budget", BUDGET, 8, reproducible=True)
    return seek(Hunt(bench_file(), every_clause(), profile, (defect,), judged=judged), shrink=False)


def played(setting: Setting, *moves: Move, planted: tuple[Defect, ...] = (), judged: bool = False) -> Run:
    run = Run(bench_file(), setting, every_clause(), planted, judged=judged)
    for move in moves:
        run.perform(move)
    run.finish()
    return run


# -- what is planted is found, and nothing else


def test_nothing_is_found_where_nothing_is_wrong() -> None:
    found = seek(Hunt(bench_file(), every_clause(), PROFILES["ci"]), shrink=False)
    assert found is None, f"{found}: hanproof replay {found.script.token if found else ''}"


def test_every_question_is_given_what_it_takes() -> None:
    for what in {each for questions in QUESTIONS.values() for each in questions}:
        inspect.signature(stimulus(what).script).bind(None, **GIVEN.get(what, {}))


@pytest.mark.parametrize(("identity", "complaint"), [
    ("04-esi-never-closes", "@ESI"), ("04-esi-always-open", "@ESI"), ("06-key-in-the-clear", "@ESI"),
    ("06-admits-strangers", "@ESI"), ("05-no-scan", "@HAN Device"), ("06-device-counter-forgotten", "@HAN Device"),
    ("08-device-establishes-before-it-announces", "@HAN Device"), ("08-esi-never-confirms", "@"), ("08-device-encrypts", "@HAN Device"),
    ("09-device-asks-no-price", "@HAN Device"), ("09-esi-clear-data", "@ESI"), ("07-esi-invalid-time", "@ESI"),
])
def test_a_planted_bug_is_found_within_the_budget(identity: str, complaint: str) -> None:
    failing = hunted(all_defects()[identity], judged=True)
    assert failing is not None, f"{identity} was not found in {BUDGET} runs"
    assert any(complaint in each.id for each in failing.complaints), failing


@pytest.mark.parametrize("identity", ["04-esi-never-closes", "06-key-in-the-clear", "06-admits-strangers"])
def test_the_model_finds_by_itself(identity: str) -> None:
    failing = hunted(all_defects()[identity], judged=False)
    assert failing is not None, f"{identity} was not found in {BUDGET} runs"
    assert all(each.id.startswith("model:") for each in failing.complaints), failing


@pytest.mark.parametrize(("actor", "decision", "moves", "ours", "law"), [
    (Actor.ESI, "answers_rejoin", ("power-cycle 1", "wait-long 60"), "", "answer"),
    (Actor.ESI, "keeps_keys_over_power_cycle", ("power-cycle ESI", "power-cycle 1", "wait-long 60"), "", "answer"),
    (Actor.ESI, "rejects_duplicates", ("air drop acknowledgement ESI 1 1", "ask basic,due"), "HAN Device", "execution"),
    (Actor.HAN_DEVICE, "requires_link_key", ("wait 20000", "ask event,network key"), "ESI", "execution"),
    (Actor.HAN_DEVICE, "keeps_counters_over_power_cycle", ("power-cycle 1", "wait-long 60"), "", "counter"),
])
def test_the_model_sees_what_a_decision_does(
    actor: Actor, decision: str, moves: tuple[str, ...], ours: str, law: str,
) -> None:
    wrong = Defect("wrong", actor, "decides wrongly", decisions={decision: False})
    made = tuple(_move(each) for each in moves)
    setting = replace(IN_SERVICE, ours=ours, device=1)  # one whose receiver is always on
    assert [each.id for each in played(setting, *made).complaints] == []
    assert f"model:{law}@{actor}" in {each.id for each in played(setting, *made, planted=(wrong,)).complaints}


def _move(written: str) -> Move:
    name, _, rest = written.partition(" ")
    values = rest.split(",") if "," in rest else rest.split()
    return Move(name, tuple(int(each) if each.isdigit() and name not in ("power-cycle",) else each for each in values))


def test_what_is_found_is_made_small_and_fails_the_same_way_again() -> None:
    defect = all_defects()["06-key-in-the-clear"]
    failing = seek(Hunt(bench_file(), every_clause(), Profile("small", 5, 4), (defect,), judged=False))
    assert failing is not None
    assert len(failing.script.moves) <= 1
    again = replayed(bench_file(), read_token(failing.script.token), every_clause())
    assert set(failing.script.complaints) <= {each.id for each in again.complaints}


# -- moves


def test_every_move_can_be_made() -> None:
    undone, broken = [], []
    for ours in ("", Actor.ESI.value, Actor.HAN_DEVICE.value):
        setting = replace(IN_SERVICE, ours=ours, company=2, second="0000000000000001", duration=1000.0, second_duration=1000.0)
        side = Actor(ours) if ours else None
        names = sorted((name for name, kind in MOVES.items() if kind.ours is bool(ours)), key=lambda name: name == "to-edge")  # last
        moves = [Move(name, tuple(_simplest(name, what, domain, side) for what, domain in MOVES[name].takes.items())) for name in names]
        run = played(setting, *(each for each in moves if ours != Actor.HAN_DEVICE or each.name != "decline"))
        undone += run.undone
        broken += [each for each in run.complaints if each.id.startswith("crash")]
    assert undone == []
    assert broken == []


def _simplest(name: str, what: str, domain: object, side: Actor | None) -> int | str:
    words = getattr(domain, "words", None)
    if words is None:
        return int(getattr(domain, "least"))  # noqa: B009
    if side is not None and name == "ask" and what == "what":
        return QUESTIONS[Actor.ESI if side is Actor.HAN_DEVICE else Actor.HAN_DEVICE][0]
    if side is not None and name == "err":
        return MISTAKES[side][0]
    return str(words[0])


def test_the_radio_profile_leaves_air_and_address_alone() -> None:
    @settings(max_examples=40, database=None, derandomize=True)
    @given(setting=drawing.settings_of(2, own=True), move=drawing.any_move(Actor.ESI, 0, radio=True))
    def drawn(setting: Setting, move: Move) -> None:
        assert (setting.eui64, setting.code, setting.company, setting.right) == ("", "", 0, True)
        assert move.name not in ("air", "look", "knock", "to-edge")

    drawn()


# -- tokens


@settings(max_examples=50, database=None, derandomize=True)
@given(setting=drawing.settings_of(2), moves=drawing.any_move(Actor.HAN_DEVICE, 2).map(lambda move: (move, move)))
def test_a_token_holds_the_whole_run(setting: Setting, moves: tuple[Move, ...]) -> None:
    whole = Script(setting, moves, ("06-key-in-the-clear",), ("UC2.7-06-KEY-SEALED@ESI",))
    assert read_token(whole.token) == whole
    assert all(flaw(move.name, move.values) == "" for move in moves)


def test_a_mangled_token_is_told_from_a_whole_one() -> None:
    token = Script(IN_SERVICE, (Move("wait", (5,)),)).token
    for place in range(len(token) - 1):  # the last digit may have bits that stand for nothing
        mangled = token[:place] + ("A" if token[place] != "A" else "B") + token[place + 1:]
        with pytest.raises(InputError, match="the token is none of ours"):
            read_token(mangled)
    for other in ("", "HP", token[:-5], f"{token}AAAA", "HP%%%"):
        with pytest.raises(InputError, match="the token is none of ours"):
            read_token(other)


@pytest.mark.parametrize("move", [["fly"], ["wait", -1], ["wait", True], ["wait"], ["until", "Nothing"], ["wait", 1, 2]])
def test_a_move_that_there_is_not_is_refused(move: list[object], monkeypatch: pytest.MonkeyPatch) -> None:
    made = Script(IN_SERVICE)
    monkeypatch.setattr(Script, "as_dict", lambda self: {
        "vocabulary": VERSION, "setting": vars(self.setting), "moves": [move], "planted": [], "complaints": [],
    })
    with pytest.raises(InputError, match="the token is none of ours"):
        read_token(made.token)


def test_a_token_of_another_vocabulary_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("harness.fuzzing.script.VERSION", 999)
    token = Script(IN_SERVICE).token
    monkeypatch.undo()
    with pytest.raises(OtherVocabulary, match="vocabulary 999"):
        read_token(token)


# -- the commands


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "pytest.ini").write_text("[pytest]\n")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_what_fuzz_finds_is_kept_and_replays(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["fuzz", "--plant", "06-key-in-the-clear", "--examples", "2"]) == 1
    lines = capsys.readouterr().out.splitlines()
    (command,) = [line for line in lines if line.startswith("hanproof replay ")]
    token = command.split()[-1]
    (kept,) = (folder / "reports" / "runs" / "fuzz").iterdir()
    assert json.loads((kept / "run.json").read_text())["token"] == token
    assert (kept / "scenarios" / "fuzz" / "air.pcapng").is_file()
    assert main(["replay", token]) == 1
    assert capsys.readouterr().out.splitlines()[-1] == "failing"
    mended = replace(read_token(token), planted=())
    assert main(["replay", mended.token]) == 0
    assert capsys.readouterr().out.splitlines() == ["fixed"]


def test_what_cannot_be_replayed_says_why(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for other in (Script(replace(IN_SERVICE, device=7)), Script(IN_SERVICE, planted=("no-such-defect",))):
        assert main(["replay", other.token]) == 6
        assert capsys.readouterr().out.startswith("cannot reproduce: ")
    assert main(["replay", "HPnonsense"]) == 4
    told = capsys.readouterr().err.splitlines()
    assert len(told) == 1
    assert told[0].startswith("hanproof: the token is none of ours")


@pytest.mark.parametrize(("given", "told"), [
    (["--plant", "nothing"], "--plant nothing"), (["--examples", "0"], "--examples"), (["--minutes", "-1"], "--minutes"),
])
def test_wrong_usage_of_fuzz_is_one_line(given: list[str], told: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["fuzz", *given]) == 4
    assert told in capsys.readouterr().err
