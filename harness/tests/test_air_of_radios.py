"""The air of real radios in virtual time: its radios are those of a virtual air, so that every instant and every loss is known."""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from dissectors.frame import encode_mpdu
from dissectors.mac import FrameType, fcs
from harness import faults
from harness.errors import Unsupported
from harness.faults import SeenFrame
from harness.ports import RadioSettings, Received, Transmit, Transmitted
from harness.radio.alignment import Alignment
from harness.radio.filtering import answer_to
from harness.radio.real import RealAir
from harness.radio.virtual import VirtualAir, airtime
from harness.stack.mac_frames import addressed

PAN = 0x1234
ESI = RadioSettings(20, PAN, 0, 0xA1)
DUT = RadioSettings(20, PAN, 7, 0xB2)
TO_DUT = encode_mpdu(addressed(FrameType.DATA, (PAN, 7), (PAN, 0), True), b"down")
TO_ESI = encode_mpdu(addressed(FrameType.DATA, (PAN, 0), (PAN, 7), True), b"up")
TO_OTHERS = encode_mpdu(addressed(FrameType.DATA, (PAN, 9), (PAN, 7), False), b"aside")
TO_ALL = encode_mpdu(addressed(FrameType.DATA, (PAN, 0xFFFF), (PAN, 7), False), b"all")


@dataclass
class StickOnAir:
    """One radio of a virtual air as a real one: it tells the acknowledgement of what it sent, and its line and clock may be late."""

    air: VirtualAir
    name: str
    late: float = 0.0
    offers: frozenset[str] = frozenset({"raw"})
    about: Mapping[str, str] = field(default_factory=lambda: {"exercised on hardware": "no"})
    inbox: list[tuple[float, Received | Transmitted]] = field(default_factory=list)
    sent: dict[int, bytes] = field(default_factory=dict)
    closed: bool = False
    garbage: int = 0
    deaf: bool = False
    tells_at_once: bool = True  # else what came is told when it may be, as of then

    def submit(self, pdu: RadioSettings | Transmit, now: float) -> None:
        if isinstance(pdu, Transmit):
            self.sent[pdu.handle] = pdu.psdu
        self.air.submit(self.name, pdu, now)

    def came(self, pdu: Received | Transmitted, now: float) -> None:
        if self.deaf:
            return
        if isinstance(pdu, Transmitted) and pdu.status == "ok" and (ack := answer_to(self.sent[pdu.handle], pdu.frame_pending)):
            self.inbox.append((now + self.late, Received(ack, 20)))
        self.inbox.append((now + self.late, pdu))

    def told(self, now: float) -> list[tuple[float, Received | Transmitted]]:
        if not self.tells_at_once:
            return []
        told = [each for each in self.inbox if each[0] <= now]
        self.inbox = [each for each in self.inbox if each[0] > now]
        return told

    def perform(self, operation: str, **given: object) -> object:
        raise Unsupported(operation)

    def close(self) -> None:
        self.closed = True


class Lab:
    """The ESI is ours and has a radio, the HAN device is somebody else's; beside them, perhaps, a sniffer."""

    def __init__(self, *, sniffer: bool, late: float = 0.0) -> None:
        self.there = VirtualAir(random.Random(1))
        self.esi = StickOnAir(self.there, "esi stick")
        self.sniffers = {"sniffer": StickOnAir(self.there, "sniffer stick", late)} if sniffer else {}
        self.seen: list[SeenFrame] = []
        self.air = RealAir({"ESI": self.esi}, self.sniffers, across=["HAN Device"], tap=self.seen.append)
        self.up: list[tuple[str, Any]] = []
        self.dut: list[Any] = []
        self.now = 0.0
        self.air.submit("ESI", ESI, 0.0)
        self.there.submit("dut", DUT, 0.0)

    def run(self, seconds: float = 0.2) -> None:
        end = self.now + seconds
        while True:
            due = [each for each in (self.there.deadline(), self.air.deadline()) if each is not None and each <= end]
            self.now = min(due, default=end)
            for name, pdu in self.there.wake(self.now):
                stick = next((each for each in (self.esi, *self.sniffers.values()) if each.name == name), None)
                if stick is not None:
                    stick.came(pdu, self.now)
                else:
                    self.dut.append(pdu)
            self.up += self.air.wake(self.now)
            if not due:
                return

    def esi_sends(self, psdu: bytes = TO_DUT) -> None:
        self.air.submit("ESI", Transmit(psdu, 5), self.now)
        self.run()

    def dut_sends(self, *psdus: bytes) -> None:
        for handle, psdu in enumerate(psdus):
            self.there.submit("dut", Transmit(psdu, handle), self.now)
        self.run()

    def tap(self) -> list[tuple[str, bytes, str]]:
        return [(each.sender, each.psdu, each.fate) for each in self.seen]


@pytest.mark.parametrize("late", [-0.001, 0.0, 0.02])
def test_a_frame_is_on_the_tap_once_whoever_heard_it_first(late: float) -> None:
    lab = Lab(sniffer=True, late=late)
    lab.esi_sends()
    lab.dut_sends(TO_ESI)
    assert sorted(lab.tap()) == sorted([
        ("ESI", TO_DUT, "arrived"), ("", answer_to(TO_DUT, False), "arrived"),
        ("", TO_ESI, "arrived"), ("", answer_to(TO_ESI, False), "arrived"),
    ])
    assert lab.up == [("ESI", Transmitted(5, "ok")), ("ESI", Received(TO_ESI, 20))]
    lab.air.listening.attested(lab.now)
    compared = [said["clock"] for said in lab.air.listening.about.values() if "clock" in said]
    assert [abs(each["median skew in us"]) for each in compared] == pytest.approx([abs(late) * 1e6] * len(compared), abs=1)
    assert compared


def test_the_air_is_behind_until_a_sniffer_has_told_what_our_radio_told() -> None:
    lab = Lab(sniffer=True, late=0.02)
    lab.there.submit("dut", Transmit(TO_ESI, 0), 0.0)
    lab.run(0.01)
    assert (lab.up, lab.tap(), lab.air.is_behind) == ([("ESI", Received(TO_ESI, 20))], [], True)
    lab.run(0.02)
    assert lab.tap()[0] == ("", TO_ESI, "arrived")
    assert not lab.air.is_behind


@pytest.mark.parametrize("late", [0.0, 0.05])
def test_a_frame_that_our_radio_repeats_is_ours_each_time(late: float) -> None:
    lab = Lab(sniffer=True, late=late)
    lab.there.switch_off("dut")
    with lab.air.suffering(faults.drop(sender="HAN Device")):
        lab.esi_sends()
        lab.run()
    assert lab.tap() == [("ESI", TO_DUT, "arrived")] * 4
    assert lab.up == [("ESI", Transmitted(5, "no_ack"))]


def test_without_a_sniffer_the_tap_has_what_our_radio_sent_and_took_and_attests_nothing() -> None:
    lab = Lab(sniffer=False)
    lab.esi_sends()
    lab.dut_sends(TO_ESI, TO_OTHERS, TO_ALL)
    assert lab.tap() == [
        ("ESI", TO_DUT, "arrived"), ("", answer_to(TO_DUT, False), "arrived"), ("", TO_ESI, "arrived"), ("", TO_ALL, "arrived"),
    ]
    (frame, ack, *_) = lab.seen
    assert ack.time - frame.time == pytest.approx(192e-6 + airtime(ack.psdu))
    assert [(each.medium, each.start, each.end) for each in lab.air.listening.attested(9.0)] == [("air:20", 0.0, 0.0)]


def test_with_one_everything_on_its_channel_is_heard_and_attested_for_as_long_as_it_was_there() -> None:
    lab = Lab(sniffer=True)
    lab.dut_sends(TO_OTHERS)
    assert lab.tap() == [("", TO_OTHERS, "arrived")]
    lab.air.submit("ESI", RadioSettings(25, PAN, 0, 0xA1), 1.0)
    assert [(each.medium, each.start, each.end) for each in lab.air.listening.attested(3.0)] == [
        ("air:20", 0.0, 0.2),
    ]
    lab.air.wake(2.0)
    assert [(each.medium, each.start, each.end) for each in lab.air.listening.attested(3.0)] == [
        ("air:20", 0.0, 0.2), ("air:25", 1.1, 2.0),
    ], "and not for longer than what it told was taken"


def test_what_a_sniffer_has_yet_to_tell_is_not_attested_before_it_is_on_the_tap() -> None:
    lab = Lab(sniffer=True, late=0.05)
    lab.there.submit("dut", Transmit(TO_ESI, 0), lab.now)
    lab.run(0.03)
    assert lab.tap() == [], "our radio took the frame, and the sniffer may know better when"
    (attested,) = lab.air.listening.attested(lab.now)
    lab.run()
    assert attested.end is not None
    assert attested.end <= min(each.time for each in lab.seen)


def test_what_a_sniffer_s_line_lost_is_not_attested() -> None:
    lab = Lab(sniffer=True)
    lab.run(5.0)
    lab.sniffers["sniffer"].garbage = 1
    lab.dut_sends(TO_ALL)
    lab.run(1.0)
    (before, after) = lab.air.listening.attested(lab.now)
    assert (before.start, before.end) == (0.0, 5.0)
    assert 5.0 < after.start < 5.1
    assert after.end == pytest.approx(6.2)


def test_a_sniffer_that_is_told_its_channel_stays_there() -> None:
    there = VirtualAir(random.Random(1))
    sniffer = StickOnAir(there, "sniffer")
    air = RealAir({"ESI": StickOnAir(there, "esi")}, {"sniffer": sniffer}, channel=11)
    air.submit("ESI", ESI, 0.0)
    assert there.radio("sniffer").settings == RadioSettings(11, promiscuous=True)
    air.wake(1.0)
    assert [(each.medium, each.end) for each in air.listening.attested(2.0)] == [("air:11", 1.0)]
    air.close()
    assert sniffer.closed


def test_what_our_radio_sent_is_on_the_channel_it_was_given_for() -> None:
    lab = Lab(sniffer=False)
    lab.air.submit("ESI", Transmit(TO_ALL, 5), 0.0)
    lab.air.submit("ESI", replace(ESI, channel=21), 0.0)
    lab.run()
    assert [(each.psdu, each.channel) for each in lab.seen] == [(TO_ALL, 20)]


def test_what_is_on_its_way_at_a_power_failure_goes_out_on_the_channel_it_was_for() -> None:
    lab = Lab(sniffer=True)
    lab.air.submit("ESI", Transmit(TO_DUT, 5), lab.now)
    lab.air.switch_off("ESI")
    assert lab.there.radio("esi stick").settings == RadioSettings(20, receiver_on=False)
    lab.run()
    assert [(each.psdu, each.channel) for each in lab.seen][:1] == [(TO_DUT, 20)]
    assert lab.up == [], "nobody is told"


def test_who_has_no_radio_is_told_so() -> None:
    with pytest.raises(Unsupported, match="the HAN Device 2 has no radio on this bench"):
        Lab(sniffer=False).air.submit("HAN Device 2", ESI, 0.0)


# -- faults


def test_what_we_send_is_lost_by_not_being_sent() -> None:
    lab = Lab(sniffer=True)
    with lab.air.suffering(faults.drop()):
        lab.esi_sends()
    assert (lab.up, lab.dut) == ([("ESI", Transmitted(5, "no_ack"))], [])
    assert lab.tap() == [("ESI", TO_DUT, "lost")]
    lab.esi_sends()
    assert lab.up[1:] == [("ESI", Transmitted(5, "ok"))]


def test_what_we_send_late_nobody_acknowledges_in_time() -> None:
    """As on a virtual air: its sender may say it again before it has arrived."""
    lab = Lab(sniffer=True)
    with lab.air.suffering(faults.delay(by=0.5, times=None)):
        lab.esi_sends()
        assert lab.up == [("ESI", Transmitted(5, "no_ack"))]
        lab.esi_sends()
    assert lab.dut == []
    lab.run(0.6)
    assert lab.dut == [Received(TO_DUT, 20)] * 2
    assert lab.up == [("ESI", Transmitted(5, "no_ack"))] * 2
    assert [sent for sent in lab.tap() if sent[1] == TO_DUT] == [("ESI", TO_DUT, "altered")] * 2 + [("ESI", TO_DUT, "arrived")] * 2


@pytest.mark.parametrize("sniffer", [True, False])
def test_what_we_hear_is_lost_before_our_stack_has_it(sniffer: bool) -> None:
    lab = Lab(sniffer=sniffer)
    with lab.air.suffering(faults.drop(sender="HAN Device")):
        lab.dut_sends(TO_ESI)
    assert lab.up == []
    assert lab.tap()[0] == ("", TO_ESI, "lost")
    assert lab.dut == [Transmitted(0, "ok")], "which its radio acknowledged all the same"


@pytest.mark.parametrize("sniffer", [True, False])
def test_what_is_corrupted_or_comes_twice_is_on_the_tap_as_it_came(sniffer: bool) -> None:
    lab = Lab(sniffer=sniffer)
    body = bytes([*TO_DUT[:-3], TO_DUT[-3] ^ 1])
    with lab.air.suffering(faults.corrupt()):
        lab.esi_sends()
    assert [pdu for pdu in lab.dut if isinstance(pdu, Received)] == [Received(body + fcs(body), 20)]
    assert lab.tap()[:2] == [("ESI", TO_DUT, "altered"), ("ESI", body + fcs(body), "arrived")]
    assert lab.seen[1].instead_of == lab.seen[0].number
    with lab.air.suffering(faults.duplicate()):
        lab.dut_sends(TO_ALL)
    assert [pdu for _, pdu in lab.up if isinstance(pdu, Received)] == [Received(TO_ALL, 20)] * 2


def test_what_no_radio_of_ours_took_part_in_cannot_be_disturbed() -> None:
    lab = Lab(sniffer=True)
    with lab.air.suffering(faults.drop()), pytest.raises(Unsupported, match="no radio of the bench sent or was to hear"):
        lab.dut_sends(TO_OTHERS)


@pytest.mark.parametrize("who", ["ESI", "HAN Device"])
def test_nor_can_an_acknowledgement(who: str) -> None:
    lab = Lab(sniffer=False)
    with lab.air.suffering(faults.silence(who, start=0.1)):
        lab.run(0.15)
        with pytest.raises(Unsupported, match="a MAC acknowledgement disturbed"):
            lab.dut_sends(TO_ESI) if who == "ESI" else lab.esi_sends(TO_DUT)


def test_whose_power_failed_is_told_nothing_more() -> None:
    lab = Lab(sniffer=False)
    lab.air.submit("ESI", Transmit(TO_DUT, 5), 0.0)
    lab.air.switch_off("ESI")
    lab.air.switch_off("HAN Device")
    lab.run()
    assert lab.up == []


# -- clocks


def test_a_radio_s_clock_is_followed_through_drift_delays_and_a_new_beginning() -> None:
    clock, chance = Alignment(), random.Random(1)
    worst = 0.0
    for tick in range(2000):
        true = tick * 0.1
        radio = 5000.0 + true * (1 + 40e-6)
        clock.learn(radio, true + 0.001 + chance.expovariate(1000))
        if tick > 20:
            worst = max(worst, abs(clock.host_time(radio) - true))
    assert worst < 0.003
    assert clock.drift == pytest.approx(-40e-6, rel=0.3)
    clock.learn(0.5, 300.0)
    assert clock.host_time(0.5) == pytest.approx(300.0)
