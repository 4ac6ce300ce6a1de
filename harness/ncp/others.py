"""What the applications of zigpy's other libraries need so that a quiet one works: no radio of these was at hand.

bellows has a module of its own (`ezsp`). Runs in the child process only; imports none of the libraries.
"""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from zigpy.types import EUI64, KeyData


def over_znp(quiet: type[Any]) -> type[Any]:
    """Z-Stack opens by a Mgmt_Permit_Joining_req to itself, which zigpy has it broadcast; a join is told at once, and nothing routed."""

    class OverZnp(quiet):  # type: ignore[misc]
        tells_joins = True

        async def permit(self, time_s: int = 60, node: EUI64 | None = None) -> None:
            await super().permit(time_s, self.state.node_info.ieee)

        async def close_window(self) -> None:
            """`permit_ncp` does nothing."""
            await self.permit(0)

        def on_zdo_tc_device_join(self, msg: Any) -> None:
            """Not some seconds later, and without a route request of the stick's."""
            self.handle_join(nwk=msg.SrcNwk, ieee=msg.SrcIEEE, parent_nwk=msg.ParentNwk)

    return OverZnp


def over_xbee(quiet: type[Any]) -> type[Any]:
    """An XBee sends to who is known by EUI-64, which zigpy keeps with devices; and registering a key opens no window."""

    class OverXbee(quiet):  # type: ignore[misc]
        def __init__(self, config: dict[str, Any]) -> None:
            super().__init__(config)
            self._came: dict[int, EUI64] = {}

        def handle_join(self, nwk: Any, ieee: EUI64, parent_nwk: Any, *, handle_rejoin: bool = True) -> None:
            self._came[int(nwk)] = ieee
            super().handle_join(nwk, ieee, parent_nwk)

        def get_device_with_address(self, address: Any) -> Any:
            """Raises KeyError for who never came."""
            return SimpleNamespace(nwk=address.address, ieee=self._came[int(address.address)])

        async def permit_with_link_key(self, node: EUI64, link_key: KeyData, time_s: int = 60) -> None:
            await super().permit_with_link_key(node, link_key, time_s)
            await self.permit_ncp(time_s)

    return OverXbee


OVER = {"zigpy_znp": over_znp, "zigpy_xbee": over_xbee}
CONFIG: dict[str, dict[str, Any]] = {"zigpy_znp": {"znp_config": {"prefer_endpoint_1": False}}}  # from our endpoint, then
