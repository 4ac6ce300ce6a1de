"""What the comparison of two plays finds, and what it does not mind."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import replace
from functools import cache

from dissectors.aps import TransportKey
from dissectors.mac import FrameType
from dissectors.zdp_discovery import MatchDescReq
from harness.checkers.reading import Heard, air
from harness.stack.polling import LISTENING_TIME
from harness.tests import parity_cases
from harness.tests.parity import VIRTUAL, virtual
from harness.tests.parity_cases import Case
from harness.tests.parity_frames import TOGETHER, differences, hindrances, sent_by
from harness.trace import BEHIND, Exchange, Trace
from harness.usecase import Actor


@cache
def played(device: str) -> Trace:
    return virtual(Actor.HAN_DEVICE, VIRTUAL.device(device)).trace


def with_exchanges(trace: Trace, exchanges: Iterable[Exchange]) -> Trace:
    other = Trace(trace.header)
    other.keys, other.attestations = trace.keys, trace.attestations
    other.exchanges = [replace(each, number=number) for number, each in enumerate(sorted(exchanges, key=lambda each: each.time), start=1)]
    return other


def moved(trace: Trace, heard: Heard, seconds: float) -> Trace:
    return with_exchanges(trace, (
        replace(each, time=each.time + seconds) if each.number == heard.number else each for each in trace.exchanges
    ))


def later_from(trace: Trace, heard: Heard, seconds: float) -> Trace:
    return with_exchanges(trace, (
        replace(each, time=each.time + seconds) if each.time >= heard.time else each for each in trace.exchanges
    ))


def test_a_play_is_like_itself_and_no_frame_misses_anybody_in_virtual_time() -> None:
    assert not list(differences(played("load_control"), played("load_control")))
    assert hindrances(played("pct")) == 0


def test_an_answer_that_a_device_listens_for_in_vain_misses_it() -> None:
    trace = played("pct")
    key = air(trace).of(TransportKey)[0]
    assert hindrances(later_from(trace, key, LISTENING_TIME / 4)) == 0
    assert hindrances(later_from(trace, key, LISTENING_TIME)) == 1
    never = with_exchanges(trace, (each for each in trace.exchanges if not 0 <= each.time - key.time < 2 * LISTENING_TIME))
    assert hindrances(never) == 1


def test_a_bench_that_was_behind_was_hindered() -> None:
    trace = with_exchanges(played("pct"), played("pct").exchanges)
    trace.header = replace(trace.header, about={**trace.header.about, BEHIND: [[1.0, 1.0, 0.06]]})
    assert hindrances(trace) == 1


def test_a_frame_that_nobody_acknowledges_misses_whom_it_was_for() -> None:
    trace = played("load_control")
    key = air(trace).of(TransportKey)[0]
    ack = air(trace).after(key)[0]
    assert hindrances(with_exchanges(trace, (each for each in trace.exchanges if each.number != ack.number))) == 1


def test_what_two_conversations_say_together_may_be_said_in_any_order_and_nothing_else() -> None:
    trace = played("load_control")
    asked = next(each for each in air(trace).of(MatchDescReq) if each.mac is not None and each.mac.source_short == 0)
    since = next(
        each for each in reversed(list(air(trace)))
        if each.time < asked.time and each.mac is not None and each.mac.source_short == 0 and each.mac.frame_type == FrameType.DATA
        and each.aps is not None and each.aps.cluster != asked.aps.cluster
    )
    assert asked.time - since.time < TOGETHER
    assert not list(differences(trace, moved(trace, asked, since.time - asked.time - 0.001)))
    found = list(differences(trace, moved(trace, asked, -2.0)))
    assert found
    assert all("cluster 0006: Mac Nwk AuxiliaryHeader Aps MatchDescReq before Mac" in each for each in found)
    lost = replace(trace.exchanges[-1], fate="lost")
    assert not list(differences(with_exchanges(trace, (*trace.exchanges[:-1], lost)), moved(trace, asked, -2.0)))


def test_a_frame_that_was_not_sent_is_said() -> None:
    trace = played("load_control")
    without = with_exchanges(trace, (each for each in trace.exchanges if each.number != air(trace).of(TransportKey)[0].number))
    assert list(differences(trace, without)) == ["ESI, network: -Mac Nwk Aps AuxiliaryHeader TransportKey"]


def test_a_device_that_was_reset_repeats_nothing_though_its_counters_come_again() -> None:
    once = Counter(said.conversation for said in sent_by(played("pct")))
    reset = parity_cases.virtual(Case("step_06_admission-a_device_that_was_reset_is_let_in_again", Actor.ESI, "pct"))
    assert reset is not None
    twice = Counter(said.conversation for said in sent_by(reset.traces[0]))
    for each in ("HAN Device, cluster 0800", "ESI, acknowledgements of cluster 0800", "ESI, network"):
        assert twice[each] == 2 * once[each] > 0, each
