"""The ladder: who is drawn where, what is folded, and what a picture may not contain."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import pytest
from lxml import etree

from harness.tests import sample_run
from harness.trace import Trace
from harness.usecase import Actor, Point, second
from reports import ladder
from reports.ladder import as_text
from reports.ladder_svg import as_svg
from reports.rungs import Fold, Rung, lifelines, rungs

MARKS = {10: (("fail", "UC2.7-06-KEY-SEALED@ESI"),)}


@pytest.fixture(scope="module")
def trace() -> Trace:
    return sample_run.trace("sample")


def drawn(trace: Trace) -> dict[int, Rung]:
    return {each.number: each for each in rungs(trace) if isinstance(each, Rung)}


@pytest.mark.parametrize(("number", "producer", "receiver", "label", "step"), [
    (1, Actor.DR_APPLICATION, Actor.AMI_HEAD_END, "create EndDeviceControls", 1),
    (2, Actor.AMI_HEAD_END, Actor.DR_APPLICATION, "reply EndDeviceControls", 1),
    (3, Actor.DR_APPLICATION, Actor.AMI_HEAD_END, "unreadable message, 8 octets", 1),
    (4, Actor.AMI_HEAD_END, Actor.AMI_NETWORK, "unreadable message, 17 octets", 2),
    (5, Actor.HAN_DEVICE, "", "Beacon Request", 5),
    (7, Actor.HAN_DEVICE, Actor.ESI, "Association Request", 5),
    (10, Actor.ESI, Actor.HAN_DEVICE, "Association Response", 6),
])
def test_an_exchange_is_an_arrow_of_its_step(
    trace: Trace, number: int, producer: str, receiver: str, label: str, step: int,
) -> None:
    rung = drawn(trace)[number]
    assert (rung.producer, rung.receiver, rung.step) == (producer, receiver, step)
    assert rung.label.startswith(label)


def test_acks_and_polls_are_folded_and_long_silences_told(trace: Trace) -> None:
    assert [each.text for each in rungs(trace) if isinstance(each, Fold)] == ["... 59.6 s of silence"]
    assert sorted(drawn(trace)) == [1, 2, 3, 4, 5, 6, 7, 10]


def test_evidence_is_never_folded(trace: Trace) -> None:
    kept = {each.number for each in rungs(trace, keep={8, 9}) if isinstance(each, Rung)}
    assert {8, 9} <= kept


def test_a_log_line_is_drawn_only_where_it_is_evidence() -> None:
    trace = sample_run.trace("log")
    written = trace.append(61.0, Point.LOG, "log", b"the key is 42", Actor.ESI).number
    assert written not in drawn(trace)
    [line] = [each for each in rungs(trace, keep={written}) if isinstance(each, Rung) and each.number == written]
    assert (line.producer, line.text, line.heard_by([Actor.ESI, Actor.HAN_DEVICE])) == (Actor.ESI, "log: the key is 42", [])
    assert "log: the key is 42" in as_svg([line], {})


@pytest.mark.parametrize(("keep", "numbers", "told"), [
    ((), [10, 11], "Beacon Request (to all), 4 times in 40.0 s"), ((13,), [10, 11, 12, 13, 14], "Beacon Request (to all)"),
])
def test_what_is_said_again_and_again_is_drawn_once(keep: tuple[int, ...], numbers: list[int], told: str) -> None:
    trace = sample_run.trace("again")
    for time in (70.0, 80.0, 90.0, 110.0):
        trace.append(time, Point.MAC, "air", trace[5].octets, Actor.HAN_DEVICE)
    ladder = [each for each in rungs(trace, keep) if isinstance(each, Rung)]
    assert [rung.number for rung in ladder if rung.number >= 10] == numbers
    assert ladder[-1].text == told


def test_lifelines_stand_in_the_order_of_the_use_case(trace: Trace) -> None:
    stranger = Rung(99, 70.0, "stranger", Actor.ESI, "Association Request", 5, "arrived")
    assert lifelines([*rungs(trace), stranger]) == [
        Actor.DR_APPLICATION, Actor.AMI_HEAD_END, Actor.AMI_NETWORK, Actor.ESI, Actor.HAN_DEVICE, "stranger",
    ]
    beacon = Rung(1, 0.0, Actor.ESI, "", "Beacon", 5, "arrived", radios=frozenset({"stranger", Actor.ESI}))
    assert beacon.heard_by([*lifelines([stranger]), "HAN Device 2"]) == ["stranger"]


def test_what_is_beside_the_use_case_is_told_apart() -> None:
    """The machines of a second meter, on an air of their own, and what an answer or a flaw says."""
    told = Trace(sample_run.trace("sample").header)
    beacon = bytes.fromhex("00801234120000ff4f000000228400000000000000000000ffffff00")
    for air, producer in (("air:15", Actor.ESI), ("air 2:15", second(Actor.ESI))):
        told.append(1.0, Point.MAC, air, beacon, producer)
        told.append(1.1, Point.MAC, air, bytes.fromhex("03080affffffff07"), "HAN Device 2" if "2" in air else Actor.HAN_DEVICE)
    told.append(2.0, Point.LEG, "3", b"noise", Actor.AMI_NETWORK, second(Actor.NIC))
    for reply in ("<Result>OK</Result><Error><code>0.3</code></Error>", "<Result>FAILED</Result><Error><code>2.4</code></Error>"):
        answer = f"<M><Header><Verb>reply</Verb><Noun>N</Noun></Header><Reply>{reply}</Reply></M>"
        told.append(3.0, Point.CIM, "cim", answer.encode(), Actor.CIS, Actor.DR_APPLICATION)
    told.append(4.0, Point.CIM, "cim", b"<M", Actor.CIS, Actor.DR_APPLICATION, about={"flaw": "closed in the middle"})
    ladder = rungs(told)
    heard = [each.heard_by(lifelines(ladder)) for each in ladder if isinstance(each, Rung) and not each.receiver]
    assert heard == [["HAN Device"], ["ESI"], ["HAN Device 2"], ["ESI 2"]]
    assert [each.label for each in ladder[-3:] if isinstance(each, Rung)] == [
        "reply N: acknowledged", "reply N: FAILED 2.4", "unreadable message, 2 octets: closed in the middle",
    ]
    assert [each.step for each in ladder if isinstance(each, Rung) and each.receiver == "NIC 2"] == [3]
    assert "ESI2 = ESI 2" in as_text(ladder, {})


def test_the_text_has_one_line_an_arrow(trace: Trace, tmp_path: Path) -> None:
    text, _ = ladder.draw(trace, tmp_path, MARKS)
    lines = text.read_text().splitlines()
    assert "DRA" in lines[0]
    assert "|" in lines[1]
    assert lines[1].split() == ["0.000", "1", "01", "o--->|", "|", "|", "|", "create", "EndDeviceControls"]
    assert any("..x" in line or "x." in line for line in lines if "(lost)" in line)
    [told] = [line for line in lines if "<== fail: UC2.7-06-KEY-SEALED@ESI" in line]
    assert told.split()[1] == "10"


def test_the_picture_is_well_formed_and_asks_for_nothing(trace: Trace, tmp_path: Path) -> None:
    _, picture = ladder.draw(trace, tmp_path, MARKS, "here")
    root = etree.fromstring(picture.read_bytes())
    identifiers = {element.get("id") for element in root.iter() if element.get("id")}
    assert identifiers == {f"here-{number}" for number in drawn(trace)}
    assert list(root.iter("{*}image", "{*}script", "{*}use", "{*}a")) == []
    assert "url(" not in picture.read_text()
    assert "@import" not in picture.read_text()
    assert "✗ UC2.7-06-KEY-SEALED@ESI" in picture.read_text()


def test_no_label_is_cut_and_lifelines_keep_apart(trace: Trace) -> None:
    root = etree.fromstring(as_svg(rungs(trace), {}))
    places = sorted({float(line.get("x1", "0")) for line in root.iter("{*}line") if line.get("class") == "life"})
    assert all(right - left > 60 for left, right in pairwise(places))


def test_what_a_device_says_stays_text() -> None:
    rung = Rung(1, 0.0, Actor.ESI, Actor.HAN_DEVICE, sample_run.HOSTILE, 9, "arrived")
    assert "<script" not in as_svg([rung], {})
