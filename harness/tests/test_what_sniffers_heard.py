"""How much of what our radios sent or took a sniffer heard, what is not attested for it, and the order of what is told at once."""

from __future__ import annotations

import random
from typing import Any

import pytest

from harness.ports import RadioSettings, Received
from harness.radio.filtering import answer_to
from harness.radio.listening import DEAF
from harness.radio.real import RealAir
from harness.radio.virtual import VirtualAir, airtime
from harness.tests.test_air_of_radios import ESI, PAN, TO_ALL, TO_DUT, TO_ESI, TO_OTHERS, Lab, StickOnAir


def ours(lab: Lab) -> Any:
    lab.air.listening.attested(lab.now)
    return lab.air.listening.about["sniffer"].get("of frames that our radios sent or took")


@pytest.mark.parametrize("late", [-0.001, 0.0, 0.02, 0.3])
def test_how_much_of_ours_a_sniffer_heard_is_counted_whoever_told_it_first(late: float) -> None:
    lab = Lab(sniffer=True, late=late)
    assert ours(lab) is None
    lab.esi_sends()
    lab.dut_sends(TO_ESI, TO_OTHERS)
    lab.run(2.0)
    assert ours(lab) == {"while it listened": 3, "heard": 3}, "our frame, its acknowledgement, and the device's to us"
    assert len(lab.air.listening.attested(lab.now)) == 1


@pytest.mark.parametrize("sends", [Lab.esi_sends, lambda lab: lab.dut_sends(TO_ALL)], ids=["ours", "the device's"])
def test_a_sniffer_that_missed_what_our_radio_sent_or_took_attests_nothing_then(sends: Any) -> None:
    lab = Lab(sniffer=True)
    lab.dut_sends(TO_OTHERS)
    lab.run(1.0)
    lab.sniffers["sniffer"].deaf = True
    sends(lab)
    lab.sniffers["sniffer"].deaf = False
    lab.run(2.0)
    lab.esi_sends()
    lab.run(2.0)
    missed = [each.time for each in lab.seen if 1.2 <= each.time < 2.0]
    spans = [(each.start, each.end) for each in lab.air.listening.attested(lab.now)]
    assert [start for start, _ in spans] == [0.0, *missed]
    assert [end for _, end in spans[:-1]] == pytest.approx([time - airtime(each.psdu) for time, each in zip(
        missed, [each for each in lab.seen if each.time in missed], strict=True,
    )])
    assert ours(lab) == {"while it listened": 2 + len(missed), "heard": 2}


@pytest.mark.parametrize(("channel", "start"), [(11, 0.0), (None, 1.1)], ids=["on another channel", "before it listened"])
def test_what_a_sniffer_could_not_hear_it_has_not_missed(channel: int | None, start: float) -> None:
    there = VirtualAir(random.Random(1))
    esi, sniffer = StickOnAir(there, "esi"), StickOnAir(there, "sniffer")
    air = RealAir({"ESI": esi}, {"sniffer": sniffer}, channel=channel)
    air.submit("ESI", RadioSettings(21, PAN, 0, 0xA1), 0.0)
    air.wake(0.5)
    air.submit("ESI", ESI, 1.0)
    esi.inbox = [(1.05, Received(TO_ESI, 20))]
    air.wake(1.2)
    air.wake(3.0)
    attested = air.listening.attested(3.0)[-1]
    assert (attested.start, attested.end) == (start, 3.0)
    assert "of frames that our radios sent or took" not in air.listening.about["sniffer"]


def test_a_sniffer_that_hears_hardly_anything_attests_nothing_any_more() -> None:
    lab = Lab(sniffer=True)
    lab.sniffers["sniffer"].deaf = True
    for number in range(DEAF // 2 + 1):
        lab.esi.inbox += [(lab.now + 0.01, Received(TO_ALL, 20)), (lab.now + 0.02, Received(TO_OTHERS, 20))]
        lab.run(1.5)
        assert bool(lab.air.listening.attested(lab.now)[-1].end == lab.now) == (number < DEAF // 2)
    assert ours(lab)["heard"] == 0


def test_what_is_told_as_of_one_instant_is_on_the_tap_one_after_the_other_as_it_was() -> None:
    """As after a standstill, or on a busy machine: each radio's line is taken late, and all bears that instant."""
    lab = Lab(sniffer=True)
    for radio in (lab.esi, *lab.sniffers.values()):
        radio.tells_at_once = False
    lab.dut_sends(TO_ESI, TO_OTHERS)
    lab.esi_sends()
    for radio in (lab.esi, *lab.sniffers.values()):
        radio.tells_at_once = True
        radio.inbox = [(lab.now, pdu) for _, pdu in radio.inbox]
    lab.run()
    assert [each.psdu for each in lab.seen] == [TO_ESI, answer_to(TO_ESI, False), TO_OTHERS, TO_DUT, answer_to(TO_DUT, False)]
    times = [each.time for each in lab.seen]
    assert all(after - before >= airtime(each.psdu) - 1e-9 for before, after, each in zip(times, times[1:], lab.seen[1:], strict=False))
    assert times[-1] - times[0] < 0.01
    assert times[1] - times[0] == pytest.approx(192e-6 + airtime(lab.seen[1].psdu))
