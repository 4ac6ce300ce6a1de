"""Every command of every cluster as tshark reads it, an implementation that is not ours: name, fields, nothing malformed."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from dissectors import aps, clusters, mac, nwk, smart_energy, zcl
from dissectors.capture import IEEE802_15_4, CapturedFrame, write_pcapng
from dissectors.frame import encode_mpdu
from dissectors.layer import encode
from dissectors.tests.cluster_examples import EXAMPLES, Example
from dissectors.tests.tshark import ask, needs_tshark

NAME, FAULT = "_ws.col.Info", "_ws.expert.message"
# tshark names the cluster in place of the command
UNNAMED = ("RestartDevice", "SaveStartup", "RestoreStartup", "ResetStartup")


def sent(example: Example) -> CapturedFrame:
    """The command in an unsecured frame between two endpoints."""
    layer = example.command.layer
    cluster = next(
        each for each in clusters.all_clusters() if layer in {*each.client_commands.values(), *each.server_commands.values()}
    )
    direction = zcl.Direction(layer not in cluster.client_commands.values())
    identifier = cluster.identifier_of(direction, layer)
    header = zcl.Zcl.of(frame_type=zcl.FrameType.CLUSTER, direction=direction, command_identifier=identifier)
    address = aps.Aps.of(dest_endpoint=2, source_endpoint=3, cluster=cluster.identifier, profile=smart_energy.PROFILE)
    radio = mac.Mac.of(
        pan_id_compression=1, dest_mode=mac.AddressMode.SHORT, source_mode=mac.AddressMode.SHORT, dest_pan=0x1A62, dest_short=0,
        source_short=0x1234,
    )
    payload = encode(nwk.Nwk.of(source=0x1234)) + encode(address) + zcl.build(header, example.command)
    return CapturedFrame(0, 0.0, IEEE802_15_4, encode_mpdu(radio, payload))


def _number(text: str) -> int:
    return int(text == "True") if text in ("True", "False") else int(text, 0)


@pytest.fixture(scope="module")
def read_by_tshark(tmp_path_factory: pytest.TempPathFactory) -> list[Mapping[str, str]]:
    directory: Path = tmp_path_factory.mktemp("clusters")
    write_pcapng(directory / "all.pcapng", [sent(example) for example in EXAMPLES])
    fields = sorted({field for example in EXAMPLES for field in example.tshark})
    return list(ask(directory / "all.pcapng", NAME, FAULT, *fields, configuration=directory))


@needs_tshark
@pytest.mark.parametrize("number", range(len(EXAMPLES)), ids=lambda number: EXAMPLES[number].command.name)
def test_tshark_reads_the_command(number: int, read_by_tshark: list[Mapping[str, str]]) -> None:
    example, shown = EXAMPLES[number], read_by_tshark[number]
    assert not shown[FAULT]
    name = example.command.name
    if not name.startswith(UNNAMED):
        assert name.lower() in shown[NAME].replace(" ", "").lower()
    for field, expected in example.tshark.items():
        if isinstance(expected, str):
            assert shown[field].startswith(expected), field
        else:
            assert _number(shown[field]) == expected, field
