"""What bellows can beyond zigpy: link keys in the co-processor's table, how a device joined, what was lost on the way to us. Runs in
the child process only.

EZSP is Silicon Labs' protocol of EmberZNet co-processors (UG100); up to version 12 a link key is set by addOrUpdateKeyTableEntry,
from 13 on by importLinkKey. Declared, not exercised on hardware: held to bellows' own command tables in the tests.
"""

from __future__ import annotations

import asyncio
from typing import Any

from bellows import types as t
from bellows.exception import EzspError
from zigpy.zdo.types import SimpleDescriptor

from harness.ncp.libraries import APS_SECURITY, ENDPOINTS, HOW_JOINED, INSTALL_CODE, LINK_KEY, RAW, REFUSES, REMOVES
from harness.ncp.quiet import eui64

IMPORTS_KEYS = 13  # the EZSP version from which a link key is imported at an index
INSTALL_CODES = 5  # and the one from which there are transient link keys: version 4 takes them and does nothing
REFUSES_STRANGERS = 8  # and the one from which whoever has no transient link key is kept out
SMART_ENERGY = 0x0109
ZDO_FLAGS = 0x0F  # every ZDP request comes to us, and those of endpoints and bindings are ours to answer
KEY_TABLE = 12  # link keys of so many devices: what bellows itself asks for at most
CONFIG: dict[str, Any] = {
    "use_thread": False, "ezsp_config": {"CONFIG_APPLICATION_ZDO_FLAGS": ZDO_FLAGS, "CONFIG_KEY_TABLE_SIZE": KEY_TABLE},
    "ezsp_policies": {"TC_KEY_REQUEST_POLICY": t.EzspDecisionId.DENY_TC_KEY_REQUESTS},  # a link key comes of key establishment alone
}
ANSWERED_BELOW = (0x0000, 0x0001, 0x0002, 0x0003, 0x0031, 0x0032, 0x0034, 0x0036)  # ZDP requests that the stack answers in any case
USUAL_PRIORITY = 0  # of a raw frame
RAW_LIMIT = 3.0  # seconds in which the stack says what became of one
SCAN_EXPONENT = 3  # 138 ms for each channel (IEEE 802.15.4-2006, 7.1.11.1)
NO_ROOM = 0x03  # of a frame's control octet (UG100, 3.1): the overflow and truncated bits, which bellows passes over
CARRIES = ("incomingMessageHandler", "mfglibRxHandler", "trustCenterJoinHandler")  # callbacks without which we know less than we say
NOT_TOLD = "of a version that it does not tell"
HOW = {  # EmberDeviceUpdate
    t.EmberDeviceUpdate.STANDARD_SECURITY_SECURED_REJOIN: "secured-rejoin",
    t.EmberDeviceUpdate.STANDARD_SECURITY_UNSECURED_JOIN: "join",
    t.EmberDeviceUpdate.STANDARD_SECURITY_UNSECURED_REJOIN: "rejoin",
}


def over_ezsp(quiet: type[Any]) -> type[Any]:
    """bellows, made quiet, with what the trust centre of Smart Energy needs of it."""

    class OverEzsp(quiet):  # type: ignore[misc]
        answered_below = ANSWERED_BELOW

        def __init__(self, config: dict[str, Any]) -> None:
            super().__init__(config)
            self._firmware = NOT_TOLD
            self._places: dict[str, int] = {}  # in the key table, by device; the table is empty when a network is formed

        async def connect(self) -> None:
            """As ever; and whatever the firmware had no room for, or bellows cannot read, is told where it matters."""
            await super().connect()
            self._ezsp.frame_received = self._heard
            self._firmware = await self._version_of_firmware()

        def _heard(self, octets: bytes) -> None:
            protocol = self._ezsp._protocol
            name = ""
            try:
                name, *_ = protocol.COMMANDS_BY_ID.get(protocol._ezsp_frame_rx(octets)[1], ("",))
                protocol(octets)
            except Exception:  # whatever a codec may raise
                if name in CARRIES:
                    self.happened("missed", {"why": f"{name} cannot be read"})
            if octets[1:2] and octets[1] & NO_ROOM:
                self.happened("missed", {"why": "the firmware had no room for what it had to tell"})

        async def _version_of_firmware(self) -> str:
            try:
                _, _, version = await self._ezsp.get_board_info()
            except EzspError:
                return NOT_TOLD
            return str(version or NOT_TOLD)

        async def levels(self, channels: list[int]) -> dict[int, int]:
            """The most that was heard on each of these channels, dBm, while no network runs."""
            heard = await self._ezsp.startScan(
                scanType=t.EzspNetworkScanType.ENERGY_SCAN, channelMask=t.Channels.from_channel_list(channels), duration=SCAN_EXPONENT,
            )
            return {int(channel): int(level) for channel, level in heard}

        async def captured_channel(self) -> int:
            """The channel that a capture listens to, which the firmware says; it is asked to see that it is there."""
            (channel,) = await self._ezsp.mfglibGetChannel()
            return int(channel)

        @property
        def offers(self) -> set[str]:
            """By the version that the stick's firmware speaks."""
            version = self._ezsp.ezsp_version
            return {
                LINK_KEY, HOW_JOINED, REMOVES, APS_SECURITY, ENDPOINTS, RAW, *([INSTALL_CODE] if version >= INSTALL_CODES else []),
                *([REFUSES] if version >= REFUSES_STRANGERS else []),
            }

        @property
        def about(self) -> dict[str, str]:
            """What the firmware says of itself."""
            return {"firmware": f"EmberZNet {self._firmware}", "EZSP version": str(self._ezsp.ezsp_version)}

        async def own_address(self) -> str:
            """The stick's EUI-64, which it tells without a network, so that an old one need not be started."""
            (ieee,) = await self._ezsp.getEui64()
            return eui64(ieee)

        async def register_endpoints(self) -> None:
            """Ours, and an empty first one, without which bellows does not start; our own answers do not name it."""
            await super().register_endpoints()
            if all(each["endpoint"] != 1 for each in self.endpoints):
                await self.add_endpoint(SimpleDescriptor(
                    endpoint=1, profile=SMART_ENERGY, device_type=0, device_version=0, input_clusters=[], output_clusters=[],
                ))

        async def share_link_key(self, device: t.EUI64, key: t.KeyData) -> None:
            """Have the co-processor secure APS frames to and from a device with this key. Raises ValueError where it refuses."""
            if self._ezsp.ezsp_version >= IMPORTS_KEYS:
                place = self._places.setdefault(eui64(device), len(self._places))
                (status,) = await self._ezsp.importLinkKey(index=place, address=device, key=key)
            else:
                (status,) = await self._ezsp.addOrUpdateKeyTableEntry(address=device, linkKey=True, keyData=key)
            if t.sl_Status.from_ember_status(status) != t.sl_Status.OK:
                raise ValueError(f"the key table takes no key: {t.sl_Status.from_ember_status(status).name}")

        async def send_raw(self, mpdu: bytes) -> bool:
            """Have the stack send a MAC frame as it is, with an FCS of its own; whether it was acknowledged, where it asks for that.
            Raises ValueError where the stack refuses it, TimeoutError where it does not say what became of it."""
            became: asyncio.Future[Any] = asyncio.get_running_loop().create_future()

            def complete(name: str, answer: Any) -> None:
                if not became.done():
                    became.set_result(answer[-1])  # which in every version is the status

            with self._ezsp.callback_for_commands({"rawTransmitCompleteHandler"}, complete):
                if "sendRawMessageExtended" in self._ezsp._protocol.COMMANDS:
                    (status,) = await self._ezsp.sendRawMessageExtended(message=mpdu, priority=USUAL_PRIORITY, useCca=True)
                else:
                    (status,) = await self._ezsp.sendRawMessage(messageContents=mpdu)
                if t.sl_Status.from_ember_status(status) != t.sl_Status.OK:
                    raise ValueError(f"the stack takes no frame of ours: {t.sl_Status.from_ember_status(status).name}")
                return bool(t.sl_Status.from_ember_status(await asyncio.wait_for(became, RAW_LIMIT)) == t.sl_Status.OK)

        async def drop_link_key(self, device: t.EUI64) -> None:
            """Forget it."""
            await self.cleanup_tc_link_key(device)

        def _handle_tc_join_handler(
            self, nwk: t.NWK, ieee: t.EUI64, device_update_status: Any, decision: Any, parent_nwk: t.NWK,
        ) -> None:
            refused = decision == t.EmberJoinDecision.DENY_JOIN and device_update_status != t.EmberDeviceUpdate.DEVICE_LEFT
            self.how = "refused" if refused else HOW.get(device_update_status)
            try:
                super()._handle_tc_join_handler(nwk, ieee, device_update_status, decision, parent_nwk)
                if refused:
                    self.handle_join(nwk, ieee, parent_nwk)
            finally:
                self.how = None

    return OverEzsp
