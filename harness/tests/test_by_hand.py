"""What was done by hand is in the evidence and on every report: who was asked what and said what, which command ended how; and no key."""

from __future__ import annotations

import json
import random
import sys
from pathlib import Path
from typing import Any

import pytest
from lxml import html

import reports
from harness.actors.setup import Setup
from harness.adapters.real_device import RealDevice
from harness.asking import noting
from harness.clock import VirtualClock
from harness.errors import BenchError, InputError
from harness.evidence.by_hand import Deed, deeds, deeds_in
from harness.evidence.scenario import write_scenario
from harness.role_verbs import Way
from harness.tests import sample_run
from harness.tests.at_the_device import OWN, Button
from harness.tests.back_office import EPOCH, ORDER
from harness.trace import ASKED_OF_OPERATOR, BEHIND, RADIOS, STOOD
from harness.usecase import Actor
from reports import allure_report
from reports.ladder import as_text
from reports.rungs import rungs

PRESSED = {"at": 60.0, "actor": "HAN Device", "verb": "start_joining", "asked": "press it", "limit": 300.0,
           "when": "2026-01-15T12:01:00+00:00", "answer": "done", "by": "Ada", "took": 12.34}
REFUSED = {**PRESSED, "at": 61.0, "verb": "power_cycle", "answer": "no"}
SILENT = {"at": 62.0, "actor": "HAN Device", "verb": "opt_out", "asked": "decline <it>", "limit": 20.0, "took": 20.0}
RELAY = {"at": 60.15, "actor": "HAN Device", "verb": "factory_reset", "command": "relay off", "limit": 60.0, "exit_code": 3,
         "output": "no such\nrelay <1>", "took": 0.2}
HANGING = {"at": 63.0, "actor": "ESI", "verb": "open_window", "command": "menu", "limit": 1.0, "took": 1.0}
SWITCH = {"at": 64.0, "actor": "ESI", "verb": "power_cycle", "adapter": "acme:Switch", "answer": "done", "took": 0.0}
ALL = [PRESSED, RELAY, REFUSED, SILENT, HANGING, SWITCH]


def test_what_came_of_it_is_said_in_words() -> None:
    assert [(each.text, each.well) for each in deeds({ASKED_OF_OPERATOR: ALL})] == [
        ('HAN Device.start_joining: asked "press it": done, by Ada (12.3 s of 300 s)', True),
        ("HAN Device.factory_reset: command `relay off`: exit code 3 (0.2 s of 60 s)", False),
        ('HAN Device.power_cycle: asked "press it": no, by Ada (12.3 s of 300 s)', False),
        ('HAN Device.opt_out: asked "decline <it>": no answer (20.0 s of 20 s)', False),
        ("ESI.open_window: command `menu`: it did not end, or could not be run (1.0 s of 1 s)", False),
        ("ESI.power_cycle: class acme:Switch: done (0.0 s)", True),
    ]
    assert deeds({}) == []


@pytest.mark.parametrize("header", ["", "{}", '{"about": {"operator": [{}]}}', '{"about": {"operator": 1}}'])
def test_a_header_that_is_none_is_one_line(tmp_path: Path, header: str) -> None:
    (tmp_path / "trace.jsonl").write_text(header + "\n")
    with pytest.raises(InputError, match=r"trace.jsonl:1: not the header of a trace"):
        deeds_in(tmp_path)
    with pytest.raises(InputError, match=r"cannot be read"):
        deeds_in(tmp_path / "nowhere")


def by_hand(trace: Any) -> Any:
    trace.header.about[ASKED_OF_OPERATOR] = [dict(each) for each in ALL]
    heard = {"while it listened": 9, "heard": 8}
    trace.header.about[RADIOS] = {"sniffer": {"firmware": "<b>", "of frames that our radios sent or took": heard}}
    trace.header.about.update({STOOD: [[0.0, 0.0, 0.01], [60.0, 60.2, 12.34]], BEHIND: [[3.0, 3.1, 0.06], [4.0, 4.1, 0.25]]})
    return trace


def test_the_page_has_a_row_for_each_and_what_a_command_said_stays_text(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sample_run, "trace", lambda scenario, made=sample_run.trace: by_hand(made(scenario)))
    sample_run.write(tmp_path)
    monkeypatch.setattr(allure_report, "build", lambda *_: False)
    page = html.parse(str(reports.build(tmp_path))).getroot()
    for table in page.xpath("//details[@class='scenario']//table[@class='by-hand']"):
        rows = [[cell.text_content() for cell in row.xpath("td")] for row in table.xpath(".//tbody/tr")]
        assert rows[0] == ["60.000 s", "HAN Device.start_joining", 'asked "press it"', "done, by Ada", "12.3 s of 300 s", PRESSED["when"]]
        assert rows[1][3] == "exit code 3no such\nrelay <1>"
        assert len(rows) == len(ALL)
    assert len(page.xpath("//table[@class='by-hand']")) == len(page.xpath("//details[@class='scenario']")) > 0
    assert [row.text_content() for row in page.xpath("(//table[@class='radios'])[1]//tr")] == [
        "radio: sniffer" + "firmware: <b>of frames that our radios sent or took: heard: 8while it listened: 9",
        "the bench's clock stood still" + "12.3 s at 60.000 s", "and was behind" + "by 0.25 s at most, 2 times",
    ]


def test_a_run_in_which_nobody_did_anything_has_no_such_table(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    sample_run.write(tmp_path)
    monkeypatch.setattr(allure_report, "build", lambda *_: False)
    assert html.parse(str(reports.build(tmp_path))).getroot().xpath("//table[@class='by-hand' or @class='radios']") == []


def test_the_ladder_has_it_where_it_was_done() -> None:
    text = as_text(rungs(by_hand(sample_run.trace("asked"))), {}).splitlines()
    place = {word: next(place for place, line in enumerate(text) if word in line) for word in ("press it", "Beacon", "relay", "opt_out")}
    assert place["press it"] < place["Beacon"] < place["relay"] < place["opt_out"]
    assert sum("* " in line for line in text) == len(ALL)


# -- what is recorded


def performing(actor: Actor, records: list[dict[str, Any]], **options: Way) -> RealDevice:
    def note(**said: Any) -> dict[str, Any]:
        records.append(dict(said))
        return records[-1]

    return RealDevice(Setup(actor, (ORDER,), EPOCH, random.Random(1), {"eui64": OWN}, options, note=note))


def test_a_command_is_recorded_with_its_exit_code_and_the_last_it_said(tmp_path: Path) -> None:
    (tmp_path / "relay.py").write_text(
        "import os, sys\nprint('\\n'.join(f'line {each}' for each in range(9)))\n"
        "print('key', os.environ['HANPROOF_KEY_MATERIAL'], '00112233445566778899aabbccddeeff', file=sys.stderr)\nsys.exit(5)\n"
    )
    records: list[dict[str, Any]] = []
    real = performing(Actor.ESI, records, open_window=Way(command=f"{sys.executable} {tmp_path / 'relay.py'}", limit=30))
    with pytest.raises(BenchError, match="exit code 5"):
        real.open_window(ORDER, 4.0)
    (record,) = records
    assert (record["actor"], record["verb"], record["limit"], record["exit_code"]) == ("ESI", "open_window", 30, 5)
    assert record["output"].splitlines() == ["line 5", "line 6", "line 7", "line 8", "key <octets> <octets>"]
    assert 0.0 < record["took"] < 30.0


def test_a_command_that_is_not_waited_for_is_recorded_when_it_has_ended() -> None:
    records: list[dict[str, Any]] = []
    real = performing(Actor.HAN_DEVICE, records, start_joining=Way(command="echo off"), factory_reset=Way(command="echo new"))
    real.start_joining(1.0)
    real.close()
    assert [(each["exit_code"], each["output"]) for each in records] == [(0, "new"), (0, "off")]


@pytest.mark.parametrize(("command", "output"), [("sh -c 'echo waits; exec sleep 9'", "waits"), ("/no/such", None)])
def test_a_command_that_does_not_end_or_is_not_there_has_no_exit_code(command: str, output: str | None) -> None:
    records: list[dict[str, Any]] = []
    real = performing(Actor.ESI, records, open_window=Way(command=command, limit=0.3))
    with pytest.raises(BenchError):
        real.open_window(ORDER, 4.0)
    assert [(each.get("exit_code"), each.get("output")) for each in records] == [(None, output)]
    assert "took" in records[0]


def test_a_class_is_recorded_whether_it_did_it_or_not() -> None:
    Button.made.clear()
    records: list[dict[str, Any]] = []
    button = f"{Button.__module__}:Button"
    performing(Actor.ESI, records, open_window=Way(adapter=button)).open_window(ORDER, 4.0)
    with pytest.raises(BenchError):
        performing(Actor.ESI, records, open_window=Way(adapter=button, options={"port": "none"})).open_window(ORDER, 4.0)
    assert [(each["adapter"], each.get("answer"), "took" in each) for each in records] == [(button, "done", True), (button, None, True)]


def test_a_confidential_key_in_what_a_command_said_is_withheld(tmp_path: Path) -> None:
    trace = sample_run.trace("withheld")
    note = noting(VirtualClock(), trace)
    note(actor="ESI", verb="open_window", command="menu", output=f"key ={sample_run.LINK_KEY.hex()}=")
    write_scenario(tmp_path, "withheld", trace, [sample_run.LINK_KEY])
    header = (tmp_path / "scenarios" / "withheld" / "trace.jsonl").read_text().splitlines()[0]
    assert json.loads(header)["about"][ASKED_OF_OPERATOR][0]["command"] == "menu"
    assert sample_run.LINK_KEY.hex() not in header
    assert isinstance(deeds_in(tmp_path / "scenarios" / "withheld")[0], Deed)
