"""Our own systems as the DUT in another process, reached through RabbitMQ: they pass, and what earlier runs left is nobody's."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.backhaul.broker_dialect import Broker
from harness.tests.peers.rabbitmq import PASSWORD, USER, Node
from harness.tests.served import HEAD_END, bench_file, cases_of, passed, run, serving, wrong

pytest_plugins = ("harness.tests.broker_fixtures",)


@pytest.fixture
def login(tmp_path: Path) -> dict[str, str]:
    (tmp_path / "password").write_text(PASSWORD)
    return {"user": USER, "password_file": str(tmp_path / "password")}


@pytest.mark.parametrize("wire", ["amqp", "stomp"])
def test_our_own_head_end_passes_over_a_broker(tmp_path: Path, node: Node, broker: Broker, login: dict[str, str], wire: str) -> None:
    options = {"wire": wire, "broker": f"127.0.0.1:{node.ports[wire]}", **login}
    words = [f"--{name.replace('_', '-')}={value}" for name, value in options.items()]
    with serving("ami-head-end", *words, f"--prefix={broker.prefix}", "--leg=tcp", "--control") as served:
        bench = bench_file(tmp_path, HEAD_END, served, **options)
        code, verdicts, output = run(tmp_path, bench, *cases_of("01", "02", "13", "INT", "PRE"))
    assert wrong(verdicts) == [], output
    assert code == 0, output
    assert passed(verdicts) >= 25, output
