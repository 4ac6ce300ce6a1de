"""Each decision of the back office's policy shows when it is another; rewrites reach the wire; tables of states are whole."""

from __future__ import annotations

import random
from collections.abc import Callable
from copy import deepcopy
from dataclasses import fields, replace
from datetime import timedelta
from typing import Any

import pytest
from lxml import etree

from harness.actors.ami_network import AmiNetwork
from harness.actors.cis import Cis
from harness.actors.dr_application import DrApplication
from harness.actors.head_end import HeadEnd
from harness.actors.nic import Nic
from harness.actors.ods import Ods
from harness.actors.reports import Logged
from harness.actors.setup import Setup
from harness.adapters import virtual_ami_head_end, virtual_dr_application
from harness.adapters.back_office_policy import BackOfficePolicy, on_cim, on_leg, policy_of
from harness.adapters.virtual_ami_head_end import VirtualAmiHeadEnd
from harness.adapters.virtual_ami_network import VirtualAmiNetwork
from harness.adapters.virtual_cis import VirtualCis
from harness.adapters.virtual_dr_application import VirtualDrApplication
from harness.adapters.virtual_nic import VirtualNic
from harness.adapters.virtual_ods import VirtualOds
from harness.backhaul import faults
from harness.backhaul.message import LegKind, LegMessage, LegState
from harness.cim import end_device_controls, end_device_events, master_data_linkage_config
from harness.cim.tree import child
from harness.errors import LocalProtocolError
from harness.ports import Message
from harness.tests.back_office import EPOCH, INSTALL_CODE, ORDER, BackOffice, Planted
from harness.usecase import Actor
from harness.values import Eui64

DR, HE, NET, NIC, ESI, CIS, ODS = (
    Actor.DR_APPLICATION, Actor.AMI_HEAD_END, Actor.AMI_NETWORK, Actor.NIC, Actor.ESI, Actor.CIS, Actor.ODS,
)
CONTROLS, MDL, EVENTS = end_device_controls.NOUN, master_data_linkage_config.NOUN, end_device_events.NOUN


def office(actor: Actor, *rewrites: Callable[[Any], Any], **decisions: Any) -> BackOffice:
    """A back office in which one actor decides otherwise."""
    return BackOffice({actor: Planted(decisions, rewrites)})


def provisioned(actor: Actor, *rewrites: Callable[[Any], Any], **decisions: Any) -> BackOffice:
    """The same after a whole run."""
    made = office(actor, *rewrites, **decisions)
    made.provision()
    return made


def replies(made: BackOffice, producer: Actor, receiver: Actor) -> list[str]:
    """The codes of the replies from one actor to another."""
    return [
        error.code for message in made.cim(producer, receiver) if message.reply is not None for error in message.reply.errors
    ]


def with_noise(*noise: bytes) -> BackOffice:
    """A back office into which octets have been sent, from the DR Application to the head-end, 2 s apart."""
    made = BackOffice()
    for octets in noise:
        made.wires.submit(Message("cim", DR, HE, octets), made.now)
        made.run(made.now + 2.0)
    return made


# -- decisions


@pytest.mark.parametrize("decision", [field.name for field in fields(BackOfficePolicy) if field.name != "rewrites"])
def test_every_decision_can_be_planted(decision: str) -> None:
    right = getattr(BackOfficePolicy(), decision)
    other = 5.0 if isinstance(right, float) else not right
    setup = Setup(DR, (), EPOCH, random.Random(1), policy={decision: other})
    assert getattr(policy_of(setup), decision) == other


def test_an_unknown_decision_is_our_fault() -> None:
    with pytest.raises(LocalProtocolError, match="no policy decides fishes"):
        policy_of(Setup(DR, (), EPOCH, random.Random(1), policy={"fishes": True}))


def test_silent_head_end() -> None:
    made = office(HE, replies=False)
    made.order()
    assert made.cim(HE, DR) == []


def test_silent_cis_is_asked_three_times() -> None:
    made = provisioned(CIS, replies=False)
    made.run(200.0)
    assert len(made.cim(DR, CIS)) == 3
    assert len({message.octets for message in made.cim(DR, CIS)}) == 1
    assert made[CIS].devices_at(ORDER.premise) == (ORDER.device,)


def test_impatient_dr_application() -> None:
    made = office(DR, retries=False)
    with made.wires.suffering(faults.drop(faults.between(DR, CIS))):
        made.provision()
    made.run(200.0)
    assert len(made.cim(DR, CIS)) == 1


def test_dr_application_with_a_new_id_for_each_attempt() -> None:
    made = office(DR, keeps_message_id=False)
    with made.wires.suffering(faults.drop(faults.between(DR, CIS))):
        made.provision()
    made.run(200.0)
    first, second = made.cim(DR, CIS)
    assert first.message_id != second.message_id
    assert first.correlation_id == second.correlation_id


def test_head_end_without_memory() -> None:
    made = office(HE, recognises_repeats=False)
    with made.wires.suffering(faults.duplicate(faults.between(DR, HE), after=5.0)):
        made[DR].order_window(replace(ORDER, start=0.0), 0.0)
        made.run(20.0)
    assert len(made.legs("2")) == 2


def test_head_end_that_believes_everything() -> None:
    (good,) = [message for message in provisioned(DR).cim(DR, HE) if message.noun == CONTROLS]
    capitalised = good.octets.replace(b">create<", b">Create<")
    for decisions, legs in (({}, 0), ({"validates": False}, 1)):
        made = office(HE, **decisions)
        made.wires.submit(Message("cim", DR, HE, capitalised), 0.0)
        made.run(70.0)
        assert len(made.legs("2")) == legs


@pytest.mark.parametrize(("decision", "change", "legs"), [
    ("checks_meter", {"meter": "METER-9999"}, 1), ("checks_install_code", {"key_material": INSTALL_CODE[::-1]}, 1),
])
def test_head_end_that_does_not_look(decision: str, change: dict[str, Any], legs: int) -> None:
    made = office(HE, **{decision: False})
    made[DR].order_window(replace(ORDER, **change), 0.0)
    made.run(70.0)
    assert len(made.legs("2")) == legs


def test_head_end_that_ignores_a_withdrawal() -> None:
    made = office(HE, obeys_cancel=False)
    made.order()
    made[DR].cancel_window(ORDER, made.now)
    made.run(80.0)
    assert made.legs("2", LegKind.CANCEL_WINDOW) == []
    assert replies(made, HE, DR) == ["0.0", "0.0"]


def test_head_end_that_cannot_wait() -> None:
    made = office(HE, waits_for_start=False)
    made[DR].order_window(ORDER, 0.0)
    made.run(5.0)
    (leg,) = made.legs("2")
    assert leg.end == EPOCH + timedelta(seconds=ORDER.end)


def test_head_end_that_takes_failure_for_success() -> None:
    made = office(HE, tells_failure_apart=False)
    made.report(made.order().failed(made.instant(), "never_seen"))
    made.run(100.0)
    assert len(made.cim(HE, DR, MDL)) == 1
    assert made.cim(HE, DR, EVENTS) == []


def test_head_end_that_links_again_and_again() -> None:
    made = office(HE, links_once=False, drops_duplicates=False)
    leg = made.order()
    with made.wires.suffering(faults.duplicate(faults.between(NET, HE))):
        made.report(leg.provisioned(made.instant()))
        made.run(100.0)
    assert len({message.message_id for message in made.cim(HE, DR, MDL)}) == 2


@pytest.mark.parametrize(("decision", "silent", "told"), [("informs_ods", ODS, CIS), ("publishes_to_cis", CIS, ODS)])
def test_head_end_that_tells_only_one(decision: str, silent: Actor, told: Actor) -> None:
    made = provisioned(HE, **{decision: False})
    assert made.cim(HE, silent, EVENTS) == []
    assert len(made.cim(HE, told, EVENTS)) == 2


@pytest.mark.parametrize("actor", [NIC, NET, HE])
def test_who_reports_before_registration(actor: Actor) -> None:
    made = office(actor, awaits_registration=False)
    made.order()
    made.run(70.0)
    assert len(made.cim(HE, DR, MDL)) == 1
    assert made[DR].state_of(ORDER.device) == "joined"


@pytest.mark.parametrize(("actor", "number", "lefts"), [(HE, "2", [600.0]), (NET, "3", [600.0]), (NIC, "4", [599.5])])
def test_who_does_not_subtract_latency(actor: Actor, number: str, lefts: list[float]) -> None:
    made = office(actor, subtracts_latency=False)
    made.order()
    assert [leg.window_left for leg in made.legs(number)] == lefts


@pytest.mark.parametrize(("actor", "number", "duration"), [(NET, "3", 0.4), (NIC, "4", 2.4)])
def test_who_forwards_what_is_over(actor: Actor, number: str, duration: float) -> None:
    made = office(actor, drops_expired=False)
    made[DR].order_window(replace(ORDER, duration=duration), 0.0)
    made.run(70.0)
    assert [leg.window_left for leg in made.legs(number)] == [0.0]


def test_network_that_swallows_what_it_cannot_deliver() -> None:
    made = BackOffice({NET: Planted({"reports_undeliverable": False}, options={"meters": []})})
    made[DR].order_window(ORDER, 0.0)
    made.run(70.0)
    assert made.legs("12") == []
    assert made.at_esi == []


@pytest.mark.parametrize(("actor", "ends", "number"), [(NET, (HE, NET), "3"), (NIC, (NET, NIC), "4")])
def test_who_forwards_a_duplicate(actor: Actor, ends: tuple[Actor, Actor], number: str) -> None:
    made = office(actor, drops_duplicates=False)
    with made.wires.suffering(faults.duplicate(faults.between(*ends))):
        made.order()
    assert len(made.legs(number)) == 2


def test_slow_network() -> None:
    made = office(NET, forwarding_delay=100.0)
    made[DR].order_window(ORDER, 0.0)
    made.run(200.0)
    assert [(round(at, 3), leg.window_left) for at, leg in made.at_esi] == [(162.55, 497.5)]


@pytest.mark.parametrize("actor", [DR, HE, NET, NIC])
def test_who_logs_keys(actor: Actor) -> None:
    for decisions, logged in (({}, False), ({"logs_keys": True}, True)):
        made = office(actor, **decisions)
        made.order()
        lines = [event.text for who, event in made.happened if who is actor and isinstance(event, Logged)]
        assert lines
        assert any(INSTALL_CODE.hex() in line for line in lines) == logged


def test_hasty_dr_application() -> None:
    made = office(DR, awaits_linkage=False)
    made[DR].order_window(ORDER, 0.0)
    made.run(5.0)
    assert len(made.cim(DR, CIS, MDL)) == 1


@pytest.mark.parametrize(("actor", "decision", "state", "devices", "answer"), [
    (DR, "informs_cis", "joined", 0, "0.0"), (DR, "updates_state", "accepted", 1, "0.0"),
    (DR, "accepts_linkages", "accepted", 0, "5.2"), (CIS, "keeps_linkage", "joined", 0, "0.0"),
])
def test_who_forgets(actor: Actor, decision: str, state: str, devices: int, answer: str) -> None:
    made = provisioned(actor, **{decision: False})
    assert made[DR].state_of(ORDER.device) == state
    assert len(made[CIS].devices_at(ORDER.premise)) == devices
    assert replies(made, DR, HE) == [answer]


# -- rewrites


def set_text(*path: str, to: str) -> Callable[[etree._Element], etree._Element]:
    """A change of the text of one element."""

    def change(root: etree._Element) -> etree._Element:
        found = child(root, *path)
        assert found is not None
        found.text = to
        return root

    return change


def test_a_cim_rewrite_changes_one_document_and_no_other() -> None:
    made = provisioned(HE, on_cim(set_text("Header", "CorrelationID", to="broken"), f"Create{MDL}"))
    (step_13,), (step_14,) = made.cim(HE, DR, MDL), made.cim(DR, CIS, MDL)
    (step_1,) = made.cim(DR, HE, CONTROLS)
    assert step_13.correlation_id == "broken"
    assert step_14.correlation_id == step_1.correlation_id  # the DR Application goes by its own order
    made.run(300.0)
    assert len(made.cim(HE, DR, MDL)) == 1  # what really went out was answered


def test_a_cim_rewrite_may_send_two_or_nothing() -> None:
    def twice(root: etree._Element) -> tuple[etree._Element, ...]:
        return root, set_text("Header", "MessageID", to="another")(deepcopy(root))

    assert [message.message_id == "another" for message in provisioned(HE, on_cim(twice, f"Create{MDL}")).cim(HE, DR, MDL)] == [
        False, True,
    ]
    assert provisioned(HE, on_cim(lambda root: None, f"Create{MDL}")).cim(HE, DR, MDL) == []


@pytest.mark.parametrize(("actor", "number", "change", "field", "value"), [
    (HE, "2", {"device": Eui64(0xC3B2A10005501300)}, "device", Eui64(0xC3B2A10005501300)),
    (NET, "3", {"meter": "METER-0002"}, "meter", "METER-0002"),
    (NIC, "4", {"key_material": None}, "key_material", None),
])
def test_a_leg_rewrite_reaches_the_wire(actor: Actor, number: str, change: dict[str, Any], field: str, value: Any) -> None:
    made = office(actor, on_leg(lambda leg: replace(leg, **change), LegKind.OPEN_WINDOW))
    made[DR].order_window(ORDER, 0.0)
    made.run(70.0)
    assert [getattr(leg, field) for leg in made.legs(number)] == [value]


def test_a_leg_rewrite_leaves_other_kinds_alone() -> None:
    def as_provisioned(leg: LegMessage) -> LegMessage:
        return replace(leg, state=LegState.PROVISIONED)

    made = office(NIC, on_leg(as_provisioned, LegKind.STATE))
    leg = made.order()
    made.report(leg.window_opened(made.instant()))
    made.report(leg.failed(made.instant(), "never_seen"))
    made.run(100.0)
    assert [leg.state for leg in made.legs("11")] == [LegState.OPENED, LegState.PROVISIONED]
    assert made[DR].state_of(ORDER.device) == "joined"


def test_an_incomplete_order_is_not_passed_on() -> None:
    made = office(HE, on_leg(lambda leg: replace(leg, key_material=None)))
    made[DR].order_window(ORDER, 0.0)
    made.run(70.0)
    assert [leg.reason for leg in made.legs("12")] == ["incomplete"]


# -- tables of states


@pytest.mark.parametrize("machine", [virtual_ami_head_end, virtual_dr_application])
def test_every_state_with_every_event(machine: Any) -> None:
    for state in machine.State:
        for event in machine.Event:
            assert machine.TRANSITIONS.get((state, event), state) in machine.State
    reachable = set(machine.TRANSITIONS.values())
    assert set(machine.State) - reachable == {next(iter(machine.State))}  # only the first state is never entered
    assert {event for _, event in machine.TRANSITIONS} == set(machine.Event)


def test_the_adapters_fill_their_roles() -> None:
    setup = Setup(DR, (ORDER,), EPOCH, random.Random(1))
    dr: DrApplication = VirtualDrApplication(setup)
    head_end: HeadEnd = VirtualAmiHeadEnd(setup)
    network: AmiNetwork = VirtualAmiNetwork(setup)
    nic: Nic = VirtualNic(setup)
    cis: Cis = VirtualCis(setup)
    ods: Ods = VirtualOds(setup)
    assert (dr.state_of(ORDER.device), head_end.knows_meter(ORDER.meter)) == ("imported", True)
    assert (cis.devices_at(ORDER.premise), ods.events_held(), nic.deadline(), network.deadline()) == ((), (), None, None)


def test_a_meter_is_registered_on_request() -> None:
    made = BackOffice()
    made[CIS].register_meter("METER-0007", 0.0)
    made.run(2.0)
    assert made[HE].knows_meter("METER-0007")
    assert not made[HE].knows_meter("METER-0008")
