"""zigpy, which nobody of us wrote, reads every ZDP structure and general ZCL command of undisturbed runs as we do.

It has no Smart Energy clusters to speak of; those commands are tshark's part.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest
import zigpy.types as t
from zigpy.zcl import foundation
from zigpy.zdo import types as zdo

from dissectors import zcl
from dissectors.layer import Record
from harness.bench import Bench
from harness.checkers.reading import air
from harness.declarations import Device, read_bench

BENCH = read_bench(Path(__file__).parents[2] / "fixtures" / "benches" / "virtual.yaml")
FEWEST = {"zdp": 100, "zcl": 50}  # fields compared in a whole provisioning: fewer means that the comparison has lost its words
NO_FIELDS = {"cluster", "surplus", "reserved"}  # of a record: not on the wire there, or without meaning
ABSENT: tuple[str, list[Any]] = ("NWKAddrAssocDevList", [])  # of an address response that does not have this optional list

NAMES = {  # zigpy's to ours, where they are not the same
    "NWKAddrOfInterest": "nwk_addr_of_interest", "NWKAddr": "nwk_addr", "IEEEAddr": "ieee_addr", "Capability": "capability",
    "ProfileID": "profile", "InClusterList": "in_clusters", "OutClusterList": "out_clusters", "Status": "status",
    "MatchList": "endpoints", "ActiveEPList": "endpoints", "EndPoint": "endpoint", "RequestType": "request_type",
    "StartIndex": "start_index", "NumAssocDev": "num_assoc_dev", "NWKAddrAssocDevList": "assoc_devices",
    "SrcAddress": "source_ieee", "SrcEndpoint": "source_endpoint", "ClusterID": "cluster_id",
    "DstAddress.addrmode": "dest_mode", "DstAddress.ieee": "dest_ieee", "DstAddress.nwk": "dest_group",
    "DstAddress.endpoint": "dest_endpoint", "PermitDuration": "duration", "TC_Significant": "tc_significance",
    "mac_capability_flags": "capability", "descriptor_capability_field": "descriptor_capability", "device_type": "device",
    "input_clusters": "in_clusters", "output_clusters": "out_clusters", "attribute_ids": "attributes",
    "status_records": "records", "command_id": "command",
}


@pytest.mark.parametrize("device", BENCH.devices, ids=lambda device: device.name)
def test_every_general_structure_of_an_undisturbed_run_reads_the_same(device: Device) -> None:
    bench = Bench(BENCH, device, scenario="undisturbed")
    bench.play()
    compared = {"zdp": 0, "zcl": 0}
    for heard in air(bench.trace):
        if heard.zdp is not None:
            kind, ours, theirs = "zdp", _ours(heard.zdp), _their_zdp(heard.aps.cluster, heard.aps.payload)
        elif heard.zcl is not None and heard.zcl.frame_type == zcl.FrameType.GENERAL:
            kind, ours, theirs = "zcl", _ours(heard.zcl), _their_zcl(heard.aps.payload)
        else:
            continue
        assert ours == theirs, (heard.number, heard.frame.summary())
        compared[kind] += len(ours)
    assert all(compared[kind] >= fewest for kind, fewest in FEWEST.items()), compared


# -- each side's reading: the fields that are there, by our names


def _ours(record: Record) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name in record:
        value = getattr(record, name)
        if isinstance(value, Record):
            found |= _ours(value)
        elif isinstance(value, tuple):
            found[name] = [_ours(each) if isinstance(each, Record) else each for each in value]
        elif value is not None and name not in NO_FIELDS:
            found[name] = value
    return found


def _their_zdp(cluster: int, octets: bytes) -> dict[str, Any]:
    header, payload = zdo.ZDOHeader.deserialize(cluster, octets)
    names, kinds = zdo.CLUSTERS[zdo.ZDOCmd(cluster)]
    values, rest = t.deserialize(payload, kinds)
    assert not rest
    return {"sequence": header.tsn, **_named(zip(names, values, strict=True))}


def _their_zcl(octets: bytes) -> dict[str, Any]:
    header, payload = foundation.ZCLHeader.deserialize(octets)
    command, rest = foundation.GENERAL_COMMANDS[foundation.GeneralCommand(header.command_id)].schema.deserialize(payload)
    assert not rest
    assert header.serialize() + command.serialize() == octets
    control = header.frame_control
    return {
        "frame_type": control.frame_type, "manufacturer_specific": control.is_manufacturer_specific,
        "direction": control.direction, "disable_default_response": control.disable_default_response, "sequence": header.tsn,
        "command_identifier": header.command_id, **_named(command.as_dict().items()),
    }


def _named(fields: Iterable[tuple[str, Any]], outer: str = "") -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, value in fields:
        if isinstance(value, t.Struct):
            found |= _named(value.as_dict().items(), f"{name}.")
        elif value is not None and name not in NO_FIELDS and (name, value) != ABSENT:
            found[NAMES.get(outer + name, NAMES.get(name, name))] = _value(value)
    return found


def _value(theirs: Any) -> Any:
    if isinstance(theirs, t.EUI64):
        return int.from_bytes(theirs.serialize(), "little")
    if isinstance(theirs, foundation.ReadAttributeRecord):
        read = {"attribute": theirs.attrid, "status": theirs.status}
        return read if theirs.value is None else {**read, "type": theirs.value.type, "value": theirs.value.value}
    return [_value(each) for each in theirs] if isinstance(theirs, list) else int(theirs)
