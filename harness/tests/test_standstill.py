"""The bench's clock stands still while a person is asked, and is behind on a busy machine: no fail comes of it, and none is lost."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import cache
from typing import Any

import pytest

from cases.table import find
from dissectors import mac
from dissectors.nwk import RejoinResponse
from harness import faults
from harness.bench import Bench
from harness.bench_time import Meanwhile, aside, begin
from harness.building import hears_the_real
from harness.checkers.orders import windows
from harness.checkers.standstill import by_a_clock_of_its_own
from harness.clock import LiveClock, VirtualClock
from harness.judge import Judgement, judge
from harness.plan import Plan
from harness.radio_declaration import Plugged
from harness.tests.sample_run import _command
from harness.tests.sample_run import trace as sample_trace
from harness.tests.test_capture_health import good_run, judged, of, part_of
from harness.tests.test_defects import BREAKING, bench_file
from harness.trace import BEHIND, STOOD, Attestation, Trace
from harness.usecase import Actor, Point
from harness.verdict import Verdict

SCANS, REJOINS = find("UC2.7-05-SCAN-ATTEMPTS"), find("UC2.7-06-REJOIN-PACE")
TIME, STATUS, UNREPORTED = find("UC2.7-07-TIME@ESI"), find("UC2.7-09-EVENT-STATUS"), "09-device-arrival-unreported"
AN_OCTET = 1e-5  # of the time that stood still, what is left of a second where frames follow one another by their airtime


def stopped(trace: Trace, at: float, seconds: float, dut: tuple[Actor, ...], *, noted: bool = True, left: float = AN_OCTET) -> Trace:
    """The same run as a bench would have recorded it whose clock stood still for so long: the others went on meanwhile."""
    def then(time: float) -> float:
        return time - max(0.0, min(time - at, seconds)) * (1.0 - left)

    part = part_of(trace, (
        replace(each, time=then(each.time), about={
            name: then(value) if name == "arrives" else value for name, value in each.about.items()
        }) for each in trace
    ), dut)
    part.attestations = [replace(each, end=None if each.end is None else then(each.end)) for each in part.attestations]
    marks = [{**each, "at": then(each["at"])} for each in part.header.about["marks"]]
    about = {STOOD: [[at, then(at + seconds), seconds]]} if noted else {}
    part.header = replace(part.header, about={**part.header.about, "marks": marks, **about})
    return part


@pytest.mark.parametrize("dut", [Actor.HAN_DEVICE, Actor.ESI])
@pytest.mark.parametrize("at", [20.0, 61.5, 65.0, 100.0, 200.0])
def test_no_fail_comes_of_a_clock_that_stood_still(at: float, dut: Actor) -> None:
    judgements = judged(stopped(good_run(), at, 30.0, (dut,)))
    assert of(judgements, Verdict.FAIL) == of(judgements, Verdict.ERROR) == []


def test_that_there_would_be_some() -> None:
    """Where nothing is noted, and where what was heard meanwhile bears one instant."""
    assert of(judged(stopped(good_run(), 20.0, 30.0, (Actor.ESI,), noted=False)), Verdict.FAIL) != []
    assert of(judged(stopped(good_run(), 65.0, 30.0, (Actor.HAN_DEVICE,), left=0.0)), Verdict.FAIL) != []


def scans(*times: float, stood: Sequence[list[float]] = (), behind: Sequence[list[float]] = ()) -> Judgement:
    """Beacon requests of a device on channel 11, judged by how it pauses."""
    trace = Trace(replace(sample_trace("scans").header, about={STOOD: stood, BEHIND: behind, "marks": []}))
    trace.attest(Attestation(Point.MAC, "air:11", 0.0))
    to_all = {"dest_mode": mac.AddressMode.SHORT, "dest_pan": mac.BROADCAST, "dest_short": mac.BROADCAST}
    for time in times:
        trace.append(time, Point.MAC, "air:11", _command(mac.BeaconRequest.of(), **to_all))
    (judgement,) = judge(trace, [SCANS])
    return judgement


SCANNED = (10.0, 11.0, 12.0, 72.0)


def test_pauses_that_are_right_are_no_fail_though_they_seem_too_short() -> None:
    """The third scan and the back-off fall into a minute in which somebody was asked."""
    seen = (10.0, 11.0, 11.6, 12.2)
    assert scans(*SCANNED).verdict is Verdict.PASS
    assert scans(*seen).verdict is Verdict.FAIL
    asked = scans(*seen, stood=[[11.6, 11.6, 59.8]])
    assert scans(10.0, 10.6, stood=[[9.5, 10.6, 30.0]]).verdict is Verdict.INCONC, "both were heard meanwhile"
    assert asked.verdict is Verdict.INCONC
    assert "the bench's clock stood still or was behind, for 59.8 s" in asked.findings[0].message


def test_a_machine_that_was_behind_is_no_device_s_fail() -> None:
    assert scans(10.0, 10.85, behind=[[10.5, 10.85, 0.15]]).verdict is Verdict.INCONC
    assert scans(10.0, 10.85, behind=[[10.0 + each / 10, 10.01 + each / 10, 0.04] for each in range(9)]).verdict is Verdict.FAIL


@pytest.mark.parametrize("stood", [[9.9, 9.9, 60.0], [30.0, 30.0, 60.0], [10.1, 10.2, 0.01]])
def test_what_is_seen_beside_it_stays_a_fail(stood: list[float]) -> None:
    assert scans(10.0, 10.6, 11.2, stood=[stood]).verdict is Verdict.FAIL


def test_a_back_off_that_was_seen_before_a_standstill_counts_from_there() -> None:
    """What goes on scanning afterwards cites the scan with which it began: the pause in between cannot be told."""
    judgement = scans(10.0, 11.0, 12.0, 13.0, stood=[[10.5, 10.5, 60.0]])
    assert judgement.verdict is Verdict.INCONC


def test_what_is_wrong_again_beyond_a_standstill_is_a_fail() -> None:
    """The first pauses were while a person pressed its button; those that follow were not."""
    stood = [[9.5, 10.6, 8.0]]
    assert scans(10.0, 10.6, 11.7, stood=stood).verdict is Verdict.INCONC
    judgement = scans(10.0, 10.6, 11.7, 12.3, stood=stood)
    assert judgement.verdict is Verdict.FAIL
    assert [each.evidence for each in judgement.findings] == [(3, 4)]


def test_scans_that_never_back_off_are_a_fail_by_those_that_follow_a_standstill_alone() -> None:
    stood = [[9.5, 10.0, 30.0]]
    assert scans(10.0, 11.0, 12.0, 13.0, stood=stood).verdict is Verdict.INCONC
    judgement = scans(10.0, 11.0, 12.0, 13.0, 14.0, stood=stood)
    assert judgement.verdict is Verdict.FAIL
    assert [each.evidence for each in judgement.findings] == [(2, 4, 5)]


@pytest.mark.parametrize(("ahead", "missing", "verdict"), [
    (0.0, 0.0, Verdict.PASS), (3.0, 0.0, Verdict.FAIL), (-3.0, 60.0, Verdict.FAIL), (1.0, 60.0, Verdict.PASS),
    (30.0, 60.0, Verdict.INCONC), (59.0, 60.0, Verdict.PASS), (63.0, 60.0, Verdict.FAIL),
])
def test_another_s_clock_may_be_ahead_by_what_the_bench_s_missed_and_never_behind(ahead: float, missing: float, verdict: Verdict) -> None:
    assert by_a_clock_of_its_own(ahead, missing, 2.0) is verdict


@pytest.mark.parametrize(("id", "defect", "provocation", "given"), [
    ("UC2.7-08-NO-RESOURCES", "08-device-does-not-wait", "esi-is-busy", 60),
    ("UC2.7-08-PATIENCE", "08-device-has-no-patience", "esi-takes-its-time", None),
])
def test_a_wait_over_which_the_bench_missed_time_is_nobody_s_fail(id: str, defect: str, provocation: str, given: Any) -> None:
    bench = Bench(
        bench_file(), bench_file().devices[1], Plan(provocation=provocation, provoked_with=given), defects=(BREAKING[defect],),
    )
    bench.play()
    bench.close()
    trace = part_of(bench.trace, bench.trace, (Actor.HAN_DEVICE,))

    def judgement(*stood: float) -> Judgement:
        trace.header.about[STOOD] = [[at, at, 40.0] for at in stood]
        return next(each for each in judge(trace, [find(id)]) if each.actor is Actor.HAN_DEVICE)

    fails = [each.evidence for each in judgement().findings if each.verdict is Verdict.FAIL]
    waits = [sorted(trace[number].time for number in evidence) for evidence in fails]
    assert waits != []
    assert judgement(*((first + last) / 2 for first, *_, last in waits)).verdict is Verdict.INCONC
    assert judgement(waits[0][0] - 1.0, waits[-1][-1] + 1.0).verdict is Verdict.FAIL


def test_a_device_that_never_pauses_is_a_fail_by_its_tries_after_a_standstill_alone() -> None:
    bench = Bench(
        bench_file(), bench_file().devices[1], Plan(provocation="esi-is-always-busy"), defects=(BREAKING["08-device-never-pauses"],),
    )
    bench.play()
    bench.wait_out()
    bench.close()
    trace = part_of(bench.trace, bench.trace, (Actor.HAN_DEVICE,))

    def judgement(*stood: float) -> Judgement:
        trace.header.about[STOOD] = [[at, at, 40.0] for at in stood]
        return judge(trace, [find("UC2.7-08-RETRY-PAUSE")])[0]

    (first,) = [trace[each.evidence[0]].time for each in judgement().findings if each.verdict is Verdict.FAIL]
    assert judgement(first + 1.0).verdict is Verdict.FAIL
    assert judgement(*range(0, round(bench.now), 10)).verdict is Verdict.INCONC


def test_an_esi_that_reports_by_utc_is_right_where_the_bench_lags_behind_that_and_wrong_where_nothing_explains_it() -> None:
    def verdict(trace: Trace) -> Verdict:
        return judge(trace, [find("UC2.7-10-TIMELY")])[0].verdict

    assert verdict(stopped(good_run(), 20.0, 30.0, (Actor.ESI,), noted=False)) is Verdict.FAIL
    trace = stopped(good_run(), 20.0, 30.0, (Actor.ESI,))
    assert verdict(trace) is Verdict.PASS
    trace.header.about[STOOD] = [[20.0, 20.0, 60.0]]
    assert verdict(trace) is Verdict.INCONC
    trace.header.about[STOOD] = [[20.0, 20.0, 20.0]]
    assert verdict(trace) is Verdict.FAIL


def besieging() -> Trace:
    bench = Bench(bench_file(), bench_file().devices[1], defects=(BREAKING["06-besieges"],))
    bench.open()
    bench.join()
    with bench.air.suffering(faults.drop(RejoinResponse, times=None)):
        bench.power_cycle(Actor.HAN_DEVICE)
        bench.settle()
    bench.close()
    return part_of(bench.trace, bench.trace, (Actor.HAN_DEVICE,))


def test_a_siege_after_the_person_has_cut_the_power_is_a_fail() -> None:
    trace = besieging()
    (cut,) = [each["at"] for each in trace.header.about["marks"] if each["verb"] == "power_cycle"]

    def verdict(*stood: list[float]) -> Verdict:
        trace.header.about[STOOD] = list(stood)
        return judge(trace, [REJOINS])[0].verdict

    assert verdict() is verdict([cut, cut, 40.0]) is Verdict.FAIL
    assert verdict([cut + 20.0, cut + 20.0, 40.0]) is Verdict.FAIL, "it goes on besieging"
    assert verdict(*([cut + after, cut + after, 40.0] for after in range(0, 500, 20))) is Verdict.INCONC


def test_a_meter_whose_window_ran_on_closed_it_in_time_and_one_that_closed_it_far_too_early_did_not() -> None:
    """30 s stood still inside the window: what closes so much earlier is right, what closes another minute earlier is not."""
    trace = stopped(good_run(), 100.0, 30.0, (Actor.ESI,))
    (window,) = windows(trace)
    assert window.earlier == 30.0
    assert window.is_open(window.ends - 33.0, 2.0)
    assert not window.is_open(window.ends - 31.0, 2.0)
    assert window.is_open(window.ends + 1.0, -2.0)
    assert windows(stopped(good_run(), 5.0, 30.0, (Actor.ESI,)))[0].earlier == 30.0, "its end is ordered in UTC, which ran before as well"
    by_hand = stopped(good_run(), 5.0, 30.0, (Actor.NIC, Actor.ESI))
    by_hand.attestations = [each for each in by_hand.attestations if each.point is not Point.LEG]
    assert windows(by_hand)[0].earlier == 0.0, "a person opens it for as long as was ordered"


@cache
def with_an_event(*defects: str) -> tuple[Trace, float]:
    """A run in which an event is published when all is at rest, and when that is."""
    bench = Bench(bench_file(), bench_file().devices[1], defects=tuple(BREAKING[each] for each in defects))
    bench.play()
    rest = bench.now
    bench.publish("event", starts_in=60)
    bench.close()
    return bench.trace, rest


def of_the_event(trace: Trace, at: float, *, noted: bool) -> Verdict:
    return judge(stopped(trace, at, 120.0, (Actor.HAN_DEVICE,), noted=noted), [STATUS])[0].verdict


@pytest.mark.parametrize("after", [-300.0, 20.0])
def test_a_device_whose_clock_went_on_begins_its_event_no_sooner_than_it_should(after: float) -> None:
    """Two minutes stood still since it set its clock: before the event came, or after."""
    trace, rest = with_an_event()
    assert of_the_event(trace, rest + after, noted=False) is Verdict.FAIL
    assert of_the_event(trace, rest + after, noted=True) is Verdict.INCONC


def test_an_event_that_is_never_reported_stays_a_fail_and_so_does_what_was_before_the_clock_was_set() -> None:
    trace, rest = with_an_event(UNREPORTED)
    assert of_the_event(trace, 61.0, noted=True) is of_the_event(trace, rest + 20.0, noted=True) is Verdict.FAIL


def test_an_esi_whose_clock_went_on_has_a_clock_that_runs() -> None:
    bench = Bench(bench_file(), bench_file().devices[1])
    bench.play()
    bench.ask(Actor.ESI, "time")
    bench.close()

    def verdict(at: float, *, noted: bool) -> Verdict:
        return judge(stopped(bench.trace, at, 300.0, (Actor.ESI,), noted=noted), [TIME])[0].verdict

    assert (verdict(150.0, noted=False), verdict(150.0, noted=True)) == (Verdict.FAIL, Verdict.PASS)
    assert verdict(20.0, noted=True) is Verdict.PASS, "it was told for the first time meanwhile"


# -- what a bench notes of it


class Reading:
    """A clock of the machine, to be set."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now = 100.0
        monkeypatch.setattr("harness.clock.time.monotonic", lambda: self.now)


def noted(make: Callable[[LiveClock, Trace, Reading], None], monkeypatch: pytest.MonkeyPatch, **about: object) -> Any:
    """What the header has of it."""
    reading = Reading(monkeypatch)
    trace = Trace(replace(sample_trace("noted").header, about=dict(about)))
    make(LiveClock(), trace, reading)
    return trace.header.about


def waits(clock: LiveClock, trace: Trace, reading: Reading) -> None:
    with aside(clock, trace)():
        reading.now += 12.5
    with aside(VirtualClock(), trace)():
        reading.now += 1.0


def test_how_long_a_clock_stood_still_is_noted_where_something_real_is_heard(monkeypatch: pytest.MonkeyPatch) -> None:
    assert noted(waits, monkeypatch, **{STOOD: []}) == {STOOD: [[0.0, 0.0, 12.5]]}
    assert noted(waits, monkeypatch) == {}, "on a virtual air every frame comes at its own instant"


def opens(clock: LiveClock, trace: Trace, reading: Reading) -> None:
    reading.now += 3.25
    begin(clock, trace)
    reading.now += 1.0
    assert clock.at(reading.now) == 1.0


def test_what_opening_radios_took_is_time_by_which_utc_is_ahead(monkeypatch: pytest.MonkeyPatch) -> None:
    assert noted(opens, monkeypatch, **{STOOD: []}) == {STOOD: [[0.0, 0.0, 3.25]]}


def takes(clock: LiveClock, trace: Trace, reading: Reading) -> None:
    meanwhile = Meanwhile(clock, trace)
    with aside(clock, trace)():
        reading.now += 12.5
    for heard, is_all in ((0.002, False), (0.003, True), (0.5, True)):
        meanwhile.look(0.0)
        trace.append(heard, Point.MAC, "air:11", b"")
        meanwhile.took(is_all)


def test_what_was_heard_meanwhile_is_noted_up_to_the_last_of_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each a little after the other: the last of them must not be taken for what came afterwards."""
    assert noted(takes, monkeypatch, **{STOOD: []}) == {STOOD: [[0.0, 0.003, 12.5]]}


@pytest.mark.parametrize(("esi", "radios", "hears"), [
    ("harness.adapters.virtual_esi:VirtualEsi", {}, False), ("harness.adapters.zigpy_esi:ZigpyEsi", {}, True),
    ("harness.adapters.virtual_esi:VirtualEsi", {"ESI": Plugged("a:Radio")}, True), ("harness.adapters.real_device:RealDevice", {}, False),
])
def test_something_real_is_heard_by_radios_and_by_a_network_co_processor(esi: str, radios: dict[str, Plugged], hears: bool) -> None:
    file = bench_file()
    changed = replace(file, radios=radios, adapters={**file.adapters, Actor.ESI: replace(file.adapters[Actor.ESI], adapter=esi)})
    assert hears_the_real(changed) is hears


def works(clock: LiveClock, trace: Trace, reading: Reading) -> None:
    meanwhile = Meanwhile(clock, trace)
    for now, read in ((1.0, 101.01), (1.5, 101.8), (1.6, 101.7), (2.0, 102.0), (3.0, 103.5)):
        reading.now = read
        meanwhile.look(now)
        trace.append(now + 0.001, Point.MAC, "air:11", b"")
        meanwhile.took(is_all=True)


def test_where_a_bench_was_behind_is_noted_once_and_by_how_much(monkeypatch: pytest.MonkeyPatch) -> None:
    assert noted(works, monkeypatch, **{STOOD: []}) == {STOOD: [], BEHIND: [[1.0, 1.601, 0.3], [2.0, 3.001, 0.5]]}
    assert noted(works, monkeypatch) == {}
