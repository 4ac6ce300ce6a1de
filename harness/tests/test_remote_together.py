"""Several systems as the DUT at once, each in a process of its own; and one in real time, with nobody who could make time jump."""

from __future__ import annotations

import socket
from contextlib import ExitStack
from pathlib import Path

import pytest

from harness.adapters.wire_options import WireOptions
from harness.bench import Bench
from harness.building import is_live
from harness.declarations import read_bench
from harness.errors import BenchError
from harness.plugin.bench_building import check
from harness.tests.http_peers import at_most
from harness.tests.peers.rabbitmq import free_ports
from harness.tests.served import HEAD_END, ROLES, ROOT, bench_of, cases_of, passed, run, serving, wrong
from harness.usecase import Actor

REAL_TIME = ("cases/step_01_window_requested.py", "-k", "install_code_of_any_length")
SOON = "window: {start: 5, duration: 10}"


@pytest.mark.parametrize("roles", [("dr-application", "ami-head-end"), ("cis", "dr-application")])
def test_two_systems_in_two_processes_are_the_dut_together(tmp_path: Path, roles: tuple[str, ...]) -> None:
    with ExitStack() as stack:
        served = {
            role: stack.enter_context(serving(role, *(("--leg=tcp",) if role == "ami-head-end" else ()), "--control")) for role in roles
        }
        remote = {
            ROLES[role]: {"address": each.where[ROLES[role]], "control": each.where["control"]} for role, each in served.items()
        }
        legs = served["ami-head-end"].where["leg"] if "ami-head-end" in served else ""
        code, verdicts, output = run(tmp_path, bench_of(tmp_path, remote, legs=legs), *cases_of("01", "02", "13", "14"))
    assert wrong(verdicts) == [], output
    assert code == 0, output
    assert passed(verdicts) >= 5, output


def test_a_head_end_without_control_is_tested_in_real_time(tmp_path: Path) -> None:
    (port,) = free_ports(1)  # the same for every bench of the run
    with serving("ami-head-end", "--leg=tcp", until="leg") as served:
        remote = {HEAD_END: {"address": served.where[HEAD_END], "listen": f"127.0.0.1:{port}"}}
        bench = bench_of(tmp_path, remote, SOON, legs=served.where["leg"])
        with at_most(30):
            code, verdicts, output = run(tmp_path, bench, *REAL_TIME)
    assert (code, wrong(verdicts), passed(verdicts)) == (0, [], 1), output


def test_a_bench_that_cannot_be_built_lets_go_of_its_ports(tmp_path: Path) -> None:
    (port,) = free_ports(1)
    remote = {HEAD_END: {"address": "http://127.0.0.1:9/", "listen": f"127.0.0.1:{port}"}}
    file = read_bench(bench_of(tmp_path, remote, "  ODS: nowhere.at_all:Ods"))
    with pytest.raises(BenchError, match="nowhere"):
        Bench(file, file.devices[0])
    socket.create_server(("127.0.0.1", port)).close()


def test_the_example_of_a_bench_says_only_what_is_known() -> None:
    file = read_bench(ROOT / "fixtures" / "benches" / "head_end_over_http.yaml")
    check(file)
    options = WireOptions.of(file.adapters[Actor.AMI_HEAD_END].options)
    assert (options.wire, options.listen, file.dut) == ("http", "127.0.0.1:8081", (Actor.AMI_HEAD_END,))
    assert is_live(file)


def test_a_head_end_that_is_not_there_is_an_error_that_names_it(tmp_path: Path) -> None:
    (port,) = free_ports(1)
    with at_most(30):
        code, verdicts, output = run(tmp_path, bench_of(tmp_path, {HEAD_END: {"address": f"http://127.0.0.1:{port}/"}}, SOON), *REAL_TIME)
    assert code == 7, output
    assert [f"the {HEAD_END} cannot be reached: 127.0.0.1:{port} refuses connections" in line for line in wrong(verdicts)] == [True]
