"""A minimal zigpy radio library for tests: its stick is at the other end of a socket (`packet_world`), and speaks lines of JSON.

It runs in the child process and nowhere else: like any radio library it knows neither Scapy nor our dissectors. `Misbehaving` are
libraries as they should not be.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from typing import Any

import zigpy.application
import zigpy.types as t
from zigpy.exceptions import DeliveryError, NetworkNotFormed

from harness.ncp.quiet import eui64, ieee_of


class Application(zigpy.application.ControllerApplication):  # type: ignore[misc]
    """`device.path` is `host:port`."""

    offers = ("aps-security", "endpoints", "how-joined", "install-code", "link-key", "removes")
    about = {"stick": "a virtual one"}

    async def connect(self) -> None:
        host, _, port = self.config["device"]["path"].partition(":")
        self._reader, self._writer = await asyncio.open_connection(host, int(port))
        self._waiting: dict[int, asyncio.Future[str]] = {}
        self._number = 0
        self._listening = asyncio.ensure_future(self._listen())
        await self.register_endpoints()

    async def disconnect(self) -> None:
        self._listening.cancel()
        self._writer.close()

    async def own_address(self) -> str:
        return await self._ask("address")

    async def write_network_info(self, *, network_info: Any, node_info: Any) -> None:
        await self._ask(
            "form", channel=int(network_info.channel), pan_id=int(network_info.pan_id),
            extended_pan_id=eui64(network_info.extended_pan_id), network_key=network_info.network_key.key.serialize().hex(),
            key_sequence=int(network_info.network_key.seq), frame_counter=int(network_info.network_key.tx_counter),
        )
        self.state.network_info = network_info

    async def load_network_info(self, *, load_devices: bool = False) -> None:
        raise NetworkNotFormed("no network")

    async def start_network(self) -> None:
        self.state.node_info.ieee = ieee_of(await self._ask("address"))
        self.state.node_info.nwk = t.NWK(0)

    async def add_endpoint(self, descriptor: Any) -> None:
        await self._ask("endpoint", number=int(descriptor.endpoint), profile=int(descriptor.profile))

    async def permit_ncp(self, time_s: int = 60) -> None:
        await self._ask("permit", seconds=time_s, expected={})

    async def permit_with_link_key(self, node: t.EUI64, link_key: t.KeyData, time_s: int = 60) -> None:
        await self._ask("permit", seconds=time_s, expected={eui64(node): link_key.serialize().hex()})

    async def share_link_key(self, device: t.EUI64, key: t.KeyData) -> None:
        await self._ask("share", device=eui64(device), key=key.serialize().hex())

    async def drop_link_key(self, device: t.EUI64) -> None:
        await self._ask("share", device=eui64(device), key=None)

    async def force_remove(self, dev: Any) -> None:
        await self._ask("remove", device=eui64(dev.ieee), address=int(dev.nwk))

    async def reset_network_info(self) -> None:
        """There is none."""

    async def send_packet(self, packet: t.ZigbeePacket) -> None:
        assert packet.dst is not None
        status = await self._ask(
            "send", dest=int(packet.dst.address), source_endpoint=int(packet.src_ep or 0), dest_endpoint=int(packet.dst_ep or 0),
            profile=int(packet.profile_id), cluster=int(packet.cluster_id), counter=int(packet.tsn), asdu=packet.data.serialize().hex(),
            secured=t.TransmitOptions.APS_Encryption in packet.tx_options, ack=t.TransmitOptions.ACK in packet.tx_options,
        )
        if status != "success":
            raise DeliveryError(status)

    # -- the line to the stick

    async def _ask(self, what: str, **given: Any) -> str:
        self._number += 1
        answer: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        self._waiting[self._number] = answer
        self._writer.write(json.dumps({"n": self._number, "do": what, **given}).encode() + b"\n")
        return await answer

    async def _listen(self) -> None:
        while line := await self._reader.readline():
            self._hear(json.loads(line))
        self.connection_lost(ConnectionResetError())

    def _hear(self, told: dict[str, Any]) -> None:
        if "n" in told:
            self._waiting.pop(told["n"]).set_result(told["answer"])
        elif "join" in told:
            self.how = told["how"]
            self.handle_join(t.NWK(told["address"]), ieee_of(told["join"]), t.NWK(0))
        elif "leave" in told:
            self.handle_leave(t.NWK(told["address"]), ieee_of(told["leave"]))
        else:
            self.packet_received(self._packet(told))

    def _packet(self, told: dict[str, Any]) -> t.ZigbeePacket:
        mode = t.AddrMode.Broadcast if told["broadcast"] else t.AddrMode.NWK
        return t.ZigbeePacket(
            src=t.AddrModeAddress(addr_mode=t.AddrMode.NWK, address=t.NWK(told["source"])), src_ep=told["source_endpoint"],
            dst=t.AddrModeAddress(addr_mode=mode, address=t.NWK(0xFFFC if told["broadcast"] else 0)), dst_ep=told["dest_endpoint"],
            profile_id=told["profile"], cluster_id=told["cluster"], tsn=told["counter"],
            data=t.SerializableBytes(bytes.fromhex(told["asdu"])), lqi=t.uint8_t(told["lqi"]), rssi=t.int8s(told["rssi"]),
            tx_options=t.TransmitOptions.APS_Encryption if told["secured"] else t.TransmitOptions.NONE,
        )


class Blocking(Application):
    """One of those that stay in permit_with_link_key for as long as the window lasts."""

    async def permit_with_link_key(self, node: t.EUI64, link_key: t.KeyData, time_s: int = 60) -> None:
        await super().permit_with_link_key(node, link_key, time_s)
        await asyncio.Event().wait()


class Crashing(Application):
    """Takes the whole process along when it is to send."""

    async def send_packet(self, packet: t.ZigbeePacket) -> None:
        os.kill(os.getpid(), signal.SIGSEGV)


class Hanging(Application):
    """Blocks its event loop when it is to send, so that nothing is answered any more."""

    async def send_packet(self, packet: t.ZigbeePacket) -> None:
        signal.pause()


class Printing(Application):
    """Prints where nobody should, and tells what its process has imported."""

    @property
    def about(self) -> dict[str, str]:  # type: ignore[override]
        return {"modules": " ".join(sorted({name.partition(".")[0] for name in sys.modules}))}

    async def connect(self) -> None:
        print('{"n": 1, "done": "nothing of that"}', flush=True)
        await super().connect()


class Telling(Application):
    """Fails with a key in its error."""

    async def permit_with_link_key(self, node: t.EUI64, link_key: t.KeyData, time_s: int = 60) -> None:
        raise ValueError(f"no room for {link_key} = {link_key.serialize()!r} = {list(link_key)} in slot 3")
