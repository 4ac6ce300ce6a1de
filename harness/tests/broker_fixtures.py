"""Fixtures of the tests at a broker: one RabbitMQ for a run, and a world of queues for each test; a plugin of those test files."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import count

import pytest

from harness.backhaul.broker_dialect import Broker
from harness.tests.broker_world import PROTOCOLS, WHO, World
from harness.tests.peers.rabbitmq import Node, missing, shared


@pytest.fixture(scope="session")
def node(tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> Iterator[Node]:
    """One RabbitMQ, which all workers of a run share."""
    if why := missing():
        pytest.skip(why)
    run = tmp_path_factory.getbasetemp() if worker_id == "master" else tmp_path_factory.getbasetemp().parent
    with shared(run / "rabbitmq") as running:
        yield running


_numbers = count()


def _world(protocol: str, broker: Broker) -> Iterator[World]:
    made = World(protocol, broker)
    yield made
    for carrier in made.carriers:
        carrier.close()


@pytest.fixture
def broker(node: Node, worker_id: str) -> Broker:
    """Without a port, and with a prefix that no other test has."""
    return Broker(credentials=WHO, prefix=f"{worker_id}.{next(_numbers)}.")


@pytest.fixture(params=list(PROTOCOLS))
def world(request: pytest.FixtureRequest, node: Node, broker: Broker) -> Iterator[World]:
    yield from _world(request.param, replace(broker, port=node.ports[request.param.split()[0]]))


@pytest.fixture
def by_amqp(node: Node, broker: Broker) -> Iterator[World]:
    yield from _world("amqp", replace(broker, port=node.ports["amqp"]))


@pytest.fixture
def by_stomp(node: Node, broker: Broker) -> Iterator[World]:
    yield from _world("stomp", replace(broker, port=node.ports["stomp"]))


@pytest.fixture(params=list(PROTOCOLS)[:2])
def alone(request: pytest.FixtureRequest) -> Iterator[World]:
    """Without a broker."""
    yield from _world(request.param, Broker(credentials=WHO))
