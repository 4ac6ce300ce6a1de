"""One undisturbed provisioning as each profile wants its messages: every clause that is asked passes."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from cases.table import clauses
from harness.adapters.defects import all_defects
from harness.bench import Bench
from harness.checkers.correspondence import letters, profile_of
from harness.cim_profile import DEFAULT, ENVELOPES, FORMS, CimProfile
from harness.declarations import read_bench
from harness.errors import InputError
from harness.judge import judge
from harness.trace import Trace
from harness.usecase import Point
from harness.values import DeviceType
from harness.verdict import Verdict

BENCH = Path(__file__).parents[2] / "fixtures" / "benches" / "virtual.yaml"
OWN_WORDS = CimProfile(
    mac="EUI64", meter="BadgeNumber", premise="PremiseNumber", agreement="Contract", joined="Provisioned", device_code="generic",
)
PROFILES = [
    *(replace(DEFAULT, envelope=envelope, form=form) for envelope in ENVELOPES for form in FORMS),
    OWN_WORDS, replace(OWN_WORDS, envelope="2008", form="generic"), replace(DEFAULT, device_code="generic"),
    CimProfile("2008", "typed", "soap11", "asynchronous"), CimProfile("2018", "generic", "soap12", "asynchronous"),
]


@cache
def provisioned(profile: CimProfile, device: int = 0) -> Trace:
    """The whole use case on the virtual bench, under that profile."""
    file = replace(read_bench(BENCH), cim=profile)
    bench = Bench(file, file.devices[device])
    bench.play()
    bench.close()
    return bench.trace


def verdicts(trace: Trace) -> dict[str, Verdict]:
    """What every clause says."""
    return {each.id: each.verdict for each in judge(trace, list(clauses().values()))}


def words(profile: CimProfile) -> str:
    """A profile as a test's name: what differs from the default."""
    told = {name: word for name, word in profile.as_dict().items() if word != getattr(DEFAULT, name)}
    return "-".join(told.values()) or "default"


@pytest.mark.parametrize("device", [0, 1], ids=[each.value for each in DeviceType])
@pytest.mark.parametrize("profile", PROFILES, ids=words)
def test_an_undisturbed_provisioning_passes_under_every_profile(profile: CimProfile, device: int) -> None:
    said, by_default = verdicts(provisioned(profile, device)), verdicts(provisioned(DEFAULT, device))
    assert {identity for identity, verdict in said.items() if verdict > Verdict.PASS} == set()
    asked = {identity for identity, verdict in by_default.items() if verdict is Verdict.PASS}
    assert asked <= {identity for identity, verdict in said.items() if verdict is Verdict.PASS}  # nothing is asked less


@pytest.mark.parametrize("profile", PROFILES, ids=words)
def test_every_message_of_a_run_is_as_its_profile_wants_it(profile: CimProfile) -> None:
    trace = provisioned(profile)
    assert profile_of(trace) == profile
    messages = [letter.message for letter in letters(trace) if letter.message is not None]
    assert len(messages) == len(list(trace.at(Point.CIM)))
    assert {each.form for each in messages} == {profile.form}
    assert {each.generation for each in messages} == {"2008" if profile.envelope == "2008" else "2011"}
    octets = b"".join(exchange.octets for exchange in trace.at(Point.CIM))
    for name in ("mac", "meter", "premise", "agreement", "joined"):
        assert f">{getattr(profile, name)}<".encode() in octets
        assert getattr(profile, name) == getattr(DEFAULT, name) or f">{getattr(DEFAULT, name)}<".encode() not in octets
    assert (b'ref="12.10.' in octets) == (profile.device_code == "generic")
    assert (b"<msg:ReplyCode>" in octets or b"<ReplyCode>" in octets) == (profile.envelope == "2008")


@pytest.mark.parametrize("profile", PROFILES, ids=words)
def test_a_defect_is_planted_whatever_the_form(profile: CimProfile) -> None:
    file, defect = replace(read_bench(BENCH), cim=profile), all_defects()["14-source-missing"]
    bench = Bench(file, file.devices[0], defects=(defect,))
    bench.play()
    bench.close()
    said = verdicts(bench.trace)
    assert {said[broken] for broken in defect.breaks} == {Verdict.FAIL}


@pytest.mark.parametrize("wrong", [
    {"mac": "EUI64"}, {"joined": "Provisioned"}, {"premise": "PremiseNumber"}, {"envelope": "2008"},
], ids=lambda wrong: next(iter(wrong)))
def test_messages_of_another_profile_fail(wrong: dict[str, Any]) -> None:
    trace = provisioned(DEFAULT)
    header = replace(trace.header, about={**trace.header.about, "cim": replace(DEFAULT, **wrong).as_dict()})
    other = Trace(header)
    other.exchanges, other.attestations = trace.exchanges, trace.attestations
    assert Verdict.FAIL in verdicts(other).values()


@pytest.mark.parametrize(("cim", "said"), [
    ({"envelope": "1999"}, "envelope is none of 2008, 2011, 2018"), ({"form": "../x"}, "form is none of typed, generic"), ([1], ""),
])
def test_a_trace_of_a_profile_that_nobody_knows_is_not_read(cim: Any, said: str, tmp_path: Path) -> None:
    trace = provisioned(DEFAULT)
    header = json.loads(next(trace.lines()))
    path = tmp_path / "trace.jsonl"
    path.write_text(json.dumps({**header, "about": {**header["about"], "cim": cim}}) + "\n")
    with pytest.raises(InputError, match=r"trace\.jsonl:1: not a line of a hanproof\.trace/1 trace: .*" + re.escape(said)):
        Trace.read(path)
