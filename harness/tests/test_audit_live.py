"""`--follow` at a cost that does not grow: what is over keeps its verdicts and loses its frames, and no frame is decoded twice."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import cast

import pytest

from dissectors import mac
from dissectors.capture import CapturedFrame
from dissectors.frame import Frame
from harness.audit.intake import Intake
from harness.audit.known import Known
from harness.audit.live import AFTERWARDS, BEFORE, FORGETTING, SETTLED, Live
from harness.audit.verdicts import Audited
from harness.checkers import reading
from harness.tests.field_captures import asked, audited, authority_of, packets, run_of
from harness.tests.test_audit import of, the_one
from harness.verdict import Verdict

HOUR = 3600.0
EVERY = 5.0  # seconds between two polls
BEACON_REQUEST = bytes.fromhex("0308")  # its frame control


def followed(heard: Iterable[CapturedFrame], *devices: str) -> tuple[Live, list[Audited], list[int]]:
    """Live judging with what it told, and how many frames it held after each packet."""
    runs = [run_of(device) for device in devices]
    intake = Intake([key for run in runs for key in run.keys])
    live, told, held = Live(intake, asked(), Known(authority=authority_of(runs[0]))), [], []
    for packet in heard:
        intake.take(packet)
        told += live.look()
        held.append(len(intake.taken))
    return live, told, held


def later(heard: Iterable[CapturedFrame], seconds: float, number: int = 0) -> list[CapturedFrame]:
    return [replace(each, time=each.time + seconds, number=each.number + number) for each in heard]


def polled(heard: list[CapturedFrame], seconds: float) -> list[CapturedFrame]:
    """What was heard, and after it a device that does nothing but poll: an air that is never silent."""
    last = next(each for each in reversed(heard) if each.octets[0] & 7 == mac.FrameType.COMMAND).octets
    more = []
    for place in range(1, 1 + int(seconds / EVERY)):
        octets = last[:2] + bytes([(last[2] + place) % 256]) + last[3:-2]  # the next MAC sequence number
        time, number = heard[-1].time + place * EVERY, heard[-1].number + place
        more.append(replace(heard[-1], time=time, number=number, octets=octets + mac.fcs(octets)))
    return [*heard, *more]


def verdicts(join: Audited) -> dict[str, Verdict]:
    return {each.id: each.verdict for each in join.judgements}


def test_what_is_over_keeps_its_verdicts_and_nothing_else() -> None:
    """Two devices an hour apart: each has the verdicts of its own capture, and what is held is of the last while."""
    one, other = packets(run_of("load_control")), packets(run_of("pct"))
    live, told, held = followed(polled([*one, *later(other, HOUR, len(one))], HOUR), "load_control", "pct")
    assert max(held) < len(other) + (BEFORE + FORGETTING + AFTERWARDS) / EVERY
    assert held[-1] < (BEFORE + 2 * FORGETTING) / EVERY
    joins = live.end()
    assert [join.device for join in joins] == [str(run_of(device).header.order.device) for device in ("load_control", "pct")]
    assert verdicts(joins[0]) == verdicts(the_one(audited(run_of("load_control"))))
    assert verdicts(joins[1]) == verdicts(the_one(audited(run_of("pct"))))
    assert {join.device: verdicts(join) for join in told} == {join.device: verdicts(join) for join in joins}, "told last as it ends"


def test_a_join_is_told_soon_and_again_only_when_verdicts_have_changed() -> None:
    heard = polled(packets(run_of("load_control")), AFTERWARDS)
    (soon,) = followed(heard, "load_control")[1]
    told_at = next(each.time for each in heard if each.number == soon.packets[1]) - heard[0].time
    assert told_at < 2 * SETTLED < packets(run_of("load_control"))[-1].time - heard[0].time, "long before the run ends"
    somebody = next(each for each in heard if each.octets[:2] == BEACON_REQUEST)
    place = next(place for place, each in enumerate(heard) if each.time > heard[0].time + 2 * told_at + SETTLED)
    stranger = later([somebody], heard[place].time - somebody.time)
    first, again = followed([*heard[:place], *stranger, *heard[place:]], "load_control")[1]
    changed = {each for each in verdicts(first) if verdicts(first)[each] is not verdicts(again)[each]}
    assert changed == {"UC2.7-05-SCAN-ATTEMPTS@HAN Device"}, "who sent it, nothing says"
    assert first.packets[1] == soon.packets[1]


@pytest.mark.parametrize("device", ["pct", "load_control"])
def test_what_was_opened_once_is_not_decoded_again(device: str, monkeypatch: pytest.MonkeyPatch) -> None:
    decoded: list[bytes] = []

    def decode(octets: bytes, ring: object) -> Frame:
        decoded.append(octets)
        return cast(Frame, original(octets, ring))

    original = vars(reading)["decode"]
    monkeypatch.setattr(reading, "decode", decode)
    assert of(the_one(audited(run_of(device))).judgements, Verdict.PASS)
    assert decoded == []


def test_a_key_that_is_established_anew_when_a_join_is_over_is_a_join_without_its_beginning() -> None:
    heard = packets(run_of("load_control"))
    live, _, _ = followed([*polled(heard, HOUR), *later(heard[60:], 2 * HOUR, int(HOUR))], "load_control")
    first, again = live.end()
    assert (first.begins, again.begins, again.device) == (True, False, first.device)
    assert verdicts(first) == verdicts(the_one(audited(run_of("load_control"))))
    assert of(again.judgements, Verdict.PASS)
    assert of(again.judgements, Verdict.FAIL) == set()


@pytest.mark.parametrize("at", [3, 35, 100])
def test_a_time_stamp_out_of_the_blue_neither_ends_live_judging_nor_fails_anybody(at: int) -> None:
    """Time that has not passed proves no absence, also not until the next packet tells that it has not."""
    heard = polled(packets(run_of("load_control")), 2 * AFTERWARDS)
    live, told, held = followed([*heard[:at], replace(heard[at], time=heard[at].time + 1e7), *heard[at + 1 :]], "load_control")
    assert [of(join.judgements, Verdict.FAIL) for join in [*told, *live.end()]] == [set()] * (len(told) + 1)
    assert told
    assert held[-1] < len(heard)
    again = polled(later(packets(run_of("pct")), HOUR, len(heard)), 10 * EVERY)
    live, told, _ = followed([*heard[:at], replace(heard[at], time=heard[at].time + 1e7), *heard[at + 1 :], *again], "load_control", "pct")
    assert live.end()[-1].missing == (), "hours later it is forgotten"


def test_a_clock_that_is_set_back_by_an_hour_ends_no_live_judging() -> None:
    heard = polled(packets(run_of("load_control")), 60 * EVERY)
    live, told, _ = followed([*later(heard[:20], HOUR), *heard[20:]], "load_control")
    assert told, "though it is not yet as late as it was"
    assert of(the_one(live.end()).judgements, Verdict.FAIL) == set()


def test_frames_that_come_late_are_judged_in_their_place() -> None:
    heard = packets(run_of("load_control"))
    for place in range(0, len(heard) - 1, 7):
        heard[place], heard[place + 1] = heard[place + 1], heard[place]
    live, _, _ = followed(heard, "load_control")
    assert verdicts(the_one(live.end())) == verdicts(the_one(audited(run_of("load_control"), heard)))


def test_a_capture_of_what_cannot_be_read_is_followed_as_well() -> None:
    first = packets(run_of("load_control"))[0]
    wrong = replace(first, octets=first.octets[:-1] + bytes([first.octets[-1] ^ 1]))
    live, told, held = followed([*later([first], 0.0), *(later([wrong], 100.0 * place)[0] for place in range(1, 9))], "load_control")
    assert (told, held[0], held[-1], live.end()) == ([], 1, 0, [])
