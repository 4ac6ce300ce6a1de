"""What any side of any cluster answers to the general commands of the ZCL. Knows no cluster's content and sends nothing.

Clauses: ZCL 075123, 2.4.1 to 2.4.14. Reporting is not offered: it is answered attribute by attribute, as it must be.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from dissectors import zcl
from dissectors.layer import Layer, Record
from dissectors.zcl import Status
from harness.stack.endpoint import Answer, ClusterSide, Heard

RESPONSES = frozenset({
    zcl.ReadAttributesResponse, zcl.WriteAttributesResponse, zcl.ConfigureReportingResponse,
    zcl.ReadReportingConfigurationResponse, zcl.DiscoverAttributesResponse, zcl.ReportAttributes,
})
"""General commands that are nobody's request."""


def _read(side: ClusterSide, heard: Heard) -> Answer:
    records = tuple(_value(side, attribute, heard.now) for attribute in heard.command.attributes)
    return (zcl.ReadAttributesResponse.of(records=records),)


def _value(side: ClusterSide, attribute: int, now: float) -> Record:
    held = side.attributes.get(attribute)
    if held is None:
        return zcl.ReadAttributeStatus.of(attribute=attribute, status=Status.UNSUPPORTED_ATTRIBUTE)
    return zcl.ReadAttributeStatus.of(
        attribute=attribute, status=Status.SUCCESS, type=side.declared(attribute).type, value=held.read(now)
    )


def _fault(side: ClusterSide, record: Record) -> Status | None:
    held = side.attributes.get(record.attribute)
    if held is None:
        return Status.UNSUPPORTED_ATTRIBUTE
    if held.write is None:
        return Status.READ_ONLY
    if record.type != side.declared(record.attribute).type:
        return Status.INVALID_DATA_TYPE
    return None


def _write(side: ClusterSide, heard: Heard) -> Answer:
    return (_written([(_write_one(side, record, heard.now), record.attribute) for record in heard.command.records]),)


def _write_one(side: ClusterSide, record: Record, now: float) -> Status:
    fault = _fault(side, record)
    if fault is not None:
        return fault
    write = side.attributes[record.attribute].write
    assert write is not None
    return write(record.value, now)


def _write_undivided(side: ClusterSide, heard: Heard) -> Answer:
    faults = [(fault, record.attribute) for record in heard.command.records if (fault := _fault(side, record)) is not None]
    return (_written(faults),) if faults else _write(side, heard)


def _write_silently(side: ClusterSide, heard: Heard) -> Answer:
    _write(side, heard)
    return None


def _written(outcomes: list[tuple[Status, int]]) -> Record:
    failures = tuple(
        zcl.AttributeStatus.of(status=status, attribute=attribute)
        for status, attribute in outcomes if status is not Status.SUCCESS
    )
    return zcl.WriteAttributesResponse.of(records=failures or (zcl.AttributeStatus.of(status=Status.SUCCESS, attribute=None),))


def _unreportable(side: ClusterSide, attribute: int) -> Status:
    return Status.UNREPORTABLE_ATTRIBUTE if attribute in side.attributes else Status.UNSUPPORTED_ATTRIBUTE


def _configure_reporting(side: ClusterSide, heard: Heard) -> Answer:
    records = tuple(
        zcl.ReportingStatus.of(
            status=_unreportable(side, record.attribute), direction=record.direction, attribute=record.attribute
        ) for record in heard.command.records
    )
    return (zcl.ConfigureReportingResponse.of(records=records),) if records else Status.MALFORMED_COMMAND


def _read_reporting(side: ClusterSide, heard: Heard) -> Answer:
    records = tuple(
        zcl.ReportingConfigurationStatus.of(
            status=_unreportable(side, record.attribute), direction=record.direction, attribute=record.attribute
        ) for record in heard.command.records
    )
    return (zcl.ReadReportingConfigurationResponse.of(records=records),)


def _discover(side: ClusterSide, heard: Heard) -> Answer:
    known = [attribute for attribute in sorted(side.attributes) if attribute >= heard.command.start]
    shown = known[: heard.command.maximum]
    records = tuple(zcl.DiscoveredAttribute.of(attribute=attribute, type=side.declared(attribute).type) for attribute in shown)
    return (zcl.DiscoverAttributesResponse.of(complete=int(shown == known), records=records),)


REQUESTS: Mapping[type[Layer], Callable[[ClusterSide, Heard], Answer]] = {
    zcl.ReadAttributes: _read,
    zcl.WriteAttributes: _write,
    zcl.WriteAttributesUndivided: _write_undivided,
    zcl.WriteAttributesNoResponse: _write_silently,
    zcl.ConfigureReporting: _configure_reporting,
    zcl.ReadReportingConfiguration: _read_reporting,
    zcl.DiscoverAttributes: _discover,
}


def values(header: Record | None) -> dict[int, Any]:
    """The attributes that a Read Attributes Response gives with SUCCESS; nothing for any other answer, or for none."""
    if header is None or not header.command.is_a(zcl.ReadAttributesResponse):
        return {}
    return {record.attribute: record.value for record in header.command.records if record.status == Status.SUCCESS}
