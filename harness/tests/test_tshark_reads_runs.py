"""tshark, which nobody of us wrote, reads the captures of undisturbed runs with their key file, and reads the same as we."""

from __future__ import annotations

from pathlib import Path

import pytest

from dissectors.tests.tshark import ask, needs_tshark
from harness.bench import Bench
from harness.checkers.reading import air
from harness.declarations import Device, read_bench
from harness.evidence.scenario import CAPTURE, write_capture, write_scenario
from harness.tests.peers.tshark_words import COMMON, INNER_NAMES, same, words

BENCH = read_bench(Path(__file__).parents[2] / "fixtures" / "benches" / "virtual.yaml")
TROUBLE = ("_ws.malformed", "zbee_sec.encrypted_payload", "zbee_sec.extended_source_unknown")
FEWEST_FIELDS = 2000  # of a whole provisioning: fewer means that the comparison has lost its words


@needs_tshark
@pytest.mark.parametrize("device", BENCH.devices, ids=lambda device: device.name)
def test_every_frame_of_an_undisturbed_run_reads_the_same(device: Device, tmp_path: Path) -> None:
    bench = Bench(BENCH, device, scenario="undisturbed")
    bench.play()
    folder = tmp_path / write_scenario(tmp_path, "undisturbed", bench.trace)
    write_capture(folder, {})
    theirs = ask(folder / CAPTURE, *COMMON, *INNER_NAMES, *TROUBLE, configuration=folder)
    ours = list(air(bench.trace))
    assert len(theirs) == len(ours)
    compared = 0
    differences = []
    for heard, told in zip(ours, theirs, strict=True):
        assert heard.frame.malformed is None, heard.frame.summary()
        assert not any(told[field] for field in TROUBLE), (heard.number, heard.frame.summary())
        for field, value in words(heard.frame).items():
            compared += value is not None
            if not same(value, told[field]):
                differences.append((heard.number, heard.frame.summary(), field, value, told[field]))
    assert not differences, differences[:10]
    assert compared > FEWEST_FIELDS
