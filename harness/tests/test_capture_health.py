"""Evidence with holes: no fail for what is missing, no pass without it, and the cause named; silence in whole evidence is a fail.

What leaves no mark is listed here: a MAC acknowledgement that is taken away, for nobody numbers it.
"""

from __future__ import annotations

import random
from collections.abc import Iterable
from dataclasses import replace
from functools import cache

import pytest

from cases.table import clauses
from dissectors.mac import FrameType
from harness.bench import Bench
from harness.checkers.capture_health import gaps
from harness.checkers.reading import attested
from harness.judge import Judgement, judge
from harness.tests.test_defects import BREAKING, bench_file
from harness.trace import TRANSMITTED, Attestation, Exchange, Key, Trace
from harness.usecase import Actor, Point
from harness.verdict import Verdict

ACK_BITS = 0x07  # of a frame's first octet, where its type stands
ACK_LENGTH = 5  # octets
DUTS = [(), (Actor.ESI,), (Actor.HAN_DEVICE,)]


@cache
def good_run(device: int = 1) -> Trace:
    """The undisturbed provisioning of a device: by default the one that does not sleep."""
    bench = Bench(bench_file(), bench_file().devices[device])
    bench.play()
    bench.close()
    return bench.trace


def part_of(trace: Trace, kept: Iterable[Exchange], dut: tuple[Actor, ...] = ()) -> Trace:
    """The same evidence with these exchanges alone, numbered anew as a capture would be; who is under test counts nothing."""
    sent = {name: count for name, count in trace.header.about[TRANSMITTED].items() if name not in dut}
    part = Trace(replace(trace.header, dut=dut, about={**trace.header.about, TRANSMITTED: sent}))
    part.attestations, part.keys, part.leg_codec = trace.attestations, trace.keys, trace.leg_codec
    numbers: dict[int, int] = {}
    for each in kept:
        about = {name: numbers.get(value, 0) if name == "instead_of" else value for name, value in each.about.items()}
        part.exchanges.append(replace(each, number=len(part) + 1, about=about))
        numbers[each.number] = len(part)
    return part


def thinned(trace: Trace, share: float, seed: int, dut: tuple[Actor, ...] = ()) -> Trace:
    """Without a share of its frames, drawn by chance."""
    frames = [each.number for each in trace.at(Point.MAC)]
    gone = set(random.Random(seed).sample(frames, round(len(frames) * share)))
    return part_of(trace, (each for each in trace if each.number not in gone), dut)


def judged(trace: Trace) -> list[Judgement]:
    return judge(trace, clauses().values())


def on_air(judgements: Iterable[Judgement]) -> list[Judgement]:
    return [each for each in judgements if Point.MAC in clauses()[each.clause].needs and not each.not_applicable]


def of(judgements: Iterable[Judgement], verdict: Verdict) -> list[str]:
    return [each.id for each in judgements if each.verdict is verdict]


@pytest.mark.parametrize("dut", DUTS, ids=["nobody", "ESI", "HAN Device"])
def test_whole_evidence_has_no_gap_and_no_fail(dut: tuple[Actor, ...]) -> None:
    trace = thinned(good_run(), 0.0, 0, dut)
    assert gaps(trace) == ()
    assert of(judged(trace), Verdict.FAIL) == of(judged(trace), Verdict.INCONC) == []


def said_twice(trace: Trace, *, ack: bool) -> Trace:
    """The ESI's first frame (its first acknowledgement) comes twice, and its radio says that it sent one frame more."""
    first = next(
        each.number for each in trace.at(Point.MAC)
        if each.producer == Actor.ESI and (each.octets[0] & ACK_BITS == FrameType.ACK) == ack
    )
    counted = dict(trace.header.about[TRANSMITTED])
    counted[Actor.ESI] += 1
    grown = part_of(trace, (each for exchange in trace for each in [exchange] * (1 + (exchange.number == first))))
    grown.header = replace(grown.header, about={**grown.header.about, TRANSMITTED: counted})
    return grown


def test_the_same_octets_given_out_twice_are_no_gap() -> None:
    assert gaps(said_twice(good_run(), ack=False)) == ()


@pytest.mark.parametrize("stranger", [Actor.ESI, Actor.HAN_DEVICE])
def test_what_somebody_says_by_another_address_or_by_none_is_no_gap(stranger: Actor) -> None:
    """Nobody of the bench's own says who it is, nor that it was reset: association responses bear another address than everything between
    them, beacon requests bear none."""
    bench = Bench(bench_file(), bench_file().devices[0])
    bench.open()
    bench.join()
    bench.join_again()
    bench.close()
    nameless = (replace(each, producer=None) if each.producer == stranger else each for each in bench.trace)
    by_address = part_of(bench.trace, nameless, (stranger,))
    by_address.header.about.pop("marks")
    assert gaps(by_address) == ()


def test_an_acknowledgement_that_came_twice_makes_up_for_no_frame() -> None:
    assert [each.cause for each in gaps(said_twice(good_run(), ack=True))] != []


@pytest.mark.parametrize("share", [0.01, 0.05, 0.2, 1.0])
@pytest.mark.parametrize("dut", DUTS, ids=["nobody", "ESI", "HAN Device"])
def test_frames_that_are_missing_are_nobodys_fail(dut: tuple[Actor, ...], share: float) -> None:
    """No false fail at all; and whatever is taken away, acknowledgements alone excepted, leaves a mark."""
    passing = set(of(judged(good_run()), Verdict.PASS))
    for seed in range(1 if share == 1.0 else 3):
        trace = thinned(good_run(), share, seed, dut)
        judgements = judged(trace)
        assert of(judgements, Verdict.FAIL) == of(judgements, Verdict.ERROR) == []
        assert set(of(on_air(judgements), Verdict.PASS)) <= passing, "something passes only since frames are missing"
        if gaps(trace):
            assert of(on_air(judgements), Verdict.NONE) == [], "a question that is gone is not said to be"
        else:
            assert numbered(trace) == numbered(good_run())


def numbered(trace: Trace) -> int:
    """How many frames there are that somebody numbers."""
    return sum(each.octets[0] & ACK_BITS != FrameType.ACK for each in trace.at(Point.MAC))


def test_nothing_on_the_air_passes_without_its_frames() -> None:
    judgements = on_air(judged(thinned(good_run(), 1.0, 0)))
    assert {each.verdict for each in judgements} == {Verdict.INCONC}
    assert all("frames are missing" in each.findings[-1].message for each in judgements)


def test_a_frame_that_a_pass_rests_on_is_missed() -> None:
    """Each single frame that an ESI's pass cites, taken away: the clause passes on another frame, or is inconclusive."""
    trace = good_run()
    whole = {each.id: each for each in on_air(judged(trace)) if each.verdict is Verdict.PASS and each.actor is Actor.ESI}
    for identity in ("UC2.7-06-KEY-SEALED@ESI", "UC2.7-06-SHORT-ADDRESS@ESI", "UC2.7-08-MAC-V@ESI"):
        cited = {number for finding in whole[identity].findings for number in finding.evidence}
        lost = [replace(each, number=each.number) for each in trace if each.number not in cited]
        again = next(each for each in judged(part_of(trace, lost)) if each.id == identity)
        assert again.verdict is Verdict.INCONC, identity
        assert "missing" in again.findings[-1].message


@pytest.mark.parametrize(("kind", "named"), [
    ("link", "for want of the link key"), ("ic", "for want of the install code's key"), ("all", "for want of the network key"),
])
def test_a_wrong_key_is_named_and_nobodys_fail(kind: str, named: str) -> None:
    trace = thinned(good_run(), 0.0, 0)
    trace.keys = [
        Key(key.kind, bytes(octet ^ 1 for octet in key.octets), key.device) if kind in (key.kind, "all") else key
        for key in trace.keys
    ]
    judgements = judged(trace)
    assert any(named in gap.cause for gap in gaps(trace))
    assert of(judgements, Verdict.FAIL) == []
    assert any(named in finding.message for each in judgements for finding in each.findings)


def test_a_capture_that_breaks_off_is_named_by_its_time() -> None:
    trace = part_of(good_run(), list(good_run())[:-40])
    trace.attestations = [replace(each, end=100.0) for each in trace.attestations]
    assert any("nobody listened" in gap.cause or "transmitted" in gap.cause for gap in gaps(trace))
    assert of(judged(trace), Verdict.FAIL) == []


def test_a_tap_that_came_late_says_so() -> None:
    trace = thinned(good_run(), 0.0, 0)
    trace.attestations = [Attestation(each.point, each.medium, 50.0, each.end) for each in trace.attestations]
    assert any("nobody listened" in gap.cause and gap.start == 0.0 for gap in gaps(trace))


@pytest.mark.parametrize(("over", "found"), [(100.5, {(100.0, 100.5)}), (100.004, set())])
def test_a_hole_in_what_was_heard_is_one_and_what_came_before_and_after_is_not(over: float, found: set[tuple[float, float]]) -> None:
    """As long as one frame it is the one that a radio of ours alone heard: nothing is missing, and nothing is attested."""
    trace = thinned(good_run(), 0.0, 0)
    trace.attestations = [
        part for each in trace.attestations
        for part in (replace(each, end=100.0), replace(each, start=over)) if each.point is Point.MAC
    ]
    assert {(gap.start, gap.end) for gap in gaps(trace)} == found
    assert all("not everything was heard from 100.000 s to 100.500 s" in gap.cause for gap in gaps(trace))
    assert not attested(trace, Point.MAC, 99.0, 101.0)
    assert attested(trace, Point.MAC, 90.0, 99.0)


def test_what_was_seen_stays_a_fail_far_from_a_gap() -> None:
    """A gap softens only what it could explain."""
    bench = Bench(bench_file(), bench_file().devices[1], defects=(BREAKING["06-address-out-of-range"],))
    bench.play()
    bench.close()
    last = max(each.number for each in bench.trace.at(Point.MAC) if each.producer == Actor.HAN_DEVICE and len(each.octets) > ACK_LENGTH)
    trace = part_of(bench.trace, (each for each in bench.trace if each.number != last))
    assert gaps(trace)
    assert "UC2.7-06-SHORT-ADDRESS@ESI" in of(judged(trace), Verdict.FAIL)
