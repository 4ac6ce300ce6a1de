"""The server sides of the clusters that an ESI offers: Basic, Identify, Time, Price, load control, Messaging, Metering.

Knows the programme it was given and no device; each function makes one side. SE 1.0 (075356), annex D; ZCL 075123, 3.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from dissectors.clusters import basic, drlc, identify, messaging, metering, price
from dissectors.clusters import time as time_cluster
from dissectors.layer import Record
from dissectors.zcl import Status
from harness.stack.agenda import Agenda
from harness.stack.endpoint import Answer, ClusterSide, Heard, Held, constant
from harness.stack.programme import Programme, ends, is_active

Utc = Callable[[float], int]
"""The UTCTime at an instant of the bench."""

Offer = Callable[[], Programme]
"""What the ESI offers at this moment."""

Taken = Callable[[Heard], None]
"""Is told of a command that a device sent and that was accepted."""

ZCL_VERSION = 1


def basic_side(power_source: basic.PowerSource, model: bytes) -> ClusterSide:
    """Basic: what every device says of itself; NWK security is enough for it."""
    state: dict[int, Any] = {basic.DEVICE_ENABLED: True}

    def enable(value: Any, now: float) -> Status:
        if value is None:
            return Status.INVALID_VALUE
        state[basic.DEVICE_ENABLED] = value
        return Status.SUCCESS

    return ClusterSide(
        basic.CLUSTER, True,
        {
            basic.ZCL_VERSION: constant(ZCL_VERSION),
            basic.MANUFACTURER_NAME: constant(b"HANproof"),
            basic.MODEL_IDENTIFIER: constant(model),
            basic.POWER_SOURCE: constant(power_source),
            basic.DEVICE_ENABLED: Held(lambda now: state[basic.DEVICE_ENABLED], enable),
        },
    )


def identify_side(agenda: Agenda) -> ClusterSide:
    """Identify: counts down the seconds it was told to identify itself for (ZCL 3.5)."""
    until = [0.0]

    def left(now: float) -> int:
        return max(0, round(until[0] - now))

    def begin(seconds: int, now: float) -> Status:
        until[0] = now + seconds
        return Status.SUCCESS

    def query(heard: Heard) -> Answer:
        remaining = left(heard.now)
        return (identify.IdentifyQueryResponse.of(timeout=remaining),) if remaining else None

    return ClusterSide(
        identify.CLUSTER, True, {identify.IDENTIFY_TIME: Held(left, begin)},
        {
            identify.Identify: lambda heard: begin(heard.command.identify_time, heard.now),
            identify.IdentifyQuery: query,
        },
    )


def time_side(utc: Utc, status: time_cluster.TimeStatus = time_cluster.TimeStatus.MASTER) -> ClusterSide:
    """Time: a master's is not writable, and a master is not synchronised (ZCL 3.12.2.2)."""
    return ClusterSide(
        time_cluster.CLUSTER, True,
        {
            time_cluster.TIME: Held(utc),
            time_cluster.TIME_STATUS: constant(int(status)),
            time_cluster.TIME_ZONE: constant(0),
        },
    )


def price_side(offer: Offer, utc: Utc) -> ClusterSide:
    """Price: what is asked for, or NOT_FOUND."""

    def publish(record: Record, now: float) -> Record:
        return record.replace(current_time=utc(now))

    def current(heard: Heard) -> Answer:
        active = [record for record in offer().prices if is_active(record, utc(heard.now))]
        if not active:
            return Status.NOT_FOUND
        return (publish(max(active, key=lambda record: (record.start_time, record.issuer_event_id)), heard.now),)

    def scheduled(heard: Heard) -> Answer:
        start = heard.command.start_time or utc(heard.now)
        due = [record for record in offer().prices if record.start_time == 0 or ends(record) >= start]
        return _as_many(due, heard.command.number_of_events, lambda record: publish(record, heard.now))

    return ClusterSide(price.CLUSTER, True, {}, {price.GetCurrentPrice: current, price.GetScheduledPrices: scheduled})


def load_control_side(offer: Offer, utc: Utc, taken: Taken) -> ClusterSide:
    """Demand response: events are issued again to a device that asks; its reports are taken."""

    def scheduled(heard: Heard) -> Answer:
        now, start = utc(heard.now), heard.command.start_time
        due = [record for record in offer().events if record.start_time == 0 or (ends(record) > now and ends(record) >= start)]
        return _as_many(due, heard.command.number_of_events, lambda record: record)

    return ClusterSide(
        drlc.CLUSTER, True, {}, {drlc.GetScheduledEvents: scheduled, drlc.ReportEventStatus: _accept(taken)},
    )


def messaging_side(offer: Offer, utc: Utc, taken: Taken) -> ClusterSide:
    """Messaging: the last message, or NOT_FOUND; confirmations are taken."""

    def last(heard: Heard) -> Answer:
        current = [record for record in offer().messages if record.start_time == 0 or ends(record) > utc(heard.now)]
        return (current[-1],) if current else Status.NOT_FOUND

    return ClusterSide(
        messaging.CLUSTER, True, {}, {messaging.GetLastMessage: last, messaging.MessageConfirmation: _accept(taken)},
    )


def metering_side(values: dict[int, Any]) -> ClusterSide:
    """Simple Metering: the attributes that the bench gives the meter."""
    return ClusterSide(metering.CLUSTER, True, {attribute: constant(value) for attribute, value in values.items()})


def _as_many(records: list[Record], wanted: int, made: Callable[[Record], Record]) -> Answer:
    """At most as many as were asked for (0: all), the earliest first; NOT_FOUND when there is none."""
    chosen = sorted(records, key=lambda record: (record.start_time, record.issuer_event_id))[: wanted or None]
    return tuple(made(record) for record in chosen) or Status.NOT_FOUND


def _accept(taken: Taken) -> Callable[[Heard], Answer]:
    def accept(heard: Heard) -> Answer:
        taken(heard)
        return Status.SUCCESS

    return accept
