"""An audit says of a capture what the run that it was taken of says, as far as air and keys decide it; else it names what is missing.

No fail is false and no pass is silent, whatever is taken away: frames, the beginning, the keys.
"""

from __future__ import annotations

import random
import re
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import replace
from functools import cache
from io import BytesIO
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dissectors import mac
from dissectors.capture import CapturedFrame, CaptureError, frames_of, write_pcapng
from harness.audit.verdicts import Audited, as_json, overall
from harness.bench import Bench
from harness.judge import Judgement, judge
from harness.plan import Plan
from harness.tests.field_captures import (
    DEVICES,
    asked,
    audited,
    intake_of,
    judgements,
    packets,
    run_of,
    verdicts_of,
    wrong,
)
from harness.tests.test_defects import bench_file
from harness.tests.test_two_orders import OTHER, played
from harness.verdict import Verdict

ACK_LENGTH = 5  # octets
NAMED = re.compile(  # what an inconclusive finding of an audit names as missing
    "^not known here: |^PICS item .* is unset|on which channel|frames are missing|the ordered key was withheld|no private key"
)
PLANTED = [  # one defect of each step, and the device it is planted in
    ("05-no-extended-pan", "load_control"), ("06-key-under-data-key", "load_control"), ("07-device-endpoints-twice", "load_control"),
    ("08-esi-confirms-at-once", "load_control"), ("09-device-clear-data", "pct"),
]


def of(found: Iterable[Judgement], verdict: Verdict) -> set[str]:
    return {each.id for each in found if each.verdict is verdict}


def names_what_is_missing(judgement: Judgement) -> bool:
    undecided = [finding for finding in judgement.findings if finding.verdict is Verdict.INCONC and not finding.note]
    return bool(undecided) and all(NAMED.search(finding.message) for finding in undecided)


def the_one(joins: list[Audited]) -> Audited:
    assert len(joins) == 1
    return joins[0]


@pytest.mark.parametrize("link_type", [283, 195])
@pytest.mark.parametrize("device", DEVICES)
def test_the_verdicts_are_those_of_the_run(device: str, link_type: int) -> None:
    trace, run = run_of(device), verdicts_of(device)
    join = the_one(audited(trace, packets(trace, link_type)))
    assert (join.device, join.begins) == (str(trace.header.order.device), True)
    for each in judgements([join]):
        if each.verdict is not run[each.id].verdict:
            assert names_what_is_missing(each), (each.id, run[each.id].verdict, each.findings)
    assert len(of(judgements([join]), Verdict.PASS)) > 60
    assert all(Verdict.PASS in {each.verdict for each in step} for step in join.steps.values())


@pytest.mark.parametrize(("defect", "device"), PLANTED)
def test_a_defect_in_the_run_is_failed_by_the_audit_with_the_same_clauses(defect: str, device: str) -> None:
    failing = of(verdicts_of(device, defect).values(), Verdict.FAIL)
    found = judgements(audited(run_of(device, defect)))
    assert failing
    assert of(found, Verdict.FAIL) == failing
    assert of(found, Verdict.ERROR) == set()


def test_an_esi_whose_window_is_over_is_not_failed_for_refusing_who_establishes_a_key_anew() -> None:
    """When it was open is not on the air."""
    bench = Bench(bench_file(), bench_file().device("load_control"), Plan(provocation="06-esi-counters-stand"))
    bench.play()
    bench.close()
    run = {each.id: each.verdict for each in judge(bench.trace, asked())}
    found = judgements(audited(bench.trace))
    assert of(found, Verdict.FAIL) == {name for name, verdict in run.items() if verdict is Verdict.FAIL}
    (silence,) = [each for each in found if each.id == "UC2.7-08-SILENCE@ESI"]
    assert (run[silence.id], silence.verdict, names_what_is_missing(silence)) == (Verdict.PASS, Verdict.INCONC, True)


@pytest.mark.parametrize("share", [0.01, 0.05, 0.2])
@pytest.mark.parametrize("device", DEVICES)
def test_missing_frames_are_nobodys_fail_and_nobodys_pass(device: str, share: float) -> None:
    heard = packets(run_of(device))
    gone = set(random.Random(share).sample(range(len(heard)), round(len(heard) * share)))
    found = judgements(audited(run_of(device), [each for place, each in enumerate(heard) if place not in gone]))
    never_false(found, device)


@pytest.mark.parametrize("begun", [0.1, 0.3, 0.5, 0.8])
def test_a_capture_that_begins_midway_passes_nothing_that_came_before(begun: float) -> None:
    heard = packets(run_of("pct"))
    heard = heard[round(len(heard) * begun) :]
    join = the_one(audited(run_of("pct"), heard))
    never_false(judgements([join]), "pct")
    if begun >= 0.3:
        assert not join.begins
        assert join.verdict(5) is Verdict.INCONC
        assert any("was on the network already" in gap.cause for gap in join.missing)


def never_false(found: list[Judgement], device: str) -> None:
    assert of(found, Verdict.FAIL) | of(found, Verdict.ERROR) == set()
    assert of(found, Verdict.PASS) <= of(verdicts_of(device).values(), Verdict.PASS), "passes only since frames are missing"


@pytest.mark.parametrize("given", ["none", "wrong", "only the install code wrong"])
def test_without_the_right_keys_what_stays_sealed_is_named(given: str) -> None:
    trace = run_of("load_control")
    codes, others = ([key for key in trace.keys if (key.kind == "ic") is of_code] for of_code in (True, False))
    keys = {"none": [], "wrong": wrong(trace.keys), "only the install code wrong": others + wrong(codes)}[given]
    found = judgements(audited(trace, keys=keys))
    never_false(found, "load_control")
    sealed = [each for each in found if each.id in ("UC2.7-06-KEY-SEALED@ESI", "UC2.7-06-JOINED@HAN Device")]
    assert {each.verdict for each in sealed} == {Verdict.INCONC}
    if given != "only the install code wrong":
        assert of(found, Verdict.PASS) & {each.id for each in found if "-08-" in each.clause or "-09-" in each.clause} == set()
    assert all(map(names_what_is_missing, sealed)) or given == "wrong"


@pytest.mark.parametrize("name", ["two devices", "two meters", "another meter"])
def test_each_of_two_joins_is_judged_by_itself(name: str) -> None:
    """Two devices at one meter, two meters side by side on one channel, and a device that joins a second time."""
    trace = played(name)
    joins = audited(trace)
    assert len(joins) == 2
    assert len({(join.device, join.network["pan"]) for join in joins}) == 2
    assert len({join.device for join in joins}) == (1 if name == "another meter" else 2)
    assert of(judgements(joins), Verdict.FAIL) | of(judgements(joins), Verdict.ERROR) == set()
    assert all(len(of(judgements([join]), Verdict.PASS)) > 60 for join in joins)


@pytest.mark.parametrize("shift", [0.0, 3.3, -20.0])
def test_two_networks_of_one_pan_identifier_fail_nobody(shift: float) -> None:
    """Which is a fault of neither: they have not met before."""
    trace = played("two meters")
    first, second = (int(join.network["pan"], 16) for join in audited(trace))
    heard = [(repacked(each, moved(each.octets, second, first)), moved(each.octets, second, first) != each.octets[:-2])
             for each in packets(trace)]
    apart = [replace(each, time=each.time + (shift if others else 0.0)) for each, others in heard]
    joins = audited(trace, sorted(apart, key=lambda each: each.time))
    assert {join.device for join in joins} == {str(trace.header.order.device), str(OTHER)}
    assert {join.network["pan"] for join in joins} == {f"{first:04x}"}
    assert of(judgements(joins), Verdict.FAIL) | of(judgements(joins), Verdict.ERROR) == set()
    assert all(any("two networks have the PAN identifier" in gap.cause for gap in join.missing) for join in joins)


def moved(octets: bytes, old: int, new: int) -> bytes:
    """A frame without its FCS, in another PAN: neither MIC is over that."""
    control, place, changed = int.from_bytes(octets[:2], "little"), 3, bytearray(octets[:-2])
    for mode, there in ((control >> 10 & 3, True), (control >> 14 & 3, not control & 0x40)):
        if mode and there:
            if changed[place : place + 2] == old.to_bytes(2, "little"):
                changed[place : place + 2] = new.to_bytes(2, "little")
            place += 2
        place += {0: 0, 2: 2, 3: 8}[mode]
    return bytes(changed)


def test_two_captures_of_two_interfaces_are_one_and_what_both_heard_counts_once() -> None:
    trace = run_of("load_control")
    one = packets(trace)
    other = [replace(each, time=each.time + 0.001, interface=1) for each in one]
    heard = [frame for pair in zip(one[::2], other[::2], strict=True) for frame in pair] + one[1::2]
    heard = sorted(heard, key=lambda each: each.time)
    intake = intake_of(trace, heard)
    assert len(intake.taken) == len(one)
    assert intake.counts["frames heard on another interface as well"] == len(other[::2])


@pytest.mark.parametrize("later", ["at once", "up to 10 ms", "0.2 s"])
def test_two_sniffers_whose_clocks_differ_fail_nobody(later: str) -> None:
    """Link type 195 names no channel: that both heard one network its coordinator tells, not the time."""
    trace, chance = run_of("load_control"), random.Random(1)
    least, most = {"at once": (0.001, 0.001), "up to 10 ms": (0.0, 0.01), "0.2 s": (0.2, 0.2)}[later]
    one = packets(trace, 195)
    other = [replace(each, time=each.time + chance.uniform(least, most), interface=1) for each in one]
    never_false(judgements(audited(trace, sorted(one + other, key=lambda each: each.time))), "load_control")


def test_acknowledgements_stamped_late_are_still_acknowledgements() -> None:
    """A computer stamps what a radio told it some milliseconds ago; an acknowledgement right after its frame is one all the same."""
    trace = run_of("load_control")
    heard = [
        replace(each, time=each.time + 0.004) if len(each.octets) == ACK_LENGTH else each for each in packets(trace)
    ]
    found = judgements(audited(trace, sorted(heard, key=lambda each: each.number)))
    assert of(found, Verdict.PASS) == of(judgements(audited(trace)), Verdict.PASS)


@pytest.mark.parametrize("digits", [0, 1, 2])
@pytest.mark.parametrize("device", DEVICES)
def test_a_clock_of_coarse_steps_fails_nobody(device: str, digits: int) -> None:
    """Of whole seconds, tenths, hundredths: many frames have one stamp, and are in the order of the file."""
    trace = run_of(device)
    found = judgements(audited(trace, [replace(each, time=round(each.time - 0.5 / 10**digits, digits)) for each in packets(trace)]))
    never_false(found, device)
    assert len(of(found, Verdict.PASS)) > 60


@pytest.mark.parametrize("device", DEVICES)
def test_frames_that_a_file_has_in_another_order_are_judged_in_that_of_their_time_stamps(device: str) -> None:
    trace = run_of(device)
    heard = packets(trace)
    for place in range(0, len(heard) - 1, 7):
        heard[place], heard[place + 1] = heard[place + 1], heard[place]
    never_false(judgements(audited(trace, heard)), device)


def test_a_wrong_fcs_is_a_hearing_that_failed_and_nobodys_mistake() -> None:
    trace = run_of("load_control")
    heard = [
        replace(each, octets=each.octets[:-1] + bytes([each.octets[-1] ^ 1])) if each.number % 40 == 0 else each
        for each in packets(trace)
    ]
    intake = intake_of(trace, heard)
    assert intake.counts["frames with a wrong FCS"] == len(heard) // 40
    never_false(judgements(audited(trace, heard)), "load_control")
    assert any("wrong FCS" in gap.cause for gap in audited(trace, heard)[0].missing)


@pytest.mark.parametrize("figures", ["b6e9", "0080", "0000"])
def test_a_radios_own_figures_in_the_place_of_the_fcs_are_none(figures: str) -> None:
    """Link type 195, as many a sniffer writes it; where the figures say that a frame was not heard rightly, it was not."""
    trace = run_of("load_control")
    heard = [replace(each, octets=each.octets[:-2] + bytes.fromhex(figures)) for each in packets(trace, 195)]
    assert of(judgements(audited(trace, heard)), Verdict.PASS) == of(judgements(audited(trace, packets(trace, 195))), Verdict.PASS)
    wrong_at = 40
    heard[wrong_at] = replace(heard[wrong_at], octets=heard[wrong_at].octets[:-2] + b"\x10\x10")
    intake = intake_of(trace, heard)
    intake.end()
    assert (intake.counts["frames"], intake.counts["frames with a wrong FCS"]) == (len(heard) - 1, 1)


@pytest.mark.parametrize(("count", "end"), [(3, "b6e9"), (15, "b6e9"), (40, "b669")])
def test_frames_that_are_wrong_from_the_beginning_are_wrong(count: int, end: str) -> None:
    """Where one is right, the FCS is one, of a capture that ends in doubt it is one as well, and so are figures that say nothing."""
    trace = run_of("load_control")
    heard = packets(trace, 195)
    wrong_ones = [replace(each, octets=each.octets[:-2] + bytes.fromhex(end)) for each in heard[:count]]
    for rest in (heard[count:], []):
        intake = intake_of(trace, [*wrong_ones, *rest])
        intake.end()
        assert intake.counts["frames with a wrong FCS"] == count
        assert intake.counts["frames"] == len(rest)


def test_the_json_holds_health_and_joins_with_packets_of_the_file() -> None:
    trace = run_of("load_control", "08-esi-confirms-at-once")
    heard = packets(trace, start=1001)
    intake, joins = intake_of(trace, heard), audited(trace, heard)
    told = as_json(intake, joins)
    assert (told["schema"], told["health"]["counts"]["frames"]) == ("hanproof.audit/1", len(heard))
    (join,) = told["joins"]
    assert (join["device"], join["network"]["medium"]) == (str(trace.header.order.device), "air:15")
    assert set(join["steps"]) == {"5", "6", "7", "8", "9"}
    failed = [each for each in join["steps"]["8"]["findings"] if each["verdict"] == "fail"]
    assert join["steps"]["8"]["verdict"] == str(overall(joins)) == "fail"
    assert failed[0]["clause"] == "UC2.7-08-ORDER@ESI"
    assert all(1001 <= packet < 1001 + len(heard) for packet in failed[0]["packets"])


def test_nothing_is_found_where_nothing_is() -> None:
    assert audited(run_of("load_control"), []) == []
    assert overall([]) is Verdict.NONE


@cache
def part_of_a_capture() -> bytes:
    """A pcapng file of some frames around an association."""
    with TemporaryDirectory() as folder:
        write_pcapng(Path(folder) / "air.pcapng", packets(run_of("load_control"))[20:90], 283)
        return (Path(folder) / "air.pcapng").read_bytes()


def test_what_is_missing_hours_away_is_nobodys_excuse() -> None:
    trace = run_of("load_control")
    lost = packets(trace)[0]
    early = [replace(lost, time=lost.time - 7200.0, octets=lost.octets[:-1] + bytes([lost.octets[-1] ^ 1])), *packets(trace)]
    near = [replace(early[0], time=lost.time), *early[1:]]
    assert the_one(audited(trace, early)).missing == ()
    assert of(judgements(audited(trace, early)), Verdict.PASS) == of(judgements(audited(trace)), Verdict.PASS)
    assert "wrong FCS" in the_one(audited(trace, near)).missing[0].cause


def test_time_stamps_that_cannot_be_are_named_and_fail_nobody() -> None:
    heard = [replace(each, time=each.number * 1e-6) for each in packets(run_of("load_control"))]
    found = judgements(audited(run_of("load_control"), heard))
    never_false(found, "load_control")
    assert any("the time stamps are wrong" in finding.message for each in found for finding in each.findings)


@pytest.mark.parametrize("step", [-3600.0, -30.0, 30.0])
def test_a_clock_that_is_set_while_it_captures_is_named_and_fails_nobody(step: float) -> None:
    """A frame that is stamped early, or all that follow: by their stamps counters fall."""
    trace = run_of("load_control")
    for last in (False, True):
        heard = packets(trace)
        for place in range(100, len(heard) if last else 101):
            heard[place] = replace(heard[place], time=heard[place].time + step)
        found = judgements(audited(trace, heard))
        never_false(found, "load_control")
        if not last or step < 0:
            assert any("the time stamps go back by" in finding.message for each in found for finding in each.findings)


@settings(max_examples=12, deadline=None)
@given(data=st.data())
def test_whatever_the_file_is_it_is_judged_or_said_to_be_damaged(data: st.DataObject) -> None:
    octets = bytearray(part_of_a_capture())
    for _ in range(data.draw(st.integers(0, 4))):
        octets[data.draw(st.integers(0, len(octets) - 1))] ^= data.draw(st.integers(1, 255))
    whole = data.draw(st.booleans())
    octets = octets if whole else octets[: data.draw(st.integers(0, len(octets)))]
    heard = []
    with suppress(CaptureError):
        for packet in frames_of(BytesIO(octets), "air.pcapng"):
            heard.append(packet)
    assert len(heard) <= len(packets(run_of("load_control"))[20:90])
    assert of(judgements(audited(run_of("load_control"), heard)), Verdict.ERROR) == set()


@settings(max_examples=8, deadline=None)
@given(data=st.data())
def test_whatever_the_frames_are_nothing_breaks(data: st.DataObject) -> None:
    """Frames flipped, cut, doubled and out of order: verdicts, never an error, and our own checkers never raise."""
    trace = run_of("load_control")
    heard = packets(trace)[20:90]
    for _ in range(data.draw(st.integers(1, 8))):
        place = data.draw(st.integers(0, len(heard) - 1))
        frame, how = heard[place], data.draw(st.sampled_from(["flip", "cut", "double", "early"]))
        if how == "flip":
            bit = data.draw(st.integers(0, 8 * max(len(frame.octets) - 2, 1) - 1))
            heard[place] = repacked(frame, bytes(
                octet ^ (1 << bit % 8 if at == bit // 8 else 0) for at, octet in enumerate(frame.octets[:-2])
            ))
        elif how == "cut":
            heard[place] = repacked(frame, frame.octets[: data.draw(st.integers(0, len(frame.octets)))])
        elif how == "double":
            heard.insert(data.draw(st.integers(0, len(heard))), frame)
        else:
            heard.insert(0, heard.pop(place))
    assert of(judgements(audited(trace, heard)), Verdict.ERROR) == set()


@pytest.mark.parametrize("to", ["device", "ESI"])
def test_frames_that_end_early_or_are_of_no_network_are_nobodys_error(to: str) -> None:
    """Between the same two addresses: inter-PAN frames, with APS frames in them that do not belong there, and cut auxiliary headers."""
    trace = run_of("load_control")
    heard = packets(trace)
    spoken = [each for each in heard if each.octets[0] & 7 == mac.FrameType.DATA and len(each.octets) > 60]
    whole = next(each for each in reversed(spoken) if (each.octets[5:7] == b"\0\0") is (to == "ESI"))
    addresses = whole.octets[:9]
    odd = [
        *(addresses + b"\x0b\x00" + bytes([control]) + bytes(range(30)) for control in range(0, 256, 5)),
        *(whole.octets[:length] for length in range(17, 45)),
    ]
    for place, octets in enumerate(odd):
        heard.insert(len(heard) // 2 + place, replace(repacked(whole, octets), time=heard[len(heard) // 2].time + place / 100))
    found = judgements(audited(trace, heard))
    assert of(found, Verdict.ERROR) == set()


def repacked(frame: CapturedFrame, octets: bytes) -> CapturedFrame:
    """The frame with other octets, without its FCS: it is made to fit."""
    return replace(frame, octets=octets, fcs="absent")
