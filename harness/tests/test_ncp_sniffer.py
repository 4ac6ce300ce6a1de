"""A network co-processor as the sniffer of a bench: what bellows captures through a firmware of a test, and whatever goes wrong by name."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from itertools import pairwise
from pathlib import Path
from types import MappingProxyType
from typing import Any

import pytest

from cases.table import clauses
from dissectors.frame import encode_mpdu
from dissectors.mac import FrameType
from dissectors.nwk import Leave
from dissectors.zdp_discovery import NodeDescRsp
from harness.adapters import ncp_sniffer
from harness.adapters.ncp_process import NcpProcess
from harness.adapters.ncp_sniffer import FIRST, NcpSniffer
from harness.bench import Bench
from harness.checkers.reading import air
from harness.contract.asking import Told, told_by
from harness.contract.laboratory import Laboratory, Place
from harness.contract.promise import PASS
from harness.contract.table import RADIO
from harness.errors import BenchError, Unsupported
from harness.judge import judge
from harness.ncp.line import VERSION
from harness.plugin.bench_building import build
from harness.plugin.campaign import Campaign
from harness.plugin.case import run_case
from harness.ports import RadioSettings, Received, Transmit
from harness.radio.listening import SETTLING
from harness.radio.real import RealAir
from harness.radio.virtual import airtime
from harness.radio_declaration import Plugged
from harness.stack.mac_frames import addressed
from harness.tests.air_pair import OnTheAir
from harness.tests.ezsp_world import Ear, ear, ezsp_world
from harness.tests.field_captures import STEPS
from harness.tests.packet_world import packet_world
from harness.tests.radio_listener import RadioListener
from harness.tests.test_bench_of_radios import Stick as Beside
from harness.tests.test_zigpy_esi import PCT, bench_file, in_service
from harness.usecase import Actor, Point
from harness.verdict import Verdict

SNIFFER = "harness.adapters.ncp_sniffer:NcpSniffer"
CHANNEL, ANOTHER = 15, 20
GLANCE = 0.05  # seconds between two looks at what the firmware was asked
WITHIN = 15.0  # seconds for each thing that is waited for
FRAMES = [encode_mpdu(addressed(FrameType.DATA, (0x1234, 0), (0x1234, 7), False), bytes([number]) * 20) for number in range(12)]


class Listener(RadioListener):
    """A sniffer that is listened to."""

    def __init__(self, **options: str) -> None:
        super().__init__(partial(NcpSniffer, options), WITHIN, GLANCE)

    def tune(self, channel: int) -> None:
        self.radio.submit(RadioSettings(channel, promiscuous=True), self.clock.now())


@contextmanager
def listening(**options: str) -> Iterator[Listener]:
    made = Listener(**options)
    try:
        yield made
    finally:
        made.radio.close()
        made.radio.close()
        assert not made.radio._thread.is_alive()


@pytest.fixture(scope="module")
def stick() -> Iterator[Ear]:
    with ear(13) as made:
        yield made


def asked(stick: Ear, name: str) -> list[dict[str, Any]]:
    return [given for said, given in stick.firmware.asked if said == name]


def test_a_stick_captures_what_is_on_its_channel_and_nothing_goes_out_of_it(stick: Ear) -> None:
    with listening(port=stick.port.place) as sniffer:
        assert sniffer.radio.about["firmware"] == "EmberZNet 7.4.4.0 build 0"
        assert sniffer.radio.about["exercised on hardware"] == "no"
        stick.firmware.hear(FRAMES[0], FIRST, 200, -50)  # nobody has asked for that channel
        sniffer.tune(CHANNEL)
        sniffer.until(lambda: asked(stick, "mfglibSetChannel")[-1] == {"channel": CHANNEL})
        stick.port.babble(bytes(range(256)) * 3)  # which the line's protocol asks for again
        for number, frame in enumerate(FRAMES):
            stick.firmware.hear(frame, CHANNEL, 200 + number, -50 - number)
            stick.firmware.hear(frame, ANOTHER, 1, -90)
        sniffer.until(lambda: len(sniffer.heard) == len(FRAMES))
        assert [pdu for _, pdu in sniffer.heard] == [
            Received(frame, CHANNEL, 200 + number, -50 - number) for number, frame in enumerate(FRAMES)
        ]
        assert all(later - earlier >= airtime(FRAMES[0]) - 1e-9 for (earlier, _), (later, _) in pairwise(sniffer.heard))
        assert sniffer.radio.garbage == 0
        assert sniffer.radio.offers == {"promiscuous", "lqi", "rssi"}
        stick.firmware.overflows = True
        stick.firmware.hear(FRAMES[0], CHANNEL, 1, -1)
        stick.firmware.overflows = False
        sniffer.until(lambda: sniffer.radio.garbage == 1)
        assert sniffer.radio.about["frames may be missing"].endswith("the firmware had no room for what it had to tell")
        sniffer.until(lambda: len(asked(stick, "mfglibGetChannel")) >= 2)
    said = [name for name, _ in stick.firmware.asked]
    assert said[-1] == "mfglibEnd"
    assert not {"formNetwork", "networkInit", "permitJoining", "leaveNetwork", "mfglibSendPacket"} & {*said}
    assert stick.firmware.refused.keys() == {"customFrame"}


def test_a_stick_that_stops_answering_is_an_error_by_name_after_what_it_heard(stick: Ear) -> None:
    with listening(port=stick.port.place) as sniffer:
        sniffer.tune(CHANNEL)
        sniffer.until(lambda: asked(stick, "mfglibSetChannel")[-1] == {"channel": CHANNEL})
        stick.firmware.hear(FRAMES[0], CHANNEL, 200, -50)
        stick.firmware.hangs = True
        name = f"bellows sniffing on {stick.port.place}"
        assert sniffer.end() == f"{name}: `still` failed: TimeoutError: the stick does not answer within 3 s"
        assert [pdu.psdu for _, pdu in sniffer.heard] == FRAMES[:1]
        stick.firmware.hangs = False


def test_a_stick_that_is_reset_and_one_that_is_pulled_out_are_errors_by_name(stick: Ear) -> None:
    for harm in (stick.port.reset, stick.port.cut):
        with listening(port=stick.port.place) as sniffer:
            sniffer.tune(CHANNEL)
            harm()
            assert sniffer.end() == f"bellows sniffing on {stick.port.place} is lost: it was unplugged, or its firmware was reset"


@pytest.mark.parametrize(("options", "says"), [
    ({"port": "socket://127.0.0.1:9"}, r"bellows sniffing on socket://127.0.0.1:9: `listen` failed: \w*(Refused|OS)\w*"),
    ({"radio": "harness.tests.packet_radio:Application", "port": "x"}, "`listen` failed: NotImplementedError: harness has no packet"),
])
def test_a_stick_that_cannot_be_had_is_an_error_by_name(options: dict[str, str], says: str) -> None:
    with pytest.raises(BenchError, match=says):
        Listener(**options)


# -- what the process may say


SAYS = f"""import json, sys
def say(**line):
    sys.stdout.write(json.dumps(line) + chr(10))
    sys.stdout.flush()
say(hello={VERSION!r})
def asked(what):
    line = json.loads(sys.stdin.readline())
    assert line["do"] == what, line
    return line
def done(line, **answer):
    say(n=line["n"], done=answer)
done(asked("listen"), about={{"library": "a test's"}})
done(asked("tune"))
"""
FRAME = {"mpdu": FRAMES[0][:-2].hex(), "channel": CHANNEL, "lqi": 9, "rssi": -9, "at": 1.0}
TUNED = "done(asked('still'), channel=11)\ntune = asked('tune')\n"  # it is asked at once whether it listens


@pytest.fixture
def child(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The file of a process in the place of the radio library's."""
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setattr(ncp_sniffer, "NcpProcess", partial(NcpProcess, module="sniffing_child"))
    return tmp_path / "sniffing_child.py"


@pytest.mark.parametrize(("does", "says"), [
    ("done(tune)\nsay(frame=1)", "its process told of what nobody knows: 'frame'"),
    (f"done(tune)\nsay(frame={ {**FRAME, 'mpdu': 'no hex'} })", "its process told of a frame that is none: ValueError"),
    (f"done(tune)\nsay(frame={ {**FRAME, 'lqi': 1e400} })".replace("inf", "1e400"), "what listens to it failed: OverflowError"),
    ("say(n=tune['n'], failed='ControllerError: no')", "sniffing on x: `tune` failed: ControllerError: no"),
    ("done(tune)\ndone(asked('still'), channel=11)", "listens to channel 11, and was told 15: was its firmware reset?"),
    ("sys.stdin.readline()", r"does not answer `tune`: its process \d+ hangs"),
    ("sys.exit(7)", r"its process \d+ ended with code 7; unanswered: `tune`"),
    ("say(lost={'text': 'gone'})", "is lost: it was unplugged"),
])
def test_a_process_that_goes_wrong_is_an_error_by_name(child: Path, does: str, says: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ncp_sniffer, "LIMIT", 0.5)
    monkeypatch.setattr(ncp_sniffer, "PULSE", 0.2)
    asked_before = "while (tune := json.loads(sys.stdin.readline()))['do'] == 'still': done(tune, channel=11)\n"
    child.write_text(f"{SAYS}{asked_before}{does}\nsys.stdin.read()")
    with listening(port="x") as sniffer:
        sniffer.tune(CHANNEL)
        assert re.search(says, sniffer.end())


def test_a_late_tuning_and_a_frame_too_long_are_counted_as_lost_and_nothing_is_attested_over_the_gap(
    child: Path, monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(ncp_sniffer, "PULSE", 60.0)
    child.write_text(
        f"{SAYS}import threading\n{TUNED}threading.Event().wait({3 * SETTLING})\ndone(tune)\nsay(frame={FRAME})\n"
        f"say(frame={ {**FRAME, 'mpdu': 'ab' * 126} })\nsay(frame={FRAME})\nsys.stdin.read()",
    )
    with listening(port="x") as sniffer:
        air = RealAir({}, {"sniffer": sniffer.radio}, channel=CHANNEL)
        sniffer.until(lambda: len(sniffer.heard) == 2)
        assert [pdu for _, pdu in sniffer.heard] == [Received(FRAMES[0], CHANNEL, 9, -9)] * 2
        assert sniffer.radio.garbage == 2
        air.wake(4.0)
        air.wake(5.0)
        assert [(each.start, each.end) for each in air.listening.attested(5.0)] == [(0.0, 0.0), (4.0, 5.0)]


def test_how_far_its_clock_is_from_another_radio_s_is_told(child: Path) -> None:
    child.write_text(f"{SAYS}{TUNED}done(tune)\nsay(frame={FRAME})\nsys.stdin.read()")
    beside = Beside({}, lambda: None)
    with listening(port="x") as sniffer:
        air = RealAir({"ESI": beside}, {"sniffer": sniffer.radio}, channel=CHANNEL)
        end = sniffer.clock.now() + WITHIN
        while not sniffer.radio._telling._told:
            assert sniffer.clock.now() < end
            sniffer.clock.wait_until(end)
        beside.inbox.append(Received(FRAMES[0], CHANNEL))
        air.wake(sniffer.clock.now())
        air.listening.attested(sniffer.clock.now())
    (told,) = (each["clock"] for each in air.listening.about.values() if "clock" in each)
    assert told["frames compared"] == 1
    assert told["largest skew in us"] <= 100_000


def test_it_sends_nothing_and_has_nothing_else(child: Path) -> None:
    child.write_text(f"{SAYS}sys.stdin.read()")
    with listening(port="x") as sniffer:
        for pdu in (Transmit(FRAMES[0], 1), RadioSettings(CHANNEL)):
            with pytest.raises(Unsupported, match="it only listens"):
                sniffer.radio.submit(pdu, 0.0)
        with pytest.raises(Unsupported, match="a co-processor that captures has no energy_scan"):
            sniffer.radio.perform("energy_scan")


# -- the contract


class OnAnAir(OnTheAir):
    """The ear of a stick on the air of `air_pair`."""

    stick: Ear

    def listen(self) -> None:
        """To what the stick is told."""
        for settings in self.stick.transmit(0.0):
            self.submit(settings, 0.0)

    def deliver(self, at: float, pdu: Any) -> None:
        """The stick hears it."""
        self.stick.receive(pdu, at)


@pytest.mark.parametrize("identity", ["RADIO-HEARS", "RADIO-CHANNEL", "RADIO-NOTHING-UNASKED"])
def test_it_keeps_what_only_a_peer_can_tell_of_it(identity: str, stick: Ear) -> None:
    """`hanproof adapter check` asks all that a sniffer can keep; each question takes a process of bellows' own."""
    ear_on_air = OnAnAir({"port": "air://stick", "name": "stick"}, lambda: None)
    ear_on_air.stick, stick.interrupt = stick, ear_on_air.listen
    peer = Place("peer", "harness.tests.air_pair:OnTheAir", {"port": "air://stick", "name": "peer"})
    laboratory = Laboratory(Place("stick", SNIFFER, {"port": stick.port.place, "channel": "15"}), peer, lambda doing: None, 20.0)
    (promise,) = (each for each in RADIO if each.id == identity)
    try:
        assert told_by(lambda: promise.asks(laboratory)) == Told(PASS)
    finally:
        laboratory.close()
        stick.interrupt = lambda: None
        ear_on_air.close()


# -- beside a bench


def _a_case_that_goes_on(bench: Bench, verify: Any) -> None:
    bench.open()
    bench.wait_until(lambda: False, WITHIN)
    verify(bench.trace)


def test_a_sniffer_that_is_lost_is_an_error_verdict_by_name_with_its_evidence(child: Path) -> None:
    child.write_text(f"{SAYS}{TUNED}done(tune)\nsay(frame={FRAME})\nsys.stdin.readline()\nsay(lost={ {'text': 'gone'} })\nsys.stdin.read()")
    with packet_world(link_key=PCT.link_key, device=PCT.eui64) as world:
        sniffer = Plugged(SNIFFER, MappingProxyType({"port": "x", "channel": str(CHANNEL)}))
        campaign = Campaign(replace(bench_file(world.place), radios={"sniffer": sniffer}), 1, build)
        told = run_case(_a_case_that_goes_on, campaign, PCT, clauses=[])
    assert (told.verdict, told.reason) == (Verdict.ERROR, "bellows sniffing on x is lost: it was unplugged, or its firmware was reset")
    (evidence,) = told.evidence
    assert evidence.trace is not None
    assert [each.octets for each in evidence.trace.at(Point.MAC)] == FRAMES[:1]


def test_two_sticks_on_bellows_one_the_esi_s_and_one_that_listens_provision_a_device_with_verdicts_on_its_frames() -> None:
    device = replace(PCT, pics={**PCT.pics, "sleepy": False})  # as the one of that world is
    with ear(8) as beside, ezsp_world(13, link_key=PCT.link_key, device=PCT.eui64, beside=beside) as world:
        beside.interrupt = world._clock.interrupt
        sniffer = Plugged(SNIFFER, MappingProxyType({"port": beside.port.place, "channel": str(CHANNEL)}))
        bench = Bench(replace(bench_file(world.place, "bellows"), radios={"sniffer": sniffer}), device)
        try:
            bench.open()
            assert bench.wait_until(lambda: any(given["duration"] for name, given in world.firmware.asked if name == "permitJoining"), 10.0)
            bench.switch_on()
            assert bench.wait_until(in_service(bench, world), 60.0), bench.happenings
            esi = bench.machines[Actor.ESI]
            esi._esi.node.application.core.network_command(Leave.of(request=1), PCT.eui64, bench.now, secured=False)
            assert bench.wait_until(lambda: any(name.startswith("sendRaw") for name, _ in world.firmware.asked), 10.0)
            answers = len(air(bench.trace).of(NodeDescRsp))
            esi.greet(bench.now)
            assert bench.wait_until(lambda: bool(esi.greeted), 30.0)
            assert bench.wait_until(lambda: len(air(bench.trace).of(NodeDescRsp)) > answers, 10.0)  # a sniffer tells later than a stick
        finally:
            bench.close()
        judged = judge(bench.trace, [clause for clause in clauses().values() if clause.step in STEPS])
    judged = [each for each in judged if each.actor is Actor.HAN_DEVICE]
    assert not [each for each in judged if each.verdict >= Verdict.FAIL or "MAC" in (each.not_applicable or "")]
    assert {each.clause for each in judged if each.verdict is Verdict.PASS} >= {
        "UC2.7-05-ASSOCIATES", "UC2.7-08-MAC-U", "UC2.7-09-EVENTS", "UC2.7-09-LINK-KEY-REQUIRED",
        "UC2.7-06-UNSECURED-COMMANDS",
    }
    (heard,) = (each for each in bench.trace.attestations if each.point is Point.MAC)
    assert (heard.medium, heard.start) == (f"air:{CHANNEL}", 0.0)
    assert json.dumps(bench.trace.header.about["radios"]["sniffer"]).count("EmberZNet") == 1
    (key,) = (each.octets for each in bench.trace.keys if each.kind == "link")
    (imported,) = (given["key"] for name, given in world.firmware.asked if name == "importLinkKey")
    assert bytes(imported.serialize()) == key
    assert world.firmware.refused.keys() == {"customFrame", "getTokenData", "getExtendedTimeout", "gpSinkTableClearAll"}
