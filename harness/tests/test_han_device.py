"""A HAN device in service: what it asks, how it lives through load control events, messages and prices."""

from __future__ import annotations

from functools import cache
from itertools import pairwise, product

import pytest

from dissectors import zcl, zdp
from dissectors.clusters import drlc, messaging, price
from dissectors.clusters import time as time_cluster
from dissectors.clusters.drlc import Criticality, EventControl, EventStatus
from dissectors.layer import Record, encode
from dissectors.mac import DataRequest
from harness.crypto import ecdsa
from harness.stack.demand_response_events import TRANSITIONS, State, Step
from harness.stack.esi import EsiSettings
from harness.stack.han_device import DEVICES, HanDeviceSettings
from harness.stack.happenings import ApplicationDone, DeviceProvisioned
from harness.stack.network_time import DAY, NetworkTime
from harness.stack.policy import Policy
from harness.stack.programme import Programme
from harness.tests.home_network import CHANNEL, LINK_KEY, LOAD, PCT, Home, credentials, utc
from harness.values import DeviceType

HVAC = 0x0001
POOL_PUMP = 0x0008


def _home(policy: Policy | None = None, sleepy: bool = False, seed: int = 1) -> Home:
    """A thermostat in service at an ESI with nothing on offer, whose air is not filled with link status."""
    home = Home(seed=seed)
    esi = home.esi(Policy(sends_link_status=False), programme=Programme())
    device = home.device(policy, settings=HanDeviceSettings(channels=(CHANNEL,), sleepy=sleepy))
    esi.open_window(PCT, LINK_KEY, 600.0, home.now)
    device.start_joining(home.now)
    assert home.run(90.0, lambda: any(home.happened(ApplicationDone)))
    home.run(5.0)
    return home


def _publish(home: Home, offer: Record, seconds: float = 2.0) -> None:
    home.portal.publish(offer, home.now)
    home.run(seconds)


def _event(home: Home, event: int = 1, start: float = 60.0, **changes: object) -> Record:
    """An event for our thermostat that begins `start` seconds from now (0: at once) and lasts a minute."""
    fields: dict[str, object] = {
        "issuer_event_id": event, "device_class": HVAC, "start_time": utc(home.now + start) if start else 0,
        "duration_in_minutes": 1, "criticality_level": Criticality.LEVEL_2, "duty_cycle": 50,
    }
    return drlc.LoadControlEvent.of(**{**fields, **changes})


def _reports(home: Home, event: int = 1) -> list[EventStatus]:
    return [
        EventStatus(record.event_status) for record in home.find(drlc.ReportEventStatus, "device")
        if record.issuer_event_id == event
    ]


# -- the whole way, for each kind of device


@pytest.mark.parametrize(("kind", "sleepy"), list(product(DeviceType, (False, True))))
def test_every_device_gets_into_service_and_every_frame_decodes(kind: DeviceType, sleepy: bool) -> None:
    home = Home()
    esi = home.esi()
    device = home.device(kind=kind, settings=HanDeviceSettings(channels=(CHANNEL,), sleepy=sleepy))
    esi.open_window(PCT, LINK_KEY, 600.0, home.now)
    device.start_joining(home.now)
    assert home.run(90.0, lambda: any(home.happened(ApplicationDone)))
    home.run(10.0)
    assert all(each.frame.malformed is None and each.frame.fcs == "ok" for each in home.heard())
    assert {outcome for each in home.heard() for outcome in vars(each.frame.security).values()} == {"ok", None}
    reads = home.find(zcl.ReadAttributes, "device")
    assert (time_cluster.TIME, time_cluster.TIME_STATUS) in [record.attributes for record in reads]
    assert home.find(drlc.GetScheduledEvents, "device")
    assert home.find(price.GetCurrentPrice, "device")
    assert bool(home.find(messaging.GetLastMessage, "device")) is (kind is DeviceType.PCT)
    bound = {record.cluster_id for record in home.find(zdp.BindReq, "device")}
    assert bound == {0x0700, 0x0701} | ({0x0703} if kind is DeviceType.PCT else set())


def test_two_devices_at_once_are_not_confused() -> None:
    home = Home()
    esi = home.esi()
    kinds = {PCT: DeviceType.PCT, LOAD: DeviceType.LOAD_CONTROL}
    for ieee, kind in kinds.items():
        esi.open_window(ieee, LINK_KEY, 600.0, home.now)
        home.device(ieee=ieee, kind=kind, name=kind.value).start_joining(home.now)
    assert home.run(120.0, lambda: len(list(home.happened(ApplicationDone))) == 2)
    provisioned = {happening.device: happening.short_address for happening in home.happened(DeviceProvisioned)}
    assert provisioned == {
        home.nodes[kind.value].ieee: home.nodes[kind.value].application.core.short_address for kind in kinds.values()
    }
    assert len(set(provisioned.values())) == 2


def test_no_endpoint_is_assumed() -> None:
    for endpoint in (1, 10, 240):
        home = Home()
        esi = home.esi(settings=EsiSettings(endpoint=endpoint))
        device = home.device(settings=HanDeviceSettings(endpoint=241 - endpoint, channels=(CHANNEL,)))
        esi.open_window(PCT, LINK_KEY, 600.0, home.now)
        device.start_joining(home.now)
        assert home.run(90.0, lambda: any(home.happened(ApplicationDone)))  # noqa: B023  # used up within the loop


def test_a_sleeping_device_polls_slowly_but_while_it_expects_something() -> None:
    home = _home(sleepy=True)
    since = home.now
    home.run(60.0)
    polls = [each.time for each in home.heard() if each.frame.find(DataRequest)]
    assert 7 <= len([time for time in polls if time > since]) <= 9
    joining = [after - before for before, after in pairwise(polls) if after < 5.0]
    assert max(joining) < 1.0


# -- time


def test_the_time_is_read_once_a_day() -> None:
    home = _home()
    home.run(1.5 * DAY, lambda: home.now > 1.2 * DAY)
    times = [each.time for each in home.heard() if each.sender == "device" and (
        (record := each.frame.find(zcl.ReadAttributes)) is not None and record.attributes[:1] == (0,)
        and each.frame.aps is not None and each.frame.aps.cluster == time_cluster.CLUSTER.identifier
    )]
    assert len(times) == 2
    assert times[1] - times[0] >= DAY


@pytest.mark.parametrize(("status", "time", "policy", "taken"), [
    (1, 1000, Policy(), True), (2, 1000, Policy(), True), (0, 1000, Policy(), False), (4, 1000, Policy(), False),
    (1, time_cluster.INVALID_TIME, Policy(), False), (0, 1000, Policy(uses_unsynchronised_time=True), True),
])
def test_which_time_is_taken(status: int, time: int, policy: Policy, taken: bool) -> None:
    clock = NetworkTime(policy)
    assert clock.take({time_cluster.TIME: time, time_cluster.TIME_STATUS: status}, 10.0) is taken
    assert clock.utc(12.5) == (time + 2 if taken else None)
    assert clock.instant(time) == (10.0 if taken else None)


# -- load control events


def test_every_state_of_an_event_has_an_entry_for_every_step() -> None:
    assert set(TRANSITIONS) == set(product(State, Step))


@pytest.mark.parametrize("step", list(Step))
def test_what_has_ended_stays_ended(step: Step) -> None:
    assert TRANSITIONS[State.ENDED, step] == (State.ENDED, None)


@pytest.fixture(scope="module")
def running() -> Home:
    """One for many tests: the events of each have ids of their own."""
    return _home()


def test_an_event_is_reported_received_started_completed(running: Home) -> None:
    event = _event(running)
    _publish(running, event, 200.0)
    reports = running.find(drlc.ReportEventStatus, "device")
    assert _reports(running) == [EventStatus.COMMAND_RECEIVED, EventStatus.STARTED, EventStatus.COMPLETED]
    assert reports[1].event_status_time - event.start_time in (0, 1)
    assert reports[2].event_status_time - event.start_time in (60, 61)
    assert {report.duty_cycle_applied for report in reports} == {50}


def test_the_report_is_signed_by_the_device(running: Home) -> None:
    report = running.find(drlc.ReportEventStatus, "device")[0]
    own = credentials(PCT)
    assert ecdsa.verify(own.public_key, encode(report)[: -drlc.SIGNATURE_SIZE], report.signature)
    assert not ecdsa.verify(own.public_key, encode(report)[: -drlc.SIGNATURE_SIZE - 1], report.signature)


@pytest.mark.parametrize(("event", "changes", "expected"), [
    (10, {"device_class": POOL_PUMP}, []),
    (11, {"utility_enrollment_group": 7}, []),
    (12, {"duration_in_minutes": 1441}, [EventStatus.REJECTED]),
    (13, {"criticality_level": 0}, [EventStatus.REJECTED]),
    (14, {"criticality_level": 16}, [EventStatus.REJECTED]),
    (15, {"start_time": drlc.NEVER}, [EventStatus.REJECTED]),
    (16, {"start_time": 1}, [EventStatus.REJECTED_EXPIRED]),
    (17, {"start_time": 0}, [EventStatus.COMMAND_RECEIVED, EventStatus.STARTED]),
])
def test_what_an_event_draws_at_once(running: Home, event: int, changes: dict[str, int], expected: list[EventStatus]) -> None:
    _publish(running, _event(running, event, **changes))
    assert _reports(running, event) == expected
    running.run(90.0)


def test_a_duplicate_is_not_reported_again(running: Home) -> None:
    event = _event(running, 20)
    _publish(running, event)
    _publish(running, event)
    assert _reports(running, 20) == [EventStatus.COMMAND_RECEIVED]
    running.run(200.0)
    assert _reports(running, 20)[1:] == [EventStatus.STARTED, EventStatus.COMPLETED]


def _cancel(home: Home, event: int, **changes: object) -> None:
    command = drlc.CancelLoadControlEvent.of(**{"issuer_event_id": event, "device_class": HVAC, **changes})
    home.portal.send_to_bound(drlc.CLUSTER.identifier, command, home.now)
    home.run(2.0)


def test_an_event_is_cancelled(running: Home) -> None:
    _publish(running, _event(running, 30))
    _cancel(running, 30)
    assert _reports(running, 30) == [EventStatus.COMMAND_RECEIVED, EventStatus.CANCELLED]
    running.run(200.0)
    assert len(_reports(running, 30)) == 2
    _cancel(running, 30)
    assert _reports(running, 30)[-1] is EventStatus.REJECTED_UNDEFINED_EVENT


def test_a_cancel_that_makes_no_sense_is_rejected(running: Home) -> None:
    _cancel(running, 31)
    assert _reports(running, 31) == [EventStatus.REJECTED_UNDEFINED_EVENT]
    _publish(running, _event(running, 32))
    _cancel(running, 32, effective_time=utc(running.now + 5000))
    assert _reports(running, 32) == [EventStatus.COMMAND_RECEIVED, EventStatus.REJECTED_INVALID_CANCEL_TIME]
    command = drlc.CancelAllLoadControlEvents.of()
    running.portal.send_to_bound(drlc.CLUSTER.identifier, command, running.now)
    running.run(2.0)
    assert _reports(running, 32)[-1] is EventStatus.CANCELLED


def test_a_newer_event_supersedes_one_that_has_not_begun_at_once(running: Home) -> None:
    _publish(running, _event(running, 40))
    _publish(running, _event(running, 41))
    assert _reports(running, 40) == [EventStatus.COMMAND_RECEIVED, EventStatus.SUPERSEDED]
    running.run(200.0)
    assert _reports(running, 41)[-1] is EventStatus.COMPLETED


def test_a_running_event_is_superseded_a_second_before_the_newer_one_starts(running: Home) -> None:
    _publish(running, _event(running, 42, start=0, duration_in_minutes=10))
    newer = _event(running, 43, start=30)
    _publish(running, newer)
    assert _reports(running, 42) == [EventStatus.COMMAND_RECEIVED, EventStatus.STARTED]
    running.run(200.0)
    last = [record for record in running.find(drlc.ReportEventStatus, "device") if record.issuer_event_id == 42][-1]
    assert last.event_status == EventStatus.SUPERSEDED
    assert newer.start_time - last.event_status_time in (0, 1)


def test_an_opt_out_before_the_start_is_reported_at_the_start(running: Home) -> None:
    _publish(running, _event(running, 50))
    running.joiner.opt(50, True, running.now)
    running.run(2.0)
    assert _reports(running, 50) == [EventStatus.COMMAND_RECEIVED]
    running.run(200.0)
    assert _reports(running, 50)[1:] == [EventStatus.OPT_OUT, EventStatus.COMPLETED_WITHOUT_PARTICIPATION]


def test_a_user_leaves_and_comes_back_but_not_from_a_mandatory_event(running: Home) -> None:
    _publish(running, _event(running, 51, start=0))
    for out in (True, False):
        running.joiner.opt(51, out, running.now)
        running.run(1.0)
    running.run(90.0)
    assert _reports(running, 51)[2:] == [
        EventStatus.OPT_OUT, EventStatus.OPT_IN, EventStatus.PARTIALLY_COMPLETED_WITH_OPT_IN,
    ]
    _publish(running, _event(running, 52, start=0, criticality_level=Criticality.EMERGENCY))
    running.joiner.opt(52, True, running.now)
    running.run(90.0)
    assert _reports(running, 52)[1:] == [EventStatus.STARTED, EventStatus.COMPLETED]


def test_randomisation_stays_inside_its_limits_and_is_not_always_the_same() -> None:
    delays = []
    for seed in range(4):
        home = _home(seed=seed)
        device = home.joiner
        device.demand_response.enrolment.start_randomize = 2
        event = _event(home, event_control=EventControl.RANDOMIZE_START)
        _publish(home, event)
        delays.append(device.demand_response.events[1].start - device.time.instant(event.start_time))  # type: ignore[operator]
    assert all(0 <= delay <= 120 for delay in delays)
    assert len(set(delays)) > 1


@pytest.mark.parametrize("policy", [
    Policy(honours_device_class=False), Policy(ignores_duplicate_event=False), Policy(checks_event_limits=False),
    Policy(honours_event_cancel=False), Policy(honours_superseding=False), Policy(delays_opt_out=False),
    Policy(signs_event_status=False), Policy(accepts_longer_price=False), Policy(reads_time_once_a_day=False),
], ids=lambda policy: next(name for name, value in vars(policy).items() if value != getattr(Policy(), name)))
def test_a_device_with_a_defect_shows_it(policy: Policy) -> None:
    assert _conduct(policy) != _conduct(Policy())


@cache
def _conduct(policy: Policy) -> object:
    """What a device reports, believes and asks when it is shown everything that a defect could get wrong."""
    home = _home(policy)
    for offer in (
        _event(home, 1), _event(home, 1), _event(home, 2, start=90), _event(home, 3, device_class=POOL_PUMP),
        _event(home, 4, duration_in_minutes=2000),
        price.PublishPrice.of(
            issuer_event_id=5, alternate_cost_delivered=1, alternate_cost_unit=1, alternate_cost_trailing_digit=0,
            number_of_block_thresholds=1, price_control=0,
        ),
    ):
        _publish(home, offer)
    home.joiner.opt(2, True, home.now)
    _cancel(home, 2)
    home.run(1000.0)
    reports = [
        (record.issuer_event_id, record.event_status, record.signature_type) for record in home.find(drlc.ReportEventStatus)
    ]
    return reports, sorted(home.joiner.prices.prices), len(home.find(zcl.ReadAttributes, "device"))


# -- price, messages, long frames


def test_a_price_of_a_later_revision_is_taken(running: Home) -> None:
    _publish(running, price.PublishPrice.of(
        issuer_event_id=9, price=77, alternate_cost_delivered=1, alternate_cost_unit=1, alternate_cost_trailing_digit=0,
        number_of_block_thresholds=1, price_control=0,
    ))
    assert running.joiner.prices.prices[9].price == 77


def _message(message: int, text: bytes = b"HELLO", **changes: object) -> Record:
    return messaging.DisplayMessage.of(message_id=message, message=text, start_time=0, **changes)


def test_a_message_is_confirmed_where_that_is_asked_for_and_once(running: Home) -> None:
    _publish(running, _message(1))
    assert not running.find(messaging.MessageConfirmation)
    _publish(running, _message(2, confirmation_required=1), 3.0)
    _publish(running, _message(2, confirmation_required=1), 3.0)
    confirmations = running.find(messaging.MessageConfirmation)
    assert [record.message_id for record in confirmations] == [2]
    assert confirmations[0].confirmation_time > 0


def test_a_new_message_takes_the_place_of_the_old_one_until_it_is_over(running: Home) -> None:
    _publish(running, _message(3))
    _publish(running, _message(4, duration_in_minutes=1))
    shown = running.joiner.messages.shown
    assert shown is not None
    assert shown.message_id == 4
    running.run(70.0)
    assert running.joiner.messages.shown is None


def test_a_cancelled_message_disappears(running: Home) -> None:
    _publish(running, _message(5))
    command = messaging.CancelMessage.of(message_id=5)
    running.portal.send_to_bound(messaging.CLUSTER.identifier, command, running.now)
    running.run(2.0)
    assert running.joiner.messages.shown is None


def test_a_long_message_comes_in_fragments_and_too_long_a_one_not_at_all(running: Home) -> None:
    _publish(running, _message(6, b"x" * 100), 5.0)
    assert running.joiner.messages.shown == running.portal.programme.messages[-1]
    _publish(running, _message(7, b"x" * 200), 5.0)
    shown = running.joiner.messages.shown
    assert shown is not None
    assert shown.message_id == 6


def test_nothing_on_offer_is_answered_with_not_found() -> None:
    home = _home()
    statuses = [(record.command, record.status) for record in home.find(zcl.DefaultResponse, "esi")]
    assert statuses.count((0, zcl.Status.NOT_FOUND)) == 2  # Get Current Price, Get Last Message
    assert statuses.count((1, zcl.Status.NOT_FOUND)) == 1  # Get Scheduled Events
    assert set(DEVICES) == set(DeviceType)
