"""bellows, made quiet, says the right EZSP commands: held to bellows' own protocol objects, whose line to the stick is a list.

No stick and no firmware is behind it: what an EmberZNet co-processor makes of these commands is not shown here.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

import bellows.types as t
import pytest
import zigpy.types
from bellows.ezsp import EZSP
from bellows.zigbee.application import ControllerApplication

from harness.ncp import ezsp
from harness.ncp.__main__ import Radio
from harness.ncp.quiet import quiet

DEVICE, OTHER, KEY = "acde48000a19c3d5", "acde48000a19c3d6", "66b6900981e1ee3ca4206b6b861c02bb"
VERSIONS = (8, 12, 13, 18)
EVERY = ("how-joined", "link-key", "removes", "aps-security", "endpoints", "raw")
PACKET = {
    "dest": 0x1234, "source_endpoint": 41, "dest_endpoint": 1, "profile": 0x0109, "cluster": 0x0700, "asdu": "0102", "counter": 9,
    "secured": True, "ack": True,
}


class Stick:
    """bellows' own EZSP object of one version, with what it was asked to say, and what happened."""

    def __init__(self, version: int, **answers: list[Any]) -> None:
        self.asked: list[tuple[str, dict[str, Any]]] = []
        self.happened: list[dict[str, Any]] = []
        self._answers = answers
        self.became: Any = None  # of a raw frame, where that is no success
        self.radio = Radio(self.happened.append)
        self.application = ezsp.over_ezsp(quiet(ControllerApplication, self.radio._happened))(
            {"database_path": None, "device": {"path": "/dev/null"}, "ota": {"enabled": False}, **ezsp.CONFIG},
        )
        self.radio._application = self.application
        line = EZSP({"path": "/dev/null"}, self.application)
        line._switch_protocol_version(version)
        line.start_ezsp()
        line._protocol.command = self._command
        self.application._ezsp = self.ezsp = line
        self.application.controller_event.set()

    async def _command(self, name: str, *args: Any, **given: Any) -> list[Any]:
        protocol = self.ezsp._protocol
        protocol._ezsp_frame(name, *args, **given)  # raises for what this version of EZSP does not have
        self.asked.append((name, given))
        _, _, answered = protocol.COMMANDS[name]
        if name.startswith("send"):
            status = t.sl_Status.OK if protocol.VERSION >= 14 else t.EmberStatus.SUCCESS
            for future in self.application._pending_requests.values():
                future.set_result((status, ""))
            if name.startswith("sendRaw"):
                self.ezsp.handle_callback("rawTransmitCompleteHandler", [*([b""] if protocol.VERSION >= 14 else []), self.became or status])
        return self._answers.get(name) or [kind(0) for kind in answered.values()]

    def named(self, *names: str) -> list[dict[str, Any]]:
        return [given for name, given in self.asked if name in names]


def play(stick: Callable[[], Stick], course: Callable[[Stick], Coroutine[Any, Any, Any]]) -> Stick:
    async def run() -> Stick:
        made = stick()
        await course(made)
        await asyncio.gather(*made.application._tasks)
        return made

    return asyncio.run(run())


@pytest.mark.parametrize("version", VERSIONS)
def test_a_link_key_of_key_establishment_goes_into_the_key_table(version: int) -> None:
    async def course(stick: Stick) -> None:
        for device in (DEVICE, OTHER, DEVICE):
            await stick.radio.share(device, KEY)
        await stick.radio.forget(DEVICE)

    stick = play(lambda: Stick(version), course)
    address, other = (t.EUI64.convert(":".join(each[i:i + 2] for i in range(0, 16, 2))) for each in (DEVICE, OTHER))
    key = t.KeyData(bytes.fromhex(KEY))
    if version < 13:
        expected = [{"address": each, "linkKey": True, "keyData": key} for each in (address, other, address)]
    else:
        expected = [{"index": place, "address": each, "key": key} for place, each in ((0, address), (1, other), (0, address))]
    assert stick.named("addOrUpdateKeyTableEntry", "importLinkKey") == expected
    assert stick.named("findKeyTableEntry") == [{"address": address, "linkKey": True}]
    assert stick.named("eraseKeyTableEntry") == [{"index": 0}]


def test_a_full_key_table_is_an_error() -> None:
    with pytest.raises(ValueError, match="the key table takes no key"):
        play(
            lambda: Stick(8, addOrUpdateKeyTableEntry=[t.EmberStatus.TABLE_FULL]), lambda stick: stick.radio.share(DEVICE, KEY),
        )


@pytest.mark.parametrize("version", VERSIONS)
def test_a_window_lets_in_the_ordered_device_with_its_key_and_says_nothing_on_the_air(version: int) -> None:
    stick = play(lambda: Stick(version), lambda stick: stick.radio.permit(254, [[DEVICE, KEY]]))
    (transient,) = stick.named("addTransientLinkKey", "importTransientKey")
    assert bytes.fromhex(KEY) in [each.serialize() for each in transient.values()]
    assert stick.named("setPolicy") == [{
        "policyId": t.EzspPolicyId.TRUST_CENTER_POLICY,
        "decisionId": t.EzspDecisionBitmask.ALLOW_JOINS | t.EzspDecisionBitmask.JOINS_USE_INSTALL_CODE_KEY,
    }]
    assert [name for name, _ in stick.asked][-1] == "permitJoining"
    assert not [name for name, _ in stick.asked if name.startswith("send") or "gp" in name.lower()]


def test_the_end_of_a_window_is_one_command() -> None:
    stick = play(lambda: Stick(8), lambda stick: stick.radio.permit(0, []))
    assert [name for name, _ in stick.asked] == ["permitJoining"]


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("secured", [True, False])
def test_a_packet_is_sent_as_it_is_asked_for(version: int, secured: bool) -> None:
    stick = play(lambda: Stick(version), lambda stick: stick.radio.send(**{**PACKET, "secured": secured}))
    (sent,) = stick.named("sendUnicast")
    frame = next(each for each in sent.values() if isinstance(each, t.EmberApsFrame))
    assert (frame.profileId, frame.clusterId, frame.sourceEndpoint, frame.destinationEndpoint) == (0x0109, 0x0700, 41, 1)
    assert (t.EmberApsOption.APS_OPTION_ENCRYPTION in frame.options) is secured
    assert t.EmberApsOption.APS_OPTION_RETRY in frame.options  # which is what asks for an acknowledgement
    assert bytes.fromhex("0102") in [bytes(each) for each in sent.values() if isinstance(each, bytes)]


def test_a_broadcast_is_sent_as_one() -> None:
    stick = play(lambda: Stick(8), lambda stick: stick.radio.send(**{**PACKET, "dest": 0xFFFC, "secured": False, "ack": False}))
    assert [int(each["destination"]) for each in stick.named("sendBroadcast")] == [0xFFFC]


def _incoming(stick: Stick, *, encrypted: bool) -> None:
    options = t.EmberApsOption.APS_OPTION_ENCRYPTION if encrypted else t.EmberApsOption.APS_OPTION_NONE
    frame = t.EmberApsFrame(
        profileId=0x0109, clusterId=0x0700, sourceEndpoint=1, destinationEndpoint=41, options=options, groupId=0, sequence=77,
    )
    stick.application.state.node_info.nwk = zigpy.types.NWK(0)
    stick.application.ezsp_callback_handler(
        "incomingMessageHandler", [t.EmberIncomingMessageType.INCOMING_UNICAST, frame, 200, -50, 0x1234, 255, 255, b"\x01\x02"],
    )


def test_every_packet_comes_through_repeated_ones_too_and_nothing_is_answered() -> None:
    async def course(stick: Stick) -> None:
        _incoming(stick, encrypted=True)
        _incoming(stick, encrypted=True)
        _incoming(stick, encrypted=False)

    stick = play(lambda: Stick(8), course)
    assert [each["packet"]["secured"] for each in stick.happened] == [True, True, False]
    assert stick.happened[0] == {"packet": {
        "source": 0x1234, "device": None, "broadcast": False, "source_endpoint": 1, "dest_endpoint": 41, "profile": 0x0109,
        "cluster": 0x0700, "counter": 77, "asdu": "0102", "secured": True, "lqi": 200, "rssi": -50,
    }}
    assert stick.asked == []


@pytest.mark.parametrize(("status", "decision", "told"), [
    ("STANDARD_SECURITY_UNSECURED_JOIN", "USE_PRECONFIGURED_KEY", {"join": "join"}),
    ("STANDARD_SECURITY_UNSECURED_JOIN", "DENY_JOIN", {"join": "refused"}),
    ("STANDARD_SECURITY_UNSECURED_REJOIN", "USE_PRECONFIGURED_KEY", {"join": "rejoin"}),
    ("STANDARD_SECURITY_SECURED_REJOIN", "NO_ACTION", {"join": "secured-rejoin"}),
    ("DEVICE_LEFT", "NO_ACTION", {"leave": None}),
])
def test_who_came_and_how_is_told_and_nobody_is_interviewed(status: str, decision: str, told: dict[str, Any]) -> None:
    async def course(stick: Stick) -> None:
        ieee = t.EUI64.deserialize(bytes.fromhex(DEVICE)[::-1])[0]
        stick.application.ezsp_callback_handler(
            "trustCenterJoinHandler", [0x1234, ieee, t.EmberDeviceUpdate[status], t.EmberJoinDecision[decision], 0],
        )

    stick = play(lambda: Stick(8), course)
    ((kind, how),) = told.items()
    (happened,) = stick.happened
    assert happened[kind]["device"] == DEVICE
    assert happened[kind].get("how") == how
    assert not [name for name, _ in stick.asked if name.startswith("send")]


def test_our_endpoints_are_registered_and_none_of_home_automation() -> None:
    async def course(stick: Stick) -> None:
        stick.application.endpoints = ({"endpoint": 41, "profile": 0x0109, "device": 0x0500, "in": [0, 0x0700], "out": [3]},)
        await stick.application.register_endpoints()

    stick = play(lambda: Stick(8), course)
    assert [(each["endpoint"], each["profileId"]) for each in stick.named("addEndpoint")] == [(41, 0x0109), (1, 0x0109)]


@pytest.mark.parametrize(("version", "command"), [
    (7, "sendRawMessage"), (8, "sendRawMessageExtended"), (13, "sendRawMessageExtended"), (18, "sendRawMessageExtended"),
])
def test_a_frame_of_ours_is_sent_by_the_command_that_the_version_has(version: int, command: str) -> None:
    async def course(stick: Stick) -> None:
        assert await stick.radio.raw("61880a") == {"status": "success"}
        stick.became = t.sl_Status.ZIGBEE_DELIVERY_FAILED if version >= 14 else t.EmberStatus.DELIVERY_FAILED
        assert await stick.radio.raw("61880b") == {"status": "no_ack"}

    stick = play(lambda: Stick(version), course)
    assert [name for name, _ in stick.asked] == [command, command]
    assert [bytes(next(iter(given.values()))).hex() for _, given in stick.asked] == ["61880a", "61880b"]


def test_a_frame_of_ours_that_the_stack_refuses_is_an_error() -> None:
    with pytest.raises(ValueError, match="the stack takes no frame of ours: INVALID_STATE"):
        play(lambda: Stick(8, sendRawMessageExtended=[t.EmberStatus.INVALID_CALL]), lambda stick: stick.radio.raw("61"))


@pytest.mark.parametrize(("version", "offers"), [
    (4, {*EVERY}),
    (7, {*EVERY, "install-code"}),
    (8, {*EVERY, "install-code", "refuses-strangers"}),
])
def test_what_a_stick_can_follows_from_the_version_its_firmware_speaks(version: int, offers: set[str]) -> None:
    async def course(stick: Stick) -> None:
        assert stick.application.offers == offers

    play(lambda: Stick(version), course)
