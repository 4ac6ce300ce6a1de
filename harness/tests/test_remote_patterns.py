"""Bindings, generations and the asynchronous pattern with a DUT in another process: our own systems pass in each of them."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.tests.served import ROLES, bench_file, cases_of, passed, run, serving, wrong


@pytest.mark.parametrize(("role", "cim"), [
    ("ami-head-end", "binding: soap12"), ("ami-head-end", "binding: xml"), ("ami-head-end", "envelope: 2008"),
    ("ami-head-end", "pattern: asynchronous"), ("dr-application", "pattern: asynchronous"), ("cis", "pattern: asynchronous"),
])
def test_our_own_system_passes_however_the_bench_speaks(tmp_path: Path, role: str, cim: str) -> None:
    option = f"--{cim.replace(': ', '=')}"
    with serving(role, option, *(("--leg=tcp",) if role == "ami-head-end" else ()), "--control") as served:
        bench = bench_file(tmp_path, ROLES[role], served, f"cim: {{{cim}}}")
        code, verdicts, output = run(tmp_path, bench, *cases_of("01", "13", "14"))
    assert wrong(verdicts) == [], output
    assert code == 0, output
    assert passed(verdicts) >= {"cis": 3}.get(role, 15), output
