"""A conformance run in miniature, for the tests of plugin, evidence and CLI: its own bench, table and cases, in a directory.

The bench sends one frame and one message with what a case asks for; the clauses look for words in them. Nothing here is a
conformance case.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]

INI = """
[pytest]
python_files = step_*.py
builder = small_bench:build
bench = bench.yaml
addopts = -p no:cacheprovider --strict-markers -rN
"""

CONFTEST = 'pytest_plugins = ("harness.plugin",)\n'

BENCH = """
name: small
devices: [pct.yaml, load_control.yaml]
dut: [NIC, ESI]
seed: 27
adapters: {ESI: small_bench:Anything}
"""

DEVICE = """
name: %s
type: %s
pics: {price: no, sleepy: unset}
pixit:
  eui64: acde48000a19c3%s
  install_code: %s
"""

SMALL_BENCH = '''
from harness.errors import BenchError, Inconclusive, Unsupported
from harness.trace import Attestation, Header, Key, Trace
from harness.usecase import Point

class Bench:
    def __init__(self, planned):
        bench, device = planned.bench, planned.device
        self.says = planned.changes.get("says", "unable" if bench.name == "unable" else "good")
        if planned.defect is not None:
            self.says = planned.defect.says
        self.order = bench.order(device)
        self.trace = Trace(Header(order=self.order, epoch=bench.epoch.isoformat(), scenario=planned.scenario, dut=bench.dut,
                                  pics=bench.claims(device), seed=planned.seed))
        self.trace.attest(Attestation(Point.MAC, "air", 0.0))
        self.trace.learn(Key("ic", device.link_key, device.eui64))

    def play(self):
        if self.says == "broken":
            raise BenchError("the radio is gone")
        if self.says == "unable":
            raise Unsupported("the radio cannot whistle")
        if self.says == "unready":
            raise Inconclusive("the preamble failed")
        self.trace.append(1.5, Point.MAC, "air", self.says.encode(), "ESI", "HAN Device", about={"channel": 11})
        self.trace.append(2.0, Point.CIM, "cim", b"<key>" + self.order.key_material.hex().upper().encode() + b"</key>",
                          "DR Application", "AMI Head-End")

def build(planned):
    return Bench(planned)
'''

TABLE = '''
import pytest
from harness.usecase import Actor, Clause, Point
from harness.verdict import failed, inconclusive, noted, passed

def word(trace):
    for exchange in trace.at(Point.MAC):
        said = exchange.octets.decode()
        if said == "good":
            yield passed("the word is right", exchange.number, observed=said)
        elif said == "bad" or said.isdigit() and int(said) > 9:
            yield failed("the word is wrong", exchange.number, expected="good", observed=said)
        elif said == "mumble":
            yield inconclusive("the word cannot be understood", exchange.number)
        elif said == "crash":
            raise ZeroDivisionError("no such word")
        elif said.isdigit():
            yield passed("the number is small", exchange.number)
        yield noted("a word was heard", exchange.number)

def key(trace):
    sent = next(trace.at(Point.CIM), None)
    if sent is not None:
        ordered = trace.header.order.key_material.hex().upper().encode()
        right = bool(ordered) and ordered in sent.octets
        yield passed("the key is right", sent.number) if right else failed("wrong key", sent.number, expected="1", observed="0")

def clauses():
    return {each.id: each for each in (
        Clause("UC2.7-06-WORD", "", "UC", "", {Actor.ESI: (word,)}, needs=(Point.MAC,)),
        Clause("UC2.7-01-KEY", "", "UC", "", {Actor.ESI: (key,)}),
        Clause("UC2.7-07-PRICE", "", "UC", "", {Actor.ESI: (word,)}, pics="price"),
        Clause("UC2.7-07-SLEEPY", "", "UC", "", {Actor.ESI: (word,)}, pics="sleepy"),
        Clause("UC2.7-07-LOG", "", "UC", "", {Actor.ESI: (word,)}, needs=(Point.LOG,)),
        Clause("UC2.7-13-CIS", "", "UC", "", {Actor.CIS: (word,)}),
        Clause("UC2.7-07-SILENT", "", "UC", "", {Actor.NIC: (lambda trace: iter(()),)}),
    )}

def steps():
    return {}

def find(identifier):
    return clauses()[identifier.partition("@")[0]]

def clause(*names):
    return pytest.mark.clause(*(clauses()[f"UC2.7-{name}"] for name in names))
'''

CASES = '''
from hypothesis import given, strategies as st
import pytest
from harness.errors import Inconclusive
from small_table import clause

@clause("06-WORD", "01-KEY")
def test_pass(provisioned, verify):
    verify(provisioned)

@clause("06-WORD")
def test_fail(benches, verify):
    bench = benches(says="bad"); bench.play(); verify(bench.trace)

@clause("06-WORD")
def test_inconc(benches, verify):
    bench = benches(says="mumble"); bench.play(); verify(bench.trace)

@clause("06-WORD")
def test_checker_raises(benches, verify):
    bench = benches(says="crash"); bench.play(); verify(bench.trace)

@clause("06-WORD")
def test_bench_breaks(benches, verify):
    bench = benches(says="broken"); bench.play(); verify(bench.trace)

@clause("06-WORD")
def test_preamble_fails(benches, verify):
    bench = benches(says="unready"); bench.play(); verify(bench.trace)

@clause("06-WORD")
def test_bench_cannot(benches, verify):
    bench = benches(says="unable"); bench.play(); verify(bench.trace)

@clause("06-WORD", "07-SILENT")
def test_does_not_ask(provisioned, verify):
    verify(provisioned)

@clause("06-WORD")
def test_verifies_nothing(bench, verify):
    bench.play()

@clause("07-PRICE")
def test_not_claimed(bench, verify):
    raise AssertionError("must not be played")

@clause("13-CIS")
def test_not_under_test(bench, verify):
    raise AssertionError("must not be played")

@clause("07-SLEEPY")
def test_unset(bench, verify):
    raise AssertionError("must not be played")

@clause("07-LOG")
def test_unseen(provisioned, verify):
    verify(provisioned)

@clause("06-WORD")
@given(number=st.integers(0, 9))
def test_examples_pass(benches, verify, number):
    bench = benches(says=str(number)); bench.play(); verify(bench.trace)

@clause("06-WORD")
@given(device=st.integers(0, 1000))
def test_examples_fail(benches, verify, device):
    bench = benches(says=str(device)); bench.play(); verify(bench.trace)

@clause("06-WORD")
@given(says=st.sampled_from(["good", "mumble", "unready"]))
def test_examples_inconc(benches, verify, says):
    bench = benches(says=says); bench.play(); verify(bench.trace)

@pytest.fixture
def postamble():
    yield
    raise Inconclusive("the DUT did not come back")

@clause("06-WORD")
def test_postamble_fails(provisioned, postamble, verify):
    verify(provisioned)

@clause("06-WORD")
def test_grows_after_verify(bench, verify):
    bench.play(); verify(bench.trace); bench.says = "mumble"; bench.play()

@clause("06-WORD")
def test_verified_twice(bench, verify):
    bench.play(); verify(bench.trace); bench.play(); verify(bench.trace)
'''
EXPECTED = {
    "pass": "pass", "fail": "fail", "inconc": "inconc", "checker_raises": "error", "bench_breaks": "error",
    "preamble_fails": "inconc", "bench_cannot": "not_applicable",
    "does_not_ask": "inconc", "verifies_nothing": "inconc", "not_claimed": "not_applicable",
    "not_under_test": "not_applicable", "unset": "inconc", "unseen": "not_applicable", "examples_pass": "pass",
    "examples_fail": "fail", "examples_inconc": "inconc", "postamble_fails": "inconc", "grows_after_verify": "pass",
    "verified_twice": "pass",
}


def write_project(folder: Path, cases: str = CASES, bench: str = BENCH) -> Path:
    """Write the small project into a folder; returns it."""
    files = {
        "pytest.ini": INI, "conftest.py": CONFTEST, "bench.yaml": bench, "small_bench.py": SMALL_BENCH, "small_table.py": TABLE,
        "step_06.py": cases, "pct.yaml": DEVICE % ("pct", "pct", "d5", "83FE D340 7A93 9723 A5C6 39B2 6916 D505 C3B5"),
        "load_control.yaml": DEVICE % ("load_control", "load_control", "d6", "4D5A8B11C0FFEE275A8B"),
    }
    for name, text in files.items():
        (folder / name).write_text(text, encoding="utf-8")
    return folder


def python(folder: Path, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run `python -m ...` in the project."""
    search = os.pathsep.join((str(ROOT), str(folder)))
    return subprocess.run(
        [sys.executable, "-m", *arguments], cwd=folder, capture_output=True, text=True, check=False,
        env={**os.environ, "PYTHONPATH": search, "PYTHONDONTWRITEBYTECODE": "1", "COLUMNS": "200", **environment},
    )
