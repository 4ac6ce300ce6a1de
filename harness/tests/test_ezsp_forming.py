"""bellows forms our network on a stick whose firmware is a table of answers: what is written to it, in which order, and what it refused.

The line between the two is ASH as Silicon Labs describes it; a real EmberZNet co-processor is not shown here.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from types import SimpleNamespace
from typing import Any

import bellows.ezsp
import bellows.types as t
import pytest

from harness.ncp.__main__ import Radio
from harness.ncp.ezsp import KEY_TABLE, ZDO_FLAGS
from harness.stack.packets import Form, Permit, Request
from harness.tests.ezsp_firmware import QUIET, Firmware
from harness.tests.ezsp_world import Port
from harness.tests.home_network import ESI
from harness.values import Eui64

KEY = "01030507090b0d0f00020406080a0c0d"
FORM: dict[str, Any] = {
    "channel": 15, "pan_id": 0x1A62, "extended_pan_id": "00220800000000fe", "network_key": KEY, "key_sequence": 0, "frame_counter": 0,
    "device": None, "endpoints": [{"endpoint": 41, "profile": 0x0109, "device": 0x0500, "in": [0, 0x0700], "out": [3]}],
}
REFUSED = {  # what bellows asks for and lives without, by the version from which it asks
    8: {"gpSinkTableClearAll", "getExtendedTimeout"}, 13: {"customFrame", "getTokenData"},
}


class Stick:
    """A firmware at a port, and what it had done on the air."""

    def __init__(self, version: int) -> None:
        self.done: list[Request] = []
        self.firmware = Firmware(version, ESI, self, lambda frame: self.port.say(frame))
        self.port = Port(self._take)

    def ask(self, request: Request) -> None:
        self.done.append(request)

    def listen(self, channel: int | None) -> None:
        """It is no sniffer."""

    def _take(self, frame: bytes | None) -> None:
        if frame is None:
            self.firmware.restart()
        else:
            self.firmware.take(frame)

    def place(self, *names: str) -> list[int]:
        return [place for place, (name, _) in enumerate(self.firmware.asked) if name in names]

    def given(self, name: str) -> list[dict[str, Any]]:
        return [given for said, given in self.firmware.asked if said == name]


@pytest.fixture(autouse=True)
def _sticks_say_at_once_that_they_are_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bellows.ezsp, "NETWORK_COORDINATOR_STARTUP_RESET_WAIT", 0.05)


@pytest.mark.parametrize("version", [8, 13, 14, 18])
def test_a_network_is_formed_as_the_esi_wants_it(version: int) -> None:
    happened: list[dict[str, Any]] = []
    radio, stick = Radio(happened.append), Stick(version)

    async def course() -> tuple[dict[str, Any], dict[str, Any]]:
        opened = await radio.open("bellows", {"path": stick.port.place})
        assert await radio.scan([11, 15, 26]) == {"levels": {"11": QUIET - 11, "15": QUIET - 15, "26": QUIET - 26}}
        formed = await radio.form(**FORM)
        await radio.close()
        return opened, formed

    try:
        opened, formed = asyncio.run(course())
    finally:
        stick.port.close()
    assert opened["device"] == formed["device"] == str(ESI)
    assert opened["about"]["EZSP version"] == str(version)
    assert opened["about"]["firmware"] == "EmberZNet 7.4.4.0 build 0"
    assert stick.done == [Form(15, 0x1A62, Eui64.parse("00220800000000fe"), bytes.fromhex(KEY), 0, 0), Permit(0, {})]
    configured = {given["configId"].name: given["value"] for given in stick.given("setConfigurationValue")}
    assert (configured["CONFIG_APPLICATION_ZDO_FLAGS"], configured["CONFIG_KEY_TABLE_SIZE"]) == (ZDO_FLAGS, KEY_TABLE)
    policies = {given["policyId"].name: int(given["decisionId"]) for given in stick.given("setPolicy")}
    assert policies["TC_KEY_REQUEST_POLICY"] == t.EzspDecisionId.DENY_TC_KEY_REQUESTS
    last_reset, started = stick.place("reset")[-1], stick.place("networkInit")[-1]
    registered = [
        (given["endpoint"], given["profileId"]) for name, given in stick.firmware.asked[last_reset:started] if name == "addEndpoint"
    ]
    assert registered == [(41, 0x0109), (1, 0x0109)]  # a reset forgets endpoints, and a network that runs takes none
    assert not stick.place("sendBroadcast", "sendMulticast")
    sent = {int(given.get("nwk", given.get("indexOrDestination", -1))) for given in stick.given("sendUnicast")}
    assert sent <= {0}
    assert stick.firmware.asked[-1][0] == "permitJoining"
    assert stick.firmware.refused.keys() == set().union(*(names for since, names in REFUSED.items() if version >= since))
    assert happened == []


def test_a_firmware_refuses_what_it_does_not_know_as_the_real_one_does_and_counts_it() -> None:
    stick, radio = Stick(8), Radio(lambda told: None)

    async def course() -> str:
        await radio.open("bellows", {"path": stick.port.place})
        with pytest.raises(bellows.exception.InvalidCommandError) as refusal:
            await radio._application._ezsp.echo(data=b"x")
        await radio.close()
        return str(refusal.value)

    try:
        assert "echo command is an invalidCommand" in asyncio.run(course())
    finally:
        stick.port.close()
    assert stick.firmware.refused == Counter({"echo": 1})


def test_what_the_firmware_had_no_room_for_and_what_cannot_be_read_is_told() -> None:
    happened: list[dict[str, Any]] = []
    stick, radio = Stick(8), Radio(happened.append)

    async def course() -> None:
        await radio.open("bellows", {"path": stick.port.place})
        heard = radio._application._heard
        stick.firmware.overflows = True
        stick.firmware.callback("stackStatusHandler", status=stick.firmware._status("stackStatusHandler", "NETWORK_UP"))
        while not happened:
            await asyncio.sleep(0.01)
        heard(bytes.fromhex("00 90 01 45 00 00"))  # the beginning of an incomingMessageHandler
        heard(bytes.fromhex("00 90 01 f0 00"))  # of counterRolloverHandler, which nothing rests on
        await radio.close()

    try:
        asyncio.run(asyncio.wait_for(course(), 20.0))
    finally:
        stick.port.close()
    assert happened == [
        {"missed": {"why": "the firmware had no room for what it had to tell"}},
        {"missed": {"why": "incomingMessageHandler cannot be read"}},
    ]


def test_a_library_that_does_not_let_go_of_its_stick_keeps_no_process(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("harness.ncp.__main__.FAREWELL", 0.01)

    async def hang(*given: Any) -> None:
        await asyncio.Event().wait()

    async def ended_within(seconds: float) -> bool:
        radio = Radio(lambda told: None)
        radio._application = SimpleNamespace(permit_ncp=hang, disconnect=hang)
        done, _ = await asyncio.wait({asyncio.ensure_future(radio.close())}, timeout=seconds)
        return all(isinstance(each.exception(), TimeoutError) for each in done) and bool(done)

    assert asyncio.run(ended_within(5.0))
