"""Whatever octets come in: they are decoded and encode to themselves again, or they are Malformed; no other error comes out."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dissectors import clusters, zcl, zdp
from dissectors.capture import CaptureError, read_capture, write_pcapng
from dissectors.layer import Malformed
from dissectors.tests.test_capture import FRAMES

OCTETS = st.binary(max_size=60)


@given(cluster=st.sampled_from(sorted(zdp.CLUSTERS)), octets=OCTETS)
def test_zdp(cluster: int, octets: bytes) -> None:
    try:
        record = zdp.read(cluster, octets)
    except Malformed:
        return
    assert zdp.build(record, record.sequence) + record.surplus == octets


@given(
    cluster=st.sampled_from(clusters.all_clusters()), control=st.sampled_from([0x00, 0x01, 0x08, 0x09, 0x10]),
    identifier=st.integers(0, 0x0E), octets=OCTETS,
)
def test_zcl(cluster: clusters.Cluster, control: int, identifier: int, octets: bytes) -> None:
    asdu = bytes([control, 0x5A, identifier]) + octets
    try:
        frame = zcl.read(cluster.identifier, asdu)
    except Malformed:
        return
    if "nan" not in repr(frame):  # Python keeps no float's payload of a NaN
        assert zcl.build(frame, frame.command) + frame.surplus == asdu


@given(kind=st.sampled_from(zcl.DataType), octets=OCTETS)
def test_values(kind: zcl.DataType, octets: bytes) -> None:
    try:
        value, rest = zcl.decode_value(kind, octets)
    except Malformed:
        return
    if "nan" not in repr(value):
        assert zcl.encode_value(kind, value) + rest == octets


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("captures") / "air.pcapng"


@given(position=st.integers(0, 400), octets=st.binary(min_size=1, max_size=4))
def test_a_damaged_capture(path: Path, position: int, octets: bytes) -> None:
    write_pcapng(path, FRAMES, link_type=283)
    whole = path.read_bytes()
    path.write_bytes(whole[:position] + octets + whole[position + len(octets) :])
    fault = ""
    try:
        assert len(list(read_capture(path))) <= len(FRAMES)
    except CaptureError as error:
        fault = str(error)
    assert not fault or fault.startswith(f"{path}: packet ")
