"""What the table says of each zigpy radio library, held to the library itself: a row that is no longer true fails here.

The libraries' own objects are made and asked; in the place of their line to a radio is a list of what they would have said.
"""

from __future__ import annotations

import asyncio
import importlib
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from unittest.mock import AsyncMock, MagicMock

import pytest
import zigpy.types as t
from zigpy.exceptions import DeliveryError

from harness.adapters.ncp_options import cannot, demand
from harness.adapters.ncp_sniffer import NcpSniffer
from harness.adapters.zigpy_esi import ZigpyEsi
from harness.declarations import read_bench
from harness.errors import InputError
from harness.ncp import others
from harness.ncp.__main__ import Radio
from harness.ncp.capture import can_capture
from harness.ncp.libraries import APS_SECURITY, CAPTURE, ENDPOINTS, HOW_JOINED, INSTALL_CODE, LIBRARIES, LINK_KEY, NEEDS, RAW, REMOVES
from harness.ncp.quiet import ieee_of, packet_of, quiet
from harness.plugin.bench_building import check
from harness.radio_declaration import Plugged
from harness.usecase import Actor

DEVICE, KEY, NWK = "acde48000a19c3d5", "66b6900981e1ee3ca4206b6b861c02bb", 0x1234
OTHERS = ("znp", "deconz", "xbee", "zigate")  # bellows is held to its command tables in test_ezsp.py
PACKET = {
    "dest": NWK, "source_endpoint": 41, "dest_endpoint": 3, "profile": 0x0109, "cluster": 0x0700, "asdu": "0102", "counter": 9,
    "secured": False, "ack": True,
}
EXPLICIT = ("ieee", "nwk", "src_ep", "dst_ep", "cluster", "profile", "radius", "tx_options", "data")  # what an XBee is told to send
ANNOUNCED = bytes([7]) + NWK.to_bytes(2, "little") + bytes.fromhex(DEVICE)[::-1] + b"\x8c"


def library(name: str) -> Any:
    module, _, made = LIBRARIES[name].application.partition(":")
    return getattr(importlib.import_module(module), made)


class Held:
    """A library's application, made quiet, whose line is a mock; what happened is kept."""

    def __init__(self, name: str) -> None:
        self.happened: list[dict[str, Any]] = []
        self.radio = Radio(self.happened.append)
        package = library(name).__module__.partition(".")[0]
        made = others.OVER.get(package, lambda same: same)(quiet(library(name), self.radio._happened))
        config = {"database_path": None, "device": {"path": "/dev/null"}, "ota": {"enabled": False}, **others.CONFIG.get(package, {})}
        self.app = self.radio._application = made(config)
        self.app.state.node_info.nwk, self.app.state.node_info.ieee = t.NWK(0), t.EUI64.convert("00:22:08:00:00:00:00:01")
        self.line = self.app._api = self.app._znp = MagicMock()
        getattr(self, f"_{name}")()

    def _znp(self) -> None:
        from zigpy_znp import types as znp_t

        self.line.request = AsyncMock()
        self.line.request_callback_rsp = AsyncMock(return_value=SimpleNamespace(Status=znp_t.Status.SUCCESS))
        self.line.version = 3.30
        self.app._version_rsp = SimpleNamespace(CodeRevision=20230507)
        device = self.app.devices[self.app.state.node_info.ieee] = MagicMock(spec=zigpy_device(), nwk=t.NWK(0))
        device.endpoints = {0: None, 41: SimpleNamespace(profile_id=0x0109, endpoint_id=41, in_clusters={0x0700: 1}, out_clusters={})}

    def _deconz(self) -> None:
        self.line.write_parameter = AsyncMock()

        async def confirmed(**given: Any) -> None:
            self.app._pending_requests[given["req_id"]].set_result(0)

        self.line.aps_data_request = AsyncMock(side_effect=confirmed)

    def _xbee(self) -> None:
        from zigpy_xbee.types import TXStatus

        self.line.tx_explicit = AsyncMock(return_value=TXStatus.SUCCESS)
        self.line._at_command, self.line.register_joining_device = AsyncMock(), AsyncMock()

    def _zigate(self) -> None:
        from zigpy_zigate import types as zigate_t

        self.app.version = "3.21"
        self.line.raw_aps_data_request = AsyncMock(return_value=((zigate_t.Status.Success, 1, 0, 0), 0))
        self.line.permit_join = AsyncMock(return_value=((zigate_t.Status.Success,), 0))

    async def send(self, **changes: Any) -> dict[str, Any]:
        """What is asked of the line for a packet, by whatever name."""
        self.line.reset_mock()
        asked = asyncio.ensure_future(self.app.send_packet(packet_of({**PACKET, **changes})))
        await asyncio.wait({asked}, timeout=0.05)
        asked.cancel()
        for name in ("aps_data_request", "raw_aps_data_request"):
            if (call := getattr(self.line, name).call_args) is not None:
                return dict(call.kwargs)
        if (call := self.line.tx_explicit.call_args) is not None:
            return dict(zip(EXPLICIT, call.args, strict=True))
        request = self.line.request_callback_rsp.call_args.kwargs["request"]
        return {"src_ep": request.SrcEndpoint, "tx_options": request.Options}


def zigpy_device() -> Any:
    return importlib.import_module("zigpy.device").ZigbeeDevice


def held(name: str, course: Callable[[Held], Any]) -> Any:
    async def run() -> Any:
        return await course(Held(name))

    return asyncio.run(run())


@pytest.mark.parametrize("name", LIBRARIES)
def test_who_can_capture_is_who_has_a_capture_of_his_own(name: str) -> None:
    assert can_capture(library(name)) is (CAPTURE not in LIBRARIES[name].cannot)


@pytest.mark.parametrize("name", OTHERS)
def test_aps_security_is_asked_for_where_the_table_says_so(name: str) -> None:
    async def course(held: Held) -> bool:
        held.app.handle_join(t.NWK(NWK), ieee_of(DEVICE), None)
        return await held.send(secured=True) != await held.send(secured=False)

    asks = held(name, course)
    assert asks is (APS_SECURITY not in LIBRARIES[name].cannot or name == "deconz"), "deconz asks, and does not tell"


@pytest.mark.parametrize("name", OTHERS)
def test_a_packet_goes_out_from_our_endpoint_where_the_table_says_so(name: str) -> None:
    async def course(held: Held) -> int:
        held.app.handle_join(t.NWK(NWK), ieee_of(DEVICE), None)
        return int((await held.send())["src_ep"])

    assert (held(name, course) == 41) is (ENDPOINTS not in LIBRARIES[name].cannot)


async def _secured_packet(held: Held, name: str) -> None:
    """One that had APS security, as far as the library's line could say so."""
    if name == "xbee":
        held.app.handle_rx(ieee_of(DEVICE), t.NWK(NWK), 3, 41, 0x0700, 0x0109, 0x20, b"\x01")  # the option of a packet with APS security
    elif name == "zigate":
        from zigpy_zigate.types import Address, AddressMode

        source, dest = (Address(address_mode=AddressMode.NWK, address=t.NWK(each)) for each in (NWK, 0))
        held.app.zigate_callback_handler(0x8002, (0, 0x0109, 0x0700, 3, 41, source, dest, b"\x01"), 9)
    elif name == "znp":
        await held.app.on_af_message(MagicMock(
            SecurityUse=True, SrcAddr=t.NWK(NWK), SrcEndpoint=3, DstEndpoint=41, ClusterId=0x0700, Data=b"\x01", TSN=1, LQI=9,
        ))


@pytest.mark.parametrize("name", ["znp", "xbee", "zigate"])
def test_aps_security_is_told_where_the_table_says_so(name: str) -> None:
    async def course(held: Held) -> None:
        await _secured_packet(held, name)
        (told,) = (each["packet"] for each in held.happened if "packet" in each)
        assert told["secured"] is (APS_SECURITY not in LIBRARIES[name].cannot)

    held(name, course)


def test_a_deconz_packet_has_no_place_for_it() -> None:
    from zigpy_deconz.api import COMMAND_SCHEMAS, CommandId

    _, told = COMMAND_SCHEMAS[CommandId.aps_data_indication]
    assert {"asdu", "src_addr", "lqi"} <= {*told}
    assert not [field for field in told if "secur" in field or "option" in field]


@pytest.mark.parametrize("name", OTHERS)
def test_a_joiner_s_key_reaches_the_line_where_the_table_says_so_and_a_window_opens(name: str) -> None:
    async def course(held: Held) -> tuple[str, str]:
        await held.radio.permit(254, [[DEVICE, KEY]])
        opened = " ".join(map(repr, held.line.mock_calls))
        held.line.reset_mock()
        await held.radio.permit(0, [])
        return opened, " ".join(map(repr, held.line.mock_calls))

    opened, closed = held(name, course)
    has_key = KEY in opened.replace(":", "").replace("\\x", "").lower()
    assert has_key is (INSTALL_CODE not in LIBRARIES[name].cannot)
    opens = {"znp": "MgmtPermitJoinReq", "deconz": "permit_join", "xbee": "'NJ', 254"}
    if has_key:
        assert opens[name] in opened
    assert {"znp": "Duration=0", "deconz": "permit_join: 33>, 0", "xbee": "'NJ', 0", "zigate": "permit_join(0)"}[name] in closed


def test_what_znp_undoes_at_the_end_of_a_window_is_undone_when_that_ends_early() -> None:
    async def course(held: Held) -> list[bool]:
        for window in (254, 254, 0):
            await held.radio.permit(window, [[DEVICE, KEY]] if window else [])
        asked = (call.args[0] for call in held.line.request.call_args_list)
        return [bool(each.BdbJoinUsesInstallCodeKey) for each in asked if hasattr(each, "BdbJoinUsesInstallCodeKey")]

    assert held("znp", course) == [True, False, True, False]


@pytest.mark.parametrize("name", OTHERS)
def test_who_is_made_to_leave_is_where_the_table_says_so(name: str) -> None:
    async def course(held: Held) -> bool:
        held.line.remove_device = AsyncMock()
        await held.radio.remove(DEVICE, NWK)
        return bool(held.line.mock_calls)

    assert held(name, course) is (REMOVES not in LIBRARIES[name].cannot)


@pytest.mark.parametrize("name", ["deconz", "xbee"])
def test_a_join_is_told_by_the_device_s_own_announcement_once_and_before_it(name: str) -> None:
    async def course(held: Held) -> None:
        held.app.packet_received(t.ZigbeePacket(
            src=t.AddrModeAddress(t.AddrMode.NWK, t.NWK(NWK)), src_ep=0,
            dst=t.AddrModeAddress(t.AddrMode.Broadcast, t.BroadcastAddress(0xFFFD)), dst_ep=0,
            profile_id=0, cluster_id=0x0013, tsn=None, data=t.SerializableBytes(ANNOUNCED),
        ))
        assert [next(iter(each)) for each in held.happened] == ["join", "packet"]
        assert held.happened[0]["join"] == {"device": DEVICE, "address": NWK, "parent": 0, "how": None}
        assert HOW_JOINED in LIBRARIES[name].cannot

    held(name, course)


def test_znp_tells_a_join_at_once_and_has_nothing_sent_for_it() -> None:
    async def course(held: Held) -> None:
        held.app.on_zdo_tc_device_join(SimpleNamespace(SrcNwk=t.NWK(NWK), SrcIEEE=ieee_of(DEVICE), ParentNwk=t.NWK(0)))
        await asyncio.sleep(0)
        assert [each["join"]["how"] for each in held.happened] == [None]
        assert not held.line.request.called

    held("znp", course)


def test_an_xbee_sends_to_who_came_and_to_nobody_else() -> None:
    async def course(held: Held) -> None:
        with pytest.raises(DeliveryError, match="without a known IEEE address"):
            await held.app.send_packet(packet_of(PACKET))
        held.app.handle_join(t.NWK(NWK), ieee_of(DEVICE), None)
        assert (await held.send())["ieee"] == ieee_of(DEVICE)

    held("xbee", course)


def test_no_library_but_bellows_takes_a_key_of_key_establishment() -> None:
    for name in OTHERS:
        assert LINK_KEY in LIBRARIES[name].cannot
        assert not [each for each in dir(library(name)) if "link_key" in each and each != "permit_with_link_key"]


def test_no_library_but_bellows_has_a_command_for_a_frame_of_ours() -> None:
    from zigpy_deconz.api import CommandId
    from zigpy_xbee.api import COMMAND_REQUESTS
    from zigpy_zigate.api import CommandId as ZigateCommand
    from zigpy_znp import commands

    names = [
        *CommandId.__members__, *COMMAND_REQUESTS, *ZigateCommand.__members__,
        *(name for system in vars(commands).values() if isinstance(system, type) for name in dir(system)),
    ]
    assert len(names) > 100
    assert {name for name in names if "raw" in name.lower()} == {"SET_RAWMODE", "SEND_RAW_APS_DATA_PACKET"}, "neither is a frame"
    assert all(RAW in LIBRARIES[name].cannot for name in OTHERS)


# -- before a run


def test_a_bench_file_is_refused_with_its_place() -> None:
    virtual = read_bench(Path(__file__).parents[2] / "fixtures" / "benches" / "virtual.yaml")
    esi = replace(virtual.adapters[Actor.ESI], adapter="harness.adapters.zigpy_esi:ZigpyEsi", options={"radio": "zigate", "port": "x"})
    with pytest.raises(InputError, match=r"virtual.yaml.*zigate cannot let a device join"):
        check(replace(virtual, adapters={**virtual.adapters, Actor.ESI: esi}))
    sniffer = Plugged("harness.adapters.ncp_sniffer:NcpSniffer", {"radio": "znp", "port": "x", "channel": "15"}, "bench.yaml:7: ")
    with pytest.raises(InputError, match=r"bench.yaml:7: znp cannot capture frames"):
        check(replace(virtual, radios={"sniffer": sniffer}))


def test_what_an_esi_cannot_be_is_refused_by_name_before_a_run() -> None:
    with pytest.raises(ValueError, match=r"zigate cannot let a device join with a link key of its own: .*; right would be bellows or"):
        ZigpyEsi.check(Actor.ESI, {"radio": "zigate", "port": "/dev/ttyUSB0"})
    with pytest.raises(ValueError, match="`radio: ezsp` is not known; right would be one of bellows, znp, deconz, "):
        ZigpyEsi.check(Actor.ESI, {"radio": "ezsp", "port": "/dev/ttyUSB0"})
    for radio in ("bellows", "znp", "deconz", "xbee", "a.library:Application"):
        ZigpyEsi.check(Actor.ESI, {"radio": radio, "port": "/dev/ttyUSB0"})


def test_what_cannot_sniff_is_refused_by_name_before_a_run() -> None:
    with pytest.raises(ValueError, match=r"znp cannot capture frames: its application has no _packet_capture; right would be bellows$"):
        NcpSniffer.check("sniffer", {"radio": "znp", "port": "/dev/ttyUSB0", "channel": "15"})
    with pytest.raises(ValueError, match="there is no option pipe; right would be one of radio, port, baudrate, flow_control, channel"):
        NcpSniffer.check("sniffer", {"port": "/dev/ttyUSB0", "pipe": "x"})
    NcpSniffer.check("sniffer", {"port": "/dev/ttyUSB0", "channel": "15"})


def test_a_library_that_is_not_installed_is_said_with_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("harness.adapters.ncp_options.find_spec", lambda name: None)
    with pytest.raises(ValueError, match="`radio: znp` needs zigpy-znp; right would be `pip install zigpy-znp`"):
        demand("znp", INSTALL_CODE)


def test_the_table_has_a_reason_for_each_and_names_no_need_that_there_is_not() -> None:
    for name, each in LIBRARIES.items():
        assert each.cannot.keys() <= {*NEEDS}
        assert all(each.cannot.values())
        assert len(cannot(name)) == len(each.cannot)
