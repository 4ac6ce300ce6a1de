"""Our ESI over packets instead of frames: a device is provisioned just the same, and what a stick cannot is said by name."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from dissectors import aps, nwk
from dissectors.clusters import price
from dissectors.nwk import BroadcastAddress
from harness.errors import Inconclusive, Unsupported
from harness.ports import Pdu
from harness.stack.esi import EsiNode
from harness.stack.happenings import (
    ApplicationDone,
    DeviceProvisioned,
    DeviceRefused,
    Happening,
    ProvisioningFailed,
    Registered,
)
from harness.stack.packet_core import LONGEST_PERMIT, PacketCore
from harness.stack.packets import DeviceCame, DeviceWent, Form, PacketReceived, Permit, RawSent, Remove, SendRaw, ShareKey
from harness.stack.policy import Policy
from harness.stack.primitives import (
    AsduIndication,
    AsduRequest,
    CommandRequest,
    JoinIndication,
    LeaveIndication,
    LinkKeyKind,
)
from harness.tests.home_network import CHANNEL, ESI, LINK_KEY, LOAD, NETWORK_KEY, PCT, Home
from harness.tests.packet_stick import Stick
from harness.values import Eui64

ALL = frozenset({"install-code", "link-key", "how-joined", "removes", "aps-security", "endpoints", "raw"})


def core(offers: frozenset[str] = ALL) -> PacketCore:
    return PacketCore(ieee=ESI, policy=Policy(), name="the stick", offers=offers)


class OverStick:
    """The ESI and its stick as one node on the air of a Home."""

    def __init__(self, home: Home) -> None:
        self.stick = Stick(ESI, home.chance)
        self.asked: list[Any] = []
        self.node = home.esi(lower_layers=lambda policy: core())
        home.nodes["esi"] = self  # type: ignore[assignment]

    def receive(self, pdu: Pdu, now: float) -> None:
        self.stick.receive(pdu, now)

    def transmit(self, now: float) -> list[Pdu]:
        moved = True
        while moved:
            moved = False
            for request in self.node.transmit(now):
                self.asked.append(request)
                self.stick.ask(request, now)  # type: ignore[arg-type]
                moved = True
            for told in self.stick.told():
                self.node.receive(told, now)  # type: ignore[arg-type]
                moved = True
        return self.stick.transmit(now)

    def deadline(self) -> float | None:
        due = (self.stick.deadline(), self.node.deadline())
        return min((each for each in due if each is not None), default=None)

    def wake(self, now: float) -> None:
        self.stick.wake(now)
        self.node.wake(now)

    def events(self) -> list[Happening]:
        return self.node.events()

    def of(self, kind: type[Any]) -> list[Any]:
        return [each for each in self.asked if isinstance(each, kind)]


def provisioned() -> tuple[Home, OverStick, EsiNode]:
    home = Home()
    over = OverStick(home)
    home.device()
    over.node.open_window(PCT, LINK_KEY, 300.0, home.now)
    home.joiner.start_joining(home.now)
    assert home.run(60.0, lambda: any(home.happened(ApplicationDone)))
    home.run(5.0)
    return home, over, over.node


def test_a_device_is_provisioned_over_packets_alone() -> None:
    home, over, node = provisioned()
    assert [each.device for each in home.happened(DeviceProvisioned)] == [PCT]
    assert [each.device for each in home.happened(Registered)] == [PCT]
    assert over.of(Form) == [Form(CHANNEL, 0x1A62, Eui64(int(ESI) ^ 0xFF), NETWORK_KEY, 0, 0)]
    assert over.of(Permit)[0] == Permit(LONGEST_PERMIT, {PCT: LINK_KEY})
    shared = node.application.core.link_key(PCT)
    assert shared is not None
    assert shared[1] is LinkKeyKind.ESTABLISHED
    assert over.of(ShareKey) == [ShareKey(PCT, shared[0])]
    node.publish(price.PublishPrice.of(issuer_event_id=50, start_time=822_830_400, duration_in_minutes=10), home.now)
    home.run(2.0)
    assert 50 in home.joiner.prices.prices


def test_the_window_is_renewed_while_it_lasts_and_closed_at_its_end() -> None:
    home, over, _ = provisioned()
    home.run(400.0)
    assert [each.seconds for each in over.of(Permit)] == [LONGEST_PERMIT, LONGEST_PERMIT, 0]
    assert over.of(Permit)[-1].expected == {}


def test_whom_nobody_ordered_is_kept_out_by_the_stick_and_told_of() -> None:
    home = Home()
    over = OverStick(home)
    home.device(ieee=LOAD)
    over.node.open_window(PCT, LINK_KEY, 60.0, home.now)
    home.joiner.start_joining(home.now)
    home.run(150.0)
    assert {each.device for each in home.happened(DeviceRefused)} == {LOAD}
    assert not home.find(aps.TransportKey, "esi")
    assert [each.device for each in home.happened(ProvisioningFailed)] == [PCT]


def test_power_that_fails_at_the_application_leaves_the_stick_as_it_is() -> None:
    home, over, node = provisioned()
    asked = len(over.of(Form))
    node.power_cycle(home.now)
    home.run(1.0)
    assert len(over.of(Form)) == asked
    assert node.application.core.short_of(PCT) == home.joiner.application.core.short_address
    assert node.application.core.link_key(PCT) is not None


NETWORK_KEY_UPDATE = aps.TransportKey.of(
    key_type=aps.KeyType.STANDARD_NETWORK_KEY, key=bytes(16), key_sequence=1, dest=Eui64(0), source=ESI,
)


@pytest.mark.parametrize("ask", [
    lambda stick: stick.install_network_key(bytes(16), 1, 0.0),
    lambda stick: stick.switch_key(1),
    lambda stick: stick.command(CommandRequest(BroadcastAddress.RX_ON_WHEN_IDLE, Eui64(0), NETWORK_KEY_UPDATE, None), 0.0),
    lambda stick: stick.command(CommandRequest(1, PCT, aps.SwitchKey.of(key_sequence=1), None), 0.0),
    lambda stick: stick.network_command(aps.SwitchKey.of(key_sequence=1), PCT, 0.0, True),
    lambda stick: stick.ask_to_leave(1, 0.0),
    lambda stick: stick.sharing(PCT, bytes(16), LinkKeyKind.PRECONFIGURED, 1).__enter__(),
])
def test_what_no_stick_can_is_unsupported_by_name_and_nothing_is_done(ask: Callable[[PacketCore], object]) -> None:
    stick = core()
    with pytest.raises(Unsupported, match="the stick cannot"):
        ask(stick)
    assert stick.transmit(0.0) == []


def test_what_this_stick_cannot_is_unsupported_too() -> None:
    stick = core(frozenset())
    with pytest.raises(Unsupported, match="the stick cannot let a device join with a link key of its own"):
        stick.permit_association(True, {PCT: LINK_KEY})
    with pytest.raises(Unsupported, match="the stick cannot take the link key that key establishment made"):
        stick.install_link_key(PCT, bytes(16), LinkKeyKind.ESTABLISHED)
    stick.permit_association(False, {})
    assert stick.transmit(0.0) == [Permit(0, {})]


def test_a_network_command_without_security_goes_out_as_a_frame_of_ours_and_the_device_obeys_it_not() -> None:
    home, over, node = provisioned()
    node.application.core.network_command(nwk.Leave.of(request=1), PCT, home.now, secured=False)
    home.run(5.0)
    leave, *repeated = (each.frame for each in home.heard() if each.sender == "esi" and each.frame.find(nwk.Leave) is not None)
    assert leave.nwk is not None
    assert (leave.nwk.security_enabled, leave.nwk.dest_ieee) == (0, int(PCT))
    assert not repeated, "the device acknowledged it"
    assert len(over.of(SendRaw)) == 1
    assert home.joiner.application.core.network_key is not None


def test_a_frame_of_ours_is_unsupported_where_the_stick_sends_none_or_the_counter_would_be_its_own() -> None:
    with pytest.raises(Unsupported, match="the stick cannot send a frame of ours"):
        core(ALL - {"raw"}).network_command(nwk.Leave.of(request=1), PCT, 0.0, secured=False)
    with pytest.raises(Unsupported, match="under the network key, whose frame counter is its own"):
        core().network_command(nwk.Leave.of(request=1), PCT, 0.0, secured=True)


def test_a_frame_of_ours_that_nobody_acknowledged_decides_nothing() -> None:
    stick = core()
    stick.receive(RawSent("success"), 0.0)
    with pytest.raises(Inconclusive, match="nobody acknowledged: it keeps none for a device that sleeps"):
        stick.receive(RawSent("no_ack"), 0.0)


def test_what_a_stick_cannot_send_is_unsupported_by_name() -> None:
    question = AsduRequest(1, 3, 41, 0x0109, 0x0700, b"x", link_key=True)
    with pytest.raises(Unsupported, match="the stick cannot send and tell APS security"):
        core(ALL - {"aps-security"}).data(question, 0.0)
    with pytest.raises(Unsupported, match="the stick cannot send from endpoint 41"):
        core(ALL - {"endpoints"}).data(replace(question, link_key=False), 0.0)
    stick = core(ALL - {"removes"})
    stick.receive(DeviceCame(LOAD, 7, "join"), 0.0)
    with pytest.raises(Unsupported, match="the stick cannot make a device leave"):
        stick.dismiss(LOAD, 0.0)
    assert stick.transmit(0.0) == []


def test_a_refused_key_is_taken_from_the_stick_again() -> None:
    stick = core()
    stick.install_link_key(PCT, LINK_KEY, LinkKeyKind.PRECONFIGURED)
    stick.install_link_key(PCT, bytes(16), LinkKeyKind.ESTABLISHED)
    stick.install_link_key(PCT, LINK_KEY, LinkKeyKind.PRECONFIGURED)
    stick.forget_link_key(PCT)
    assert stick.transmit(0.0) == [ShareKey(PCT, bytes(16)), ShareKey(PCT, None)]
    stick.data(AsduRequest(1, 1, 1, 0x0109, 0x0700, b"x", link_key=True), 0.0)
    assert "bytes" not in repr(stick.transmit(0.0))


def test_keys_are_in_no_repr() -> None:
    values = (Form(11, 1, Eui64(1), NETWORK_KEY, 0, 0), Permit(1, {PCT: LINK_KEY}), ShareKey(PCT, LINK_KEY))
    assert not any(key.hex() in repr(each) or repr(key) in repr(each) for each in values for key in (NETWORK_KEY, LINK_KEY))


# -- what the stick tells


def packet(**changes: Any) -> PacketReceived:
    return replace(PacketReceived(
        source=7, source_ieee=None, source_endpoint=1, dest_endpoint=41, profile=0x0109, cluster=price.CLUSTER.identifier, asdu=b"x",
        counter=9, secured=True, broadcast=False,
    ), **changes)


def test_whom_the_stick_let_in_unasked_is_thrown_out_and_whom_it_refused_is_left_alone() -> None:
    stick = core()
    stick.receive(DeviceCame(LOAD, 7, "join"), 0.0)
    stick.receive(DeviceCame(PCT, 8, "refused"), 0.0)
    assert stick.events() == [JoinIndication(LOAD, 7, 0), JoinIndication(PCT, 8, 0)]
    stick.dismiss(LOAD, 0.0, announce=False)
    stick.dismiss(PCT, 0.0, announce=False)
    stick.command(CommandRequest(8, PCT, aps.RemoveDevice.of(target=LOAD), None), 0.0)  # as of one behind a router: it is out already
    assert stick.transmit(0.0) == [Remove(LOAD, 7)]
    stick.receive(DeviceWent(LOAD, 7), 0.0)
    assert stick.events() == [LeaveIndication(LOAD, 7, rejoin=False)]


@pytest.mark.parametrize(("how", "expected", "shares_key", "rejoin", "secured"), [
    ("join", True, True, False, False), ("rejoin", False, True, True, False), ("secured-rejoin", False, True, True, True),
    (None, True, True, False, False), (None, False, True, True, False), (None, False, False, False, False),
])
def test_how_a_device_came_is_as_the_stick_says_or_as_is_likely(
    how: str | None, expected: bool, shares_key: bool, rejoin: bool, secured: bool,
) -> None:
    stick = core()
    if expected:
        stick.permit_association(True, {PCT: LINK_KEY})
    if shares_key:
        stick.install_link_key(PCT, bytes(16), LinkKeyKind.ESTABLISHED)
    stick.receive(DeviceCame(PCT, 7, how), 0.0)
    assert stick.events() == [JoinIndication(PCT, 7, 0, rejoin=rejoin, secured=secured)]


def test_under_which_key_a_secured_packet_came_is_presumed() -> None:
    stick = core()
    stick.remember_address(7, PCT)
    kinds = []
    for established in (False, True):
        if established:
            stick.install_link_key(PCT, bytes(16), LinkKeyKind.ESTABLISHED)
        for secured in (True, False):
            stick.receive(packet(secured=secured), 0.0)
            kinds += [each.key for each in stick.events() if isinstance(each, AsduIndication)]
    assert kinds == [LinkKeyKind.PRECONFIGURED, None, LinkKeyKind.ESTABLISHED, None]


def test_a_packet_by_its_sender_s_long_address_is_taken_once_that_is_known() -> None:
    stick = core()
    stick.receive(packet(source=None, source_ieee=PCT), 0.0)
    assert stick.events() == []
    stick.remember_address(7, PCT)
    stick.receive(packet(source=None, source_ieee=PCT), 0.0)
    (indication,) = stick.events()
    assert isinstance(indication, AsduIndication)
    assert (indication.source, indication.source_ieee) == (7, PCT)


def test_a_request_that_the_firmware_answers_is_not_answered_twice() -> None:
    node_desc, match_desc = 0x0002, 0x0006
    stick = PacketCore(ieee=ESI, policy=Policy(), name="the stick", offers=ALL, answered_below=frozenset({node_desc}))
    for cluster in (node_desc, match_desc):
        stick.receive(packet(cluster=cluster, profile=0, dest_endpoint=0, secured=False), 0.0)
    assert [each.cluster for each in stick.events() if isinstance(each, AsduIndication)] == [match_desc]
