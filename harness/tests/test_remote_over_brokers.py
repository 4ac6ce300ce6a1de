"""Our own systems as the DUT in another process, reached through RabbitMQ: they pass, and what earlier runs left is nobody's."""

from __future__ import annotations

from contextlib import closing
from dataclasses import replace
from pathlib import Path
from threading import Event

import pytest

from harness.backhaul.amqp_carrier import amqp_carrier
from harness.backhaul.broker_dialect import Broker
from harness.backhaul.carrier import Parcel
from harness.bench import Bench
from harness.declarations import read_bench
from harness.errors import BenchError
from harness.tests.peers.rabbitmq import PASSWORD, USER, Node
from harness.tests.served import HEAD_END, ROLES, bench_file, bench_of, cases_of, passed, run, serving, wrong
from harness.usecase import Point

pytest_plugins = ("harness.tests.broker_fixtures",)


@pytest.fixture
def login(tmp_path: Path) -> dict[str, str]:
    (tmp_path / "password").write_text(PASSWORD)
    return {"user": USER, "password_file": str(tmp_path / "password")}


def words(options: dict[str, str]) -> list[str]:
    return [f"--{name.replace('_', '-')}={value}" for name, value in options.items()]


@pytest.mark.parametrize("wire", ["amqp", "stomp"])
def test_our_own_head_end_passes_over_a_broker(tmp_path: Path, node: Node, broker: Broker, login: dict[str, str], wire: str) -> None:
    options = {"wire": wire, "broker": f"127.0.0.1:{node.ports[wire]}", **login}
    with serving("ami-head-end", *words(options), f"--prefix={broker.prefix}", "--leg=tcp", "--control") as served:
        bench = bench_file(tmp_path, HEAD_END, served, **options)
        code, verdicts, output = run(tmp_path, bench, *cases_of("01", "02", "13", "INT", "PRE"))
    assert wrong(verdicts) == [], output
    assert code == 0, output
    assert passed(verdicts) >= 25, output


@pytest.mark.parametrize(("wire", "role"), [("amqp", "dr-application"), ("stomp", "cis")])
def test_later_results_go_to_the_queue_that_was_named(
    tmp_path: Path, node: Node, broker: Broker, login: dict[str, str], wire: str, role: str,
) -> None:
    options = {"wire": wire, "broker": f"127.0.0.1:{node.ports[wire]}", **login}
    with serving(role, *words(options), f"--prefix={broker.prefix}", "--pattern=asynchronous", "--control") as served:
        bench = bench_file(tmp_path, ROLES[role], served, "cim: {pattern: asynchronous}", **options)
        code, verdicts, output = run(tmp_path, bench, *cases_of("14"), "-k", "not any")
    assert (code, wrong(verdicts)) == (0, []), output
    assert passed(verdicts) >= 2, output


def test_what_an_earlier_run_left_in_a_queue_is_nobodys(
    tmp_path: Path, node: Node, broker: Broker, login: dict[str, str],
) -> None:
    options = {"wire": "amqp", "broker": f"127.0.0.1:{node.ports['amqp']}", **login}
    ours = f"{broker.prefix}bench."
    taken = Event()
    left = amqp_carrier(lambda _: taken.set(), ["earlier"], replace(broker, port=node.ports["amqp"]))
    left.send(Parcel(b"<stale/>", "earlier", f"{ours}dr-application", "t", about={"properties": {"reply-to": "nowhere"}}))
    assert taken.wait(20)
    left.close()
    with serving("ami-head-end", *words(options), f"--prefix={broker.prefix}", "--leg=tcp", until="leg") as served:
        remote = {HEAD_END: {"address": served.where[HEAD_END], "prefix": ours, **options}}
        file = read_bench(bench_of(tmp_path, remote, "window: {start: 5, duration: 10}"))
        with closing(Bench(file, file.devices[0])) as bench:
            bench.request()
    cim = list(bench.trace.at(Point.CIM))
    assert not [exchange for exchange in cim if exchange.octets == b"<stale/>" or exchange.about.get("flaw")]
    assert [exchange for exchange in cim if (exchange.producer, exchange.receiver) == (HEAD_END, "DR Application")]


def test_a_broker_that_does_not_let_us_in_is_an_error_and_no_fail(tmp_path: Path, node: Node, login: dict[str, str]) -> None:
    (tmp_path / "password").write_text("another")
    options = {"wire": "amqp", "broker": f"127.0.0.1:{node.ports['amqp']}", **login}
    file = read_bench(bench_of(tmp_path, {HEAD_END: {"address": "hanproof.ami-head-end", **options}}))
    with pytest.raises(BenchError, match=r"amqp://127\.0\.0\.1"):
        Bench(file, file.devices[0])
