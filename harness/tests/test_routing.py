"""A router between a device and its ESI: who hears whom, what is tunnelled, and what reaches the device."""

from __future__ import annotations

import pytest

from dissectors import aps
from harness.stack.han_device import HanDeviceSettings
from harness.stack.happenings import Announced, ApplicationDone, DeviceProvisioned, DeviceRefused
from harness.stack.policy import Policy
from harness.tests.home_network import CHANNEL, LINK_KEY, LOAD, PCT, Home
from harness.values import DeviceType

WINDOW = 300.0


def behind_a_router(policy: Policy | None = None, own: Policy | None = None, sleepy: bool = True) -> Home:
    """An ESI with a router that has registered, and a device in reach of the router alone, which has begun to join."""
    home = Home()
    esi = home.esi(policy)
    home.device(name="router", ieee=LOAD, kind=DeviceType.LOAD_CONTROL, settings=HanDeviceSettings(channels=(CHANNEL,), router=True))
    home.device(own, settings=HanDeviceSettings(channels=(CHANNEL,), sleepy=sleepy))
    home.air.apart.add(frozenset(("esi", "device")))
    esi.open_window(LOAD, LINK_KEY, WINDOW, home.now)
    home.nodes["router"].start_joining(home.now)  # type: ignore[union-attr]
    assert home.run(until=lambda: any(home.happened(DeviceProvisioned)))
    return home


@pytest.mark.parametrize("sleepy", [True, False])
def test_a_device_behind_a_router_comes_into_service(sleepy: bool) -> None:
    home = behind_a_router(sleepy=sleepy)
    home.portal.open_window(PCT, LINK_KEY, WINDOW, home.now)
    home.joiner.start_joining(home.now)
    assert home.run(60.0, until=lambda: any(home.happened(ApplicationDone, "device")))
    assert [each.dest for each in home.find(aps.Tunnel, "esi")] == [PCT]
    assert [each.device for each in home.happened(DeviceProvisioned)] == [LOAD, PCT]
    assert home.joiner.application.own_layers.parent == home.nodes["router"].application.core.short_address


def test_a_stranger_behind_a_router_is_refused_and_forgotten() -> None:
    home = behind_a_router()
    home.joiner.start_joining(home.now)
    home.run(20.0)
    assert home.find(aps.Tunnel) == []
    assert {each.device for each in home.happened(DeviceRefused)} == {PCT}
    assert PCT in {each.target for each in home.find(aps.RemoveDevice, "esi")}
    assert home.nodes["router"].application.core.children == ()
    assert not any(home.happened(Announced, "device"))


def test_a_key_that_is_not_tunnelled_does_not_get_past_the_router() -> None:
    home = behind_a_router(Policy(tunnels_keys=False))
    home.portal.open_window(PCT, LINK_KEY, WINDOW, home.now)
    home.joiner.start_joining(home.now)
    home.run(20.0)
    assert home.find(aps.TransportKey, "esi")
    assert not any(home.happened(Announced, "device"))
