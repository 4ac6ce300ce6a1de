"""Steps 1 to 4 and 10 to 14 through all virtual actors: the undisturbed run, and the disturbances of wires and orders."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from harness.actors.reports import Logged, StateChanged, Unanswered
from harness.backhaul import faults
from harness.backhaul.message import LegKind, LegState, Obstacle
from harness.cim import end_device_controls, end_device_events, master_data_linkage_config
from harness.cim.check import check_message
from harness.cim.envelope import CimMessage, Kind
from harness.cim.instant import instant_of
from harness.errors import LocalProtocolError
from harness.ports import Message
from harness.tests.back_office import EPOCH, INSTALL_CODE, ORDER, BackOffice, Planted
from harness.usecase import Actor
from harness.values import DeviceType, Eui64

DR, HE, NET, NIC, ESI, CIS, ODS = (
    Actor.DR_APPLICATION, Actor.AMI_HEAD_END, Actor.AMI_NETWORK, Actor.NIC, Actor.ESI, Actor.CIS, Actor.ODS,
)
MDL = master_data_linkage_config.NOUN
OUTBOUND = ("2", "3", "4")
INBOUND = ("10", "11", "12")


def codes(message: CimMessage) -> list[str]:
    """The result and codes of a reply."""
    assert message.reply is not None
    return [message.reply.result or "", *(error.code for error in message.reply.errors)]


def events(office: BackOffice, receiver: Actor) -> list[str]:
    """The codes and reasons of the events that the head-end sent to a receiver."""
    return [
        f"{event.code} {event.reason}".strip()
        for message in office.cim(HE, receiver, end_device_events.NOUN) if message.payload is not None
        for event in end_device_events.read(message.payload)
    ]


@pytest.fixture(scope="module")
def undisturbed() -> BackOffice:
    office = BackOffice()
    office.provision()
    return office


# -- the undisturbed run


def test_the_order_arrives_unaltered_on_every_leg(undisturbed: BackOffice) -> None:
    for number in OUTBOUND:
        (leg,) = undisturbed.legs(number)
        assert (leg.kind, leg.meter, leg.device) == (LegKind.OPEN_WINDOW, ORDER.meter, ORDER.device)
        assert (leg.device_type, leg.key_form, leg.key_material) == (DeviceType.PCT, "install_code", INSTALL_CODE)
        assert leg.end == EPOCH + timedelta(seconds=ORDER.end)
        assert leg.missing == ()


def test_each_leg_says_the_window_that_is_left(undisturbed: BackOffice) -> None:
    lefts = [leg.window_left for number in OUTBOUND for leg in undisturbed.legs(number)]
    assert lefts == [600.0, 599.5, 597.5]


def test_the_state_comes_back_unaltered_on_every_leg(undisturbed: BackOffice) -> None:
    for number in INBOUND:
        opened, provisioned = undisturbed.legs(number)
        assert (opened.kind, opened.state) == (LegKind.WINDOW_STATE, LegState.OPENED)
        assert (provisioned.kind, provisioned.state) == (LegKind.STATE, LegState.PROVISIONED)
        assert (provisioned.meter, provisioned.device, provisioned.key_material) == (ORDER.meter, ORDER.device, None)


def test_one_correlation_from_step_1_to_step_14(undisturbed: BackOffice) -> None:
    (step_1,) = undisturbed.cim(DR, HE, end_device_controls.NOUN)
    (step_13,) = undisturbed.cim(HE, DR, MDL)
    (step_14,) = undisturbed.cim(DR, CIS, MDL)
    assert step_1.correlation_id == step_13.correlation_id == step_14.correlation_id is not None
    assert len({message.message_id for message in (step_1, step_13, step_14)}) == 3


def test_step_13_and_14_link_the_device(undisturbed: BackOffice) -> None:
    (step_13,), (step_14,) = undisturbed.cim(HE, DR, MDL), undisturbed.cim(DR, CIS, MDL)
    first, second = (
        master_data_linkage_config.read(each.payload) for each in (step_13, step_14) if each.payload is not None
    )
    assert (first.device, first.meter, first.status, first.premise) == (ORDER.device, ORDER.meter, "Joined", None)
    assert first.effective == EPOCH + timedelta(seconds=95)
    assert (second.device, second.meter, second.premise) == (ORDER.device, ORDER.meter, ORDER.premise)
    assert (second.agreement, second.effective) == ("DR-123456789", first.effective)
    assert step_14.header is not None
    assert instant_of(step_14.header.timestamp) == second.created >= first.created > first.effective


def test_the_postconditions_hold(undisturbed: BackOffice) -> None:
    assert undisturbed[DR].state_of(ORDER.device) == "joined"
    assert undisturbed[CIS].devices_at(ORDER.premise) == (ORDER.device,)
    assert undisturbed[CIS].devices_at("elsewhere") == ()


def test_cis_and_ods_hear_of_window_and_pairing(undisturbed: BackOffice) -> None:
    assert events(undisturbed, CIS) == events(undisturbed, ODS) == ["7.10.73.39", "19.10.0.58"]
    assert undisturbed[ODS].events_held() == ("7.10.73.39", "19.10.0.58")


def test_the_meter_is_registered_by_the_cis(undisturbed: BackOffice) -> None:
    (registered,) = undisturbed.cim(CIS, HE)
    assert (registered.verb, registered.noun) == ("create", "MeterConfig")
    assert [codes(reply) for reply in undisturbed.cim(HE, CIS, "MeterConfig")] == [["OK", "0.0"]]
    assert undisturbed[HE].knows_meter(ORDER.meter)


def test_every_request_is_answered_once_and_every_message_is_right(undisturbed: BackOffice) -> None:
    parties = (DR, HE, CIS, ODS)
    messages = [message for producer in parties for receiver in parties for message in undisturbed.cim(producer, receiver)]
    requests = [message for message in messages if message.kind is Kind.REQUEST]
    replies = [message for message in messages if message.kind is Kind.RESPONSE]
    assert sorted(message.correlation_id or "" for message in requests) == sorted(each.correlation_id or "" for each in replies)
    assert len({message.message_id for message in messages}) == len(messages) == 12
    assert [found for message in messages for found in check_message(message.octets, undisturbed.instant())] == []


def test_the_key_travels_in_the_key_element_and_on_the_outbound_legs_alone(undisturbed: BackOffice) -> None:
    digits = INSTALL_CODE.hex().encode()
    messages = [seen.message for seen in undisturbed.seen]
    with_key = [each for each in messages if digits in each.octets or INSTALL_CODE in each.octets]
    assert [(message.producer, message.receiver) for message in with_key] == [(DR, HE), (HE, NET), (NET, NIC), (NIC, ESI)]
    logs = [event.text for _, event in undisturbed.happened if isinstance(event, Logged)]
    assert logs
    assert not any(INSTALL_CODE.hex() in line or str(INSTALL_CODE) in line for line in logs)


def test_two_runs_are_identical(undisturbed: BackOffice) -> None:
    again = BackOffice()
    again.provision()
    assert again.seen == undisturbed.seen


def test_states_are_reported_as_they_change(undisturbed: BackOffice) -> None:
    changes = [(actor, event.state) for actor, event in undisturbed.happened if isinstance(event, StateChanged)]
    assert [state for actor, state in changes if actor is DR] == ["ordered", "accepted", "joined"]
    assert [state for actor, state in changes if actor is HE] == ["forwarded", "open", "provisioned"]


# -- orders


def test_nothing_is_forwarded_before_the_window_begins() -> None:
    office = BackOffice()
    office[DR].order_window(ORDER, 0.0)
    office.run(59.9)
    assert office.legs("2") == []
    office.run(60.0)
    assert len(office.legs("2")) == 1


def test_the_same_order_again_opens_one_window_and_gets_the_same_answer() -> None:
    office = BackOffice()
    office[DR].order_window(ORDER, 0.0)
    with office.wires.suffering(faults.duplicate(faults.between(DR, HE), after=5.0)):
        office.run(70.0)
    answers = [message for message in office.cim(HE, DR) if message.kind is Kind.RESPONSE]
    assert len(answers) == 2
    assert answers[0].octets == answers[1].octets
    assert len(office.legs("2")) == 1


@pytest.mark.parametrize(("at", "legs"), [(30.0, []), (100.0, [LegKind.OPEN_WINDOW, LegKind.CANCEL_WINDOW])])
def test_a_window_is_withdrawn_before_or_while_it_is_open(at: float, legs: list[LegKind]) -> None:
    office = BackOffice()
    office[DR].order_window(ORDER, 0.0)
    office.run(at)
    office[DR].cancel_window(ORDER, office.now)
    office.run(at + 10.0)
    assert [leg.kind for _, leg in office.at_esi] == legs
    assert office[DR].state_of(ORDER.device) == "cancelled"
    for _, leg in office.at_esi[1:]:
        office.report(leg.window_closed(office.instant(), "cancelled"))
        office.report(leg.failed(office.instant(), "cancelled"))
    office.run(2000.0)
    assert events(office, DR) == []
    assert events(office, CIS) == ["7.10.73.16 cancelled"] * bool(legs)


def test_a_window_that_nobody_ordered_cannot_be_withdrawn() -> None:
    office = BackOffice()
    office[DR].cancel_window(ORDER, 0.0)
    office.run(5.0)
    assert [codes(reply) for reply in office.cim(HE, DR)] == [["FAILED", "5.2"]]


@pytest.mark.parametrize(("change", "reply"), [
    ({"key_material": INSTALL_CODE[:-1] + b"\x00"}, ["FAILED", "HAN-KEY"]),
    ({"key_material": INSTALL_CODE[:-2] + INSTALL_CODE[:-3:-1]}, ["FAILED", "HAN-KEY"]),
    ({"key_material": INSTALL_CODE[:-1]}, ["FAILED", "HAN-KEY"]),
    ({"key_material": b""}, ["FAILED", "1.7"]),
    ({"meter": "METER-9999"}, ["FAILED", "2.4"]),
    ({"duration": 0.0}, ["FAILED", "HAN-WINDOW"]),
    ({"start": -700.0}, ["FAILED", "HAN-WINDOW"]),
    ({"key_material": bytes(16), "key_form": "link_key"}, ["OK", "0.0"]),
    ({"device_type": DeviceType.LOAD_CONTROL}, ["OK", "0.0"]),
])
def test_what_an_order_says_is_judged(change: dict[str, Any], reply: list[str]) -> None:
    office = BackOffice()
    office[DR].order_window(replace(ORDER, **change), 0.0)
    office.run(70.0)
    assert [codes(message) for message in office.cim(HE, DR)] == [reply]
    assert bool(office.legs("2")) == (reply[0] == "OK")
    assert office[DR].state_of(ORDER.device) == ("accepted" if reply[0] == "OK" else "refused")


def test_a_link_key_is_refused_where_install_codes_are_agreed() -> None:
    office = BackOffice({HE: Planted(options={"key_form": "install_code"})})
    office[DR].order_window(replace(ORDER, key_material=bytes(16), key_form="link_key"), 0.0)
    office.run(1.0)
    assert [codes(message) for message in office.cim(HE, DR)] == [["FAILED", "HAN-KEY"]]


def test_a_device_that_was_never_imported_cannot_be_ordered() -> None:
    with pytest.raises(LocalProtocolError, match="never imported"):
        BackOffice()[DR].order_window(replace(ORDER, device=Eui64(1)), 0.0)


def test_two_devices_are_not_confused() -> None:
    other = replace(ORDER, device=Eui64(0x0013500500A1B2C4), device_type=DeviceType.LOAD_CONTROL)
    office = BackOffice(orders=(ORDER, other))
    legs = [office.order(ORDER), office.order(other)]
    office.report(legs[1].provisioned(office.instant()))
    office.report(legs[0].failed(office.instant(), "never_seen"))
    office.run(100.0)
    assert office[DR].state_of(ORDER.device) == "failed"
    assert office[DR].state_of(other.device) == "joined"
    assert office[CIS].devices_at(ORDER.premise) == (other.device,)
    assert events(office, ODS) == ["16.10.0.58", "19.10.0.85 never_seen"]


def test_a_device_can_be_provisioned_again() -> None:
    office = BackOffice()
    office.provision()
    office.provision(replace(ORDER, start=office.now + 10.0))
    assert office[DR].state_of(ORDER.device) == "joined"
    assert [codes(message) for message in office.cim(CIS, DR)] == [["OK", "0.0"]] * 2
    assert office[CIS].devices_at(ORDER.premise) == (ORDER.device,)
    assert len(office[CIS].linkages) == 2


# -- failures


def test_a_failed_provisioning_makes_no_linkage() -> None:
    office = BackOffice()
    office.report(office.order().failed(office.instant(), "key_establishment"))
    office.run(100.0)
    assert office.cim(HE, DR, MDL) == office.cim(DR, CIS) == []
    assert events(office, DR) == events(office, CIS) == events(office, ODS) == ["19.10.0.85 key_establishment"]
    assert office[DR].state_of(ORDER.device) == "failed"


def test_a_window_of_which_nobody_reports_has_failed() -> None:
    office = BackOffice()
    office.order()
    office.run(ORDER.end + 179.0)
    assert events(office, DR) == []
    office.run(ORDER.end + 181.0)
    assert events(office, DR) == ["19.10.0.85 no_report"]


@pytest.mark.parametrize(("actor", "options", "number", "reason"), [
    (NET, {"meters": ["METER-0002"]}, "12", Obstacle.NO_ROUTE), (NIC, {"meter": "METER-0002"}, "11", Obstacle.WRONG_METER),
])
def test_what_cannot_be_delivered_is_reported_back(actor: Actor, options: dict[str, object], number: str, reason: str) -> None:
    office = BackOffice({actor: Planted(options=options)})
    office[DR].order_window(ORDER, 0.0)
    office.run(70.0)
    assert office.at_esi == []
    assert [(leg.kind, leg.reason) for leg in office.legs(number)] == [(LegKind.UNDELIVERABLE, reason)]
    assert events(office, DR) == [f"19.10.0.85 {reason}"]
    assert office[DR].state_of(ORDER.device) == "failed"


@pytest.mark.parametrize(("duration", "number"), [(0.4, "12"), (2.4, "11")])
def test_a_window_that_is_over_on_its_way_is_not_opened(duration: float, number: str) -> None:
    office = BackOffice()
    office[DR].order_window(replace(ORDER, duration=duration), 0.0)
    office.run(80.0)
    assert office.at_esi == []
    assert [leg.reason for leg in office.legs(number)] == [Obstacle.EXPIRED]
    assert events(office, ODS) == ["19.10.0.85 expired"]


def test_a_late_registration_after_a_failure_is_still_told() -> None:
    office = BackOffice()
    leg = office.order()
    office.report(leg.failed(office.instant(), "never_seen"))
    office.run(80.0)
    office.report(leg.provisioned(office.instant()))
    office.run(90.0)
    assert office[DR].state_of(ORDER.device) == "joined"


def test_a_repeated_report_makes_one_linkage() -> None:
    office = BackOffice()
    leg = office.order()
    with office.wires.suffering(faults.duplicate(faults.between(ESI, NIC)), faults.duplicate(faults.between(NET, HE))):
        office.report(leg.provisioned(office.instant()))
        office.run(100.0)
    assert len(office.legs("11")) == len(office.legs("12")) == len(office.cim(HE, DR, MDL)) == 1


@pytest.mark.parametrize("octets", [b"", b"noise", bytes(40)])
def test_unreadable_leg_messages_change_nothing(octets: bytes) -> None:
    office = BackOffice()
    leg = office.order()
    for producer, receiver in ((HE, NET), (NET, NIC), (ESI, NIC), (NIC, NET), (NET, HE)):
        office.wires.submit(Message("leg", producer, receiver, octets), office.now)
    office.report(leg.provisioned(office.instant()))
    office.run(100.0)
    assert office[DR].state_of(ORDER.device) == "joined"
    assert len([event for _, event in office.happened if isinstance(event, Logged) and "refused from" in event.text]) == 5


def test_an_order_does_not_come_from_below() -> None:
    office = BackOffice()
    leg = office.order()
    office.report(leg)
    office.run(100.0)
    assert office.legs("11") == []


# -- lost messages on the CIM bus


@pytest.mark.parametrize(("producer", "receiver", "noun"), [
    (HE, DR, end_device_controls.NOUN), (DR, HE, end_device_controls.NOUN), (DR, HE, MDL), (CIS, DR, MDL), (DR, CIS, MDL),
])
def test_a_lost_message_is_made_good_by_asking_again(producer: Actor, receiver: Actor, noun: str) -> None:
    office = BackOffice()
    root = f"{noun}".encode()
    with office.wires.suffering(faults.drop(
        lambda message: (message.producer, message.receiver) == (producer, receiver) and root in message.octets,
    )):
        office.provision()
    office.run(200.0)
    assert [fate.fate for fate in office.seen].count("lost") == 1
    assert office[DR].state_of(ORDER.device) == "joined"
    assert office[CIS].devices_at(ORDER.premise) == (ORDER.device,)
    assert len(office[CIS].linkages) == 1
    assert len(office.legs("2")) == 1
    requests = [
        message for ends in ((DR, HE), (HE, DR), (DR, CIS)) for message in office.cim(*ends) if message.kind is Kind.REQUEST
    ]
    assert len(requests) == 4
    assert len({message.octets for message in requests}) == 3


def test_a_request_that_nobody_answers_is_given_up() -> None:
    office = BackOffice()
    with office.wires.suffering(faults.drop(faults.between(HE, DR), times=None)):
        office[DR].order_window(ORDER, 0.0)
        office.run(40.0)
    assert len(office.cim(DR, HE)) == 3
    assert office[DR].state_of(ORDER.device) == "unanswered"
    assert [event.noun for actor, event in office.happened if actor is DR and isinstance(event, Unanswered)] == [
        end_device_controls.NOUN,
    ]
