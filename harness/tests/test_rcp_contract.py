"""Our own radio adapter, held to the contract that it holds others to: over Spinel, on a served air, with another as its peer."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import replace
from types import MappingProxyType

from harness.contract.checking import Check
from harness.contract.table import RADIO
from harness.declarations import read_bench
from harness.radio_declaration import Plugged
from harness.tests.small_run import ROOT

LIMIT = 20.0  # seconds that one question may take
ADAPTER = "harness.radio.rcp:Rcp"


def test_the_rcp_adapter_keeps_every_promise() -> None:
    serve = [sys.executable, "-m", "harness.cli", "serve", "air", "--radios", "2"]
    air = subprocess.Popen(serve, stdout=subprocess.PIPE, text=True, cwd=ROOT, env={**os.environ, "PYTHONPATH": str(ROOT)})
    assert air.stdout is not None
    ports = [air.stdout.readline().partition(": ")[2].strip() for _ in range(2)]
    radios = {
        name: Plugged(ADAPTER, MappingProxyType({"port": port})) for name, port in zip(("ESI", "sniffer"), ports, strict=True)
    }
    try:
        bench = replace(read_bench(ROOT / "fixtures" / "benches" / "virtual.yaml"), radios=radios)
        told = {outcome.promise.id: outcome for outcome in Check(bench, LIMIT).outcomes(("radio of ESI",))}
    finally:
        air.kill()
        air.communicate()
    assert {name: outcome.reason for name, outcome in told.items() if outcome.verdict != "pass"} == {}
    assert told.keys() == {promise.id for promise in RADIO}
    assert told["RADIO-ABOUT"].reason.endswith("exercised on hardware: no")
