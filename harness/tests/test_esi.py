"""The ESI as its bench uses it: its programme, its bindings, its look at a new device, capacity, power failure."""

from __future__ import annotations

import pytest

from dissectors import zcl, zdp
from dissectors.aps import TransportKey
from dissectors.clusters import basic, drlc, messaging, price
from dissectors.clusters.key_establishment import InitiateKeyEstablishment, TerminateKeyEstablishment, TerminateStatus
from dissectors.layer import Record
from dissectors.mac import AssociationResponse, AssociationStatus
from harness.stack.application import Path
from harness.stack.commissioning import KEY_ESTABLISHMENT
from harness.stack.esi import EsiSettings
from harness.stack.happenings import ApplicationDone, DeviceProvisioned, KeyLearnt, Received
from harness.stack.policy import Policy
from harness.stack.programme import Programme, ends, is_active, ordinary_programme
from harness.stack.startup import State
from harness.tests.home_network import LINK_KEY, LOAD, PCT, START_OF_TIME, Home, credentials, utc
from harness.values import DeviceType

NOW = START_OF_TIME


def _in_service(esi_policy: Policy | None = None, programme: Programme | None = None) -> Home:
    home = Home()
    esi, device = home.esi(esi_policy, programme=programme), home.device()
    esi.open_window(PCT, LINK_KEY, 600.0, home.now)
    device.start_joining(home.now)
    assert home.run(60.0, lambda: any(home.happened(ApplicationDone)))
    home.run(3.0)
    return home


def _ask(home: Home, cluster: int, command: Record) -> list[Record]:
    """Everything that the ESI sends back within two seconds when the device asks."""
    before = len(home.heard())
    path = Path(0, home.portal.settings.endpoint, home.joiner.settings.endpoint, cluster)
    home.joiner.send_zcl(path, command, home.now)
    home.run(2.0)
    return [each.frame.zcl.command for each in home.heard()[before:] if each.sender == "esi" and each.frame.zcl is not None]


# -- the programme


def _price(event: int, start: int, minutes: int = 10) -> Record:
    return price.PublishPrice.of(issuer_event_id=event, start_time=start, duration_in_minutes=minutes)


def test_when_an_offer_is_over() -> None:
    assert ends(_price(1, NOW)) == NOW + 600
    assert ends(_price(1, NOW, price.UNTIL_CHANGED)) == float("inf")
    assert [is_active(_price(1, NOW), NOW + second) for second in (-1, 0, 599, 600)] == [False, True, True, False]
    assert is_active(_price(1, 0), NOW)


def test_a_programme_grows_by_what_it_can_hold() -> None:
    programme = ordinary_programme(NOW)
    for offer in (_price(9, NOW), drlc.LoadControlEvent.of(), messaging.DisplayMessage.of()):
        programme = programme.with_one_more(offer)
    assert [len(each) for each in (programme.prices, programme.events, programme.messages)] == [2, 2, 2]
    with pytest.raises(ValueError, match="GetCurrentPrice is no price"):
        programme.with_one_more(price.GetCurrentPrice.of())


def test_prices_are_given_as_they_are_asked_for() -> None:
    programme = Programme(prices=(_price(1, NOW, 60), _price(2, NOW + 3600), _price(3, NOW + 7200), _price(4, NOW - 9999)))
    home = _in_service(programme=programme)
    current = _ask(home, price.CLUSTER.identifier, price.GetCurrentPrice.of())
    assert [(record.issuer_event_id, record.current_time - NOW) for record in current] == [(1, int(home.now) - 2)]
    every = _ask(home, price.CLUSTER.identifier, price.GetScheduledPrices.of(start_time=0, number_of_events=0))
    assert [record.issuer_event_id for record in every] == [1, 2, 3]
    two = _ask(home, price.CLUSTER.identifier, price.GetScheduledPrices.of(start_time=NOW + 3601, number_of_events=1))
    assert [record.issuer_event_id for record in two] == [2]


def test_events_are_issued_again_as_often_as_asked_for() -> None:
    events = tuple(
        drlc.LoadControlEvent.of(issuer_event_id=event, device_class=1, start_time=NOW + 3600 * event, duration_in_minutes=10)
        for event in (1, 2, 3)
    )
    home = _in_service(programme=Programme(events=events))
    for number, expected in ((0, [1, 2, 3]), (2, [1, 2])):
        sent = _ask(home, drlc.CLUSTER.identifier, drlc.GetScheduledEvents.of(number_of_events=number))
        assert [record.issuer_event_id for record in sent if record.is_a(drlc.LoadControlEvent)] == expected


def test_what_is_published_goes_to_those_who_bound_themselves() -> None:
    home = _in_service()
    home.portal.publish(_price(50, NOW), home.now)
    home.run(2.0)
    assert 50 in home.joiner.prices.prices
    assert list(home.happened(Received, "device"))[-1].command.issuer_event_id == 50
    home.portal.node.device_object.bindings.clear()
    home.portal.publish(_price(51, NOW), home.now)
    home.run(2.0)
    assert 51 not in home.joiner.prices.prices


# -- its look at a device, and the devices' at it


def test_a_registered_device_is_looked_at() -> None:
    home = _in_service()
    asked = {layer for layer in (zdp.NodeDescReq, zdp.ActiveEpReq, zdp.SimpleDescReq) if home.find(layer, "esi")}
    assert asked == {zdp.NodeDescReq, zdp.ActiveEpReq, zdp.SimpleDescReq}
    reads = [record.attributes for record in home.find(zcl.ReadAttributes, "esi")]
    assert reads == [(basic.ZCL_VERSION, basic.POWER_SOURCE, basic.DEVICE_ENABLED)]


def test_a_full_esi_says_so() -> None:
    home = Home()
    esi = home.esi(settings=EsiSettings(child_capacity=1))
    first, second = home.device(), home.device(Policy(), ieee=LOAD, kind=DeviceType.LOAD_CONTROL, name="second")
    for device in (first, second):
        esi.open_window(device.ieee, LINK_KEY, 600.0, home.now)
        device.start_joining(home.now)
    home.run(30.0)
    assert {first.state, second.state} == {State.RUNNING, State.SCAN_PAUSE}
    refusals = [record for record in home.find(AssociationResponse) if record.status != AssociationStatus.SUCCESS]
    assert [(record.status, record.short_address) for record in refusals] == [(AssociationStatus.PAN_AT_CAPACITY, 0xFFFF)]


def test_provisioned_is_told_once_and_after_the_last_message_was_acknowledged() -> None:
    home = _in_service()
    told = list(home.happened(DeviceProvisioned))
    confirmation = max(each.time for each in home.heard() if each.frame.summary() == "Confirm Key Data Response")
    assert [happening.device for happening in told] == [PCT]
    assert confirmation < told[0].at
    kinds = [happening.kind for happening in home.happened(KeyLearnt, "esi") if happening.kind in ("nwk", "ic", "link")]
    assert kinds == ["nwk", "ic", "link"]


def test_a_device_that_uses_its_key_has_it_also_where_the_acknowledgement_was_lost() -> None:
    home = Home()
    esi, device = home.esi(), home.device(Policy(acknowledges=False))
    esi.open_window(PCT, LINK_KEY, 600.0, home.now)
    device.start_joining(home.now)
    assert home.run(60.0, lambda: any(home.happened(DeviceProvisioned)))
    first = next(each.time for each in home.heard() if each.sender == "device" and each.frame.security.aps == "ok")
    assert next(home.happened(DeviceProvisioned)).at == pytest.approx(first)


def test_a_device_that_is_no_member_gets_no_link_key() -> None:
    home = Home()
    esi, device = home.esi(Policy(admits_strangers=False)), home.device()
    esi.open_window(PCT, LINK_KEY, 600.0, home.now)
    device.start_joining(home.now)
    assert home.run(10.0, lambda: device.state is State.ESTABLISHING)
    home.run(30.0, lambda: any(home.happened(DeviceProvisioned)))
    esi.trust_center.windows.clear()
    esi.application.core.forget_link_key(PCT)
    path = Path(0, esi.settings.endpoint, device.settings.endpoint, KEY_ESTABLISHMENT)
    device.send_zcl(path, InitiateKeyEstablishment.of(certificate=bytes(credentials(PCT).certificate)), home.now)
    home.run(2.0)
    assert [record.status for record in home.find(TerminateKeyEstablishment)] == [TerminateStatus.NO_RESOURCES]


# -- power


def test_after_a_power_failure_a_registered_device_goes_on_with_its_key() -> None:
    home = _in_service()
    home.portal.power_cycle(home.now)
    home.run(5.0)
    answers = _ask(home, drlc.CLUSTER.identifier, drlc.GetScheduledEvents.of())
    assert any(record.is_a(drlc.LoadControlEvent) for record in answers)
    assert len(home.find(TransportKey)) == 1
    assert utc(home.now) > NOW
