"""bellows forms our network on a stick whose firmware is a table of answers: what is written to it, and in which order.

The answers are those that bellows asks for on its way; a real EmberZNet co-processor is not shown here.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import bellows.types as t
import bellows.uart
import pytest
from bellows.ezsp.protocol import ProtocolHandler

from harness.ncp.__main__ import Radio
from harness.ncp.ezsp import KEY_TABLE, ZDO_FLAGS

KEY = "01030507090b0d0f00020406080a0c0d"
OWN = t.EUI64.convert("00:22:08:00:00:00:00:01")
FORM: dict[str, Any] = {
    "channel": 15, "pan_id": 0x1A62, "extended_pan_id": "00220800000000fe", "network_key": KEY, "key_sequence": 0, "frame_counter": 0,
    "device": None, "endpoints": [{"endpoint": 41, "profile": 0x0109, "device": 0x0500, "in": [0, 0x0700], "out": [3]}],
}
FAILED = SimpleNamespace(status=t.EmberStatus.ERR_FATAL)


class Firmware:
    """Answers EZSP commands of one version (8 to 13), and is the line to itself."""

    def __init__(self, version: int) -> None:
        self.asked: list[tuple[str, dict[str, Any]]] = []
        self.version = version
        self._formed: Any = None
        self._up = False
        self._security: Any = None
        self._library: Any = None
        self._answers: dict[str, Callable[[dict[str, Any]], Any]] = {
            "version": lambda given: [version, 2, 0x7440],
            "getEui64": lambda given: [OWN],
            "networkState": lambda given: [t.EmberNetworkStatus.JOINED_NETWORK if self._up else t.EmberNetworkStatus.NO_NETWORK],
            "networkInit": self._started,
            "formNetwork": self._form,
            "getNetworkParameters": lambda given: [t.EmberStatus.SUCCESS, t.EmberNodeType.COORDINATOR, self._formed],
            "setInitialSecurityState": self._secure,
            "getCurrentSecurityState": lambda given: [
                t.EmberStatus.SUCCESS,
                t.EmberCurrentSecurityState(bitmask=t.EmberCurrentSecurityBitmask(0), trustCenterLongAddress=OWN),
            ],
            "getKey": lambda given: [t.EmberStatus.SUCCESS, self._key(given["keyType"])],
            "exportKey": lambda given: [t.KeyData(self._security.networkKey), t.sl_Status.OK],
            "getNetworkKeyInfo": lambda given: [
                t.sl_Status.OK, t.SecurityManagerNetworkKeyInfo.deserialize(b"\x01" * 64)[0],  # a key is set
            ],
            "sendUnicast": lambda given: [t.EmberStatus.DELIVERY_FAILED, 0],  # to the stick itself: it has nothing to add
            "getValue": lambda given: [t.EmberStatus.ERR_FATAL, b""],
            "getMfgToken": lambda given: [b""],
            "getTokenData": lambda given: FAILED,
            "customFrame": lambda given: [t.EmberStatus.ERR_FATAL, b""],
        }

    async def connect(self, config: Any, library: Any, use_thread: bool = True) -> Firmware:
        self._library = library
        return self

    async def disconnect(self) -> None:
        """The network stays; the line is closed, and bellows says so as if it were broken."""
        self._library.connection_lost(None)

    async def reset(self) -> None:
        self.asked.append(("reset", {}))
        self._up = False

    async def wait_for_startup_reset(self) -> None:
        raise TimeoutError

    async def command(self, protocol: Any, name: str, *args: Any, **given: Any) -> Any:
        protocol._ezsp_frame(name, *args, **given)  # raises for what this version of EZSP does not have
        self.asked.append((name, given))
        answer = self._answers.get(name)
        if answer is not None:
            return answer(given)
        return [_nothing(kind) for kind in protocol.COMMANDS[name][2].values()]

    def place(self, *names: str) -> list[int]:
        return [place for place, (name, _) in enumerate(self.asked) if name in names]

    def given(self, name: str) -> list[dict[str, Any]]:
        return [given for said, given in self.asked if said == name]

    def _started(self, given: dict[str, Any]) -> list[Any]:
        if self._formed is None:
            return [t.EmberStatus.NOT_JOINED]
        return self._running()

    def _form(self, given: dict[str, Any]) -> list[Any]:
        self._formed = given["parameters"]
        return self._running()

    def _running(self) -> list[Any]:
        self._up = True
        asyncio.get_running_loop().call_soon(self._library.handle_callback, "stackStatusHandler", [t.EmberStatus.NETWORK_UP])
        return [t.EmberStatus.SUCCESS]

    def _secure(self, given: dict[str, Any]) -> list[Any]:
        self._security = given["state"]
        return [t.EmberStatus.SUCCESS]

    def _key(self, kind: Any) -> Any:
        key = t.EmberKeyStruct()
        key.bitmask, key.type, key.key, key.partnerEUI64 = t.EmberKeyStructBitmask(0x1F), kind, self._security.networkKey, OWN
        key.outgoingFrameCounter = key.incomingFrameCounter = key.sequenceNumber = 0
        return key


def _nothing(kind: Any) -> Any:
    return kind.deserialize(bytes(64))[0] if hasattr(kind, "fields") else kind(0)


@pytest.mark.parametrize("version", [8, 13])
def test_a_network_is_formed_as_the_esi_wants_it(version: int, monkeypatch: pytest.MonkeyPatch) -> None:
    firmware = Firmware(version)

    async def command(protocol: Any, name: str, *args: Any, **given: Any) -> Any:
        return await firmware.command(protocol, name, *args, **given)

    monkeypatch.setattr(bellows.uart, "connect", firmware.connect)
    monkeypatch.setattr(ProtocolHandler, "command", command)
    happened: list[dict[str, Any]] = []
    radio = Radio(happened.append)

    async def course() -> tuple[dict[str, Any], dict[str, Any]]:
        stick = await radio.open("bellows", {"path": "/dev/null"})
        formed = await radio.form(**FORM)
        await radio.close()
        return stick, formed

    stick, formed = asyncio.run(course())
    assert stick["device"] == formed["device"] == "0022080000000001"
    assert stick["about"]["EZSP version"] == str(version)
    (parameters,) = (given["parameters"] for given in firmware.given("formNetwork"))
    assert (parameters.panId, parameters.radioChannel) == (0x1A62, 15)
    assert parameters.extendedPanId.serialize()[::-1].hex() == "00220800000000fe"
    (state,) = (given["state"] for given in firmware.given("setInitialSecurityState"))
    assert bytes(state.networkKey.serialize()).hex() == KEY
    configured = {given["configId"].name: given["value"] for given in firmware.given("setConfigurationValue")}
    assert (configured["CONFIG_APPLICATION_ZDO_FLAGS"], configured["CONFIG_KEY_TABLE_SIZE"]) == (ZDO_FLAGS, KEY_TABLE)
    last_reset, started = firmware.place("reset")[-1], firmware.place("networkInit")[-1]
    registered = [(given["endpoint"], given["profileId"]) for name, given in firmware.asked[last_reset:started] if name == "addEndpoint"]
    assert registered == [(41, 0x0109), (1, 0x0109)]  # a reset forgets endpoints, and a network that runs takes none
    assert not firmware.place("sendBroadcast", "sendMulticast")
    assert {int(given["indexOrDestination"]) for given in firmware.given("sendUnicast")} <= {0}
    assert firmware.asked[-1][0] == "permitJoining"
    assert happened == []


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
