"""ZDP structures against logged frames; every structure back and forth, cut short, and refused."""

from __future__ import annotations

from typing import Any

import pytest

from dissectors import zdp
from dissectors.layer import Malformed, Record, encode, packet_of
from dissectors.tests.vectors import rows
from dissectors.tests.zdp_examples import EXAMPLES, NWK

OPTIONAL_END = {0x8000: {12}, 0x8001: {12}}  # octets of an ASDU that may end before the list of associated devices

REFUSABLE = [cluster for cluster, layer in zdp.CLUSTERS.items() if layer.fields_desc[0].name == "status"]

each_example = pytest.mark.parametrize(
    ("cluster", "record"), [pytest.param(*item, id=item[1].name) for item in EXAMPLES.items()]
)


@pytest.mark.parametrize("row", rows("zdp"))
def test_frames_of_real_networks(row: dict[str, Any]) -> None:
    record = zdp.read(row["cluster"], bytes.fromhex(row["octets"]))
    assert record.name == row["structure"]
    shown = {name: _present(value) for name, value in record.plain().items() if value is not None}
    assert shown == {**row["fields"], "cluster": row["cluster"], "surplus": ""}
    assert zdp.build(record, record.sequence).hex() == row["octets"]


def _present(value: Any) -> Any:
    if isinstance(value, list):
        return [_present(item) for item in value]
    return {name: item for name, item in value.items() if item is not None} if isinstance(value, dict) else value


def test_every_cluster_has_an_example() -> None:
    assert EXAMPLES.keys() == zdp.CLUSTERS.keys()


@each_example
def test_round_trip(cluster: int, record: Record) -> None:
    assert zdp.cluster_of(record.layer) == cluster
    asdu = zdp.build(record, 0x5A)
    assert asdu[0] == 0x5A
    assert zdp.read(cluster, asdu) == record.joined(sequence=0x5A, cluster=cluster, surplus=b"")
    assert bytes(packet_of(record)) == asdu[1:]  # Scapy's own view of the same structure


@each_example
def test_cut_short_it_is_malformed(cluster: int, record: Record) -> None:
    asdu = zdp.build(record, 1)
    legal = OPTIONAL_END.get(cluster, set())
    for length in sorted(set(range(len(asdu))) - legal):
        with pytest.raises(Malformed):
            zdp.read(cluster, asdu[:length])
    for length in legal:
        assert zdp.read(cluster, asdu[:length]).num_assoc_dev is None


@pytest.mark.parametrize("cluster", [cluster for cluster, record in EXAMPLES.items() if not getattr(record, "status", 0)])
def test_octets_after_it_are_malformed(cluster: int) -> None:
    with pytest.raises(Malformed, match="unread"):
        zdp.read(cluster, zdp.build(EXAMPLES[cluster], 1) + b"\0")


@pytest.mark.parametrize("cluster", REFUSABLE)
@pytest.mark.parametrize("surplus", [b"", b"\xaa\xbb\xcc"], ids=["status-alone", "what-some-stacks-append"])
def test_a_refusal_may_be_the_status_alone(cluster: int, surplus: bytes) -> None:
    refusal = zdp.read(cluster, b"\x01\x84" + surplus)
    assert refusal.status == zdp.Status.NOT_SUPPORTED
    assert zdp.build(refusal, refusal.sequence) + refusal.surplus == b"\x01\x84" + surplus


def test_a_refused_simple_descriptor_has_length_0() -> None:
    refusal = zdp.SimpleDescRsp.of(status=zdp.Status.NOT_ACTIVE, nwk_addr_of_interest=NWK)
    assert encode(refusal).hex() == "83222100"
    assert zdp.read(0x8004, zdp.build(refusal, 0)).simple_descriptor is None


def test_no_match_says_so_with_an_empty_list() -> None:
    empty = zdp.MatchDescRsp.of(status=zdp.Status.NO_MATCH, nwk_addr_of_interest=NWK, endpoints=())
    assert encode(empty).hex() == "86222100"
    assert zdp.read(0x8006, zdp.build(empty, 0)).endpoints == ()


def test_a_success_without_its_content_is_not_encoded() -> None:
    with pytest.raises(Malformed, match="node_descriptor is missing"):
        zdp.build(zdp.NodeDescRsp.of(status=0, nwk_addr_of_interest=NWK), 0)


def test_a_descriptor_longer_than_its_length_is_malformed() -> None:
    with pytest.raises(Malformed):
        zdp.read(0x8004, bytes.fromhex("00 00 1b7a 07 03 5ec0 1002 02 00 00"))


@pytest.mark.parametrize(
    ("duration", "fields", "octets"),
    [
        (5, {"scan_count": 1}, "00f8ff070501"),
        (zdp.CHANGE_CHANNEL, {"update_id": 7}, "00f8ff07fe07"),
        (zdp.CHANGE_PARAMETERS, {"update_id": 7, "manager_addr": 0x1234}, "00f8ff07ff073412"),
    ],
)
def test_a_network_update_carries_what_its_duration_announces(duration: int, fields: dict[str, int], octets: str) -> None:
    update = zdp.MgmtNwkUpdateReq.of(scan_channels=0x07FFF800, scan_duration=duration, **fields)
    assert encode(update).hex() == octets
    assert {name: value for name, value in zdp.read(0x0038, b"\0" + encode(update)).plain().items() if name in fields} == fields


@pytest.mark.parametrize("asdu", [b"", b"\x01\x00"], ids=["empty", "unknown-cluster"])
def test_what_is_no_zdp_frame_is_malformed(asdu: bytes) -> None:
    with pytest.raises(Malformed):
        zdp.read(0x0099, asdu)
