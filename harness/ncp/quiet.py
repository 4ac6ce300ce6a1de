"""A zigpy radio library that says nothing by itself and keeps nothing back: packet level only. Runs in the child process only.

zigpy is made for a home: it interviews who joins, answers Default Response, announces Green Power commissioning, and drops what it
takes for a repetition. Under test all of that would be on the air, or missing from it, without anybody having asked.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import zigpy.types as t
from zigpy.exceptions import NetworkNotFormed
from zigpy.zdo.types import SimpleDescriptor

from harness.ncp.libraries import HOW_JOINED

OURSELVES = 0x0000  # the coordinator's NWK address
ANNOUNCEMENT = (0x0000, 0, 0x0013)  # profile, endpoint and cluster of Device_annce
ANNOUNCED = 11  # octets up to the end of its EUI-64

Tell = Callable[[str, dict[str, Any]], None]
"""Takes what happened (packet, join, leave, missed, lost) and its fields."""


def quiet(library: type[Any], tell: Tell) -> type[Any]:
    """The radio library's ControllerApplication, of which nothing but packets, joins and leaves is heard, as they come."""

    class Quiet(library):  # type: ignore[misc]
        happened = staticmethod(tell)
        tells_joins = False  # by itself: of a library that does not, a device's announcement tells
        how: str | None = None  # of the join that is being told, where the library knows
        closing = False  # we are closing the line ourselves, which some libraries report like any other loss
        endpoints: tuple[dict[str, Any], ...] = ()  # the simple descriptors that the co-processor is to have

        def packet_received(self, packet: t.ZigbeePacket) -> None:
            """Every packet goes to the bench, repeated ones too; what the stick says to itself stays the library's."""
            if packet.src is not None and packet.src.addr_mode == t.AddrMode.NWK and packet.src.address == OURSELVES:
                super().packet_received(packet)
            else:
                if not self.tells_joins and HOW_JOINED not in getattr(self, "offers", ()):
                    self._announced(packet)
                tell("packet", _as_fields(packet))

        def _announced(self, packet: t.ZigbeePacket) -> None:
            octets = packet.data.serialize()
            if (packet.profile_id, packet.dst_ep, packet.cluster_id) == ANNOUNCEMENT and len(octets) >= ANNOUNCED:
                nwk, rest = t.NWK.deserialize(octets[1:])
                ieee, _ = t.EUI64.deserialize(rest)
                self.handle_join(nwk, ieee, None)

        def gp_packet_received(self, packet: t.ZigbeeGpPacket) -> None:
            """Green Power is no part of Smart Energy 1.0."""

        def handle_join(self, nwk: t.NWK, ieee: t.EUI64, parent_nwk: t.NWK, *, handle_rejoin: bool = True) -> None:
            """Record it; nobody is interviewed."""
            tell("join", {"device": eui64(ieee), "address": int(nwk), "parent": int(parent_nwk or 0), "how": self.how})

        def handle_leave(self, nwk: t.NWK, ieee: t.EUI64) -> None:
            """Record it."""
            tell("leave", {"device": eui64(ieee), "address": int(nwk)})

        def handle_relays(self, nwk: t.NWK, relays: list[t.NWK]) -> None:
            """No device of zigpy's is kept, so nobody has a route to remember."""

        def connection_lost(self, exc: Exception | None) -> None:
            """The stick is gone."""
            if not self.closing:
                tell("lost", {"text": type(exc).__name__ if exc is not None else "closed"})

        async def own_address(self) -> str | None:
            """The stick's EUI-64, as the library has it or as zigpy would; None where it tells none before it has a network."""
            known = getattr(super(), "own_address", None)
            if known is not None:
                return str(await known())
            try:
                await self.load_network_info()
            except NetworkNotFormed:
                return None
            return eui64(self.state.node_info.ieee)

        async def permit_gp(self, time_s: int) -> None:
            """No Green Power commissioning."""

        async def broadcast(self, *args: Any, **kwargs: Any) -> None:
            """Nothing is broadcast that the bench did not send, Mgmt_Permit_Joining_req included."""

        async def register_endpoints(self) -> None:
            """Ours, and no endpoint of home automation."""
            for each in self.endpoints:
                await self.add_endpoint(SimpleDescriptor(
                    endpoint=each["endpoint"], profile=each["profile"], device_type=each["device"], device_version=0,
                    input_clusters=each["in"], output_clusters=each["out"],
                ))

    return Quiet


def eui64(ieee: t.EUI64) -> str:
    """16 hex digits, as the bench writes an EUI-64."""
    return bytes(ieee.serialize())[::-1].hex()


def ieee_of(text: str) -> t.EUI64:
    """The other way round."""
    return t.EUI64.deserialize(bytes.fromhex(text)[::-1])[0]


def packet_of(fields: dict[str, Any]) -> t.ZigbeePacket:
    """A packet to be sent. Raises KeyError and ValueError for fields that are none."""
    options = t.TransmitOptions.NONE
    if fields["secured"]:
        options |= t.TransmitOptions.APS_Encryption
    if fields["ack"]:
        options |= t.TransmitOptions.ACK
    mode = t.AddrMode.Broadcast if fields["dest"] >= t.BroadcastAddress.RESERVED_FFF8 else t.AddrMode.NWK
    return t.ZigbeePacket(
        src=t.AddrModeAddress(addr_mode=t.AddrMode.NWK, address=t.NWK(OURSELVES)), src_ep=t.uint8_t(fields["source_endpoint"]),
        dst=t.AddrModeAddress(addr_mode=mode, address=t.NWK(fields["dest"])), dst_ep=t.uint8_t(fields["dest_endpoint"]),
        profile_id=t.uint16_t(fields["profile"]), cluster_id=t.uint16_t(fields["cluster"]), tsn=t.uint8_t(fields["counter"]),
        data=t.SerializableBytes(bytes.fromhex(fields["asdu"])), tx_options=options, radius=t.uint8_t(0),
    )


def _as_fields(packet: t.ZigbeePacket) -> dict[str, Any]:
    assert packet.src is not None
    by_name = packet.src.addr_mode == t.AddrMode.IEEE
    return {
        "source": None if by_name else int(packet.src.address), "device": eui64(packet.src.address) if by_name else None,
        "broadcast": packet.dst is not None and packet.dst.addr_mode == t.AddrMode.Broadcast,
        "source_endpoint": int(packet.src_ep or 0), "dest_endpoint": int(packet.dst_ep or 0),
        "profile": int(packet.profile_id), "cluster": int(packet.cluster_id), "counter": int(packet.tsn or 0),
        "asdu": packet.data.serialize().hex(), "secured": t.TransmitOptions.APS_Encryption in packet.tx_options,
        "lqi": None if packet.lqi is None else int(packet.lqi), "rssi": None if packet.rssi is None else int(packet.rssi),
    }
