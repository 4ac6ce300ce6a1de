"""Legs in somebody else's octets: the worked example there and back, played and judged, and read offline only when it is named."""

from __future__ import annotations

import importlib
import inspect
import pkgutil
import sys
from collections.abc import Callable
from dataclasses import fields, replace
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import cases
from cases.table import clauses
from harness.adapters.defects import all_defects
from harness.backhaul.message import LegKind, LegMessage, LegState
from harness.backhaul.named_codec import NamedCodec, load_codec
from harness.checkers.correspondence import leg_codec
from harness.cli import main
from harness.declarations import BenchFile, read_bench
from harness.errors import BenchError, Inconclusive, InputError, LocalProtocolError, RemoteProtocolError
from harness.evidence.scenario import read_scenario, write_scenario
from harness.judge import judge
from harness.plugin.bench_building import build, check
from harness.plugin.campaign import Campaign
from harness.plugin.case import clauses_of, run_case
from harness.tests.small_run import ROOT, python
from harness.trace import LEG_CODEC, Header, Trace
from harness.usecase import Order, Point
from harness.values import DeviceType, Eui64
from harness.verdict import Verdict

EXAMPLES = ROOT / "docs" / "examples"
sys.path.append(str(EXAMPLES))
ACME = "acme_legs:AcmeLegCodec"
CODEC = load_codec(ACME)
STEPS = ("02", "03", "04", "10", "11", "12")
Y2K = datetime(2000, 1, 1, tzinfo=UTC)
MOMENTS = st.integers(0, 2**32 * 1000 - 1).map(lambda milliseconds: Y2K + timedelta(milliseconds=milliseconds))
TEXTS = st.text(max_size=10)
MESSAGES = st.builds(
    LegMessage, st.sampled_from(LegKind), st.integers(0, 2**32 - 1), st.none() | TEXTS,
    st.none() | st.builds(Eui64, st.integers(0, 2**64 - 1)), st.none() | st.sampled_from(DeviceType),
    st.none() | st.sampled_from(("install_code", "link_key")), st.none() | st.binary(max_size=32), st.none() | MOMENTS,
    st.none() | st.integers(0, 2**32 - 1).map(lambda milliseconds: milliseconds / 1000), st.none() | st.sampled_from(LegState),
    st.none() | TEXTS, st.none() | MOMENTS,
)
ORDER = LegMessage(
    LegKind.OPEN_WINDOW, 7, "METER-0001", Eui64(0x0013500500A1B2C3), DeviceType.PCT, "link_key", bytes(range(16)),
    datetime(2026, 1, 15, 13, tzinfo=UTC), 3599.5,
)


@cache
def acme() -> BenchFile:
    return read_bench(EXAMPLES / "acme.yaml")


@cache
def campaign() -> Campaign:
    return Campaign(acme(), acme().seed, build)


@cache
def provisioned() -> Trace:
    trace = campaign().provisioned(acme().devices[0]).trace
    assert trace is not None
    return trace


def cases_of_the_legs() -> list[Callable[..., Any]]:
    modules = [each.name for each in pkgutil.iter_modules(cases.__path__) if each.name[5:7] in STEPS]
    return [
        function for name in modules
        for _, function in inspect.getmembers(importlib.import_module(f"cases.{name}"), inspect.isfunction)
        if clauses_of(function)
    ]


@given(MESSAGES)
def test_every_message_there_and_back(message: LegMessage) -> None:
    octets = CODEC.encode(message)
    assert CODEC.decode(octets) == message
    assert CODEC.length is not None
    assert CODEC.length(octets) == len(octets) == 160


def test_every_field_of_a_message_has_its_place() -> None:
    named = importlib.import_module("acme_legs").FIELDS
    assert set(named) == {each.name for each in fields(LegMessage)} - {"kind", "sequence"}


@given(st.binary(max_size=200), st.integers(0, 157), st.integers(1, 255))
def test_noise_is_refused_in_no_other_way(noise: bytes, place: int, bits: int) -> None:
    acme_legs = importlib.import_module("acme_legs")
    body = bytearray(CODEC.encode(ORDER)[:-2])
    body[place] ^= bits
    for attempt in (noise, bytes(body) + acme_legs.CRC.pack(acme_legs.crc_hqx(bytes(body), 0xFFFF))):
        try:
            message = CODEC.decode(attempt)
        except RemoteProtocolError:
            continue
        assert CODEC.encode(message) == attempt  # exactly one encoding


@pytest.mark.parametrize("message", [
    replace(ORDER, meter="M" * 41), replace(ORDER, key_material=bytes(33)), replace(ORDER, key_form="password"),
    replace(ORDER, end=datetime(1999, 12, 31, tzinfo=UTC)), replace(ORDER, sequence=1 << 32),
])
def test_what_does_not_fit_is_our_fault(message: LegMessage) -> None:
    with pytest.raises(LocalProtocolError, match="does not fit into ACME's 160 octets"):
        CODEC.encode(message)


@pytest.mark.parametrize("function", cases_of_the_legs(), ids=lambda function: function.__name__)
def test_every_case_of_the_legs_passes_over_it(function: Callable[..., Any]) -> None:
    conclusion = run_case(function, campaign(), acme().devices[0])
    assert (conclusion.verdict, conclusion.reason) == (Verdict.PASS, "")


def test_it_is_really_spoken() -> None:
    spoken = list(provisioned().at(Point.LEG))
    assert len(spoken) >= 12
    assert all(CODEC.decode(each.octets).meter == "METER-0001" for each in spoken)
    assert provisioned().header.about[LEG_CODEC] == ACME


@pytest.mark.parametrize("identity", [
    "leg02-mac-reversed", "leg03-end-later", "leg04-key-reversed", "leg03-order-doubled", "leg10-report-lost",
    "leg11-report-mac-reversed", "leg12-report-time-changed",
])
def test_a_defect_fails_what_it_breaks_also_over_it(identity: str) -> None:
    defect = all_defects()[identity]
    trace = Campaign(acme(), acme().seed, build).provisioned(acme().devices[0], defect).trace
    assert trace is not None
    failed = {each.id for each in judge(trace, clauses().values()) if each.verdict is Verdict.FAIL}
    assert set(defect.breaks) <= failed


# -- offline


def test_a_trace_names_its_codec_and_does_not_load_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    written = tmp_path / write_scenario(tmp_path, "provisioned", provisioned())
    of_legs = [each for each in clauses().values() if each.step in STEPS]
    with_it = judge(read_scenario(written, leg_codecs={ACME: CODEC}), of_legs)
    assert with_it == judge(provisioned(), of_legs)
    loaded: list[str] = []
    monkeypatch.setattr(importlib, "import_module", loaded.append)
    for codecs in ({}, {"other_legs:Codec": CODEC}):
        trace = read_scenario(written, leg_codecs=codecs)
        without = judge(trace, of_legs)
        decided = [now.id for was, now in zip(with_it, without, strict=True) if was.verdict is Verdict.PASS is now.verdict]
        assert decided == ["UC2.7-02-CONFIDENTIAL@AMI Head-End"]  # whose key is read from step 1
        assert {each.verdict for each in without} == {Verdict.NONE, Verdict.PASS, Verdict.INCONC}
        undecided = [each for each in without if each.verdict is Verdict.INCONC]
        assert len(undecided) > 20
        assert all(repr(ACME) in str(each.findings) for each in undecided)
    assert loaded == []


def test_judge_loads_what_the_user_names_and_nothing_else(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run, trap = tmp_path / "run", tmp_path / "trap"
    ran = python(
        ROOT, "pytest", "-q", "cases/step_03_window_routed.py", "--device=pct", f"--bench={EXAMPLES / 'acme.yaml'}",
        f"--run-dir={run}", "-p", "no:cacheprovider", PYTHONPATH=f"{ROOT}:{EXAMPLES}",
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr
    trap.mkdir()
    (trap / "acme_legs.py").write_text(f"open({str(trap / 'imported')!r}, 'w').close()")
    judged = python(ROOT, "harness.cli", "judge", str(run), PYTHONPATH=f"{ROOT}:{trap}")
    assert judged.returncode == 6, judged.stdout + judged.stderr
    assert "inconc: the legs speak the codec 'acme_legs:AcmeLegCodec'; give it by --leg-codec" in judged.stdout
    assert not (trap / "imported").exists()
    judged = python(ROOT, "harness.cli", "judge", str(run), "--leg-codec", ACME, PYTHONPATH=f"{ROOT}:{EXAMPLES}")
    assert judged.returncode == 0, judged.stdout + judged.stderr
    assert "the same verdicts" in judged.stdout
    assert main(["judge", str(run), "--leg-codec", "nowhere.at_all:Codec"]) == 4
    assert "leg codec nowhere.at_all:Codec: No module named 'nowhere'" in capsys.readouterr().err


def test_legs_of_an_unknown_codec_are_inconclusive() -> None:
    trace = Trace(Header(Order(Eui64(1), DeviceType.PCT, bytes(16), "link_key"), "2026-01-15T12:00:00+00:00", about={LEG_CODEC: "x:Y"}))
    with pytest.raises(Inconclusive, match="'x:Y'"):
        leg_codec(trace)


# -- somebody else's code


class Breaks:
    """A codec with a mistake in each verb."""

    def encode(self, message: LegMessage) -> bytes:
        raise KeyError(message.key_material)

    def decode(self, octets: bytes) -> LegMessage:
        return octets  # type: ignore[return-value]

    def length(self, octets: bytes) -> int | None:
        return octets[9]


def test_a_codec_that_breaks_down_is_the_laboratorys_fault() -> None:
    codec = NamedCodec("breaks:Breaks", Breaks())
    with pytest.raises(BenchError, match=r"^leg codec breaks:Breaks: encode raised KeyError$"):
        codec.encode(ORDER)
    with pytest.raises(BenchError, match="decode gave a bytes"):
        codec.decode(b"")
    assert codec.length is not None
    with pytest.raises(BenchError, match="length raised IndexError"):
        codec.length(b"")


LEGS = "legs: {codec: acme_legs:AcmeLegCodec, carriage: in-process}"


@pytest.mark.parametrize(("legs", "said"), [
    ("legs: acme", "legs: has no fields"),
    ("legs: {codek: a:B}", "legs.codek: there is no such field; right would be one of codec, carriage, listen, peers, largest"),
    ("legs: {codec: acme_legs}", "legs.codec: 'acme_legs' names no class; right would be module:Class, as acme_legs:AcmeLegCodec"),
    ("legs: {codec: no_such:Codec}", "legs.codec: leg codec no_such:Codec: No module named 'no_such'; right would be a module"),
    ("legs: {codec: acme_legs:Acme}", "legs.codec: leg codec acme_legs:Acme: module 'acme_legs' has no attribute 'Acme'"),
    ("legs: {codec: fractions:Fraction}", "legs.codec: leg codec fractions:Fraction: has no encode, decode; right would be a class"),
    ("legs: {codec: harness.plan:Plan}", "legs.codec: leg codec harness.plan:Plan: has no encode, decode"),
    ("legs: {carriage: pigeon}", "legs.carriage: 'pigeon' is not known; right would be one of in-process, tcp, udp"),
    ("legs: {listen: {NIC: 4103}}", "legs.listen: belongs to a carriage over a network"),
    ("legs: {carriage: in-process, largest: 9}", "legs.largest: belongs to a carriage over a network"),
    ("legs: {carriage: tcp}", "legs: has no own end, or no peer"),
    ("legs: {carriage: udp, listen: {NIC: 0}, peers: {}}", "legs: has no own end, or no peer"),
    ("legs: {carriage: tcp, listen: {CIS: 1}, peers: {NIC: h:1}}", "legs.listen.CIS: is on no leg; right would be one of AMI Head"),
    ("legs: {carriage: tcp, listen: {NIC: 0}, peers: {NIC: h:1}}", "legs.peers: NIC stands in listen as well"),
    ("legs: {carriage: tcp, listen: {NIC: 70000}, peers: {ESI: h:1}}", "legs.listen.NIC: '70000' has no port from 0 to 65535"),
    ("legs: {carriage: tcp, listen: {NIC: 0}, peers: {ESI: 1}}", "legs.peers.ESI: '1' has no port from 1 to 65535; right would be HOST"),
    ("legs: {carriage: tcp, listen: {NIC: 0}, peers: {ESI: ':1'}}", "legs.peers.ESI: ':1' is no address"),
    ("legs: {carriage: tcp, listen: {NIC: 0}, peers: {ESI: '::1:1'}}", "legs.peers.ESI: '::1:1' is no address"),
    ("legs: {carriage: udp, listen: {NIC: 0}, peers: {ESI: h:1}, largest: 70000}", "legs.largest: 70000 is out of range"),
    ("legs: {carriage: tcp, listen: {NIC: 0}, peers: {ESI: h:1}}", "every actor of this bench is in one process"),
])
def test_what_is_wrong_with_the_section_is_one_line(tmp_path: Path, legs: str, said: str) -> None:
    text = (EXAMPLES / "acme.yaml").read_text().replace("../../fixtures", str(ROOT / "fixtures"))
    assert LEGS in text
    (tmp_path / "bench.yaml").write_text(text.replace(LEGS, legs))
    with pytest.raises(InputError) as raised:
        check(read_bench(tmp_path / "bench.yaml"))
    (line,) = str(raised.value).splitlines()
    assert line.startswith(f"{tmp_path}/bench.yaml:{1 + text[:text.index(LEGS)].count(chr(10))}: ")
    assert said in line


def test_a_section_for_a_network_is_read(tmp_path: Path) -> None:
    text = (EXAMPLES / "acme.yaml").read_text().replace("../../fixtures", str(ROOT / "fixtures"))
    legs = "legs: {carriage: tcp, listen: {AMI Network: 4102, ESI: '0.0.0.0:4104'}, peers: {NIC: '[fd00::7]:4103'}}"
    (tmp_path / "bench.yaml").write_text(text.replace(LEGS, legs))
    read = read_bench(tmp_path / "bench.yaml").legs
    assert {str(actor): str(address) for actor, address in {**read.listen, **read.peers}.items()} == {
        "AMI Network": "127.0.0.1:4102", "ESI": "0.0.0.0:4104", "NIC": "[fd00::7]:4103",
    }
    assert (read.codec, read.largest) == ("harness.backhaul.codec:TlvCodec", 65_536)
